//! Writing messages into a buffer of the caller's.
//!
//! Nothing that is written can end a line or a message early: CR, LF and NUL inside a value become a space,
//! so a value that came folded goes out unfolded, and hostile text stays inside its header.

use std::fmt::{self, Write as _};

use super::limits::{MAX_BODY_BYTES, MAX_WRITTEN_VALUE_BYTES};
use super::{HeaderName, Message, Method};

/// Appends one message to a buffer. End it with [`Writer::body`] or [`Writer::finish`].
#[derive(Debug)]
#[must_use = "a message needs its end: call `body` or `finish`"]
pub struct Writer<'b> {
    buf: &'b mut Vec<u8>,
    start: usize,
}

impl<'b> Writer<'b> {
    /// Begins a request at the end of `buf`. White space in the URI is written as an escape.
    pub fn request(buf: &'b mut Vec<u8>, method: Method<'_>, uri: &str) -> Writer<'b> {
        let start = buf.len();
        buf.extend_from_slice(method.as_str().as_bytes());
        buf.push(b' ');
        for &byte in &uri.as_bytes()[..uri.len().min(MAX_WRITTEN_VALUE_BYTES)] {
            match byte {
                0..=0x20 | 0x7f => {
                    buf.push(b'%');
                    buf.push(b'0' + (byte >> 4));
                    buf.push(b"0123456789ABCDEF"[usize::from(byte & 15)]);
                }
                _ => buf.push(byte),
            }
        }
        buf.extend_from_slice(b" SIP/2.0\r\n");
        Writer { buf, start }
    }

    /// Begins a response at the end of `buf`; an empty reason is replaced by the usual one.
    pub fn response(buf: &'b mut Vec<u8>, code: u16, reason: &str) -> Writer<'b> {
        debug_assert!((100..=699).contains(&code), "not a status code: {code}");
        let start = buf.len();
        buf.extend_from_slice(b"SIP/2.0 ");
        let code = code.clamp(100, 699);
        buf.extend([code / 100, code / 10 % 10, code % 10].map(|digit| b'0' + digit as u8));
        buf.push(b' ');
        let mut writer = Writer { buf, start };
        let reason = if reason.is_empty() { super::default_reason(code) } else { reason };
        writer.put_value(&[reason.as_bytes()]);
        writer.buf.extend_from_slice(b"\r\n");
        writer
    }

    /// Begins header lines that will stand in a message of another writer, which takes them by [`Writer::lines`].
    pub fn fragment(buf: &'b mut Vec<u8>) -> Writer<'b> {
        let start = buf.len();
        Writer { buf, start }
    }

    /// Ends a fragment; its length in bytes is returned.
    pub fn end_fragment(self) -> usize {
        self.buf.len() - self.start
    }

    /// Writes lines that a writer made before.
    pub fn lines(&mut self, lines: &[u8]) -> &mut Self {
        self.buf.extend_from_slice(lines);
        self
    }

    /// Writes one line.
    pub fn header(&mut self, name: HeaderName, value: impl AsRef<[u8]>) -> &mut Self {
        self.header_parts(name, &[value.as_ref()])
    }

    /// Writes one line from parts that are put together.
    pub fn header_parts(&mut self, name: HeaderName, parts: &[&[u8]]) -> &mut Self {
        debug_assert!(!matches!(name, HeaderName::Other), "an unlisted header goes by `other`");
        self.line(name.as_str().as_bytes(), parts)
    }

    /// Writes one line from text parts that are put together.
    pub fn header_strs(&mut self, name: HeaderName, parts: &[&str]) -> &mut Self {
        self.put_name(name.as_str().as_bytes());
        let start = self.buf.len();
        for part in parts {
            self.buf.extend_from_slice(part.as_bytes());
        }
        self.end_value(start);
        self
    }

    /// Writes one line with formatted text.
    pub fn header_fmt(&mut self, name: HeaderName, value: fmt::Arguments<'_>) -> &mut Self {
        self.put_name(name.as_str().as_bytes());
        let start = self.buf.len();
        // Writing into a Vec does not fail; a Display that fails leaves a shorter value.
        let _ = Appender(self.buf).write_fmt(value);
        self.end_value(start);
        self
    }

    /// Writes one line with a decimal number.
    pub fn header_number(&mut self, name: HeaderName, number: u64) -> &mut Self {
        let mut digits = [0u8; 20];
        self.header(name, decimal(number, &mut digits))
    }

    /// Writes `CSeq`.
    pub fn cseq(&mut self, number: u32, method: Method<'_>) -> &mut Self {
        let mut digits = [0u8; 20];
        let number = decimal(number.into(), &mut digits);
        self.header_parts(HeaderName::CSeq, &[number, b" ", method.as_str().as_bytes()])
    }

    /// Writes one line whose name is not in [`HeaderName`]; bytes that no name may hold become `-`.
    pub fn other(&mut self, raw_name: &str, value: impl AsRef<[u8]>) -> &mut Self {
        let mut name: Vec<u8> = raw_name.bytes().take(256).collect();
        for byte in &mut name {
            if !super::chars::is(*byte, super::chars::TOKEN) {
                *byte = b'-';
            }
        }
        self.line(&name, &[value.as_ref()])
    }

    /// Copies every line of that name in its order, under the usual spelling of the name: what a response
    /// does with Via, From, To, Call-ID, `CSeq` and Record-Route (RFC 3261 sections 8.2.6.2, 12.1.1).
    pub fn copy(&mut self, message: &Message<'_>, name: HeaderName) -> &mut Self {
        for value in message.line_values(name) {
            self.line(name.as_str().as_bytes(), &[value]);
        }
        self
    }

    /// Ends the message with a body; its length in bytes is returned.
    pub fn body(mut self, content_type: &str, body: &[u8]) -> usize {
        let body = &body[..body.len().min(MAX_BODY_BYTES)];
        self.header(HeaderName::ContentType, content_type);
        self.header_number(HeaderName::ContentLength, body.len() as u64);
        self.buf.extend_from_slice(b"\r\n");
        self.buf.extend_from_slice(body);
        self.buf.len() - self.start
    }

    /// Ends the message without a body; its length in bytes is returned.
    pub fn finish(self) -> usize {
        self.buf.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        self.buf.len() - self.start
    }

    fn line(&mut self, name: &[u8], parts: &[&[u8]]) -> &mut Self {
        self.put_name(name);
        self.put_value(parts);
        self.buf.extend_from_slice(b"\r\n");
        self
    }

    fn put_name(&mut self, name: &[u8]) {
        self.buf.extend_from_slice(name);
        self.buf.extend_from_slice(b": ");
    }

    fn put_value(&mut self, parts: &[&[u8]]) {
        let start = self.buf.len();
        for part in parts {
            self.buf.extend_from_slice(part);
        }
        self.seal(start);
    }

    fn end_value(&mut self, start: usize) {
        self.seal(start);
        self.buf.extend_from_slice(b"\r\n");
    }

    /// Bounds what was written since `start` and takes the power out of it.
    fn seal(&mut self, start: usize) {
        self.buf.truncate(start + MAX_WRITTEN_VALUE_BYTES);
        let mut rest = &mut self.buf[start..];
        while let Some(at) = memchr::memchr3(b'\r', b'\n', 0, rest) {
            rest[at] = b' ';
            rest = &mut rest[at + 1..];
        }
    }
}

struct Appender<'b>(&'b mut Vec<u8>);

