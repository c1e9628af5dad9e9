//! One agent: a fold over the sign-in, the legs that are up now, and the times that run.
//!
//! ```text
//! legs that talk > legs that ring > a caller that is meant for them > a break, no phone > wrap-up > ready
//! ```
//! The state is never kept beside its causes, so that it cannot outlive them: when a leg is gone, by whatever end, what
//! it caused is gone, too (R7). All waiting is by the clock that never jumps (R18).

use super::interval::{By, CallKind};
use super::platform::PlatformState;
use super::state::{AgentState, Trigger};
use crate::queues::Who;
use calls::CallId;
use clock::{Mono, Now, Wall};
use std::time::Duration;

/// What an agent signed in with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignIn {
    /// The phone at which callers ring; all of the person's phones if none is named.
    pub device: Option<Box<str>>,
    /// The queues that are worked for; all that have the person as a member if none is named.
    pub queues: Vec<Box<str>>,
    /// The wrap-up in place of the profile's.
    pub interval: Option<Duration>,
    /// Since when.
    pub since: Wall,
}

/// How far a call of an agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It rings, here or there.
    Rings,
    /// They talk.
    Talks,
    /// It is on hold.
    Held,
    /// They talk with the exchange itself: busy, and no call that was had.
    Service,
}

/// One call of an agent, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leg {
    pub(crate) call: CallId,
    pub(crate) kind: CallKind,
    pub(crate) phase: Phase,
    /// The other side's number, for the words of the state.
    pub(crate) with: Box<str>,
    /// The wrap-up that it will leave.
    pub(crate) wraps: Option<(Duration, By)>,
}

impl Leg {
    fn is_had(&self) -> bool {
        matches!(self.phase, Phase::Talks | Phase::Held)
    }
}

/// A wrap-up that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrapUp {
    pub(crate) interval: Duration,
    pub(crate) by: By,
    pub(crate) began: Mono,
    pub(crate) ends: Mono,
    pub(crate) extensions: u8,
}

/// Why no caller comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    pub(crate) reason: Box<str>,
    /// The rule that says so.
    pub(crate) rule: &'static str,
    pub(crate) since: Mono,
    /// When its planned length is over.
    pub(crate) planned: Option<Mono>,
    /// When the person was asked, after that.
    pub(crate) asked: Option<Mono>,
}

/// What keeps an agent from callers without their saying so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Away {
    /// None of their phones is registered, or they have none.
    NoPhone,
    /// They do not want to be disturbed.
    DoNotDisturb,
    /// All their calls go elsewhere.
    Forwarded,
}

impl Away {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Away::NoPhone => "no phone",
            Away::DoNotDisturb => "do not disturb",
            Away::Forwarded => "forwarded",
        }
    }
}

/// A caller that is meant for an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reservation {
    /// Who stands in the queue; none for a row of a call list.
    pub(crate) who: Option<Who>,
    /// The call, if there is one yet.
    pub(crate) call: Option<CallId>,
    pub(crate) queue: Box<str>,
    /// The number that is called back, or of the row.
    pub(crate) number: Option<Box<str>>,
    /// Their phone rings.
    pub(crate) rings: bool,
}

/// How somebody stands at the outside telephone platform at which they work, as it was told last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    pub(crate) platform: Box<str>,
    /// The platform took the sign-in; it is not complete before.
    pub(crate) signed_in: bool,
    pub(crate) state: PlatformState,
    /// What the platform refused, in its words.
    pub(crate) refused: Option<Box<str>>,
    /// Whose interval it is that follows the call.
    pub(crate) by: By,
}

impl Elsewhere {
    fn is(&self, state: PlatformState) -> bool {
        self.signed_in && self.state == state
    }
}

/// One agent who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) sign_in: SignIn,
    pub(crate) pause: Option<Pause>,
    pub(crate) away: Option<Away>,
    pub(crate) wrap_up: Option<WrapUp>,
    pub(crate) reserved: Option<Reservation>,
    /// The platform at which they work, if it is not ours.
    pub(crate) elsewhere: Option<Elsewhere>,
    pub(crate) legs: Vec<Leg>,
    /// No caller comes until then, because one was missed.
    pub(crate) rests: Option<Mono>,
    /// Calls of queues missed in a row.
    pub(crate) missed: u8,
    /// What the calls that ended meanwhile leave, once the last of them is over.
    owed: Option<(Duration, By)>,
    /// As it was settled last, and since when.
    pub(crate) state: AgentState,
    pub(crate) since: Now,
    /// What made it so.
    pub(crate) by: Trigger,
}

impl Agent {
    /// Somebody signs in who has no call and no phone, as far as is known yet.
    pub(crate) fn new(now: Now, sign_in: SignIn) -> Agent {
        Agent {
            sign_in,
            pause: None,
            away: None,
            wrap_up: None,
            reserved: None,
            elsewhere: None,
            legs: Vec::new(),
            rests: None,
            missed: 0,
            owed: None,
            state: AgentState::Offline,
            since: now,
            by: Trigger::SignOut,
        }
    }

