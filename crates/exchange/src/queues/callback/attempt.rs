//! One attempt to call somebody back: who is rung when, and what its end means for the agent and the place.

use super::super::offer::GIVEN_BACK;
use super::Callback;
use crate::background::{Known, Phase, Trying, finding_of};
use crate::exchange::Exchange;
use crate::facts::FactKind;
use calls::{CallId, CallRecord, Cause, Party};
use clock::Now;
use dialing::cause::{Finding, Outcome};
use dialing::{Dial, End, LegOrder, TaskId};
use std::time::Duration;

/// How long somebody who was called back waits for an agent, where the queue has no longest wait.
const WAITS: Duration = Duration::from_secs(300);

impl Exchange {
    /// The claim is written: the agent who is reserved is rung, or the one who asked.
    pub(crate) fn make_callback(&mut self, now: Now, dial: &Dial, known: &Known) {
        let task = dial.attempt.task;
        let callback = self.queues.callbacks.get(&task).filter(|_| !self.draining);
        let agent = callback.filter(|callback| callback.call.is_none()).and_then(|one| one.agent.clone());
        let queue = known.wish().and_then(|wish| self.people.queue(&wish.queue)).cloned();
        let (Some(agent), Some(queue)) = (agent, queue) else {
            // It is nobody's turn: nobody is called without an agent.
            return self.finish_attempt(now, dial.attempt, Finding::sure(Outcome::NotDialled));
        };
        let first = match dial.legs {
            LegOrder::OwnerFirst => &*agent,
            LegOrder::CalleeFirst => &*known.number,
        };
        let words = format!("attempt {}: {agent} is reserved; {first} is called first", dial.attempt.ordinal);
        self.note(now, FactKind::Task, &task.0.to_string(), "task.attempt", words);
        let caller = Party::new(&queue.number, &queue.display);
        let call = self.begin_attempt(now, known, dial, (caller, &agent));
        if let Some(callback) = self.queues.callbacks.get_mut(&task) {
            callback.call = Some(call);
        }
        self.queues.look_at(task, None);
        self.agent_is_called(&agent, call);
        match dial.legs {
            LegOrder::OwnerFirst => self.ring_for_callback(now, call),
            LegOrder::CalleeFirst => {
                let ring = Duration::from_secs(dial.ring.into()).max(self.config.background.rings);
                self.call_callee(now, call, &known.number, ring);
            }
        }
        self.tell_task(now, task);
    }

    /// Rings the agent of a callback, who sees whom it is about.
    pub(crate) fn ring_for_callback(&mut self, now: Now, call: CallId) {
        let (Some(trying), Some(ongoing)) = (self.background.trying.get(&call), self.ongoing.call(call))
        else {
            return;
        };
        let (agent, shown) = (trying.account.clone(), ongoing.callee.clone());
        let ring = trying.queue.as_ref().and_then(|queue| self.people.queue(queue)).map(|queue| queue.ring);
        let callee = self.party_of(&agent);
        self.switch.try_anew(call);
        if self.ring_agent(now, call, &agent, &callee, Some(&shown)) == 0 {
            return self.callback_agent_is_away(now, call);
        }
        self.switch.limit_ringing(now, call, ring.unwrap_or(self.config.background.waits));
    }

    /// Whoever is called back is called already, or waits: another agent is reserved.
    pub(super) fn callback_gets_agent(&mut self, now: Now, call: CallId, account: &str) {
        let Some(trying) = self.background.trying.get_mut(&call) else { return };
        trying.account = account.into();
        if trying.phase == Phase::Second {
            self.ring_for_callback(now, call);
        }
    }

    /// Whoever asked has answered first, and hears music until an agent does.
    pub(crate) fn callback_waits(&mut self, now: Now, call: CallId, task: TaskId) {
        let callback = self.queues.callbacks.get(&task);
        let held = callback.is_some_and(|callback| callback.agent.is_some());
        let queue = callback.and_then(|callback| self.people.queue(&callback.queue));
        let waits = queue.and_then(|queue| queue.longest_wait).unwrap_or(WAITS);
        self.queues.look_at(task, Some(now.mono + waits));
        match held {
            true => self.ring_for_callback(now, call),
            false => self.queues.want(task),
        }
    }

