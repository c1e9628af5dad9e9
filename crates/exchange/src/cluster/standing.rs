//! How this exchange is, and how others over the same store are, for people who look at the office: on the map they are beside each
//! other.

use crate::command::Answer;
use crate::exchange::Exchange;
use crate::input::CommandId;
use crate::sites::{ExchangeOnMap, OfficeMap};
use clock::Now;
use directory::ExchangeName;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;

/// How one is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What people know it by.
    pub name: Box<str>,
    /// Where the others reach it.
    pub address: Box<str>,
    /// What it runs.
    pub version: Box<str>,
    /// In thousandths of the calls that it has room for.
    pub load: u16,
    /// Whether it takes no new calls.
    pub draining: bool,
    /// Phones at its doors.
    pub phones: u32,
    /// Its calls that go to or come from each other one, by names.
    pub calls: BTreeMap<Box<str>, u32>,
    /// The trunks at which it is registered, as their home.
    pub registered: BTreeSet<Box<str>>,
    /// Its calls that go to or come from other exchanges of the directory, which is told of them.
    pub between_sites: BTreeMap<ExchangeName, u32>,
}

impl Exchange {
    /// How this one is, but for what the machine does not know of itself: its name, address and version.
    pub(crate) fn tell_standing(&mut self, now: Now, id: CommandId) {
        let standing = self.standing(now);
        self.answer(id, Answer::Standing(Box::new(standing)));
    }

    fn standing(&mut self, now: Now) -> Standing {
        let status = self.status(now);
        let used = status.ports_total.saturating_sub(status.ports_free);
        Standing {
            load: u16::try_from(1_000 * used / status.ports_total.max(1)).unwrap_or(1_000),
            draining: status.draining,
            phones: u32::try_from(self.phones_here()).unwrap_or(u32::MAX),
            calls: self.calls_between(),
            registered: self.trunks_registered_at(now),
            between_sites: self.calls_with_others(),
            ..Standing::default()
        }
    }

    fn phones_here(&self) -> usize {
        let devices = self.registrar.devices();
        let is_here = |device: &str| {
            self.registrar.bindings(device).iter().any(|binding| !self.cluster.is_elsewhere(binding.flow))
        };
        devices.iter().filter(|device| is_here(device)).count()
    }

    fn calls_between(&self) -> BTreeMap<Box<str>, u32> {
        let mut calls = BTreeMap::new();
        if self.cluster.place.is_none() {
            return calls;
        }
        for (call, _) in self.ongoing.iter() {
            let Some(view) = self.switch.view(call) else { continue };
            let ends = [view.caller, view.callee].into_iter().flatten();
            let doors = ends.filter_map(|device| {
                let bindings = self.registrar.bindings(device);
                bindings.first().and_then(|binding| self.cluster.door(binding.flow))
            });
            if let Some(member) = doors.max().and_then(|number| self.cluster.members.get(&number)) {
                *calls.entry(member.name.clone()).or_insert(0) += 1;
            }
        }
        calls
    }

    /// One says how it is; so does this one, of itself.
    pub(super) fn stands(&mut self, now: Now, of: NonZeroU8, standing: Standing) {
        if self.cluster.standings.get(&of) == Some(&standing) {
            return;
        }
        let registered = standing.registered.clone();
        let before = self.cluster.standings.insert(of, standing).unwrap_or_default().registered;
        registered.symmetric_difference(&before).for_each(|trunk| self.listening.touch_trunk(trunk));
        self.map_changed(now);
        self.leave_trunks(now);
    }

    /// Those that left stand nowhere.
    pub(super) fn forget_standings(&mut self) {
        let own = self.cluster.place.map(|place| place.number);
        let members = &self.cluster.members;
        self.cluster.standings.retain(|number, _| Some(*number) == own || members.contains_key(number));
    }

    /// The exchanges over one store on a map.
    pub(crate) fn cluster_map(&self) -> OfficeMap {
        let Some(place) = self.cluster.place else { return OfficeMap::default() };
        let standing = |number: &NonZeroU8| self.cluster.standings.get(number).cloned().unwrap_or_default();
        let name = |number: &NonZeroU8| match self.cluster.members.get(number) {
            Some(member) => member.name.clone(),
            None => standing(number).name,
        };
        let row = |number: NonZeroU8, reachable: bool, keeps: bool| {
            let is = standing(&number);
            ExchangeOnMap {
                name: name(&number),
                health: match (reachable, is.draining) {
                    (false, _) => "down",
                    (true, true) => "draining",
                    (true, false) => "up",
                },
                phones: Some(if reachable { is.phones } else { 0 }),
                calls: if reachable { is.calls.into_iter().collect() } else { Vec::new() },
                load: if reachable { is.load } else { 0 },
                address: is.address,
                version: is.version,
                keeps,
                ..ExchangeOnMap::default()
            }
        };
        let others = self.cluster.members.values();
        let mut exchanges: Vec<ExchangeOnMap> =
            others.map(|member| row(member.number, member.reachable, member.keeps)).collect();
        exchanges.push(row(place.number, true, place.keeps));
        exchanges.sort_by(|one, other| one.name.cmp(&other.name));
        OfficeMap { own: Some(name(&place.number)), directory: None, exchanges }
    }
}
