//! Badges and readers as directory data: who has which, and what finds them.

use super::badge::{Badge, BadgeKeys, CardKeys, Mark, Uid};
use crate::limits;
use crate::people::{People, PeopleChange, Refusal, is_name};
use sip::bearer::TokenHash;
use std::collections::BTreeMap;

/// A device that reads badges beside one phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The phone that a tap here is for.
    pub device: Box<str>,
    /// What is kept of its key.
    pub key: TokenHash,
}

/// All badges and readers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Register {
    badges: BTreeMap<Box<str>, Badge>,
    readers: BTreeMap<Box<str>, Reader>,
    /// Badges by the text of their record, their UID, the UID of their chip.
    by_text: BTreeMap<TokenHash, Box<str>>,
    by_uid: BTreeMap<Uid, Box<str>>,
    by_chip: BTreeMap<Uid, Box<str>>,
    by_key: BTreeMap<TokenHash, Box<str>>,
    keys: Option<BadgeKeys>,
}

impl Register {
    pub(crate) fn badge(&self, name: &str) -> Option<&Badge> {
        self.badges.get(name)
    }

    pub(crate) fn badges(&self) -> impl Iterator<Item = (&str, &Badge)> {
        self.badges.iter().map(|(name, badge)| (&**name, badge))
    }

    pub(crate) fn reader(&self, name: &str) -> Option<&Reader> {
        self.readers.get(name)
    }

    pub(crate) fn readers(&self) -> impl Iterator<Item = (&str, &Reader)> {
        self.readers.iter().map(|(name, reader)| (&**name, reader))
    }

    pub(crate) fn reader_of_key(&self, key: &TokenHash) -> Option<(&str, &Reader)> {
        let name = self.by_key.get(key)?;
        Some((name, self.readers.get(name)?))
    }

    pub(crate) fn of_text(&self, hash: &TokenHash) -> Option<(&str, &Badge)> {
        self.named(self.by_text.get(hash)?)
    }

    pub(crate) fn of_uid(&self, uid: &Uid) -> Option<(&str, &Badge)> {
        self.named(self.by_uid.get(uid)?)
    }

    pub(crate) fn of_chip(&self, uid: &Uid) -> Option<(&str, &Badge)> {
        self.named(self.by_chip.get(uid)?)
    }

    pub(crate) fn keys(&self) -> Option<&BadgeKeys> {
        self.keys.as_ref()
    }

    fn named(&self, name: &str) -> Option<(&str, &Badge)> {
        self.badges.get_key_value(name).map(|(name, badge)| (&**name, badge))
    }

    /// Applies a change that is known to be right; whether it was one of these.
    pub(crate) fn apply(&mut self, change: &PeopleChange) {
        match change {
            PeopleChange::PutBadge { name, badge } => {
                self.drop_badge(name);
                match &badge.mark {
                    Mark::Ndef(hash) => self.by_text.insert(*hash, name.clone()),
                    Mark::Uid(uid) => self.by_uid.insert(*uid, name.clone()),
                    Mark::Secure(uid, _) => self.by_chip.insert(*uid, name.clone()),
                };
                self.badges.insert(name.clone(), (**badge).clone());
            }
            PeopleChange::RemoveBadge { name } => self.drop_badge(name),
            PeopleChange::PutReader { name, reader } => {
                self.drop_reader(name);
                self.by_key.insert(reader.key, name.clone());
                self.readers.insert(name.clone(), reader.clone());
            }
            PeopleChange::RemoveReader { name } => self.drop_reader(name),
            PeopleChange::PutBadgeKeys(keys) => self.keys = Some((**keys).clone()),
            _ => {}
        }
    }

    fn drop_badge(&mut self, name: &str) {
        match self.badges.remove(name).map(|badge| badge.mark) {
            Some(Mark::Ndef(hash)) => self.by_text.remove(&hash),
            Some(Mark::Uid(uid)) => self.by_uid.remove(&uid),
            Some(Mark::Secure(uid, _)) => self.by_chip.remove(&uid),
            None => None,
        };
    }

