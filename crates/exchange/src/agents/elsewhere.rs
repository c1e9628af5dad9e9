//! Agents who work at an outside telephone platform: what it says becomes how they stand, and what they say goes there
//! (S0.3, S0.9 to S0.11, S0.14).

use super::agent::{Elsewhere, WrapUp};
use super::interval::{By, CallKind};
use super::platform::{Platform, PlatformInput, PlatformState, Wish};
use super::state::{AgentState, Trigger};
use crate::exchange::Exchange;
use crate::input::Output;
use crate::people::Refusal;
use clock::{Mono, Now};
use std::collections::BTreeMap;
use std::time::Duration;

/// The platforms at which somebody works, by name.
#[derive(Debug, Default)]
pub(crate) struct Platforms {
    of: BTreeMap<Box<str>, Platform>,
    /// Where each agent works who does so elsewhere.
    places: BTreeMap<Box<str>, Box<str>>,
}

impl Platforms {
    /// When one of them wants something; they are few.
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.of.values().filter_map(Platform::next_deadline).min()
    }

    fn at(&mut self, agent: &str) -> Option<&mut Platform> {
        self.of.get_mut(self.places.get(agent)?)
    }
}

impl Exchange {
    /// Whether the platform at which an account works is one that there is.
    pub(super) fn may_work_elsewhere(&self, account: &str) -> Result<(), Refusal> {
        let settings = self.people.account(account).map(|account| &account.settings);
        let Some(name) = settings.and_then(|settings| settings.platform.as_ref()) else { return Ok(()) };
        if self.config.platforms.iter().any(|(known, _)| known == name) {
            return Ok(());
        }
        let words = format!("{account} works at platform {name}, which is not in the configuration");
        Err(Refusal::Rule { rule: "agents.no-platform", words: words.into() })
    }

    /// Somebody who works elsewhere signs in there as well. `due` is when a wrap-up of before our start ends.
    pub(super) fn begin_elsewhere(&mut self, now: Now, account: &str, due: Option<Mono>) {
        let Some(person) = self.people.account(account) else { return };
        let Some(name) = person.settings.platform.clone() else { return };
        let Some((_, every)) = self.config.platforms.iter().find(|(known, _)| *known == name) else { return };
        let phone = person.numbers.first().cloned().unwrap_or_default();
        let seed = name
            .bytes()
            .fold(now.wall.0.unsigned_abs(), |seed, octet| seed.wrapping_mul(31).wrapping_add(octet.into()));
        let platforms = &mut self.agents.platforms;
        platforms.of.entry(name.clone()).or_insert_with(|| Platform::new(*every, seed));
        platforms.places.insert(account.into(), name.clone());
        let outside = Elsewhere {
            platform: name,
            signed_in: false,
            state: PlatformState::Offline,
            refused: None,
            by: By::Kind,
        };
        if let Some(entry) = self.agents.entry(account) {
            entry.agent.elsewhere = Some(outside);
        }
        let (interval, by) = self.interval_elsewhere(account);
        if let Some(outside) = self.agents.entry(account).and_then(|entry| entry.agent.elsewhere.as_mut()) {
            outside.by = by;
        }
        if let Some(platform) = self.agents.platforms.at(account) {
            platform.begin(now.mono, account.into(), phone, interval, due);
        }
    }

    fn interval_elsewhere(&self, account: &str) -> (Duration, By) {
        self.wraps(account, &CallKind::Platform).unwrap_or((Duration::ZERO, By::Kind))
    }

    /// Somebody signed out.
    pub(super) fn end_elsewhere(&mut self, account: &str) {
        if let Some(platform) = self.agents.platforms.at(account) {
            platform.end(account);
        }
        self.agents.platforms.places.remove(account);
    }

    /// By hand: the platform hears of it.
    pub(super) fn wish_elsewhere(&mut self, now: Now, account: &str, wish: Wish) {
        if let Some(platform) = self.agents.platforms.at(account) {
            platform.wish(account, wish);
            platform.handle(now.mono, PlatformInput::Timeout);
        }
    }

