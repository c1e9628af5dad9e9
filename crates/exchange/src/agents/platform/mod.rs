//! Agents of a telephone platform that is not ours: what is asked of it and what follows from its answers, as a pure
//! machine (S0.3, S0.9 to S0.11, S0.14).
//!
//! ```text
//! first sign-in --> polls begin        a poll sees busy, then free --> a switch is due at the end of the call + interval
//! last sign-out --> polls end          still due, and no call is up --> SetState, once
//! unreachable --> the state is held and "unknown since"; polls are further apart, and nothing is switched
//! ```
//! The end of a call is the platform's own word for it, or else the last poll that saw the call: never the poll that saw it
//! gone. A switch whose answer is lost is asked for again only after a poll has seen that it is still wanted. Nothing here
//! looks at all agents but the answer to a poll. Two exchanges that serve one platform need a lease before they act; its
//! place is [`Platform::act`].

#[cfg(test)]
mod tests;
mod values;

pub use values::{PlatformInput, PlatformOutput, PlatformState, Sighting, Wish};

use clock::Mono;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::time::Duration;

/// How far apart polls are at most while a platform does not answer.
const FARTHEST: Duration = Duration::from_secs(60);

/// How soon it is asked how somebody stands who has just signed in.
const SOON: Duration = Duration::from_secs(1);
/// Agents of whom is told at once that their state is not known, or known again.
const TOLD: usize = 64;

/// One agent there.
#[derive(Debug)]
struct Watched {
    phone: Box<str>,
    interval: Duration,
    signed_in: bool,
    state: PlatformState,
    /// The last sight of the call that is up.
    busy_at: Option<Mono>,
    /// The last sight at all.
    seen_at: Option<Mono>,
    /// When the last call ended, and when they are switched after it.
    ended: Option<Mono>,
    due: Option<Mono>,
    wish: Option<Wish>,
    /// A sign-in or a switch has no answer yet.
    flying: bool,
    /// A call elsewhere keeps them from being switched to ready.
    held: bool,
    refused: Option<Box<str>>,
    /// The poll that was under way at the last switch: what it says may be older.
    settled_in: u32,
    /// Outages before the last sign-in.
    outages: u32,
}

/// How an agent stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The platform took the sign-in.
    pub signed_in: bool,
    /// As it was seen last.
    pub state: PlatformState,
    /// When the last call ended, and when they are switched after it.
    pub switch: Option<(Mono, Mono)>,
    /// What was refused, in the platform's words.
    pub refused: Option<Box<str>>,
}

/// One platform.
#[derive(Debug)]
pub struct Platform {
    every: Duration,
    agents: BTreeMap<Box<str>, Watched>,
    /// When somebody is switched.
    due: BTreeSet<(Mono, Box<str>)>,
    /// Those who are to be signed in or switched.
    todo: BTreeSet<Box<str>>,
    /// All names, until they are others.
    roster: Option<Arc<[Box<str>]>>,
    next_poll: Option<Mono>,
    /// A poll has no answer yet, as a long one has for a while.
    asking: bool,
    /// Somebody signed in of whom no poll has told yet.
    soon: bool,
    /// When the last poll was asked for.
    asked_at: Mono,
    poll: u32,
    failures: u32,
    outages: u32,
    unknown_since: Option<Mono>,
    /// Up to whom it was told that all states became unknown, or known.
    telling: Option<Box<str>>,
    /// Draws how far a poll is from its round moment.
    random: u64,
    outputs: VecDeque<PlatformOutput>,
    changed: BTreeSet<Box<str>>,
}

impl Platform {
    /// A platform that is polled so often; everything random follows from `seed`.
    #[must_use]
    pub fn new(every: Duration, seed: u64) -> Platform {
        Platform {
            every,
            agents: BTreeMap::new(),
            due: BTreeSet::new(),
            todo: BTreeSet::new(),
            roster: None,
            next_poll: None,
            asking: false,
            soon: false,
            asked_at: Mono(0),
            poll: 0,
            failures: 0,
            outages: 0,
            unknown_since: None,
            telling: None,
            random: seed | 1,
            outputs: VecDeque::new(),
            changed: BTreeSet::new(),
        }
    }

