//! Reading call records, by connections that never hinder the writer.

use crate::error::StoreError;
use crate::facts::{self, KeptFact};
use crate::open::options;
use sqlx::sqlite::SqliteRow;
use sqlx::{ConnectOptions as _, FromRow, Row as _};
use std::path::{Path, PathBuf};

/// A call record as it is kept; times in milliseconds since 1970 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// In the order of their end.
    pub id: i64,
    /// Names the call in every trace (RFC 7989).
    pub session_id: String,
    /// Who called.
    pub caller_number: String,
    /// The caller's name; hostile input when the call came by a trunk.
    pub caller_name: String,
    /// What was dialled.
    pub dialled: String,
    /// The device that answered, or the service; empty if none did.
    pub answered_by: String,
    /// When it began.
    pub started: i64,
    /// When it was answered.
    pub answered: Option<i64>,
    /// When it was over.
    pub ended: i64,
    /// From the beginning to the answer or the end.
    pub ringing_ms: i64,
    /// From the answer to the end.
    pub talking_ms: i64,
    /// Why it ended.
    pub cause: String,
    /// Whose doing that was.
    pub blame: String,
    /// The final status that the caller got.
    pub status: u16,
    /// More to say, if there is.
    pub detail: String,
}

/// A reader of records.
#[derive(Clone, Debug)]
pub struct Records {
    path: PathBuf,
}

impl Records {
    pub(crate) fn new(path: &Path) -> Records {
        Records { path: path.to_owned() }
    }

    /// At most `most` records with a number above `after`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn after(&self, after: i64, most: u32) -> Result<Vec<Record>, StoreError> {
        let read = async {
            let mut connection = options(&self.path).read_only(true).connect().await?;
            sqlx::query_as("SELECT * FROM records WHERE id > ? ORDER BY id LIMIT ?")
                .bind(after)
                .bind(most)
                .fetch_all(&mut connection)
                .await
        };
        read.await.map_err(|error: sqlx::Error| StoreError::new(&self.path, error))
    }

    /// The newest `most` records, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn newest(&self, most: u32) -> Result<Vec<Record>, StoreError> {
        let read = async {
            let mut connection = options(&self.path).read_only(true).connect().await?;
            sqlx::query_as("SELECT * FROM (SELECT * FROM records ORDER BY id DESC LIMIT ?) ORDER BY id")
                .bind(most)
                .fetch_all(&mut connection)
                .await
        };
        read.await.map_err(|error: sqlx::Error| StoreError::new(&self.path, error))
    }
}

impl Records {
    /// The facts about something, oldest first; a call may be named by the first six or more digits of its session.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn facts(&self, kind: &str, subject: &str) -> Result<Vec<KeptFact>, StoreError> {
        facts::about(&self.path, kind, subject).await
    }
}

impl FromRow<'_, SqliteRow> for Record {
    fn from_row(row: &SqliteRow) -> Result<Record, sqlx::Error> {
        Ok(Record {
            id: row.try_get("id")?,
            session_id: row.try_get("session_id")?,
            caller_number: row.try_get("caller_number")?,
            caller_name: row.try_get("caller_name")?,
            dialled: row.try_get("dialled")?,
            answered_by: row.try_get("answered_by")?,
            started: row.try_get("started")?,
            answered: row.try_get("answered")?,
            ended: row.try_get("ended")?,
            ringing_ms: row.try_get("ringing_ms")?,
            talking_ms: row.try_get("talking_ms")?,
            cause: row.try_get("cause")?,
            blame: row.try_get("blame")?,
            status: row.try_get("status")?,
            detail: row.try_get("detail")?,
        })
    }
}
