//! What wakes the machine, and what it wants done.

use crate::cause::Finding;
use crate::do_not_call::Numbers;
use crate::number::Number;
use crate::policy::Policy;
use crate::reason::{Audit, Because, Rule};
use crate::task::{Attempt, AttemptId, End, LegOrder, OwnerId, Task, TaskId};
use clock::{Mono, Wall};
use std::sync::Arc;

/// All that can wake it.
#[derive(Debug)]
pub enum Input {
    /// The deadline has come.
    Timeout,
    /// Someone shall be reached.
    Add(Box<Task>),
    /// A task gets other times or another priority (S3.13: an interval that its owner picks by hand).
    Change {
        /// Which.
        task: TaskId,
        /// No attempt before.
        not_before: Option<Wall>,
        /// No attempt at or after.
        until: Option<Wall>,
        /// Higher comes first.
        priority: u8,
    },
    /// Another owner goes on with it; attempts and budgets go along (S3.20).
    Move {
        /// Which.
        task: TaskId,
        /// Who has it now.
        owner: OwnerId,
    },
    /// Its owner wants this one next.
    Choose(TaskId),
    /// Its owner wants it no more (S2.8).
    Stop(TaskId),
    /// Nor any other.
    StopAll(OwnerId),
    /// An owner is there, or away when `at_once` is zero (S3.17).
    Owner {
        /// Who.
        owner: OwnerId,
        /// Calls that he can have at once.
        at_once: u16,
        /// Seconds between two of them (S3.16).
        gap: u32,
    },
    /// Somebody inside has just become free, or active again.
    Free(Number),
    /// A number shall not be called, by anybody or by one owner.
    Forbid {
        /// Which.
        number: Number,
        /// By whom; by anybody, when not said.
        owner: Option<OwnerId>,
    },
    /// It may be called again.
    Permit {
        /// Which.
        number: Number,
        /// By whom.
        owner: Option<OwnerId>,
    },
    /// A list of numbers that shall not be called, in the place of the one of this name.
    Import {
        /// Its name.
        name: Box<str>,
        /// The whole of it.
        numbers: Numbers,
    },
    /// The office decided anew.
    Policy(Box<Policy>),
    /// Others of the office, who have a machine of their own, called a number, or are calling it (R26).
    Elsewhere {
        /// Which.
        number: Number,
        /// What has become known of their attempts: when each began and ended, and what it came to.
        attempts: Vec<(Wall, Wall, Finding)>,
        /// Until when it is in their hands; the last word counts.
        held: Option<Wall>,
    },
    /// The lease of these numbers was taken or prolonged.
    Lease {
        /// Its fencing token.
        epoch: u64,
        /// When it ends.
        until: Mono,
    },
    /// The store has this commit.
    Committed(u64),
    /// The store could not take it.
    Unavailable(u64),
    /// The store says that another has the lease.
    Fenced,
    /// An attempt is over.
    Finished {
        /// Which.
        attempt: AttemptId,
        /// What it came to.
        finding: Finding,
    },
}

/// What the shell shall do.
#[derive(Debug)]
pub enum Output {
    /// Write this down, and say when it is.
    Commit(Commit),
    /// Call someone; the claim is written.
    Dial(Box<Dial>),
    /// Give up this attempt: the phone stops ringing. [`Input::Finished`] still comes.
    Cancel(AttemptId),
    /// A task, or a change of one, is written down.
    Accepted(TaskId),
    /// A task, or a change of one, is not taken.
    Refused {
        /// Which.
        task: TaskId,
        /// By which rule.
        rule: Rule,
    },
    /// Something of a task changed; [`super::Dialing::explain`] says what.
    Changed(TaskId),
    /// There is no room on the lists of those who are not called; what was said last is not on them.
    ListFull,
    /// A task is over, and that is written down.
    Ended {
        /// Which.
        task: TaskId,
        /// How.
        end: End,
        /// Attempts that were made.
        attempts: u16,
    },
}

/// Rows that are written together or not at all.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Names it in the answer. The same one may come again after [`Input::Unavailable`], with the same rows.
    pub sequence: u64,
    /// The fencing token: the store refuses it when another has a higher one.
    pub epoch: u64,
    /// In this order.
    pub rows: Arc<[Row]>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A task that was taken.
    Task(Box<Task>),
    /// Its times, priority and owner are these now.
    Changed {
        /// Which.
        task: TaskId,
        /// Whose.
        owner: OwnerId,
        /// No attempt before.
        not_before: Option<Wall>,
        /// No attempt at or after.
        until: Option<Wall>,
        /// Higher comes first.
        priority: u8,
    },
    /// An attempt begins: it counts from now on (R26).
    Claim(Attempt),
    /// It ended. Its beginning is that of the call now, which is a little later than that of the claim.
    Result(Attempt),
    /// A task ended.
    End {
        /// Which.
        task: TaskId,
        /// When.
        at: Wall,
        /// How.
        end: End,
        /// Attempts that were made.
        attempts: u16,
    },
    /// A decision.
    Audit(Box<Audit>),
    /// The clock on the wall was set, by so many milliseconds: what was written before this row with times of this clock was
    /// that much off, and is moved, so that 24 hours stay 24 hours after a restart (R18).
    ClockSet(i64),
    /// A number came on a list.
    Forbidden(Number, Option<OwnerId>),
    /// It was taken off.
    Permitted(Number, Option<OwnerId>),
}

/// One call to make.
#[derive(Debug)]
pub struct Dial {
    /// Its name; goes into the records of its calls.
    pub attempt: AttemptId,
    /// Whom.
    pub number: Number,
    /// For whom.
    pub owner: OwnerId,
    /// Who is called first.
    pub legs: LegOrder,
    /// Seconds that the callee's phone rings at least before we give up.
    pub ring: u16,
    /// What its owner wants to see.
    pub data: Box<str>,
    /// Why this one, and why now.
    pub because: Vec<Because>,
}

/// Why the machine wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Something is due.
    Due,
    /// A store that was away is asked again.
    Store,
    /// The last turn had too much to do.
    Turn,
}

/// What the store has, for a start after a stop or a crash.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// Tasks that are not over, as they were changed last.
    pub tasks: Vec<Task>,
    /// All their attempts, those of the last 26 hours at any number, and those of rows that only a person ends.
    pub attempts: Vec<Attempt>,
    /// Who may not be called.
    pub forbidden: Vec<(Number, Option<OwnerId>)>,
}
