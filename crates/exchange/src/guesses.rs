//! Wrong answers to our challenges: each is a strike, and who has many is not listened to for a growing time.
//!
//! R10: only a wrong answer is a strike; an old nonce or a repeated count is not. A nonce is bound to the address that
//! asked for it, so nobody can earn strikes for somebody else's address.
//!
//! A strike is held against the address together with the name that was tried, and against the address alone with
//! more patience: a forgotten phone with an old secret does not silence the office behind the same address. No name
//! is ever locked as such: who guesses at a name from elsewhere does not keep its owner out.

use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::input::Output;
use crate::limits;
use crate::recent::Recent;
use crate::sources::{Bucket, Source};
use clock::{Mono, Now};
use std::net::IpAddr;
use std::time::Duration;

/// What is held against somebody.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Strikes {
    count: u32,
    last: Mono,
    /// Not listened to until then.
    until: Mono,
}

impl Strikes {
    fn current(&self, now: Mono) -> u32 {
        if now.since(self.last.max(self.until)) < limits::STRIKES_KEPT { self.count } else { 0 }
    }

    /// One more; the time that nothing is listened to, if `free` are used up.
    pub(crate) fn add(&mut self, now: Mono, free: u32) -> Option<Duration> {
        self.add_for(now, free, limits::IGNORED_LEAST)
    }

    /// The same; the first time is `least`, and each further one twice as long.
    pub(crate) fn add_for(&mut self, now: Mono, free: u32, least: Duration) -> Option<Duration> {
        self.count = self.current(now).saturating_add(1);
        self.last = now;
        let beyond = self.count.checked_sub(free)?;
        let time = least.saturating_mul(1 << beyond.min(16)).min(limits::IGNORED_MOST);
        self.until = now + time;
        Some(time)
    }

    pub(crate) fn is_ignored(&self, now: Mono) -> bool {
        self.until > now
    }

    /// The last one was none; what it began ends.
    pub(crate) fn take_back(&mut self, now: Mono) {
        self.count = self.count.saturating_sub(1);
        self.until = self.until.min(now);
    }
}

/// Somebody guesses at secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guessing {
    /// Where from; of IPv6 the first address of its network of 64 bits.
    pub source: IpAddr,
    /// The name that was tried last.
    pub name: Box<str>,
    /// Wrong answers from there.
    pub strikes: u32,
    /// For how long nothing is listened to.
    pub ignored: Duration,
}

/// All who answered wrong.
#[derive(Debug)]
pub(crate) struct Guesses {
    sources: Recent<Source, (Strikes, Box<str>)>,
    pairs: Recent<(Source, Box<str>), Strikes>,
    /// Names that are tried from everywhere: who is new to them has fewer tries.
    names: Recent<Box<str>, Strikes>,
    /// Reports are words in a log, and strangers do not fill it.
    reports: Option<Bucket>,
    total: u64,
    ignored: u64,
}

impl Default for Guesses {
    fn default() -> Self {
        Guesses {
            sources: Recent::new(limits::GUESSERS),
            pairs: Recent::new(limits::GUESSERS),
            names: Recent::new(limits::GUESSERS),
            reports: None,
            total: 0,
            ignored: 0,
        }
    }
}

impl Guesses {
    /// Whether nothing is listened to that comes from this address under this name. `known`: a device proved its
    /// secret from there not long ago, so others behind the same address must not suffer.
    pub(crate) fn is_ignored(&mut self, now: Mono, address: IpAddr, name: &str, known: bool) -> bool {
        let source = Source::of(address);
        let Some((strikes, _)) = self.sources.peek(&source) else { return false };
        let pair = || self.pairs.peek(&(source, key(name))).is_some_and(|pair| pair.is_ignored(now));
        let ignored = (strikes.is_ignored(now) && !known) || pair();
        self.ignored += u64::from(ignored);
        ignored
    }

    /// How long the next try at a secret has to wait that comes from this address under this name.
    pub(crate) fn wait(&mut self, now: Mono, address: IpAddr, name: &str) -> Duration {
        let source = Source::of(address);
        let Some((strikes, _)) = self.sources.peek(&source) else { return Duration::ZERO };
        let pair = self.pairs.peek(&(source, key(name))).map_or(Mono(0), |pair| pair.until);
        let wait = strikes.until.max(pair).since(now);
        self.ignored += u64::from(!wait.is_zero());
        wait
    }

    /// A wrong answer. Returns what is worth a line in the log.
    pub(crate) fn strike(&mut self, now: Mono, address: IpAddr, name: &str) -> Option<Guessing> {
        self.total += 1;
        let (source, name) = (Source::of(address), key(name));
        let by_name = self.names.touch(&name);
        let wanted = by_name.current(now) >= limits::STRIKES_OF_NAME;
        by_name.add(now, u32::MAX);
        let free = if wanted { limits::STRIKES_WANTED } else { limits::STRIKES_OF_PAIR };
        let pair = self.pairs.touch(&(source, name.clone())).add(now, free);
        let (all, last) = self.sources.touch(&source);
        let whole = all.add(now, limits::STRIKES_OF_SOURCE);
        last.clone_from(&name);
        let ignored = pair.max(whole)?;
        let strikes = all.count;
        let reports = self.reports.get_or_insert(Bucket::full(now, limits::REPORTS_BURST));
        let worth = reports.take(now, limits::REPORTS_BURST, limits::REPORTS_RATE);
        worth.then(|| Guessing { source: source.address(), name, strikes, ignored })
    }

