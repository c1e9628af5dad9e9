//! A NAT box with the behaviours of RFC 4787: how it maps, whom it lets in, and when it forgets.

use clock::Mono;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How much of the other end matters (RFC 4787 sections 4.1 and 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nothing of it.
    Endpoint,
    /// Its address.
    Address,
    /// Its address and port.
    AddressAndPort,
}

impl Reach {
    /// What of `other` matters, as a key.
    fn of(self, other: SocketAddr) -> Option<(IpAddr, u16)> {
        match self {
            Reach::Endpoint => None,
            Reach::Address => Some((other.ip(), 0)),
            Reach::AddressAndPort => Some((other.ip(), other.port())),
        }
    }
}

#[derive(Debug)]
struct Mapping {
    inside: SocketAddr,
    key: Option<(IpAddr, u16)>,
    port: u16,
    used: Mono,
    /// Whom the inside has sent to, and when last.
    sent_to: BTreeMap<SocketAddr, Mono>,
}

/// One box.
#[derive(Debug)]
pub struct Nat {
    /// Its outer address.
    pub public: IpAddr,
    mapping: Reach,
    filtering: Reach,
    timeout: Duration,
    table: Vec<Mapping>,
    next_port: u16,
}

impl Nat {
    /// A box that knows nobody yet.
    #[must_use]
    pub fn new(public: IpAddr, mapping: Reach, filtering: Reach, timeout: Duration) -> Nat {
        Nat { public, mapping, filtering, timeout, table: Vec::new(), next_port: 40_000 }
    }

    /// A datagram from inside: where it seems to come from outside.
    pub fn outbound(&mut self, now: Mono, inside: SocketAddr, to: SocketAddr) -> SocketAddr {
        self.forget(now);
        let key = self.mapping.of(to);
        let known = self.table.iter().position(|mapping| mapping.inside == inside && mapping.key == key);
        let position = known.unwrap_or_else(|| {
            let port = self.next_port;
            self.next_port = if port > 60_000 { 40_000 } else { port + 1 };
            self.table.push(Mapping { inside, key, port, used: now, sent_to: BTreeMap::new() });
            self.table.len() - 1
        });
        let mapping = &mut self.table[position];
        // RFC 4787 REQ-6: what goes out keeps the mapping alive.
        mapping.used = now;
        mapping.sent_to.insert(to, now);
        SocketAddr::new(self.public, mapping.port)
    }

    /// A datagram from outside: whom it reaches inside, if anybody.
    pub fn inbound(&mut self, now: Mono, port: u16, from: SocketAddr) -> Option<SocketAddr> {
        self.forget(now);
        let filtering = self.filtering;
        let mapping = self.table.iter().find(|mapping| mapping.port == port)?;
        let wanted = filtering.of(from);
        mapping.sent_to.keys().any(|&other| filtering.of(other) == wanted).then_some(mapping.inside)
    }

    fn forget(&mut self, now: Mono) {
        let timeout = self.timeout;
        self.table.retain(|mapping| now.since(mapping.used) <= timeout);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn mappings_and_filters_of_rfc_4787() {
        let (inside, one) = (address("10.0.0.7:5060"), address("192.0.2.1:5060"));
        let (other_port, other) = (address("192.0.2.1:6000"), address("192.0.2.2:5060"));
        let cases = [
            (Reach::Endpoint, [true, true, true]),
            (Reach::Address, [true, true, false]),
            (Reach::AddressAndPort, [true, false, false]),
        ];
        for (reach, passes) in cases {
            let public = "198.51.100.1".parse().expect("an address");
            let mut nat = Nat::new(public, reach, reach, Duration::from_secs(60));
            let seen = nat.outbound(Mono(0), inside, one);
            let in_from =
                [one, other_port, other].map(|from| nat.inbound(Mono(0), seen.port(), from).is_some());
            assert_eq!(in_from, passes, "{reach:?}");
            let same = [one, other_port, other].map(|to| nat.outbound(Mono(0), inside, to) == seen);
            assert_eq!(same, passes, "{reach:?}");
            assert_eq!(nat.inbound(Mono(61_000_000), seen.port(), one), None, "forgotten");
        }
    }
}
