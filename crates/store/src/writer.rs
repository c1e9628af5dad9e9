//! The writer: commits at once when idle, collects what comes while an fsync runs (R21).

use crate::database::{Database, Fault};
use crate::documents::{self, Document, Found, Kept, Writing};
use crate::failpoint;
use crate::feed::{self, Fed, Kind};
use crate::group::Group;
use crate::homes::OwnHomes;
use crate::journal::{self, Pulse};
use crate::lease::{HELD, Held, RENEW};
use crate::members::{BREATH, FORGET, KEEPS, LOOK, News, Peer, TEND, TERM, Tended, Tending};
use crate::outbox::{self, MessageChange};
use crate::place::options;
use crate::seal::Sealer;
use crate::sql::{Clash, Connection, Row, insert, query};
use exchange::{Change, Commit, Epoch, Owned, Shard, StoreAnswer};
use sqlx::{ConnectOptions as _, Executor as _};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Commits of one transaction at most; bounds how long the first of them waits.
const GROUP: usize = 4_096;
/// How long commits that nobody waits for are collected.
const COLLECT: Duration = Duration::from_millis(50);
/// How often the log is moved into the database.
const CHECKPOINT: Duration = Duration::from_secs(2);
/// How often it is asked whether what is in doubt is there.
const SETTLE: Duration = Duration::from_millis(500);
/// What is told of a change that was made without knowing what others changed.
const CONTRADICTED: &str =
    "the office was changed by another exchange at the same moment; look, and try again";
/// A commit slower than this is worth a line in the log.
const SLOW: Duration = Duration::from_secs(1);

/// What the writer is asked for.
pub(crate) enum Request {
    Commit(Commit),
    TakeShard(Shard, Epoch),
    Documents(Writing, Vec<Document>, Kept),
    Find(String, Option<String>, Found),
    Message(MessageChange, Kept),
    /// Others have told something.
    Look,
    /// We stop soon: others are to have our homes.
    Leave,
    Stop,
}

/// Where the writer has its work from, and whom it tells.
pub(crate) struct Writer<A> {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) database: Database,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) queue: Receiver<Request>,
    /// Told of new messages in the outbox.
    pub(crate) messages: Arc<Notify>,
    pub(crate) answer: A,
    pub(crate) upkeep: Upkeep,
}

/// Others who share the database.
pub(crate) struct Others {
    news: Box<dyn FnMut(News) + Send>,
    peers: Option<Vec<Peer>>,
    /// Whether what must happen once is ours, for who carries messages.
    keeps: Arc<AtomicBool>,
    /// When we tended last, and since when without a gap in which a lease could end.
    tended: Option<Instant>,
    since: Instant,
    looked: Instant,
    /// Somebody says that there is something to read.
    hinted: bool,
    /// Some of them have told something of themselves since we tended.
    met: bool,
    /// When what was told long ago was forgotten.
    forgot: Instant,
    homes: OwnHomes,
    /// We stop soon.
    stops: bool,
}

impl Others {
    pub(crate) fn new(news: impl FnMut(News) + Send + 'static, keeps: Arc<AtomicBool>) -> Others {
        let now = Instant::now();
        Others {
            news: Box::new(news),
            peers: None,
            keeps,
            tended: None,
            since: now,
            looked: now,
            hinted: false,
            met: false,
            forgot: now,
            homes: OwnHomes::default(),
            stops: false,
        }
    }

    /// Whether we have been there for as long as a lease lasts: only then may others be taken for dead.
    fn is_steady(&self) -> bool {
        let gap = self.tended.is_none_or(|tended| tended.elapsed() > TERM);
        !gap && self.since.elapsed() > TERM
    }

    /// How long until the feed is read.
    fn looks_in(&self) -> Duration {
        let pause = if self.hinted { BREATH } else { LOOK };
        pause.saturating_sub(self.looked.elapsed())
    }

