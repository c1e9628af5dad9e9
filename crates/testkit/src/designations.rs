//! Many exchanges and one directory, at random: partitions, restarts, clocks that drift, replayed and stolen tickets (S4).
//!
//! What must hold, whatever happens: a number has one owner; a ticket lets one call in, at one exchange, once; nobody is let in
//! whom the ticket does not name; and who did everything right, with clocks that are right, is let in.

mod exchanges;
mod office;

use crate::dice::Dice;
use office::Office;
use std::collections::BTreeMap;
use std::fmt;

/// How large an office is, and how much it does.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Exchanges.
    pub exchanges: usize,
    /// Accounts, each with a number and a device or two.
    pub accounts: usize,
    /// Calls that are asked for.
    pub calls: u64,
}

/// What became of the calls, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome(BTreeMap<&'static str, u64>);

impl Outcome {
    /// How often something happened.
    #[must_use]
    pub fn count(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    fn add(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (what, count)) in self.0.iter().enumerate() {
            write!(f, "{}{count} {what}", if place == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// Plays it.
///
/// # Errors
/// What was broken first, in words.
pub fn designations(seed: u64, scale: Scale) -> Result<Outcome, String> {
    let mut office = Office::new(Dice::new(seed, 41), scale);
    for _ in 0..scale.calls {
        office.something_happens();
        office.call();
        office.run_until_next_call();
        if let Some(broken) = office.broken() {
            return Err(format!("seed {seed}: {broken}"));
        }
    }
    office.settle();
    match office.broken() {
        Some(broken) => Err(format!("seed {seed}: {broken}")),
        None => Ok(office.outcome()),
    }
}
