//! The media ports that workers have bound and lent to the core (R22).

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// Ports of one worker that are kept back for emergencies: those of one or two calls, whose legs share a worker.
const RESERVE: RangeInclusive<usize> = 2..=4;
/// A worker with fewer ports than this keeps none back.
const FEW: usize = 12;

/// One RTP port and the RTCP port above it, already bound by a media worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortLease {
    /// The address to write into SDP.
    pub address: IpAddr,
    /// The even RTP port; RTCP has the next one.
    pub port: u16,
    /// Which worker owns the sockets.
    pub worker: u16,
}

/// Free ports, the longest unused first: a late packet for an old call finds the port still empty.
#[derive(Debug, Default)]
pub struct PortPool {
    free: BTreeMap<(u16, bool), VecDeque<PortLease>>,
    totals: BTreeMap<(u16, bool), usize>,
    /// The one port of each worker and family that all its browsers share (R15).
    shared: BTreeMap<(u16, bool), PortLease>,
}

impl PortPool {
    /// Takes ports that a worker has bound.
    pub fn extend(&mut self, leases: impl IntoIterator<Item = PortLease>) {
        for lease in leases {
            *self.totals.entry((lease.worker, lease.address.is_ipv6())).or_default() += 1;
            self.give_back(lease);
        }
    }

    /// A port for a leg whose peer is reached by this family; the other family if there is none (R13: the
    /// exchange bridges IPv4 and IPv6). All legs of a call share a `worker`, so that packets change no thread; a
    /// call's first leg takes the one with the most free ports. `None` when all are in use: the call gets a 503.
    ///
    /// A part of the ports is kept back for `emergency` calls (R31).
    pub fn lease(&mut self, ipv6: bool, worker: Option<u16>, emergency: bool) -> Option<PortLease> {
        for family in [ipv6, !ipv6] {
            let totals = &self.totals;
            let fits = |&(key, ref free): &(&(u16, bool), &mut VecDeque<PortLease>)| {
                let kept = if emergency { 0 } else { reserve(totals.get(key).copied().unwrap_or_default()) };
                key.1 == family && worker.is_none_or(|wanted| wanted == key.0) && free.len() > kept
            };
            let best =
                self.free.iter_mut().filter(fits).max_by_key(|(key, free)| (free.len(), u16::MAX - key.0));
            if let Some(lease) = best.and_then(|(_, free)| free.pop_front()) {
                return Some(lease);
            }
        }
        None
    }

    /// Takes the ports that browsers share, one a worker.
    pub fn share(&mut self, leases: impl IntoIterator<Item = PortLease>) {
        for lease in leases {
            self.shared.insert((lease.worker, lease.address.is_ipv6()), lease);
        }
    }

    /// The port of a browser's leg; it is never used up. A call's first leg takes that of the worker with the most free
    /// ports, because its other legs need those.
    #[must_use]
    pub fn shared(&self, ipv6: bool, worker: Option<u16>) -> Option<PortLease> {
        [ipv6, !ipv6].into_iter().find_map(|family| {
            let fits = self
                .shared
                .iter()
                .filter(|(key, _)| key.1 == family && worker.is_none_or(|wanted| wanted == key.0));
            let free = |key: &(u16, bool)| self.free.get(key).map_or(0, VecDeque::len);
            fits.max_by_key(|(key, _)| (free(key), u16::MAX - key.0)).map(|(_, lease)| *lease)
        })
    }

    /// Takes a port back when its leg is gone.
    pub fn give_back(&mut self, lease: PortLease) {
        if self.shared.get(&(lease.worker, lease.address.is_ipv6())) == Some(&lease) {
            return;
        }
        self.free.entry((lease.worker, lease.address.is_ipv6())).or_default().push_back(lease);
    }

    /// How many ports are free.
    #[must_use]
    pub fn free(&self) -> usize {
        self.free.values().map(VecDeque::len).sum()
    }

    /// How many ports there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.totals.values().sum()
    }
}

fn reserve(total: usize) -> usize {
    if total < FEW { 0 } else { (total / 8).clamp(*RESERVE.start(), *RESERVE.end()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn the_longest_unused_port_comes_first_and_a_call_stays_on_one_worker() {
        let lease = |port, worker| PortLease { address: Ipv4Addr::LOCALHOST.into(), port, worker };
        let mut pool = PortPool::default();
        pool.extend([lease(10, 0), lease(12, 0), lease(20, 1), lease(22, 1), lease(24, 1)]);
        let first = pool.lease(false, None, false).expect("a port");
        assert_eq!(first.port, 20, "the worker with the most free ports");
        pool.give_back(first);
        let order: Vec<u16> =
            (0..3).filter_map(|_| pool.lease(true, Some(1), false)).map(|l| l.port).collect();
        assert_eq!(order, [22, 24, 20]);
        assert_eq!(pool.lease(false, Some(1), false), None);
        assert_eq!((pool.free(), pool.total()), (2, 5));
    }

    #[test]
    fn r15_browsers_share_a_port_that_is_never_used_up() {
        let lease = |port, worker| PortLease { address: Ipv4Addr::LOCALHOST.into(), port, worker };
        let mut pool = PortPool::default();
        pool.extend([lease(12, 0), lease(22, 1), lease(24, 1)]);
        assert_eq!(pool.shared(false, None), None);
        pool.share([lease(10, 0), lease(20, 1)]);
        let first = pool.shared(false, None);
        assert_eq!(first, Some(lease(20, 1)), "of the worker with the most free ports");
        assert_eq!(pool.shared(true, Some(0)), Some(lease(10, 0)), "bridged between the families");
        pool.give_back(lease(20, 1));
        assert_eq!((pool.free(), pool.shared(false, None)), (3, first));
    }

    #[test]
    fn r31_an_emergency_finds_two_ports_of_one_worker_when_others_find_none() {
        let lease =
            |port: u16| PortLease { address: Ipv4Addr::LOCALHOST.into(), port: 10 * port, worker: port % 2 };
        let mut pool = PortPool::default();
        pool.extend((0..32).map(lease));
        while pool.lease(false, None, false).is_some() {}
        assert_eq!(pool.free(), 4);
        let caller = pool.lease(false, None, true).expect("kept back");
        assert!(pool.lease(false, Some(caller.worker), true).is_some());
    }
}
