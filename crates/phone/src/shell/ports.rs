//! The sockets for sound: RTP on an even port, RTCP on the next (RFC 3550 section 11), which is held and not read.

use crate::limits::CALLS;
use crate::sound::Talk;
use crate::words::CallId;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Odd ports that the system may draw before we give up.
const DRAWS: usize = 200;

/// One port, for one call at a time.
pub(super) struct RtpPort {
    pub(super) socket: UdpSocket,
    _rtcp: UdpSocket,
    port: u16,
    pub(super) talk: Option<(CallId, Talk)>,
}

impl RtpPort {
    /// As many as a phone has calls, drawn by the system.
    pub(super) fn open_all(own: IpAddr) -> io::Result<Vec<RtpPort>> {
        let mut ports = Vec::with_capacity(CALLS);
        let mut failed = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..DRAWS {
            match RtpPort::open(own) {
                Ok(port) => ports.push(port),
                Err(error) => failed = error,
            }
            if ports.len() == CALLS {
                return Ok(ports);
            }
        }
        Err(failed)
    }

    fn open(own: IpAddr) -> io::Result<RtpPort> {
        let socket = UdpSocket::bind(SocketAddr::new(own, 0))?;
        let port = socket.local_addr()?.port();
        let next = port.checked_add(1).filter(|_| port % 2 == 0).ok_or(io::ErrorKind::AddrInUse)?;
        let rtcp = UdpSocket::bind(SocketAddr::new(own, next))?;
        socket.set_nonblocking(true)?;
        Ok(RtpPort { socket, _rtcp: rtcp, port, talk: None })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}
