//! The phones that were started, found by whom a profile may name and by the profile that they were given.

use super::book::Book;
use super::profile::{Instruction, Profile, Selector};
use clock::Wall;
use std::collections::{BTreeMap, BTreeSet};

/// What a phone was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The profile's name.
    pub profile: Box<str>,
    /// The version that it was given last.
    pub version: Box<str>,
    /// The version that it said it has loaded, and when; start-up is complete when it is the one above.
    pub loaded: Option<(Box<str>, Wall)>,
}

impl Started {
    /// Whether the phone has loaded what it was given last.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.loaded.as_ref().is_some_and(|(version, _)| *version == self.version)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) instruction: Instruction,
    pub(super) told: Started,
}

/// All profiles, and the phones that were started by one.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    pub(super) book: Book,
    /// By phone; none outlives its phone.
    started: BTreeMap<Box<str>, Start>,
    /// The phones by what their instruction names, so that a change looks at no other.
    named: BTreeMap<Selector, BTreeSet<Box<str>>>,
    /// The phones by the name of the profile that they were given.
    given: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
}

impl Profiles {
    pub(super) fn start(&self, device: &str) -> Option<&Start> {
        self.started.get(device)
    }

    pub(super) fn start_mut(&mut self, device: &str) -> Option<&mut Start> {
        self.started.get_mut(device)
    }

    pub(crate) fn started(&self, device: &str) -> Option<&Started> {
        self.start(device).map(|start| &start.told)
    }

    /// What somebody started their phone with: that phone, or without one the first by name.
    pub(super) fn start_of(&self, account: &str, device: Option<&str>) -> Option<&Start> {
        match device {
            Some(device) => self.start(device).filter(|start| *start.instruction.user == *account),
            None => self.start(self.named.get(&Selector::User(account.into()))?.first()?),
        }
    }

    /// A phone was started.
    pub(super) fn begin(&mut self, device: &str, instruction: Instruction, told: Started) {
        self.device_gone(device);
        for selector in selectors(&instruction) {
            self.named.entry(selector).or_default().insert(device.into());
        }
        self.given.entry(told.profile.clone()).or_default().insert(device.into());
        self.started.insert(device.into(), Start { instruction, told });
    }

    /// A phone left.
    pub(crate) fn device_gone(&mut self, device: &str) {
        let Some(start) = self.started.remove(device) else { return };
        for selector in selectors(&start.instruction) {
            take_out(&mut self.named, &selector, device);
        }
        take_out(&mut self.given, &start.told.profile, device);
    }

    /// A started phone is given another profile, or another version of its own.
    pub(super) fn give(&mut self, device: &str, profile: &Profile) {
        let Some(start) = self.started.get_mut(device) else { return };
        take_out(&mut self.given, &start.told.profile, device);
        (start.told.profile, start.told.version) = (profile.name.clone(), profile.version.clone());
        self.given.entry(profile.name.clone()).or_default().insert(device.into());
    }

    /// The phones whose profile may be another after a change: those that have one that changed, and those that one names.
    pub(super) fn touched(&self, before: &Book) -> BTreeSet<Box<str>> {
        let changed = self.book.changed_since(before);
        let given = changed.iter().filter_map(|name| self.given.get(*name));
        let selectors = changed.iter().flat_map(|name| self.book.selectors(name));
        let named = selectors.filter_map(|selector| self.named.get(selector));
        given.chain(named).flatten().cloned().collect()
    }
}

fn selectors(instruction: &Instruction) -> impl Iterator<Item = Selector> {
    let user = Selector::User(instruction.user.clone());
    let terminals = instruction.terminals.iter().cloned().map(Selector::Terminal);
    let office = instruction.office.iter().cloned().map(Selector::Office);
    std::iter::once(user).chain(terminals).chain(office)
}

fn take_out<K: Ord>(sets: &mut BTreeMap<K, BTreeSet<Box<str>>>, key: &K, device: &str) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(device);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}
