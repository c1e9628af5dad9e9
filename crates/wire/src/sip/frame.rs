//! Messages out of a byte stream (RFC 3261 section 18.3, keep-alives of RFC 5626 section 3.5.1).
//!
//! ```text
//! CRLF CRLF            a ping; answered by CRLF
//! CRLF                 a pong
//! head CRLF CRLF body  a message, the body as long as Content-Length says
//! ```
//!
//! Only line ends and Content-Length are read here, and strictly: to misread them would make the rest of the
//! stream ours to misunderstand.

use std::error::Error;
use std::fmt;

use super::limits::{MAX_HEAD_BYTES, MAX_MESSAGE_BYTES};
use super::start::claims_sip;
use super::{HeaderName, chars};

/// What the beginning of a stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message of `len` bytes.
    Complete {
        /// Bytes to take from the stream.
        len: usize,
    },
    /// A ping, to be answered by CRLF.
    Keepalive {
        /// Bytes to take from the stream.
        len: usize,
    },
    /// The answer to a ping.
    Pong {
        /// Bytes to take from the stream.
        len: usize,
    },
    /// More bytes are needed.
    Incomplete,
    /// The stream cannot be understood further; close it.
    Invalid(FrameError),
}

/// Why a stream cannot be understood further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// It does not begin as a SIP message does.
    NotSip,
    /// No empty line within [`MAX_HEAD_BYTES`].
    HeadTooLong,
    /// Head and body exceed [`MAX_MESSAGE_BYTES`].
    BodyTooLong,
    /// No Content-Length, which a stream needs (RFC 3261 section 18.3).
    NoContentLength,
    /// Content-Length is no number, occurs twice, or lacks its colon.
    ContentLength,
    /// CR or LF alone in the head: to another reader its lines, and so its length, may be others.
    LineEnd,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FrameError::NotSip => "not SIP",
            FrameError::HeadTooLong => "head too long",
            FrameError::BodyTooLong => "body too long",
            FrameError::NoContentLength => "no Content-Length",
            FrameError::ContentLength => "bad Content-Length",
            FrameError::LineEnd => "CR or LF alone",
        })
    }
}

impl Error for FrameError {}

/// Frames one stream; remembers what it has looked at, so that bytes that trickle in are looked at once.
#[derive(Clone, Debug, Default)]
pub struct Framer {
    /// Bytes at the start of the stream known to hold no end of head.
    scanned: usize,
    /// Length of the message whose head is complete.
    total: Option<usize>,
    /// The last frame was a lone CRLF: a second one makes it a ping that came in two pieces.
    after_crlf: bool,
}

impl Framer {
    /// For a new connection.
    #[must_use]
    pub fn new() -> Self {
        Framer::default()
    }

    /// Looks at all bytes that have come and were not yet taken. After any frame with a length the caller
    /// takes that many bytes off the front before the next call.
    pub fn frame(&mut self, stream: &[u8]) -> Frame {
        if self.total.is_none() && self.scanned == 0 && matches!(stream.first(), Some(b'\r' | b'\n')) {
            return self.line_ends(stream);
        }
        let total = match self.total {
            Some(total) => total,
            None => match self.head(stream) {
                Ok(Some(total)) => total,
                Ok(None) => return Frame::Incomplete,
                Err(error) => return Frame::Invalid(error),
            },
        };
        if stream.len() < total {
            self.total = Some(total);
            return Frame::Incomplete;
        }
        *self = Framer::default();
        Frame::Complete { len: total }
    }

    fn line_ends(&mut self, stream: &[u8]) -> Frame {
        match stream {
            [b'\r', b'\n', b'\r', b'\n', ..] if !self.after_crlf => Frame::Keepalive { len: 4 },
            [b'\r', b'\n', b'\r'] if !self.after_crlf => Frame::Incomplete,
            [b'\r', b'\n', ..] if self.after_crlf => {
                self.after_crlf = false;
                Frame::Keepalive { len: 2 }
            }
            [b'\r', b'\n', ..] => {
                // A pong must not wait for a byte that may never come, so a lone CRLF counts at once.
                self.after_crlf = true;
                Frame::Pong { len: 2 }
            }
            [b'\r'] => Frame::Incomplete,
            _ => Frame::Invalid(FrameError::NotSip),
        }
    }

