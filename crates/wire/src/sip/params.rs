//! Parameters of a header value: `;name`, `;name=token`, `;name="quoted"` (RFC 3261 section 25.1).

use super::limits::MAX_PARAMS;
use super::{chars, quoted};

/// One parameter as it came; the value keeps its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// The name, a token.
    pub name: &'a [u8],
    /// The value, `None` for a bare name.
    pub value: Option<&'a [u8]>,
}

/// The checked parameters of one value; looked up by name without regard to case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a>(&'a [u8]);

impl<'a> Params<'a> {
    /// Checks all parameters in `bytes`, which begin with `;` or are empty, and calls `each` for every one.
    #[inline]
    pub(super) fn check(
        bytes: &'a [u8],
        mut each: impl FnMut(Param<'a>) -> Result<(), &'static str>,
    ) -> Result<Params<'a>, &'static str> {
        let mut position = 0;
        let mut count = 0;
        while let Some((param, next)) = next_param(bytes, position)? {
            count += 1;
            if count > MAX_PARAMS {
                return Err("number of parameters");
            }
            each(param)?;
            position = next;
        }
        Ok(Params(bytes))
    }

    /// All parameters in their order.
    pub fn iter(self) -> impl Iterator<Item = Param<'a>> {
        let mut position = 0;
        std::iter::from_fn(move || {
            // Checked at construction, so an error cannot occur here; it would end the iteration.
            let (param, next) = next_param(self.0, position).ok()??;
            position = next;
            Some(param)
        })
    }

    /// The first parameter of that name: `None` when absent, `Some(None)` without value. Quotes are removed
    /// unless the text needs unescaping (see [`Params::value_bytes`]); a value that is not UTF-8 counts as none.
    #[must_use]
    pub fn value(self, name: &str) -> Option<Option<&'a str>> {
        let param = self.find(name)?;
        Some(param.value.and_then(|value| std::str::from_utf8(without_quotes(value)).ok()))
    }

    /// The first parameter of that name, quotes removed and backslashes resolved.
    #[must_use]
    pub fn value_bytes(self, name: &str) -> Option<std::borrow::Cow<'a, [u8]>> {
        self.find(name)?.value.map(quoted::unquote)
    }

    /// The parameters as they came.
    #[must_use]
    pub fn raw(self) -> &'a [u8] {
        self.0
    }

    fn find(self, name: &str) -> Option<Param<'a>> {
        self.iter().find(|param| param.name.eq_ignore_ascii_case(name.as_bytes()))
    }
}

fn without_quotes(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        other => other,
    }
}

/// Reads `SWS ; SWS name [SWS = SWS value]` at `position`; `None` when only white space is left.
#[inline]
fn next_param(bytes: &[u8], position: usize) -> Result<Option<(Param<'_>, usize)>, &'static str> {
    let semicolon = chars::skip(bytes, position, chars::LWS);
    match bytes.get(semicolon) {
        None => return Ok(None),
        Some(b';') => {}
        Some(_) => return Err("parameter"),
    }
    let name_start = chars::skip(bytes, semicolon + 1, chars::LWS);
    let name_end = chars::skip(bytes, name_start, chars::TOKEN);
    if name_end == name_start {
        return Err("parameter name");
    }
    let name = &bytes[name_start..name_end];
    let equals = chars::skip(bytes, name_end, chars::LWS);
    if bytes.get(equals) != Some(&b'=') {
        return Ok(Some((Param { name, value: None }, equals)));
    }
    let value_start = chars::skip(bytes, equals + 1, chars::LWS);
    let value_end = match bytes.get(value_start) {
        Some(b'"') => quoted::closing_quote(bytes, value_start).ok_or("quoted string")? + 1,
        _ => chars::skip(bytes, value_start, chars::PARAM_VALUE),
    };
    if value_end == value_start {
        return Err("parameter value");
    }
    Ok(Some((Param { name, value: Some(&bytes[value_start..value_end]) }, value_end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Params<'_>, &'static str> {
        Params::check(text.as_bytes(), |_| Ok(()))
    }

    #[test]
    fn lookups() {
        let params = parse(" ; Lr;q = 0.5 ;\r\n +sip.instance=\"<urn:uuid:1>\";x=[::1]").expect("sound");
        assert_eq!(params.value("lr"), Some(None));
        assert_eq!(params.value("Q"), Some(Some("0.5")));
        assert_eq!(params.value("+SIP.Instance"), Some(Some("<urn:uuid:1>")));
        assert_eq!(params.value("x"), Some(Some("[::1]")));
        assert_eq!(params.value("y"), None);
        assert_eq!(params.iter().count(), 4);
    }

    #[test]
    fn broken_ones_are_refused() {
        for text in
            [";", ";;", ";a;", ";a=", ";a=\"", ";a=\"\\\"", "a", ";a b", ";a=b c", ";=b", ";a=\"b\"c", ";a,"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse(&";a".repeat(MAX_PARAMS)).is_ok());
        assert!(parse(&";a".repeat(MAX_PARAMS + 1)).is_err());
    }
}
