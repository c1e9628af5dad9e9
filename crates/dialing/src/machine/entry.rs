//! A task while it is not over, as small as it can be: a hundred thousand may wait (R23).

use super::owners::Place;
use crate::law::Profile;
use crate::number::Number;
use crate::places::{Region, ZoneSet};
use crate::task::{LegOrder, OwnerId, Purpose, Task, TaskId};
use crate::window::Span;
use clock::{TimerId, Wall};

slotmap::new_key_type! {
    /// Where a task stands.
    pub(crate) struct Key;
}

/// The least of all keys, to search from. The default is the greatest.
pub(crate) fn least() -> Key {
    Key::from(slotmap::KeyData::from_ffi(0))
}

/// What a task is doing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum State {
    /// For a time.
    Waiting(TimerId),
    /// For the end of the attempt at its number.
    Blocked,
    /// For its turn.
    Ready(Place),
    /// For its claim to be written down.
    Claimed,
    /// For the end of its attempt.
    Dialled,
    /// Being moved from one of these to another.
    Between,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: TaskId,
    pub(crate) number: Number,
    /// What is not set lies at the end of time, before or after.
    pub(crate) not_before: Wall,
    pub(crate) until: Wall,
    pub(crate) consent_until: Wall,
    pub(crate) data: Box<str>,
    pub(crate) state: State,
    pub(crate) owner: OwnerId,
    pub(crate) rank: u32,
    pub(crate) interval: u32,
    pub(crate) slot: Option<Span>,
    /// Attempts that were made, and those that count for the budget of the task.
    pub(crate) made: u16,
    pub(crate) most: u16,
    /// The name that the last attempt had.
    pub(crate) ordinal: u16,
    pub(crate) zones: ZoneSet,
    pub(crate) region: Region,
    pub(crate) priority: u8,
    pub(crate) legs: LegOrder,
    pub(crate) purpose: Purpose,
    pub(crate) profile: Profile,
    pub(crate) consent: bool,
    /// Its owner wants it next.
    pub(crate) chosen: bool,
    /// The callee has just become free.
    pub(crate) free: bool,
    /// It was found vacant once, which was no proof.
    pub(crate) doubt: bool,
    /// Its owner stopped it while an attempt was made.
    pub(crate) stopping: bool,
}

/// Before all time, and after it.
pub(crate) const ALWAYS: Wall = Wall(i64::MIN);
pub(crate) const NEVER: Wall = Wall(i64::MAX);

impl Entry {
    pub(crate) fn new(task: &mut Task, profile: Profile, region: Region, zones: ZoneSet) -> Entry {
        let consent = task.consent.as_ref();
        Entry {
            id: task.id,
            number: task.number,
            not_before: task.not_before.unwrap_or(ALWAYS),
            until: task.until.unwrap_or(NEVER),
            consent_until: consent.and_then(|consent| consent.until).unwrap_or(NEVER),
            data: task.data.clone(),
            state: State::Between,
            owner: task.owner,
            rank: task.rank,
            interval: task.interval.unwrap_or(0),
            slot: task.slot,
            made: task.attempts_before,
            most: task.attempts_at_most.unwrap_or(u16::MAX),
            ordinal: task.attempts_before,
            zones,
            region,
            priority: task.priority,
            legs: task.legs,
            purpose: task.purpose,
            profile,
            consent: consent.is_some(),
            chosen: false,
            free: false,
            doubt: false,
            stopping: false,
        }
    }

    /// Whether an attempt of it is in flight, or about to be.
    pub(crate) fn is_in_flight(&self) -> bool {
        matches!(self.state, State::Claimed | State::Dialled)
    }
}
