//! The ways in for people: HTTP (health, the API) and the local control socket of the data folder.
//!
//! Nothing here knows SIP or SQL. What is asked goes to a [`Backend`], which the roof makes of the running exchange
//! and its store.

mod backend;
pub mod control;
mod http;
pub mod rest;
mod texts;

pub use backend::{Backend, CallRow, Document, Gone};
pub use http::router;
pub use rest::Api;
