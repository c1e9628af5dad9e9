//! The way to the server: a UDP socket, one TCP or TLS connection, or one WebSocket.

use super::stream::{Stream, TURN};
use super::websocket::WebSocket;
use super::{Account, Server};
use sip::{Flow, Transport};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// RFC 5626 4.4.1: 95 to 120 seconds.
const STREAM_QUIET: Duration = Duration::from_secs(100);
/// Proxies in front of web servers give up after a minute as a rule.
const WEBSOCKET_QUIET: Duration = Duration::from_secs(25);

/// One way to the server.
pub(super) enum Line {
    Datagrams { socket: UdpSocket, local: SocketAddr },
    Stream(Box<Stream>, Flow),
    WebSocket(Box<WebSocket>, Flow),
}

impl Line {
    /// Opens a way; `number` tells one connection from the next. Blocks for some seconds at most, and for as long as the
    /// system looks for a name.
    pub(super) fn open(account: &Account, server: &Server, number: u64) -> io::Result<(Line, Flow)> {
        let transport = account.transport;
        let remote = server.clone().by(transport).resolve()?;
        let trust = match transport {
            Transport::Udp => {
                let socket = UdpSocket::bind(SocketAddr::new(net::route_address(remote.ip())?, 0))?;
                socket.set_nonblocking(true)?;
                let local = socket.local_addr()?;
                return Ok((Line::Datagrams { socket, local }, Flow::udp(local, remote)));
            }
            Transport::Tcp | Transport::Ws => None,
            Transport::Tls | Transport::Wss => Some(&account.trust),
        };
        if transport.is_websocket() {
            let socket = WebSocket::connect(remote, server, trust)?;
            let flow = Flow { transport, local: socket.local()?, remote, connection: number };
            return Ok((Line::WebSocket(Box::new(socket), flow), flow));
        }
        let stream = Stream::connect(remote, &server.host, trust)?;
        let flow = Flow { transport, local: stream.local()?, remote, connection: number };
        Ok((Line::Stream(Box::new(stream), flow), flow))
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Line::Datagrams { socket, .. } => socket.as_fd(),
            Line::Stream(stream, _) => stream.descriptor(),
            Line::WebSocket(socket, _) => socket.descriptor(),
        }
    }

    /// Sends one message.
    pub(super) fn send(&mut self, flow: Flow, bytes: &[u8]) -> io::Result<()> {
        match self {
            Line::Datagrams { socket, .. } => {
                // What a datagram's way refuses is repeated by the transaction, or given up by it.
                let _ = socket.send_to(bytes, flow.remote);
                Ok(())
            }
            Line::Stream(stream, _) => stream.send(bytes),
            Line::WebSocket(socket, _) => socket.send(bytes),
        }
    }

    /// Sends what a slow server has not taken yet.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Line::Datagrams { .. } => Ok(()),
            Line::Stream(stream, _) => stream.flush(),
            Line::WebSocket(socket, _) => socket.flush(),
        }
    }

    pub(super) fn is_behind(&self) -> bool {
        match self {
            Line::Datagrams { .. } => false,
            Line::Stream(stream, _) => stream.is_behind(),
            Line::WebSocket(socket, _) => socket.is_behind(),
        }
    }

    /// Whether there is something to take that no poll tells of.
    pub(super) fn has_more(&self) -> bool {
        matches!(self, Line::WebSocket(socket, _) if socket.has_more())
    }

    /// How often [`Line::keep_alive`] is due; never for datagrams.
    pub(super) fn quiet(&self) -> Option<Duration> {
        match self {
            Line::Datagrams { .. } => None,
            Line::Stream(..) => Some(STREAM_QUIET),
            Line::WebSocket(..) => Some(WEBSOCKET_QUIET),
        }
    }

    /// Keeps a connection in the minds of those on the way, and finds out that nobody is at its end.
    pub(super) fn keep_alive(&mut self) -> io::Result<()> {
        match self {
            Line::Datagrams { .. } => Ok(()),
            // RFC 5626 3.5.1; not every server answers, so that silence says nothing.
            Line::Stream(stream, _) => stream.send(b"\r\n\r\n"),
            Line::WebSocket(socket, _) => socket.ask(),
        }
    }

    /// Takes what has come. An error means that the line is gone.
    pub(super) fn receive(&mut self, mut each: impl FnMut(Flow, &[u8])) -> io::Result<()> {
        match self {
            Line::Datagrams { socket, local } => {
                let mut room = [0; 65_536];
                for _ in 0..TURN {
                    match socket.recv_from(&mut room) {
                        Ok((length, from)) => each(Flow::udp(*local, from), &room[..length]),
                        Err(_) => break,
                    }
                }
                Ok(())
            }
            Line::Stream(stream, flow) => stream.receive(|message| each(*flow, message)),
            Line::WebSocket(socket, flow) => socket.receive(|message| each(*flow, message)),
        }
    }
}
