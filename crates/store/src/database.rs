//! The writer's connection: thrown away after a failure, opened again for the next try, and only to the same database.
//!
//! ```text
//!            +--failed before COMMIT: nothing is there--+
//!            v                                          |
//! known --transaction--> COMMIT --acknowledged--> known |
//!            ^              |                           |
//!            |              +--no answer--> doubt       |
//!            +---a new connection finds the mark--'     |
//! ```
//!
//! On a server the answer to a COMMIT may be lost with the connection. Until the mark was read back nobody is told
//! either way, and nothing else is written.

use crate::feed::{self, Fed};
use crate::lease::{self, Lease};
use crate::members::{self, Joining, Tended, Tending};
use crate::place::Place;
use crate::postgres::words;
use crate::seal::Sealer;
use crate::sql::Connection;
use exchange::Epoch;
use std::cell::Cell;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Which file a path names: device and inode.
type FileId = (u64, u64);

/// How long a server may take to begin a transaction, or to take another connection: as long as what must happen once may go on
/// without it.
const BEGINNING: Duration = Duration::from_secs(3);
/// How long a server that said nothing is not asked again: whoever waits hears at once that it is away, not one after the other.
const SILENCE: Duration = Duration::from_secs(1);
/// How long a transaction on a server may take. Whoever is cut off in the midst of one waits so long, and REGISTER with it.
const PATIENCE: Duration = Duration::from_secs(15);

/// The database as the writer sees it.
pub(crate) struct Database {
    place: Place,
    /// The file that was read at the start. What is written into another, or into one that has no name any more,
    /// would be gone at the next start.
    file: Option<FileId>,
    /// On a server: the right to write, and which transaction was the last.
    lease: Option<Lease>,
    /// None after a failure: a transaction that broke on a full disk leaves a connection that can begin no other.
    connection: Option<Connection>,
    /// The last COMMIT got no answer.
    doubt: bool,
    /// When a server last said nothing to us who wanted a connection.
    silent: Option<Instant>,
}

/// Why something is not known to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing was changed.
    Away(String),
    /// It may be there; [`Database::settle`] finds out.
    Doubt,
}

impl Database {
    pub(crate) fn new(place: &Place, connection: Connection, lease: Option<Lease>) -> Database {
        let file = file_id(&place.file());
        Database {
            place: place.clone(),
            file,
            lease,
            connection: Some(connection),
            doubt: false,
            silent: None,
        }
    }

    /// Does this in one transaction.
    pub(crate) async fn transact<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, Fault> {
        if self.doubt {
            return Err(Fault::Away("what was written last is not known yet: the server is away".to_owned()));
        }
        let mut connection = match self.begin().await {
            Ok(connection) => connection,
            Err(error) => return Err(Fault::Away(words(&error))),
        };
        let committing = Cell::new(false);
        let transaction = async {
            let done = work(&mut connection).await?;
            committing.set(true);
            connection.commit().await?;
            Ok(done)
        };
        let done = match &self.lease {
            Some(_) => timeout(PATIENCE, transaction).await.unwrap_or_else(|_| Err(late())),
            None => transaction.await,
        };
        match done {
            Ok(done) => {
                self.connection = Some(connection);
                self.lease.iter_mut().for_each(|lease| lease.mark += 1);
                Ok(done)
            }
            Err(error) => {
                throw_away(connection).await;
                self.doubt = committing.get() && self.lease.is_some();
                if self.doubt {
                    tracing::warn!(%error, "no answer to a COMMIT; whether it is there is read back");
                    return Err(Fault::Doubt);
                }
                Err(Fault::Away(words(&error)))
            }
        }
    }

