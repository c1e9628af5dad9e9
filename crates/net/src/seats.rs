//! Who may be connected: so many in all, so many from one address (sec_25).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The places of one kind of connection.
#[derive(Clone, Debug)]
pub struct Seats {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    in_all: usize,
    per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    in_all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One place; given back when dropped.
#[derive(Debug)]
pub struct Seat {
    shared: Arc<Shared>,
    peer: IpAddr,
}

impl Seats {
    /// Nobody is connected yet.
    #[must_use]
    pub fn new(in_all: usize, per_address: usize) -> Seats {
        Seats { shared: Arc::new(Shared { in_all, per_address, taken: Mutex::default() }) }
    }

    /// A place for a connection from `peer`; none when there are too many.
    #[must_use]
    pub fn take(&self, peer: IpAddr) -> Option<Seat> {
        let mut taken = self.shared.taken();
        let here = taken.by_address.get(&peer).copied().unwrap_or(0);
        if taken.in_all >= self.shared.in_all || here >= self.shared.per_address {
            return None;
        }
        taken.in_all += 1;
        taken.by_address.insert(peer, here + 1);
        Some(Seat { shared: Arc::clone(&self.shared), peer })
    }
}

impl Shared {
    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.shared.taken();
        taken.in_all -= 1;
        if let Some(count) = taken.by_address.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_25_seats_are_bounded_and_come_back() {
        let seats = Seats::new(3, 2);
        let (a, b) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let first = seats.take(a).unwrap();
        let _second = seats.take(a).unwrap();
        assert!(seats.take(a).is_none(), "two from one address");
        let _third = seats.take(b).unwrap();
        assert!(seats.take(b).is_none(), "three in all");
        drop(first);
        assert!(seats.take(b).is_some());
    }
}
