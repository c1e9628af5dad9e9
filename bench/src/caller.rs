//! Phones that call: INVITE, credentials when asked, ACK, a while of talk, BYE.

use crate::callee::{T1, description};
use crate::line::Line;
use crate::login::{Login, number};
use crate::tally::Tally;
use clock::{Mono, TimerId, Wheel};
use media::srtp::MasterKey;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use wire::sip::{Contact, HeaderName, Message, Method};

/// Longer than any run: such calls are hung up by [`Callers::hang_up`].
pub(crate) const FOREVER: Duration = Duration::from_secs(3_600);
/// A request without any answer is given up after this.
const PATIENCE: Duration = Duration::from_secs(8);
const HEAD: &str = "Max-Forwards: 70\r\nUser-Agent: bench\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Inviting,
    Proceeding,
    Up,
    Ending,
}

struct Call {
    state: State,
    generation: u32,
    caller: u32,
    callee: u32,
    cseq: u32,
    began: Mono,
    wait: Duration,
    timer: Option<TimerId>,
    /// What is sent again when no answer comes: the INVITE, the ACK or the BYE.
    last: Arc<[u8]>,
    to: String,
    target: String,
    routes: String,
    media: MediaEnd,
}

/// Where a caller wants its media, and the key that it sends with; none for plain RTP.
#[derive(Clone)]
pub(crate) struct MediaEnd {
    pub(crate) port: u16,
    pub(crate) key: Option<MasterKey>,
}

/// All calling phones; they share a line.
pub(crate) struct Callers {
    server: SocketAddr,
    domain: String,
    run: u32,
    /// How long a call is up.
    pub(crate) hold: Duration,
    calls: Vec<Call>,
    free: Vec<u32>,
    logins: Vec<Login>,
    first: u32,
    timers: Wheel<(u32, u32)>,
    /// Calls that are up.
    pub(crate) up: u64,
    /// What we said of our media and the SDP that answered, for the test of media.
    pub(crate) seen: Vec<(MediaEnd, Vec<u8>)>,
    pub(crate) keep_answers: bool,
}

impl Callers {
    /// `first` is the first of the `count` calling phones.
    pub(crate) fn new(server: SocketAddr, domain: &str, hold: Duration, first: u32, count: u32) -> Callers {
        Callers {
            server,
            domain: domain.to_owned(),
            run: std::process::id(),
            hold,
            calls: Vec::new(),
            free: Vec::new(),
            logins: (0..count).map(|_| Login::default()).collect(),
            first,
            timers: Wheel::new(),
            up: 0,
            seen: Vec::new(),
            keep_answers: false,
        }
    }

