//! TLS for SIP: a certificate from files, or one made at first start and signed by itself.

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig};
use std::fmt;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

/// Where the certificate chain and its key lie, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The chain, the server's own first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Why there is no usable certificate.
#[derive(Debug)]
pub struct TlsError {
    path: PathBuf,
    what: String,
}

impl TlsError {
    pub(crate) fn new(path: &Path, what: String) -> TlsError {
        TlsError { path: path.into(), what }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

impl std::error::Error for TlsError {}

impl Identity {
    /// The identity in the data folder, made now if there is none: valid for the given names, signed by itself.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn self_signed(folder: &Path, names: Vec<String>) -> Result<Identity, TlsError> {
        let identity = Identity { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
        if identity.certificate.exists() && identity.key.exists() {
            return Ok(identity);
        }
        let made = rcgen::generate_simple_self_signed(names)
            .map_err(|error| TlsError { path: identity.certificate.clone(), what: error.to_string() })?;
        write_private(&identity.key, made.signing_key.serialize_pem().as_bytes())?;
        write_private(&identity.certificate, made.cert.pem().as_bytes())?;
        Ok(identity)
    }
}

/// Readable by its owner alone.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), TlsError> {
    let written = (|| -> io::Result<()> {
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    })();
    written.map_err(|error| TlsError { path: path.into(), what: error.to_string() })
}

/// What a listener needs to speak TLS with this identity. Read anew at each reload; connections keep what they
/// began with, so calls do not drop.
///
/// # Errors
/// With the file's name: missing, unreadable, not PEM, or key and certificate do not belong together.
pub fn server_config(identity: &Identity) -> Result<Arc<ServerConfig>, TlsError> {
    let at = |path: &Path, what: String| TlsError { path: path.into(), what };
    let (chain, key) = read(identity)?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| at(&identity.certificate, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| at(&identity.certificate, error.to_string()))?;
    Ok(Arc::new(config))
}

fn read(identity: &Identity) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let at = |path: &Path, what: String| TlsError { path: path.into(), what };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&identity.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| at(&identity.certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(at(&identity.certificate, "holds no certificate".into()));
    }
    let key =
        PrivateKeyDer::from_pem_file(&identity.key).map_err(|error| at(&identity.key, error.to_string()))?;
    Ok((chain, key))
}

/// What a listener needs that is one thing to who asks for it by `name` (RFC 6066 3), and another to everybody else.
///
/// # Errors
/// As [`server_config`].
pub fn server_config_by_name(
    name: &'static str,
    named: &Identity,
    others: &Identity,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let certified = |identity: &Identity| {
        let (chain, key) = read(identity)?;
        let made = CertifiedKey::from_der(chain, key, &provider);
        made.map(Arc::new).map_err(|error| TlsError::new(&identity.certificate, error.to_string()))
    };
    let resolver = ByName { name, named: certified(named)?, others: certified(others)? };
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::new(&named.certificate, error.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct ByName {
    name: &'static str,
    named: Arc<CertifiedKey>,
    others: Arc<CertifiedKey>,
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().is_some_and(|name| name.eq_ignore_ascii_case(self.name));
        Some(Arc::clone(if asked { &self.named } else { &self.others }))
    }
}

/// What listeners speak TLS with; replaced as a whole at a reload, while connections keep what they began with.
pub type TlsConfig = Arc<RwLock<Arc<ServerConfig>>>;

/// A certificate for DTLS, of this process only: browsers learn its fingerprint from the description (RFC 8827 5.6.4).
///
/// # Errors
/// In the library's words.
pub fn dtls_identity() -> Result<media::webrtc::Identity, String> {
    let made =
        rcgen::generate_simple_self_signed(vec!["ringdown".into()]).map_err(|error| error.to_string())?;
    Ok(media::webrtc::Identity::new(made.cert.der().to_vec(), made.signing_key.serialize_der()))
}

/// What we need to speak TLS to a server: whoever is vouched for by one of these authorities, PEM files as systems keep
/// them.
///
/// # Errors
/// With the file's name: missing, unreadable, or without a certificate.
pub fn client_config(authorities: &[&Path]) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = rustls::RootCertStore::empty();
    for path in authorities {
        let found =
            CertificateDer::pem_file_iter(path).map_err(|error| TlsError::new(path, error.to_string()))?;
        if roots.add_parsable_certificates(found.flatten()).0 == 0 {
            return Err(TlsError::new(path, "holds no certificate of an authority".into()));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::new(Path::new("TLS"), error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_faults_name_their_file() {
        let folder = std::env::temp_dir().join(format!("ringdown-tls-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let identity = Identity::self_signed(&folder, vec!["localhost".into()]).unwrap();
        let before = std::fs::read(&identity.certificate).unwrap();
        server_config(&identity).unwrap();
        Identity::self_signed(&folder, vec!["localhost".into()]).unwrap();
        assert_eq!(std::fs::read(&identity.certificate).unwrap(), before);
        std::fs::write(&identity.key, "nonsense").unwrap();
        assert!(server_config(&identity).unwrap_err().to_string().contains("key.pem"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
