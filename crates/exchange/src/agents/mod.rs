//! Agents: who works, and how they stand (S0.8 to S0.18).
//!
//! ```text
//! sign-in, breaks, times  --+
//! legs that are up ---------+--> fold --> state, with its cause, its rule and the moment it ends by itself
//! phones, seats ------------+              |
//!                                          +--> queues (who is ready), lamps, events, facts, the store
//! ```
//! An agent is an account that is signed in to work; a seat says where somebody is, a sign-in that they work. Only the
//! causes are kept, never a state beside them (decision 12).

mod advice;
mod agent;
mod asked;
mod check;
mod code;
mod drive;
mod elsewhere;
mod interval;
mod kept;
mod platform;
mod policy;
mod register;
mod row;
mod state;
#[cfg(test)]
mod tests;

pub use advice::Advice;
pub use agent::SignIn;
pub use asked::{AgentAsking, OwnWork};
pub use interval::{By, CallKind};
pub use kept::{KeptPause, KeptSignIn, KeptWrapUp};
pub use platform::{Platform, PlatformInput, PlatformOutput, PlatformState, Sighting, Wish};
pub use policy::{AgentPolicy, Forgotten};
pub use row::AgentRow;
pub use state::AgentState;

pub(crate) use agent::{Agent, Reservation};
pub(crate) use register::Agents;
pub(crate) use state::Trigger;
