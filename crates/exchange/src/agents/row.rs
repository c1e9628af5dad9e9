//! An agent as people see it: the state with its cause, its rule and its end, the same everywhere.

use super::agent::{Agent, Elsewhere, Pause, Phase, Reservation};
use super::drive::PLATFORM;
use super::kept::wall_of;
use super::platform::PlatformState;
use super::state::{AgentState, Trigger};
use crate::exchange::Exchange;
use crate::profiles::Started;
use clock::{Now, Wall};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// An agent in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRow {
    /// The account.
    pub account: Box<str>,
    /// What others see.
    pub display: Box<str>,
    /// Where they stand.
    pub state: AgentState,
    /// Why they are not ready.
    pub reason: Option<Box<str>>,
    /// The state in words, as in `wrap-up 30 s by queue Sales, ends 10:04:12`.
    pub words: Box<str>,
    /// The rule that made it so.
    pub rule: &'static str,
    /// Since when.
    pub since: Wall,
    /// When it ends by itself; of a break, when it was planned to.
    pub ends: Option<Wall>,
    /// What comes after the call that is up, if it is a break.
    pub after: Option<Box<str>>,
    /// The phone at which callers ring; all of theirs if there is none.
    pub device: Option<Box<str>>,
    /// The queues that they work for.
    pub queues: Vec<Box<str>>,
    /// Since when they are signed in.
    pub signed_in: Option<Wall>,
    /// Calls of queues missed in a row.
    pub missed: u8,
    /// Their break is over, and they were asked whether they come back.
    pub asked: bool,
    /// What their phone was started with.
    pub profile: Option<Started>,
}

/// The rule behind a state.
fn rule(agent: &Agent) -> &'static str {
    match agent.state {
        AgentState::Offline => "agents.sign-out",
        AgentState::Reserved => "queues.reserve",
        AgentState::Talking if agent.legs.is_empty() => PLATFORM,
        AgentState::Ringing if agent.legs.is_empty() => "queues.reserve",
        AgentState::Ringing | AgentState::Talking | AgentState::OnHold => "agents.call",
        AgentState::WrapUp => "agents.wrap-up",
        AgentState::NotReady => match (&agent.pause, agent.away) {
            (Some(pause), _) => pause.rule,
            (None, Some(_)) => "agents.away",
            (None, None) if agent.rests.is_some() => "agents.rest",
            (None, None) => PLATFORM,
        },
        AgentState::Ready => match agent.by {
            Trigger::SignIn => "agents.sign-in",
            Trigger::Ready => "agents.hand",
            Trigger::Time => "agents.time",
            Trigger::Phone => "agents.away",
            Trigger::Release => "queues.release",
            Trigger::Platform => PLATFORM,
            _ => "agents.call",
        },
    }
}

fn reason(agent: &Agent) -> Option<Box<str>> {
    if agent.state != AgentState::NotReady {
        return None;
    }
    let away = || agent.away.map(|away| away.reason().into());
    let rests = || agent.rests.map(|_| "missed a call".into());
    let outside = || agent.elsewhere.as_ref().map(elsewhere_reason);
    agent.pause.as_ref().map(|pause| pause.reason.clone()).or_else(away).or_else(rests).or_else(outside)
}

/// Why somebody is not ready who works at another's platform.
fn elsewhere_reason(outside: &Elsewhere) -> Box<str> {
    let Elsewhere { platform, signed_in, state, refused, .. } = outside;
    let words = match (refused, signed_in, state) {
        (Some(why), ..) => format!("platform {platform}: {why}"),
        (None, false, _) | (None, true, PlatformState::Offline) => {
            format!("signing in at platform {platform}")
        }
        _ => format!("platform {platform}"),
    };
    words.into()
}

/// The state in words, without its end.
fn words(agent: &Agent) -> String {
    match agent.state {
        AgentState::Reserved | AgentState::Ringing | AgentState::Talking | AgentState::OnHold => {
            let shown = match agent.state {
                AgentState::OnHold => Phase::Held,
                AgentState::Ringing => Phase::Rings,
                _ => Phase::Talks,
            };
            let leg = agent.legs.iter().find(|leg| leg.phase == shown).or(agent.legs.first());
            match (leg, &agent.reserved) {
                (Some(leg), _) if leg.phase == Phase::Service => "talking with the exchange".to_owned(),
                (Some(leg), _) => format!("{} with {}", agent.state, leg.with),
                (None, None) if agent.elsewhere.is_some() => {
                    let platform = agent.elsewhere.as_ref().map_or("", |outside| &outside.platform);
                    format!("{} at platform {platform}", agent.state)
                }
                (None, Some(Reservation { who: None, number: Some(number), .. })) => {
                    format!("{} for {number} of a call list", agent.state)
                }
                (None, Some(Reservation { number: Some(number), queue, .. })) => {
                    format!("{} for a callback of {number} in queue {queue}", agent.state)
                }
                (None, Some(reserved)) => format!("{} for queue {}", agent.state, reserved.queue),
                (None, None) => agent.state.to_string(),
            }
        }
        AgentState::WrapUp => match &agent.wrap_up {
            Some(wrap_up) => {
                let longer = match wrap_up.extensions {
                    0 => String::new(),
                    count => format!(", made longer {count} times"),
                };
                format!("wrap-up {} s by {}{longer}", wrap_up.interval.as_secs(), wrap_up.by)
            }
            None => "wrap-up".to_owned(),
        },
        AgentState::NotReady => match (&agent.pause, reason(agent)) {
            (Some(Pause { asked: Some(_), reason, .. }), _) => {
                format!("not ready: {reason}, longer than planned, and asked")
            }
            (_, reason) => format!("not ready: {}", reason.unwrap_or_default()),
        },
        AgentState::Offline | AgentState::Ready => agent.state.to_string(),
    }
}

