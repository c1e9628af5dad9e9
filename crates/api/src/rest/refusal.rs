//! Why a change was refused, in the reader's language.

use crate::texts::Language;
use exchange::{NAME_LENGTH, NUMBER_LENGTH, Refusal};

/// The words of a refusal. English is what the command line says, too.
pub(super) fn words(language: Language, refusal: &Refusal) -> String {
    let kind_of = |kind: &str| {
        let key = format!("kind.{kind}");
        let text = language.text(&key);
        if text == key { kind.to_owned() } else { text.to_owned() }
    };
    let (key, values): (_, Vec<(&str, String)>) = match refusal {
        Refusal::Unknown(kind, name) => {
            ("unknown", vec![("kind", kind_of(kind)), ("name", name.to_string())])
        }
        Refusal::Exists(kind, name) => ("exists", vec![("kind", kind_of(kind)), ("name", name.to_string())]),
        Refusal::NumberTaken { number, account } => {
            ("number_taken", vec![("number", number.to_string()), ("account", account.to_string())])
        }
        Refusal::DeviceTaken { device, account } => {
            ("device_taken", vec![("device", device.to_string()), ("account", account.to_string())])
        }
        Refusal::Service(number) => ("service", vec![("number", number.to_string())]),
        Refusal::BadName(kind, name) => {
            let most = ("most", NAME_LENGTH.to_string());
            ("bad_name", vec![("kind", kind_of(kind)), ("name", name.to_string()), most])
        }
        Refusal::BadNumber(number) => {
            ("bad_number", vec![("number", number.to_string()), ("most", NUMBER_LENGTH.to_string())])
        }
        Refusal::InUse(name) => ("in_use", vec![("name", name.to_string())]),
        Refusal::TooMany(kind) => ("too_many", vec![("kind", kind_of(kind))]),
        Refusal::Named { kind, name, by } => {
            let named = [("kind", kind_of(kind)), ("name", name.to_string()), ("by", by.to_string())];
            ("named", named.into())
        }
        Refusal::NoSecret(device) => ("no_secret", vec![("device", device.to_string())]),
        Refusal::WebPhone(device) => ("web_phone", vec![("device", device.to_string())]),
        // Of background calls, which no row of people starts.
        Refusal::Rule { words, .. } => return words.to_string(),
        Refusal::Nonsense(why) => return why.to_string(),
    };
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    language.fill(&format!("refused.{key}"), &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_what_the_command_line_says_and_chinese_is_chinese() {
        let text = || "bob".into();
        for refusal in [
            Refusal::Unknown("account", text()),
            Refusal::Exists("device", text()),
            Refusal::NumberTaken { number: "101".into(), account: text() },
            Refusal::DeviceTaken { device: "desk".into(), account: text() },
            Refusal::Service("600".into()),
            Refusal::BadName("account", "a b".into()),
            Refusal::BadNumber("1 2".into()),
            Refusal::InUse(text()),
            Refusal::TooMany("devices"),
            Refusal::TooMany("numbers"),
            Refusal::Named { kind: "trunk", name: "line".into(), by: "route \"all\"".into() },
            Refusal::NoSecret("desk".into()),
            Refusal::WebPhone("web-1".into()),
        ] {
            assert_eq!(words(Language::English, &refusal), refusal.to_string());
            let chinese = words(Language::Chinese, &refusal);
            assert!(chinese.chars().any(|letter| ('\u{4e00}'..'\u{9fff}').contains(&letter)), "{chinese}");
            for english in ["account", "device", "number", "trunk"] {
                assert!(!chinese.contains(english), "{chinese}");
            }
        }
        let hostile = Refusal::Unknown("account", "{kind}".into());
        assert_eq!(words(Language::English, &hostile), hostile.to_string());
    }
}
