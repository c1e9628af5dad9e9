//! Documents of the ways in: sessions, tokens, one-time links and the like, texts that the store does not look into.
//!
//! They are sealed, because some hold what gives access; each is bound to its kind and name.

use crate::error::StoreError;
use crate::migrate;
use crate::open::runtime;
use crate::place::Place;
use crate::postgres::words;
use crate::requests::Requests;
use crate::seal::Sealer;
use crate::sql::{Clash, Connection, Query, Row, insert_one, query};
use crate::writer::Request;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::runtime::Runtime;

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

/// How documents are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Whatever was there.
    Put,
    /// If they are there.
    Renew,
    /// Whatever was there; but the first ends, and if it is not there nothing is changed.
    Spend,
}

/// Hears whether documents were kept; `Err` says in words why nothing was changed.
pub type Kept = Box<dyn FnOnce(Result<(), String>) + Send>;

/// Hears which documents there are; `Err` says in words why nobody knows.
pub type Found = Box<dyn FnOnce(Result<Vec<Document>, String>) + Send>;

/// The way to keep documents, beside the exchange's own.
#[derive(Clone)]
pub struct Documents {
    requests: Requests,
    sealer: Arc<Sealer>,
    keeps: Arc<AtomicBool>,
}

impl Documents {
    pub(crate) fn new(requests: Requests, sealer: Arc<Sealer>, keeps: Arc<AtomicBool>) -> Documents {
        Documents { requests, sealer, keeps }
    }

    /// Whether what must happen once is ours; always, where nobody shares the database.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.keeps.load(Ordering::Relaxed)
    }

    /// Everything that is kept now.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn all(&self) -> Result<Vec<Document>, StoreError> {
        let all = query("SELECT kind, id, value FROM documents ORDER BY kind, id");
        let read = |row: &Row| open(&self.sealer, row);
        let found = self.requests.place().read(all, read).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Hands documents to the writer, without waiting: all of them are kept or none.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot even be queued.
    pub fn keep(&self, documents: Vec<Document>, kept: Kept) -> Result<(), StoreError> {
        self.requests.hand(Request::Documents(Writing::Put, documents, kept))
    }

    /// The same, and ends one that may be used once: whoever else does at this moment, here or at another exchange, finds it gone, and
    /// keeps nothing.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot even be queued.
    pub fn spend(&self, used: Document, mut documents: Vec<Document>, kept: Kept) -> Result<(), StoreError> {
        documents.insert(0, Document { text: None, ..used });
        self.requests.hand(Request::Documents(Writing::Spend, documents, kept))
    }

    /// The same for what is there already: what ended meanwhile, here or at another exchange, stays ended.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot even be queued.
    pub fn renew(&self, documents: Vec<Document>, kept: Kept) -> Result<(), StoreError> {
        self.requests.hand(Request::Documents(Writing::Renew, documents, kept))
    }

    /// Asks for all documents of a kind, or for one, as they are kept when it is this question's turn.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot even be queued.
    pub fn find(&self, kind: &str, id: Option<&str>, found: Found) -> Result<(), StoreError> {
        self.requests.hand(Request::Find(kind.to_owned(), id.map(str::to_owned), found))
    }
}

/// Who looks at documents that somebody else has, and changes some: by connections of its own, and without a lease. What
/// whoever has them keeps in memory, they do not hear of.
pub struct Visitor {
    place: Place,
    sealer: Sealer,
    runtime: Runtime,
}

impl Visitor {
    /// Of a database that somebody has made.
    ///
    /// # Errors
    /// [`StoreError`] when the key of the data folder cannot be read.
    pub fn open(place: &Place) -> Result<Visitor, StoreError> {
        let runtime = runtime().map_err(|error| place.fault(error))?;
        Ok(Visitor { place: place.clone(), sealer: Sealer::open(place.data())?, runtime })
    }

    /// As [`Documents::find`].
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    pub fn find(&self, kind: &str, id: Option<&str>) -> Result<Vec<Document>, StoreError> {
        self.with(async |connection| find(connection, &self.sealer, kind, id).await)
    }

    /// As [`Documents::keep`].
    ///
    /// # Errors
    /// [`StoreError`] when they are not kept, or nobody knows.
    pub fn keep(&self, documents: &[Document]) -> Result<(), StoreError> {
        self.with(async |connection| {
            connection.begin().await?;
            write(connection, &self.sealer, Writing::Put, documents).await?;
            connection.commit().await
        })
    }

    fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let done = self.runtime.block_on(async {
            let mut connection = self.place.connect_to_known(false).await.map_err(|error| words(&error))?;
            let form = migrate::form(&mut connection).await.map_err(|error| words(&error))?;
            if migrate::known(form)? < migrate::FORM {
                return Err("nobody has started on it yet, or one of before; start it first".to_owned());
            }
            let done = work(&mut connection).await.map_err(|error| words(&error))?;
            connection.close().await.map_err(|error| words(&error))?;
            Ok(done)
        });
        done.map_err(|what| self.place.fault(what))
    }
}

/// Writes them inside the transaction that the connection is in.
pub(crate) async fn write(
    connection: &mut Connection,
    sealer: &Sealer,
    writing: Writing,
    documents: &[Document],
) -> Result<(), sqlx::Error> {
    for (place, Document { kind, id, text }) in documents.iter().enumerate() {
        match text {
            Some(text) if writing == Writing::Renew => {
                let sealed = sealer.seal(&owner(kind, id), text)?;
                let renewed = query("UPDATE documents SET value = ? WHERE kind = ? AND id = ?");
                renewed.bind(sealed).bind(kind).bind(id).execute(connection).await?;
            }
            Some(text) => {
                let sealed = sealer.seal(&owner(kind, id), text)?;
                insert_one(connection, ("documents", &["kind", "id", "value"]), Clash::Replace(2), |row| {
                    row.bind(kind).bind(id).bind(sealed);
                })
                .await?;
            }
            None => {
                let gone = query("DELETE FROM documents WHERE kind = ? AND id = ?");
                let ended = gone.bind(kind).bind(id).execute(connection).await?;
                if ended == 0 && place == 0 && writing == Writing::Spend {
                    return Err(sqlx::Error::Protocol(format!("this {kind} was used")));
                }
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
        documents.extend(open(sealer, row)?);
    }
    if documents.len() < rows.len() {
        let lost = rows.len() - documents.len();
        tracing::warn!(lost, "sessions and tokens were sealed under another key; they are not used");
    }
    Ok(documents)
}

/// A row's document; `None` if it was sealed under another key.
fn open(sealer: &Sealer, row: &Row) -> Result<Option<Document>, sqlx::Error> {
    let (kind, id): (String, String) = (row.get("kind")?, row.get("id")?);
    let text = sealer.open_text(&owner(&kind, &id), row.get("value")?).ok();
    Ok(text.map(|text| Document { kind, id, text: Some(text) }))
}

/// These as they are now, by their names in the feed; what is not there has ended.
pub(crate) async fn now(
    connection: &mut Connection,
    sealer: &Sealer,
    names: &BTreeSet<String>,
) -> Result<Vec<Document>, sqlx::Error> {
    let mut documents = Vec::with_capacity(names.len());
    for name in names {
        let Some((kind, id)) = name.split_once(' ') else { continue };
        let there = query("SELECT kind, id, value FROM documents WHERE kind = ? AND id = ?");
        match there.bind(kind).bind(id).fetch_optional(connection).await? {
            Some(row) => documents.extend(open(sealer, &row)?),
            None => documents.push(Document { kind: kind.into(), id: id.into(), text: None }),
        }
    }
    Ok(documents)
}

/// Those of a kind, or one. What was sealed under another key is a fault: whoever asks goes by what there is.
pub(crate) async fn find(
    connection: &mut Connection,
    sealer: &Sealer,
    kind: &str,
    id: Option<&str>,
) -> Result<Vec<Document>, sqlx::Error> {
    let mut wanted = Query::build("SELECT id, value FROM documents WHERE kind = ");
    wanted.push_bind(kind);
    if let Some(id) = id {
        wanted.push(" AND id = ").push_bind(id);
    }
    wanted.push(" ORDER BY id");
    let mut documents = Vec::new();
    for row in &wanted.fetch_all(connection).await? {
        let id: String = row.get("id")?;
        let text = sealer.open_text(&owner(kind, &id), row.get("value")?)?;
        documents.push(Document { kind: kind.to_owned(), id, text: Some(text) });
    }
    Ok(documents)
}

/// A document's name in the feed; no kind has a space.
pub(crate) fn name(document: &Document) -> String {
    format!("{} {}", document.kind, document.id)
}

fn owner(kind: &str, id: &str) -> String {
    format!("document {kind} {id}")
}
