//! A change of a profile's file reaches running phones without a reload: the folder is looked at once a second, and read
//! only when something in it is another. A wrong file changes nothing, and is told; at the start, the exchange goes without
//! it.

use super::reload::{NotTaken, Reload};
use crate::config::profile::{Wrong, files, read_all};
use exchange::Profile;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::MissedTickBehavior;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A file, and what tells whether it is another: its time and its length.
pub(super) type Mark = (PathBuf, Option<(SystemTime, u64)>);

/// The profiles to start with, and the files as they were just before they were read. Whatever is wrong with a file keeps
/// nobody from a telephone: it is told, and who it is for starts as the others do.
pub(super) fn first(data: &Path) -> (Vec<Profile>, Vec<Mark>) {
    let seen = marks(data);
    let found = read_all(data);
    for Wrong { place, what } in &found.wrong {
        tracing::error!("{place}: {what}; the exchange starts without this profile");
    }
    (found.profiles, seen)
}

/// The profiles that there are.
///
/// # Errors
/// All that is wrong with them.
pub(super) fn read(data: &Path) -> Result<Vec<Profile>, Vec<Wrong>> {
    read_all(data).whole()
}

/// Looks at the folder for as long as the exchange runs; `known` is how it was when it was read last.
pub(super) async fn watch(reload: Arc<Reload>, mut known: Vec<Mark>) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let seen = marks(&reload.data);
        if seen == known {
            continue;
        }
        match reload.profiles().await {
            Ok(count) => tracing::info!(count, "profiles were read again"),
            Err(NotTaken::Wrong(wrong)) => {
                for Wrong { place, what } in wrong {
                    tracing::error!("{place}: {what}; the profiles of before go on");
                }
            }
            // It stays to be done at the next look.
            Err(NotTaken::Busy(why)) => {
                tracing::warn!("profiles were not taken yet: {why}");
                continue;
            }
        }
        known = seen;
    }
}

fn marks(data: &Path) -> Vec<Mark> {
    let mark = |path: PathBuf| {
        let known = path.metadata().ok();
        let mark = known.and_then(|known| Some((known.modified().ok()?, known.len())));
        (path, mark)
    };
    files(data).unwrap_or_default().into_iter().map(mark).collect()
}