    /// They wait no longer: it is said, and they are not called again.
    pub(super) fn callback_waited_too_long(&mut self, now: Now, call: CallId) {
        self.switch.stop_all_ringing(now, call, GIVEN_BACK);
        self.excuse(now, call, false);
    }

    /// The agent does not take it. The caller, who was not called yet, keeps the place; one who waits already is offered to
    /// the next.
    pub(crate) fn callback_agent_is_away(&mut self, now: Now, call: CallId) {
        let Some(trying) = self.background.trying.get(&call).cloned() else { return };
        self.agent_missed(now, &trying.account);
        self.callback_loses_agent(now, call, &trying);
    }

    /// The agent is busy or goes away while they are meant for a callback.
    pub(in crate::queues) fn give_callback_back(&mut self, now: Now, task: TaskId, account: &str) {
        let call = self.queues.callbacks.get(&task).and_then(|callback| callback.call);
        let trying = call.and_then(|call| self.background.trying.get(&call)).cloned();
        let (Some(call), Some(trying)) = (call, trying) else {
            self.free_callback(now, task);
            self.release_from(now, account, task);
            return self.queues.stir(task);
        };
        for device in self.phones_of_agent(account) {
            self.switch.stop_ringing(now, call, &device, GIVEN_BACK);
        }
        self.callback_loses_agent(now, call, &trying);
    }

    fn callback_loses_agent(&mut self, now: Now, call: CallId, trying: &Trying) {
        let task = trying.attempt.task;
        if trying.legs == LegOrder::OwnerFirst {
            self.attempt_is_over(call);
            self.free_callback(now, task);
            self.finish_attempt(now, trying.attempt, Finding::sure(Outcome::NotDialled));
            self.queues.stir(task);
            return self.fail(now, call, Cause::NoAnswer, "the agent did not answer");
        }
        if let Some(callback) = self.queues.callbacks.get_mut(&task) {
            callback.agent = None;
        }
        self.release_from(now, &trying.account, task);
        self.switch.try_anew(call);
        self.queues.want(task);
    }

    /// The agent and the caller talk.
    pub(crate) fn callback_talks(&mut self, now: Now, trying: &Trying) {
        if let Some(queue) = &trying.queue {
            self.queues.is_served(now, trying.attempt.task);
            self.queues.line(queue).took(&trying.account);
        }
    }

    /// An attempt to call back is over: the agent is free at once, and the place stays unless they talked.
    pub(crate) fn callback_call_ended(&mut self, now: Now, trying: &Trying, record: &CallRecord) {
        let task = trying.attempt.task;
        let finding = match (trying.phase, trying.legs) {
            (Phase::Over, _) => None,
            (Phase::First, LegOrder::OwnerFirst) => Some(Finding::sure(Outcome::NotDialled)),
            (Phase::Second, LegOrder::CalleeFirst) => Some(Finding::sure(Outcome::Abandoned)),
            (Phase::Second, LegOrder::OwnerFirst) if record.cause == Cause::Cancelled => {
                Some(Finding::sure(Outcome::Withdrawn))
            }
            _ => Some(finding_of(trying, record.cause, self.is_inside(&record.dialled))),
        };
        self.attempt_leaves(now, task, record.call);
        if let Some(finding) = finding {
            if record.cause == Cause::Forbidden {
                self.stop_task(now, task, Some(&record.detail));
            }
            self.finish_attempt(now, trying.attempt, finding);
        }
        self.queues.stir(task);
    }

    /// A call is none of a callback any more.
    pub(crate) fn attempt_leaves(&mut self, now: Now, task: TaskId, call: CallId) {
        let known = self.queues.callbacks.get(&task).and_then(|callback: &Callback| callback.call);
        if known == Some(call) {
            self.free_callback(now, task);
        }
    }

    /// A callback is over, and that is written down.
    pub(crate) fn callback_over(&mut self, now: Now, task: TaskId, end: End) {
        self.free_callback(now, task);
        let Some(callback) = self.queues.forget(task) else { return };
        let counts = &mut self.queues.line(&callback.queue).counts;
        match end {
            End::Reached => counts.called_back += 1,
            _ => counts.callbacks_lost += 1,
        }
    }
}
