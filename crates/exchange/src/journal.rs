//! Calls that are going on, as the store knows them: written behind the call, so that a call that dies with its
//! exchange still leaves its one record (R20).
//!
//! ```text
//! INVITE --> OpenCall --> answered: OpenCall again --> over: Record, which closes the entry
//!                 \--- the exchange dies: at the next start the store closes what is open as "node lost"
//! ```
//! Nothing waits for these rows: they are collected with the records, and a call that is over at once costs none.

use crate::change::{Change, OpenCall};
use crate::exchange::{Exchange, Promise};
use calls::CallId;
use clock::Now;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the store was told of each running call.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    calls: BTreeMap<CallId, Arc<OpenCall>>,
    /// Their names in the store.
    keys: BTreeSet<(Arc<str>, Arc<str>)>,
}

impl Journal {
    /// Whether a call still goes on: what comes late may not open it again after its record.
    pub(crate) fn holds(&self, open: &OpenCall) -> bool {
        self.keys.contains(&(open.session_id.clone(), open.dialled.clone()))
    }
}

impl Exchange {
    /// A call begins.
    pub(crate) fn journal_call(&mut self, now: Now, call: CallId) {
        let Some(ongoing) = self.ongoing.call(call) else { return };
        let open = Arc::new(OpenCall {
            session_id: ongoing.session_id.clone(),
            dialled: ongoing.callee.number.clone(),
            caller: ongoing.caller.clone(),
            answered_by: Box::default(),
            started: now.wall,
            answered: None,
            task: self.background.task_of(call).map(|task| task.0),
        });
        self.journal.keys.insert((open.session_id.clone(), open.dialled.clone()));
        self.journal.calls.insert(call, Arc::clone(&open));
        self.commit(now, vec![Change::OpenCall(open)], Promise::Nothing);
    }

    /// Somebody answered it.
    pub(crate) fn journal_answer(&mut self, now: Now, call: CallId) {
        // Beside the caller there may be phones that still ring; then nobody is named.
        let answered_by: Box<str> = {
            let mut others = self.switch.labels(call).skip(1);
            match (others.next(), others.next()) {
                (Some(one), None) => one.into(),
                _ => Box::default(),
            }
        };
        let Some(open) = self.journal.calls.get_mut(&call) else { return };
        let told = Arc::make_mut(open);
        told.answered_by = answered_by;
        told.answered.get_or_insert(now.wall);
        let change = Change::OpenCall(Arc::clone(open));
        self.commit(now, vec![change], Promise::Nothing);
    }

    /// The store has lost what it had of us: it is told of all calls again.
    pub(crate) fn store_calls_anew(&mut self, now: Now) {
        let changes = self.journal.calls.values().cloned().map(Change::OpenCall).collect();
        self.commit(now, changes, Promise::Nothing);
    }

    /// Its record closes it.
    pub(crate) fn journal_end(&mut self, call: CallId) {
        if let Some(open) = self.journal.calls.remove(&call) {
            self.journal.keys.remove(&(Arc::clone(&open.session_id), Arc::clone(&open.dialled)));
        }
    }
}
