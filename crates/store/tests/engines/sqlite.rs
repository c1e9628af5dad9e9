//! Files: one in the folder of each test.

use crate::suite::folder::Folder;
use store::Place;

/// There is nothing to prepare.
pub(crate) fn prepare(_: &Folder) {}

pub(crate) fn place(folder: &Folder) -> Place {
    Place::folder(&folder.0)
}

/// All that is kept, in clear or sealed.
pub(crate) fn dump(folder: &Folder) -> Vec<u8> {
    let files = ["office.db", "office.db-wal"];
    files.map(|file| std::fs::read(folder.0.join(file)).unwrap_or_default()).concat()
}

/// As a Ringdown of the future would leave it: the header of a file holds its `user_version` from octet 60.
pub(crate) fn be_of_form(folder: &Folder, form: u32) {
    let path = folder.0.join("office.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&form.to_be_bytes());
    std::fs::write(&path, bytes).unwrap();
}
