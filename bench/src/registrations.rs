//! Phones that register: REGISTER, the challenge, REGISTER with credentials, 200.

use crate::callee::T1;
use crate::line::Line;
use crate::login::{Login, number};
use crate::tally::Tally;
use clock::{Mono, TimerId, Wheel};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use wire::sip::{Message, Method};

const PATIENCE: Duration = Duration::from_secs(4);

#[derive(Default)]
struct Phone {
    login: Login,
    cseq: u32,
    tries: u32,
    began: Mono,
    wait: Duration,
    timer: Option<TimerId>,
    last: Option<Arc<[u8]>>,
}

/// All registering phones; they share a line.
pub(crate) struct Registrations {
    server: SocketAddr,
    domain: String,
    phones: Vec<Phone>,
    timers: Wheel<u32>,
    busy: usize,
    run: u32,
    /// Who got a 200, and when.
    confirmed: Vec<(u32, Mono)>,
}

impl Registrations {
    pub(crate) fn new(server: SocketAddr, domain: &str, count: u32) -> Registrations {
        Registrations {
            server,
            domain: domain.to_owned(),
            phones: (0..count).map(|_| Phone::default()).collect(),
            timers: Wheel::new(),
            busy: 0,
            run: std::process::id(),
            confirmed: Vec::new(),
        }
    }

    /// Gives up what is under way; returns who was confirmed, and when.
    pub(crate) fn stop(&mut self) -> Vec<(u32, Mono)> {
        for index in 0..self.phones.len() as u32 {
            if self.phones[index as usize].last.is_some() {
                self.end(index);
            }
        }
        std::mem::take(&mut self.confirmed)
    }

    pub(crate) fn under_way(&self) -> usize {
        self.busy
    }

    /// Begins one refresh, without the nonce of the last one; nothing if the phone is still at it.
    pub(crate) fn begin(&mut self, now: Mono, line: &mut Line, index: u32, tally: &mut Tally) {
        let phone = &mut self.phones[index as usize];
        if phone.last.is_some() {
            return;
        }
        phone.login.forget();
        (phone.began, phone.tries) = (now, 0);
        self.busy += 1;
        tally.begun += 1;
        self.send(now, line, index);
    }

    fn send(&mut self, now: Mono, line: &mut Line, index: u32) {
        let (user, domain, address, run) = (number(index), &self.domain, line.address, self.run);
        let phone = &mut self.phones[index as usize];
        phone.cseq += 1;
        phone.tries += 1;
        phone.wait = T1;
        let cseq = phone.cseq;
        let uri = format!("sip:{domain}");
        let credentials = phone.login.line(&user, Method::Register, &uri);
        phone.last = Some(line.say(
            self.server,
            format_args!(
                "REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK{run}.r{index}.{cseq};rport\r\n\
                 Max-Forwards: 70\r\nUser-Agent: bench\r\nFrom: <sip:{user}@{domain}>;tag=r{index}\r\n\
                 To: <sip:{user}@{domain}>\r\nCall-ID: r-{index}-{run}\r\nCSeq: {cseq} REGISTER\r\n\
                 Contact: <sip:{user}@{address}>\r\nExpires: 3600\r\n{credentials}Content-Length: 0\r\n\r\n"
            ),
        ));
        self.arm(now, index, T1);
    }

    fn arm(&mut self, now: Mono, index: u32, wait: Duration) {
        self.disarm(index);
        self.phones[index as usize].timer = Some(self.timers.insert(now + wait, index));
    }

    fn disarm(&mut self, index: u32) {
        if let Some(timer) = self.phones[index as usize].timer.take() {
            self.timers.cancel(timer);
        }
    }

    pub(crate) fn response(&mut self, now: Mono, line: &mut Line, message: &Message<'_>, tally: &mut Tally) {
        let (Some(status), Ok(call_id), Ok(cseq)) = (message.status(), message.call_id(), message.cseq())
        else {
            return;
        };
        let index = call_id.strip_prefix("r-").and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        let Some(index) = index.filter(|index| (*index as usize) < self.phones.len()) else { return };
        let phone = &mut self.phones[index as usize];
        if phone.cseq != cseq.number || phone.last.is_none() || status < 200 {
            return;
        }
        if matches!(status, 401 | 407) && phone.tries < 2 {
            tally.challenged += 1;
            phone.login.challenged(message.raw());
            return self.send(now, line, index);
        }
        if status == 200 {
            tally.done += 1;
            self.confirmed.push((index, now));
            tally.took(now.since(phone.began).as_micros() as u64);
        } else {
            tally.failed += 1;
            tally.status = status;
        }
        self.end(index);
    }

    fn end(&mut self, index: u32) {
        self.disarm(index);
        self.phones[index as usize].last = None;
        self.busy -= 1;
    }

    pub(crate) fn timeout(&mut self, now: Mono, line: &mut Line, tally: &mut Tally) {
        while let Some(index) = self.timers.expire(now) {
            let phone = &mut self.phones[index as usize];
            phone.timer = None;
            let Some(last) = &phone.last else { continue };
            if phone.wait > PATIENCE {
                tally.timed_out += 1;
                self.end(index);
                continue;
            }
            tally.again += 1;
            line.push(self.server, Arc::clone(last));
            phone.wait *= 2;
            let wait = phone.wait;
            self.arm(now, index, wait);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.timers.next_deadline()
    }
}
