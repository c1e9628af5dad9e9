//! No state outlives its cause: after all phones are gone and a quiet time, an exchange has no call, no leg, no
//! transaction, no port in use, no promise, no registration and no timer.

use super::Checker;
use crate::observed::{Left, Observed};
use clock::Mono;

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct Leftovers;

impl Checker for Leftovers {
    fn name(&self) -> &'static str {
        "no state outlives its cause"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        let Observed::Quiet(left) = event else { return Ok(()) };
        let nothing = Left { office: left.office, ..Left::default() };
        if *left == nothing { Ok(()) } else { Err(format!("left behind: {left:?}")) }
    }
}
