//! SDP (RFC 8866): a lossless borrowed parse, typed views of what a telephone needs, and a builder.
//!
//! ```text
//! v=0                               \
//! o=- 1 1 IN IP4 192.0.2.1           | session section
//! c=IN IP4 192.0.2.1                 |
//! a=sendrecv                        /
//! m=audio 4000 RTP/AVP 0 101        \
//! a=rtpmap:101 telephone-event/8000  | media section 0, up to the next m=
//! ```
//!
//! Leniencies, each because a real phone needs it: bare LF line ends and blank lines at the end (RFC 8866
//! section 5 asks for the first); missing `s=` and `t=`; lines out of order inside a section; bytes that
//! are not UTF-8 in free text. Everything else that is not `letter=value` is refused with its line number.

mod attribute;
mod crypto;
mod description;
mod number;
mod view;

pub use attribute::{Fmtp, Rtcp, Rtpmap, Ssrc, parameter};
pub use crypto::{Crypto, write_crypto};
pub use description::{Attribute, Description, MediaDescription};
pub use view::{Connection, Direction, Media, Origin};

use std::fmt;

/// The largest description that is looked at, in bytes.
pub const BYTES_MAX: usize = 64 * 1024;
/// The most `m=` lines of one description.
pub const MEDIA_MAX: usize = 64;
/// The most `a=` lines of one section.
pub const ATTRIBUTES_MAX: usize = 256;
/// The most formats of one `m=` line; bounds the search for the `rtpmap` of each.
pub const FORMATS_MAX: usize = 64;
/// The most lines of any kind; bounds memory for a description full of unknown lines.
pub const LINES_MAX: usize = 4096;

/// Why a description was refused; `line` counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdpError {
    /// More than [`BYTES_MAX`] bytes.
    TooLarge,
    /// More than [`LINES_MAX`] lines.
    TooManyLines,
    /// More than [`MEDIA_MAX`] `m=` lines.
    TooManyMedia,
    /// More than [`ATTRIBUTES_MAX`] attributes in the section that `line` is in.
    TooManyAttributes {
        /// The first attribute too many.
        line: usize,
    },
    /// More than [`FORMATS_MAX`] formats in an `m=` line.
    TooManyFormats {
        /// Where.
        line: usize,
    },
    /// Not `letter=value`, or a control byte inside.
    BadLine {
        /// Where.
        line: usize,
    },
    /// The first line is not `v=0`.
    BadVersion,
    /// An `m=` line without kind, port, protocol or format.
    BadMedia {
        /// Where.
        line: usize,
    },
    /// No `o=` line, or one without its six fields.
    BadOrigin,
    /// A `c=` line without its three fields.
    BadConnection,
}

impl fmt::Display for SdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SdpError::TooLarge => write!(f, "SDP over {BYTES_MAX} bytes"),
            SdpError::TooManyLines => write!(f, "SDP over {LINES_MAX} lines"),
            SdpError::TooManyMedia => write!(f, "SDP over {MEDIA_MAX} m= lines"),
            SdpError::TooManyAttributes { line } => {
                write!(f, "SDP line {line}: over {ATTRIBUTES_MAX} attributes in a section")
            }
            SdpError::TooManyFormats { line } => write!(f, "SDP line {line}: over {FORMATS_MAX} formats"),
            SdpError::BadLine { line } => write!(f, "SDP line {line}: not letter=value"),
            SdpError::BadVersion => write!(f, "SDP does not start with v=0"),
            SdpError::BadMedia { line } => write!(f, "SDP line {line}: bad m= line"),
            SdpError::BadOrigin => write!(f, "SDP without a good o= line"),
            SdpError::BadConnection => write!(f, "SDP with a bad c= line"),
        }
    }
}

impl std::error::Error for SdpError {}

/// One line as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The letter before the equals sign.
    pub kind: u8,
    /// What follows it, without the line end.
    pub value: &'a [u8],
    raw: &'a [u8],
}

impl<'a> Line<'a> {
    /// The whole line as it came, with its line end.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The value of `a=name[:value]` with this name.
    fn attribute_named(&self, name: &str) -> Option<&'a [u8]> {
        let rest = self.value.strip_prefix(name.as_bytes()).filter(|_| self.kind == b'a')?;
        match rest {
            [] => Some(rest),
            [b':', value @ ..] => Some(value),
            _ => None,
        }
    }

    /// `a=name[:value]` split at the first colon; `None` for other lines and names that are not ASCII.
    #[must_use]
    pub fn attribute(&self) -> Option<(&'a str, &'a [u8])> {
        if self.kind != b'a' {
            return None;
        }
        let (name, value) = match self.value.iter().position(|&byte| byte == b':') {
            Some(colon) => (&self.value[..colon], &self.value[colon + 1..]),
            None => (self.value, &self.value[self.value.len()..]),
        };
        name.is_ascii().then(|| std::str::from_utf8(name).ok().map(|name| (name, value)))?
    }
}

/// A parsed description; borrows every byte from the input.
#[derive(Clone, Debug)]
pub struct Session<'a> {
    lines: Vec<Line<'a>>,
    /// Where the session section ends and each media section begins.
    starts: Vec<usize>,
    trailer: &'a [u8],
}

