//! The machine: inputs in, outputs out, a deadline and its reason.
//!
//! ```text
//! due -> checked -> Commit(claim) -> Committed -> checked again -> Dial -> Finished -> Commit(result) -> waits, or ends
//! ```
//!
//! An attempt is dialled only when its claim is written, so a crash at any moment leaves either nothing or a claim, and a
//! claim counts (R26). One machine owns the numbers of one lease.

mod add;
mod check;
mod claim;
mod entry;
mod explain;
mod finish;
mod inputs;
mod journal;
mod orders;
mod owners;
mod restore;
mod wake;

pub use explain::{Explanation, Standing};
pub use inputs::{Commit, Dial, Input, Output, Reason, Row, Saved};

use crate::do_not_call::DoNotCall;
use crate::history::{History, Seconds};
use crate::limits;
use crate::number::Number;
use crate::places::Places;
use crate::policy::Policy;
use crate::reason::{Audit, Because, Decision, Rule};
use crate::task::{AttemptId, OwnerId, TaskId};
use clock::{Mono, Now, Wall, Wheel};
use entry::{Entry, Key, least};
use journal::Journal;
use owners::Owners;
use slotmap::SlotMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wake::{Lead, Wake};

/// The right to act for these numbers (R19, R25).
#[derive(Clone, Copy, Debug)]
struct Lease {
    epoch: u64,
    until: Mono,
}

/// All tasks to reach someone, of the numbers that this machine owns.
#[derive(Debug)]
pub struct Dialing {
    policy: Policy,
    places: Places,
    do_not_call: DoNotCall,
    seed: u64,
    lease: Option<Lease>,
    tasks: SlotMap<Key, Entry>,
    by_id: BTreeMap<TaskId, Key>,
    by_number: BTreeSet<(Number, Key)>,
    by_owner: BTreeSet<(OwnerId, Key)>,
    numbers: BTreeMap<Number, History>,
    /// Numbers that others of the office are calling, and until when that holds at most.
    held: BTreeMap<Number, Mono>,
    owners: Owners,
    wheel: Wheel<Wake>,
    in_flight: u16,
    /// Why each attempt whose claim is on its way was next.
    claimed: BTreeMap<AttemptId, Vec<Because>>,
    journal: Journal,
    outputs: VecDeque<Output>,
    lead: Lead,
    /// Where looking anew at tasks after a step of the clock has come to.
    looking_from: Option<(Number, Key)>,
    /// Where forgetting has come to, and whether it is in the wheel.
    sweeping_from: Option<Number>,
    sweeps: bool,
    /// A turn ended before its work did.
    more: bool,
    last: Mono,
}

impl Dialing {
    /// A machine without tasks. It claims nothing before it has a lease.
    #[must_use]
    pub fn new(policy: Policy, places: Places, seed: u64) -> Dialing {
        Dialing {
            policy,
            places,
            do_not_call: DoNotCall::default(),
            seed,
            lease: None,
            tasks: SlotMap::with_key(),
            by_id: BTreeMap::new(),
            by_number: BTreeSet::new(),
            by_owner: BTreeSet::new(),
            numbers: BTreeMap::new(),
            held: BTreeMap::new(),
            owners: Owners::default(),
            wheel: Wheel::new(),
            in_flight: 0,
            claimed: BTreeMap::new(),
            journal: Journal::default(),
            outputs: VecDeque::new(),
            lead: Lead::default(),
            looking_from: None,
            sweeping_from: None,
            sweeps: false,
            more: false,
            last: Mono(0),
        }
    }

