//! What must always hold: one file a checker, each with its invariant in words. A checker sees every event of a run
//! and says the first thing that may not be.

mod addresses;
mod agents;
mod answers;
mod bounds;
mod directory;
mod journal;
mod leftovers;
mod live;
mod losers;
mod notices;
mod ports;
mod records;
mod registrations;
mod talkers;
mod tasks;
mod truth;
mod winners;

pub use addresses::KnownAddresses;
pub use agents::{Agents, NobodyWaitsInVain};
pub use answers::OneAnswer;
pub use bounds::Bounds;
pub use directory::RemovedDevices;
pub use journal::OpenCalls;
pub use leftovers::Leftovers;
pub use live::LiveCalls;
pub use losers::LosersAreTold;
pub use notices::Notices;
pub use ports::Ports;
pub use records::OneRecord;
pub use registrations::StoredFirst;
pub use talkers::Talkers;
pub use tasks::Tasks;
pub use truth::TrueRecords;
pub use winners::OneWinner;

use crate::observed::Observed;
use clock::Mono;
use std::fmt;

/// An invariant.
pub trait Checker: Send {
    /// Its name, for failures.
    fn name(&self) -> &'static str;

    /// Looks at the next event.
    ///
    /// # Errors
    /// What may not be, in words.
    fn see(&mut self, at: Mono, event: &Observed) -> Result<(), String>;

    /// Whether it goes on looking when an exchange has died and another begins: what it promises outlives an exchange.
    fn outlives(&self) -> bool {
        false
    }

    /// The run is over.
    ///
    /// # Errors
    /// What may not be, in words.
    fn end(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// When.
    pub at: Mono,
    /// Which checker.
    pub checker: &'static str,
    /// What may not be.
    pub words: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}: {}", self.at, self.checker, self.words)
    }
}

/// Those that look at agents, at records, and at what is left.
#[must_use]
pub fn centre_checkers() -> Vec<Box<dyn Checker>> {
    vec![
        Box::<OneRecord>::default(),
        Box::<Leftovers>::default(),
        Box::<Agents>::default(),
        Box::<NobodyWaitsInVain>::default(),
    ]
}

/// All of them.
#[must_use]
pub fn every_checker() -> Vec<Box<dyn Checker>> {
    vec![
        Box::<OneAnswer>::default(),
        Box::<OneWinner>::default(),
        Box::<LosersAreTold>::default(),
        Box::<OneRecord>::default(),
        Box::<TrueRecords>::default(),
        Box::<OpenCalls>::default(),
        Box::<Leftovers>::default(),
        Box::<Ports>::default(),
        Box::<KnownAddresses>::default(),
        Box::<StoredFirst>::default(),
        Box::<RemovedDevices>::default(),
        Box::<Bounds>::default(),
        Box::<Talkers>::default(),
        Box::<LiveCalls>::default(),
        Box::<Tasks>::default(),
        Box::<Notices>::default(),
        Box::<Agents>::default(),
        Box::<NobodyWaitsInVain>::default(),
    ]
}
