//! The lines to the outside as they are now: where each is reached, whether it lives, whether we are registered there.
//!
//! ```text
//! Reach (DNS, connection) --> flows --> OPTIONS now and then: up or down --> calls go by what is up
//!                                   \-> REGISTER, answered with credentials, refreshed in time
//! ```
//!
//! Of several exchanges over one store one registers, the trunk's home (`cluster/homes.rs`).

use crate::cluster::Home;
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::input::Output;
use crate::limits;
use crate::people::{Host, PeopleChange, Trunk};
use calls::Owner;
use clock::{Mono, Now};
use sip::{Dialog, Flow};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use wire::sip::{Contact, HeaderName, Message, Method};

/// Marks the requests of trunks among those of the office.
pub(crate) const MARK: u64 = 1 << 62;

/// All trunks.
#[derive(Debug, Default)]
pub(crate) struct Trunks {
    lines: BTreeMap<Box<str>, Line>,
    /// Requests that wait for their answer.
    asked: BTreeMap<u64, (Box<str>, Ask)>,
    next: u64,
}

/// One trunk.
#[derive(Debug)]
struct Line {
    /// The paths to it, the preferred first.
    flows: Vec<Flow>,
    /// When to find out anew where it is; `None` while somebody does.
    reach_at: Option<Mono>,
    health: Health,
    probe_at: Option<Mono>,
    /// Paths that answered nothing, and until when they are left alone (R13).
    dead: BTreeMap<Flow, Mono>,
    registration: Registration,
    /// Calls that use it.
    calls: u16,
}

/// Whether a trunk lives.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Health {
    Unknown,
    Up,
    Down(Box<str>),
}

/// Our registration there.
#[derive(Debug, Default)]
struct Registration {
    call_id: Box<str>,
    tag: Box<str>,
    sequence: u32,
    /// When to register next.
    at: Option<Mono>,
    /// Challenges since the last success.
    rounds: u8,
    registered: bool,
    /// By which path: its contact is what the registrar has.
    by: Option<Flow>,
    /// Whether our contact is being removed, for another exchange has one there.
    leaves: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Options(Flow),
    Register(Flow),
    /// Remove the contact of this path.
    Leave(Flow),
}

impl Line {
    fn new(now: Now) -> Line {
        Line {
            flows: Vec::new(),
            reach_at: Some(now.mono),
            health: Health::Unknown,
            probe_at: None,
            dead: BTreeMap::new(),
            registration: Registration::default(),
            calls: 0,
        }
    }

    fn next_deadline(&self) -> Option<Mono> {
        [self.reach_at, self.probe_at, self.registration.at].into_iter().flatten().min()
    }
}

impl Trunks {
    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.lines.values().filter_map(Line::next_deadline).min()
    }

    /// A trunk came, changed or went.
    pub(crate) fn people_changed(&mut self, now: Now, change: &PeopleChange) {
        match change {
            PeopleChange::PutTrunk { name, .. } => {
                let calls = self.lines.get(name).map_or(0, |line| line.calls);
                self.lines.insert(name.clone(), Line { calls, ..Line::new(now) });
            }
            PeopleChange::RemoveTrunk { name } => {
                self.lines.remove(name);
            }
            _ => {}
        }
    }

    /// The trunk whose host name has this address now.
    pub(crate) fn named_at(&self, flow: Flow) -> Option<&str> {
        let at = |line: &Line| line.flows.iter().any(|known| known.remote.ip() == flow.remote.ip());
        self.lines.iter().find(|(_, line)| at(line)).map(|(name, _)| &**name)
    }

    /// Whether a trunk is not known to be down.
    pub(crate) fn lives(&self, name: &str) -> bool {
        self.lines
            .get(name)
            .is_some_and(|line| !matches!(line.health, Health::Down(_)) && !line.flows.is_empty())
    }

    /// The path to a trunk that is not known to be dead; any of its paths when all are.
    pub(crate) fn flow(&self, now: Now, name: &str) -> Option<Flow> {
        let line = self.lines.get(name)?;
        let alive = |flow: &&Flow| line.dead.get(flow).is_none_or(|until| *until <= now.mono);
        line.flows.iter().find(alive).or(line.flows.first()).copied()
    }

    /// How many calls use a trunk.
    pub(crate) fn calls(&self, name: &str) -> u16 {
        self.lines.get(name).map_or(0, |line| line.calls)
    }

    /// A call begins or ends to use a trunk.
    pub(crate) fn count(&mut self, name: &str, begins: bool) {
        if let Some(line) = self.lines.get_mut(name) {
            line.calls = if begins { line.calls.saturating_add(1) } else { line.calls.saturating_sub(1) };
        }
    }

    /// Whether we are registered at any trunk.
    pub(crate) fn is_registered(&self) -> bool {
        self.lines.values().any(|line| line.registration.registered)
    }

    /// How a trunk is, in words; another exchange may be registered there.
    fn state(&self, name: &str, trunk: &Trunk, registered_by: Option<&str>) -> String {
        let Some(line) = self.lines.get(name) else { return "unknown".into() };
        let mut words = match &line.health {
            Health::Unknown if line.flows.is_empty() => "being looked for".to_owned(),
            Health::Unknown => "not asked yet".to_owned(),
            Health::Up => "up".to_owned(),
            Health::Down(why) => format!("down: {why}"),
        };
        if trunk.registers {
            words += &match registered_by {
                Some(exchange) => format!(", registered at {exchange}"),
                None if line.registration.registered => ", registered".to_owned(),
                None => ", not registered".to_owned(),
            };
        }
        if line.calls > 0 {
            words += &format!(", {} calls", line.calls);
        }
        words
    }
}