    fn tended(&mut self, asked: Instant, tended: Tended) {
        if self.tended.is_none_or(|last| asked.duration_since(last) > TERM) {
            self.since = asked;
        }
        self.tended = Some(asked);
        if tended.forgotten {
            (self.news)(News::Forgotten);
        }
        if self.peers.as_ref() != Some(&tended.peers) {
            self.peers = Some(tended.peers.clone());
            (self.news)(News::Peers(tended.peers));
        }
        match tended.keeps {
            Some((epoch, changes)) => {
                (self.news)(News::Keep(epoch, KEEPS.saturating_sub(asked.elapsed()), changes));
                self.keeps.store(true, Ordering::Relaxed);
            }
            None if self.keeps.swap(false, Ordering::Relaxed) => (self.news)(News::Lose),
            None => {}
        }
        if let Some(homes) = self.homes.are(&tended.homes) {
            (self.news)(News::Homes(homes, KEEPS.saturating_sub(asked.elapsed())));
        }
        self.homes.were_told(&tended.homes);
        if tended.homes_move {
            (self.news)(News::Told);
        }
    }

    /// How we tend now.
    fn tending(&self) -> Tending {
        Tending {
            steady: self.is_steady(),
            forgets: self.forgot.elapsed() >= FORGET,
            stops: self.stops,
            given: self.homes.to_give(),
        }
    }
}

/// What is done beside writing.
pub(crate) enum Upkeep {
    /// A file's log is moved into it.
    Checkpoints(PathBuf),
    /// A lease is renewed, and somebody told whether it is ours.
    Lease(Pulse, Box<dyn FnMut(Held) + Send>),
    /// Others are told that we live, and tell us what they changed.
    Others(Box<Others>),
}

/// Those who are told when it is known whether their transaction is there.
enum Waiting {
    Group(Vec<Commit>, LeftOut),
    One(Kept),
}

impl<A: FnMut(u64, StoreAnswer)> Writer<A> {
    /// Runs until it is told to stop or nobody can tell it anything any more.
    pub(crate) fn run(mut self) {
        let checkpointer = match &self.upkeep {
            Upkeep::Checkpoints(file) => Some(Checkpointer::start(file)),
            Upkeep::Lease(..) | Upkeep::Others(_) => None,
        };
        let mut next = None;
        let mut waiting = None;
        let mut renewed = Instant::now();
        loop {
            let request = match next.take() {
                Some(request) => Some(request),
                None => match self.queue.recv_timeout(self.patience(waiting.is_some())) {
                    Ok(request) => Some(request),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => break,
                },
            };
            waiting = waiting.take().and_then(|waiting| self.settle(waiting));
            if renewed.elapsed() >= RENEW {
                self.renew();
                renewed = Instant::now();
            }
            self.look_after_others();
            let in_doubt = match request {
                None => None,
                Some(Request::Stop) => break,
                Some(Request::Commit(commit)) => self.write(commit, &mut next),
                Some(Request::TakeShard(shard, epoch)) => {
                    self.take_shard(shard, epoch);
                    None
                }
                Some(asked @ (Request::Look | Request::Leave)) => {
                    if let Upkeep::Others(others) = &mut self.upkeep {
                        others.hinted = true;
                        others.stops |= matches!(asked, Request::Leave);
                        others.met |= others.stops;
                    }
                    None
                }
                Some(Request::Documents(writing, documents, kept)) => {
                    self.write_documents(writing, &documents, kept)
                }
                Some(Request::Find(kind, id, found)) => {
                    self.find(&kind, id.as_deref(), found);
                    None
                }
                Some(Request::Message(change, kept)) => {
                    let write = async |connection: &mut Connection| outbox::change(connection, &change).await;
                    let written = self.runtime.block_on(self.database.transact(write));
                    tell_one(written, kept)
                }
            };
            waiting = waiting.or(in_doubt);
        }
        // Whoever waits is told before the end, if the server still says it; else nobody knows, and nobody is told.
        waiting.take().and_then(|waiting| self.settle(waiting));
        drop(checkpointer);
        self.runtime.block_on(self.database.close());
    }

