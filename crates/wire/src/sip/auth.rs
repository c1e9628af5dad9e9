//! Views of Authorization and WWW-Authenticate and their Proxy- kin (RFC 3261 section 20.7, RFC 7616).

use std::borrow::Cow;

use super::limits::MAX_PARAMS;
use super::{HeaderError, HeaderName, chars, quoted};

/// A scheme and its parameters: `Digest realm="office", nonce="..."`.
#[derive(Clone, Copy, Debug)]
pub struct DigestParams<'a> {
    /// The scheme as it came; compare it without regard to case.
    pub scheme: &'a str,
    rest: &'a [u8],
}

impl<'a> DigestParams<'a> {
    /// Reads the value of one line of `name`; one line holds one challenge or one set of credentials
    /// (RFC 3261 section 7.3.1).
    ///
    /// # Errors
    /// When the scheme is no token, or the list of parameters is malformed or names one twice.
    pub fn parse(name: HeaderName, value: &'a [u8]) -> Result<DigestParams<'a>, HeaderError> {
        let malformed = |part| HeaderError::malformed(name, part);
        let scheme_end = chars::skip(value, 0, chars::TOKEN);
        let scheme = chars::token(&value[..scheme_end]).ok_or(malformed("scheme"))?;
        let rest = chars::trim(&value[scheme_end..]);
        let params = DigestParams { scheme, rest };
        if !params.is_digest() {
            // Other schemes may carry a blob instead of parameters; lookups then find nothing.
            return Ok(params);
        }
        let mut position = 0;
        let mut names: [&[u8]; MAX_PARAMS] = [b""; MAX_PARAMS];
        let mut count = 0;
        while let Some((key, _, next)) = next_param(rest, position).map_err(malformed)? {
            if names[..count].iter().any(|other| other.eq_ignore_ascii_case(key)) {
                return Err(malformed("repeated parameter"));
            }
            *names.get_mut(count).ok_or(malformed("number of parameters"))? = key;
            count += 1;
            position = next;
        }
        Ok(params)
    }

    /// Whether the scheme is Digest.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }

    /// A parameter by name, without regard to case; quotes removed and backslashes resolved. `None` when
    /// absent or not UTF-8.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        text_of(self.raw(name)?)
    }

    /// Several parameters as [`DigestParams::get`] reads them, in one pass.
    #[must_use]
    pub fn several<const N: usize>(&self, names: [&str; N]) -> [Option<Cow<'a, str>>; N] {
        let mut found = [const { None }; N];
        for (key, value) in self.iter() {
            if let Some(place) = names.iter().position(|name| key.eq_ignore_ascii_case(name.as_bytes())) {
                found[place] = text_of(value);
            }
        }
        found
    }

    /// A parameter as it came, quotes included.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&'a [u8]> {
        self.iter().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// Name and value of each parameter as they came, quotes included.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let rest = self.rest;
        let mut position = 0;
        std::iter::from_fn(move || {
            let (key, value, next) = next_param(rest, position).ok()??;
            position = next;
            Some((key, value))
        })
    }
}

fn text_of(value: &[u8]) -> Option<Cow<'_, str>> {
    match quoted::unquote(value) {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

type DigestParam<'a> = (&'a [u8], &'a [u8], usize);

/// Reads `name = value [,]` at `position`; empty places between commas are skipped.
fn next_param(bytes: &[u8], position: usize) -> Result<Option<DigestParam<'_>>, &'static str> {
    let mut start = chars::skip(bytes, position, chars::LWS);
    while bytes.get(start) == Some(&b',') {
        start = chars::skip(bytes, start + 1, chars::LWS);
    }
    if start == bytes.len() {
        return Ok(None);
    }
    let key_end = chars::skip(bytes, start, chars::TOKEN);
    let equals = chars::skip(bytes, key_end, chars::LWS);
    if key_end == start || bytes.get(equals) != Some(&b'=') {
        return Err("parameter");
    }
    let value_start = chars::skip(bytes, equals + 1, chars::LWS);
    let value_end = match bytes.get(value_start) {
        Some(b'"') => quoted::closing_quote(bytes, value_start).ok_or("quoted string")? + 1,
        _ => chars::skip(bytes, value_start, chars::PARAM_VALUE),
    };
    let next = chars::skip(bytes, value_end, chars::LWS);
    let ends = matches!(bytes.get(next), None | Some(b','));
    if value_end == value_start || !ends {
        return Err("parameter value");
    }
    Ok(Some((&bytes[start..key_end], &bytes[value_start..value_end], next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DigestParams<'_>, HeaderError> {
        DigestParams::parse(HeaderName::Authorization, text.as_bytes())
    }

    #[test]
    fn lookups() {
        let text =
            "Digest username=\"a\\\"b\", realm=\"x, y\",\r\n nc=00000001 ,, qop = auth , uri=\"sip:h;a=b\"";
        let params = parse(text).expect("sound");
        assert!(params.is_digest());
        for (name, expected) in [
            ("username", Some("a\"b")),
            ("REALM", Some("x, y")),
            ("nc", Some("00000001")),
            ("qop", Some("auth")),
            ("uri", Some("sip:h;a=b")),
            ("nonce", None),
        ] {
            assert_eq!(params.get(name).as_deref(), expected, "{name}");
        }
        let [qop, nonce, nc] = params.several(["QOP", "nonce", "nc"]);
        assert_eq!((qop.as_deref(), nonce.as_deref(), nc.as_deref()), (Some("auth"), None, Some("00000001")));
    }

    #[test]
    fn verdicts() {
        for (text, sound) in [
            ("Digest", true),
            ("Digest a=1", true),
            ("Digest a=1,", true),
            ("Bearer abc.def==", true),
            ("NoOneKnowsThisScheme opaque-data=here", true),
            ("", false),
            ("\"Digest\" a=1", false),
            ("Digest a", false),
            ("Digest a=", false),
            ("Digest a=1 b=2", false),
            ("Digest a=1;b=2", false),
            ("Digest a=\"1", false),
            ("Digest a=1, A=2", false),
            ("Digest =1", false),
        ] {
            assert_eq!(parse(text).is_ok(), sound, "{text:?}");
        }
        let many: String = (0..=MAX_PARAMS).map(|number| format!("p{number}=1,")).collect();
        assert!(parse(&format!("Digest {many}")).is_err());
    }
}
