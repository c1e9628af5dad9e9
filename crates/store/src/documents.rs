//! Documents of the ways in: sessions, tokens, one-time links and the like, texts that the store does not look into.
//!
//! They are sealed, because some hold what gives access; each is bound to its kind and name.

use crate::error::StoreError;
use crate::requests::Requests;
use crate::seal::Sealer;
use crate::sql::{Clash, Connection, insert_one, query};
use crate::writer::Request;

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

/// Writes them inside the transaction that the connection is in.
pub(crate) async fn write(
    connection: &mut Connection,
    sealer: &Sealer,
    documents: &[Document],
) -> Result<(), sqlx::Error> {
    for Document { kind, id, text } in documents {
        match text {
            Some(text) => {
                let sealed = sealer.seal(&owner(kind, id), text)?;
                insert_one(connection, ("documents", &["kind", "id", "value"]), Clash::Replace(2), |row| {
                    row.bind(kind).bind(id).bind(sealed);
                })
                .await?;
            }
            None => {
                let gone = query("DELETE FROM documents WHERE kind = ? AND id = ?");
                gone.bind(kind).bind(id).execute(connection).await?;
            }
        }
    }
    Ok(())
}

/// Everything that is kept. What was sealed under another key is left out and counted in the log: it gives no access.
pub(crate) async fn read(connection: &mut Connection, sealer: &Sealer) -> Result<Vec<Document>, sqlx::Error> {
    let rows = query("SELECT kind, id, value FROM documents ORDER BY kind, id").fetch_all(connection).await?;
    let mut documents = Vec::with_capacity(rows.len());
    for row in &rows {
        let (kind, id): (String, String) = (row.get("kind")?, row.get("id")?);
        if let Ok(text) = sealer.open_text(&owner(&kind, &id), row.get("value")?) {
            documents.push(Document { kind, id, text: Some(text) });
        }
    }
    if documents.len() < rows.len() {
        let lost = rows.len() - documents.len();
        tracing::warn!(lost, "sessions and tokens were sealed under another key; they are not used");
    }
    Ok(documents)
}

fn owner(kind: &str, id: &str) -> String {
    format!("document {kind} {id}")
}
