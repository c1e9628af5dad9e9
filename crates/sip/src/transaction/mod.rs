//! The four transaction machines of RFC 3261 section 17 with the corrections of RFC 6026 and RFC 4320.
//!
//! Each machine is an enum of states; a transition consumes the state and tells in a [`Step`] what the
//! endpoint has to do. The machines hold no bytes, no addresses and no clock.

mod client_invite;
mod client_other;
mod server_invite;
mod server_other;

pub(crate) use client_invite::ClientInvite;
pub(crate) use client_other::ClientOther;
pub(crate) use server_invite::ServerInvite;
pub(crate) use server_other::ServerOther;

use std::time::Duration;

/// Estimate of a round trip (RFC 3261 table 4).
pub const T1: Duration = Duration::from_millis(500);
/// The longest interval between retransmissions of anything but an INVITE request.
pub const T2: Duration = Duration::from_secs(4);
/// How long a message may linger in the network.
pub const T4: Duration = Duration::from_secs(5);
/// Timers B, F, H, J, L and M: 64 x T1.
pub const TRANSACTION_LIMIT: Duration = Duration::from_secs(32);

/// What a transition asks of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Give the message to the transaction user.
    pub deliver: bool,
    /// Put bytes on the wire.
    pub transmit: Transmit,
    /// The timer that repeats a message.
    pub retransmit: Arm,
    /// The timer that ends the state.
    pub limit: Arm,
    /// The transaction ended without what it waited for; its user is told.
    pub failed: bool,
    /// The transaction is over and can be forgotten.
    pub done: bool,
}

/// Which bytes to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transmit {
    Nothing,
    /// The request as it was (client) or the last response as it was (server).
    Again,
    /// An ACK for the failure response at hand.
    Ack,
}

/// What happens to a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arm {
    Keep,
    Stop,
    After(Duration),
}

/// The class of a response's status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Provisional,
    Success,
    Failure,
}

impl Class {
    pub(crate) fn of(status: u16) -> Class {
        match status {
            0..200 => Class::Provisional,
            200..300 => Class::Success,
            _ => Class::Failure,
        }
    }
}

impl Step {
    pub(crate) const NOTHING: Step = Step {
        deliver: false,
        transmit: Transmit::Nothing,
        retransmit: Arm::Keep,
        limit: Arm::Keep,
        failed: false,
        done: false,
    };
    pub(crate) const DONE: Step = Step { done: true, ..Step::NOTHING };
    pub(crate) const FAILED: Step = Step { failed: true, done: true, ..Step::NOTHING };
    pub(crate) const DELIVER: Step = Step { deliver: true, ..Step::NOTHING };
    pub(crate) const AGAIN: Step = Step { transmit: Transmit::Again, ..Step::NOTHING };
}

/// Zero on a reliable transport, which has already delivered or failed.
fn lingering(reliable: bool, wait: Duration) -> Arm {
    Arm::After(if reliable { Duration::ZERO } else { wait })
}

/// Retransmission is the business of unreliable transports only.
fn repeating(reliable: bool, wait: Duration) -> Arm {
    if reliable { Arm::Stop } else { Arm::After(wait) }
}
