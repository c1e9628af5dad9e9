//! Everything has a bound: no message of a transaction is sent without end, and the promises that wait for the store
//! stay below their limit.

use super::Checker;
use crate::observed::Observed;
use clock::Mono;
use std::collections::BTreeMap;

/// A request is repeated at most eleven times by its timers; a network that repeats requests asks for answers again.
const MESSAGES: u32 = 40;

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct Bounds {
    sent: BTreeMap<(Box<str>, Box<str>, u16), u32>,
}

impl Checker for Bounds {
    fn name(&self) -> &'static str {
        "everything has a bound"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::Message(seen) if seen.outgoing => {
                let key = (seen.branch.clone(), seen.method.clone(), seen.status);
                let count = self.sent.entry(key).or_default();
                *count += 1;
                if *count > MESSAGES {
                    return Err(format!("a storm: {seen} was sent {count} times"));
                }
                Ok(())
            }
            Observed::StoreAway { waiting, .. } if *waiting > exchange::limits::PENDING_COMMITS => {
                Err(format!("{waiting} commits wait for the store"))
            }
            _ => Ok(()),
        }
    }
}
