//! TLS among the members of one office: who connects and who is connected to prove themselves by certificates of the office's
//! authority, or by the one certificate that was named beforehand (S4.25).

use crate::tls::TlsError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// Where a member's papers lie, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Papers {
    /// Its certificate.
    pub certificate: PathBuf,
    /// The key of that.
    pub key: PathBuf,
    /// The office's authority.
    pub root: PathBuf,
}

impl Papers {
    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        read(&self.certificate)
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_file(&self.key).map_err(|error| TlsError::new(&self.key, error.to_string()))
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        if roots.add_parsable_certificates(read(&self.root)?).0 == 0 {
            return Err(TlsError::new(&self.root, "holds no certificate of an authority".into()));
        }
        Ok(roots)
    }

    /// SHA-256 of the certificate.
    ///
    /// # Errors
    /// With the file's name.
    pub fn fingerprint(&self) -> Result<[u8; 32], TlsError> {
        let chain = self.chain()?;
        let first =
            chain.first().ok_or_else(|| TlsError::new(&self.certificate, "holds no certificate".into()))?;
        Ok(fingerprint_of(first))
    }

    /// What a listener for members needs. `strangers`: those without a certificate are let in, too, for who wants to join.
    ///
    /// # Errors
    /// With the file's name.
    pub fn server(&self, strangers: bool) -> Result<Arc<ServerConfig>, TlsError> {
        let fail = |error: &dyn std::fmt::Display| TlsError::new(&self.certificate, error.to_string());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()?), Arc::clone(&provider));
        let verifier = if strangers { verifier.allow_unauthenticated() } else { verifier };
        let verifier = verifier.build().map_err(|error| fail(&error))?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| fail(&error))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain()?, self.key()?)
            .map_err(|error| fail(&error))?;
        Ok(Arc::new(config))
    }

    /// What a listener for others needs of whom each is known by its certificate.
    ///
    /// # Errors
    /// With the file's name.
    pub fn server_for(&self, known: KnownCertificates) -> Result<Arc<ServerConfig>, TlsError> {
        let fail = |error: &dyn std::fmt::Display| TlsError::new(&self.certificate, error.to_string());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| fail(&error))?
            .with_client_cert_verifier(Arc::new(Listed { known, provider }))
            .with_single_cert(self.chain()?, self.key()?)
            .map_err(|error| fail(&error))?;
        Ok(Arc::new(config))
    }

    /// What a connection to the directory needs: whoever the authority vouches for under the name that is asked for.
    ///
    /// # Errors
    /// With the file's name.
    pub fn client(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let fail = |error: &dyn std::fmt::Display| TlsError::new(&self.certificate, error.to_string());
        let config = builder()
            .map_err(|error| fail(&error))?
            .with_root_certificates(self.roots()?)
            .with_client_auth_cert(self.chain()?, self.key()?)
            .map_err(|error| fail(&error))?;
        Ok(Arc::new(config))
    }

    /// What a connection to one other member needs: it must have this very certificate.
    ///
    /// # Errors
    /// With the file's name.
    pub fn client_of(&self, fingerprint: [u8; 32]) -> Result<Arc<ClientConfig>, TlsError> {
        let fail = |error: &dyn std::fmt::Display| TlsError::new(&self.certificate, error.to_string());
        let config = builder()
            .map_err(|error| fail(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Named::new(fingerprint)))
            .with_client_auth_cert(self.chain()?, self.key()?)
            .map_err(|error| fail(&error))?;
        Ok(Arc::new(config))
    }
}

/// What a connection of a stranger to the one server with this certificate needs.
///
/// # Errors
/// In the library's words.
pub fn stranger_to(fingerprint: [u8; 32]) -> Result<Arc<ClientConfig>, String> {
    let config = builder()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Named::new(fingerprint)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| TlsError::new(path, error.to_string()))
}

/// SHA-256 of the first certificate of a PEM text.
///
/// # Errors
/// When there is none.
pub fn fingerprint_of_pem(text: &str) -> Result<[u8; 32], String> {
    let certificate = CertificateDer::from_pem_slice(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(fingerprint_of(&certificate))
}

/// SHA-256 of a certificate.
pub(crate) fn fingerprint_of(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

/// That whoever shows a certificate has its key, as both of rustls's traits want it said of a verifier with a `provider`.
macro_rules! checks_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            verify_tls12_signature(
                message,
                certificate,
                signed,
                &self.provider.signature_verification_algorithms,
            )
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            verify_tls13_signature(
                message,
                certificate,
                signed,
                &self.provider.signature_verification_algorithms,
            )
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.provider.signature_verification_algorithms.supported_schemes()
        }
    };
}

/// Certificates that are let in, by their SHA-256; they may change while a listener listens.
pub type KnownCertificates = Arc<RwLock<BTreeSet<[u8; 32]>>>;

/// Takes those that are listed, and checks that the key is the one that signs.
#[derive(Debug)]
struct Listed {
    known: KnownCertificates,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Listed {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.contains(&fingerprint_of(certificate)) {
            return Ok(ClientCertVerified::assertion());
        }
        Err(rustls::Error::General("its certificate is none that we know".into()))
    }

    checks_signatures!();
}

/// Takes one certificate, and checks that its key is the one that signs.
#[derive(Debug)]
struct Named {
    fingerprint: [u8; 32],
    provider: CryptoProvider,
}

impl Named {
    fn new(fingerprint: [u8; 32]) -> Named {
        Named { fingerprint, provider: aws_lc_rs::default_provider() }
    }
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if fingerprint_of(certificate) == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::General("it has another certificate than the one that was named".into()))
    }

    checks_signatures!();
}
