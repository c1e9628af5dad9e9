//! The control socket: one Unix socket in the data folder, for the machine's owner alone. One JSON request a line, one
//! JSON response a line.

pub(crate) mod call_lists;
mod client;
pub(crate) mod lines;
mod protocol;
mod server;
pub(crate) mod work;

pub use call_lists::ListRequest;
pub use client::{Client, ControlError};
pub use protocol::{
    AccountChanges, AccountItem, BadgeItem, CardItem, CodeItem, DeviceChanges, DeviceItem, FactItem,
    GroupItem, GuessingItem, ImportRow, NumberItem, Request, Response, RouteItem, RowFault, RungItem,
    StatusItem, TaskItem, TrunkItem, WearableItem,
};
pub use server::{answer_handed_on, serve};
pub use work::{AgentItem, CallbackItem, QueueItem, QueueNow, StartedItem};

/// The socket's name in the data folder.
pub const SOCKET: &str = "control.sock";
/// Rows of one import request.
pub const IMPORT_ROWS: usize = exchange::limits::IMPORT_ROWS;
/// The longest line of either side, in bytes: a call list of the largest size in base64.
const LINE: usize = 48 << 20;