    /// Writes a commit and what else waits. Returns whom nobody can tell anything yet.
    fn write(&mut self, first: Commit, next: &mut Option<Request>) -> Option<Waiting> {
        let mut group = vec![first];
        collect(&self.queue, &mut group, next);
        let began = Instant::now();
        let left_out = Cell::new(LeftOut::default());
        let with = (&self.sealer, self.database.shared().map(str::to_owned));
        let was_buried = self.database.was_buried();
        let write = async |connection: &mut Connection| {
            if was_buried {
                journal::recall(connection, &group).await?;
            }
            write(connection, (with.0, with.1.as_deref()), &group, &left_out).await
        };
        let written = self.runtime.block_on(self.database.transact(write));
        let took = began.elapsed();
        if took > SLOW {
            tracing::warn!(took_ms = took.as_millis(), commits = group.len(), "slow commit");
        }
        match written {
            Ok(()) => {
                failpoint::reach("store.after_commit");
                let left_out = left_out.take();
                if left_out.others_are_told {
                    self.hint();
                }
                self.tell(Ok(left_out), group);
            }
            Err(Fault::Away(why)) => self.tell(Err(why), group),
            Err(Fault::Doubt) => return Some(Waiting::Group(group, left_out.take())),
        }
        None
    }

    /// R19: whoever was taken over keeps no documents either.
    fn write_documents(&mut self, writing: Writing, documents: &[Document], kept: Kept) -> Option<Waiting> {
        let (sealer, lease) = (&self.sealer, self.database.alone());
        let shared = self.database.shared().map(str::to_owned);
        let names = || documents.iter().map(|one| (Kind::Document, documents::name(one))).collect();
        let write = async |connection: &mut Connection| {
            if let Some(lease) = &lease {
                lease.is_ours(connection).await?;
            }
            documents::write(connection, sealer, writing, documents).await?;
            match &shared {
                Some(owner) => feed::tell_of(connection, owner, names()).await,
                None => Ok(()),
            }
        };
        let written = self.runtime.block_on(self.database.transact(write));
        if shared.is_some() && written.is_ok() {
            self.hint();
        }
        tell_one(written, kept)
    }

    /// Others can read something of ours.
    fn hint(&mut self) {
        if let Upkeep::Others(others) = &mut self.upkeep {
            (others.news)(News::Told);
        }
    }

    fn find(&mut self, kind: &str, id: Option<&str>, found: Found) {
        let sealer = &self.sealer;
        let find = async |connection: &mut Connection| documents::find(connection, sealer, kind, id).await;
        found(self.runtime.block_on(self.database.read(find)));
    }

    /// Answers each commit of a group that was written, or was not.
    fn tell(&mut self, written: Result<LeftOut, String>, group: Vec<Commit>) {
        match written {
            Ok(left_out) => {
                if group.iter().any(writes_messages) {
                    self.messages.notify_one();
                }
                // Whoever asks again then does so with what is there; else one who changes much would keep others from it.
                if group.iter().any(|commit| left_out.contradicts(commit))
                    && let Some(fed) = self.look()
                {
                    self.tell_fed(fed);
                }
                for commit in group {
                    let lost = commit.changes.iter().find(|owned| left_out.fences(owned));
                    let answer = match lost {
                        Some(owned) => StoreAnswer::Fenced { shard: owned.shard },
                        None if left_out.contradicts(&commit) => {
                            StoreAnswer::Conflict { why: CONTRADICTED.to_owned() }
                        }
                        None => StoreAnswer::Committed,
                    };
                    (self.answer)(commit.sequence, answer);
                }
            }
            Err(why) => {
                tracing::error!(why, commits = group.len(), "nothing can be stored now");
                for commit in group {
                    (self.answer)(commit.sequence, StoreAnswer::Unavailable { why: why.clone() });
                }
            }
        }
    }