impl fmt::Write for Appender<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn decimal(number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut position = digits.len();
    let mut rest = number;
    loop {
        position -= 1;
        digits[position] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return &digits[position..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request() {
        let mut buf = b"before".to_vec();
        let mut writer = Writer::request(&mut buf, Method::Message, "sip:a b@c");
        writer
            .header(HeaderName::CallId, "x")
            .header_parts(HeaderName::From, &[b"<sip:", b"a", b">"])
            .header_strs(HeaderName::To, &["<sip:", "b", ">"])
            .header_fmt(HeaderName::CSeq, format_args!("{} {}", 7, Method::Message))
            .header_number(HeaderName::MaxForwards, 70)
            .other("X-A B", "1");
        let length = writer.body("text/plain", b"hi");
        let expected = "MESSAGE sip:a%20b@c SIP/2.0\r\nCall-ID: x\r\nFrom: <sip:a>\r\nTo: <sip:b>\r\nCSeq: 7 MESSAGE\r\n\
            Max-Forwards: 70\r\nX-A-B: 1\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(String::from_utf8_lossy(&buf[6..]), expected);
        assert_eq!(length, expected.len());
    }

    #[test]
    fn nothing_ends_a_line_early() {
        let hostile = "a\r\nEvil: 1\n\r\n\0b";
        let mut buf = Vec::new();
        let mut writer = Writer::response(&mut buf, 200, hostile);
        writer
            .header(HeaderName::Subject, hostile)
            .header_parts(HeaderName::Server, &[b"x\r", b"\ny"])
            .header_strs(HeaderName::UserAgent, &["x\r", "\ny"])
            .header_fmt(HeaderName::Organization, format_args!("{hostile}"))
            .other(hostile, hostile);
        writer.finish();
        let lines = buf.windows(2).filter(|pair| pair == b"\r\n").count();
        assert_eq!(lines, 8, "{}", String::from_utf8_lossy(&buf));
        assert_eq!(buf.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count(), 16);
        assert!(!buf.contains(&0));

        let mut buf = Vec::new();
        Writer::request(&mut buf, Method::Options, "sip:a\r\n\0\x7f b").finish();
        assert!(buf.starts_with(b"OPTIONS sip:a%0D%0A%00%7F%20b SIP/2.0\r\nContent-Length"));
    }

    #[test]
    fn values_are_bounded() {
        let mut buf = Vec::new();
        let mut writer = Writer::response(&mut buf, 200, "");
        writer.header(HeaderName::Subject, vec![b'x'; MAX_WRITTEN_VALUE_BYTES * 2]);
        assert!(writer.finish() < MAX_WRITTEN_VALUE_BYTES + 100);
        assert!(buf.starts_with(b"SIP/2.0 200 OK\r\n"));
    }
}
