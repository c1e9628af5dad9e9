//! Reliable provisional responses (RFC 3262): numbers, repeats and order; both roles.

use crate::transaction::{T1, TRANSACTION_LIMIT};
use std::time::Duration;
use wire::sip::{CSeq, HeaderName, Message};

/// What a PRACK acknowledges (RFC 3262 section 7.2): `RAck: 776656 1 INVITE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RAck {
    /// The response's RSeq.
    pub response: u32,
    /// The request's CSeq number.
    pub sequence: u32,
}

impl RAck {
    /// Reads the RAck header of a PRACK for an INVITE; `None` when it is missing or malformed.
    #[must_use]
    pub fn of(message: &Message<'_>) -> Option<RAck> {
        let text = std::str::from_utf8(message.value(HeaderName::RAck)?).ok()?;
        let mut words = text.split_ascii_whitespace();
        let rack = RAck { response: words.next()?.parse().ok()?, sequence: words.next()?.parse().ok()? };
        (words.next() == Some("INVITE") && words.next().is_none()).then_some(rack)
    }
}

/// The RSeq of a response that demands a PRACK.
#[must_use]
pub fn demanded(response: &Message<'_>) -> Option<u32> {
    if !response.has_token(HeaderName::Require, "100rel") {
        return None;
    }
    std::str::from_utf8(response.value(HeaderName::RSeq)?).ok()?.trim().parse().ok()
}

/// The server's side: one unacknowledged response at a time (RFC 3262 section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    next: u32,
    request: u32,
    waiting: Option<Waiting>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    response: u32,
    interval: Duration,
    elapsed: Duration,
}

impl Sender {
    /// For the INVITE with this CSeq; the first RSeq is drawn from 1 to 2^31 - 1.
    #[must_use]
    pub fn new(request: CSeq<'_>, random: u64) -> Sender {
        Sender { next: (random as u32 >> 1).max(1), request: request.number, waiting: None }
    }

    /// Whether a response still waits for its PRACK.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// The RSeq for a new reliable response, and the wait before its first repeat.
    pub fn send(&mut self) -> (u32, Duration) {
        let response = self.next;
        self.next += 1;
        self.waiting = Some(Waiting { response, interval: T1, elapsed: Duration::ZERO });
        (response, T1)
    }

    /// Whether this PRACK acknowledges what waits (else it gets a 481).
    pub fn acknowledge(&mut self, rack: RAck) -> bool {
        let expected = self.waiting.as_ref().map(|waiting| waiting.response);
        let right = expected == Some(rack.response) && rack.sequence == self.request;
        if right {
            self.waiting = None;
        }
        right
    }

    /// The repeat timer fired: the wait before the next, or `None` after 64 x T1, when the INVITE deserves a 5xx.
    pub fn repeat(&mut self) -> Option<Duration> {
        let waiting = self.waiting.as_mut()?;
        waiting.elapsed += waiting.interval;
        waiting.interval *= 2;
        (waiting.elapsed < TRANSACTION_LIMIT).then_some(waiting.interval)
    }
}

/// The client's side: takes responses in order, each once (RFC 3262 section 4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receiver {
    last: Option<u32>,
}

impl Receiver {
    /// Whether a response with this RSeq is the next one and deserves a PRACK; repeats and strays do not.
    pub fn accept(&mut self, response: u32) -> bool {
        let next = self.last.is_none_or(|last| response == last.wrapping_add(1));
        if next {
            self.last = Some(response);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::sip::Method;

    #[test]
    fn a_response_is_repeated_until_its_prack_or_32_seconds() {
        let cseq = CSeq { number: 7, method: Method::Invite };
        let mut sender = Sender::new(cseq, 40);
        let (response, mut wait) = sender.send();
        let mut total = wait;
        while let Some(next) = sender.repeat() {
            wait = next;
            total += wait;
        }
        assert!(total >= TRANSACTION_LIMIT);
        assert!(!sender.acknowledge(RAck { response, sequence: 8 }));
        assert!(!sender.acknowledge(RAck { response: response + 1, sequence: 7 }));
        assert!(sender.acknowledge(RAck { response, sequence: 7 }));
        assert!(!sender.is_waiting());
    }

    #[test]
    fn responses_are_taken_in_order_and_once() {
        let mut receiver = Receiver::default();
        let taken: Vec<bool> = [5, 5, 7, 6, 6, 7].into_iter().map(|r| receiver.accept(r)).collect();
        assert_eq!(taken, [true, false, false, true, false, true]);
    }
}
