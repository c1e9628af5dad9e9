//! The writer: commits at once when idle, collects what comes while an fsync runs (R21).

use crate::database::Database;
use crate::documents::{Document, Kept};
use crate::failpoint;
use crate::group::Group;
use crate::journal::Pulse;
use crate::open::options;
use crate::outbox::{MessageChange, MessageKept};
use crate::seal::Sealer;
use exchange::{Change, Commit, Epoch, Owned, Shard, StoreAnswer};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Commits of one transaction at most; bounds how long the first of them waits.
const GROUP: usize = 4_096;
/// How long commits that nobody waits for are collected.
const COLLECT: Duration = Duration::from_millis(50);
/// How often the log is moved into the database.
const CHECKPOINT: Duration = Duration::from_secs(2);
/// A commit slower than this is worth a line in the log.
const SLOW: Duration = Duration::from_secs(1);

/// What the writer is asked for.
pub(crate) enum Request {
    Commit(Commit),
    TakeShard(Shard, Epoch),
    Documents(Vec<Document>, Kept),
    Message(MessageChange, MessageKept),
    Stop,
}

/// Runs until it is told to stop or nobody can tell it anything any more.
pub(crate) fn run(
    runtime: tokio::runtime::Runtime,
    connection: SqliteConnection,
    sealer: &Sealer,
    path: &Path,
    queue: &Receiver<Request>,
    messages: &Notify,
    mut answer: impl FnMut(u64, StoreAnswer),
) {
    let checkpointer = Checkpointer::start(path);
    let mut database = Database::new(path, connection);
    let mut group = Vec::new();
    let mut next = None;
    loop {
        match next.take().or_else(|| queue.recv().ok()) {
            Some(Request::Commit(commit)) => group.push(commit),
            Some(Request::TakeShard(shard, epoch)) => {
                if let Err(error) = runtime.block_on(database.take_shard(shard, epoch)) {
                    tracing::error!(%error, shard = shard.0, "cannot take a shard");
                }
                continue;
            }
            Some(Request::Documents(documents, kept)) => {
                let written = runtime.block_on(database.keep(sealer, &documents));
                kept(written.map_err(|error| error.to_string()));
                continue;
            }
            Some(Request::Message(change, kept)) => {
                let written = runtime.block_on(database.change_message(&change));
                kept(written.map_err(|error| error.to_string()));
                continue;
            }
            Some(Request::Stop) | None => break,
        }
        collect(queue, &mut group, &mut next);
        let began = Instant::now();
        let written = runtime.block_on(database.write(sealer, &group));
        let took = began.elapsed();
        if took > SLOW {
            tracing::warn!(took_ms = took.as_millis(), commits = group.len(), "slow commit");
        }
        if written.is_ok() && group.iter().any(writes_messages) {
            messages.notify_one();
        }
        tell(written, &mut group, &mut answer);
    }
    drop(checkpointer);
    runtime.block_on(database.close());
}

fn writes_messages(commit: &Commit) -> bool {
    commit.changes.iter().any(|owned| matches!(owned.change, Change::Message(_)))
}

/// Takes what else waits into the group, up to the first request of another kind; what is not urgent waits a moment
/// for company.
fn collect(queue: &Receiver<Request>, group: &mut Vec<Commit>, next: &mut Option<Request>) {
    let patience = Instant::now() + COLLECT;
    let mut urgent = group.iter().any(|commit| commit.urgent);
    while group.len() < GROUP && next.is_none() {
        match queue.try_recv() {
            Ok(Request::Commit(commit)) => {
                urgent |= commit.urgent;
                group.push(commit);
            }
            Ok(other) => *next = Some(other),
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                // Nobody waits for a call record: a moment's patience makes one transaction of many. Parked, and
                // not in `recv`, so that only what is urgent wakes us (`Store::commit`).
                let wait = patience.saturating_duration_since(Instant::now());
                if urgent || wait.is_zero() {
                    break;
                }
                thread::park_timeout(wait);
            }
        }
    }
}

