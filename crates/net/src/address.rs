//! Which address of ours a peer sees (R13): the bound one, the one that the route selects, or the advertised one.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Routes remembered per listener; beyond this the cache starts anew.
const ROUTES: usize = 4_096;

/// The local address that the route to `peer` selects.
///
/// # Errors
/// When there is no route.
pub fn route_address(peer: IpAddr) -> io::Result<IpAddr> {
    let any: SocketAddr = if peer.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" }
        .parse()
        .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let probe = UdpSocket::bind(any)?;
    // Connecting a datagram socket sends nothing; it only asks the routing table.
    probe.connect(SocketAddr::new(peer, 9))?;
    Ok(probe.local_addr()?.ip())
}

/// A server as in `tls://host:4222`, by the schemes with and without TLS and the ports that they mean: whether by TLS, the host
/// and the port.
pub(crate) fn of_server(text: &str, secure: (&str, u16), clear: (&str, u16)) -> Option<(bool, String, u16)> {
    let (scheme, rest) = text.split_once("://")?;
    let (is_secure, default) = match scheme {
        _ if scheme == secure.0 => (true, secure.1),
        _ if scheme == clear.0 => (false, clear.1),
        _ => return None,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && (!host.contains(':') || host.ends_with(']')) => {
            (host, port.parse().ok()?)
        }
        _ => (rest, default),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let sound = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:_".contains(&b));
    sound.then_some((is_secure, host, port))
}

/// The address of one listener as its peers see it.
#[derive(Debug)]
pub struct Advertised {
    bound: SocketAddr,
    public: Option<IpAddr>,
    routes: HashMap<IpAddr, IpAddr>,
}

impl Advertised {
    /// For a listener bound to `bound` that the world reaches at `public`, if it is behind a NAT.
    #[must_use]
    pub fn new(bound: SocketAddr, public: Option<IpAddr>) -> Advertised {
        Advertised { bound, public, routes: HashMap::new() }
    }

    /// Our address as `peer` sees it.
    pub fn towards(&mut self, peer: IpAddr) -> SocketAddr {
        let ip = if let Some(public) = self.public
            && public.is_ipv6() == peer.is_ipv6()
            && !is_local(peer)
        {
            public
        } else if self.bound.ip().is_unspecified() {
            self.routed(peer)
        } else {
            self.bound.ip()
        };
        SocketAddr::new(ip, self.bound.port())
    }

    /// The public address, if one was configured.
    #[must_use]
    pub fn public(&self) -> Option<IpAddr> {
        self.public
    }

    fn routed(&mut self, peer: IpAddr) -> IpAddr {
        if let Some(known) = self.routes.get(&peer) {
            return *known;
        }
        if self.routes.len() >= ROUTES {
            self.routes.clear();
        }
        let ip = route_address(peer).unwrap_or_else(|_| self.bound.ip());
        self.routes.insert(peer, ip);
        ip
    }
}

/// Peers on this machine or this network reach us directly, not by the public address.
fn is_local(peer: IpAddr) -> bool {
    match peer {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || (v6.segments()[0] & 0xFE00) == 0xFC00,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r13_each_peer_sees_an_address_that_it_can_reach() {
        let mut listener =
            Advertised::new("0.0.0.0:5060".parse().unwrap(), Some("203.0.113.9".parse().unwrap()));
        assert_eq!(listener.towards("127.0.0.1".parse().unwrap()), "127.0.0.1:5060".parse().unwrap());
        assert_eq!(listener.towards("198.51.100.7".parse().unwrap()), "203.0.113.9:5060".parse().unwrap());
        let mut fixed = Advertised::new("127.0.0.2:5060".parse().unwrap(), None);
        assert_eq!(fixed.towards("127.0.0.1".parse().unwrap()), "127.0.0.2:5060".parse().unwrap());
    }
}
