//! Whose hand a callee's number is in: one attempt at a time over all exchanges, and what theirs came to counts for all (R26).
//!
//! ```text
//! claim --> nobody else has it: it is theirs, with what others' attempts came to   --> attempted: kept for 26 hours
//!       \-> somebody else has it: until when
//! ```

use crate::limits;
use crate::names::{ExchangeName, Number};
use clock::Wall;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An attempt at a number that an exchange has told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempted {
    /// When it began, in milliseconds since 1970 by our clock.
    pub began: i64,
    /// When it ended.
    pub ended: i64,
    /// What it came to, by the names of docs/causes.md.
    pub outcome: Box<str>,
}

/// What an exchange hears that wants to call a number by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claimed {
    /// Until when it is in somebody else's hand; nothing if it is in the asker's.
    pub(crate) held: Option<Wall>,
    /// What has come of others' attempts since the asker was told last.
    pub(crate) attempts: Vec<Attempted>,
}

/// Who is calling it now.
#[derive(Debug)]
struct Hand {
    exchange: ExchangeName,
    since: Wall,
    until: Wall,
}

#[derive(Debug, Default)]
struct Known {
    hand: Option<Hand>,
    /// Who asked for it meanwhile.
    waiting: BTreeSet<ExchangeName>,
    /// With a count that never goes back, and whose it was.
    attempts: Vec<(u64, ExchangeName, Attempted)>,
    /// What each exchange has been told of.
    told: BTreeMap<ExchangeName, u64>,
}

/// All numbers that are being called by themselves, or were of late.
#[derive(Debug, Default)]
pub(crate) struct CalleeClaims {
    numbers: BTreeMap<Number, Known>,
    count: u64,
    /// Nothing is given away before exchanges had the time to say what is theirs already.
    quiet_until: Option<Wall>,
    swept: Wall,
}

impl CalleeClaims {
    /// The directory hears something for the first time, or once more.
    pub(crate) fn begin(&mut self, now: Wall) {
        self.quiet_until.get_or_insert(Wall(now.0.saturating_add(milliseconds(limits::CLAIMS_QUIET))));
    }

    /// `again`: the exchange has it already, and its connection is a new one.
    pub(crate) fn claim(
        &mut self,
        now: Wall,
        exchange: &ExchangeName,
        number: &Number,
        again: bool,
    ) -> Claimed {
        self.begin(now);
        let quiet_until = self.quiet_until.unwrap_or(now);
        self.sweep(now);
        let full = self.numbers.len() >= limits::CLAIMED && !self.numbers.contains_key(number);
        if full {
            // It is asked again then, and room may have come.
            let held = Some(Wall(now.0.saturating_add(milliseconds(limits::CLAIM_LIFE))));
            return Claimed { held, attempts: Vec::new() };
        }
        let known = self.numbers.entry(number.clone()).or_default();
        self.count += known.give_up(now, self.count);
        let attempts = known.news_for(exchange);
        let other = known.hand.as_ref().filter(|hand| hand.exchange != *exchange);
        let held = match other {
            // It is over sooner, mostly: they ask again then.
            Some(hand) => Some(hand.until.min(Wall(now.0.saturating_add(milliseconds(limits::CLAIM_HELD))))),
            None => (!again && now < quiet_until).then_some(quiet_until),
        };
        if other.is_some() {
            known.waiting.insert(exchange.clone());
        }
        // Whoever learns of others' attempts looks at its rules again first.
        if held.is_none() && (attempts.is_empty() || again) {
            let until = Wall(now.0.saturating_add(milliseconds(limits::CLAIM_LIFE)));
            let since = known.hand.as_ref().map_or(now, |hand| hand.since);
            known.hand = Some(Hand { exchange: exchange.clone(), since, until });
        }
        Claimed { held, attempts }
    }

    /// An attempt is over; nothing: it never left. Those who wait for the number, each with what is news to them.
    pub(crate) fn attempted(
        &mut self,
        exchange: &ExchangeName,
        number: &Number,
        attempted: Option<Attempted>,
    ) -> Vec<(ExchangeName, Vec<Attempted>)> {
        let Some(known) = self.numbers.get_mut(number) else { return Vec::new() };
        // Who has lost it meanwhile has made an attempt all the same.
        if known.hand.as_ref().is_some_and(|hand| hand.exchange == *exchange) {
            known.hand = None;
        }
        if let Some(attempted) = attempted {
            self.count += 1;
            known.remember(self.count, exchange.clone(), attempted);
        }
        if known.hand.is_some() {
            return Vec::new();
        }
        let waiting = std::mem::take(&mut known.waiting);
        waiting.into_iter().map(|exchange| (exchange.clone(), known.news_for(&exchange))).collect()
    }

    /// The exchanges that have called a number by themselves of late.
    pub(crate) fn who_tried(&self, number: &Number) -> BTreeSet<ExchangeName> {
        let known = self.numbers.get(number).into_iter();
        known.flat_map(|known| known.attempts.iter().map(|(_, exchange, _)| exchange.clone())).collect()
    }

    fn sweep(&mut self, now: Wall) {
        if now.0.saturating_sub(self.swept.0) < milliseconds(limits::CLAIM_LIFE) {
            return;
        }
        self.swept = now;
        let old = now.0.saturating_sub(milliseconds(limits::ATTEMPTS_KEPT));
        let mut count = self.count;
        self.numbers.retain(|_, known| {
            count += known.give_up(now, count);
            known.attempts.retain(|(.., attempted)| attempted.ended >= old);
            known.hand.is_some() || !known.attempts.is_empty()
        });
        self.count = count;
    }
}

