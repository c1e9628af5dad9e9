//! A tap that is judged is redeemed: its PIN checked, its counter bounded, the call taken, in this order; and what became
//! of it is told and kept.

use super::badge::{Badge, BadgeKind, Issue, Mark};
use super::verdict::{Tap, TapAnswer, TapVerdict};
use crate::change::{Change, Owned};
use crate::exchange::{Exchange, Promise};
use crate::facts::FactKind;
use crate::input::{CommandId, Output};
use crate::limits;
use crate::pin::{Pin, PinCheck};
use crate::seats::{Means, Taken};
use crate::sites::PhoneElsewhere;
use crate::sources::Bucket;
use clock::Now;
use sip::ServerKey;

/// A tap that is not answered yet.
#[derive(Debug)]
pub(crate) struct InHand {
    pub(super) asker: Asker,
    /// Among those that its reader remembers; 0 for one that is not.
    pub(super) number: u64,
    pub(super) reader: Box<str>,
    pub(super) device: Box<str>,
    /// Empty until a badge is known by what was read.
    pub(super) badge: Box<str>,
    pub(super) account: Box<str>,
    pub(super) kind: Option<BadgeKind>,
    pub(super) claim: Option<Claim>,
}

/// Who waits for what becomes of a tap.
#[derive(Debug)]
pub(super) enum Asker {
    /// A reader of ours.
    Reader(CommandId),
    /// Another exchange, at whose phone the reader is.
    Exchange(ServerKey, Box<PhoneElsewhere>),
}

/// What a secure tap takes for itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) issue: Issue,
    pub(super) counter: u32,
    /// The highest counter before it.
    pub(super) before: u32,
}

/// A tap that counts, and what was taken by it.
#[derive(Debug)]
pub(crate) struct Redeemed {
    pub(super) tap: InHand,
    taken: Taken,
}

impl InHand {
    pub(super) fn new(id: CommandId, reader: Box<str>, device: Box<str>) -> InHand {
        let nobody = || Box::from("");
        let asker = Asker::Reader(id);
        InHand {
            asker,
            number: 0,
            reader,
            device,
            badge: nobody(),
            account: nobody(),
            kind: None,
            claim: None,
        }
    }

    /// A tap at a reader of another exchange.
    pub(super) fn of_exchange(server: ServerKey, phone: PhoneElsewhere, reader: Box<str>) -> InHand {
        let device = phone.label.clone();
        let asker = Asker::Exchange(server, Box::new(phone));
        InHand { asker, ..InHand::new(CommandId(0), reader, device) }
    }

    pub(super) fn is_of(&mut self, name: &str, badge: &Badge) {
        self.badge = name.into();
        self.account = badge.account.clone();
        self.kind = Some(badge.mark.kind());
    }
}

impl Exchange {
    /// The PIN is compared off the core. The counter is taken before: a right PIN opens one tap.
    pub(super) fn check_tap_pin(&mut self, now: Now, mut tap: InHand, pin: Pin) {
        if self.pin_checks() >= limits::PIN_CHECKS {
            return self.finish_tap(now, tap, TapVerdict::Busy);
        }
        if !self.pins.may_try(now.mono, &tap.account, &tap.reader) {
            return self.finish_tap(now, tap, TapVerdict::Locked);
        }
        if !self.claim(&mut tap) {
            return self.finish_tap(now, tap, TapVerdict::Replayed);
        }
        self.pins.strike(now.mono, &tap.account, &tap.reader);
        let (check, hash) = (self.pins.name_check(), self.pin_hash(&tap.account));
        self.badges.checks.insert(check, tap);
        self.outputs.push_back(Output::VerifyPin { check, hash, pin });
    }

    /// The shell has compared the PIN of a tap.
    pub(crate) fn tap_pin_verified(&mut self, now: Now, check: PinCheck, right: bool) {
        let Some(tap) = self.badges.checks.remove(&check) else { return };
        if right {
            self.pins.forgive(now.mono, &tap.account, &tap.reader);
            if let Some(claim) = tap.claim {
                self.badges.counters.is_sure(claim.issue);
            }
            return self.keep_tap(now, tap);
        }
        // What was told once with a wrong PIN is not told again with the next.
        if let Some(claim) = tap.claim {
            let change = self.badges.counters.bounding(claim.issue, &tap.account, 0);
            self.commit(now, vec![change], Promise::Nothing);
        }
        self.finish_tap(now, tap, TapVerdict::WrongPin);
    }

