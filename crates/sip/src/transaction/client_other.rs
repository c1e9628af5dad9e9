//! The non-INVITE client transaction (RFC 3261 17.1.2).
//!
//! ```text
//!          1xx                 200-699               timer K
//! Trying -------> Proceeding ------------> Completed --------> over
//!    \________________|_______ 200-699 _______^
//!    timer F in Trying or Proceeding: failed
//! ```

use super::{Arm, Class, Step, T1, T2, T4, TRANSACTION_LIMIT, Transmit, lingering, repeating};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientOther {
    Trying { interval: Duration },
    Proceeding,
    Completed,
}

impl ClientOther {
    pub(crate) fn start(reliable: bool) -> (Self, Step) {
        let step = Step {
            transmit: Transmit::Again,
            retransmit: repeating(reliable, T1),
            limit: Arm::After(TRANSACTION_LIMIT),
            ..Step::NOTHING
        };
        (ClientOther::Trying { interval: T1 }, step)
    }

    pub(crate) fn response(self, class: Class, reliable: bool) -> (Self, Step) {
        use ClientOther::{Completed, Proceeding, Trying};
        match (self, class) {
            (Trying { .. } | Proceeding, Class::Provisional) => (Proceeding, Step::DELIVER),
            (Trying { .. } | Proceeding, _) => {
                let limit = lingering(reliable, T4);
                (Completed, Step { retransmit: Arm::Stop, limit, ..Step::DELIVER })
            }
            (Completed, _) => (Completed, Step::NOTHING),
        }
    }

    pub(crate) fn retransmit_due(self) -> (Self, Step) {
        match self {
            ClientOther::Trying { interval } => {
                let interval = (interval * 2).min(T2);
                let step = Step { retransmit: Arm::After(interval), ..Step::AGAIN };
                (ClientOther::Trying { interval }, step)
            }
            // 17.1.2.2: once a provisional response came, every T2.
            ClientOther::Proceeding => {
                (ClientOther::Proceeding, Step { retransmit: Arm::After(T2), ..Step::AGAIN })
            }
            ClientOther::Completed => (self, Step::NOTHING),
        }
    }

    pub(crate) fn limit_due(self) -> Step {
        match self {
            ClientOther::Trying { .. } | ClientOther::Proceeding => Step::FAILED,
            ClientOther::Completed => Step::DONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_grow_to_t2_and_no_further() {
        let (mut state, _) = ClientOther::start(false);
        let mut waits = Vec::new();
        for _ in 0..5 {
            let (next, step) = state.retransmit_due();
            let Arm::After(wait) = step.retransmit else { panic!("no timer") };
            waits.push(wait.as_millis());
            state = next;
        }
        assert_eq!(waits, [1000, 2000, 4000, 4000, 4000]);
    }

    #[test]
    fn one_final_response_is_delivered_once() {
        let (trying, _) = ClientOther::start(false);
        let (proceeding, step) = trying.response(Class::Provisional, false);
        assert!(step.deliver);
        let (completed, step) = proceeding.response(Class::Failure, false);
        assert!(step.deliver && step.limit == Arm::After(T4));
        assert_eq!(completed.response(Class::Failure, false).1, Step::NOTHING);
        assert_eq!(completed.limit_due(), Step::DONE);
        assert_eq!(proceeding.limit_due(), Step::FAILED);
    }
}
