//! Agents of a telephone platform that is not ours: what is asked of it and what it answers, as values (S0.3, S0.9 to
//! S0.11, S0.14).
//!
//! ```text
//! first sign-in --> polls begin        a poll sees busy, then free --> a switch is due at the end of the call + interval
//! last sign-out --> polls end          still due, and no call is up --> SetState, once
//! unreachable --> the state is held and "unknown since"; polls are further apart, and nothing is switched
//! ```
//! The end of a call is the platform's own word for it, or else the last poll that saw the call: never the poll that saw it
//! gone. Who carries the values there and back, by HTTP or otherwise, is outside of this.

use clock::Mono;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How far apart polls are at most while a platform does not answer.
const FARTHEST: Duration = Duration::from_secs(60);

/// How a platform says that an agent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlatformState {
    /// Not signed in there.
    Offline,
    /// Takes calls.
    Ready,
    /// In a call.
    Busy,
    /// After a call, until somebody says ready.
    AfterCall,
    /// Takes none.
    NotReady,
}

/// What a platform said of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The account.
    pub agent: Box<str>,
    /// How they stand.
    pub state: PlatformState,
    /// How long ago their last call ended, if the platform knows.
    pub ended: Option<Duration>,
}

/// What can come to the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformInput {
    /// Somebody wants to work there.
    Begin {
        /// The account.
        agent: Box<str>,
        /// The interval after which they are ready again.
        interval: Duration,
    },
    /// They do not any more.
    End(Box<str>),
    /// They changed their state by hand: nothing is switched for the call that was.
    ByHand(Box<str>),
    /// The platform signed somebody in.
    SignedIn(Box<str>),
    /// The answer to a poll.
    States(Vec<Sighting>),
    /// The platform refused something for an agent.
    Refused {
        /// The account.
        agent: Box<str>,
        /// In its words.
        why: Box<str>,
    },
    /// It does not answer.
    Unreachable,
    /// The deadline has passed.
    Timeout,
}

/// What the machine asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformOutput {
    /// Sign somebody in.
    SignIn(Box<str>),
    /// Sign somebody out.
    SignOut(Box<str>),
    /// Ask how all stand who are signed in.
    Poll,
    /// Switch somebody to ready.
    SetState(Box<str>),
}

/// One agent there.
#[derive(Debug)]
struct Watched {
    interval: Duration,
    signed_in: bool,
    state: PlatformState,
    /// The last poll that saw the call.
    busy_at: Option<Mono>,
    /// When they are switched.
    due: Option<Mono>,
    refused: Option<Box<str>>,
}

/// One platform.
#[derive(Debug)]
pub struct Platform {
    every: Duration,
    agents: BTreeMap<Box<str>, Watched>,
    next_poll: Option<Mono>,
    /// A poll has no answer yet.
    asked: bool,
    failures: u32,
    unknown_since: Option<Mono>,
    /// Draws how far a poll is from its round moment.
    random: u64,
    outputs: VecDeque<PlatformOutput>,
}

impl Platform {
    /// A platform that is polled so often; everything random follows from `seed`.
    #[must_use]
    pub fn new(every: Duration, seed: u64) -> Platform {
        Platform {
            every,
            agents: BTreeMap::new(),
            next_poll: None,
            asked: false,
            failures: 0,
            unknown_since: None,
            random: seed | 1,
            outputs: VecDeque::new(),
        }
    }

    /// How somebody stands there, and since when that is not known any more.
    #[must_use]
    pub fn agent(&self, agent: &str) -> Option<(PlatformState, Option<Mono>)> {
        self.agents.get(agent).map(|watched| (watched.state, self.unknown_since))
    }

    /// Why the platform refused something for an agent.
    #[must_use]
    pub fn refusal(&self, agent: &str) -> Option<&str> {
        self.agents.get(agent)?.refused.as_deref()
    }

    /// The next thing to do.
    pub fn next_output(&mut self) -> Option<PlatformOutput> {
        self.outputs.pop_front()
    }

