//! One sans-IO SIP endpoint: transactions, dialogs, digest, bindings, subscriptions, stream framing.
//!
//! This crate knows what a message means to the protocol, and nothing of users or calls. Time comes in as
//! [`clock::Now`] or [`clock::Mono`], randomness as a seed; bytes go out as [`Transmit`] values.

pub mod bearer;
pub mod bindings;
mod branch;
mod dialog;
pub mod digest;
mod endpoint;
mod envelope;
mod flow;
pub mod info;
pub mod reason;
pub mod refer;
pub mod reliable;
pub mod session_timer;
pub mod stun;
pub mod subscription;
mod transaction;

pub use branch::maker;
pub use dialog::{Dialog, OutOfOrder};
pub use endpoint::{ClientKey, Endpoint, Event, Received, ServerKey, Transmit, end};
pub use envelope::reply_flow;
pub use flow::{Flow, Transport};
pub use transaction::{T1, T2, T4, TRANSACTION_LIMIT};
