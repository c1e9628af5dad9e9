//! REFER and Replaces: a phone asks that its call go on elsewhere (RFC 3515, 3891, 5589).

use wire::sip::{HeaderName, Message, NameAddr, Uri, decode_escapes};

/// Where a call shall go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferTo {
    /// The user part: the number to call.
    pub number: Box<str>,
    /// The call to take over there, if the transferor has one already (attended transfer).
    pub replaces: Option<Replaces>,
}

/// A dialog, as the one who shall be replaced in it knows it (RFC 3891 section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// Its Call-ID.
    pub call_id: Box<str>,
    /// The tag of the one who receives the Replaces.
    pub to_tag: Box<str>,
    /// The tag of the other end.
    pub from_tag: Box<str>,
}

impl ReferTo {
    /// Reads the one Refer-To of a REFER; `None` for what is no call that we could make (RFC 3515 2.4.1: 400).
    #[must_use]
    pub fn of(request: &Message<'_>) -> Option<ReferTo> {
        let mut values = request.values(HeaderName::ReferTo);
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        let addr = NameAddr::parse(HeaderName::ReferTo, value).ok()?;
        let uri = Uri::parse(addr.uri).ok()?;
        let invites =
            uri.param("method").flatten().is_none_or(|method| method.eq_ignore_ascii_case("INVITE"));
        let number = uri.user_decoded().filter(|_| uri.is_sip() && invites)?;
        let replaces = uri.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Replaces"));
        let replaces = match replaces {
            Some((_, value)) => Some(Replaces::parse(&decode_escapes(value))?),
            None => None,
        };
        Some(ReferTo { number: number.as_ref().into(), replaces })
    }
}

impl Replaces {
    /// Reads `call-id;to-tag=...;from-tag=...`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Replaces> {
        let mut parts = text.split(';').map(str::trim);
        let call_id = parts.next().filter(|id| !id.is_empty() && id.len() <= 256)?;
        let (mut to_tag, mut from_tag) = (None, None);
        for part in parts {
            match part.split_once('=') {
                Some(("to-tag", tag)) => to_tag = Some(tag),
                Some(("from-tag", tag)) => from_tag = Some(tag),
                _ => {}
            }
        }
        Some(Replaces { call_id: call_id.into(), to_tag: to_tag?.into(), from_tag: from_tag?.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refer(lines: &str) -> Option<ReferTo> {
        let text = format!(
            "REFER sip:ringdown@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:b@h>;tag=2\r\nCall-ID: x\r\nCSeq: 5 REFER\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        ReferTo::of(&Message::parse(text.as_bytes()).expect("a request"))
    }

    #[test]
    fn blind_attended_and_nonsense() {
        let blind = refer("Refer-To: <sip:2003@office;user=phone>\r\n").expect("a target");
        assert_eq!((&*blind.number, blind.replaces), ("2003", None));
        let attended =
            refer("r: <sip:2003@office?Replaces=90%40h%3Bto-tag%3Da%3Bfrom-tag%3Db>\r\n").expect("a target");
        let expected = Replaces { call_id: "90@h".into(), to_tag: "a".into(), from_tag: "b".into() };
        assert_eq!(attended.replaces, Some(expected));
        for lines in [
            "",
            "Refer-To: <sip:office>\r\n",
            "Refer-To: <http://office/2003>\r\n",
            "Refer-To: <sip:2003@office;method=BYE>\r\n",
            "Refer-To: <sip:2003@office?Replaces=90%40h>\r\n",
            "Refer-To: <sip:1@h>\r\nRefer-To: <sip:2@h>\r\n",
        ] {
            assert_eq!(refer(lines), None, "{lines}");
        }
    }
}
