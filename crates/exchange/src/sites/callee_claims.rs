//! One attempt at a callee's number at a time over all exchanges (R26): before the exchange calls somebody outside by itself, or
//! somebody of another exchange, the directory is asked whether another does; afterwards it is told what came of it, and so are
//! the others.
//!
//! ```text
//! Dial --> Tell(Claim) --> Claimed, nobody has it --> the call --> Tell(Attempted)
//!                      \-> held, or others have called meanwhile --> the rules are asked anew with what they did
//! ```
//! While the directory cannot be asked nothing is called outside by itself: what must happen once waits (R25). A phone that somebody
//! dials on is another matter, and so is one of the office: it is called by the copy, and rings for two at worst.

use super::{SiteOutput, SiteWord};
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::limits;
use clock::{Mono, Now, Wall};
use dialing::cause::{Finding, Outcome};
use dialing::{AttemptId, Dial, Input};
use directory::{Attempted, Named as _, Number, RequestId};
use std::collections::BTreeMap;

/// Says whose word it is why an attempt waits.
const RULE: &str = "task.claim";

/// Attempts that wait for the directory's word, and those that it allowed.
#[derive(Debug, Default)]
pub(crate) struct CalleeClaims {
    asked: BTreeMap<u64, (Mono, Box<Dial>)>,
    ours: BTreeMap<AttemptId, Ours>,
    /// When the directory is told again of those that are ours.
    again_at: Option<Mono>,
}

#[derive(Debug)]
struct Ours {
    number: Number,
    /// By the directory's clock.
    began: Wall,
}

impl CalleeClaims {
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        let asked = self.asked.values().map(|(until, _)| *until);
        asked.chain(self.again_at.filter(|_| !self.ours.is_empty())).min()
    }

    fn of(&self, attempt: AttemptId) -> Option<u64> {
        self.asked.iter().find(|(_, (_, dial))| dial.attempt == attempt).map(|(id, _)| *id)
    }
}

impl Exchange {
    /// The claim is written here: now it is asked whether others call that number, if there may be others.
    pub(crate) fn attempt_is_due(&mut self, now: Now, dial: Box<Dial>) {
        let number = dial.number.to_string();
        let inside = dial.number.is_inside();
        let shared = (!inside || self.sites.lists(&number)).then(|| Number::parse(&number).ok()).flatten();
        let (Some(joined), Some(number)) = (&self.sites.joined, shared) else {
            return self.make_attempt(now, &dial);
        };
        if !joined.connected {
            return match inside {
                true => self.make_attempt(now, &dial),
                false => self.cannot_ask(now, &dial, "there is no connection to the directory"),
            };
        }
        self.sites.next += 1;
        let id = self.sites.next;
        self.sites.callees.asked.insert(id, (now.mono + limits::SITE_PATIENCE, dial));
        self.ask_shell(SiteOutput::Tell(SiteWord::Claim(RequestId(id), number)));
    }

    /// The directory's word on a number.
    pub(super) fn number_claimed(
        &mut self,
        now: Now,
        id: RequestId,
        held: Option<i64>,
        attempts: Vec<Attempted>,
    ) {
        let Some((_, dial)) = self.sites.callees.asked.remove(&id.0) else { return };
        let Some(joined) = &self.sites.joined else { return };
        let (offset, began) = (joined.offset, joined.time(now));
        if held.is_none() && attempts.is_empty() {
            let Ok(number) = Number::parse(&dial.number.to_string()) else { return };
            self.sites.callees.ours.insert(dial.attempt, Ours { number, began });
            let again = now.mono + limits::CLAIM_AGAIN;
            self.sites.callees.again_at.get_or_insert(again);
            return self.make_attempt(now, &dial);
        }
        let attempts = by_our_clock(offset, &attempts);
        let words = match held {
            Some(_) => "another exchange may be calling this number".to_owned(),
            None => format!("other exchanges have called this number: {} attempts", attempts.len()),
        };
        self.forestalled(now, &dial, words, attempts, held.map(|at| Wall(at.saturating_sub(offset))));
    }

    /// One that others had in hand is free again.
    pub(super) fn number_released(&mut self, now: Now, number: &Number, attempts: &[Attempted]) {
        let Some(joined) = &self.sites.joined else { return };
        let Ok(number) = dialing::Number::parse(number.as_str()) else { return };
        let attempts = by_our_clock(joined.offset, attempts);
        self.background.dialing.handle(now, Input::Elsewhere { number, attempts, held: None });
        self.carry_background(now);
    }

