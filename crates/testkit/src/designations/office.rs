//! The directory, its exchanges, and what goes between them, in the order of a virtual clock.

use super::exchanges::Site;
use super::{Outcome, Scale};
use crate::dice::Dice;
use clock::{Mono, Now, Wall};
use directory::{
    Account, AccountName, Claims, Confirmation, Device, DeviceId, Directory, ExchangeName, Fingerprint,
    Input, Issuer, Kind, Message, Named, Number, Origin, Output, Push, Report, Request, RequestId, Said,
    SessionHalf, Ticket, TicketId, TicketRefusal, Wake, Way,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One call, from when it was asked for.
#[derive(Clone)]
struct Call {
    request: Request,
    /// What becomes of its ticket.
    theft: Theft,
}

/// What somebody tries with a ticket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Theft {
    None,
    /// It is used again at the same exchange.
    Replayed,
    /// It is taken to another exchange.
    Elsewhere,
    /// Somebody else presents it.
    Stolen,
    /// It is for another call.
    OtherSession,
    /// It comes too late.
    Late,
}

/// What arrives somewhere.
enum Event {
    Directory(Input),
    /// A device that was woken does not come.
    Decline(DeviceId, TicketId),
    /// An exchange that was asked whether a device accepts.
    Ask(usize, Message),
    /// A call at an exchange.
    Invite(Box<Invite>),
    Nothing,
}

/// A call that arrives with a ticket.
struct Invite {
    place: usize,
    ticket: Ticket,
    session: SessionHalf,
    /// Whose key is at the other end.
    cnf: Confirmation,
    dest: Number,
    /// It may be let in.
    may: bool,
    /// It has to be, when the clocks are right and nobody restarted.
    must: bool,
}

pub(super) struct Office {
    dice: Dice,
    directory: Directory,
    sites: Vec<Site>,
    places: BTreeMap<ExchangeName, usize>,
    now: Now,
    events: BTreeMap<(Mono, u64), Event>,
    calls: BTreeMap<(bool, u64), Call>,
    owners: Vec<(Number, AccountName, usize)>,
    apps: Vec<DeviceId>,
    desks: Vec<(DeviceId, usize)>,
    redeemed: BTreeSet<TicketId>,
    /// The tickets that devices were woken with, and not told since that nobody waits.
    awake: BTreeMap<TicketId, DeviceId>,
    next: u64,
    outcome: Outcome,
    broken: Option<String>,
}

fn name<T: Named>(text: &str) -> T {
    T::parse(text).expect("a name")
}

/// The key that a device made.
/// Every other app is a page in a browser.
fn key_of(device: &DeviceId) -> Confirmation {
    let mut key = [0xDD; 32];
    let text = device.as_str().as_bytes();
    key[..text.len().min(32)].copy_from_slice(&text[..text.len().min(32)]);
    match text.last().is_some_and(|last| last % 2 == 0) {
        true => Confirmation::Media(Fingerprint(key)),
        false => Confirmation::Tls(Fingerprint(key)),
    }
}

/// Somebody else's key; or the same octets, shown where they prove nothing.
fn stolen_by(cnf: Confirmation) -> Confirmation {
    match cnf {
        Confirmation::Media(print) => Confirmation::Tls(print),
        Confirmation::Tls(_) => Confirmation::Tls(Fingerprint([0xEE; 32])),
    }
}

impl Office {
    pub(super) fn new(mut dice: Dice, scale: Scale) -> Office {
        let directory = Directory::new("directory", Issuer::new(&dice.seed()), dice.seed());
        let public = directory.public();
        let drifts = |dice: &mut Dice| match dice.permille(60) {
            true => 3_600_000,
            false => i64::try_from(dice.within(0..3_000)).unwrap_or(0) - 1_500,
        };
        let sites: Vec<Site> =
            (0..scale.exchanges).map(|place| Site::new(place, drifts(&mut dice), public)).collect();
        let places = sites.iter().enumerate().map(|(place, site)| (site.name.clone(), place)).collect();
        let mut office = Office {
            dice,
            directory,
            sites,
            places,
            now: Now { mono: Mono(0), wall: Wall(1_700_000_000_000) },
            events: BTreeMap::new(),
            calls: BTreeMap::new(),
            owners: Vec::new(),
            apps: Vec::new(),
            desks: Vec::new(),
            redeemed: BTreeSet::new(),
            awake: BTreeMap::new(),
            next: 1,
            outcome: Outcome::default(),
            broken: None,
        };
        office.furnish(scale.accounts);
        office
    }

