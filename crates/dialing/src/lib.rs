//! A task to reach someone: when a number may be called, how often, in which order, and what is written down first.
//!
//! One brain for the background call (S2), for call lists (S3) and for the phone that works one. [`Dialing`] is the machine:
//! inputs and both clocks come in; commits, calls and reasons go out. It knows neither SIP nor people.

pub mod cause;
mod do_not_call;
mod history;
pub mod holidays;
mod law;
pub mod limits;
mod machine;
mod number;
mod places;
mod policy;
mod reason;
mod task;
pub mod window;

pub use do_not_call::{DoNotCall, Full, ListName, Numbers};
pub use law::{Gaps, Laxer, Limit, Limits, Profile, Renewal, Stricter};
pub use machine::{Commit, Dial, Dialing, Explanation, Input, Output, Reason, Row, Saved, Standing};
pub use number::{NotANumber, Number};
pub use places::{Places, Region, ZONE_SETS, ZoneSet};
pub use policy::{IsEmergency, OrderKey, Policy};
pub use reason::{Audit, Because, Decision, Rule};
pub use task::{Attempt, AttemptId, Basis, Consent, End, LegOrder, OwnerId, Purpose, Task, TaskId};
