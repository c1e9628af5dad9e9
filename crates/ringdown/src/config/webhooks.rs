//! `[webhooks]`: where webhooks may lead.

use super::authorities;
use super::many::Many;
use net::{HttpRules, Network};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// How long a receiver has to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// `[webhooks]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Webhooks {
    /// Addresses of this machine and of private networks that may be reached.
    pub(crate) allow: Many<Network>,
    /// Plain HTTP is spoken beyond this machine, too.
    pub(crate) clear: bool,
    /// The authorities that vouch for receivers, PEM files; a string or a list.
    pub(crate) authorities: Many<PathBuf>,
}

impl Default for Webhooks {
    fn default() -> Webhooks {
        let authorities = Many(vec!["/etc/ssl/certs/ca-certificates.crt".into()]);
        Webhooks { allow: Many(Vec::new()), clear: false, authorities }
    }
}

impl Webhooks {
    /// For who posts; the files are read now.
    pub(crate) fn rules(&self) -> HttpRules {
        let tls = authorities::read(&self.authorities);
        let hint = "; [webhooks] allow names the networks inside that may be reached";
        HttpRules { allow: self.allow.0.clone(), hint, clear: self.clear, patience: PATIENCE, tls }
    }
}
