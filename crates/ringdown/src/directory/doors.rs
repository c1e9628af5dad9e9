//! What the directory's two listeners show: to exchanges, which show theirs, and to apps that are programs, the directory's own
//! certificate; to browsers another, in the name that people type.

use super::folder::Folder;
use super::protocol::NAME;
use super::web::WebPapers;
use crate::Failure;
use clock::Wall;
use net::{Identity, TlsConfig};
use std::sync::{Arc, PoisonError, RwLock};

/// The configuration of both; handshakes go by what it holds when they begin.
pub(super) struct Doors {
    pub(super) exchanges: TlsConfig,
    pub(super) apps: TlsConfig,
    web: WebPapers,
}

impl Doors {
    /// By these papers.
    pub(super) fn open(folder: &Folder, web: WebPapers, now: Wall) -> Result<Doors, Failure> {
        let (exchanges, apps) = shown(folder, &web, now)?;
        Ok(Doors { exchanges: Arc::new(RwLock::new(exchanges)), apps: Arc::new(RwLock::new(apps)), web })
    }

    /// By what lies there now.
    pub(super) fn renew(&self, folder: &Folder, now: Wall) -> Result<(), Failure> {
        let (exchanges, apps) = shown(folder, &self.web, now)?;
        *self.exchanges.write().unwrap_or_else(PoisonError::into_inner) = exchanges;
        *self.apps.write().unwrap_or_else(PoisonError::into_inner) = apps;
        Ok(())
    }
}

type Shown = (Arc<net::ServerConfig>, Arc<net::ServerConfig>);

/// Apps prove themselves by what they sign: a page in a browser can show no certificate.
fn shown(folder: &Folder, web: &WebPapers, now: Wall) -> Result<Shown, Failure> {
    let papers = folder.papers();
    let own = Identity { certificate: papers.certificate.clone(), key: papers.key.clone() };
    let apps = net::server_config_by_name(NAME, &own, &web.identity(folder, now)?)?;
    Ok((papers.server(true)?, apps))
}
