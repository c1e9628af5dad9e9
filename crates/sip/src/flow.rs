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
    /// A WebSocket in clear (RFC 7118).
    Ws,
    /// A WebSocket under TLS.
    Wss,
}

impl Transport {
    /// Every transport.
    pub const ALL: [Transport; 5] =
        [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];

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
            Transport::Ws => "WS",
            Transport::Wss => "WSS",
        }
    }

    /// As written in a `transport=` URI parameter; RFC 7118 5.2 knows `ws` alone.
    #[must_use]
    pub fn uri_name(self) -> &'static str {
        if self == Transport::Wss { "ws" } else { self.name() }
    }

    /// The name in lists, traces and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Ws => "ws",
            Transport::Wss => "wss",
        }
    }

    /// Whether nobody on the way can read what is sent.
    #[must_use]
    pub fn is_encrypted(self) -> bool {
        matches!(self, Transport::Tls | Transport::Wss)
    }

    /// Whether it is a WebSocket: browsers, and never a trunk.
    #[must_use]
    pub fn is_websocket(self) -> bool {
        matches!(self, Transport::Ws | Transport::Wss)
    }

    /// The port of a sent-by or URI that names none (RFC 3261 19.1.2, RFC 7118 9).
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
            Transport::Ws => 80,
            Transport::Wss => 443,
        }
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
        write!(f, "{}:{}", self.transport.name(), self.remote)?;
        if self.connection != 0 {
            write!(f, "#{}", self.connection)?;
        }
        Ok(())
    }
}
