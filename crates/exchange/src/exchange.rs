//! The office as one value: `handle(now, input)`, then drain [`Exchange::next_output`], then wait until
//! [`Exchange::next_deadline`]. The same value runs in the server and in the simulator.

use crate::agents::{AgentPolicy, Agents};
use crate::background::{Background, BackgroundPolicy, Keeping};
use crate::backlog::Backlog;
use crate::badges::{BadgePolicy, Badges, InHand, Redeemed};
use crate::change::{Change, Commit, Epoch, Owned, Shard, StoreAnswer};
use crate::cluster::{self, Cluster};
use crate::codes::Codes;
use crate::command::{Answer, BadRow};
use crate::dialogue::{Line, Services};
use crate::emergency::{CallBacks, EmergencyPlan};
use crate::events::Listening;
use crate::guesses::Guesses;
use crate::input::{CommandId, Input, Output, Reason};
use crate::journal::Journal;
use crate::jump::Lead;
use crate::ladder::Ladder;
use crate::limits;
use crate::lists::{Asker, ListAnswer, ListAsking, ListPolicy, Lists};
use crate::notices::Notices;
use crate::numbering::Numbering;
use crate::ongoing::OngoingCalls;
use crate::overload::Load;
use crate::park::Parked;
use crate::people::{People, PeopleChange};
use crate::permissions::DayCounts;
use crate::pickup::Pickups;
use crate::pin::Pins;
use crate::profiles::Profiles;
use crate::queues::Queues;
use crate::registrar::Registrar;
use crate::rehome::rehome;
use crate::seats::{SeatPolicy, Seats, Taken};
use crate::sites::{Membership, Sites};
use crate::sources::Sources;
use crate::texts::Texts;
use crate::trunks::Trunks;
use crate::wake_up::Sleepers;
use crate::watching::Watchers;
use crate::web_phones::WebPhones;
use calls::{CallEvent, Switch};
use clock::{Mono, Now};
use sip::ServerKey;
use sip::digest::{ChallengePolicy, Verifier};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What the office needs to know beside its people.
#[derive(Clone, Debug)]
pub struct Config {
    /// The digest realm; fixed at first start, because the stored secrets depend on it (R10).
    pub realm: Box<str>,
    /// The host of From and To; `None` writes the address at which the phone reaches us, so that it can call back.
    pub domain: Option<Box<str>>,
    /// Whether there is a broker by which phones that sleep are woken (RFC 8599).
    pub wakes: bool,
    /// The number that talks back, if any.
    pub echo_number: Option<Box<str>>,
    /// The feature codes.
    pub codes: Codes,
    /// How long a call rings.
    pub ring_limit: Duration,
    /// How long the devices of somebody ring who forwards calls that nobody answers.
    pub no_answer_limit: Duration,
    /// How long a call to the outside may ring.
    pub outside_limit: Duration,
    /// The numbers at which talks wait that were parked.
    pub park: Vec<Box<str>>,
    /// How long a talk waits there, before it rings again.
    pub park_limit: Duration,
    /// Who may sit where, and for how long.
    pub seats: SeatPolicy,
    /// How numbers are dialled.
    pub numbering: Numbering,
    /// Emergency numbers and where they go.
    pub emergency: EmergencyPlan,
    /// Which badges open anything, and when the PIN is asked for as well.
    pub badges: BadgePolicy,
    /// How the exchange keeps calling somebody.
    pub background: BackgroundPolicy,
    /// What holds for agents.
    pub agents: AgentPolicy,
    /// What holds for call lists.
    pub lists: ListPolicy,
    /// The outside telephone platforms at which people may work, each with how often it is asked.
    pub platforms: Vec<(Box<str>, Duration)>,
    /// What this exchange is to the directory of its office, if it joined one.
    pub membership: Option<Membership>,
    /// What this exchange is to others over the same store, if it has one with others.
    pub cluster: Option<cluster::Place>,
    /// The exchanges whose people may pick up what rings here.
    pub pickup_from: Vec<directory::ExchangeName>,
    /// Which digest algorithms are asked for (R10).
    pub challenge: ChallengePolicy,
    /// The addresses that we listen on; contacts there are refused (R12). Of streams any transport will do.
    pub own_addresses: Vec<(sip::Transport, std::net::SocketAddr)>,
}

