//! SMPP 3.4: what an office needs to hand text messages to a provider, and to hear what became of them.
//!
//! ```text
//!  0       4       8        12         16
//!  | length | command | status | sequence | body
//! ```

mod pdu;
mod receipt;
mod text;

pub use pdu::{
    Address, BIND_TRANSCEIVER, Bad, Command, DELIVER_SM, ENQUIRE_LINK, GENERIC_NACK, RESPONSE, SUBMIT_SM,
    Submission, UNBIND, bind_transceiver, bodiless, deliver_sm_response, message_id, submit_sm,
};
pub use receipt::{Receipt, receipt};
pub use text::{Part, split};
