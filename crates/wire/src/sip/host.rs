//! Hosts: names, IPv4 addresses and IPv6 references (RFC 3261 section 25.1, RFC 5118).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::chars;

/// A host as it stands in a URI or a Via.
#[derive(Clone, Copy, Debug)]
pub enum Host<'a> {
    /// A name, in the case in which it came; empty in URIs that have no host (`tel:`, `urn:`).
    Name(&'a str),
    /// An address.
    V4(Ipv4Addr),
    /// An address; written in brackets.
    V6(Ipv6Addr),
}

impl<'a> Host<'a> {
    /// Reads a name, an IPv4 address or a bracketed IPv6 address; nothing may follow.
    #[must_use]
    #[inline]
    pub fn parse(text: &'a str) -> Option<Host<'a>> {
        if let Some(inner) = text.strip_prefix('[') {
            return parse_v6(inner.strip_suffix(']')?).map(Host::V6);
        }
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > 255 || !chars::all(bytes, chars::HOST) {
            return None;
        }
        // No label may be empty but for a dot at the very end. The last label of a name begins with a letter
        // (RFC 3261, toplabel), so digits alone there mean an address.
        let labels = bytes.strip_suffix(b".").unwrap_or(bytes);
        // Looks at every pair without leaving early, which the compiler turns into vector instructions.
        let empty = labels.windows(2).fold(false, |seen, pair| seen | (pair == b".."));
        let last = labels.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        if empty || labels.first() == Some(&b'.') || last.is_empty() {
            return None;
        }
        if last.iter().all(u8::is_ascii_digit) {
            return text.parse().ok().map(Host::V4);
        }
        Some(Host::Name(text))
    }

    /// The address, `None` for a name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match *self {
            Host::Name(_) => None,
            Host::V4(address) => Some(IpAddr::V4(address)),
            Host::V6(address) => Some(IpAddr::V6(address)),
        }
    }
}

/// An IPv6 address. The grammar of RFC 3261 wrongly allows a third colon before an IPv4 tail; it is read
/// without it (RFC 5118 section 4.10).
fn parse_v6(text: &str) -> Option<Ipv6Addr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let (front, back) = text.split_once(":::").filter(|_| text.len() <= 64)?;
    let tail_is_v4 = back.parse::<Ipv4Addr>().is_ok();
    format!("{front}::{back}").parse().ok().filter(|_| tail_is_v4)
}

impl PartialEq for Host<'_> {
    /// Names compare without regard to case, addresses by value.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Host::Name(a), Host::Name(b)) => a.eq_ignore_ascii_case(b),
            (Host::V4(a), Host::V4(b)) => a == b,
            (Host::V6(a), Host::V6(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Host<'_> {}

impl From<IpAddr> for Host<'_> {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Host::V4(address),
            IpAddr::V6(address) => Host::V6(address),
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::V4(address) => write!(f, "{address}"),
            Host::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// Cuts `host[:port]` at its end: the host text and the port text after the colon.
#[inline]
pub(super) fn split_host_port(text: &str) -> Option<(&str, Option<&str>)> {
    let host_end = match text.strip_prefix('[') {
        Some(_) => memchr::memchr(b']', text.as_bytes())? + 1,
        None => memchr::memchr(b':', text.as_bytes()).unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(host_end)?;
    match rest.strip_prefix(':') {
        Some(port) => Some((host, Some(port))),
        None => rest.is_empty().then_some((host, None)),
    }
}

/// A port in digits, 1 to 65535.
#[inline]
pub(super) fn parse_port(text: &str) -> Option<u16> {
    chars::decimal(text.as_bytes()).and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (text, sound) in [
            ("example.com", true),
            ("Example.COM.", true),
            ("a_b.local", true),
            ("df7jal23ls0d.invalid", true),
            ("192.0.2.1", true),
            ("192.0.2.256", false),
            ("192.0.2", false),
            ("1", false),
            ("[2001:db8::1]", true),
            ("[::ffff:192.0.2.1]", true),
            ("2001:db8::1", false),
            ("[2001:db8::1", false),
            ("[2001:db8:::192.0.2.1]", true),
            ("[2001:db8:::1]", false),
            ("[1:::::2]", false),
            ("[fe80::1%25eth0]", false),
            ("", false),
            (".", false),
            ("a..b", false),
            ("a..", false),
            ("a.b..", false),
            ("1.2.3.4.", false),
            ("a.1.b", true),
            (".a", false),
            ("a b", false),
            ("\u{fc}.de", false),
        ] {
            let found = Host::parse(text);
            assert_eq!(found.is_some(), sound, "{text:?}");
            if let Some(host) = found {
                assert_eq!(Host::parse(&host.to_string()), Some(host));
            }
        }
        assert_eq!(Host::parse("A.example"), Host::parse("a.EXAMPLE"));
    }

    #[test]
    fn ports() {
        assert_eq!(split_host_port("[::1]:5060"), Some(("[::1]", Some("5060"))));
        assert_eq!(split_host_port("[::1]x"), None);
        assert_eq!(split_host_port("a:b"), Some(("a", Some("b"))));
        for (text, expected) in
            [("5060", Some(5060)), ("0", None), ("65536", None), ("", None), ("05061", Some(5061))]
        {
            assert_eq!(parse_port(text), expected, "{text:?}");
        }
    }
}
