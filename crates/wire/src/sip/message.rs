//! A whole message, borrowed: the start line, where its header lines lie, and the body.
//!
//! One pass finds the lines; nothing inside a value is looked at until a typed view asks
//! (see `views.rs`), except for what framing and matching stand on: Content-Length and CSeq.
//!
//! ```text
//! bytes: CRLF CRLF | start line CRLF | name: value CRLF | ... | CRLF | body | more
//!        skipped   | raw() ..................................... raw() | ignored
//! ```

use std::cell::Cell;
use std::fmt;

use super::limits::{INLINE_HEADER_LINES, MAX_HEAD_BYTES, MAX_HEADER_LINES, MAX_MESSAGE_BYTES};
use super::line::{LineRef, scan_line, scan_to_line_end};
use super::start::{StartLine, answerable_method, parse_start};
use super::{
    CSeq, HeaderLine, HeaderName, Method, NameAddr, ParseError, ParseErrorKind, Uri, Values, Via, chars,
};

/// "No such line" in the table of first lines.
const NONE: u8 = u8::MAX;
const _: () = assert!(MAX_HEADER_LINES <= NONE as usize);

/// One SIP message; borrows the bytes it was parsed from.
#[derive(Clone)]
pub struct Message<'a> {
    raw: &'a [u8],
    start: StartLine<'a>,
    cseq: CSeq<'a>,
    body_at: usize,
    count: usize,
    /// Index of the first line of each name.
    first: [u8; HeaderName::COUNT],
    inline: [LineRef; INLINE_HEADER_LINES],
    /// Lines beyond the inline ones; does not allocate while empty.
    more: Vec<LineRef>,
    pub(super) read: Read<'a>,
}

/// The views that matching, authentication and answering each ask for: read once, when somebody first asks.
#[derive(Clone, Default)]
pub(super) struct Read<'a> {
    pub(super) uri: Cell<Option<Uri<'a>>>,
    pub(super) via: Cell<Option<Via<'a>>>,
    pub(super) from: Cell<Option<NameAddr<'a>>>,
    pub(super) to: Cell<Option<NameAddr<'a>>>,
}

impl<'a> Message<'a> {
    /// Parses one datagram or one frame of a stream.
    ///
    /// Leading line ends are skipped. The body is as long as Content-Length says, or reaches to the end
    /// where that header is absent; bytes after the body are ignored (RFC 3261 section 18.3).
    ///
    /// # Errors
    /// When the bytes break the framing, lack a mandatory header, repeat a header that may occur once, or
    /// name two methods. [`ParseError::answerable`] tells whether a stateless answer is in order.
    pub fn parse(bytes: &'a [u8]) -> Result<Message<'a>, ParseError> {
        let bytes = skip_line_ends(bytes);
        let fail = |kind| ParseError::new(kind, answerable_method(bytes));
        if bytes.is_empty() {
            return Err(fail(ParseErrorKind::Empty));
        }
        let head = bytes.get(..MAX_HEAD_BYTES).unwrap_or(bytes);
        let line_end = scan_to_line_end(head, 0).map_err(fail)?;
        let start = parse_start(&head[..line_end]).map_err(fail)?;
        let mut message = Message {
            raw: bytes,
            start,
            cseq: CSeq { number: 0, method: Method::Ack },
            body_at: 0,
            count: 0,
            first: [NONE; HeaderName::COUNT],
            inline: [LineRef::EMPTY; INLINE_HEADER_LINES],
            more: Vec::new(),
            read: Read::default(),
        };
        message.scan_lines(head, line_end + 2).map_err(fail)?;
        check_nul(&bytes[..message.body_at]).map_err(fail)?;
        message.check_mandatory().map_err(fail)?;
        message.cut_body(bytes).map_err(fail)?;
        Ok(message)
    }

    fn scan_lines(&mut self, head: &[u8], from: usize) -> Result<(), ParseErrorKind> {
        let mut position = from;
        loop {
            if head[position..].starts_with(b"\r\n") {
                self.body_at = position + 2;
                return Ok(());
            }
            let (line, next) = scan_line(head, position)?;
            position = next;
            self.push(line)?;
        }
    }

    fn push(&mut self, line: LineRef) -> Result<(), ParseErrorKind> {
        let index = self.count;
        if index >= MAX_HEADER_LINES {
            return Err(ParseErrorKind::TooManyLines);
        }
        let first = &mut self.first[line.name as usize];
        if *first == NONE {
            *first = index as u8;
        } else if occurs_once(line.name) {
            return Err(ParseErrorKind::Duplicate(line.name));
        }
        match self.inline.get_mut(index) {
            Some(slot) => *slot = line,
            None => self.more.push(line),
        }
        self.count = index + 1;
        Ok(())
    }

    fn check_mandatory(&mut self) -> Result<(), ParseErrorKind> {
        for name in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId] {
            if !self.has(name) {
                return Err(ParseErrorKind::Missing(name));
            }
        }
        let value = self.value(HeaderName::CSeq).ok_or(ParseErrorKind::Missing(HeaderName::CSeq))?;
        let cseq = CSeq::parse(value).map_err(|_| ParseErrorKind::CSeq)?;
        // RFC 3261 section 8.1.1.5: the method of CSeq matches that of the request.
        if let StartLine::Request { method, .. } = self.start
            && method != cseq.method
        {
            return Err(ParseErrorKind::CSeq);
        }
        self.cseq = cseq;
        Ok(())
    }

    fn cut_body(&mut self, bytes: &'a [u8]) -> Result<(), ParseErrorKind> {
        let available = bytes.len() - self.body_at;
        let length = match self.value(HeaderName::ContentLength) {
            None => available,
            Some(text) => chars::decimal(text)
                .and_then(|length| usize::try_from(length).ok())
                .filter(|length| *length <= available)
                .ok_or(ParseErrorKind::ContentLength)?,
        };
        self.raw = &bytes[..self.body_at + length];
        if self.raw.len() > MAX_MESSAGE_BYTES {
            return Err(ParseErrorKind::TooLong);
        }
        Ok(())
    }

