//! Making and revoking badges and readers, and forgetting taps.

use super::State;
use super::badge::{Badge, BadgeKeys, Issue, Mark, Uid};
use super::reading::text_hash;
use super::register::Reader;
use super::verdict::{TapAnswer, TapVerdict};
use crate::change::Change;
use crate::command::Answer;
use crate::exchange::{Exchange, Promise};
use crate::input::CommandId;
use crate::people::{PeopleChange, Refusal, clean_display};
use clock::Now;
use std::time::Duration;

/// A badge that shall be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBadge {
    /// Its name.
    pub name: Box<str>,
    /// Whose it is.
    pub account: Box<str>,
    /// What it is, for its owner.
    pub label: Box<str>,
    /// What it is known by.
    pub mark: NewMark,
}

/// What a new badge is known by.
#[derive(Clone, PartialEq, Eq)]
pub enum NewMark {
    /// The text of its record; only its hash is kept.
    Ndef(Box<str>),
    /// Its UID.
    Uid(Uid),
    /// The UID of its chip; the keys are made.
    Secure(Uid),
}

impl std::fmt::Debug for NewMark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // It may be a token.
            NewMark::Ndef(_) => f.write_str("Ndef(...)"),
            NewMark::Uid(uid) => write!(f, "Uid({uid})"),
            NewMark::Secure(uid) => write!(f, "Secure({uid})"),
        }
    }
}

impl Exchange {
    pub(crate) fn add_badge(&mut self, now: Now, id: CommandId, new: NewBadge) {
        match self.made_badge(now, new) {
            Ok((changes, answer)) => {
                self.commit(now, changes, Promise::Made { id, answer: Box::new(answer) });
            }
            Err(refusal) => self.answer(id, Answer::Refused(refusal)),
        }
    }

    fn made_badge(&mut self, now: Now, new: NewBadge) -> Result<(Vec<Change>, Answer), Refusal> {
        let NewBadge { name, account, label, mark } = new;
        let mark = match mark {
            NewMark::Ndef(text) => Mark::Ndef(text_hash(&text)),
            NewMark::Uid(uid) => Mark::Uid(uid),
            NewMark::Secure(uid) => Mark::Secure(uid, Issue(self.random_octets())),
        };
        let kind = mark.kind();
        if !self.config.badges.allows(kind) {
            let words = format!("badges of the kind {} open nothing; see allow below [badges]", kind.name());
            return Err(Refusal::Nonsense(words.into()));
        }
        let label = clean_display(&label);
        let badge = Badge { account, label, mark, made: now.wall, revoked: None };
        if self.people.badge(&name).is_some() {
            return Err(Refusal::Exists("badge", name));
        }
        self.people.check_badge(&name, &badge)?;
        // What is on its way to the store counts, too.
        let alike = |one: &Mark, other: &Mark| match (one, other) {
            (Mark::Ndef(one), Mark::Ndef(other)) => one == other,
            (Mark::Uid(one) | Mark::Secure(one, _), Mark::Uid(other) | Mark::Secure(other, _)) => {
                one == other
            }
            _ => false,
        };
        let taken = self.coming(|change| match change {
            PeopleChange::PutBadge { name: other, badge: coming }
                if *other == name || alike(&coming.mark, &badge.mark) =>
            {
                Some(other.clone())
            }
            _ => None,
        });
        if let Some(other) = taken {
            return Err(Refusal::Exists("badge", other));
        }
        let mut changes = Vec::new();
        let keys = match (&badge.mark, self.badge_keys()) {
            (Mark::Secure(..), Some(keys)) => Some(keys),
            (Mark::Secure(..), None) => {
                let keys = BadgeKeys { meta: self.random_octets(), master: self.random_octets() };
                changes.push(Change::People(PeopleChange::PutBadgeKeys(Box::new(keys.clone()))));
                Some(keys)
            }
            _ => None,
        };
        let card = keys.and_then(|keys| self.people.card_keys(&keys, &badge));
        changes.push(Change::People(PeopleChange::PutBadge { name, badge: Box::new(badge) }));
        Ok((changes, Answer::BadgeMade(card)))
    }

