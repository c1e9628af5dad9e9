//! The way to the server: a UDP socket, or one TCP or TLS connection.

use super::{Settings, tls};
use crate::limits::STREAM_OCTETS;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use sip::{Flow, Transport};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;
use wire::sip::limits::MAX_MESSAGE_BYTES;
use wire::sip::{Frame, Framer};

/// Connecting and shaking hands may take this long; calls that are up are silent meanwhile.
const CONNECT: Duration = Duration::from_secs(3);
/// Messages taken from one socket in a turn, so that sound is not late.
const TURN: usize = 64;

/// One way to the server.
pub(super) enum Line {
    Datagrams { socket: UdpSocket, local: SocketAddr },
    Stream(Box<Stream>),
}

/// A connection, its half messages in and out.
pub(super) struct Stream {
    pipe: Pipe,
    flow: Flow,
    framer: Framer,
    input: Vec<u8>,
    output: Vec<u8>,
}

enum Pipe {
    Clear(TcpStream),
    Secret(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Line {
    /// Opens a way; `number` tells one connection from the next.
    pub(super) fn open(settings: &Settings, own: IpAddr, number: u64) -> io::Result<(Line, Flow)> {
        let remote = settings.server.resolve()?;
        if settings.transport == Transport::Udp {
            let socket = UdpSocket::bind(SocketAddr::new(own, 0))?;
            socket.set_nonblocking(true)?;
            let local = socket.local_addr()?;
            return Ok((Line::Datagrams { socket, local }, Flow::udp(local, remote)));
        }
        let tcp = TcpStream::connect_timeout(&remote, CONNECT)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(CONNECT))?;
        tcp.set_write_timeout(Some(CONNECT))?;
        let local = tcp.local_addr()?;
        let pipe = match settings.transport {
            Transport::Tls => shake_hands(settings, tcp)?,
            Transport::Udp | Transport::Tcp => Pipe::Clear(tcp),
            Transport::Ws | Transport::Wss => return Err(io::ErrorKind::Unsupported.into()),
        };
        pipe.socket().set_nonblocking(true)?;
        let flow = Flow { transport: settings.transport, local, remote, connection: number };
        let (framer, input, output) = (Framer::new(), Vec::new(), Vec::new());
        Ok((Line::Stream(Box::new(Stream { pipe, flow, framer, input, output })), flow))
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Line::Datagrams { socket, .. } => socket.as_fd(),
            Line::Stream(stream) => stream.pipe.socket().as_fd(),
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
            Line::Stream(stream) => stream.send(bytes),
        }
    }

    /// Sends what a slow server has not taken yet.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Line::Datagrams { .. } => Ok(()),
            Line::Stream(stream) => stream.flush(),
        }
    }

    pub(super) fn is_behind(&self) -> bool {
        matches!(self, Line::Stream(stream) if !stream.output.is_empty())
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
            Line::Stream(stream) => stream.receive(each),
        }
    }
}

impl Stream {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.output.len() + bytes.len() > STREAM_OCTETS {
            return Err(io::Error::other("the server does not read what we send"));
        }
        self.output.extend_from_slice(bytes);
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            match self.pipe.write(&self.output) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(sent) => drop(self.output.drain(..sent)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        match self.pipe.flush() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    fn receive(&mut self, mut each: impl FnMut(Flow, &[u8])) -> io::Result<()> {
        let mut room = [0; 16_384];
        for _ in 0..TURN {
            match self.pipe.read(&mut room) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.input.extend_from_slice(&room[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            self.cut(&mut each)?;
        }
        Ok(())
    }

    /// Hands on all whole messages.
    fn cut(&mut self, each: &mut impl FnMut(Flow, &[u8])) -> io::Result<()> {
        loop {
            match self.framer.frame(&self.input) {
                Frame::Complete { len } => {
                    let message: Vec<u8> = self.input.drain(..len).collect();
                    each(self.flow, &message);
                }
                // RFC 5626 3.5.1: a ping wants a pong.
                Frame::Keepalive { len } => {
                    self.input.drain(..len);
                    self.send(b"\r\n")?;
                }
                Frame::Pong { len } => drop(self.input.drain(..len)),
                Frame::Incomplete if self.input.len() > MAX_MESSAGE_BYTES => {
                    return Err(io::Error::other("a message without an end"));
                }
                Frame::Incomplete => return Ok(()),
                Frame::Invalid(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

impl Pipe {
    fn socket(&self) -> &TcpStream {
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

fn shake_hands(settings: &Settings, mut tcp: TcpStream) -> io::Result<Pipe> {
    let name = ServerName::try_from(settings.server.host.clone()).map_err(io::Error::other)?;
    let config = tls::client_config(&settings.trust)?;
    let mut connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut tcp)?;
    }
    Ok(Pipe::Secret(Box::new(StreamOwned::new(connection, tcp))))
}
