//! One winner a call: of all that answer 2xx to the branches of a call, at most one is left without a BYE.

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use std::collections::{BTreeMap, BTreeSet};
use wire::sip::Method;

#[derive(Debug, Default)]
struct Branches {
    /// By Call-ID: the call.
    calls: BTreeMap<Box<str>, Box<str>>,
    /// The dialogs (Call-ID, peer's tag) that a 2xx made.
    answered: BTreeSet<(Box<str>, Box<str>)>,
    /// Those that had a BYE.
    ended: BTreeSet<(Box<str>, Box<str>)>,
    /// By call: the dialogs that answered, were acknowledged and have no BYE.
    up: BTreeMap<Box<str>, Vec<(Box<str>, Box<str>)>>,
}

/// See the file's first line.
#[derive(Debug, Default)]
pub struct OneWinner {
    offices: BTreeMap<OfficeId, Branches>,
}

impl Checker for OneWinner {
    fn name(&self) -> &'static str {
        "one winner a call"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::Message(seen) => {
                let branches = self.offices.entry(seen.office).or_default();
                if seen.outgoing && seen.begins() {
                    branches.calls.insert(seen.call_id.clone(), seen.session.clone());
                }
                let Some(call) = branches.calls.get(&seen.call_id).cloned() else { return Ok(()) };
                let dialog = (seen.call_id.clone(), seen.to_tag.clone());
                if !seen.outgoing && seen.answers(Method::Invite) && (200..300).contains(&seen.status) {
                    branches.answered.insert(dialog.clone());
                }
                let up = branches.up.entry(call).or_default();
                // Nobody has won who says 2xx: the one to whom we say ACK has.
                let first = branches.answered.contains(&dialog) && !up.contains(&dialog);
                if seen.outgoing && seen.is(Method::Ack) && first && !branches.ended.contains(&dialog) {
                    up.push(dialog);
                }
                if seen.is(Method::Bye) {
                    let peer = if seen.outgoing { &seen.to_tag } else { &seen.from_tag };
                    branches.ended.insert((seen.call_id.clone(), peer.clone()));
                    up.retain(|(call_id, tag)| *call_id != seen.call_id || tag != peer);
                }
                Ok(())
            }
            Observed::Settled { office, .. } => {
                let Some(branches) = self.offices.get_mut(office) else { return Ok(()) };
                let many = branches.up.iter().find(|(_, up)| up.len() > 1);
                match many {
                    Some((call, up)) => Err(format!("call {call} has {} winners", up.len())),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
