//! The stage of one scene: people, phones, what is waited for and what is noted beside the ladder.

use super::actor::Actor;
use super::exchange::{Exchange, Part};
use super::ladder;
use super::sites::Directory;
use crate::texts::Language;
use crate::{Failure, talk};
use ::phone::{Account, Command, Event, Phone, Server, Settings, Source, Trust};
use api::CallRow;
use api::control::{AccountChanges, BadgeItem, CardItem, Request, Response, RouteItem, RungItem, TrunkItem};
use clock::Now;
use media::Codec;
use net::Clock;
use sip::Transport;
use std::path::Path;
use std::time::{Duration, Instant};
use tap::telling::{self, Told};

/// How near a tone must be, in hertz.
const NEAR: f64 = 4.0;
/// The record of a call is written just after its end.
const RECORD: Duration = Duration::from_secs(5);

/// The provider answers OPTIONS at once; the first is sent within a second.
const TRUNK: Duration = Duration::from_secs(8);
/// Our trunk to the provider, and the provider's to us.
const PROVIDER: &str = "provider";
const OFFICE: &str = "office";

const RINGING: Duration = Duration::from_millis(700);

/// Names a phone of the scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Role(usize);

/// One phone, as a scene describes it.
pub(super) struct Cast {
    /// Its key in the catalogue.
    pub(super) name: &'static str,
    /// The account that it belongs to.
    pub(super) account: &'static str,
    /// The user name that it registers with.
    pub(super) device: &'static str,
    /// The tone that it says, in hertz.
    pub(super) tone: f64,
    /// Take calls after this much ringing.
    pub(super) answer_after: Option<Duration>,
}

