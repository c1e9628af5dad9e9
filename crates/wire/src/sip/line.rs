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

/// Offsets of one line into the message.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineRef {
    pub(super) start: u16,
    name_end: u16,
    value_start: u16,
    value_end: u16,
    pub(super) end: u16,
    pub(super) name: HeaderName,
}

impl LineRef {
    pub(super) const EMPTY: LineRef =
        LineRef { start: 0, name_end: 0, value_start: 0, value_end: 0, end: 0, name: HeaderName::Other };

    #[inline]
    pub(super) fn value<'a>(&self, raw: &'a [u8]) -> &'a [u8] {
        &raw[usize::from(self.value_start)..usize::from(self.value_end)]
    }

    pub(super) fn resolve<'a>(&self, raw: &'a [u8]) -> HeaderLine<'a> {
        HeaderLine {
            name: self.name,
            raw_name: &raw[usize::from(self.start)..usize::from(self.name_end)],
            value: self.value(raw),
            raw: &raw[usize::from(self.start)..usize::from(self.end)],
        }
    }
}

/// Reads the line at `start`: a token, a colon at once (white space before it has been used to smuggle
/// headers past filters, so it is an error), a value over one or more lines.
#[inline]
pub(super) fn scan_line(head: &[u8], start: usize) -> Result<LineRef, ParseErrorKind> {
    let name_end = chars::skip(head, start, chars::TOKEN);
    match head.get(name_end) {
        None if head.len() >= MAX_HEAD_BYTES => return Err(ParseErrorKind::TooLong),
        None => return Err(ParseErrorKind::NoEnd),
        Some(b':') if name_end > start => {}
        Some(_) => return Err(ParseErrorKind::HeaderLine),
    }
    let mut line_end = scan_to_line_end(head, name_end + 1)?;
    while let Some(b' ' | b'\t') = head.get(line_end + 2) {
        line_end = scan_to_line_end(head, line_end + 3)?;
    }
    let mut value_start = name_end + 1;
    while value_start < line_end && chars::is(head[value_start], chars::LWS) {
        value_start += 1;
    }
    let mut value_end = line_end;
    while value_end > value_start && chars::is(head[value_end - 1], chars::LWS) {
        value_end -= 1;
    }
    // The head is at most MAX_HEAD_BYTES long, which fits: see the assertion in limits.rs.
    Ok(LineRef {
        start: start as u16,
        name_end: name_end as u16,
        value_start: value_start as u16,
        value_end: value_end as u16,
        end: (line_end + 2) as u16,
        name: HeaderName::from_bytes(&head[start..name_end]),
    })
}

/// The position of the next CRLF at or after `from`.
#[inline]
pub(super) fn scan_to_line_end(head: &[u8], from: usize) -> Result<usize, ParseErrorKind> {
    let Some(found) = memchr::memchr2(b'\r', b'\n', &head[from..]) else {
        let full = head.len() >= MAX_HEAD_BYTES;
        return Err(if full { ParseErrorKind::TooLong } else { ParseErrorKind::NoEnd });
    };
    let position = from + found;
    if head[position..].starts_with(b"\r\n") { Ok(position) } else { Err(ParseErrorKind::LineEnd) }
}
