//! Where a key stands in a file, and which keys there are at all: for findings that name their line.

use toml::de::{DeTable, DeValue};

/// The example, all of its keys commented out; the one list of what can be set.
pub(crate) const EXAMPLE: &str = include_str!("example.toml");

/// Sections whose keys are names of people.
const OF_PEOPLE: [&str; 1] = ["lists.outside"];

/// The example with every key set to its default.
pub(crate) fn all_set() -> String {
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.starts_with([' ', '#']) && !key.is_empty() => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    EXAMPLE.lines().map(uncomment).collect()
}

/// The sections, each with its keys; a section within one stands behind it, as `messages.http`.
pub(crate) fn known() -> Vec<(String, Vec<String>)> {
    let text = all_set();
    // The example is ours, and a test reads it.
    let Ok(table) = DeTable::parse(&text) else { return Vec::new() };
    let mut known = Vec::new();
    for (name, value) in table.get_ref() {
        let DeValue::Table(section) = value.get_ref() else { continue };
        known.push((name.get_ref().to_string(), keys_of(section)));
        for (inner, value) in section {
            if let DeValue::Table(keys) = value.get_ref() {
                known.push((format!("{}.{}", name.get_ref(), inner.get_ref()), keys_of(keys)));
            }
        }
    }
    known
}

fn keys_of(section: &DeTable<'_>) -> Vec<String> {
    section.keys().map(|key| key.get_ref().to_string()).collect()
}

/// The line of a key, from 1.
pub(crate) fn line_of(text: &str, section: &str, key: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    // `platforms.NAME` is a table in a table.
    let mut keys = table.get_ref();
    for part in section.splitn(2, '.') {
        let inner = keys.iter().find(|(name, _)| name.get_ref() == part)?.1;
        let DeValue::Table(inner) = inner.get_ref() else { return None };
        keys = inner;
    }
    let (found, _) = keys.iter().find(|(name, _)| name.get_ref() == key)?;
    Some(line_at(text, found.span().start))
}

/// The line of a key that stands in no section.
pub(super) fn line_of_key(text: &str, key: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let (found, _) = table.get_ref().iter().find(|(name, _)| name.get_ref() == key)?;
    Some(line_at(text, found.span().start))
}

/// The line of an octet, from 1.
pub(crate) fn line_at(text: &str, octet: usize) -> usize {
    text.bytes().take(octet).filter(|byte| *byte == b'\n').count() + 1
}

/// Sections and keys that we do not know: line, and words that say what was perhaps meant.
pub(crate) fn strangers(text: &str) -> Vec<(usize, String)> {
    let Ok(table) = DeTable::parse(text) else { return Vec::new() };
    let known = known();
    let mut found = Vec::new();
    for (section, value) in table.get_ref() {
        let name = section.get_ref();
        let sections = known.iter().filter(|(name, _)| !name.contains('.'));
        let Some((_, keys)) = sections.clone().find(|(known, _)| known == name) else {
            let like = closest(name, sections.map(|(name, _)| name.as_str()));
            found.push((line_at(text, section.span().start), format!("unknown section [{name}]{like}")));
            continue;
        };
        let DeValue::Table(given) = value.get_ref() else { continue };
        if name == "platforms" {
            for (platform, value) in given {
                let keys: Vec<String> = super::platforms::KEYS.map(str::to_owned).to_vec();
                let section = format!("platforms.{}", platform.get_ref());
                found.extend(strangers_in(text, &section, value.get_ref(), &keys));
            }
        } else {
            found.extend(strangers_in(text, name, value.get_ref(), keys));
            for (inner, value) in given {
                let section = format!("{name}.{}", inner.get_ref());
                let of_people = OF_PEOPLE.contains(&section.as_str());
                if let Some((_, keys)) = known.iter().find(|(known, _)| *known == section && !of_people) {
                    found.extend(strangers_in(text, &section, value.get_ref(), keys));
                }
            }
        }
    }
    found.sort();
    found
}

/// Keys of one section that are not among those that it has.
fn strangers_in(text: &str, section: &str, given: &DeValue<'_>, keys: &[String]) -> Vec<(usize, String)> {
    let DeValue::Table(given) = given else { return Vec::new() };
    let unknown = given.keys().filter(|key| !keys.iter().any(|known| known == key.get_ref()));
    unknown
        .map(|key| {
            let (line, given) = (line_at(text, key.span().start), key.get_ref());
            let like = closest(given, keys.iter().map(String::as_str));
            (line, format!("unknown field `{given}` in [{section}]{like}"))
        })
        .collect()
}

/// "; did you mean `x`?", or all that there is.
fn closest<'a>(given: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let best = known.clone().map(|name| (distance(given, name), name)).min();
    // A part of a name is meant for it, however much is missing.
    let part = known.clone().find(|name| name.starts_with(given) || given.starts_with(name));
    match best.filter(|(far, _)| *far <= 1 + given.len() / 4).or(part.map(|name| (0, name))) {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None => {
            format!("; there are {}", known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Letters to add, take away, change or swap with their neighbour, to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_perhaps_meant() {
        for (text, line, words) in [
            ("[sip]\n\nupd = 1\n", 3, "did you mean `udp`"),
            ("[media]\nport = 1\n", 2, "did you mean `ports`"),
            ("[meida]\n", 1, "did you mean `media`"),
            ("[calls]\nzzzzzz = 1\n", 2, "there are `"),
            ("sip.adress = 1\n", 1, "there are `"),
            ("[platforms.cc]\nurl = \"https://x\"\nholds = 1\n", 3, "did you mean `hold`"),
            ("[messages.http]\nsenders = 1\n", 2, "did you mean `sender`"),
        ] {
            let found = strangers(text);
            assert_eq!(found.len(), 1, "{text}");
            assert!(found[0].0 == line && found[0].1.contains(words), "{found:?}");
        }
        assert_eq!(strangers(&all_set()), []);
    }

    #[test]
    fn lines_of_keys() {
        let text = "# a\n[sip]\nudp = 1\n[media]\nports = [\n 1 ]\naddress = 1\n";
        assert_eq!(line_of(text, "sip", "udp"), Some(3));
        assert_eq!(line_of(text, "media", "address"), Some(7));
        assert_eq!(line_of(text, "media", "workers"), None);
        assert_eq!(line_of("[platforms.cc]\nurl = 1\n", "platforms.cc", "url"), Some(2));
    }
}
