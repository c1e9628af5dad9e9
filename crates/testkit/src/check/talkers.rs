//! In a call in which two talk, each leg's media order points at the other, or at music while it is held; and no leg
//! ever hears a leg that is gone.

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use media::{LegKey, Source};
use std::collections::{BTreeMap, BTreeSet};

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct Talkers {
    hears: BTreeMap<(OfficeId, LegKey), Source>,
    gone: BTreeSet<(OfficeId, LegKey)>,
}

impl Checker for Talkers {
    fn name(&self) -> &'static str {
        "those who talk hear each other"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::Order { office, leg, source, .. } => {
                self.hears.insert((*office, *leg), source.clone());
                // It goes on at another port.
                self.gone.remove(&(*office, *leg));
                Ok(())
            }
            Observed::Released { office, leg, .. } => {
                self.hears.remove(&(*office, *leg));
                self.gone.insert((*office, *leg));
                Ok(())
            }
            Observed::Settled { office, talking } => {
                for (a, b) in talking {
                    self.pair(*office, *a, *b)?;
                    self.pair(*office, *b, *a)?;
                }
                self.nobody_hears_the_dead(*office)
            }
            _ => Ok(()),
        }
    }
}

impl Talkers {
    /// A leg without an order has no agreement yet: its offer waits for the ACK.
    fn pair(&self, office: OfficeId, leg: LegKey, other: LegKey) -> Result<(), String> {
        match self.hears.get(&(office, leg)) {
            None | Some(Source::Music(_)) => Ok(()),
            Some(Source::Leg(heard)) if *heard == other => Ok(()),
            Some(source) => Err(format!("leg {:x} talks to {:x} and hears {source:?}", leg.0, other.0)),
        }
    }

    fn nobody_hears_the_dead(&self, office: OfficeId) -> Result<(), String> {
        let dead = |source: &Source| match source {
            Source::Leg(heard) => self.gone.contains(&(office, *heard)),
            _ => false,
        };
        match self.hears.iter().find(|((at, _), source)| *at == office && dead(source)) {
            Some(((_, leg), source)) => Err(format!("leg {:x} hears {source:?}, which is gone", leg.0)),
            None => Ok(()),
        }
    }
}
