//! The way to the server: a UDP socket, or one TCP or TLS connection.

use super::Settings;
use super::stream::{Stream, TURN};
use sip::{Flow, Transport};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

/// One way to the server.
pub(super) enum Line {
    Datagrams { socket: UdpSocket, local: SocketAddr },
    Stream(Box<Stream>, Flow),
}

impl Line {
    /// Opens a way; `number` tells one connection from the next.
    pub(super) fn open(settings: &Settings, own: IpAddr, number: u64) -> io::Result<(Line, Flow)> {
        let remote = settings.server.resolve()?;
        let transport = settings.transport;
        let trust = match transport {
            Transport::Udp => {
                let socket = UdpSocket::bind(SocketAddr::new(own, 0))?;
                socket.set_nonblocking(true)?;
                let local = socket.local_addr()?;
                return Ok((Line::Datagrams { socket, local }, Flow::udp(local, remote)));
            }
            Transport::Tcp => None,
            Transport::Tls => Some(&settings.trust),
            Transport::Ws | Transport::Wss => return Err(io::ErrorKind::Unsupported.into()),
        };
        let stream = Stream::connect(remote, &settings.server.host, trust)?;
        let flow = Flow { transport, local: stream.local()?, remote, connection: number };
        Ok((Line::Stream(Box::new(stream), flow), flow))
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Line::Datagrams { socket, .. } => socket.as_fd(),
            Line::Stream(stream, _) => stream.descriptor(),
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
        }
    }

    /// Sends what a slow server has not taken yet.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Line::Datagrams { .. } => Ok(()),
            Line::Stream(stream, _) => stream.flush(),
        }
    }

    pub(super) fn is_behind(&self) -> bool {
        matches!(self, Line::Stream(stream, _) if stream.is_behind())
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
        }
    }
}
