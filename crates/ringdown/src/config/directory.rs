//! `[directory]`: an exchange among others of one office (S4).

use super::maybe;
use directory::ExchangeName;
use serde::Deserialize;
use std::net::SocketAddr;

/// `[directory]`; it means something once the exchange has joined one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DirectoryConfig {
    /// Where other exchanges connect: SIP over TLS with certificates of the office.
    pub(crate) listen: SocketAddr,
    /// `host:port`, where they find that; our own address and that port if not set.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) address: Option<String>,
    /// Where browsers find this exchange, as in `wss://pbx.example/sip`; where `[http] tls` listens if not set.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) web: Option<String>,
    /// Where this exchange stands, in the words of the office.
    pub(crate) region: String,
    /// The exchanges whose people may pick up what rings here.
    pub(crate) pickup_from: Vec<ExchangeName>,
}

impl Default for DirectoryConfig {
    fn default() -> DirectoryConfig {
        DirectoryConfig {
            listen: SocketAddr::from(([0, 0, 0, 0], 5062)),
            address: None,
            web: None,
            region: String::new(),
            pickup_from: Vec::new(),
        }
    }
}
