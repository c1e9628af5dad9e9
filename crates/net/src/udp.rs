//! One SIP listener over UDP: polled by the core thread itself, so that a message crosses no thread.

use crate::address::Advertised;
use crate::batch::{Outbox, ReceiveBatch};
use sip::Flow;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

/// A default buffer holds 92 datagrams; a burst of registrations is more (R17).
pub const WANTED_BUFFER: usize = 8 << 20;

/// One UDP socket for SIP.
pub struct Udp {
    socket: UdpSocket,
    bound: SocketAddr,
    advertised: Advertised,
    outbox: Outbox,
}

impl Udp {
    /// Binds a non-blocking socket; port 0 lets the system choose.
    ///
    /// # Errors
    /// What the system says about the address.
    pub fn bind(address: SocketAddr, public: Option<IpAddr>) -> io::Result<Udp> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        let granted = grow_buffers(&socket);
        if granted < WANTED_BUFFER {
            tracing::warn!(
                granted,
                wanted = WANTED_BUFFER,
                "small receive buffer: bursts may be lost; `sysctl -w net.core.rmem_max={WANTED_BUFFER}` helps"
            );
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let socket: UdpSocket = socket.into();
        let bound = socket.local_addr()?;
        Ok(Udp { socket, bound, advertised: Advertised::new(bound, public), outbox: Outbox::default() })
    }

    /// Where it listens.
    #[must_use]
    pub fn bound(&self) -> SocketAddr {
        self.bound
    }

    /// For polling.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The flow of a datagram between us and `remote`.
    pub fn flow(&mut self, remote: SocketAddr) -> Flow {
        Flow::udp(self.advertised.towards(remote.ip()), remote)
    }

    /// Takes one batch and hands each datagram on with its flow; zero when nothing waits.
    ///
    /// # Errors
    /// What the system says; a refused port of an earlier datagram is not an error.
    pub fn receive(
        &mut self,
        batch: &mut ReceiveBatch,
        mut each: impl FnMut(Flow, &[u8]),
    ) -> io::Result<usize> {
        let advertised = &mut self.advertised;
        batch.receive(self.socket.as_fd(), |remote, bytes| {
            each(Flow::udp(advertised.towards(remote.ip()), remote), bytes);
        })
    }

    /// Whether this socket sends what leaves from `local`.
    #[must_use]
    pub fn sends_from(&self, local: SocketAddr) -> bool {
        local.port() == self.bound.port()
            && local.is_ipv6() == self.bound.is_ipv6()
            && (self.bound.ip().is_unspecified()
                || self.bound.ip() == local.ip()
                || self.advertised_is(local.ip()))
    }

    fn advertised_is(&self, ip: IpAddr) -> bool {
        self.advertised.public() == Some(ip)
    }

    /// Puts a datagram into the next batch.
    pub fn push(&mut self, to: SocketAddr, bytes: Arc<[u8]>) {
        self.outbox.push(to, bytes);
    }

    /// Sends the batch; returns how many datagrams the kernel refused.
    pub fn flush(&mut self) -> usize {
        if self.outbox.is_empty() { 0 } else { self.outbox.flush(self.socket.as_fd()) }
    }
}

/// Asks for room for bursts; returns what was granted for receiving.
pub(crate) fn grow_buffers(socket: &Socket) -> usize {
    let _ = socket.set_recv_buffer_size(WANTED_BUFFER);
    let _ = socket.set_send_buffer_size(WANTED_BUFFER);
    // The kernel reports twice what it grants, for its own book-keeping (socket(7)).
    socket.recv_buffer_size().unwrap_or(0) / 2
}
