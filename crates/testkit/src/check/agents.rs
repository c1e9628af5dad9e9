//! Agents: nobody is ready while a call of theirs is up; a state that says when it ends does so within 100 ms; and when
//! everybody has fallen silent, nobody is left in a call; whoever is reserved to call somebody back is so for that alone.
//! Queues: no caller waits beside a ready agent.

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use dialing::TaskId;
use exchange::{AgentRow, AgentState, Event, Happened, LiveCall};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How late a state may be, and how long a caller may be overlooked.
const PATIENCE: Duration = Duration::from_millis(100);

/// An agent as it was told last, and the moment at which its state ends.
type Told = (Box<AgentRow>, Option<Mono>);

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct Agents {
    agents: BTreeMap<(OfficeId, Box<str>), Told>,
    /// The ends among them.
    ends: BTreeSet<(Mono, OfficeId, Box<str>)>,
}

impl Checker for Agents {
    fn name(&self) -> &'static str {
        "agents follow their calls"
    }

    fn see(&mut self, at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::Event { office, event } => {
                self.hear(at, *office, event);
                Ok(())
            }
            Observed::Live { office, calls, .. } => {
                self.ends_in_time(at)?;
                self.busy(*office, calls)
            }
            Observed::Queues { office, called_back, .. } => {
                self.ends_in_time(at)?;
                self.reserved(*office, called_back)
            }
            Observed::Quiet(left) => self.quiet(left.office),
            _ => Ok(()),
        }
    }
}

impl Agents {
    fn hear(&mut self, at: Mono, office: OfficeId, event: &Event) {
        let Happened::AgentChanged(row) = &event.what else { return };
        let key = (office, row.account.clone());
        if let Some((_, Some(end))) = self.agents.remove(&key) {
            self.ends.remove(&(end, office, row.account.clone()));
        }
        if row.state == AgentState::Offline {
            return;
        }
        let left = |ends: clock::Wall| Duration::from_millis(ends.0.saturating_sub(event.at.0).max(0) as u64);
        let end = row.ends.filter(|_| row.state == AgentState::WrapUp).map(|ends| at + left(ends));
        self.ends.extend(end.map(|end| (end, office, row.account.clone())));
        self.agents.insert(key, (row.clone(), end));
    }

    fn ends_in_time(&self, at: Mono) -> Result<(), String> {
        match self.ends.first() {
            Some((end, _, account)) if at > *end + PATIENCE => {
                Err(format!("the wrap-up of {account} was to end at {end}"))
            }
            _ => Ok(()),
        }
    }

    fn busy(&self, office: OfficeId, calls: &[LiveCall]) -> Result<(), String> {
        for call in calls {
            for account in &call.accounts {
                let row = self.agents.get(&(office, account.clone())).map(|(row, _)| row);
                let ready = row.is_some_and(|row| row.state == AgentState::Ready);
                // A talk that is parked is nobody's for a while.
                let there = call.caller.device.is_some() && call.callee.device.is_some();
                if ready && there {
                    return Err(format!("{account} is ready, and {} is up", call.name));
                }
            }
        }
        Ok(())
    }

    /// Whoever calls somebody back does nothing else.
    fn reserved(&self, office: OfficeId, called_back: &[(Box<str>, TaskId)]) -> Result<(), String> {
        let mut seen = BTreeMap::new();
        for (account, task) in called_back {
            if let Some(other) = seen.insert(account, task) {
                return Err(format!("{account} is reserved for the callbacks {} and {}", other.0, task.0));
            }
            let row = self.agents.get(&(office, account.clone())).map(|(row, _)| row.state);
            if matches!(row, None | Some(AgentState::Ready | AgentState::WrapUp | AgentState::NotReady)) {
                return Err(format!("{account} is to call back for task {} and is {row:?}", task.0));
            }
        }
        Ok(())
    }

    fn quiet(&self, office: OfficeId) -> Result<(), String> {
        let in_call = |row: &AgentRow| {
            let state = row.state;
            !matches!(state, AgentState::Ready | AgentState::WrapUp | AgentState::NotReady)
        };
        let mut here = self.agents.iter().filter(|((of, _), _)| *of == office);
        match here.find(|(_, (row, _))| in_call(row)) {
            Some(((_, account), (row, _))) => Err(format!("{account} is {} and nobody calls", row.state)),
            None => Ok(()),
        }
    }
}

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct NobodyWaitsInVain {
    since: BTreeMap<(OfficeId, Box<str>), Mono>,
}

impl Checker for NobodyWaitsInVain {
    fn name(&self) -> &'static str {
        "no caller waits beside a ready agent"
    }

    fn see(&mut self, at: Mono, event: &Observed) -> Result<(), String> {
        let Observed::Queues { office, beside, .. } = event else { return Ok(()) };
        if !beside.is_empty() || !self.since.is_empty() {
            let still = |queue: &str| beside.iter().any(|(of, _)| **of == *queue);
            self.since.retain(|(of, queue), _| of != office || still(queue));
        }
        for (queue, agent) in beside {
            let since = *self.since.entry((*office, queue.clone())).or_insert(at);
            if at.since(since) > PATIENCE {
                return Err(format!("a caller waits in {queue} since {since}, and {agent} is ready"));
            }
        }
        Ok(())
    }
}
