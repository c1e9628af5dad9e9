//! Between the fold of one agent and the office: calls, phones and times come in, lamps, events, facts and the store
//! hear what came of it.

use super::agent::{Agent, Away, Leg, Phase, Reservation};
use super::interval::{By, CallKind, longest};
use super::policy::Forgotten;
use super::row::AgentRow;
use super::state::{AgentState, Trigger};
use crate::cluster::{CallPlace, ToldCall};
use crate::events::{Audience, CallState, Happened};
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::ongoing::{Ongoing, Reach};
use crate::people::PeopleChange;
use crate::shown::Shown;
use calls::CallId;
use clock::Now;
use sip::subscription::DialogState;

/// The rules by which somebody is paused.
pub(super) const RULES: [&str; 3] = [HAND, MISSED, NO_ANSWER];
/// By the person, or by somebody who may say so.
pub(super) const HAND: &str = "agents.hand";
/// Too many callers in a row were missed.
const MISSED: &str = "agents.missed";
/// The phone of an agent who works through a call list rang, and nobody answered.
const NO_ANSWER: &str = "lists.no-answer";
/// An outside telephone platform says so.
pub(super) const PLATFORM: &str = "agents.platform";

impl Exchange {
    /// Agents whose calls or phones are others now follow; whether there were any.
    pub(crate) fn agents_follow(&mut self, now: Now) -> bool {
        let callers = self.ongoing.take_stirred();
        let (phones, mut people) = self.agents.take_stirred();
        people.extend(phones.iter().flat_map(|device| self.rung_at(device)));
        let any = !callers.is_empty() || !people.is_empty();
        for account in callers {
            let legs = self.legs_of(&account);
            let Some(entry) = self.agents.entry(&account).filter(|entry| entry.agent.legs != legs) else {
                continue;
            };
            entry.agent.look(now.mono, legs);
            self.hold_elsewhere(now, &account);
            self.agent_settles(now, &account, Trigger::Call);
        }
        for account in people {
            let away = self.away(&account);
            let Some(entry) = self.agents.entry(&account) else { continue };
            if entry.agent.away != away {
                entry.agent.away = away;
                self.agent_settles(now, &account, Trigger::Phone);
            }
        }
        any
    }

    /// The calls of an account, as far as they keep it busy.
    pub(super) fn legs_of(&self, account: &str) -> Vec<Leg> {
        let here = self.ongoing.of(account);
        let here = here.filter_map(|(call, ongoing)| self.leg_of(account, call, ongoing));
        let elsewhere = self.cluster.elsewhere.of(account);
        here.chain(elsewhere.filter_map(|(id, call)| self.leg_elsewhere_of(account, id, call))).collect()
    }

    /// A call that another exchange has keeps them as busy.
    fn leg_elsewhere_of(&self, account: &str, id: CallId, call: &ToldCall) -> Option<Leg> {
        let phase = match (&call.at, call.state) {
            (CallPlace::Parked(_), _) => return None,
            (_, CallState::Ringing) => Phase::Rings,
            (CallPlace::Service, _) => Phase::Service,
            (_, CallState::Held) => Phase::Held,
            (_, CallState::Talking) => Phase::Talks,
        };
        let kind = match &call.at {
            _ if call.is_of_caller(account) => CallKind::Outgoing,
            CallPlace::Queue(name) => CallKind::Queue(name.clone()),
            _ => CallKind::Incoming,
        };
        let with = (*call.far_of(account).party.number).into();
        let wraps = self.wraps(account, &kind);
        Some(Leg { call: id, kind, phase, with, wraps })
    }

    fn leg_of(&self, account: &str, call: CallId, ongoing: &Ongoing) -> Option<Leg> {
        let let_go = self.switch.is_let_go(call);
        // Whoever parked it is out, until it rings again for them.
        if let_go && self.parked.waits(call) {
            return None;
        }
        let confirmed = ongoing.state == DialogState::Confirmed && !let_go;
        let calls = ongoing.caller_account.as_deref() == Some(account);
        let phase = match (confirmed, &ongoing.reach) {
            (false, _) => Phase::Rings,
            (true, Reach::Service) => Phase::Service,
            (true, _) if self.switch.view(call).is_some_and(|view| view.held) => Phase::Held,
            (true, _) => Phase::Talks,
        };
        let called_back = self.background.trying.get(&call).and_then(|trying| trying.queue.as_ref());
        let kind = match (&ongoing.reach, called_back) {
            (_, Some(queue)) => CallKind::Queue(queue.clone()),
            _ if calls => CallKind::Outgoing,
            (Reach::Queue { name }, None) => CallKind::Queue(name.clone()),
            _ => CallKind::Incoming,
        };
        let with = if calls { &ongoing.callee } else { &ongoing.caller };
        let wraps = self.wraps(account, &kind);
        Some(Leg { call, kind, phase, with: (*with.number).into(), wraps })
    }

