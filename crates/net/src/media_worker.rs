//! A media worker: one thread, its RTP sockets, and the engine that decides about each packet (R22).
//!
//! ```text
//! core --orders--> mailbox --> Engine::apply            every 10 ms: Engine::tick --> sockets
//! socket --packet--> Engine::receive --Forward--> other leg's socket       events --> core
//! ```

use crate::Clock;
use crate::mailbox::{Full, Mailbox, Sender, mailbox};
use crate::poll::{Poll, Token};
use crate::rtp_socket::{RtpSocket, bind_all};
use calls::PortLease;
use clock::Mono;
use media::srtp::OVERHEAD_MAX;
use media::webrtc::{Hub, Identity, Output};
use media::{ByLeg, Engine, Forward, Kind, LegKey, MediaEvent, MediaOrder, Sounds};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::thread;
use std::time::{Duration, Instant};

/// How often the engine makes sound of its own.
const TICK: Duration = Duration::from_millis(10);
/// Orders that may wait for a worker.
const ORDERS: usize = 8_192;
/// The mailbox's token; sockets have their index, doubled.
const MAILBOX: Token = Token::MAX;
/// The token of the port that browsers share.
const BROWSERS: Token = Token::MAX - 1;
/// Datagrams of browsers in one turn at most.
const BURST: usize = 32;
/// The largest datagram that media may be.
const PACKET: usize = 2_048;

/// Where a worker binds its ports.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The address to bind.
    pub bind: IpAddr,
    /// The address to write into SDP.
    pub address: IpAddr,
    /// The ports to use.
    pub ports: Vec<RangeInclusive<u16>>,
    /// The number of this worker, from zero.
    pub worker: u16,
    /// How many workers share the ports.
    pub workers: u16,
    /// The most pairs to bind.
    pub most: usize,
    /// What it shows to browsers; without one there is no port for them.
    pub identity: Option<Identity>,
}

/// A worker that runs.
pub struct Started {
    /// The ports that it lends.
    pub leases: Vec<PortLease>,
    /// The port that all its browsers share (R15).
    pub shared: Option<PortLease>,
    /// How it is given orders.
    pub inbox: MediaInbox,
}

enum Order {
    Apply(PortLease, Box<MediaOrder>),
    Release(PortLease, LegKey),
    Digit(LegKey, char),
    Sounds(Arc<Sounds>),
    Stop,
}

/// How the core gives orders to a worker; [`MediaInbox::ring`] follows the last of several.
#[derive(Clone)]
pub struct MediaInbox {
    orders: Sender<Order>,
    asleep: Arc<AtomicBool>,
}

impl MediaInbox {
    /// A leg's whole desired state.
    ///
    /// # Errors
    /// [`Full`] when the worker cannot keep up; the order is lost, the next one of the leg heals it.
    pub fn apply(&self, lease: PortLease, order: Box<MediaOrder>) -> Result<(), Full<()>> {
        self.orders.push(Order::Apply(lease, order)).map_err(|_| Full(()))
    }

    /// The leg is gone.
    ///
    /// # Errors
    /// [`Full`] when the worker cannot keep up.
    pub fn release(&self, lease: PortLease, leg: LegKey) -> Result<(), Full<()>> {
        self.orders.push(Order::Release(lease, leg)).map_err(|_| Full(()))
    }

    /// Presses a key towards a leg.
    ///
    /// # Errors
    /// [`Full`] when the worker cannot keep up.
    pub fn digit(&self, leg: LegKey, digit: char) -> Result<(), Full<()>> {
        self.orders.push(Order::Digit(leg, digit)).map_err(|_| Full(()))
    }

    /// There are other sounds now.
    ///
    /// # Errors
    /// [`Full`] when the worker cannot keep up; it goes on with those that it has.
    pub fn sounds(&self, sounds: Arc<Sounds>) -> Result<(), Full<()>> {
        self.orders.push(Order::Sounds(sounds)).map_err(|_| Full(()))
    }