    /// Takes one input. Never blocks, never reads a clock.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.last = now.mono;
        if let Some(step) = self.lead.step(now) {
            self.clock_set(step);
        }
        match input {
            Input::Timeout => self.wake(now),
            Input::Add(task) => self.add(now, task),
            Input::Change { task, not_before, until, priority } => {
                self.change(now, task, not_before, until, priority);
            }
            Input::Move { task, owner } => self.hand_over(now, task, owner),
            Input::Choose(task) => self.choose(now, task),
            Input::Stop(task) => self.stop(now, task),
            Input::StopAll(owner) => self.stop_all(now, owner),
            Input::Owner { owner, at_once, gap } => self.owner_says(owner, at_once, gap),
            Input::Free(number) => self.became_free(now, number),
            Input::Forbid { number, owner } => self.forbid(now, number, owner),
            Input::Permit { number, owner } => self.permit(number, owner),
            Input::Import { name, numbers } => self.import(&name, numbers),
            Input::Policy(policy) => self.replace_policy(*policy),
            Input::Elsewhere { number, attempts, held } => self.elsewhere(now, number, &attempts, held),
            Input::Lease { epoch, until } => self.lease = Some(Lease { epoch, until }),
            Input::Committed(sequence) => self.committed(now, sequence),
            Input::Unavailable(sequence) => self.journal.unavailable(now.mono, sequence),
            Input::Fenced => self.fenced(),
            Input::Finished { attempt, finding } => self.finished(now, attempt, finding),
        }
        self.settle(now);
    }

    /// The next thing for the shell to do.
    pub fn next_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        // A start has something to tell of each task, and nothing after it has so much.
        if output.is_none() && self.outputs.capacity() > limits::KEPT_OUTPUTS {
            self.outputs = VecDeque::new();
        }
        output
    }

    /// When, and why, an [`Input::Timeout`] is wanted.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Mono, Reason)> {
        let unfinished = self.more || self.looking_from.is_some() || self.sweeping_from.is_some();
        let turn = unfinished.then_some((self.last, Reason::Turn));
        let due = self.wheel.next_deadline().map(|when| (when, Reason::Due));
        let store = self.journal.next_deadline().map(|when| (when, Reason::Store));
        [turn, store, due].into_iter().flatten().min_by_key(|(when, _)| *when)
    }

    /// How many tasks are not over.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// How many tasks of an owner are due.
    #[must_use]
    pub fn ready_of(&self, owner: OwnerId) -> usize {
        self.owners.ready(owner)
    }

    /// The tasks of an owner that are due, the next one first.
    pub fn upcoming(&self, owner: OwnerId) -> impl Iterator<Item = TaskId> {
        self.owners.upcoming(owner)
    }

    /// Whom a task is to reach.
    #[must_use]
    pub fn number_of(&self, task: TaskId) -> Option<Number> {
        self.by_id.get(&task).map(|key| self.tasks[*key].number)
    }

    /// The tasks for a number, in the order in which they came.
    #[must_use]
    pub fn tasks_to(&self, number: Number) -> Vec<TaskId> {
        let mut tasks: Vec<TaskId> =
            self.tasks_of(number).into_iter().map(|key| self.tasks[key].id).collect();
        tasks.sort_unstable();
        tasks
    }

    /// Those whom nobody of the office calls, by its own list.
    pub fn not_called_by_office(&self) -> impl Iterator<Item = Number> {
        self.do_not_call.of_office()
    }

    /// Whether nobody of the office calls a number, by its own list.
    #[must_use]
    pub fn is_not_called_by_office(&self, number: Number) -> bool {
        self.do_not_call.is_of_office(number)
    }

    /// What is known of the world: where numbers are.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }

    fn audit(&mut self, now: Now, key: Key, decision: Decision, rule: Rule) {
        let entry = &self.tasks[key];
        let audit =
            Audit { at: now.wall, task: entry.id, owner: entry.owner, number: entry.number, decision, rule };
        self.journal.push(Row::Audit(Box::new(audit)));
    }

    fn tell(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// The tasks of a number; few (see [`limits::TASKS_PER_NUMBER`]).
    fn tasks_of(&self, number: Number) -> Vec<Key> {
        let all = self.by_number.range((number, least())..);
        let own = all.take_while(|(other, _)| *other == number).map(|(_, key)| *key);
        own.take(limits::TASKS_PER_NUMBER).collect()
    }
}

/// Whole seconds that have passed.
fn seconds(at: Mono) -> Seconds {
    i64::try_from(at.0 / 1_000_000).unwrap_or(i64::MAX)
}

/// The first whole second that is not before.
fn seconds_up(at: Mono) -> Seconds {
    i64::try_from(at.0.div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

fn mono(at: Seconds) -> Mono {
    Mono(u64::try_from(at).unwrap_or(0).saturating_mul(1_000_000))
}

/// When the other clock will show this; now, when it has.
fn mono_at(now: Now, at: Wall) -> Mono {
    let ahead = u64::try_from(at.0.saturating_sub(now.wall.0)).unwrap_or(0);
    Mono(now.mono.0.saturating_add(ahead.saturating_mul(1_000)))
}

/// What the clock on the wall will show then.
fn wall_at(now: Now, at: Mono) -> Wall {
    let ahead = i64::try_from(at.0.saturating_sub(now.mono.0).div_ceil(1_000)).unwrap_or(i64::MAX);
    Wall(now.wall.0.saturating_add(ahead))
}
