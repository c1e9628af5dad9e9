//! Every losing branch is told why: each CANCEL has a Reason, and when another device answered it is 200 "Call
//! completed elsewhere", which no phone counts as missed (RFC 3326).

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use std::collections::{BTreeMap, BTreeSet};
use wire::sip::Method;

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct LosersAreTold {
    /// By exchange and branch Call-ID: the call.
    calls: BTreeMap<(OfficeId, Box<str>), Box<str>>,
    /// Branches that said 2xx; nobody has answered until the exchange says ACK.
    answering: BTreeSet<(OfficeId, Box<str>)>,
    /// Branches that we cancelled: what they say afterwards wins nothing.
    cancelled: BTreeSet<(OfficeId, Box<str>)>,
    /// Calls that a branch answered.
    answered: BTreeSet<(OfficeId, Box<str>)>,
    /// Calls whose caller gave up, or that were over, before anybody answered: an answer that crosses the CANCEL wins
    /// nothing.
    given_up: BTreeSet<(OfficeId, Box<str>)>,
    /// Calls that somebody took to a phone, or answered by a call of their own: those that rang are told the same.
    taken: BTreeSet<(OfficeId, Box<str>)>,
    /// Calls that a phone was asked to take over while they talk, and those of the exchange's own, of which one side
    /// rings when the other has answered.
    moving: BTreeSet<(OfficeId, Box<str>)>,
    /// When a branch was heard first: a CANCEL that leaves at that moment waited for it (RFC 3261 9.1), and says what was
    /// true when it was meant.
    first_heard: BTreeMap<(OfficeId, Box<str>), Mono>,
    /// Calls of which a branch was told that somebody answered, when nobody was seen to; judged once all is seen.
    suspects: BTreeSet<(OfficeId, Box<str>)>,
    /// By caller's Call-ID: the call.
    callers: BTreeMap<(OfficeId, Box<str>), Box<str>>,
}

impl Checker for LosersAreTold {
    fn name(&self) -> &'static str {
        "every losing branch is told why"
    }

    fn see(&mut self, at: Mono, event: &Observed) -> Result<(), String> {
        let seen = match event {
            Observed::Message(seen) => seen,
            Observed::Fact { office, fact } => {
                self.decided(*office, &fact.rule, &fact.subject);
                return Ok(());
            }
            Observed::Settled { .. } => return self.judge(),
            _ => return Ok(()),
        };
        let key = (seen.office, seen.call_id.clone());
        if !seen.outgoing && seen.answers(Method::Invite) {
            self.first_heard.entry(key.clone()).or_insert(at);
        }
        if seen.begins() {
            let calls = if seen.outgoing { &mut self.calls } else { &mut self.callers };
            calls.insert(key.clone(), seen.session.clone());
        }
        let refused =
            seen.outgoing && seen.answers(Method::Invite) && seen.status >= 300 && seen.status != 401;
        let gives_up = !seen.outgoing && seen.is(Method::Cancel);
        if (gives_up || refused)
            && let Some(call) = self.callers.get(&key).map(|call| (seen.office, call.clone()))
            && !self.answered.contains(&call)
        {
            self.given_up.insert(call);
        }
        let Some(call) = self.calls.get(&key).map(|call| (seen.office, call.clone())) else { return Ok(()) };
        if !seen.outgoing && seen.answers(Method::Invite) && (200..300).contains(&seen.status) {
            self.answering.insert(key);
            return Ok(());
        }
        if seen.outgoing && seen.is(Method::Ack) {
            let wins = self.answering.contains(&key) && !self.cancelled.contains(&key);
            if wins && !self.given_up.contains(&call) {
                self.answered.insert(call);
            }
            return Ok(());
        }
        if !seen.outgoing || !seen.is(Method::Cancel) {
            return Ok(());
        }
        let waited = self.first_heard.get(&key) == Some(&at);
        if !self.cancelled.insert(key) {
            // Sent again; it says what it said when it was true.
            return Ok(());
        }
        if !seen.reason.starts_with("SIP;cause=") {
            return Err(format!("a CANCEL without a Reason for call {}", call.1));
        }
        let elsewhere = seen.reason.starts_with("SIP;cause=200;");
        // What rings after the answer rings for a talk that moves, and its end is another's.
        let moves = self.moving.contains(&call);
        let excused = moves || waited || self.given_up.contains(&call);
        if self.answered.contains(&call) && !elsewhere && !excused {
            return Err(format!(
                "call {} was answered elsewhere, and a loser is told {}",
                call.1, seen.reason
            ));
        }
        if elsewhere && !self.answered.contains(&call) {
            self.suspects.insert(call);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        self.judge()
    }
}

impl LosersAreTold {
    /// What the exchange decided about a call, by the rule's name.
    fn decided(&mut self, office: OfficeId, rule: &str, call: &str) {
        let calls = match rule {
            "take.ringing" | "pickup" => &mut self.taken,
            "take.talk" | "take.other" | "park" | "task.call" => &mut self.moving,
            _ => return,
        };
        calls.insert((office, call.into()));
    }

    fn judge(&mut self) -> Result<(), String> {
        let suspects = std::mem::take(&mut self.suspects);
        match suspects.into_iter().find(|call| !self.taken.contains(call) && !self.answered.contains(call)) {
            Some((_, call)) => {
                Err(format!("nobody answered call {call}, and a branch is told that somebody did"))
            }
            None => Ok(()),
        }
    }
}
