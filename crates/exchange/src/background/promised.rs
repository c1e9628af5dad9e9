//! Who waits to hear that something of a task is written down (R20).

use crate::command::Answer;
use crate::dialogue::Line;
use crate::exchange::Exchange;
use crate::input::CommandId;
use calls::CallId;
use clock::Now;
use dialing::{Input, TaskId};
use directory::Said;
use media::Prompt;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What they are told when the store cannot keep it.
const NOT_KEPT: &str = "the store cannot keep it now";
/// Who may wait at once.
const WAIT: usize = 10_000;

/// Who asked, and waits for the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Waiter {
    Command(CommandId),
    /// A caller who dialled a code, or pressed a key.
    Call(CallId),
    /// A caller of a queue who wants to be called back.
    Callback(CallId),
    /// Somebody's app, by the number of what it asked for.
    App(u64),
}

/// Who waits for what.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Who asked for a task, or for a change of one, in this order; whether it is a new one.
    rows: BTreeMap<TaskId, VecDeque<(Waiter, bool)>>,
    /// Who wants tasks to end, those that have not, and the answer then.
    ends: Vec<(Waiter, BTreeSet<TaskId>, Answer)>,
    count: usize,
}

impl Waiting {
    /// Whether somebody else may wait.
    pub(super) fn has_room(&self) -> bool {
        self.count + self.ends.len() < WAIT
    }

    /// Somebody asked for a task, or for a change of one.
    pub(super) fn for_row(&mut self, task: TaskId, waiter: Waiter, new: bool) {
        self.rows.entry(task).or_default().push_back((waiter, new));
        self.count += 1;
    }

    fn take(&mut self, task: TaskId, newest: bool) -> Option<Waiter> {
        let waiters = self.rows.get_mut(&task)?;
        let (waiter, _) = if newest { waiters.pop_back() } else { waiters.pop_front() }?;
        if waiters.is_empty() {
            self.rows.remove(&task);
        }
        self.count -= 1;
        Some(waiter)
    }

    /// The oldest of what was asked for is written.
    pub(super) fn written(&mut self, task: TaskId) -> Option<Waiter> {
        self.take(task, false)
    }

    /// What was asked for last is not taken.
    pub(super) fn refused(&mut self, task: TaskId) -> Option<Waiter> {
        self.take(task, true)
    }

    /// The end of a task is written: who waited for nothing else is told.
    fn ended(&mut self, task: TaskId) -> Vec<(Waiter, Answer)> {
        let mut told = Vec::new();
        self.ends.retain_mut(|(waiter, left, answer)| {
            let last = left.remove(&task) && left.is_empty();
            if last {
                told.push((*waiter, std::mem::replace(answer, Answer::Done)));
            }
            !last
        });
        told
    }
}

impl Exchange {
    /// Whether something can be promised now.
    pub(crate) fn may_promise(&self) -> bool {
        self.store_ready && self.cluster.keeps() && self.background.waiting.has_room()
    }

    /// Stops tasks at once; who asked hears it when their ends are written, for after a crash they would go on.
    pub(super) fn stop_for(&mut self, now: Now, waiter: Waiter, tasks: BTreeSet<TaskId>, answer: Answer) {
        if tasks.is_empty() {
            return self.say_ended(now, waiter, answer);
        }
        if self.may_promise() {
            self.background.waiting.ends.push((waiter, tasks.clone(), answer));
        } else {
            self.say_not_kept(now, waiter);
        }
        for task in tasks {
            self.stop_task(now, task, None);
        }
    }

    /// The end of a task is written.
    pub(super) fn task_end_kept(&mut self, now: Now, task: TaskId) {
        while let Some(waiter) = self.background.waiting.written(task) {
            // Its end overtook the change.
            let why = "it has ended meanwhile".to_owned();
            match waiter {
                Waiter::Command(id) => self.answer(id, Answer::Unavailable(why)),
                Waiter::Call(call) => self.say_not_stored(now, call, &why),
                // Whatever ended it has told them.
                Waiter::Callback(_) => {}
                Waiter::App(asked) => self.answer_app(asked, Said::Refused(why.into())),
            }
        }
        for (waiter, answer) in self.background.waiting.ended(task) {
            self.say_ended(now, waiter, answer);
        }
    }

    fn say_ended(&mut self, now: Now, waiter: Waiter, answer: Answer) {
        match waiter {
            Waiter::Command(id) => self.answer(id, answer),
            Waiter::Call(call) => self.say_done(now, call, vec![Line::Prompt(Prompt::StoppedCalling)]),
            // Whoever waits in a queue ends nothing, nor does an app.
            Waiter::Callback(_) | Waiter::App(_) => {}
        }
    }

    fn say_not_kept(&mut self, now: Now, waiter: Waiter) {
        match waiter {
            Waiter::Command(id) => self.answer(id, Answer::Unavailable(NOT_KEPT.to_owned())),
            Waiter::Call(call) => self.say_not_stored(now, call, NOT_KEPT),
            Waiter::Callback(call) => self.callback_refused(call, Prompt::NotStored),
            Waiter::App(asked) => self.answer_app(asked, Said::Refused(NOT_KEPT.into())),
        }
    }

    /// The store is away: whoever waits is told so. A new task is given up; what ends or changes is written later.
    pub(super) fn break_task_promises(&mut self, now: Now) {
        let Waiting { rows, ends, .. } = std::mem::take(&mut self.background.waiting);
        for (task, waiters) in rows {
            let new = waiters.iter().any(|(_, new)| *new);
            for (waiter, _) in waiters {
                self.say_not_kept(now, waiter);
            }
            if new {
                if let Some(known) = self.background.tasks.get_mut(&task) {
                    known.rare().why = Some(NOT_KEPT.into());
                }
                self.background.dialing.handle(now, Input::Stop(task));
            }
        }
        for (waiter, ..) in ends {
            self.say_not_kept(now, waiter);
        }
    }
}
