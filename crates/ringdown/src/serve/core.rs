//! The core thread: owns the exchange by value, polls the UDP sockets itself, and has a budget for each class of
//! input, so that none starves another (R17).
//!
//! ```text
//! turn: wait -> datagrams (at most a few batches a socket) -> mailbox (at most M) -> timers that are due
//!       after each step: outputs, until there are none; at the end of a turn: one sendmmsg a socket
//! ```

use super::cluster::{Others, Relayed, Told};
use super::figures::Figures;
use super::lag::Lag;
use super::media::Workers;
use super::notices::Waker;
use super::pins::Pins;
use super::platforms::Platforms;
use super::reach::Reacher;
use super::sites::Sites;
use api::rest::EventSink;
use calls::Action;
use clock::Mono;
use directory::Fingerprint;
use exchange::{
    Answer, Command, CommandId, Exchange, Guessing, Input, Output, PinCheck, PlatformInput, SiteInput,
    StoreAnswer,
};
use media::MediaEvent;
use net::{
    AsyncDeliver, Clock, Full, Mailbox, MediaInbox, Poll, ReceiveBatch, Sender, StreamEvent, Streams, Token,
    Udp,
};
use sip::{Flow, Transmit, Transport};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;
use store::{News, Store, failpoint};
use tokio::sync::{oneshot, watch};

/// Batches of 32 datagrams taken from one socket in a turn.
const BATCHES: usize = 4;
/// Values taken from the mailbox in a turn.
const VALUES: usize = 128;
/// When a wake-up follows the last one within this time, the next is put off by as much: one wake-up then brings
/// several messages. At office rates waking costs more than what it is for.
const GATHER: Duration = Duration::from_micros(800);
/// The mailbox's token; sockets have their index.
const MAILBOX: Token = Token::MAX;
/// How often we look whether the emergencies have ended that a drain's limit does not cut (R31).
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long another has to register at trunks in our place when we stop (R25).
const HEIRS: Duration = Duration::from_secs(6);
/// How long running calls and promises have to end when we stop.
const FAREWELL: Duration = Duration::from_secs(3);

/// What other threads tell the core.
pub(crate) enum CoreInput {
    Stream(StreamEvent),
    Stored {
        sequence: u64,
        answer: StoreAnswer,
    },
    Media(MediaEvent),
    PinVerified {
        check: PinCheck,
        right: bool,
    },
    Platform {
        platform: Box<str>,
        said: PlatformInput,
    },
    Site(Box<SiteInput>),
    Cluster(Box<Told>),
    Reached {
        trunk: Box<str>,
        flows: Vec<Flow>,
        lives: Duration,
        why: String,
    },
    Command {
        command: Command,
        reply: oneshot::Sender<Answer>,
    },
    /// No new calls; stop when none is up any more, or after this long when no emergency is.
    Drain {
        limit: Duration,
    },
    /// Tell events, or tell none any more.
    Listen(bool),
    /// Stop at once.
    Stop,
}

/// Everything through which the core reaches the world.
pub(crate) struct Doors {
    pub(crate) udp: Vec<Udp>,
    pub(crate) streams: Streams,
    pub(crate) store: Store,
    pub(crate) workers: Workers,
    pub(crate) mailbox: Mailbox<CoreInput>,
    pub(crate) clock: Clock,
    /// Hears how many calls are left while we drain; closed when the core has ended.
    pub(crate) calls_left: watch::Sender<Option<usize>>,
    pub(crate) carriers: Carriers,
    pub(crate) figures: Arc<Figures>,
    pub(crate) events: EventSink,
}

/// What works for the core on other threads.
pub(crate) struct Carriers {
    pub(crate) reacher: Reacher,
    pub(crate) pins: Pins,
    pub(crate) platforms: Platforms,
    pub(crate) sites: Sites,
    pub(crate) others: Others,
    pub(crate) waker: Waker,
}

