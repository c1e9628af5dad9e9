//! What is wrong with the data folder: whose it is, who serves it, whether there is room.

use super::finding::Finding;
use rustix::fs::{Access, FlockOperation, access, flock, statvfs};
use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Below this share of the disk, in percent, or this many octets, it is almost full.
const ALMOST_FULL: (u64, u64) = (5, 200 << 20);
/// Below this nothing can be promised for long.
const FULL: u64 = 4 << 20;

/// Whether an exchange runs on a data folder.
pub(crate) fn is_served(folder: &Path) -> bool {
    // Opened, not made: looking must leave no trace.
    let Ok(lock) = File::open(folder.join("lock")) else { return false };
    flock(&lock, FlockOperation::NonBlockingLockShared).is_err()
}

/// All that is wrong with it.
pub(crate) fn judge(folder: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let place = || folder.display().to_string();
    if !folder.exists() {
        let above = folder.ancestors().skip(1).find(|above| above.exists()).unwrap_or(Path::new("."));
        if access(above, Access::WRITE_OK).is_err() {
            let what = format!("the data folder does not exist, and {} may not be written", above.display());
            found.push(Finding::error(
                place(),
                what,
                "make it and give it to the exchange's user, or name another with --data",
            ));
        }
        room(above, &place(), &mut found);
        return found;
    }
    if !folder.is_dir() {
        found.push(Finding::error(place(), "the data folder is no folder", "name a folder with --data"));
        return found;
    }
    if access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let advice = "`chown` it to the exchange's user, or run this as that user";
        found.push(Finding::error(place(), "the data folder may not be read and written", advice));
    }
    let mode = folder.metadata().map_or(0, |known| known.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let what =
            format!("others may look into the data folder (mode {mode:o}), which holds keys and secrets");
        found.push(Finding::warning(place(), what, format!("`chmod 700 {}`", folder.display())));
    }
    if is_served(folder) {
        let advice = "nothing, if that is yours: `ringdown reload` gives it the file; its own ports were not tried here";
        found.push(Finding::warning(place(), "an exchange runs on this data folder", advice));
    }
    room(folder, &place(), &mut found);
    found
}

fn room(folder: &Path, place: &str, found: &mut Vec<Finding>) {
    let Ok(disk) = statvfs(folder) else { return };
    let (free, all) = (disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize);
    let advice = "make room on that disk: when it is full, calls go on, but nothing new can be promised";
    let what = |word| format!("the disk of the data folder is {word}: {} MiB are free", free >> 20);
    if free < FULL {
        found.push(Finding::error(place.into(), what("full"), advice));
    } else if free < ALMOST_FULL.1 || free * 100 < all * ALMOST_FULL.0 {
        found.push(Finding::warning(place.into(), what("almost full"), advice));
    }
}