/// Everything that a scene needs.
pub(super) struct Stage<'a> {
    shared: &'a Exchange,
    /// Its own, when what all scenes share is not what it is about.
    pub(super) own: Option<Exchange>,
    language: Language,
    clock: Clock,
    actors: Vec<Actor>,
    notes: Vec<(Now, String)>,
    /// The telephone company, or another exchange of the office, once a scene has asked for it.
    pub(super) provider: Option<Exchange>,
    /// Its name for the exchange, and its key in the catalogue.
    pub(super) far: &'static str,
    /// The directory, and its folder.
    pub(super) directory: Option<Directory>,
    /// What the exchange and the other said to each other, as the exchange kept it.
    outside: Vec<RungItem>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(exchange: &'a Exchange, language: Language) -> Stage<'a> {
        let clock = Clock::start();
        let (actors, notes, outside) = (Vec::new(), Vec::new(), Vec::new());
        Stage {
            shared: exchange,
            own: None,
            language,
            clock,
            actors,
            notes,
            provider: None,
            far: PROVIDER,
            directory: None,
            outside,
        }
    }

    fn exchange(&self) -> &Exchange {
        self.own.as_ref().unwrap_or(self.shared)
    }

    /// A telephone company: a second exchange with a trunk to ours, and ours with one to it. Calls with `prefix` come
    /// in, all that is not of the office goes out.
    pub(super) fn provider(&mut self, prefix: &str) -> Result<(), Failure> {
        let provider = Exchange::start(Part::Provider)?;
        let trunk = |address: &str| TrunkItem { address: address.into(), ..TrunkItem::default() };
        let route = |name: &str, prefix: &str| RouteItem {
            name: name.into(),
            prefix: prefix.into(),
            trunks: vec![name.into()],
            ..RouteItem::default()
        };
        let ways = [
            (self.exchange().data(), PROVIDER, trunk(&provider.address), route(PROVIDER, "")),
            (provider.data(), OFFICE, trunk(&self.exchange().address), route(OFFICE, prefix)),
        ];
        for (data, name, trunk, route) in ways {
            talk::ask(&data, &Request::TrunkAdd { name: name.into(), trunk })?;
            talk::ask(&data, &Request::RouteAdd { route })?;
        }
        self.provider = Some(provider);
        self.wait_until_up()
    }

    /// Until our trunk has an answer to its OPTIONS.
    fn wait_until_up(&mut self) -> Result<(), Failure> {
        let limit = Instant::now() + TRUNK;
        loop {
            let Response::Trunks(items) = self.ask(&Request::TrunkList)? else {
                return Err("the trunks were not listed".into());
            };
            match items.into_iter().find(|item| item.name == PROVIDER) {
                Some(item) if item.state.starts_with("up") => {
                    self.note("trunk.up");
                    return Ok(());
                }
                Some(item) if Instant::now() > limit => {
                    return Err(format!("the provider does not answer: {}", item.state).into());
                }
                _ => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// What an account may do besides calling in the office, as in `national,pickup`.
    pub(super) fn rights(&self, account: &str, rights: &str) -> Result<(), Failure> {
        let changes = AccountChanges { rights: Some(rights.into()), ..AccountChanges::default() };
        self.ask(&Request::AccountSet { name: account.into(), changes })?;
        Ok(())
    }

    /// A phone of somebody outside, who may call the office.
    pub(super) fn phone_outside(&mut self, cast: &Cast, number: &str) -> Result<Role, Failure> {
        let Some(provider) = &self.provider else { return Err("there is no provider".into()) };
        let (data, address) = (provider.data(), provider.address.clone());
        let account = cast.account.to_owned();
        let changes = AccountChanges { rights: Some("national".into()), ..AccountChanges::default() };
        talk::ask(&data, &Request::AccountAdd { name: account.clone(), display: String::new() })?;
        talk::ask(&data, &Request::AccountSet { name: account.clone(), changes })?;
        talk::ask(&data, &Request::NumberAdd { number: number.into(), account })?;
        self.start_phone(cast, &data, &address, true)
    }

    /// A person with a number.
    pub(super) fn person(&self, account: &str, number: &str) -> Result<(), Failure> {
        self.ask(&Request::AccountAdd { name: account.into(), display: String::new() })?;
        self.ask(&Request::NumberAdd { number: number.into(), account: account.into() })?;
        Ok(())
    }

    /// A badge of somebody: the text of its record.
    pub(super) fn badge(&self, account: &str) -> Result<String, Failure> {
        let (name, account, kind) = (format!("badge-of-{account}"), account.to_owned(), "ndef".to_owned());
        let badge = BadgeItem { name, account, kind, ..BadgeItem::default() };
        match self.ask(&Request::BadgeAdd { badge })? {
            Response::BadgeMade(CardItem { record: Some(record), .. }) => Ok(record),
            other => Err(talk::unexpected(&other)),
        }
    }

    /// A reader beside a phone: its key.
    pub(super) fn reader(&self, device: &str) -> Result<String, Failure> {
        match self.ask(&Request::ReaderAdd { name: format!("at-{device}"), device: device.into() })? {
            Response::Secret(key) => Ok(key),
            other => Err(talk::unexpected(&other)),
        }
    }

    /// A badge is held to a reader, which tells the exchange as `ringdown-tap` does.
    pub(super) fn tap(&mut self, key: &str, record: &str) -> Result<(), Failure> {
        let exchange = telling::Exchange::parse(&format!("http://{}", self.exchange().http))?;
        let reading = tap::Reading { uid: None, ndef: Some(record.into()) };
        let id = format!("demo-{}", self.notes.len());
        let answer = tap::line::ask(&exchange, None, &telling::request(&exchange, key, &id, &reading, None))?;
        match Told::of(&answer) {
            Told::Accepted(words) => {
                self.notes.push((self.clock.now(), self.language.fill("tap.accepted", &[("words", &words)])));
                Ok(())
            }
            other => Err(format!("the tap: {}", other.words()).into()),
        }
    }

    /// A phone that has registered.
    pub(super) fn phone(&mut self, cast: &Cast) -> Result<Role, Failure> {
        self.start_phone(cast, &self.exchange().data(), &self.exchange().address.clone(), false)
    }

    fn start_phone(
        &mut self,
        cast: &Cast,
        data: &Path,
        address: &str,
        outside: bool,
    ) -> Result<Role, Failure> {
        let added =
            Request::DeviceAdd { name: cast.device.into(), account: cast.account.into(), secret: None };
        let Response::Secret(password) = talk::ask(data, &added)? else {
            return Err("no secret was made".into());
        };
        let server: Server = address.parse()?;
        let name = self.language.text(cast.name);
        let account = Account {
            further: Vec::new(),
            name: cast.device.into(),
            server,
            transport: Transport::Udp,
            trust: Trust::System,
            user: cast.device.into(),
            password,
            display: name.into(),
            register: true,
            expires: 60,
            codecs: vec![Codec::PCMU],
            suggest: None,
            profile: false,
            lamps: Vec::new(),
            messages: false,
            pass: None,
        };
        let phone = Phone::start(Settings {
            accounts: vec![account],
            answer_after: cast.answer_after,
            first_call: ::phone::CallId(1),
            source: Source::Tone(cast.tone),
            record: None,
            headset: None,
            clock: self.clock,
        })?;
        self.actors.push(Actor::new(name, phone, outside));
        let role = Role(self.actors.len() - 1);
        self.wait(role, "registers", |event| matches!(event, Event::Registered { .. }))?;
        Ok(role)
    }

    pub(super) fn tell(&self, role: Role, command: Command) {
        if let Some(actor) = self.actors.get(role.0) {
            actor.tell(command);
        }
    }

    /// The next event of a phone that fits; `what` is for the failure if none comes.
    pub(super) fn wait(
        &mut self,
        role: Role,
        what: &str,
        fits: impl Fn(&Event) -> bool,
    ) -> Result<(Now, Event), Failure> {
        let actor = self.actors.get_mut(role.0).ok_or("no such phone")?;
        actor.wait(fits).map_err(|why| format!("waited until \"{what}\": {why}").into())
    }

    /// Waits until a phone hears a tone, and notes it.
    pub(super) fn hears(&mut self, role: Role, wanted: f64) -> Result<(), Failure> {
        let near = |event: &Event| matches!(event, Event::Heard { hertz, dbfs, .. } if (hertz - wanted).abs() <= NEAR && *dbfs > -20.0);
        let heard = self.wait(role, &format!("hears {wanted} Hz"), near)?;
        self.note_heard(role, &heard);
        Ok(())
    }

    /// Waits until a phone hears something, and none of these tones.
    pub(super) fn hears_other(&mut self, role: Role, tones: &[f64]) -> Result<(), Failure> {
        let other = |event: &Event| matches!(event, Event::Heard { hertz, dbfs, .. } if *dbfs > -50.0 && tones.iter().all(|tone| (hertz - tone).abs() > 2.0 * NEAR));
        let heard = self.wait(role, "hears something else", other)?;
        self.note_heard(role, &heard);
        Ok(())
    }

    /// What a phone heard and did until now does not count any more.
    pub(super) fn forget_the_past(&mut self, role: Role) {
        if let Some(actor) = self.actors.get_mut(role.0) {
            actor.forget_the_past();
        }
    }

    /// As long as a person takes to lift the receiver.
    pub(super) fn let_it_ring(&self) {
        std::thread::sleep(RINGING);
    }

    /// Notes a line of the catalogue beside the ladder.
    pub(super) fn note(&mut self, key: &'static str) {
        self.notes.push((self.clock.now(), self.language.text(key).to_owned()));
    }

    /// Notes a line of the catalogue about one phone.
    pub(super) fn note_about(&mut self, key: &'static str, role: Role, at: Now) {
        let who = self.actors.get(role.0).map_or("", |actor| actor.name);
        self.notes.push((at, self.language.fill(key, &[("who", who)])));
    }

    /// Notes that somebody who is no phone of the scene hears a tone.
    pub(super) fn note_heard_by(&mut self, who: &'static str, hertz: f64) {
        let (who, hertz) = (self.language.text(who), format!("{hertz:.0}"));
        let words = self.language.fill("hears_tone", &[("who", who), ("hertz", hertz.as_str())]);
        self.notes.push((self.clock.now(), words));
    }

    /// The one record of a call; it must have this cause.
    pub(super) fn record(
        &mut self,
        caller: &str,
        callee: &str,
        cause: ::calls::Cause,
    ) -> Result<CallRow, Failure> {
        let wanted = cause.to_string();
        let limit = Instant::now() + RECORD;
        let row = loop {
            let found = self.records(caller, callee)?;
            match <[CallRow; 1]>::try_from(found) {
                Ok([row]) => break row,
                Err(rows) if rows.len() > 1 => return Err("a call has more than one record".into()),
                Err(_) if Instant::now() > limit => return Err("a call has no record".into()),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        self.note_record(&row);
        self.keep_outside(&row)?;
        if row.cause == wanted {
            Ok(row)
        } else {
            Err(format!("the record says \"{}\", not \"{wanted}\"", row.cause).into())
        }
    }

    /// The records of several calls from one to another: one each, with these causes.
    pub(super) fn records_of(
        &mut self,
        caller: &str,
        callee: &str,
        causes: &[::calls::Cause],
    ) -> Result<(), Failure> {
        let mut wanted: Vec<String> = causes.iter().map(ToString::to_string).collect();
        wanted.sort_unstable();
        let limit = Instant::now() + RECORD;
        loop {
            let rows = self.records(caller, callee)?;
            if rows.len() < wanted.len() && Instant::now() < limit {
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
            for row in &rows {
                self.note_record(row);
                self.keep_outside(row)?;
            }
            let mut found: Vec<String> = rows.into_iter().map(|row| row.cause).collect();
            found.sort_unstable();
            let right = found == wanted;
            return if right { Ok(()) } else { Err(format!("the records say {found:?}").into()) };
        }
    }

    fn note_record(&mut self, row: &CallRow) {
        let text = self.language.fill(
            "record",
            &[("caller", &row.caller), ("callee", &row.callee), ("cause", &row.cause), ("blame", &row.blame)],
        );
        self.notes.push((self.clock.now(), text));
    }

    /// Notes what a record says in more words, as the rule that refused a call.
    pub(super) fn note_detail(&mut self, key: &'static str, row: &CallRow) {
        self.note_said(key, &row.detail);
    }

    /// Notes what the exchange says of something.
    pub(super) fn note_said(&mut self, key: &'static str, detail: &str) {
        self.notes.push((self.clock.now(), self.language.fill(key, &[("detail", detail)])));
    }

    /// Ends the phones and draws what happened.
    pub(super) fn close(mut self) -> Vec<String> {
        for actor in &mut self.actors {
            actor.leave();
        }
        let (language, now) = (self.language, self.clock.now());
        let provider = self.provider.as_ref().map(|_| (language.text(self.far), &*self.outside));
        ladder::draw(&self.actors, language.text("exchange"), provider, now, self.notes)
    }

    /// Keeps the messages between the exchange and the provider, for the drawing.
    fn keep_outside(&mut self, row: &CallRow) -> Result<(), Failure> {
        if self.provider.is_none() {
            return Ok(());
        }
        match self.ask(&Request::Ladder { session_id: Some(row.session_id.clone()) })? {
            Response::Ladder(rungs) => {
                let far = self.far;
                self.outside.extend(rungs.into_iter().filter(|rung| rung.who == far));
                Ok(())
            }
            other => Err(talk::unexpected(&other)),
        }
    }

    fn note_heard(&mut self, role: Role, (at, event): &(Now, Event)) {
        let Event::Heard { hertz, dbfs, .. } = event else { return };
        let who = self.actors.get(role.0).map_or("", |actor| actor.name);
        let (hertz, dbfs) = (format!("{hertz:.0}"), format!("{dbfs:.1}"));
        let places = [("who", who), ("hertz", hertz.as_str()), ("dbfs", dbfs.as_str())];
        self.notes.push((*at, self.language.fill("hears", &places)));
    }

    fn records(&self, caller: &str, callee: &str) -> Result<Vec<CallRow>, Failure> {
        match self.ask(&Request::Calls { most: 100 })? {
            Response::Calls(rows) => {
                Ok(rows.into_iter().filter(|row| row.caller == caller && row.callee == callee).collect())
            }
            other => Err(talk::unexpected(&other)),
        }
    }

    /// Asks the exchange for something.
    pub(super) fn ask(&self, request: &Request) -> Result<Response, Failure> {
        talk::ask(&self.exchange().data(), request)
    }
}
