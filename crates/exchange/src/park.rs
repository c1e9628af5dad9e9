//! Park: a talk waits at a number, with music, until somebody calls that number from any phone of the office.
//!
//! ```text
//! *86 at the phone that holds it, or a transfer to *86 --> the next free number of [calls] park
//! that number, from any phone of the office            --> the talk
//! nobody in time (Config::park_limit)                  --> it rings again at the phones of who parked it, then ends
//! ```
//! A lamp that watches the number is lit while somebody waits there. An emergency call is not parked (R31).

use crate::codes::{CodeAct, Step};
use crate::dialogue::{Line, Script};
use crate::exchange::Exchange;
use crate::limits;
use crate::shown::Shown;
use calls::{CallId, Cause, LegId};
use clock::Now;
use media::Prompt;
use std::collections::BTreeMap;

/// Who waits where.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    by_number: BTreeMap<Box<str>, CallId>,
    /// Who parked a call, and from which phone; until it rings there again.
    owners: BTreeMap<CallId, (Box<str>, Box<str>)>,
}

impl Parked {
    /// The call that waits at a number.
    pub(crate) fn at(&self, number: &str) -> Option<CallId> {
        self.by_number.get(number).copied()
    }

    /// Whether a call waits somewhere.
    pub(crate) fn waits(&self, call: CallId) -> bool {
        self.owners.contains_key(&call)
    }

    /// Where a call waits.
    pub(crate) fn number_of(&self, call: CallId) -> Option<Box<str>> {
        self.by_number.iter().find(|(_, at)| **at == call).map(|(number, _)| number.clone())
    }
}

/// What those watch who watch a number of this kind.
pub(crate) fn lamp(number: &str) -> Box<str> {
    format!("park {number}").into()
}

impl Exchange {
    /// Whether calls can wait at a number: it is one of those that are kept for it, and nobody's.
    pub(crate) fn is_park(&self, number: &str) -> bool {
        self.config.park.iter().any(|known| **known == *number)
            && self.people.account_of(number).is_none()
            && self.people.group_of(number).is_none()
            && self.people.queue_of(number).is_none()
    }

    /// Whether somebody waits behind a lamp.
    pub(crate) fn lamp_is_lit(&self, watched: &str) -> Option<bool> {
        let number = watched.strip_prefix("park ")?;
        Some(self.parked.at(number).is_some() || self.cluster.elsewhere.parked_at(number).is_some())
    }

    /// The code: what this phone talks in, or holds, waits from now on.
    pub(crate) fn park_by_code(&mut self, now: Now, by: CallId, account: &str) {
        let device = self.ongoing.call(by).and_then(|ongoing| ongoing.device.clone()).unwrap_or_default();
        self.begin_code(now, by, CodeAct::Park, Script::default(), Step::Store);
        let parked =
            self.talk_at(account, &device, by).and_then(|(call, leg)| self.park(now, call, leg, account));
        match parked {
            Some(number) => self.say_done(now, by, vec![Line::Spelled(number)]),
            None => self.say_why(now, by, Prompt::NoCall, "there is no talk to park, or no free number"),
        }
    }

    /// The same by a transfer to the code. False when it cannot be parked.
    pub(crate) fn park_by_transfer(&mut self, now: Now, call: CallId, leg: LegId) -> bool {
        let Some(device) = self.switch.label(leg).map(Box::<str>::from) else { return false };
        let Some(account) = self.person_at(&device).map(Box::<str>::from) else { return false };
        match self.park(now, call, leg, &account) {
            Some(number) => {
                let text = Shown::Parked { number: &number }.text(self.language_of(&account));
                self.show_at(now, &device, &text);
                true
            }
            None => false,
        }
    }

    /// The talk of an account at this very phone.
    fn talk_at(&self, account: &str, device: &str, but: CallId) -> Option<(CallId, LegId)> {
        let own = |call: CallId| {
            let (caller, called) = self.switch.sides(call)?;
            [caller, called].into_iter().find(|leg| self.switch.label(*leg) == Some(device))
        };
        let talks = self.ongoing.of(account).filter(|(call, ongoing)| *call != but && !ongoing.emergency);
        talks.filter_map(|(call, _)| Some((call, own(call)?))).last()
    }

    fn park(&mut self, now: Now, call: CallId, leg: LegId, account: &str) -> Option<Box<str>> {
        if self.ongoing.call(call).is_none_or(|ongoing| ongoing.emergency) {
            return None;
        }
        let free = |number: &str| self.lamp_is_lit(&lamp(number)) == Some(false) && self.is_park(number);
        let number = self.config.park.iter().find(|number| free(number))?.clone();
        let device = self.switch.label(leg).map(Box::<str>::from)?;
        if !self.switch.park(now, call, leg) {
            return None;
        }
        self.switch.limit_ringing(now, call, self.config.park_limit);
        self.note_call(now, call, "park", format!("{account} parked it at {number}"));
        self.parked.by_number.insert(number.clone(), call);
        self.parked.owners.insert(call, (account.into(), device));
        self.ongoing.touch(call);
        self.tell_watchers(now, &lamp(&number));
        Some(number)
    }

    /// Somebody calls a number at which somebody waits.
    pub(crate) fn retrieve(&mut self, now: Now, by: CallId, number: &str) {
        // Only phones of the office take what waits here.
        if self.ongoing.call(by).is_none_or(|ongoing| ongoing.device.is_none()) {
            return self.fail(now, by, Cause::UnknownNumber, "");
        }
        let taken = self.parked.at(number).filter(|call| self.switch.adopt_let_go(now, by, *call));
        let Some(call) = taken else {
            self.begin_code(now, by, CodeAct::Park, Script::default(), Step::Store);
            return self.say_why(now, by, Prompt::NoCall, "nobody waits there");
        };
        let account = self.ongoing.call(by).and_then(|ongoing| ongoing.caller_account.clone());
        let parker = self.parked.owners.get(&call).map(|(account, _)| account.clone());
        if let (Some(account), Some(ongoing)) = (account, self.ongoing.call(call)) {
            let words = format!("{account} took it at {number}");
            // Whose side waited is the side of whoever took it.
            let called = ongoing.callee_account == parker;
            self.note_call(now, call, "park.taken", words);
            if called {
                self.ongoing.belongs_to(call, account);
            }
        }
        self.unpark(now, call);
    }

    /// A call does not wait any more.
    pub(crate) fn unpark(&mut self, now: Now, call: CallId) {
        self.parked.owners.remove(&call);
        let Some(number) = self.parked.number_of(call) else { return };
        self.parked.by_number.remove(&number);
        self.ongoing.touch(call);
        self.tell_watchers(now, &lamp(&number));
    }

    /// Nobody took it in time: it rings again at the phones of who parked it. False when it did not wait.
    pub(crate) fn park_is_over(&mut self, now: Now, call: CallId) -> bool {
        let Some((account, _)) = self.parked.owners.get(&call).cloned() else { return false };
        self.unpark(now, call);
        let Some(callee) = self.ongoing.call(call).map(|ongoing| ongoing.callee.clone()) else {
            return false;
        };
        if self.ring_account(now, call, &account, &callee, None) == 0 {
            return false;
        }
        self.note_call(now, call, "park.over", format!("it rings again for {account}"));
        self.switch.ring_back(call);
        self.switch.limit_ringing(now, call, limits::RETURNS);
        true
    }
}
