//! Nothing is sent to an address learned from nothing: only to one that has sent something here, or that the store
//! had from the start (R16).

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use exchange::{Host, PeopleChange};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct KnownAddresses {
    known: BTreeSet<(OfficeId, IpAddr)>,
}

impl Checker for KnownAddresses {
    fn name(&self) -> &'static str {
        "nothing goes to an address learned from nothing"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::KeptBindings { office, bindings, .. } => {
                let addresses = bindings.iter().map(|binding| (*office, binding.flow.remote.ip()));
                self.known.extend(addresses);
                Ok(())
            }
            Observed::KeptPeople { office, change: PeopleChange::PutTrunk { trunk, .. } } => {
                if let Host::Address(address) = &trunk.host {
                    self.known.insert((*office, *address));
                }
                Ok(())
            }
            Observed::Noise { office, flow } | Observed::Reached { office, flow } => {
                self.known.insert((*office, flow.remote.ip()));
                Ok(())
            }
            Observed::Message(seen) => {
                let Some(flow) = seen.flow else { return Ok(()) };
                let address = (seen.office, flow.remote.ip());
                if !seen.outgoing {
                    self.known.insert(address);
                }
                if self.known.contains(&address) { Ok(()) } else { Err(format!("nobody knows {flow}")) }
            }
            _ => Ok(()),
        }
    }
}
