//! A task to reach someone: what is asked for, and what is remembered of each attempt.

use crate::cause::Finding;
use crate::number::Number;
use crate::window::Span;
use clock::Wall;
use std::fmt;

/// Names a task for ever; given by whoever keeps the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u64);

/// Names whose task it is: the person who asked, or the agent who works a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId(pub u32);

/// One try to reach the callee of a task. Never used twice, not even after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId {
    /// The task that it belongs to.
    pub task: TaskId,
    /// Counts from one within the task.
    pub ordinal: u16,
}

/// Who is called first (S2.2, S3.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegOrder {
    /// The callee; the owner once the callee answered.
    CalleeFirst,
    /// The owner, who hears the callee's phone ring: nobody ever answers into silence.
    OwnerFirst,
}

impl LegOrder {
    /// Inside the office the callee first, as asked for; outside the owner, because a callee who waits for somebody is
    /// an abandoned call in many laws.
    #[must_use]
    pub fn usual(number: Number) -> LegOrder {
        if number.is_inside() { LegOrder::CalleeFirst } else { LegOrder::OwnerFirst }
    }
}

/// What the call is for: laws tell a person who calls a person from a business that calls a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Somebody wants to talk to this callee.
    Personal,
    /// A list is worked through.
    Business,
}

/// On what ground the callee may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// He agreed, and there is evidence.
    Agreed,
    /// He asked for this call.
    Requested,
    /// A contract needs it.
    Contract,
}

/// Consent and its evidence; the evidence goes to the store with the task and is not kept in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The ground.
    pub basis: Basis,
    /// What proves it: a recording, a form, a contract; as its keeper names it.
    pub evidence: Box<str>,
    /// Until when it holds; for ever, if not said.
    pub until: Option<Wall>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its name.
    pub id: TaskId,
    /// Whom to reach.
    pub number: Number,
    /// Who wants to.
    pub owner: OwnerId,
    /// Who is called first.
    pub legs: LegOrder,
    /// What for.
    pub purpose: Purpose,
    /// Whether a person asked for this very callee just now; such a wish begins a new sequence of attempts.
    pub asked: bool,
    /// No attempt before.
    pub not_before: Option<Wall>,
    /// No attempt at or after.
    pub until: Option<Wall>,
    /// The time of day that was suggested for it, by the callee's clock.
    pub slot: Option<Span>,
    /// The callee's time zone, as in `Asia/Shanghai`, when it is known better than by the number.
    pub zone: Option<Box<str>>,
    /// Higher comes first.
    pub priority: u8,
    /// Lower comes first: the place that another field of a list gives it.
    pub rank: u32,
    /// Attempts that were made elsewhere, by the agent who had it before (S3.20).
    pub attempts_before: u16,
    /// Attempts in all; what is more than the limits allow is cut by them.
    pub attempts_at_most: Option<u16>,
    /// Seconds between two attempts; what is less than the limits demand is raised by them.
    pub interval: Option<u32>,
    /// On what ground.
    pub consent: Option<Consent>,
    /// Whatever its owner wants to see while it is dialled.
    pub data: Box<str>,
}

impl Task {
    /// A task with everything that need not be said left out.
    #[must_use]
    pub fn new(id: TaskId, number: Number, owner: OwnerId) -> Task {
        Task {
            id,
            number,
            owner,
            legs: LegOrder::usual(number),
            purpose: Purpose::Personal,
            asked: false,
            not_before: None,
            until: None,
            slot: None,
            zone: None,
            priority: 0,
            rank: 0,
            attempts_before: 0,
            attempts_at_most: None,
            interval: None,
            consent: None,
            data: Box::default(),
        }
    }
}

/// An attempt as the store has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its name.
    pub id: AttemptId,
    /// Who was called.
    pub number: Number,
    /// When it was claimed.
    pub at: Wall,
    /// How and when it ended; nothing when we died before that was written.
    pub finished: Option<(Wall, Finding)>,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The callee answered; what comes of it is its owner's.
    Reached,
    /// The callee answered and nobody was there for him: he is not rung again by this task.
    Abandoned,
    /// The callee does not want to talk.
    Declined,
    /// Nobody has this number. It stays in the results, and may be added again.
    Vacant,
    /// All attempts were made.
    UsedUp,
    /// Its time is over.
    Expired,
    /// Its owner stopped it.
    Stopped,
    /// A rule forbids it for good; the audit says which.
    Forbidden,
}

impl End {
    /// Every way to end.
    pub const ALL: [End; 8] = [
        End::Reached,
        End::Abandoned,
        End::Declined,
        End::Vacant,
        End::UsedUp,
        End::Expired,
        End::Stopped,
        End::Forbidden,
    ];

    /// The key of its words in a catalogue.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            End::Reached => "dialing.end.reached",
            End::Abandoned => "dialing.end.abandoned",
            End::Declined => "dialing.end.declined",
            End::Vacant => "dialing.end.vacant",
            End::UsedUp => "dialing.end.used_up",
            End::Expired => "dialing.end.expired",
            End::Stopped => "dialing.end.stopped",
            End::Forbidden => "dialing.end.forbidden",
        }
    }
}

impl End {
    /// Its name in files and tables: the last word of its key.
    #[must_use]
    pub fn name(self) -> &'static str {
        crate::cause::last_word(self.key())
    }

    /// The end of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<End> {
        End::ALL.into_iter().find(|end| end.name() == name)
    }
}

impl Basis {
    const NAMES: [(Basis, &str); 3] =
        [(Basis::Agreed, "agreed"), (Basis::Requested, "requested"), (Basis::Contract, "contract")];

    /// Its name in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        Basis::NAMES.iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name)
    }

    /// The basis of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Basis> {
        Basis::NAMES.iter().find(|(_, known)| *known == name).map(|(basis, _)| *basis)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            End::Reached => "reached",
            End::Abandoned => "answered, and nobody was there",
            End::Declined => "declined",
            End::Vacant => "the number is vacant",
            End::UsedUp => "all attempts were made",
            End::Expired => "its time is over",
            End::Stopped => "stopped",
            End::Forbidden => "a rule forbids it",
        })
    }
}
