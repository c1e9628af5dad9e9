//! Opening the store, and the handle that everybody else holds.

use crate::database::{self, Database};
use crate::documents::{self, Document, Documents, Writing};
use crate::error::StoreError;
use crate::feed;
use crate::journal::Pulse;
use crate::lease::{self, Held, Lease};
use crate::members::{Joining, News};
use crate::outbox::Outbox;
use crate::place::Place;
use crate::postgres::words;
use crate::records::Records;
use crate::requests::Requests;
use crate::seal::Sealer;
use crate::sql::{Clash, Connection, insert_one};
use crate::writer::{self, Others, Request, Upkeep, Writer};
use crate::{migrate, snapshot};
use exchange::{Change, Commit, Epoch, Owned, Shard, Snapshot, StoreAnswer};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

/// Commits that wait for the writer; the exchange promises no more than it has room for.
const QUEUE: usize = 32_768;

/// A store that was opened and read, before its writer runs.
pub struct Opened {
    /// What it holds, for the exchange.
    pub snapshot: Snapshot,
    /// The documents of the ways in.
    pub documents: Vec<Document>,
    settings: BTreeMap<String, String>,
    connection: Connection,
    runtime: Runtime,
    pub(crate) place: Place,
    pub(crate) lease: Option<Lease>,
    sealer: Sealer,
}

/// The way to the writer; dropped, the writer ends after what it has.
pub struct Store {
    requests: SyncSender<Request>,
    thread: Option<JoinHandle<()>>,
    place: Place,
    /// Told of new messages in the outbox.
    written: Arc<Notify>,
    /// Whether what must happen once is ours.
    keeps: Arc<AtomicBool>,
    sealer: Arc<Sealer>,
}

impl Opened {
    /// Opens the database, or makes it: `office.db` in a folder that exists, or what a server has for us. On a server the
    /// office is ours alone from now on.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be opened, is no database of ours, comes from a newer Ringdown, or is another's.
    pub fn open(place: &Place) -> Result<Opened, StoreError> {
        Opened::open_as(place, None)
    }

    /// As [`Opened::open`], on a server whose office several exchanges share.
    ///
    /// # Errors
    /// As [`Opened::open`].
    pub fn join(place: &Place, told: &Joining) -> Result<Opened, StoreError> {
        Opened::open_as(place, Some(told))
    }

    fn open_as(place: &Place, joining: Option<&Joining>) -> Result<Opened, StoreError> {
        let sealer = Sealer::open(place.data())?;
        let runtime = runtime().map_err(|error| place.fault(error))?;
        let opened = runtime.block_on(async {
            let mut connection = place.connect().await.map_err(|error| words(&error))?;
            migrate::migrate(&mut connection).await?;
            let read = read(place, &mut connection, &sealer, joining).await.map_err(|error| words(&error))?;
            Ok::<_, String>((connection, read))
        });
        let (connection, (lease, (snapshot, settings), documents)) =
            opened.map_err(|what| place.fault(what))?;
        Ok(Opened { snapshot, documents, settings, connection, runtime, place: place.clone(), lease, sealer })
    }

