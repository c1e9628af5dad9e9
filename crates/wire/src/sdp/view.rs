//! Typed views of the lines that offer/answer reads: origin, connection, media, direction.

use super::attribute::{Fmtp, Rtcp, Rtpmap, Ssrc};
use super::number::{decimal, payload};
use super::{Line, SdpError, Session};
use std::net::IpAddr;

/// `o=<username> <id> <version> IN <type> <address>` (RFC 8866 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// `-` when the sender has no user.
    pub username: &'a str,
    /// Digits as they came: some senders exceed 64 bits.
    pub session_id: &'a str,
    /// Digits as they came; compare for equality only.
    pub version: &'a str,
    /// `IP4` or `IP6`.
    pub address_type: &'a str,
    /// An address or a host name.
    pub address: &'a str,
}

impl<'a> Origin<'a> {
    pub(super) fn parse(value: &'a [u8]) -> Option<Origin<'a>> {
        let mut fields = std::str::from_utf8(value).ok()?.split_ascii_whitespace();
        let (username, session_id, version) = (fields.next()?, fields.next()?, fields.next()?);
        let (_network, address_type, address) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Origin { username, session_id, version, address_type, address })
    }
}

/// `c=IN <type> <address>[/ttl[/count]]` (RFC 8866 5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection<'a> {
    /// `IP4` or `IP6`.
    pub address_type: &'a str,
    /// The address text without the multicast suffix; may be a host name.
    pub host: &'a str,
}

impl<'a> Connection<'a> {
    fn parse(value: &'a [u8]) -> Option<Connection<'a>> {
        let mut fields = std::str::from_utf8(value).ok()?.split_ascii_whitespace();
        let (_network, address_type, address) = (fields.next()?, fields.next()?, fields.next()?);
        let host = address.split('/').next().unwrap_or(address);
        Some(Connection { address_type, host })
    }

    /// The numeric address; `None` for a host name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// Who sends, seen from the one who wrote the description (RFC 8866 6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways; the default.
    SendRecv,
    /// The writer only sends.
    SendOnly,
    /// The writer only receives.
    RecvOnly,
    /// Nobody sends.
    Inactive,
}

impl Direction {
    /// The attribute's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// From the writer's view: whether the writer sends and whether it receives.
    #[must_use]
    pub fn new(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// Whether the writer sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the writer receives.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same flow seen from the other end.
    #[must_use]
    pub fn reversed(self) -> Direction {
        Direction::new(self.receives(), self.sends())
    }

    /// Only what both permit.
    #[must_use]
    pub fn and(self, other: Direction) -> Direction {
        Direction::new(self.sends() && other.sends(), self.receives() && other.receives())
    }
}

/// One media section: its `m=` line and what belongs to it.
#[derive(Clone, Copy, Debug)]
pub struct Media<'s, 'a> {
    session: &'s Session<'a>,
    lines: &'s [Line<'a>],
    /// `audio`, `video`, ...
    pub kind: &'a str,
    /// 0 means declined (RFC 3264 section 6).
    pub port: u16,
    /// As it came, such as `RTP/AVP`.
    pub proto: &'a str,
    formats: &'a str,
}

impl<'s, 'a> Media<'s, 'a> {
    pub(super) fn new(session: &'s Session<'a>, lines: &'s [Line<'a>]) -> Option<Media<'s, 'a>> {
        let (kind, port, proto, formats) = check_media(lines.first()?.value)?;
        Some(Media { session, lines, kind, port, proto, formats })
    }

    /// The formats in the writer's order of preference.
    pub fn formats(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.formats.split_ascii_whitespace()
    }

    /// The formats that are RTP payload numbers.
    pub fn payload_numbers(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.formats().filter_map(payload)
    }

