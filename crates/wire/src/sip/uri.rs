//! URIs (RFC 3261 section 19.1): SIP and SIPS in full, others by scheme and opaque rest.

use std::borrow::Cow;

use super::host::{parse_port, split_host_port};
use super::limits::MAX_PARAMS;
use super::{Host, UriError, chars, escape};

/// The scheme of a URI, compared without regard to case.
#[derive(Clone, Copy, Debug)]
pub enum Scheme<'a> {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966)
    Tel,
    /// `urn:`, as in `urn:service:sos` (RFC 5031)
    Urn,
    /// Any other, as it came.
    Other(&'a str),
}

impl<'a> Scheme<'a> {
    fn parse(text: &'a str) -> Option<Scheme<'a>> {
        let sound = text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        if !sound {
            return None;
        }
        let known = [Scheme::Sip, Scheme::Sips, Scheme::Tel, Scheme::Urn];
        let found = known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text));
        Some(found.unwrap_or(Scheme::Other(text)))
    }

    /// The text before the colon.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        match self {
            Scheme::Sip => "sip",
            Scheme::Sips => "sips",
            Scheme::Tel => "tel",
            Scheme::Urn => "urn",
            Scheme::Other(text) => text,
        }
    }
}

impl PartialEq for Scheme<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl Eq for Scheme<'_> {}

/// A URI, borrowed. Parts are as they came: escapes are checked, not resolved.
#[derive(Clone, Copy, Debug)]
pub struct Uri<'a> {
    /// The scheme.
    pub scheme: Scheme<'a>,
    /// The user part of a SIP URI, the number of a `tel:` URI; never empty.
    pub user: Option<&'a str>,
    /// The password of a SIP URI.
    pub password: Option<&'a str>,
    /// The host of a SIP URI; an empty name with every other scheme.
    pub host: Host<'a>,
    /// The port, 1 to 65535.
    pub port: Option<u16>,
    /// The parameters of a SIP or `tel:` URI.
    pub params: UriParams<'a>,
    /// The headers of a SIP URI.
    pub headers: UriHeaders<'a>,
    /// Everything after the first colon.
    pub opaque: &'a str,
}

impl<'a> Uri<'a> {
    /// Reads a URI; nothing may surround it.
    ///
    /// # Errors
    /// When a part breaks its grammar; see the list of leniencies in [`super`].
    pub fn parse(text: &'a str) -> Result<Uri<'a>, UriError> {
        let colon = memchr::memchr(b':', text.as_bytes()).ok_or(UriError("scheme"))?;
        let scheme = text.get(..colon).and_then(Scheme::parse).ok_or(UriError("scheme"))?;
        let opaque = text.get(colon + 1..).unwrap_or_default();
        if opaque.is_empty() || !chars::all(opaque.as_bytes(), chars::URI) {
            return Err(UriError("text"));
        }
        let bare = Uri {
            scheme,
            user: None,
            password: None,
            host: Host::Name(""),
            port: None,
            params: UriParams(""),
            headers: UriHeaders(""),
            opaque,
        };
        match scheme {
            Scheme::Sip | Scheme::Sips => bare.parse_sip(),
            Scheme::Tel => bare.parse_tel(),
            Scheme::Urn | Scheme::Other(_) => Ok(bare),
        }
    }

    fn parse_sip(self) -> Result<Uri<'a>, UriError> {
        // "@" stands nowhere else unescaped, so the first one ends the user; a second one is an error below.
        let (userinfo, rest) = match cut(self.opaque, b'@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, self.opaque),
        };
        let (user, password) = match userinfo {
            Some(userinfo) => parse_userinfo(userinfo)?,
            None => (None, None),
        };
        let (rest, headers) = cut(rest, b'?').unwrap_or((rest, ""));
        let (host_port, params) = match memchr::memchr(b';', rest.as_bytes()) {
            Some(at) => (&rest[..at], &rest[at..]),
            None => (rest, ""),
        };
        let (host, port) = split_host_port(host_port).ok_or(UriError("host"))?;
        Ok(Uri {
            user,
            password,
            host: Host::parse(host).ok_or(UriError("host"))?,
            port: port.map(|port| parse_port(port).ok_or(UriError("port"))).transpose()?,
            params: UriParams::check(params)?,
            headers: UriHeaders::check(headers)?,
            ..self
        })
    }

