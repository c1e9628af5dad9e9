//! Whose turn it is: owners one after another, and each owner's tasks in his order.

use super::entry::{Key, least};
use crate::limits;
use crate::task::{OwnerId, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// A task's place among those of its owner that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) rank: [u32; 4],
    pub(crate) id: TaskId,
}

#[derive(Debug)]
struct Owner {
    ready: BTreeSet<(Place, Key)>,
    tasks: u32,
    in_flight: u16,
    at_once: u16,
    /// He said himself how many calls he can have.
    said: bool,
    gap: u32,
    /// Calls after which he still rests.
    rests: u16,
    /// When he had his last turn, counted in turns.
    served: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Owners {
    all: BTreeMap<OwnerId, Owner>,
    /// Those who have something due and room for it; who waited longest is first.
    turns: BTreeSet<(u64, OwnerId)>,
    served: u64,
}

impl Owners {
    /// Whether a task of this owner can be taken.
    pub(crate) fn has_room_for(&self, owner: OwnerId) -> bool {
        self.all.contains_key(&owner) || self.all.len() < limits::OWNERS
    }

    /// One more task. Nobody is dialled for an agent who has not said that he is there (S3.17).
    pub(crate) fn add_task(&mut self, id: OwnerId, at_once: u16, waits_for_owner: bool) {
        let owner = self.owner(id, at_once);
        owner.tasks += 1;
        if waits_for_owner && !owner.said {
            owner.at_once = 0;
        }
        self.update(id);
    }

    pub(crate) fn remove_task(&mut self, id: OwnerId) {
        if let Some(owner) = self.all.get_mut(&id) {
            owner.tasks = owner.tasks.saturating_sub(1);
        }
        self.update(id);
    }

    /// What an owner says of himself.
    pub(crate) fn say(&mut self, id: OwnerId, at_once: u16, gap: u32) {
        if !self.has_room_for(id) {
            return;
        }
        let owner = self.owner(id, at_once);
        (owner.at_once, owner.gap, owner.said) = (at_once, gap, true);
        self.update(id);
    }

    pub(crate) fn add_ready(&mut self, id: OwnerId, place: Place, key: Key) {
        if let Some(owner) = self.all.get_mut(&id) {
            owner.ready.insert((place, key));
        }
        self.update(id);
    }

    pub(crate) fn remove_ready(&mut self, id: OwnerId, place: Place, key: Key) {
        if let Some(owner) = self.all.get_mut(&id) {
            owner.ready.remove(&(place, key));
        }
        self.update(id);
    }

    /// Takes the task that is next, with how many owners have something due.
    pub(crate) fn next(&mut self) -> Option<(Key, u32)> {
        let (_, id) = *self.turns.first()?;
        let waiting = u32::try_from(self.turns.len()).unwrap_or(u32::MAX);
        let (_, key) = self.all.get_mut(&id)?.ready.pop_first()?;
        self.update(id);
        Some((key, waiting))
    }

    /// A call of his begins: his next turn is after everybody else's.
    pub(crate) fn begin(&mut self, id: OwnerId) {
        self.served += 1;
        let served = self.served;
        let Some(owner) = self.all.get_mut(&id) else { return };
        self.turns.remove(&(owner.served, id));
        owner.served = served;
        owner.in_flight += 1;
        self.update(id);
    }

    /// It is over; the seconds that he wants to have until the next.
    pub(crate) fn finish(&mut self, id: OwnerId) -> Option<u32> {
        let owner = self.all.get_mut(&id)?;
        owner.in_flight = owner.in_flight.saturating_sub(1);
        owner.rests += u16::from(owner.gap > 0);
        let gap = (owner.gap > 0).then_some(owner.gap);
        self.update(id);
        gap
    }

    pub(crate) fn rested(&mut self, id: OwnerId) {
        if let Some(owner) = self.all.get_mut(&id) {
            owner.rests = owner.rests.saturating_sub(1);
        }
        self.update(id);
    }

    /// Whether he takes another call now.
    pub(crate) fn takes(&self, id: OwnerId) -> bool {
        self.all.get(&id).is_some_and(Owner::takes)
    }

    /// How many of his tasks are due and come before this place.
    pub(crate) fn before(&self, id: OwnerId, place: Place) -> usize {
        let ready = self.all.get(&id).map(|owner| owner.ready.range(..(place, least())).count());
        ready.unwrap_or(0)
    }

    /// How many of his tasks are due.
    pub(crate) fn ready(&self, id: OwnerId) -> usize {
        self.all.get(&id).map_or(0, |owner| owner.ready.len())
    }

    /// His tasks that are due, in their order.
    pub(crate) fn upcoming(&self, id: OwnerId) -> impl Iterator<Item = TaskId> {
        let ready = self.all.get(&id).into_iter().flat_map(|owner| &owner.ready);
        ready.map(|(place, _)| place.id)
    }

    fn owner(&mut self, id: OwnerId, at_once: u16) -> &mut Owner {
        self.all.entry(id).or_insert_with(|| Owner {
            ready: BTreeSet::new(),
            tasks: 0,
            in_flight: 0,
            at_once,
            said: false,
            gap: 0,
            rests: 0,
            served: 0,
        })
    }

    /// Puts him among those who have a turn, or takes him out; forgets who has nothing and said nothing.
    fn update(&mut self, id: OwnerId) {
        let Some(owner) = self.all.get(&id) else { return };
        let turn = (owner.served, id);
        if !owner.ready.is_empty() && owner.takes() {
            self.turns.insert(turn);
        } else {
            self.turns.remove(&turn);
        }
        if owner.tasks == 0 && owner.in_flight == 0 && !owner.said {
            self.all.remove(&id);
        }
    }
}

impl Owner {
    fn takes(&self) -> bool {
        self.in_flight < self.at_once && self.rests == 0
    }
}
