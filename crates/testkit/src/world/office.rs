//! An exchange in the world: its inputs, its outputs, its store and its ledger of media.

use super::{Happening, World};
use crate::dice::Dice;
use crate::observed::{Observed, OfficeId, Seen};
use calls::{Action, PortLease};
use clock::{Mono, Now};
use exchange::{
    Answer, Change, Command, CommandId, Commit, Config, Event, Exchange, Happened, Input, KeptSignIn, Output,
    Snapshot, StoreAnswer,
};
use media::{Engine, MediaOrder};
use sip::Transmit;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// One exchange.
#[derive(Debug)]
pub struct Office {
    /// The real one.
    pub exchange: Exchange,
    /// Where it listens.
    pub address: SocketAddr,
    /// The store takes nothing until then.
    pub store_away_until: Mono,
    /// When the last commit that was handed over is kept.
    stored_by: Mono,
    /// What the store has for the next start, in the order in which it came.
    pub(super) kept: Vec<Change>,
    /// It died, and no other has begun in its place.
    pub(super) dead: bool,
    /// How often it died.
    pub(super) deaths: u64,
    config: Config,
    /// What the store has of agents; nothing of those who signed out.
    pub agents: BTreeMap<Box<str>, Option<Box<KeptSignIn>>>,
    /// What the records of calls say beside their cause.
    pub details: Vec<Box<str>>,
    /// Answers to commands.
    pub answers: Vec<(CommandId, Answer)>,
    /// What was told of notices.
    pub notices: Vec<Event>,
    /// All orders, the last of each leg.
    pub orders: BTreeMap<media::LegKey, (PortLease, MediaOrder)>,
    /// Phones send no sound.
    pub mute: bool,
    /// A real engine, when a story wants one.
    pub engine: Option<Engine>,
    wake: Option<Mono>,
    next_command: u64,
}

/// An office's configuration, as most stories want it.
#[must_use]
pub fn office_config(address: SocketAddr) -> Config {
    Config::new("office", vec![address])
}

impl World {
    /// Adds an exchange with what its store had.
    pub fn add_office(&mut self, address: SocketAddr, config: Config, snapshot: Snapshot) -> OfficeId {
        let id = self.offices.len();
        for change in &snapshot.changes {
            self.found(id, change);
        }
        let seed = Dice::new(self.seed(), 100 + id as u64).seed();
        let kept = snapshot.changes.clone();
        let exchange = Exchange::new(self.now, config.clone(), seed, snapshot);
        self.offices.push(Office {
            exchange,
            address,
            store_away_until: Mono(0),
            stored_by: Mono(0),
            kept,
            dead: false,
            deaths: 0,
            config,
            agents: BTreeMap::new(),
            details: Vec::new(),
            answers: Vec::new(),
            notices: Vec::new(),
            orders: BTreeMap::new(),
            mute: false,
            engine: None,
            wake: None,
            next_command: 0,
        });
        self.open_doors(id);
        id
    }

    /// Another exchange begins in the place of one that died, with what the store has.
    pub(super) fn begin_anew(&mut self, id: OfficeId) {
        let office = &mut self.offices[id];
        (office.dead, office.wake, office.stored_by) = (false, None, Mono(0));
        let (changes, config) = (office.kept.clone(), office.config.clone());
        let seed = Dice::new(self.seed, 100 + id as u64 + 1_000 * office.deaths).seed();
        for change in changes.iter().filter(|change| !matches!(change, Change::Task(_))) {
            self.found(id, change);
        }
        let snapshot = Snapshot { changes, sequence: 0 };
        self.offices[id].exchange = Exchange::new(self.now, config, seed, snapshot);
        self.open_doors(id);
    }

    /// Something that the store has when an exchange begins.
    fn found(&mut self, office: OfficeId, change: &Change) {
        match change.clone() {
            Change::People(change) => self.see(&Observed::KeptPeople { office, change }),
            Change::Bindings { device, bindings } => {
                self.see(&Observed::KeptBindings { office, device, bindings });
            }
            Change::Seat { device, seat } => self.see(&Observed::KeptSeat { office, device, seat }),
            Change::Task(change) => self.see(&Observed::KeptTask { office, change }),
            // Badges have their own tests in the exchange.
            Change::TapCounter { .. } | Change::Tap(_) | Change::ForgetTaps { .. } => {}
            Change::Message(_) | Change::Agent { .. } | Change::List(_) => {}
            Change::Record(_) | Change::Fact(_) | Change::OpenCall(_) => {}
            Change::BindingsElsewhere { .. } => unreachable!("the simulated exchanges have a store each"),
        }
    }