impl Exchange {
    /// The trunk that a request comes by.
    pub(crate) fn trunk_of(&self, flow: Flow) -> Option<&str> {
        let (ip, port) = (flow.remote.ip(), flow.remote.port());
        self.people.trunk_at(ip, port).or_else(|| {
            let name = self.trunks.named_at(flow)?;
            let trunk = self.people.trunk(name)?;
            matches!(trunk.host, Host::Name(_)).then_some(name)
        })
    }

    /// How a trunk is, in words.
    pub(crate) fn trunk_state(&self, name: &str, trunk: &Trunk) -> String {
        self.trunks.state(name, trunk, self.cluster.registered_by(name))
    }

    /// What is due for the trunks.
    pub(crate) fn trunks_due(&mut self, now: Now) {
        let due = |when: Option<Mono>| when.is_some_and(|when| when <= now.mono);
        let names: Vec<Box<str>> = self
            .trunks
            .lines
            .iter()
            .filter(|(_, line)| due(line.next_deadline()))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            let Some(line) = self.trunks.lines.get_mut(&name) else { continue };
            let (reach, probe, register) =
                (due(line.reach_at), due(line.probe_at), due(line.registration.at));
            if reach {
                line.reach_at = None;
                self.reach(&name);
            }
            if probe {
                self.probe(now, &name);
            }
            if register {
                self.registration_due(now, &name);
            }
        }
    }

    /// One registration a trunk: a provider gives calls to the last, or to all.
    fn registration_due(&mut self, now: Now, name: &str) {
        let home = self.cluster.home_of(now.mono, name);
        if home == Home::Ours {
            return self.register_at(now, name, None);
        }
        if let Some(line) = self.trunks.lines.get_mut(name) {
            line.registration.at = (home == Home::Rests).then(|| now.mono + limits::TRUNK_RESTS);
        }
    }

    /// Another exchange registers at a trunk from now on, or this one does.
    pub(crate) fn home_moved(&mut self, now: Now, name: &str) {
        let registers = self.people.trunk(name).is_some_and(|trunk| trunk.registers);
        let is_ours = registers && self.cluster.home_of(now.mono, name) == Home::Ours;
        self.listening.touch_trunk(name);
        if let Some(line) = self.trunks.lines.get_mut(name) {
            line.registration.rounds = 0;
            line.registration.at = is_ours.then_some(now.mono);
        }
    }

    /// RFC 3261 10.2.2: where another exchange is registered by now, our own contact is removed, so that a provider that calls all of them
    /// does not call the office twice. Until then it stands, so that calls find somebody.
    pub(crate) fn leave_trunks(&mut self, now: Now) {
        let lines = self.trunks.lines.iter().filter(|(name, line)| {
            let registration = &line.registration;
            registration.registered
                && !registration.leaves
                && self.cluster.home_of(now.mono, name) == Home::Anothers
                && self.cluster.registered_by(name).is_some()
        });
        let names: Vec<Box<str>> = lines.map(|(name, _)| name.clone()).collect();
        for name in names {
            self.leave_trunk(now, &name, None);
        }
    }

    /// The trunks at which we are registered as their home.
    pub(crate) fn trunks_registered_at(&self, now: Now) -> BTreeSet<Box<str>> {
        let ours = |name: &str| self.cluster.home_of(now.mono, name) != Home::Anothers;
        let lines = self.trunks.lines.iter();
        let registered = lines.filter(|(name, line)| line.registration.registered && ours(name));
        registered.map(|(name, _)| name.clone()).collect()
    }

    /// Asks the shell where a trunk is.
    fn reach(&mut self, name: &str) {
        let Some(trunk) = self.people.trunk(name) else { return };
        self.outputs.push_back(Output::Reach {
            trunk: name.into(),
            host: trunk.host.clone(),
            port: trunk.port,
            transport: trunk.transport,
        });
    }

    /// The shell's answer: the paths to a trunk, the preferred first, and how long that may be believed.
    pub(crate) fn reached(&mut self, now: Now, name: &str, flows: Vec<Flow>, lives: Duration, why: &str) {
        let registers = self.people.trunk(name).is_some_and(|trunk| trunk.registers);
        self.listening.touch_trunk(name);
        let Some(line) = self.trunks.lines.get_mut(name) else { return };
        line.reach_at = Some(now.mono + lives.clamp(limits::TRUNK_RETRY, limits::TRUNK_REACH));
        if flows.is_empty() {
            // What was known stays in use until something better is.
            if line.flows.is_empty() {
                self.trunk_is(now, name, Health::Down(why.into()));
            }
            return;
        }
        if line.flows == flows {
            return;
        }
        line.flows = flows;
        line.dead.clear();
        line.probe_at = Some(now.mono);
        if registers {
            line.registration.at = Some(now.mono);
        }
    }

    /// A connection to a trunk is gone: it is looked for again.
    pub(crate) fn trunk_flow_closed(&mut self, now: Now, flow: Flow) {
        for (name, line) in &mut self.trunks.lines {
            if line.flows.contains(&flow) {
                self.listening.touch_trunk(name);
                line.flows.retain(|known| *known != flow);
                line.reach_at = Some(now.mono + limits::TRUNK_RETRY);
                line.registration.registered = false;
            }
        }
    }

    /// A path to a trunk answered nothing: it is left alone for a while (R13).
    pub(crate) fn trunk_is_dead(&mut self, now: Now, name: &str, flow: Flow) {
        if let Some(line) = self.trunks.lines.get_mut(name) {
            line.dead.insert(flow, now.mono + limits::TRUNK_DEAD);
            line.probe_at = Some(now.mono);
        }
    }

    /// RFC 3261 11: asks a trunk whether it lives. Any answer but one of its own failure says yes.
    fn probe(&mut self, now: Now, name: &str) {
        let flow = self.trunks.flow(now, name);
        let Some(line) = self.trunks.lines.get_mut(name) else { return };
        line.probe_at = Some(now.mono + limits::TRUNK_PROBE);
        if let Some(flow) = flow {
            self.ask_trunk(now, name, flow, Ask::Options(flow), &mut |_| {});
        }
    }

    /// Registers at a trunk (RFC 3261 10.2).
    fn register_at(&mut self, now: Now, name: &str, authorization: Option<(HeaderName, String)>) {
        let flow = self.trunks.flow(now, name);
        let Some(line) = self.trunks.lines.get_mut(name) else { return };
        line.registration.at = Some(now.mono + limits::TRUNK_RETRY);
        if let Some(flow) = flow {
            let expires = limits::TRUNK_EXPIRES.as_secs();
            self.ask_registrar(now, name, Ask::Register(flow), (expires, authorization));
        }
    }

    /// Removes our contact from a trunk.
    fn leave_trunk(&mut self, now: Now, name: &str, authorization: Option<(HeaderName, String)>) {
        let Some(line) = self.trunks.lines.get_mut(name) else { return };
        let Some(flow) = line.registration.by else { return };
        line.registration.leaves = true;
        self.ask_registrar(now, name, Ask::Leave(flow), (0, authorization));
    }

    fn ask_registrar(
        &mut self,
        now: Now,
        name: &str,
        ask: Ask,
        (expires, authorization): (u64, Option<(HeaderName, String)>),
    ) {
        let (Ask::Options(flow) | Ask::Register(flow) | Ask::Leave(flow)) = ask;
        self.ask_trunk(now, name, flow, ask, &mut |writer| {
            writer.header_number(HeaderName::Expires, expires);
            if let Some((name, value)) = &authorization {
                writer.header(*name, value);
            }
        });
    }

    fn ask_trunk(
        &mut self,
        now: Now,
        name: &str,
        flow: Flow,
        ask: Ask,
        more: &mut dyn FnMut(&mut wire::sip::Writer<'_>),
    ) {
        let Some(trunk) = self.people.trunk(name) else { return };
        let user = trunk.login.as_ref().map_or("ringdown", |login| &login.user);
        let user = calls::escape_user(user);
        let uri = trunk_uri(trunk, None);
        let us = format!("<sip:{user}@{}>", trunk.host);
        let endpoint = self.switch.endpoint();
        let fresh = [endpoint.random(), endpoint.random(), endpoint.random()];
        self.trunks.next += 1;
        let id = MARK | self.trunks.next;
        let Some(line) = self.trunks.lines.get_mut(name) else { return };
        let registration = &mut line.registration;
        if registration.call_id.is_empty() {
            registration.call_id = format!("{:016x}{:016x}", fresh[0], fresh[1]).into();
            registration.tag = format!("{:016x}", fresh[2]).into();
        }
        registration.sequence += 1;
        let (call_id, tag) = (registration.call_id.clone(), registration.tag.clone());
        let (sequence, method) = match ask {
            Ask::Options(_) => (1, Method::Options),
            Ask::Register(_) | Ask::Leave(_) => (registration.sequence, Method::Register),
        };
        let call_id = if ask == Ask::Options(flow) { format!("{:016x}", fresh[0]) } else { call_id.into() };
        let dialog = Dialog::calling(&call_id, &us, &tag, &us, &uri);
        let contact = match flow.transport {
            sip::Transport::Udp => format!("<sip:{user}@{}>", flow.local),
            other => format!("<sip:{user}@{};transport={}>", flow.local, other.uri_name()),
        };
        let owner = Owner::Above(id);
        self.switch.endpoint().request(now.mono, flow, owner, method, &uri, 70, |mut writer| {
            dialog.write(&mut writer, method, sequence);
            writer.header(HeaderName::Contact, contact);
            more(&mut writer);
            writer.finish()
        });
        self.trunks.asked.insert(id, (name.into(), ask));
    }

    /// A trunk answered a request of ours, or `None`: it did not.
    pub(crate) fn trunk_answered(&mut self, now: Now, id: u64, response: Option<&Message<'_>>) {
        let status = response.and_then(Message::status).unwrap_or(408);
        if status < 200 {
            return;
        }
        let Some((name, ask)) = self.trunks.asked.remove(&id) else { return };
        match ask {
            Ask::Options(flow) => {
                let alive = !matches!(status, 408 | 500..=599);
                if alive {
                    if let Some(line) = self.trunks.lines.get_mut(&name) {
                        line.dead.remove(&flow);
                    }
                    self.trunk_is(now, &name, Health::Up);
                } else {
                    let why =
                        if status == 408 { "it does not answer".into() } else { format!("it says {status}") };
                    if let Some(line) = self.trunks.lines.get_mut(&name) {
                        line.dead.insert(flow, now.mono + limits::TRUNK_DEAD);
                    }
                    self.trunk_is(now, &name, Health::Down(why.into()));
                }
            }
            Ask::Register(flow) => self.registration_answered(now, (&name, flow), status, response),
            Ask::Leave(_) => self.leaving_answered(now, &name, status, response),
        }
    }

    /// What meets a challenge, unless it was met before.
    fn credentials(
        &mut self,
        name: &str,
        status: u16,
        response: Option<&Message<'_>>,
    ) -> Option<(HeaderName, String)> {
        let random = self.switch.endpoint().random();
        let trunk = self.people.trunk(name)?;
        let (uri, login) = (trunk_uri(trunk, None), account(trunk));
        let registration = &mut self.trunks.lines.get_mut(name)?.registration;
        if matches!(status, 401 | 407) && registration.rounds < limits::TRUNK_ROUNDS {
            let credentials = login?.answer(response?, Method::Register, &uri, random)?;
            registration.rounds += 1;
            return Some(credentials);
        }
        registration.rounds = 0;
        None
    }

    fn registration_answered(
        &mut self,
        now: Now,
        (name, flow): (&str, Flow),
        status: u16,
        response: Option<&Message<'_>>,
    ) {
        self.listening.touch_trunk(name);
        let home = self.cluster.home_of(now.mono, name);
        if let Some(credentials) = self.credentials(name, status, response) {
            return match home {
                Home::Ours => self.register_at(now, name, Some(credentials)),
                // Nothing was begun by what was refused.
                Home::Rests | Home::Anothers => self.registration_due(now, name),
            };
        }
        let Some(line) = self.trunks.lines.get_mut(name) else { return };
        let registration = &mut line.registration;
        let was = std::mem::replace(&mut registration.registered, status < 300);
        if registration.registered {
            let lives = response.and_then(granted).unwrap_or(limits::TRUNK_EXPIRES);
            registration.by = Some(flow);
            // Well before the end, so that one lost request costs nothing.
            registration.at = Some(now.mono + (lives * 4 / 5).max(limits::TRUNK_RETRY));
            if !was {
                self.note(now, FactKind::Trunk, name, "trunk.registered", "we are registered".into());
            }
        } else if was || status != 408 {
            let words = format!("registering was refused with {status}; it is tried again");
            self.note(now, FactKind::Trunk, name, "trunk.not-registered", words);
        }
        if home == Home::Anothers {
            // It was on its way when the trunk became another's.
            self.registration_due(now, name);
            self.leave_trunks(now);
        }
    }

    /// Our contact is removed. Where that was not heard it ends by itself.
    fn leaving_answered(&mut self, now: Now, name: &str, status: u16, response: Option<&Message<'_>>) {
        self.listening.touch_trunk(name);
        let is_ours_again = self.cluster.home_of(now.mono, name) == Home::Ours;
        if let Some(credentials) = self.credentials(name, status, response)
            && !is_ours_again
        {
            return self.leave_trunk(now, name, Some(credentials));
        }
        let Some(line) = self.trunks.lines.get_mut(name) else { return };
        line.registration.leaves = false;
        if is_ours_again {
            // Which of the two was heard last nobody knows.
            return self.register_at(now, name, None);
        }
        line.registration.registered = false;
        let words = "another exchange is registered in our place".to_owned();
        self.note(now, FactKind::Trunk, name, "trunk.moved", words);
    }

    fn trunk_is(&mut self, now: Now, name: &str, health: Health) {
        self.listening.touch_trunk(name);
        let Some(line) = self.trunks.lines.get_mut(name) else { return };
        if line.health == health {
            return;
        }
        let words = match &health {
            Health::Up => "it answers".to_owned(),
            Health::Down(why) => why.to_string(),
            Health::Unknown => return,
        };
        let rule = if health == Health::Up { "trunk.up" } else { "trunk.down" };
        line.health = health;
        self.note(now, FactKind::Trunk, name, rule, words);
    }
}

