//! Who sits where, when that ends by itself, and what was taken a moment ago.

use super::Seat;
use super::missed::Missed;
use crate::limits;
use calls::CallId;
use clock::{Mono, Now, Wall};
use std::collections::{BTreeMap, BTreeSet};

/// What somebody took at a phone, for as long as a second tap means the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recent {
    /// The call; none when they sat down.
    pub(super) call: Option<CallId>,
    pub(super) at: Mono,
}

/// A phone that is asked to take a call, and who is to be told if it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(super) account: Box<str>,
    pub(super) device: Box<str>,
}

/// All seats, one a phone at most.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    by_device: BTreeMap<Box<str>, Seat>,
    by_account: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    ends: BTreeSet<(Wall, Box<str>)>,
    /// When the first of them ends, by the clock that never jumps.
    due: Option<Mono>,
    recent: BTreeMap<(Box<str>, Box<str>), Recent>,
    /// Where each account last said who they are.
    last: BTreeMap<Box<str>, (Mono, Box<str>)>,
    pub(crate) asked: BTreeMap<CallId, Asked>,
    pub(super) missed: Missed,
}

impl Seats {
    /// Who sits at a phone.
    pub(crate) fn at(&self, device: &str) -> Option<&Seat> {
        self.by_device.get(device)
    }

    /// The phones at which somebody sits, in the order of their names.
    pub(crate) fn of(&self, account: &str) -> impl Iterator<Item = &str> {
        self.by_account.get(account).into_iter().flatten().map(|device| &**device)
    }

    /// All of them, in the order of the phones' names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Seat)> {
        self.by_device.iter().map(|(device, seat)| (&**device, seat))
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.due
    }

    /// Somebody sits there from now on.
    pub(crate) fn put(&mut self, now: Now, device: &str, seat: Seat) {
        self.remove(now, device);
        self.ends.extend(seat.until.map(|until| (until, device.into())));
        self.by_account.entry(seat.account.clone()).or_default().insert(device.into());
        self.by_device.insert(device.into(), seat);
        self.look_at_clock(now);
    }

    /// Nobody sits there any more.
    pub(crate) fn remove(&mut self, now: Now, device: &str) -> Option<Seat> {
        let seat = self.by_device.remove(device)?;
        if let Some(until) = seat.until {
            self.ends.remove(&(until, device.into()));
        }
        if let Some(devices) = self.by_account.get_mut(&seat.account) {
            devices.remove(device);
            if devices.is_empty() {
                self.by_account.remove(&seat.account);
            }
        }
        self.look_at_clock(now);
        Some(seat)
    }

    /// The wall clock may have jumped: what ends by it is computed anew (R18).
    pub(crate) fn look_at_clock(&mut self, now: Now) {
        let left =
            |until: Wall| std::time::Duration::from_millis(until.0.saturating_sub(now.wall.0).max(0) as u64);
        self.due = self.ends.first().map(|(until, _)| now.mono + left(*until));
    }

    /// The next phone whose seat is over.
    pub(super) fn expired(&self, now: Wall) -> Option<Box<str>> {
        self.ends.first().filter(|(until, _)| *until <= now).map(|(_, device)| device.clone())
    }

    /// Somebody has a call: no phone is asked to take it any more.
    pub(crate) fn answered(&mut self, call: CallId) {
        self.asked.remove(&call);
    }

    /// What somebody took at a phone a moment ago.
    pub(super) fn recent(&self, now: Mono, account: &str, device: &str) -> Option<Recent> {
        let recent = self.recent.get(&(account.into(), device.into()))?;
        (now.since(recent.at) <= limits::SECOND_TAP).then_some(*recent)
    }

    pub(super) fn took(&mut self, now: Mono, account: &str, device: &str, call: Option<CallId>) {
        self.recent.retain(|_, recent| now.since(recent.at) <= limits::SECOND_TAP);
        self.recent.insert((account.into(), device.into()), Recent { call, at: now });
        self.last.insert(account.into(), (now, device.into()));
    }

    /// Where an account last said who they are.
    pub(crate) fn last_of(&self, now: Mono, account: &str) -> Option<&str> {
        let (at, device) = self.last.get(account)?;
        (now.since(*at) <= limits::WHEREABOUTS).then_some(&**device)
    }

    /// Somebody left for good.
    pub(super) fn forget(&mut self, account: &str) {
        self.last.remove(account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn seat(account: &str, until: i64) -> Seat {
        Seat { account: account.into(), since: Wall(0), until: Some(Wall(until)) }
    }

    #[test]
    fn seats_end_by_the_wall_clock_and_are_waited_for_by_the_other() {
        let now = Now { mono: Mono(5_000_000), wall: Wall(1_000) };
        let mut seats = Seats::default();
        seats.put(now, "d2", seat("ada", 9_000));
        seats.put(now, "d1", seat("ada", 4_000));
        assert_eq!(seats.of("ada").collect::<Vec<_>>(), ["d1", "d2"]);
        assert_eq!(seats.next_deadline(), Some(now.mono + Duration::from_secs(3)));
        assert_eq!(seats.expired(Wall(3_999)), None);
        assert_eq!(seats.expired(Wall(4_000)).as_deref(), Some("d1"));
        // R18: the clock is set back by two seconds.
        let now = Now { wall: Wall(-1_000), ..now };
        seats.look_at_clock(now);
        assert_eq!(seats.next_deadline(), Some(now.mono + Duration::from_secs(5)));
        seats.put(now, "d1", seat("bob", 99_000));
        assert_eq!((seats.at("d1").map(|seat| &*seat.account), seats.of("ada").count()), (Some("bob"), 1));
        assert_eq!(seats.next_deadline(), Some(now.mono + Duration::from_secs(10)));
        seats.remove(now, "d1");
        seats.remove(now, "d2");
        assert_eq!((seats.iter().count(), seats.next_deadline()), (0, None));
    }
}
