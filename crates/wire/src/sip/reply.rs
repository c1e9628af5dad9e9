//! What a stateless 400 copies from a request that did not parse (RFC 3261 section 8.2.6.2).

use super::limits::{MAX_HEAD_BYTES, MAX_HEADER_LINES};
use super::line::{scan_line, scan_to_line_end};
use super::start::answerable_method;
use super::values::split_value;
use super::{HeaderError, HeaderName, NameAddr, ParseErrorKind, Via, Writer, chars};

/// The lines of a malformed request that its answer copies.
#[derive(Clone, Debug)]
pub struct ReplyHead<'a> {
    vias: Vec<&'a [u8]>,
    /// The value of From, if one survived.
    pub from: Option<&'a [u8]>,
    /// The value of To, if one survived.
    pub to: Option<&'a [u8]>,
    /// The value of Call-ID, if one survived.
    pub call_id: Option<&'a [u8]>,
    /// The value of `CSeq`, if one survived.
    pub cseq: Option<&'a [u8]>,
}

/// Finds what an answer needs in a request that [`super::Message::parse`] refused. `None` for responses, for
/// ACK, and when no sound topmost Via tells where the answer goes.
#[must_use]
pub fn parse_for_reply(bytes: &[u8]) -> Option<ReplyHead<'_>> {
    let bytes = super::message::skip_line_ends(bytes);
    answerable_method(bytes)?;
    let head = bytes.get(..MAX_HEAD_BYTES).unwrap_or(bytes);
    let mut reply = ReplyHead { vias: Vec::new(), from: None, to: None, call_id: None, cseq: None };
    let mut position = scan_to_line_end(head, 0).ok()? + 2;
    for _ in 0..MAX_HEADER_LINES {
        match scan_line(head, position) {
            Ok((line, next)) => {
                reply.take(line.name, line.value(head));
                position = next;
            }
            // A line that is none is skipped; anything worse ends the search with what there is.
            Err(ParseErrorKind::HeaderLine) if !head[position..].starts_with(b"\r\n") => {
                let Ok(end) = scan_to_line_end(head, position) else { break };
                position = end + 2;
            }
            Err(_) => break,
        }
    }
    reply.via().ok()?;
    Some(reply)
}

impl<'a> ReplyHead<'a> {
    fn take(&mut self, name: HeaderName, value: &'a [u8]) {
        let slot = match name {
            HeaderName::Via => return self.vias.push(value),
            HeaderName::From => &mut self.from,
            HeaderName::To => &mut self.to,
            HeaderName::CallId => &mut self.call_id,
            HeaderName::CSeq => &mut self.cseq,
            _ => return,
        };
        slot.get_or_insert(value);
    }

    /// The topmost Via: where the answer goes. Malformed parameters are left out.
    ///
    /// # Errors
    /// When it is absent, or malformed before its parameters.
    pub fn via(&self) -> Result<Via<'a>, HeaderError> {
        let line = self.vias.first().ok_or(HeaderError::missing(HeaderName::Via))?;
        Via::parse_for_reply(split_value(line).0)
    }

    /// The values of all Via lines, as they came.
    pub fn vias(&self) -> impl Iterator<Item = &'a [u8]> {
        self.vias.iter().copied()
    }

    /// Writes the answer: Via lines with `via_suffix` (such as `;received=192.0.2.1`) put after the topmost
    /// value, and what else survived; `to_tag` is added where To has no tag. Returns its length in bytes.
    pub fn write(&self, buf: &mut Vec<u8>, code: u16, reason: &str, via_suffix: &str, to_tag: &str) -> usize {
        let mut writer = Writer::response(buf, code, reason);
        for (index, line) in self.vias.iter().enumerate() {
            match (index, split_value(line)) {
                (0, (top, None)) => writer.header_parts(HeaderName::Via, &[top, via_suffix.as_bytes()]),
                (0, (top, Some(rest))) => {
                    writer.header_parts(HeaderName::Via, &[top, via_suffix.as_bytes(), b", ", rest])
                }
                _ => writer.header(HeaderName::Via, line),
            };
        }
        if let Some(from) = self.from {
            writer.header(HeaderName::From, from);
        }
        if let Some(to) = self.to {
            let suffix: &[&str] = if has_tag(to) { &[] } else { &[";tag=", to_tag] };
            let suffix = suffix.concat();
            writer.header_parts(HeaderName::To, &[to, suffix.as_bytes()]);
        }
        if let Some(call_id) = self.call_id {
            writer.header(HeaderName::CallId, call_id);
        }
        if let Some(cseq) = self.cseq {
            writer.header(HeaderName::CSeq, cseq);
        }
        writer.finish()
    }
}

/// Whether a To has a tag; where it is malformed, whether it may have one, so that it never gets a second.
fn has_tag(to: &[u8]) -> bool {
    match NameAddr::parse(HeaderName::To, to) {
        Ok(address) => address.tag().is_some(),
        Err(_) => to.windows(4).any(|part| {
            part[..3].eq_ignore_ascii_case(b"tag") && (part[3] == b'=' || chars::is(part[3], chars::LWS))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROKEN: &str = "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1, SIP/2.0/UDP g\r\nv: SIP/2.0/UDP f\r\n\
        no colon here\r\nFro m: x\r\nf: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
        Content-Length: -1\r\n\r\n";

    #[test]
    fn a_broken_request_gets_its_answer() {
        let reply = parse_for_reply(BROKEN.as_bytes()).expect("a request");
        let mut buf = Vec::new();
        reply.write(&mut buf, 400, "", ";received=192.0.2.1", "t");
        let expected = "SIP/2.0 400 Bad Request\r\n\
            Via: SIP/2.0/UDP h;branch=z9hG4bK1;received=192.0.2.1, SIP/2.0/UDP g\r\nVia: SIP/2.0/UDP f\r\n\
            From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=t\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(&buf), expected);
    }

    #[test]
    fn a_to_gets_one_tag() {
        for (to, tagged) in [
            ("<sip:b@h>", false),
            ("<sip:b@h>;tag=1", true),
            ("<sip:b@h> ; TAG = 1", true),
            ("<sip:b@h;tag=1>", false),
            ("\";tag=1\" <sip:b@h>", false),
            ("\"open <sip:b@h>;tag=1", true),
            ("\"open <sip:b@h>; tag =1", true),
            ("\"open <sip:b@h>", false),
        ] {
            assert_eq!(has_tag(to.as_bytes()), tagged, "{to}");
        }
    }

    #[test]
    fn responses_and_ack_never() {
        for start in ["SIP/2.0 200 OK", "ACK sip:b@h SIP/2.0", "GET / HTTP/1.1", "", "INVITE"] {
            let text = BROKEN.replacen("INVITE sip:b@h SIP/2.0", start, 1);
            assert!(parse_for_reply(text.as_bytes()).is_none(), "{start}");
        }
        assert!(parse_for_reply(b"INVITE sip:b@h SIP/2.0\r\nVia: rubbish\r\n\r\n").is_none());
        assert!(parse_for_reply(b"INVITE sip:b@h SIP/2.0").is_none());
    }
}
