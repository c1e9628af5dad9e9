//! What the directory's two listeners show: the same certificate to exchanges, which show theirs, and to apps, which sign instead.

use crate::Failure;
use net::{Identity, Papers, TlsConfig};
use std::sync::{Arc, PoisonError, RwLock};

/// The configuration of both; handshakes go by what it holds when they begin.
pub(super) struct Doors {
    pub(super) exchanges: TlsConfig,
    pub(super) apps: TlsConfig,
}

impl Doors {
    /// By these papers.
    pub(super) fn open(papers: &Papers) -> Result<Doors, Failure> {
        Ok(Doors {
            exchanges: Arc::new(RwLock::new(papers.server(true)?)),
            apps: Arc::new(RwLock::new(net::server_config(&identity(papers))?)),
        })
    }

    /// By newer ones from now on.
    pub(super) fn renew(&self, papers: &Papers) -> Result<(), Failure> {
        let (exchanges, apps) = (papers.server(true)?, net::server_config(&identity(papers))?);
        *self.exchanges.write().unwrap_or_else(PoisonError::into_inner) = exchanges;
        *self.apps.write().unwrap_or_else(PoisonError::into_inner) = apps;
        Ok(())
    }
}

/// A page in a browser can show no certificate: apps prove themselves by what they sign.
fn identity(papers: &Papers) -> Identity {
    Identity { certificate: papers.certificate.clone(), key: papers.key.clone() }
}
