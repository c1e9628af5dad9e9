//! Why a task is where it is (DESIGN: everything automatic can say why).

use super::check::Verdict;
use super::entry::{Entry, Key, State, least};
use super::{Dialing, wall_at};
use crate::number::Number;
use crate::reason::{Because, Rule};
use crate::task::{OwnerId, TaskId};
use clock::{Now, Wall};

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits.
    Waiting {
        /// The next attempt is not before.
        until: Wall,
        /// By the rule that holds longest.
        rule: Rule,
    },
    /// Its number is being called for another task.
    Blocked,
    /// It is due.
    Ready {
        /// Why it is, the strongest reason first.
        because: Vec<Because>,
        /// Tasks of the same owner that come before it.
        before: usize,
        /// What it waits for all the same.
        rule: Option<Rule>,
    },
    /// An attempt is being made.
    Calling,
}

/// A task for its owner's eyes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Which.
    pub task: TaskId,
    /// Whom to reach.
    pub number: Number,
    /// Whose.
    pub owner: OwnerId,
    /// Attempts that were made, and how many may be.
    pub attempts: (u16, u16),
    /// Tasks for the same number that came before this one.
    pub ahead: usize,
    /// Where it stands.
    pub standing: Standing,
}

impl Dialing {
    /// Where a task stands, and why.
    #[must_use]
    pub fn explain(&self, now: Now, task: TaskId) -> Option<Explanation> {
        let key = *self.by_id.get(&task)?;
        let entry = &self.tasks[key];
        let limits = self.policy.limits(entry.profile, entry.purpose);
        let same = self.tasks_of(entry.number);
        Some(Explanation {
            task,
            number: entry.number,
            owner: entry.owner,
            attempts: (entry.made, entry.most.min(limits.per_task)),
            ahead: same.into_iter().filter(|other| self.tasks[*other].id < task).count(),
            standing: self.standing(now, key, entry),
        })
    }

    /// The tasks of one owner.
    pub fn tasks_of_owner(&self, owner: OwnerId) -> impl Iterator<Item = TaskId> {
        let all = self.by_owner.range((owner, least())..);
        all.take_while(move |(other, _)| *other == owner).map(|(_, key)| self.tasks[*key].id)
    }

    pub(super) fn standing(&self, now: Now, key: Key, entry: &Entry) -> Standing {
        if entry.is_in_flight() {
            return Standing::Calling;
        }
        match self.check(now, key) {
            Verdict::Wait(until, rule) => Standing::Waiting { until: wall_at(now, until), rule },
            Verdict::Never(_, rule) => Standing::Waiting { until: now.wall, rule },
            Verdict::Blocked => Standing::Blocked,
            Verdict::Go => {
                let before = match entry.state {
                    State::Ready(place) => self.owners.before(entry.owner, place),
                    _ => 0,
                };
                let own = (!self.owners.takes(entry.owner)).then_some(Rule::Owner);
                let turn = (before > 0).then_some(Rule::Turn);
                let rule = self.hindrance(now).or(own).or(turn);
                Standing::Ready { because: self.because(now, key, 0), before, rule }
            }
        }
    }
}
