//! Reading call records, by connections that never hinder the writer.

use crate::error::StoreError;
use crate::facts::{self, KeptFact};
use crate::open::options;
use crate::outbox::{self, KeptMessage};
use sqlx::sqlite::SqliteRow;
use sqlx::{ConnectOptions as _, FromRow, QueryBuilder, Row as _, Sqlite};
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
    /// The background call that it was made for.
    pub task: Option<i64>,
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

    pub(crate) fn path(&self) -> &Path {
        &self.path
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

/// Which records are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordsWanted {
    /// Only records with a lower number.
    pub before: Option<i64>,
    /// Only calls that began at this time or later; milliseconds since 1970 UTC.
    pub from: Option<i64>,
    /// Only calls that began before this time.
    pub to: Option<i64>,
    /// Only records that contain this text; empty for all.
    pub find: String,
    /// Only the call whose Session-ID begins so; empty for all.
    pub session: String,
    /// Only the calls of this background call.
    pub task: Option<i64>,
    /// Only calls from or to these numbers, or answered by these devices; all if there is none.
    pub own: Option<(Vec<String>, Vec<String>)>,
    /// Records at most.
    pub most: u32,
}

impl Records {
    /// The records that are wanted, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn page(&self, wanted: &RecordsWanted) -> Result<Vec<Record>, StoreError> {
        let read = async {
            let mut connection = options(&self.path).read_only(true).connect().await?;
            query(wanted).build_query_as().fetch_all(&mut connection).await
        };
        read.await.map_err(|error: sqlx::Error| StoreError::new(&self.path, error))
    }
}

fn query(wanted: &RecordsWanted) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT * FROM records WHERE id < ");
    query.push_bind(wanted.before.unwrap_or(i64::MAX));
    if let Some(from) = wanted.from {
        query.push(" AND started >= ").push_bind(from);
    }
    if let Some(to) = wanted.to {
        query.push(" AND started < ").push_bind(to);
    }
    if let Some(task) = wanted.task {
        query.push(" AND task = ").push_bind(task);
    }
    if !wanted.session.is_empty() {
        query.push(" AND session_id LIKE ").push_bind(format!("{}%", literal(&wanted.session)));
        query.push(" ESCAPE '\\'");
    }
    if !wanted.find.is_empty() {
        let pattern = format!("%{}%", literal(&wanted.find));
        query.push(" AND (");
        for (index, column) in FOUND.iter().enumerate() {
            query.push(if index == 0 { "" } else { " OR " }).push(*column).push(" LIKE ");
            query.push_bind(pattern.clone()).push(" ESCAPE '\\'");
        }
        query.push(")");
    }
    if let Some((numbers, devices)) = &wanted.own {
        query.push(" AND (");
        for (column, values) in [("caller_number", numbers), ("dialled", numbers), ("answered_by", devices)] {
            query.push(column).push(" IN (");
            let mut list = query.separated(", ");
            for value in values {
                list.push_bind(value.clone());
            }
            query.push(if column == "answered_by" { "))" } else { ") OR " });
        }
    }
    query.push(" ORDER BY id DESC LIMIT ").push_bind(wanted.most);
    query
}

/// Where a text is looked for.
const FOUND: [&str; 6] = ["caller_number", "caller_name", "dialled", "answered_by", "cause", "session_id"];

/// A text as a pattern that only matches itself.
fn literal(text: &str) -> String {
    text.chars()
        .flat_map(|letter| matches!(letter, '%' | '_' | '\\').then_some('\\').into_iter().chain([letter]))
        .collect()
}

impl Records {
    /// The facts about something, oldest first; a call may be named by the first six or more digits of its session.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn facts(&self, kind: &str, subject: &str) -> Result<Vec<KeptFact>, StoreError> {
        facts::about(&self.path, kind, subject).await
    }

    /// The messages to people about a background call, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn messages(&self, task: i64) -> Result<Vec<KeptMessage>, StoreError> {
        outbox::of_task(&self.path, task).await
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
            task: row.try_get("task")?,
        })
    }
}
