//! A phone that idles is small.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Read by the allocator before anything else of the program runs.
const HUGE_PAGES: &str = "MIMALLOC_ALLOW_THP";

/// The allocator asks for huge pages, which an exchange gains by; a phone that needs 4 MB had 16 MB of them
/// (docs/performance.md). So the program begins anew, as the same process, and is told not to.
pub(super) fn keep_pages_small() {
    if std::env::var_os(HUGE_PAGES).is_some() {
        return;
    }
    let mut given = std::env::args_os();
    let (Ok(own), Some(name)) = (std::env::current_exe(), given.next()) else { return };
    let error = Command::new(own).arg0(name).args(given).env(HUGE_PAGES, "0").exec();
    // It is no harm to be larger.
    tracing::debug!(%error, "huge pages stay on");
}
