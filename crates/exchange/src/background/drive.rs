//! Between the machine that decides when and the office that calls: rows to the store, attempts to phones, news to people.

use super::list::{TaskAttempt, TaskRow};
use super::{TaskChange, Waiter, ended_in_words};
use crate::change::Change;
use crate::command::Answer;
use crate::dialogue::Line;
use crate::events::{Audience, Happened};
use crate::exchange::{Exchange, Promise};
use crate::facts::{Fact, FactKind};
use crate::people::Refusal;
use clock::Now;
use dialing::cause::{Finding, Outcome};
use dialing::{AttemptId, Audit, Decision, End, Input, Output, Row, Rule, TaskId};
use directory::Said;
use media::Prompt;

impl Exchange {
    /// Something of background calls is due.
    pub(crate) fn background_due(&mut self, now: Now) {
        let due = self.background.dialing.next_deadline();
        if due.is_some_and(|(when, _)| when <= now.mono) {
            self.background_wakes(now);
        }
    }

    /// The machine looks at its clocks.
    pub(crate) fn background_wakes(&mut self, now: Now) {
        self.background.dialing.handle(now, Input::Timeout);
        self.carry_background(now);
    }

    /// Carries out all that the machine asks for; whether there was anything.
    pub(crate) fn carry_background(&mut self, now: Now) -> bool {
        let mut carried = false;
        while let Some(output) = self.background.dialing.next_output() {
            carried = true;
            match output {
                Output::Commit(commit) => {
                    let changes = self.changes_of(now, &commit.rows);
                    self.commit(now, changes, Promise::Tasks(commit.sequence));
                }
                Output::Dial(dial) => self.attempt_is_due(now, dial),
                Output::Cancel(attempt) => self.give_attempt_up(now, attempt),
                Output::Accepted(task) => self.task_accepted(now, task),
                Output::Refused { task, rule } => self.task_refused(now, task, &rule),
                Output::Changed(task) => {
                    self.queues.stir(task);
                    self.tell_task(now, task);
                }
                Output::ListFull => {
                    let words = "there is no room on the lists of those who are not called".to_owned();
                    self.note(now, FactKind::Task, "0", "task.list-full", words);
                }
                Output::Ended { task, end, attempts } => self.task_over(now, task, end, attempts),
            }
        }
        carried
    }

    /// The store has these rows, or does not.
    pub(crate) fn tasks_stored(&mut self, now: Now, sequence: u64, kept: bool) {
        let input = if kept { Input::Committed(sequence) } else { Input::Unavailable(sequence) };
        self.background.dialing.handle(now, input);
        if !kept {
            self.lists.desks.nothing_comes();
            self.break_task_promises(now);
        }
        self.carry_background(now);
    }

    /// Rows as the store keeps them; what is of a call list is kept there, too, in the same commit.
    fn changes_of(&mut self, now: Now, rows: &[Row]) -> Vec<Change> {
        let mut changes = Vec::with_capacity(rows.len());
        for row in rows {
            changes.push(self.change_of(now, row));
            changes.extend(self.list_change_of(row).map(|change| Change::List(Box::new(change))));
        }
        changes
    }

    fn change_of(&self, now: Now, row: &Row) -> Change {
        let of_task = |task: &TaskId| self.background.tasks.get(task).map(|known| (*known.account).into());
        let account = match row {
            Row::Audit(audit) => return Change::Fact(Box::new(fact_of(audit))),
            Row::Task(task) => Some(self.background.owners.name(task.owner).into()),
            Row::Changed { owner, .. } => Some(self.background.owners.name(*owner).into()),
            Row::Forbidden(_, owner) | Row::Permitted(_, owner) => {
                owner.map(|owner| self.background.owners.name(owner).into())
            }
            Row::Claim(attempt) | Row::Result(attempt) => of_task(&attempt.id.task),
            Row::End { task, .. } => of_task(task),
            Row::ClockSet(_) => None,
        };
        let (row, account, at) = (row.clone(), account.unwrap_or_default(), now.wall);
        Change::Task(Box::new(TaskChange { row, account, at }))
    }

    fn task_accepted(&mut self, now: Now, task: TaskId) {
        self.tell_task(now, task);
        match self.background.waiting.written(task) {
            Some(Waiter::Command(id)) => {
                let row = self.task_row(now, task).map(Box::new);
                self.answer(id, Answer::Task(row));
            }
            Some(Waiter::Call(call)) => {
                let known = self.background.tasks.get(&task);
                let number = known.map(|known| known.number.clone()).unwrap_or_default();
                self.say_done(now, call, vec![Line::Prompt(Prompt::KeepCalling), Line::Spelled(number)]);
            }
            Some(Waiter::Callback(call)) => self.callback_accepted(now, call, task),
            Some(Waiter::App(asked)) => self.answer_app(asked, Said::Kept),
            None => {}
        }
    }