/// A time of day on the office's wall.
fn clock_time(at: Wall, zone: &TimeZone) -> String {
    let time = Timestamp::from_millisecond(at.0).map(|at| at.to_zoned(zone.clone()));
    time.map(|time| time.strftime("%H:%M:%S").to_string()).unwrap_or_default()
}

impl Exchange {
    /// An agent in the list; one who is not signed in is offline.
    pub(crate) fn agent_row(&self, now: Now, account: &str) -> Option<AgentRow> {
        let display = self.people.account(account).map(|account| account.display.clone());
        let Some(agent) = self.agents.agent(account) else {
            return display
                .map(|display| AgentRow { profile: self.started_by(account), ..offline(account, display) });
        };
        let ends = agent.ends(self.config.agents.patience).map(|when| wall_of(now, when));
        let mut words = words(agent);
        if let Some(ends) = ends {
            words.push_str(match agent.state {
                // A break ends when the person says so.
                AgentState::NotReady if agent.pause.is_some() => ", planned until ",
                _ => ", ends ",
            });
            words.push_str(&clock_time(ends, &self.config.seats.zone));
        }
        if let Some(since) = self.unknown_since(account) {
            words.push_str(", unknown since ");
            words.push_str(&clock_time(wall_of(now, since), &self.config.seats.zone));
        }
        let busy = matches!(agent.state, AgentState::Ringing | AgentState::Talking | AgentState::OnHold);
        let after = agent.pause.as_ref().filter(|_| busy).map(|pause| pause.reason.clone());
        if let Some(after) = &after {
            words.push_str(", then ");
            words.push_str(after);
        }
        Some(AgentRow {
            account: account.into(),
            display: display.unwrap_or_default(),
            state: agent.state,
            reason: reason(agent),
            words: words.into(),
            rule: rule(agent),
            since: wall_of(now, agent.since.mono),
            ends,
            after,
            device: agent.sign_in.device.clone(),
            queues: self.queues_of(account, agent),
            signed_in: Some(agent.sign_in.since),
            missed: agent.missed,
            asked: agent.pause.as_ref().is_some_and(|pause| pause.asked.is_some()),
            profile: self.started_by(account),
        })
    }

    /// How an agent stands, for those who watch their presence; none for somebody who is no agent now.
    pub(crate) fn agent_note(&self, now: Now, account: &str) -> Option<Box<str>> {
        let state = self.agents.agent(account)?.state;
        // R32: with whom they talk is nobody else's business.
        match state {
            AgentState::WrapUp | AgentState::NotReady => self.agent_row(now, account).map(|row| row.words),
            _ => Some(state.name().into()),
        }
    }

    /// Whether an agent is in no call, and none comes.
    pub(crate) fn agent_is_kept_from_calls(&self, account: &str) -> bool {
        let state = self.agents.agent(account).map(|agent| agent.state);
        matches!(state, Some(AgentState::WrapUp | AgentState::NotReady))
    }

    /// All who are signed in, by name.
    #[must_use]
    pub fn agent_rows(&self, now: Now) -> Vec<AgentRow> {
        self.agents.iter().filter_map(|(account, _)| self.agent_row(now, account)).collect()
    }
}

fn offline(account: &str, display: Box<str>) -> AgentRow {
    AgentRow {
        account: account.into(),
        display,
        state: AgentState::Offline,
        reason: None,
        words: "offline".into(),
        rule: "agents.sign-out",
        since: Wall(0),
        ends: None,
        after: None,
        device: None,
        queues: Vec::new(),
        signed_in: None,
        missed: 0,
        asked: false,
        profile: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent::{SignIn, WrapUp};
    use super::super::interval::By;
    use super::*;
    use clock::Mono;
    use std::time::Duration;

    #[test]
    fn a_state_says_its_cause_and_the_office_clock_tells_its_end() {
        let now = Now { mono: Mono(10_000_000), wall: Wall(0) };
        let mut agent = Agent::new(now, SignIn::default());
        agent.wrap_up = Some(WrapUp {
            interval: Duration::from_secs(30),
            by: By::Queue("Sales".into()),
            began: now.mono,
            ends: now.mono + Duration::from_secs(30),
            extensions: 0,
        });
        agent.settle(now, Trigger::SignIn);
        assert_eq!((words(&agent).as_str(), rule(&agent)), ("wrap-up 30 s by queue Sales", "agents.wrap-up"));
        let ends = wall_of(now, agent.ends(Duration::ZERO).unwrap());
        assert_eq!(clock_time(ends, &TimeZone::fixed(jiff::tz::offset(8))), "08:00:30");
        agent.pause(now.mono, "lunch", "agents.hand", None);
        agent.settle(now, Trigger::Pause);
        assert_eq!((words(&agent).as_str(), reason(&agent).as_deref()), ("not ready: lunch", Some("lunch")));
    }
}
