//! Header lines: where each begins and ends, folds included.

use std::borrow::Cow;

use super::limits::MAX_HEAD_BYTES;
use super::{HeaderName, ParseErrorKind, chars};

/// One header line, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderLine<'a> {
    /// The name, [`HeaderName::Other`] when it is not in the list.
    pub name: HeaderName,
    /// The name as it came.
    pub raw_name: &'a [u8],
    /// The value without white space at its ends; folds inside are as they came.
    pub value: &'a [u8],
    /// The whole line as it came, line end included.
    pub raw: &'a [u8],
}

impl<'a> HeaderLine<'a> {
    /// The value with each fold as one space.
    #[must_use]
    pub fn unfolded(&self) -> Cow<'a, [u8]> {
        super::unfold(self.value)
    }
}

/// Offsets of one line into the message; eight bytes, because a message holds 64 of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineRef {
    pub(super) start: u16,
    value_start: u16,
    value_end: u16,
    pub(super) name: HeaderName,
}

impl LineRef {
    /// All bits zero, so that an array of them is cheap to make.
    pub(super) const EMPTY: LineRef =
        LineRef { start: 0, value_start: 0, value_end: 0, name: HeaderName::Accept };

    #[inline]
    pub(super) fn value<'a>(&self, raw: &'a [u8]) -> &'a [u8] {
        &raw[usize::from(self.value_start)..usize::from(self.value_end)]
    }

    /// The line in `raw`; `end` is where the next one begins.
    pub(super) fn resolve<'a>(&self, raw: &'a [u8], end: usize) -> HeaderLine<'a> {
        let line = &raw[usize::from(self.start)..end];
        HeaderLine {
            name: self.name,
            raw_name: &line[..chars::skip(line, 0, chars::TOKEN)],
            value: self.value(raw),
            raw: line,
        }
    }
}

/// Reads the line at `start`, and where the next one begins: a token, a colon, a value over one or more lines.
///
/// Spaces and tabs before the colon are grammar (HCOLON, RFC 3261 section 25.1; RFC 4475 section 3.1.1.1) and
/// never a part of the name, so that `Content-Length :` is Content-Length to every reader here.
#[inline]
pub(super) fn scan_line(head: &[u8], start: usize) -> Result<(LineRef, usize), ParseErrorKind> {
    let name_end = chars::skip(head, start, chars::TOKEN);
    let mut colon = name_end;
    while let Some(b' ' | b'\t') = head.get(colon) {
        colon += 1;
    }
    match head.get(colon) {
        None => return Err(cut(head)),
        Some(b':') if name_end > start => {}
        Some(b'\r' | b'\n') if colon == start => return Err(line_end_fault(head, start)),
        Some(_) => return Err(ParseErrorKind::HeaderLine),
    }
    let mut line_end = scan_to_line_end(head, colon + 1)?;
    while let Some(b' ' | b'\t') = head.get(line_end + 2) {
        line_end = scan_to_line_end(head, line_end + 3)?;
    }
    let value = &head[colon + 1..line_end];
    let trimmed = chars::trim_start(value);
    let value_start = line_end - trimmed.len();
    let value_end = value_start + chars::trim(trimmed).len();
    // The head is at most MAX_HEAD_BYTES long, which fits: see the assertion in limits.rs.
    let line = LineRef {
        start: start as u16,
        value_start: value_start as u16,
        value_end: value_end as u16,
        name: HeaderName::from_bytes(&head[start..name_end]),
    };
    Ok((line, line_end + 2))
}

/// The position of the next CRLF at or after `from`.
#[inline]
pub(super) fn scan_to_line_end(head: &[u8], from: usize) -> Result<usize, ParseErrorKind> {
    let Some(found) = memchr::memchr2(b'\r', b'\n', &head[from..]) else { return Err(cut(head)) };
    let position = from + found;
    if head[position..].starts_with(b"\r\n") { Ok(position) } else { Err(line_end_fault(head, position)) }
}

/// CR or LF alone, unless the line end was cut in two.
fn line_end_fault(head: &[u8], position: usize) -> ParseErrorKind {
    if head[position..] == *b"\r" { cut(head) } else { ParseErrorKind::LineEnd }
}

/// The head ends too early: its sender's fault, or that of our limit.
fn cut(head: &[u8]) -> ParseErrorKind {
    if head.len() >= MAX_HEAD_BYTES { ParseErrorKind::TooLong } else { ParseErrorKind::NoEnd }
}