    /// Finds out whether what was in doubt is there; `None` while nobody can say.
    pub(crate) async fn settle(&mut self) -> Option<bool> {
        let lease = self.lease.clone()?;
        let read = async {
            let mut connection = self.connect().await?;
            let there = lease.has_next(&mut connection).await?;
            Ok::<_, sqlx::Error>((connection, there))
        };
        match timeout(PATIENCE, read).await.unwrap_or_else(|_| Err(late())) {
            Ok((connection, there)) => {
                tracing::info!(there, "what was in doubt is known");
                self.lease.iter_mut().for_each(|lease| lease.mark += i64::from(there));
                self.connection = Some(connection);
                self.doubt = false;
                Some(there)
            }
            Err(error) => {
                tracing::debug!(why = words(&error), "still in doubt");
                None
            }
        }
    }

    /// Renews the lease, if there is one; whether that is ours then. A server that is away gets it another time.
    pub(crate) async fn renew(&mut self) -> Option<bool> {
        let lease = self.lease.clone().filter(|_| !self.doubt)?;
        let mut connection = self.take_connection().await.ok()?;
        let renewed = timeout(BEGINNING, lease.renew(&mut connection)).await.unwrap_or_else(|_| Err(late()));
        match renewed {
            Ok(other) => {
                self.connection = Some(connection);
                if let Some(other) = &other {
                    tracing::error!(other, "another has taken this over; nothing of ours is kept any more");
                }
                Some(other.is_none())
            }
            Err(error) => {
                tracing::warn!(why = words(&error), "cannot renew the lease");
                None
            }
        }
    }

