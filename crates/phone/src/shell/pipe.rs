//! Octets to and from a server, in clear or under TLS.

use super::tls::{self, Trust};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Connecting, and each step of shaking hands, may take this long.
const CONNECT: Duration = Duration::from_secs(3);

/// One connection.
pub(super) enum Pipe {
    Clear(TcpStream),
    Secret(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Pipe {
    /// Connects, and speaks TLS when it is said who is believed to be `host`. Blocks for some seconds at most, as reading
    /// and writing do until the socket is told not to.
    pub(super) fn connect(remote: SocketAddr, host: &str, trust: Option<&Trust>) -> io::Result<Pipe> {
        let tcp = TcpStream::connect_timeout(&remote, CONNECT)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(CONNECT))?;
        tcp.set_write_timeout(Some(CONNECT))?;
        match trust {
            Some(trust) => shake_hands(host, trust, tcp),
            None => Ok(Pipe::Clear(tcp)),
        }
    }

    pub(super) fn socket(&self) -> &TcpStream {
        match self {
            Pipe::Clear(tcp) => tcp,
            Pipe::Secret(tls) => &tls.sock,
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Pipe::Clear(tcp) => tcp.read(room),
            Pipe::Secret(tls) => tls.read(room),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Pipe::Clear(tcp) => tcp.write(bytes),
            Pipe::Secret(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Pipe::Clear(tcp) => tcp.flush(),
            Pipe::Secret(tls) => tls.flush(),
        }
    }
}

fn shake_hands(host: &str, trust: &Trust, mut tcp: TcpStream) -> io::Result<Pipe> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let config = tls::client_config(trust)?;
    let mut connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut tcp)?;
    }
    Ok(Pipe::Secret(Box::new(StreamOwned::new(connection, tcp))))
}