    /// The term in which the exchange writes (R19).
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.lease.as_ref().map_or(Epoch(1), |lease| lease.epoch)
    }

    /// Our number among those who share the database, whether we keep what must happen once, and how far we know what others
    /// changed.
    #[must_use]
    pub fn place_among_others(&self) -> Option<(NonZeroU8, bool, u64)> {
        let seat = self.lease.as_ref()?.shared.as_ref()?;
        Some((seat.number, seat.keeps, seat.position))
    }

    /// Tells those who share the database more of us.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written.
    pub fn tell_others(&mut self, told: &Joining) -> Result<(), StoreError> {
        let Some(mut lease) = self.lease.clone() else { return Ok(()) };
        self.transact(async |connection| lease.tell_others(connection, told).await)?;
        self.lease = Some(lease);
        Ok(())
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
        self.transact(async |connection| {
            insert_one(connection, ("settings", &["name", "value"]), Clash::Replace(1), |row| {
                row.bind(name).bind(value);
            })
            .await
        })?;
        self.settings.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Keeps a document that those who share the database have in common, before the writer runs: unless there is one of its name
    /// that `stays`. Returns what is kept.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written, or the one that is there was sealed under another key.
    pub fn share(
        &mut self,
        document: &Document,
        stays: impl FnOnce(&Document) -> bool,
    ) -> Result<Document, StoreError> {
        let (owner, sealer) = (self.lease.as_ref().map(|lease| lease.owner.clone()), &self.sealer);
        let Opened { runtime, connection, place, .. } = self;
        let share = async {
            connection.begin().await?;
            if owner.is_some() {
                feed::lock(connection).await?;
            }
            let there = documents::find(connection, sealer, &document.kind, Some(&document.id)).await?.pop();
            let kept = match there.filter(stays) {
                Some(there) => there,
                None => {
                    let documents = std::slice::from_ref(document);
                    documents::write(connection, sealer, Writing::Put, documents).await?;
                    if let Some(owner) = &owner {
                        let told = vec![(feed::Kind::Document, documents::name(document))];
                        feed::tell_of(connection, owner, told).await?;
                    }
                    document.clone()
                }
            };
            connection.commit().await?;
            Ok(kept)
        };
        runtime.block_on(share).map_err(|error: sqlx::Error| place.fault(words(&error)))
    }

    /// Keeps changes, before the writer runs: what a first start makes.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be written.
    pub fn keep(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let epoch = self.epoch();
        let owned = changes.iter().map(|change| Owned { shard: Shard(0), epoch, change: change.clone() });
        let position = u64::MAX;
        let commit = Commit { sequence: 0, urgent: true, position, changes: owned.collect() };
        let Opened { runtime, connection, sealer, lease, .. } = self;
        let shared = lease.as_ref().and_then(Lease::shared);
        let write = async {
            connection.begin().await?;
            let commits = std::slice::from_ref(&commit);
            writer::write(connection, (sealer, shared), commits, &Cell::default()).await?;
            connection.commit().await
        };
        runtime.block_on(write).map_err(|error| self.place.fault(words(&error)))
    }

    /// Does this in one transaction. An error ends the start, so nothing of the connection is used again.
    pub(crate) fn transact<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let Opened { runtime, connection, .. } = self;
        let done = runtime.block_on(async {
            connection.begin().await?;
            let done = work(connection).await?;
            connection.commit().await?;
            Ok(done)
        });
        done.map_err(|error: sqlx::Error| self.place.fault(words(&error)))
    }

    /// Closes the database without starting the writer.
    pub fn close(self) {
        let database = Database::new(&self.place, self.connection, self.lease);
        self.runtime.block_on(database.close());
    }

    /// Starts the writer. `answer` hears of each commit by its sequence number.
    ///
    /// # Errors
    /// [`StoreError`] when no thread can be had.
    pub fn start(self, answer: impl FnMut(u64, StoreAnswer) + Send + 'static) -> Result<Store, StoreError> {
        self.start_with(answer, |_| {}, |_| {})
    }

    /// As [`Opened::start`]; `held` hears each time that the lease was renewed whether it is ours alone.
    ///
    /// # Errors
    /// [`StoreError`] when no thread can be had.
    pub fn start_alone(
        self,
        answer: impl FnMut(u64, StoreAnswer) + Send + 'static,
        held: impl FnMut(Held) + Send + 'static,
    ) -> Result<Store, StoreError> {
        self.start_with(answer, |_| {}, held)
    }

    /// As [`Opened::start`]; `news` hears of those who share the database.
    ///
    /// # Errors
    /// [`StoreError`] when no thread can be had.
    pub fn start_among_others(
        self,
        answer: impl FnMut(u64, StoreAnswer) + Send + 'static,
        news: impl FnMut(News) + Send + 'static,
    ) -> Result<Store, StoreError> {
        self.start_with(answer, news, |_| {})
    }

    fn start_with(
        self,
        answer: impl FnMut(u64, StoreAnswer) + Send + 'static,
        news: impl FnMut(News) + Send + 'static,
        held: impl FnMut(Held) + Send + 'static,
    ) -> Result<Store, StoreError> {
        let (requests, queue) = sync_channel(QUEUE);
        let Opened { connection, sealer, runtime, place, lease, .. } = self;
        let written = Arc::<Notify>::default();
        let keeps = Arc::new(AtomicBool::new(lease.as_ref().is_none_or(Lease::keeps)));
        let upkeep = match lease {
            Some(Lease { shared: Some(_), .. }) => {
                Upkeep::Others(Box::new(Others::new(news, Arc::clone(&keeps))))
            }
            Some(_) => Upkeep::Lease(Pulse::of(place.data()), Box::new(held)),
            None => Upkeep::Checkpoints(place.file()),
        };
        let database = Database::new(&place, connection, lease);
        let sealer = Arc::new(sealer);
        let kept_by = Arc::clone(&sealer);
        let messages = Arc::clone(&written);
        let writer = Writer { runtime, database, sealer, queue, messages, answer, upkeep };
        let thread = thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run())
            .map_err(|error| place.fault(error))?;
        Ok(Store { requests, thread: Some(thread), place, written, keeps, sealer: kept_by })
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
        told.map_err(|_| self.place.fault("the store cannot keep up"))?;
        self.wake();
        Ok(())
    }

    /// Others have told something: it is read at once. Without room for that it is read a little later.
    pub fn look(&self) {
        if self.requests.try_send(Request::Look).is_ok() {
            self.wake();
        }
    }

    /// We stop soon: others who share the database get what we alone do for them. Without room for that they get it at our end.
    pub fn leave(&self) {
        if self.requests.try_send(Request::Leave).is_ok() {
            self.wake();
        }
    }

    /// A reader of call records with a connection of its own.
    #[must_use]
    pub fn records(&self) -> Records {
        Records(self.place.clone())
    }

    /// The way to keep documents.
    #[must_use]
    pub fn documents(&self) -> Documents {
        Documents::new(self.way(), Arc::clone(&self.sealer), Arc::clone(&self.keeps))
    }

    /// The way to the messages that wait to be carried.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        Outbox::new(self.way(), Arc::clone(&self.written), Arc::clone(&self.keeps))
    }

    fn way(&self) -> Requests {
        let writer = self.thread.as_ref().map(|thread| thread.thread().clone());
        Requests::new(self.requests.clone(), writer, &self.place)
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

/// Looks at a database without changing it: `None` if an exchange can start on it, or who has it now, in words.
///
/// # Errors
/// [`StoreError`]: why no exchange can start on it.
pub fn examine(place: &Place) -> Result<Option<String>, StoreError> {
    if !place.is_server() {
        return Ok(None);
    }
    let look = async {
        let mut connection = place.connect().await.map_err(|error| words(&error))?;
        let form = migrate::form(&mut connection).await.map_err(|error| words(&error))?;
        if migrate::known(form)? < migrate::FORM {
            return Ok(None);
        }
        let owner = lease::owner_if_known(place.data()).unwrap_or_default();
        lease::holder(&mut connection, &owner).await.map_err(|error| words(&error))
    };
    let looked = runtime().map_err(|error| place.fault(error))?.block_on(look);
    looked.map_err(|what: String| place.fault(what))
}

/// What one thread of ours drives.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

type Read = (Option<Lease>, (Snapshot, BTreeMap<String, String>), Vec<Document>);

/// Makes the office ours, then reads it: nobody changes it any more.
async fn read(
    place: &Place,
    connection: &mut Connection,
    sealer: &Sealer,
    joining: Option<&Joining>,
) -> Result<Read, sqlx::Error> {
    let mut lease = database::lease_of(place, connection, joining).await?;
    // Others may change it while we read; what they change then is told after.
    if let Some(seat) = lease.as_mut().and_then(|lease| lease.shared.as_mut()) {
        seat.position = feed::end(connection).await?;
    }
    let snapshot = snapshot::read(connection, sealer, lease.as_ref()).await?;
    Ok((lease, snapshot, documents::read(connection, sealer).await?))
}
