//! The pair of sockets behind one port lease: RTP on the even port, RTCP on the next (RFC 3550 section 11).

use calls::PortLease;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

/// Packets of a tenth of a second at the highest rate fit many times over.
const BUFFER: usize = 256 << 10;

/// Two bound, non-blocking sockets.
#[derive(Debug)]
pub(crate) struct RtpSocket {
    pub(crate) lease: PortLease,
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
}

impl RtpSocket {
    fn bind(bind: IpAddr, address: IpAddr, port: u16, worker: u16) -> io::Result<RtpSocket> {
        let next = port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(RtpSocket {
            lease: PortLease { address, port, worker },
            rtp: datagram(SocketAddr::new(bind, port))?,
            rtcp: datagram(SocketAddr::new(bind, next))?,
        })
    }

    /// Throws away what came while nobody had leased the port.
    pub(crate) fn drain(&self) {
        let mut scratch = [0; 2_048];
        for socket in [&self.rtp, &self.rtcp] {
            // Bounded: a flood must not hold the worker here.
            for _ in 0..512 {
                if socket.recv_from(&mut scratch).is_err() {
                    break;
                }
            }
        }
    }
}

fn datagram(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    let _ = socket.set_recv_buffer_size(BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Binds every free pair of the ranges, at most `most`; ports that others hold are skipped.
pub(crate) fn bind_all(
    bind: IpAddr,
    address: IpAddr,
    ranges: &[RangeInclusive<u16>],
    worker: (u16, u16),
    most: usize,
) -> Vec<RtpSocket> {
    let (worker, workers) = worker;
    ranges
        .iter()
        .flat_map(|range| {
            let first = range.start().saturating_add(range.start() & 1);
            (first..=*range.end()).step_by(2).filter(|port| port < range.end())
        })
        .filter(|port| (port / 2) % workers == worker)
        .filter_map(|port| RtpSocket::bind(bind, address, port, worker).ok())
        .take(most)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r22_pairs_are_even_and_shared_out_among_workers() {
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        let range = 34_001..=34_041;
        let mine = bind_all(local, local, std::slice::from_ref(&range), (0, 2), 100);
        let theirs = bind_all(local, local, &[range], (1, 2), 100);
        assert!(!mine.is_empty() && !theirs.is_empty());
        for socket in mine.iter().chain(&theirs) {
            let port = socket.lease.port;
            assert!(port % 2 == 0 && (34_002..=34_040).contains(&port));
            assert_eq!(socket.rtcp.local_addr().unwrap().port(), port + 1);
        }
        assert!(mine.len() + theirs.len() <= 20);
    }
}
