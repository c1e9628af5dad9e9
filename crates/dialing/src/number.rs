//! A number to call, in eight octets: E.164 for the outside, plain digits inside the office.

use std::fmt;

const INSIDE: u64 = 1 << 63;
/// E.164 allows fifteen digits; inside the office nobody dials more.
const MOST: usize = 15;

/// Whom to call. Two spellings of one number are one value, so that it has one budget.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
// A one and then the digits, in decimal, so that leading zeros count; the highest bit says inside.
pub struct Number(u64);

/// Why a text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotANumber {
    /// A number of the outside begins with `+`.
    NoPlus,
    /// It has no digit, fewer than three outside, or more than fifteen.
    Length(usize),
    /// Something that is no digit, at this octet.
    NotADigit(usize),
    /// No country code begins with zero.
    LeadingZero,
}

impl Number {
    /// A number of the outside, as in `+8613812345678`.
    ///
    /// # Errors
    /// When it is not E.164 with its `+`.
    pub fn outside(text: &str) -> Result<Number, NotANumber> {
        let digits = text.strip_prefix('+').ok_or(NotANumber::NoPlus)?;
        if digits.len() < 3 {
            return Err(NotANumber::Length(digits.len()));
        }
        if digits.starts_with('0') {
            return Err(NotANumber::LeadingZero);
        }
        packed(digits).map(Number).map_err(|wrong| match wrong {
            NotANumber::NotADigit(at) => NotANumber::NotADigit(at + 1),
            other => other,
        })
    }

    /// A number inside the office, as in `2041`.
    ///
    /// # Errors
    /// When it is not one to fifteen digits.
    pub fn inside(text: &str) -> Result<Number, NotANumber> {
        packed(text).map(|packed| Number(packed | INSIDE))
    }

    /// As [`fmt::Display`] writes it: with `+` one of the outside, without it one inside.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Number, NotANumber> {
        if text.starts_with('+') { Number::outside(text) } else { Number::inside(text) }
    }

    /// Whether it belongs to the office.
    #[must_use]
    pub fn is_inside(self) -> bool {
        self.0 & INSIDE != 0
    }

    /// Its digits with a one before them, as a decimal number.
    pub(crate) fn marked(self) -> u64 {
        self.0 & !INSIDE
    }
}

fn packed(digits: &str) -> Result<u64, NotANumber> {
    if digits.is_empty() || digits.len() > MOST {
        return Err(NotANumber::Length(digits.len()));
    }
    digits.bytes().enumerate().try_fold(1u64, |packed, (at, byte)| match byte {
        b'0'..=b'9' => Ok(packed * 10 + u64::from(byte - b'0')),
        _ => Err(NotANumber::NotADigit(at)),
    })
}

/// As it is dialled: `+8613812345678`, or `2041`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marked = self.marked();
        let mark = 10u64.pow(marked.ilog10());
        let width = marked.ilog10() as usize;
        f.write_str(if self.is_inside() { "" } else { "+" })?;
        write!(f, "{:0width$}", marked - mark)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for NotANumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotANumber::NoPlus => f.write_str("a number of the outside begins with +"),
            NotANumber::Length(length) => write!(f, "{length} digits"),
            NotANumber::NotADigit(at) => write!(f, "no digit at {}", at + 1),
            NotANumber::LeadingZero => f.write_str("no country code begins with 0"),
        }
    }
}

impl std::error::Error for NotANumber {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_were_written() {
        for text in ["+8613812345678", "+112", "+999999999999999"] {
            assert_eq!(Number::outside(text).map(|number| number.to_string()), Ok(text.to_owned()));
        }
        for text in ["0", "00", "2041", "0041", "999999999999999"] {
            assert_eq!(Number::inside(text).map(|number| number.to_string()), Ok(text.to_owned()));
        }
        assert_ne!(Number::inside("112"), Number::outside("+112"));
        assert_ne!(Number::inside("0041"), Number::inside("41"));
    }

    #[test]
    fn what_is_no_number_is_refused_and_says_where() {
        for (text, wrong) in [
            ("8613", NotANumber::NoPlus),
            ("+86", NotANumber::Length(2)),
            ("+0861", NotANumber::LeadingZero),
            ("+86 138", NotANumber::NotADigit(3)),
            ("+1234567890123456", NotANumber::Length(16)),
        ] {
            assert_eq!(Number::outside(text), Err(wrong), "{text}");
        }
        for (text, wrong) in [("", NotANumber::Length(0)), ("20*1", NotANumber::NotADigit(2))] {
            assert_eq!(Number::inside(text), Err(wrong), "{text}");
        }
    }
}
