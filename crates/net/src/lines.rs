//! Lines of text over TLS, both ways: what exchanges and their directory talk in. Lines and patience are bounded.

use crate::member::fingerprint_of;
use crate::tls::TlsConfig;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a line may take to be written: whoever does not read is not waited for.
const WRITE: Duration = Duration::from_secs(10);

/// A listener for lines.
pub struct LineListener {
    listener: TcpListener,
    tls: TlsConfig,
}

/// A connection that has not shaken hands yet.
pub struct LineGuest {
    stream: TcpStream,
    remote: SocketAddr,
    tls: Arc<ServerConfig>,
}

/// Both halves of a connection.
pub struct Lines {
    /// What comes.
    pub reader: LineReader,
    /// What goes.
    pub writer: LineWriter,
    /// Where the other end is.
    pub remote: SocketAddr,
    /// SHA-256 of the other end's certificate; none if it showed none.
    pub fingerprint: Option<[u8; 32]>,
}

/// What comes.
pub struct LineReader {
    reader: BufReader<Box<dyn AsyncRead + Send + Unpin>>,
    longest: u64,
}

/// What goes.
pub struct LineWriter {
    writer: Box<dyn AsyncWrite + Send + Unpin>,
}

impl LineListener {
    /// Binds. Handshakes go by what `tls` holds when they begin.
    ///
    /// # Errors
    /// What the system says about the address.
    pub async fn bind(address: SocketAddr, tls: TlsConfig) -> io::Result<LineListener> {
        Ok(LineListener { listener: TcpListener::bind(address).await?, tls })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the system says.
    pub fn bound(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The next one who comes.
    ///
    /// # Errors
    /// What the system says; the listener goes on.
    pub async fn accept(&self) -> io::Result<LineGuest> {
        let (stream, remote) = self.listener.accept().await?;
        let tls = Arc::clone(&self.tls.read().unwrap_or_else(PoisonError::into_inner));
        Ok(LineGuest { stream, remote, tls })
    }
}

impl LineGuest {
    /// Shakes hands; lines of more octets than `longest` end the connection.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn welcome(self, longest: u64) -> io::Result<Lines> {
        let _ = self.stream.set_nodelay(true);
        let stream = timeout(HANDSHAKE, TlsAcceptor::from(self.tls).accept(self.stream)).await??;
        let shown =
            stream.get_ref().1.peer_certificates().and_then(|chain| chain.first().map(fingerprint_of));
        Ok(Lines::new(stream, self.remote, shown, longest))
    }
}

impl Lines {
    /// Connects to a host, which must be `name` as the configuration wants it proved.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn connect(
        host: impl ToSocketAddrs,
        name: &str,
        tls: Arc<ClientConfig>,
        longest: u64,
    ) -> io::Result<Lines> {
        let stream = timeout(HANDSHAKE, TcpStream::connect(host)).await??;
        let _ = stream.set_nodelay(true);
        let remote = stream.peer_addr()?;
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let stream = timeout(HANDSHAKE, TlsConnector::from(tls).connect(name, stream)).await??;
        let shown =
            stream.get_ref().1.peer_certificates().and_then(|chain| chain.first().map(fingerprint_of));
        Ok(Lines::new(stream, remote, shown, longest))
    }

    fn new<S>(stream: S, remote: SocketAddr, fingerprint: Option<[u8; 32]>, longest: u64) -> Lines
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (reader, writer) = tokio::io::split(stream);
        let reader = LineReader { reader: BufReader::new(Box::new(reader)), longest };
        Lines { reader, writer: LineWriter { writer: Box::new(writer) }, remote, fingerprint }
    }
}

impl LineReader {
    /// The next line, without its end; `None` when there are no more.
    ///
    /// # Errors
    /// When the connection breaks, or a line is too long or no UTF-8.
    pub async fn next(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        match (&mut self.reader).take(self.longest).read_until(b'\n', &mut line).await {
            // Who was killed says no goodbye.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        };
        if line.is_empty() {
            return Ok(None);
        }
        if line.pop() != Some(b'\n') {
            return Err(io::Error::other("a line has no end"));
        }
        String::from_utf8(line).map(Some).map_err(io::Error::other)
    }
}

impl LineWriter {
    /// Writes one line, which holds none of its own.
    ///
    /// # Errors
    /// When the connection breaks, or the other end does not read.
    pub async fn send(&mut self, line: &str) -> io::Result<()> {
        timeout(WRITE, async {
            self.writer.write_all(line.as_bytes()).await?;
            self.writer.write_all(b"\n").await?;
            self.writer.flush().await
        })
        .await?
    }
}
