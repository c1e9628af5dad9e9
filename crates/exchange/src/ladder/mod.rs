//! Message ladders (R23): what each call sent and received, in one ring in memory that is bounded in octets.
//!
//! Always on and never stored. While a message passes, its first octets are copied and its lines are looked at once for
//! the headers that tell whose it is; everything else waits until somebody asks ([`Command::Ladder`](crate::Command)).

mod redact;
mod ring;

use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::limits;
use clock::{Now, Wall};
use directory::Named as _;
use ring::{Entry, Ring};
use sip::Flow;
use std::collections::{BTreeMap, BTreeSet};

/// One message of a call, as it may be shown (R32).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// When it passed.
    pub at: Wall,
    /// Sent by the exchange, else received.
    pub sent: bool,
    /// The device, trunk or exchange at the other end, or its flow when it is nobody's.
    pub who: Box<str>,
    /// The path that it took.
    pub flow: Box<str>,
    /// Its first octets, without what R32 keeps back.
    pub text: String,
}

/// One message of a call for a capture file, without what R32 keeps back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// When it passed.
    pub at: Wall,
    /// Sent by the exchange, else received.
    pub sent: bool,
    /// The path that it took.
    pub flow: Flow,
    /// The message.
    pub octets: Vec<u8>,
}

/// All messages of late.
#[derive(Debug, Default)]
pub(crate) struct Ladder {
    ring: Ring,
    now: Wall,
}

impl Ladder {
    /// Takes all its memory now.
    pub(crate) fn warm_up(&mut self) {
        self.ring.warm_up();
    }

    /// What passes from now on passes at this time.
    pub(crate) fn set_time(&mut self, now: Wall) {
        self.now = now;
    }

    /// A message passes. Those of registrations and watchers are not kept: they are many, and of no call.
    pub(crate) fn keep(&mut self, sent: bool, flow: Flow, message: &[u8]) {
        if let Some(marks) = marks(message) {
            let entry = Entry { at: self.now, sent, flow, call: marks.call, session: marks.session };
            self.ring.push(entry, message);
        }
    }

    /// The messages with this Call-ID, of which the newest is at hand, are of this call.
    pub(crate) fn link(&mut self, session_id: &str, call_id: &str) {
        self.ring.mark(digest(call_id.as_bytes()), digest(session_id.as_bytes()));
    }

    /// The messages of a call, by its Session-ID; without one, of the last call that began.
    fn of(&self, session_id: Option<&str>) -> Vec<(Entry, &[u8])> {
        let entries = || self.ring.entries();
        let asked = session_id.map(|text| digest(text.to_ascii_lowercase().as_bytes()));
        let newest = || entries().filter_map(|(entry, _)| entry.session).last();
        let Some(session) = asked.or_else(newest) else { return Vec::new() };
        let calls: BTreeSet<u64> = entries()
            .filter(|(entry, _)| entry.session == Some(session))
            .map(|(entry, _)| entry.call)
            .collect();
        let of_it = entries().filter(|(entry, _)| calls.contains(&entry.call));
        of_it.take(limits::LADDER_RUNGS).collect()
    }
}

impl Exchange {
    /// What a call sent and received, in the order of time.
    pub(crate) fn ladder_of(&self, session_id: Option<&str>) -> Vec<Rung> {
        let found = self.ladder.of(session_id);
        let flows: BTreeSet<Flow> = found.iter().map(|(entry, _)| entry.flow).collect();
        let names = self.names_of(&flows);
        let rung = |(entry, octets): (Entry, &[u8])| Rung {
            at: entry.at,
            sent: entry.sent,
            who: names.get(&entry.flow).map_or_else(|| entry.flow.to_string().into(), |name| (*name).into()),
            flow: entry.flow.to_string().into(),
            text: redact::shown(octets),
        };
        found.into_iter().map(rung).collect()
    }