    /// Tells those who wait, if it is known now whether their transaction is there; else they wait on.
    fn settle(&mut self, waiting: Waiting) -> Option<Waiting> {
        let Some(there) = self.runtime.block_on(self.database.settle()) else { return Some(waiting) };
        let lost = || "the connection was lost before it was kept".to_owned();
        match waiting {
            Waiting::Group(group, left_out) => {
                self.tell(if there { Ok(left_out) } else { Err(lost()) }, group);
            }
            Waiting::One(kept) => kept(if there { Ok(()) } else { Err(lost()) }),
        }
        None
    }

    /// How long it can be waited for work.
    fn patience(&self, in_doubt: bool) -> Duration {
        match &self.upkeep {
            _ if in_doubt => SETTLE,
            Upkeep::Others(others) => others.looks_in(),
            _ => RENEW,
        }
    }

    /// Tells others that we live, and hears what they changed, when it is time.
    fn look_after_others(&mut self) {
        let Upkeep::Others(others) = &self.upkeep else { return };
        let due = others.tended.is_none_or(|tended| tended.elapsed() >= TEND);
        let fed = if others.looks_in().is_zero() { self.look() } else { None };
        let Upkeep::Others(others) = &mut self.upkeep else { return };
        // Whoever is new is known before what they changed.
        if due || others.met {
            let (asked, how) = (Instant::now(), others.tending());
            others.met = false;
            if let Some(tended) = self.runtime.block_on(self.database.tend(&how)) {
                others.tended(asked, tended);
                others.forgot = if how.forgets { asked } else { others.forgot };
            }
        }
        if let Some(fed) = fed {
            self.tell_fed(fed);
        }
    }

    /// What others changed since the last look.
    fn look(&mut self) -> Option<Fed> {
        let Upkeep::Others(others) = &mut self.upkeep else { return None };
        (others.looked, others.hinted) = (Instant::now(), false);
        let fed = self.runtime.block_on(self.database.look(&self.sealer))?;
        others.met |= fed.members;
        Some(fed)
    }

    fn tell_fed(&mut self, fed: Fed) {
        let Upkeep::Others(others) = &mut self.upkeep else { return };
        let Fed { position, changes, documents, missed, .. } = fed;
        if missed {
            (others.news)(News::Missed);
        }
        (others.news)(News::Fed(position, changes));
        if !documents.is_empty() {
            (others.news)(News::Documents(documents));
        }
    }

    fn renew(&mut self) {
        let Upkeep::Lease(pulse, tell) = &mut self.upkeep else { return };
        pulse.beat();
        let asked = Instant::now();
        match self.runtime.block_on(self.database.renew()) {
            Some(true) => tell(Held::For(HELD.saturating_sub(asked.elapsed()))),
            Some(false) => tell(Held::Lost),
            None => {}
        }
    }

    fn take_shard(&mut self, shard: Shard, epoch: Epoch) {
        let take = async |connection: &mut Connection| take_shard(connection, shard, epoch).await;
        if let Err(why) = self.runtime.block_on(self.database.transact(take)) {
            tracing::error!(?why, shard = shard.0, "cannot take a shard");
        }
    }
}

