//! Texts over WebSocket (RFC 6455), both ways: what apps and their directory talk in. Texts and patience are bounded.

#![expect(clippy::result_large_err, reason = "a refusal is the whole answer, once a connection")]

use crate::websocket::{Answer, not_a_websocket, websocket_key};
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

/// To connect, each step of it.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a text may take to be written: whoever does not read is not waited for.
const WRITE: Duration = Duration::from_secs(10);
/// After so much silence the other end is asked whether it lives; after twice that it does not.
const SILENCE: Duration = Duration::from_secs(20);

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// One connection.
pub struct TextSocket {
    socket: WebSocketStream<Box<dyn Wire>>,
    heard: Instant,
    asked: bool,
}

/// A request that becomes a connection once its answer has left.
pub struct TextUpgrade {
    upgraded: OnUpgrade,
    longest: usize,
}

impl TextUpgrade {
    /// Answers a request for a connection whose texts have so many octets at most.
    ///
    /// # Errors
    /// With the answer that says why there is none.
    pub fn answer<B>(request: &mut Request<B>, longest: usize) -> Result<(Answer, TextUpgrade), Answer> {
        let key = websocket_key(request)?;
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = answer.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept.map_err(|_| not_a_websocket())?);
        Ok((answer, TextUpgrade { upgraded: hyper::upgrade::on(request), longest }))
    }

    /// The connection.
    ///
    /// # Errors
    /// When it was not begun.
    pub async fn begin(self) -> io::Result<TextSocket> {
        let upgraded = timeout(HANDSHAKE, self.upgraded).await?.map_err(io::Error::other)?;
        let wire: Box<dyn Wire> = Box::new(TokioIo::new(upgraded));
        let socket = WebSocketStream::from_raw_socket(wire, Role::Server, Some(bounds(self.longest))).await;
        Ok(TextSocket::new(socket))
    }
}

impl TextSocket {
    fn new(socket: WebSocketStream<Box<dyn Wire>>) -> TextSocket {
        TextSocket { socket, heard: Instant::now(), asked: false }
    }

    /// Connects to `HOST:PORT`, which must be `name` as the configuration wants it proved.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn connect(
        host: &str,
        name: &str,
        path: &str,
        tls: Arc<ClientConfig>,
        longest: usize,
    ) -> io::Result<TextSocket> {
        let stream = timeout(HANDSHAKE, TcpStream::connect(host)).await??;
        let _ = stream.set_nodelay(true);
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let stream = timeout(HANDSHAKE, TlsConnector::from(tls).connect(name, stream)).await??;
        let request = format!("wss://{host}{path}").into_client_request().map_err(io::Error::other)?;
        let wire: Box<dyn Wire> = Box::new(stream);
        let upgrade = tokio_tungstenite::client_async_with_config(request, wire, Some(bounds(longest)));
        let (socket, _) = timeout(HANDSHAKE, upgrade).await?.map_err(io::Error::other)?;
        Ok(TextSocket::new(socket))
    }

    /// The next text; `None` when there are no more. Nothing is lost when it is not waited for to the end.
    ///
    /// # Errors
    /// When the connection breaks, is silent, or brings what is no text.
    pub async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            let patience = self.heard + if self.asked { 2 * SILENCE } else { SILENCE };
            let message = match timeout_at(patience, self.socket.next()).await {
                Ok(Some(message)) => message,
                Ok(None) => return Ok(None),
                Err(_) if self.asked => return Err(io::ErrorKind::TimedOut.into()),
                Err(_) => {
                    self.asked = true;
                    self.write(Message::Ping(Bytes::new())).await?;
                    continue;
                }
            };
            (self.heard, self.asked) = (Instant::now(), false);
            match message {
                Ok(Message::Text(text)) => return Ok(Some(text.as_str().to_owned())),
                // The library answers pings by itself.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Binary(_)) => return Err(io::Error::other("it sends no text")),
                Ok(Message::Close(_)) => return Ok(None),
                Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => {
                    return Ok(None);
                }
                // Who was killed says no goodbye.
                Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(None);
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }

    /// Sends a text.
    ///
    /// # Errors
    /// When the connection breaks, or the other end does not read.
    pub async fn send(&mut self, text: &str) -> io::Result<()> {
        self.write(Message::text(text)).await
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        // The other end may be gone.
        let _ = timeout(WRITE, self.socket.close(None)).await;
    }

    async fn write(&mut self, message: Message) -> io::Result<()> {
        timeout(WRITE, self.socket.send(message)).await?.map_err(io::Error::other)
    }
}

fn bounds(longest: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(longest))
        .max_frame_size(Some(longest))
        .max_write_buffer_size(4 * longest.max(1 << 17))
}
