//! Whoever was told that a call rings for them is told once when it does so no more: no notice is left behind, none is of a
//! call that is over, or that was answered since. (A talk that is given back rings anew, and is told anew.)

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::{Mono, Wall};
use exchange::{CallName, CallState, Event, Happened, LiveCall};
use std::collections::BTreeMap;

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct Notices {
    /// Since when.
    shown: BTreeMap<(OfficeId, CallName, Box<str>), Wall>,
}

impl Checker for Notices {
    fn name(&self) -> &'static str {
        "each notice is withdrawn once, and none is of a call that does not ring"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::Event { office, event } => self.hear(*office, event),
            Observed::Live { office, calls, .. } => self.compare(*office, calls),
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        match self.shown.keys().next() {
            Some((_, call, account)) => Err(format!("the notice of {call} for {account} is left")),
            None => Ok(()),
        }
    }
}

impl Notices {
    fn hear(&mut self, office: OfficeId, event: &Event) -> Result<(), String> {
        match &event.what {
            Happened::NoticeShown(notice) => {
                let key = (office, notice.call.clone(), notice.account.clone());
                match self.shown.insert(key, event.at) {
                    None => Ok(()),
                    Some(_) => Err(format!("{} was told twice of {}", notice.account, notice.call)),
                }
            }
            Happened::NoticeWithdrawn { call, account, .. } => {
                match self.shown.remove(&(office, call.clone(), account.clone())) {
                    Some(_) => Ok(()),
                    None => Err(format!("{account} was never told of {call}, which is withdrawn")),
                }
            }
            _ => Ok(()),
        }
    }

    fn compare(&self, office: OfficeId, calls: &[LiveCall]) -> Result<(), String> {
        for ((_, name, account), since) in self.shown.iter().filter(|((of, ..), _)| *of == office) {
            let Some(call) = calls.iter().find(|call| call.name == *name) else {
                return Err(format!("{account} still has the notice of {name}, which is over"));
            };
            if call.state != CallState::Ringing && call.answered.is_some_and(|answered| answered > *since) {
                return Err(format!("{account} still has the notice of {name}, which was answered"));
            }
        }
        Ok(())
    }
}