    /// The wrap-up that a call of this kind leaves (S0.12).
    pub(super) fn wraps(&self, account: &str, kind: &CallKind) -> Option<(std::time::Duration, By)> {
        let queue = match kind {
            CallKind::Queue(name) => self.people.queue(name),
            _ => None,
        };
        let of_queue = queue.map(|queue| (queue.wrap_up, By::Queue(queue.display.clone())));
        let profile = self.profile_interval(account);
        let own = self.people.account(account).and_then(|account| account.settings.wrap_up);
        longest([
            of_queue,
            profile.map(|interval| (interval, By::Profile)),
            Some(self.config.agents.interval(kind)),
            own.map(|interval| (interval, By::Agent)),
        ])
    }

    /// What keeps an account from callers without its saying so.
    fn away(&self, account: &str) -> Option<Away> {
        let settings = &self.people.account(account)?.settings;
        if settings.do_not_disturb {
            Some(Away::DoNotDisturb)
        } else if settings.forwarding.always.is_some() {
            Some(Away::Forwarded)
        } else {
            let there = self.phones_of_agent(account).iter().any(|phone| self.registrar.is_registered(phone));
            // At another's platform, that one's phones count.
            let elsewhere = self.agents.agent(account).is_some_and(|agent| agent.elsewhere.is_some());
            (!there && !elsewhere).then_some(Away::NoPhone)
        }
    }

    /// The phones at which callers of queues ring: the one that was signed in at, for as long as it is one of theirs.
    pub(crate) fn phones_of_agent(&self, account: &str) -> Vec<Box<str>> {
        let mut phones = self.phones_of(account);
        let device = self.agents.agent(account).and_then(|agent| agent.sign_in.device.as_ref());
        if let Some(device) = device.filter(|device| phones.contains(device)) {
            phones = vec![device.clone()];
        }
        phones
    }

    /// A phone is about to leave the directory: whose it was is looked at after that.
    pub(crate) fn agents_lose_phone(&mut self, change: &PeopleChange) {
        if let PeopleChange::RemoveDevice { name } = change
            && let Some(device) = self.people.device(name)
        {
            self.agents.person_stirred(&device.account);
        }
    }

    /// Somebody sits at another phone now: callers ring there, and state and time stay as they are.
    pub(crate) fn agent_sits(&mut self, now: Now, account: &str, device: &str) {
        self.agents.person_stirred(account);
        let named = |agent: &Agent| agent.sign_in.device.as_deref().is_some_and(|at| at != device);
        if let Some(entry) = self.agents.entry(account).filter(|entry| named(&entry.agent)) {
            entry.agent.sign_in.device = Some(device.into());
            self.agent_changed(now, account, false);
        }
        self.list_moves(now, account, device);
    }

    /// An agent's causes changed by this.
    pub(crate) fn agent_settles(&mut self, now: Now, account: &str, trigger: Trigger) {
        let Some(entry) = self.agents.entry(account) else { return };
        let changed = entry.agent.settle(now, trigger);
        self.agent_changed(now, account, changed);
    }

    fn agent_changed(&mut self, now: Now, account: &str, changed: bool) {
        self.index_agent(account);
        self.keep_agent(now, account);
        let Some(row) = self.agent_row(now, account) else { return };
        // What calls do, their records tell.
        let idle = matches!(row.state, AgentState::Ready | AgentState::WrapUp | AgentState::NotReady);
        if changed && (idle || row.rule == PLATFORM) {
            self.note(now, FactKind::Agent, account, row.rule, row.words.to_string());
        }
        if changed {
            self.tell_watchers(now, account);
        }
        self.tell_agent(now, row);
    }

    pub(crate) fn tell_agent(&mut self, now: Now, row: AgentRow) {
        let accounts = vec![row.account.clone()];
        self.tell_if_heard(now, Audience::all(accounts), Happened::AgentChanged(Box::new(row)));
    }

    /// When something of an agent is due, and that queues look at it.
    pub(super) fn index_agent(&mut self, account: &str) {
        let patience = self.config.agents.patience;
        let due = self.agents.agent(account).and_then(|agent| agent.next_deadline(patience));
        self.agents.index(account, due);
    }

    /// Times of agents that are over (S0.14).
    pub(crate) fn agents_due(&mut self, now: Now) {
        self.platforms_due(now);
        self.check_agents(now);
        while let Some(account) = self.agents.next_due(now.mono) {
            self.measure_wrap_up(now, &account);
            self.look_at_break(now, &account);
            if let Some(entry) = self.agents.entry(&account) {
                entry.agent.expire(now.mono);
                self.agent_settles(now, &account, Trigger::Time);
            }
        }
    }

