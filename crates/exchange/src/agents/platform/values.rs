//! What goes to a telephone platform that is not ours, and what comes from it. An adapter carries these, by HTTP or
//! whatever the platform speaks.

use std::sync::Arc;
use std::time::Duration;

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

/// The state that somebody is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// They take calls.
    Ready,
    /// They take none.
    NotReady,
}

/// What can come to the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformInput {
    /// The platform signed somebody in.
    SignedIn(Box<str>),
    /// The platform took a [`PlatformOutput::SetState`].
    Switched(Box<str>),
    /// How some agents stand.
    States {
        /// The poll that asked; none for what the platform told by itself.
        poll: Option<u32>,
        /// Of whom, and how.
        sightings: Vec<Sighting>,
    },
    /// All of a poll is answered.
    Polled,
    /// The platform refused a sign-in or a switch.
    Refused {
        /// The account.
        agent: Box<str>,
        /// In its words.
        why: Box<str>,
    },
    /// A sign-in or a switch has no answer.
    Lost(Box<str>),
    /// A poll has no answer.
    Unreachable,
    /// The deadline has passed.
    Timeout,
}

/// What the machine asks for. Each but a sign-out is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformOutput {
    /// Sign somebody in: [`PlatformInput::SignedIn`], `Refused` or `Lost`.
    SignIn {
        /// The account.
        agent: Box<str>,
        /// Their number.
        phone: Box<str>,
    },
    /// Sign somebody out.
    SignOut(Box<str>),
    /// Ask how all stand: any number of [`PlatformInput::States`], and then `Polled` or `Unreachable`.
    Poll {
        /// Names it.
        number: u32,
        /// Of whom.
        agents: Arc<[Box<str>]>,
    },
    /// Switch somebody: [`PlatformInput::Switched`], `Refused` or `Lost`.
    SetState {
        /// The account.
        agent: Box<str>,
        /// To what.
        wish: Wish,
    },
}
