//! The world: a clock, a network, exchanges, phones, and chance; all of it follows from one seed.
//!
//! ```text
//! queue of happenings, ordered by (time, sequence)
//!   datagram, stream bytes ----> exchange or phone ----> what it sends: happenings again
//!   wake of an exchange or phone, answer of the store, an act of the script
//! ```

mod acts;
mod carry;
mod death;
mod office;
mod sites;

pub use acts::Act;
pub use death::Death;
pub use office::{Office, office_config};
pub use sites::{exchange_name, membership};

use crate::check::{Broken, Checker, centre_checkers, every_checker};
use crate::dice::Dice;
use crate::net::{Datagram, Link, Nat, Stream};
use crate::observed::{Left, Observed, OfficeId, PhoneId};
use crate::phone::{Note, Phone, Plan};
use crate::reference::Reference;
use crate::trace::Trace;
use clock::{Mono, Now, Wall};
use directory::{ExchangeName, Fingerprint};
use exchange::{Commit, Exchange, Input, PinCheck, SiteWord};
use sip::{Flow, Transport};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What can happen next.
#[derive(Debug)]
enum Happening {
    Datagram(Datagram),
    Bytes { stream: usize, to_office: bool, bytes: Arc<[u8]> },
    Closed { stream: usize, to_office: bool },
    WakeOffice(OfficeId),
    WakePhone(PhoneId),
    Stored { office: OfficeId, commit: Commit },
    PinVerified { office: OfficeId, check: PinCheck, right: bool },
    Media { office: OfficeId, event: media::MediaEvent },
    Act(Box<Act>),
    ToDirectory { office: OfficeId, word: SiteWord },
    FromDirectory { office: OfficeId, message: Box<directory::Message> },
    Handshake { office: OfficeId, exchange: ExchangeName, address: Box<str>, fingerprint: Fingerprint },
}

/// Everything.
pub struct World {
    /// The time.
    pub now: Now,
    /// The exchanges.
    pub offices: Vec<Office>,
    /// The phones.
    pub phones: Vec<Phone>,
    /// Who said what to whom, as the phones know it.
    pub notes: Vec<(Mono, PhoneId, Note)>,
    /// The way between the exchanges.
    pub trunk: Link,
    /// What happened.
    pub trace: Trace,
    /// The first checker that was broken.
    pub broken: Option<Broken>,
    /// What each call may come to.
    pub reference: Reference,
    /// The directory of its exchanges.
    sites: Option<sites::Sites>,
    /// Ports that an exchange has.
    pub ports: u16,
    /// A large world: lists of all calls are not compared after each event.
    pub lean: bool,
    dice: Dice,
    seed: u64,
    queue: BTreeMap<(Mono, u64), Happening>,
    sequence: u64,
    nats: Vec<Nat>,
    streams: Vec<Stream>,
    by_address: BTreeMap<SocketAddr, PhoneId>,
    wakes: Vec<Option<Mono>>,
    checkers: Vec<Box<dyn Checker>>,
    /// Events that stand in the trace.
    told: u64,
    death: Option<(u64, Death)>,
    /// See [`World::died`].
    died: Option<(String, usize)>,
}

impl World {
    /// An empty world; `whole` keeps the whole trace.
    #[must_use]
    pub fn new(seed: u64, whole: bool) -> World {
        let now = Now { mono: Mono(1_000_000_000), wall: Wall(1_800_000_000_000) };
        World {
            now,
            offices: Vec::new(),
            phones: Vec::new(),
            notes: Vec::new(),
            trunk: Link::cable(),
            trace: Trace::new(whole),
            broken: None,
            reference: Reference::default(),
            sites: None,
            ports: 400,
            lean: false,
            dice: Dice::new(seed, 0),
            seed,
            queue: BTreeMap::new(),
            sequence: 0,
            nats: Vec::new(),
            streams: Vec::new(),
            by_address: BTreeMap::new(),
            wakes: Vec::new(),
            checkers: every_checker(),
            told: 0,
            death: None,
            died: None,
        }
    }

    /// The seed that all of it follows from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Chance, for scripts.
    pub fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// A world of thousands: of the checkers only those that look at agents, and a little of the trace.
    #[must_use]
    pub fn large(seed: u64) -> World {
        World { lean: true, checkers: centre_checkers(), ..World::new(seed, false) }
    }

    /// Adds a NAT box; the number goes into the plans of the phones behind it.
    pub fn add_nat(&mut self, nat: Nat) -> usize {
        self.nats.push(nat);
        self.nats.len() - 1
    }

    /// Adds a phone that has no power yet.
    pub fn add_phone(&mut self, plan: Plan) -> PhoneId {
        let id = self.phones.len();
        let office = self.offices[plan.office].address;
        self.by_address.insert(plan.address, id);
        self.reference.add_phone(id, plan.office, &plan.device);
        let dice = Dice::new(self.seed, 1_000 + id as u64);
        self.phones.push(Phone::new(plan, office, dice));
        self.wakes.push(None);
        id
    }

    /// Something that the script wants, after so long.
    pub fn after(&mut self, wait: Duration, act: Act) {
        self.push(wait, Happening::Act(Box::new(act)));
    }

