//! Request line and status line (RFC 3261 sections 7.1 and 7.2).

use super::{Method, ParseErrorKind, chars};

/// The first line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// Asks for something.
    Request {
        /// What it asks for.
        method: Method<'a>,
        /// The Request-URI as it came; [`super::Uri::parse`] takes it apart.
        uri: &'a str,
    },
    /// Answers.
    Response {
        /// 100 to 699.
        code: u16,
        /// Any bytes, possibly none.
        reason: &'a [u8],
    },
}

/// Reads a start line without its line end.
pub(super) fn parse_start(line: &[u8]) -> Result<StartLine<'_>, ParseErrorKind> {
    // "/" is no token character, so no method begins like this.
    if line.len() >= 4 && line[..4].eq_ignore_ascii_case(b"SIP/") {
        parse_status(line)
    } else {
        parse_request(line)
    }
}

fn parse_status(line: &[u8]) -> Result<StartLine<'_>, ParseErrorKind> {
    let (version, rest) = split_at_space(line).ok_or(ParseErrorKind::StartLine)?;
    check_version(version)?;
    // Lenient: the space before an empty reason may be missing.
    let (digits, reason) = split_at_space(rest).unwrap_or((rest, b""));
    let code = chars::decimal(digits).filter(|_| digits.len() == 3).ok_or(ParseErrorKind::StartLine)?;
    match u16::try_from(code) {
        Ok(code @ 100..=699) => Ok(StartLine::Response { code, reason }),
        _ => Err(ParseErrorKind::StartLine),
    }
}

fn parse_request(line: &[u8]) -> Result<StartLine<'_>, ParseErrorKind> {
    let (method, rest) = split_at_space(line).ok_or(ParseErrorKind::StartLine)?;
    let method = Method::parse(method).ok_or(ParseErrorKind::StartLine)?;
    let (uri, version) = split_at_space(rest).ok_or(ParseErrorKind::StartLine)?;
    if uri.is_empty() || !chars::all(uri, chars::URI) {
        return Err(ParseErrorKind::StartLine);
    }
    check_version(version)?;
    let uri = std::str::from_utf8(uri).map_err(|_| ParseErrorKind::StartLine)?;
    Ok(StartLine::Request { method, uri })
}

/// Exactly `SIP/2.0`, in any case; another well-formed version earns its own error (505).
fn check_version(version: &[u8]) -> Result<(), ParseErrorKind> {
    if version.eq_ignore_ascii_case(b"SIP/2.0") {
        return Ok(());
    }
    let numbers = version.get(4..).filter(|_| version[..4].eq_ignore_ascii_case(b"SIP/"));
    let dot = numbers.and_then(|numbers| numbers.iter().position(|byte| *byte == b'.'));
    match (numbers, dot) {
        (Some(numbers), Some(dot))
            if chars::decimal(&numbers[..dot]).is_some() && chars::decimal(&numbers[dot + 1..]).is_some() =>
        {
            Err(ParseErrorKind::Version)
        }
        _ => Err(ParseErrorKind::StartLine),
    }
}

fn split_at_space(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b' ', bytes)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// The method, if the first line looks like a request other than ACK, even a malformed one: a method, and a
/// SIP version at its end. Responses and ACK are never answered (RFC 3261 sections 8.2 and 17).
pub(super) fn answerable_method(bytes: &[u8]) -> Option<Method<'_>> {
    let end = memchr::memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
    let line = chars::trim(&bytes[..end]);
    let (method, rest) = split_at_space(line)?;
    Method::parse(method).filter(|method| ends_in_version(rest) && *method != Method::Ack)
}

/// Whether a first line claims to be one of SIP, however malformed: no other protocol's does.
pub(super) fn claims_sip(line: &[u8]) -> bool {
    let line = chars::trim(line);
    starts_with_protocol(line) || split_at_space(line).is_some_and(|(_, rest)| ends_in_version(rest))
}

fn ends_in_version(line: &[u8]) -> bool {
    line.rsplit(|byte| *byte == b' ').next().is_some_and(starts_with_protocol)
}

fn starts_with_protocol(text: &[u8]) -> bool {
    text.len() > 4 && text[..4].eq_ignore_ascii_case(b"SIP/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines() {
        for (text, expected) in [
            ("SIP/2.0 200 OK", Ok((200, "OK"))),
            ("sip/2.0 699  odd ", Ok((699, " odd "))),
            ("SIP/2.0 200 ", Ok((200, ""))),
            ("SIP/2.0 200", Ok((200, ""))),
            ("SIP/2.0 200\tOK", Err(ParseErrorKind::StartLine)),
            ("SIP/2.0  200 OK", Err(ParseErrorKind::StartLine)),
            ("SIP/2.0 099 x", Err(ParseErrorKind::StartLine)),
            ("SIP/2.0 700 x", Err(ParseErrorKind::StartLine)),
            ("SIP/2.0 0200 OK", Err(ParseErrorKind::StartLine)),
            ("SIP/2.0 4294967301 x", Err(ParseErrorKind::StartLine)),
            ("SIP/2.0", Err(ParseErrorKind::StartLine)),
            ("SIP/3.0 200 OK", Err(ParseErrorKind::Version)),
        ] {
            let found = parse_start(text.as_bytes()).map(|start| match start {
                StartLine::Response { code, reason } => (code, std::str::from_utf8(reason).expect("text")),
                StartLine::Request { .. } => panic!("{text:?} is no request"),
            });
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn request_lines() {
        for (text, expected) in [
            ("INVITE sip:h SIP/2.0", None),
            ("odd-Method x:y sip/2.0", None),
            ("INVITE sip:h SIP/12.34", Some(ParseErrorKind::Version)),
            ("INVITE sip:h SIP/2.", Some(ParseErrorKind::StartLine)),
            ("INVITE sip:h SIP/2.0.1", Some(ParseErrorKind::StartLine)),
            ("INVITE sip:h SIP/+2.0", Some(ParseErrorKind::StartLine)),
            ("INVITE sip:h SIP/2.0 ", Some(ParseErrorKind::StartLine)),
            ("INVITE  sip:h SIP/2.0", Some(ParseErrorKind::StartLine)),
            ("INVITE sip:h\tSIP/2.0", Some(ParseErrorKind::StartLine)),
            ("INVITE <sip:h> SIP/2.0", Some(ParseErrorKind::StartLine)),
            (" INVITE sip:h SIP/2.0", Some(ParseErrorKind::StartLine)),
            ("INVITE sip:h HTTP/1.1", Some(ParseErrorKind::StartLine)),
            ("INVITE", Some(ParseErrorKind::StartLine)),
        ] {
            assert_eq!(parse_start(text.as_bytes()).err(), expected, "{text:?}");
        }
    }
}
