//! Trunks: lines to the outside, and the rules that say which number takes which line.

use sip::Transport;
use std::fmt;
use std::net::IpAddr;

/// A line to the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// Where it is.
    pub host: Host,
    /// The port; for a host name none asks the DNS (RFC 3263), for an address it is the default, and calls from any
    /// port are the trunk's.
    pub port: Option<u16>,
    /// How it is reached.
    pub transport: Transport,
    /// Who we are there: for digest, and to register.
    pub login: Option<TrunkLogin>,
    /// Whether we register there, so that its calls find us.
    pub registers: bool,
    /// Calls at once, both ways; no bound if there is none.
    pub channels: Option<u16>,
    /// Other addresses that its calls and media may come from (R16).
    pub sources: Vec<IpAddr>,
    /// What becomes of a number that comes in: this many digits off its front, then these before it.
    pub strip: u8,
    /// See `strip`.
    pub prepend: Box<str>,
}

/// Who we are at a provider.
#[derive(Clone, PartialEq, Eq)]
pub struct TrunkLogin {
    /// The user name.
    pub user: Box<str>,
    /// The password; sealed where it is kept, and in no log.
    pub password: Box<str>,
    /// The one realm whose challenges are answered; the first one that asks if there is none (sec_09).
    pub realm: Option<Box<str>>,
}

impl fmt::Debug for TrunkLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrunkLogin").field("user", &self.user).finish_non_exhaustive()
    }
}

/// An address or a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address; calls from there are the trunk's.
    Address(IpAddr),
    /// A name that the DNS knows; calls from its addresses are the trunk's.
    Name(Box<str>),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Host::Address(address) => write!(f, "{address}"),
            Host::Name(name) => f.write_str(name),
        }
    }
}

impl Host {
    /// Reads an address, with or without brackets, or a host name (RFC 1123 2.1).
    #[must_use]
    pub fn parse(text: &str) -> Option<Host> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Some(Host::Address(address));
        }
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let name = text.strip_suffix('.').unwrap_or(text);
        // A name whose last label is all digits is an address that was mistyped.
        let last_is_word =
            name.rsplit('.').next().is_some_and(|last| !last.bytes().all(|b| b.is_ascii_digit()));
        let right = name.len() <= 253 && name.split('.').all(label) && last_is_word;
        right.then(|| Host::Name(name.to_ascii_lowercase().into()))
    }
}

impl Trunk {
    /// A trunk that is known by its address, and no more.
    #[must_use]
    pub fn at(host: Host, port: Option<u16>) -> Trunk {
        Trunk {
            host,
            port,
            transport: Transport::Udp,
            login: None,
            registers: false,
            channels: None,
            sources: Vec::new(),
            strip: 0,
            prepend: "".into(),
        }
    }

    /// `HOST` or `HOST:PORT`, as it is written.
    #[must_use]
    pub fn address(&self) -> String {
        match (self.port, &self.host) {
            (Some(port), host) => format!("{host}:{port}"),
            (None, Host::Address(address)) => address.to_string(),
            (None, host) => host.to_string(),
        }
    }

    /// Reads [`Trunk::address`].
    #[must_use]
    pub fn parse_address(text: &str) -> Option<(Host, Option<u16>)> {
        if let Some(host) = Host::parse(text) {
            return Some((host, None));
        }
        let (host, port) = text.rsplit_once(':')?;
        Some((Host::parse(host)?, Some(port.parse().ok().filter(|port| *port != 0)?)))
    }
}

/// Which numbers go out by which trunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The front of the numbers that this is for: `+86` is compared with the number in E.164, anything else with
    /// what was dialled. The longest that fits wins.
    pub prefix: Box<str>,
    /// This many digits are taken off the front of what was compared.
    pub strip: u8,
    /// And these are put before the rest.
    pub prepend: Box<str>,
    /// The trunks in the order in which they are tried.
    pub trunks: Vec<Box<str>>,
    /// The number that the outside sees; the caller's own if there is none.
    pub caller: Option<Box<str>>,
}

impl Route {
    /// What goes out for a number that fits.
    #[must_use]
    pub fn rewrite(&self, number: &str) -> String {
        rewrite(number, self.strip, &self.prepend)
    }
}

/// A number without its first digits, and with others before it.
#[must_use]
pub fn rewrite(number: &str, strip: u8, prepend: &str) -> String {
    let rest = number.get(usize::from(strip)..).unwrap_or_default();
    format!("{prepend}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for (text, shown) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:5060", Some("192.0.2.1:5060")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]:5060", Some("[2001:db8::1]:5060")),
            ("provider.example", Some("provider.example")),
            ("SIP.Provider.Example:5080", Some("sip.provider.example:5080")),
            ("192.0.2.300", None),
            ("a b", None),
            ("provider.example:0", None),
            ("provider.example:99999", None),
            ("-x.example", None),
            ("", None),
        ] {
            let read = Trunk::parse_address(text).map(|(host, port)| Trunk::at(host, port).address());
            assert_eq!(read.as_deref(), shown, "{text}");
        }
    }

    #[test]
    fn numbers_are_rewritten_and_passwords_are_in_no_log() {
        assert_eq!(rewrite("0108888", 1, "+86"), "+86108888");
        assert_eq!(rewrite("12", 5, "9"), "9");
        let login = TrunkLogin { user: "u".into(), password: "hush".into(), realm: None };
        assert!(!format!("{login:?}").contains("hush"));
    }
}
