//! A tap is judged: reader, repetition, pace, badge, kind, PIN, in this order.

use super::badge::{Badge, Mark};
use super::policy::WeekTime;
use super::reading::{Reading, Record};
use super::redeem::{Claim, InHand};
use super::verdict::{TapAnswer, TapVerdict};
use super::{State, secure};
use crate::exchange::Exchange;
use crate::input::CommandId;
use crate::limits;
use crate::pin::Pin;
use crate::sources::Bucket;
use clock::{Mono, Now};
use sip::bearer::TokenHash;
use std::net::IpAddr;

/// A badge was held to a reader.
#[derive(Clone, Debug)]
pub struct TapRequest {
    /// Of the key that the reader proved itself with.
    pub reader: TokenHash,
    /// Where it asks from.
    pub source: IpAddr,
    /// What the reader calls this tap, so that it is counted once however often it is told. Without one, the same reading
    /// within [`limits::TAP_AGAIN`] is the same tap.
    pub id: Option<Box<str>>,
    /// What was read.
    pub reading: Reading,
    /// The PIN that was keyed beside it.
    pub pin: Option<Pin>,
    /// When, in the office's time zone.
    pub at: WeekTime,
}

/// What is known of a tap that may have been told before.
enum Before {
    Never,
    /// It is in hand, and who asks now waits with who asked first.
    Waits,
    Answered(TapAnswer),
}

/// Under this name, guesses at the keys of readers are counted.
const READER_KEYS: &str = "reader";

impl Exchange {
    /// Judges a tap and answers, now or when the PIN is checked and the store has its counter.
    pub(crate) fn tap(&mut self, now: Now, id: CommandId, request: TapRequest) {
        let known = self.people.register.reader_of_key(&request.reader);
        let Some((reader, device)) = known.map(|(name, reader)| (Box::from(name), reader.device.clone()))
        else {
            return self.unknown_reader(now, id, request.source);
        };
        match self.told_before(now.mono, id, &reader, &request) {
            Before::Never => self.new_tap(now, InHand::new(id, reader, device), request),
            Before::Waits => {}
            Before::Answered(answer) => self.answer_tap([id], &answer),
        }
    }

    /// A right key is heard from wherever it comes: one reader with an old key does not silence its neighbours.
    fn unknown_reader(&mut self, now: Now, id: CommandId, source: IpAddr) {
        let wait = self.guesses.wait(now.mono, source, READER_KEYS);
        if wait.is_zero() {
            self.wrong_secret(now, source, READER_KEYS);
        }
        let verdict = if wait.is_zero() { TapVerdict::UnknownReader } else { TapVerdict::Locked };
        self.answer_tap([id], &TapAnswer { wait, ..TapAnswer::of(verdict, None) });
    }

    fn told_before(&mut self, now: Mono, id: CommandId, reader: &str, request: &TapRequest) -> Before {
        let Some(at) = self.badges.readers.get_mut(reader) else { return Before::Never };
        let hash = &request.reading.hash;
        let Some(known) = at.known(now, request.id.as_deref(), hash) else { return Before::Never };
        if known.hash != *hash {
            return Before::Answered(TapAnswer::of(TapVerdict::IdUsed, None));
        }
        let number = known.number;
        match &mut known.state {
            State::InHand(waiting) if waiting.len() < limits::TAP_WAITERS => {
                waiting.push(id);
                Before::Waits
            }
            State::InHand(_) => Before::Answered(TapAnswer::of(TapVerdict::Busy, None)),
            State::Answered(answer) if answer.verdict == TapVerdict::PinNeeded && request.pin.is_some() => {
                at.taps.retain(|tap| tap.number != number);
                Before::Never
            }
            State::Answered(answer) => Before::Answered(answer.clone()),
        }
    }

    fn new_tap(&mut self, now: Now, mut tap: InHand, request: TapRequest) {
        let at = self.badges.readers.entry(tap.reader.clone()).or_default();
        let bucket = at.bucket.get_or_insert(Bucket::full(now.mono, limits::READER_BURST));
        if !bucket.take(now.mono, limits::READER_BURST, limits::READER_RATE) {
            return self.finish_tap(now, tap, TapVerdict::TooFast);
        }
        let TapRequest { id, reading, pin, at: when, .. } = request;
        match at.begin(now.mono, id, reading.hash) {
            Some(number) => tap.number = number,
            None => return self.finish_tap(now, tap, TapVerdict::Busy),
        }
        let nobodys = self.badge_of(&mut tap, &reading) == Err(TapVerdict::UnknownBadge);
        if nobodys && self.may_be_of_others(now, &tap.reader) {
            return self.ask_whose_badge(now, tap, reading, (pin, when));
        }
        let identified = self.identify(now, &mut tap, &reading);
        self.judge_identified(now, tap, identified, (pin, when));
    }

