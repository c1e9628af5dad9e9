//! Bearer tokens in SIP (RFC 8898): what a web phone proves itself with, because its page knows no secret of its owner.
//!
//! A token is a secret: it is kept as a hash, compared in a time that tells nothing, and never written anywhere.

use sha2::{Digest as _, Sha256};
use std::fmt;
use wire::sip::{HeaderName, Message, Writer};

/// The longest token that is looked at, in octets.
const LONGEST: usize = 512;

/// What is kept of a token. Its order is for tables: who could see by their time where two hashes differ learns nothing of
/// a token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token as it is sent.
    #[must_use]
    pub fn of(token: &str) -> TokenHash {
        TokenHash(Sha256::digest(token.as_bytes()).into())
    }

    /// Reads [`fmt::Display`].
    #[must_use]
    pub fn parse(text: &str) -> Option<TokenHash> {
        let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let octets: Vec<u8> = text.as_bytes().chunks(2).map(pair).collect::<Option<_>>()?;
        octets.try_into().ok().filter(|_| text.len() == 64).map(TokenHash)
    }

    /// Whether two are the same, in a time that does not tell where they differ.
    #[must_use]
    pub fn matches(&self, other: &TokenHash) -> bool {
        crate::digest::same(&self.0, &other.0)
    }
}

/// In hexadecimal: for names that are made of what is not secret.
impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Says nothing: what is derived from a secret stands in no log.
impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

/// The hash of the token that a request carries; `None` without one. Whatever follows the scheme counts, up to a bound:
/// what is no token is simply none of ours.
#[must_use]
pub fn token(request: &Message<'_>) -> Option<TokenHash> {
    let is_bearer = |value: &&[u8]| {
        value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Bearer "))
            && value.len() <= LONGEST + 7
    };
    let mut sent = request.values(HeaderName::Authorization).filter(is_bearer);
    let value = sent.next()?;
    // RFC 8898 2.2 sends one.
    if sent.next().is_some() {
        return None;
    }
    let text = std::str::from_utf8(value.get(7..)?).ok()?;
    Some(TokenHash::of(text.trim()))
}

/// Writes the challenge into a 401 (RFC 8898 4). `invalid`: there was a token, and it is not good (RFC 6750 3.1).
pub fn challenge(writer: &mut Writer<'_>, realm: &str, invalid: bool) {
    let mut text = String::from("Bearer realm=");
    crate::digest::quote(&mut text, realm);
    if invalid {
        text.push_str(", error=\"invalid_token\"");
    }
    writer.header(HeaderName::WwwAuthenticate, &text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(authorization: &str) -> Vec<u8> {
        format!(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/WSS x.invalid;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:a@h>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n{authorization}Content-Length: 0\r\n\r\n"
        )
        .into_bytes()
    }

    #[test]
    fn s0_1_a_token_is_found_where_there_is_exactly_one() {
        let long = format!("Authorization: Bearer {}\r\n", "x".repeat(LONGEST + 1));
        for (lines, found) in [
            ("Authorization: Bearer abc.def-_~+/==\r\n", Some("abc.def-_~+/==")),
            ("Authorization: bearer  t0ken\r\n", Some("t0ken")),
            ("Authorization: Digest username=\"a\", realm=\"r\"\r\nAuthorization: Bearer t\r\n", Some("t")),
            ("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", None),
            ("Authorization: Bearer\r\n", None),
            ("Authorization: Basic YTpi\r\n", None),
            ("", None),
            (&*long, None),
        ] {
            let bytes = request(lines);
            let message = Message::parse(&bytes).unwrap();
            let expected = found.map(TokenHash::of);
            assert!(token(&message) == expected, "{lines}");
        }
        assert!(
            TokenHash::of("a").matches(&TokenHash::of("a"))
                && !TokenHash::of("a").matches(&TokenHash::of("b"))
        );
        assert_eq!(format!("{:?}", TokenHash::of("a")), "TokenHash");
        let shown = TokenHash::of("a").to_string();
        assert!(TokenHash::parse(&shown) == Some(TokenHash::of("a")));
        assert!(TokenHash::parse(&shown[1..]).is_none() && TokenHash::parse("").is_none());
    }
}
