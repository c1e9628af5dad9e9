//! `--name value` pairs.

use crate::Failure;
use std::collections::BTreeMap;
use std::str::FromStr;

/// What stands behind the command's name.
pub(crate) struct Arguments {
    values: BTreeMap<String, String>,
}

impl Arguments {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Arguments, Failure> {
        let mut values = BTreeMap::new();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").ok_or_else(|| format!("\"{word}\" is no --name"))?;
            let value = words.next().ok_or_else(|| format!("--{name} wants a value"))?;
            values.insert(name.to_owned(), value);
        }
        Ok(Arguments { values })
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A value, or `otherwise` when it is not there.
    pub(crate) fn or<T: FromStr>(&self, name: &str, otherwise: T) -> Result<T, Failure> {
        match self.text(name) {
            None => Ok(otherwise),
            Some(text) => text.parse().map_err(|_| format!("--{name}: \"{text}\" does not fit").into()),
        }
    }

    pub(crate) fn must<T: FromStr>(&self, name: &str) -> Result<T, Failure> {
        let text = self.text(name).ok_or_else(|| format!("--{name} is missing"))?;
        text.parse().map_err(|_| format!("--{name}: \"{text}\" does not fit").into())
    }

    /// Process numbers, separated by commas.
    pub(crate) fn processes(&self) -> Result<Vec<u32>, Failure> {
        let list = self.text("pid").unwrap_or_default();
        list.split(',').filter(|one| !one.is_empty()).map(|one| Ok(one.parse()?)).collect()
    }
}
