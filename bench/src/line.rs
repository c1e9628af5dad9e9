//! One UDP socket of phones: reads and writes in batches, so that the load costs less than what it loads.

use net::{Outbox, ReceiveBatch};
use socket2::{Domain, Socket, Type};
use std::fmt::Write as _;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

/// A burst must not be lost on our side.
const BUFFER: usize = 8 << 20;

/// A socket with what waits to leave it.
pub(crate) struct Line {
    socket: UdpSocket,
    outbox: Outbox,
    text: String,
    pub(crate) address: SocketAddr,
}

impl Line {
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Line> {
        let socket = bind(address)?;
        let address = socket.local_addr()?;
        Ok(Line { socket, outbox: Outbox::default(), text: String::new(), address })
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Takes one batch.
    pub(crate) fn receive(
        &self,
        batch: &mut ReceiveBatch,
        each: impl FnMut(SocketAddr, &[u8]),
    ) -> io::Result<usize> {
        match batch.receive(self.socket.as_fd(), each) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(0),
            other => other,
        }
    }

    pub(crate) fn push(&mut self, to: SocketAddr, bytes: Arc<[u8]>) {
        self.outbox.push(to, bytes);
    }

    /// Writes a message and sends it; returns it for the case that it must be sent again.
    pub(crate) fn say(&mut self, to: SocketAddr, message: std::fmt::Arguments<'_>) -> Arc<[u8]> {
        self.text.clear();
        // Writing into a String does not fail.
        let _ = self.text.write_fmt(message);
        let bytes: Arc<[u8]> = self.text.as_bytes().into();
        self.outbox.push(to, Arc::clone(&bytes));
        bytes
    }

    pub(crate) fn flush(&mut self) {
        if !self.outbox.is_empty() {
            self.outbox.flush(self.socket.as_fd());
        }
    }
}

/// A non-blocking socket with room for bursts.
pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    let _ = socket.set_recv_buffer_size(BUFFER);
    let _ = socket.set_send_buffer_size(BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}
