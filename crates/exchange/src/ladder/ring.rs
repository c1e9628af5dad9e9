//! The ring: octets one after the other in a buffer that is written over from its start, and an entry for each message.

use crate::limits::{LADDER_OCTETS, LADDER_STEP, RUNG_OCTETS};
use clock::Wall;
use sip::Flow;
use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;

/// What is known of a message beside its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) at: Wall,
    pub(super) sent: bool,
    pub(super) flow: Flow,
    /// The digest of its Call-ID.
    pub(super) call: u64,
    /// The digest of the first half of its Session-ID, if it has one.
    pub(super) session: Option<u64>,
}

/// An entry and where its octets are.
#[derive(Clone, Copy)]
struct Placed {
    entry: Entry,
    start: u32,
    length: u32,
}

/// Messages, the oldest first.
#[derive(Default)]
pub(super) struct Ring {
    /// Allocated with the first message, if not before; the system gives memory as it is written.
    octets: Vec<u8>,
    entries: VecDeque<Placed>,
    head: usize,
}

// The entries cost something too: with both, the ring stays below its bound.
const _: () = assert!(size_of::<Placed>() <= LADDER_STEP / 2);
const _: () = assert!(RUNG_OCTETS <= LADDER_OCTETS / 64 && LADDER_OCTETS <= u32::MAX as usize);

impl Ring {
    /// Takes all its memory now.
    pub(super) fn warm_up(&mut self) {
        self.octets = vec![0xFF; LADDER_OCTETS];
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let entry =
            Entry { at: Wall(0), sent: false, flow: Flow::udp(nowhere, nowhere), call: 0, session: None };
        let unused = Placed { entry, start: 0, length: 0 };
        self.entries.extend(std::iter::repeat_n(unused, LADDER_OCTETS / LADDER_STEP));
        self.entries.clear();
    }

    /// Copies the first octets of a message; the oldest messages make room.
    pub(super) fn push(&mut self, entry: Entry, message: &[u8]) {
        if self.octets.is_empty() {
            self.octets = vec![0; LADDER_OCTETS];
        }
        let length = message.len().min(RUNG_OCTETS);
        // Small messages take a whole step, so that the number of entries is bounded too.
        let taken = length.max(LADDER_STEP);
        self.make_room(taken);
        self.octets[self.head..self.head + length].copy_from_slice(&message[..length]);
        self.entries.push_back(Placed { entry, start: self.head as u32, length: length as u32 });
        self.head += taken;
    }

    fn make_room(&mut self, taken: usize) {
        if self.head + taken > self.octets.len() {
            self.forget_until(self.octets.len());
            self.head = 0;
        }
        self.forget_until(self.head + taken);
    }

    /// Forgets the oldest entries that begin between the head and `end`.
    fn forget_until(&mut self, end: usize) {
        let head = self.head;
        while self.entries.front().is_some_and(|oldest| (head..end).contains(&(oldest.start as usize))) {
            self.entries.pop_front();
        }
    }

    /// All that is kept, the oldest first.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Entry, &[u8])> {
        let octets = |placed: &Placed| {
            let start = placed.start as usize;
            &self.octets[start..start + placed.length as usize]
        };
        self.entries.iter().map(move |placed| (placed.entry, octets(placed)))
    }

    /// Notes the session of the newest message with this Call-ID.
    pub(super) fn mark(&mut self, call: u64, session: u64) {
        if let Some(placed) = self.entries.iter_mut().rev().find(|placed| placed.entry.call == call) {
            placed.entry.session = Some(session);
        }
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("messages", &self.entries.len()).finish_non_exhaustive()
    }
}
