//! Tasks as the store keeps them: the machine's rows, each with the account behind its owner.

use super::list::TaskAttempt;
use super::owners::Owners;
use super::{Known, Rare};
use crate::lists::Dealt;
use crate::queues::Wish;
use clock::Wall;
use dialing::{Attempt, AttemptId, Number, Row, Saved, Task, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// One row of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskChange {
    /// What the machine wrote. Its owner is a number that is only good until the next start.
    pub row: Row,
    /// Whose it is; empty where the row names nobody.
    pub account: Box<str>,
    /// When it was written down.
    pub at: Wall,
}

impl TaskChange {
    /// What it belongs to: the callee's number (R19), or the task where only that is known.
    #[must_use]
    pub fn subject(&self) -> String {
        match &self.row {
            Row::Task(task) => task.number.to_string(),
            Row::Claim(attempt) | Row::Result(attempt) => attempt.number.to_string(),
            Row::Changed { task, .. } | Row::End { task, .. } => task.0.to_string(),
            Row::Audit(audit) => audit.number.to_string(),
            Row::Forbidden(number, _) | Row::Permitted(number, _) => number.to_string(),
            Row::ClockSet(_) => String::new(),
        }
    }
}

/// Rows put together again: what is there at a start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keeping {
    /// Not boxed as they came: what is read gives its memory back at once.
    tasks: BTreeMap<TaskId, (Task, Box<str>, Wall)>,
    attempts: BTreeMap<AttemptId, Attempt>,
    forbidden: BTreeSet<(Number, Option<Box<str>>)>,
    last: u64,
}

impl Keeping {
    /// The next row, in the order in which they were written.
    pub(crate) fn keep(&mut self, change: TaskChange) {
        let TaskChange { row, account, at } = change;
        match row {
            Row::Task(task) => {
                self.last = self.last.max(task.id.0);
                self.tasks.insert(task.id, (*task, account, at));
            }
            Row::Changed { task, not_before, until, priority, .. } => {
                if let Some((known, owner, _)) = self.tasks.get_mut(&task) {
                    (known.not_before, known.until, known.priority) = (not_before, until, priority);
                    *owner = account;
                }
            }
            Row::Claim(attempt) | Row::Result(attempt) => {
                self.attempts.insert(attempt.id, attempt);
            }
            Row::End { task, .. } => {
                self.last = self.last.max(task.0);
                self.tasks.remove(&task);
            }
            Row::ClockSet(step) => {
                for attempt in self.attempts.values_mut() {
                    attempt.at.0 += step;
                    if let Some((ended, _)) = &mut attempt.finished {
                        ended.0 += step;
                    }
                }
            }
            Row::Forbidden(number, owner) => {
                self.forbidden.insert((number, owner.map(|_| account)));
            }
            Row::Permitted(number, owner) => {
                self.forbidden.remove(&(number, owner.map(|_| account)));
            }
            Row::Audit(_) => {}
        }
    }

    /// For the machine, and for the office.
    pub(crate) fn saved(self, owners: &mut Owners) -> (Saved, BTreeMap<TaskId, Box<Known>>, u64) {
        let mut known = BTreeMap::new();
        let mut saved = Saved::default();
        for (id, (mut task, account, since)) in self.tasks {
            task.owner = owners.id(&account);
            let own = self.attempts.range(AttemptId { task: id, ordinal: 0 }..);
            let own = own.take_while(|(attempt, _)| attempt.task == id);
            let attempts: Vec<TaskAttempt> = own.map(|(_, attempt)| TaskAttempt::of(attempt)).collect();
            let dealt = Dealt::read(&account, &task.data);
            let (wish, dealt, number, account) = match (Wish::read(&account, &task.data), dealt) {
                (Some((wish, number, account)), _) => (Some(wish), None, number, account.into()),
                (None, Some((dealt, number, account))) => (None, Some(dealt), number, account.into()),
                (None, None) => (None, None, task.data.clone(), owners.shared(task.owner)),
            };
            known.insert(
                id,
                Box::new(Known {
                    account,
                    number,
                    legs: task.legs,
                    since,
                    not_before: task.not_before,
                    until: task.until,
                    priority: task.priority,
                    rare: (wish.is_some() || dealt.is_some() || !attempts.is_empty())
                        .then(|| Box::new(Rare { attempts, why: None, wish, dealt })),
                }),
            );
            saved.tasks.push(task);
        }
        saved.attempts = self.attempts.into_values().collect();
        let forbidden = self.forbidden.into_iter();
        saved.forbidden =
            forbidden.map(|(number, owner)| (number, owner.map(|owner| owners.id(&owner)))).collect();
        (saved, known, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dialing::cause::{Finding, Outcome};
    use dialing::{End, OwnerId};

    fn change(row: Row, account: &str) -> TaskChange {
        TaskChange { row, account: account.into(), at: Wall(5) }
    }

    #[test]
    fn rows_are_put_together_in_their_order() {
        let number = Number::inside("200").expect("a number");
        let task = |id| Task { data: "200".into(), ..Task::new(TaskId(id), number, OwnerId(9)) };
        let id = AttemptId { task: TaskId(1), ordinal: 1 };
        let claim = Attempt { id, number, at: Wall(1_000), finished: None };
        let busy = Finding::sure(Outcome::Busy);
        let mut keeping = Keeping::default();
        keeping.keep(change(Row::Task(Box::new(task(1))), "ada"));
        keeping.keep(change(Row::Task(Box::new(task(7))), "bob"));
        keeping.keep(change(Row::Claim(claim), ""));
        keeping.keep(change(Row::Result(Attempt { finished: Some((Wall(3_000), busy)), ..claim }), ""));
        keeping.keep(change(Row::ClockSet(500), ""));
        keeping.keep(change(Row::Forbidden(number, Some(OwnerId(9))), "bob"));
        keeping
            .keep(change(Row::End { task: TaskId(7), at: Wall(0), end: End::Stopped, attempts: 0 }, "bob"));
        let mut owners = Owners::default();
        let (saved, known, last) = keeping.saved(&mut owners);
        assert_eq!((saved.tasks.len(), last), (1, 7), "an id is never given again");
        assert_eq!(owners.name(saved.tasks[0].owner), "ada");
        assert_eq!(saved.attempts[0].finished, Some((Wall(3_500), busy)), "the result over the claim");
        assert_eq!(saved.forbidden[0].1.map(|owner| owners.name(owner).to_owned()).as_deref(), Some("bob"));
        let ada = &known[&TaskId(1)];
        assert_eq!((&*ada.number, ada.attempts().len(), ada.since), ("200", 1, Wall(5)));
    }
}