    pub(super) fn accept_tap(&mut self, now: Now, mut tap: InHand) {
        if !self.claim(&mut tap) {
            return self.finish_tap(now, tap, TapVerdict::Replayed);
        }
        self.keep_tap(now, tap);
    }

    /// Takes the counter of a secure tap; false if another had it first.
    fn claim(&mut self, tap: &mut InHand) -> bool {
        let Some(claim) = &mut tap.claim else { return true };
        match self.badges.counters.raise(claim.issue, claim.counter) {
            Some(before) => {
                claim.before = before;
                true
            }
            None => false,
        }
    }

    /// R21: a tap counts when it could not be told again after a kill; what can be copied anyway has no counter. Whoever
    /// has no PIN could not end the doubt that a step leaves, so these taps wait for the disk one by one.
    fn keep_tap(&mut self, now: Now, tap: InHand) {
        let Some(Claim { issue, counter, .. }) = tap.claim else { return self.tap_kept(now, tap) };
        let has_pin = self.pin_hash(&tap.account).is_some();
        let counters = &mut self.badges.counters;
        if !counters.is_bounded(issue, counter) {
            let step = if has_pin { limits::TAP_STEP } else { 0 };
            let change = counters.bounding(issue, &tap.account, step);
            return self.commit(now, vec![change], Promise::Tap(Box::new(tap)));
        }
        if has_pin && let Some(change) = counters.bounding_ahead(issue, &tap.account) {
            self.commit(now, vec![change], Promise::Nothing);
        }
        self.tap_kept(now, tap);
    }

    /// The exchange ends in order: after it no counter is in doubt.
    pub(crate) fn make_counters_exact(&mut self, now: Now) {
        let counters = &mut self.badges.counters;
        let exact = self.people.register.badges().filter_map(|(_, badge)| match &badge.mark {
            Mark::Secure(_, issue) => counters.exactly(*issue, &badge.account),
            Mark::Ndef(_) | Mark::Uid(_) => None,
        });
        let exact: Vec<Change> = exact.collect();
        if !exact.is_empty() {
            self.commit(now, exact, Promise::Nothing);
        }
    }

    /// The store took bounds of counters, or did not.
    pub(crate) fn counters_stored(&mut self, changes: &[Owned], taken: bool) {
        for owned in changes {
            match owned.change {
                Change::TapCounter { issue, bound, .. } if taken => self.badges.counters.kept(issue, bound),
                Change::TapCounter { issue, .. } => self.badges.counters.not_kept(issue),
                _ => {}
            }
        }
    }

    /// The tap counts, if nothing changed while it waited.
    pub(crate) fn tap_kept(&mut self, now: Now, tap: InHand) {
        let badge = self.people.badge(&tap.badge).filter(|badge| badge.account == tap.account);
        if badge.is_none_or(|badge| badge.revoked.is_some()) {
            return self.finish_tap(now, tap, TapVerdict::Revoked);
        }
        let taken = match tap.asker.phone() {
            Some(phone) => self.take_elsewhere(now, &tap.account, phone),
            None if self.people.reader(&tap.reader).is_none_or(|reader| reader.device != tap.device) => {
                return self.finish_tap(now, tap, TapVerdict::UnknownReader);
            }
            None => self.take(now, &tap.account, &tap.device, Means::Badge),
        };
        let redeemed = Redeemed { tap, taken };
        match redeemed.taken {
            // A seat is promised once it is kept (R20); a call that comes promises nothing.
            Taken::SignedIn { .. } | Taken::SignedOut => {
                self.commit(now, Vec::new(), Promise::Tapped(Box::new(redeemed)));
            }
            _ => self.tap_redeemed(now, redeemed),
        }
    }

    /// What was taken is told.
    pub(crate) fn tap_redeemed(&mut self, now: Now, redeemed: Redeemed) {
        let Redeemed { tap, taken } = redeemed;
        let mut answer = TapAnswer::of(TapVerdict::Accepted, Some(tap.badge.clone()));
        answer.words = words(&taken);
        answer.account = Some(tap.account.clone());
        answer.taken = Some(taken);
        self.answer_and_keep(now, tap, answer);
    }

