//! The nearest free phones, by a simple rule.
//!
//! A location is read from its beginning, in parts between commas or slashes, as in `Tower, floor 2, room 8`: the more
//! parts two have in common from the left, the nearer they are. Where a person is, is where they last said who they are,
//! within [`limits::WHEREABOUTS`]; else where they sit; else where their own phone stands. Of phones that are as near, the
//! person's own come first. A phone is free when it is registered, nobody else sits there, and no other call is there.

use crate::exchange::Exchange;
use crate::limits;
use crate::people::is_web_name;
use calls::CallId;
use clock::Now;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// A phone that is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearPhone {
    /// Its name.
    pub device: Box<str>,
    /// Where it stands.
    pub location: Box<str>,
    /// Whether this very call rings there.
    pub rings: bool,
    /// Whether it stands where the person is.
    pub here: bool,
}

/// Where phones stand, in an order in which those that have more parts in common are closer together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(BTreeSet<(Box<str>, Box<str>)>);

impl Places {
    /// A phone stands there from now on.
    pub(crate) fn put(&mut self, location: &str, device: &str) {
        if !location.is_empty() {
            self.0.insert((key(location), device.into()));
        }
    }

    /// A phone stands there no more.
    pub(crate) fn remove(&mut self, location: &str, device: &str) {
        self.0.remove(&(key(location), device.into()));
    }

    /// Phones around a place, the nearest first.
    fn around(&self, place: &str) -> impl Iterator<Item = &str> {
        let place = key(place);
        let middle = (place.clone(), Box::<str>::default());
        let mut below = self.0.range(..middle.clone()).rev().peekable();
        let mut above = self.0.range(middle..).peekable();
        std::iter::from_fn(move || {
            let near =
                |entry: Option<&&(Box<str>, Box<str>)>| entry.map(|(location, _)| common(location, &place));
            let next = if near(below.peek()) > near(above.peek()) { below.next() } else { above.next() };
            next.or_else(|| below.next()).map(|(_, device)| &**device)
        })
    }
}

/// What stands between parts in a key: less than anything in them, so that parts sort before letters.
const BETWEEN: &str = "\u{1}";

fn key(location: &str) -> Box<str> {
    let parts = location.split([',', '/']).map(|part| part.trim().to_lowercase());
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(BETWEEN).into()
}

/// How many parts two keys have in common from the left.
fn common(one: &str, other: &str) -> usize {
    let parts = one.split(BETWEEN).zip(other.split(BETWEEN));
    parts.take_while(|(one, other)| one == other && !one.is_empty()).count()
}

impl Exchange {
    /// The phones at which an account can take a call, the nearest first.
    pub(super) fn near_phones(&self, now: Now, account: &str, call: CallId) -> Vec<NearPhone> {
        let place = self.whereabouts(now, account);
        let own = self.phones_of(account);
        let others = self.people.places.around(&place).take(limits::NOTICE_LOOKS);
        let others = others.filter(|_| !place.is_empty()).filter(|device| !is_web_name(device));
        let mut found: Vec<(Reverse<usize>, bool, &str)> = Vec::new();
        let place = key(&place);
        for (device, is_other) in own.iter().map(|device| (&**device, false)).chain(others.map(|d| (d, true)))
        {
            if found.iter().all(|(_, _, known)| *known != device) && self.is_free_for(account, device, call) {
                found.push((Reverse(common(&key(self.location(device)), &place)), is_other, device));
            }
        }
        found.sort_unstable();
        let phone = |(_, _, device): (_, _, &str)| NearPhone {
            device: device.into(),
            location: self.location(device).into(),
            rings: self.switch.rings_at(call, device),
            here: !place.is_empty() && key(self.location(device)) == place,
        };
        found.into_iter().take(limits::NOTICE_PHONES).map(phone).collect()
    }

    /// Where a person is, as far as it is known; empty when it is not.
    fn whereabouts(&self, now: Now, account: &str) -> Box<str> {
        let seat = self.seats.of(account).max_by_key(|device| self.seats.at(device).map(|seat| seat.since));
        let own = self.people.account(account).into_iter().flat_map(|account| account.devices.iter());
        let known =
            self.seats.last_of(now.mono, account).into_iter().chain(seat).chain(own.map(|own| &**own));
        let mut places = known.map(|device| self.location(device));
        places.find(|place| !place.is_empty()).unwrap_or_default().into()
    }

    fn location(&self, device: &str) -> &str {
        self.people.device(device).map(|device| &*device.location).unwrap_or_default()
    }

    /// Whether a phone is there for an account: registered, nobody else's seat, and in no other call.
    fn is_free_for(&self, account: &str, device: &str, call: CallId) -> bool {
        let Some(owner) = self.people.device(device).map(|device| &*device.account) else { return false };
        let seat = self.seats.at(device).map(|seat| &*seat.account);
        let taken = seat.is_some_and(|by| by != account && owner != account);
        if taken || !self.registrar.is_reachable(device) {
            return false;
        }
        !self.is_in_a_call([Some(owner), seat, Some(account)], device, Some(call))
    }

    /// Whether a phone is in a call of one of these people, beside this one.
    fn is_in_a_call(&self, people: [Option<&str>; 3], device: &str, beside: Option<CallId>) -> bool {
        let busy = |person: &str| {
            self.ongoing.of(person).any(|(of, ongoing)| {
                let calls = ongoing.device.as_deref() == Some(device);
                Some(of) != beside && (calls || self.switch.labels(of).any(|label| label == device))
            })
        };
        people.into_iter().flatten().any(busy)
    }

    /// Whether a phone is in a call.
    pub(crate) fn is_on_call(&self, device: &str) -> bool {
        let owner = self.people.device(device).map(|device| &*device.account);
        let seat = self.seats.at(device).map(|seat| &*seat.account);
        self.is_in_a_call([owner, seat, None], device, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_7_phones_come_by_the_parts_that_their_places_have_in_common() {
        let mut places = Places::default();
        for (location, device) in [
            ("Tower, floor 2, room 8", "a"),
            ("tower / FLOOR 2 / room 9", "b"),
            ("Tower, floor 1", "c"),
            ("Tower, floor 20", "d"),
            ("Barn", "e"),
            ("", "nowhere"),
        ] {
            places.put(location, device);
        }
        let around = |place: &str| places.around(place).collect::<Vec<_>>().join("");
        assert_eq!(around("Tower,floor 2,room 8")[..2], *"ab");
        assert_eq!(around("Tower, floor 2, room 9")[..2], *"ba");
        assert!(matches!(&around("Tower, floor 1")[..1], "c"));
        assert_eq!(around("Barn").len(), 5, "all come in the end, those without a place never");
        assert_eq!(common(&key("Tower, floor 2"), &key("Tower, floor 20")), 1, "parts, not letters");
        assert_eq!(common(&key(""), &key("")), 0, "nowhere is near nothing");
        let mut places = places.clone();
        places.remove("TOWER, Floor 2, Room 8", "a");
        assert_eq!(places.around("Tower, floor 2, room 8").next(), Some("b"));
    }
}