impl<'a> Session<'a> {
    /// Cuts `bytes` into lines and sections and checks each `m=` line.
    ///
    /// # Errors
    /// Says which bound or which line was wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Session<'a>, SdpError> {
        if bytes.len() > BYTES_MAX {
            return Err(SdpError::TooLarge);
        }
        let mut session = Session { lines: Vec::with_capacity(24), starts: Vec::new(), trailer: &[] };
        let mut attributes = 0;
        let mut rest = bytes;
        while !rest.is_empty() {
            if is_blank(rest) {
                session.trailer = rest;
                break;
            }
            let number = session.lines.len() + 1;
            if number > LINES_MAX {
                return Err(SdpError::TooManyLines);
            }
            let (line, after) = cut_line(rest).ok_or(SdpError::BadLine { line: number })?;
            session.admit(line, number, &mut attributes)?;
            rest = after;
        }
        match session.lines.first() {
            Some(line) if line.kind == b'v' && line.value.trim_ascii() == b"0" => Ok(session),
            _ => Err(SdpError::BadVersion),
        }
    }

    fn admit(&mut self, line: Line<'a>, number: usize, attributes: &mut usize) -> Result<(), SdpError> {
        if line.kind == b'm' {
            if self.starts.len() == MEDIA_MAX {
                return Err(SdpError::TooManyMedia);
            }
            let (.., formats) = view::check_media(line.value).ok_or(SdpError::BadMedia { line: number })?;
            if formats.split_ascii_whitespace().nth(FORMATS_MAX).is_some() {
                return Err(SdpError::TooManyFormats { line: number });
            }
            self.starts.push(self.lines.len());
            *attributes = 0;
        } else if line.kind == b'a' {
            *attributes += 1;
            if *attributes > ATTRIBUTES_MAX {
                return Err(SdpError::TooManyAttributes { line: number });
            }
        }
        self.lines.push(line);
        Ok(())
    }

    /// Every line in its order, unknown ones too.
    #[must_use]
    pub fn lines(&self) -> &[Line<'a>] {
        &self.lines
    }

    /// The lines before the first `m=`.
    #[must_use]
    pub fn session_lines(&self) -> &[Line<'a>] {
        let end = self.starts.first().copied().unwrap_or(self.lines.len());
        &self.lines[..end]
    }

    /// How many `m=` lines there are.
    #[must_use]
    pub fn media_count(&self) -> usize {
        self.starts.len()
    }

    /// The media sections in their order.
    pub fn media(&self) -> impl Iterator<Item = Media<'_, 'a>> {
        (0..self.starts.len()).filter_map(|index| self.media_at(index))
    }

    /// The media section at `index`, counted from 0.
    #[must_use]
    pub fn media_at(&self, index: usize) -> Option<Media<'_, 'a>> {
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.lines.len());
        Media::new(self, &self.lines[start..end])
    }

    /// The `o=` line.
    ///
    /// # Errors
    /// [`SdpError::BadOrigin`] when it is missing or has not six fields.
    pub fn origin(&self) -> Result<Origin<'a>, SdpError> {
        let line = self.session_lines().iter().find(|line| line.kind == b'o');
        line.and_then(|line| Origin::parse(line.value)).ok_or(SdpError::BadOrigin)
    }

    /// The `c=` line of the session section, if there is one.
    ///
    /// # Errors
    /// [`SdpError::BadConnection`] when it has not three fields.
    pub fn connection(&self) -> Result<Option<Connection<'a>>, SdpError> {
        view::connection_in(self.session_lines())
    }

    /// The direction attribute of the session section, if there is one.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        view::direction_in(self.session_lines())
    }

    /// The values of the session section's attributes of that name (ASCII case counts, RFC 8866 5.13).
    pub fn attributes<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        view::attributes_in(self.session_lines(), name)
    }

    /// Writes the description as it came, byte for byte.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        for line in &self.lines {
            out.extend_from_slice(line.raw);
        }
        out.extend_from_slice(self.trailer);
    }
}

/// Only line ends are left.
fn is_blank(bytes: &[u8]) -> bool {
    // Looking at the first byte keeps the whole parse linear: a line may not begin with a line end.
    matches!(bytes[0], b'\r' | b'\n') && bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}

/// One `letter=value` line and what follows it; `None` when it is anything else.
fn cut_line(bytes: &[u8]) -> Option<(Line<'_>, &[u8])> {
    let (raw, rest) = match bytes.iter().position(|&byte| byte == b'\n') {
        Some(end) => bytes.split_at(end + 1),
        None => (bytes, &bytes[bytes.len()..]),
    };
    let text = raw.strip_suffix(b"\n").unwrap_or(raw);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let (&[kind, b'='], value) = text.split_first_chunk::<2>()? else { return None };
    // A CR or NUL inside would let a value smuggle a line into a description built from it.
    let clean = value.iter().all(|byte| !matches!(byte, 0 | b'\r'));
    (kind.is_ascii_alphabetic() && clean).then_some((Line { kind, value, raw }, rest))
}

#[cfg(test)]
mod tests;
