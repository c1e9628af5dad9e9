//! What can be asked of agents, by themselves or by those who look after the office (S0.8, S0.15).

use super::advice::Advice;
use super::agent::{Agent, SignIn};
use super::drive::HAND;
use super::platform::Wish;
use super::row::AgentRow;
use super::state::{AgentState, Trigger};
use crate::change::Change;
use crate::command::Answer;
use crate::exchange::{Exchange, Promise};
use crate::facts::FactKind;
use crate::input::CommandId;
use crate::limits;
use crate::people::Refusal;
use clock::Now;
use std::time::Duration;

/// What can be asked; each answered by [`Answer::Agents`] where nothing else is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentAsking {
    /// All who are signed in.
    List,
    /// One agent; offline if not signed in.
    One(Box<str>),
    /// Sign in to work.
    SignIn {
        /// Who.
        account: Box<str>,
        /// With what; since when is filled in.
        sign_in: SignIn,
    },
    /// Sign out from work.
    SignOut(Box<str>),
    /// Ready, also out of a wrap-up.
    Ready(Box<str>),
    /// Not ready from now on, or after the call that is up.
    Pause {
        /// Who.
        account: Box<str>,
        /// Why.
        reason: Box<str>,
        /// How long it is planned to be; what the office has planned for the reason if not said.
        planned: Option<Duration>,
    },
    /// The wrap-up a little longer.
    Extend(Box<str>),
    /// What wrap-ups really took, and what that proposes; answered by [`Answer::Advice`].
    Advice,
    /// What somebody can do about their own work; answered by [`Answer::Work`].
    Work(Box<str>),
}

/// What somebody can do about their own work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnWork {
    /// How they stand.
    pub row: AgentRow,
    /// Whether any queue has them.
    pub member: bool,
    /// The office's reasons for a break, each with its planned length if it has one.
    pub reasons: Vec<(Box<str>, Option<Duration>)>,
}

/// The longest reason for a break.
const REASON: usize = 64;

impl Exchange {
    /// A command about agents.
    pub(crate) fn ask_agents(&mut self, now: Now, id: CommandId, asking: AgentAsking) {
        let done = match asking {
            AgentAsking::List => {
                let rows = self.agent_rows(now);
                return self.answer(id, Answer::Agents(rows));
            }
            AgentAsking::Advice => {
                let advice: Vec<Advice> = self.agents.measured.advice();
                return self.answer(id, Answer::Advice(advice));
            }
            AgentAsking::Work(account) => {
                let answer = match self.agent_row(now, &account) {
                    Some(row) => Answer::Work(Box::new(OwnWork {
                        row,
                        member: self.people.queues_with(&account).next().is_some(),
                        reasons: self.config.agents.reasons.clone(),
                    })),
                    None => Answer::Refused(Refusal::Unknown("account", account)),
                };
                return self.answer(id, answer);
            }
            AgentAsking::One(account) => Ok(account),
            AgentAsking::SignIn { account, sign_in } => {
                self.sign_agent_in(now, &account, sign_in).map(|()| account)
            }
            AgentAsking::SignOut(account) => match self.sign_agent_out(now, &account, HAND) {
                true => Ok(account),
                false => Err(not_signed_in(&account)),
            },
            AgentAsking::Ready(account) => self.agent_is_ready(now, &account).map(|()| account),
            AgentAsking::Pause { account, reason, planned } => {
                self.pause_agent(now, &account, &reason, planned).map(|()| account)
            }
            AgentAsking::Extend(account) => self.extend_wrap_up(now, &account).map(|()| account),
        };
        let row =
            |account: Box<str>| self.agent_row(now, &account).ok_or(Refusal::Unknown("account", account));
        let answer = match done.and_then(row) {
            Ok(row) => Answer::Agents(vec![row]),
            Err(refusal) => Answer::Refused(refusal),
        };
        self.answer(id, answer);
    }

    /// Signs somebody in to work. One agent has one sign-in: another takes over or is refused, as policy says.
    pub(crate) fn sign_agent_in(&mut self, now: Now, account: &str, sign_in: SignIn) -> Result<(), Refusal> {
        self.begin_work(now, account, sign_in)?;
        self.list_by_profile(now, account);
        Ok(())
    }

