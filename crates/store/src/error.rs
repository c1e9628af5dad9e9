//! Why the store cannot do something, with the file or the server that it is about.

use std::fmt;
use std::path::Path;

/// Why the store cannot be opened or read.
#[derive(Debug)]
pub struct StoreError {
    place: String,
    what: String,
}

impl StoreError {
    pub(crate) fn new(place: impl fmt::Display, what: impl fmt::Display) -> StoreError {
        StoreError { place: place.to_string(), what: what.to_string() }
    }

    pub(crate) fn of_file(path: &Path, what: impl fmt::Display) -> StoreError {
        StoreError::new(path.display(), what)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl std::error::Error for StoreError {}