    /// Those who guess, the latest first: at most [`limits::REPORTED`].
    pub(crate) fn list(&self, now: Mono) -> Vec<Guessing> {
        let guessing = |(source, (strikes, name)): (&Source, &(Strikes, Box<str>))| {
            let pair = self.pairs.peek(&(*source, name.clone())).map_or(Mono(0), |pair| pair.until);
            let ignored = strikes.until.max(pair).since(now);
            let count = strikes.current(now);
            (count > 0).then(|| Guessing {
                source: source.address(),
                name: name.clone(),
                strikes: count,
                ignored,
            })
        };
        self.sources.iter().filter_map(guessing).take(limits::REPORTED).collect()
    }

    /// All wrong answers, and the requests that were not listened to.
    pub(crate) fn totals(&self) -> (u64, u64) {
        (self.total, self.ignored)
    }
}

impl Exchange {
    /// A wrong secret or token was tried, at whatever door.
    pub(crate) fn wrong_secret(&mut self, now: Now, source: IpAddr, name: &str) {
        if let Some(guessing) = self.guesses.strike(now.mono, source, name) {
            self.report_guessing(now, guessing);
        }
    }

    /// Tells the operator, and leaves a fact about the source.
    pub(crate) fn report_guessing(&mut self, now: Now, guessing: Guessing) {
        let Guessing { source, name, strikes, ignored } = &guessing;
        let words = format!(
            "{strikes} wrong secrets, the last for {name}: not listened to for {} s",
            ignored.as_secs()
        );
        self.note(now, FactKind::Source, &source.to_string(), "guessing", words);
        self.outputs.push_back(Output::Guessing(guessing));
    }
}

/// A name as it is kept: bounded, and without what could spoil a log (sec_01).
fn key(name: &str) -> Box<str> {
    let clean: String = name.chars().take(limits::NAME_KEPT).collect();
    crate::people::clean_display(&clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const GUESSER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 66));
    const START: Mono = Mono(5_000_000);

    /// Guesses as fast as it is listened to; returns how many were looked at.
    fn guess_for(guesses: &mut Guesses, seconds: u64, name: impl Fn(u64) -> String) -> u64 {
        let tries = (0..seconds * 100).map(|index| (index, START + Duration::from_millis(10 * index)));
        let heard = tries.filter(|(index, now)| {
            let name = name(*index);
            let ignored = guesses.is_ignored(*now, GUESSER, &name, false);
            if !ignored {
                guesses.strike(*now, GUESSER, &name);
            }
            !ignored
        });
        heard.count() as u64
    }

    #[test]
    fn sec_24_guessing_at_one_name_slows_down_to_a_crawl() {
        let mut guesses = Guesses::default();
        let heard = guess_for(&mut guesses, 3_600, |_| "desk-1".into());
        assert!((10..40).contains(&heard), "{heard} guesses in an hour");
        let report = guesses.list(START + Duration::from_secs(3_600)).remove(0);
        assert_eq!((report.source, &*report.name), (GUESSER, "desk-1"));
        assert_eq!(u64::from(report.strikes), heard);
    }

    #[test]
    fn sec_24_trying_many_names_slows_down_too() {
        let mut guesses = Guesses::default();
        let heard = guess_for(&mut guesses, 3_600, |index| format!("desk-{index}"));
        assert!(heard < u64::from(limits::STRIKES_OF_SOURCE) + 30, "{heard} guesses in an hour");
    }

    #[test]
    fn sec_24_an_attacker_elsewhere_does_not_lock_the_owner_out() {
        let mut guesses = Guesses::default();
        guess_for(&mut guesses, 600, |_| "desk-1".into());
        let now = START + Duration::from_secs(600);
        assert!(guesses.is_ignored(now, GUESSER, "desk-1", false));
        assert!(!guesses.is_ignored(now, OFFICE, "desk-1", false));
        guesses.strike(now, OFFICE, "desk-1");
        assert!(!guesses.is_ignored(now, OFFICE, "desk-1", false), "one slip of the finger is forgiven");
    }

    #[test]
    fn r10_a_forgotten_phone_does_not_silence_its_neighbours() {
        let mut guesses = Guesses::default();
        for round in 0..2_000 {
            let now = START + Duration::from_secs(30 * round);
            if !guesses.is_ignored(now, OFFICE, "old-phone", true) {
                guesses.strike(now, OFFICE, "old-phone");
            }
            assert!(!guesses.is_ignored(now, OFFICE, "desk-1", true), "round {round}");
        }
    }

    #[test]
    fn sec_24_the_tables_and_the_log_are_bounded() {
        let mut guesses = Guesses::default();
        let mut reports = 0;
        for index in 0..100_000u32 {
            let address = std::net::Ipv4Addr::from(0x0A00_0000 + index / 20).into();
            reports += u32::from(guesses.strike(START, address, &format!("{index}\r\n\u{202e}")).is_some());
        }
        assert!(guesses.pairs.len() <= limits::GUESSERS && guesses.names.len() <= limits::GUESSERS);
        assert!(reports <= limits::REPORTS_BURST, "{reports} lines");
        let list = guesses.list(START);
        assert!(list.len() <= limits::REPORTED);
        assert!(list.iter().all(|one| one.name.chars().all(|c| c.is_ascii_digit())), "{list:?}");
        assert!(guesses.list(START + limits::STRIKES_KEPT + limits::IGNORED_MOST).is_empty(), "forgiven");
    }
}
