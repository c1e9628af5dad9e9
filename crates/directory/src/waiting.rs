//! Who waits for a device that is taken: requests in the order in which they came (S4.18).

use crate::designate::RequestId;
use crate::limits::{WAITING, WAITING_FOR_ONE};
use crate::names::{AccountName, DeviceId, Number, SessionHalf};
use crate::ticket::Confirmation;
use std::collections::{BTreeMap, VecDeque};

/// A request that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// The device that calls.
    pub caller: DeviceId,
    /// Its request.
    pub id: RequestId,
    /// Whose device it is.
    pub account: AccountName,
    /// What they asked for.
    pub callee: Number,
    /// The Session-ID half of the call.
    pub session: SessionHalf,
    /// Whose key will be at the other end.
    pub cnf: Confirmation,
}

/// The place of one who waits; 1 is next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The device that calls.
    pub caller: DeviceId,
    /// Its request.
    pub id: RequestId,
    /// Where it stands.
    pub place: u32,
}

/// One exchange's waiting requests, by the account that they wait for.
#[derive(Debug, Default)]
pub struct Waiting {
    of: BTreeMap<AccountName, VecDeque<Waiter>>,
    count: usize,
}

impl Waiting {
    /// Nobody waits.
    #[must_use]
    pub fn new() -> Waiting {
        Waiting::default()
    }

    /// Waits behind all others; the place, or `None` when there is no room. Who waits already keeps their place.
    pub fn join(&mut self, callee: &AccountName, waiter: Waiter) -> Option<u32> {
        let line = self.of.entry(callee.clone()).or_default();
        let same = |other: &Waiter| (&other.caller, other.id) == (&waiter.caller, waiter.id);
        if let Some(place) = line.iter().position(same) {
            return Some(number(place));
        }
        if line.len() >= WAITING_FOR_ONE || self.count >= WAITING {
            if line.is_empty() {
                self.of.remove(callee);
            }
            return None;
        }
        line.push_back(waiter);
        self.count += 1;
        Some(number(line.len() - 1))
    }

    /// Who is next.
    #[must_use]
    pub fn first(&self, callee: &AccountName) -> Option<&Waiter> {
        self.of.get(callee)?.front()
    }

    /// All who wait for an account, with their places.
    pub fn all(&self, callee: &AccountName) -> impl Iterator<Item = (&Waiter, u32)> {
        self.of.get(callee).into_iter().flatten().enumerate().map(|(place, waiter)| (waiter, number(place)))
    }

    /// The device is free: whose turn it is, and the places of those behind.
    pub fn next(&mut self, callee: &AccountName) -> Option<(Waiter, Vec<Place>)> {
        let line = self.of.get_mut(callee)?;
        let waiter = line.pop_front();
        let moved = places(line, 0);
        self.tidy(callee);
        waiter.map(|waiter| (waiter, moved))
    }

    /// Somebody waits no longer; the places of those who stood behind.
    pub fn leave(&mut self, caller: &DeviceId, id: RequestId) -> Vec<Place> {
        let found = self.of.iter().find_map(|(callee, line)| {
            let place = line.iter().position(|waiter| waiter.caller == *caller && waiter.id == id)?;
            Some((callee.clone(), place))
        });
        let Some((callee, place)) = found else { return Vec::new() };
        let Some(line) = self.of.get_mut(&callee) else { return Vec::new() };
        line.remove(place);
        let moved = places(line, place);
        self.tidy(&callee);
        moved
    }

    /// How many wait for an account.
    #[must_use]
    pub fn count(&self, callee: &AccountName) -> usize {
        self.of.get(callee).map_or(0, VecDeque::len)
    }

    fn tidy(&mut self, callee: &AccountName) {
        self.count -= 1;
        if self.count(callee) == 0 {
            self.of.remove(callee);
        }
    }
}

/// The places of those from the given one on.
fn places(line: &VecDeque<Waiter>, from: usize) -> Vec<Place> {
    let behind = line.iter().enumerate().skip(from);
    behind
        .map(|(place, waiter)| Place { caller: waiter.caller.clone(), id: waiter.id, place: number(place) })
        .collect()
}

fn number(place: usize) -> u32 {
    u32::try_from(place + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{Fingerprint, Named as _};

    fn waiter(caller: &str) -> Waiter {
        Waiter {
            caller: DeviceId::parse(caller).unwrap(),
            id: RequestId(1),
            account: AccountName::parse(caller).unwrap(),
            callee: Number::parse("2041").unwrap(),
            session: SessionHalf([1; 16]),
            cnf: Confirmation::Tls(Fingerprint([1; 32])),
        }
    }

    #[test]
    fn show_2_those_who_wait_are_served_in_order_and_told_their_place() {
        let (mut waiting, anna) = (Waiting::new(), AccountName::parse("anna").unwrap());
        for (place, caller) in ["a", "b", "c", "d"].into_iter().enumerate() {
            assert_eq!(waiting.join(&anna, waiter(caller)), Some(number(place)));
        }
        assert_eq!(waiting.join(&anna, waiter("b")), Some(2), "who waits already keeps their place");
        let moved = waiting.leave(&waiter("b").caller, RequestId(1));
        let told: Vec<_> = moved.iter().map(|place| (place.caller.as_str(), place.place)).collect();
        assert_eq!(told, [("c", 2), ("d", 3)]);
        let (first, moved) = waiting.next(&anna).unwrap();
        assert_eq!(first.caller.as_str(), "a");
        assert_eq!(moved.iter().map(|place| place.place).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(waiting.next(&anna).unwrap().0.caller.as_str(), "c");
        assert_eq!(waiting.next(&anna).unwrap().0.caller.as_str(), "d");
        assert!(waiting.next(&anna).is_none());
        assert_eq!((waiting.count, waiting.of.len()), (0, 0));
        assert!(waiting.leave(&waiter("x").caller, RequestId(1)).is_empty());
    }

    #[test]
    fn a_full_line_takes_no_more() {
        let (mut waiting, anna) = (Waiting::new(), AccountName::parse("anna").unwrap());
        for place in 0..WAITING_FOR_ONE {
            assert!(waiting.join(&anna, waiter(&format!("c{place}"))).is_some());
        }
        assert_eq!(waiting.join(&anna, waiter("more")), None);
    }
}