    /// When the machine wants a [`PlatformInput::Timeout`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        // What is not known is not switched.
        let known = self.unknown_since.is_none();
        let switches = self.agents.values().filter_map(|watched| watched.due.filter(|_| known));
        switches.chain(self.next_poll).min()
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Mono, input: PlatformInput) {
        match input {
            PlatformInput::Begin { agent, interval } => self.begin(now, agent, interval),
            PlatformInput::End(agent) => {
                if self.agents.remove(&agent).is_some() {
                    self.outputs.push_back(PlatformOutput::SignOut(agent));
                }
                if self.agents.is_empty() {
                    (self.next_poll, self.asked) = (None, false);
                    (self.failures, self.unknown_since) = (0, None);
                }
            }
            PlatformInput::ByHand(agent) => {
                if let Some(watched) = self.agents.get_mut(&agent) {
                    (watched.busy_at, watched.due) = (None, None);
                }
            }
            PlatformInput::SignedIn(agent) => {
                if let Some(watched) = self.agents.get_mut(&agent) {
                    (watched.signed_in, watched.refused) = (true, None);
                }
            }
            PlatformInput::States(sightings) => self.seen(now, sightings),
            PlatformInput::Refused { agent, why } => {
                if let Some(watched) = self.agents.get_mut(&agent) {
                    watched.refused = Some(why);
                }
            }
            PlatformInput::Unreachable => {
                self.unknown_since.get_or_insert(now);
                self.failures = self.failures.saturating_add(1);
                self.asked = false;
                self.poll_later(now);
            }
            PlatformInput::Timeout => {}
        }
        self.run_due(now);
    }

    fn begin(&mut self, now: Mono, agent: Box<str>, interval: Duration) {
        let fresh = Watched {
            interval,
            signed_in: false,
            state: PlatformState::Offline,
            busy_at: None,
            due: None,
            refused: None,
        };
        if let Some(known) = self.agents.get_mut(&agent) {
            known.interval = interval;
            return;
        }
        self.agents.insert(agent.clone(), fresh);
        self.outputs.push_back(PlatformOutput::SignIn(agent));
        self.next_poll.get_or_insert(now);
    }

    fn seen(&mut self, now: Mono, sightings: Vec<Sighting>) {
        (self.failures, self.unknown_since, self.asked) = (0, None, false);
        for Sighting { agent, state, ended } in sightings {
            let Some(watched) = self.agents.get_mut(&agent) else { continue };
            watched.state = state;
            match state {
                PlatformState::Busy => (watched.busy_at, watched.due) = (Some(now), None),
                PlatformState::AfterCall | PlatformState::NotReady => {
                    if let Some(busy_at) = watched.busy_at.take() {
                        let end = ended.map_or(busy_at, |ago| (now - ago).max(busy_at));
                        watched.due = Some(end + watched.interval);
                    }
                }
                // Somebody was quicker, or they left.
                PlatformState::Ready | PlatformState::Offline => {
                    (watched.busy_at, watched.due) = (None, None);
                }
            }
        }
        self.poll_later(now);
    }

    /// The next poll: at the set rate and a little off it, and further apart the longer nothing answers.
    fn poll_later(&mut self, now: Mono) {
        if self.agents.is_empty() {
            return;
        }
        let wait = self.every.saturating_mul(1 << self.failures.min(8)).min(FARTHEST.max(self.every));
        // Xorshift (Marsaglia): platforms of many servers are not asked in step.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let tenths = wait.as_micros() as u64 / 10;
        let off = Duration::from_micros(self.random % tenths.max(1));
        self.next_poll = Some(now + wait + off);
    }

    fn run_due(&mut self, now: Mono) {
        if self.unknown_since.is_none() {
            for (agent, watched) in &mut self.agents {
                if watched.due.take_if(|due| *due <= now).is_some() {
                    self.outputs.push_back(PlatformOutput::SetState(agent.clone()));
                }
            }
        }
        if self.next_poll.is_some_and(|when| when <= now) {
            // The answer, or its absence, sets the next.
            self.next_poll = None;
            self.asked = true;
            self.outputs.push_back(PlatformOutput::Poll);
        }
    }

    /// Whether a poll waits for its answer, as a long poll does.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.asked
    }

    /// Those whom the platform has signed in.
    pub fn signed_in(&self) -> impl Iterator<Item = &str> {
        self.agents.iter().filter(|(_, watched)| watched.signed_in).map(|(agent, _)| &**agent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PlatformOutput::{Poll, SetState, SignIn, SignOut};

    const SECOND: u64 = 1_000_000;

    fn at(seconds: u64) -> Mono {
        Mono(seconds * SECOND)
    }

    fn drain(platform: &mut Platform) -> Vec<PlatformOutput> {
        std::iter::from_fn(|| platform.next_output()).collect()
    }

    fn begin(agent: &str) -> PlatformInput {
        PlatformInput::Begin { agent: agent.into(), interval: Duration::from_secs(30) }
    }

    fn ada(state: PlatformState, ended: Option<u64>) -> PlatformInput {
        let ended = ended.map(Duration::from_secs);
        PlatformInput::States(vec![Sighting { agent: "ada".into(), state, ended }])
    }

    fn platform() -> Platform {
        let mut platform = Platform::new(Duration::from_secs(1), 7);
        platform.handle(at(0), begin("ada"));
        assert_eq!(drain(&mut platform), [SignIn("ada".into()), Poll], "polls begin with the first sign-in");
        platform.handle(at(0), PlatformInput::SignedIn("ada".into()));
        platform
    }

    /// Answers each poll with the same until a time, and gathers the rest of what is asked for.
    fn run(platform: &mut Platform, until: u64, answer: &PlatformInput) -> Vec<(u64, PlatformOutput)> {
        let mut asked = Vec::new();
        while let Some(when) = platform.next_deadline().filter(|when| *when <= at(until)) {
            platform.handle(when, PlatformInput::Timeout);
            for output in drain(platform) {
                match output {
                    Poll => platform.handle(when, answer.clone()),
                    other => asked.push((when.0 / SECOND, other)),
                }
            }
        }
        asked
    }

    #[test]
    fn s0_14_exactly_one_switch_at_the_end_of_the_call_and_the_interval() {
        use PlatformState::{AfterCall, Busy};
        for (ended, switch) in [(Some(4), 46), (None, 40)] {
            let mut platform = platform();
            platform.handle(at(10), ada(Busy, None));
            // Nothing was heard for a while; the call is gone now.
            platform.handle(at(20), ada(AfterCall, ended));
            let asked = run(&mut platform, 120, &ada(AfterCall, ended));
            assert_eq!(asked, [(switch, SetState("ada".into()))], "never from the poll that saw it gone");
        }
    }

    #[test]
    fn none_while_a_call_is_up_after_a_sign_out_or_a_change_by_hand() {
        use PlatformState::{AfterCall, Busy, Ready};
        for (input, states) in [
            (None, Busy),
            (None, Ready),
            (Some(PlatformInput::ByHand("ada".into())), AfterCall),
            (Some(PlatformInput::End("ada".into())), AfterCall),
        ] {
            let mut platform = platform();
            platform.handle(at(10), ada(Busy, None));
            platform.handle(at(11), ada(AfterCall, None));
            drain(&mut platform);
            if let Some(input) = input {
                platform.handle(at(12), input);
            }
            let asked = run(&mut platform, 120, &ada(states, None));
            assert!(!asked.iter().any(|(_, output)| matches!(output, SetState(_))), "{states:?} {asked:?}");
        }
    }

    #[test]
    fn polls_end_with_the_last_sign_out() {
        let mut platform = platform();
        platform.handle(at(1), begin("bob"));
        platform.handle(at(2), ada(PlatformState::Ready, None));
        platform.handle(at(2), PlatformInput::End("ada".into()));
        assert!(platform.next_deadline().is_some());
        platform.handle(at(3), PlatformInput::End("bob".into()));
        assert_eq!(drain(&mut platform).last(), Some(&SignOut("bob".into())));
        assert_eq!((platform.next_deadline(), platform.is_asking()), (None, false));
    }

    #[test]
    fn a_platform_that_cannot_be_reached_changes_nothing_and_is_asked_less_often() {
        let mut platform = platform();
        platform.handle(at(10), ada(PlatformState::Busy, None));
        platform.handle(at(11), ada(PlatformState::AfterCall, None));
        drain(&mut platform);
        let (mut polls, mut last) = (0, at(11));
        while last < at(600) {
            platform.handle(last, PlatformInput::Unreachable);
            let next = platform.next_deadline().expect("it is asked again");
            platform.handle(next, PlatformInput::Timeout);
            assert_eq!(drain(&mut platform), [Poll], "and nobody is switched");
            (polls, last) = (polls + 1, next);
        }
        assert!((10..20).contains(&polls), "{polls} polls in ten minutes");
        assert_eq!(platform.agent("ada"), Some((PlatformState::AfterCall, Some(at(11)))), "unknown since");
        // It is back, and says that they still wait: they are ready at once.
        platform.handle(last, ada(PlatformState::AfterCall, None));
        assert_eq!(drain(&mut platform), [SetState("ada".into())]);
        assert_eq!(platform.agent("ada").and_then(|(_, unknown)| unknown), None);
    }

    #[test]
    fn what_the_platform_refuses_is_said() {
        let mut platform = platform();
        let why = "no such agent".into();
        platform.handle(at(1), PlatformInput::Refused { agent: "ada".into(), why });
        assert_eq!((platform.refusal("ada"), platform.signed_in().count()), (Some("no such agent"), 1));
    }
}