    /// How somebody stands there.
    #[must_use]
    pub fn standing(&self, agent: &str) -> Option<Standing> {
        let watched = self.agents.get(agent)?;
        Some(Standing {
            signed_in: watched.signed_in,
            state: watched.state,
            switch: watched.ended.zip(watched.due),
            refused: watched.refused.clone(),
        })
    }

    /// Since when nothing is known of anybody.
    #[must_use]
    pub fn unknown_since(&self) -> Option<Mono> {
        self.unknown_since
    }

    /// The next thing to do.
    pub fn next_output(&mut self) -> Option<PlatformOutput> {
        self.outputs.pop_front()
    }

    /// The next agent of whom something is different.
    pub fn next_changed(&mut self) -> Option<Box<str>> {
        self.changed.pop_first()
    }

    /// When the machine wants a [`PlatformInput::Timeout`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        // What is not known is not switched.
        let known = self.unknown_since.is_none();
        let switch = self.due.first().filter(|_| known).map(|(when, _)| *when);
        let telling = self.telling.as_ref().map(|_| Mono(0));
        [switch, self.next_poll, telling].into_iter().flatten().min()
    }

    /// Somebody wants to work there, with the interval after which they are ready again. `due` is when a wrap-up of before
    /// our start ends.
    pub fn begin(
        &mut self,
        now: Mono,
        agent: Box<str>,
        phone: Box<str>,
        interval: Duration,
        due: Option<Mono>,
    ) {
        let fresh = Watched {
            phone,
            interval,
            signed_in: false,
            state: PlatformState::Offline,
            busy_at: None,
            seen_at: None,
            ended: due.map(|due| due - interval),
            due: None,
            wish: None,
            flying: false,
            held: false,
            refused: None,
            settled_in: 0,
            outages: 0,
        };
        self.agents.insert(agent.clone(), fresh);
        self.roster = None;
        self.set_due(&agent, due);
        self.todo.insert(agent.clone());
        self.act(&agent);
        if !self.asking {
            self.next_poll.get_or_insert(now);
        }
        self.run_due(now);
    }

    /// They do not want to any more.
    pub fn end(&mut self, agent: &str) {
        self.set_due(agent, None);
        self.todo.remove(agent);
        if self.agents.remove(agent).is_some() {
            self.roster = None;
            self.outputs.push_back(PlatformOutput::SignOut(agent.into()));
        }
        if self.agents.is_empty() {
            (self.next_poll, self.asking, self.telling) = (None, false, None);
            (self.failures, self.unknown_since) = (0, None);
        }
    }

    /// By hand: nothing is switched for the call that was, but as they say now. In a call, a break comes after it.
    pub fn wish(&mut self, agent: &str, wish: Wish) {
        let Some(watched) = self.agents.get_mut(agent) else { return };
        watched.refused = None;
        let busy = watched.state == PlatformState::Busy;
        watched.wish = Some(wish).filter(|wish| !(busy && *wish == Wish::Ready));
        if wish == Wish::NotReady {
            self.set_due(agent, None);
        }
        self.todo.insert(agent.into());
        self.act(agent);
    }

    /// The interval for the call that is up.
    pub fn set_interval(&mut self, agent: &str, interval: Duration) {
        if let Some(watched) = self.agents.get_mut(agent) {
            watched.interval = interval;
        }
    }

    /// The switch that is due is due then.
    pub fn put_off(&mut self, agent: &str, due: Mono) {
        if self.agents.get(agent).is_some_and(|watched| watched.due.is_some() && watched.wish.is_none()) {
            self.set_due(agent, Some(due));
        }
    }

    /// Whether a call elsewhere is up: nobody is made ready in it.
    pub fn hold(&mut self, agent: &str, held: bool) {
        if let Some(watched) = self.agents.get_mut(agent)
            && std::mem::replace(&mut watched.held, held)
            && !held
        {
            self.act(agent);
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Mono, input: PlatformInput) {
        match input {
            PlatformInput::SignedIn(agent) => {
                if let Some(watched) = self.agents.get_mut(&agent) {
                    (watched.signed_in, watched.flying, watched.refused) = (true, false, None);
                    (watched.settled_in, watched.outages) = (self.poll, self.outages);
                    if watched.wish.is_none() {
                        self.todo.remove(&agent);
                    }
                    self.act(&agent);
                    self.changed.insert(agent);
                    self.soon = true;
                    self.next_poll = self.next_poll.map(|next| next.min(now + SOON));
                }
            }
            PlatformInput::Switched(agent) => self.switched(&agent),
            PlatformInput::States { poll, sightings } => {
                for sighting in sightings {
                    self.seen(now, poll, sighting);
                }
            }
            PlatformInput::Polled => {
                self.failures = 0;
                if self.unknown_since.take().is_some() {
                    self.telling = Some("".into());
                    for agent in self.todo.clone() {
                        self.act(&agent);
                    }
                }
                self.poll_later(now);
            }
            PlatformInput::Refused { agent, why } => {
                if let Some(watched) = self.agents.get_mut(&agent) {
                    (watched.refused, watched.wish, watched.flying) = (Some(why), None, false);
                    self.todo.remove(&agent);
                    self.set_due(&agent, None);
                    self.changed.insert(agent);
                }
            }
            PlatformInput::Lost(agent) => {
                if let Some(watched) = self.agents.get_mut(&agent) {
                    watched.flying = false;
                }
                self.is_unknown(now);
            }
            PlatformInput::Unreachable => {
                self.failures = self.failures.saturating_add(1);
                self.is_unknown(now);
                self.poll_later(now);
            }
            PlatformInput::Timeout => {}
        }
        self.run_due(now);
    }

    fn is_unknown(&mut self, now: Mono) {
        if self.unknown_since.is_none() && !self.agents.is_empty() {
            self.unknown_since = Some(now);
            self.outages += 1;
            self.telling = Some("".into());
        }
    }

    /// The platform took a switch; if a call came meanwhile, it is the next poll that tells.
    fn switched(&mut self, agent: &str) {
        let Some(watched) = self.agents.get_mut(agent) else { return };
        watched.flying = false;
        let Some(wish) = watched.wish.take() else { return };
        watched.settled_in = self.poll;
        watched.state = match wish {
            Wish::Ready => PlatformState::Ready,
            Wish::NotReady => PlatformState::NotReady,
        };
        self.todo.remove(agent);
        self.set_due(agent, None);
        self.changed.insert(agent.into());
    }

    fn seen(&mut self, now: Mono, poll: Option<u32>, sighting: Sighting) {
        let Sighting { agent, state, ended } = sighting;
        let Some(watched) = self.agents.get_mut(&agent) else { return };
        let old = poll.is_some_and(|poll| poll <= watched.settled_in);
        if old || !watched.signed_in {
            return;
        }
        let before = (watched.state, watched.due);
        let was_seen = watched.seen_at.replace(now);
        watched.state = state;
        let mut due = None;
        match state {
            PlatformState::Busy => {
                watched.busy_at = Some(now);
                watched.wish.take_if(|wish| *wish == Wish::Ready);
            }
            PlatformState::AfterCall => {
                due = watched.due;
                if before.0 != PlatformState::AfterCall && due.is_none() && watched.wish.is_none() {
                    let least = watched.busy_at.or(was_seen);
                    let told = ended.map(|ago| least.map_or(now - ago, |least| (now - ago).max(least)));
                    let end = told.or(least).unwrap_or(now);
                    watched.ended = Some(end);
                    due = Some(end + watched.interval);
                }
                watched.busy_at = None;
            }
            // Somebody was quicker, or took a break there, or left.
            PlatformState::Ready | PlatformState::NotReady | PlatformState::Offline => {
                watched.busy_at = None;
                let is_so = match watched.wish {
                    Some(Wish::Ready) => state == PlatformState::Ready,
                    Some(Wish::NotReady) => state == PlatformState::NotReady,
                    None => false,
                };
                watched.wish.take_if(|_| is_so);
            }
        }
        if state == PlatformState::Offline {
            // After an outage it has forgotten them; otherwise it meant it.
            let forgotten = watched.outages != self.outages;
            (watched.signed_in, watched.wish, watched.seen_at) = (false, None, None);
            watched.refused = (!forgotten).then(|| "signed out there".into());
            if forgotten {
                self.todo.insert(agent.clone());
            }
        }
        let changed = before != (state, due);
        if before.1 != due {
            self.set_due(&agent, due);
        }
        if self.todo.contains(&agent) {
            self.act(&agent);
        }
        if changed {
            self.changed.insert(agent);
        }
    }

    /// Asks for what somebody is to have, if it can be asked for now.
    fn act(&mut self, agent: &str) {
        let Some(watched) = self.agents.get_mut(agent) else { return };
        if watched.flying || self.unknown_since.is_some() || !self.todo.contains(agent) {
            return;
        }
        if !watched.signed_in {
            watched.flying = true;
            let phone = watched.phone.clone();
            return self.outputs.push_back(PlatformOutput::SignIn { agent: agent.into(), phone });
        }
        match watched.wish {
            None => {
                self.todo.remove(agent);
            }
            Some(Wish::Ready) if watched.held => {}
            Some(_) if watched.state == PlatformState::Busy => {}
            Some(wish) => {
                watched.flying = true;
                self.outputs.push_back(PlatformOutput::SetState { agent: agent.into(), wish });
            }
        }
    }

    fn set_due(&mut self, agent: &str, due: Option<Mono>) {
        let Some(watched) = self.agents.get_mut(agent) else { return };
        if let Some(known) = std::mem::replace(&mut watched.due, due) {
            self.due.remove(&(known, agent.into()));
        }
        if let Some(due) = due {
            self.due.insert((due, agent.into()));
        }
    }

    /// The next poll: at the set rate and a little off it, and further apart the longer nothing answers.
    fn poll_later(&mut self, now: Mono) {
        self.asking = false;
        let soon = std::mem::take(&mut self.soon) && self.failures == 0;
        if self.agents.is_empty() {
            return;
        }
        let wait = self.every.saturating_mul(1 << self.failures.min(8)).min(FARTHEST.max(self.every));
        let wait = if soon { wait.min(SOON) } else { wait };
        // Xorshift (Marsaglia): platforms of many servers are not asked in step.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let tenths = wait.as_micros() as u64 / 10;
        let off = Duration::from_micros(self.random % tenths.max(1));
        // The rate counts from question to question; a slow platform has half of the time to rest.
        let next = self.asked_at + wait + off - Duration::from_micros(tenths / 2);
        let answers = self.failures == 0;
        self.next_poll = Some(if answers { next.max(now + wait / 2) } else { now + wait + off });
    }

    fn run_due(&mut self, now: Mono) {
        while self.unknown_since.is_none()
            && let Some((when, agent)) = self.due.first().cloned()
            && when <= now
        {
            // It is shown until the platform has taken the switch.
            self.due.pop_first();
            if let Some(watched) = self.agents.get_mut(&agent) {
                watched.wish.get_or_insert(Wish::Ready);
                self.todo.insert(agent.clone());
                self.act(&agent);
            }
        }
        if self.next_poll.is_some_and(|when| when <= now) {
            // The answer, or its absence, sets the next.
            (self.next_poll, self.asking) = (None, true);
            self.asked_at = now;
            self.poll = self.poll.wrapping_add(1);
            let agents = || self.agents.keys().cloned().collect();
            let agents = Arc::clone(self.roster.get_or_insert_with(agents));
            self.outputs.push_back(PlatformOutput::Poll { number: self.poll, agents });
        }
        if let Some(last) = self.telling.take() {
            let after = self.agents.range::<str, _>((Excluded(&*last), Unbounded));
            let some: Vec<Box<str>> = after.take(TOLD).map(|(agent, _)| agent.clone()).collect();
            self.telling = some.last().cloned();
            self.changed.extend(some);
        }
    }
}
