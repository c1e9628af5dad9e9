//! Many exchanges, one office: which exchange a call is designated to, and the ticket that lets it in (S4).
//!
//! [`Directory`] is the machine of the directory itself: who is where comes in, and the request for a call; the designation goes
//! out, with the reason in words. The call then goes between the two that were named, and the directory has no part in it.
//! [`Redeemer`] and [`Waiting`] are what an exchange needs: it checks a ticket with nobody's help, and keeps those who wait.
//!
//! ```text
//!  A  where did the request come from?          an exchange             the cloud
//!  B  what is the callee, and is it valid?      -> refused to the one who asked
//!  C  has it an exchange?                       C2 yes   C3 no          C1 (the exchange is asked first)
//! ```

pub mod between;
mod book;
mod callee_claims;
mod copy;
mod designate;
mod health;
mod jws;
pub mod limits;
mod machine;
mod names;
mod push;
mod ticket;
mod waiting;
mod wake;

pub use book::{Account, Book, Device, Exchange, Health, Kind, Refused, Report, Wake, Way};
pub use callee_claims::Attempted;
pub use copy::{Copy, CopyError, Entry, Listed};
pub use designate::{Candidate, Decision, Form, Invalid, Origin, Request, RequestId};
pub use health::SiteHealth;
pub use machine::{Directory, Input, Message, Output, Said};
pub use names::{AccountName, DeviceId, ExchangeName, Fingerprint, Named, Number, SessionHalf};
pub use push::{Notice, Push, PushError};
pub use ticket::{
    Checked, Claims, Confirmation, Issuer, IssuerKeys, Presented, Redeemer, Secret, Shown, Ticket, TicketId,
    TicketKey, TicketRefusal,
};
pub use waiting::{Place, Waiter, Waiting};
