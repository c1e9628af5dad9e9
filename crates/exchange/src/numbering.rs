//! What a dialled number means to the outside world: E.164, and the class that decides who may call it.

use crate::people::Right;

/// How numbers are dialled here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbering {
    /// The country code without `+`, as in `86`; empty if the office does not say.
    pub country: Box<str>,
    /// What comes before a number of the outside; empty if nothing does.
    pub outside: Box<str>,
    /// What comes before a number abroad, as in `00`.
    pub international: Box<str>,
    /// What comes before an area code at home, as in `0`.
    pub national: Box<str>,
    /// The fronts of numbers that cost extra, in E.164.
    pub premium: Vec<Box<str>>,
}

/// Who pays, and how much: decides which right a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Inside the country.
    National,
    /// Abroad.
    International,
    /// Costs extra.
    Premium,
}

impl Class {
    /// The right that a call of this class needs.
    #[must_use]
    pub fn right(self) -> Right {
        match self {
            Class::National => Right::National,
            Class::International => Right::International,
            Class::Premium => Right::Premium,
        }
    }
}

impl Numbering {
    /// What is left of a dialled number for the outside; `None` when it lacks what comes before such numbers.
    #[must_use]
    pub fn outside<'a>(&self, dialled: &'a str) -> Option<&'a str> {
        match dialled.strip_prefix(&*self.outside) {
            Some(rest) if !rest.is_empty() => Some(rest),
            _ => dialled.starts_with('+').then_some(dialled),
        }
    }

    /// A number of the outside in E.164, `+` first; `None` when it cannot be told.
    #[must_use]
    pub fn e164(&self, number: &str) -> Option<String> {
        let digits = |text: &str| text.len() >= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(rest) = number.strip_prefix('+') {
            return digits(rest).then(|| number.to_owned());
        }
        if let Some(rest) = prefixed(number, &self.international) {
            return digits(rest).then(|| format!("+{rest}"));
        }
        if self.country.is_empty() {
            return None;
        }
        let rest = prefixed(number, &self.national).unwrap_or(number);
        digits(rest).then(|| format!("+{}{rest}", self.country))
    }

    /// The class of a number of the outside. What cannot be told is taken for the dearer.
    #[must_use]
    pub fn class(&self, number: &str) -> Class {
        let Some(e164) = self.e164(number) else {
            let abroad = number.starts_with('+') || prefixed(number, &self.international).is_some();
            return if abroad { Class::International } else { Class::National };
        };
        if self.premium.iter().any(|front| e164.starts_with(&**front)) {
            return Class::Premium;
        }
        let home = e164.strip_prefix('+').is_some_and(|rest| rest.starts_with(&*self.country));
        if home && !self.country.is_empty() { Class::National } else { Class::International }
    }

    /// The ways in which the office may have written a number that comes in from outside: as it came, in E.164, and as
    /// it is dialled at home.
    #[must_use]
    pub fn spellings(&self, number: &str) -> Vec<String> {
        let mut ways = vec![number.to_owned()];
        let e164 = self.e164(number);
        let country = format!("+{}", self.country);
        if let Some(rest) = e164.as_deref().and_then(|e164| e164.strip_prefix(&*country))
            && !self.country.is_empty()
        {
            ways.extend([format!("{}{rest}", self.national), rest.to_owned()]);
        }
        ways.extend(e164);
        // Providers leave the + away.
        if number.bytes().all(|byte| byte.is_ascii_digit()) {
            ways.push(format!("+{number}"));
        }
        ways.dedup();
        ways
    }
}

fn prefixed<'a>(number: &'a str, prefix: &str) -> Option<&'a str> {
    if prefix.is_empty() { None } else { number.strip_prefix(prefix) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn china() -> Numbering {
        Numbering {
            country: "86".into(),
            outside: "".into(),
            international: "00".into(),
            national: "0".into(),
            premium: vec!["+8616".into()],
        }
    }

    #[test]
    fn numbers_have_their_class() {
        let numbering = china();
        for (number, e164, class) in [
            ("01088886666", Some("+861088886666"), Class::National),
            ("13800138000", Some("+8613800138000"), Class::National),
            ("+861088886666", Some("+861088886666"), Class::National),
            ("0014155550100", Some("+14155550100"), Class::International),
            ("+14155550100", Some("+14155550100"), Class::International),
            ("1603333", Some("+861603333"), Class::Premium),
            ("00861603333", Some("+861603333"), Class::Premium),
            ("*9", None, Class::National),
            ("+x", None, Class::International),
        ] {
            assert_eq!(numbering.e164(number).as_deref(), e164, "{number}");
            assert_eq!(numbering.class(number), class, "{number}");
        }
        let unknown = Numbering { country: "".into(), ..china() };
        assert_eq!(unknown.class("0014155550100"), Class::International);
        assert_eq!(unknown.class("4155550100"), Class::National);
    }

    #[test]
    fn the_outside_has_its_prefix_and_numbers_from_there_are_found_however_they_are_written() {
        let numbering = Numbering { outside: "9".into(), ..china() };
        assert_eq!(numbering.outside("9110"), Some("110"));
        assert_eq!(numbering.outside("9"), None);
        assert_eq!(numbering.outside("110"), None);
        assert_eq!(numbering.outside("+861"), Some("+861"));
        let ways = china().spellings("861088886666");
        assert!(ways.contains(&"+861088886666".to_owned()), "{ways:?}");
        let ways = china().spellings("+861088886666");
        assert!(ways.contains(&"01088886666".to_owned()), "{ways:?}");
    }
}
