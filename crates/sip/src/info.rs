//! Key presses by INFO, in the two forms that phones send (no standard names them; RFC 6086 only frames INFO).

use wire::sip::Message;

/// Whether a character is a key of a telephone (RFC 4733 section 3.2): 0-9, A-D, * and #.
#[must_use]
pub fn is_key(key: char) -> bool {
    matches!(key, '0'..='9' | 'A'..='D' | '*' | '#')
}

/// The key that an INFO presses; `None` when it is about something else.
#[must_use]
pub fn key(message: &Message<'_>) -> Option<char> {
    let body = std::str::from_utf8(message.body()).ok()?;
    let signal = if message.is_content_type("application/dtmf-relay") {
        let fields = || body.lines().filter_map(|line| line.split_once('='));
        fields().find(|(name, _)| name.trim().eq_ignore_ascii_case("signal"))?.1
    } else if message.is_content_type("application/dtmf") {
        body
    } else {
        return None;
    };
    let signal = signal.trim();
    // Some gateways number the keys that are no digits, as RFC 4733 does.
    let key = match signal {
        "10" => '*',
        "11" => '#',
        "12" => 'A',
        "13" => 'B',
        "14" => 'C',
        "15" => 'D',
        _ => signal.chars().next()?.to_ascii_uppercase(),
    };
    is_key(key).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_both_forms_and_nothing_else() {
        let cases = [
            ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", Some('5')),
            ("application/dtmf-relay", "Duration=100\r\nsignal = d\r\n", Some('D')),
            ("Application/DTMF-Relay; x=y", "Signal=*\r\n", Some('*')),
            ("application/dtmf-relay", "Signal= 11\r\n", Some('#')),
            ("application/dtmf-relay", "Duration=160\r\n", None),
            ("application/dtmf-relay", "Signal=\r\n", None),
            ("application/dtmf", "#", Some('#')),
            ("application/dtmf", " 10 ", Some('*')),
            ("application/dtmf", "x", None),
            ("application/media_control+xml", "1", None),
        ];
        for (kind, body, expected) in cases {
            let text = format!(
                "INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 2 INFO\r\nContent-Type: {kind}\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let message = Message::parse(text.as_bytes()).expect("a message");
            assert_eq!(key(&message), expected, "{kind} {body}");
        }
    }
}
