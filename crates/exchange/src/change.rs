//! What leaves for the store, and what comes back (R19, R20, R21).

use crate::agents::KeptSignIn;
use crate::background::{OutboxMessage, TaskChange};
use crate::badges::{Issue, Tap};
use crate::facts::Fact;
use crate::lists::ListChange;
use crate::people::PeopleChange;
use crate::seats::Seat;
use calls::{CallRecord, Party};
use clock::Wall;
use sip::bindings::StoredBinding;
use std::sync::Arc;

/// Accounts, callee numbers, queues and lists hash into this many shards; each has one owner (R19).
pub const SHARDS: u16 = 256;

/// One of the [`SHARDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub u8);

impl Shard {
    /// The shard of an account, number, queue or list by its name. The hash is fixed for all time and every
    /// exchange: FNV-1a, 32 bits, folded.
    #[must_use]
    pub fn of(name: &str) -> Shard {
        let hash = name
            .bytes()
            .fold(0x811C_9DC5u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        Shard((hash ^ (hash >> 8) ^ (hash >> 16) ^ (hash >> 24)) as u8)
    }
}

/// The term of an owner; a store refuses changes of an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// One thing to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Directory data.
    People(PeopleChange),
    /// A device's bindings, all of them; none left removes the device's entry.
    Bindings {
        /// Whose.
        device: Box<str>,
        /// What it is bound to now.
        bindings: Vec<StoredBinding>,
    },
    /// A device's bindings at other exchanges over the same store; only ever read.
    BindingsElsewhere {
        /// Whose.
        device: Box<str>,
        /// What it is bound to there.
        bindings: Vec<StoredBinding>,
    },
    /// Who sits at a phone from now on; nobody, if there is no seat.
    Seat {
        /// The phone.
        device: Box<str>,
        /// Who.
        seat: Option<Seat>,
    },
    /// Somebody is signed in to work, as they stand now; nobody, if they signed out.
    Agent {
        /// The account.
        account: Box<str>,
        /// What a restart needs.
        kept: Option<Box<KeptSignIn>>,
    },
    /// A call is over; closes what was open of it.
    Record(Box<CallRecord>),
    /// A call is going on: what its record will say if the exchange dies.
    OpenCall(Arc<OpenCall>),
    /// Something was decided by itself.
    Fact(Box<Fact>),
    /// What was heard of a secure badge (R21).
    TapCounter {
        /// Whose badge.
        account: Box<str>,
        /// Which.
        issue: Issue,
        /// No counter up to this one is good any more.
        heard: u32,
        /// No counter above this one was heard; of those between, nothing is known.
        bound: u32,
    },
    /// A tap was judged.
    Tap(Box<Tap>),
    /// A row of a background call.
    Task(Box<TaskChange>),
    /// Something of call lists.
    List(Box<ListChange>),
    /// A message waits for whatever carries it to a person.
    Message(Box<OutboxMessage>),
    /// An account's taps are forgotten.
    ForgetTaps {
        /// Whose.
        account: Box<str>,
    },
}

impl Change {
    /// Whether only who keeps what must happen once may make it, where several exchanges have one store (R25).
    #[must_use]
    pub fn is_once(&self) -> bool {
        matches!(self, Change::Agent { .. } | Change::Task(_) | Change::List(_) | Change::Message(_))
    }
}

/// A call that is going on. Session and dialled number name it: a session asks for a number once (R9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCall {
    /// As in its record.
    pub session_id: Arc<str>,
    /// The number that was dialled.
    pub dialled: Arc<str>,
    /// Who called.
    pub caller: Party,
    /// The label of the leg that answered; empty if none did, or if we cannot say.
    pub answered_by: Box<str>,
    /// When the INVITE came.
    pub started: Wall,
    /// When somebody answered.
    pub answered: Option<Wall>,
    /// The background call that it was made for.
    pub task: Option<u64>,
}

/// A change with the right to make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// What it touches.
    pub shard: Shard,
    /// The writer's term as owner of that shard.
    pub epoch: Epoch,
    /// The change.
    pub change: Change,
}

/// Changes that are kept together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Grows by one; the answer carries it.
    pub sequence: u64,
    /// Somebody waits for the answer; others may be collected for a moment (R21).
    pub urgent: bool,
    /// How far it was known what other exchanges over the same store changed.
    pub position: u64,
    /// The changes, in order; the exchange keeps them, too, until the answer.
    pub changes: Arc<[Owned]>,
}

/// The store's answer to one [`Commit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreAnswer {
    /// It is on the disk.
    Committed,
    /// Another exchange owns the shard now; ours is to be dropped.
    Fenced {
        /// The shard that was lost.
        shard: Shard,
    },
    /// The change contradicts what is stored.
    Conflict {
        /// In words.
        why: String,
    },
    /// The store cannot keep anything now: full, gone, broken.
    Unavailable {
        /// In words.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r19_shards_are_fixed_and_even() {
        assert_eq!((Shard::of("alice"), Shard::of("100")), (Shard::of("alice"), Shard::of("100")));
        let mut counts = [0u32; SHARDS as usize];
        for number in 0..25_600 {
            counts[usize::from(Shard::of(&format!("account-{number}")).0)] += 1;
        }
        assert!(counts.iter().all(|&count| (50..200).contains(&count)), "{counts:?}");
    }
}