    /// The keys of secure badges, those on their way to the store among them.
    fn badge_keys(&self) -> Option<BadgeKeys> {
        let coming = self.coming(|change| match change {
            PeopleChange::PutBadgeKeys(keys) => Some((**keys).clone()),
            _ => None,
        });
        coming.or_else(|| self.people.register.keys().cloned())
    }

    fn random_octets(&mut self) -> [u8; 16] {
        let (high, low) = (self.switch.endpoint().random(), self.switch.endpoint().random());
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    }

    /// It opens nothing from now on: also not for a tap that waits for the store.
    pub(crate) fn revoke_badge(&mut self, now: Now, id: CommandId, name: Box<str>) {
        let Some(badge) = self.people.badge(&name).cloned() else {
            return self.answer(id, Answer::Refused(Refusal::Unknown("badge", name)));
        };
        let change = if badge.revoked.is_some() {
            PeopleChange::RemoveBadge { name }
        } else {
            PeopleChange::PutBadge { name, badge: Box::new(Badge { revoked: Some(now.wall), ..badge }) }
        };
        self.change_people(now, id, change);
    }

    pub(crate) fn add_reader(&mut self, now: Now, id: CommandId, name: Box<str>, reader: Reader) {
        if self.people.reader(&name).is_some() {
            return self.answer(id, Answer::Refused(Refusal::Exists("reader", name)));
        }
        self.change_people(now, id, PeopleChange::PutReader { name, reader });
    }

    /// The chip that was held to a reader just now and is no badge's.
    pub(crate) fn tell_last_read(&mut self, now: Now, id: CommandId, reader: &str) {
        let read = self.badges.last_read(now.mono, reader);
        self.answer(id, Answer::LastRead(read));
    }

    pub(crate) fn forget_taps(&mut self, now: Now, id: CommandId, account: Box<str>) {
        let promise = Promise::Change { id, taken: None, bad: Vec::new() };
        self.commit(now, vec![Change::ForgetTaps { account }], promise);
    }

    /// What leaves with an account or a device, as changes.
    pub(crate) fn leaving_with(&self, change: &PeopleChange) -> Vec<Change> {
        let mut changes: Vec<Change> =
            self.people.leaving_with(change).into_iter().map(Change::People).collect();
        if let PeopleChange::RemoveAccount { name } = change {
            changes.push(Change::ForgetTaps { account: name.clone() });
        }
        changes
    }

    /// A change of badges and readers is about to be in force.
    pub(crate) fn badges_changed(&mut self, change: &PeopleChange) {
        match change {
            PeopleChange::RemoveBadge { name } => {
                self.badges.buckets.remove(name);
                if let Some(Mark::Secure(_, issue)) = self.people.badge(name).map(|badge| &badge.mark) {
                    self.badges.counters.remove(issue);
                }
            }
            PeopleChange::RemoveReader { name } => {
                let taps = self.badges.readers.remove(name).map(|reader| reader.taps).unwrap_or_default();
                for tap in taps {
                    if let State::InHand(waiting) = tap.state {
                        self.answer_tap(waiting, &TapAnswer::of(TapVerdict::UnknownReader, None));
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn answer_tap(&mut self, waiting: impl IntoIterator<Item = CommandId>, answer: &TapAnswer) {
        for id in waiting {
            self.answer(id, Answer::Tapped(Box::new(answer.clone())));
        }
    }
}

impl TapAnswer {
    /// An answer that says no more than its verdict.
    pub(super) fn of(verdict: TapVerdict, badge: Option<Box<str>>) -> TapAnswer {
        TapAnswer {
            verdict,
            badge,
            account: None,
            words: verdict.words().into(),
            taken: None,
            wait: Duration::ZERO,
        }
    }
}
