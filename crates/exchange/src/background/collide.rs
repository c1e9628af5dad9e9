//! The two find each other by themselves: what was to bring them together ends, and says so.

use crate::exchange::Exchange;
use crate::facts::FactKind;
use calls::CallId;
use clock::Now;
use dialing::{Number, TaskId};

impl Exchange {
    /// A call begins: whoever is to be reached calls the one who wants to reach them.
    pub(crate) fn background_call_begins(&mut self, now: Now, call: CallId) {
        if self.background.tasks.is_empty() {
            return;
        }
        let Some(ongoing) = self.ongoing.call(call) else { return };
        let (Some(called), caller) = (ongoing.callee_account.clone(), ongoing.caller.number.clone()) else {
            return;
        };
        let numbers = match &ongoing.caller_account {
            Some(account) => self.numbers_of(account),
            None => self.callee_number(&caller).into_iter().collect(),
        };
        self.end_tasks(now, &called, &numbers, "task.met", "they called");
    }

    /// Two talk: nobody has to be reached any more by the one who called.
    pub(crate) fn background_talks(&mut self, now: Now, call: CallId) {
        if self.background.tasks.is_empty() || self.background.trying.contains_key(&call) {
            return;
        }
        let Some(ongoing) = self.ongoing.call(call) else { return };
        let Some(caller) = ongoing.caller_account.clone() else { return };
        let numbers = match &ongoing.callee_account {
            Some(account) => self.numbers_of(account),
            None => self.callee_number(&ongoing.callee.number).into_iter().collect(),
        };
        self.end_tasks(now, &caller, &numbers, "task.talk", "they talk already");
    }

    fn numbers_of(&self, account: &str) -> Vec<Number> {
        let known = self.people.account(account);
        let numbers = known.map(|known| known.numbers.as_slice()).unwrap_or_default();
        numbers.iter().filter_map(|number| self.number_inside(number)).collect()
    }

    fn end_tasks(&mut self, now: Now, account: &str, numbers: &[Number], rule: &str, why: &str) {
        let Some(owner) = self.background.owners.known(account) else { return };
        let dialing = &self.background.dialing;
        let to = |task: &TaskId| dialing.number_of(*task).is_some_and(|number| numbers.contains(&number));
        let tasks: Vec<TaskId> = dialing.tasks_of_owner(owner).filter(to).collect();
        for task in tasks {
            self.note(now, FactKind::Task, &task.0.to_string(), rule, why.into());
            self.stop_task(now, task, Some(why));
        }
    }
}
