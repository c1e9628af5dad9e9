//! What becomes of a message after a carrier was asked, pure: who is asked next, and when.

use crate::config::Carrier;
use std::time::Duration;
use store::{Delivery, KeptMessage, MessageState};

/// After the first failure; each further one doubles it.
const FIRST: Duration = Duration::from_secs(2);
/// Between two attempts at most.
pub(super) const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Characters of an answer that are kept.
const ANSWER: usize = 200;

/// How carriers are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// Who is asked, in order.
    pub(super) carriers: Vec<Carrier>,
    /// How often each is.
    pub(super) attempts: u32,
    /// How old a message may become.
    pub(super) lives: Duration,
}

/// What a carrier said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It has the message, and knows its parts by these names if it tells what becomes of them.
    Taken { answer: String, references: Vec<String> },
    /// Not now, or nobody knows; it may be asked again, after this long if it says so.
    Later { answer: String, after: Option<Duration> },
    /// Never.
    Refused { answer: String },
}

impl Rules {
    /// Who is to be asked about a message.
    ///
    /// # Errors
    /// How far it came when nobody is: nobody can carry it, or it is too old, as one that was written long before anything was
    /// set that carries it.
    pub(super) fn carrier(&self, message: &KeptMessage, now: i64) -> Result<Carrier, Delivery> {
        if self.old(message, now) {
            return Err(given_up(message, now, "it is too old"));
        }
        let named = message.delivery.carrier.as_deref();
        // One that was taken out of the order meanwhile is not asked again: it begins anew.
        let at = self.carriers.iter().position(|carrier| Some(carrier.name()) == named).unwrap_or(0);
        self.able(message, at).ok_or_else(|| given_up(message, now, "there is no mobile number"))
    }

    fn old(&self, message: &KeptMessage, now: i64) -> bool {
        now.saturating_sub(message.at) >= milliseconds(self.lives)
    }

    /// The first from a place in the order on that can carry a message at all.
    fn able(&self, message: &KeptMessage, from: usize) -> Option<Carrier> {
        let able = |carrier: &&Carrier| **carrier == Carrier::Sip || message.mobile.is_some();
        self.carriers.iter().skip(from).find(able).copied()
    }

    /// How far a message came when a carrier was asked; `now` in milliseconds since 1970 UTC.
    pub(super) fn after(
        &self,
        message: &KeptMessage,
        asked: Carrier,
        outcome: &Outcome,
        now: i64,
    ) -> Delivery {
        let known = &message.delivery;
        let again = known.carrier.as_deref() == Some(asked.name());
        let tries = if again { known.tries + 1 } else { 1 };
        let attempts = known.attempts + 1;
        let (Outcome::Taken { answer, .. } | Outcome::Later { answer, .. } | Outcome::Refused { answer }) =
            outcome;
        let answer = shortened(answer);
        let carrier = Some(asked.name().to_owned());
        let delivery = Delivery {
            state: MessageState::Accepted,
            carrier,
            tries,
            attempts,
            next: now,
            changed: now,
            answer,
        };
        let place = self.carriers.iter().position(|carrier| *carrier == asked).unwrap_or(0);
        let state = MessageState::Waiting;
        match outcome {
            Outcome::Taken { .. } => delivery,
            _ if self.old(message, now) => Delivery { state: MessageState::Failed, ..delivery },
            Outcome::Later { after, .. } if tries < self.attempts => {
                let pause =
                    after.map_or_else(|| pause(&message.key, tries), |after| after.clamp(FIRST, LONGEST));
                Delivery { state, next: now.saturating_add(milliseconds(pause)), ..delivery }
            }
            _ => match self.able(message, place + 1) {
                Some(next) => Delivery { state, carrier: Some(next.name().to_owned()), tries: 0, ..delivery },
                None => Delivery { state: MessageState::Failed, ..delivery },
            },
        }
    }
}

fn given_up(message: &KeptMessage, now: i64, why: &str) -> Delivery {
    let answer = why.to_owned();
    Delivery { state: MessageState::Failed, changed: now, answer, ..message.delivery.clone() }
}

/// Whether a message's turn has come. One that lies further ahead than any pause was written before the clock was set back.
pub(super) fn due(message: &KeptMessage, now: i64) -> bool {
    let ahead = message.delivery.next.saturating_sub(now);
    ahead <= 0 || ahead > milliseconds(2 * LONGEST)
}