    /// Makes sure that the worker looks at the orders that were given, within [`TICK`]: while it has legs it wakes for
    /// their packets and ticks anyway, and looks at its orders first. Only one without any has to be woken.
    pub fn ring(&self) {
        // The worker says that it goes to sleep and then looks once more; we have put in the order and look then. In one
        // order of all threads, one of the two sees the other.
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) {
            self.orders.ring();
        }
    }

    /// Ends the worker's thread.
    pub fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
    }
}

/// The port of all browsers, and what is known of them.
struct Browsers {
    socket: RtpSocket,
    hub: Hub,
}

impl Browsers {
    fn new(socket: RtpSocket, identity: Identity, now: Mono) -> Browsers {
        let local = SocketAddr::new(socket.lease.address, socket.lease.port);
        Browsers { socket, hub: Hub::new(identity, local, now, Instant::now()) }
    }
}

/// One worker's state; lives on its thread.
pub struct MediaWorker {
    engine: Engine,
    sockets: Vec<RtpSocket>,
    by_port: HashMap<(IpAddr, u16), usize>,
    by_leg: ByLeg<usize>,
    legs: Vec<Option<LegKey>>,
    watched: Vec<bool>,
    poll: Poll,
    mailbox: Mailbox<Order>,
    asleep: Arc<AtomicBool>,
    clock: Clock,
    browsers: Option<Browsers>,
}

