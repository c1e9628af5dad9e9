//! Via (RFC 3261 section 20.42, RFC 3581).

use std::net::IpAddr;

use super::host::parse_port;
use super::limits::MAX_ID_BYTES;
use super::params::Param;
use super::{HeaderError, HeaderName, Host, Params, chars};

/// What every branch of an RFC 3261 element begins with (section 8.1.1.7).
pub const BRANCH_MAGIC: &str = "z9hG4bK";

/// One hop of the way back.
#[derive(Clone, Copy, Debug)]
pub struct Via<'a> {
    raw: &'a str,
    /// The transport as it came: `UDP`, `TCP`, `TLS`, `WS`, `WSS` or any other token.
    pub transport: &'a str,
    /// The host of sent-by.
    pub host: Host<'a>,
    /// Host and port of sent-by as they came.
    pub sent_by: &'a str,
    /// The port of sent-by.
    pub port: Option<u16>,
    /// The branch, a token.
    pub branch: Option<&'a str>,
    /// The address that a server saw; [`Via::received_ip`] reads it.
    pub received: Option<&'a str>,
    /// `Some(None)` asks for the source port, `Some(Some(port))` tells it (RFC 3581).
    pub rport: Option<Option<u16>>,
    /// All parameters.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one value.
    ///
    /// # Errors
    /// When it breaks its grammar, names another protocol than SIP/2.0, or repeats branch, received or rport.
    pub fn parse(value: &'a [u8]) -> Result<Via<'a>, HeaderError> {
        let malformed = |part| HeaderError::malformed(HeaderName::Via, part);
        let raw = std::str::from_utf8(value).map_err(|_| malformed("text"))?;
        let (transport, sent_by_at) = protocol(raw).ok_or(malformed("protocol"))?;
        let params_at = memchr::memchr(b';', &value[sent_by_at..]).map_or(value.len(), |at| sent_by_at + at);
        let sent_by = raw.get(sent_by_at..params_at).ok_or(malformed("sent-by"))?;
        let sent_by = sent_by.trim_end_matches([' ', '\t', '\r', '\n']);
        let (host, port) = split_sent_by(sent_by).ok_or(malformed("sent-by"))?;
        let mut via = Via {
            raw,
            transport,
            host: Host::parse(host).ok_or(malformed("sent-by"))?,
            sent_by,
            port: port.map(|port| parse_port(port).ok_or(malformed("sent-by"))).transpose()?,
            branch: None,
            received: None,
            rport: None,
            params: Params::default(),
        };
        via.params = Params::check(&value[params_at..], |param| via.take_param(param)).map_err(malformed)?;
        if via.branch.is_some_and(|branch| branch.len() > MAX_ID_BYTES) {
            return Err(HeaderError::too_long(HeaderName::Via));
        }
        Ok(via)
    }

    #[inline]
    fn take_param(&mut self, param: Param<'a>) -> Result<(), &'static str> {
        let name = param.name;
        if name.eq_ignore_ascii_case(b"branch") {
            let branch = param.value.and_then(chars::token).ok_or("branch")?;
            return put(&mut self.branch, branch, "branch");
        }
        if name.eq_ignore_ascii_case(b"received") {
            let received = param.value.and_then(|value| std::str::from_utf8(value).ok()).ok_or("received")?;
            return put(&mut self.received, received, "received");
        }
        if name.eq_ignore_ascii_case(b"rport") {
            let port = match param.value {
                None => None,
                Some(value) => Some(std::str::from_utf8(value).ok().and_then(parse_port).ok_or("rport")?),
            };
            return put(&mut self.rport, port, "rport");
        }
        Ok(())
    }

    /// The value as it came.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Whether the branch was made by an RFC 3261 element, so that it names the transaction: the magic cookie
    /// and something after it.
    #[must_use]
    pub fn has_magic_branch(&self) -> bool {
        self.branch.is_some_and(|branch| {
            branch.len() > BRANCH_MAGIC.len()
                && branch.as_bytes()[..BRANCH_MAGIC.len()].eq_ignore_ascii_case(BRANCH_MAGIC.as_bytes())
        })
    }

    /// The address in `received`, an IPv6 address with or without brackets (RFC 5118 section 4.5).
    #[must_use]
    pub fn received_ip(&self) -> Option<IpAddr> {
        let text = self.received?;
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        bare.parse().ok()
    }
}

fn put<T>(slot: &mut Option<T>, value: T, name: &'static str) -> Result<(), &'static str> {
    if slot.replace(value).is_some() { Err(name) } else { Ok(()) }
}

/// `SIP / 2.0 / transport LWS`, white space around the slashes allowed: the transport and where sent-by begins.
#[inline]
fn protocol(raw: &str) -> Option<(&str, usize)> {
    let bytes = raw.as_bytes();
    let name_end = chars::skip(bytes, 0, chars::TOKEN);
    let version_start = slash(bytes, name_end)?;
    let version_end = chars::skip(bytes, version_start, chars::TOKEN);
    let transport_start = slash(bytes, version_end)?;
    let transport_end = chars::skip(bytes, transport_start, chars::TOKEN);
    let sent_by = chars::skip(bytes, transport_end, chars::LWS);
    let sound = bytes[..name_end].eq_ignore_ascii_case(b"SIP")
        && &bytes[version_start..version_end] == b"2.0"
        && transport_end > transport_start
        && sent_by > transport_end;
    if sound { Some((raw.get(transport_start..transport_end)?, sent_by)) } else { None }
}

fn slash(bytes: &[u8], from: usize) -> Option<usize> {
    let at = chars::skip(bytes, from, chars::LWS);
    (bytes.get(at) == Some(&b'/')).then(|| chars::skip(bytes, at + 1, chars::LWS))
}

/// `host [: port]` with white space allowed around the colon.
#[inline]
fn split_sent_by(text: &str) -> Option<(&str, Option<&str>)> {
    let (host, port) = super::host::split_host_port(text).or_else(|| {
        // "[::1] :5060": white space after the bracket.
        let end = text.find(']')? + 1;
        Some((text.get(..end)?, Some(text.get(end..)?.trim_start().strip_prefix(':')?)))
    })?;
    Some((host.trim_end(), port.map(str::trim)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let text = b"SIP/2.0/UDP 192.0.2.1:5061;branch=z9hG4bKa;rport;received=[2001:db8::9];x=\"y\"";
        let via = Via::parse(text).expect("sound");
        assert_eq!((via.transport, via.sent_by, via.port), ("UDP", "192.0.2.1:5061", Some(5061)));
        assert_eq!((via.branch, via.rport), (Some("z9hG4bKa"), Some(None)));
        assert_eq!(via.received_ip(), "2001:db8::9".parse().ok());
        assert_eq!(via.params.value("X"), Some(Some("y")));
        assert_eq!(via.raw().as_bytes(), text);
        assert!(via.has_magic_branch());
    }

    #[test]
    fn verdicts() {
        let table: &[(&str, bool)] = &[
            ("SIP/2.0/UDP h", true),
            ("sip/2.0/udp h", true),
            ("SIP  / 2.0\r\n /TCP   spindle.example.com  ;\r\n  branch  =   z9hG4bK9ikj8", true),
            ("SIP/2.0/UNKNOWN h:1;branch=a", true),
            ("SIP/2.0/UDP [2001:db8::1]:5060;branch=a", true),
            ("SIP/2.0/UDP [2001:db8::1] : 5060;branch=a", true),
            ("SIP/2.0/UDP h : 5060 ;branch=a", true),
            ("SIP/2.0/UDP h;received=2001:db8::1", true),
            ("SIP/2.0/UDP h;rport=5060", true),
            ("SIP/2.0/UDP", false),
            ("SIP/2.0/UDP ", false),
            ("SIP/2.0/UDP;branch=a", false),
            ("SIP/2.0 UDP h", false),
            ("SIP/3.0/UDP h", false),
            ("HTTP/2.0/UDP h", false),
            ("SIP/2.0/UDP h:0", false),
            ("SIP/2.0/UDP h:x", false),
            ("SIP/2.0/UDP h k", false),
            ("SIP/2.0/UDP h;branch", false),
            ("SIP/2.0/UDP h;branch=", false),
            ("SIP/2.0/UDP h;branch=\"a\"", false),
            ("SIP/2.0/UDP h;branch=a@b", false),
            ("SIP/2.0/UDP h;branch=a;branch=b", false),
            ("SIP/2.0/UDP h;rport;rport", false),
            ("SIP/2.0/UDP h;rport=x", false),
            ("SIP/2.0/UDP h;;", false),
            ("SIP/2.0/UDP 2001:db8::1", false),
            ("SIP/2.0/UDP \u{fc}", false),
        ];
        for (text, sound) in table {
            assert_eq!(Via::parse(text.as_bytes()).is_ok(), *sound, "{text:?}");
        }
        assert!(!Via::parse(b"SIP/2.0/UDP h;branch=z9hG4bK").expect("sound").has_magic_branch());
        assert!(Via::parse(b"SIP/2.0/UDP h;x=\xff").is_err());
    }
}
