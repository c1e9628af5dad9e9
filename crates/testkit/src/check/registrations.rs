//! No 2xx to a REGISTER before the store keeps what it confirms: each contact in the 200 stands in a commit that was
//! answered (R12).

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use std::collections::{BTreeMap, BTreeSet};
use wire::sip::Method;

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct StoredFirst {
    kept: BTreeMap<OfficeId, BTreeSet<Box<str>>>,
}

impl Checker for StoredFirst {
    fn name(&self) -> &'static str {
        "a binding is stored before its 200"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::KeptBindings { office, bindings, .. } => {
                let kept = self.kept.entry(*office).or_default();
                kept.extend(bindings.iter().map(|binding| binding.contact.clone()));
                Ok(())
            }
            Observed::Message(seen) if seen.outgoing && seen.answers(Method::Register) => {
                if !(200..300).contains(&seen.status) {
                    return Ok(());
                }
                let kept = self.kept.entry(seen.office).or_default();
                match seen.contacts.iter().find(|contact| !kept.contains(*contact)) {
                    Some(contact) => Err(format!("{contact} is confirmed and was never stored")),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
