//! What TLS listeners speak with, where that comes from, and how it is exchanged while connections stand.

use crate::Failure;
use crate::config::Config;
use net::Identity;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// The certificate in use.
pub(crate) struct Tls {
    /// What new connections begin with; those that stand keep theirs.
    pub(crate) current: net::TlsConfig,
}

impl Tls {
    /// What the configuration asks for; none without a TLS listener.
    pub(crate) fn start(config: &Config, data: &Path) -> Result<Option<Tls>, Failure> {
        let lists = [&config.sip.tls, &config.sip.wss, &config.http.tls];
        if lists.iter().all(|list| list.0.is_empty()) {
            return Ok(None);
        }
        let current = net::server_config(&identity(config, data)?)?;
        Ok(Some(Tls { current: Arc::new(RwLock::new(current)) }))
    }

    /// Takes another certificate; connections keep what they began with, so no call drops.
    pub(crate) fn put(&self, config: Arc<net::ServerConfig>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
    }
}

/// Where certificate and key lie; made in the data folder if the configuration names none.
pub(crate) fn identity(config: &Config, data: &Path) -> Result<Identity, Failure> {
    if let (Some(certificate), Some(key)) = (&config.sip.certificate, &config.sip.key) {
        return Ok(Identity { certificate: certificate.clone(), key: key.clone() });
    }
    let listening = config.sip.tls.0.iter().chain(&config.sip.wss.0).chain(&config.http.tls.0);
    // Where we listen everywhere, people type the address of the route to the world.
    let named = listening.map(|address| match address.ip() {
        ip if ip.is_unspecified() => super::own_address(),
        ip => ip,
    });
    let mut names: Vec<String> = named.chain(config.sip.advertise).map(|ip| ip.to_string()).collect();
    names.extend(["localhost".to_owned(), IpAddr::from([127, 0, 0, 1]).to_string()]);
    names.extend(config.sip.domain.clone());
    names.sort();
    names.dedup();
    Ok(Identity::self_signed(data, names)?)
}
