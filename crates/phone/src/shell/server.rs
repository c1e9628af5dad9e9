//! Where the server is: as people write it, and as an address.

use sip::Transport;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

/// `HOST` or `HOST:PORT`; HOST is a name or an address, IPv6 in brackets when a port follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Name or address, without brackets.
    pub host: String,
    /// If one was named.
    pub port: Option<u16>,
    /// What is reached without a port; set by the transport.
    default_port: u16,
}

impl Server {
    /// The same server, reached by this transport.
    #[must_use]
    pub fn by(mut self, transport: Transport) -> Server {
        self.default_port = transport.default_port();
        self
    }

    /// Its address now.
    ///
    /// # Errors
    /// When the name has none.
    pub fn resolve(&self) -> io::Result<SocketAddr> {
        let port = self.port.unwrap_or(self.default_port);
        let mut found = (self.host.as_str(), port).to_socket_addrs()?;
        found.next().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no address"))
    }

    /// The host of a SIP address there.
    pub(super) fn domain(&self, transport: Transport) -> String {
        let host = match self.host.parse() {
            Ok(IpAddr::V6(v6)) => format!("[{v6}]"),
            _ => self.host.clone(),
        };
        match self.port.filter(|port| *port != transport.default_port()) {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Server, String> {
        let wrong = || format!("\"{text}\" is no server; write it as in pbx.example or 192.0.2.10:5060");
        let (host, port) = if let Ok(v6) = text.trim_matches(['[', ']']).parse::<std::net::Ipv6Addr>() {
            (v6.to_string(), None)
        } else {
            match text.rsplit_once(':') {
                Some((host, port)) => (host.to_owned(), Some(port.parse().map_err(|_| wrong())?)),
                None => (text.to_owned(), None),
            }
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(sound) {
            return Err(wrong());
        }
        Ok(Server { host, port, default_port: Transport::Udp.default_port() })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_as_people_write_them() {
        for (text, host, port, domain) in [
            ("pbx.example", "pbx.example", None, "pbx.example"),
            ("192.0.2.1:5062", "192.0.2.1", Some(5062), "192.0.2.1:5062"),
            ("192.0.2.1:5060", "192.0.2.1", Some(5060), "192.0.2.1"),
            ("[::1]:5070", "::1", Some(5070), "[::1]:5070"),
            ("::1", "::1", None, "[::1]"),
        ] {
            let server: Server = text.parse().unwrap();
            assert_eq!((server.host.as_str(), server.port), (host, port), "{text}");
            assert_eq!(server.domain(Transport::Udp), domain, "{text}");
        }
        for text in ["", "a b", "host:port", "host:99999", "<x>"] {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
    }
}
