//! What others changed, applied as our own would be (R20).

use crate::change::{Change, Owned, Shard};
use crate::exchange::Exchange;
use clock::Now;
use sip::bindings::StoredBinding;

impl Exchange {
    /// Others changed this, and the store has it.
    pub(super) fn fed(&mut self, now: Now, position: u64, changes: Vec<Change>) {
        let (people, live): (Vec<Change>, Vec<Change>) =
            changes.into_iter().partition(|change| matches!(change, Change::People(_)));
        let epoch = self.epoch();
        let people: Vec<Owned> =
            people.into_iter().map(|change| Owned { shard: Shard(0), epoch, change }).collect();
        self.apply(now, &people);
        for change in live {
            match change {
                Change::BindingsElsewhere { device, bindings } => {
                    self.bound_elsewhere(now, &device, bindings);
                }
                Change::Seat { device, seat } => self.seat_elsewhere(now, &device, seat),
                Change::TapCounter { issue, heard, bound, .. } => {
                    self.badges.counters.restore(issue, heard, bound);
                }
                _ => {}
            }
        }
        self.cluster.position = position;
    }

    /// Where a device is registered at others. Calls that are up follow its new ways, and those that ring reach it.
    pub(super) fn bound_elsewhere(&mut self, now: Now, device: &str, bindings: Vec<StoredBinding>) {
        if self.people.device(device).is_none() {
            return;
        }
        let (before, after, ours_went) = self.registrar.merge(now, device, bindings, &self.cluster);
        self.follow_flows(device, &before, &after);
        self.reachability_changed(now, device);
        if ours_went {
            self.store_devices_anew(now, vec![device.into()]);
        }
        if !after.list().is_empty() {
            self.is_back(now, device);
        }
    }

    /// The store has lost what it had of us: it is told again.
    pub(super) fn tell_store_anew(&mut self, now: Now) {
        let devices = self.registrar.devices();
        self.store_devices_anew(now, devices);
        self.store_calls_anew(now);
    }
}
