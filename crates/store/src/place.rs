//! Where the office is kept: in a file of the data folder, or by a PostgreSQL server.

use crate::error::StoreError;
use crate::postgres::{self, Server};
use crate::sql::{Connection, Query, Row};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The database's name in the data folder.
pub(crate) const DATABASE: &str = "office.db";
/// How long a statement waits for another process that looks into the file.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections that read from a server at once.
const READERS: usize = 8;

/// Where the office is kept. The data folder holds keys and certificates in either case.
#[derive(Clone)]
pub struct Place {
    folder: PathBuf,
    server: Option<Arc<Server>>,
    readers: Arc<Semaphore>,
}

impl Place {
    /// `office.db` in the data folder.
    #[must_use]
    pub fn folder(folder: &Path) -> Place {
        Place { folder: folder.into(), server: None, readers: Arc::new(Semaphore::new(READERS)) }
    }

    /// A PostgreSQL server, by a URL as in `postgresql://user@host/database`; the password may stand apart.
    ///
    /// # Errors
    /// Why the URL names no server, without the password.
    pub fn server(folder: &Path, url: &str, password: Option<&str>) -> Result<Place, String> {
        let server = Some(Arc::new(Server::parse(url, password)?));
        Ok(Place { server, ..Place::folder(folder) })
    }

    /// Whether a connection to the server can be overheard or led astray: the URL says so, and the server is elsewhere.
    #[must_use]
    pub fn trusts_the_network(&self) -> bool {
        self.server.as_ref().is_some_and(|server| server.unverified())
    }

    pub(crate) fn data(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }

    /// Whether it is a server, which several exchanges can reach.
    #[must_use]
    pub fn is_server(&self) -> bool {
        self.server.is_some()
    }

    /// A connection that writes; makes the file if there is none.
    pub(crate) async fn connect(&self) -> Result<Connection, sqlx::Error> {
        match &self.server {
            Some(server) => server.connect().await.map(Connection::Postgres),
            None => options(&self.file()).create_if_missing(true).connect().await.map(Connection::Sqlite),
        }
    }

    /// A connection that reads, or writes into what is there.
    pub(crate) async fn connect_to_known(&self, read_only: bool) -> Result<Connection, sqlx::Error> {
        match &self.server {
            Some(server) => server.connect().await.map(Connection::Postgres),
            None => options(&self.file()).read_only(read_only).connect().await.map(Connection::Sqlite),
        }
    }

    /// Reads rows by a connection of its own, which never hinders the writer.
    pub(crate) async fn read<T>(
        &self,
        query: Query<'_>,
        of: impl Fn(&Row) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, StoreError> {
        let read = async {
            let _turn = self.readers.acquire().await;
            let mut connection = self.connect_to_known(true).await?;
            let rows = query.fetch_all(&mut connection).await?;
            let read = rows.iter().map(of).collect::<Result<Vec<T>, sqlx::Error>>()?;
            connection.close().await?;
            Ok(read)
        };
        read.await.map_err(|error| self.fault(postgres::words(&error)))
    }

    pub(crate) fn fault(&self, what: impl fmt::Display) -> StoreError {
        StoreError::new(self, what)
    }
}

/// The file, or the server without a password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            Some(server) => server.fmt(f),
            None => self.file().display().fmt(f),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How each connection to a file is opened (R21).
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE)
        // Checkpoints are another connection's work, so that no commit pays for one.
        .pragma("wal_autocheckpoint", "0")
}