    fn task_refused(&mut self, now: Now, task: TaskId, rule: &Rule) {
        let waiter = self.background.waiting.refused(task);
        // A change that was not taken leaves the task as it is.
        if self.background.dialing.number_of(task).is_none()
            && let Some(known) = self.background.tasks.remove(&task)
            && let Some(dealt) = known.dealt()
        {
            self.row_not_taken(now, &known.account, *dealt, rule);
        }
        let refusal = Refusal::Rule { rule: rule.key(), words: rule.to_string().into() };
        match waiter {
            Some(Waiter::Command(id)) => self.answer(id, Answer::Refused(refusal)),
            Some(Waiter::Call(call)) => self.say_why(now, call, Prompt::NotAllowed, rule.key()),
            Some(Waiter::Callback(call)) => self.callback_refused(call, Prompt::NotAllowed),
            Some(Waiter::App(asked)) => self.answer_app(asked, Said::Refused(refusal.to_string().into())),
            None => {}
        }
    }

    /// A task is over, and that is written down.
    fn task_over(&mut self, now: Now, task: TaskId, end: End, attempts: u16) {
        let known = self.background.tasks.remove(&task);
        self.task_end_kept(now, task);
        let Some(known) = known else { return };
        let words = ended_in_words(end, known.why());
        self.note(
            now,
            FactKind::Task,
            &task.0.to_string(),
            "task.ended",
            format!("after {attempts}: {words}"),
        );
        if known.dealt().is_some() {
            return self.lists.desks.stir(&known.account);
        }
        self.callback_over(now, task, end);
        let row = TaskRow::ended(task, &known, (end, now.wall), words, self.display_of_number(&known.number));
        let accounts = owner_of(&known.account);
        self.background.show_ended(row.clone());
        self.tell_if_heard(now, Audience::all(accounts), Happened::TaskEnded(Box::new(row)));
        self.background_looks(now, &known.account);
    }

    /// Something of a task is different.
    pub(crate) fn tell_task(&mut self, now: Now, task: TaskId) {
        let known = self.background.tasks.get(&task).filter(|known| known.dealt().is_some());
        if let Some(account) = known.map(|known| known.account.clone()) {
            return self.lists.desks.touch(&account);
        }
        if let Some(row) = self.task_row(now, task) {
            let accounts = owner_of(&row.account);
            self.tell_if_heard(now, Audience::all(accounts), Happened::TaskChanged(Box::new(row)));
        }
    }

    /// What became of an attempt.
    pub(crate) fn finish_attempt(&mut self, now: Now, attempt: AttemptId, finding: Finding) {
        let id = attempt.task;
        let counts = finding.outcome != Outcome::NotDialled;
        if let Some(known) = self.background.tasks.get_mut(&id).filter(|_| counts) {
            let made = TaskAttempt { ordinal: attempt.ordinal, at: now.wall, outcome: Some(finding.outcome) };
            let attempts = &mut known.rare().attempts;
            attempts.retain(|known| known.ordinal != attempt.ordinal);
            attempts.push(made);
        }
        self.claim_is_over(now, attempt, finding.outcome);
        let words = format!("attempt {}: {}", attempt.ordinal, finding.outcome);
        self.note(now, FactKind::Task, &id.0.to_string(), "task.result", words);
        self.background.dialing.handle(now, Input::Finished { attempt, finding });
        self.carry_background(now);
    }
}

/// Whose task it is; a callback of somebody outside is nobody's.
fn owner_of(account: &str) -> Vec<Box<str>> {
    Some(account).filter(|account| !account.is_empty()).map(Box::from).into_iter().collect()
}

/// Each decision leaves a fact with its rule.
fn fact_of(audit: &Audit) -> Fact {
    let decided = match audit.decision {
        Decision::Allowed => "allowed",
        Decision::PutOff => "put off",
        Decision::Refused => "refused",
    };
    Fact {
        time: audit.at,
        kind: FactKind::Task,
        subject: audit.task.0.to_string().into(),
        rule: audit.rule.key().into(),
        words: format!("{decided}: {}", audit.rule).into(),
    }
}