impl Config {
    /// What an exchange does when nothing is set but its realm and where it listens, by UDP.
    #[must_use]
    pub fn new(realm: &str, listens: Vec<std::net::SocketAddr>) -> Config {
        Config {
            realm: realm.into(),
            domain: None,
            echo_number: Some("600".into()),
            codes: Codes::default(),
            ring_limit: Duration::from_secs(60),
            no_answer_limit: Duration::from_secs(20),
            outside_limit: Duration::from_secs(120),
            park: (701..=709).map(|number: u16| number.to_string().into()).collect(),
            park_limit: limits::PARKED,
            seats: SeatPolicy::default(),
            numbering: Numbering::default(),
            emergency: EmergencyPlan::default(),
            badges: BadgePolicy::default(),
            background: BackgroundPolicy::default(),
            agents: AgentPolicy::default(),
            lists: ListPolicy::default(),
            platforms: Vec::new(),
            membership: None,
            wakes: false,
            cluster: None,
            pickup_from: Vec::new(),
            challenge: ChallengePolicy::Md5,
            own_addresses: listens.into_iter().map(|at| (sip::Transport::Udp, at)).collect(),
        }
    }
}

/// What waits for the store.
#[derive(Debug)]
pub(crate) enum Promise {
    /// The answer to a command; the changes are applied when they are kept.
    Change { id: CommandId, taken: Option<usize>, bad: Vec<BadRow> },
    /// The answer to somebody who identified at a phone; the seat is live already.
    Taken { id: CommandId, taken: Taken },
    /// The 200 to a REGISTER; the bindings are live already.
    Registration { server: ServerKey, device: Box<str> },
    /// The spoken yes to a feature code; the changes are applied when they are kept.
    Spoken { call: calls::CallId, said: Vec<Line> },
    /// What was made, and is told when it is kept.
    Made { id: CommandId, answer: Box<Answer> },
    /// A tap of a secure badge: it counts when it could not be told again after a kill (R21).
    Tap(Box<InHand>),
    /// The answer to a tap that began or ended a seat.
    Tapped(Box<Redeemed>),
    /// Rows of background calls, by the machine's own number of them.
    Tasks(u64),
    /// Something of call lists; it is in force when it is kept.
    Lists { by: Asker, answer: Box<ListAnswer> },
    /// Nobody waits.
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) promise: Promise,
    pub(crate) changes: Arc<[Owned]>,
}

/// The office.
#[derive(Debug)]
pub struct Exchange {
    pub(crate) config: Config,
    pub(crate) people: People,
    pub(crate) registrar: Registrar,
    pub(crate) switch: Switch,
    pub(crate) verifier: Verifier,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) ladder: Ladder,
    pub(crate) store_ready: bool,
    pub(crate) ongoing: OngoingCalls,
    pub(crate) watchers: Watchers,
    pub(crate) texts: Texts,
    pub(crate) backlog: Backlog,
    pub(crate) services: Services,
    pub(crate) journal: Journal,
    pub(crate) draining: bool,
    pub(crate) lead: Lead,
    pub(crate) trunks: Trunks,
    pub(crate) day_counts: DayCounts,
    pub(crate) call_backs: CallBacks,
    pub(crate) sources: Sources,
    pub(crate) guesses: Guesses,
    pub(crate) pins: Pins,
    pub(crate) load: Load,
    pub(crate) listening: Listening,
    pub(crate) web_phones: WebPhones,
    pub(crate) badges: Badges,
    pub(crate) seats: Seats,
    pub(crate) parked: Parked,
    pub(crate) pickups: Pickups,
    pub(crate) background: Background,
    pub(crate) notices: Notices,
    pub(crate) agents: Agents,
    pub(crate) queues: Queues,
    pub(crate) profiles: Profiles,
    pub(crate) lists: Lists,
    pub(crate) sites: Sites,
    pub(crate) sleepers: Sleepers,
    pub(crate) cluster: Cluster,
    pending: BTreeMap<u64, Pending>,
    /// Changes that nobody waits for, until the shell has carried out everything else: one commit for all of them.
    gathered: Vec<Owned>,
    sequence: u64,
    epoch: Epoch,
}

/// What the store had at the start.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Directory data and bindings, as changes in an order that can be applied.
    pub changes: Vec<Change>,
    /// The sequence number of the last commit.
    pub sequence: u64,
}

