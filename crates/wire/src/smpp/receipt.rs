//! What a provider tells of a message (SMPP 3.4 4.6.1, appendix B): by fields of their own, else in the text.

/// `esm_class` of a receipt (5.2.12).
const KIND: u8 = 0x3c;
const RECEIPT: u8 = 0x04;
/// Fields at the end of a PDU (5.3.2).
const RECEIPTED_MESSAGE_ID: u16 = 0x001e;
const MESSAGE_STATE: u16 = 0x0427;
const MESSAGE_PAYLOAD: u16 = 0x0424;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The name that the provider gave it.
    pub message_id: String,
    /// Whether it reached the telephone, or `None` when it is still on its way.
    pub delivered: Option<bool>,
    /// In the provider's words; hostile text.
    pub words: String,
}

/// The receipt in the body of a `deliver_sm`; `None` when it is something else, as a text from a telephone.
#[must_use]
pub fn receipt(body: &[u8]) -> Option<Receipt> {
    let mut rest = Rest(body);
    rest.string()?;
    for _ in 0..2 {
        rest.take(2)?;
        rest.string()?;
    }
    let esm_class = rest.octet()?;
    if esm_class & KIND != RECEIPT {
        return None;
    }
    rest.take(2)?;
    rest.string()?;
    rest.string()?;
    rest.take(4)?;
    let length = rest.octet()?;
    let mut text = rest.take(length.into())?;
    let (mut named, mut state) = (None, None);
    while let Some((tag, value)) = rest.field() {
        match tag {
            RECEIPTED_MESSAGE_ID => named = super::message_id(value),
            MESSAGE_STATE => state = value.first().copied(),
            MESSAGE_PAYLOAD if text.is_empty() => text = value,
            _ => {}
        }
    }
    let words = String::from_utf8_lossy(text).into_owned();
    let message_id = named.or_else(|| super::message_id(word(&words, "id:")?.as_bytes()))?;
    let delivered = match state {
        Some(state) => of_number(state),
        None => of_word(word(&words, "stat:")?),
    };
    Some(Receipt { message_id, delivered, words })
}

/// 5.2.28: ENROUTE 1, DELIVERED 2, EXPIRED 3, DELETED 4, UNDELIVERABLE 5, ACCEPTED 6, UNKNOWN 7, REJECTED 8.
fn of_number(state: u8) -> Option<bool> {
    match state {
        2 => Some(true),
        3..=5 | 8 => Some(false),
        _ => None,
    }
}

fn of_word(state: &str) -> Option<bool> {
    match state {
        "DELIVRD" => Some(true),
        "EXPIRED" | "DELETED" | "UNDELIV" | "REJECTD" => Some(false),
        _ => None,
    }
}

/// What follows a mark, up to a space.
fn word<'a>(words: &'a str, mark: &str) -> Option<&'a str> {
    let (_, after) = words.split_once(mark)?;
    after.split_ascii_whitespace().next()
}

/// What was not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn octet(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|octet| *octet == 0)?;
        self.take(end + 1)
    }

    fn short(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    fn field(&mut self) -> Option<(u16, &'a [u8])> {
        let (tag, length) = (self.short()?, self.short()?);
        Some((tag, self.take(length.into())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(esm_class: u8, text: &[u8], fields: &[u8]) -> Vec<u8> {
        let mut body = b"\0\x01\x018613800138000\0\x05\0Office\0".to_vec();
        body.extend([esm_class, 0, 0, 0, 0, 0, 0, 0, 0, u8::try_from(text.len()).unwrap()]);
        body.extend(text);
        body.extend(fields);
        body
    }

    #[test]
    fn receipts_by_their_fields_and_by_their_text() {
        let text = b"id:m-7 sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:DELIVRD err:000 text:";
        let of = |esm_class, text: &[u8], fields: &[u8]| {
            receipt(&body(esm_class, text, fields)).map(|one| (one.message_id, one.delivered))
        };
        assert_eq!(of(4, text, b""), Some(("m-7".into(), Some(true))));
        assert_eq!(of(4, b"id:m-7 stat:UNDELIV err:001", b""), Some(("m-7".into(), Some(false))));
        assert_eq!(of(4, b"id:m-7 stat:ENROUTE", b""), Some(("m-7".into(), None)));
        let fields = b"\x00\x1e\x00\x04m-8\0\x04\x27\x00\x01\x05";
        assert_eq!(of(4, text, fields), Some(("m-8".into(), Some(false))), "fields before text");
        assert_eq!(of(0, text, b""), None, "a text from a telephone");
        assert_eq!(of(4, b"hello", b""), None);
        let whole = body(4, text, fields);
        for end in 0..whole.len() {
            let _ = receipt(&whole[..end]);
        }
        assert_eq!(
            receipt(&body(4, text, b"\x00\x1e\xff\xff")).map(|one| one.message_id),
            Some("m-7".into())
        );
    }
}
