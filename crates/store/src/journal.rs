//! Calls that went on when the exchange died: closed at the next start, one record each (R20).

use crate::error::StoreError;
use crate::lease::{Lease, NOW};
use crate::sql::{Connection, Query, ROWS, query};
use clock::Wall;
use exchange::{Change, Commit};
use std::fs::{File, FileTimes, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the records of such calls say.
const DETAIL: &str = "the exchange died during the call; it ended when the exchange was last seen alive";

/// A file whose time says when the exchange was last seen alive; a row in the database would cost a sync each time.
pub(crate) struct Pulse {
    path: PathBuf,
}

impl Pulse {
    pub(crate) fn of(folder: &Path) -> Pulse {
        Pulse { path: folder.join("alive") }
    }

    /// We live.
    pub(crate) fn beat(&self) {
        let now = SystemTime::now();
        let beat = OpenOptions::new().create(true).append(true).open(&self.path);
        // Without it the records of a dead exchange end a little early; nothing else depends on it.
        let _ = beat.and_then(|file: File| file.set_times(FileTimes::new().set_modified(now)));
    }

    /// When we lived last, as far as anybody knows.
    fn last(&self) -> Option<Wall> {
        let modified = self.path.metadata().and_then(|known| known.modified()).ok()?;
        let since = modified.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok().map(Wall)
    }
}

/// Gives each call that was open its record, of one exchange or of all; returns how many there were.
pub(crate) async fn close(
    connection: &mut Connection,
    last: Wall,
    owner: Option<&str>,
) -> Result<u64, sqlx::Error> {
    let closed = query(
        "INSERT INTO records (session_id, caller_number, caller_name, dialled, answered_by, started, answered, ended, \
         ringing_ms, talking_ms, cause, blame, status, detail, task) \
         SELECT session_id, caller_number, caller_name, dialled, answered_by, started, answered, ended, \
         coalesce(answered, ended) - started, coalesce(ended - answered, 0), \
         ?2, ?3, CASE WHEN answered IS NULL THEN 503 ELSE 200 END, ?4, task \
         FROM (SELECT *, CASE WHEN ?1 > coalesce(answered, started) THEN ?1 ELSE coalesce(answered, started) END AS \
         ended FROM open_calls WHERE ?5 = 1 OR owner = ?6) AS died ORDER BY started, session_id",
    )
    .bind(last.0)
    .bind(calls::Cause::NodeLost.name())
    .bind(calls::Cause::NodeLost.blame().name())
    .bind(DETAIL)
    .bind(owner.is_none())
    .bind(owner.unwrap_or_default())
    .execute(connection)
    .await?;
    let gone = query("DELETE FROM open_calls WHERE ?1 = 1 OR owner = ?2");
    gone.bind(owner.is_none()).bind(owner.unwrap_or_default()).execute(connection).await?;
    Ok(closed)
}

/// How long ago a call can have been closed that goes on: who is away for longer is told to start anew.
const RECALLED: i64 = 2 * 3_600_000;

/// Calls of one that was taken for dead go on, or have ended since: the records that say that they were lost are not true.
pub(crate) async fn recall(connection: &mut Connection, commits: &[Commit]) -> Result<(), sqlx::Error> {
    let calls =
        commits.iter().flat_map(|commit| commit.changes.iter()).filter_map(|owned| match &owned.change {
            Change::OpenCall(open) => Some((&*open.session_id, &*open.dialled)),
            Change::Record(record) => Some((&*record.session_id, &*record.dialled)),
            _ => None,
        });
    let calls: Vec<(&str, &str)> = calls.collect();
    for calls in calls.chunks(ROWS) {
        let mut untrue = Query::build("DELETE FROM records WHERE ended > ");
        untrue.push(NOW).push(" - ").push_bind(RECALLED).push(" AND detail = ").push_bind(DETAIL);
        untrue.push(" AND (session_id, dialled) IN ").push_pairs(calls);
        untrue.execute(connection).await?;
    }
    Ok(())
}

impl crate::Opened {
    /// Gives each call that was going on when the exchange died its record: cause "node lost". Returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be written.
    pub fn close_open_calls(&mut self) -> Result<u64, StoreError> {
        // A server has seen us, too, and knows better than a folder that was not there.
        let seen = Pulse::of(self.place.data()).last().max(self.lease.as_ref().and_then(|lease| lease.seen));
        let shared = self.lease.as_ref().and_then(Lease::shared).map(str::to_owned);
        self.transact(async |connection| close(connection, seen.unwrap_or(Wall(0)), shared.as_deref()).await)
    }
}