impl Exchange {
    /// An office with what the store had. Everything random follows from `seed`.
    #[must_use]
    pub fn new(now: Now, config: Config, seed: [u8; 32], snapshot: Snapshot) -> Exchange {
        let (calls_seed, verifier_seed, tasks_seed) = split(seed);
        let config_place = config.cluster;
        let (keeping, changes) = tasks_of(snapshot.changes);
        let emergency = config.emergency.numbers.clone();
        let background = Background::new(now, &config.background, emergency, tasks_seed, keeping);
        let mut exchange = Exchange {
            people: People::default(),
            registrar: Registrar::default(),
            switch: Switch::new(calls_seed),
            verifier: Verifier::new(&config.realm, config.challenge, verifier_seed),
            outputs: VecDeque::new(),
            ladder: Ladder::default(),
            store_ready: true,
            ongoing: OngoingCalls::told_to_others(config.cluster.is_some()),
            watchers: Watchers::default(),
            texts: Texts::default(),
            backlog: Backlog::default(),
            services: Services::default(),
            journal: Journal::default(),
            draining: false,
            lead: Lead::default(),
            trunks: Trunks::default(),
            day_counts: DayCounts::default(),
            call_backs: CallBacks::default(),
            sources: Sources::default(),
            guesses: Guesses::default(),
            pins: Pins::default(),
            load: Load::default(),
            listening: Listening::default(),
            web_phones: WebPhones::default(),
            badges: Badges::default(),
            seats: Seats::default(),
            parked: Parked::default(),
            pickups: Pickups::default(),
            background,
            notices: Notices::default(),
            agents: Agents::default(),
            queues: Queues::default(),
            profiles: Profiles::default(),
            lists: Lists::default(),
            sites: Sites::new(now, config.membership.clone(), Cluster::new(config.cluster).tie()),
            sleepers: Sleepers::default(),
            cluster: Cluster::new(config.cluster),
            pending: BTreeMap::new(),
            gathered: Vec::new(),
            sequence: snapshot.sequence,
            epoch: Epoch(1),
            config,
        };
        if let Some(place) = config_place {
            exchange.switch.endpoint().be_one_of_several(place.number);
            exchange.epoch = Epoch(0);
        }
        changes.into_iter().for_each(|change| exchange.restore(now, change));
        exchange.restore_callbacks(now);
        exchange.restore_desks();
        exchange.lists.touched.clear();
        exchange
    }

