//! `[store]`: where the office is kept.

use super::{maybe, secret};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::{Path, PathBuf};
use store::Place;

/// `[store]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StoreConfig {
    /// A PostgreSQL server; a file in the data folder if not set.
    #[serde(deserialize_with = "without_telling")]
    pub(crate) url: Option<StoreUrl>,
    /// The file with its password.
    #[serde(deserialize_with = "maybe::text")]
    pub(crate) password_file: Option<PathBuf>,
}

/// A URL that may hold a password, and so is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoreUrl(String);

/// As `maybe::text`, but what cannot be read is not quoted: there may be a password in it.
fn without_telling<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<StoreUrl>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    Place::server(Path::new("."), &text, None).map_err(D::Error::custom)?;
    Ok(Some(StoreUrl(text)))
}

/// Without a password.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Place::server(Path::new("."), &self.0, None).map_err(|_| fmt::Error)?.fmt(f)
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StoreConfig {
    /// Where the office of a data folder is.
    ///
    /// # Errors
    /// Why its password cannot be read.
    pub(crate) fn place(&self, data: &Path) -> Result<Place, String> {
        let Some(url) = &self.url else { return Ok(Place::folder(data)) };
        let password = self.password_file.as_deref().map(secret::read).transpose()?;
        Place::server(data, &url.0, password.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn sec_20_a_password_in_the_url_is_shown_nowhere() {
        let config = Config::parse("[store]\nurl = \"postgresql://r:hush@db.example/r\"\n").unwrap();
        let place = config.store.place(Path::new("/data")).unwrap();
        assert_eq!(place.to_string(), "postgresql://r@db.example:5432/r");
        assert!(!format!("{config:?} {place:?}").contains("hush"));
        let fault = Config::parse("[store]\nurl = \"postgresql://r:hush@:x/r\"\n").unwrap_err();
        assert!(!fault.what.contains("hush"), "{}", fault.what);
        assert_eq!(Config::default().store.place(Path::new("/data")).unwrap().to_string(), "/data/office.db");
    }
}
