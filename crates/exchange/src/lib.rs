//! The office: people, numbers and devices, who may call whom, and what rings.
//!
//! This is the policy above the [`calls`] mechanism, and one pure state machine: time, randomness, commands and the
//! store's answers come in as [`Input`], everything for the shell goes out as [`Output`]. It does no I/O, knows no
//! SQL, no HTTP and no socket.

mod admission;
mod backlog;
mod change;
mod command;
mod drain;
mod exchange;
mod input;
mod journal;
mod jump;
pub mod limits;
mod ongoing;
mod people;
mod reconfigure;
mod registrar;
mod rehome;
mod routing;
mod texts;
mod transfer;
mod watching;

pub use change::{Change, Commit, Epoch, OpenCall, Owned, SHARDS, Shard, StoreAnswer};
pub use command::{AccountRow, Answer, BadRow, Command, DeviceRow, ImportRow, Status};
pub use exchange::{Config, Exchange, Snapshot};
pub use input::{CommandId, Input, Output, Reason};
pub use people::{Account, Device, People, PeopleChange, Refusal, Trunk, clean_display, is_name, is_number};
pub use reconfigure::Settings;
pub use sip::bindings::StoredBinding;
pub use sip::digest::Secret;
