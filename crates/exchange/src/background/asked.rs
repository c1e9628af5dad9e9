//! What people ask of their background calls, and who may (S2.1, S2.8).

use super::list::TaskList;
use super::{Known, Waiter};
use crate::command::Answer;
use crate::dial_plan::Destination;
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::input::CommandId;
use crate::limits;
use crate::people::{Refusal, Right, is_number};
use crate::permissions::{Act, Verdict};
use clock::{Now, Wall};
use dialing::{Input, LegOrder, Number, Rule, Task, TaskId};
use std::collections::BTreeSet;

/// Somebody shall be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTask {
    /// Who wants to.
    pub account: Box<str>,
    /// Whom to reach, as that account would dial it.
    pub number: Box<str>,
    /// No attempt before.
    pub not_before: Option<Wall>,
    /// No attempt at or after; the office's own limit if not said.
    pub until: Option<Wall>,
    /// Higher comes first.
    pub priority: u8,
}

/// What can be asked of background calls. Whoever names an account is kept to the tasks of that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asking {
    /// Keep calling somebody; answered when it is written down.
    Start(NewTask),
    /// One task no more.
    Stop {
        /// Which.
        task: TaskId,
        /// Only if it is of this account.
        of: Option<Box<str>>,
    },
    /// None of an account any more.
    StopAll(Box<str>),
    /// Other times, or another priority.
    Change {
        /// Which.
        task: TaskId,
        /// Only if it is of this account.
        of: Option<Box<str>>,
        /// No attempt before.
        not_before: Option<Wall>,
        /// No attempt at or after.
        until: Option<Wall>,
        /// Higher comes first.
        priority: u8,
    },
    /// A message is shown at somebody's phones once more; it takes a phone that is registered.
    Show {
        /// Whose phones.
        account: Box<str>,
        /// What it says.
        text: Box<str>,
    },
    /// Those that match.
    List(TaskList),
}

impl Exchange {
    /// A command about background calls.
    pub(crate) fn ask_background(&mut self, now: Now, id: CommandId, asking: Asking) {
        let promises = matches!(asking, Asking::Start(_) | Asking::Change { .. });
        if promises && !self.may_promise() {
            return self.answer(id, Answer::Unavailable("the store is not available".to_owned()));
        }
        match asking {
            Asking::Start(new) => {
                if let Err(refusal) = self.start_task(now, new, Some(Waiter::Command(id))) {
                    self.answer(id, Answer::Refused(refusal));
                }
            }
            Asking::Stop { task, of } => match self.task_for(task, of.as_deref()) {
                Ok(()) => {
                    let row = self.task_row(now, task).map(Box::new);
                    self.stop_for(now, Waiter::Command(id), BTreeSet::from([task]), Answer::Task(row));
                }
                Err(refusal) => self.answer(id, Answer::Refused(refusal)),
            },
            Asking::StopAll(account) => {
                let tasks = self.tasks_of(&account);
                self.stop_for(now, Waiter::Command(id), tasks, Answer::Done);
            }
            Asking::Change { task, of, not_before, until, priority } => {
                match self.task_for(task, of.as_deref()) {
                    Ok(()) => {
                        self.background.waiting.for_row(task, Waiter::Command(id), false);
                        self.change_task(now, task, not_before, until, priority);
                    }
                    Err(refusal) => self.answer(id, Answer::Refused(refusal)),
                }
            }
            Asking::Show { account, text } => {
                let answer = self.show_again(now, account, &text);
                self.answer(id, answer);
            }
            Asking::List(list) => {
                let rows = self.task_rows(now, &list);
                self.answer(id, Answer::Tasks(rows));
            }
        }
    }

    /// Whether there is a task, and whether it is of this account.
    fn task_for(&self, task: TaskId, of: Option<&str>) -> Result<(), Refusal> {
        let known = self.background.tasks.get(&task);
        let own = known.filter(|known| known.dealt().is_none());
        let own = own.filter(|known| of.is_none_or(|of| *known.account == *of));
        own.map(drop).ok_or_else(|| Refusal::Unknown("task", task.0.to_string().into()))
    }

