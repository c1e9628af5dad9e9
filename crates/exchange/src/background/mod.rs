//! Background calls (S2): the exchange keeps calling somebody, and its owner gets on with the day.
//!
//! ```text
//! asked for --> written down --> due --> claim written down --> B is called --> busy, no answer ...: later again
//!                                                                  |
//!                          B answers: hears who calls, then music <+--> A is called at all of A's phones
//!                          A answers: the two talk                  |   A does not: B is told, A gets a message
//! ```
//! When to call is the business of [`dialing`]; this is what a call of it is, and who hears what. Toward the outside A is
//! called first, so that B never waits for anybody.

mod answered;
mod asked;
mod code;
mod collide;
mod dial;
mod drive;
mod ending;
mod kept;
mod list;
mod mode;
mod outbox;
mod owners;
mod policy;
mod promised;
mod suggest;
mod words;

pub use asked::{Asking, NewTask};
pub use kept::TaskChange;
pub use list::{TaskAttempt, TaskList, TaskRow, TaskState};
pub use outbox::OutboxMessage;
pub use policy::BackgroundPolicy;

pub(crate) use ending::finding as finding_of;
pub(crate) use kept::Keeping;
pub(crate) use promised::Waiter;
pub(crate) use suggest::suggests_itself;

use crate::lists::{Dealt, RowName};
use crate::queues::Wish;
use crate::recent::Recent;
use calls::{CallId, Why};
use clock::{Mono, Now, Wall};
use dialing::{AttemptId, Dialing, End, LegOrder, TaskId};
use owners::Owners;
use promised::Waiting;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use suggest::Unanswered;

/// Tasks that are over and still shown.
const SHOWN: usize = 1_000;
/// Pairs of caller and callee whose unanswered calls are counted.
const COUNTED: usize = 10_000;

/// What the office remembers of a task beside the machine that decides when.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Whose it is; all of one account share the name.
    pub(crate) account: Arc<str>,
    /// As it was dialled.
    pub(crate) number: Box<str>,
    pub(crate) legs: LegOrder,
    pub(crate) since: Wall,
    pub(crate) not_before: Option<Wall>,
    pub(crate) until: Option<Wall>,
    pub(crate) priority: u8,
    /// What most of those that wait do not have.
    pub(crate) rare: Option<Box<Rare>>,
}

/// See [`Known::rare`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Rare {
    pub(crate) attempts: Vec<TaskAttempt>,
    /// Why it ends, when that is known before it has ended.
    pub(crate) why: Option<Box<str>>,
    /// The place in a queue that it keeps, if it is a callback; its account is the caller's then, if they have one.
    pub(crate) wish: Option<Wish>,
    /// The row of a call list, if it is one; its account is the agent's then.
    pub(crate) dealt: Option<Dealt>,
}

impl Known {
    pub(crate) fn attempts(&self) -> &[TaskAttempt] {
        self.rare.as_ref().map_or(&[], |rare| &rare.attempts)
    }

    pub(crate) fn why(&self) -> Option<&str> {
        self.rare.as_ref()?.why.as_deref()
    }

    pub(crate) fn wish(&self) -> Option<&Wish> {
        self.rare.as_ref()?.wish.as_ref()
    }

    pub(crate) fn dealt(&self) -> Option<&Dealt> {
        self.rare.as_ref()?.dealt.as_ref()
    }

    pub(crate) fn dealt_mut(&mut self) -> Option<&mut Dealt> {
        self.rare.as_mut()?.dealt.as_mut()
    }

    /// Whether this account asked for it: rows of a list are dealt out.
    pub(crate) fn is_of(&self, account: &str) -> bool {
        *self.account == *account && self.dealt().is_none()
    }

    pub(crate) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The first side is called.
    First,
    /// The first side has answered, and the other is called.
    Second,
    /// They talk, or the one who waited is told why not; the machine knows how it ended.
    Over,
}

/// An attempt that is made.
#[derive(Clone, Debug)]
pub(crate) struct Trying {
    pub(crate) attempt: AttemptId,
    /// Whose attempt it is; the agent who is reserved for a callback.
    pub(crate) account: Box<str>,
    /// The queue that calls back.
    pub(crate) queue: Option<Box<str>>,
    /// The row of a call list that is called.
    pub(crate) row: Option<RowName>,
    pub(crate) legs: LegOrder,
    /// How long the callee's phone rings.
    pub(crate) ring: Duration,
    pub(crate) phase: Phase,
    /// The last word of whoever was called: the final status, and what came with it.
    pub(crate) said: Option<(u16, Why)>,
    /// The owner's phones were offered all codecs (R4).
    pub(crate) offered_all: bool,
    /// The owner who was called first heard that the other side was not reached.
    pub(crate) told: bool,
}

/// All tasks of the office.
#[derive(Debug)]
pub(crate) struct Background {
    pub(crate) dialing: Dialing,
    pub(crate) owners: Owners,
    /// Boxed: a map keeps room for more than it has.
    pub(crate) tasks: BTreeMap<TaskId, Box<Known>>,
    pub(crate) ended: VecDeque<TaskRow>,
    pub(crate) trying: BTreeMap<CallId, Trying>,
    /// Who waits to hear that something is written down.
    waiting: Waiting,
    pub(crate) unanswered: Recent<(Box<str>, Box<str>), Unanswered>,
    /// The number that each account called last without an answer.
    pub(crate) last_missed: Recent<Box<str>, Box<str>>,
    last: u64,
}

impl Background {
    /// With what the store had.
    pub(crate) fn new(
        now: Now,
        policy: &BackgroundPolicy,
        emergency: Vec<Box<str>>,
        seed: u64,
        keeping: Keeping,
    ) -> Background {
        let mut owners = Owners::default();
        let (saved, tasks, last) = keeping.saved(&mut owners);
        let mut dialing = Dialing::restore(now, policy.dialing(emergency), policy.places(), seed, saved);
        for owner in owners.queues() {
            // Nobody is called back before an agent is reserved.
            dialing.handle(now, dialing::Input::Owner { owner, at_once: 0, gap: 0 });
        }
        dialing.handle(now, dialing::Input::Lease { epoch: 1, until: Mono(u64::MAX) });
        Background {
            dialing,
            owners,
            tasks,
            ended: VecDeque::new(),
            trying: BTreeMap::new(),
            waiting: Waiting::default(),
            unanswered: Recent::new(COUNTED),
            last_missed: Recent::new(COUNTED),
            last,
        }
    }

    /// A name that no task ever had.
    pub(crate) fn next_id(&mut self) -> TaskId {
        self.last += 1;
        TaskId(self.last)
    }

    /// Keeps what is over for those who look.
    fn show_ended(&mut self, row: TaskRow) {
        if self.ended.len() >= SHOWN {
            self.ended.pop_front();
        }
        self.ended.push_back(row);
    }

    /// The task whose attempt a call is.
    pub(crate) fn task_of(&self, call: CallId) -> Option<TaskId> {
        self.trying.get(&call).map(|trying| trying.attempt.task)
    }
}

/// How a task ended, in words for people.
pub(crate) fn ended_in_words(end: End, why: Option<&str>) -> String {
    match why {
        Some(why) => format!("{end}: {why}"),
        None => end.to_string(),
    }
}