/// Tells one who asked, unless nobody knows yet.
fn tell_one(written: Result<(), Fault>, kept: Kept) -> Option<Waiting> {
    match written {
        Ok(()) => kept(Ok(())),
        Err(Fault::Away(why)) => kept(Err(why)),
        Err(Fault::Doubt) => return Some(Waiting::One(kept)),
    }
    None
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

/// Shards that a later owner has taken, with its epoch.
type Fences = BTreeMap<Shard, Epoch>;

/// Why commits of a group are left out of its transaction.
#[derive(Default)]
pub(crate) struct LeftOut {
    fences: Fences,
    /// Whether others share the database: then each writes what is its own, and fences are about what must happen once.
    shared: bool,
    /// How far others have changed people; a change that was made without knowing that is not made.
    people: u64,
    /// What was not left out is told to others.
    others_are_told: bool,
}

impl LeftOut {
    fn fences(&self, owned: &Owned) -> bool {
        let guarded = !self.shared || owned.change.is_once();
        guarded && self.fences.get(&owned.shard).is_some_and(|epoch| owned.epoch < *epoch)
    }

    fn contradicts(&self, commit: &Commit) -> bool {
        commit.position < self.people && changes_people(commit)
    }

    fn takes(&self, commit: &Commit) -> bool {
        !self.contradicts(commit) && !commit.changes.iter().any(|owned| self.fences(owned))
    }
}

fn changes_people(commit: &Commit) -> bool {
    commit.changes.iter().any(|owned| matches!(owned.change, Change::People(_)))
}

/// Writes a group inside the transaction that the connection is in, as one of several who share the database if they have
/// a name. Commits that run into a fence, or contradict what others changed meanwhile, are left out.
pub(crate) async fn write(
    connection: &mut Connection,
    (sealer, shared): (&Sealer, Option<&str>),
    commits: &[Commit],
    left_out: &Cell<LeftOut>,
) -> Result<(), sqlx::Error> {
    let mut leave = LeftOut { fences: fenced(connection, commits).await?, ..LeftOut::default() };
    if let Some(owner) = shared {
        leave.shared = true;
        if commits.iter().any(changes_people) {
            feed::lock(connection).await?;
            leave.people = feed::last_of_people(connection, owner).await?;
        }
    }
    let mut group = Group::default();
    for commit in commits.iter().filter(|commit| leave.takes(commit)) {
        group.add(commit);
    }
    failpoint::reach("store.before_commit");
    group.write(connection, sealer, shared.unwrap_or_default()).await?;
    if let Some(owner) = shared {
        leave.others_are_told = feed::tell(connection, owner, &group).await?;
    }
    failpoint::reach("store.in_commit");
    left_out.set(leave);
    Ok(())
}

/// R19: whoever writes to the shard with an earlier epoch is fenced from now on.
async fn take_shard(connection: &mut Connection, shard: Shard, epoch: Epoch) -> Result<(), sqlx::Error> {
    let epoch = i64::try_from(epoch.0).unwrap_or(i64::MAX);
    insert(
        connection,
        ("shards", &["shard", "epoch"]),
        Clash::Keep,
        [(shard, epoch)],
        |row, (shard, epoch)| {
            row.bind(shard.0).bind(epoch);
        },
    )
    .await?;
    let raise = query("UPDATE shards SET epoch = ?1 WHERE shard = ?2 AND epoch < ?1");
    raise.bind(epoch).bind(shard.0).execute(connection).await.map(drop)
}

/// R19: the shards whose epoch is later than that of the one who writes.
async fn fenced(connection: &mut Connection, commits: &[Commit]) -> Result<Fences, sqlx::Error> {
    let oldest = commits.iter().flat_map(|commit| commit.changes.iter()).map(|owned| owned.epoch).min();
    let Some(oldest) = oldest else { return Ok(Fences::new()) };
    let later = query("SELECT shard, epoch FROM shards WHERE epoch > ?");
    let rows = later.bind(i64::try_from(oldest.0).unwrap_or(i64::MAX)).fetch_all(connection).await?;
    let fence = |row: &Row| {
        let epoch: i64 = row.get("epoch")?;
        Ok((Shard(row.get("shard")?), Epoch(u64::try_from(epoch).unwrap_or(u64::MAX))))
    };
    rows.iter().map(fence).collect()
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
    let pulse = Pulse::of(path.parent().unwrap_or(path));
    while !stop.load(Ordering::Acquire) {
        pulse.beat();
        // PASSIVE never makes the writer wait. The first moves what a crash left.
        if let Err(error) = runtime.block_on(connection.execute("PRAGMA wal_checkpoint(PASSIVE)")) {
            tracing::debug!(%error, "checkpoint postponed");
        }
        thread::park_timeout(CHECKPOINT);
    }
}
