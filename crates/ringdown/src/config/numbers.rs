//! `[numbers]` and `[emergency]`: how numbers are dialled, and which are emergencies.

use exchange::{EmergencyPlan, Numbering};
use serde::Deserialize;

/// `[numbers]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Numbers {
    /// The country code, as in "86".
    pub(crate) country: String,
    /// What comes before a number of the outside; empty if nothing does.
    pub(crate) outside: String,
    /// What comes before a number abroad.
    pub(crate) international: String,
    /// What comes before an area code at home.
    pub(crate) national: String,
    /// The fronts of numbers that cost extra, in E.164, as in "+8616".
    pub(crate) premium: Vec<String>,
}

impl Default for Numbers {
    fn default() -> Numbers {
        Numbers {
            country: String::new(),
            outside: String::new(),
            international: "00".into(),
            national: "0".into(),
            premium: Vec::new(),
        }
    }
}

impl Numbers {
    pub(crate) fn numbering(&self) -> Numbering {
        Numbering {
            country: self.country.trim_start_matches('+').into(),
            outside: self.outside.as_str().into(),
            international: self.international.as_str().into(),
            national: self.national.as_str().into(),
            premium: self.premium.iter().map(|front| front.as_str().into()).collect(),
        }
    }
}

/// `[emergency]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Emergency {
    /// The numbers, exactly as they are dialled; those of the country if there are none here.
    pub(crate) numbers: Vec<String>,
    /// The trunks that emergency calls go out by, in order; then every other.
    pub(crate) trunks: Vec<String>,
}

/// What is dialled in an emergency where nothing else is known (ITU-T E.161.1).
const ANYWHERE: [&str; 2] = ["112", "911"];
/// What is dialled in some countries, by country code.
const BY_COUNTRY: [(&str, &[&str]); 6] = [
    ("86", &["110", "119", "120", "122", "112"]),
    ("852", &["999", "112"]),
    ("1", &["911"]),
    ("44", &["999", "112"]),
    ("61", &["000", "112"]),
    ("81", &["110", "119"]),
];

impl Emergency {
    pub(crate) fn plan(&self, numbers: &Numbers) -> EmergencyPlan {
        let country = numbers.country.trim_start_matches('+');
        let own = || {
            let known = BY_COUNTRY.iter().find(|(code, _)| *code == country);
            let list: &[&str] = known.map_or(&ANYWHERE, |(_, list)| list);
            list.iter().map(|number| (*number).to_owned()).collect()
        };
        // An office without an emergency number is nobody's wish: none set is those of the country (R31).
        let list: Vec<String> = if self.numbers.is_empty() { own() } else { self.numbers.clone() };
        EmergencyPlan {
            numbers: list.into_iter().map(Into::into).collect(),
            trunks: self.trunks.iter().map(|name| name.as_str().into()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r31_each_country_has_its_emergency_numbers_unless_others_are_set() {
        let plan = |country: &str, numbers: &[&str]| {
            let numbering = Numbers { country: country.into(), ..Numbers::default() };
            let numbers = numbers.iter().map(|number| (*number).to_owned()).collect();
            Emergency { numbers, ..Emergency::default() }.plan(&numbering).numbers.join(" ")
        };
        assert_eq!(plan("86", &[]), "110 119 120 122 112");
        assert_eq!(plan("", &[]), "112 911");
        assert_eq!(plan("86", &["999"]), "999");
    }
}