    /// Whose badge it is, is known, or that it is nobody's.
    pub(super) fn judge_identified(
        &mut self,
        now: Now,
        tap: InHand,
        identified: Result<Badge, TapVerdict>,
        (pin, when): (Option<Pin>, WeekTime),
    ) {
        let judged = identified.and_then(|badge| self.judge(now, &tap, &badge));
        let judged = judged.and_then(|()| self.needs_pin(&tap, when, pin.is_some()));
        match (judged, pin) {
            (Err(verdict), _) => self.finish_tap(now, tap, verdict),
            (Ok(true), Some(pin)) => self.check_tap_pin(now, tap, pin),
            (Ok(_), _) => self.accept_tap(now, tap),
        }
    }

    /// The badge that tells this. What no badge has told is held against the reader: it may be somebody who guesses.
    pub(super) fn identify(
        &mut self,
        now: Now,
        tap: &mut InHand,
        reading: &Reading,
    ) -> Result<Badge, TapVerdict> {
        let found = self.badge_of(tap, reading);
        let nobodys = reading.uid.filter(|uid| self.people.register.of_chip(uid).is_none());
        let Some(at) = self.badges.readers.get_mut(&tap.reader) else { return found };
        let locked = at.strikes.is_ignored(now.mono);
        match found {
            Ok(badge) if locked && badge.mark.kind().is_clonable() => Err(TapVerdict::Locked),
            Err(_) if locked => Err(TapVerdict::Locked),
            Err(verdict) => {
                if let (TapVerdict::UnknownBadge, Some(uid)) = (verdict, nobodys) {
                    at.unknown = Some((uid, now));
                }
                at.strikes.add(now.mono, limits::READER_STRIKES);
                Err(verdict)
            }
            Ok(badge) => Ok(badge),
        }
    }

    /// A record in the form of a secure badge counts as one, or not at all.
    pub(super) fn badge_of(&self, tap: &mut InHand, reading: &Reading) -> Result<Badge, TapVerdict> {
        let register = &self.people.register;
        let (picc_data, mac) = match &reading.record {
            Some(Record::Secure { picc_data, mac }) => (picc_data, mac),
            Some(Record::Garbled) => return Err(TapVerdict::Forged),
            Some(Record::Text(_)) | None => {
                let text = match &reading.record {
                    Some(Record::Text(hash)) => register.of_text(hash),
                    _ => None,
                };
                let uid = || register.of_uid(reading.uid.as_ref()?);
                let (name, badge) = text.or_else(uid).ok_or(TapVerdict::UnknownBadge)?;
                tap.is_of(name, badge);
                return Ok(badge.clone());
            }
        };
        let keys = register.keys().ok_or(TapVerdict::UnknownBadge)?;
        let told = secure::open(&keys.meta, picc_data).ok_or(TapVerdict::UnknownBadge)?;
        let (name, badge) = register.of_chip(&told.uid).ok_or(TapVerdict::UnknownBadge)?;
        tap.is_of(name, badge);
        let Mark::Secure(uid, issue) = &badge.mark else { return Err(TapVerdict::UnknownBadge) };
        if !secure::is_proved(&keys.of_badge(uid, issue), &told, mac) {
            return Err(TapVerdict::Forged);
        }
        tap.claim = Some(Claim { issue: *issue, counter: told.counter, before: 0 });
        Ok(badge.clone())
    }

    fn judge(&mut self, now: Now, tap: &InHand, badge: &Badge) -> Result<(), TapVerdict> {
        // An account that left takes its badges along; one that was made meanwhile is nobody's.
        if badge.revoked.is_some() || self.people.account(&badge.account).is_none() {
            return Err(TapVerdict::Revoked);
        }
        if !self.config.badges.allows(badge.mark.kind()) {
            return Err(TapVerdict::KindNotAllowed);
        }
        if tap.claim.as_ref().is_some_and(|claim| !self.badges.counters.is_above(claim.issue, claim.counter))
        {
            return Err(TapVerdict::Replayed);
        }
        let bucket = self.badges.buckets.entry(tap.badge.clone());
        let bucket = bucket.or_insert(Bucket::full(now.mono, limits::BADGE_BURST));
        if bucket.take(now.mono, limits::BADGE_BURST, limits::BADGE_RATE) {
            Ok(())
        } else {
            Err(TapVerdict::TooFast)
        }
    }

    /// Whether the PIN has to be checked. A tap that lacks it stays untapped: it is told again with it.
    fn needs_pin(&self, tap: &InHand, when: WeekTime, has: bool) -> Result<bool, TapVerdict> {
        let in_doubt =
            tap.claim.is_some_and(|claim| self.badges.counters.is_doubtful(claim.issue, claim.counter));
        let asked = in_doubt || tap.kind.is_some_and(|kind| self.config.badges.asks_pin(kind, when));
        match (asked, has) {
            (false, _) => Ok(false),
            (true, _) if self.pin_hash(&tap.account).is_none() => Err(TapVerdict::NoPin),
            (true, true) => Ok(true),
            (true, false) => Err(TapVerdict::PinNeeded),
        }
    }
}
