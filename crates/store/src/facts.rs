//! Facts in the database: what was decided by itself, kept for 30 days.

use crate::error::StoreError;
use crate::open::options;
use exchange::Fact;
use sqlx::{ConnectOptions as _, QueryBuilder, Sqlite, SqliteConnection};
use std::path::Path;

/// Milliseconds that a fact is kept.
const KEPT: i64 = 30 * 24 * 3_600 * 1_000;
/// Rows of one statement.
const ROWS: usize = 1_000;
/// Facts of one answer.
const MOST: u32 = 1_000;

/// A fact as it is kept; the time in milliseconds since 1970 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFact {
    /// When it was decided.
    pub time: i64,
    /// The rule that decided.
    pub rule: String,
    /// The decision in words.
    pub words: String,
}

pub(crate) async fn write(connection: &mut SqliteConnection, facts: &[&Fact]) -> Result<(), sqlx::Error> {
    for rows in facts.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO facts (time, kind, subject, rule, words) ");
        query.push_values(rows, |mut row, fact| {
            row.push_bind(fact.time.0).push_bind(fact.kind.name()).push_bind(&*fact.subject);
            row.push_bind(&*fact.rule).push_bind(&*fact.words);
        });
        query.build().execute(&mut *connection).await?;
    }
    if let Some(newest) = facts.iter().map(|fact| fact.time.0).max() {
        sqlx::query("DELETE FROM facts WHERE time < ?").bind(newest - KEPT).execute(connection).await?;
    }
    Ok(())
}

/// The facts about something, oldest first. A call may be named by the first digits of its session.
pub(crate) async fn about(path: &Path, kind: &str, subject: &str) -> Result<Vec<KeptFact>, StoreError> {
    let read = async {
        let mut connection = options(path).read_only(true).connect().await?;
        let rows: Vec<(i64, String, String)> = sqlx::query_as(
            "SELECT time, rule, words FROM facts WHERE kind = ? AND (subject = ? OR (length(?) >= 6 AND \
             substr(subject, 1, length(?)) = ?)) ORDER BY id LIMIT ?",
        )
        .bind(kind)
        .bind(subject)
        .bind(subject)
        .bind(subject)
        .bind(subject)
        .bind(MOST)
        .fetch_all(&mut connection)
        .await?;
        Ok(rows.into_iter().map(|(time, rule, words)| KeptFact { time, rule, words }).collect())
    };
    read.await.map_err(|error: sqlx::Error| StoreError::new(path, error))
}
