//! The calls that are going on, as the office sees them: whose they are, for busy lamps, loops and lists.

use calls::{CallId, Party};
use sip::subscription::DialogState;
use std::collections::{BTreeMap, BTreeSet};

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Ongoing {
    /// The calling device, so that it does not ring for itself.
    pub(crate) device: Option<Box<str>>,
    /// Who called, and whose account that is.
    pub(crate) caller: Party,
    pub(crate) caller_account: Option<Box<str>>,
    /// Who is called, and whose account that is.
    pub(crate) callee: Party,
    pub(crate) callee_account: Option<Box<str>>,
    /// The session, by which a loop is seen (R9).
    pub(crate) session_id: Box<str>,
    pub(crate) state: DialogState,
    /// Whom it is being transferred to, that one's account, and whether the caller does it.
    pub(crate) moving: Option<(Party, Box<str>, bool)>,
}

impl Ongoing {
    /// The accounts that take part.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &str> {
        let callee =
            self.callee_account.as_deref().filter(|callee| self.caller_account.as_deref() != Some(callee));
        self.caller_account.as_deref().into_iter().chain(callee)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct OngoingCalls {
    calls: BTreeMap<CallId, Ongoing>,
    by_account: BTreeMap<Box<str>, BTreeSet<CallId>>,
    /// Which number each session asks for.
    sessions: BTreeSet<(Box<str>, Box<str>)>,
}

impl OngoingCalls {
    /// Notes a new call; false when its session asks for that number already: a loop (R9).
    pub(crate) fn begin(&mut self, call: CallId, ongoing: Ongoing) -> bool {
        let session = (ongoing.session_id.clone(), ongoing.callee.number.clone());
        if !self.sessions.insert(session) {
            return false;
        }
        for account in ongoing.accounts() {
            self.by_account.entry(account.into()).or_default().insert(call);
        }
        self.calls.insert(call, ongoing);
        true
    }

    /// Forgets a call.
    pub(crate) fn end(&mut self, call: CallId) -> Option<Ongoing> {
        let ongoing = self.calls.remove(&call)?;
        self.sessions.remove(&(ongoing.session_id.clone(), ongoing.callee.number.clone()));
        for account in ongoing.accounts() {
            if let Some(calls) = self.by_account.get_mut(account) {
                calls.remove(&call);
                if calls.is_empty() {
                    self.by_account.remove(account);
                }
            }
        }
        Some(ongoing)
    }

    pub(crate) fn call(&self, call: CallId) -> Option<&Ongoing> {
        self.calls.get(&call)
    }

    pub(crate) fn call_mut(&mut self, call: CallId) -> Option<&mut Ongoing> {
        self.calls.get_mut(&call)
    }

    /// The calls of an account, oldest name first.
    pub(crate) fn of(&self, account: &str) -> impl Iterator<Item = (CallId, &Ongoing)> {
        let calls = self.by_account.get(account).into_iter().flatten();
        calls.filter_map(|call| Some((*call, self.calls.get(call)?)))
    }
}
