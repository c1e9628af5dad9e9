//! The writer: commits at once when idle, collects what comes while an fsync runs (R21).

use crate::group::Group;
use crate::open::options;
use exchange::{Commit, Epoch, Shard, StoreAnswer};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

/// Commits of one transaction at most; bounds how long the first of them waits.
const GROUP: usize = 4_096;
/// How often the log is moved into the database.
const CHECKPOINT: Duration = Duration::from_secs(2);
/// A commit slower than this is worth a line in the log.
const SLOW: Duration = Duration::from_secs(1);

pub(crate) enum Request {
    Commit(Commit),
    Stop,
}

/// Runs until it is told to stop or nobody can tell it anything any more.
pub(crate) fn run(
    runtime: tokio::runtime::Runtime,
    mut connection: SqliteConnection,
    path: &Path,
    queue: &Receiver<Request>,
    mut answer: impl FnMut(u64, StoreAnswer),
) {
    let checkpointer = Checkpointer::start(path);
    let mut group = Vec::new();
    let mut stop = false;
    while !stop {
        match queue.recv() {
            Ok(Request::Commit(commit)) => group.push(commit),
            Ok(Request::Stop) | Err(_) => break,
        }
        while group.len() < GROUP {
            match queue.try_recv() {
                Ok(Request::Commit(commit)) => group.push(commit),
                Ok(Request::Stop) => {
                    stop = true;
                    break;
                }
                Err(_) => break,
            }
        }
        let began = Instant::now();
        let written = runtime.block_on(write(&mut connection, &group));
        let took = began.elapsed();
        if took > SLOW {
            tracing::warn!(took_ms = took.as_millis(), commits = group.len(), "slow commit");
        }
        match written {
            Ok(fenced) => {
                for commit in group.drain(..) {
                    let lost = commit.changes.iter().find(|owned| fenced.contains(&owned.shard.0));
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
    drop(checkpointer);
    let _ = runtime.block_on(connection.close());
}

/// Writes a group in one transaction. Returns the shards that another owner has taken: commits that touch one are
/// left out.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    commits: &[Commit],
) -> Result<BTreeSet<u8>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let fenced = fenced(&mut transaction, commits).await?;
    let mut group = Group::default();
    for commit in commits.iter().filter(|commit| !touches(commit, &fenced)) {
        group.add(commit);
    }
    group.write(&mut transaction).await?;
    transaction.commit().await?;
    Ok(fenced)
}

fn touches(commit: &Commit, shards: &BTreeSet<u8>) -> bool {
    commit.changes.iter().any(|owned| shards.contains(&owned.shard.0))
}

/// R19: the shards whose epoch is later than that of the one who writes.
async fn fenced(connection: &mut SqliteConnection, commits: &[Commit]) -> Result<BTreeSet<u8>, sqlx::Error> {
    let oldest = commits.iter().flat_map(|commit| &commit.changes).map(|owned| owned.epoch).min();
    let oldest = oldest.unwrap_or(Epoch(1));
    let rows: Vec<(u8, i64)> = sqlx::query_as("SELECT shard, epoch FROM shards WHERE epoch > ?")
        .bind(i64::try_from(oldest.0).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    let taken = |shard: u8, epoch: i64| {
        commits.iter().flat_map(|commit| &commit.changes).any(|owned| {
            owned.shard == Shard(shard) && i64::try_from(owned.epoch.0).unwrap_or(i64::MAX) < epoch
        })
    };
    Ok(rows.into_iter().filter(|&(shard, epoch)| taken(shard, epoch)).map(|(shard, _)| shard).collect())
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
    while !stop.load(Ordering::Acquire) {
        thread::park_timeout(CHECKPOINT);
        // PASSIVE never makes the writer wait.
        if let Err(error) = runtime.block_on(connection.execute("PRAGMA wal_checkpoint(PASSIVE)")) {
            tracing::debug!(%error, "checkpoint postponed");
        }
    }
}