    fn furnish(&mut self, accounts: usize) {
        for place in 0..self.sites.len() {
            let site = &self.sites[place];
            let joined = Input::Joined {
                exchange: site.name.clone(),
                fingerprint: site.fingerprint,
                key: site.key.clone(),
            };
            self.directory.handle(self.now, joined);
            self.report(place);
        }
        for place in 0..accounts {
            let home = place % self.sites.len();
            let (account, number): (AccountName, Number) =
                (name(&format!("a{place}")), name(&format!("2{place:06}")));
            let told = Account {
                home: self.sites[home].name.clone(),
                numbers: vec![number.clone()],
                enabled: true,
                phones: false,
            };
            let exchange = self.sites[home].name.clone();
            self.directory.handle(self.now, Input::Account(exchange.clone(), account.clone(), Some(told)));
            let is_app = place % 5 == 0;
            let device: DeviceId = name(&format!("{}-{place}", if is_app { "app" } else { "desk" }));
            let way = Way { provider: Wake::Mqtt, param: "".into(), prid: "topic".into() };
            let put = Device {
                account: account.clone(),
                kind: if is_app { Kind::App } else { Kind::DeskPhone },
                at: (!is_app).then_some(exchange),
                ways: is_app.then_some(way).into_iter().collect(),
                key: is_app.then(|| key_of(&device)),
                connected: false,
            };
            self.directory.handle(self.now, Input::Device(device.clone(), put));
            if is_app {
                self.apps.push(device);
            } else {
                self.desks.push((device, home));
            }
            self.owners.push((number, account, home));
        }
        while self.directory.poll_output().is_some() {}
    }

    fn report(&mut self, place: usize) {
        let report = Report {
            address: format!("{}.example:5061", self.sites[place].name).into(),
            web: format!("wss://{}.example/sip", self.sites[place].name).into(),
            region: if place.is_multiple_of(2) { "north" } else { "south" }.into(),
            version: "1".into(),
            load: (place * 13 % 1_000) as u16,
            draining: false,
            calls: BTreeMap::new(),
        };
        let input = Input::Report(self.sites[place].name.clone(), report);
        self.tell_directory(place, input);
    }

    // ---- what happens by itself

    pub(super) fn something_happens(&mut self) {
        let count = self.sites.len() as u64;
        for place in 0..self.sites.len() {
            // Four times as often as it must be: one in three is lost now and then.
            if self.dice.permille(20) {
                self.report(place);
            }
        }
        let place = self.dice.within(0..count) as usize;
        match self.dice.within(0..400) {
            0 => self.sites[place].connected = false,
            1..=8 => self.sites[place].connected = true,
            9 => {
                let now = self.now.wall;
                self.sites[place].restart(now);
                self.outcome.add("restarts");
            }
            10..=20 => self.steal_a_number(place),
            21..=60 => self.move_a_desk(place),
            _ => {}
        }
    }

    /// An exchange tells of somebody else's number as of its own.
    fn steal_a_number(&mut self, place: usize) {
        let (number, owner, home) = self.dice.pick(&self.owners).clone();
        if home == place {
            return;
        }
        let thief: AccountName = name(&format!("thief-{place}"));
        let exchange = self.sites[place].name.clone();
        let told =
            Account { home: exchange.clone(), numbers: vec![number.clone()], enabled: true, phones: false };
        self.directory.handle(self.now, Input::Account(exchange, thief, Some(told)));
        if self.directory.book().owner(&number).map(|(name, _)| name) != Some(&owner) {
            self.broken = Some(format!("number {number} of {owner} was taken by exchange-{place}"));
        }
        self.outputs();
    }

    /// A phone registers elsewhere; the one that it left says so before or after.
    fn move_a_desk(&mut self, to: usize) {
        let chosen = self.dice.within(0..self.desks.len() as u64) as usize;
        let (device, from) = self.desks[chosen].clone();
        if from == to {
            return;
        }
        self.desks[chosen].1 = to;
        let left = Input::Placed(self.sites[from].name.clone(), device.clone(), false);
        let came = Input::Placed(self.sites[to].name.clone(), device, true);
        self.tell_directory(from, left);
        self.tell_directory(to, came);
    }

    fn tell_directory(&mut self, place: usize, input: Input) {
        if self.sites[place].connected {
            let wait = self.dice.millis(1..40);
            self.schedule(wait, Event::Directory(input));
        }
    }

    fn schedule(&mut self, wait: Duration, event: Event) {
        self.next += 1;
        self.events.insert((self.now.mono + wait, self.next), event);
    }

    // ---- a call