    /// The store did not take the counter: nothing has happened, and the same tap may be told again.
    pub(crate) fn tap_not_kept(&mut self, now: Now, tap: InHand) {
        if let Some(Claim { issue, counter, before }) = tap.claim {
            self.badges.counters.lower(issue, counter, before);
            self.badges.counters.not_kept(issue);
        }
        self.finish_tap(now, tap, TapVerdict::NotStored);
    }

    /// The store did not take the seat; it is live, and promised to nobody (R20).
    pub(crate) fn seat_not_kept(&mut self, now: Now, redeemed: Redeemed) {
        self.finish_tap(now, redeemed.tap, TapVerdict::NotStored);
    }

    /// Answers a tap that does not count, and keeps what became of it.
    pub(super) fn finish_tap(&mut self, now: Now, tap: InHand, verdict: TapVerdict) {
        let known = Some(tap.badge.clone()).filter(|badge| !badge.is_empty());
        self.answer_and_keep(now, tap, TapAnswer::of(verdict, known));
    }

    pub(super) fn answer_and_keep(&mut self, now: Now, tap: InHand, answer: TapAnswer) {
        let id = match tap.asker {
            Asker::Reader(id) => id,
            Asker::Exchange(server, _) => {
                self.tell_judged(now, server, &answer);
                // What nobody of ours has tapped is kept where it was read.
                if !tap.badge.is_empty() {
                    self.keep_verdict(now, tap, &answer);
                }
                return;
            }
        };
        let at = self.badges.readers.get_mut(&tap.reader);
        let waiting = at.map(|at| at.end(tap.number, &answer)).unwrap_or_default();
        self.answer_tap([id].into_iter().chain(waiting), &answer);
        self.keep_verdict(now, tap, &answer);
    }

    fn keep_verdict(&mut self, now: Now, tap: InHand, answer: &TapAnswer) {
        let verdict = answer.verdict;
        match verdict {
            // Nothing was decided.
            TapVerdict::Busy | TapVerdict::NotStored => return,
            TapVerdict::TooFast | TapVerdict::Locked => {
                let Some(at) = self.badges.readers.get_mut(&tap.reader) else { return };
                let rows = at.rows.get_or_insert(Bucket::full(now.mono, limits::FAST_ROWS));
                if !rows.take(now.mono, limits::FAST_ROWS, 1) {
                    return;
                }
            }
            _ => {}
        }
        if !matches!(verdict, TapVerdict::Accepted | TapVerdict::PinNeeded) {
            let (kind, subject) = match &*tap.badge {
                "" => (FactKind::Reader, &tap.reader),
                _ => (FactKind::Badge, &tap.badge),
            };
            let words = match &*tap.badge {
                "" => format!("a tap at {} was refused: {}", tap.reader, verdict.words()),
                badge => format!("a tap of {badge} at {} was refused: {}", tap.reader, verdict.words()),
            };
            self.note(now, kind, &subject.clone(), verdict.name(), words);
        }
        let InHand { reader, device, badge, account, kind, .. } = tap;
        let words = answer.words.clone();
        let row = Tap { time: now.wall, account, badge, kind, reader, device, verdict, words };
        self.commit(now, vec![Change::Tap(Box::new(row))], Promise::Nothing);
    }
}

/// What was taken, for whoever stands there.
fn words(taken: &Taken) -> Box<str> {
    match taken {
        Taken::SignedIn { who_called: Some(caller), .. } => {
            format!("signed in; {} called just before", caller.number).into()
        }
        Taken::SignedIn { who_called: None, .. } => "signed in".into(),
        Taken::SignedOut => "signed out".into(),
        Taken::Ringing { .. } => "the call comes here".into(),
        Taken::Moving { .. } => "the talk comes here".into(),
        Taken::Comes { talk: false, .. } => "the call comes here".into(),
        Taken::Comes { talk: true, .. } => "the talk comes here".into(),
        Taken::Here { .. } => "the talk is here already".into(),
        Taken::Refused { words, .. } => words.clone(),
    }
}