    /// The wrap-up is longer: the platform is told later.
    pub(super) fn extend_elsewhere(&mut self, now: Now, account: &str) {
        let ends =
            self.agents.agent(account).and_then(|agent| agent.wrap_up.as_ref()).map(|wrap_up| wrap_up.ends);
        if let Some((platform, ends)) = self.agents.platforms.at(account).zip(ends) {
            platform.put_off(account, ends);
            platform.handle(now.mono, PlatformInput::Timeout);
        }
    }

    /// A call with us keeps somebody from being made ready elsewhere.
    pub(super) fn hold_elsewhere(&mut self, now: Now, account: &str) {
        let held = self.agents.agent(account).is_some_and(|agent| !agent.legs.is_empty());
        if let Some(platform) = self.agents.platforms.at(account) {
            platform.hold(account, held);
            platform.handle(now.mono, PlatformInput::Timeout);
        }
    }

    /// An adapter tells what a platform said.
    pub(crate) fn platform_said(&mut self, now: Now, name: &str, said: PlatformInput) {
        if let Some(platform) = self.agents.platforms.of.get_mut(name) {
            platform.handle(now.mono, said);
        }
    }

    /// Times of platforms that are over.
    pub(super) fn platforms_due(&mut self, now: Now) {
        for platform in self.agents.platforms.of.values_mut() {
            if platform.next_deadline().is_some_and(|when| when <= now.mono) {
                platform.handle(now.mono, PlatformInput::Timeout);
            }
        }
    }

    /// Hands on what platforms are asked for, and what is known of their agents; whether there was anything.
    pub(crate) fn carry_platforms(&mut self, now: Now) -> bool {
        let mut changed = Vec::new();
        for (name, platform) in &mut self.agents.platforms.of {
            while let Some(asked) = platform.next_output() {
                self.outputs.push_back(Output::Platform { platform: name.clone(), asked });
            }
            changed.extend(std::iter::from_fn(|| platform.next_changed()));
        }
        for account in &changed {
            self.mirror_elsewhere(now, account);
        }
        !changed.is_empty()
    }

    /// How an agent stands elsewhere is how they stand.
    fn mirror_elsewhere(&mut self, now: Now, account: &str) {
        let Some(standing) =
            self.agents.platforms.at(account).and_then(|platform| platform.standing(account))
        else {
            return;
        };
        let Some(before) = self.agents.agent(account).and_then(|agent| agent.elsewhere.clone()) else {
            return;
        };
        let mut by = before.by;
        if standing.state == PlatformState::Busy && before.state != PlatformState::Busy {
            // S0.11: seen in a call, so the interval for it is looked up.
            let (interval, whose) = self.interval_elsewhere(account);
            if let Some(platform) = self.agents.platforms.at(account) {
                platform.set_interval(account, interval);
            }
            by = whose;
        }
        let ends = self.agents.agent(account).is_some_and(|agent| agent.state == AgentState::WrapUp);
        if ends && standing.switch.is_none() {
            self.measure_wrap_up(now, account);
        }
        let interval = self.interval_elsewhere(account).0;
        let Some(entry) = self.agents.entry(account) else { return };
        let known = entry.agent.wrap_up.take();
        entry.agent.wrap_up = standing.switch.map(|(began, ends)| match known {
            Some(known) if known.began == began => WrapUp { ends, ..known },
            _ => WrapUp { interval, by: by.clone(), began, ends, extensions: 0 },
        });
        entry.agent.elsewhere = Some(Elsewhere {
            platform: before.platform,
            signed_in: standing.signed_in,
            state: standing.state,
            refused: standing.refused,
            by,
        });
        self.agent_settles(now, account, Trigger::Platform);
    }

    /// Since when it is not known how somebody stands elsewhere.
    pub(super) fn unknown_since(&self, account: &str) -> Option<Mono> {
        let platforms = &self.agents.platforms;
        platforms.of.get(platforms.places.get(account)?)?.unknown_since()
    }
}
