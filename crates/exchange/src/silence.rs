//! Contacts that answer nothing: a registration whose device is gone without a word, until it ends by itself.
//!
//! Each call to one holds a media port and lets the caller wait for Timer B (32 s). What was silent for
//! [`limits::SILENCES`] requests in a row is passed over, until any packet comes from there or its device registers
//! again. Nothing of this is stored, and the registration stays what it is.

use crate::exchange::Exchange;
use crate::limits;
use sip::Flow;
use sip::bindings::Bindings;
use std::collections::BTreeMap;

/// Flows that did not answer, and how often in a row.
#[derive(Debug, Default)]
pub(crate) struct Silence {
    flows: BTreeMap<Flow, u8>,
}

impl Silence {
    /// A request by this flow found no answer at all.
    pub(crate) fn note(&mut self, flow: Flow) {
        if self.flows.len() >= limits::SILENT_FLOWS && !self.flows.contains_key(&flow) {
            // Worst case: contacts that are dead ring twice more.
            self.flows.clear();
        }
        let times = self.flows.entry(flow).or_default();
        *times = times.saturating_add(1);
    }

    /// Something came by this flow.
    pub(crate) fn heard(&mut self, flow: Flow) {
        // The map is empty on a good day, so that a packet costs nothing.
        if !self.flows.is_empty() {
            self.flows.remove(&flow);
        }
    }

    /// Whether a flow is passed over.
    pub(crate) fn is_dead(&self, flow: Flow) -> bool {
        self.flows.get(&flow).is_some_and(|&times| times >= limits::SILENCES)
    }
}

impl Exchange {
    /// A device registered: its contacts may be at other ports than its REGISTER came from.
    pub(crate) fn bindings_live(&mut self, bindings: &Bindings) {
        for binding in bindings.list() {
            self.registrar.silence.heard(binding.flow);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(port: u16) -> Flow {
        Flow::udp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 7], port).into())
    }

    #[test]
    fn silence_in_a_row_is_death_until_a_packet_comes() {
        let mut silence = Silence::default();
        silence.note(flow(1));
        assert!(!silence.is_dead(flow(1)), "once may be the network");
        silence.heard(flow(1));
        silence.note(flow(1));
        assert!(!silence.is_dead(flow(1)), "not in a row");
        silence.note(flow(1));
        assert!(silence.is_dead(flow(1)));
        assert!(!silence.is_dead(flow(2)));
        silence.heard(flow(1));
        assert!(!silence.is_dead(flow(1)));
    }

    #[test]
    fn the_silent_are_bounded() {
        let mut silence = Silence::default();
        for port in 0..u16::try_from(limits::SILENT_FLOWS * 2).unwrap_or(u16::MAX) {
            silence.note(flow(port));
        }
        assert!(silence.flows.len() <= limits::SILENT_FLOWS);
    }
}