    /// Reads; by a new connection if the last one broke while nobody used it.
    pub(crate) async fn read<T>(
        &mut self,
        work: impl AsyncFn(&mut Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, String> {
        let kept = self.connection.is_some() && self.lease.is_some();
        for last in [!kept, true] {
            let mut connection = self.take_connection().await.map_err(|error| words(&error))?;
            match timeout(BEGINNING, work(&mut connection)).await.unwrap_or_else(|_| Err(late())) {
                Ok(read) => {
                    self.connection = Some(connection);
                    return Ok(read);
                }
                Err(error) if last => return Err(words(&error)),
                Err(_) => {}
            }
        }
        Err(words(&late()))
    }

    /// Says that we live, and takes over what the dead had, where others share the database. `None` while it is away.
    pub(crate) async fn tend(&mut self, how: &Tending) -> Option<Tended> {
        let lease = self.lease.clone().filter(|_| !self.doubt)?;
        let mut connection = self.take_connection().await.ok()?;
        let tended = timeout(BEGINNING, lease.tend(&mut connection, how)).await;
        match tended.unwrap_or_else(|_| Err(late())) {
            Ok(tended) => {
                self.connection = Some(connection);
                let lease = self.lease.as_mut()?;
                let seat = lease.shared.as_mut()?;
                if let Some(tended) = &tended {
                    seat.was_buried |= tended.forgotten;
                    seat.keeps = tended.keeps.is_some();
                    lease.epoch = tended.keeps.as_ref().map_or(Epoch(0), |(epoch, _)| *epoch);
                }
                tended
            }
            Err(error) => {
                tracing::warn!(why = words(&error), "the others cannot be told that this exchange lives");
                None
            }
        }
    }

    /// What others changed since we looked last.
    pub(crate) async fn look(&mut self, sealer: &Sealer) -> Option<Fed> {
        let owner = self.lease.as_ref().filter(|_| !self.doubt)?.owner.clone();
        let after = self.lease.as_ref()?.shared.as_ref()?.position;
        let mut connection = self.take_connection().await.ok()?;
        let read = timeout(BEGINNING, feed::read(&mut connection, sealer, &owner, after)).await;
        match read.unwrap_or_else(|_| Err(late())) {
            Ok(fed) => {
                self.connection = Some(connection);
                self.lease.as_mut()?.shared.as_mut()?.position = fed.position;
                (fed.position > after).then_some(fed)
            }
            Err(error) => {
                tracing::warn!(why = words(&error), "what others changed cannot be read");
                None
            }
        }
    }

    /// The lease, if the office is ours alone by one.
    pub(crate) fn alone(&self) -> Option<Lease> {
        self.lease.clone().filter(|lease| lease.shared.is_none())
    }

    /// By what name our rows are known, if others share the database.
    pub(crate) fn shared(&self) -> Option<&str> {
        self.lease.as_ref().and_then(Lease::shared)
    }

    /// Whether others have taken us for dead.
    pub(crate) fn was_buried(&self) -> bool {
        self.lease.as_ref().and_then(|lease| lease.shared.as_ref()).is_some_and(|seat| seat.was_buried)
    }

    /// A connection in a transaction. One that broke while nobody used it is replaced: nothing was lost with it.
    async fn begin(&mut self) -> Result<Connection, sqlx::Error> {
        let kept = self.connection.is_some() && self.lease.is_some();
        let mut connection = self.take_connection().await?;
        match self.begin_with(&mut connection).await {
            Ok(()) => return Ok(connection),
            Err(_) if kept => {}
            Err(error) => {
                throw_away(connection).await;
                return Err(error);
            }
        }
        let mut connection = self.take_connection().await?;
        self.begin_with(&mut connection).await.map(|()| connection)
    }

    async fn begin_with(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let begin = async {
            connection.begin().await?;
            match &self.lease {
                Some(lease) => lease.raise_mark(connection).await,
                None => Ok(()),
            }
        };
        timeout(BEGINNING, begin).await.unwrap_or_else(|_| Err(late()))
    }

    async fn take_connection(&mut self) -> Result<Connection, sqlx::Error> {
        if self.lease.is_none() && (self.file.is_none() || file_id(&self.place.file()) != self.file) {
            let what = format!("{} was moved, removed or replaced; put it back", self.place);
            return Err(sqlx::Error::Io(std::io::Error::other(what)));
        }
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.connect().await,
        }
    }

    /// Another connection. A network that is split tells nobody, so silence is remembered.
    async fn connect(&mut self) -> Result<Connection, sqlx::Error> {
        if self.lease.is_none() {
            return self.place.connect_to_known(false).await;
        }
        if self.silent.is_some_and(|since| since.elapsed() < SILENCE) {
            return Err(late());
        }
        let connected = timeout(BEGINNING, self.place.connect_to_known(false)).await;
        self.silent = connected.is_err().then(Instant::now);
        connected.unwrap_or_else(|_| Err(late()))
    }

    /// Ends in order: whoever comes next need not wait for the end of our lease.
    pub(crate) async fn close(mut self) {
        let kept = self.connection.take();
        let connection = match &self.lease {
            // The last one may have broken; the lease is to be given back all the same.
            Some(_) if kept.is_none() => {
                timeout(BEGINNING, self.place.connect_to_known(false)).await.ok().and_then(Result::ok)
            }
            _ => kept,
        };
        let Some(mut connection) = connection else { return };
        if let Some(lease) = self.lease.filter(|_| !self.doubt) {
            let _ = timeout(PATIENCE, lease.give_back(&mut connection)).await;
        }
        // The file is complete either way; closing only spares the next one the log.
        throw_away(connection).await;
    }
}

/// Whole before the next is opened: the last to close a file folds the log into it and removes that by its name.
async fn throw_away(connection: Connection) {
    match connection {
        Connection::Sqlite(_) => drop(connection.close().await),
        // A server that is away has nothing to be told.
        Connection::Postgres(connection) => drop(connection),
    }
}

fn late() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

fn file_id(path: &Path) -> Option<FileId> {
    let known = path.metadata().ok()?;
    Some((known.dev(), known.ino()))
}

/// Takes the lease of a server for the exchange of this folder; a file needs none.
pub(crate) async fn lease_of(
    place: &Place,
    connection: &mut Connection,
    joining: Option<&Joining>,
) -> Result<Option<Lease>, sqlx::Error> {
    if !place.is_server() {
        return Ok(None);
    }
    let owner = lease::owner(place.data())?;
    match joining {
        Some(told) => members::join(connection, &owner, told).await.map(Some),
        None => lease::take(connection, &owner).await.map(Some),
    }
}
