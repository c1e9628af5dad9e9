//! Connections of our own to a server that is named: by TCP, or by TLS over it.

use crate::locate::Locator;
use crate::reach;
use rustls::ClientConfig;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Octets both ways, in clear or in secret.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection to the first of its addresses that answers; by TLS if there are authorities that vouch for it.
pub(crate) async fn connect(
    locator: &Locator,
    host: &str,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
) -> Result<Box<dyn Stream>, String> {
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => locator.addresses(host, port).await?.addresses,
    };
    let mut last = String::from("its name has no address");
    for address in addresses {
        let stream = match TcpStream::connect(address).await {
            Ok(stream) => stream,
            Err(error) => {
                last = format!("no connection: {error}");
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let Some(tls) = tls else { return Ok(Box::new(stream)) };
        return Ok(Box::new(reach::secure(host, stream, tls).await?));
    }
    Err(last)
}
