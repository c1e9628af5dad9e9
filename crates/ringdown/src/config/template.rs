//! A text with places in braces, as in `{"to": "{to}"}`; other braces stand for themselves.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// What may stand in braces.
const NAMES: [&str; 5] = ["to", "text", "key", "sender", "secret"];

/// A text with places.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Template(String);

/// How a value is written, so that it stays one value where it is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// As it is.
    Plain,
    /// Inside of a string of JSON (RFC 8259 7).
    Json,
    /// Inside of a URL or a form (RFC 3986 2.1).
    Percent,
    /// Inside of an element or an attribute of XML.
    Xml,
}

impl Writing {
    /// How values are written into a body of that type.
    pub(crate) fn of(content_type: &str) -> Writing {
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match &*kind {
            "application/x-www-form-urlencoded" => Writing::Percent,
            kind if kind.ends_with("json") => Writing::Json,
            kind if kind.ends_with("xml") => Writing::Xml,
            _ => Writing::Plain,
        }
    }

    fn write(self, value: &str) -> Cow<'_, str> {
        match self {
            Writing::Plain => value.into(),
            Writing::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned().into()
            }
            Writing::Percent => percent(value).into(),
            Writing::Xml => xml(value).into(),
        }
    }
}

impl Template {
    /// # Errors
    /// Which place there is none for.
    pub(crate) fn new(text: &str) -> Result<Template, String> {
        match pieces(text).find_map(|piece| piece.err().filter(|name| !NAMES.contains(name))) {
            Some(name) => Err(format!("{{{name}}} stands for nothing; there are {{{}}}", NAMES.join("}, {"))),
            None => Ok(Template(text.to_owned())),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The places that it has.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        pieces(&self.0).filter_map(Result::err)
    }

    /// The text with values in its places.
    pub(crate) fn filled<'a>(&self, writing: Writing, value: impl Fn(&str) -> &'a str) -> String {
        pieces(&self.0)
            .map(|piece| match piece {
                Ok(text) => Cow::Borrowed(text),
                Err(name) => writing.write(value(name)),
            })
            .collect()
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Template, String> {
        Template::new(text)
    }
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Template, String> {
        Template::new(&text)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Its parts in order: text, and as `Err` the name of a place, which is letters between braces.
fn pieces(text: &str) -> impl Iterator<Item = Result<&str, &str>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = place(rest) {
            rest = after;
            return Some(Err(name));
        }
        let next = rest.char_indices().skip(1).find(|(at, _)| place(&rest[*at..]).is_some());
        let (text, after) = rest.split_at(next.map_or(rest.len(), |(at, _)| at));
        rest = after;
        Some(Ok(text))
    })
}

/// The place that a text begins with, and what follows.
fn place(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    (!name.is_empty() && name.bytes().all(|octet| octet.is_ascii_lowercase())).then_some((name, after))
}

/// A value as one part of a URL or a form (RFC 3986 2.3).
pub(crate) fn percent(value: &str) -> String {
    let mut written = String::with_capacity(value.len());
    for octet in value.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => written.push(octet.into()),
            other => written.push_str(&format!("%{other:02X}")),
        }
    }
    written
}

fn xml(value: &str) -> String {
    let mut written = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&apos;"),
            // XML 1.0 2.2 has no way to write the others.
            letter if letter.is_control() && !matches!(letter, '\n' | '\t') => written.push(' '),
            letter => written.push(letter),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> &'static str {
        match name {
            "to" => "+8613800138000",
            "text" => "\"王\" <b>&\n{key}",
            _ => "k-1",
        }
    }

    #[test]
    fn values_stay_one_value_where_they_are_put() {
        for (writing, text, filled) in [
            (Writing::Plain, "{key}: {text}", "k-1: \"王\" <b>&\n{key}"),
            (Writing::Json, r#"{"a": {"b": "{text}"}}"#, r#"{"a": {"b": "\"王\" <b>&\n{key}"}}"#),
            (
                Writing::Percent,
                "to={to}&m={text}",
                "to=%2B8613800138000&m=%22%E7%8E%8B%22%20%3Cb%3E%26%0A%7Bkey%7D",
            ),
            (Writing::Xml, "<m>{text}</m>", "<m>&quot;王&quot; &lt;b&gt;&amp;\n{key}</m>"),
            (Writing::Plain, "{ {} {A} {to", "{ {} {A} {to"),
            (Writing::Plain, "", ""),
        ] {
            assert_eq!(Template::new(text).unwrap().filled(writing, value), filled);
        }
        assert_eq!(Template::new("{to}{{text}}").unwrap().names().collect::<Vec<_>>(), ["to", "text"]);
        assert!(Template::new("a {tos}").unwrap_err().contains("{tos} stands for nothing; there are {to}, "));
    }

    #[test]
    fn the_type_of_the_body_says_how_values_are_written() {
        for (content_type, writing) in [
            ("application/json; charset=utf-8", Writing::Json),
            ("application/vnd.sms+JSON", Writing::Json),
            ("application/x-www-form-urlencoded", Writing::Percent),
            ("text/xml", Writing::Xml),
            ("text/plain", Writing::Plain),
        ] {
            assert_eq!(Writing::of(content_type), writing, "{content_type}");
        }
    }
}
