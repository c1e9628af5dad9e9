//! What can be wrong with a message, and what a stateless answer to it may be.

use std::error::Error;
use std::fmt;

use super::HeaderName;

/// Why bytes are not a SIP message that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError {
    kind: ParseErrorKind,
    answerable: bool,
}

/// The fault that ended parsing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// Nothing but line ends: a keep-alive, not a message.
    Empty,
    /// Longer than [`super::limits::MAX_MESSAGE_BYTES`] or a head over [`super::limits::MAX_HEAD_BYTES`].
    TooLong,
    /// More header lines than [`super::limits::MAX_HEADER_LINES`].
    TooManyLines,
    /// Neither a request line nor a status line of RFC 3261 section 7.1, 7.2.
    StartLine,
    /// A SIP version other than 2.0.
    Version,
    /// CR without LF or LF without CR in the head.
    LineEnd,
    /// No empty line ends the head.
    NoEnd,
    /// A header line without a colon, with an illegal name, or with white space before its colon.
    HeaderLine,
    /// A header that every message needs is absent (RFC 3261 section 8.1.1).
    Missing(HeaderName),
    /// A header that may occur once occurs again.
    Duplicate(HeaderName),
    /// Content-Length is no number, overflows, or promises more than there is.
    ContentLength,
    /// CSeq is malformed, at or above 2^31, or names another method than the request line.
    CSeq,
}

impl ParseError {
    pub(super) fn new(kind: ParseErrorKind, answerable: bool) -> Self {
        ParseError { kind, answerable }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(self) -> ParseErrorKind {
        self.kind
    }

    /// Whether the top of it is a request other than ACK, so that a stateless answer is in order;
    /// [`super::parse_for_reply`] finds what that needs.
    #[must_use]
    pub fn answerable(self) -> bool {
        self.answerable
    }

    /// The status code of that answer: 505, 513 or 400.
    #[must_use]
    pub fn code(self) -> u16 {
        match self.kind {
            ParseErrorKind::Version => 505,
            ParseErrorKind::TooLong | ParseErrorKind::TooManyLines => 513,
            _ => 400,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ParseErrorKind::Empty => f.write_str("no message, line ends only"),
            ParseErrorKind::TooLong => f.write_str("message too long"),
            ParseErrorKind::TooManyLines => f.write_str("too many header lines"),
            ParseErrorKind::StartLine => f.write_str("malformed start line"),
            ParseErrorKind::Version => f.write_str("SIP version is not 2.0"),
            ParseErrorKind::LineEnd => f.write_str("CR or LF alone"),
            ParseErrorKind::NoEnd => f.write_str("no empty line after the header lines"),
            ParseErrorKind::HeaderLine => f.write_str("malformed header line"),
            ParseErrorKind::Missing(name) => write!(f, "{} missing", name.as_str()),
            ParseErrorKind::Duplicate(name) => write!(f, "{} occurs twice", name.as_str()),
            ParseErrorKind::ContentLength => f.write_str("bad Content-Length"),
            ParseErrorKind::CSeq => f.write_str("bad CSeq"),
        }
    }
}

impl Error for ParseError {}

/// Why one header of an otherwise sound message cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderError {
    /// The header.
    pub name: HeaderName,
    /// The fault.
    pub kind: HeaderErrorKind,
}

/// The fault of one header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderErrorKind {
    /// It is absent.
    Missing,
    /// It breaks its grammar; the text names the part.
    Malformed(&'static str),
    /// A part is longer than its limit.
    TooLong,
}

impl HeaderError {
    pub(super) fn malformed(name: HeaderName, part: &'static str) -> Self {
        HeaderError { name, kind: HeaderErrorKind::Malformed(part) }
    }

    pub(super) fn missing(name: HeaderName) -> Self {
        HeaderError { name, kind: HeaderErrorKind::Missing }
    }

    pub(super) fn too_long(name: HeaderName) -> Self {
        HeaderError { name, kind: HeaderErrorKind::TooLong }
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            HeaderErrorKind::Missing => write!(f, "{} missing", self.name.as_str()),
            HeaderErrorKind::Malformed(part) => write!(f, "{}: bad {part}", self.name.as_str()),
            HeaderErrorKind::TooLong => write!(f, "{} too long", self.name.as_str()),
        }
    }
}

impl Error for HeaderError {}

/// Why text is not a URI; the text names the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UriError(pub &'static str);

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad URI {}", self.0)
    }
}

impl Error for UriError {}