    /// The length of the message whose head ends in `stream`.
    fn head(&mut self, stream: &[u8]) -> Result<Option<usize>, FrameError> {
        self.after_crlf = false;
        if stream.first().is_some_and(|first| !chars::is(*first, chars::TOKEN)) {
            return Err(FrameError::NotSip);
        }
        let window = stream.get(..MAX_HEAD_BYTES).unwrap_or(stream);
        // The end may straddle what was looked at before.
        let from = self.scanned.saturating_sub(3);
        match memchr::memmem::find(&window[from..], b"\r\n\r\n") {
            Some(at) => {
                let head = &window[..from + at + 2];
                check_start(head)?;
                let total = head.len() + 2 + content_length(head)?;
                if total > MAX_MESSAGE_BYTES { Err(FrameError::BodyTooLong) } else { Ok(Some(total)) }
            }
            None if window.len() == MAX_HEAD_BYTES => Err(FrameError::HeadTooLong),
            None => {
                self.scanned = window.len();
                Ok(None)
            }
        }
    }
}

/// [`Framer::frame`] without memory, for a stream that is looked at once.
#[must_use]
pub fn frame(stream: &[u8]) -> Frame {
    Framer::new().frame(stream)
}

/// A browser can be made to send HTTP here, with messages inside that are not its user's.
fn check_start(head: &[u8]) -> Result<(), FrameError> {
    let end = memchr::memchr(b'\r', head).unwrap_or(head.len());
    if claims_sip(&head[..end]) { Ok(()) } else { Err(FrameError::NotSip) }
}

