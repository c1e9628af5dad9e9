//! What must not be lost: SQLite in WAL mode with `synchronous=FULL`, migrations, and group commit on a thread of
//! its own (R20, R21).
//!
//! ```text
//! core --Commit--> bounded queue --> writer thread: all that waits, one transaction, one fsync
//!      <-- answer(sequence, Committed | Fenced | Unavailable) --
//! reader connections (lists, records) and the checkpointer never wait for the writer
//! ```

mod agents;
mod backup;
mod badges;
mod copy;
mod database;
mod documents;
mod error;
mod facts;
pub mod failpoint;
mod feed;
mod group;
mod homes;
mod journal;
mod lease;
mod lists;
mod members;
mod migrate;
mod open;
mod outbox;
mod outside;
mod place;
mod postgres;
mod queues;
mod records;
mod requests;
mod seal;
mod seats;
mod snapshot;
mod sql;
mod tasks;
mod writer;

pub use backup::{backup, restore};
pub use badges::KeptTap;
pub use documents::{Document, Documents, Found, Kept, Visitor};
pub use error::StoreError;
pub use facts::KeptFact;
pub use lease::Held;
pub use members::{Joining, News, Peer};
pub use open::{Opened, Store, examine};
pub use outbox::{Delivery, KeptMessage, MessageChange, MessageKept, MessageState, Outbox, PartReceipt};
pub use place::Place;
pub use records::{Record, Records, RecordsWanted};
pub use seal::SEAL_KEY;
