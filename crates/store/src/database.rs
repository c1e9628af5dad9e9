//! The writer's connection: thrown away after a failure, opened again for the next try, and only to the same file.

use crate::documents::{self, Document};
use crate::open::options;
use crate::outbox::{self, MessageChange};
use crate::seal::Sealer;
use crate::writer::{self, Fences};
use exchange::{Commit, Epoch, Shard};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Which file a path names: device and inode.
type FileId = (u64, u64);

/// The database as the writer sees it.
pub(crate) struct Database {
    path: PathBuf,
    /// The file that was read at the start. What is written into another, or into one that has no name any more,
    /// would be gone at the next start.
    file: Option<FileId>,
    /// None after a failure: a transaction that broke on a full disk leaves a connection that can begin no other.
    connection: Option<SqliteConnection>,
}

impl Database {
    pub(crate) fn new(path: &Path, connection: SqliteConnection) -> Database {
        Database { path: path.to_owned(), file: file_id(path), connection: Some(connection) }
    }

    /// Writes a group in one transaction.
    pub(crate) async fn write(&mut self, sealer: &Sealer, commits: &[Commit]) -> Result<Fences, sqlx::Error> {
        let written = match self.connection().await {
            Ok(connection) => writer::write(connection, sealer, commits).await,
            Err(error) => Err(error),
        };
        if written.is_err() {
            self.throw_away().await;
        }
        written
    }

    /// Writes documents in one transaction.
    pub(crate) async fn keep(&mut self, sealer: &Sealer, documents: &[Document]) -> Result<(), sqlx::Error> {
        let written = match self.connection().await {
            Ok(connection) => documents::write(connection, sealer, documents).await,
            Err(error) => Err(error),
        };
        if written.is_err() {
            self.throw_away().await;
        }
        written
    }

    /// Writes what became of a message in one transaction.
    pub(crate) async fn change_message(&mut self, change: &MessageChange) -> Result<(), sqlx::Error> {
        let written = match self.connection().await {
            Ok(connection) => outbox::change(connection, change).await,
            Err(error) => Err(error),
        };
        if written.is_err() {
            self.throw_away().await;
        }
        written
    }

    /// Makes `epoch` the least that may write to a shard.
    pub(crate) async fn take_shard(&mut self, shard: Shard, epoch: Epoch) -> Result<(), sqlx::Error> {
        writer::take_shard(self.connection().await?, shard, epoch).await
    }

    async fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        if self.file.is_none() || file_id(&self.path) != self.file {
            let what = format!("{} was moved, removed or replaced; put it back", self.path.display());
            return Err(sqlx::Error::Io(std::io::Error::other(what)));
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => options(&self.path).connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Whole before the next is opened: the last to close folds the log into the file and removes it by its name.
    async fn throw_away(&mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = connection.close().await;
        }
    }

    pub(crate) async fn close(mut self) {
        // The file is complete either way; closing only spares the next one the log.
        self.throw_away().await;
    }
}

fn file_id(path: &Path) -> Option<FileId> {
    let known = path.metadata().ok()?;
    Some((known.dev(), known.ino()))
}