    /// What follows from all that is known.
    fn fold(&self) -> AgentState {
        let has = |phase: Phase| self.legs.iter().any(|leg| leg.phase == phase);
        let outside = |state| self.elsewhere.as_ref().map(|outside| outside.is(state));
        if has(Phase::Talks) || has(Phase::Service) || outside(PlatformState::Busy) == Some(true) {
            AgentState::Talking
        } else if has(Phase::Held) {
            AgentState::OnHold
        } else if has(Phase::Rings) {
            AgentState::Ringing
        } else if let Some(reserved) = &self.reserved {
            if reserved.rings { AgentState::Ringing } else { AgentState::Reserved }
        } else if self.pause.is_some() || self.away.is_some() || self.rests.is_some() {
            AgentState::NotReady
        } else if self.wrap_up.is_some() {
            AgentState::WrapUp
        } else if outside(PlatformState::Ready) == Some(false) {
            AgentState::NotReady
        } else {
            AgentState::Ready
        }
    }

    /// Whether something can happen to this agent now.
    pub(crate) fn takes(&self, trigger: Trigger) -> bool {
        self.state.takes(trigger)
    }

    /// The state follows what it is caused by; true when it is another.
    pub(crate) fn settle(&mut self, now: Now, trigger: Trigger) -> bool {
        let next = self.fold();
        debug_assert!(self.state.may_become(trigger, next), "{} {trigger:?} {next}", self.state);
        let changed = next != self.state;
        if changed {
            (self.state, self.since, self.by) = (next, now, trigger);
        }
        changed
    }

    /// The calls of the agent as they are now. Whatever was talked in and is gone has ended now.
    pub(crate) fn look(&mut self, now: Mono, legs: Vec<Leg>) {
        let before = std::mem::replace(&mut self.legs, legs);
        for ended in before.into_iter().filter(Leg::is_had) {
            if !self.legs.iter().any(|leg| leg.call == ended.call) {
                self.owed = super::interval::longest([self.owed.take(), ended.wraps]);
                self.begin_wrap_up(now);
            }
        }
        if let Some(reserved) = &self.reserved
            && self.legs.iter().any(|leg| Some(leg.call) == reserved.call)
        {
            self.reserved = None;
        }
        let had = |leg: &&Leg| leg.is_had();
        if let Some(leg) = self.legs.iter().find(had) {
            // What was to end for an older call ends for none.
            self.rests = None;
            self.wrap_up.take_if(|_| self.elsewhere.is_none());
            if matches!(leg.kind, CallKind::Queue(_)) {
                self.missed = 0;
            }
        }
    }

    /// A call was over; with the last one that was talked in, the wrap-up begins, unless a break was asked for.
    fn begin_wrap_up(&mut self, now: Mono) {
        // What follows a call elsewhere is the platform's.
        if self.legs.iter().any(Leg::is_had) || self.elsewhere.is_some() {
            return;
        }
        let owed = self.owed.take().filter(|_| self.pause.is_none());
        self.wrap_up = owed.map(|(interval, by)| WrapUp {
            interval,
            by,
            began: now,
            ends: now + interval,
            extensions: 0,
        });
    }

    /// They say that they are ready: whatever keeps them from it by their own will is over.
    pub(crate) fn ready(&mut self) {
        (self.pause, self.rests, self.missed, self.owed) = (None, None, 0, None);
        // At a platform it ends with the platform's yes.
        self.wrap_up.take_if(|_| self.elsewhere.is_none());
    }

    /// No caller comes from now on, or after the call that is up.
    pub(crate) fn pause(&mut self, now: Mono, reason: &str, rule: &'static str, planned: Option<Duration>) {
        let planned = planned.map(|planned| now + planned);
        self.pause = Some(Pause { reason: reason.into(), rule, since: now, planned, asked: None });
        (self.wrap_up, self.rests) = (None, None);
    }

    /// Makes the wrap-up longer; false when it was made so often enough.
    pub(crate) fn extend(&mut self, by: Duration, most: u8) -> bool {
        let Some(wrap_up) = self.wrap_up.as_mut().filter(|wrap_up| wrap_up.extensions < most) else {
            return false;
        };
        wrap_up.extensions += 1;
        wrap_up.ends = wrap_up.ends + by;
        true
    }

    /// They did not take a caller of a queue; true when it was one too many.
    pub(crate) fn miss(&mut self, now: Mono, rest: Duration, most: u8) -> bool {
        self.missed = self.missed.saturating_add(1);
        self.rests = Some(now + rest);
        most > 0 && self.missed >= most
    }

    /// Times that are over. What was meant for a call that is over, while another is up, finds nothing to end.
    pub(crate) fn expire(&mut self, now: Mono) {
        // At a platform it ends with the platform's yes.
        self.wrap_up.take_if(|wrap_up| wrap_up.ends <= now && self.elsewhere.is_none());
        self.rests.take_if(|until| *until <= now);
    }

    /// When something of this agent is due.
    pub(crate) fn next_deadline(&self, patience: Duration) -> Option<Mono> {
        let own = self.wrap_up.as_ref().filter(|_| self.elsewhere.is_none());
        let wrap_up = own.map(|wrap_up| wrap_up.ends);
        let pause = self.pause.as_ref().and_then(|pause| match pause.asked {
            Some(asked) => Some(asked + patience),
            None => pause.planned,
        });
        [wrap_up, self.rests, pause].into_iter().flatten().min()
    }

    /// When the state ends by itself, and what was said of it.
    pub(crate) fn ends(&self, patience: Duration) -> Option<Mono> {
        match self.state {
            AgentState::WrapUp => self.wrap_up.as_ref().map(|wrap_up| wrap_up.ends),
            AgentState::NotReady => match &self.pause {
                Some(Pause { asked: Some(asked), .. }) => Some(*asked + patience),
                Some(pause) => pause.planned,
                None if self.away.is_some() => None,
                None => self.rests,
            },
            _ => None,
        }
    }
}