    /// A break longer than planned: the person is asked first, and then it is as policy says.
    fn look_at_break(&mut self, now: Now, account: &str) {
        let (patience, forgotten) = (self.config.agents.patience, self.config.agents.forgotten);
        let Some(agent) = self.agents.entry(account).map(|entry| &mut entry.agent) else { return };
        let idle = agent.state == AgentState::NotReady;
        let Some(pause) = &mut agent.pause else { return };
        let reason = pause.reason.clone();
        match (pause.asked, pause.planned) {
            (None, Some(planned)) if planned <= now.mono && !idle => {
                pause.planned = Some(now.mono + patience);
            }
            (None, Some(planned)) if planned <= now.mono => {
                pause.asked = Some(now.mono);
                self.note(
                    now,
                    FactKind::Agent,
                    account,
                    "agents.ask",
                    format!("{reason} is over, and was asked"),
                );
                self.show_agent(now, account, Shown::BreakOver { reason: &reason });
            }
            (Some(asked), _) if asked + patience <= now.mono => {
                let words = format!("no answer about {reason}: {}", forgotten.name());
                (pause.planned, pause.asked) = (None, None);
                if forgotten == Forgotten::Ready {
                    agent.ready();
                }
                self.note(now, FactKind::Agent, account, "agents.forgotten", words);
                if forgotten == Forgotten::SignOut {
                    self.sign_agent_out(now, account, "agents.forgotten");
                }
            }
            _ => {}
        }
    }

    /// Shows a text at the phones of an agent.
    fn show_agent(&mut self, now: Now, account: &str, shown: Shown<'_>) {
        let text = shown.text(self.language_of(account));
        for device in self.phones_of_agent(account) {
            self.show_at(now, &device, &text);
        }
    }

    /// An agent did not take a caller of a queue: they rest, and after too many in a row they are paused.
    pub(crate) fn agent_missed(&mut self, now: Now, account: &str) {
        let (rest, most) = (self.config.agents.rest, self.config.agents.missed);
        let Some(entry) = self.agents.entry(account) else { return };
        if entry.agent.miss(now.mono, rest, most) && entry.agent.pause.is_none() {
            entry.agent.pause(now.mono, "missed calls", MISSED, None);
            self.show_agent(now, account, Shown::PausedForMissing);
        }
    }

    /// An agent's phone rang for a row of their list, and they were not there: no further row comes until they say so.
    pub(crate) fn pause_absent_agent(&mut self, now: Now, account: &str) {
        let Some(entry) = self.agents.entry(account) else { return };
        if entry.agent.pause.is_none() {
            entry.agent.pause(now.mono, "no answer at phone", NO_ANSWER, None);
            self.agent_settles(now, account, Trigger::Pause);
        }
    }

    /// An agent who is ready is meant for a caller from now on, and for nobody else. False when they are not ready.
    pub(crate) fn reserve_agent(&mut self, now: Now, account: &str, reservation: Reservation) -> bool {
        let Some(entry) = self.agents.entry(account) else { return false };
        if entry.agent.state != AgentState::Ready {
            return false;
        }
        entry.agent.reserved = Some(reservation);
        self.agent_settles(now, account, Trigger::Reserve);
        true
    }

    /// The phone of an agent rings for the caller who is meant for them.
    pub(crate) fn agent_rings(&mut self, now: Now, account: &str, call: CallId) {
        let Some(entry) = self.agents.entry(account) else { return };
        if let Some(reserved) = entry.agent.reserved.as_mut().filter(|reserved| reserved.call == Some(call))
            && !std::mem::replace(&mut reserved.rings, true)
        {
            self.agent_settles(now, account, Trigger::Reserve);
        }
    }

    /// The call is there for which an agent was reserved.
    pub(crate) fn agent_is_called(&mut self, account: &str, call: CallId) {
        let entry = self.agents.entry(account);
        if let Some(reserved) = entry.and_then(|entry| entry.agent.reserved.as_mut()) {
            reserved.call = Some(call);
        }
    }

    /// No caller is meant for an agent any more; true when one was.
    pub(crate) fn free_agent(&mut self, account: &str) -> bool {
        self.agents.entry(account).is_some_and(|entry| entry.agent.reserved.take().is_some())
    }

    /// An agent looks at their calls and phones, as they are at this moment.
    pub(super) fn look_at_agent(&mut self, now: Now, account: &str) {
        let (legs, away) = (self.legs_of(account), self.away(account));
        if let Some(entry) = self.agents.entry(account) {
            entry.agent.look(now.mono, legs);
            entry.agent.away = away;
        }
        self.hold_elsewhere(now, account);
    }

    /// The wall clock jumped: ends are shown and kept anew, and nothing that waits notices (R18).
    pub(crate) fn agents_see_clock(&mut self, now: Now) {
        let timed =
            self.agents.iter().filter(|(_, agent)| agent.next_deadline(std::time::Duration::ZERO).is_some());
        let accounts: Vec<Box<str>> = timed.map(|(account, _)| account.into()).collect();
        for account in accounts {
            if let Some(entry) = self.agents.entry(&account) {
                entry.stored = None;
            }
            self.agent_changed(now, &account, false);
        }
    }
}