    pub(super) fn call(&mut self) {
        let id = RequestId(self.next);
        self.next += 1;
        let mut half = [0; 16];
        half.copy_from_slice(&self.dice.seed()[..16]);
        let callee = match self.dice.permille(30) {
            true => name("999"),
            false => self.dice.pick(&self.owners).0.clone(),
        };
        let by_cloud = self.dice.permille(250);
        let (origin, caller, cnf, place) = if by_cloud {
            let device = self.dice.pick(&self.apps).clone();
            (Origin::Cloud(device.clone()), device.clone(), key_of(&device), None)
        } else {
            let (device, at) = self.dice.pick(&self.desks).clone();
            let site = &self.sites[at];
            (Origin::Exchange(site.name.clone()), device, Confirmation::Tls(site.fingerprint), Some(at))
        };
        let theft = match self.dice.within(0..40) {
            0 => Theft::Replayed,
            1 => Theft::Elsewhere,
            2 => Theft::Stolen,
            3 => Theft::OtherSession,
            4 => Theft::Late,
            _ => Theft::None,
        };
        let request =
            Request { origin, id, caller, callee, session: SessionHalf(half), cnf, shown: "".into() };
        self.calls.insert((by_cloud, id.0), Call { request: request.clone(), theft });
        match place {
            Some(place) => self.tell_directory(place, Input::Asked(request)),
            None => self.schedule(Duration::from_millis(5), Event::Directory(Input::Asked(request))),
        }
    }

    pub(super) fn run_until_next_call(&mut self) {
        let wait = self.dice.millis(1..60);
        self.schedule(wait, Event::Nothing);
        let until = self.now.mono + wait;
        self.run(until);
        // Nobody waits for an answer for longer than that; what is forgotten here was lost in a partition.
        while self.calls.len() > 10_000 {
            self.calls.pop_first();
        }
    }

    /// Everything that is on its way arrives.
    pub(super) fn settle(&mut self) {
        let until = self.now.mono + Duration::from_secs(900);
        self.run(until);
    }

    fn run(&mut self, until: Mono) {
        loop {
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let next = event.into_iter().chain(self.directory.next_deadline()).min();
            let Some(at) = next.filter(|at| *at <= until) else { break };
            self.now = self.now.after(at.since(self.now.mono));
            match event.filter(|event| *event == at).and_then(|_| self.events.pop_first()) {
                Some((_, event)) => self.arrive(event),
                None => self.directory.handle(self.now, Input::Timeout),
            }
            self.outputs();
        }
        self.now = self.now.after(until.since(self.now.mono));
    }

    fn arrive(&mut self, event: Event) {
        match event {
            Event::Directory(input) => self.directory.handle(self.now, input),
            Event::Decline(device, ticket) => {
                self.awake.remove(&ticket);
                self.directory.handle(self.now, Input::Declined(device, ticket));
            }
            Event::Ask(place, message) => self.answer(place, message),
            Event::Invite(invite) => self.invite(*invite),
            Event::Nothing => {}
        }
    }

    fn outputs(&mut self) {
        let mut deciding = 0;
        while let Some(output) = self.directory.poll_output() {
            match output {
                Output::ToExchange(exchange, message) => {
                    let place = self.places[&exchange];
                    if !self.sites[place].connected {
                        self.outcome.add("messages lost");
                        continue;
                    }
                    match message {
                        Message::Ask { .. } => {
                            self.schedule(Duration::from_millis(9), Event::Ask(place, message));
                        }
                        message => self.told(false, message),
                    }
                }
                Output::ToDevice(_, message) => self.told(true, message),
                Output::Push { device, push: Push::Wake(notice), .. } => {
                    self.outcome.add("devices woken");
                    let Some(call) = self.calls.get(&(false, deciding)).cloned() else { continue };
                    let Origin::Exchange(asking) = &call.request.origin else { continue };
                    let place = self.places[asking];
                    self.present(&call, place, &notice.ticket, key_of(&device));
                    self.woken(&call, asking.clone(), device, notice.ticket.id);
                }
                Output::Push { device, push: Push::Withdrawn { ticket, .. }, .. } => {
                    if self.awake.remove(&ticket).as_ref() != Some(&device) {
                        self.broken = Some(format!("{device} is told of a ticket that it has not: {ticket}"));
                    }
                    self.outcome.add("devices that may sleep on");
                }
                Output::Decided(request, _) => deciding = request.id.0,
                Output::Complained(..) | Output::Changed(_) => {}
            }
        }
    }

    /// A device was woken: some decline, some callers give up, and who has declined is told of nothing any more.
    fn woken(&mut self, call: &Call, asking: ExchangeName, device: DeviceId, ticket: TicketId) {
        self.awake.insert(ticket, device.clone());
        let id = call.request.id;
        match self.dice.within(0..10) {
            0 => {
                let wait = self.dice.millis(1..2_000);
                self.schedule(wait, Event::Decline(device, ticket));
            }
            1 => {
                let wait = self.dice.millis(1..40_000);
                let input = Input::Cancelled(Origin::Exchange(asking), id);
                self.schedule(wait, Event::Directory(input));
            }
            _ => {}
        }
    }