    /// The term of whoever owns the office: changes of an earlier one are fenced (R19).
    #[must_use]
    pub fn in_epoch(mut self, epoch: Epoch) -> Exchange {
        debug_assert!(self.pending.is_empty() && self.gathered.is_empty(), "nothing has left in another");
        self.epoch = epoch;
        self
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(crate) fn set_epoch(&mut self, epoch: Epoch) {
        self.epoch = epoch;
    }

    /// Something that the store had.
    pub(crate) fn restore(&mut self, now: Now, change: Change) {
        match change {
            Change::People(change) => {
                self.people.apply(&change);
                self.trunks.people_changed(now, &change);
            }
            Change::Bindings { device, bindings } => {
                let bindings = rehome(&self.config.own_addresses, bindings);
                self.sleeps_since_before(now, &device, &bindings);
                self.registrar.restore(now, &device, bindings);
            }
            Change::BindingsElsewhere { device, bindings } => {
                self.registrar.merge(now, &device, bindings, &self.cluster);
            }
            Change::TapCounter { issue, heard, bound, .. } => {
                self.badges.counters.restore(issue, heard, bound);
            }
            Change::Seat { device, seat: Some(seat) } => {
                let people = &self.people;
                if people.device(&device).is_some() && people.account(&seat.account).is_some() {
                    self.seats.put(now, &device, seat);
                }
            }
            Change::Agent { account, kept: Some(kept) } => self.restore_agent(now, &account, *kept),
            Change::List(change) => self.lists.apply(now.mono, &change),
            Change::Seat { seat: None, .. }
            | Change::Agent { kept: None, .. }
            | Change::Record(_)
            | Change::Fact(_)
            | Change::OpenCall(_)
            | Change::Tap(_)
            | Change::Task(_)
            | Change::Message(_)
            | Change::ForgetTaps { .. } => {}
        }
    }

    /// Takes at once the memory that it needs in the long run, so that a server's memory is flat from its start.
    #[must_use]
    pub fn warmed_up(mut self) -> Exchange {
        self.ladder.warm_up();
        self
    }

    /// Takes one input. Never blocks, never reads a clock.
    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        self.ladder.set_time(now.wall);
        self.look_at_clocks(now);
        if self.cluster.look_at_clock(now.mono) {
            self.rest_once(now);
        }
        match input {
            Input::Datagram { flow, bytes } => self.datagram(now, flow, bytes),
            Input::Message { flow, bytes } => self.message(now, flow, bytes),
            Input::Unframed { flow, bytes } => self.unframed(now, flow, bytes),
            Input::FlowOpened { flow, origin } => self.web_phones.flow_opened(flow, origin),
            Input::FlowClosed(flow) => {
                self.web_phones.flow_closed(flow);
                self.flow_closed(now, flow);
                self.trunk_flow_closed(now, flow);
                self.site_flow_closed(flow);
            }
            Input::Reached { trunk, flows, lives, why } => self.reached(now, &trunk, flows, lives, &why),
            Input::Timeout => {
                self.switch.handle_timeout(now);
                self.expire_registrations(now);
                self.expire_watchers(now);
                self.expire_dialogues(now);
                self.expire_seats(now);
                self.retry_store(now);
                self.trunks_due(now);
                self.queues_due(now);
                self.news_due(now);
                if self.cluster.keeps() {
                    self.background_due(now);
                    self.agents_due(now);
                    self.desks_due(now);
                }
                self.sites_due(now);
                self.sleepers_due(now);
            }
            Input::Stored { sequence, answer } => self.stored(now, sequence, answer),
            Input::PinVerified { check, right } => self.pin_verified(now, check, right),
            Input::Media(event) => self.media_event(now, &event),
            Input::Ports(leases) => self.switch.ports().extend(leases),
            Input::Secure { shared, policy } => {
                self.switch.ports().share(shared);
                self.switch.set_media_policy(policy);
            }
            Input::Site(said) => self.site_said(now, *said),
            Input::Cluster(said) => self.cluster_said(now, *said),
            Input::Platform { platform, said } => self.platform_said(now, &platform, said),
            Input::Lag(lag) => self.load.lag = lag,
            Input::Command { id, command } => match self.is_for_keeper(&command) {
                None => self.command(now, id, command),
                Some(answer) => self.answer(id, answer),
            },
        }
        self.settle(now);
    }

