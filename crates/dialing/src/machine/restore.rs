//! A start from what the store has. A claim without a result is an attempt of which nobody knows whether it rang: it
//! counts, and it is never dialled again (R26).

use super::entry::Key;
use super::inputs::{Output, Row, Saved};
use super::{Dialing, seconds_up};
use crate::cause::{Finding, Outcome};
use crate::history::Seconds;
use crate::law::Profile;
use crate::places::Places;
use crate::policy::Policy;
use crate::task::{Attempt, Purpose, Task, TaskId};
use clock::{Now, Wall};
use std::collections::{BTreeMap, BTreeSet};

/// The attempts of one task, put together.
#[derive(Clone, Copy, Default)]
struct Made {
    attempts: u16,
    ordinal: u16,
    doubt: bool,
    last: Option<Finding>,
}

impl Dialing {
    /// The machine as it was when the last commit was made.
    #[must_use]
    pub fn restore(now: Now, policy: Policy, places: Places, seed: u64, saved: Saved) -> Dialing {
        let mut dialing = Dialing::new(policy, places, seed);
        dialing.last = now.mono;
        dialing.lead.step(now);
        for (number, owner) in saved.forbidden {
            if dialing.do_not_call.forbid(number, owner).is_err() {
                dialing.tell(Output::ListFull);
                break;
            }
        }
        let asked = saved.tasks.iter().filter(|task| task.asked).map(|task| task.id).collect();
        let made = dialing.replay(now, saved.attempts, &asked);
        for task in saved.tasks {
            let made = made.get(&task.id).copied().unwrap_or_default();
            dialing.restore_task(now, task, made);
        }
        dialing
    }

    /// What every number has behind it, one attempt after another as it was then.
    fn replay(
        &mut self,
        now: Now,
        mut attempts: Vec<Attempt>,
        asked: &BTreeSet<TaskId>,
    ) -> BTreeMap<TaskId, Made> {
        attempts.sort_unstable_by_key(|attempt| (attempt.at, attempt.id));
        let mut made: BTreeMap<TaskId, Made> = BTreeMap::new();
        for mut attempt in attempts {
            let (ended, finding) = attempt.finished.unwrap_or_else(|| {
                let lost = (now.wall, Finding::sure(Outcome::Lost));
                // When its call left, if it did, nobody knows: not after now.
                (attempt.at, attempt.finished) = (now.wall, Some(lost));
                self.journal.push(Row::Result(attempt));
                lost
            });
            let profile = Profile::of(attempt.number, self.places.of(attempt.number).0);
            let limits = self.policy.limits(profile, Purpose::Personal);
            let history = self.numbers.entry(attempt.number).or_default();
            history.renew(seconds_at(now, attempt.at), limits);
            if asked.contains(&attempt.id.task) && !made.contains_key(&attempt.id.task) {
                history.asked_anew(limits);
            }
            history.begin(seconds_at(now, attempt.at), attempt.id);
            history.finish(seconds_at(now, ended), finding);
            let made = made.entry(attempt.id.task).or_default();
            made.ordinal = made.ordinal.max(attempt.id.ordinal);
            if finding.outcome != Outcome::NotDialled {
                made.attempts += 1;
                made.last = Some(finding);
                made.doubt |= finding.outcome == Outcome::Vacant;
            }
        }
        made
    }

    fn restore_task(&mut self, now: Now, mut task: Task, made: Made) {
        let key: Key = match self.enter(&mut task) {
            Ok(key) => key,
            Err(rule) => return self.tell(Output::Refused { task: task.id, rule }),
        };
        let entry = &mut self.tasks[key];
        entry.made = entry.made.saturating_add(made.attempts);
        entry.ordinal = entry.ordinal.max(made.ordinal);
        // The result was written, and we died before its consequence was.
        if let Some(end) = made.last.and_then(|finding| self.end_after(key, finding)) {
            self.end(now, key, end);
            return;
        }
        self.tasks[key].doubt = made.doubt;
        if task.asked && made.ordinal == 0 {
            self.ask_anew(key);
        }
        self.place(now, key);
    }
}

/// When that was, on the clock that never jumps; what lies in the future by a clock that was wrong is now.
pub(super) fn seconds_at(now: Now, at: Wall) -> Seconds {
    let ago = now.wall.0.saturating_sub(at.0).div_euclid(1_000).max(0);
    seconds_up(now.mono).saturating_sub(ago)
}
