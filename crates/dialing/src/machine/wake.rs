//! What is due, in turns of a bounded length (R17); steps of the wall clock (R18); and forgetting.

use super::entry::{Key, State};
use super::inputs::Row;
use super::{Dialing, seconds};
use crate::law::Profile;
use crate::limits;
use crate::task::{OwnerId, Purpose};
use clock::Now;
use std::ops::Bound;

/// What a timer is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wake {
    Task(Key),
    /// An owner has rested between two calls.
    Owner(OwnerId),
    Sweep,
}

/// How far the wall clock was ahead of the other, when it was looked at last.
#[derive(Debug, Default)]
pub(crate) struct Lead {
    milliseconds: Option<i64>,
}

impl Lead {
    /// By how many milliseconds the wall clock was set since the last look that said so, when it was.
    pub(crate) fn step(&mut self, now: Now) -> Option<i64> {
        let mono = i64::try_from(now.mono.0 / 1_000).unwrap_or(i64::MAX);
        let lead = now.wall.0.saturating_sub(mono);
        let known = *self.milliseconds.get_or_insert(lead);
        let least = i64::try_from(limits::JUMP.as_millis()).unwrap_or(i64::MAX);
        let step = lead.saturating_sub(known);
        (step.unsigned_abs() >= least.unsigned_abs()).then(|| {
            self.milliseconds = Some(lead);
            step
        })
    }
}

impl Dialing {
    pub(super) fn wake(&mut self, now: Now) {
        for _ in 0..limits::TURN {
            match self.wheel.expire(now.mono) {
                Some(Wake::Task(key)) => {
                    // Its timer is gone, and names nothing any more.
                    if let Some(entry) = self.tasks.get_mut(key) {
                        entry.state = State::Between;
                        self.place(now, key);
                    }
                }
                Some(Wake::Owner(owner)) => self.owners.rested(owner),
                Some(Wake::Sweep) => {
                    self.sweeps = false;
                    self.sweeping_from = self.numbers.keys().next().copied();
                }
                None => break,
            }
        }
        self.look_on(now);
        self.sweep(now);
    }

    /// The clock on the wall was set.
    pub(super) fn clock_set(&mut self, step: i64) {
        self.journal.push(Row::ClockSet(step));
        self.look_anew();
    }

    /// What waits for a time of day may wait for another moment now.
    pub(super) fn look_anew(&mut self) {
        self.looking_from = self.by_number.first().copied();
    }

    fn look_on(&mut self, now: Now) {
        let Some(from) = self.looking_from.take() else { return };
        let mut due = self.by_number.range(from..).copied();
        let turn: Vec<_> = due.by_ref().take(limits::TURN).collect();
        self.looking_from = due.next();
        for (_, key) in turn {
            if matches!(self.tasks[key].state, State::Waiting(_)) {
                self.place(now, key);
            }
        }
    }

    /// Forgets what no rule asks for any more.
    fn sweep(&mut self, now: Now) {
        let Some(from) = self.sweeping_from.take() else { return };
        let mut known = self.numbers.range_mut((Bound::Included(from), Bound::Unbounded));
        let mut past = Vec::new();
        for (number, history) in known.by_ref().take(limits::SWEEP_TURN) {
            let profile = Profile::of(*number, self.places.of(*number).0);
            let limits = self.policy.limits(profile, Purpose::Personal);
            if !history.forget(seconds(now.mono), limits) {
                past.push(*number);
            }
        }
        self.sweeping_from = known.next().map(|(number, _)| *number);
        for number in past {
            self.numbers.remove(&number);
        }
    }

    /// There is something to forget one day.
    pub(super) fn sweep_later(&mut self, now: Now) {
        if !self.sweeps && !self.numbers.is_empty() {
            self.sweeps = true;
            self.wheel.insert(now.mono + limits::SWEEP, Wake::Sweep);
        }
    }
}
