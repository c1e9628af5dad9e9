//! Typed values of single attributes: `rtpmap`, `fmtp`, `rtcp`, `ssrc`.

use super::number::{decimal, payload};
use std::net::IpAddr;

/// `a=rtpmap:<number> <name>/<clock rate>[/<channels>]` (RFC 8866 6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtpmap<'a> {
    /// The payload number, below 128.
    pub number: u8,
    /// The encoding name; compare without regard to ASCII case.
    pub name: &'a str,
    /// In Hz.
    pub clock_rate: u32,
    /// 1 when not given.
    pub channels: u8,
}

impl<'a> Rtpmap<'a> {
    /// Parses the attribute's value.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Rtpmap<'a>> {
        let (number, encoding) = split_number(value)?;
        let mut parts = encoding.trim_ascii().split('/');
        let name = parts.next().filter(|name| !name.is_empty())?;
        let clock_rate = decimal(parts.next()?.trim_ascii()).filter(|&rate| rate > 0)?;
        let channels = match parts.next() {
            Some(text) => decimal(text.trim_ascii()).filter(|&count| count > 0)?,
            None => 1,
        };
        Some(Rtpmap { number, name, clock_rate, channels })
    }
}

/// `a=fmtp:<number> <parameters>` (RFC 8866 6.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fmtp<'a> {
    /// The payload number, below 128.
    pub number: u8,
    /// What the codec defines, as it came.
    pub parameters: &'a str,
}

impl<'a> Fmtp<'a> {
    /// Parses the attribute's value.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Fmtp<'a>> {
        let (number, parameters) = split_number(value)?;
        Some(Fmtp { number, parameters: parameters.trim_ascii() })
    }

    /// The value of one `name=value` parameter; names compare without regard to ASCII case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        parameter(self.parameters, name)
    }
}

/// The value of one `name=value` of a `;`-separated list; names compare without regard to ASCII case.
#[must_use]
pub fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|pair| {
        let (found, value) = pair.split_once('=')?;
        found.trim_ascii().eq_ignore_ascii_case(name).then_some(value.trim_ascii())
    })
}

/// `a=rtcp:<port> [IN <type> <address>]` (RFC 3605).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtcp {
    /// Where RTCP is received.
    pub port: u16,
    /// The media's own address when not given or not numeric.
    pub ip: Option<IpAddr>,
}

impl Rtcp {
    /// Parses the attribute's value.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Rtcp> {
        let mut fields = std::str::from_utf8(value).ok()?.split_ascii_whitespace();
        let port = decimal(fields.next()?)?;
        Some(Rtcp { port, ip: fields.nth(2).and_then(|address| address.parse().ok()) })
    }
}

/// `a=ssrc:<ssrc> <attribute>[:<value>]` (RFC 5576).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ssrc<'a> {
    /// The synchronisation source.
    pub ssrc: u32,
    /// Such as `cname:name@host`; empty when only the source is named.
    pub attribute: &'a str,
}

impl<'a> Ssrc<'a> {
    /// Parses the attribute's value.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Ssrc<'a>> {
        let text = std::str::from_utf8(value).ok()?.trim_ascii();
        let (ssrc, attribute) = text.split_once(' ').unwrap_or((text, ""));
        Some(Ssrc { ssrc: decimal(ssrc)?, attribute: attribute.trim_ascii() })
    }
}

fn split_number(value: &[u8]) -> Option<(u8, &str)> {
    let text = std::str::from_utf8(value).ok()?.trim_ascii();
    let (number, rest) = text.split_once(' ')?;
    Some((payload(number)?, rest))
}