    /// Calls that are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.calls.len() - self.free.len()
    }

    /// `caller` counts from the first calling phone.
    pub(crate) fn begin(
        &mut self,
        now: Mono,
        line: &mut Line,
        caller: u32,
        callee: u32,
        media: MediaEnd,
        tally: &mut Tally,
    ) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.calls.push(Call::new());
            self.calls.len() as u32 - 1
        });
        let call = &mut self.calls[index as usize];
        let generation = call.generation + 1;
        *call = Call { generation, caller, callee, began: now, media, ..Call::new() };
        tally.begun += 1;
        self.invite(now, line, index);
    }

    fn invite(&mut self, now: Mono, line: &mut Line, index: u32) {
        let call = &mut self.calls[index as usize];
        call.cseq += 1;
        call.state = State::Inviting;
        call.wait = T1;
        let (generation, cseq, address) = (call.generation, call.cseq, line.address);
        let (from, to) = (number(self.first + call.caller), number(call.callee));
        let domain = &self.domain;
        let uri = format!("sip:{to}@{domain}");
        let credentials = self.logins[call.caller as usize].line(&from, Method::Invite, &uri);
        let body = description(address, call.media.port, call.media.key.as_ref());
        let (run, (transport, parameter)) = (self.run, line.transport());
        call.last = line.say(
            self.server,
            format_args!(
                "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {address};branch=z9hG4bK{run}.{index}.{generation}.{cseq};rport\r\n\
                 {HEAD}From: <sip:{from}@{domain}>;tag={index}x{generation}\r\nTo: <{uri}>\r\n\
                 Call-ID: {index}-{generation}-{run}\r\nCSeq: {cseq} INVITE\r\nContact: <sip:{from}@{address}{parameter}>\r\n\
                 {credentials}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        );
        self.arm(now, index, T1);
    }

    fn arm(&mut self, now: Mono, index: u32, wait: Duration) {
        let call = &mut self.calls[index as usize];
        if let Some(timer) = call.timer.take() {
            self.timers.cancel(timer);
        }
        call.timer = Some(self.timers.insert(now + wait, (index, call.generation)));
    }

    pub(crate) fn response(&mut self, now: Mono, line: &mut Line, message: &Message<'_>, tally: &mut Tally) {
        let (Some(status), Ok(call_id), Ok(cseq)) = (message.status(), message.call_id(), message.cseq())
        else {
            return;
        };
        let mut parts = call_id.split('-').map_while(|part| part.parse::<u32>().ok());
        let (Some(index), Some(generation), Some(run)) = (parts.next(), parts.next(), parts.next()) else {
            return;
        };
        let Some(call) = self.calls.get(index as usize) else { return };
        if call.generation != generation || run != self.run || call.state == State::Free {
            return;
        }
        match cseq.method {
            Method::Invite => self.invite_response(now, line, index, status, cseq.number, message, tally),
            Method::Bye if call.state == State::Ending && status >= 200 => {
                if status == 200 {
                    tally.done += 1;
                } else {
                    tally.failed += 1;
                    tally.status = status;
                }
                self.end(index);
            }
            _ => {}
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one response with all that was read of it")]
    fn invite_response(
        &mut self,
        now: Mono,
        line: &mut Line,
        index: u32,
        status: u16,
        cseq: u32,
        message: &Message<'_>,
        tally: &mut Tally,
    ) {
        let call = &mut self.calls[index as usize];
        let waiting = matches!(call.state, State::Inviting | State::Proceeding) && call.cseq == cseq;
        match status {
            100..=199 if waiting && call.state == State::Inviting => {
                call.state = State::Proceeding;
                self.arm(now, index, PATIENCE);
            }
            100..=199 => {}
            200..=299 if waiting => {
                tally.took(now.since(call.began).as_micros() as u64);
                self.established(now, line, index, message);
            }
            200..=299 if call.cseq == cseq && call.state != State::Ending => {
                // Our ACK was lost, or late.
                tally.again += 1;
                line.push(self.server, Arc::clone(&call.last));
            }
            300.. => {
                self.acknowledge(line, index, cseq, message);
                if !waiting {
                    return;
                }
                if matches!(status, 401 | 407) && self.calls[index as usize].cseq < 3 {
                    tally.challenged += 1;
                    let caller = self.calls[index as usize].caller as usize;
                    self.logins[caller].challenged(message.raw());
                    return self.invite(now, line, index);
                }
                tally.failed += 1;
                tally.refused += u64::from(status == 503);
                tally.status = status;
                self.end(index);
            }
            _ => {}
        }
    }

    /// The ACK to a refusal: same branch as its INVITE (RFC 3261 17.1.1.3).
    fn acknowledge(&self, line: &mut Line, index: u32, cseq: u32, message: &Message<'_>) {
        let call = &self.calls[index as usize];
        let (generation, run, domain, address) = (call.generation, self.run, &self.domain, line.address);
        let (transport, _) = line.transport();
        let (from, to) = (number(self.first + call.caller), number(call.callee));
        let to_line = String::from_utf8_lossy(message.value(HeaderName::To).unwrap_or_default());
        line.say(
            self.server,
            format_args!(
                "ACK sip:{to}@{domain} SIP/2.0\r\nVia: SIP/2.0/{transport} {address};branch=z9hG4bK{run}.{index}.{generation}.{cseq};rport\r\n\
                 {HEAD}From: <sip:{from}@{domain}>;tag={index}x{generation}\r\nTo: {to_line}\r\n\
                 Call-ID: {index}-{generation}-{run}\r\nCSeq: {cseq} ACK\r\nContent-Length: 0\r\n\r\n"
            ),
        );
    }

    fn established(&mut self, now: Mono, line: &mut Line, index: u32, message: &Message<'_>) {
        let call = &mut self.calls[index as usize];
        call.state = State::Up;
        self.up += 1;
        call.to = String::from_utf8_lossy(message.value(HeaderName::To).unwrap_or_default()).into_owned();
        call.target = match message.contacts().next() {
            Some(Ok(Contact::Addr(contact))) => contact.uri.to_owned(),
            _ => String::new(),
        };
        let mut routes: Vec<&[u8]> = message.values(HeaderName::RecordRoute).collect();
        routes.reverse();
        for route in routes {
            let _ = write!(call.routes, "Route: {}\r\n", String::from_utf8_lossy(route));
        }
        if self.keep_answers {
            self.seen.push((call.media.clone(), message.body().to_vec()));
        }
        let cseq = call.cseq;
        self.in_dialog(line, index, "ACK", cseq);
        self.arm(now, index, self.hold);
    }

    fn in_dialog(&mut self, line: &mut Line, index: u32, method: &str, cseq: u32) {
        let call = &mut self.calls[index as usize];
        let (generation, run, domain, address) = (call.generation, self.run, &self.domain, line.address);
        let (transport, _) = line.transport();
        let from = number(self.first + call.caller);
        call.last = line.say(
            self.server,
            format_args!(
                "{method} {} SIP/2.0\r\nVia: SIP/2.0/{transport} {address};branch=z9hG4bK{run}.{index}.{generation}.{cseq}{method};rport\r\n\
                 {}{HEAD}From: <sip:{from}@{domain}>;tag={index}x{generation}\r\nTo: {}\r\n\
                 Call-ID: {index}-{generation}-{run}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n",
                call.target, call.routes, call.to
            ),
        );
    }

    fn end(&mut self, index: u32) {
        let call = &mut self.calls[index as usize];
        if matches!(call.state, State::Up | State::Ending) {
            self.up -= 1;
        }
        call.state = State::Free;
        if let Some(timer) = call.timer.take() {
            self.timers.cancel(timer);
        }
        self.free.push(index);
    }

    /// Ends every call that is up.
    pub(crate) fn hang_up(&mut self, now: Mono, line: &mut Line) {
        for index in 0..self.calls.len() as u32 {
            if self.calls[index as usize].state == State::Up {
                self.bye(now, line, index);
                line.flush();
            }
        }
    }

    fn bye(&mut self, now: Mono, line: &mut Line, index: u32) {
        let call = &mut self.calls[index as usize];
        call.state = State::Ending;
        call.wait = T1;
        let cseq = call.cseq + 1;
        self.in_dialog(line, index, "BYE", cseq);
        self.arm(now, index, T1);
    }

    pub(crate) fn timeout(&mut self, now: Mono, line: &mut Line, tally: &mut Tally) {
        while let Some((index, generation)) = self.timers.expire(now) {
            let call = &mut self.calls[index as usize];
            if call.generation != generation {
                continue;
            }
            call.timer = None;
            match call.state {
                State::Up => self.bye(now, line, index),
                State::Inviting | State::Ending if call.wait < PATIENCE => {
                    tally.again += 1;
                    line.push(self.server, Arc::clone(&call.last));
                    call.wait *= 2;
                    let wait = call.wait;
                    self.arm(now, index, wait);
                }
                State::Inviting | State::Proceeding | State::Ending => {
                    tally.timed_out += 1;
                    self.end(index);
                }
                State::Free => {}
            }
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.timers.next_deadline()
    }
}

impl Call {
    fn new() -> Call {
        Call {
            state: State::Free,
            generation: 0,
            caller: 0,
            callee: 0,
            cseq: 0,
            began: Mono(0),
            wait: T1,
            timer: None,
            last: Arc::from([]),
            to: String::new(),
            target: String::new(),
            routes: String::new(),
            media: MediaEnd { port: 9, key: None },
        }
    }
}
