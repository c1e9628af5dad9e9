//! Files of this machine.

use crate::Fetched;
use crate::limits;
use std::io::ErrorKind;
use std::path::Path;
use tokio::fs;
use tokio::io::AsyncWriteExt as _;

pub(crate) async fn fetch(path: &Path) -> Result<Fetched, String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let data = match fs::metadata(path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Fetched::Missing),
        other => other.map_err(told)?,
    };
    if data.len() > limits::FILE {
        return Err(format!("{}: {} octets, at most {} are taken", path.display(), data.len(), limits::FILE));
    }
    let bytes = fs::read(path).await.map_err(told)?;
    // Whoever writes it while it is read makes a file that nobody has written.
    let after = fs::metadata(path).await.map_err(told)?;
    if after.len() != bytes.len() as u64 || after.modified().ok() != data.modified().ok() {
        return Err(format!("{}: it changed while it was read", path.display()));
    }
    Ok(Fetched::Bytes(bytes))
}

pub(crate) async fn put(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut name = path.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
    name.push(".part");
    let beside = path.with_file_name(name);
    let mut file = fs::File::create(&beside).await.map_err(told)?;
    file.write_all(bytes).await.map_err(told)?;
    file.sync_all().await.map_err(told)?;
    fs::rename(&beside, path).await.map_err(told)
}