    /// Runs for a while, or until a checker is broken.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while self.broken.is_none() {
            match self.queue.first_key_value() {
                Some((&(when, _), _)) if when <= end => self.step(),
                _ => break,
            }
        }
        self.advance(end);
    }

    /// Looks at what is left after everybody fell silent, and lets each checker say its last word.
    pub fn end(&mut self) {
        for office in 0..self.offices.len() {
            let left = self.left(office);
            self.see(&Observed::Quiet(left));
        }
        let mut checkers = std::mem::take(&mut self.checkers);
        for checker in &mut checkers {
            let verdict = checker.end();
            self.judge(checker.name(), verdict);
        }
        self.checkers = checkers;
        let verdict = self.reference.end();
        self.judge("the reference office", verdict);
    }

    /// What is left in an exchange.
    fn left(&mut self, office: OfficeId) -> Left {
        let exchange = &mut self.offices[office].exchange;
        let status = exchange.status(self.now);
        let (calls, legs) = exchange.switch().load();
        let (clients, servers) = exchange.switch().transactions();
        Left {
            office,
            calls,
            legs,
            transactions: clients + servers,
            ports: status.ports_total - status.ports_free,
            registered: status.registered - self.reference.lines_of(office),
            promises: !exchange.is_quiet() && legs == 0,
            timers: exchange.waits(),
        }
    }

    /// The notes of one phone.
    pub fn notes_of(&self, phone: PhoneId) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(move |(_, id, _)| *id == phone).map(|(_, _, note)| note)
    }

    /// An exchange.
    #[must_use]
    pub fn exchange(&self, office: OfficeId) -> &Exchange {
        &self.offices[office].exchange
    }

    fn step(&mut self) {
        let Some(((when, _), happening)) = self.queue.pop_first() else { return };
        self.advance(when);
        match happening {
            Happening::Datagram(datagram) => self.deliver(datagram),
            Happening::Bytes { stream, to_office, bytes } => self.deliver_bytes(stream, to_office, &bytes),
            Happening::Closed { stream, to_office } => self.deliver_close(stream, to_office),
            Happening::WakeOffice(office) => self.wake_office(office),
            // A wake that an earlier one overtook is nobody's.
            Happening::WakePhone(phone) if self.wakes[phone] == Some(self.now.mono) => {
                self.wakes[phone] = None;
                self.phones[phone].wake(self.now.mono);
                self.settle_phone(phone);
            }
            Happening::WakePhone(_) => {}
            Happening::Stored { office, commit } => self.stored(office, commit),
            Happening::PinVerified { office, check, right } => {
                self.feed(office, Input::PinVerified { check, right });
            }
            Happening::Media { office, event } => self.feed(office, Input::Media(event)),
            Happening::Act(act) => self.act(*act),
            Happening::ToDirectory { office, word } => self.directory_hears(office, word),
            Happening::FromDirectory { office, message } => self.directory_says(office, *message),
            Happening::Handshake { office, exchange, address, fingerprint } => {
                self.handshake(office, exchange, &address, fingerprint);
            }
        }
    }

    fn advance(&mut self, to: Mono) {
        let passed = to.since(self.now.mono);
        let wall = self.now.wall.0 + (to.0 / 1_000 - self.now.mono.0 / 1_000) as i64;
        self.now = Now { mono: self.now.mono + passed, wall: Wall(wall) };
    }

    fn push(&mut self, wait: Duration, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((self.now.mono + wait, self.sequence), happening);
    }

    /// Sends what a phone has to send, notes what it has to say, and sees that it wakes.
    fn settle_phone(&mut self, phone: PhoneId) {
        while let Some(bytes) = self.phones[phone].next_transmit() {
            self.send_from_phone(phone, bytes);
        }
        while let Some(note) = self.phones[phone].next_note() {
            self.see(&Observed::Phone { phone, words: format!("{note:?}") });
            if !self.lean {
                let verdict = self.reference.hear(self.now.mono, phone, &note);
                self.judge("the reference office", verdict);
            }
            self.notes.push((self.now.mono, phone, note));
        }
        let deadline = self.phones[phone].next_deadline().map(|when| when.max(self.now.mono));
        if let Some(when) = deadline
            && self.wakes[phone].is_none_or(|known| when < known)
        {
            self.wakes[phone] = Some(when);
            self.push(when.since(self.now.mono), Happening::WakePhone(phone));
        }
    }

    /// Shows an event to the trace and to each checker.
    fn see(&mut self, event: &Observed) {
        self.trace.event(self.now.mono, event);
        let mut checkers = std::mem::take(&mut self.checkers);
        for checker in &mut checkers {
            let verdict = checker.see(self.now.mono, event);
            self.judge(checker.name(), verdict);
        }
        self.checkers = checkers;
        if let Observed::Fact { fact, .. } = event
            && *fact.rule == *"task.call"
        {
            self.reference.calls_itself(&fact.subject);
        }
        if let Observed::KeptPeople { office, change } = event {
            self.reference.directory_changed(*office, change);
        }
        self.may_die(event);
    }

    fn judge(&mut self, checker: &'static str, verdict: Result<(), String>) {
        if let Err(words) = verdict
            && self.broken.is_none()
        {
            self.broken = Some(Broken { at: self.now.mono, checker, words });
        }
    }

    /// A phone's path to its exchange as it sees it itself; a stream gets a new connection.
    fn connect(&mut self, phone: PhoneId) -> Flow {
        let plan = &self.phones[phone].plan;
        let (office, inside, nat) = (plan.office, plan.address, plan.nat);
        let to = self.offices[office].address;
        let mut own = Flow { transport: plan.transport, local: inside, remote: to, connection: 0 };
        if plan.transport == Transport::Udp {
            return own;
        }
        own.connection = self.streams.len() as u64 + 1;
        let port = 30_000 + (own.connection % 20_000) as u16;
        let from = match nat {
            Some(nat) => SocketAddr::new(self.nats[nat].public, port),
            None => SocketAddr::new(inside.ip(), port),
        };
        let flow = Flow { local: to, remote: from, ..own };
        self.streams.push(Stream { phone, office, flow, own, open: true, arrived: [self.now.mono; 2] });
        own
    }
}
