//! Whose turn it is among those who are called back: an agent is reserved first, then the number is claimed.

use super::super::line::Who;
use super::owner_of;
use crate::agents::Reservation;
use crate::exchange::Exchange;
use crate::facts::FactKind;
use clock::{Mono, Now, Wall};
use dialing::{Input, Rule, Standing, TaskId};
use std::time::Duration;

/// How long an agent stays reserved for a claim that does not come.
const CLAIM: Duration = Duration::from_secs(5);
/// How long what stands in the way is left alone: another call to the number, a store that is away.
const AGAIN: Duration = Duration::from_secs(1);
/// How often a queue that is closed is looked at.
const CLOSED: Duration = Duration::from_secs(60);

/// Whether a callback could be made now.
enum Chance {
    Now,
    /// It is under way.
    UnderWay,
    Later(Mono),
}

impl Exchange {
    /// Looks at callbacks of which something is another; whether there were any.
    pub(in crate::queues) fn look_at_callbacks(&mut self, now: Now) -> bool {
        let mut any = false;
        while let Some(task) = self.queues.stirred.pop_first() {
            any = true;
            self.look_at_callback(now, task);
        }
        any
    }

    fn look_at_callback(&mut self, now: Now, task: TaskId) {
        let Some(callback) = self.queues.callbacks.get(&task) else { return };
        // The end of its call looks again.
        if callback.call.is_some() {
            return;
        }
        if self.people.queue(&callback.queue).is_none() {
            return self.stop_task(now, task, Some("the queue is gone"));
        }
        let held = callback.agent.is_some();
        match self.chance(now, task) {
            Chance::Now if held => {}
            Chance::Now => {
                self.queues.look_at(task, None);
                self.queues.want(task);
            }
            Chance::UnderWay if held => {}
            Chance::UnderWay => self.queues.look_at(task, Some(now.mono + AGAIN)),
            Chance::Later(when) => {
                self.free_callback(now, task);
                self.queues.stands_by(task);
                self.queues.look_at(task, Some(when));
            }
        }
    }

    /// What the rules of dialing and the hours of the queue say.
    fn chance(&self, now: Now, task: TaskId) -> Chance {
        let later = |wait: Duration| Chance::Later(now.mono + wait);
        // Who still hears that they are called back is not called yet; the end of that call looks again.
        if self.queues.asked.values().any(|asked| *asked == task) {
            return later(CLOSED);
        }
        let Some(explained) = self.background.dialing.explain(now, task) else { return later(CLOSED) };
        match explained.standing {
            Standing::Calling => Chance::UnderWay,
            Standing::Blocked => later(AGAIN),
            Standing::Waiting { until, .. } => later(span(now, until).max(AGAIN)),
            Standing::Ready { rule: Some(Rule::Store | Rule::Lease), .. } => later(AGAIN),
            Standing::Ready { .. } if !self.is_open_for(now, task) => later(CLOSED),
            Standing::Ready { .. } => Chance::Now,
        }
    }

    /// Whether the queue of a callback is open.
    pub(super) fn is_open_for(&self, now: Now, task: TaskId) -> bool {
        let callback = self.queues.callbacks.get(&task);
        let queue = callback.and_then(|callback| self.people.queue(&callback.queue));
        queue.is_some_and(|queue| queue.is_open(now.wall, &self.config.seats.zone))
    }

    /// It is their turn, and an agent is ready: reserved from now on, then the number is claimed. False when nothing of it
    /// could be.
    pub(in crate::queues) fn offer_callback(&mut self, now: Now, task: TaskId, account: &str) -> bool {
        let Some(callback) = self.queues.callbacks.get(&task) else { return false };
        let (queue, call) = (callback.queue.clone(), callback.call);
        if call.is_none() && !matches!(self.chance(now, task), Chance::Now) {
            self.queues.stands_by(task);
            self.look_at_callback(now, task);
            return true;
        }
        let number = self.background.tasks.get(&task).map(|known| known.number.clone()).unwrap_or_default();
        let reservation = Reservation {
            who: Some(Who::Callback(task)),
            call,
            queue: queue.clone(),
            number: Some(number),
            rings: false,
        };
        if !self.reserve_agent(now, account, reservation) {
            return false;
        }
        self.place_agent(account);
        self.queues.is_offered(task);
        if let Some(callback) = self.queues.callbacks.get_mut(&task) {
            callback.agent = Some(account.into());
        }
        let words = format!("{account} is reserved");
        self.note(now, FactKind::Task, &task.0.to_string(), "queues.reserve", words);
        match call {
            Some(call) => self.callback_gets_agent(now, call, account),
            None => {
                self.queues.line(&queue).called.insert(task);
                self.queues.look_at(task, Some(now.mono + CLAIM));
                self.say_at_once(now, &queue);
                self.background.dialing.handle(now, Input::Choose(task));
            }
        }
        self.tell_task(now, task);
        true
    }

    /// As many callbacks of a queue may be made at once as have an agent.
    pub(super) fn say_at_once(&mut self, now: Now, queue: &str) {
        let Some(owner) = self.background.owners.known(&owner_of(queue)) else { return };
        let called = self.queues.lines.get(queue).map_or(0, |line| line.called.len());
        let at_once = u16::try_from(called).unwrap_or(u16::MAX);
        self.background.dialing.handle(now, Input::Owner { owner, at_once, gap: 0 });
    }

    /// Nobody is reserved for a callback any more, and no call is made for it.
    pub(super) fn free_callback(&mut self, now: Now, task: TaskId) {
        let Some(callback) = self.queues.callbacks.get_mut(&task) else { return };
        let (agent, queue) = (callback.agent.take(), callback.queue.clone());
        callback.call = None;
        self.queues.look_at(task, None);
        self.queues.line(&queue).called.remove(&task);
        self.say_at_once(now, &queue);
        if let Some(agent) = agent {
            self.release_from(now, &agent, task);
        }
    }

    /// An agent is released, if they are still meant for this callback.
    pub(super) fn release_from(&mut self, now: Now, account: &str, task: TaskId) {
        let agent = self.agents.agent(account);
        let reserved = agent.and_then(|agent| agent.reserved.as_ref());
        if reserved.is_some_and(|reserved| reserved.who == Some(Who::Callback(task))) {
            self.release_agent(now, account);
        }
    }

    /// A time of a callback is over.
    pub(in crate::queues) fn callback_due(&mut self, now: Now, task: TaskId) {
        self.queues.look_at(task, None);
        match self.queues.callbacks.get(&task).map(|callback| callback.call) {
            Some(Some(call)) => self.callback_waited_too_long(now, call),
            Some(None) => {
                self.free_callback(now, task);
                self.queues.stir(task);
            }
            None => {}
        }
    }
}

/// How long it is until then.
fn span(now: Now, until: Wall) -> Duration {
    Duration::from_millis(until.0.saturating_sub(now.wall.0).max(0).unsigned_abs())
}