/// The one Content-Length in a head, in bytes. Other lines may be as broken as they like: they are for
/// [`super::Message::parse`] to refuse, with an answer.
fn content_length(head: &[u8]) -> Result<usize, FrameError> {
    let mut length = None;
    let mut position = line_end(head, 0)?;
    while position < head.len() {
        let next = logical_line_end(head, position)?;
        if !matches!(head[position], b'c' | b'C' | b'l' | b'L') {
            position = next;
            continue;
        }
        let name_end = chars::skip(head, position, chars::TOKEN);
        let colon =
            head[name_end..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count() + name_end;
        if HeaderName::from_bytes(&head[position..name_end]) == HeaderName::ContentLength {
            if head.get(colon) != Some(&b':') || length.is_some() {
                return Err(FrameError::ContentLength);
            }
            let value = chars::trim(&head[colon + 1..next]);
            let number = chars::decimal(value).and_then(|number| usize::try_from(number).ok());
            let number = number.ok_or(FrameError::ContentLength)?;
            if number > MAX_MESSAGE_BYTES {
                return Err(FrameError::BodyTooLong);
            }
            length = Some(number);
        }
        position = next;
    }
    length.ok_or(FrameError::NoContentLength)
}

/// The start of the next line that is no continuation.
fn logical_line_end(head: &[u8], from: usize) -> Result<usize, FrameError> {
    let mut position = line_end(head, from)?;
    while let Some(b' ' | b'\t') = head.get(position) {
        position = line_end(head, position)?;
    }
    Ok(position)
}

/// Where the line at `from` ends. CR or LF alone is an error: who takes it for a line end reads other headers.
fn line_end(head: &[u8], from: usize) -> Result<usize, FrameError> {
    match memchr::memchr2(b'\r', b'\n', &head[from..]).map(|at| from + at) {
        Some(at) if head[at..].starts_with(b"\r\n") => Ok(at + 2),
        _ => Err(FrameError::LineEnd),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n";

    fn message(line: &str, body: &str) -> Vec<u8> {
        format!("{HEAD}{line}\r\n\r\n{body}").into_bytes()
    }

    #[test]
    fn verdicts() {
        let bad = Frame::Invalid(FrameError::ContentLength);
        for (line, expected) in [
            ("Content-Length: 2", Frame::Complete { len: message("Content-Length: 2", "hi").len() }),
            ("l:2", Frame::Complete { len: message("l:2", "hi").len() }),
            ("L:\r\n 2", Frame::Complete { len: message("L:\r\n 2", "hi").len() }),
            ("broken line\r\nl:2", Frame::Complete { len: message("broken line\r\nl:2", "hi").len() }),
            ("Content-Length: 3", Frame::Incomplete),
            ("X: 1", Frame::Invalid(FrameError::NoContentLength)),
            ("Content-Length: 2\r\nl: 2", bad),
            ("Content-Length \t: 2", Frame::Complete { len: message("Content-Length \t: 2", "hi").len() }),
            ("Content-Length : 2\r\nl: 2", bad),
            ("Content-Length\r\n : 2", bad),
            ("Content-Length 2", bad),
            ("Content-Length: -1", bad),
            ("Content-Length: 2 3", bad),
            ("Content-Length: +2", bad),
            ("Content-Length:", bad),
            ("Content-Length: 99999999999999999999999", bad),
            ("X: a\nContent-Length: 2", Frame::Invalid(FrameError::LineEnd)),
            ("Content-Length: 2\r\nX: a\nl: 0", Frame::Invalid(FrameError::LineEnd)),
            ("Content-Length: 2\r\nX: a\rb", Frame::Invalid(FrameError::LineEnd)),
            ("Content-Length: 2\r\nX: a\n\nl: 9", Frame::Invalid(FrameError::LineEnd)),
            ("Content-Length: 65537", Frame::Invalid(FrameError::BodyTooLong)),
            ("Content-Length: 65500", Frame::Invalid(FrameError::BodyTooLong)),
        ] {
            assert_eq!(frame(&message(line, "hi")), expected, "{line:?}");
        }
        assert_eq!(frame(b"\x16\x03\x01"), Frame::Invalid(FrameError::NotSip));
        assert_eq!(frame(&[b'A'; MAX_HEAD_BYTES]), Frame::Invalid(FrameError::HeadTooLong));
        assert_eq!(frame(b""), Frame::Incomplete);
    }

    #[test]
    fn only_sip_is_framed() {
        for (start, sound) in [
            ("OPTIONS sip:h SIP/2.0", true),
            ("OPTIONS  sip:h sip/7.0 ", true),
            ("SIP/2.0 200 OK", true),
            ("POST / HTTP/1.1", false),
            ("INVITE sip:h", false),
            ("SIP/", false),
            ("GET /SIP/2.0", false),
        ] {
            let text = format!("{start}\r\nContent-Length: 0\r\n\r\n");
            let expected =
                if sound { Frame::Complete { len: text.len() } } else { Frame::Invalid(FrameError::NotSip) };
            assert_eq!(frame(text.as_bytes()), expected, "{start}");
        }
    }

    #[test]
    fn keep_alives() {
        assert_eq!(frame(b"\r\n\r\n"), Frame::Keepalive { len: 4 });
        assert_eq!(frame(b"\r\n"), Frame::Pong { len: 2 });
        assert_eq!(frame(b"\r\nX"), Frame::Pong { len: 2 });
        assert_eq!(frame(b"\r"), Frame::Incomplete);
        assert_eq!(frame(b"\r\n\r"), Frame::Incomplete);
        assert_eq!(frame(b"\rX"), Frame::Invalid(FrameError::NotSip));
        assert_eq!(frame(b"\n"), Frame::Invalid(FrameError::NotSip));
        let mut framer = Framer::new();
        assert_eq!(framer.frame(b"\r\n"), Frame::Pong { len: 2 });
        assert_eq!(framer.frame(b"\r\n"), Frame::Keepalive { len: 2 }, "a ping in two pieces");
        assert_eq!(framer.frame(b"\r\n\r\n"), Frame::Keepalive { len: 4 });
    }

    #[test]
    fn byte_by_byte_gives_the_same() {
        let mut stream = b"\r\n\r\n".to_vec();
        let one = message("Content-Length: 2", "hi");
        stream.extend_from_slice(&one);
        stream.extend_from_slice(&message("l: 0", ""));
        let mut framer = Framer::new();
        let mut waiting = Vec::new();
        let mut found = Vec::new();
        for byte in stream {
            waiting.push(byte);
            match framer.frame(&waiting) {
                Frame::Incomplete | Frame::Pong { .. } if waiting != b"\r\n" => {}
                Frame::Complete { len } | Frame::Keepalive { len } | Frame::Pong { len } => {
                    found.push(len);
                    waiting.drain(..len);
                }
                Frame::Incomplete => {}
                Frame::Invalid(error) => panic!("{error}"),
            }
        }
        assert_eq!(found, [2, 2, one.len(), message("l: 0", "").len()]);
    }
}
