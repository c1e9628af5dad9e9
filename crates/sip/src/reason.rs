//! Why a request or response was sent, in another protocol's word (RFC 3326).

use wire::sip::{HeaderName, Message};

/// The cause of the telephone network (ITU-T Q.850), 1 to 127; the first that is there.
#[must_use]
pub fn q850(message: &Message<'_>) -> Option<u16> {
    message.values(HeaderName::Reason).find_map(cause)
}

fn cause(value: &[u8]) -> Option<u16> {
    let mut parts = value.split(|&octet| octet == b';').map(<[u8]>::trim_ascii);
    if !parts.next()?.eq_ignore_ascii_case(b"Q.850") {
        return None;
    }
    parts.find_map(|part| {
        let (name, number) = std::str::from_utf8(part).ok()?.split_once('=')?;
        let number: u16 = number.trim().trim_matches('"').parse().ok()?;
        (name.trim().eq_ignore_ascii_case("cause") && (1..=127).contains(&number)).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_found_wherever_it_stands() {
        for (value, found) in [
            ("Q.850;cause=17;text=\"User busy\"", Some(17)),
            ("q.850 ; text=\"a=b\" ; cause = 19", Some(19)),
            ("SIP;cause=486", None),
            ("Q.850;cause=\"20\"", Some(20)),
            ("Q.850;cause=0", None),
            ("Q.850;cause=128", None),
            ("Q.850;cause=x", None),
            ("Q.850", None),
            ("", None),
        ] {
            assert_eq!(cause(value.as_bytes()), found, "{value}");
        }
        let text = "SIP/2.0 480 Away\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@a>;tag=1\r\n\
                    To: <sip:b@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
                    Reason: SIP;cause=480, Q.850;cause=18\r\nContent-Length: 0\r\n\r\n";
        let message = Message::parse(text.as_bytes()).expect("a response");
        assert_eq!(q850(&message), Some(18));
    }
}
