//! A call that goes on is known to the store, and no call that is over is: after a death the store would give it a
//! second record.

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Names a call in the store: the office, the session, the number.
type Key = (OfficeId, Arc<str>, Arc<str>);

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct OpenCalls {
    open: BTreeSet<Key>,
}

impl Checker for OpenCalls {
    fn name(&self) -> &'static str {
        "no call is open after its record"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::KeptOpenCall { office, open } => {
                self.open.insert((*office, open.session_id.clone(), open.dialled.clone()));
            }
            Observed::KeptRecord { office, record } => {
                self.open.remove(&(*office, record.session_id.clone(), record.dialled.clone()));
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        match self.open.first() {
            Some((office, session, number)) => {
                Err(format!("office {office}: the call {session} to {number} is over, and open in the store"))
            }
            None => Ok(()),
        }
    }
}
