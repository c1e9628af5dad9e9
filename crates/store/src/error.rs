//! Why the store cannot do something, with the file that it is about.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why the store cannot be opened or read.
#[derive(Debug)]
pub struct StoreError {
    path: PathBuf,
    what: String,
}

impl StoreError {
    pub(crate) fn new(path: &Path, what: impl fmt::Display) -> StoreError {
        StoreError { path: path.into(), what: what.to_string() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

impl std::error::Error for StoreError {}
