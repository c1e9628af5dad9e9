//! A value that may be empty: `""` is none, so that every key has a default that can be written down.

use serde::{Deserialize, Deserializer, de};
use std::fmt;
use std::str::FromStr;

pub(crate) fn text<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| de::Error::custom(format_args!("\"{text}\": {error}")))
}