pub(crate) struct Core {
    exchange: Exchange,
    udp: Vec<Udp>,
    streams: Streams,
    store: Store,
    workers: Vec<MediaInbox>,
    /// Which workers have orders that they do not know of yet.
    ordered: Vec<bool>,
    mailbox: Mailbox<CoreInput>,
    clock: Clock,
    reacher: Reacher,
    pins: Pins,
    platforms: Platforms,
    sites: Sites,
    others: Others,
    waker: Waker,
    events: EventSink,
    replies: HashMap<CommandId, oneshot::Sender<Answer>>,
    next_command: u64,
    /// When the last turn's input was done with.
    last_turn: Mono,
    calls_left: watch::Sender<Option<usize>>,
    /// When what is left of the calls ends, while we drain.
    drained_by: Option<Mono>,
    /// Until when others can register at trunks in our place, while we drain.
    heirs_by: Mono,
    lag: Lag,
    figures: Arc<Figures>,
    /// When each commit was handed to the store, the oldest first.
    committing: VecDeque<(u64, Mono)>,
    stopping: bool,
}

impl Core {
    pub(crate) fn new(mut exchange: Exchange, doors: Doors) -> Core {
        let Doors { udp, streams, store, workers, mailbox, clock, calls_left, carriers, figures, events } =
            doors;
        exchange.handle(clock.now(), Input::Ports(workers.leases));
        exchange.handle(clock.now(), Input::Secure { shared: workers.shared, policy: workers.policy });
        Core {
            exchange,
            udp,
            streams,
            store,
            ordered: vec![false; workers.inboxes.len()],
            workers: workers.inboxes,
            mailbox,
            clock,
            reacher: carriers.reacher,
            pins: carriers.pins,
            platforms: carriers.platforms,
            sites: carriers.sites,
            others: carriers.others,
            waker: carriers.waker,
            events,
            replies: HashMap::new(),
            next_command: 0,
            last_turn: Mono(0),
            calls_left,
            drained_by: None,
            heirs_by: Mono(0),
            lag: Lag::default(),
            figures,
            committing: VecDeque::new(),
            stopping: false,
        }
    }

