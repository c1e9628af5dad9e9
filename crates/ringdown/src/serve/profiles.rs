//! A change of a profile's file reaches running phones without a reload: the folder is looked at once a second, and read
//! only when something in it is another. A wrong file changes nothing, and is told.

use super::reload::Reload;
use crate::config::profile::{Wrong, files, read_all};
use exchange::Profile;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::MissedTickBehavior;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The profiles that there are, or in one line why not: the first fault, with file and line.
pub(super) fn read(data: &Path) -> Result<Vec<Profile>, String> {
    read_all(data).map_err(|wrong| {
        let first = wrong.into_iter().next();
        first.map(|Wrong { place, what }| format!("{place}: {what}")).unwrap_or_default()
    })
}

/// Looks at the folder for as long as the exchange runs.
pub(super) async fn watch(reload: Arc<Reload>) {
    let mut known = marks(&reload.data);
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let seen = marks(&reload.data);
        if seen == known {
            continue;
        }
        known = seen;
        match reload.profiles().await {
            Ok(count) => tracing::info!(count, "profiles were read again"),
            Err(error) => tracing::error!("{error}; the profiles of before go on"),
        }
    }
}

type Mark = (PathBuf, Option<(SystemTime, u64)>);

/// What tells whether a file is another: its time and its length.
fn marks(data: &Path) -> Vec<Mark> {
    let mark = |path: PathBuf| {
        let known = path.metadata().ok();
        let mark = known.and_then(|known| Some((known.modified().ok()?, known.len())));
        (path, mark)
    };
    files(data).unwrap_or_default().into_iter().map(mark).collect()
}
