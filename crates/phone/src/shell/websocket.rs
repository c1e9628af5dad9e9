//! SIP over one WebSocket (RFC 7118): a message of ours is one of theirs.

use super::pipe::Pipe;
use super::server::Server;
use super::stream::TURN;
use super::tls::Trust;
use crate::limits::STREAM_OCTETS;
use sip::Transport;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, BorrowedFd};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::http::HeaderValue;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Bytes, Error, HandshakeError, Message};
use wire::sip::limits::MAX_MESSAGE_BYTES;

/// The subprotocol (RFC 7118 4.1).
const SUBPROTOCOL: &str = "sip";

/// A connection to a server.
pub(super) struct WebSocket {
    socket: tungstenite::WebSocket<Pipe>,
    behind: bool,
    /// The last turn ended before all was taken; no poll tells of what the library holds.
    more: bool,
    /// A ping of ours has no answer yet.
    asked: bool,
}

impl WebSocket {
    /// Connects, under TLS when it is said who is believed to be the server. Blocks for some seconds at most.
    pub(super) fn connect(
        remote: SocketAddr,
        server: &Server,
        trust: Option<&Trust>,
    ) -> io::Result<WebSocket> {
        let pipe = Pipe::connect(remote, &server.host, trust)?;
        let transport = if trust.is_some() { Transport::Wss } else { Transport::Ws };
        let mut request = server.link(transport).into_client_request().map_err(io::Error::other)?;
        let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
        request.headers_mut().insert("Sec-WebSocket-Protocol", subprotocol);
        let bounds = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES))
            .write_buffer_size(0)
            .max_write_buffer_size(STREAM_OCTETS);
        let (socket, _) = tungstenite::client::client_with_config(request, pipe, Some(bounds)).map_err(
            |error| match error {
                HandshakeError::Interrupted(_) => io::ErrorKind::TimedOut.into(),
                HandshakeError::Failure(error) => refused(error),
            },
        )?;
        socket.get_ref().socket().set_nonblocking(true)?;
        Ok(WebSocket { socket, behind: false, more: false, asked: false })
    }

    pub(super) fn local(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().socket().local_addr()
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.get_ref().socket().as_fd()
    }

    /// Whether the server has not taken all yet.
    pub(super) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Whether there is something to take that no poll tells of.
    pub(super) fn has_more(&self) -> bool {
        self.more
    }

    /// Sends one SIP message, as text where it can be: that is what every server knows (RFC 7118 5).
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let message = match std::str::from_utf8(bytes) {
            Ok(text) => Message::text(text),
            Err(_) => Message::binary(bytes.to_vec()),
        };
        let written = self.socket.write(message);
        self.note(written)?;
        self.flush()
    }

    /// Sends what a slow server has not taken yet.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.behind = false;
        let flushed = self.socket.flush();
        self.note(flushed)
    }

    /// Asks whether the server lives; to be called now and then. An error when it did not say so since the last time.
    pub(super) fn ask(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.asked, true) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let written = self.socket.write(Message::Ping(Bytes::new()));
        self.note(written)?;
        self.flush()
    }

    /// Takes what has come.
    pub(super) fn receive(&mut self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        self.more = false;
        for _ in 0..TURN {
            let message = match self.socket.read() {
                Ok(message) => message,
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(plain(error)),
            };
            self.asked = false;
            match &message {
                Message::Text(text) => self.take(text.as_bytes(), &mut each)?,
                Message::Binary(bytes) => self.take(bytes, &mut each)?,
                // The library answers pings with the next flush.
                Message::Ping(_) => self.flush()?,
                Message::Pong(_) | Message::Frame(_) => {}
                Message::Close(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        self.more = true;
        Ok(())
    }

    /// RFC 5626 4.4.1: a double line end asks, a single one answers.
    fn take(&mut self, bytes: &[u8], each: &mut impl FnMut(&[u8])) -> io::Result<()> {
        match bytes {
            b"\r\n\r\n" => self.send(b"\r\n"),
            bytes if bytes.iter().all(|octet| matches!(octet, b'\r' | b'\n')) => Ok(()),
            bytes => {
                each(bytes);
                Ok(())
            }
        }
    }

    fn note(&mut self, outcome: tungstenite::Result<()>) -> io::Result<()> {
        match outcome {
            Ok(()) => Ok(()),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                self.behind = true;
                Ok(())
            }
            Err(Error::WriteBufferFull(_)) => Err(io::Error::other("the server does not read what we send")),
            Err(error) => Err(plain(error)),
        }
    }
}

fn plain(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::UnexpectedEof.into(),
        error => io::Error::other(error),
    }
}

/// Why there is no WebSocket; the words of a web server are the best that there are.
fn refused(error: Error) -> io::Error {
    let Error::Http(answer) = error else { return plain(error) };
    let words = answer.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let words: String = words.chars().filter(|letter| !letter.is_control()).take(200).collect();
    let gap = if words.is_empty() { "" } else { ": " };
    io::Error::other(format!("no WebSocket, {}{gap}{words}", answer.status()))
}
