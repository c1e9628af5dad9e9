//! A secret in a file of its own, so that the configuration can be shown.

use std::path::Path;

/// The one line of a file.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let secret = text.trim();
    let sound = !secret.is_empty() && secret.bytes().all(|octet| octet.is_ascii_graphic());
    match sound {
        true => Ok(secret.to_owned()),
        false => Err(format!("{}: no secret of printable characters without spaces", path.display())),
    }
}
