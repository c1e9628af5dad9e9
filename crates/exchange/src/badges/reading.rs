//! What a reader has read from a badge, as it tells it: a UID, the text of an NDEF record, or both.
//!
//! A secure badge mirrors what it tells into the URI of its record: `…?picc_data=` 32 and `&cmac=` 16 hexadecimal digits,
//! or `e=` and `c=`, as AN12196 writes them in its examples. A record in that form is believed as one or not at all: the
//! UID beside it, which any copy could have, opens nothing.

use super::badge::{Uid, hex};
use sip::bearer::TokenHash;

/// Octets of the text of a record.
const TEXT: usize = 512;

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub(crate) uid: Option<Uid>,
    pub(crate) record: Option<Record>,
    /// Of all of it, to know the same reading again.
    pub(crate) hash: TokenHash,
}

/// What an NDEF record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// Encrypted PICC data, and the MAC of this tap.
    Secure { picc_data: [u8; 16], mac: [u8; 8] },
    /// In the form of a secure badge, and of a length that none has.
    Garbled,
    /// Anything else; it is only compared.
    Text(TokenHash),
}

impl Reading {
    /// What a reader tells. `None` when that is nothing, or nothing that a badge can say.
    #[must_use]
    pub fn of(uid: Option<&str>, record: Option<&str>) -> Option<Reading> {
        if uid.is_none() && record.is_none() || record.is_some_and(|text| text.len() > TEXT) {
            return None;
        }
        let hash = TokenHash::of(&format!("{}\n{}", uid.unwrap_or_default(), record.unwrap_or_default()));
        let uid = match uid {
            Some(text) => Some(Uid::parse(text)?),
            None => None,
        };
        Some(Reading { uid, record: record.map(Record::of), hash })
    }
}

impl Record {
    fn of(text: &str) -> Record {
        let query = text.split_once('?').map(|(_, query)| query.split('#').next().unwrap_or_default());
        let parameter = |names: [&str; 2]| {
            let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(name, _)| names.contains(name)).map(|(_, value)| value)
        };
        let (Some(data), Some(mac)) = (parameter(["picc_data", "e"]), parameter(["cmac", "c"])) else {
            return Record::Text(text_hash(text));
        };
        let octets = |text: &str, most| hex(text, most);
        match (
            octets(data, 32).and_then(|d| d.try_into().ok()),
            octets(mac, 16).and_then(|m| m.try_into().ok()),
        ) {
            (Some(picc_data), Some(mac)) => Record::Secure { picc_data, mac },
            _ => Record::Garbled,
        }
    }
}

/// What is kept of the text of a badge's record.
pub(crate) fn text_hash(text: &str) -> TokenHash {
    TokenHash::of(text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PICC: &str = "EF963FF7828658A599F3041510671E88";
    const MAC: &str = "94EED9EE65337086";

    #[test]
    fn what_is_read_is_secure_garbled_or_a_text() {
        let secure = |record: &Record| matches!(record, Record::Secure { .. });
        let garbled = |record: &Record| *record == Record::Garbled;
        let text = |record: &Record| matches!(record, Record::Text(_));
        type Form<'a> = &'a dyn Fn(&Record) -> bool;
        let cases: [(String, Form<'_>); 12] = [
            (format!("https://x.example/t?picc_data={PICC}&cmac={MAC}"), &secure),
            (format!("https://choose.url.com/ntag424?e={PICC}&c={MAC}"), &secure),
            (format!("https://x.example/t?cmac={MAC}&lang=en&picc_data={}", PICC.to_lowercase()), &secure),
            (format!("https://x.example/t?picc_data={PICC}&cmac={MAC}#top"), &secure),
            (format!("https://x.example/t?picc_data={PICC}00&cmac={MAC}"), &garbled),
            (format!("https://x.example/t?picc_data={PICC}&cmac={}", &MAC[..14]), &garbled),
            ("https://x.example/t?picc_data=&cmac=".into(), &garbled),
            (format!("https://x.example/t?picc_data={}&cmac={MAC}", "é".repeat(16)), &garbled),
            (format!("https://x.example/t?picc_data={PICC}"), &text),
            ("ada".into(), &text),
            ("https://x.example/ada".into(), &text),
            (String::new(), &text),
        ];
        for (told, form) in cases {
            let reading = Reading::of(None, Some(&told)).unwrap();
            assert!(form(reading.record.as_ref().unwrap()), "{told}: {reading:?}");
        }
    }

    #[test]
    fn a_reading_of_nothing_is_none() {
        assert_eq!(Reading::of(None, None), None);
        assert_eq!(Reading::of(Some("no uid"), None), None);
        assert_eq!(Reading::of(Some("no uid"), Some("ada")), None);
        assert_eq!(Reading::of(None, Some(&"x".repeat(TEXT + 1))), None);
        let one = Reading::of(Some("04DE5F1EACC040"), Some("ada")).unwrap();
        let other = Reading::of(Some("04DE5F1EACC040"), Some("bob")).unwrap();
        assert!(one.hash != other.hash && one == one.clone());
    }

    proptest! {
        #[test]
        fn whatever_a_reader_tells_is_read_or_not(uid in "\\PC{0,40}", text in "\\PC{0,200}", cut in 0usize..60) {
            let _ = Reading::of(Some(&uid), Some(&text));
            let whole = format!("https://x/?picc_data={PICC}&cmac={MAC}");
            let told: String = whole.chars().take(cut).chain(text.chars()).collect();
            prop_assert!(Reading::of(None, Some(&told)).is_some() || told.len() > TEXT);
        }
    }
}
