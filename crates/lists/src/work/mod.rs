//! The work on one list: it gives the rows that come next to [`dialing::Dialing`], writes down what is promised before it is
//! done, and knows what became of each row.
//!
//! ```text
//! List, in its Order --some hundred rows ahead--> Dialing --Commit--> a line of the journal --Written--> Dial
//!                                                    ^                                                    |
//!                                                    +------------------- Finished -----------------------+
//! ```
//!
//! A row's number is checked when its turn comes near; a row that is found wrong then is refused with its line, as if it had
//! been found at once.

mod drive;
mod inputs;
mod journal;
mod preview;
mod restore;
mod results;
mod row;
mod said;
#[cfg(test)]
mod tests;
mod told;

pub use crate::results::Shape;
pub use inputs::{Call, Counts, Input, Output, Presence, Settings, Subject};
pub use preview::Preview;
pub use restore::{NoJournal, NotRestored, attempts_of};
pub(crate) use row::task_of;
pub use told::{Told, Try};

use crate::list::{Entry, List};
use crate::order::NoOrder;
use crate::refusal::{Refusal, Refused, Why};
use clock::{Mono, Now};
use dialing::{
    Attempt, AttemptId, Dialing, End, Explanation, Input as Dialled, OrderKey, Places, Policy, Rule, TaskId,
};
use drive::{InFlight, Own};
use std::collections::{BTreeMap, VecDeque};

/// The machine.
#[derive(Debug)]
pub struct Work {
    list: List,
    settings: Settings,
    /// The places of all rows in their order; nothing when that is the file's.
    order: Option<Vec<u32>>,
    /// How far in this order rows were given to `dialing`.
    next: usize,
    dialing: Dialing,
    /// The row of each task that was given to it.
    rows: BTreeMap<TaskId, u32>,
    /// What is known of rows that were begun, by their first task.
    told: BTreeMap<TaskId, Told>,
    /// The first task of those that came back.
    first: BTreeMap<TaskId, TaskId>,
    late: Refused,
    presence: Presence,
    on_hook: bool,
    pausing: bool,
    calling: Option<AttemptId>,
    talked: BTreeMap<AttemptId, u32>,
    own: Own,
    writing: VecDeque<InFlight>,
    sequence: u64,
    retry: Option<Mono>,
    outputs: VecDeque<Output>,
    more: bool,
    done: bool,
    last: Mono,
}

impl Work {
    /// Begins with a list. Attempts of another run go on to count for the budgets of their numbers.
    ///
    /// # Errors
    /// When the order names no column of the list.
    pub fn begin(
        now: Now,
        list: List,
        settings: Settings,
        policy: Policy,
        places: Places,
        before: Vec<Attempt>,
    ) -> Result<Work, NoOrder> {
        let saved = dialing::Saved { attempts: before.clone(), ..dialing::Saved::default() };
        let mut work = Work::with(now, list, settings, policy, places, saved)?;
        work.own
            .records
            .extend(before.iter().map(|attempt| journal::Record::Before(journal::Made::of(attempt, 0))));
        work.write_head();
        Ok(work)
    }

    fn with(
        now: Now,
        list: List,
        settings: Settings,
        mut policy: Policy,
        places: Places,
        saved: dialing::Saved,
    ) -> Result<Work, NoOrder> {
        let order = settings.order.of(&list)?;
        // The order is that of the rows; a crowd of phones does not call the same number at once, so nothing is spread.
        policy.set_order(&[OrderKey::Rank]);
        policy.set_jitter(false);
        let mut dialing = Dialing::restore(now, policy, places, 0, saved);
        // Nobody else has these numbers: the phone works alone.
        dialing.handle(now, Dialled::Lease { epoch: 0, until: Mono(u64::MAX) });
        dialing.handle(now, Dialled::Owner { owner: settings.owner, at_once: 0, gap: settings.gap });
        Ok(Work {
            list,
            settings,
            order,
            next: 0,
            dialing,
            rows: BTreeMap::new(),
            told: BTreeMap::new(),
            first: BTreeMap::new(),
            late: Refused::default(),
            presence: Presence::default(),
            on_hook: true,
            pausing: false,
            calling: None,
            talked: BTreeMap::new(),
            own: Own::default(),
            writing: VecDeque::new(),
            sequence: 0,
            retry: None,
            outputs: VecDeque::new(),
            more: true,
            done: false,
            last: now.mono,
        })
    }