impl MediaWorker {
    /// Binds the ports and starts the thread. Returns the leases for the core's pool and the way to give orders.
    ///
    /// # Errors
    /// When no port at all can be bound, or the process is out of descriptors.
    pub fn start(
        config: &WorkerConfig,
        clock: Clock,
        sounds: Arc<Sounds>,
        events: impl FnMut(MediaEvent) + Send + 'static,
    ) -> io::Result<Started> {
        let mut sockets = bind_all(
            config.bind,
            config.address,
            &config.ports,
            (config.worker, config.workers),
            config.most,
        );
        if sockets.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "no free media port in the configured ranges",
            ));
        }
        // The first pair is for browsers, if there are ports enough for others.
        let browsers = match &config.identity {
            Some(identity) if sockets.len() > 1 => {
                Some(Browsers::new(sockets.remove(0), identity.clone(), clock.mono()))
            }
            _ => None,
        };
        let shared = browsers.as_ref().map(|browsers| browsers.socket.lease);
        let leases: Vec<PortLease> = sockets.iter().map(|socket| socket.lease).collect();
        let (orders, mailbox) = mailbox(ORDERS)?;
        let poll = Poll::new()?;
        poll.add(mailbox.descriptor(), MAILBOX)?;
        if let Some(browsers) = &browsers {
            poll.add(&browsers.socket.rtp, BROWSERS)?;
        }
        let by_port = leases.iter().enumerate().map(|(i, lease)| ((lease.address, lease.port), i)).collect();
        let legs = vec![None; sockets.len()];
        let asleep = Arc::new(AtomicBool::new(false));
        let watched = vec![false; sockets.len()];
        let worker = MediaWorker {
            engine: Engine::new(sounds),
            sockets,
            by_port,
            by_leg: ByLeg::default(),
            legs,
            watched,
            poll,
            mailbox,
            asleep: Arc::clone(&asleep),
            clock,
            browsers,
        };
        thread::Builder::new().name(format!("media-{}", config.worker)).spawn(move || worker.run(events))?;
        Ok(Started { leases, shared, inbox: MediaInbox { orders, asleep } })
    }

    fn run(mut self, mut events: impl FnMut(MediaEvent)) {
        let mut ready: Vec<Token> = Vec::new();
        let mut next_tick = self.clock.mono();
        let mut packet = vec![0; PACKET];
        loop {
            let now = self.clock.mono();
            // Without a leg there is nothing to tick for: the thread sleeps until an order's bell.
            let idle = self.by_leg.is_empty() && self.browsers.as_ref().is_none_or(|it| it.hub.is_empty());
            self.asleep.store(idle, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            let wait = match (idle, self.mailbox.take()) {
                (_, Some(order)) => {
                    if !self.carry_out(order) {
                        return;
                    }
                    Some(Duration::ZERO)
                }
                (true, None) => None,
                (false, None) => Some(next_tick.since(now)),
            };
            ready.clear();
            match self.poll.wait(wait) {
                Ok(tokens) => ready.extend(tokens),
                Err(error) => {
                    tracing::error!(%error, "media worker cannot poll and ends");
                    return;
                }
            }
            if !self.take_orders(&ready) {
                return;
            }
            self.settle_browsers(&mut packet);
            for token in ready.iter().filter(|token| **token != MAILBOX) {
                if *token == BROWSERS {
                    self.take_from_browsers(&mut packet);
                } else {
                    self.take_packet(*token, &mut packet);
                }
            }
            let now = self.clock.mono();
            if now >= next_tick {
                self.tick();
                self.settle_browsers(&mut packet);
                // A late tick is not made up for: the engine counts by the clock.
                next_tick = if now.since(next_tick) > TICK { now + TICK } else { next_tick + TICK };
            }
            while let Some(event) = self.engine.next_event() {
                events(event);
            }
        }
    }

    /// All orders, before any packet that they are about. False when it is time to end.
    fn take_orders(&mut self, ready: &[Token]) -> bool {
        if ready.contains(&MAILBOX) {
            self.mailbox.silence();
        }
        while let Some(order) = self.mailbox.take() {
            if !self.carry_out(order) {
                return false;
            }
        }
        true
    }

    fn carry_out(&mut self, order: Order) -> bool {
        match order {
            Order::Apply(lease, order) => self.apply(lease, *order),
            Order::Release(lease, leg) => self.release(lease, leg),
            Order::Digit(leg, digit) => self.engine.send_dtmf(leg, digit),
            Order::Sounds(sounds) => self.engine.set_sounds(sounds),
            Order::Stop => return false,
        }
        true
    }

    fn apply(&mut self, lease: PortLease, order: MediaOrder) {
        if let Some(browsers) = self.browsers.as_mut().filter(|browsers| browsers.socket.lease == lease) {
            let now = self.clock.mono();
            browsers.hub.apply(now, &order);
            return self.engine.apply(now, order);
        }
        let Some(&index) = self.by_port.get(&(lease.address, lease.port)) else { return };
        if self.legs[index] != Some(order.leg) {
            self.watch(index);
            self.legs[index] = Some(order.leg);
            self.by_leg.insert(order.leg, index);
        }
        self.engine.apply(self.clock.mono(), order);
    }

    fn release(&mut self, lease: PortLease, leg: LegKey) {
        self.engine.release(leg);
        if let Some(browsers) = &mut self.browsers {
            browsers.hub.release(leg);
        }
        let Some(&index) = self.by_port.get(&(lease.address, lease.port)) else { return };
        if self.legs[index] == Some(leg) {
            self.legs[index] = None;
            self.by_leg.remove(&leg);
        }
    }

    /// Watches a port from its first leg on, for good: what comes while nobody has it is read and thrown away, which
    /// costs less than to watch and unwatch it for each leg.
    fn watch(&mut self, index: usize) {
        if std::mem::replace(&mut self.watched[index], true) {
            return;
        }
        let socket = &self.sockets[index];
        socket.drain();
        let token = index as Token * 2;
        let added = self.poll.add(&socket.rtp, token).and_then(|()| self.poll.add(&socket.rtcp, token + 1));
        if let Err(error) = added {
            tracing::warn!(%error, port = socket.lease.port, "cannot watch a media port");
        }
    }

    /// One packet: a second look would cost a system call to learn that there is none, and the poll tells of more.
    fn take_packet(&mut self, token: Token, packet: &mut [u8]) {
        let index = (token / 2) as usize;
        let kind = if token.is_multiple_of(2) { Kind::Rtp } else { Kind::Rtcp };
        let Some(socket) = self.sockets.get(index) else { return };
        // An error is the refused port of an earlier packet, or nothing: the next packet may be fine.
        let room = packet.len() - OVERHEAD_MAX;
        let Ok((length, from)) = of_kind(socket, kind).recv_from(&mut packet[..room]) else { return };
        let Some(Some(leg)) = self.legs.get(index) else { return };
        let now = self.clock.mono();
        if let Some(forward) = self.engine.receive(now, *leg, kind, from, packet, length) {
            self.send(forward, packet);
            self.settle_browsers(packet);
        }
    }

    /// Many legs come by one port: several datagrams a turn.
    fn take_from_browsers(&mut self, packet: &mut [u8]) {
        for _ in 0..BURST {
            let Some(browsers) = &mut self.browsers else { return };
            let Ok((length, from)) = browsers.socket.rtp.recv_from(packet) else { return };
            browsers.hub.receive(self.clock.mono(), from, &packet[..length]);
            self.settle_browsers(packet);
        }
    }

    /// Carries out what the hub asks for, until it asks for nothing.
    fn settle_browsers(&mut self, packet: &mut [u8]) {
        while let Some(browsers) = self.browsers.as_mut().filter(|it| it.hub.has_outputs()) {
            let now = self.clock.mono();
            let outputs: Vec<Output> = browsers.hub.outputs().collect();
            for output in outputs {
                self.serve_browser(now, output, packet);
            }
        }
    }

    fn serve_browser(&mut self, now: Mono, output: Output, packet: &mut [u8]) {
        match output {
            Output::Send(to, bytes) => {
                if let Some(browsers) = &self.browsers {
                    let _ = browsers.socket.rtp.send_to(&bytes, to);
                }
            }
            Output::Packet { leg, from, bytes } => {
                let Some(place) = packet.get_mut(..bytes.len()) else { return };
                place.copy_from_slice(&bytes);
                let forward = self.engine.receive(now, leg, Kind::Rtp, from, packet, bytes.len());
                if let Some(forward) = forward {
                    self.send(forward, packet);
                }
            }
            Output::Report { leg, report } => {
                self.engine.remote_report(leg, report.loss, report.jitter_ticks, report.round_trip);
            }
        }
    }

    fn send(&mut self, forward: Forward, packet: &[u8]) {
        let packet = &packet[..forward.length];
        if let Some(socket) = self.by_leg.get(&forward.leg).and_then(|&index| self.sockets.get(index)) {
            // A packet that the kernel cannot take now is late anyway.
            let _ = of_kind(socket, forward.kind).send_to(packet, forward.to);
        } else if let Some(browsers) = &mut self.browsers {
            browsers.hub.send(self.clock.mono(), forward.leg, packet);
        }
    }

    fn tick(&mut self) {
        let now = self.clock.mono();
        let (sockets, by_leg, browsers) = (&self.sockets, &self.by_leg, &mut self.browsers);
        if let Some(browsers) = browsers {
            browsers.hub.tick(now);
        }
        let mut out = |leg: LegKey, kind: Kind, to: SocketAddr, packet: &[u8]| {
            if let Some(socket) = by_leg.get(&leg).and_then(|&index| sockets.get(index)) {
                let _ = of_kind(socket, kind).send_to(packet, to);
            } else if let Some(browsers) = browsers {
                browsers.hub.send(now, leg, packet);
            }
        };
        self.engine.tick(now, &mut out);
    }
}

fn of_kind(socket: &RtpSocket, kind: Kind) -> &UdpSocket {
    match kind {
        Kind::Rtp => &socket.rtp,
        Kind::Rtcp => &socket.rtcp,
    }
}
