//! The way of many phones to the server: one UDP socket, read and written in batches, so that the load costs less than
//! what it loads; or one TLS connection, for phones whose sound is to be secret.

use net::{Outbox, ReceiveBatch};
use phone::{Stream, Trust};
use socket2::{Domain, Socket, Type};
use std::fmt::Write as _;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

/// A burst must not be lost on our side.
const BUFFER: usize = 8 << 20;

/// A way with what waits to leave by it.
pub(crate) struct Line {
    way: Way,
    text: String,
    pub(crate) address: SocketAddr,
}

enum Way {
    Datagrams {
        socket: UdpSocket,
        outbox: Outbox,
    },
    Stream {
        stream: Box<Stream>,
        server: SocketAddr,
        /// Why nothing can be sent any more; told to who reads next.
        fault: Option<io::Error>,
    },
}

impl Line {
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Line> {
        let socket = bind(address)?;
        let address = socket.local_addr()?;
        Ok(Line { way: Way::Datagrams { socket, outbox: Outbox::default() }, text: String::new(), address })
    }

    /// TLS to a server on this machine, whoever it says it is.
    pub(crate) fn connect(server: SocketAddr) -> io::Result<Line> {
        let stream = Box::new(Stream::connect(server, &server.ip().to_string(), Some(&Trust::Anyone))?);
        let address = stream.local()?;
        Ok(Line { way: Way::Stream { stream, server, fault: None }, text: String::new(), address })
    }

    /// As it stands in Via, and as a parameter of a URI.
    pub(crate) fn transport(&self) -> (&'static str, &'static str) {
        match self.way {
            Way::Datagrams { .. } => ("UDP", ""),
            Way::Stream { .. } => ("TLS", ";transport=tls"),
        }
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        match &self.way {
            Way::Datagrams { socket, .. } => socket.as_fd(),
            Way::Stream { stream, .. } => stream.descriptor(),
        }
    }

    /// Takes one batch.
    pub(crate) fn receive(
        &mut self,
        batch: &mut ReceiveBatch,
        mut each: impl FnMut(SocketAddr, &[u8]),
    ) -> io::Result<usize> {
        match &mut self.way {
            Way::Datagrams { socket, .. } => match batch.receive(socket.as_fd(), each) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(0),
                other => other,
            },
            Way::Stream { stream, server, fault } => {
                if let Some(error) = fault.take() {
                    return Err(error);
                }
                let mut count = 0;
                stream.receive(|message| {
                    count += 1;
                    each(*server, message);
                })?;
                Ok(count)
            }
        }
    }

    pub(crate) fn push(&mut self, to: SocketAddr, bytes: Arc<[u8]>) {
        match &mut self.way {
            Way::Datagrams { outbox, .. } => outbox.push(to, bytes),
            Way::Stream { stream, fault, .. } => {
                if let Err(error) = stream.send(&bytes) {
                    *fault = Some(error);
                }
            }
        }
    }

    /// Writes a message and sends it; returns it for the case that it must be sent again.
    pub(crate) fn say(&mut self, to: SocketAddr, message: std::fmt::Arguments<'_>) -> Arc<[u8]> {
        self.text.clear();
        // Writing into a String does not fail.
        let _ = self.text.write_fmt(message);
        let bytes: Arc<[u8]> = self.text.as_bytes().into();
        self.push(to, Arc::clone(&bytes));
        bytes
    }

    pub(crate) fn flush(&mut self) {
        match &mut self.way {
            Way::Datagrams { socket, outbox } if !outbox.is_empty() => drop(outbox.flush(socket.as_fd())),
            Way::Datagrams { .. } => {}
            Way::Stream { stream, fault, .. } => {
                if let Err(error) = stream.flush() {
                    *fault = Some(error);
                }
            }
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
