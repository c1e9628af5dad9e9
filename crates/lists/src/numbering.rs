//! From a number as people write it to one that can be called and counted.

use crate::list::shortened;
use crate::refusal::Why;
use dialing::Number;

/// How numbers of a list are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbering {
    /// The country code of a number that says none, without `+`, as in `86`; empty when such numbers are refused.
    pub country: Box<str>,
    /// What comes before an area code at home, as in `0`.
    pub national: Box<str>,
    /// What stands for `+`, as in `00`.
    pub international: Box<str>,
    /// Digits of the longest number inside the office.
    pub inside: usize,
}

impl Default for Numbering {
    fn default() -> Numbering {
        Numbering { country: "".into(), national: "0".into(), international: "00".into(), inside: 6 }
    }
}

impl Numbering {
    /// The number that is meant.
    ///
    /// # Errors
    /// When it is none, or one that says no country where none is set.
    pub fn number(&self, text: &str) -> Result<Number, Why> {
        let bad = || Why::BadNumber(shortened(text));
        let plus = text.trim_start().starts_with('+');
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if text.chars().skip(1).any(|letter| letter == '+') && text.matches('+').count() > usize::from(plus) {
            return Err(bad());
        }
        let abroad = |digits: &str| Number::outside(&format!("+{digits}")).map_err(|_| bad());
        if plus {
            return abroad(&digits);
        }
        if digits.len() <= self.inside {
            return Number::inside(&digits).map_err(|_| bad());
        }
        if let Some(rest) =
            digits.strip_prefix(&*self.international).filter(|_| !self.international.is_empty())
        {
            return abroad(rest);
        }
        if self.country.is_empty() {
            return Err(bad());
        }
        let rest = digits.strip_prefix(&*self.national).unwrap_or(&digits);
        abroad(&format!("{}{rest}", self.country))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let china = Numbering { country: "86".into(), ..Numbering::default() };
        for (text, number) in [
            ("+86 138-0013-8000", Some("+8613800138000")),
            ("138 0013 8000", Some("+8613800138000")),
            ("010-6552 9988", Some("+861065529988")),
            ("0044 20 7946 0018", Some("+442079460018")),
            ("2041", Some("2041")),
            ("+", None),
            ("+86+10", None),
            ("+0123456", None),
            ("12345678901234567890", None),
        ] {
            assert_eq!(china.number(text).ok().map(|number| number.to_string()).as_deref(), number, "{text}");
        }
        let nowhere = Numbering::default();
        assert!(nowhere.number("13800138000").is_err(), "which country?");
        assert!(nowhere.number("+8613800138000").is_ok());
    }
}
