//! One winner a call: of all that answer 2xx to the branches of a call, at most one is left without a BYE.

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use wire::sip::Method;

/// The longest that a talk takes to move: to ring, to be answered, and to be ready.
const MOVE: Duration = Duration::from_secs(20 + 8 + 1);

/// Call-ID and the peer's tag.
type Dialog = (Box<str>, Box<str>);

#[derive(Debug, Default)]
struct Branches {
    /// By Call-ID: the call.
    calls: BTreeMap<Box<str>, Box<str>>,
    /// The dialogs that a 2xx made.
    answered: BTreeSet<Dialog>,
    /// Those that had a BYE.
    ended: BTreeSet<Dialog>,
    /// Calls that a phone was asked to take over, and until when there may be two: the old one stays until the new one
    /// is ready (R6).
    moving: BTreeMap<Box<str>, Mono>,
    /// By the Call-ID of a caller's own dialog: the call.
    callers: BTreeMap<Box<str>, Box<str>>,
    /// Calls whose caller is at another phone now, which we called.
    moved_callers: BTreeSet<Box<str>>,
    /// Calls of the exchange's own: both sides of them are called.
    own: BTreeSet<Box<str>>,
    /// By call: the dialogs that answered, were acknowledged and have no BYE.
    up: BTreeMap<Box<str>, Vec<Dialog>>,
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

    fn see(&mut self, at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::Fact { office, fact } if matches!(&*fact.rule, "take.talk" | "take.other") => {
                let branches = self.offices.entry(*office).or_default();
                branches.moving.insert(fact.subject.clone(), at + MOVE);
                Ok(())
            }
            // Who was called and is sent on by the caller is the caller of what follows; who visits is called by a call of ours that
            // came back.
            Observed::Fact { office, fact }
                if matches!(&*fact.rule, "task.call" | "queues.referred" | "visit") =>
            {
                self.offices.entry(*office).or_default().own.insert(fact.subject.clone());
                Ok(())
            }
            Observed::Message(seen) => {
                let branches = self.offices.entry(seen.office).or_default();
                if seen.outgoing && seen.begins() {
                    branches.calls.insert(seen.call_id.clone(), seen.session.clone());
                }
                if !seen.outgoing && seen.begins() {
                    branches.callers.insert(seen.call_id.clone(), seen.session.clone());
                }
                if seen.is(Method::Bye)
                    && let Some(call) = branches.callers.get(&seen.call_id)
                    && branches.moving.contains_key(call)
                {
                    branches.moved_callers.insert(call.clone());
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
                let most = |call: &str| {
                    let moves = branches.moving.get(call).is_some_and(|until| at <= *until);
                    let both = branches.moved_callers.contains(call) || branches.own.contains(call);
                    1 + usize::from(moves) + usize::from(both)
                };
                let many = branches.up.iter().find(|(call, up)| up.len() > most(call));
                match many {
                    Some((call, up)) => Err(format!("call {call} has {} winners", up.len())),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
