//! Ways to hosts that somebody else named: the name is looked up, what it leads to is judged, and the connection goes to the
//! address that was judged, whatever the name leads to a moment later (sec_14).

use crate::destination::{Network, refusal};
use crate::locate::Locator;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A connection to one of several addresses.
const CONNECT_PATIENCE: Duration = Duration::from_secs(4);

/// Reaches hosts within the networks that are allowed.
#[derive(Clone)]
pub struct Reach {
    locator: Result<Locator, String>,
    allow: Vec<Network>,
    hint: &'static str,
}

impl Reach {
    /// Asks these name servers, or those of the system; `hint` goes on after a refusal and says where `allow` is set. To be made
    /// inside of the runtime.
    #[must_use]
    pub fn new(servers: &[SocketAddr], allow: Vec<Network>, hint: &'static str) -> Reach {
        Reach { locator: Locator::new(servers), allow, hint }
    }

    fn judge(&self, address: IpAddr) -> Result<(), String> {
        match refusal(address, &self.allow) {
            Some(why) => Err(format!("nothing is sent to {address}, which {why}{}", self.hint)),
            None => Ok(()),
        }
    }

    /// The first address of a host that may be reached, for who connects by other means.
    ///
    /// # Errors
    /// In words, when it has none.
    pub async fn address(&self, host: &str, port: u16) -> Result<SocketAddr, String> {
        let mut last = None;
        for address in addresses(&self.locator, host, port).await? {
            match self.judge(address.ip()) {
                Ok(()) => return Ok(address),
                Err(why) => last = Some(why),
            }
        }
        Err(last.unwrap_or_else(|| NO_ADDRESS.to_owned()))
    }

    /// A connection to the first of a host's addresses that may be reached and answers.
    ///
    /// # Errors
    /// In words, when there is none.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, String> {
        let addresses = addresses(&self.locator, host, port).await?;
        first(&addresses, |address| self.judge(address)).await
    }
}

const NO_ADDRESS: &str = "its name has no address";

/// The addresses of a host, each with this port.
pub(crate) async fn addresses(
    locator: &Result<Locator, String>,
    host: &str,
    port: u16,
) -> Result<Vec<SocketAddr>, String> {
    match host.parse() {
        Ok(address) => Ok(vec![SocketAddr::new(address, port)]),
        Err(_) => Ok(locator.as_ref().map_err(Clone::clone)?.addresses(host, port).await?.addresses),
    }
}

/// A connection to the first address that is judged well and answers.
pub(crate) async fn first(
    addresses: &[SocketAddr],
    judge: impl Fn(IpAddr) -> Result<(), String>,
) -> Result<TcpStream, String> {
    let mut last = NO_ADDRESS.to_owned();
    for address in addresses {
        if let Err(why) = judge(address.ip()) {
            last = why;
            continue;
        }
        match timeout(CONNECT_PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = format!("no connection: {error}"),
            Err(_) => last = "no connection: nobody answers".into(),
        }
    }
    Err(last)
}

/// Speaks TLS with a host over a connection to it.
///
/// # Errors
/// In words, when it is another host, or nobody vouches for it.
pub async fn secure<S: AsyncRead + AsyncWrite + Unpin>(
    host: &str,
    stream: S,
    tls: Arc<ClientConfig>,
) -> Result<TlsStream<S>, String> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| "its name cannot stand in a certificate".to_owned())?;
    TlsConnector::from(tls).connect(name, stream).await.map_err(|error| format!("no TLS: {error}"))
}
