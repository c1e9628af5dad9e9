//! A call is a set of legs. This crate makes legs, races branches, bridges media and ends what is over.
//!
//! It is a back-to-back user agent: each message is made anew from the model, and nothing of one leg's
//! message reaches another leg but what is named here. *Who* is called, and what happens when nobody
//! answers, is the policy of the floor above: the [`Switch`] tells it [`CallEvent`]s, and it answers with verbs
//! (add branch, remove branch, reject, hang up).
//!
//! ```text
//!            INVITE                    INVITE
//!  caller ----------> caller leg  +--> branch leg ----------> device
//!                        |        |
//!                        +- call -+--> branch leg ----------> device
//! ```

mod adopt;
mod attempt;
mod branch;
mod bridge;
mod call;
mod caller;
mod cause;
mod close;
mod flows;
mod in_dialog;
mod join;
mod keys;
mod leg;
mod limits;
mod line;
mod modify;
mod moving;
mod ports;
mod race;
mod reach;
mod replace;
mod say;
mod secure;
mod setup;
mod switch;
mod take;
mod timers;
mod view;
mod wait;

pub use branch::{AtOnce, Target, Way, escape_user, name_addr};
pub use call::{CallEvent, CallRecord, Party, Why};
pub use caller::{Incoming, contact};
pub use cause::{Blame, Cause};
pub use leg::{CallId, LegId};
pub use line::{Account, Line, Pass};
pub use ports::{PortLease, PortPool};
pub use reach::{First, Reach};
pub use secure::MediaPolicy;
pub use setup::Setup;
pub use switch::{Action, Leftover, Owner, Switch};
pub use view::CallView;
