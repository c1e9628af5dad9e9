//! Queues in lists, with what became of their callers since the start.

use super::line::{Place, Who};
use crate::agents::AgentState;
use crate::events::{Audience, Happened};
use crate::exchange::Exchange;
use crate::people::{PeopleChange, Queue};
use clock::{Now, Wall};
use dialing::TaskId;
use std::sync::Arc;
use std::time::Duration;

/// What became of callers since the start of the exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Callers that were taken into the queue.
    pub offered: u64,
    /// Those whom an agent answered.
    pub answered: u64,
    /// Those of them within the time that the queue promises.
    pub in_time: u64,
    /// Those who gave up.
    pub abandoned: u64,
    /// Those who went elsewhere, because the queue was full or the wait too long.
    pub overflowed: u64,
    /// How long those who were answered had waited, in all.
    pub waited: Duration,
    /// Callers who asked to be called back.
    pub callbacks: u64,
    /// Those of them who were, and talked with an agent.
    pub called_back: u64,
    /// Those with whom it came to nothing: not reached, stopped, or they called again.
    pub callbacks_lost: u64,
}

impl QueueCounts {
    /// How many of a hundred callers were answered in time; none before any was answered or gave up.
    #[must_use]
    pub fn service_level(&self) -> Option<u8> {
        let all = self.answered + self.abandoned;
        // A part of the whole is at most a hundred of a hundred.
        (self.in_time * 100).checked_div(all).map(|percent| percent.min(100) as u8)
    }
}

/// A queue in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRow {
    /// Its name.
    pub name: Box<str>,
    /// The queue.
    pub queue: Arc<Queue>,
    /// Whether it takes callers now.
    pub open: bool,
    /// Callers in it, also those for whom somebody rings, and those who are called back.
    pub waiting: usize,
    /// Those of them who are called back.
    pub callbacks: usize,
    /// Since when the first of them waits.
    pub first_since: Option<Wall>,
    /// How long a caller who came now would wait, if enough was measured.
    pub expected: Option<Duration>,
    /// Agents who are ready.
    pub ready: usize,
    /// What became of callers.
    pub counts: QueueCounts,
    /// Its callers hear a recording of its own.
    pub own_music: bool,
}

impl Exchange {
    /// A queue in the list.
    pub(crate) fn queue_row(&self, now: Now, name: &str) -> Option<QueueRow> {
        let queue = self.people.queue(name)?.clone();
        let line = self.queues.lines.get(name);
        let oldest = line.and_then(|line| line.all.iter().min_by_key(|(_, came, _)| *came));
        let since = |who: &Who| match who {
            Who::Call(call) => self.queues.waiting.get(call).map(|waiting| waiting.since),
            Who::Callback(task) => self.since_of_callback(*task),
        };
        let first_since = oldest.and_then(|(.., who)| since(who));
        let called_back = |(.., who): &&Place| matches!(who, Who::Callback(_));
        let callbacks = line.map_or(0, |line| line.all.iter().filter(called_back).count());
        Some(QueueRow {
            name: name.into(),
            open: queue.is_open(now.wall, &self.config.seats.zone),
            queue,
            waiting: line.map_or(0, |line| line.all.len()),
            callbacks,
            first_since,
            expected: line.and_then(|line| line.pace.expected(now.mono, line.all.len() + 1)),
            ready: line.map_or(0, super::line::Line::ready),
            counts: line.map(|line| line.counts).unwrap_or_default(),
            own_music: self.queues.music.contains_key(name),
        })
    }

    /// All queues, by name.
    #[must_use]
    pub fn queue_rows(&self, now: Now) -> Vec<QueueRow> {
        self.people.queues().filter_map(|(name, _)| self.queue_row(now, name)).collect()
    }

    /// Queues in which something happened are told of.
    pub(crate) fn tell_queues(&mut self, now: Now) {
        let told = std::mem::take(&mut self.queues.told);
        if !self.cluster.keeps() {
            // Who waits there, their keeper knows.
            return;
        }
        for name in told {
            if let Some(row) = self.queue_row(now, &name) {
                let what = Happened::QueueChanged(Box::new(row));
                self.tell_if_heard(now, Audience::all(Vec::new()), what);
            }
        }
    }

    /// A change of the directory is in force: queues, and who may work for them.
    pub(crate) fn queues_see_people(&mut self, now: Now, change: &PeopleChange) {
        match change {
            PeopleChange::PutQueue { name, .. } => {
                let people = &self.people;
                if let Some(line) = self.queues.lines.get_mut(name) {
                    line.keep(|account| people.priority_in(name, account).is_some());
                }
                let members = people.queue(name).map(|queue| queue.members.as_slice()).unwrap_or_default();
                members.iter().for_each(|member| self.agents.is_news(&member.account));
                self.queues.told.insert(name.clone());
            }
            PeopleChange::RemoveQueue { name } => {
                self.queues.music.remove(name);
                let left = self.queues.lines.remove(name).map(|line| line.all).unwrap_or_default();
                // Whoever waits there is told when it is looked for an agent.
                self.queues.wanting.extend(left);
                if self.cluster.keeps() {
                    self.tell_if_heard(now, Audience::all(Vec::new()), Happened::QueueRemoved(name.clone()));
                }
            }
            PeopleChange::RemoveAccount { name } => self.forget_agent(now, name),
            PeopleChange::PutAccount { name, .. } => self.agents.person_stirred(name),
            PeopleChange::PutDevice { name, .. } | PeopleChange::RemoveDevice { name } => {
                self.agents.phone_stirred(name);
            }
            _ => {}
        }
    }

    /// The agents who are reserved to call somebody back, each with the task.
    #[must_use]
    pub fn agents_of_callbacks(&self) -> Vec<(Box<str>, TaskId)> {
        let callbacks = self.queues.callbacks.iter();
        callbacks.filter_map(|(task, callback)| Some((callback.agent.clone()?, *task))).collect()
    }

    /// Callers who wait while an agent of their queue is ready and nobody rings for them: there should be none.
    #[must_use]
    pub fn callers_beside_ready_agents(&self) -> Vec<(Box<str>, Box<str>)> {
        let beside = |name: &str, line: &super::line::Line| {
            let alone = |who: &Who| match who {
                Who::Call(call) => self.queues.waiting.get(call).is_some_and(|one| one.ringing.is_empty()),
                Who::Callback(task) => {
                    self.queues.callbacks.get(task).is_some_and(|callback| callback.agent.is_none())
                }
            };
            let waits = line.callers.iter().any(|(.., who)| alone(who));
            let state = |account: &str| self.agents.agent(account).map(|agent| agent.state);
            let agent = line.next().filter(|account| waits && state(account) == Some(AgentState::Ready))?;
            Some((name.into(), agent.into()))
        };
        self.queues.lines.iter().filter_map(|(name, line)| beside(name, line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_level_counts_those_who_gave_up() {
        let counts = QueueCounts { answered: 8, in_time: 6, abandoned: 2, ..QueueCounts::default() };
        assert_eq!(counts.service_level(), Some(60));
        assert_eq!(QueueCounts::default().service_level(), None);
    }
}
