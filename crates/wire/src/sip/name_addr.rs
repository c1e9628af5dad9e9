//! Addresses with a display name and parameters: From, To, Contact, Route and their kin
//! (RFC 3261 sections 20.10, 20.20, 20.34, 20.39).

use std::borrow::Cow;

use super::limits::MAX_ID_BYTES;
use super::{HeaderError, HeaderName, Params, Uri, UriError, chars, quoted};

/// One address: `"Display" <uri>;params` or `uri;params`.
#[derive(Clone, Copy, Debug)]
pub struct NameAddr<'a> {
    /// The display name as it came, quotes included.
    pub display: Option<&'a [u8]>,
    /// The text of the URI.
    pub uri: &'a str,
    /// The parameters after the URI.
    pub params: Params<'a>,
    tag: Option<&'a str>,
}

/// One value of Contact.
#[derive(Clone, Copy, Debug)]
pub enum Contact<'a> {
    /// `*`: all bindings, in a REGISTER that removes them.
    Star,
    /// An address.
    Addr(NameAddr<'a>),
}

impl<'a> NameAddr<'a> {
    /// Reads one value of the header `name`.
    ///
    /// # Errors
    /// When it breaks its grammar; a tag must be a token and may occur once.
    pub fn parse(name: HeaderName, value: &'a [u8]) -> Result<NameAddr<'a>, HeaderError> {
        let malformed = |part| HeaderError::malformed(name, part);
        let (display, uri, rest) = split(value).map_err(malformed)?;
        let uri = uri_text(uri).ok_or(malformed("URI"))?;
        let mut tag = None;
        let params = Params::check(rest, |param| {
            if param.name.eq_ignore_ascii_case(b"tag") {
                let text = param.value.and_then(chars::token).ok_or("tag")?;
                if tag.replace(text).is_some() {
                    return Err("tag");
                }
            }
            Ok(())
        })
        .map_err(malformed)?;
        if tag.is_some_and(|tag| tag.len() > MAX_ID_BYTES) {
            return Err(HeaderError::too_long(name));
        }
        Ok(NameAddr { display, uri, params, tag })
    }

    /// The URI, taken apart.
    ///
    /// # Errors
    /// When it is none.
    pub fn uri(&self) -> Result<Uri<'a>, UriError> {
        Uri::parse(self.uri)
    }

    /// The display name without quotes and backslashes; any bytes, possibly none.
    #[must_use]
    pub fn display_name(&self) -> Cow<'a, [u8]> {
        self.display.map_or(Cow::Borrowed(&[]), quoted::unquote)
    }

    /// The parameter of that name, without regard to case: `None` when absent, `Some(None)` without value.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Option<&'a str>> {
        self.params.value(name)
    }

    /// The tag of From and To.
    #[must_use]
    #[inline]
    pub fn tag(&self) -> Option<&'a str> {
        self.tag
    }

    /// The preference of a Contact in thousandths, 0 to 1000; `None` when absent or malformed.
    #[must_use]
    pub fn q(&self) -> Option<u16> {
        let text = self.param("q")??;
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let thousandths =
            fraction.bytes().chain(*b"000").take(3).fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        match (whole, thousandths) {
            ("0", thousandths) => Some(thousandths),
            ("1", 0) => Some(1000),
            _ => None,
        }
    }

    /// The `expires` parameter in seconds, saturating; `None` when absent or malformed.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        chars::saturating_seconds(self.param("expires")??.as_bytes())
    }
}

impl<'a> Contact<'a> {
    /// Reads one value of Contact.
    ///
    /// # Errors
    /// When it is neither `*` nor an address.
    pub fn parse(value: &'a [u8]) -> Result<Contact<'a>, HeaderError> {
        if value == b"*" {
            return Ok(Contact::Star);
        }
        NameAddr::parse(HeaderName::Contact, value).map(Contact::Addr)
    }
}

type Parts<'a> = (Option<&'a [u8]>, &'a [u8], &'a [u8]);

/// Cuts a value into display name, URI and parameters.
#[inline]
fn split(value: &[u8]) -> Result<Parts<'_>, &'static str> {
    if value.first() == Some(&b'"') {
        let end = quoted::closing_quote(value, 0).ok_or("display name")? + 1;
        let open = chars::skip(value, end, chars::LWS);
        let (uri, rest) = bracketed(value, open)?;
        return Ok((Some(&value[..end]), uri, rest));
    }
    let stop = value.iter().position(|byte| matches!(byte, b'<' | b';' | b'"' | b'>' | b','));
    match stop.map(|at| (at, value[at])) {
        Some((open, b'<')) => {
            let (uri, rest) = bracketed(value, open)?;
            let display = chars::trim(&value[..open]);
            Ok(((!display.is_empty()).then_some(display), uri, rest))
        }
        Some((at, b';')) => Ok((None, bare(&value[..at])?, &value[at..])),
        None => Ok((None, bare(value)?, b"")),
        Some(_) => Err("display name"),
    }
}