    /// Runs until it is told to stop.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut poll = Poll::new()?;
        poll.add(self.mailbox.descriptor(), MAILBOX)?;
        for (index, udp) in self.udp.iter().enumerate() {
            poll.add(udp.descriptor(), index as Token)?;
        }
        let mut batch = ReceiveBatch::new();
        let mut ready: Vec<Token> = Vec::new();
        while !self.stopping {
            self.turn(&mut poll, &mut batch, &mut ready)?;
            self.look_whether_drained();
        }
        self.say_farewell(&mut poll, &mut batch, &mut ready)
    }

    fn turn(&mut self, poll: &mut Poll, batch: &mut ReceiveBatch, ready: &mut Vec<Token>) -> io::Result<()> {
        let due = self.exchange.next_deadline().map(|(when, _)| when);
        let now = self.clock.now().mono;
        let heirs = self.drained_by.map(|_| self.heirs_by).filter(|by| *by > now);
        let wait = due.into_iter().chain(self.drained_by).chain(heirs).min().map(|when| when.since(now));
        ready.clear();
        ready.extend(poll.wait(wait)?);
        for &token in ready.iter() {
            if token == MAILBOX {
                self.take_values();
            } else if let Ok(index) = usize::try_from(token) {
                self.take_datagrams(index, batch);
            }
        }
        let now = self.clock.now();
        let lag = self.lag.measure(now.mono, self.exchange.next_deadline().map(|(when, _)| when));
        self.figures.turn(lag.unwrap_or_default());
        if let Some(lag) = lag {
            self.exchange.handle(now, Input::Lag(lag));
        }
        if self.exchange.next_deadline().is_some_and(|(when, _)| when <= now.mono) {
            self.exchange.handle(now, Input::Timeout);
            self.put_out();
        }
        self.flush();
        // Whoever is behind has enough to do already (R17).
        let gathers = now.mono.since(self.last_turn) < 2 * GATHER && !self.lag.is_behind();
        self.last_turn = now.mono;
        if gathers {
            std::thread::sleep(GATHER);
        }
        Ok(())
    }

    /// While we drain: tells how many calls are left, and stops when there are none or their time is over.
    fn look_whether_drained(&mut self) {
        let Some(limit) = self.drained_by else { return };
        let left = self.exchange.switch().load().0;
        self.calls_left.send_if_modified(|told| told.replace(left) != Some(left));
        let now = self.clock.now();
        if left == 0 && now.mono < self.heirs_by && self.exchange.has_registrations_to_leave() {
            return;
        }
        if left == 0 {
            self.stopping = true;
        } else if now.mono >= limit {
            self.stopping = self.exchange.end_drain(now) == 0;
            self.drained_by = Some(now.mono + LOOK_AGAIN);
            self.put_out();
            self.flush();
        }
    }

    /// One system call a socket, one bell a worker, for all that the turn brought.
    fn flush(&mut self) {
        for udp in &mut self.udp {
            udp.flush();
        }
        for (index, worker) in self.workers.iter().enumerate() {
            if std::mem::take(&mut self.ordered[index]) {
                worker.ring();
            }
        }
    }

    fn take_datagrams(&mut self, index: usize, batch: &mut ReceiveBatch) {
        for _ in 0..BATCHES {
            let (exchange, clock) = (&mut self.exchange, self.clock);
            let Some(udp) = self.udp.get_mut(index) else { return };
            let taken = udp
                .receive(batch, |flow, bytes| exchange.handle(clock.now(), Input::Datagram { flow, bytes }));
            self.put_out();
            match taken {
                // A batch that is not full was the last.
                Ok(taken) if taken < ReceiveBatch::FULL => return,
                Ok(_) => {}
                Err(error) => return tracing::debug!(%error, "cannot receive"),
            }
        }
        self.lag.left_waiting();
    }

    fn take_values(&mut self) {
        self.mailbox.silence();
        for taken in 0..VALUES {
            self.figures.mailbox(taken as u64);
            let Some(value) = self.mailbox.take() else { return };
            self.take_value(value);
            self.put_out();
        }
        self.mailbox.remind();
        self.lag.left_waiting();
    }

    fn take_value(&mut self, value: CoreInput) {
        let now = self.clock.now();
        match value {
            CoreInput::Stream(StreamEvent::Message(flow, bytes)) => {
                self.exchange.handle(now, Input::Message { flow, bytes: &bytes });
            }
            CoreInput::Stream(StreamEvent::Unframed(flow, bytes)) => {
                self.exchange.handle(now, Input::Unframed { flow, bytes: &bytes });
            }
            CoreInput::Stream(StreamEvent::Opened(flow, origin)) => {
                self.exchange.handle(now, Input::FlowOpened { flow, origin });
            }
            CoreInput::Stream(StreamEvent::Proved(flow, certificate)) => {
                let fingerprint = Fingerprint(certificate);
                self.exchange.handle(now, Input::Site(Box::new(SiteInput::Proved { flow, fingerprint })));
            }
            CoreInput::Stream(StreamEvent::Closed(flow)) => {
                self.exchange.handle(now, Input::FlowClosed(flow));
            }
            CoreInput::Stored { sequence, answer } => {
                failpoint::reach("core.before_promise");
                self.commit_ended(sequence, now.mono);
                self.exchange.handle(now, Input::Stored { sequence, answer });
            }
            CoreInput::Reached { trunk, flows, lives, why } => {
                self.exchange.handle(now, Input::Reached { trunk, flows, lives, why });
            }
            CoreInput::Site(said) => self.exchange.handle(now, Input::Site(said)),
            CoreInput::Cluster(told) => self.others_told(*told),
            CoreInput::Platform { platform, said } => {
                self.exchange.handle(now, Input::Platform { platform, said });
            }
            CoreInput::Media(event) => {
                if let MediaEvent::Report { quality, .. } = &event {
                    self.figures.media(quality);
                }
                self.exchange.handle(now, Input::Media(event));
            }
            CoreInput::PinVerified { check, right } => {
                self.exchange.handle(now, Input::PinVerified { check, right });
            }
            CoreInput::Command { command, reply } => {
                self.next_command += 1;
                let id = CommandId(self.next_command);
                self.replies.insert(id, reply);
                self.exchange.handle(now, Input::Command { id, command });
            }
            CoreInput::Drain { limit } => {
                self.exchange.drain();
                self.store.leave();
                self.drained_by = Some(now.mono + limit);
                self.heirs_by = now.mono + HEIRS;
            }
            CoreInput::Listen(on) => {
                self.others.listen(on);
                self.look_who_listens();
            }
            CoreInput::Stop => self.stopping = true,
        }
    }

    /// The store answers a commit; it answers them in order, but for one that it could not even queue.
    fn commit_ended(&mut self, sequence: u64, now: Mono) {
        if let Some(place) = self.committing.iter().position(|(known, _)| *known == sequence)
            && let Some((_, began)) = self.committing.remove(place)
        {
            self.figures.commit_ends(now.since(began));
        }
    }

    /// Carries out all that the exchange asks for.
    fn put_out(&mut self) {
        while let Some(output) = self.exchange.next_output() {
            match output {
                Output::Transmit(transmit) => self.send(transmit),
                Output::CloseFlow(flow) => self.streams.close(flow),
                Output::Media(action) => self.order(action),
                Output::Reach { trunk, host, port, transport } => {
                    self.reacher.reach(trunk, host, port, transport);
                }
                Output::Site(asked) => self.sites.carry(*asked),
                Output::Cluster(said) => self.others.tell(&said),
                Output::WakeUp(wake) => self.waker.wake(&wake),
                Output::Platform { platform, asked } => {
                    if let Some(said) = self.platforms.ask(&platform, asked) {
                        self.exchange.handle(self.clock.now(), Input::Platform { platform, said });
                    }
                }
                Output::VerifyPin { check, hash, pin } => {
                    if !self.pins.ask(check, hash, pin) {
                        let answer = Input::PinVerified { check, right: false };
                        self.exchange.handle(self.clock.now(), answer);
                    }
                }
                Output::Commit(commit) => {
                    let sequence = commit.sequence;
                    self.figures.commit_begins();
                    self.committing.push_back((sequence, self.clock.now().mono));
                    if let Err(answer) = self.store.commit(commit) {
                        let now = self.clock.now();
                        self.commit_ended(sequence, now.mono);
                        self.exchange.handle(now, Input::Stored { sequence, answer });
                    }
                }
                Output::Guessing(Guessing { source, name, strikes, ignored }) => {
                    let seconds = ignored.as_secs();
                    tracing::warn!(%source, %name, strikes, seconds, "wrong secrets; not listened to for a while");
                }
                // Nobody listens yet.
                Output::Event(event) => self.events.tell(event),
                Output::Answer { id, answer } => {
                    failpoint::reach("core.before_answer");
                    if let Some(reply) = self.replies.remove(&id) {
                        // Who asked may be gone.
                        let _ = reply.send(answer);
                    }
                }
            }
        }
    }

    fn send(&mut self, transmit: Transmit) {
        let Transmit { flow, bytes } = transmit;
        self.figures.sent(&bytes);
        if cfg!(debug_assertions) && is_register_ok(&bytes) {
            failpoint::reach("core.before_register_ok");
        }
        if self.others.send(flow, &bytes) {
            return;
        }
        self.send_here(flow, bytes);
    }

    /// Something of other exchanges over the same store.
    fn others_told(&mut self, told: Told) {
        if let Told::Out(from, flow, bytes) = told {
            return self.send_for(from, flow, bytes);
        }
        if let Told::Look = told {
            return self.store.look();
        }
        match &told {
            Told::Relayed(Relayed::Copy(text)) => self.sites.hear_copy(Arc::clone(text)),
            Told::Relayed(Relayed::Health(health)) => {
                let said = Box::new(SiteInput::Health(health.clone()));
                self.exchange.handle(self.clock.now(), Input::Site(said));
            }
            Told::News(News::Documents(documents)) => self.sites.hear_documents(documents),
            _ => {}
        }
        if let Told::News(News::Missed) = told {
            tracing::error!(
                "this exchange was away for so long that what others changed is not told any more; it ends, to start anew"
            );
            self.stopping = true;
            return;
        }
        if let Some(said) = self.others.told(told) {
            self.exchange.handle(self.clock.now(), Input::Cluster(Box::new(said)));
        }
        self.look_who_listens();
    }

    /// The exchange tells what happens while anybody listens, here or at another.
    fn look_who_listens(&mut self) {
        let audience = self.others.audience();
        self.exchange.listen(self.clock.now(), audience.ours || audience.is_elsewhere());
        self.events.others_listen(audience.is_elsewhere());
    }

    /// Another exchange sends to somebody at our door.
    fn send_for(&mut self, from: NonZeroU8, flow: Flow, bytes: Arc<[u8]>) {
        if flow.transport == Transport::Udp {
            return self.send_here(flow, bytes);
        }
        match self.streams.between(flow.transport, flow.local, flow.remote) {
            Some(flow) => self.send_here(flow, bytes),
            None => self.others.gone(from, flow),
        }
    }

    fn send_here(&mut self, flow: Flow, bytes: Arc<[u8]>) {
        if flow.transport != Transport::Udp {
            return self.streams.send(flow, bytes);
        }
        match self.udp.iter_mut().find(|udp| udp.sends_from(flow.local)) {
            Some(udp) => udp.push(flow.remote, bytes),
            None => tracing::debug!(%flow, "no socket for this flow"),
        }
    }

    fn order(&mut self, action: Action) {
        let (lease, sent) = match action {
            Action::Media { lease, order } => {
                (lease, self.workers.get(usize::from(lease.worker)).map(|worker| worker.apply(lease, order)))
            }
            Action::Digit { lease, leg, digit } => {
                (lease, self.workers.get(usize::from(lease.worker)).map(|worker| worker.digit(leg, digit)))
            }
            Action::ReleaseMedia { lease, leg } => {
                (lease, self.workers.get(usize::from(lease.worker)).map(|worker| worker.release(lease, leg)))
            }
        };
        if let Some(ordered) = self.ordered.get_mut(usize::from(lease.worker)) {
            *ordered = true;
        }
        if !matches!(sent, Some(Ok(()))) {
            tracing::error!(worker = lease.worker, "a media worker cannot keep up; an order is lost");
        }
    }

    /// Ends running calls with BYE and a record each, and waits, bounded, until the store has all of it.
    fn say_farewell(
        &mut self,
        poll: &mut Poll,
        batch: &mut ReceiveBatch,
        ready: &mut Vec<Token>,
    ) -> io::Result<()> {
        self.exchange.close(self.clock.now());
        self.put_out();
        let limit = self.clock.now().mono + FAREWELL;
        while !self.exchange.is_quiet() && self.clock.now().mono < limit {
            self.flush();
            ready.clear();
            ready.extend(poll.wait(Some(Duration::from_millis(20)))?);
            for &token in ready.iter() {
                if token == MAILBOX {
                    self.take_values();
                } else if let Ok(index) = usize::try_from(token) {
                    self.take_datagrams(index, batch);
                }
            }
            self.exchange.handle(self.clock.now(), Input::Timeout);
            self.put_out();
        }
        for worker in &self.workers {
            worker.stop();
        }
        Ok(())
    }
}

/// Whether a message promises a registration.
fn is_register_ok(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SIP/2.0 200 ") && bytes.windows(10).any(|text| text == b" REGISTER\r")
}

/// Hands stream events to the core; a full mailbox slows its connection down, and only that one.
#[derive(Clone)]
pub(crate) struct Deliver {
    core: Sender<CoreInput>,
}

impl Deliver {
    pub(crate) fn new(core: Sender<CoreInput>) -> Deliver {
        Deliver { core }
    }
}

/// How often, and how many times, a stream tries to hand over a message.
const PATIENCE: (Duration, u32) = (Duration::from_millis(5), 400);

impl AsyncDeliver for Deliver {
    async fn deliver(&self, event: StreamEvent) -> bool {
        let mut value = CoreInput::Stream(event);
        for _ in 0..PATIENCE.1 {
            match self.core.send(value) {
                Ok(()) => return true,
                Err(Full(back)) => value = back,
            }
            tokio::time::sleep(PATIENCE.0).await;
        }
        false
    }
}
