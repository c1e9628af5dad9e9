//! The INVITE client transaction (RFC 3261 17.1.1, RFC 6026 section 8.4).
//!
//! ```text
//!            1xx                    2xx                     timer M
//! Calling --------> Proceeding ----------------> Accepted ----------> over
//!    |  \               |   \______________________^ | 2xx: deliver again
//!    |   \___ 300-699 __|__________> Completed --- timer D ---> over
//!    |                                   | 300-699: ACK again
//!    +-- timer B: failed
//! ```

use super::{Arm, Class, Step, T1, TRANSACTION_LIMIT, Transmit, lingering, repeating};
use std::time::Duration;

/// Timer D: long enough to absorb every retransmission of a failure response.
const COMPLETED_LIMIT: Duration = Duration::from_secs(32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientInvite {
    Calling { interval: Duration },
    Proceeding,
    Completed,
    Accepted,
}

impl ClientInvite {
    pub(crate) fn start(reliable: bool) -> (Self, Step) {
        let step = Step {
            transmit: Transmit::Again,
            retransmit: repeating(reliable, T1),
            limit: Arm::After(TRANSACTION_LIMIT),
            ..Step::NOTHING
        };
        (ClientInvite::Calling { interval: T1 }, step)
    }

    pub(crate) fn response(self, class: Class, reliable: bool) -> (Self, Step) {
        use ClientInvite::{Accepted, Calling, Completed, Proceeding};
        match (self, class) {
            (Calling { .. }, Class::Provisional) => {
                (Proceeding, Step { retransmit: Arm::Stop, limit: Arm::Stop, ..Step::DELIVER })
            }
            (Proceeding, Class::Provisional) => (Proceeding, Step::DELIVER),
            (Calling { .. } | Proceeding, Class::Success) => (
                Accepted,
                Step { retransmit: Arm::Stop, limit: Arm::After(TRANSACTION_LIMIT), ..Step::DELIVER },
            ),
            (Calling { .. } | Proceeding, Class::Failure) => {
                let step = Step {
                    transmit: Transmit::Ack,
                    retransmit: Arm::Stop,
                    limit: lingering(reliable, COMPLETED_LIMIT),
                    ..Step::DELIVER
                };
                (Completed, step)
            }
            // RFC 6026 8.4: each 2xx goes up, because a fork makes several dialogs and a repeat wants its ACK.
            (Accepted, Class::Success) => (Accepted, Step::DELIVER),
            (Completed, Class::Failure) => (Completed, Step { transmit: Transmit::Ack, ..Step::NOTHING }),
            (state, _) => (state, Step::NOTHING),
        }
    }

    pub(crate) fn retransmit_due(self) -> (Self, Step) {
        match self {
            // Timer A doubles without the bound of T2 (17.1.1.2).
            ClientInvite::Calling { interval } => {
                let interval = interval * 2;
                let step = Step { retransmit: Arm::After(interval), ..Step::AGAIN };
                (ClientInvite::Calling { interval }, step)
            }
            state => (state, Step::NOTHING),
        }
    }

    pub(crate) fn limit_due(self) -> Step {
        match self {
            ClientInvite::Calling { .. } | ClientInvite::Proceeding => Step::FAILED,
            ClientInvite::Completed | ClientInvite::Accepted => Step::DONE,
        }
    }

    /// A CANCEL went out: if no final response comes, the call is dead all the same (9.1).
    pub(crate) fn cancelled(self) -> Step {
        match self {
            ClientInvite::Proceeding => Step { limit: Arm::After(TRANSACTION_LIMIT), ..Step::NOTHING },
            _ => Step::NOTHING,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transition_of_the_figure() {
        let (calling, step) = ClientInvite::start(false);
        assert_eq!(step.transmit, Transmit::Again);
        assert_eq!(step.retransmit, Arm::After(T1));
        let (proceeding, step) = calling.response(Class::Provisional, false);
        assert_eq!(proceeding, ClientInvite::Proceeding);
        assert!(step.deliver && step.retransmit == Arm::Stop && step.limit == Arm::Stop);
        let (accepted, step) = proceeding.response(Class::Success, false);
        assert_eq!(accepted, ClientInvite::Accepted);
        assert!(step.deliver && step.limit == Arm::After(TRANSACTION_LIMIT));
        assert!(accepted.response(Class::Success, false).1.deliver);
        assert_eq!(accepted.response(Class::Failure, false).1, Step::NOTHING);
        let (completed, step) = proceeding.response(Class::Failure, false);
        assert_eq!((completed, step.transmit), (ClientInvite::Completed, Transmit::Ack));
        let again = completed.response(Class::Failure, false).1;
        assert!(again.transmit == Transmit::Ack && !again.deliver);
        assert_eq!(completed.limit_due(), Step::DONE);
        assert_eq!(calling.limit_due(), Step::FAILED);
    }

    #[test]
    fn retransmits_at_doubling_intervals_until_the_limit() {
        let (mut state, _) = ClientInvite::start(false);
        let mut waits = Vec::new();
        for _ in 0..6 {
            let (next, step) = state.retransmit_due();
            let Arm::After(wait) = step.retransmit else { panic!("no timer") };
            waits.push(wait.as_millis());
            state = next;
        }
        assert_eq!(waits, [1000, 2000, 4000, 8000, 16000, 32000]);
    }

    #[test]
    fn reliable_transports_repeat_nothing() {
        let (calling, step) = ClientInvite::start(true);
        assert_eq!(step.retransmit, Arm::Stop);
        let (_, step) = calling.response(Class::Failure, true);
        assert_eq!(step.limit, Arm::After(Duration::ZERO));
    }
}