    fn open_doors(&mut self, id: OfficeId) {
        let address = self.offices[id].address;
        self.offices[id].exchange.listen(self.now, true);
        let lease = |index| PortLease { address: address.ip(), port: 10_000 + 2 * index, worker: index % 2 };
        self.feed(id, Input::Ports((0..self.ports).map(lease).collect()));
        // The simulated phones speak in clear, also under TLS: each is asked once more (R14).
        let policy = calls::MediaPolicy { clear_fallback: true, ..calls::MediaPolicy::default() };
        self.feed(id, Input::Secure { shared: Vec::new(), policy });
    }

    /// Gives an exchange one input and carries out all that follows.
    pub fn feed(&mut self, office: OfficeId, input: Input<'_>) {
        if self.offices[office].dead {
            return;
        }
        if let Input::Datagram { flow, bytes } | Input::Message { flow, bytes } = &input {
            self.trace.bytes(self.now.mono, bytes);
            match Seen::of(office, false, *flow, bytes) {
                Some(seen) => self.see(&Observed::Message(Box::new(seen))),
                None => self.see(&Observed::Noise { office, flow: *flow }),
            }
        }
        if self.offices[office].dead {
            return;
        }
        let now: Now = self.now;
        self.offices[office].exchange.handle(now, input);
        let mut ordered = false;
        while let Some(output) = self.offices[office].exchange.next_output() {
            ordered |= matches!(output, Output::Media(_));
            self.carry_out(office, output);
        }
        if self.offices[office].dead {
            return;
        }
        let talking =
            if ordered && !self.lean { self.offices[office].exchange.switch().talking() } else { Vec::new() };
        self.see(&Observed::Settled { office, talking });
        let exchange = &self.offices[office].exchange;
        let beside = exchange.callers_beside_ready_agents();
        let live = (!self.lean).then(|| (exchange.switch().load().0, exchange.live_calls()));
        let called_back = exchange.agents_of_callbacks();
        self.see(&Observed::Queues { office, beside, called_back });
        if let Some((up, calls)) = live {
            self.see(&Observed::Live { office, up, calls });
        }
        let deadline = self.offices[office].exchange.next_deadline().map(|(when, _)| when.max(now.mono));
        if let Some(when) = deadline
            && self.offices[office].wake.is_none_or(|known| when < known)
        {
            self.offices[office].wake = Some(when);
            self.push(when.since(now.mono), Happening::WakeOffice(office));
        }
    }

    pub(super) fn wake_office(&mut self, office: OfficeId) {
        // A wake that an earlier one overtook is nobody's.
        if self.offices[office].wake != Some(self.now.mono) {
            return;
        }
        self.offices[office].wake = None;
        self.feed(office, Input::Timeout);
    }

    /// Asks an exchange for something, as an administrator does.
    pub fn command(&mut self, office: OfficeId, command: Command) -> CommandId {
        self.offices[office].next_command += 1;
        let id = CommandId(self.offices[office].next_command);
        self.feed(office, Input::Command { id, command });
        id
    }

    fn carry_out(&mut self, office: OfficeId, output: Output) {
        if self.offices[office].dead {
            return self.dies_with(output);
        }
        match output {
            Output::Transmit(Transmit { flow, bytes }) => {
                self.trace.bytes(self.now.mono, &bytes);
                if let Some(seen) = Seen::of(office, true, flow, &bytes) {
                    self.see(&Observed::Message(Box::new(seen)));
                }
                if self.offices[office].dead {
                    return;
                }
                self.send_from_office(office, flow, bytes);
            }
            Output::Media(Action::Media { lease, order }) => {
                let (leg, source) = (order.leg, order.source.clone());
                self.see(&Observed::Order { office, lease, leg, source });
                match &mut self.offices[office].engine {
                    Some(engine) => engine.apply(self.now.mono, (*order).clone()),
                    // Without an engine, a phone that hears somebody is heard a moment later.
                    None if matches!(order.source, media::Source::Leg(_)) && order.send.is_some() => {
                        self.first_packet_soon(office, lease, leg);
                    }
                    None => {}
                }
                self.offices[office].orders.insert(leg, (lease, *order));
            }
            Output::Media(Action::ReleaseMedia { lease, leg }) => {
                self.see(&Observed::Released { office, lease, leg });
                if let Some(engine) = &mut self.offices[office].engine {
                    engine.release(leg);
                }
                self.offices[office].orders.remove(&leg);
            }
            Output::Media(Action::Digit { leg, digit, .. }) => {
                if let Some(engine) = &mut self.offices[office].engine {
                    engine.send_dtmf(leg, digit);
                }
            }
            Output::Reach { trunk, host, port, .. } => self.reach(office, trunk, &host, port),
            Output::Site(output) => self.site_output(office, *output),
            Output::WakeUp(_) => unreachable!("nobody has told the simulated exchanges of a broker"),
            Output::Cluster(_) => unreachable!("the simulated exchanges have a store each"),
            Output::Platform { .. } => unreachable!("the simulated office has no outside platform"),
            Output::VerifyPin { check, hash, pin } => {
                // The hash of a PIN in the simulated world is the PIN.
                let right = hash.is_some_and(|hash| *hash == *pin.reveal());
                let wait = self.dice().millis(20..120);
                self.push(wait, Happening::PinVerified { office, check, right });
            }
            Output::Commit(commit) => self.committed(office, commit),
            Output::Event(event) => {
                if matches!(event.what, Happened::NoticeShown(_) | Happened::NoticeWithdrawn { .. }) {
                    self.offices[office].notices.push((*event).clone());
                }
                self.see(&Observed::Event { office, event });
            }
            Output::CloseFlow(flow) => {
                let number =
                    self.streams.iter().position(|stream| stream.office == office && stream.flow == flow);
                if let Some(number) = number {
                    self.break_stream(number);
                }
            }
            Output::Guessing(_) => {}
            Output::Answer { id, answer } => self.offices[office].answers.push((id, answer)),
        }
    }

