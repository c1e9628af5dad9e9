//! What a restart needs of an agent, and what becomes of it then. Times are kept as times of day (R18).

use super::agent::{Agent, Pause, SignIn, WrapUp};
use super::drive::{HAND, RULES};
use super::interval::By;
use super::register::Stored;
use super::state::Trigger;
use crate::change::Change;
use crate::exchange::{Exchange, Promise};
use clock::{Mono, Now, Wall};
use std::time::Duration;

/// A sign-in, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSignIn {
    /// What was signed in with.
    pub sign_in: SignIn,
    /// A break.
    pub pause: Option<KeptPause>,
    /// A wrap-up.
    pub wrap_up: Option<KeptWrapUp>,
}

/// A break, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPause {
    /// The reason.
    pub reason: Box<str>,
    /// The rule that says so.
    pub rule: Box<str>,
    /// Since when.
    pub since: Wall,
    /// When its planned length is over.
    pub planned: Option<Wall>,
}

/// A wrap-up, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptWrapUp {
    /// How long it was to be.
    pub interval: Duration,
    /// By which rule.
    pub by: By,
    /// When it is over.
    pub ends: Wall,
    /// How often it was made longer.
    pub extensions: u8,
}

impl Exchange {
    /// Hands what of an agent is to be kept to the store, if it is not there.
    pub(super) fn keep_agent(&mut self, now: Now, account: &str) {
        let Some(entry) = self.agents.entry(account) else { return };
        let Agent { sign_in, pause, wrap_up, .. } = &entry.agent;
        let stored: Stored = (sign_in.clone(), pause.clone(), wrap_up.clone());
        if entry.stored.as_ref() != Some(&stored) {
            entry.stored = Some(stored);
            let change = self.agent_change(now, account);
            self.commit(now, vec![change], Promise::Nothing);
        }
    }

    /// An agent as it is now, for the store.
    pub(crate) fn agent_change(&self, now: Now, account: &str) -> Change {
        let kept = self.agents.agent(account).map(|agent| {
            let at = |when: Mono| wall_of(now, when);
            let pause = agent.pause.as_ref().map(|pause| KeptPause {
                reason: pause.reason.clone(),
                rule: pause.rule.into(),
                since: at(pause.since),
                planned: pause.planned.map(at),
            });
            let wrap_up = agent.wrap_up.as_ref().map(|wrap_up| KeptWrapUp {
                interval: wrap_up.interval,
                by: wrap_up.by.clone(),
                ends: at(wrap_up.ends),
                extensions: wrap_up.extensions,
            });
            Box::new(KeptSignIn { sign_in: agent.sign_in.clone(), pause, wrap_up })
        });
        Change::Agent { account: account.into(), kept }
    }

    /// What the store had: breaks and wrap-ups go on to their own end; the calls of before are over.
    pub(crate) fn restore_agent(&mut self, now: Now, account: &str, kept: KeptSignIn) {
        if self.people.account(account).is_none() {
            return;
        }
        let mono = |at: Wall| mono_of(now, at);
        let mut agent = Agent::new(now, kept.sign_in);
        agent.pause = kept.pause.map(|pause| Pause {
            rule: RULES.into_iter().find(|rule| **rule == *pause.rule).unwrap_or(HAND),
            reason: pause.reason,
            since: mono(pause.since),
            planned: pause.planned.map(mono),
            asked: None,
        });
        agent.wrap_up = kept.wrap_up.map(|kept| WrapUp {
            interval: kept.interval,
            by: kept.by,
            began: mono(kept.ends) - kept.interval,
            // R18: whatever the clock on the wall did meanwhile, it is not longer than it may be made.
            ends: mono(kept.ends).min(now.mono + kept.interval + self.longest_extension()),
            extensions: kept.extensions,
        });
        let stored = (agent.sign_in.clone(), agent.pause.clone(), agent.wrap_up.clone());
        let due = agent.wrap_up.as_ref().map(|wrap_up| wrap_up.ends);
        self.agents.insert(account, agent);
        self.begin_elsewhere(now, account, due);
        if let Some(entry) = self.agents.entry(account) {
            entry.agent.settle(now, Trigger::SignIn);
        }
        self.ongoing.watch_agent(account, true);
        if let Some(entry) = self.agents.entry(account) {
            entry.stored = Some(stored);
        }
        self.index_agent(account);
    }

    fn longest_extension(&self) -> Duration {
        self.config.agents.extension * u32::from(self.config.agents.extensions)
    }
}

/// The time of day of a moment.
pub(super) fn wall_of(now: Now, when: Mono) -> Wall {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let (ahead, behind) = (millis(when.since(now.mono)), millis(now.mono.since(when)));
    Wall(now.wall.0.saturating_add(ahead).saturating_sub(behind))
}

/// The moment of a time of day.
fn mono_of(now: Now, at: Wall) -> Mono {
    let span = |millis: i64| Duration::from_millis(millis.max(0).unsigned_abs());
    now.mono + span(at.0.saturating_sub(now.wall.0)) - span(now.wall.0.saturating_sub(at.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_times_of_day_are_each_others_inverse() {
        let now = Now { mono: Mono(50_000_000), wall: Wall(1_000_000) };
        for (mono, wall) in [(50_000_000, 1_000_000), (51_000_000, 1_001_000), (40_000_000, 990_000)] {
            assert_eq!((wall_of(now, Mono(mono)), mono_of(now, Wall(wall))), (Wall(wall), Mono(mono)));
        }
        assert_eq!(mono_of(now, Wall(i64::MIN)), Mono(0));
    }
}