    fn cannot_ask(&mut self, now: Now, dial: &Dial, why: &str) {
        let retry = i64::try_from(limits::CLAIM_RETRY.as_millis()).unwrap_or(i64::MAX);
        let until = Wall(now.wall.0.saturating_add(retry));
        let words = format!("it cannot be asked whether another exchange calls this number: {why}");
        self.forestalled(now, dial, words, Vec::new(), Some(until));
    }

    /// The attempt never leaves; what others do counts, and when it may be tried again follows from it.
    fn forestalled(
        &mut self,
        now: Now,
        dial: &Dial,
        words: String,
        attempts: Vec<(Wall, Wall, Finding)>,
        held: Option<Wall>,
    ) {
        self.note(now, FactKind::Task, &dial.attempt.task.0.to_string(), RULE, words);
        let number = dial.number;
        self.background.dialing.handle(now, Input::Elsewhere { number, attempts, held });
        self.finish_attempt(now, dial.attempt, Finding::sure(Outcome::NotDialled));
    }

    /// An attempt is wanted no more while the directory has not said anything; whether it was so.
    pub(crate) fn claim_given_up(&mut self, now: Now, attempt: AttemptId) -> bool {
        let Some(id) = self.sites.callees.of(attempt) else { return false };
        if let Some((_, dial)) = self.sites.callees.asked.remove(&id) {
            self.tell_attempted(&dial, None);
        }
        self.finish_attempt(now, attempt, Finding::sure(Outcome::NotDialled));
        true
    }

    /// An attempt is over: the others may call that number, and know what came of this.
    pub(crate) fn claim_is_over(&mut self, now: Now, attempt: AttemptId, outcome: Outcome) {
        let Some(ours) = self.sites.callees.ours.remove(&attempt) else { return };
        let Some(joined) = &self.sites.joined else { return };
        let attempted = (outcome != Outcome::NotDialled).then(|| Attempted {
            began: ours.began.0,
            ended: joined.time(now).0,
            outcome: outcome.name().into(),
        });
        self.ask_shell(SiteOutput::Tell(SiteWord::Attempted(ours.number, attempted)));
    }

    fn tell_attempted(&mut self, dial: &Dial, attempted: Option<Attempted>) {
        if let Ok(number) = Number::parse(&dial.number.to_string()) {
            self.ask_shell(SiteOutput::Tell(SiteWord::Attempted(number, attempted)));
        }
    }

    /// The directory hears, at a new connection and now and then, which numbers are ours.
    pub(super) fn claim_again(&mut self, now: Now) {
        self.sites.callees.again_at = Some(now.mono + limits::CLAIM_AGAIN);
        let numbers: Vec<Number> = self.sites.callees.ours.values().map(|ours| ours.number.clone()).collect();
        for number in numbers {
            self.ask_shell(SiteOutput::Tell(SiteWord::Claim(RequestId(0), number)));
        }
    }

    /// Nobody answers any more who was asked.
    pub(super) fn claims_are_lost(&mut self, now: Now, why: &str) {
        for (_, dial) in std::mem::take(&mut self.sites.callees.asked).into_values() {
            self.cannot_ask(now, &dial, why);
        }
    }

    pub(super) fn claims_due(&mut self, now: Now) {
        let late = self.sites.callees.asked.extract_if(.., |_, (until, _)| *until <= now.mono);
        let late: Vec<Box<Dial>> = late.map(|(_, (_, dial))| dial).collect();
        for dial in late {
            // If its word comes after all, it is for nobody.
            self.tell_attempted(&dial, None);
            self.cannot_ask(now, &dial, "the directory does not answer");
        }
        if self.sites.callees.again_at.is_some_and(|at| at <= now.mono) {
            match self.sites.callees.ours.is_empty() {
                true => self.sites.callees.again_at = None,
                false => self.claim_again(now),
            }
        }
    }
}

fn by_our_clock(offset: i64, attempts: &[Attempted]) -> Vec<(Wall, Wall, Finding)> {
    let ours = |time: i64| Wall(time.saturating_sub(offset));
    // A name that we do not know is one of a newer exchange.
    let finding = |name: &str| Finding::sure(Outcome::by_name(name).unwrap_or(Outcome::Lost));
    attempts.iter().map(|made| (ours(made.began), ours(made.ended), finding(&made.outcome))).collect()
}
