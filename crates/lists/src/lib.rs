//! Call lists (S3): files in, the order of the calls, what was written down before each, results out.
//!
//! ```text
//! octets --> encoding --> file (CSV, JSON Lines, XLSX) --> List, and every row that was refused, with its line
//!                                                            |
//!                                   Order, Numbering --> Work --> Commit, Dial, results (CSV, JSON, UCCX)
//!                                                            |
//!                                                         dialing: when, how often, why
//! ```
//!
//! A [`List`] holds its rows as they came, in one piece of memory, because a list may have a million of them and a phone
//! little room. [`work::Work`] is the machine that works through one: it gives the rows that are next to [`dialing::Dialing`] and
//! knows what became of each. Nothing here reads a file or makes a call.

mod assignment;
mod columns;
mod encoding;
mod file;
pub mod limits;
mod list;
mod numbering;
mod order;
mod refusal;
mod reported;
pub mod results;
mod sheet;
mod spreadsheet;
pub mod work;

pub use assignment::{Assignment, Rules, WrongAssignment};
pub use columns::{Column, Columns, Mapping};
pub use encoding::{Encoding, text_of};
pub use file::{Format, Reading, read};
pub use list::{Entry, List, Slot};
pub use numbering::Numbering;
pub use order::{KEYS, NoOrder, Order, SortKey};
pub use refusal::{Fault, FaultKind, Refusal, Why};
pub use reported::{NoResults, Reported, Stands, reported};
pub use sheet::{Headers, Judging, NoSheet, RowNow, Sheet};
pub use spreadsheet::is_formula;
