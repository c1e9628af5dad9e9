//! Words for the terminal, in both languages, from one catalogue: those of the demonstration and those of the phone.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A language of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    en: String,
    zh: String,
}

static CATALOGUE: LazyLock<BTreeMap<String, Text>> = LazyLock::new(|| {
    let read = |text| serde_json::from_str::<BTreeMap<String, Text>>(text).unwrap_or_default();
    let mut all = read(include_str!("../locales/demo.json"));
    all.extend(read(include_str!("../locales/phone.json")));
    all
});

impl Language {
    /// What LC_ALL, LC_MESSAGES or LANG asks for (POSIX 8.2): the first that is set.
    pub(crate) fn of_the_terminal() -> Language {
        let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Language::of(&["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).unwrap_or_default())
    }

    fn of(locale: &str) -> Language {
        if locale.to_ascii_lowercase().starts_with("zh") { Language::Chinese } else { Language::English }
    }

    /// A text of the catalogue; its key if there is none.
    pub(crate) fn text(self, key: &'static str) -> &'static str {
        match (CATALOGUE.get(key), self) {
            (Some(text), Language::English) => &text.en,
            (Some(text), Language::Chinese) => &text.zh,
            (None, _) => key,
        }
    }

    /// A text with its `{places}` filled.
    pub(crate) fn fill(self, key: &'static str, places: &[(&str, &str)]) -> String {
        places.iter().fold(self.text(key).to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::columns;

    #[test]
    fn every_text_stands_in_both_languages() {
        for file in [include_str!("../locales/demo.json"), include_str!("../locales/phone.json")] {
            assert!(serde_json::from_str::<BTreeMap<String, Text>>(file).unwrap().len() > 10);
        }
        for (key, text) in CATALOGUE.iter() {
            assert!(!text.en.is_empty() && !text.zh.is_empty(), "{key}");
            assert_eq!(text.en.matches('{').count(), text.zh.matches('{').count(), "{key}");
        }
    }

    #[test]
    fn the_terminal_chooses() {
        for (locale, language) in [
            ("zh_CN.UTF-8", Language::Chinese),
            ("en_GB.UTF-8", Language::English),
            ("C", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::of(locale), language, "{locale}");
        }
        let filled = Language::Chinese.fill("hears", &[("who", "a"), ("hertz", "440"), ("dbfs", "-9")]);
        assert_eq!(filled, "a听到 440 Hz，-9 dBFS");
        assert_eq!(columns("a听到"), 5);
    }
}
