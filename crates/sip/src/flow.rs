//! The path a message takes: a transport, two addresses and, for streams, a connection (RFC 5626 section 2).

use std::fmt;
use std::net::SocketAddr;

/// How bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// One message a datagram.
    Udp,
    /// A stream in clear.
    Tcp,
    /// A stream under TLS.
    Tls,
}

impl Transport {
    /// Whether the transport itself delivers or reports failure, so that nothing is retransmitted (RFC 3261 17).
    #[must_use]
    pub fn reliable(self) -> bool {
        self != Transport::Udp
    }

    /// As written in a Via header.
    #[must_use]
    pub fn via_name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// As written in a `transport=` URI parameter.
    #[must_use]
    pub fn uri_name(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }

    /// The port of a sent-by or URI that names none (RFC 3261 19.1.2).
    #[must_use]
    pub fn default_port(self) -> u16 {
        if self == Transport::Tls { 5061 } else { 5060 }
    }
}

/// One path between this endpoint and a peer.
///
/// For UDP the connection number is zero and the flow lives as long as its addresses do; for streams the
/// number names one connection and is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// How bytes travel.
    pub transport: Transport,
    /// Our address, as peers reach it.
    pub local: SocketAddr,
    /// The peer's address, as its packets carry it.
    pub remote: SocketAddr,
    /// The stream's number; zero for UDP.
    pub connection: u64,
}

impl Flow {
    /// A datagram path.
    #[must_use]
    pub fn udp(local: SocketAddr, remote: SocketAddr) -> Flow {
        Flow { transport: Transport::Udp, local, remote, connection: 0 }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport.uri_name(), self.remote)?;
        if self.connection != 0 {
            write!(f, "#{}", self.connection)?;
        }
        Ok(())
    }
}
