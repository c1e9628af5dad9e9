//! CSeq (RFC 3261 section 20.16).

use super::{HeaderError, HeaderName, Method, chars};

/// Sequence number and method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// Below 2^31 (RFC 3261 section 8.1.1.5).
    pub number: u32,
    /// The method that it counts.
    pub method: Method<'a>,
}

impl<'a> CSeq<'a> {
    /// Reads a value such as `1 INVITE`.
    ///
    /// # Errors
    /// When the number is no number or not below 2^31, or the method is no token.
    pub fn parse(value: &'a [u8]) -> Result<CSeq<'a>, HeaderError> {
        let malformed = |part| HeaderError::malformed(HeaderName::CSeq, part);
        let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = chars::decimal(&value[..digits])
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| *number < 1 << 31)
            .ok_or(malformed("number"))?;
        let method = chars::skip(value, digits, chars::LWS);
        if method == digits {
            return Err(malformed("number"));
        }
        let method = Method::parse(&value[method..]).ok_or(malformed("method"))?;
        Ok(CSeq { number, method })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (text, expected) in [
            ("1 INVITE", Some((1, Method::Invite))),
            ("0009\r\n  INVITE", Some((9, Method::Invite))),
            ("2147483647 x", Some((2_147_483_647, Method::Other("x")))),
            ("2147483648 INVITE", None),
            ("36893488147419103232 REGISTER", None),
            ("-1 INVITE", None),
            ("1INVITE", None),
            ("1", None),
            ("", None),
            ("1 INVITE x", None),
        ] {
            let found = CSeq::parse(text.as_bytes()).ok().map(|cseq| (cseq.number, cseq.method));
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