    fn drop_reader(&mut self, name: &str) {
        if let Some(reader) = self.readers.remove(name) {
            self.by_key.remove(&reader.key);
        }
    }

    /// Who is known by the same mark, or could be taken for it: the UID of a secure badge is in every copy of it.
    fn holder(&self, mark: &Mark) -> Option<&str> {
        let name = match mark {
            Mark::Ndef(hash) => self.by_text.get(hash),
            Mark::Uid(uid) | Mark::Secure(uid, _) => self.by_uid.get(uid).or_else(|| self.by_chip.get(uid)),
        };
        name.map(|name| &**name)
    }
}

impl People {
    /// A badge by its name.
    #[must_use]
    pub fn badge(&self, name: &str) -> Option<&Badge> {
        self.register.badge(name)
    }

    /// A reader by its name.
    #[must_use]
    pub fn reader(&self, name: &str) -> Option<&Reader> {
        self.register.reader(name)
    }

    /// What is written into the chip of a secure badge.
    pub(crate) fn card_keys(&self, keys: &BadgeKeys, badge: &Badge) -> Option<CardKeys> {
        let Mark::Secure(uid, issue) = &badge.mark else { return None };
        Some(CardKeys { meta_read: keys.meta, file_read: keys.of_badge(uid, issue) })
    }

    pub(crate) fn check_badge(&self, name: &str, badge: &Badge) -> Result<(), Refusal> {
        if !is_name(name) {
            return Err(Refusal::BadName("badge", name.into()));
        }
        if self.account(&badge.account).is_none() {
            return Err(Refusal::Unknown("account", badge.account.clone()));
        }
        if let Some(holder) = self.register.holder(&badge.mark).filter(|holder| **holder != *name) {
            let words = format!("badge \"{holder}\" is known by the same; remove it first");
            return Err(Refusal::Nonsense(words.into()));
        }
        if matches!(&badge.mark, Mark::Secure(uid, _) if uid.octets().len() != 7) {
            return Err(Refusal::Nonsense("the UID of an NTAG 424 DNA has 7 octets".into()));
        }
        if self.register.badge(name).is_some() {
            return Ok(());
        }
        let own = self.register.badges().filter(|(_, known)| known.account == badge.account).count();
        if own >= limits::BADGES_PER_ACCOUNT {
            return Err(Refusal::TooMany("badges"));
        }
        full(self.register.badges.len(), limits::BADGES, "badges")
    }

    pub(crate) fn check_reader(&self, name: &str, reader: &Reader) -> Result<(), Refusal> {
        if !is_name(name) {
            return Err(Refusal::BadName("reader", name.into()));
        }
        if self.device(&reader.device).is_none() {
            return Err(Refusal::Unknown("device", reader.device.clone()));
        }
        if self.register.reader(name).is_some() {
            return Ok(());
        }
        full(self.register.readers.len(), limits::READERS, "readers")
    }

    /// What leaves with whom: the badges of an account, the readers of a device.
    pub(crate) fn leaving_with(&self, change: &PeopleChange) -> Vec<PeopleChange> {
        match change {
            PeopleChange::RemoveAccount { name } => {
                let own = self.register.badges().filter(|(_, badge)| badge.account == *name);
                own.map(|(badge, _)| PeopleChange::RemoveBadge { name: badge.into() }).collect()
            }
            PeopleChange::RemoveDevice { name } => {
                let own = self.register.readers().filter(|(_, reader)| reader.device == *name);
                own.map(|(reader, _)| PeopleChange::RemoveReader { name: reader.into() }).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn full(count: usize, most: usize, what: &str) -> Result<(), Refusal> {
    if count < most {
        Ok(())
    } else {
        Err(Refusal::Nonsense(format!("there are {most} {what} already").into()))
    }
}