    /// The request line or the status line.
    #[must_use]
    #[inline]
    pub fn start(&self) -> StartLine<'a> {
        self.start
    }

    /// Whether it is a request.
    #[must_use]
    #[inline]
    pub fn is_request(&self) -> bool {
        matches!(self.start, StartLine::Request { .. })
    }

    /// The method of the request line or, in a response, that of CSeq.
    #[must_use]
    #[inline]
    pub fn method(&self) -> Method<'a> {
        self.cseq.method
    }

    /// The Request-URI as it came; `None` in a response.
    #[must_use]
    pub fn request_uri(&self) -> Option<&'a str> {
        match self.start {
            StartLine::Request { uri, .. } => Some(uri),
            StartLine::Response { .. } => None,
        }
    }

    /// The status code, 100 to 699; `None` in a request.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { code, .. } => Some(code),
        }
    }

    /// The body, empty when there is none.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        &self.raw[self.body_at..]
    }

    /// Start line to end of body, as it came.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The start line with its line end, as it came.
    #[must_use]
    pub fn start_raw(&self) -> &'a [u8] {
        let end = self.refs().next().map_or(self.body_at.saturating_sub(2), |line| usize::from(line.start));
        &self.raw[..end]
    }

    /// All header lines in their order. Start line, lines, an empty line and the body are the message again.
    pub fn lines(&self) -> impl Iterator<Item = HeaderLine<'a>> {
        let ends = self.refs().skip(1).map(|line| usize::from(line.start));
        let last = std::iter::once(self.body_at.saturating_sub(2));
        self.refs().zip(ends.chain(last)).map(|(line, end)| line.resolve(self.raw, end))
    }

    /// Whether a line of that name is present.
    #[must_use]
    #[inline]
    pub fn has(&self, name: HeaderName) -> bool {
        self.first[name as usize] != NONE
    }

    /// The first line's value without white space at its ends; folds inside are as they came,
    /// [`super::unfold`] removes them.
    #[must_use]
    #[inline]
    pub fn value(&self, name: HeaderName) -> Option<&'a [u8]> {
        let first = self.first[name as usize];
        if first == NONE {
            return None;
        }
        Some(self.line_ref(usize::from(first)).value(self.raw))
    }

    /// The first value of a header whose name is not in [`HeaderName`], found without regard to case.
    #[must_use]
    pub fn value_of_other(&self, raw_name: &str) -> Option<&'a [u8]> {
        self.lines()
            .find(|line| {
                line.name == HeaderName::Other && line.raw_name.eq_ignore_ascii_case(raw_name.as_bytes())
            })
            .map(|line| line.value)
    }

    /// The values of every line of that name, one item a line.
    pub fn line_values(&self, name: HeaderName) -> impl Iterator<Item = &'a [u8]> + use<'a, '_> {
        let raw = self.raw;
        self.refs_from(name).filter(move |line| line.name == name).map(move |line| line.value(raw))
    }

    /// All values of that name over all its lines, split at commas outside quotes and angle brackets.
    #[must_use]
    pub fn values(&self, name: HeaderName) -> Values<'a, '_> {
        Values::new(self, name)
    }

    pub(super) fn cseq_checked(&self) -> CSeq<'a> {
        self.cseq
    }

    fn refs(&self) -> impl Iterator<Item = &LineRef> {
        self.inline[..self.count.min(INLINE_HEADER_LINES)].iter().chain(self.more.iter())
    }

    fn refs_from(&self, name: HeaderName) -> impl Iterator<Item = &LineRef> {
        let first = self.first[name as usize];
        let skip = if first == NONE { self.count } else { usize::from(first) };
        self.refs().skip(skip)
    }

    fn line_ref(&self, index: usize) -> &LineRef {
        self.inline.get(index).unwrap_or_else(|| &self.more[index - INLINE_HEADER_LINES])
    }

    /// The value of the first line of `name` at or after line `from`, and the index after it.
    pub(super) fn next_value(&self, name: HeaderName, from: usize) -> Option<(&'a [u8], usize)> {
        let first = self.first[name as usize];
        if first == NONE {
            return None;
        }
        (from.max(usize::from(first))..self.count).find_map(|index| {
            let line = self.line_ref(index);
            (line.name == name).then(|| (line.value(self.raw), index + 1))
        })
    }
}

impl fmt::Debug for Message<'_> {
    /// The start line only: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({:?}, {} lines, {} bytes)", self.start, self.count, self.raw.len())
    }
}

/// NUL may stand in the head only where a backslash quotes it: readers that end text at NUL exist.
fn check_nul(head: &[u8]) -> Result<(), ParseErrorKind> {
    let sound = memchr::memchr_iter(0, head).all(|at| at > 0 && head[at - 1] == b'\\');
    if sound { Ok(()) } else { Err(ParseErrorKind::Nul) }
}

/// Headers on which matching and framing stand; a second one would let two readers disagree.
fn occurs_once(name: HeaderName) -> bool {
    matches!(
        name,
        HeaderName::From
            | HeaderName::To
            | HeaderName::CallId
            | HeaderName::CSeq
            | HeaderName::MaxForwards
            | HeaderName::ContentLength
            | HeaderName::ContentType
            | HeaderName::Expires
    )
}

/// RFC 3261 section 7.5: line ends before the start line are ignored.
pub(super) fn skip_line_ends(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let Some(tail) = rest.strip_prefix(b"\r\n") {
        rest = tail;
    }
    rest
}
