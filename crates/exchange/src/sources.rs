//! How much of our work a stranger may cause (sec_07): a bounded table of token buckets, one a source address.
//!
//! ```text
//! request without proof -- takes a token --> 401, 404, 200 to OPTIONS ...
//! the proof comes       -- gives it back --> the source is known, and has more room from now on
//! no token              -- 503 with Retry-After, and soon silence
//! ```
//!
//! Work that is proved costs nothing, so that ten thousand phones behind one address are no flood; what is left
//! without proof is what counts. Nothing here refuses a request that carries a right answer to our challenge.

use crate::limits;
use crate::recent::Recent;
use clock::Mono;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Whom we hold one to be: an IPv4 address, or the half of an IPv6 address that a site cannot choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Source(IpAddr);

impl Source {
    /// Mapped IPv4 is IPv4; of IPv6 the first 64 bits count, because whoever has one such address has them all.
    pub(crate) fn of(address: IpAddr) -> Source {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::from(address) & (u128::MAX << 64);
                Source(Ipv6Addr::from(network).into())
            }
            address => Source(address),
        }
    }

    /// The address, or the first of its network.
    pub(crate) fn address(self) -> IpAddr {
        self.0
    }
}

/// What a request from a source gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Its answer.
    Answer,
    /// 503 with Retry-After.
    Busy,
    /// Nothing.
    Silence,
}

/// A bucket that fills at a steady rate; in millionths of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    left: u64,
    filled: Mono,
}

/// Millionths.
const TOKEN: u64 = 1_000_000;

impl Bucket {
    pub(crate) fn full(now: Mono, burst: u32) -> Bucket {
        Bucket { left: u64::from(burst) * TOKEN, filled: now }
    }

    /// Takes a token if there is one.
    pub(crate) fn take(&mut self, now: Mono, burst: u32, per_second: u32) -> bool {
        // A microsecond brings as many millionths as a second brings tokens.
        let gained = micros(now.since(self.filled)).saturating_mul(u64::from(per_second));
        self.left = self.left.saturating_add(gained).min(u64::from(burst) * TOKEN);
        self.filled = now;
        let taken = self.left.checked_sub(TOKEN);
        self.left = taken.unwrap_or(self.left);
        taken.is_some()
    }

