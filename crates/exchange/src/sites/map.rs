//! The exchanges of the office on a map: who they are by the copy, how they are by the directory's word, and the calls that go
//! between them. Those over one store know each other without a directory.

use crate::events::{Audience, Happened};
use crate::exchange::Exchange;
use clock::Now;
use directory::{ExchangeName, Named as _, SiteHealth};
use std::collections::{BTreeMap, BTreeSet};

/// The office as this exchange knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfficeMap {
    /// This exchange's name; none when it is the only one.
    pub own: Option<Box<str>>,
    /// Whether the directory can be reached; none when it has joined none.
    pub directory: Option<bool>,
    /// All of them, this one, too, in the order of their names.
    pub exchanges: Vec<ExchangeOnMap>,
}

/// An exchange on the map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExchangeOnMap {
    /// Its name.
    pub name: Box<str>,
    /// Where others reach it; empty when it never told.
    pub address: Box<str>,
    /// `up`, `draining` or `down`, as the directory last said; `unknown` while it says nothing.
    pub health: &'static str,
    /// Where it stands.
    pub region: Box<str>,
    /// What it runs.
    pub version: Box<str>,
    /// In thousandths of what it can carry.
    pub load: u16,
    /// How many people, groups and queues have their home there; none where all have one home.
    pub homes: Option<u32>,
    /// How many phones are registered there; none where the directory does not know.
    pub phones: Option<u32>,
    /// The exchange of the directory that it is a machine of, together with others; none for an exchange by itself.
    pub part_of: Option<Box<str>>,
    /// Whether it keeps what must happen once for all of them.
    pub keeps: bool,
    /// Its calls with each other exchange.
    pub calls: Vec<(Box<str>, u32)>,
}

impl Exchange {
    /// How many calls go between this exchange and each other one of the directory now.
    pub(crate) fn calls_with_others(&self) -> BTreeMap<ExchangeName, u32> {
        let mut calls = BTreeMap::new();
        if self.sites.joined.is_none() {
            return calls;
        }
        for (call, _) in self.ongoing.iter() {
            let labels = self.switch.labels(call).map(|label| label.split('/').next().unwrap_or_default());
            let names: BTreeSet<ExchangeName> =
                labels.filter_map(|label| ExchangeName::parse(label).ok()).collect();
            for name in names.into_iter().filter(|name| self.sites.is_exchange(name)) {
                *calls.entry(name).or_insert(0) += 1;
            }
        }
        calls
    }

    /// The office on a map.
    #[must_use]
    pub fn office_map(&self) -> OfficeMap {
        let Some(joined) = &self.sites.joined else { return self.cluster_map() };
        let mut exchanges: BTreeMap<ExchangeName, ExchangeOnMap> = BTreeMap::new();
        let named = |name: &ExchangeName| ExchangeOnMap {
            name: name.to_string().into(),
            health: "unknown",
            homes: Some(0),
            ..ExchangeOnMap::default()
        };
        if let Some(copy) = &joined.copy {
            for (name, listed) in &copy.exchanges {
                let known = exchanges.entry(name.clone()).or_insert_with(|| named(name));
                known.address = listed.address.clone();
            }
            for entry in copy.accounts.values() {
                if let Some(known) = exchanges.get_mut(&entry.home) {
                    known.homes = known.homes.map(|homes| homes + 1);
                }
            }
        }
        for told in joined.health() {
            let known = exchanges.entry(told.exchange.clone()).or_insert_with(|| named(&told.exchange));
            (known.health, known.load) = (told.health.name(), told.load);
            (known.region, known.version) = (told.region.clone(), told.version.clone());
            known.calls = told.calls.iter().map(|(name, count)| (name.to_string().into(), *count)).collect();
        }
        let own = exchanges.entry(joined.name.clone()).or_insert_with(|| named(&joined.name));
        let calls = self.calls_with_others();
        own.calls = calls.iter().map(|(name, count)| (name.to_string().into(), *count)).collect();
        let mut exchanges: BTreeMap<Box<str>, ExchangeOnMap> =
            exchanges.into_iter().map(|(name, row)| (name.to_string().into(), row)).collect();
        // Those that are one of the directory together are parts of it.
        for member in self.cluster_map().exchanges {
            let part_of = Some(joined.name.to_string().into());
            exchanges.entry(member.name.clone()).or_insert(ExchangeOnMap { part_of, ..member });
        }
        OfficeMap {
            own: Some(joined.name.to_string().into()),
            directory: Some(joined.is_directory_there()),
            exchanges: exchanges.into_values().collect(),
        }
    }

    /// The directory says how all of them are.
    pub(super) fn sites_are(&mut self, now: Now, health: Vec<SiteHealth>) {
        let Some(joined) = &mut self.sites.joined else { return };
        if joined.health != health {
            joined.health = health;
            self.map_changed(now);
        }
    }

    pub(crate) fn map_changed(&mut self, now: Now) {
        if self.is_heard() {
            let map = Box::new(self.office_map());
            self.tell_if_heard(now, Audience::all(Vec::new()), Happened::ExchangesChanged(map));
        }
    }
}
