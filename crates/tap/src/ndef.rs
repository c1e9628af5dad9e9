//! The first record of an NDEF message (NFC Forum NDEF 1.0): a URI or a text.

/// What the one octet before a URI stands for (NFC Forum URI RTD 1.0, table 3).
const PREFIXES: [&str; 36] = [
    "",
    "http://www.",
    "https://www.",
    "http://",
    "https://",
    "tel:",
    "mailto:",
    "ftp://anonymous:anonymous@",
    "ftp://ftp.",
    "ftps://",
    "sftp://",
    "smb://",
    "nfs://",
    "ftp://",
    "dav://",
    "news:",
    "telnet://",
    "imap:",
    "rtsp://",
    "urn:",
    "pop:",
    "sip:",
    "sips:",
    "tftp:",
    "btspp://",
    "btl2cap://",
    "btgoep://",
    "tcpobex://",
    "irdaobex://",
    "file://",
    "urn:epc:id:",
    "urn:epc:tag:",
    "urn:epc:pat:",
    "urn:epc:raw:",
    "urn:epc:",
    "urn:nfc:",
];

/// A record of one of the types that the NFC Forum defines.
const WELL_KNOWN: u8 = 0x01;
/// The flags of a record's first octet.
const CHUNKED: u8 = 0x20;
const SHORT: u8 = 0x10;
const HAS_ID: u8 = 0x08;
const FORMAT: u8 = 0x07;

/// What the first record says; `None` if it is neither a URI nor a text.
#[must_use]
pub fn first_text(message: &[u8]) -> Option<String> {
    let (&head, rest) = message.split_first()?;
    let (&type_length, rest) = rest.split_first()?;
    let (length, rest) = if head & SHORT != 0 {
        let (&length, rest) = rest.split_first()?;
        (usize::from(length), rest)
    } else {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        (usize::try_from(u32::from_be_bytes(*length)).ok()?, rest)
    };
    let (id_length, rest) = if head & HAS_ID != 0 {
        let (&length, rest) = rest.split_first()?;
        (usize::from(length), rest)
    } else {
        (0, rest)
    };
    let (kind, rest) = rest.split_at_checked(usize::from(type_length))?;
    let payload = rest.get(id_length..)?.get(..length)?;
    match (head & (FORMAT | CHUNKED), kind) {
        (WELL_KNOWN, b"U") => uri(payload),
        (WELL_KNOWN, b"T") => text(payload),
        _ => None,
    }
}

fn uri(payload: &[u8]) -> Option<String> {
    let (&prefix, rest) = payload.split_first()?;
    let prefix = PREFIXES.get(usize::from(prefix))?;
    Some(format!("{prefix}{}", std::str::from_utf8(rest).ok()?))
}

/// NFC Forum Text RTD 1.0, 3.2: the first octet says how long the language is, and whether it is UTF-16.
fn text(payload: &[u8]) -> Option<String> {
    let (&status, rest) = payload.split_first()?;
    let text = rest.get(usize::from(status & 0x3F)..)?;
    if status & 0x80 == 0 {
        return std::str::from_utf8(text).ok().map(str::to_owned);
    }
    let (text, little) = match text {
        [0xFE, 0xFF, text @ ..] => (text, false),
        [0xFF, 0xFE, text @ ..] => (text, true),
        text => (text, false),
    };
    let unit = |pair: &[u8]| {
        let pair = <[u8; 2]>::try_from(pair).ok()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let units: Vec<u16> = text.chunks(2).map(unit).collect::<Option<_>>()?;
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(head: u8, kind: &[u8], payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[head, u8::try_from(kind.len()).unwrap(), length], kind, payload].concat()
    }

    #[test]
    fn the_first_record_is_a_uri_a_text_or_nothing() {
        let second = record(0x51, b"T", b"\x02enbob");
        let cases: Vec<(&str, Vec<u8>, Option<&str>)> = vec![
            ("uri", record(0xD1, b"U", b"\x04x.example/?e=1&c=2"), Some("https://x.example/?e=1&c=2")),
            ("uri in full", record(0xD1, b"U", b"\x00urn:x"), Some("urn:x")),
            ("unknown prefix", record(0xD1, b"U", b"\x24x"), None),
            ("text", record(0xD1, b"T", b"\x02enada"), Some("ada")),
            ("no language", record(0xD1, b"T", b"\x00ada"), Some("ada")),
            ("utf-16", record(0xD1, b"T", b"\x82en\x5C\x0F\x82\x7E"), Some("小艾")),
            ("utf-16, little end first", record(0xD1, b"T", b"\x82en\xFF\xFE\x0F\x5C"), Some("小")),
            ("half a letter", record(0xD1, b"T", b"\x82en\x5C"), None),
            ("no utf-8", record(0xD1, b"T", b"\x02en\xFF"), None),
            ("language beyond the end", record(0xD1, b"T", b"\x3Fen"), None),
            ("two records", [record(0x91, b"T", b"\x02enada"), second].concat(), Some("ada")),
            ("a mime type", record(0xD2, b"a/b", b"ada"), None),
            ("in chunks", record(0xB1, b"T", b"\x02enada"), None),
            (
                "with an id",
                vec![0xD9, 1, 6, 2, b'T', b'i', b'd', 2, b'e', b'n', b'a', b'd', b'a'],
                Some("ada"),
            ),
            ("a long record", vec![0xC1, 1, 0, 0, 0, 6, b'T', 2, b'e', b'n', b'a', b'd', b'a'], Some("ada")),
            ("longer than there is", vec![0xD1, 1, 9, b'T', 2, b'e', b'n'], None),
            ("far longer", vec![0xC1, 1, 0xFF, 0xFF, 0xFF, 0xFF, b'T'], None),
            ("empty", Vec::new(), None),
            ("an empty record", vec![0xD0, 0, 0], None),
        ];
        for (what, message, said) in cases {
            assert_eq!(first_text(&message).as_deref(), said, "{what}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_on_a_tag_is_read_or_not(message in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = first_text(&message);
        }
    }
}
