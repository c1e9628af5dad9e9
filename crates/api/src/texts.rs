//! Every word that a page shows, in both languages, from one catalogue.

use axum::http::{HeaderMap, header};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A language of the pages.
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

static CATALOGUE: LazyLock<BTreeMap<String, Text>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../locales/pages.json")).unwrap_or_default());

impl Language {
    /// What a browser asks for (RFC 9110 12.5.4): Chinese if it is preferred to English.
    pub(crate) fn of(accept_language: Option<&str>) -> Language {
        let preferred = accept_language
            .unwrap_or_default()
            .split(',')
            .filter_map(|entry| {
                let (tag, weight) = entry.split_once(";q=").unwrap_or((entry, "1"));
                let weight: f32 = weight.trim().parse().ok()?;
                let primary = tag.trim().split('-').next()?.to_ascii_lowercase();
                match &*primary {
                    "zh" => Some((weight, Language::Chinese)),
                    "en" | "*" => Some((weight, Language::English)),
                    _ => None,
                }
            })
            .reduce(|best, next| if next.0 > best.0 { next } else { best });
        preferred.map_or(Language::English, |(_, language)| language)
    }

    /// For `lang=`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    /// The language that a request asks for.
    pub(crate) fn asked_by(headers: &HeaderMap) -> Language {
        Language::of(headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
    }

    /// A text of the catalogue with its places filled: `{name}` stands for the value of that name.
    pub(crate) fn fill(self, key: &str, values: &[(&str, &str)]) -> String {
        let (mut filled, mut rest) = (String::new(), self.text(key));
        // In one pass, because values are hostile input and may look like places.
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            filled.push_str(before);
            filled.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// A text of the catalogue; its key if there is none.
    pub(crate) fn text(self, key: &str) -> &str {
        match (CATALOGUE.get(key), self) {
            (Some(text), Language::English) => &text.en,
            (Some(text), Language::Chinese) => &text.zh,
            (None, _) => key,
        }
    }
}

/// Text between tags or in an attribute; names are hostile input (sec_01).
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_stands_in_both_languages() {
        assert!(CATALOGUE.len() >= 3);
        for (key, text) in CATALOGUE.iter() {
            assert!(!text.en.is_empty() && !text.zh.is_empty(), "{key}");
        }
        assert_eq!(Language::Chinese.text("busy"), "交换机没有响应，请重试。");
        assert_eq!(Language::English.text("no such key"), "no such key");
        let values = [("number", "{account}"), ("account", "bob")];
        assert_eq!(
            Language::Chinese.fill("refused.number_taken", &values),
            "号码 {account} 属于账号“bob”，请先在那里移除"
        );
    }

    #[test]
    fn the_browser_chooses() {
        for (asked, language) in [
            (None, Language::English),
            (Some("zh-CN,zh;q=0.9,en;q=0.8"), Language::Chinese),
            (Some("en-GB,en;q=0.9,zh;q=0.8"), Language::English),
            (Some("de,zh;q=0.5"), Language::Chinese),
            (Some("rubbish;q=x"), Language::English),
        ] {
            assert_eq!(Language::of(asked), language, "{asked:?}");
        }
    }
}
