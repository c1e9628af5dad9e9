//! A phone that works through a list (S3): the shell around [`lists::work::Work`], with the journal's file, the callee's data
//! for a screen, and what is sent to whom. It neither fetches nor uploads: it says what is wanted, and is told how it went.
//!
//! ```text
//! sign_in -> Fetch(list) -> Fetch(left) -> begin, or go on with a journal -> ... -> sign_out -> Put(results), Put(left)
//! ```
//!
//! `AGENT-LIST-ID` names the files of a list; ID follows from its octets. What is left of a list lies beside its results, so that
//! the agent goes on with it at any phone (S3.19), and a phone that was killed is not followed by one that calls all again.

mod assigned;
mod calls;
mod files;
mod journal;
mod outbox;
mod wishes;
mod words;

pub use files::{Fetched, What};
pub use lists::{Assignment, WrongAssignment};
pub use words::{Callee, News, Said, Wish, presence_name};

use crate::words::{CallId, Command};
use calls::Current;
use clock::{Mono, Now};
use dialing::{Standing, TaskId};
use files::Pending;
use journal::Journal;
use lists::work::{Input, Output, Presence, Work};
use outbox::Outbox;
use std::collections::{BTreeSet, VecDeque};
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

/// How long a server that was away is left alone.
const RETRY: Duration = Duration::from_secs(30);
/// Refusals that are told one by one.
const TOLD: usize = 20;
/// Rows of what comes next.
const NEXT: usize = 20;

/// What the worker wants done.
#[derive(Debug)]
pub enum Want {
    /// The phone shall do this.
    Tell(Command),
    /// Fetch this; [`Worker::fetched`] takes the answer.
    Fetch {
        /// Where it lies.
        link: String,
        /// What it is.
        what: What,
        /// Of what is here already: the same is not sent again.
        tag: Option<String>,
    },
    /// Upload this file; [`Worker::uploaded`] takes the answer.
    Put {
        /// Where to.
        link: String,
        /// The file to send.
        file: PathBuf,
    },
    /// Tell whoever listens.
    News(News),
}

/// The list that is worked through.
struct Running {
    work: Work,
    journal: Journal,
    /// Follows from the list's octets.
    id: String,
    /// What the list's server names its octets by.
    tag: Option<String>,
    /// `FOLDER/AGENT-LIST-ID`, without an ending.
    base: PathBuf,
    /// Something happened since the last upload.
    dirty: bool,
    journal_full: bool,
}

/// Works through lists.
pub struct Worker {
    assignment: Assignment,
    folder: PathBuf,
    running: Option<Running>,
    /// The list whose rest is being asked for.
    pending: Option<Pending>,
    /// A newer list, which waits until the call that is up is over.
    newer: Option<Pending>,
    registered: bool,
    calls: BTreeSet<CallId>,
    current: Option<Current>,
    last_task: Option<TaskId>,
    signing_out: bool,
    /// When the list is asked for again.
    fetch_at: Option<Mono>,
    upload_at: Option<Mono>,
    outbox: Outbox,
    /// What is worked by once this list is given back.
    next: Option<Box<Assignment>>,
    wants: VecDeque<Want>,
}

