//! The states of an agent, what can change them, and the one table of what may follow what.

use std::fmt;

/// Where an agent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentState {
    /// Not signed in.
    Offline,
    /// The next caller may come.
    Ready,
    /// A caller is meant for them, and their phone does not ring yet.
    Reserved,
    /// Their phone rings, or rings at somebody whom they call.
    Ringing,
    /// They talk.
    Talking,
    /// All whom they talk to are on hold.
    OnHold,
    /// After a call, for a time that is known.
    WrapUp,
    /// No caller comes, for a reason.
    NotReady,
}

/// What changes a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// They sign in.
    SignIn,
    /// They sign out, or policy does it for them.
    SignOut,
    /// They say that they are ready.
    Ready,
    /// They, or policy, say that no caller shall come.
    Pause,
    /// A queue has a caller for them.
    Reserve,
    /// The queue takes the caller back.
    Release,
    /// A call of theirs began, moved on or ended.
    Call,
    /// A time is over.
    Time,
    /// A phone of theirs came or went, or takes calls no more.
    Phone,
    /// A time is made longer.
    Extend,
    /// The telephone platform at which they work says so.
    Platform,
}

use AgentState::{NotReady, Offline, OnHold, Ready, Reserved, Ringing, Talking, WrapUp};

const ALL: [AgentState; 8] = [Offline, Ready, Reserved, Ringing, Talking, OnHold, WrapUp, NotReady];
const SIGNED_IN: &[AgentState] = &[Ready, Reserved, Ringing, Talking, OnHold, WrapUp, NotReady];
const IN_A_CALL: &[AgentState] = &[Ringing, Talking, OnHold];

/// What triggers what from where. A state that stays as it is needs no line, but the trigger has to have one.
const TABLE: [(Trigger, &[AgentState], &[AgentState]); 20] = [
    // Whoever signs in may have no phone yet, or talk already.
    (Trigger::SignIn, &[Offline], SIGNED_IN),
    (Trigger::SignOut, SIGNED_IN, &[Offline]),
    (Trigger::Ready, &[NotReady, WrapUp], &[Ready]),
    // In a call, and before one, it says what comes after it.
    (Trigger::Ready, &[Ready, Reserved, Ringing, Talking, OnHold], &[]),
    (Trigger::Pause, &[Ready, WrapUp], &[NotReady]),
    (Trigger::Pause, &[NotReady, Reserved, Ringing, Talking, OnHold], &[]),
    (Trigger::Reserve, &[Ready], &[Reserved, Ringing]),
    (Trigger::Reserve, &[Reserved], &[Ringing]),
    (Trigger::Release, &[Reserved, Ringing], &[Ready, NotReady, WrapUp]),
    (Trigger::Release, IN_A_CALL, &[]),
    (Trigger::Call, &[Ready, NotReady, WrapUp], IN_A_CALL),
    (Trigger::Call, &[Reserved], IN_A_CALL),
    // A call that failed brings back what was before it.
    (Trigger::Call, IN_A_CALL, SIGNED_IN),
    (Trigger::Time, &[WrapUp], &[Ready]),
    // A rest is over, or a break that nobody ended, and policy says so.
    (Trigger::Time, &[NotReady], &[Ready, WrapUp]),
    // A phone comes back within a wrap-up, and that goes on.
    (Trigger::Phone, &[Ready, WrapUp, NotReady], &[Ready, WrapUp, NotReady]),
    (Trigger::Phone, &[Reserved, Ringing, Talking, OnHold], &[]),
    // What another's platform says is so already.
    (Trigger::Platform, SIGNED_IN, SIGNED_IN),
    // A code that makes a wrap-up longer is a call itself.
    (Trigger::Extend, &[WrapUp, Ringing, Talking, OnHold], &[]),
    // What was meant to end while something else goes on is only forgotten.
    (Trigger::Time, &[Ready, Reserved, Ringing, Talking, OnHold], &[]),
];

impl AgentState {
    /// All of them.
    pub const ALL: [AgentState; 8] = ALL;

    /// The name in the API, in commands and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Offline => "offline",
            Ready => "ready",
            Reserved => "reserved",
            Ringing => "ringing",
            Talking => "talking",
            OnHold => "on-hold",
            WrapUp => "wrap-up",
            NotReady => "not-ready",
        }
    }

    /// Whether this can happen at all to somebody in this state.
    pub(crate) fn takes(self, trigger: Trigger) -> bool {
        TABLE.iter().any(|(of, from, _)| *of == trigger && from.contains(&self))
    }

    /// Whether this may follow.
    pub(crate) fn may_become(self, trigger: Trigger, next: AgentState) -> bool {
        let of =
            |(of, from, _): &&(Trigger, &[AgentState], &[AgentState])| *of == trigger && from.contains(&self);
        TABLE.iter().filter(of).any(|(.., to)| self == next || to.contains(&next))
    }
}

impl fmt::Display for AgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_each_states_own() {
        let mut names: Vec<&str> = AgentState::ALL.iter().map(|state| state.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), AgentState::ALL.len());
    }

    #[test]
    fn nobody_becomes_ready_out_of_a_call_but_by_its_end() {
        for state in [Talking, OnHold] {
            for trigger in [Trigger::Ready, Trigger::Time, Trigger::Phone, Trigger::Pause, Trigger::Release] {
                assert!(!state.may_become(trigger, Ready), "{state} {trigger:?}");
            }
            assert!(state.may_become(Trigger::Call, Ready) && state.may_become(Trigger::Call, WrapUp));
        }
    }

    #[test]
    fn from_offline_only_a_sign_in_leads() {
        for state in SIGNED_IN {
            assert!(Offline.may_become(Trigger::SignIn, *state));
            assert!(state.takes(Trigger::SignOut) && state.may_become(Trigger::SignOut, Offline));
            assert!(!state.takes(Trigger::SignIn), "one agent, one sign-in: {state}");
        }
        for trigger in [Trigger::Ready, Trigger::Pause, Trigger::Reserve, Trigger::Call, Trigger::Time] {
            assert!(!Offline.takes(trigger), "{trigger:?}");
        }
    }

    #[test]
    fn callers_are_only_meant_for_who_is_ready() {
        for state in AgentState::ALL {
            assert_eq!(state.may_become(Trigger::Reserve, Reserved), matches!(state, Ready | Reserved));
            assert!(!state.takes(Trigger::Extend) || state == WrapUp || IN_A_CALL.contains(&state));
        }
    }
}
