//! Voice dialogue: one pure machine that says prompts, collects keys and tells what came of it.
//!
//! It runs one [`Script`], a value made by the policy that wants to know something; what the outcome means is that
//! policy's business ([`crate::codes`]). The contract is that of every machine here: [`Dialogue::handle`], then
//! drain [`Dialogue::next_output`], then wait until [`Dialogue::next_deadline`].
//!
//! ```text
//! opening --> saying --last sound ended--> listening --terminator, or full--> Collected
//!               ^  \--- a key (barge-in) --^   |  \--- nobody keyed, or not to the end: said again
//!               +------------------------------+        ... and after the last try: why --> GaveUp
//! ```

mod machine;
mod script;
mod service;
#[cfg(test)]
mod tests;

pub use machine::{Dialogue, Input, Outcome, Output};
pub use script::{Collect, Line, Script};
pub(crate) use service::{Services, spoken};
