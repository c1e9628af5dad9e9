//! Badges and readers as people ask for them: by the API and on the command line alike.

use exchange::{BadgeKind, NewBadge, NewMark, TokenHash, Uid};

/// What the keys of readers begin with.
pub(crate) const READER_KEY: &str = "rdr_";
/// What a token on a badge begins with.
const BADGE_TOKEN: &str = "rdb_";
/// Characters of a text on a badge.
const TEXT: usize = 256;

/// A badge as it is wished for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wished {
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) label: String,
    /// `secure`, `ndef` or `uid`.
    pub(crate) kind: String,
    pub(crate) uid: Option<String>,
    pub(crate) text: Option<String>,
}

/// The badge to be made, and the text that its record gets, if that is known now. `token`: what nobody can guess.
///
/// # Errors
/// In words, what does not go together.
pub(crate) fn new_badge(
    wished: Wished,
    token: impl FnOnce() -> String,
) -> Result<(NewBadge, Option<String>), String> {
    let Wished { name, account, label, kind, uid, text } = wished;
    let uid = match uid {
        Some(given) => {
            let read = Uid::parse(&given);
            Some(read.ok_or_else(|| format!("\"{given}\" is no UID: 8, 14 or 20 hexadecimal digits are"))?)
        }
        None => None,
    };
    let (mark, text) = match (BadgeKind::of_name(&kind), uid, text) {
        (Some(BadgeKind::Secure), Some(uid), None) => (NewMark::Secure(uid), None),
        (Some(BadgeKind::Uid), Some(uid), None) => (NewMark::Uid(uid), None),
        (Some(BadgeKind::Ndef), None, text) => {
            let text = text.unwrap_or_else(|| format!("{BADGE_TOKEN}{}", token()));
            let plain = text.trim().to_owned();
            if plain.is_empty() || plain.chars().count() > TEXT || plain.chars().any(char::is_control) {
                return Err(format!(
                    "the text of a badge has 1 to {TEXT} characters and no control characters"
                ));
            }
            (NewMark::Ndef(plain.as_str().into()), Some(plain))
        }
        (Some(BadgeKind::Ndef), Some(_), _) => {
            return Err("a badge of the kind ndef is known by its text alone".into());
        }
        (Some(_), None, None) => return Err(format!("a badge of the kind {kind} needs the UID of its chip")),
        (Some(_), _, Some(_)) => return Err(format!("a badge of the kind {kind} has no text of its own")),
        (None, ..) => return Err(format!("\"{kind}\" is no kind of badge: secure, ndef and uid are")),
    };
    let badge = NewBadge { name: name.into(), account: account.into(), label: label.into(), mark };
    Ok((badge, text))
}

/// What is written into the NDEF file of a secure badge; the chip puts what it tells in the place of the zeros (AN12196).
pub(crate) fn secure_record(http: &str) -> String {
    let base = if http.is_empty() { "https://ringdown.invalid" } else { http };
    format!("{base}/badge?picc_data={}&cmac={}", "0".repeat(32), "0".repeat(16))
}

/// A key for a reader, and what is kept of it.
pub(crate) fn reader_key(random: &str) -> (String, TokenHash) {
    let key = format!("{READER_KEY}{random}");
    let hash = TokenHash::of(&key);
    (key, hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badge_is_made_of_what_goes_together() {
        let made = |kind: &str, uid: Option<&str>, text: Option<&str>| {
            let wished = Wished {
                kind: kind.into(),
                uid: uid.map(Into::into),
                text: text.map(Into::into),
                ..Wished::default()
            };
            new_badge(wished, || "token".into())
        };
        let uid = Some("04DE5F1EACC040");
        assert!(matches!(made("secure", uid, None).unwrap().0.mark, NewMark::Secure(_)));
        assert!(matches!(made("uid", Some("DE:AD:BE:EF"), None).unwrap().0.mark, NewMark::Uid(_)));
        assert_eq!(made("ndef", None, None).unwrap().1.as_deref(), Some("rdb_token"));
        assert_eq!(made("ndef", None, Some(" ada ")).unwrap().1.as_deref(), Some("ada"));
        for (kind, uid, text, words) in [
            ("moon", None, None, "no kind"),
            ("secure", None, None, "needs the UID"),
            ("uid", Some("04"), None, "is no UID"),
            ("uid", uid, Some("ada"), "no text of its own"),
            ("ndef", uid, Some("ada"), "by its text alone"),
            ("ndef", None, Some("a\nb"), "control characters"),
            ("ndef", None, Some(" "), "1 to 256"),
        ] {
            let why = made(kind, uid, text).unwrap_err();
            assert!(why.contains(words), "{kind}: {why}");
        }
    }

    #[test]
    fn the_record_of_a_secure_badge_has_room_for_what_it_tells() {
        let record = secure_record("https://office.example");
        let reading = exchange::Reading::of(None, Some(&record));
        assert!(reading.is_some() && record.starts_with("https://office.example/badge?picc_data=0000"));
        assert!(secure_record("").starts_with("https://"));
    }
}
