//! Queues: callers wait in order with music, and the agent who is ready takes the first of them.
//!
//! ```text
//! a call --> closed, full ---------------------------------> overflow, or told so
//!        --> an agent is ready --> reserved for it, rings --> they talk
//!        --> nobody is             |  missed, or given back --> waits again, where it stood
//!            182, then music on our own leg, its place now and then; too long --> overflow
//! ```
//! A reservation is one value in the agent, and the agent is in all queues at once: it cannot belong to two callers. A
//! queue that gets a caller looks for an agent, and an agent who gets ready looks for a caller, so that no caller waits
//! beside a ready agent. Both look at the first of an ordered set, whatever the size of the office.

mod answered;
mod callback;
mod enter;
mod line;
mod list;
mod music;
mod offer;
mod pace;
mod referred;
mod waiting;
mod words;

pub use list::{QueueCounts, QueueRow};

pub(crate) use callback::{Wish, is_queue};
pub(crate) use enter::UNANSWERED;
pub(crate) use line::{Queues, Who};