    /// C12: the exchange accepts most, refuses some.
    fn answer(&mut self, place: usize, message: Message) {
        let Message::Ask { id, caller, callee, session, cnf, .. } = message else { return };
        let said = match self.dice.within(0..10) {
            0 => Said::Refused("do not disturb".into()),
            1 => Said::Waiting(1),
            _ => {
                let mut jti = [0; 16];
                jti.copy_from_slice(&self.dice.seed()[..16]);
                let claims = Claims {
                    iss: "".into(),
                    aud: self.sites[place].name.clone(),
                    jti: TicketId(jti),
                    iat: Wall(0),
                    exp: Wall(0),
                    orig: caller.clone(),
                    dest: callee,
                    sid: session,
                    cnf,
                };
                Said::Accepted(self.sites[place].issue(self.now.wall, claims))
            }
        };
        let exchange = self.sites[place].name.clone();
        self.tell_directory(place, Input::Said { exchange, caller, id, said });
    }

    fn told(&mut self, by_cloud: bool, message: Message) {
        match message {
            Message::Designated { id, exchange, fingerprint, ticket, .. } => {
                let Some(call) = self.calls.get(&(by_cloud, id.0)).cloned() else { return };
                let place = self.places[&exchange];
                if fingerprint != self.sites[place].fingerprint {
                    self.broken = Some(format!("{exchange} was told with another's certificate"));
                }
                self.outcome.add(if by_cloud { "calls by C1" } else { "calls by C2" });
                let cnf = call.request.cnf;
                self.present(&call, place, &ticket, cnf);
            }
            Message::Yours { .. } => self.outcome.add("calls within an exchange"),
            Message::Woken { .. } => self.outcome.add("calls by C3"),
            Message::Refused { .. } => self.outcome.add("calls refused"),
            Message::Place { .. } => self.outcome.add("callers who wait"),
            // No number is called by itself here.
            Message::Ask { .. }
            | Message::Withdrawn { .. }
            | Message::Declined { .. }
            | Message::Claimed { .. }
            | Message::Released { .. }
            | Message::Free { .. }
            | Message::WhenFree { .. }
            | Message::Kept { .. } => {}
        }
    }

    /// The holder of a ticket goes where it was told to, or somebody does something else with it.
    fn present(&mut self, call: &Call, place: usize, ticket: &Ticket, cnf: Confirmation) {
        let wait = self.dice.millis(1..2_000);
        let (session, dest) = (call.request.session, call.request.callee.clone());
        let elsewhere = (place + 1) % self.sites.len();
        let mut come = |wait, place, session, cnf, may, must| {
            let (ticket, dest) = (ticket.clone(), dest.clone());
            let invite = Invite { place, ticket, session, cnf, dest, may, must };
            self.schedule(wait, Event::Invite(Box::new(invite)));
        };
        match call.theft {
            Theft::None => come(wait, place, session, cnf, true, true),
            Theft::Replayed => {
                for again in 0..3 {
                    come(wait + Duration::from_millis(again * 7), place, session, cnf, true, false);
                }
            }
            Theft::Elsewhere => come(wait, elsewhere, session, cnf, false, false),
            Theft::Stolen => come(wait, place, session, stolen_by(cnf), false, false),
            Theft::OtherSession => come(wait, place, SessionHalf([1; 16]), cnf, false, false),
            Theft::Late => come(Duration::from_secs(36), place, session, cnf, false, false),
        }
    }

    fn invite(&mut self, invite: Invite) {
        let Invite { place, ticket, session, cnf, dest, may, must } = invite;
        let (wall, site) = (self.now.wall, &mut self.sites[place]);
        let (is_right, young) = (site.is_right(), wall.0 - site.started.0 < 10_000);
        match site.arrives(wall, &ticket, session, cnf, &dest) {
            Ok(checked) => {
                if !may && is_right {
                    self.broken =
                        Some(format!("exchange-{place} let in who may not: {:?}", checked.claims()));
                }
                if !self.redeemed.insert(checked.claims().jti) {
                    self.broken = Some(format!("ticket {} was used twice", checked.claims().jti));
                }
                if checked.claims().cnf != cnf || checked.claims().aud != self.sites[place].name {
                    self.broken = Some(format!("exchange-{place} let a stranger in: {:?}", checked.claims()));
                }
                self.outcome.add("tickets redeemed");
            }
            Err(TicketRefusal::BeforeOurStart | TicketRefusal::Full) => {
                self.outcome.add("tickets older than a start");
            }
            Err(why) => {
                if must && is_right && !young {
                    self.broken = Some(format!("exchange-{place} refused a good ticket: {why}"));
                }
                self.outcome.add("tickets refused");
            }
        }
    }

    pub(super) fn broken(&mut self) -> Option<String> {
        self.broken.take()
    }

    pub(super) fn outcome(self) -> Outcome {
        self.outcome
    }
}
