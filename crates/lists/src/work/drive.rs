//! Inputs in; rows to `dialing`; its commits into the journal; its calls out.

use super::inputs::{Call, Input, Output, Presence};
use super::journal::{self, Record};
use super::told::Try;
use super::{Work, row};
use crate::limits;
use crate::refusal::Why;
use clock::Now;
use dialing::cause::{Finding, Outcome};
use dialing::{Attempt, AttemptId, Commit, Dial, Input as Dialled, Output as Dialling, Row, Rule, TaskId};
use std::sync::Arc;

/// What this machine itself has to write down, and whom to tell when that is done.
#[derive(Debug, Default)]
pub(super) struct Own {
    pub(super) records: Vec<Record>,
    pub(super) changed: Vec<TaskId>,
}

/// The line that is on its way to the disk.
#[derive(Debug)]
pub(super) struct InFlight {
    sequence: u64,
    line: Vec<u8>,
    /// The commit in it.
    commit: Option<(u64, Arc<[Row]>)>,
    changed: Vec<TaskId>,
}

impl Work {
    /// Takes one input. Never blocks, never reads a clock.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.last = now.mono;
        match input {
            Input::Timeout => self.dialing.handle(now, Dialled::Timeout),
            Input::Presence(presence) => {
                (self.presence, self.pausing) = (presence, false);
                self.tell_owner(now);
            }
            Input::OnHook(free) => {
                self.on_hook = free;
                self.tell_owner(now);
            }
            Input::PauseAfterCall if self.calling.is_some() => self.pausing = true,
            Input::PauseAfterCall => self.pause(now),
            Input::Answered(attempt) => self.answered(now, attempt),
            Input::Finished { attempt, finding, talked } => self.finished(now, attempt, finding, talked),
            Input::Written(sequence) => self.written(now, sequence),
            Input::NotWritten(sequence) => self.not_written(now, sequence),
            Input::Choose(task) => self.dialing.handle(now, Dialled::Choose(self.task_now(task))),
            Input::Later { task, at } => self.later(now, task, at),
            Input::GiveUp(task) => self.dialing.handle(now, Dialled::Stop(self.task_now(task))),
            Input::Forbid(task) => self.forbid(now, task),
            Input::Mark { task, result, note } => self.mark(task, &result, &note),
        }
        self.settle(now);
    }

    fn settle(&mut self, now: Now) {
        self.follow(now);
        self.more = self.feed(now);
        self.follow(now);
        self.write_own(now);
        let all = self.next >= self.list.len() && self.dialing.is_empty() && !self.is_writing();
        if all && !self.done {
            self.outputs.push_back(Output::Done);
        }
        self.done = all;
    }

    fn is_writing(&self) -> bool {
        !self.writing.is_empty() || !self.own.records.is_empty()
    }

    /// S3.17: calls are made for who is online and on hook.
    fn tell_owner(&mut self, now: Now) {
        let at_once = u16::from(self.presence == Presence::Online && self.on_hook);
        let (owner, gap) = (self.settings.owner, self.settings.gap);
        self.dialing.handle(now, Dialled::Owner { owner, at_once, gap });
    }

    fn pause(&mut self, now: Now) {
        self.pausing = false;
        if self.presence == Presence::Online {
            self.presence = Presence::Away;
            self.tell_owner(now);
            self.outputs.push_back(Output::Paused);
        }
    }

    /// It is written down at once: who dies in the middle of a talk has talked.
    fn answered(&mut self, now: Now, attempt: AttemptId) {
        if self.calling == Some(attempt) {
            let task = journal::name(attempt.task);
            self.own.records.push(Record::Answered { task, attempt: attempt.ordinal, at: now.wall.0 });
        }
    }

    fn finished(&mut self, now: Now, attempt: AttemptId, finding: Finding, talked: u32) {
        if self.calling == Some(attempt) {
            self.calling = None;
            self.talked.insert(attempt, talked);
            // Before the next is chosen.
            if self.pausing {
                self.pause(now);
            }
        }
        self.dialing.handle(now, Dialled::Finished { attempt, finding });
    }

    /// Gives rows to `dialing` until enough are due; whether the turn ended before that (R17).
    fn feed(&mut self, now: Now) -> bool {
        for _ in 0..limits::FEED_TURN {
            let due = self.dialing.ready_of(self.settings.owner);
            let full = due >= limits::FEED || self.dialing.len() >= limits::FED;
            if full || self.next >= self.list.len() {
                return false;
            }
            let rank = self.next;
            self.next += 1;
            let index =
                self.order.as_ref().map_or(u32::try_from(rank).ok(), |order| order.get(rank).copied());
            let Some(index) = index else { continue };
            if !self.give(now, index, u32::try_from(rank).unwrap_or(u32::MAX)) {
                // There is no room now: the same row again, later.
                self.next = rank;
                return false;
            }
        }
        self.next < self.list.len()
    }

    /// Gives one row; false when there is no room for it now.
    fn give(&mut self, now: Now, index: u32, rank: u32) -> bool {
        let Some(entry) = self.list.entry(index as usize) else { return true };
        let task = match row::task_of(&entry, rank, &self.settings, self.dialing.places()) {
            Ok(task) => task,
            Err(why) => {
                self.refuse(index, why);
                return true;
            }
        };
        let id = task.id;
        match self.rows.get(&id) {
            Some(known) if *known == index => return true,
            Some(_) => {
                self.refuse(index, Why::Twice);
                return true;
            }
            None => self.rows.insert(id, index),
        };
        self.dialing.handle(now, Dialled::Add(Box::new(task)));
        let refused = self.follow_adding(now, id);
        match refused {
            Some(Rule::Full | Rule::Store) => {
                self.rows.remove(&id);
                return false;
            }
            Some(rule) => {
                self.rows.remove(&id);
                self.refuse_by_rule(index, &rule);
            }
            None => {}
        }
        true
    }

    /// What `dialing` wants done; the refusal of this task is the answer.
    pub(super) fn follow_adding(&mut self, now: Now, added: TaskId) -> Option<Rule> {
        let mut refused = None;
        while let Some(output) = self.dialing.next_output() {
            match output {
                Dialling::Refused { task, rule } if task == added => refused = Some(rule),
                other => self.follow_one(now, other),
            }
        }
        refused
    }

    fn follow(&mut self, now: Now) {
        while let Some(output) = self.dialing.next_output() {
            self.follow_one(now, output);
        }
    }

    fn follow_one(&mut self, now: Now, output: Dialling) {
        match output {
            Dialling::Commit(commit) => self.write(now, commit),
            Dialling::Dial(dial) => self.dial(now, *dial),
            Dialling::Cancel(attempt) => self.outputs.push_back(Output::Cancel(attempt)),
            Dialling::Refused { task, rule } => self.outputs.push_back(Output::Refused(task, rule)),
            Dialling::Ended { task, .. } => self.changed(task),
            // What is on its way to the disk is told when it is there.
            Dialling::Changed(task) if self.writing.is_empty() && self.told(task).is_some() => {
                self.changed(task);
            }
            // Rows that only come and wait are no news.
            Dialling::Changed(_) | Dialling::Accepted(_) => {}
            Dialling::ListFull => {
                if let Some(attempt) = self.calling {
                    self.outputs.push_back(Output::Refused(attempt.task, Rule::Full));
                }
            }
        }
    }

    fn changed(&mut self, task: TaskId) {
        let same = matches!(self.outputs.back(), Some(Output::Changed(last)) if *last == task);
        if !same {
            self.outputs.push_back(Output::Changed(task));
        }
    }

    /// The claim is written. A call that came in meanwhile goes first, and this attempt never left.
    fn dial(&mut self, now: Now, dial: Dial) {
        let free = self.presence == Presence::Online && self.on_hook && self.calling.is_none();
        if !free {
            let finding = Finding::sure(Outcome::NotDialled);
            self.dialing.handle(now, Dialled::Finished { attempt: dial.attempt, finding });
            return;
        }
        self.calling = Some(dial.attempt);
        self.outputs.push_back(Output::Dial(Box::new(Call {
            attempt: dial.attempt,
            number: dial.number,
            row: self.row(dial.attempt.task),
            ring: dial.ring,
            because: dial.because,
        })));
    }

    /// A commit becomes a line; one that leaves nothing in the journal is done.
    fn write(&mut self, now: Now, commit: Commit) {
        let known =
            |line: &InFlight| line.commit.as_ref().is_some_and(|(known, _)| *known == commit.sequence);
        if self.writing.iter().any(known) {
            // The same once more, of which the line still waits for its disk.
            return;
        }
        let talked = |attempt: AttemptId| self.talked.get(&attempt).copied().unwrap_or(0);
        let records: Vec<Record> =
            commit.rows.iter().filter_map(|row| journal::record(row, talked)).collect();
        if records.is_empty() {
            self.dialing.handle(now, Dialled::Committed(commit.sequence));
            return;
        }
        let mut all = std::mem::take(&mut self.own.records);
        all.extend(records);
        self.write_line(all, Some((commit.sequence, commit.rows)));
    }

    /// What is left without a commit; and what the disk did not take is tried again.
    fn write_own(&mut self, now: Now) {
        if self.retry.take_if(|when| *when <= now.mono).is_some() {
            self.write_first();
        }
        if self.writing.is_empty() && !self.own.records.is_empty() {
            let records = std::mem::take(&mut self.own.records);
            self.write_line(records, None);
        }
    }

    fn write_line(&mut self, records: Vec<Record>, commit: Option<(u64, Arc<[Row]>)>) {
        self.sequence += 1;
        let changed = std::mem::take(&mut self.own.changed);
        let line = journal::line(records);
        self.writing.push_back(InFlight { sequence: self.sequence, line, commit, changed });
        // One after another: a line never stands before one that was promised earlier.
        if self.writing.len() == 1 {
            self.write_first();
        }
    }

    fn write_first(&mut self) {
        if let Some(first) = self.writing.front() {
            self.outputs.push_back(Output::Write { sequence: first.sequence, line: first.line.clone() });
        }
    }

    fn written(&mut self, now: Now, sequence: u64) {
        let Some(written) = self.writing.pop_front_if(|first| first.sequence == sequence) else { return };
        self.retry = None;
        self.write_first();
        for task in written.changed {
            self.changed(task);
        }
        if let Some((commit, rows)) = written.commit {
            for row in rows.iter() {
                self.learn(row);
                if let Row::Result(Attempt { id: AttemptId { task, .. }, .. }) | Row::Changed { task, .. } =
                    row
                {
                    self.changed(*task);
                }
            }
            self.dialing.handle(now, Dialled::Committed(commit));
        }
    }

    fn not_written(&mut self, now: Now, sequence: u64) {
        if self.writing.front().is_some_and(|first| first.sequence == sequence) {
            self.retry = Some(now.mono + dialing::limits::STORE_RETRY);
        }
        for line in &self.writing {
            if let Some((commit, _)) = &line.commit {
                // Nothing is claimed while the disk takes nothing.
                self.dialing.handle(now, Dialled::Unavailable(*commit));
            }
        }
    }

    /// What a row of the journal says of its task.
    fn learn(&mut self, row: &Row) {
        match row {
            Row::Claim(attempt) => {
                let made = Try { id: attempt.id, at: attempt.at, finished: None, talked: 0 };
                self.told_of(attempt.id.task, attempt.number).attempts.push(made);
            }
            Row::Result(attempt) => {
                let talked = self.talked.remove(&attempt.id).unwrap_or(0);
                let told = self.told_of(attempt.id.task, attempt.number);
                let Some((_, finding)) = attempt.finished else { return };
                match told.attempts.iter_mut().rfind(|made| made.id == attempt.id) {
                    Some(_) if finding.outcome == Outcome::NotDialled => {
                        told.attempts.retain(|made| made.id != attempt.id);
                    }
                    Some(made) => {
                        (made.at, made.finished, made.talked) = (attempt.at, attempt.finished, talked);
                    }
                    None => {}
                }
            }
            Row::End { task, at, end, .. } => {
                let number = self.number_of(*task);
                if let Some(number) = number {
                    self.told_of(*task, number).end = Some((*at, *end));
                }
            }
            Row::Changed { task, not_before, .. } => {
                if let Some(number) = self.number_of(*task) {
                    self.told_of(*task, number).not_before = *not_before;
                }
            }
            _ => {}
        }
    }
}