    /// The same, and nothing of call lists begins by it.
    pub(crate) fn begin_work(&mut self, now: Now, account: &str, sign_in: SignIn) -> Result<(), Refusal> {
        if self.people.account(account).is_none() {
            return Err(Refusal::Unknown("account", account.into()));
        }
        if let Some(device) = &sign_in.device
            && !self.phones_of(account).contains(device)
        {
            let words = format!("{device} is no phone of {account}, and they do not sit there");
            return Err(Refusal::Rule { rule: "agents.not-there", words: words.into() });
        }
        for name in &sign_in.queues {
            if self.people.queue(name).is_none() {
                return Err(Refusal::Unknown("queue", name.clone()));
            }
            if self.people.priority_in(name, account).is_none() {
                let words = format!("{account} is no member of queue {name}");
                return Err(Refusal::Rule { rule: "agents.no-member", words: words.into() });
            }
        }
        self.may_work_elsewhere(account)?;
        let mut sign_in = SignIn { since: now.wall, ..self.profiled(account, sign_in) };
        let full = self.agents.count() >= limits::AGENTS;
        if let Some(entry) = self.agents.entry(account) {
            if !self.config.agents.take_over {
                let words = format!("{account} is signed in already");
                return Err(Refusal::Rule { rule: "agents.one-sign-in", words: words.into() });
            }
            // State and time go on.
            sign_in.since = entry.agent.sign_in.since;
            entry.agent.sign_in = sign_in;
            self.agents.person_stirred(account);
            self.agent_settles(now, account, Trigger::Phone);
        } else if full {
            return Err(Refusal::Nonsense("there are too many agents".into()));
        } else {
            self.agents.insert(account, Agent::new(now, sign_in));
            self.ongoing.watch_agent(account, true);
            self.begin_elsewhere(now, account, None);
            // Calls and phones that there are already come first, so that nobody is ready for a moment.
            self.look_at_agent(now, account);
            self.agent_settles(now, account, Trigger::SignIn);
        }
        let words = format!("{account} signed in");
        self.note(now, FactKind::Agent, account, "agents.sign-in", words);
        Ok(())
    }

    /// Signs somebody out, wherever they stand; a call that is up goes on. False when they were not signed in.
    pub(crate) fn sign_agent_out(&mut self, now: Now, account: &str, rule: &str) -> bool {
        self.give_caller_back(now, account);
        if self.agents.remove(account).is_none() {
            return false;
        }
        self.end_elsewhere(account);
        self.ongoing.watch_agent(account, false);
        let change = Change::Agent { account: account.into(), kept: None };
        self.commit(now, vec![change], Promise::Nothing);
        self.note(now, FactKind::Agent, account, rule, format!("{account} signed out"));
        self.tell_watchers(now, account);
        if let Some(row) = self.agent_row(now, account) {
            self.tell_agent(now, row);
        }
        true
    }

    /// By hand (S0.15): a break or a wrap-up is over; in a call, it is what comes after it.
    pub(crate) fn agent_is_ready(&mut self, now: Now, account: &str) -> Result<(), Refusal> {
        self.may_trigger(account, Trigger::Ready)?;
        self.measure_wrap_up(now, account);
        if let Some(entry) = self.agents.entry(account) {
            entry.agent.ready();
        }
        self.wish_elsewhere(now, account, Wish::Ready);
        self.agent_settles(now, account, Trigger::Ready);
        let away = self.agents.agent(account).filter(|agent| agent.state == AgentState::NotReady);
        match away.and_then(|agent| agent.away) {
            Some(away) => Err(Refusal::Rule {
                rule: "agents.away",
                words: format!("{account} cannot be ready: {}", away.reason()).into(),
            }),
            None => Ok(()),
        }
    }

    /// By hand: no caller comes from now on. A caller who is meant for them goes to somebody else.
    pub(crate) fn pause_agent(
        &mut self,
        now: Now,
        account: &str,
        reason: &str,
        planned: Option<Duration>,
    ) -> Result<(), Refusal> {
        self.may_trigger(account, Trigger::Pause)?;
        let reason = crate::people::clean_display(reason);
        if reason.is_empty() || reason.len() > REASON {
            return Err(Refusal::Nonsense(
                format!("a break needs a reason of 1 to {REASON} characters").into(),
            ));
        }
        let planned = planned.or_else(|| self.config.agents.planned(&reason));
        self.measure_wrap_up(now, account);
        if let Some(entry) = self.agents.entry(account) {
            entry.agent.pause(now.mono, &reason, HAND, planned);
        }
        self.wish_elsewhere(now, account, Wish::NotReady);
        self.agent_settles(now, account, Trigger::Pause);
        self.give_caller_back(now, account);
        Ok(())
    }

    /// The wrap-up a little longer, and not more often than policy says.
    pub(crate) fn extend_wrap_up(&mut self, now: Now, account: &str) -> Result<(), Refusal> {
        self.may_trigger(account, Trigger::Extend)?;
        let (by, most) = (self.config.agents.extension, self.config.agents.extensions);
        let longer = self.agents.entry(account).is_some_and(|entry| entry.agent.extend(by, most));
        if !longer {
            let words = format!("{account} has no wrap-up, or one that was made longer {most} times");
            return Err(Refusal::Rule { rule: "agents.extensions", words: words.into() });
        }
        self.extend_elsewhere(now, account);
        self.note(now, FactKind::Agent, account, "agents.extend", format!("{} s longer", by.as_secs()));
        self.agent_settles(now, account, Trigger::Extend);
        Ok(())
    }

    /// Whether the table has this for the state that they are in.
    fn may_trigger(&self, account: &str, trigger: Trigger) -> Result<(), Refusal> {
        if self.people.account(account).is_none() {
            return Err(Refusal::Unknown("account", account.into()));
        }
        let Some(agent) = self.agents.agent(account) else { return Err(not_signed_in(account)) };
        if agent.takes(trigger) {
            return Ok(());
        }
        let words = format!("{account} is {}", agent.state);
        Err(Refusal::Rule { rule: "agents.state", words: words.into() })
    }
}

fn not_signed_in(account: &str) -> Refusal {
    Refusal::Rule { rule: "agents.signed-out", words: format!("{account} is not signed in to work").into() }
}
