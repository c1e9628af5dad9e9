//! Opening the store, and the handle that everybody else holds.

use crate::documents::{self, Document, Documents};
use crate::error::StoreError;
use crate::outbox::Outbox;
use crate::records::Records;
use crate::requests::Requests;
use crate::seal::Sealer;
use crate::writer::{self, Request};
use crate::{migrate, snapshot};
use exchange::{Change, Commit, Epoch, Owned, Shard, Snapshot, StoreAnswer};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::Notify;

/// Commits that wait for the writer; the exchange promises no more than it has room for.
const QUEUE: usize = 32_768;
/// How long a statement waits for another process that looks into the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// A store that was opened and read, before its writer runs.
pub struct Opened {
    /// What it holds, for the exchange.
    pub snapshot: Snapshot,
    /// The documents of the ways in.
    pub documents: Vec<Document>,
    settings: BTreeMap<String, String>,
    pub(crate) connection: SqliteConnection,
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) path: PathBuf,
    sealer: Sealer,
}

/// The way to the writer; dropped, the writer ends after what it has.
pub struct Store {
    requests: SyncSender<Request>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
    /// Told of new messages in the outbox.
    written: Arc<Notify>,
}

impl Opened {
    /// Opens or makes `office.db` in a folder that exists.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be opened, is no database of ours, or comes from a newer Ringdown.
    pub fn open(folder: &Path) -> Result<Opened, StoreError> {
        let path = folder.join("office.db");
        let sealer = Sealer::open(folder)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| StoreError::new(&path, error))?;
        let opened = runtime.block_on(async {
            let mut connection =
                options(&path).create_if_missing(true).connect().await.map_err(|error| error.to_string())?;
            migrate::migrate(&mut connection).await?;
            let read = snapshot::read(&mut connection, &sealer).await.map_err(|error| error.to_string())?;
            let documents =
                documents::read(&mut connection, &sealer).await.map_err(|error| error.to_string())?;
            Ok::<_, String>((connection, read, documents))
        });
        let (connection, (snapshot, settings), documents) =
            opened.map_err(|what| StoreError::new(&path, what))?;
        Ok(Opened { snapshot, documents, settings, connection, sealer, runtime, path })
    }

    /// A setting that was kept.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    /// Keeps a setting, before the writer runs.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub fn keep_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        let written = self.runtime.block_on(
            sqlx::query("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
                .bind(name)
                .bind(value)
                .execute(&mut self.connection),
        );
        written.map_err(|error| StoreError::new(&self.path, error))?;
        self.settings.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Keeps changes, before the writer runs: what a first start makes.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be written.
    pub fn keep(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let owned =
            changes.iter().map(|change| Owned { shard: Shard(0), epoch: Epoch(1), change: change.clone() });
        let commit = Commit { sequence: 0, urgent: true, changes: owned.collect() };
        let written = self.runtime.block_on(writer::write(
            &mut self.connection,
            &self.sealer,
            std::slice::from_ref(&commit),
        ));
        written.map(drop).map_err(|error| StoreError::new(&self.path, error))
    }

    /// Closes the database without starting the writer.
    pub fn close(self) {
        // The file is complete either way; closing only spares the next one the log.
        let _ = self.runtime.block_on(self.connection.close());
    }

    /// Starts the writer. `answer` hears of each commit by its sequence number.
    ///
    /// # Errors
    /// [`StoreError`] when no thread can be had.
    pub fn start(self, answer: impl FnMut(u64, StoreAnswer) + Send + 'static) -> Result<Store, StoreError> {
        let (requests, queue) = sync_channel(QUEUE);
        let Opened { connection, sealer, runtime, path, .. } = self;
        let (file, written) = (path.clone(), Arc::<Notify>::default());
        let told = Arc::clone(&written);
        let thread = thread::Builder::new()
            .name("store".into())
            .spawn(move || writer::run(runtime, connection, &sealer, &file, &queue, &told, answer))
            .map_err(|error| StoreError::new(&path, error))?;
        Ok(Store { requests, thread: Some(thread), path, written })
    }
}

impl Store {
    /// Hands changes to the writer, without waiting.
    ///
    /// # Errors
    /// The commit's answer when it cannot even be queued.
    pub fn commit(&self, commit: Commit) -> Result<(), StoreAnswer> {
        let urgent = commit.urgent;
        self.requests.try_send(Request::Commit(commit)).map_err(|error| {
            let why = match error {
                TrySendError::Full(_) => "the store cannot keep up",
                TrySendError::Disconnected(_) => "the store's writer is gone",
            };
            StoreAnswer::Unavailable { why: why.into() }
        })?;
        if urgent {
            self.wake();
        }
        Ok(())
    }

    /// The writer may be collecting what nobody waits for.
    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// Makes `epoch` the least that may write to a shard (R19).
    ///
    /// # Errors
    /// When the writer cannot be told.
    pub fn take_shard(&self, shard: Shard, epoch: Epoch) -> Result<(), StoreError> {
        let told = self.requests.try_send(Request::TakeShard(shard, epoch));
        told.map_err(|_| StoreError::new(&self.path, "the store cannot keep up"))?;
        self.wake();
        Ok(())
    }

    /// A reader of call records with a connection of its own.
    #[must_use]
    pub fn records(&self) -> Records {
        Records::new(&self.path)
    }

    /// The way to keep documents.
    #[must_use]
    pub fn documents(&self) -> Documents {
        Documents(self.way())
    }

    /// The way to the messages that wait to be carried.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        Outbox::new(self.way(), Arc::clone(&self.written))
    }

    fn way(&self) -> Requests {
        let writer = self.thread.as_ref().map(|thread| thread.thread().clone());
        Requests::new(self.requests.clone(), writer, &self.path)
    }

    /// Waits until everything that was handed over is written, and ends the writer.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.requests.send(Request::Stop);
        self.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.end();
    }
}

/// How each connection is opened (R21).
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE)
        // Checkpoints are another connection's work, so that no commit pays for one.
        .pragma("wal_autocheckpoint", "0")
}
