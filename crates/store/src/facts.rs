//! Facts in the database: what was decided by itself, kept for 30 days.

use crate::error::StoreError;
use crate::place::Place;
use crate::sql::{Clash, Connection, Row, insert, query};
use exchange::Fact;

/// Milliseconds that a fact is kept.
const KEPT: i64 = 30 * 24 * 3_600 * 1_000;
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

pub(crate) async fn write(connection: &mut Connection, facts: &[&Fact]) -> Result<(), sqlx::Error> {
    let into = ("facts", &["time", "kind", "subject", "rule", "words"][..]);
    insert(connection, into, Clash::Refuse, facts, |row, fact| {
        row.bind(fact.time.0).bind(fact.kind.name()).bind(&*fact.subject);
        row.bind(&*fact.rule).bind(&*fact.words);
    })
    .await?;
    if let Some(newest) = facts.iter().map(|fact| fact.time.0).max() {
        query("DELETE FROM facts WHERE time < ?").bind(newest - KEPT).execute(connection).await?;
    }
    Ok(())
}

/// The facts about something, oldest first. A call may be named by the first digits of its session.
pub(crate) async fn about(place: &Place, kind: &str, subject: &str) -> Result<Vec<KeptFact>, StoreError> {
    let query = query(
        "SELECT time, rule, words FROM facts WHERE kind = ?1 AND (subject = ?2 OR (length(?2) >= 6 AND \
         substr(subject, 1, length(?2)) = ?2)) ORDER BY id LIMIT ?3",
    );
    let fact =
        |row: &Row| Ok(KeptFact { time: row.get("time")?, rule: row.get("rule")?, words: row.get("words")? });
    place.read(query.bind(kind).bind(subject).bind(MOST), fact).await
}
