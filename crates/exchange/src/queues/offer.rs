//! Bringing the two together: a caller looks for the agent who is next, an agent for the caller who is first.

use super::line::{Place, Turn, Who};
use crate::agents::{AgentState, Reservation, Trigger};
use crate::exchange::Exchange;
use crate::limits;
use crate::people::QueueStrategy;
use crate::routing::target;
use calls::{CallId, Party, Target};
use clock::Now;

/// What a phone is told whose agent takes no caller any more.
pub(super) const GIVEN_BACK: &str = "SIP;cause=480;text=\"Offered to another agent\"";

impl Exchange {
    /// Agents who changed and callers who came are brought together; whether there was anything.
    pub(crate) fn queues_serve(&mut self, now: Now) -> bool {
        let news = self.agents.take_news();
        let any = self.look_at_callbacks(now) || !news.is_empty() || !self.queues.wanting.is_empty();
        for account in news {
            self.agent_is_news(now, &account);
            self.lists.desks.stir(&account);
        }
        while let Some(place) = self.queues.wanting.pop_first() {
            self.find_agents(now, place);
        }
        any
    }

    /// The queues that an agent works for.
    pub(crate) fn queues_of(&self, account: &str, agent: &crate::agents::Agent) -> Vec<Box<str>> {
        // Whoever works at another's platform gets their callers there.
        if agent.elsewhere.is_some() {
            return Vec::new();
        }
        let chosen = &agent.sign_in.queues;
        let works = |name: &&str| chosen.is_empty() || chosen.iter().any(|of| **of == **name);
        self.people.queues_with(account).filter(works).map(Box::from).collect()
    }

    /// Something of an agent is another.
    fn agent_is_news(&mut self, now: Now, account: &str) {
        let busy = self.agents.agent(account).is_some_and(|agent| {
            agent.reserved.is_some() && (!agent.legs.is_empty() || agent.away.is_some())
        });
        if busy {
            self.give_caller_back(now, account);
        }
        self.place_agent(account);
        while self.is_ready(account)
            && let Some(first) = self.first_for(account)
            && self.offer(now, first, account)
        {}
    }

    fn is_ready(&self, account: &str) -> bool {
        self.agents.agent(account).is_some_and(|agent| agent.state == AgentState::Ready)
    }

    /// Puts an agent where they stand among those who are ready, in all queues at once.
    pub(super) fn place_agent(&mut self, account: &str) {
        let agent = self.agents.agent(account);
        let works = agent.map(|agent| self.queues_of(account, agent)).unwrap_or_default();
        let idle = agent.filter(|agent| agent.state == AgentState::Ready).map(|agent| agent.since.mono.0);
        let all: Vec<Box<str>> = self.people.queues_with(account).map(Box::from).collect();
        for name in all {
            let turn =
                idle.filter(|_| works.contains(&name)).and_then(|idle| self.turn(&name, account, idle));
            self.queues.line(&name).put(account, turn);
        }
    }

    fn turn(&self, name: &str, account: &str, idle: u64) -> Option<Turn> {
        let queue = self.people.queue(name)?;
        let order = match queue.strategy {
            QueueStrategy::LongestIdle | QueueStrategy::All => idle,
            QueueStrategy::RoundRobin => {
                self.queues.lines.get(name).map(|line| line.last_turn(account)).unwrap_or_default()
            }
        };
        Some((self.people.priority_in(name, account)?, order))
    }

    /// Whom an agent takes next: of all their queues, who stands first.
    fn first_for(&self, account: &str) -> Option<Who> {
        let agent = self.agents.agent(account)?;
        let heads = self
            .queues_of(account, agent)
            .into_iter()
            .filter_map(|name| self.queues.lines.get(&name).and_then(|line| line.callers.first().copied()));
        heads.min().map(|(.., who)| who)
    }

    /// A caller looks for agents: one, or all at once.
    fn find_agents(&mut self, now: Now, (.., who): Place) {
        let Some(name) = self.queues.queue_of(who) else { return };
        let Some(queue) = self.people.queue(&name).cloned() else {
            return match who {
                Who::Call(call) => {
                    self.queues.leave(call);
                    self.tell_nobody_comes(now, call, "the queue is gone");
                }
                Who::Callback(task) => self.stop_task(now, task, Some("the queue is gone")),
            };
        };
        // Whoever stands before gets the agent.
        while let Some(account) =
            self.queues.lines.get(&name).and_then(|line| line.next()).map(Box::<str>::from)
            && let Some(first) = self.first_for(&account)
            && self.offer(now, first, &account)
        {}
        if let Who::Call(call) = who {
            self.begin_wait(now, call, &queue);
        }
    }