/// How long to wait after so many failures: up to a fifth more or less, so that not all come back at once.
fn pause(key: &str, failures: u32) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(LONGEST);
    let spread =
        key.bytes().fold(failures, |sum, octet| sum.wrapping_mul(31).wrapping_add(octet.into())) % 401;
    doubled * (800 + spread) / 1_000
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// What a carrier said, on one line and not too long.
pub(super) fn shortened(answer: &str) -> String {
    let line: String =
        answer.chars().map(|one| if one.is_control() { ' ' } else { one }).take(ANSWER).collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn message(mobile: Option<&str>) -> KeptMessage {
        let delivery = Delivery {
            state: MessageState::Waiting,
            carrier: None,
            tries: 0,
            attempts: 0,
            next: 0,
            changed: 0,
            answer: String::new(),
        };
        let (key, account, text) = ("k".to_owned(), "ada".to_owned(), "missed".to_owned());
        KeptMessage { key, account, mobile: mobile.map(str::to_owned), at: NOW, task: 1, text, delivery }
    }

    fn rules() -> Rules {
        let carriers = vec![Carrier::Http, Carrier::Sip];
        Rules { carriers, attempts: 3, lives: Duration::from_secs(3_600) }
    }

    fn later() -> Outcome {
        Outcome::Later { answer: "down".into(), after: None }
    }

    #[test]
    fn each_carrier_is_asked_a_bounded_number_of_times_with_longer_and_longer_pauses() {
        let (mut one, mut now) = (message(Some("+861")), NOW);
        let mut asked = Vec::new();
        while let (MessageState::Waiting, Ok(carrier)) = (one.delivery.state, rules().carrier(&one, now)) {
            assert!(due(&one, now) && !due(&one, now - 1) || one.delivery.next == 0);
            one.delivery = rules().after(&one, carrier, &later(), now);
            asked.push((carrier, one.delivery.next - now));
            now = one.delivery.next;
        }
        let carriers: Vec<Carrier> = asked.iter().map(|(carrier, _)| *carrier).collect();
        assert_eq!(carriers, [[Carrier::Http; 3], [Carrier::Sip; 3]].concat());
        let waits: Vec<i64> = asked.iter().map(|(_, wait)| *wait).collect();
        assert!((1_600..=2_400).contains(&waits[0]) && (3_200..=4_800).contains(&waits[1]), "{waits:?}");
        assert_eq!(waits[2], 0, "the next carrier is asked at once");
        assert_eq!((one.delivery.state, one.delivery.attempts), (MessageState::Failed, 6));
    }

    #[test]
    fn a_refusal_passes_on_at_once_and_who_takes_it_has_it() {
        let mut one = message(Some("+861"));
        let refused = Outcome::Refused { answer: "status 400\r\n".into() };
        one.delivery = rules().after(&one, Carrier::Http, &refused, NOW);
        assert_eq!((one.delivery.carrier.as_deref(), &*one.delivery.answer), (Some("sip"), "status 400"));
        let taken = Outcome::Taken { answer: "shown".into(), references: vec![] };
        one.delivery = rules().after(&one, Carrier::Sip, &taken, NOW);
        assert_eq!((one.delivery.state, one.delivery.tries), (MessageState::Accepted, 1));
        let late = rules().after(&message(Some("+861")), Carrier::Http, &later(), NOW + 3_600_000);
        assert_eq!(late.state, MessageState::Failed, "it is too old");
    }

    #[test]
    fn without_a_mobile_number_only_telephones_are_asked() {
        assert_eq!(rules().carrier(&message(None), NOW), Ok(Carrier::Sip));
        let rules = Rules { carriers: vec![Carrier::Http], ..rules() };
        let stranded = rules.carrier(&message(None), NOW).unwrap_err();
        assert_eq!((stranded.state, &*stranded.answer), (MessageState::Failed, "there is no mobile number"));
    }

    #[test]
    fn one_that_lay_too_long_is_given_up_unasked() {
        let one = message(Some("+861"));
        assert_eq!(rules().carrier(&one, NOW + 3_599_999), Ok(Carrier::Http));
        let given_up = rules().carrier(&one, NOW + 3_600_000).unwrap_err();
        assert_eq!((given_up.state, given_up.attempts), (MessageState::Failed, 0));
    }

    #[test]
    fn what_the_carrier_asks_for_is_kept_within_bounds_and_a_clock_set_back_holds_nothing_up() {
        let of =
            |seconds| Outcome::Later { answer: String::new(), after: Some(Duration::from_secs(seconds)) };
        let one = message(Some("+861"));
        for (asked, waits) in [(0, 2_000), (60, 60_000), (86_400, 900_000)] {
            assert_eq!(rules().after(&one, Carrier::Http, &of(asked), NOW).next, NOW + waits);
        }
        let mut ahead = message(None);
        ahead.delivery.next = NOW + 3_600_000;
        assert!(due(&ahead, NOW));
    }
}
