//! Who called and gave up just before: told to whoever comes to a phone too late.

use crate::limits;
use calls::Party;
use clock::Mono;
use std::collections::BTreeMap;

/// The last missed caller of each account, for a short time.
#[derive(Debug, Default)]
pub(crate) struct Missed {
    callers: BTreeMap<Box<str>, (Party, Mono)>,
}

impl Missed {
    /// A caller gave up, or nobody answered.
    pub(super) fn note(&mut self, now: Mono, account: &str, caller: Party) {
        self.callers.retain(|_, (_, at)| now.since(*at) <= limits::WHO_CALLED);
        self.callers.insert(account.into(), (caller, now));
    }

    /// Who called; told once.
    pub(super) fn take(&mut self, now: Mono, account: &str) -> Option<Party> {
        let (caller, at) = self.callers.remove(account)?;
        (now.since(at) <= limits::WHO_CALLED).then_some(caller)
    }
}
