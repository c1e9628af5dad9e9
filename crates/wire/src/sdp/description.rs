//! A description that we build ourselves, and how it is written.

use super::view::Direction;
use std::borrow::Cow;
use std::io::Write;
use std::net::IpAddr;

/// One `a=` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name before the colon.
    pub name: Cow<'static, str>,
    /// What follows the colon, if there is one.
    pub value: Option<Cow<'static, str>>,
}

impl Attribute {
    /// `a=name`
    #[must_use]
    pub fn flag(name: impl Into<Cow<'static, str>>) -> Attribute {
        Attribute { name: name.into(), value: None }
    }

    /// `a=name:value`
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> Attribute {
        Attribute { name: name.into(), value: Some(value.into()) }
    }
}

/// One `m=` line and its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaDescription {
    /// `audio`, `video`, ...
    pub kind: Cow<'static, str>,
    /// 0 declines the stream (RFC 3264 section 6).
    pub port: u16,
    /// Such as `RTP/AVP`.
    pub proto: Box<str>,
    /// In order of preference, separated by spaces; at least one.
    pub formats: Cow<'static, str>,
    /// A `c=` line of its own when it differs from the session's.
    pub connection: Option<IpAddr>,
    /// In the order in which they are written.
    pub attributes: Vec<Attribute>,
    /// Written last, always explicit; `None` writes nothing (declined streams).
    pub direction: Option<Direction>,
}

/// A whole description of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// `o=` id, the same for the whole life of a leg.
    pub session_id: u64,
    /// `o=` version, one more for each change (RFC 3264 section 8).
    pub version: u64,
    /// Ours, in `o=` and `c=`.
    pub address: IpAddr,
    /// Session-level attributes.
    pub attributes: Vec<Attribute>,
    /// The streams.
    pub media: Vec<MediaDescription>,
}

impl Description {
    /// Writes the description with CRLF line ends.
    ///
    /// Control bytes inside a value are left out, so that no value can smuggle in a line.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let (id, version) = (self.session_id, self.version);
        let (kind, address) = (address_type(self.address), self.address);
        line(out, format_args!("v=0"));
        line(out, format_args!("o=- {id} {version} IN {kind} {address}"));
        line(out, format_args!("s=-"));
        line(out, format_args!("c=IN {kind} {address}"));
        line(out, format_args!("t=0 0"));
        self.attributes.iter().for_each(|attribute| write_attribute(out, attribute));
        self.media.iter().for_each(|media| media.write_to(out));
    }
}

impl MediaDescription {
    fn write_to(&self, out: &mut Vec<u8>) {
        let (kind, formats) = (&self.kind, &self.formats);
        line(out, format_args!("m={kind} {} {} {formats}", self.port, self.proto));
        if let Some(address) = self.connection {
            line(out, format_args!("c=IN {} {address}", address_type(address)));
        }
        self.attributes.iter().for_each(|attribute| write_attribute(out, attribute));
        if let Some(direction) = self.direction {
            line(out, format_args!("a={}", direction.as_str()));
        }
    }
}

fn write_attribute(out: &mut Vec<u8>, attribute: &Attribute) {
    match &attribute.value {
        Some(value) => line(out, format_args!("a={}:{value}", attribute.name)),
        None => line(out, format_args!("a={}", attribute.name)),
    }
}

fn line(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let start = out.len();
    // Writing to a Vec cannot fail.
    let _ = out.write_fmt(text);
    if memchr::memchr3(0, b'\r', b'\n', &out[start..]).is_some() {
        let mut kept = start;
        for at in start..out.len() {
            if !matches!(out[at], 0 | b'\r' | b'\n') {
                out[kept] = out[at];
                kept += 1;
            }
        }
        out.truncate(kept);
    }
    out.extend_from_slice(b"\r\n");
}

fn address_type(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IP4",
        IpAddr::V6(_) => "IP6",
    }
}
