//! A media port belongs to one leg at a time, and each leg gives its port back once (R22).

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use media::LegKey;
use std::collections::{BTreeMap, BTreeSet};

/// See the file's first line.
#[derive(Debug, Default)]
pub struct Ports {
    held: BTreeMap<(OfficeId, u16), LegKey>,
    /// A leg may go on at another port, when its call goes on with somebody of another worker.
    gone: BTreeSet<(OfficeId, LegKey, u16)>,
}

impl Checker for Ports {
    fn name(&self) -> &'static str {
        "a port belongs to one leg"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::Order { office, lease, leg, .. } => {
                if self.gone.contains(&(*office, *leg, lease.port)) {
                    return Err(format!("an order for leg {:x}, which is gone", leg.0));
                }
                match self.held.insert((*office, lease.port), *leg) {
                    Some(other) if other != *leg => {
                        Err(format!("port {} is of legs {:x} and {:x}", lease.port, other.0, leg.0))
                    }
                    _ => Ok(()),
                }
            }
            Observed::Released { office, lease, leg } => {
                if !self.gone.insert((*office, *leg, lease.port)) {
                    return Err(format!("leg {:x} is released twice", leg.0));
                }
                match self.held.remove(&(*office, lease.port)) {
                    Some(other) if other != *leg => {
                        Err(format!("leg {:x} releases the port of leg {:x}", leg.0, other.0))
                    }
                    _ => Ok(()),
                }
            }
            Observed::Quiet(left) => match self.held.iter().find(|((office, _), _)| *office == left.office) {
                Some(((_, port), leg)) => Err(format!("port {port} is still of leg {:x}", leg.0)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
