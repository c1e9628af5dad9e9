//! Notices that its user calls a number again and again in vain, and suggests that the exchange keeps calling (S2.5, S2.10).

use super::Agent;
use crate::limits::NUMBERS;
use crate::words::{Cause, Event};
use clock::Now;
use std::collections::BTreeMap;

/// Tells a server that we count, so that it does not suggest the same (RFC 3840 section 9: a feature tag of a maker).
pub(super) const COUNTS: &str = ";+ringdown.keep-calling";

/// When to suggest it, and what is dialled after a yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggest {
    /// Calls to one number in a row that nobody answered.
    pub after: u8,
    /// What is dialled before the number.
    pub code: Box<str>,
}

/// What is known of the numbers that were called in vain.
#[derive(Debug, Default)]
pub(super) struct InVain {
    /// How often in a row; zero when it was suggested, which is done once until somebody answers.
    numbers: BTreeMap<Box<str>, Option<u8>>,
    /// What was suggested last and has no answer yet.
    pub(super) asked: Option<Box<str>>,
}

impl Agent {
    /// A call of ours or theirs is over: what it means for the next time.
    pub(super) fn count(&mut self, number: &str, cause: &Cause) {
        let Some(suggest) = self.config.suggest.clone().filter(|suggest| suggest.after > 0) else { return };
        let in_vain = match cause {
            Cause::Cancelled | Cause::NoResponse => true,
            // Busy, nobody there, nobody answers: another time it may be different.
            Cause::Refused { status, .. } => matches!(status, 408 | 480 | 486 | 487 | 600),
            _ => false,
        };
        let talked = matches!(cause, Cause::WeHungUp | Cause::TheyHungUp | Cause::Transferred | Cause::Lost);
        let known = &mut self.in_vain.numbers;
        if talked {
            known.remove(number);
        }
        let code = number.starts_with(&*suggest.code);
        if !in_vain || code || (known.len() >= NUMBERS && !known.contains_key(number)) {
            return;
        }
        let Some(count) = known.entry(number.into()).or_insert(Some(0)) else { return };
        *count = count.saturating_add(1);
        let calls = *count;
        if calls >= suggest.after {
            known.insert(number.into(), None);
            self.in_vain.asked = Some(number.into());
            self.tell(Event::Suggested { number: number.to_owned(), calls });
        }
    }

    /// The user says yes or no to what was suggested last. Only a yes sends anything.
    pub(super) fn keep_calling(&mut self, now: Now, yes: bool) {
        let Some(number) = self.in_vain.asked.take() else { return self.cannot("nothing was suggested") };
        if let Some(suggest) = self.config.suggest.clone().filter(|_| yes) {
            self.dial(now, &format!("{}{number}", suggest.code));
        }
    }
}