    fn offer(&mut self, now: Now, who: Who, account: &str) -> bool {
        match who {
            Who::Call(call) => self.offer_caller(now, call, account),
            Who::Callback(task) => self.offer_callback(now, task, account),
        }
    }

    /// An agent is reserved for a caller, and their phone rings. False when nothing of it could be.
    fn offer_caller(&mut self, now: Now, call: CallId, account: &str) -> bool {
        let Some(waiting) = self.queues.waiting.get(&call) else { return false };
        let (name, rings) = (waiting.queue.clone(), waiting.ringing.len());
        let Some(queue) = self.people.queue(&name).cloned() else { return false };
        let reservation =
            Reservation { who: Some(call.into()), call: Some(call), queue: name, number: None, rings: false };
        if !self.reserve_agent(now, account, reservation) {
            return false;
        }
        self.place_agent(account);
        if let Some(waiting) = self.queues.waiting.get_mut(&call) {
            waiting.ringing.push(account.into());
        }
        let callee = Party::new(&queue.number, &queue.display);
        if self.ring_agent(now, call, account, &callee, None) == 0 {
            // There is no way to their phone.
            self.did_not_take(now, call, account);
            return true;
        }
        if queue.strategy != QueueStrategy::All || rings + 1 >= limits::BRANCHES {
            self.queues.is_offered(call);
        }
        if rings == 0 {
            self.switch.limit_ringing(now, call, queue.ring);
            self.call_progresses(now, call);
        }
        true
    }

    /// Rings an agent's phones for a caller of a queue; returns how many.
    pub(super) fn ring_agent(
        &mut self,
        now: Now,
        call: CallId,
        account: &str,
        callee: &Party,
        shown: Option<&Party>,
    ) -> usize {
        let domain = self.config.domain.clone();
        let caller = self.ongoing.call(call).and_then(|ongoing| ongoing.device.clone());
        let mut targets: Vec<Target> = Vec::new();
        for device in self.phones_of_agent(account) {
            let ways = self.registrar.targets(&device);
            targets.extend(ways.iter().filter_map(|ways| target(&device, ways, callee, domain.as_deref())));
        }
        targets.retain(|target| {
            Some(&target.label) != caller.as_ref() && !self.switch.rings_at(call, &target.label)
        });
        targets.truncate(limits::BRANCHES);
        // Whoever was sent on to the queue is not who called first.
        let caller = self.ongoing.call(call).map(|ongoing| ongoing.caller.clone());
        targets.iter_mut().for_each(|target| target.shown = shown.cloned().or_else(|| caller.clone()));
        targets.into_iter().filter_map(|target| self.switch.add_branch(now, call, target)).count()
    }

    /// An agent did not take a caller, who looks for another.
    pub(super) fn did_not_take(&mut self, now: Now, call: CallId, account: &str) {
        self.agent_missed(now, account);
        self.release_agent(now, account);
        self.no_longer_rings(call, account);
    }

    /// A caller who was meant for an agent goes to another: they say that they are not ready, or are busy.
    pub(crate) fn give_caller_back(&mut self, now: Now, account: &str) {
        let reserved = self.agents.agent(account).and_then(|agent| agent.reserved.as_ref());
        let call = match reserved.map(|reserved| (reserved.who, reserved.call)) {
            Some((Some(Who::Call(call)), _)) => call,
            Some((Some(Who::Callback(task)), _)) => return self.give_callback_back(now, task, account),
            Some((None, Some(call))) => return self.give_row_back(now, call, account),
            Some((None, None)) | None => return,
        };
        for device in self.phones_of_agent(account) {
            self.switch.stop_ringing(now, call, &device, GIVEN_BACK);
        }
        self.release_agent(now, account);
        self.no_longer_rings(call, account);
    }

    fn no_longer_rings(&mut self, call: CallId, account: &str) {
        let Some(waiting) = self.queues.waiting.get_mut(&call) else { return };
        waiting.ringing.retain(|of| **of != *account);
        if waiting.ringing.is_empty() {
            self.switch.try_anew(call);
        }
        self.queues.want(call);
    }

    pub(crate) fn release_agent(&mut self, now: Now, account: &str) {
        if self.free_agent(account) {
            self.agent_settles(now, account, Trigger::Release);
        }
    }
}