    fn write_head(&mut self) {
        let subject = &self.settings.subject;
        self.own.records.push(journal::Record::List {
            agent: subject.agent.to_string(),
            list: subject.list.to_string(),
            run: subject.run.to_string(),
            rows: self.list.len(),
        });
    }

    /// The next thing for the shell to do.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When an [`Input::Timeout`] is wanted.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        let turn = self.more.then_some(self.last);
        let dialing = self.dialing.next_deadline().map(|(when, _)| when);
        [turn, dialing, self.retry].into_iter().flatten().min()
    }

    /// The list.
    #[must_use]
    pub fn list(&self) -> &List {
        &self.list
    }

    /// How it is worked through.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How the agent stands.
    #[must_use]
    pub fn presence(&self) -> Presence {
        self.presence
    }

    /// The callee's data.
    #[must_use]
    pub fn entry(&self, task: TaskId) -> Option<Entry<'_>> {
        self.list.entry(self.row(task)? as usize)
    }

    /// What is known of a row that was begun.
    #[must_use]
    pub fn told(&self, task: TaskId) -> Option<&Told> {
        self.told.get(&self.first_of(task))
    }

    /// The rows that are due, the next one first. A row that was looked at in vain is among those that wait.
    pub fn upcoming(&self) -> impl Iterator<Item = TaskId> {
        self.dialing.upcoming(self.settings.owner)
    }

    /// Whether a row is called so.
    #[must_use]
    pub fn knows(&self, task: TaskId) -> bool {
        self.row(task).is_some() || self.told(task).is_some()
    }

    /// Where a row stands, and why; and by which values it has its place in the order.
    #[must_use]
    pub fn explain(&self, now: Now, task: TaskId) -> Option<(Explanation, String)> {
        let explanation = self.dialing.explain(now, task)?;
        let place = self.entry(task).map(|entry| self.settings.order.because(&entry));
        Some((explanation, place.unwrap_or_default()))
    }

    /// Rows that were refused when their turn came near; those of a wrong shape are in [`List::refusals`].
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.late.first
    }

    /// How many rows are where.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let ended = self.told.values().filter(|told| told.end.is_some()).count();
        let reached = |told: &&Told| matches!(told.end, Some((_, End::Reached)));
        let gone = self.told.values().filter(|told| told.row.is_none()).count();
        let refused = self.late.count;
        let here = self.list.len().saturating_sub(refused);
        Counts {
            rows: self.list.len(),
            open: here.saturating_sub(ended.saturating_sub(gone)),
            due: self.dialing.ready_of(self.settings.owner),
            ended,
            reached: self.told.values().filter(reached).count(),
            refused: self.list.refused() + refused,
            attempts: self.told.values().map(|told| told.attempts.len()).sum(),
        }
    }

    /// Attempts that still count for the budgets of their numbers: those of the last 26 hours.
    #[must_use]
    pub fn recent(&self, now: Now) -> Vec<Attempt> {
        let memory = i64::try_from(dialing::limits::MEMORY.as_millis()).unwrap_or(i64::MAX);
        let since = now.wall.0.saturating_sub(memory);
        let all = self.told.values().flat_map(|told| told.attempts.iter().map(|made| (told.number, made)));
        let recent = all.filter(|(_, made)| made.at.0 >= since);
        recent
            .map(|(number, made)| Attempt { id: made.id, number, at: made.at, finished: made.finished })
            .collect()
    }

    fn row(&self, task: TaskId) -> Option<u32> {
        self.rows.get(&self.first_of(task)).copied()
    }

    /// The task by which a row is known for ever, whatever brought it back since.
    #[must_use]
    pub fn first_of(&self, task: TaskId) -> TaskId {
        self.first.get(&task).copied().unwrap_or(task)
    }

    /// A row is refused after all.
    fn refuse(&mut self, row: u32, why: Why) {
        let line = self.list.entry(row as usize).map_or(0, |entry| entry.line());
        self.late.push(line, why);
    }

    fn refuse_by_rule(&mut self, row: u32, rule: &Rule) {
        let why = if matches!(rule, Rule::Known) { Why::Twice } else { Why::Rule(rule.to_string().into()) };
        self.refuse(row, why);
    }
}