    /// Gives back what a challenge and its answer took.
    fn give(&mut self, burst: u32) {
        self.left = self.left.saturating_add(2 * TOKEN).min(u64::from(burst) * TOKEN);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// What one source has left.
#[derive(Clone, Copy, Debug, Default)]
struct Meters {
    answers: Option<Bucket>,
    refusals: Option<Bucket>,
    /// When it last proved who it is.
    proved: Mono,
}

/// All sources that we know of.
#[derive(Debug)]
pub(crate) struct Sources {
    /// Sources that never proved anything. Their addresses may be made up, so they have a table of their own.
    strangers: Recent<Source, Meters>,
    /// Sources from which a device proved its secret.
    known: Recent<Source, Meters>,
    /// All strangers together: a flood from made-up addresses meets this one.
    together: Option<Bucket>,
    refused: u64,
}

impl Default for Sources {
    fn default() -> Self {
        Sources {
            strangers: Recent::new(limits::SOURCES),
            known: Recent::new(limits::SOURCES),
            together: None,
            refused: 0,
        }
    }
}

impl Sources {
    /// A request without proof came from this address: what it gets.
    pub(crate) fn ask(&mut self, now: Mono, address: IpAddr) -> Room {
        let source = Source::of(address);
        let known = self.is_known(now, source);
        let (burst, rate) = allowance(known);
        let meters = match self.known.known(&source) {
            Some(meters) if known => meters,
            _ => self.strangers.touch(&source),
        };
        let answers = meters.answers.get_or_insert(Bucket::full(now, burst));
        let mut together = || {
            let all = self.together.get_or_insert(Bucket::full(now, limits::STRANGERS_BURST));
            all.take(now, limits::STRANGERS_BURST, limits::STRANGERS_RATE)
        };
        if answers.take(now, burst, rate) && (known || together()) {
            return Room::Answer;
        }
        self.refused += 1;
        let refusals = meters.refusals.get_or_insert(Bucket::full(now, limits::REFUSALS));
        if refusals.take(now, limits::REFUSALS, limits::REFUSALS) { Room::Busy } else { Room::Silence }
    }

    /// A device proved its secret from this address: what it and its challenge took is given back.
    pub(crate) fn proved(&mut self, now: Mono, address: IpAddr) {
        let source = Source::of(address);
        let burst = limits::KNOWN_BURST;
        // To be touched once a second is often enough for a table that forgets the oldest.
        let fresh = |meters: &&mut Meters| now.since(meters.proved) < Duration::from_secs(1);
        let meters = match self.known.known(&source).filter(fresh) {
            Some(meters) => meters,
            None => self.known.touch(&source),
        };
        meters.proved = now;
        meters.answers.get_or_insert(Bucket::full(now, burst)).give(burst);
    }

    /// Whether a device proved its secret from here not long ago.
    pub(crate) fn is_known(&self, now: Mono, source: Source) -> bool {
        self.known.peek(&source).is_some_and(|meters| now.since(meters.proved) < limits::KNOWN_FOR)
    }

    /// How many requests got 503 or nothing.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }
}

fn allowance(known: bool) -> (u32, u32) {
    if known {
        (limits::KNOWN_BURST, limits::KNOWN_RATE)
    } else {
        (limits::STRANGER_BURST, limits::STRANGER_RATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const FLOOD: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 66));
    const START: Mono = Mono(5_000_000);

    fn answered(sources: &mut Sources, address: IpAddr, from: Mono, per_second: u64, seconds: u64) -> u64 {
        let gap = Duration::from_micros(1_000_000 / per_second);
        let asks = (0..per_second * seconds).map(|index| from + gap * u32::try_from(index).expect("small"));
        asks.filter(|now| sources.ask(*now, address) == Room::Answer).count() as u64
    }

    #[test]
    fn sec_07_a_flood_from_one_source_leaves_the_others_their_room() {
        let mut sources = Sources::default();
        let served = answered(&mut sources, FLOOD, START, 50_000, 4);
        let most = u64::from(limits::STRANGER_BURST) + 5 * u64::from(limits::STRANGER_RATE);
        assert!(served <= most, "{served} answers");
        assert_eq!(sources.ask(START + Duration::from_secs(4), OFFICE), Room::Answer);
        assert!(sources.refused() > 100_000);
    }

    #[test]
    fn sec_07_beyond_the_limit_comes_a_503_and_soon_nothing() {
        let mut sources = Sources::default();
        let rooms: Vec<Room> = (0..10_000).map(|_| sources.ask(START, FLOOD)).collect();
        let count = |wanted: Room| rooms.iter().filter(|room| **room == wanted).count();
        assert_eq!(count(Room::Answer), limits::STRANGER_BURST as usize);
        assert_eq!(count(Room::Busy), limits::REFUSALS as usize);
        assert_eq!(rooms.last(), Some(&Room::Silence));
        assert_eq!(sources.ask(START + Duration::from_secs(1), FLOOD), Room::Answer, "it may come back");
    }

    #[test]
    fn sec_07_proved_work_is_never_limited() {
        let mut sources = Sources::default();
        for index in 0..400_000 {
            let now = START + Duration::from_micros(125 * index);
            assert_eq!(sources.ask(now, OFFICE), Room::Answer, "request {index}");
            sources.proved(now, OFFICE);
        }
        assert!(sources.is_known(START + Duration::from_secs(50), Source::of(OFFICE)));
        assert!(!sources.is_known(START + Duration::from_secs(50) + limits::KNOWN_FOR, Source::of(OFFICE)));
    }

    #[test]
    fn sec_07_made_up_addresses_neither_grow_the_table_nor_drive_out_those_we_know() {
        let mut sources = Sources::default();
        sources.proved(START, OFFICE);
        let mut answered = 0;
        for index in 0..200_000u32 {
            let address = std::net::Ipv4Addr::from(0x0A00_0000 + index).into();
            answered += u32::from(sources.ask(START, address) == Room::Answer);
        }
        assert_eq!(answered, limits::STRANGERS_BURST, "all strangers share one bound");
        assert_eq!(sources.strangers.len(), limits::SOURCES);
        assert_eq!(sources.ask(START, OFFICE), Room::Answer);
    }

    #[test]
    fn a_source_is_an_ipv4_address_or_an_ipv6_network() {
        let of = |text: &str| Source::of(text.parse().expect("an address"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
