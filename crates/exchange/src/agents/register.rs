//! All agents who are signed in, and when something of one of them is due. Nothing here looks at all of them.

use super::advice::Measured;
use super::agent::{Agent, Pause, SignIn, WrapUp};
use super::check::Round;
use super::elsewhere::Platforms;
use clock::Mono;
use std::collections::{BTreeMap, BTreeSet};

/// What of an agent the store has.
pub(super) type Stored = (SignIn, Option<Pause>, Option<WrapUp>);

/// One of them.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) agent: Agent,
    /// As it stands in [`Agents::due`].
    due: Option<Mono>,
    pub(super) stored: Option<Stored>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Agents {
    entries: BTreeMap<Box<str>, Entry>,
    due: BTreeSet<(Mono, Box<str>)>,
    /// Phones that came or went, and accounts whose phones may have changed.
    phones: BTreeSet<Box<str>>,
    people: BTreeSet<Box<str>>,
    /// Agents of whom the queues have not heard yet how they stand.
    news: BTreeSet<Box<str>>,
    /// Those who came or went, of whom the phones with call lists have not heard yet.
    moved: BTreeSet<Box<str>>,
    pub(super) measured: Measured,
    pub(super) platforms: Platforms,
    pub(super) round: Round,
}

impl Agents {
    /// Whether an account is signed in.
    pub(crate) fn has(&self, account: &str) -> bool {
        self.entries.contains_key(account)
    }

    pub(crate) fn agent(&self, account: &str) -> Option<&Agent> {
        self.entries.get(account).map(|entry| &entry.agent)
    }

    pub(super) fn entry(&mut self, account: &str) -> Option<&mut Entry> {
        self.entries.get_mut(account)
    }

    /// How many are signed in.
    pub(crate) fn count(&self) -> usize {
        self.entries.len()
    }

    /// All of them, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Agent)> {
        self.entries.iter().map(|(account, entry)| (&**account, &entry.agent))
    }

    /// Some agents after this one, by name; from the first on after the last.
    pub(super) fn some_after(&self, last: &str, most: usize) -> Vec<Box<str>> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.entries
            .range::<str, _>((Excluded(last), Unbounded))
            .take(most)
            .map(|(name, _)| name.clone())
            .collect()
    }

    pub(super) fn insert(&mut self, account: &str, agent: Agent) {
        self.remove(account);
        self.entries.insert(account.into(), Entry { agent, due: None, stored: None });
        self.people.insert(account.into());
        self.moved.insert(account.into());
    }

    pub(super) fn remove(&mut self, account: &str) -> Option<Agent> {
        let entry = self.entries.remove(account)?;
        if let Some(when) = entry.due {
            self.due.remove(&(when, account.into()));
        }
        self.news.insert(account.into());
        self.moved.insert(account.into());
        Some(entry.agent)
    }

    /// Something of an agent is another: when it is due, and what queues make of it.
    pub(super) fn index(&mut self, account: &str, due: Option<Mono>) {
        self.news.insert(account.into());
        let Some(entry) = self.entries.get_mut(account).filter(|entry| entry.due != due) else { return };
        let known = std::mem::replace(&mut entry.due, due);
        known.map(|when| self.due.remove(&(when, account.into())));
        due.map(|when| self.due.insert((when, account.into())));
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        let due = self.due.first().map(|(when, _)| *when);
        let round = self.round.next(!self.entries.is_empty());
        [due, self.platforms.next_deadline(), round].into_iter().flatten().min()
    }

    /// The next whose time has come.
    pub(super) fn next_due(&self, now: Mono) -> Option<Box<str>> {
        self.due.first().filter(|(when, _)| *when <= now).map(|(_, account)| account.clone())
    }

    /// A phone came or went.
    pub(crate) fn phone_stirred(&mut self, device: &str) {
        if !self.entries.is_empty() {
            self.phones.insert(device.into());
        }
    }

    /// Something of a person is different that says whether calls reach them.
    pub(crate) fn person_stirred(&mut self, account: &str) {
        if self.has(account) {
            self.people.insert(account.into());
        }
    }

    /// The queues are to look at an agent again.
    pub(crate) fn is_news(&mut self, account: &str) {
        self.news.insert(account.into());
    }

    pub(super) fn take_stirred(&mut self) -> (BTreeSet<Box<str>>, BTreeSet<Box<str>>) {
        (std::mem::take(&mut self.phones), std::mem::take(&mut self.people))
    }

    /// Those who came or went.
    pub(crate) fn take_moved(&mut self) -> BTreeSet<Box<str>> {
        std::mem::take(&mut self.moved)
    }

    /// Those of whom the queues have not heard yet.
    pub(crate) fn take_news(&mut self) -> BTreeSet<Box<str>> {
        std::mem::take(&mut self.news)
    }
}