    /// The next thing for the shell to do.
    pub fn next_output(&mut self) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        if let Some(transmit) = self.switch.next_transmit() {
            self.ladder.keep(true, transmit.flow, &transmit.bytes);
            return Some(Output::Transmit(transmit));
        }
        if let Some(action) = self.switch.next_action() {
            return Some(Output::Media(action));
        }
        // A connection is closed when all that is for it has left.
        if let Some(flow) = self.web_phones.next_to_close() {
            return Some(Output::CloseFlow(flow));
        }
        self.hand_over_gathered();
        self.outputs.pop_front()
    }

    /// When, and why, the office wants an [`Input::Timeout`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Mono, Reason)> {
        let calls = self.switch.next_deadline().map(|when| (when, Reason::Calls));
        let bindings = self.registrar.next_deadline().map(|when| (when, Reason::Registrations));
        let watchers = self.watchers.next_deadline().map(|when| (when, Reason::Watchers));
        let dialogues = self.services.next_deadline().map(|when| (when, Reason::Dialogues));
        let store = self.backlog.next_deadline().map(|when| (when, Reason::Store));
        let trunks = self.trunks.next_deadline().map(|when| (when, Reason::Trunks));
        let events = self.listening.next_deadline().map(|when| (when, Reason::Events));
        let seats = self.seats.next_deadline().map(|when| (when, Reason::Seats));
        // What another keeps has no time here.
        let kept = |when: Option<Mono>| when.filter(|_| self.cluster.keeps());
        let tasks = self.background.dialing.next_deadline().map(|(when, _)| when);
        let tasks = kept(tasks).map(|when| (when, Reason::Tasks));
        let agents = kept(self.agents.next_deadline()).map(|when| (when, Reason::Agents));
        let queues = self.queues.next_deadline().map(|when| (when, Reason::Queues));
        let sites = self.sites.next_deadline().map(|when| (when, Reason::Sites));
        let sleepers = self.sleepers.next_deadline().map(|when| (when, Reason::Sleepers));
        let desks = kept(self.lists.desks.next_deadline()).map(|when| (when, Reason::Desks));
        // Others are told of calls, or what must happen once may be another's soon.
        let cluster = self.cluster.next_deadline().map(|when| (when, Reason::Cluster));
        let all = [
            sites, calls, bindings, watchers, dialogues, store, trunks, events, seats, tasks, agents, queues,
            desks, cluster, sleepers,
        ];
        all.into_iter().flatten().min_by_key(|(when, _)| *when)
    }

    /// Whether anything waits that has a cause: a call, a watcher, the store. Registrations end by themselves, and trunks
    /// are asked for ever.
    #[must_use]
    pub fn waits(&self) -> bool {
        let (calls, watchers) = (self.switch.next_deadline(), self.watchers.next_deadline());
        [calls, watchers, self.services.next_deadline(), self.backlog.next_deadline()]
            .iter()
            .any(Option::is_some)
    }

    /// Whether nothing is under way: no leg, no promise, nothing that the store does not have.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let stored = self.pending.is_empty() && self.gathered.is_empty() && self.backlog.is_empty();
        self.switch.load() == (0, 0) && stored
    }

    /// How many commits wait for the store's answer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// The people, for checkers and lists.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.people
    }

    /// The switch, for checkers.
    #[must_use]
    pub fn switch(&self) -> &Switch {
        &self.switch
    }

    /// Lets policy answer everything that the calls below have to say.
    pub(crate) fn settle(&mut self, now: Now) {
        loop {
            self.take_call_events(now);
            let mut more = self.carry_background(now);
            more |= self.agents_follow(now);
            more |= self.carry_platforms(now);
            more |= self.queues_serve(now);
            self.lists_follow_agents(now);
            // Queues had their agents before.
            more |= self.desks_serve(now);
            if !more {
                break;
            }
        }
        self.tell_desks(now);
        self.tell_events(now);
        self.gather_news(now);
        self.tell_web_phones(now);
    }

    fn take_call_events(&mut self, now: Now) {
        while let Some(event) = self.switch.next_event() {
            match event {
                CallEvent::Referred { call, leg, target } => self.referred(now, call, leg, &target),
                CallEvent::Moved { call } => {
                    self.services.end(call);
                    self.call_moved(now, call);
                }
                CallEvent::NotMoved { call, cause } => self.call_not_taken(now, call, cause.status()),
                CallEvent::Taken { call, .. } => self.call_taken(now, call),
                CallEvent::NotTaken { call, status } => self.call_not_taken(now, call, status),
                CallEvent::Reached { call } => self.background_reached(now, call),
                CallEvent::Rings { call, leg } => self.phone_rings(now, call, leg),
                CallEvent::Answered { call } => {
                    self.pickups.forget(call);
                    self.seats.answered(call);
                    self.queue_answered(now, call);
                    self.call_answered(now, call);
                    self.journal_answer(now, call);
                    self.background_answered(now, call);
                    self.background_talks(now, call);
                }
                CallEvent::Exhausted { call, cause, status, why } => {
                    if !self.background_exhausted(now, call, status, why) {
                        self.nobody_answered(now, call, cause, status);
                    }
                }
                CallEvent::Ended(mut record) => {
                    self.queue_call_ended(now, &mut record);
                    self.services.end(record.call);
                    self.note_missed(now, &record);
                    self.unpark(now, record.call);
                    self.pickups.forget(record.call);
                    self.end_notices(now, &record);
                    self.note_sound(now, &record);
                    self.tell_end(now, &record);
                    self.note_end_for_others(&record);
                    self.count_unanswered(now, &record);
                    self.note_missed_from_elsewhere(&record);
                    self.background_call_ended(now, &record);
                    self.call_ended(now, record.call);
                    self.journal_end(record.call);
                    self.commit(now, vec![Change::Record(record)], Promise::Nothing);
                }
                CallEvent::Silent { flow } => self.registrar.silence.note(flow),
                CallEvent::Digit { call, digit, .. } => self.key_pressed(now, call, digit),
                CallEvent::SoundEnded { call } => self.sound_ended(now, call),
                CallEvent::Changed { call } => {
                    self.ongoing.touch(call);
                    self.queue_looks(now, call);
                }
                CallEvent::LegLost { .. } => {}
            }
        }
        while let Some(owner) = self.switch.next_failure() {
            self.above_answered(now, owner, None);
        }
    }

    /// Hands changes to the store; what was promised for them is kept when they are.
    pub(crate) fn commit(&mut self, now: Now, changes: Vec<Change>, promise: Promise) {
        if self.pending.len() >= limits::PENDING_COMMITS || !self.store_ready {
            if matches!(promise, Promise::Nothing) {
                return self.store_later(now, changes);
            }
            let why = if self.store_ready {
                "too many changes wait for the store"
            } else {
                "the store is not available"
            };
            return self.break_promise(now, promise, why);
        }
        let epoch = self.epoch;
        let owned = |change| Owned { shard: Shard::of(&subject(&change)), epoch, change };
        let owned = changes.into_iter().map(owned);
        if matches!(promise, Promise::Nothing) {
            self.gathered.extend(owned);
            if self.gathered.len() >= limits::GATHERED {
                self.hand_over_gathered();
            }
            return;
        }
        // In the order in which they were made: what was gathered may be about the same device.
        self.hand_over_gathered();
        let changes = owned.collect();
        self.hand_over(changes, promise);
    }

    /// Makes one commit of the changes that nobody waits for.
    fn hand_over_gathered(&mut self) {
        if !self.gathered.is_empty() {
            let changes = self.gathered.drain(..).collect();
            self.hand_over(changes, Promise::Nothing);
        }
    }

    fn hand_over(&mut self, changes: Arc<[Owned]>, promise: Promise) {
        self.sequence += 1;
        let urgent = !matches!(promise, Promise::Nothing);
        let position = self.cluster.position();
        let commit = Commit { sequence: self.sequence, urgent, position, changes: Arc::clone(&changes) };
        self.outputs.push_back(Output::Commit(commit));
        self.pending.insert(self.sequence, Pending { promise, changes });
    }

    fn stored(&mut self, now: Now, sequence: u64, answer: StoreAnswer) {
        let Some(pending) = self.pending.remove(&sequence) else { return };
        self.counters_stored(&pending.changes, answer == StoreAnswer::Committed);
        match answer {
            StoreAnswer::Committed => {
                self.registrar.committed(sequence, &pending.changes);
                self.tell_kept(now, &pending.changes);
                self.keep_promise(now, pending);
                self.store_backlog(now);
            }
            StoreAnswer::Unavailable { why } => {
                self.store_ready = false;
                // What belongs to tasks is handed over again by their machine; of lists nothing has happened.
                let changes = match pending.promise {
                    Promise::Tasks(_) | Promise::Lists { .. } => Vec::new(),
                    _ => pending.changes.iter().map(|owned| owned.change.clone()).collect(),
                };
                self.break_promise(now, pending.promise, &why);
                self.store_later(now, changes);
            }
            StoreAnswer::Conflict { why } => match pending.promise {
                Promise::Change { id, .. } | Promise::Made { id, .. } => {
                    self.answer(id, Answer::Crossed(why));
                }
                promise => self.break_promise(now, promise, &why),
            },
            StoreAnswer::Fenced { shard } => {
                let why = format!("shard {} belongs to another exchange now", shard.0);
                if matches!(pending.promise, Promise::Nothing) {
                    // R19: what was gathered with it and is of other shards is still ours to store.
                    self.gathered
                        .extend(pending.changes.iter().filter(|owned| owned.shard != shard).cloned());
                }
                self.break_promise(now, pending.promise, &why);
            }
        }
    }

    fn keep_promise(&mut self, now: Now, pending: Pending) {
        match pending.promise {
            Promise::Change { id, taken, bad } => {
                self.apply(now, &pending.changes);
                let answer = match taken {
                    Some(taken) => Answer::Imported { taken, bad },
                    None => Answer::Done,
                };
                self.answer(id, answer);
            }
            Promise::Made { id, answer } => {
                self.apply(now, &pending.changes);
                self.answer(id, *answer);
            }
            Promise::Tap(tap) => self.tap_kept(now, *tap),
            Promise::Tapped(redeemed) => self.tap_redeemed(now, *redeemed),
            Promise::Tasks(sequence) => {
                self.rows_kept(now, &pending.changes);
                self.tasks_stored(now, sequence, true);
            }
            Promise::Lists { by, answer } => {
                self.apply(now, &pending.changes);
                self.lists_kept(now, by, *answer);
            }
            Promise::Registration { server, device } => self.confirm_registration(now, server, &device),
            Promise::Spoken { call, said } => {
                self.apply(now, &pending.changes);
                self.say_done(now, call, said);
            }
            Promise::Taken { id, taken } => self.answer(id, Answer::Taken(taken)),
            Promise::Nothing => {}
        }
    }

    /// Directory data is in force once it is kept.
    pub(crate) fn apply(&mut self, now: Now, changes: &[Owned]) {
        for owned in changes {
            if let Change::List(change) = &owned.change {
                self.apply_list(now, change);
            }
            if let Change::People(change) = &owned.change {
                self.tell_people(now, change);
                if let PeopleChange::RemoveAccount { name } = change {
                    self.end_web_phones_of(now, name);
                    if self.cluster.keeps() {
                        self.ask_lists(now, None, ListAsking::Revoke(name.clone()));
                    }
                }
                self.badges_changed(change);
                self.agents_lose_phone(change);
                if let PeopleChange::RemoveDevice { name } = change {
                    self.profiles.device_gone(name);
                    self.sleepers.forget(name);
                }
                let before = self.site_owner(change);
                self.people.apply(change);
                self.registrar.people_changed(change);
                self.trunks.people_changed(now, change);
                self.queues_see_people(now, change);
                self.site_people_changed(change, before);
            }
        }
        self.follow_people(now, changes);
    }

    fn break_promise(&mut self, now: Now, promise: Promise, why: &str) {
        match promise {
            Promise::Change { id, .. } | Promise::Made { id, .. } | Promise::Taken { id, .. } => {
                self.answer(id, Answer::Unavailable(why.to_owned()));
            }
            Promise::Tap(tap) => self.tap_not_kept(now, *tap),
            Promise::Tapped(redeemed) => self.seat_not_kept(now, *redeemed),
            Promise::Tasks(sequence) => self.tasks_stored(now, sequence, false),
            Promise::Lists { by, .. } => self.lists_not_kept(now, by, why),
            Promise::Registration { server, .. } => self.refuse_registration(now, server),
            Promise::Spoken { call, .. } => self.say_not_stored(now, call, why),
            Promise::Nothing => {}
        }
    }

    /// The newest of the directory changes that wait for the store and that `pick` is after.
    pub(crate) fn coming<T>(&self, pick: impl Fn(&PeopleChange) -> Option<T>) -> Option<T> {
        let changes = self.pending.values().rev().flat_map(|pending| pending.changes.iter().rev());
        changes
            .filter_map(|owned| match &owned.change {
                Change::People(change) => Some(change),
                _ => None,
            })
            .find_map(pick)
    }

    /// The sequence number of the next commit that somebody waits for.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.sequence + 1 + u64::from(!self.gathered.is_empty())
    }
}

