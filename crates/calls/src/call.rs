//! A call: its legs, its history, and the one record that it leaves.

use crate::cause::{Blame, Cause};
use crate::leg::{CallId, LegId};
use clock::{Now, TimerId, Wall};
use std::sync::Arc;
use std::time::Duration;

/// A person or line at one end of a call, as shown to the other; shared, because records, lists and legs all name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// The number that a call back would dial.
    pub number: Arc<str>,
    /// The name to show; hostile input unless it comes from our own directory.
    pub name: Arc<str>,
}

impl Party {
    /// One of this number and name.
    #[must_use]
    pub fn new(number: &str, name: &str) -> Party {
        Party { number: number.into(), name: name.into() }
    }
}

/// The number of a caller who is not to be shown (RFC 3323 4.1).
const ANONYMOUS: &str = "anonymous";

impl Party {
    /// Somebody who is not to be shown (R32).
    #[must_use]
    pub fn anonymous() -> Party {
        Party { number: ANONYMOUS.into(), name: "Anonymous".into() }
    }

    /// Whether this one is not to be shown.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        *self.number == *ANONYMOUS
    }
}

/// What the switch tells the floor above.
#[derive(Clone, Debug)]
pub enum CallEvent {
    /// No branch rings any more and none answered: add branches, or reject.
    Exhausted {
        /// The call.
        call: CallId,
        /// What the best of the branches said.
        cause: Cause,
        /// And in its own word: the final status, 408 when it said nothing, 503 when it could not be reached.
        status: u16,
        /// What else is known of it.
        why: Why,
    },
    /// A phone rings that did not before.
    Rings {
        /// The call.
        call: CallId,
        /// Its leg.
        leg: LegId,
    },
    /// The side of a call of our own that is called first has answered, and hears us ([`crate::Switch::reach`]).
    Reached {
        /// The call.
        call: CallId,
    },
    /// A branch or a service answered.
    Answered {
        /// The call.
        call: CallId,
    },
    /// A phone asks that its call go on elsewhere (RFC 3515): [`crate::Switch::replace`] it, or give up.
    Referred {
        /// The call.
        call: CallId,
        /// Who asks, and shall be replaced.
        leg: LegId,
        /// Where to.
        target: sip::refer::ReferTo,
    },
    /// The phone that was to take a ringing call rings, and no other does any more.
    Taken {
        /// The call.
        call: CallId,
        /// Its leg.
        leg: LegId,
    },
    /// The phone that was to take a ringing call did not; whatever rang before rings on.
    NotTaken {
        /// The call.
        call: CallId,
        /// What it said; 408 when it said nothing, 200 when another phone was quicker.
        status: u16,
    },
    /// One side of the call was replaced.
    Moved {
        /// The call.
        call: CallId,
    },
    /// Nobody took the place of the leg that was to be replaced; the call goes on as it was.
    NotMoved {
        /// The call.
        call: CallId,
        /// What the best of the branches said.
        cause: Cause,
    },
    /// The media of a call was agreed on anew: perhaps somebody holds, or holds no more.
    Changed {
        /// The call.
        call: CallId,
    },
    /// A digit was pressed (RFC 4733 or INFO).
    Digit {
        /// The call.
        call: CallId,
        /// Who pressed.
        leg: LegId,
        /// 0-9, A-D, * or #.
        digit: char,
    },
    /// What a leg was told is at its end; once for each sound of a chain of them.
    SoundEnded {
        /// The call.
        call: CallId,
    },
    /// A leg's peer is gone from its flow or answers no more.
    LegLost {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
    },
    /// A request of a leg found no answer at all.
    Silent {
        /// Where it went.
        flow: sip::Flow,
    },
    /// The call is over; the one record of it.
    Ended(Box<CallRecord>),
}

/// What the branches of a call said beside their status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// The cause of the telephone network, by a Reason header (RFC 3326, Q.850).
    pub q850: Option<u16>,
    /// Our own time to ring was over.
    pub rang_out: bool,
}

/// The one record of a call (CDR).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// The call.
    pub call: CallId,
    /// Our half of the Session-ID (RFC 7989), 32 hexadecimal digits: names the call in every trace.
    pub session_id: Arc<str>,
    /// Who called.
    pub caller: Party,
    /// The number that was dialled.
    pub dialled: Arc<str>,
    /// The label of the leg that answered, empty if none did.
    pub answered_by: Box<str>,
    /// When the INVITE came.
    pub started: Wall,
    /// When somebody answered.
    pub answered: Option<Wall>,
    /// When it was over.
    pub ended: Wall,
    /// From the INVITE to the answer or the end, by the clock that never jumps (R18).
    pub ringing: Duration,
    /// From the answer to the end; zero if nobody answered.
    pub talking: Duration,
    /// Why it ended.
    pub cause: Cause,
    /// Whose doing that was.
    pub blame: Blame,
    /// The final status that the caller got.
    pub status: u16,
    /// A rule's name or another word for people, when there is more to say than the cause.
    pub detail: Box<str>,
    /// What the floor above made the call for, by a number of its own.
    pub task: Option<u64>,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Branches are tried.
    Reaching,
    /// One branch won, or a service of ours answered.
    Talking { winner: Option<LegId> },
    /// Recorded; legs may still be closing.
    Over,
}

