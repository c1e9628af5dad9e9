//! The choice of an exchange: by where the callee's devices are, health, home, region and load, in this order, and told in words.

use crate::book::{Book, Exchange, Health};
use crate::names::{AccountName, ExchangeName};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

/// An exchange that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub exchange: ExchangeName,
    /// How many of the callee's devices have their flow there.
    pub devices: usize,
    /// Whether it is the callee's home.
    pub home: bool,
    /// Whether it stands where the caller is.
    pub near: bool,
    /// Whether it takes calls.
    pub health: Health,
    /// In thousandths.
    pub load: u16,
}

impl Candidate {
    /// A device is always entered by the flow that it has; a phone that refuses strangers answers no other exchange. So a draining
    /// exchange with the flow comes before an idle one without.
    fn rank(&self) -> (bool, Reverse<usize>, Health, bool, bool, u16, &ExchangeName) {
        let down = self.health == Health::Down;
        (down, Reverse(self.devices), self.health, !self.home, !self.near, self.load, &self.exchange)
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, ", self.exchange, self.health.name())?;
        match self.devices {
            0 => {}
            1 => f.write_str("one device is there, ")?,
            many => write!(f, "{many} devices are there, ")?,
        }
        if self.home {
            f.write_str("their home, ")?;
        }
        f.write_str(if self.near { "in the caller's region, " } else { "in another region, " })?;
        write!(f, "load {} %", self.load / 10)
    }
}

/// The exchanges at which an account can be reached, the best first; those that are down come last.
pub(super) fn of_account(book: &Book, account: &AccountName, region: Option<&str>) -> Vec<Candidate> {
    let mut devices: BTreeMap<&ExchangeName, usize> = BTreeMap::new();
    for (_, device) in book.devices_of(account) {
        if let Some(at) = &device.at {
            *devices.entry(at).or_default() += 1;
        }
    }
    let home = book.account(account).map(|account| &account.home);
    if let Some(home) = home {
        devices.entry(home).or_default();
    }
    let known = devices.into_iter().filter_map(|(name, count)| Some((name, book.exchange(name)?, count)));
    sorted(known.map(|(name, exchange, count)| candidate(name, exchange, count, home == Some(name), region)))
}

/// Any exchange that could host a call, the best first.
pub(super) fn any(book: &Book, region: Option<&str>) -> Vec<Candidate> {
    let up = book.exchanges().filter(|(_, exchange)| exchange.health == Health::Up);
    sorted(up.map(|(name, exchange)| candidate(name, exchange, 0, false, region)))
}

fn candidate(
    name: &ExchangeName,
    exchange: &Exchange,
    devices: usize,
    home: bool,
    region: Option<&str>,
) -> Candidate {
    let report = exchange.report.as_ref();
    Candidate {
        exchange: name.clone(),
        devices,
        home,
        near: report.is_some_and(|report| Some(&*report.region) == region),
        health: exchange.health,
        load: report.map_or(0, |report| report.load),
    }
}

fn sorted(candidates: impl Iterator<Item = Candidate>) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = candidates.collect();
    candidates.sort_by(|one, other| one.rank().cmp(&other.rank()));
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Named as _;

    fn candidate(name: &str) -> Candidate {
        Candidate {
            exchange: ExchangeName::parse(name).unwrap(),
            devices: 0,
            home: false,
            near: false,
            health: Health::Up,
            load: 500,
        }
    }

    #[test]
    fn a_flow_comes_before_health_home_region_and_load_and_nothing_before_being_up() {
        let order = [
            Candidate { devices: 2, health: Health::Draining, ..candidate("flows") },
            Candidate { devices: 1, ..candidate("flow") },
            Candidate { home: true, load: 999, ..candidate("home") },
            Candidate { near: true, load: 900, ..candidate("near") },
            Candidate { load: 100, ..candidate("idle") },
            Candidate { ..candidate("a") },
            Candidate { ..candidate("b") },
            Candidate { health: Health::Draining, home: true, load: 0, ..candidate("draining") },
            Candidate {
                health: Health::Down,
                devices: 9,
                home: true,
                near: true,
                load: 0,
                ..candidate("down")
            },
        ];
        assert_eq!(sorted(order.iter().rev().cloned()), order);
        let words = order[0].to_string();
        assert_eq!(words, "flows: draining, 2 devices are there, in another region, load 50 %");
    }
}
