//! How agents stand is checked against the calls that are up, a few at a time: should an event ever have been lost, the state
//! heals, and a fact says so (R7).

use super::state::Trigger;
use crate::exchange::Exchange;
use crate::facts::FactKind;
use clock::{Mono, Now};
use std::time::Duration;

/// How far apart looks are.
const EVERY: Duration = Duration::from_secs(2);
/// Looks until all agents were looked at: within R7's minute.
const LOOKS: usize = 25;

/// Where the round is.
#[derive(Debug, Default)]
pub(crate) struct Round {
    last: Box<str>,
    next: Mono,
}

impl Round {
    /// When the next look is, while there is anybody.
    pub(super) fn next(&self, anybody: bool) -> Option<Mono> {
        anybody.then_some(self.next)
    }
}

impl Exchange {
    /// Looks at the next few agents.
    pub(super) fn check_agents(&mut self, now: Now) {
        if now.mono < self.agents.round.next {
            return;
        }
        self.agents.round.next = now.mono + EVERY;
        let most = self.agents.count().div_ceil(LOOKS).max(1);
        let some = self.agents.some_after(&self.agents.round.last, most);
        // The next round begins after the last.
        self.agents.round.last = some.last().filter(|_| some.len() == most).cloned().unwrap_or_default();
        for account in some {
            let legs = self.legs_of(&account);
            if self.agents.agent(&account).is_none_or(|agent| agent.legs == legs) {
                continue;
            }
            let words = format!("calls that are up: {}, which was not known", legs.len());
            self.note(now, FactKind::Agent, &account, "agents.healed", words);
            self.look_at_agent(now, &account);
            self.agent_settles(now, &account, Trigger::Call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent::{Agent, Leg, Phase, SignIn};
    use super::super::{AgentState, CallKind};
    use super::*;
    use crate::exchange::{Config, Snapshot};
    use crate::input::Input;
    use calls::CallId;
    use clock::Wall;

    #[test]
    fn r7_a_state_that_was_made_wrong_heals_within_a_minute() {
        let start = Now { mono: Mono(1_000_000), wall: Wall(0) };
        let config = Config::new("office.example", Vec::new());
        let mut exchange = Exchange::new(start, config, [7; 32], Snapshot::default());
        for name in ["ada", "bob", "eve"] {
            let mut agent = Agent::new(start, SignIn::default());
            agent.settle(start, Trigger::SignIn);
            exchange.agents.insert(name, agent);
        }
        exchange.handle(start, Input::Timeout);
        // As if the end of a call had been lost.
        let leg = Leg {
            call: CallId::of_number(5),
            kind: CallKind::Incoming,
            phase: Phase::Talks,
            with: "200".into(),
            wraps: None,
        };
        exchange.agents.entry("eve").unwrap().agent.look(start.mono, vec![leg]);
        exchange.agent_settles(start, "eve", Trigger::Call);
        assert_eq!(exchange.agents.agent("eve").unwrap().state, AgentState::Talking);
        let end = start.after(Duration::from_secs(60));
        while let Some((when, _)) = exchange.next_deadline()
            && when <= end.mono
        {
            exchange.handle(start.after(when.since(start.mono)), Input::Timeout);
            while exchange.next_output().is_some() {}
        }
        assert_ne!(exchange.agents.agent("eve").unwrap().state, AgentState::Talking);
    }
}
