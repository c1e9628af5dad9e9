//! What becomes of a caller for whom somebody rings: answered, missed, gone.

use super::Who;
use crate::exchange::Exchange;
use crate::ongoing::Reach;
use calls::{CallId, CallRecord, LegId};
use clock::Now;

impl Exchange {
    /// A phone rings; perhaps that of an agent whom a caller of a queue is meant for.
    pub(crate) fn phone_rings(&mut self, now: Now, call: CallId, leg: LegId) {
        if let Some(trying) = self.background.trying.get(&call).filter(|trying| trying.queue.is_some()) {
            let account = trying.account.clone();
            let phones = self.phones_of_agent(&account);
            // Before the agent is called, it rings at the one who is called back.
            if self.switch.label(leg).is_some_and(|device| phones.iter().any(|phone| **phone == *device)) {
                self.agent_rings(now, &account, call);
            }
            return;
        }
        if self.queues.has(call)
            && let Some(device) = self.switch.label(leg)
            && let Some(account) = self.agent_rung_at(call, device)
        {
            self.agent_rings(now, &account, call);
        }
    }

    /// The agent for whom a caller of a queue rings at a phone.
    fn agent_rung_at(&self, call: CallId, device: &str) -> Option<Box<str>> {
        let waiting = self.queues.waiting.get(&call)?;
        let at = |account: &str| self.phones_of_agent(account).iter().any(|phone| **phone == *device);
        waiting.ringing.iter().find(|account| at(account)).cloned()
    }

    /// One phone less rings for a caller: an agent with none left did not take the call, whoever else rings.
    pub(crate) fn queue_looks(&mut self, now: Now, call: CallId) {
        let Some(waiting) = self.queues.waiting.get(&call).filter(|waiting| waiting.ringing.len() > 1) else {
            return;
        };
        let done: Vec<Box<str>> =
            waiting.ringing.iter().filter(|account| !self.rings_for(call, account)).cloned().collect();
        // The last of them is told by the end of all ringing.
        for account in done.into_iter().take(waiting.ringing.len() - 1) {
            self.did_not_take(now, call, &account);
        }
    }

    /// Whether a caller rings at a phone of an agent.
    fn rings_for(&self, call: CallId, account: &str) -> bool {
        self.phones_of_agent(account).iter().any(|phone| self.switch.rings_at(call, phone))
    }

    /// Nothing rings for a caller any more, and nobody answered.
    pub(crate) fn queue_exhausted(&mut self, now: Now, call: CallId) {
        // What was told of those before says nothing of who rings now.
        if self.switch.labels(call).any(|label| self.switch.rings_at(call, label)) {
            return;
        }
        let Some(waiting) = self.queues.waiting.get(&call) else { return };
        for account in waiting.ringing.clone() {
            self.did_not_take(now, call, &account);
        }
        self.switch.try_anew(call);
    }

    /// An agent answered: the two talk, and the call is that agent's.
    pub(crate) fn queue_answered(&mut self, now: Now, call: CallId) {
        if !self.queues.has(call) {
            return;
        }
        let device = self.switch.answered_by(call).map(Box::<str>::from).unwrap_or_default();
        let agent = self.agent_rung_at(call, &device);
        let agent = agent.or_else(|| self.person_at(&device).map(Box::from));
        self.queues.is_served(now, call);
        let Some(waiting) = self.queues.leave(call) else { return };
        // A word with us is over, and a wish to be called back has come true.
        self.services.end(call);
        if let Some(task) = self.queues.asked.remove(&call) {
            self.stop_task(now, task, Some("an agent answered meanwhile"));
        }
        let waited = waiting.came.waited(now.mono);
        let level = self.people.queue(&waiting.queue).map(|queue| queue.service_level).unwrap_or_default();
        let line = self.queues.line(&waiting.queue);
        line.counts.answered += 1;
        line.counts.in_time += u64::from(waited <= level);
        line.counts.waited += waited;
        if let Some(agent) = &agent {
            line.took(agent);
            self.ongoing.belongs_to(call, agent.clone());
        }
        for other in waiting.ringing.iter().filter(|other| Some(*other) != agent.as_ref()) {
            self.release_agent(now, other);
        }
    }

    /// A call is over; whoever still waited gave up, and the record says after how long.
    pub(crate) fn queue_call_ended(&mut self, now: Now, record: &mut CallRecord) {
        let asked = self.queues.asked.remove(&record.call);
        let waiting = self.queues.leave(record.call);
        for account in waiting.iter().flat_map(|waiting| &waiting.ringing) {
            self.release_agent(now, account);
        }
        if let Some(task) = asked {
            record.detail = format!("asked to be called back: task {}", task.0).into();
            self.queues.stir(task);
            return;
        }
        let Some(waiting) = waiting else { return };
        let waited = waiting.came.waited(now.mono);
        let line = self.queues.line(&waiting.queue);
        line.counts.abandoned += 1;
        if record.detail.is_empty() {
            record.detail = format!("gave up in queue {} after {} s", waiting.queue, waited.as_secs()).into();
        }
    }

    /// Whether an agent is reserved for this very call.
    pub(crate) fn is_reserved_for(&self, account: &str, call: CallId) -> bool {
        let agent = self.agents.agent(account);
        agent
            .and_then(|agent| agent.reserved.as_ref())
            .is_some_and(|reserved| reserved.who == Some(Who::Call(call)))
    }

    /// The agents at whose phones a caller of a queue rings.
    pub(crate) fn agents_rung(&self, call: CallId) -> Vec<Box<str>> {
        let Some(Reach::Queue { .. }) = self.ongoing.call(call).map(|ongoing| &ongoing.reach) else {
            return Vec::new();
        };
        let ringing = self.queues.waiting.get(&call).map(|waiting| waiting.ringing.as_slice());
        let rings =
            |account: &str| self.rings_for(call, account) && !self.notices.is_dismissed(call, account);
        ringing.unwrap_or_default().iter().filter(|account| rings(account)).cloned().collect()
    }
}
