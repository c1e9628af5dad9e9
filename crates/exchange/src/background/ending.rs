//! An attempt's call is over: what that means for its task.

use super::outbox::Occasion;
use super::{Phase, Trying};
use crate::exchange::Exchange;
use calls::{CallRecord, Cause};
use clock::Now;
use dialing::LegOrder;
use dialing::cause::{Ending, Finding, Outcome, Protocol};

impl Exchange {
    /// A call is over; if it was an attempt, its task goes on or ends.
    pub(crate) fn background_call_ended(&mut self, now: Now, record: &CallRecord) {
        let Some(trying) = self.background.trying.remove(&record.call) else { return };
        if trying.queue.is_some() {
            return self.callback_call_ended(now, &trying, record);
        }
        if trying.row.is_some() {
            return self.row_call_ended(now, &trying, record);
        }
        let task = trying.attempt.task;
        match (trying.phase, trying.legs) {
            (Phase::Over, _) => {}
            (Phase::First, LegOrder::CalleeFirst) => self.callee_not_reached(now, &trying, record),
            // Who answered did not want to wait; they are not called again.
            (Phase::Second, LegOrder::CalleeFirst) => {
                self.message_owner(now, &trying, Occasion::DidNotWait);
                self.finish_attempt(now, trying.attempt, Finding::sure(Outcome::Abandoned));
            }
            (Phase::First, LegOrder::OwnerFirst) => {
                self.stop_task(now, task, Some("its owner was not reached"));
                self.finish_attempt(now, trying.attempt, Finding::sure(Outcome::NotDialled));
            }
            (Phase::Second, LegOrder::OwnerFirst) if record.cause == Cause::Cancelled => {
                self.stop_task(now, task, Some("its owner hung up"));
                self.finish_attempt(now, trying.attempt, Finding::sure(Outcome::Withdrawn));
            }
            (Phase::Second, LegOrder::OwnerFirst) => self.callee_not_reached(now, &trying, record),
        }
    }

    fn callee_not_reached(&mut self, now: Now, trying: &Trying, record: &CallRecord) {
        let finding = finding(trying, record.cause, self.is_inside(&record.dialled));
        if record.cause == Cause::Forbidden {
            self.stop_task(now, trying.attempt.task, Some(&record.detail));
        }
        self.finish_attempt(now, trying.attempt, finding);
    }

    /// Whether somebody of the office was called, here or at another exchange.
    pub(crate) fn is_inside(&self, dialled: &str) -> bool {
        self.people.account_of(dialled).is_some() || self.sites.lists(dialled)
    }
}

/// What an attempt came to that ended so, by the last word of whoever was called.
pub(crate) fn finding(trying: &Trying, cause: Cause, inside: bool) -> Finding {
    if let Some((status, why)) = trying.said.filter(|_| cause != Cause::Cancelled) {
        let reasons: Vec<(Protocol, u16)> =
            why.q850.map(|cause| (Protocol::Q850, cause)).into_iter().collect();
        return Finding::usual(&Ending {
            status: Some(status),
            reasons: &reasons,
            rang_out: why.rang_out,
            inside,
            ..Ending::default()
        });
    }
    Finding::sure(match cause {
        Cause::Cancelled | Cause::EndedByOperator => Outcome::Withdrawn,
        Cause::Busy => Outcome::Busy,
        Cause::NoAnswer => Outcome::NoAnswer,
        Cause::Declined => Outcome::Declined,
        Cause::Offline => Outcome::Off,
        Cause::UnknownNumber => Outcome::Vacant,
        Cause::Forbidden => Outcome::NotDialled,
        _ => Outcome::Network,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use calls::Why;
    use dialing::{AttemptId, TaskId};

    #[test]
    fn what_the_far_end_said_counts_before_what_we_made_of_it() {
        let trying = |said| Trying {
            attempt: AttemptId { task: TaskId(1), ordinal: 1 },
            account: "ada".into(),
            queue: None,
            row: None,
            legs: LegOrder::CalleeFirst,
            ring: std::time::Duration::ZERO,
            phase: Phase::First,
            said,
            offered_all: false,
            told: false,
        };
        let why = Why::default();
        for (said, cause, outcome) in [
            (Some((486, why)), Cause::Busy, Outcome::Busy),
            (Some((480, Why { rang_out: true, ..why })), Cause::NoAnswer, Outcome::NoAnswer),
            (Some((480, why)), Cause::NoAnswer, Outcome::Unreachable),
            (Some((480, Why { q850: Some(20), ..why })), Cause::NoAnswer, Outcome::Off),
            (Some((603, why)), Cause::Declined, Outcome::Declined),
            (Some((486, why)), Cause::Cancelled, Outcome::Withdrawn),
            (None, Cause::Offline, Outcome::Off),
            (None, Cause::Busy, Outcome::Busy),
            (None, Cause::Forbidden, Outcome::NotDialled),
            (None, Cause::Overload, Outcome::Network),
        ] {
            assert_eq!(finding(&trying(said), cause, true).outcome, outcome, "{said:?} {cause}");
        }
    }
}