/// Answers each commit of a group that was written, or was not.
fn tell(
    written: Result<Fences, sqlx::Error>,
    group: &mut Vec<Commit>,
    answer: &mut impl FnMut(u64, StoreAnswer),
) {
    match written {
        Ok(fenced) => {
            for commit in group.drain(..) {
                let lost = commit.changes.iter().find(|owned| is_fenced(owned, &fenced));
                answer(
                    commit.sequence,
                    match lost {
                        Some(owned) => StoreAnswer::Fenced { shard: owned.shard },
                        None => StoreAnswer::Committed,
                    },
                );
            }
        }
        Err(error) => {
            tracing::error!(%error, commits = group.len(), "nothing can be stored now");
            for commit in group.drain(..) {
                answer(commit.sequence, StoreAnswer::Unavailable { why: error.to_string() });
            }
        }
    }
}

/// Shards that a later owner has taken, with its epoch.
pub(crate) type Fences = BTreeMap<Shard, Epoch>;

/// Writes a group in one transaction. Returns the fences that it met: commits that run into one are left out.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    sealer: &Sealer,
    commits: &[Commit],
) -> Result<Fences, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let fenced = fenced(&mut transaction, commits).await?;
    let mut group = Group::default();
    for commit in commits.iter().filter(|commit| !touches(commit, &fenced)) {
        group.add(commit);
    }
    failpoint::reach("store.before_commit");
    group.write(&mut transaction, sealer).await?;
    failpoint::reach("store.in_commit");
    transaction.commit().await?;
    failpoint::reach("store.after_commit");
    Ok(fenced)
}

fn touches(commit: &Commit, fences: &Fences) -> bool {
    commit.changes.iter().any(|owned| is_fenced(owned, fences))
}

fn is_fenced(owned: &Owned, fences: &Fences) -> bool {
    fences.get(&owned.shard).is_some_and(|epoch| owned.epoch < *epoch)
}

/// R19: whoever writes to the shard with an earlier epoch is fenced from now on.
pub(crate) async fn take_shard(
    connection: &mut SqliteConnection,
    shard: Shard,
    epoch: Epoch,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO shards (shard, epoch) VALUES (?, ?) \
         ON CONFLICT (shard) DO UPDATE SET epoch = max(epoch, excluded.epoch)",
    )
    .bind(shard.0)
    .bind(i64::try_from(epoch.0).unwrap_or(i64::MAX))
    .execute(connection)
    .await
    .map(drop)
}

/// R19: the shards whose epoch is later than that of the one who writes.
async fn fenced(connection: &mut SqliteConnection, commits: &[Commit]) -> Result<Fences, sqlx::Error> {
    let oldest = commits.iter().flat_map(|commit| commit.changes.iter()).map(|owned| owned.epoch).min();
    let oldest = oldest.unwrap_or(Epoch(1));
    let rows: Vec<(u8, i64)> = sqlx::query_as("SELECT shard, epoch FROM shards WHERE epoch > ?")
        .bind(i64::try_from(oldest.0).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    let fence = |(shard, epoch): (u8, i64)| (Shard(shard), Epoch(u64::try_from(epoch).unwrap_or(u64::MAX)));
    Ok(rows.into_iter().map(fence).collect())
}

/// Moves the log into the database now and then, by a connection and a thread of its own.
struct Checkpointer {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Checkpointer {
    fn start(path: &Path) -> Checkpointer {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, path) = (Arc::clone(&stop), path.to_owned());
        let thread =
            thread::Builder::new().name("checkpoint".into()).spawn(move || checkpoint(&path, &told)).ok();
        Checkpointer { stop, thread }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn checkpoint(path: &Path, stop: &AtomicBool) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else { return };
    let Ok(mut connection) = runtime.block_on(options(path).connect()) else { return };
    let pulse = Pulse::of(path);
    while !stop.load(Ordering::Acquire) {
        pulse.beat();
        // PASSIVE never makes the writer wait. The first moves what a crash left.
        if let Err(error) = runtime.block_on(connection.execute("PRAGMA wal_checkpoint(PASSIVE)")) {
            tracing::debug!(%error, "checkpoint postponed");
        }
        thread::park_timeout(CHECKPOINT);
    }
}
