//! Badges and their readers: who holds a badge to the reader beside a phone is who they are, there and now (S1.5, S1.8,
//! S1.9).
//!
//! ```text
//! reader --key, tap id, what was read--> known reader? tapped before? too fast?
//!           which badge --> revoked? its kind allowed? its PIN needed?   clonable: taken
//!                                                                        secure: counter raised, and taken
//! ```
//!
//! A secure badge's counter is raised in memory before anything else happens, so of many who tell the same tap one is
//! heard; the disk has a bound above it (`counters`), so that one who tells it after a restart is not heard either (R21).
//!
//! Each verdict leaves a row among the taps, which its owner sees and deletes; a refusal leaves a fact, too.

mod badge;
mod counters;
mod elsewhere;
mod make;
mod policy;
mod reading;
mod redeem;
mod register;
mod secure;
mod tap;
#[cfg(test)]
mod tests;
mod verdict;

pub use badge::{Badge, BadgeKeys, BadgeKind, CardKeys, Issue, Mark, Uid};
pub use make::{NewBadge, NewMark};
pub use policy::{BadgePolicy, Hours, PinWhen, WeekTime};
pub use reading::Reading;
pub(crate) use redeem::{InHand, Redeemed};
pub use register::Reader;
pub(crate) use register::Register;
pub use tap::TapRequest;
pub use verdict::{Tap, TapAnswer, TapVerdict};

use badge::hex;
use counters::Counters;
use elsewhere::AskedFor;

use crate::guesses::Strikes;
use crate::input::CommandId;
use crate::limits;
use crate::pin::PinCheck;
use crate::sources::Bucket;
use clock::{Mono, Now, Wall};
use directory::ExchangeName;
use sip::bearer::TokenHash;
use std::collections::{BTreeMap, VecDeque};

/// What happens at the readers now. All of it is bounded by the directory: one entry a reader, a badge, an issue.
#[derive(Debug, Default)]
pub(crate) struct Badges {
    pub(crate) counters: Counters,
    readers: BTreeMap<Box<str>, AtReader>,
    buckets: BTreeMap<Box<str>, Bucket>,
    /// Taps whose PIN is being checked.
    checks: BTreeMap<PinCheck, InHand>,
    /// Taps that other exchanges are asked about.
    elsewhere: BTreeMap<u64, AskedFor>,
    next: u64,
    /// How many taps of its readers each of them asks about.
    askers: BTreeMap<ExchangeName, Bucket>,
}

/// What happens at one reader.
#[derive(Debug, Default)]
struct AtReader {
    bucket: Option<Bucket>,
    /// Readings that no badge of ours has told.
    strikes: Strikes,
    /// What comes too fast does not fill the store.
    rows: Option<Bucket>,
    /// The last taps, the newest last.
    taps: VecDeque<Known>,
    next: u64,
    /// The last UID that is no badge's, so that one can be made of it.
    unknown: Option<(Uid, Now)>,
}

/// A tap that may be told again.
#[derive(Debug)]
struct Known {
    number: u64,
    id: Option<Box<str>>,
    hash: TokenHash,
    at: Mono,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It waits for the store or for the PIN, and these wait with it.
    InHand(Vec<CommandId>),
    Answered(TapAnswer),
}

impl Badges {
    /// PINs that are being checked.
    pub(crate) fn checking(&self) -> usize {
        self.checks.len()
    }

    /// The UID that was read last at a reader and is no badge's, if that was just now; and when.
    pub(crate) fn last_read(&self, now: Mono, reader: &str) -> Option<(Uid, Wall)> {
        let (uid, at) = self.readers.get(reader)?.unknown.as_ref()?;
        (now.since(at.mono) <= limits::LAST_READ).then_some((*uid, at.wall))
    }
}

impl AtReader {
    /// Remembers a tap that is judged now; `None` when all that are remembered are in hand.
    fn begin(&mut self, now: Mono, id: Option<Box<str>>, hash: TokenHash) -> Option<u64> {
        if self.taps.len() >= limits::TAPS_REMEMBERED {
            let over = self.taps.iter().position(|tap| matches!(tap.state, State::Answered(_)))?;
            self.taps.remove(over);
        }
        self.next += 1;
        let state = State::InHand(Vec::new());
        self.taps.push_back(Known { number: self.next, id, hash, at: now, state });
        Some(self.next)
    }

    /// The tap that this one repeats, if it does: by its id, or by its reading if the reader gives no ids.
    fn known(&mut self, now: Mono, id: Option<&str>, hash: &TokenHash) -> Option<&mut Known> {
        self.taps.iter_mut().rev().find(|tap| match (id, &tap.id) {
            (Some(id), Some(known)) => **known == *id,
            (None, None) => tap.hash == *hash && now.since(tap.at) < limits::TAP_AGAIN,
            _ => false,
        })
    }

    /// A tap has its answer; those who wait for it. What can be tried again is not remembered.
    fn end(&mut self, number: u64, answer: &TapAnswer) -> Vec<CommandId> {
        let Some(place) = self.taps.iter().position(|tap| tap.number == number) else { return Vec::new() };
        let before = if answer.verdict.may_be_tried_again() {
            self.taps.remove(place).map(|tap| tap.state)
        } else {
            let tap = self.taps.get_mut(place);
            tap.map(|tap| std::mem::replace(&mut tap.state, State::Answered(answer.clone())))
        };
        match before {
            Some(State::InHand(waiting)) => waiting,
            _ => Vec::new(),
        }
    }
}
