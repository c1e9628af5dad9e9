//! The office: people, numbers and devices, who may call whom, and what rings.
//!
//! This is the policy above the [`calls`] mechanism, and one pure state machine: time, randomness, commands and the
//! store's answers come in as [`Input`], everything for the shell goes out as [`Output`]. It does no I/O, knows no
//! SQL, no HTTP and no socket.

mod admission;
mod backlog;
mod change;
mod command;
mod exchange;
mod facts;
mod guesses;
mod input;
pub mod limits;
mod ongoing;
mod overload;
mod people;
mod recent;
mod registrar;
mod routing;
mod sources;
mod texts;
mod transfer;
mod watching;

pub use change::{Change, Commit, Epoch, Owned, SHARDS, Shard, StoreAnswer};
pub use command::{AccountRow, Answer, BadRow, Command, DeviceRow, ImportRow, Status};
pub use exchange::{Config, Exchange, Snapshot};
pub use facts::{Fact, FactKind};
pub use guesses::Guessing;
pub use input::{CommandId, Input, Output, Reason};
pub use people::{
    Account, AccountEdit, AutoAnswer, Device, DeviceEdit, ForwardWhen, Forwarding, Group, Host, Language,
    People, PeopleChange, Refusal, Right, Rights, Route, Settings, Strategy, Trunk, TrunkLogin,
    clean_display, is_name, is_number, rewrite,
};
pub use sip::bindings::StoredBinding;
pub use sip::digest::Secret;
