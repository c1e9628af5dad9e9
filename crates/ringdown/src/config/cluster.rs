//! `[cluster]`: several exchanges with one office, over one database (R24).

use super::maybe;
use serde::Deserialize;
use std::net::SocketAddr;

/// `[cluster]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClusterConfig {
    /// Where the others connect; the office is this exchange's alone if not set.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) listen: Option<SocketAddr>,
    /// `host:port`, where they find that; our own address and that port if not set.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) address: Option<String>,
    /// What people know this exchange by; the name of the machine if not set.
    pub(crate) name: String,
}

impl ClusterConfig {
    /// What people know this exchange by.
    pub(crate) fn known_as(&self) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        machine.trim().to_owned()
    }
}
