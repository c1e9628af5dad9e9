//! The INVITE server transaction (RFC 3261 17.2.1, RFC 6026 section 8.5).
//!
//! ```text
//!              300-699                ACK               timer I
//! Proceeding ----------> Completed -------> Confirmed ---------> over
//!     |  1xx: send            | timer G: response again; timer H: failed
//!     |
//!     +--- 2xx ---> Accepted --- timer L ---> over, failed unless the ACK came
//!                      | 2xx again at T1, 2T1, ... T2 until the ACK (13.3.1.4)
//! ```
//!
//! RFC 3261 lets the transaction user repeat a 2xx; here the machine does it, because every user would
//! write the same timer.

use super::{Arm, Class, Step, T1, T2, T4, TRANSACTION_LIMIT, Transmit, lingering, repeating};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerInvite {
    Proceeding,
    Completed { interval: Duration },
    Confirmed,
    Accepted { interval: Duration },
    Acknowledged,
}

impl ServerInvite {
    pub(crate) fn request_again(self) -> Step {
        match self {
            ServerInvite::Proceeding | ServerInvite::Completed { .. } => Step::AGAIN,
            // RFC 6026 8.5: absorbed; the 2xx has a timer of its own.
            ServerInvite::Accepted { .. } | ServerInvite::Acknowledged | ServerInvite::Confirmed => {
                Step::NOTHING
            }
        }
    }

    pub(crate) fn respond(self, class: Class, reliable: bool) -> (Self, Step) {
        match (self, class) {
            (ServerInvite::Proceeding, Class::Provisional) => (self, Step::AGAIN),
            (ServerInvite::Proceeding, Class::Success) => {
                let step =
                    Step { retransmit: Arm::After(T1), limit: Arm::After(TRANSACTION_LIMIT), ..Step::AGAIN };
                (ServerInvite::Accepted { interval: T1 }, step)
            }
            (ServerInvite::Proceeding, Class::Failure) => {
                let step = Step {
                    retransmit: repeating(reliable, T1),
                    limit: Arm::After(TRANSACTION_LIMIT),
                    ..Step::AGAIN
                };
                (ServerInvite::Completed { interval: T1 }, step)
            }
            (state, _) => (state, Step::NOTHING),
        }
    }

    /// An ACK with the transaction's own branch: for a failure response.
    pub(crate) fn ack(self, reliable: bool) -> (Self, Step) {
        match self {
            ServerInvite::Completed { .. } => {
                let step = Step { retransmit: Arm::Stop, limit: lingering(reliable, T4), ..Step::NOTHING };
                (ServerInvite::Confirmed, step)
            }
            state => (state, Step::NOTHING),
        }
    }

    /// The dialog saw the ACK of the 2xx.
    pub(crate) fn acknowledged(self) -> (Self, Step) {
        match self {
            ServerInvite::Accepted { .. } => {
                (ServerInvite::Acknowledged, Step { retransmit: Arm::Stop, ..Step::NOTHING })
            }
            state => (state, Step::NOTHING),
        }
    }

    pub(crate) fn retransmit_due(self) -> (Self, Step) {
        match self {
            ServerInvite::Completed { interval } => {
                let interval = (interval * 2).min(T2);
                let step = Step { retransmit: Arm::After(interval), ..Step::AGAIN };
                (ServerInvite::Completed { interval }, step)
            }
            ServerInvite::Accepted { interval } => {
                let interval = (interval * 2).min(T2);
                let step = Step { retransmit: Arm::After(interval), ..Step::AGAIN };
                (ServerInvite::Accepted { interval }, step)
            }
            state => (state, Step::NOTHING),
        }
    }

    pub(crate) fn limit_due(self) -> Step {
        match self {
            ServerInvite::Accepted { .. } => Step::FAILED,
            // Timer H without an ACK harms nobody: the call has failed already.
            ServerInvite::Completed { .. } | ServerInvite::Confirmed | ServerInvite::Acknowledged => {
                Step::DONE
            }
            ServerInvite::Proceeding => Step::NOTHING,
        }
    }

    pub(crate) fn can_be_cancelled(self) -> bool {
        self == ServerInvite::Proceeding
    }
}

const _: () = assert!(matches!(Step::AGAIN.transmit, Transmit::Again));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_2xx_is_repeated_until_acknowledged() {
        let (mut state, step) = ServerInvite::Proceeding.respond(Class::Success, true);
        assert_eq!(step.retransmit, Arm::After(T1), "also on reliable transports (13.3.1.4)");
        let mut waits = Vec::new();
        for _ in 0..5 {
            let (next, step) = state.retransmit_due();
            let Arm::After(wait) = step.retransmit else { panic!("no timer") };
            waits.push(wait.as_millis());
            state = next;
        }
        assert_eq!(waits, [1000, 2000, 4000, 4000, 4000]);
        assert_eq!(state.limit_due(), Step::FAILED);
        let (state, step) = state.acknowledged();
        assert_eq!(step.retransmit, Arm::Stop);
        assert_eq!(state.limit_due(), Step::DONE);
        assert_eq!(state.request_again(), Step::NOTHING);
    }

    #[test]
    fn a_failure_waits_for_its_ack() {
        let (state, step) = ServerInvite::Proceeding.respond(Class::Failure, false);
        assert_eq!(step.retransmit, Arm::After(T1));
        assert_eq!(state.request_again(), Step::AGAIN);
        let (state, step) = state.ack(false);
        assert_eq!((state, step.limit), (ServerInvite::Confirmed, Arm::After(T4)));
        assert_eq!(state.limit_due(), Step::DONE);
    }

    #[test]
    fn only_one_final_response() {
        let (state, _) = ServerInvite::Proceeding.respond(Class::Failure, false);
        assert_eq!(state.respond(Class::Success, false).1, Step::NOTHING);
    }
}