impl Known {
    /// Who has said nothing for so long has died with it: nobody knows whether it rang.
    fn give_up(&mut self, now: Wall, count: u64) -> u64 {
        let Some(hand) = self.hand.take_if(|hand| hand.until <= now) else { return 0 };
        let attempted = Attempted { began: hand.since.0, ended: hand.until.0, outcome: "lost".into() };
        self.remember(count + 1, hand.exchange, attempted);
        1
    }

    fn remember(&mut self, count: u64, exchange: ExchangeName, attempted: Attempted) {
        if self.attempts.len() >= limits::ATTEMPTS_OF_ONE {
            self.attempts.remove(0);
        }
        self.attempts.push((count, exchange, attempted));
    }

    fn news_for(&mut self, exchange: &ExchangeName) -> Vec<Attempted> {
        let told = self.told.get(exchange).copied().unwrap_or(0);
        let news = self.attempts.iter().filter(|(count, whose, _)| *count > told && whose != exchange);
        let news: Vec<Attempted> = news.map(|(.., attempted)| attempted.clone()).collect();
        if let Some((newest, ..)) = self.attempts.last() {
            self.told.insert(exchange.clone(), *newest);
        }
        news
    }
}

fn milliseconds(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Named as _;

    const START: i64 = 1_800_000_000_000;

    fn x() -> ExchangeName {
        ExchangeName::parse("x").unwrap()
    }

    fn y() -> ExchangeName {
        ExchangeName::parse("y").unwrap()
    }

    fn callee() -> Number {
        Number::parse("+8613800138000").unwrap()
    }

    fn at(seconds: i64) -> Wall {
        Wall(START + 1_000 * seconds)
    }

    fn busy(began: i64, ended: i64) -> Attempted {
        Attempted { began: at(began).0, ended: at(ended).0, outcome: "busy".into() }
    }

    /// After the quiet time.
    fn claims() -> CalleeClaims {
        let mut claims = CalleeClaims::default();
        assert!(claims.claim(at(0), &x(), &callee(), false).held.is_some(), "quiet at the start");
        claims
    }

    #[test]
    fn one_has_it_and_the_other_learns_what_came_of_it() {
        let mut claims = claims();
        assert_eq!(claims.claim(at(60), &x(), &callee(), false), Claimed { held: None, attempts: vec![] });
        let taken = claims.claim(at(61), &y(), &callee(), false);
        assert!(taken.held.is_some_and(|until| until > at(60)) && taken.attempts.is_empty());
        // Who waits is told; when it asks again, knowing that, it is given it.
        let told = claims.attempted(&x(), &callee(), Some(busy(60, 70)));
        assert_eq!(told, [(y(), vec![busy(60, 70)])]);
        assert_eq!(claims.claim(at(81), &x(), &callee(), false).held, None, "it was given to nobody yet");
        assert_eq!(claims.attempted(&x(), &callee(), Some(busy(81, 90))), []);
        let told = claims.claim(at(91), &y(), &callee(), false);
        assert_eq!(told, Claimed { held: None, attempts: vec![busy(81, 90)] }, "its rules come first");
        assert_eq!(claims.claim(at(600), &y(), &callee(), false), Claimed { held: None, attempts: vec![] });
        assert!(claims.claim(at(601), &x(), &callee(), false).held.is_some());
    }

    #[test]
    fn who_dies_with_it_has_made_an_attempt_and_holds_it_no_longer() {
        let mut claims = claims();
        claims.claim(at(60), &x(), &callee(), false);
        let life = i64::try_from(limits::CLAIM_LIFE.as_secs()).unwrap();
        let told = claims.claim(at(60 + life), &y(), &callee(), false);
        assert_eq!(told.held, None);
        assert_eq!(told.attempts.len(), 1);
        assert_eq!(&*told.attempts[0].outcome, "lost");
        // What it says late is an attempt as well.
        claims.attempted(&x(), &callee(), Some(busy(60, 70)));
        assert_eq!(claims.claim(at(61 + life), &y(), &callee(), false).attempts, vec![busy(60, 70)]);
        assert_eq!(claims.claim(at(62 + life), &y(), &callee(), false).held, None);
    }

    #[test]
    fn a_directory_that_comes_back_gives_nothing_away_that_is_taken() {
        let mut claims = CalleeClaims::default();
        let quiet = claims.claim(at(0), &y(), &callee(), false);
        assert_eq!(quiet.held, Some(Wall(at(0).0 + milliseconds(limits::CLAIMS_QUIET))));
        assert_eq!(claims.claim(at(1), &x(), &callee(), true).held, None, "it had it before");
        assert!(claims.claim(at(60), &y(), &callee(), false).held.is_some());
    }

    #[test]
    fn what_is_long_over_is_forgotten() {
        let mut claims = claims();
        claims.claim(at(60), &x(), &callee(), false);
        claims.attempted(&x(), &callee(), Some(busy(60, 70)));
        let later = at(70 + i64::try_from(limits::ATTEMPTS_KEPT.as_secs()).unwrap() + 1);
        let other = Number::parse("2041").unwrap();
        claims.claim(later, &y(), &other, false);
        assert!(!claims.numbers.contains_key(&callee()));
        assert_eq!(claims.claim(later, &y(), &callee(), false), Claimed { held: None, attempts: vec![] });
    }
}
