//! Documents of the ways in: sessions, tokens, one-time links and the like, texts that the store does not look into.
//!
//! They are sealed, because some hold what gives access; each is bound to its kind and name.

use crate::error::StoreError;
use crate::requests::Requests;
use crate::seal::Sealer;
use crate::writer::Request;
use sqlx::{Connection as _, SqliteConnection};

/// A document, or with no text the end of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub kind: String,
    /// Which of its kind.
    pub id: String,
    /// What it says.
    pub text: Option<String>,
}

/// Hears whether documents were kept; `Err` says in words why nothing was changed.
pub type Kept = Box<dyn FnOnce(Result<(), String>) + Send>;

/// The way to keep documents, beside the exchange's own.
#[derive(Clone, Debug)]
pub struct Documents(pub(crate) Requests);

impl Documents {
    /// Hands documents to the writer, without waiting: all of them are kept or none.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot even be queued.
    pub fn keep(&self, documents: Vec<Document>, kept: Kept) -> Result<(), StoreError> {
        self.0.hand(Request::Documents(documents, kept))
    }
}

pub(crate) async fn write(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
    documents: &[Document],
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for Document { kind, id, text } in documents {
        let query = match text {
            Some(text) => sqlx::query(
                "INSERT INTO documents (kind, id, value) VALUES (?, ?, ?) \
                 ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value",
            )
            .bind(kind)
            .bind(id)
            .bind(sealer.seal(&owner(kind, id), text)?),
            None => sqlx::query("DELETE FROM documents WHERE kind = ? AND id = ?").bind(kind).bind(id),
        };
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// Everything that is kept. What was sealed under another key is left out and counted in the log: it gives no access.
pub(crate) async fn read(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
) -> Result<Vec<Document>, sqlx::Error> {
    let rows: Vec<(String, String, Vec<u8>)> =
        sqlx::query_as("SELECT kind, id, value FROM documents ORDER BY kind, id")
            .fetch_all(connection)
            .await?;
    let found = rows.len();
    let open = |(kind, id, value): (String, String, Vec<u8>)| {
        let text = sealer.open_text(&owner(&kind, &id), &value).ok()?;
        Some(Document { kind, id, text: Some(text) })
    };
    let documents: Vec<Document> = rows.into_iter().filter_map(open).collect();
    if documents.len() < found {
        let lost = found - documents.len();
        tracing::warn!(lost, "sessions and tokens were sealed under another key; they are not used");
    }
    Ok(documents)
}

fn owner(kind: &str, id: &str) -> String {
    format!("document {kind} {id}")
}
