//! Key presses in the sound's stream (RFC 4733): one key at a time out, each once in.

use crate::limits::KEYS;
use std::collections::VecDeque;
use wire::telephone_event::Event;

const LETTERS: &[u8; 16] = b"0123456789*#ABCD";
/// In packets of 20 ms: how long a key is down, and the pause after it (RFC 4733 2.5.1.2 wants both audible).
const DOWN: u16 = 6;
const UP: u16 = 5;
/// The end is said three times (RFC 4733 2.5.1.4).
const ENDS: u16 = 3;

/// What the stream carries instead of sound in one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) event: Event,
    /// Packets since the key went down: the timestamp stays there.
    pub(super) since: u16,
    pub(super) first: bool,
}

/// Keys to press.
#[derive(Debug, Default)]
pub(super) struct Presses {
    waiting: VecDeque<u8>,
    /// The key that is down, and the packets since.
    now: Option<(u8, u16)>,
}

impl Presses {
    pub(super) fn push(&mut self, key: char) {
        let code = LETTERS.iter().position(|letter| char::from(*letter) == key);
        if let Some(code) = code.and_then(|code| u8::try_from(code).ok())
            && self.waiting.len() < KEYS
        {
            self.waiting.push_back(code);
        }
    }

    /// What this packet carries, if not sound. `ticks` is the length of a packet on the RTP clock.
    pub(super) fn next(&mut self, ticks: u16) -> Option<Report> {
        let (code, passed) = match self.now {
            Some(now) => now,
            None => (self.waiting.pop_front()?, 0),
        };
        self.now = (passed + 1 < DOWN + ENDS + UP).then_some((code, passed + 1));
        if passed >= DOWN + ENDS {
            return None;
        }
        let held = (passed + 1).min(DOWN);
        let event = Event { code, end: passed >= DOWN, volume: 10, duration: held.saturating_mul(ticks) };
        Some(Report { event, since: passed, first: passed == 0 })
    }
}

/// Keys that arrive.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    last: Option<u32>,
}

impl Arrivals {
    /// The key of a packet, the first time that it is seen; `timestamp` names the press.
    pub(super) fn take(&mut self, timestamp: u32, payload: &[u8]) -> Option<char> {
        let event = Event::parse(payload)?;
        let letter = LETTERS.get(usize::from(event.code))?;
        if self.last == Some(timestamp) {
            return None;
        }
        self.last = Some(timestamp);
        Some(char::from(*letter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_arrives_once_and_in_order() {
        let (mut presses, mut arrivals) = (Presses::default(), Arrivals::default());
        "1*#D1".chars().for_each(|key| presses.push(key));
        let (mut heard, mut began, mut ends) = (String::new(), 0, 0);
        for packet in 0..200_u32 {
            if let Some(report) = presses.next(160) {
                if report.first {
                    began = packet * 160;
                }
                ends += u32::from(report.event.end);
                heard.extend(arrivals.take(began, &report.event.to_bytes()));
            }
        }
        assert_eq!((heard.as_str(), ends), ("1*#D1", 15));
    }
}