    /// Takes a task, if its owner may have it; whoever waits hears when it is written down.
    pub(crate) fn start_task(
        &mut self,
        now: Now,
        new: NewTask,
        waiter: Option<Waiter>,
    ) -> Result<TaskId, Refusal> {
        let NewTask { account, number, not_before, until, priority } = new;
        if self.people.account(&account).is_none() {
            return Err(Refusal::Unknown("account", account));
        }
        if let Verdict::Deny(rule) = self.may(now, Some(&account), Act::Use(Right::Background)) {
            return Err(Refusal::Rule { rule, words: "background calls need the right `background`".into() });
        }
        let callee = self.callee_of_task(now, &account, &number)?;
        let owner = self.background.owners.id(&account);
        let of_owner: Vec<TaskId> = self.background.dialing.tasks_of_owner(owner).collect();
        if of_owner.len() >= limits::TASKS_PER_ACCOUNT {
            return Err(Refusal::TooMany("background calls"));
        }
        let same = of_owner.into_iter().find(|task| self.background.dialing.number_of(*task) == Some(callee));
        if let Some(task) = same {
            return Err(Refusal::Exists("task", task.0.to_string().into()));
        }
        let id = self.background.next_id();
        let lives = i64::try_from(self.config.background.lives.as_millis()).unwrap_or(i64::MAX);
        let until = until.or(Some(Wall(now.wall.0.saturating_add(lives))));
        let legs = LegOrder::usual(callee);
        let task = Task {
            legs,
            asked: true,
            not_before,
            until,
            priority,
            data: number.clone(),
            ..Task::new(id, callee, owner)
        };
        let known = Known {
            account: self.background.owners.shared(owner),
            number,
            legs,
            since: now.wall,
            not_before,
            until,
            priority,
            rare: None,
        };
        self.background_looks(now, &account);
        self.take_task(now, task, known, waiter);
        Ok(id)
    }

    /// A task that may be begun is the machine's from now on.
    pub(crate) fn take_task(&mut self, now: Now, task: Task, known: Known, waiter: Option<Waiter>) {
        self.background.tasks.insert(task.id, Box::new(known));
        if let Some(waiter) = waiter {
            self.background.waiting.for_row(task.id, waiter, true);
        }
        self.background.dialing.handle(now, Input::Add(Box::new(task)));
        self.carry_background(now);
    }

    /// The one number that budgets count, for what was dialled.
    fn callee_of_task(&mut self, now: Now, account: &str, dialled: &str) -> Result<Number, Refusal> {
        let bad = || Refusal::BadNumber(dialled.into());
        if !is_number(dialled) {
            return Err(bad());
        }
        match self.destination(dialled) {
            Destination::Emergency(_) => {
                let words = format!("{account} wanted {dialled}: {}", Rule::Emergency);
                self.note(now, FactKind::Task, "0", Rule::Emergency.key(), words);
                let words = Rule::Emergency.to_string().into();
                Err(Refusal::Rule { rule: Rule::Emergency.key(), words })
            }
            Destination::Account(to) if *to == *account => {
                Err(Refusal::Nonsense("nobody is called back by themselves".into()))
            }
            Destination::Account(_) | Destination::Group(_) => self.number_inside(dialled).ok_or_else(bad),
            // Somebody's at another exchange: called like anybody of ours, by its ticket.
            Destination::Elsewhere if self.sites.lists(dialled) && !self.sites.lists_queue(dialled) => {
                self.number_inside(dialled).ok_or_else(bad)
            }
            Destination::Outside { number, .. } => {
                let class = self.config.numbering.class(&number);
                if let Verdict::Deny(rule) = self.may(now, Some(account), Act::Call(class)) {
                    let words = format!("{account} may not call {dialled}").into();
                    return Err(Refusal::Rule { rule, words });
                }
                let e164 = self.config.numbering.e164(&number).ok_or_else(bad)?;
                Number::outside(&e164).map_err(|_| bad())
            }
            Destination::Queue(_)
            | Destination::Echo
            | Destination::Parked
            | Destination::Elsewhere
            | Destination::Unknown => Err(Refusal::Unknown("number", dialled.into())),
        }
    }

    /// A number of the office, as budgets count it.
    pub(crate) fn number_inside(&self, number: &str) -> Option<Number> {
        Number::inside(number).or_else(|_| Number::outside(number)).ok()
    }

    /// A task is wanted no more; whatever it does now ends, and why is said.
    pub(crate) fn stop_task(&mut self, now: Now, task: TaskId, why: Option<&str>) {
        if let Some(known) = self.background.tasks.get_mut(&task) {
            known.rare().why = why.map(Box::from);
        }
        self.background.dialing.handle(now, Input::Stop(task));
        self.carry_background(now);
    }

    /// All that an account has.
    pub(super) fn tasks_of(&self, account: &str) -> BTreeSet<TaskId> {
        let own = self.background.tasks.iter().filter(|(_, known)| known.is_of(account));
        own.map(|(task, _)| *task).collect()
    }

    /// None of an account's tasks is wanted any more.
    pub(crate) fn stop_tasks_of(&mut self, now: Now, account: &str) {
        if let Some(owner) = self.background.owners.known(account) {
            self.background.dialing.handle(now, Input::StopAll(owner));
            self.carry_background(now);
        }
    }

    fn change_task(
        &mut self,
        now: Now,
        task: TaskId,
        not_before: Option<Wall>,
        until: Option<Wall>,
        priority: u8,
    ) {
        if let Some(known) = self.background.tasks.get_mut(&task) {
            (known.not_before, known.until, known.priority) = (not_before, until, priority);
        }
        self.background.dialing.handle(now, Input::Change { task, not_before, until, priority });
        self.carry_background(now);
    }
}
