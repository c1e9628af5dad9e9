//! Files of this machine.

use crate::Fetched;
use crate::limits::NAMES;
use crate::range::fits;
use std::io::ErrorKind;
use std::path::Path;
use tokio::fs;
use tokio::io::AsyncWriteExt as _;

pub(crate) async fn fetch(path: &Path) -> Result<Fetched, String> {
    let told = |error: std::io::Error| error.to_string();
    let data = match fs::metadata(path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Fetched::Missing),
        other => other.map_err(told)?,
    };
    fits(data.len())?;
    let bytes = fs::read(path).await.map_err(told)?;
    // Whoever writes it while it is read makes a file that nobody has written.
    let after = fs::metadata(path).await.map_err(told)?;
    if after.len() != bytes.len() as u64 || after.modified().ok() != data.modified().ok() {
        return Err(crate::CHANGED.to_owned());
    }
    Ok(Fetched::Bytes { bytes, tag: None })
}

pub(crate) async fn names(folder: &Path) -> Result<Vec<String>, String> {
    let told = |error: std::io::Error| error.to_string();
    let mut entries = match fs::read_dir(folder).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(told)?,
    };
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(told)? {
        if names.len() == NAMES {
            return Err(crate::TOO_MANY.to_owned());
        }
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}

pub(crate) async fn put(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
    name.push(".part");
    let beside = path.with_file_name(name);
    let mut file = fs::File::create(&beside).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    fs::rename(&beside, path).await
}
