//! One request over one connection, by TLS or, on this machine, in clear.

use crate::telling::Exchange;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Where Debian and its kin keep the authorities that the system trusts.
pub const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// How long a connection, and each part of an answer, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Octets of an answer.
const ANSWER: u64 = 64 * 1024;

/// Whom we believe to be the exchange: whoever an authority in this file vouches for, or who is in it.
///
/// # Errors
/// When the file holds no certificate.
pub fn trust(authorities: &Path) -> io::Result<Arc<ClientConfig>> {
    let fail = |what: String| io::Error::other(format!("{}: {what}", authorities.display()));
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(authorities).map_err(|error| fail(error.to_string()))?;
    let (added, _) = roots.add_parsable_certificates(found.flatten());
    if added == 0 {
        return Err(fail("holds no certificate".into()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// When the exchange cannot be reached, is not who it says, or does not answer in time.
pub fn ask(exchange: &Exchange, trust: Option<&Arc<ClientConfig>>, request: &[u8]) -> io::Result<Vec<u8>> {
    let stream = connect(exchange)?;
    match trust.filter(|_| exchange.tls) {
        Some(trust) => {
            let name = ServerName::try_from(exchange.host.clone()).map_err(io::Error::other)?;
            let connection = ClientConnection::new(Arc::clone(trust), name).map_err(io::Error::other)?;
            converse(StreamOwned::new(connection, stream), request)
        }
        None if exchange.tls => Err(io::Error::other("nobody says whose certificate is believed")),
        None => converse(stream, request),
    }
}

fn connect(exchange: &Exchange) -> io::Result<TcpStream> {
    let mut last = io::Error::other("the name has no address");
    for address in (exchange.host.as_str(), exchange.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn converse(mut stream: impl Read + Write, request: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(request)?;
    stream.flush()?;
    let mut answer = Vec::new();
    match stream.take(ANSWER).read_to_end(&mut answer) {
        // An end without a farewell is one all the same, once something was said.
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof || answer.is_empty() => Err(error),
        _ => Ok(answer),
    }
}
