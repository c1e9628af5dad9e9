//! My background calls: one list for pages, commands and the API.

use super::{Known, Phase};
use crate::exchange::Exchange;
use clock::{Now, Wall};
use dialing::cause::Outcome;
use dialing::{Attempt, End, LegOrder, Standing, TaskId};

/// An attempt as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskAttempt {
    /// Counts from one.
    pub ordinal: u16,
    /// When it ended, or began if it has not.
    pub at: Wall,
    /// What it came to; nothing yet.
    pub outcome: Option<Outcome>,
}

impl TaskAttempt {
    pub(super) fn of(attempt: &Attempt) -> TaskAttempt {
        let outcome = attempt.finished.map_or(Outcome::Lost, |(_, finding)| finding.outcome);
        let at = attempt.finished.map_or(attempt.at, |(at, _)| at);
        TaskAttempt { ordinal: attempt.id.ordinal, at, outcome: Some(outcome) }
    }
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// For a time, for the callee, or for its owner.
    Waiting,
    /// Somebody is called.
    Calling,
    /// Who was called first has answered, and the other is called.
    Connecting,
    /// It is over.
    Ended,
}

impl TaskState {
    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            TaskState::Waiting => "waiting",
            TaskState::Calling => "calling",
            TaskState::Connecting => "connecting",
            TaskState::Ended => "ended",
        }
    }
}

/// A task in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRow {
    /// Its name.
    pub task: TaskId,
    /// Whose.
    pub account: Box<str>,
    /// The queue whose caller is called back; it is nobody's background call then.
    pub queue: Option<Box<str>>,
    /// Their place in it, from 1.
    pub place: Option<usize>,
    /// Whom to reach, as it was dialled.
    pub number: Box<str>,
    /// Who has that number, if it is of the office.
    pub name: Box<str>,
    /// Who is called first.
    pub legs: LegOrder,
    /// Where it stands.
    pub state: TaskState,
    /// When the next attempt may be made, if that is known.
    pub next: Option<Wall>,
    /// Why it waits, is next, or ended, in words.
    pub why: Box<str>,
    /// The key of the rule by which it waits, or of how it ended.
    pub rule: Option<&'static str>,
    /// Tasks for the same number that came before.
    pub ahead: usize,
    /// Attempts that were made, and how many there may be.
    pub made: (u16, u16),
    /// Each of them.
    pub attempts: Vec<TaskAttempt>,
    /// When it was asked for.
    pub since: Wall,
    /// No attempt before.
    pub not_before: Option<Wall>,
    /// No attempt at or after.
    pub until: Option<Wall>,
    /// Higher comes first.
    pub priority: u8,
    /// How and when it ended.
    pub end: Option<(End, Wall)>,
}

/// Which tasks are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskList {
    /// Only those of this account.
    pub of: Option<Box<str>>,
    /// Only this one.
    pub task: Option<TaskId>,
    /// Those that are over, too, as far as they are still shown.
    pub ended: bool,
}

impl TaskRow {
    /// Whether the one who is to be reached is called first.
    #[must_use]
    pub fn callee_first(&self) -> bool {
        self.legs == LegOrder::CalleeFirst
    }

    /// A task that is over.
    pub(super) fn ended(
        task: TaskId,
        known: &Known,
        end: (End, Wall),
        why: String,
        name: Box<str>,
    ) -> TaskRow {
        let made = u16::try_from(known.attempts().len()).unwrap_or(u16::MAX);
        TaskRow {
            state: TaskState::Ended,
            why: why.into(),
            rule: Some(end.0.key()),
            made: (made, made),
            end: Some(end),
            ..TaskRow::of(task, known, name)
        }
    }

    fn of(task: TaskId, known: &Known, name: Box<str>) -> TaskRow {
        TaskRow {
            task,
            account: (*known.account).into(),
            queue: known.wish().map(|wish| wish.queue.clone()),
            place: None,
            number: known.number.clone(),
            name,
            legs: known.legs,
            state: TaskState::Waiting,
            next: None,
            why: Box::default(),
            rule: None,
            ahead: 0,
            made: (0, 0),
            attempts: known.attempts().to_vec(),
            since: known.since,
            not_before: known.not_before,
            until: known.until,
            priority: known.priority,
            end: None,
        }
    }
}

impl Exchange {
    /// The tasks that are wanted, in the order in which they were asked for.
    pub(super) fn task_rows(&self, now: Now, list: &TaskList) -> Vec<TaskRow> {
        let own = |account: &str| list.of.as_deref().is_none_or(|of| of == account);
        let one = |task: TaskId| list.task.is_none_or(|wanted| wanted == task);
        let over =
            self.background.ended.iter().filter(|row| list.ended && own(&row.account) && one(row.task));
        let mut rows: Vec<TaskRow> = over.cloned().collect();
        let open = self.background.tasks.iter().filter(|(task, known)| {
            // Rows of call lists are shown by themselves.
            known.dealt().is_none() && own(&known.account) && one(**task)
        });
        rows.extend(open.filter_map(|(task, _)| self.task_row(now, *task)));
        rows
    }

    /// A task as it is now.
    pub(crate) fn task_row(&self, now: Now, task: TaskId) -> Option<TaskRow> {
        let known = self.background.tasks.get(&task)?;
        let mut row = TaskRow::of(task, known, self.display_of_number(&known.number));
        let Some(explained) = self.background.dialing.explain(now, task) else {
            // It ended, and the store has not said yet that it has that.
            row.why = known.why().unwrap_or("it ends").into();
            return Some(row);
        };
        (row.made, row.ahead) = (explained.attempts, explained.ahead);
        match explained.standing {
            Standing::Waiting { until, rule } => {
                (row.next, row.why, row.rule) = (Some(until), rule.to_string().into(), Some(rule.key()));
            }
            Standing::Blocked => {
                let words = "the number is being called for somebody else".into();
                (row.why, row.rule) = (words, Some(dialing::Rule::InFlight.key()));
            }
            Standing::Ready { because, rule, .. } => {
                let because: Vec<String> = because.iter().map(ToString::to_string).collect();
                row.rule = rule.as_ref().map(dialing::Rule::key);
                row.why = rule.map_or_else(|| because.join(", "), |rule| rule.to_string()).into();
            }
            Standing::Calling => self.show_attempt(&mut row),
        }
        self.show_callback(now, &mut row);
        Some(row)
    }

    fn show_attempt(&self, row: &mut TaskRow) {
        let trying = self.background.trying.values().find(|trying| trying.attempt.task == row.task);
        (row.state, row.why) = match trying.map(|trying| (trying.phase, trying.legs)) {
            Some((Phase::Second, LegOrder::CalleeFirst)) => {
                (TaskState::Connecting, "they answered; your phones ring".into())
            }
            Some((Phase::Second, LegOrder::OwnerFirst)) => {
                (TaskState::Connecting, "you answered; it rings there".into())
            }
            Some((_, LegOrder::OwnerFirst)) => (TaskState::Calling, "your phones ring".into()),
            _ => (TaskState::Calling, "it rings there".into()),
        };
    }

    /// Who has a number of the office.
    pub(super) fn display_of_number(&self, number: &str) -> Box<str> {
        (*self.callee(number).0.name).into()
    }
}