    fn parse_tel(self) -> Result<Uri<'a>, UriError> {
        let (number, params) = match self.opaque.find(';') {
            Some(at) => (&self.opaque[..at], &self.opaque[at..]),
            None => (self.opaque, ""),
        };
        if number.is_empty() || !escape::is_sound(number) {
            return Err(UriError("number"));
        }
        Ok(Uri { user: Some(number), params: UriParams::check(params)?, ..self })
    }

    /// The user with its escapes resolved. It may then hold any character, NUL included.
    #[must_use]
    pub fn user_decoded(&self) -> Option<Cow<'a, str>> {
        self.user.map(escape::decode)
    }

    /// The first parameter of that name, without regard to case: `None` when absent, `Some(None)` without value.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Option<&'a str>> {
        self.params.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The headers, as they came: name and value with their escapes.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.headers.iter()
    }

    /// Whether the scheme is `sip` or `sips`.
    #[must_use]
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// Equality of RFC 3261 section 19.1.4; URIs of other schemes are equal when their text is.
    #[must_use]
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        if self.scheme != other.scheme {
            return false;
        }
        if !self.is_sip() {
            return self.opaque == other.opaque;
        }
        same_text(self.user, other.user)
            && same_text(self.password, other.password)
            && self.host == other.host
            && self.port == other.port
            && self.params.agree(other.params)
            && other.params.agree(self.params)
            && self.headers.within(other.headers)
            && other.headers.within(self.headers)
    }
}

/// What stands before and after the first such byte, which is ASCII.
fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let found = memchr::memchr(at, text.as_bytes())?;
    Some((text.get(..found)?, text.get(found + 1..)?))
}

type UserInfo<'a> = (Option<&'a str>, Option<&'a str>);

fn parse_userinfo(userinfo: &str) -> Result<UserInfo<'_>, UriError> {
    let (user, password) = match cut(userinfo, b':') {
        Some((user, password)) => (user, Some(password)),
        None => (userinfo, None),
    };
    for part in [Some(user), password].into_iter().flatten() {
        let sound = part.bytes().all(|byte| byte == b'%' || chars::is(byte, chars::USER));
        if !sound || !escape::is_sound(part) {
            return Err(UriError("user"));
        }
    }
    if user.is_empty() {
        return Err(UriError("user"));
    }
    Ok((Some(user), password))
}

fn same_text(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b || escape::decode(a) == escape::decode(b),
        (None, None) => true,
        _ => false,
    }
}

/// The checked parameters of a URI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UriParams<'a>(&'a str);

impl<'a> UriParams<'a> {
    fn check(text: &'a str) -> Result<UriParams<'a>, UriError> {
        let params = UriParams(text);
        for (index, (name, value)) in params.iter().enumerate() {
            // RFC 3261 section 19.1.1: a name must not occur twice; baresip 1.0 repeats `transport` word for word,
            // which can be read in one way only. At most MAX_PARAMS are compared.
            let twice = params
                .iter()
                .take(index)
                .any(|(other, known)| other.eq_ignore_ascii_case(name) && known != value);
            let sound = !name.is_empty() && !name.contains('@') && !value.is_some_and(|v| v.contains('@'));
            if !sound || twice || index >= MAX_PARAMS {
                return Err(UriError("parameter"));
            }
        }
        if escape::is_sound(text) { Ok(params) } else { Err(UriError("escape")) }
    }

    /// Name and value of each parameter, as they came; empty places between semicolons are skipped.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        self.0.split(';').filter(|item| !item.is_empty()).map(|item| match item.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (item, None),
        })
    }

    /// The parameters as they came, with their first semicolon.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether each parameter here is matched there; some may be absent there, some may not.
    fn agree(self, other: UriParams<'_>) -> bool {
        const DECISIVE: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
        self.iter().all(|(name, value)| {
            match other.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
                Some((_, found)) => match (value, found) {
                    (Some(a), Some(b)) => escape::decode(a).eq_ignore_ascii_case(&escape::decode(b)),
                    (None, None) => true,
                    _ => false,
                },
                None => !DECISIVE.iter().any(|decisive| decisive.eq_ignore_ascii_case(name)),
            }
        })
    }
}

/// The checked headers of a URI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UriHeaders<'a>(&'a str);

impl<'a> UriHeaders<'a> {
    fn check(text: &'a str) -> Result<UriHeaders<'a>, UriError> {
        let headers = UriHeaders(text);
        let sound = headers.iter().all(|(name, _)| !name.is_empty());
        if !sound || headers.iter().count() > MAX_PARAMS || !escape::is_sound(text) {
            return Err(UriError("headers"));
        }
        Ok(headers)
    }

    /// Name and value of each header, as they came.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .split('&')
            .filter(|item| !item.is_empty())
            .map(|item| item.split_once('=').unwrap_or((item, "")))
    }

    /// The headers as they came, without the question mark.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }

    fn within(self, other: UriHeaders<'_>) -> bool {
        self.iter().all(|(name, value)| {
            other.iter().any(|(other_name, other_value)| {
                escape::decode(name).eq_ignore_ascii_case(&escape::decode(other_name))
                    && escape::decode(value) == escape::decode(other_value)
            })
        })
    }
}

#[cfg(test)]
#[path = "uri_tests.rs"]
mod tests;