    /// What a call sent and received, for a capture file. Whoever takes the bodies, too, leaves a fact (R32).
    pub(crate) fn capture_of(
        &mut self,
        now: Now,
        session_id: Option<&str>,
        bodies: Option<&str>,
    ) -> Vec<Captured> {
        let capture = |(entry, octets): (Entry, &[u8])| Captured {
            at: entry.at,
            sent: entry.sent,
            flow: entry.flow,
            octets: redact::captured(octets, bodies.is_some()),
        };
        let captured: Vec<Captured> = self.ladder.of(session_id).into_iter().map(capture).collect();
        if let (Some(who), Some(session), false) = (bodies, session_id, captured.is_empty()) {
            let words = format!("{who} took the messages of the call with their bodies");
            self.note(now, FactKind::Call, &session.to_ascii_lowercase(), "capture.bodies", words);
        }
        captured
    }

    /// Who is at the other end of flows now.
    fn names_of(&self, flows: &BTreeSet<Flow>) -> BTreeMap<Flow, &str> {
        let mut names = BTreeMap::new();
        if flows.is_empty() {
            return names;
        }
        for flow in flows {
            if let Some(trunk) = self.people.trunk_at(flow.remote.ip(), flow.remote.port()) {
                names.insert(*flow, trunk);
            }
            if let Some(exchange) = self.sites.exchange_at(*flow) {
                names.insert(*flow, exchange.as_str());
            }
            if let Some(app) = self.sites.app_at(*flow) {
                names.insert(*flow, app.as_str());
            }
        }
        for (device, _) in self.people.devices() {
            for binding in self.registrar.bindings(device) {
                if flows.contains(&binding.flow) {
                    names.insert(binding.flow, device);
                }
            }
        }
        names
    }
}

/// Whose a message is.
struct Marks {
    call: u64,
    session: Option<u64>,
}

/// Looks at the header lines once. `None` when it is no message of a call.
fn marks(message: &[u8]) -> Option<Marks> {
    // Registrations are most of the traffic of an idle office: known by the first octets.
    if !message.first()?.is_ascii_alphabetic() || is_outside_of_calls(message) {
        return None;
    }
    let (mut call, mut session) = (None, None);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', message) {
        let line = &message[start..end];
        start = end + 1;
        if line.len() < 2 {
            break;
        }
        match line[0] | 0x20 {
            b'c' if named(line, b"call-id") => call = value(line).map(digest),
            b'i' if named(line, b"i") => call = value(line).map(digest),
            b'c' if named(line, b"cseq") => {
                let method = value(line)?.split(|&octet| octet == b' ').next_back().unwrap_or_default();
                if is_outside_of_calls(method) {
                    return None;
                }
            }
            b's' if named(line, b"session-id") => {
                let half = value(line)?.get(..32).map(<[u8]>::to_ascii_lowercase);
                session =
                    half.filter(|half| half.iter().any(|&octet| octet != b'0')).map(|half| digest(&half));
            }
            _ => {}
        }
    }
    Some(Marks { call: call?, session })
}

/// Whether a request line or a method is one that belongs to no call.
fn is_outside_of_calls(start: &[u8]) -> bool {
    [&b"REGISTER"[..], b"OPTIONS", b"SUBSCRIBE", b"PUBLISH", b"MESSAGE"]
        .iter()
        .any(|method| start.starts_with(method))
}

/// Whether a header line has this name, written in lower case here.
fn named(line: &[u8], name: &[u8]) -> bool {
    let Some((start, rest)) = line.split_at_checked(name.len()) else { return false };
    start.eq_ignore_ascii_case(name) && rest.trim_ascii_start().starts_with(b":")
}

fn value(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|&octet| octet == b':')?;
    Some(line[colon + 1..].trim_ascii())
}

/// FNV-1a: names are compared by it; who makes two of them alike mixes his own ladders.
fn digest(text: &[u8]) -> u64 {
    text.iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, &octet| (sum ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
