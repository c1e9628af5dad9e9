//! The non-INVITE server transaction (RFC 3261 17.2.2; RFC 4320: no late 408, no hurried 1xx).
//!
//! ```text
//!          1xx                 200-699               timer J
//! Trying -------> Proceeding ------------> Completed --------> over
//! ```

use super::{Arm, Class, Step, TRANSACTION_LIMIT, lingering};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerOther {
    Trying,
    Proceeding,
    Completed,
}

impl ServerOther {
    pub(crate) fn request_again(self) -> Step {
        match self {
            ServerOther::Trying => Step::NOTHING,
            ServerOther::Proceeding | ServerOther::Completed => Step::AGAIN,
        }
    }

    pub(crate) fn respond(self, class: Class, reliable: bool) -> (Self, Step) {
        match (self, class) {
            (ServerOther::Completed, _) => (self, Step::NOTHING),
            (_, Class::Provisional) => (ServerOther::Proceeding, Step::AGAIN),
            (_, _) => {
                let limit = lingering(reliable, TRANSACTION_LIMIT);
                (ServerOther::Completed, Step { retransmit: Arm::Stop, limit, ..Step::AGAIN })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_a_repeat_with_the_same_bytes() {
        assert_eq!(ServerOther::Trying.request_again(), Step::NOTHING);
        let (state, step) = ServerOther::Trying.respond(Class::Success, false);
        assert_eq!(step.limit, Arm::After(TRANSACTION_LIMIT));
        assert_eq!(state.request_again(), Step::AGAIN);
        assert_eq!(state.respond(Class::Failure, false).1, Step::NOTHING);
    }
}