impl Worker {
    /// Without a list yet. The folder keeps journals and what waits to be uploaded; `registers` says whether the phone is at a
    /// server only once it has told so.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn new(assignment: Assignment, folder: PathBuf, registers: bool) -> io::Result<Worker> {
        std::fs::create_dir_all(&folder)?;
        // Whom somebody calls, and what was said, is nobody else's business.
        std::fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        let outbox = Outbox::open(folder.join("outbox"))?;
        Ok(Worker {
            assignment,
            folder,
            running: None,
            pending: None,
            newer: None,
            registered: !registers,
            calls: BTreeSet::new(),
            current: None,
            last_task: None,
            signing_out: false,
            fetch_at: None,
            upload_at: None,
            outbox,
            next: None,
            wants: VecDeque::new(),
        })
    }

    /// The next thing that is wanted.
    pub fn next_want(&mut self) -> Option<Want> {
        self.wants.pop_front()
    }

    /// Whether nothing is wanted.
    #[must_use]
    pub fn next_want_is_none(&self) -> bool {
        self.wants.is_empty()
    }

    /// When [`Worker::turn`] is to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        let ring = self.current.as_ref().and_then(Current::deadline);
        let work = self.running.as_ref().and_then(|running| running.work.next_deadline());
        [ring, work, self.fetch_at, self.upload_at, self.outbox.next_deadline()].into_iter().flatten().min()
    }

    /// Whether nothing is left to be done: nobody is signed in, and all is uploaded.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.running.is_none() && self.pending.is_none() && self.outbox.is_empty() && self.wants.is_empty()
    }

    /// Results that one key gives.
    #[must_use]
    pub fn result_keys(&self) -> Vec<(char, String)> {
        self.assignment.keys.iter().map(|(key, result)| (*key, result.clone())).collect()
    }

    /// What servers let us in by, beside what stands in links.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.assignment.token
    }

    /// Whether a list is loaded, or about to be.
    #[must_use]
    pub fn has_list(&self) -> bool {
        self.running.is_some() || self.pending.is_some()
    }

    /// The presence of the agent.
    #[must_use]
    pub fn presence(&self) -> Presence {
        self.running.as_ref().map_or(Presence::SignedOut, |running| running.work.presence())
    }

    /// Time has passed.
    pub fn turn(&mut self, now: Now) {
        self.give_up_ringing(now);
        if self.fetch_at.take_if(|at| *at <= now.mono).is_some() {
            self.fetch_list();
        }
        if let Some(running) = &mut self.running
            && running.work.next_deadline().is_some_and(|at| at <= now.mono)
        {
            running.work.handle(now, Input::Timeout);
        }
        if self.upload_at.take_if(|at| *at <= now.mono).is_some() {
            self.upload(now);
        }
        self.follow(now);
        self.send_next(now);
        self.take_up_next();
    }

    fn give(&mut self, now: Now, input: Input) {
        if let Some(running) = &mut self.running {
            running.work.handle(now, input);
        }
        self.follow(now);
    }

    fn news(&mut self, news: News) {
        self.wants.push_back(Want::News(news));
    }

    /// Carries out all that the work wants.
    fn follow(&mut self, now: Now) {
        while let Some(output) = self.running.as_mut().and_then(|running| running.work.next_output()) {
            match output {
                Output::Write { sequence, line } => self.write(now, sequence, &line),
                Output::Dial(call) => self.dial(*call),
                Output::Cancel(attempt) => self.cancel(attempt),
                Output::Changed(task) => self.row_changed(now, task),
                Output::Refused(_, rule) => self.news(News::WishRefused { why: rule.to_string() }),
                Output::Paused => self.tell_presence(),
                Output::Done => {
                    self.news(News::ListDone);
                    self.upload(now);
                }
            }
        }
    }

    fn write(&mut self, now: Now, sequence: u64, line: &[u8]) {
        let Some(running) = &mut self.running else { return };
        let written = running.journal.append(line);
        let was_full = std::mem::replace(&mut running.journal_full, written.is_err());
        let answer = if written.is_ok() { Input::Written(sequence) } else { Input::NotWritten(sequence) };
        running.work.handle(now, answer);
        if let (Err(error), false) = (written, was_full) {
            self.news(News::JournalFull { why: format!("{}: {error}", self.folder.display()) });
        }
    }

    fn row_changed(&mut self, now: Now, task: TaskId) {
        let Some(running) = &mut self.running else { return };
        running.dirty = true;
        let Some(told) = running.work.told(task) else { return };
        let next = match (told.end, running.work.explain(now, told.task)) {
            (Some(_), _) | (None, None) => String::new(),
            (None, Some((explanation, _))) => in_words(&explanation.standing),
        };
        let row = News::Row {
            task: task_name(running.work.first_of(task)),
            number: told.number.to_string(),
            state: told.end.map_or("open", |(_, end)| end.name()).to_owned(),
            attempts: told.attempts.len(),
            outcome: told.last().map(|finding| finding.outcome.name().to_owned()),
            next,
        };
        self.news(row);
        let wait = Duration::from_secs(self.assignment.upload_s.max(1).into());
        self.upload_at.get_or_insert(now.mono + wait);
    }

    fn tell_presence(&mut self) {
        let presence = presence_name(self.presence()).to_owned();
        self.news(News::Presence { presence });
    }
}

/// A task as people and files name it.
fn task_name(task: TaskId) -> String {
    format!("{:016x}", task.0)
}

fn in_words(standing: &Standing) -> String {
    match standing {
        Standing::Waiting { until, rule } => {
            let until =
                jiff::Timestamp::from_millisecond(until.0).map(|at| at.to_string()).unwrap_or_default();
            format!("not before {until}: {rule}")
        }
        Standing::Blocked => "its number is being called".to_owned(),
        Standing::Ready { rule: Some(rule), .. } => format!("due; {rule}"),
        Standing::Ready { rule: None, .. } => "due".to_owned(),
        Standing::Calling => "is being called".to_owned(),
    }
}