fn bracketed(value: &[u8], open: usize) -> Result<(&[u8], &[u8]), &'static str> {
    if value.get(open) != Some(&b'<') {
        return Err("display name");
    }
    let close = memchr::memchr(b'>', &value[open..]).ok_or("angle bracket")? + open;
    Ok((&value[open + 1..close], &value[close + 1..]))
}

/// RFC 3261 section 20.10: a URI with a question mark, comma or semicolon stands in angle brackets.
fn bare(uri: &[u8]) -> Result<&[u8], &'static str> {
    if memchr::memchr(b'?', uri).is_some() { Err("URI without angle brackets") } else { Ok(chars::trim(uri)) }
}

#[inline]
fn uri_text(uri: &[u8]) -> Option<&str> {
    if !chars::all(uri, chars::URI) || memchr::memchr(b':', uri).is_none() {
        return None;
    }
    std::str::from_utf8(uri).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Option<NameAddr<'_>> {
        NameAddr::parse(HeaderName::From, text).ok()
    }

    #[test]
    fn forms() {
        type Row<'a> = (&'a [u8], &'a [u8], &'a str, Option<&'a str>);
        let table: &[Row<'_>] = &[
            (b"<sip:a@b>;tag=1", b"", "sip:a@b", Some("1")),
            (b"sip:a@b;tag=1", b"", "sip:a@b", Some("1")),
            (b"sip:a@b", b"", "sip:a@b", None),
            (b"A. B <sip:a@b> ; TAG = 1", b"A. B", "sip:a@b", Some("1")),
            (b"caller<sip:caller@example.com>;tag=323", b"caller", "sip:caller@example.com", Some("323")),
            (b"\"A, \\\"B\\\"\" <sip:a@b;lr>;x;tag=1", b"A, \"B\"", "sip:a@b;lr", Some("1")),
            (b"\"J \xfcrgen\" <sip:j@b>", b"J \xfcrgen", "sip:j@b", None),
            (b"J\xfcrgen <sip:j@b>", b"J\xfcrgen", "sip:j@b", None),
            (b"\"\"<tel:1>", b"", "tel:1", None),
        ];
        for (text, display, uri, tag) in table {
            let found = parse(text).expect("sound");
            assert_eq!((found.display_name().as_ref(), found.uri, found.tag()), (*display, *uri, *tag));
        }
    }

    #[test]
    fn broken_ones_are_refused() {
        for text in [
            &b""[..],
            b"<>",
            b"<alice>",
            b"<sip:a@b",
            b"sip:a@b>",
            b"\"open <sip:a@b>",
            b"Bell, Alexander <sip:a@b>;tag=43",
            b"\"A\" sip:a@b",
            b"\"A\" B <sip:a@b>",
            b"<sip:a@b>x",
            b"<sip:a@b>;;;;",
            b"<sip:a@b>;tag",
            b"<sip:a@b>;tag=",
            b"<sip:a@b>;tag=\"1\"",
            b"<sip:a@b>;tag=1;tag=2",
            b"< sip:a@b >",
            b"<sip:a b@c>",
            b"<<sip:a@b>>",
            b"sip:a@b?x=y",
            b"sip:a @b",
            b"<sip:\xff@b>",
        ] {
            assert!(parse(text).is_none(), "{:?}", String::from_utf8_lossy(text));
        }
        let long = format!("<sip:a@b>;tag={}", "x".repeat(MAX_ID_BYTES + 1));
        assert!(parse(long.as_bytes()).is_none());
    }

    #[test]
    fn contact_parameters() {
        for (text, q, expires) in [
            ("<sip:a>;q=0.5;expires=60", Some(500), Some(60)),
            ("<sip:a>;q=1", Some(1000), None),
            ("<sip:a>;q=1.000;expires=\"60\"", Some(1000), Some(60)),
            ("<sip:a>;q=0.123;expires=280297596632815", Some(123), Some(u32::MAX)),
            ("<sip:a>;q=0.", Some(0), None),
            ("<sip:a>;q=1.1;expires=x", None, None),
            ("<sip:a>;q=0.1234;expires=-1", None, None),
            ("<sip:a>;q;expires", None, None),
            ("<sip:a>;q=2", None, None),
        ] {
            let Ok(Contact::Addr(found)) = Contact::parse(text.as_bytes()) else { panic!("{text:?}") };
            assert_eq!((found.q(), found.expires()), (q, expires), "{text:?}");
        }
        assert!(matches!(Contact::parse(b"*"), Ok(Contact::Star)));
        assert!(Contact::parse(b"*;q=1").is_err());
    }
}
