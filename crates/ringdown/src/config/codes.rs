//! `[codes]`: what to dial for a feature, by the feature's name; `""` switches it off. What is not named keeps its code.

use exchange::Codes;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The table as it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub(crate) struct FeatureCodes(pub(crate) Codes);

impl TryFrom<BTreeMap<String, String>> for FeatureCodes {
    type Error = String;

    fn try_from(table: BTreeMap<String, String>) -> Result<FeatureCodes, String> {
        let mut codes = Codes::default();
        // All are taken away first, so that two features can change their codes with each other.
        for name in table.keys() {
            codes.set(name, "")?;
        }
        for (name, code) in &table {
            codes.set(name, code)?;
        }
        Ok(FeatureCodes(codes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Codes, String> {
        let codes: Result<FeatureCodes, _> = toml::from_str(text);
        codes.map(|codes| codes.0).map_err(|error| error.to_string())
    }

    #[test]
    fn codes_are_set_swapped_and_switched_off() {
        let codes = read("do-not-disturb = \"*79\"\ndo-not-disturb-off = \"*78\"\necho = \"\"").unwrap();
        let named = |code: &str| codes.find(code).map(|(act, _)| act.name());
        assert_eq!(named("*79"), Some("do-not-disturb"));
        assert_eq!(named("*78"), Some("do-not-disturb-off"));
        assert_eq!(named("*60"), None);
        assert_eq!(named("*61"), Some("say-number"));
        for (wrong, words) in [
            ("moon = \"*1\"", "no feature `moon`"),
            ("echo = \"*61\"", "*61 is the code of both say-number and echo"),
            ("echo = \"* 1\"", "cannot be dialled"),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
