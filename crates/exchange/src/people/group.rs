//! Hunt groups: one number for several people.

use std::time::Duration;

/// A hunt group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name that callers and members see.
    pub display: Box<str>,
    /// The number that is dialled.
    pub number: Box<str>,
    /// Whom it rings.
    pub strategy: Strategy,
    /// Its accounts, in the order in which they are tried.
    pub members: Vec<Box<str>>,
    /// How long one try rings: one member in turn, or all at once.
    pub ring: Duration,
    /// Where a call goes that nobody took; it ends if there is none.
    pub overflow: Option<Box<str>>,
}

/// Whom a hunt group rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// All members who are free.
    All,
    /// One member after another.
    Turn,
}

impl Strategy {
    /// The name in commands and lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Strategy::All => "all",
            Strategy::Turn => "turn",
        }
    }

    /// The strategy of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Strategy> {
        [Strategy::All, Strategy::Turn].into_iter().find(|strategy| strategy.name() == name)
    }
}
