//! Lines of text over TLS, both ways: what exchanges and their directory talk in. Lines and patience are bounded.

use crate::member::fingerprint_of;
use crate::tls::TlsConfig;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
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
        self.line(None).await
    }

    /// The same, from somebody of whom something is heard all the time: a long line takes long, but each part of it is a sign of life.
    ///
    /// # Errors
    /// As for [`LineReader::next`], and when nothing comes for so long.
    pub async fn next_unless_silent(&mut self, silence: Duration) -> io::Result<Option<String>> {
        self.line(Some(silence)).await
    }

    async fn line(&mut self, silence: Option<Duration>) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        loop {
            let coming = self.reader.fill_buf();
            let come = match silence {
                Some(silence) => {
                    timeout(silence, coming).await.map_err(|_| io::Error::other("it is silent"))?
                }
                None => coming.await,
            };
            let octets = match come {
                // Who was killed says no goodbye.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                other => other?,
            };
            if octets.is_empty() && line.is_empty() {
                return Ok(None);
            }
            let end = octets.iter().position(|octet| *octet == b'\n');
            let part = &octets[..end.unwrap_or(octets.len())];
            if octets.is_empty() || (line.len() + part.len()) as u64 >= self.longest {
                return Err(io::Error::other("a line has no end"));
            }
            line.extend_from_slice(part);
            let taken = part.len() + usize::from(end.is_some());
            self.reader.consume(taken);
            if end.is_some() {
                return String::from_utf8(line).map(Some).map_err(io::Error::other);
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn connected(longest: u64) -> (Lines, tokio::io::DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(64);
        (Lines::new(ours, "192.0.2.1:5063".parse().unwrap(), None, longest), theirs)
    }

    #[tokio::test]
    async fn lines_are_cut_and_bounded() {
        let (mut lines, mut theirs) = connected(6);
        theirs.write_all(b"one\n\nthree\nlonger\n").await.unwrap();
        for expected in ["one", "", "three"] {
            assert_eq!(lines.reader.next().await.unwrap().as_deref(), Some(expected));
        }
        assert!(lines.reader.next().await.is_err());
        let (mut lines, mut theirs) = connected(64);
        theirs.write_all(b"half").await.unwrap();
        drop(theirs);
        assert!(lines.reader.next().await.is_err(), "it has no end");
        let (mut lines, theirs) = connected(64);
        drop(theirs);
        assert_eq!(lines.reader.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_long_line_is_no_silence() {
        let (mut lines, mut theirs) = connected(1_000);
        let silence = Duration::from_millis(400);
        let speaking = tokio::spawn(async move {
            for part in [&b"a li"[..], b"ne th", b"at is slow", b"\n"] {
                tokio::time::sleep(silence / 2).await;
                theirs.write_all(part).await.unwrap();
            }
            theirs
        });
        let line = lines.reader.next_unless_silent(silence).await.unwrap();
        assert_eq!(line.as_deref(), Some("a line that is slow"));
        let _theirs = speaking.await.unwrap();
        let why = lines.reader.next_unless_silent(silence).await.unwrap_err();
        assert_eq!(why.to_string(), "it is silent");
    }
}
