//! The data folder: made if there is none, readable by its owner alone, and served by one exchange at a time.

use crate::Failure;
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A data folder that is ours until this is dropped.
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes the folder if need be, and takes it.
pub(crate) fn claim(path: &Path) -> Result<Folder, Failure> {
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(named)?;
    let lock = File::create(path.join("lock")).map_err(named)?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| format!("{}: another exchange runs on this data folder", path.display()))?;
    Ok(Folder { path: path.into(), _lock: lock })
}
