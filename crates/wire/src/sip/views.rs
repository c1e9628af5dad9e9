//! Typed views: each reads its header when asked, allocates nothing, and says what is wrong with it.

use std::cell::Cell;

use super::params::Params;
use super::{
    CSeq, Contact, DigestParams, HeaderError, HeaderName, Message, NameAddr, Uri, UriError, Via, chars,
    limits::MAX_ID_BYTES,
};

impl<'a> Message<'a> {
    /// The Request-URI.
    ///
    /// # Errors
    /// When it is malformed; a response has none.
    pub fn uri(&self) -> Result<Uri<'a>, UriError> {
        once(&self.read.uri, || Uri::parse(self.request_uri().unwrap_or_default()))
    }

    /// The topmost Via.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn via(&self) -> Result<Via<'a>, HeaderError> {
        once(&self.read.via, || {
            let line = self.required(HeaderName::Via)?;
            Via::parse(super::values::split_value(line).0)
        })
    }

    /// Every Via, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'a>, HeaderError>> + use<'a, '_> {
        self.values(HeaderName::Via).map(Via::parse)
    }

    /// The From address.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn from(&self) -> Result<NameAddr<'a>, HeaderError> {
        once(&self.read.from, || NameAddr::parse(HeaderName::From, self.required(HeaderName::From)?))
    }

    /// The To address.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn to(&self) -> Result<NameAddr<'a>, HeaderError> {
        once(&self.read.to, || NameAddr::parse(HeaderName::To, self.required(HeaderName::To)?))
    }

    /// The Call-ID: visible ASCII without white space.
    ///
    /// # Errors
    /// When it is empty, holds another byte or is longer than [`MAX_ID_BYTES`].
    pub fn call_id(&self) -> Result<&'a str, HeaderError> {
        let value = self.required(HeaderName::CallId)?;
        if value.len() > MAX_ID_BYTES {
            return Err(HeaderError::too_long(HeaderName::CallId));
        }
        let sound = !value.is_empty() && chars::all(value, chars::VISIBLE);
        let text = std::str::from_utf8(value).ok().filter(|_| sound);
        text.ok_or(HeaderError::malformed(HeaderName::CallId, "text"))
    }

    /// The CSeq; checked while parsing, so it is always sound.
    ///
    /// # Errors
    /// Never; the signature is that of its siblings.
    pub fn cseq(&self) -> Result<CSeq<'a>, HeaderError> {
        Ok(self.cseq_checked())
    }

    /// Max-Forwards; `None` when absent, or above 255 (RFC 3261 section 20.22).
    ///
    /// # Errors
    /// When it is no number.
    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        let Some(value) = self.value(HeaderName::MaxForwards) else { return Ok(None) };
        if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
            return Err(HeaderError::malformed(HeaderName::MaxForwards, "number"));
        }
        Ok(chars::decimal(value).and_then(|hops| u8::try_from(hops).ok()))
    }

    /// Expires in seconds, saturating; `None` when absent or malformed (RFC 3261 section 20.19).
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        self.seconds(HeaderName::Expires)
    }

    /// The leading delta-seconds of a header such as Min-Expires, Session-Expires or Retry-After, saturating;
    /// parameters and comments after it are not looked at. `None` when absent or malformed.
    #[must_use]
    pub fn seconds(&self, name: HeaderName) -> Option<u32> {
        let value = self.value(name)?;
        let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
        let sound = matches!(value.get(end), None | Some(b';' | b' ' | b'\t' | b'(' | b'\r'));
        chars::saturating_seconds(&value[..end]).filter(|_| sound)
    }

    /// The parameters after the first semicolon of a header such as Session-Expires, Event or Reason.
    /// `None` when the header is absent; none when they are malformed.
    #[must_use]
    pub fn params(&self, name: HeaderName) -> Option<Params<'a>> {
        let value = self.value(name)?;
        let at = memchr::memchr(b';', value).unwrap_or(value.len());
        Some(Params::check(&value[at..], |_| Ok(())).unwrap_or_default())
    }

    /// The token before the first semicolon of a header such as Event or Content-Disposition.
    #[must_use]
    pub fn token(&self, name: HeaderName) -> Option<&'a str> {
        let value = self.value(name)?;
        let at = memchr::memchr(b';', value).unwrap_or(value.len());
        chars::token(chars::trim(&value[..at]))
    }

    /// The media type of the body in lower-case comparison form: type and subtype, without parameters.
    #[must_use]
    pub fn is_content_type(&self, media_type: &str) -> bool {
        self.value(HeaderName::ContentType).is_some_and(|value| {
            let at = memchr::memchr(b';', value).unwrap_or(value.len());
            chars::trim(&value[..at]).eq_ignore_ascii_case(media_type.as_bytes())
        })
    }

    /// Every Contact.
    pub fn contacts(&self) -> impl Iterator<Item = Result<Contact<'a>, HeaderError>> + use<'a, '_> {
        self.values(HeaderName::Contact).map(Contact::parse)
    }

    /// Every Route, topmost first.
    pub fn routes(&self) -> impl Iterator<Item = Result<NameAddr<'a>, HeaderError>> + use<'a, '_> {
        self.addresses(HeaderName::Route)
    }

    /// Every Record-Route, topmost first.
    pub fn record_routes(&self) -> impl Iterator<Item = Result<NameAddr<'a>, HeaderError>> + use<'a, '_> {
        self.addresses(HeaderName::RecordRoute)
    }

    /// Every Path, topmost first (RFC 3327).
    pub fn paths(&self) -> impl Iterator<Item = Result<NameAddr<'a>, HeaderError>> + use<'a, '_> {
        self.addresses(HeaderName::Path)
    }

    /// Every value of a header of addresses.
    pub fn addresses(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<NameAddr<'a>, HeaderError>> + use<'a, '_> {
        self.values(name).map(move |value| NameAddr::parse(name, value))
    }

    /// Whether a list of tokens (Supported, Require, Allow and their kin) holds `token`, without regard to
    /// case; parameters of a token are not looked at.
    #[must_use]
    pub fn has_token(&self, name: HeaderName, token: &str) -> bool {
        self.values(name).any(|value| {
            let at = memchr::memchr(b';', value).unwrap_or(value.len());
            chars::trim(&value[..at]).eq_ignore_ascii_case(token.as_bytes())
        })
    }

    /// Every set of credentials in Authorization or Proxy-Authorization.
    pub fn credentials(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<DigestParams<'a>, HeaderError>> + use<'a, '_> {
        self.line_values(name).map(move |value| DigestParams::parse(name, value))
    }

    /// Every challenge in WWW-Authenticate or Proxy-Authenticate.
    pub fn challenges(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<DigestParams<'a>, HeaderError>> + use<'a, '_> {
        self.credentials(name)
    }

    /// Whether everything on which routing, matching and dialogs stand is sound: the Request-URI, Via, From,
    /// To, Call-ID, Max-Forwards, Contact, Route, Record-Route and Path.
    ///
    /// # Errors
    /// The first fault found, in that order.
    pub fn check(&self) -> Result<(), HeaderError> {
        if self.is_request() {
            self.uri().map_err(|error| HeaderError::malformed(HeaderName::Other, error.0))?;
        }
        self.via()?;
        self.values(HeaderName::Via).skip(1).try_for_each(|via| Via::parse(via).map(drop))?;
        self.from()?;
        self.to()?;
        self.call_id()?;
        self.max_forwards()?;
        self.contacts().try_for_each(|contact| contact.map(drop))?;
        for name in [HeaderName::Route, HeaderName::RecordRoute, HeaderName::Path] {
            self.addresses(name).try_for_each(|address| address.map(drop))?;
        }
        Ok(())
    }

    fn required(&self, name: HeaderName) -> Result<&'a [u8], HeaderError> {
        self.value(name).ok_or(HeaderError::missing(name))
    }
}

/// A view that was read before, or is read now and kept for the next who asks.
fn once<T: Copy, E>(known: &Cell<Option<T>>, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    if let Some(view) = known.get() {
        return Ok(view);
    }
    let view = read()?;
    known.set(Some(view));
    Ok(view)
}
