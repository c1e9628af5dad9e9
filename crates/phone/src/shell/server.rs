//! Where the server is: as people write it, and as an address.

use sip::Transport;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

/// The path of a WebSocket that names none.
const ROOT: &str = "/";

/// `HOST` or `HOST:PORT`, or for a WebSocket `wss://HOST:PORT/PATH`; HOST is a name or an address, IPv6 in brackets when a
/// port follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Name or address, without brackets.
    pub host: String,
    /// If one was named.
    pub port: Option<u16>,
    /// What is asked for at a web server; `/` unless it was named.
    path: Box<str>,
    /// What the address itself says of the transport.
    scheme: Option<Transport>,
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

    /// The transport that its address names: `ws://` and `wss://` do.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        self.scheme
    }

    /// Whether it can be reached so: a path is for web servers alone, and `ws://` is no other transport.
    ///
    /// # Errors
    /// In words.
    pub fn check(&self, transport: Transport) -> Result<(), String> {
        match self.scheme {
            Some(scheme) if scheme != transport => {
                Err(format!("{self} is reached by {}, not by {}", scheme.name(), transport.name()))
            }
            None if *self.path != *ROOT && !transport.is_websocket() => {
                Err(format!("{self} has a path, which is for ws and wss"))
            }
            _ => Ok(()),
        }
    }

    /// What its WebSocket is asked for.
    pub(super) fn link(&self, transport: Transport) -> String {
        let port = self.port.unwrap_or(transport.default_port());
        format!("{}://{}:{port}{}", transport.name(), self.bracketed(), self.path)
    }

    fn bracketed(&self) -> String {
        match self.host.parse() {
            Ok(IpAddr::V6(v6)) => format!("[{v6}]"),
            _ => self.host.clone(),
        }
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

    /// The host of a SIP address there; the port of a web server is none of SIP's.
    pub(super) fn domain(&self, transport: Transport) -> String {
        let host = self.bracketed();
        match self.port.filter(|port| *port != transport.default_port() && !transport.is_websocket()) {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Server, String> {
        let wrong = || {
            format!(
                "\"{text}\" is no server; write it as in pbx.example, 192.0.2.10:5060 or wss://pbx.example/sip"
            )
        };
        let (scheme, rest) = match text.split_once("://") {
            Some(("ws", rest)) => (Some(Transport::Ws), rest),
            Some(("wss", rest)) => (Some(Transport::Wss), rest),
            Some(_) => return Err(wrong()),
            None => (None, text),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { ROOT } else { path };
        let (host, port) = if let Ok(v6) = authority.trim_matches(['[', ']']).parse::<std::net::Ipv6Addr>() {
            (v6.to_string(), None)
        } else {
            match authority.rsplit_once(':') {
                Some((host, port)) => (host.to_owned(), Some(port.parse().map_err(|_| wrong())?)),
                None => (authority.to_owned(), None),
            }
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        let visible = path.bytes().all(|octet| octet.is_ascii_graphic());
        if host.is_empty() || !host.chars().all(sound) || !visible {
            return Err(wrong());
        }
        let default_port = scheme.unwrap_or(Transport::Udp).default_port();
        Ok(Server { host, port, path: path.into(), scheme, default_port })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.scheme {
            write!(f, "{}://", scheme.name())?;
        }
        let host = if self.port.is_some() { &self.bracketed() } else { &self.host };
        f.write_str(host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))?;
        f.write_str(if *self.path == *ROOT { "" } else { &self.path })
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
        for text in ["", "a b", "host:port", "host:99999", "<x>", "http://host", "wss://", "wss://host/a b"] {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_websocket_has_a_path_and_its_port_is_no_port_of_sip() {
        for (text, link, shown) in [
            ("wss://pbx.example", "wss://pbx.example:443/", "wss://pbx.example"),
            (
                "wss://pbx.example:8443/sip?a=b",
                "wss://pbx.example:8443/sip?a=b",
                "wss://pbx.example:8443/sip?a=b",
            ),
            ("ws://[::1]:80/x", "ws://[::1]:80/x", "ws://[::1]:80/x"),
            ("192.0.2.1/sip", "ws://192.0.2.1:80/sip", "192.0.2.1/sip"),
        ] {
            let server: Server = text.parse().unwrap();
            let transport = server.transport().unwrap_or(Transport::Ws);
            assert_eq!(server.check(transport), Ok(()), "{text}");
            assert!(server.check(Transport::Tls).is_err(), "{text}");
            assert_eq!((server.link(transport).as_str(), server.to_string().as_str()), (link, shown));
            assert!(
                !server.domain(transport).ends_with(|c: char| c.is_ascii_digit()) || text.contains("192")
            );
        }
        assert_eq!("ws://pbx.example:8088".parse::<Server>().unwrap().domain(Transport::Ws), "pbx.example");
    }
}