/// The rows of tasks among what the store had, put together, and the rest.
pub(crate) fn tasks_of(changes: Vec<Change>) -> (Keeping, Vec<Change>) {
    let (mut keeping, mut rest) = (Keeping::default(), Vec::new());
    for change in changes {
        match change {
            Change::Task(change) => keeping.keep(*change),
            other => rest.push(other),
        }
    }
    (keeping, rest)
}

/// What a change belongs to.
fn subject(change: &Change) -> Cow<'_, str> {
    Cow::Borrowed(match change {
        Change::People(change) => change.subject(),
        Change::Bindings { device, .. }
        | Change::BindingsElsewhere { device, .. }
        | Change::Seat { device, .. } => device,
        Change::Record(record) => &record.dialled,
        Change::OpenCall(open) => &open.dialled,
        Change::Fact(fact) => &fact.subject,
        Change::TapCounter { account, .. }
        | Change::ForgetTaps { account }
        | Change::Agent { account, .. } => account,
        Change::Tap(tap) => &tap.reader,
        Change::Message(message) => &message.account,
        Change::Task(change) => return Cow::Owned(change.subject()),
        Change::List(change) => return Cow::Owned(change.subject()),
    })
}

/// A seed for each machine, so that none sees another's randomness.
fn split(seed: [u8; 32]) -> ([u8; 32], [u8; 32], u64) {
    use rand_core::{Rng, SeedableRng};
    let mut rng = rand_chacha::ChaCha8Rng::from_seed(seed);
    let (mut calls, mut verifier) = ([0; 32], [0; 32]);
    rng.fill_bytes(&mut calls);
    rng.fill_bytes(&mut verifier);
    (calls, verifier, rng.next_u64())
}
