//! An attempt is over: what it means for its task, for its number, and for those who wait for that number.

use super::entry::{Key, State};
use super::inputs::{Output, Row};
use super::wake::Wake;
use super::{Dialing, seconds, seconds_up};
use crate::cause::{Finding, Outcome};
use crate::task::{Attempt, AttemptId, End};
use clock::{Now, Wall};
use std::time::Duration;

impl Dialing {
    pub(super) fn finished(&mut self, now: Now, attempt: AttemptId, finding: Finding) {
        let Some(key) = self.by_id.get(&attempt.task).copied() else { return };
        let entry = &self.tasks[key];
        // What is told twice, or of an attempt that we never dialled, changes nothing.
        if entry.ordinal == attempt.ordinal && matches!(entry.state, State::Dialled) {
            self.finish(now, key, finding);
        }
    }

    pub(super) fn finish(&mut self, now: Now, key: Key, finding: Finding) {
        let entry = &mut self.tasks[key];
        let id = AttemptId { task: entry.id, ordinal: entry.ordinal };
        let (number, owner) = (entry.number, entry.owner);
        entry.state = State::Between;
        if finding.outcome == Outcome::NotDialled {
            entry.made -= 1;
        }
        self.in_flight -= 1;
        if let Some(gap) = self.owners.finish(owner) {
            self.wheel.insert(now.mono + Duration::from_secs(gap.into()), Wake::Owner(owner));
        }
        let mut at = now.wall;
        if let Some(history) = self.numbers.get_mut(&number) {
            // In whole seconds, upwards: after a restart it counts no shorter than it did before.
            let ago = history.began().map_or(0, |began| seconds(now.mono) - began);
            at = Wall(now.wall.0.saturating_sub(ago.saturating_mul(1_000)));
            history.finish(seconds_up(now.mono), finding);
        }
        self.journal.push(Row::Result(Attempt { id, number, at, finished: Some((now.wall, finding)) }));
        match self.end_after(key, finding) {
            // It was given up because its callee wants no more calls.
            Some(End::Stopped) if self.do_not_call.forbids(number, owner).is_some() => {
                self.end(now, key, End::Forbidden);
            }
            Some(end) => self.end(now, key, end),
            None => {
                self.tell(Output::Changed(id.task));
                self.place(now, key);
            }
        }
        for other in self.tasks_of(number) {
            if matches!(self.tasks[other].state, State::Blocked) {
                self.place(now, other);
            }
        }
    }

    /// How a task ends by what its attempt came to; `None` when it goes on.
    pub(super) fn end_after(&mut self, key: Key, finding: Finding) -> Option<End> {
        let entry = &mut self.tasks[key];
        match finding.outcome {
            Outcome::Answered => Some(End::Reached),
            Outcome::Abandoned => Some(End::Abandoned),
            Outcome::Declined => Some(End::Declined),
            Outcome::Vacant if finding.sure || entry.doubt => Some(End::Vacant),
            Outcome::Vacant => {
                entry.doubt = true;
                entry.stopping.then_some(End::Stopped)
            }
            _ => entry.stopping.then_some(End::Stopped),
        }
    }
}
