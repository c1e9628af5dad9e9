//! Calls that went on when the exchange died: closed at the next start, one record each (R20).

use crate::error::StoreError;
use clock::Wall;
use sqlx::{Connection as _, SqliteConnection};
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
    pub(crate) fn of(database: &Path) -> Pulse {
        Pulse { path: database.with_file_name("alive") }
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

/// Gives each call that was open its record; returns how many there were.
pub(crate) async fn close(connection: &mut SqliteConnection, pulse: &Pulse) -> Result<u64, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let last = pulse.last().map_or(0, |last| last.0);
    let closed = sqlx::query(
        "INSERT INTO records (session_id, caller_number, caller_name, dialled, answered_by, started, answered, ended, \
         ringing_ms, talking_ms, cause, blame, status, detail, task) \
         SELECT session_id, caller_number, caller_name, dialled, answered_by, started, answered, \
         max(?1, started, coalesce(answered, 0)), \
         coalesce(answered, max(?1, started)) - started, \
         CASE WHEN answered IS NULL THEN 0 ELSE max(?1 - answered, 0) END, \
         ?2, ?3, CASE WHEN answered IS NULL THEN 503 ELSE 200 END, ?4, task \
         FROM open_calls ORDER BY started, session_id",
    )
    .bind(last)
    .bind(calls::Cause::NodeLost.name())
    .bind(calls::Cause::NodeLost.blame().name())
    .bind(DETAIL)
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    if closed > 0 {
        sqlx::query("DELETE FROM open_calls").execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(closed)
}

impl crate::Opened {
    /// Gives each call that was going on when the exchange died its record: cause "node lost". Returns how many.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be written.
    pub fn close_open_calls(&mut self) -> Result<u64, StoreError> {
        let pulse = Pulse::of(&self.path);
        let closed = self.runtime.block_on(close(&mut self.connection, &pulse));
        closed.map_err(|error| StoreError::new(&self.path, error))
    }
}
