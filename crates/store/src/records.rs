//! Reading call records, by connections that never hinder the writer.

use crate::error::StoreError;
use crate::facts::{self, KeptFact};
use crate::outbox::{self, KeptMessage};
use crate::place::Place;
use crate::sql::{Query, Row, query};

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
pub struct Records(pub(crate) Place);

impl Records {
    /// At most `most` records with a number above `after`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn after(&self, after: i64, most: u32) -> Result<Vec<Record>, StoreError> {
        let records = query("SELECT * FROM records WHERE id > ? ORDER BY id LIMIT ?");
        self.0.read(records.bind(after).bind(most), Record::of).await
    }

    /// The newest `most` records, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn newest(&self, most: u32) -> Result<Vec<Record>, StoreError> {
        let newest = "SELECT * FROM (SELECT * FROM records ORDER BY id DESC LIMIT ?) AS newest ORDER BY id";
        self.0.read(query(newest).bind(most), Record::of).await
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
        self.0.read(wanted.query(), Record::of).await
    }
}

impl RecordsWanted {
    fn query(&self) -> Query<'_> {
        let mut query = Query::build("SELECT * FROM records WHERE id < ");
        query.push_bind(self.before.unwrap_or(i64::MAX));
        if let Some(from) = self.from {
            query.push(" AND started >= ").push_bind(from);
        }
        if let Some(to) = self.to {
            query.push(" AND started < ").push_bind(to);
        }
        if let Some(task) = self.task {
            query.push(" AND task = ").push_bind(task);
        }
        if !self.session.is_empty() {
            let pattern = format!("{}%", literal(&self.session.to_ascii_lowercase()));
            query.push(" AND lower(session_id) LIKE ").push_bind(pattern).push(" ESCAPE '\\'");
        }
        if !self.find.is_empty() {
            // The engines do not agree on whether LIKE tells capitals from others.
            let pattern = format!("%{}%", literal(&self.find.to_ascii_lowercase()));
            query.push(" AND (");
            for (index, column) in FOUND.iter().enumerate() {
                query.push(if index == 0 { "" } else { " OR " }).push("lower(").push(column).push(") LIKE ");
                query.push_bind(pattern.clone()).push(" ESCAPE '\\'");
            }
            query.push(")");
        }
        if let Some((numbers, devices)) = &self.own {
            query.push(" AND (");
            for (column, values) in
                [("caller_number", numbers), ("dialled", numbers), ("answered_by", devices)]
            {
                query.push(column).push(" IN ");
                query.push_list(values.iter().map(String::as_str));
                query.push(if column == "answered_by" { ")" } else { " OR " });
            }
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(self.most);
        query
    }
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
        facts::about(&self.0, kind, subject).await
    }

    /// The messages to people about a background call, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn messages(&self, task: i64) -> Result<Vec<KeptMessage>, StoreError> {
        outbox::of_task(&self.0, task).await
    }
}

impl Record {
    fn of(row: &Row) -> Result<Record, sqlx::Error> {
        Ok(Record {
            id: row.get("id")?,
            session_id: row.get("session_id")?,
            caller_number: row.get("caller_number")?,
            caller_name: row.get("caller_name")?,
            dialled: row.get("dialled")?,
            answered_by: row.get("answered_by")?,
            started: row.get("started")?,
            answered: row.get("answered")?,
            ended: row.get("ended")?,
            ringing_ms: row.get("ringing_ms")?,
            talking_ms: row.get("talking_ms")?,
            cause: row.get("cause")?,
            blame: row.get("blame")?,
            status: row.get("status")?,
            detail: row.get("detail")?,
            task: row.get("task")?,
        })
    }
}
