//! What a badge is, and what proves it (S1.8, S1.9).

use super::secure;
use clock::Wall;
use sip::bearer::TokenHash;
use std::fmt;

/// A card, a watch or a pendant that stands for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    /// Whose it is.
    pub account: Box<str>,
    /// What it is, for its owner: "the blue card".
    pub label: Box<str>,
    /// What it is known by.
    pub mark: Mark,
    /// When it was made.
    pub made: Wall,
    /// When it was revoked; from then on it opens nothing.
    pub revoked: Option<Wall>,
}

/// What a badge is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The text of its NDEF record, an account's name or a token, of which the hash alone is kept.
    Ndef(TokenHash),
    /// Its UID.
    Uid(Uid),
    /// The chip's UID, and this issue of it: the keys follow from both.
    Secure(Uid, Issue),
}

/// The kinds of badges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BadgeKind {
    /// NTAG 424 DNA with secure dynamic messaging: what it tells is good for one tap.
    Secure,
    /// An NDEF record; whoever reads it once can copy it.
    Ndef,
    /// A UID; whoever reads it once can copy it.
    Uid,
}

impl BadgeKind {
    /// All of them.
    pub const ALL: [BadgeKind; 3] = [BadgeKind::Secure, BadgeKind::Ndef, BadgeKind::Uid];

    /// The name in commands, in the configuration and in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            BadgeKind::Secure => "secure",
            BadgeKind::Ndef => "ndef",
            BadgeKind::Uid => "uid",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<BadgeKind> {
        BadgeKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether what it tells can be told by a copy, too.
    #[must_use]
    pub fn is_clonable(self) -> bool {
        self != BadgeKind::Secure
    }
}

impl Mark {
    /// The kind of badge that is known by it.
    #[must_use]
    pub fn kind(&self) -> BadgeKind {
        match self {
            Mark::Ndef(_) => BadgeKind::Ndef,
            Mark::Uid(_) => BadgeKind::Uid,
            Mark::Secure(..) => BadgeKind::Secure,
        }
    }
}

/// The number that a chip gives itself: 4, 7 or 10 octets (ISO/IEC 14443-3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid {
    octets: [u8; 10],
    length: u8,
}

impl Uid {
    /// A UID of its octets.
    #[must_use]
    pub fn of(octets: &[u8]) -> Option<Uid> {
        if !matches!(octets.len(), 4 | 7 | 10) {
            return None;
        }
        let mut whole = [0; 10];
        whole.get_mut(..octets.len())?.copy_from_slice(octets);
        Some(Uid { octets: whole, length: u8::try_from(octets.len()).ok()? })
    }

    /// Reads hexadecimal digits, with or without colons, dashes or spaces between the octets.
    #[must_use]
    pub fn parse(text: &str) -> Option<Uid> {
        let digits: String = text.chars().filter(|letter| !matches!(letter, ':' | '-' | ' ')).collect();
        Uid::of(&hex(&digits, 20)?)
    }

    /// Its octets.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.octets().iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uid({self})")
    }
}

/// Tells the issues of a chip apart: one that is issued again has other keys, so nothing that it told before is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Issue(pub [u8; 16]);

impl Issue {
    /// Reads [`fmt::Display`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Issue> {
        hex(text, 32)?.try_into().ok().map(Issue)
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// What secure badges of this office are made of: the key that all of them hide their UID and counter with, and the one
/// that the key of each follows from. In the store they are sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct BadgeKeys {
    /// `K_SDMMetaRead` of all.
    pub meta: [u8; 16],
    /// `K_SDMFileRead` of each is made of this one.
    pub master: [u8; 16],
}

impl BadgeKeys {
    /// The form that is sealed: 64 hexadecimal digits.
    #[must_use]
    pub fn reveal(&self) -> String {
        self.meta.iter().chain(&self.master).map(|octet| format!("{octet:02x}")).collect()
    }

    /// Reads [`BadgeKeys::reveal`].
    #[must_use]
    pub fn parse(text: &str) -> Option<BadgeKeys> {
        let octets = hex(text, 64)?;
        let (meta, master) = octets.split_at_checked(16)?;
        Some(BadgeKeys { meta: meta.try_into().ok()?, master: master.try_into().ok()? })
    }

    /// The key that one badge signs its taps with.
    pub(crate) fn of_badge(&self, uid: &Uid, issue: &Issue) -> [u8; 16] {
        secure::diversify(&self.master, &[uid.octets(), &issue.0].concat())
    }
}

impl fmt::Debug for BadgeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BadgeKeys(...)")
    }
}

/// What is written into a chip when it becomes a badge; it is shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct CardKeys {
    /// `K_SDMMetaRead`.
    pub meta_read: [u8; 16],
    /// `K_SDMFileRead`.
    pub file_read: [u8; 16],
}

impl fmt::Debug for CardKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardKeys(...)")
    }
}

/// The octets of at most so many hexadecimal digits, and nothing else.
pub(crate) fn hex(text: &str, most: usize) -> Option<Vec<u8>> {
    if text.len() > most || !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(octet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_read_as_readers_and_people_write_them() {
        for (text, shown) in [
            ("04DE5F1EACC040", Some("04DE5F1EACC040")),
            ("04:de:5f:1e:ac:c0:40", Some("04DE5F1EACC040")),
            ("de ad be ef", Some("DEADBEEF")),
            ("00112233445566778899", Some("00112233445566778899")),
            ("", None),
            ("04", None),
            ("04DE5F1EACC0", None),
            ("04DE5F1EACC04", None),
            ("04DE5F1EACC04G", None),
            ("+4DE5F1EACC040", None),
            ("0011223344556677889900", None),
        ] {
            assert_eq!(Uid::parse(text).map(|uid| uid.to_string()).as_deref(), shown, "{text}");
        }
    }

    #[test]
    fn sec_20_keys_are_in_no_log_and_read_back_as_they_are_kept() {
        let keys = BadgeKeys { meta: [0xAB; 16], master: [0xCD; 16] };
        assert_eq!(format!("{keys:?}"), "BadgeKeys(...)");
        assert_eq!(BadgeKeys::parse(&keys.reveal()), Some(keys));
        assert_eq!(BadgeKeys::parse("abcd"), None);
        let card = CardKeys { meta_read: [0xAB; 16], file_read: [0xCD; 16] };
        assert_eq!(format!("{card:?}"), "CardKeys(...)");
    }
}