/// Who we are at a trunk.
pub(crate) fn account(trunk: &Trunk) -> Option<calls::Account> {
    let login = trunk.login.as_ref()?;
    Some(calls::Account {
        user: login.user.clone(),
        password: login.password.clone(),
        realm: login.realm.clone(),
    })
}

/// `sip:number@host:port`, or the trunk itself.
pub(crate) fn trunk_uri(trunk: &Trunk, number: Option<&str>) -> String {
    let user = number.map(|number| format!("{}@", calls::escape_user(number))).unwrap_or_default();
    let port = trunk.port.map(|port| format!(":{port}")).unwrap_or_default();
    let transport = match trunk.transport {
        sip::Transport::Udp => String::new(),
        other => format!(";transport={}", other.uri_name()),
    };
    format!("sip:{user}{}{port}{transport}", trunk.host)
}

/// RFC 3261 10.2.4: how long the registrar keeps us.
fn granted(response: &Message<'_>) -> Option<Duration> {
    let of_contact = response
        .contacts()
        .flatten()
        .filter_map(|contact| match contact {
            Contact::Addr(addr) => addr.param("expires").flatten()?.parse::<u64>().ok(),
            Contact::Star => None,
        })
        .min();
    let seconds = of_contact.or_else(|| response.expires().map(u64::from));
    seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs)
}
