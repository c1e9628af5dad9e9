//! The media ports that workers have bound and lent to the core (R22).

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// Ports that are kept back for emergencies at most: four calls of two legs.
const RESERVE: usize = 8;

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
    total: usize,
}

impl PortPool {
    /// Takes ports that a worker has bound.
    pub fn extend(&mut self, leases: impl IntoIterator<Item = PortLease>) {
        for lease in leases {
            self.total += 1;
            self.give_back(lease);
        }
    }

    /// A port for a leg whose peer is reached by this family; the other family if there is none (R13: the
    /// exchange bridges IPv4 and IPv6). All legs of a call share a `worker`, so that packets change no thread; a
    /// call's first leg takes the one with the most free ports. `None` when all are in use: the call gets a 503.
    ///
    /// A part of the ports is kept back for `emergency` calls (R31).
    pub fn lease(&mut self, ipv6: bool, worker: Option<u16>, emergency: bool) -> Option<PortLease> {
        if !emergency && self.free() <= self.reserve() {
            return None;
        }
        for family in [ipv6, !ipv6] {
            let fits = |&(&(owner, is_ipv6), _): &(&(u16, bool), &mut VecDeque<PortLease>)| {
                is_ipv6 == family && worker.is_none_or(|wanted| wanted == owner)
            };
            let best =
                self.free.iter_mut().filter(fits).max_by_key(|(key, free)| (free.len(), u16::MAX - key.0));
            if let Some(lease) = best.and_then(|(_, free)| free.pop_front()) {
                return Some(lease);
            }
        }
        None
    }

    /// Takes a port back when its leg is gone.
    pub fn give_back(&mut self, lease: PortLease) {
        self.free.entry((lease.worker, lease.address.is_ipv6())).or_default().push_back(lease);
    }

    /// How many ports are kept back for emergencies: a few of many, none of very few.
    fn reserve(&self) -> usize {
        (self.total / 16).min(RESERVE)
    }

    /// How many ports are free.
    #[must_use]
    pub fn free(&self) -> usize {
        self.free.values().map(VecDeque::len).sum()
    }

    /// How many ports there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }
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
}
