//! A hall of phones on two lines, one that answers and registers and one that calls, and the loop that runs it.

use crate::Failure;
use crate::arguments::Arguments;
use crate::callee::Callees;
use crate::caller::{Callers, MediaEnd};
use crate::line::Line;
use crate::registrations::Registrations;
use crate::tally::Tally;
use clock::Mono;
use net::{Clock, Poll, ReceiveBatch};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use wire::sip::{Message, Method};

/// Calls or registrations begun in one turn at most, when we are behind.
const BURST: usize = 32;

/// What the loop begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    Calls,
    Registrations,
}

/// All phones of one run.
pub(crate) struct Phones {
    clock: Clock,
    poll: Poll,
    batch: ReceiveBatch,
    desks: Line,
    dialers: Line,
    pub(crate) callees: Callees,
    pub(crate) callers: Callers,
    registrations: Registrations,
    pub(crate) tally: Tally,
    pub(crate) registered: Tally,
    answering: u32,
    calling: u32,
    next: u32,
    /// What the next caller says of its media.
    pub(crate) media: Option<fn(u64) -> MediaEnd>,
    called: u64,
    /// The phones that are called, by turns; all when there are none.
    chosen: Vec<u32>,
    /// When each of the chosen was called.
    pub(crate) called_at: Vec<(u32, Mono)>,
}

impl Phones {
    /// Half of `--users`, or `--callers`, call and the others answer; all of them register when `everybody`.
    pub(crate) fn new(arguments: &Arguments, everybody: bool) -> Result<Phones, Failure> {
        let server: SocketAddr = arguments.must("server")?;
        let users: u32 = arguments.or("users", 200)?;
        let domain = arguments.text("domain").map_or_else(|| server.to_string(), str::to_owned);
        // Those who answer may be at another exchange of the office.
        let home: SocketAddr = arguments.or("home", server)?;
        let home_domain = if home == server { domain.clone() } else { home.to_string() };
        let hold = Duration::from_millis(arguments.or("hold-ms", 200)?);
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        // The same port in every run, so that a run refreshes the bindings of the last and adds none.
        let desks = Line::bind(arguments.or("desks", any)?)?;
        let dialers = match arguments.text("tls") {
            Some(server) => Line::connect(server.parse()?)?,
            None => Line::bind(any)?,
        };
        let poll = Poll::new()?;
        poll.add(desks.descriptor(), 0)?;
        poll.add(dialers.descriptor(), 1)?;
        let callers: u32 = arguments.or("callers", users / 2)?;
        let answering = if everybody { users } else { users.saturating_sub(callers).max(1) };
        Ok(Phones {
            clock: Clock::start(),
            poll,
            batch: ReceiveBatch::new(),
            desks,
            dialers,
            callees: Callees::default(),
            callers: Callers::new(server, &domain, hold, answering, users - answering),
            registrations: Registrations::new(home, &home_domain, answering),
            tally: Tally::default(),
            registered: Tally::default(),
            answering,
            calling: users - answering,
            next: 0,
            media: None,
            called: 0,
            chosen: Vec::new(),
            called_at: Vec::new(),
        })
    }

    /// How many phones answer.
    pub(crate) fn answering(&self) -> u32 {
        self.answering
    }

    /// Gives up every registration under way; returns the phones that have theirs, the oldest first, and since when.
    pub(crate) fn stop_registering(&mut self) -> Vec<(u32, Mono)> {
        self.registrations.stop()
    }

    /// From now on these are called, and it is noted when each of them rings.
    pub(crate) fn call_these(&mut self, phones: Vec<u32>) {
        (self.chosen, self.next) = (phones, 0);
        self.callees.rang = Some(HashMap::new());
    }

    /// Registers every answering phone.
    pub(crate) fn register_all(&mut self, rate: f64) -> Result<(), Failure> {
        let seconds = f64::from(self.answering) / rate;
        self.run(Load::Registrations, rate, seconds, self.answering)?;
        self.finish(Duration::from_secs(10))?;
        let failed = u64::from(self.answering) - self.registered.done;
        if failed > 0 {
            let status = self.registered.status;
            return Err(format!("{failed} phones are not registered; the last refusal was {status}").into());
        }
        self.next = 0;
        Ok(())
    }

    /// Begins things at `rate` for `seconds`, `most` of them at most.
    pub(crate) fn run(&mut self, load: Load, rate: f64, seconds: f64, most: u32) -> Result<(), Failure> {
        let start = self.clock.now().mono;
        let mut begun = 0;
        loop {
            let now = self.clock.now().mono;
            let passed = now.since(start).as_secs_f64();
            let wanted = ((passed.min(seconds) * rate) as u32 + 1).min(most);
            if passed >= seconds && begun >= wanted.min((seconds * rate) as u32) {
                return Ok(());
            }
            for _ in 0..BURST {
                if begun >= wanted {
                    break;
                }
                self.begin(now, load);
                begun += 1;
            }
            self.flush();
            let next = start + Duration::from_secs_f64(f64::from(begun + 1) / rate);
            let end = start + Duration::from_secs_f64(seconds);
            self.turn(Some(if begun < wanted { now } else { next.min(end) }))?;
        }
    }