    /// The section's lines, the `m=` line first.
    #[must_use]
    pub fn lines(&self) -> &'s [Line<'a>] {
        self.lines
    }

    /// The section's own `c=` line, else the session's (RFC 8866 5.7).
    ///
    /// # Errors
    /// [`SdpError::BadConnection`] when neither is there or it has not three fields.
    pub fn connection(&self) -> Result<Connection<'a>, SdpError> {
        match connection_in(self.lines)? {
            Some(connection) => Ok(connection),
            None => self.session.connection()?.ok_or(SdpError::BadConnection),
        }
    }

    /// The section's direction, else the session's, else `sendrecv` (RFC 8866 6.7).
    #[must_use]
    pub fn direction(&self) -> Direction {
        direction_in(self.lines).or_else(|| self.session.direction()).unwrap_or(Direction::SendRecv)
    }

    /// The raw values of the section's attributes of that name: `mid`, `setup`, `crypto`, `candidate`, ...
    pub fn attributes(&self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + use<'s, 'a> {
        attributes_in(self.lines, name)
    }

    /// The first such attribute of the section, else of the session (`setup`, `fingerprint`, `ice-ufrag`).
    #[must_use]
    pub fn inherited(&self, name: &'s str) -> Option<&'a [u8]> {
        self.attributes(name).next().or_else(|| attributes_in(self.session.session_lines(), name).next())
    }

    /// Whether the section has that attribute.
    #[must_use]
    pub fn has(&self, name: &'s str) -> bool {
        self.attributes(name).next().is_some()
    }

    /// The `rtpmap` of a payload number; the first wins.
    #[must_use]
    pub fn rtpmap(&self, number: u8) -> Option<Rtpmap<'a>> {
        self.attributes("rtpmap").filter_map(Rtpmap::parse).find(|map| map.number == number)
    }

    /// The `fmtp` of a format; the first wins.
    #[must_use]
    pub fn fmtp(&self, number: u8) -> Option<Fmtp<'a>> {
        self.attributes("fmtp").filter_map(Fmtp::parse).find(|fmtp| fmtp.number == number)
    }

    /// `a=ptime` in milliseconds, rounded down; nothing outside 1 to 1000.
    #[must_use]
    pub fn ptime_ms(&self) -> Option<u16> {
        self.milliseconds("ptime")
    }

    /// `a=maxptime` in milliseconds, rounded down; nothing outside 1 to 1000.
    #[must_use]
    pub fn maxptime_ms(&self) -> Option<u16> {
        self.milliseconds("maxptime")
    }

    /// `a=rtcp:port [IN type address]` (RFC 3605).
    #[must_use]
    pub fn rtcp(&self) -> Option<Rtcp> {
        self.attributes("rtcp").find_map(Rtcp::parse)
    }

    /// `a=rtcp-mux` (RFC 5761).
    #[must_use]
    pub fn rtcp_mux(&self) -> bool {
        self.has("rtcp-mux")
    }

    /// `a=ssrc` lines (RFC 5576).
    pub fn ssrcs(&self) -> impl Iterator<Item = Ssrc<'a>> + use<'s, 'a> {
        self.attributes("ssrc").filter_map(Ssrc::parse)
    }

    fn milliseconds(&self, name: &'s str) -> Option<u16> {
        let value = self.attributes(name).next()?.trim_ascii();
        // Some phones write 20.0; RFC 4566 had no fraction, and whole milliseconds are all we use.
        let whole = value.split(|&byte| byte == b'.').next()?;
        let number: u16 = decimal(std::str::from_utf8(whole).ok()?)?;
        (1..=1000).contains(&number).then_some(number)
    }
}

/// `<kind> <port>[/<count>] <proto> <format>...` (RFC 8866 5.14).
pub(super) fn check_media(value: &[u8]) -> Option<(&str, u16, &str, &str)> {
    let text = std::str::from_utf8(value).ok()?;
    let (kind, rest) = text.trim_ascii_start().split_once(' ')?;
    let (port, rest) = rest.trim_ascii_start().split_once(' ')?;
    let (proto, formats) = rest.trim_ascii_start().split_once(' ')?;
    let port = decimal(port.split('/').next()?)?;
    let formats = formats.trim_ascii();
    (!kind.is_empty() && !proto.is_empty() && !formats.is_empty()).then_some((kind, port, proto, formats))
}

pub(super) fn connection_in<'a>(lines: &[Line<'a>]) -> Result<Option<Connection<'a>>, SdpError> {
    match lines.iter().find(|line| line.kind == b'c') {
        Some(line) => Connection::parse(line.value).map(Some).ok_or(SdpError::BadConnection),
        None => Ok(None),
    }
}

pub(super) fn direction_in(lines: &[Line<'_>]) -> Option<Direction> {
    lines.iter().filter_map(Line::attribute).find_map(|(name, _)| match name {
        "sendrecv" => Some(Direction::SendRecv),
        "sendonly" => Some(Direction::SendOnly),
        "recvonly" => Some(Direction::RecvOnly),
        "inactive" => Some(Direction::Inactive),
        _ => None,
    })
}

pub(super) fn attributes_in<'s, 'a>(
    lines: &'s [Line<'a>],
    name: &'s str,
) -> impl Iterator<Item = &'a [u8]> + use<'s, 'a> {
    lines.iter().filter_map(move |line| line.attribute_named(name))
}