    fn reach(&mut self, office: OfficeId, trunk: Box<str>, host: &exchange::Host, port: Option<u16>) {
        let flows = self.flows_to(office, host, port);
        let (lives, why) = (Duration::from_secs(3_600), "no such name".to_owned());
        self.feed(office, Input::Reached { trunk, flows, lives, why });
    }

    /// The simulated world has no names.
    fn flows_to(&self, office: OfficeId, host: &exchange::Host, port: Option<u16>) -> Vec<sip::Flow> {
        match host {
            exchange::Host::Address(ip) => {
                let remote = SocketAddr::new(*ip, port.unwrap_or(5_060));
                vec![sip::Flow::udp(self.offices[office].address, remote)]
            }
            exchange::Host::Name(_) => Vec::new(),
        }
    }

    /// Phones of the simulated world have no sound; that the first of it arrives is all that the exchange waits for.
    fn first_packet_soon(&mut self, office: OfficeId, lease: PortLease, leg: media::LegKey) {
        if self.offices[office].orders.contains_key(&leg) || self.offices[office].mute {
            return;
        }
        let from = SocketAddr::new(lease.address, lease.port);
        let wait = self.dice().millis(20..120);
        let event = media::MediaEvent::FirstPacket { leg, from };
        self.push(wait, Happening::Media { office, event });
    }

    fn committed(&mut self, office: OfficeId, commit: Commit) {
        for owned in commit.changes.iter() {
            match &owned.change {
                Change::Record(record) => {
                    if !record.detail.is_empty() {
                        self.offices[office].details.push(record.detail.clone());
                    }
                    self.see(&Observed::Record { office, record: record.clone() });
                }
                Change::Fact(fact) => self.see(&Observed::Fact { office, fact: fact.clone() }),
                _ => {}
            }
            if self.offices[office].dead {
                return self.dies_with(Output::Commit(commit));
            }
        }
        // One writer: what was handed over first is kept first.
        let wait = self.dice().millis(1..25);
        let due = (self.now.mono + wait).max(self.offices[office].stored_by);
        self.offices[office].stored_by = due;
        self.push(due.since(self.now.mono), Happening::Stored { office, commit });
    }

    /// The store's answer is due.
    pub(super) fn stored(&mut self, office: OfficeId, commit: Commit) {
        let sequence = commit.sequence;
        if self.now.mono < self.offices[office].store_away_until {
            let waiting = self.offices[office].exchange.waiting();
            self.see(&Observed::StoreAway { office, waiting });
            let answer = StoreAnswer::Unavailable { why: "the disk is full".into() };
            return self.feed(office, Input::Stored { sequence, answer });
        }
        self.keep(office, &commit);
        self.feed(office, Input::Stored { sequence, answer: StoreAnswer::Committed });
    }

    /// The store has it, whether or not anybody is told.
    pub(super) fn keep(&mut self, office: OfficeId, commit: &Commit) {
        for owned in commit.changes.iter() {
            let change = owned.change.clone();
            let lasts =
                matches!(change, Change::People(_) | Change::Seat { .. } | Change::Task(_) | Change::List(_));
            if let Change::Bindings { device, .. } = &change {
                let old = |kept: &Change| matches!(kept, Change::Bindings { device: of, .. } if of == device);
                self.offices[office].kept.retain(|kept| !old(kept));
                self.offices[office].kept.push(change.clone());
            } else if let Change::Agent { account, kept } = &change {
                let old =
                    |known: &Change| matches!(known, Change::Agent { account: of, .. } if of == account);
                self.offices[office].kept.retain(|known| !old(known));
                self.offices[office].kept.push(change.clone());
                self.offices[office].agents.insert(account.clone(), kept.clone());
            } else if lasts {
                self.offices[office].kept.push(change.clone());
            }
            match change {
                Change::Record(record) => self.see(&Observed::KeptRecord { office, record }),
                Change::OpenCall(open) => self.see(&Observed::KeptOpenCall { office, open }),
                Change::Message(message) => self.see(&Observed::KeptMessage { office, message }),
                change => self.found(office, &change),
            }
        }
    }
}
