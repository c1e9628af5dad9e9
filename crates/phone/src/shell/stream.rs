//! SIP over one TCP or TLS connection: messages in, messages out, and neither waits for the other.

use super::pipe::Pipe;
use super::tls::Trust;
use crate::limits::STREAM_OCTETS;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, BorrowedFd};
use wire::sip::limits::MAX_MESSAGE_BYTES;
use wire::sip::{Frame, Framer};

/// Messages taken from one socket in a turn, so that sound is not late.
pub(super) const TURN: usize = 64;

/// A connection to a server, its half messages in and out.
pub struct Stream {
    pipe: Pipe,
    framer: Framer,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Stream {
    /// Connects, and speaks TLS when it is said who is believed to be `host`. Blocks for some seconds at most.
    ///
    /// # Errors
    /// When there is nobody, or somebody else.
    pub fn connect(remote: SocketAddr, host: &str, trust: Option<&Trust>) -> io::Result<Stream> {
        let pipe = Pipe::connect(remote, host, trust)?;
        pipe.socket().set_nonblocking(true)?;
        Ok(Stream { pipe, framer: Framer::new(), input: Vec::new(), output: Vec::new() })
    }

    /// Our end.
    ///
    /// # Errors
    /// What the system says.
    pub fn local(&self) -> io::Result<SocketAddr> {
        self.pipe.socket().local_addr()
    }

    /// To be polled.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.pipe.socket().as_fd()
    }

    /// Whether the server has not taken all yet.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        !self.output.is_empty()
    }

    /// Sends one message, at once or when the server reads on.
    ///
    /// # Errors
    /// When the connection is gone, or the server does not read.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.output.len() + bytes.len() > STREAM_OCTETS {
            return Err(io::Error::other("the server does not read what we send"));
        }
        self.output.extend_from_slice(bytes);
        self.flush()
    }

    /// Sends what a slow server has not taken yet.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn flush(&mut self) -> io::Result<()> {
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

    /// Takes what has come.
    ///
    /// # Errors
    /// When the connection is gone, or its octets are no messages.
    pub fn receive(&mut self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
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
    fn cut(&mut self, each: &mut impl FnMut(&[u8])) -> io::Result<()> {
        loop {
            match self.framer.frame(&self.input) {
                Frame::Complete { len } => {
                    let message: Vec<u8> = self.input.drain(..len).collect();
                    each(&message);
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
