//! The ways in for people: HTTP (health, the API, the console) and the local control socket of the data folder.
//!
//! Nothing here knows SIP or SQL. What is asked goes to a [`Backend`], which the roof makes of the running exchange
//! and its store.

mod assets;
mod backend;
mod badge;
pub mod capture;
pub mod control;
mod http;
mod pin;
pub mod rest;
mod texts;

pub use backend::{
    Backend, BrokerState, CallRow, Document, Figure, Gone, Kind, MessageRow, NatsState, Post, RecordsWanted,
    Reply, TapRow,
};
/// Web Push, for others who push: a payload that one subscription alone can read, and who we are for its service.
pub mod web_push {
    pub use crate::rest::notice::push::{AUTH, BASE64, Keys, TEXT, encrypt, is_point, origin};
}

pub use assets::web_app;
pub use http::router;
pub use pin::verify_pin;
pub use rest::Api;
pub use rest::lists::{JudgedShape, ListSettings, ListShape, OutsideLink};
