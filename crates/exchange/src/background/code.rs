//! Background calls by what is dialled at a phone, with a spoken answer.

use super::{NewTask, Waiter};
use crate::codes::{CodeAct, Step};
use crate::command::Answer;
use crate::dialogue::{Collect, Line, Script};
use crate::exchange::Exchange;
use crate::people::Refusal;
use calls::CallId;
use clock::Now;
use media::Prompt;

impl Exchange {
    /// Keeps calling a number, or the last one that did not answer; asks for it when there is none.
    pub(crate) fn keep_calling_by_code(
        &mut self,
        now: Now,
        call: CallId,
        account: &str,
        number: Option<&str>,
    ) {
        let last = self.background.last_missed.peek(&account.into()).cloned();
        match number.map(Box::from).or(last.filter(|last| !last.is_empty())) {
            Some(number) => {
                self.begin_stored_code(now, call, CodeAct::KeepCalling);
                self.keep_calling(now, call, account, number);
            }
            None => {
                let script = Script::ask(Prompt::EnterNumber, Collect::default());
                self.begin_code(now, call, CodeAct::KeepCalling, script, Step::KeepCalling);
            }
        }
    }

    /// The number is known.
    pub(crate) fn keep_calling(&mut self, now: Now, call: CallId, account: &str, number: Box<str>) {
        if !self.store_ready {
            return self.say_not_stored(now, call, "the store is not available");
        }
        let new = NewTask { account: account.into(), number: number.clone(), ..NewTask::default() };
        match self.start_task(now, new, Some(Waiter::Call(call))) {
            Ok(_) => {}
            // It is asked for already: that is as good as a yes.
            Err(Refusal::Exists(..)) => {
                self.say_done(now, call, vec![Line::Prompt(Prompt::KeepCalling), Line::Spelled(number)]);
            }
            Err(refusal) => {
                let reason = match &refusal {
                    Refusal::Unknown(..) | Refusal::BadNumber(_) => Prompt::UnknownNumber,
                    Refusal::Rule { .. } => Prompt::NotAllowed,
                    _ => Prompt::NotUnderstood,
                };
                self.say_why(now, call, reason, &refusal.to_string());
            }
        }
    }

    /// All background calls of the one who dials it end.
    pub(crate) fn stop_calling_by_code(&mut self, now: Now, call: CallId, account: &str) {
        self.begin_stored_code(now, call, CodeAct::StopCalling);
        let tasks = self.tasks_of(account);
        self.stop_for(now, Waiter::Call(call), tasks, Answer::Done);
    }

    /// Answers a code; what is said follows when it is kept.
    pub(crate) fn begin_stored_code(&mut self, now: Now, call: CallId, act: CodeAct) {
        self.begin_code(now, call, act, Script::default(), Step::Store);
    }
}
