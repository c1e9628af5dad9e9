//! A device that was removed does not ring on the next call (S1.13).

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use exchange::PeopleChange;
use std::collections::BTreeSet;

/// See the file's first line. Simulated phones have their device's name in their contact.
#[derive(Debug, Default)]
pub struct RemovedDevices {
    removed: BTreeSet<(OfficeId, Box<str>)>,
    /// Branches that were sent before, for their repeats.
    sent: BTreeSet<Box<str>>,
}

impl Checker for RemovedDevices {
    fn name(&self) -> &'static str {
        "a removed device does not ring"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::KeptPeople { office, change: PeopleChange::RemoveDevice { name } } => {
                self.removed.insert((*office, name.clone()));
                Ok(())
            }
            Observed::KeptPeople { office, change: PeopleChange::PutDevice { name, .. } } => {
                self.removed.remove(&(*office, name.clone()));
                Ok(())
            }
            Observed::Message(seen) if seen.outgoing && seen.begins() => {
                let again = !self.sent.insert(seen.branch.clone());
                if !again && self.removed.contains(&(seen.office, seen.user.clone())) {
                    return Err(format!("{} was removed and rings", seen.user));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