/// A branch that takes the call from all others once it rings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taking {
    pub(crate) branch: LegId,
    /// Ends the wait for its first word.
    pub(crate) timer: TimerId,
}

/// How a side is replaced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// By somebody else: whoever answers first is connected at once.
    Transfer,
    /// By another phone of the same person, who stays the side that they are.
    Move {
        /// The leg that answered and is not ready yet.
        new: Option<LegId>,
        /// Ends the wait for it.
        timer: Option<TimerId>,
    },
}

/// One side of a talking call is about to be replaced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replacing {
    /// Who goes.
    pub(crate) old: LegId,
    /// Who stays.
    pub(crate) other: LegId,
    /// The old one hung up already.
    pub(crate) old_left: bool,
    pub(crate) manner: Manner,
}

impl Replacing {
    /// The timer that runs for it.
    pub(crate) fn timer(&self) -> Option<TimerId> {
        match self.manner {
            Manner::Move { timer, .. } => timer,
            Manner::Transfer => None,
        }
    }
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) caller: LegId,
    pub(crate) branches: Vec<LegId>,
    pub(crate) stage: Stage,
    /// The branch whose early media the caller hears (R1: one at a time).
    pub(crate) heard: Option<LegId>,
    /// What the branches that failed said, the best of it (RFC 3261 16.7).
    pub(crate) best_failure: Option<u16>,
    pub(crate) why: Why,
    pub(crate) ring_limit: Option<TimerId>,
    pub(crate) taking: Option<Taking>,
    pub(crate) replacing: Option<Replacing>,
    pub(crate) caller_party: Party,
    pub(crate) dialled: Arc<str>,
    pub(crate) session_id: Arc<str>,
    /// Max-Forwards for requests that this call makes: copied less one (R9).
    pub(crate) hops: u8,
    /// It may take what is kept back for emergencies (R31).
    pub(crate) emergency: bool,
    pub(crate) started: Now,
    /// The caller was told something.
    pub(crate) told: bool,
    pub(crate) answered: Option<Now>,
    pub(crate) answered_by: Box<str>,
    pub(crate) detail: Box<str>,
    /// It is of our own making.
    pub(crate) own: Option<crate::reach::Own>,
}

impl Call {
    /// A call that begins now, with its caller's leg or none yet.
    pub(crate) fn begins(
        now: Now,
        caller: LegId,
        caller_party: Party,
        dialled: Arc<str>,
        session_id: Arc<str>,
    ) -> Call {
        Call {
            caller,
            branches: Vec::new(),
            stage: Stage::Reaching,
            heard: None,
            best_failure: None,
            why: Why::default(),
            ring_limit: None,
            taking: None,
            replacing: None,
            caller_party,
            dialled,
            session_id,
            hops: crate::limits::HOPS,
            emergency: false,
            started: now,
            told: false,
            answered: None,
            answered_by: "".into(),
            detail: "".into(),
            own: None,
        }
    }

    /// The record of a call that ends now.
    pub(crate) fn record(&self, id: CallId, now: Now, cause: Cause, status: u16) -> CallRecord {
        let start = self.started.mono;
        let answer = self.answered.map(|at| at.mono);
        CallRecord {
            call: id,
            session_id: self.session_id.clone(),
            caller: self.caller_party.clone(),
            dialled: self.dialled.clone(),
            answered_by: self.answered_by.clone(),
            started: self.started.wall,
            answered: self.answered.map(|at| at.wall),
            ended: now.wall,
            ringing: answer.unwrap_or(now.mono).since(start),
            talking: answer.map_or(Duration::ZERO, |at| now.mono.since(at)),
            cause,
            blame: cause.blame(),
            status,
            detail: self.detail.clone(),
            task: self.own.as_ref().and_then(|own| own.task),
        }
    }

    /// Notes a branch's failure; the most telling one is kept (RFC 3261 16.7 step 6, for an office: busy says more
    /// than silence).
    pub(crate) fn note_failure(&mut self, status: u16) {
        let rank = |status: u16| match status {
            600..700 => 0,
            486 => 1,
            480 | 408 => 3,
            400..500 => 2,
            500..600 => 4,
            _ => 5,
        };
        if self.best_failure.is_none_or(|best| rank(status) < rank(best)) {
            self.best_failure = Some(status);
        }
    }
}
