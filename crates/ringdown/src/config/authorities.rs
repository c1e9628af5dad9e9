//! Files with the authorities that vouch for servers.

use super::many::Many;
use net::{ClientConfig, HttpRules, Network};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What is read now, or why it cannot be.
pub(super) fn read(authorities: &Many<PathBuf>) -> Result<Arc<ClientConfig>, String> {
    let paths: Vec<&Path> = authorities.0.iter().map(PathBuf::as_path).collect();
    net::client_config(&paths).map_err(|error| error.to_string())
}

/// For who asks a server that the configuration names: whoever writes that may name any.
pub(super) fn any_server(authorities: &Many<PathBuf>, clear: bool, patience: Duration) -> HttpRules {
    let allow = ["0.0.0.0/0", "::/0"].iter().filter_map(|all| all.parse::<Network>().ok()).collect();
    HttpRules { allow, hint: "", clear, patience, tls: read(authorities) }
}