    /// Lets everything end that is under way.
    pub(crate) fn finish(&mut self, limit: Duration) -> Result<(), Failure> {
        let end = self.clock.now().mono + limit;
        while self.callers.under_way() + self.registrations.under_way() > 0 {
            if self.clock.now().mono >= end {
                return Ok(());
            }
            self.turn(Some(end))?;
        }
        Ok(())
    }

    /// Lets time pass with the calls up.
    pub(crate) fn settle(&mut self, time: Duration) -> Result<(), Failure> {
        let end = self.clock.now().mono + time;
        while self.clock.now().mono < end {
            self.turn(Some(end))?;
        }
        Ok(())
    }

    pub(crate) fn now(&self) -> Mono {
        self.clock.now().mono
    }

    /// When one of those rang that are called; `None` when it did not in time.
    pub(crate) fn wait_until_it_rings(
        &mut self,
        phone: u32,
        limit: Duration,
    ) -> Result<Option<Mono>, Failure> {
        let end = self.clock.now().mono + limit;
        loop {
            let rang = self.callees.rang.as_ref().and_then(|rang| rang.get(&phone).copied());
            if rang.is_some() || self.clock.now().mono >= end {
                return Ok(rang);
            }
            self.turn(Some(end))?;
        }
    }

    pub(crate) fn hang_up(&mut self) {
        self.callers.hang_up(self.clock.now().mono, &mut self.dialers);
    }

    fn begin(&mut self, now: Mono, load: Load) {
        let next = self.next;
        self.next = self.next.wrapping_add(1);
        match load {
            Load::Registrations => {
                let phone = next % self.answering;
                self.registrations.begin(now, &mut self.desks, phone, &mut self.registered);
            }
            Load::Calls => {
                let media = self.media.map_or(MediaEnd { port: 9, key: None }, |media| media(self.called));
                self.called += 1;
                let caller = next % self.calling;
                let callee = match self.chosen.len() {
                    0 => next % self.answering,
                    count => self.chosen[next as usize % count],
                };
                if !self.chosen.is_empty() {
                    self.called_at.push((callee, now));
                }
                self.callers.begin(now, &mut self.dialers, caller, callee, media, &mut self.tally);
            }
        }
    }

    /// One turn of the loop: waits no longer than until `limit`.
    fn turn(&mut self, limit: Option<Mono>) -> Result<(), Failure> {
        let deadlines = [
            limit,
            self.callees.next_deadline(),
            self.callers.next_deadline(),
            self.registrations.next_deadline(),
        ];
        let now = self.clock.now().mono;
        let wait = deadlines.into_iter().flatten().min().map(|when| when.since(now));
        let mut ready = [false; 2];
        for token in self.poll.wait(wait)? {
            ready[token as usize & 1] = true;
        }
        let now = self.clock.now().mono;
        if ready[0] {
            self.read_desks(now)?;
        }
        if ready[1] {
            self.read_dialers(now)?;
        }
        self.callees.timeout(now, &mut self.desks, &mut self.tally);
        self.callers.timeout(now, &mut self.dialers, &mut self.tally);
        self.registrations.timeout(now, &mut self.desks, &mut self.registered);
        self.flush();
        Ok(())
    }

    fn read_desks(&mut self, now: Mono) -> Result<(), Failure> {
        let Phones { desks, batch, callees, registrations, tally, registered, .. } = self;
        let mut datagrams = Vec::new();
        desks.receive(batch, |from, bytes| datagrams.push((from, bytes.to_vec())))?;
        for (from, bytes) in &datagrams {
            let Ok(message) = Message::parse(bytes) else { continue };
            if message.is_request() {
                callees.request(now, desks, *from, &message, tally);
            } else if message.cseq().is_ok_and(|cseq| cseq.method == Method::Register) {
                registrations.response(now, desks, &message, registered);
            }
        }
        Ok(())
    }

    fn read_dialers(&mut self, now: Mono) -> Result<(), Failure> {
        let Phones { dialers, batch, callees, callers, tally, .. } = self;
        let mut datagrams = Vec::new();
        dialers.receive(batch, |from, bytes| datagrams.push((from, bytes.to_vec())))?;
        for (from, bytes) in &datagrams {
            let Ok(message) = Message::parse(bytes) else { continue };
            if message.is_request() {
                callees.request(now, dialers, *from, &message, tally);
            } else {
                callers.response(now, dialers, &message, tally);
            }
        }
        Ok(())
    }

    fn flush(&mut self) {
        self.desks.flush();
        self.dialers.flush();
    }
}
