//! Whose packets are taken, and where a leg behind a NAT is sent to (R16).
//!
//! ```text
//! order (Learn) -- first packet --> pinned, may still move -- 5 packets or 3 s --> pinned for good
//!                                                               a newer generation starts again
//! ```
//!
//! If nothing came within the window, the first packet from the signalled IP pins at once: a phone that
//! starts muted would otherwise stay unheard. The IP is known from authenticated signalling either way.

use crate::order::{AcceptFrom, LEARN_PACKETS, LEARN_WINDOW};
use clock::Mono;
use std::net::{IpAddr, SocketAddr};

/// What the gate says to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Take it.
    Accept,
    /// Take it; it also is the first of its address.
    Learned,
    /// A stranger's.
    Refuse,
}

/// The gate of one leg.
#[derive(Debug)]
pub(super) struct Gate {
    rule: AcceptFrom,
    /// Where the remote said that it receives, which is where it should send from.
    signalled: Option<SocketAddr>,
    /// Whose RTP is taken.
    pinned: Option<SocketAddr>,
    /// Where RTCP came from, with [`AcceptFrom::Learn`] only.
    rtcp: Option<SocketAddr>,
    learn_until: Mono,
    /// Packets that may still move the address.
    moves: u8,
}

impl Gate {
    /// A gate that lets nobody in.
    pub(super) fn closed() -> Gate {
        Gate {
            rule: AcceptFrom::Nobody,
            signalled: None,
            pinned: None,
            rtcp: None,
            learn_until: Mono(0),
            moves: 0,
        }
    }

    /// Takes over the rule of an order. The same rule again disturbs nothing: only an authenticated offer
    /// or answer, which shows as another rule, another generation or another signalled address, does.
    /// Returns whether learning starts anew.
    pub(super) fn set(&mut self, now: Mono, rule: AcceptFrom, signalled: Option<SocketAddr>) -> bool {
        // An order without a destination (hold) says nothing about where the remote sends from.
        let moved = signalled.is_some() && signalled != self.signalled;
        let relearn = rule != self.rule || (moved && !matches!(rule, AcceptFrom::Learn { .. }));
        if signalled.is_some() {
            self.signalled = signalled;
        }
        if relearn {
            self.rule = rule;
            self.pinned = None;
            self.rtcp = None;
            self.learn_until = now + LEARN_WINDOW;
            self.moves = LEARN_PACKETS;
        }
        relearn
    }

    /// Whether anybody is let in at all.
    pub(super) fn is_open(&self) -> bool {
        self.rule != AcceptFrom::Nobody
    }

    /// Judges the source of an RTP packet.
    #[inline]
    pub(super) fn admit(&mut self, now: Mono, from: SocketAddr) -> Verdict {
        if self.pinned == Some(from) && self.moves == 0 {
            return Verdict::Accept;
        }
        self.judge(now, from)
    }

    fn judge(&mut self, now: Mono, from: SocketAddr) -> Verdict {
        match &self.rule {
            AcceptFrom::Nobody => Verdict::Refuse,
            AcceptFrom::Exact(ip) if !same(*ip, from) => Verdict::Refuse,
            AcceptFrom::Exact(_) => self.judge_port(from),
            AcceptFrom::Learn { ip, .. } if !same(*ip, from) => Verdict::Refuse,
            AcceptFrom::Listed { ips, .. } if !ips.iter().any(|ip| same(*ip, from)) => Verdict::Refuse,
            AcceptFrom::Listed { .. } if self.signals_listed() => self.judge_port(from),
            AcceptFrom::Learn { .. } | AcceptFrom::Listed { .. } => self.judge_learning(now, from),
            AcceptFrom::Authentic => self.judge_authentic(from),
            AcceptFrom::Checked => Verdict::Accept,
        }
    }

    /// Judges an authentic packet that is newer than all before it: a phone that moved is followed.
    fn judge_authentic(&mut self, from: SocketAddr) -> Verdict {
        self.moves = 0;
        if self.pinned.replace(from) == Some(from) { Verdict::Accept } else { Verdict::Learned }
    }

    /// Whether the remote receives at an address that it lists.
    fn signals_listed(&self) -> bool {
        let AcceptFrom::Listed { ips, .. } = &self.rule else { return false };
        self.signalled.is_some_and(|signalled| ips.iter().any(|ip| same(*ip, signalled)))
    }

    /// The signalled port always wins; without it the first other port of the same IP is pinned, because
    /// a phone may send from a port that it does not receive on.
    fn judge_port(&mut self, from: SocketAddr) -> Verdict {
        if self.pinned == Some(from) {
            self.moves = 0;
            return Verdict::Accept;
        }
        if self.pinned.is_none() || self.signalled == Some(from) {
            self.pinned = Some(from);
            return Verdict::Learned;
        }
        Verdict::Refuse
    }

    fn judge_learning(&mut self, now: Mono, from: SocketAddr) -> Verdict {
        if now >= self.learn_until {
            self.moves = 0;
        }
        if self.pinned == Some(from) {
            self.moves = self.moves.saturating_sub(1);
            return Verdict::Accept;
        }
        if self.pinned.is_none() || self.moves > 0 {
            self.moves = self.moves.saturating_sub(1);
            self.pinned = Some(from);
            return Verdict::Learned;
        }
        Verdict::Refuse
    }

    /// Judges the source of an RTCP datagram. On a port of its own the first one is pinned; multiplexed, it
    /// comes whence RTP comes.
    pub(super) fn admit_rtcp(&mut self, from: SocketAddr, mux: bool) -> bool {
        match &self.rule {
            AcceptFrom::Nobody => false,
            AcceptFrom::Learn { .. } | AcceptFrom::Listed { .. } if mux => self.pinned == Some(from),
            AcceptFrom::Exact(ip) => same(*ip, from),
            AcceptFrom::Checked => true,
            AcceptFrom::Authentic => {
                self.rtcp = Some(from).filter(|_| !mux).or(self.rtcp);
                true
            }
            AcceptFrom::Learn { ip, .. } => same(*ip, from) && *self.rtcp.get_or_insert(from) == from,
            AcceptFrom::Listed { ips, .. } => {
                ips.iter().any(|ip| same(*ip, from)) && *self.rtcp.get_or_insert(from) == from
            }
        }
    }

    /// Where RTP goes that was signalled to go to `signalled`.
    pub(super) fn rtp_destination(&self, signalled: SocketAddr) -> Option<SocketAddr> {
        match &self.rule {
            // Before anything came, only a destination that signalling vouches for (R16).
            AcceptFrom::Learn { ip, .. } => self.pinned.or(Some(signalled).filter(|to| same(*ip, *to))),
            AcceptFrom::Listed { .. } if !self.signals_listed() => self.pinned,
            // Signalling vouched for it, under the same protection as the key.
            AcceptFrom::Authentic => Some(self.pinned.unwrap_or(signalled)),
            AcceptFrom::Listed { .. } | AcceptFrom::Exact(_) | AcceptFrom::Nobody | AcceptFrom::Checked => {
                Some(signalled)
            }
        }
    }

    /// Where RTCP goes that was signalled to go to `signalled`.
    pub(super) fn rtcp_destination(&self, signalled: SocketAddr, mux: bool) -> Option<SocketAddr> {
        match &self.rule {
            _ if mux => self.rtp_destination(signalled),
            AcceptFrom::Learn { ip, .. } => self.rtcp.or(Some(signalled).filter(|to| same(*ip, *to))),
            AcceptFrom::Listed { .. } if !self.signals_listed() => self.rtcp,
            AcceptFrom::Authentic => Some(self.rtcp.unwrap_or(signalled)),
            AcceptFrom::Listed { .. } | AcceptFrom::Exact(_) | AcceptFrom::Nobody | AcceptFrom::Checked => {
                Some(signalled)
            }
        }
    }
}

/// IPv4 inside IPv6 is the same host.
#[inline]
fn same(ip: IpAddr, from: SocketAddr) -> bool {
    ip == from.ip() || ip.to_canonical() == from.ip().to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn learning(generation: u32) -> AcceptFrom {
        AcceptFrom::Learn { ip: at("203.0.113.1:0").ip(), generation }
    }

    fn gate(rule: AcceptFrom) -> Gate {
        let mut gate = Gate::closed();
        gate.set(Mono(0), rule, Some(at("10.0.0.5:4000")));
        gate
    }

    fn ms(milliseconds: u64) -> Mono {
        Mono(0) + Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_reachable_phone_is_taken_at_its_word() {
        let mut gate = gate(AcceptFrom::Exact(at("10.0.0.5:0").ip()));
        // Another port of the same host may start, the signalled one takes over, and stays.
        assert_eq!(gate.admit(ms(0), at("10.0.0.5:9999")), Verdict::Learned);
        assert_eq!(gate.admit(ms(20), at("10.0.0.6:4000")), Verdict::Refuse);
        assert_eq!(gate.admit(ms(20), at("10.0.0.5:4000")), Verdict::Learned);
        assert_eq!(gate.admit(ms(40), at("10.0.0.5:9999")), Verdict::Refuse);
        assert_eq!(gate.admit(ms(40), at("[::ffff:10.0.0.5]:9999")), Verdict::Refuse);
        assert_eq!(gate.admit(ms(60), at("10.0.0.5:4000")), Verdict::Accept);
        assert_eq!(gate.rtp_destination(at("10.0.0.5:4000")), Some(at("10.0.0.5:4000")));
    }

    #[test]
    fn behind_a_nat_the_first_five_packets_may_move_the_port() {
        let mut gate = gate(learning(1));
        let private = at("10.0.0.5:4000");
        assert_eq!(gate.rtp_destination(private), None, "nothing is sent to an address learned from nothing");
        assert_eq!(gate.admit(ms(10), at("198.51.100.9:1000")), Verdict::Refuse, "a stranger");
        for (count, port) in (0..5).zip([1000, 1000, 1001, 1002, 1002]) {
            let from = SocketAddr::new(at("203.0.113.1:0").ip(), port);
            assert_ne!(gate.admit(ms(10 * count), from), Verdict::Refuse);
            assert_eq!(gate.rtp_destination(private), Some(from));
        }
        // The sixth may not, from wherever.
        assert_eq!(gate.admit(ms(60), at("203.0.113.1:1003")), Verdict::Refuse);
        assert_eq!(gate.admit(ms(60), at("203.0.113.1:1002")), Verdict::Accept);
    }

    fn listed(ips: &[&str], generation: u32) -> AcceptFrom {
        AcceptFrom::Listed { ips: ips.iter().map(|ip| ip.parse().unwrap()).collect(), generation }
    }

    #[test]
    fn r16_a_trunk_is_heard_from_where_it_says_and_from_what_is_listed_for_it() {
        let mut gate = gate(listed(&["10.0.0.5", "203.0.113.8"], 0));
        let signalled = at("10.0.0.5:4000");
        // It receives at one address and sends from another; a stranger is nobody, before and after.
        assert_eq!(gate.admit(ms(0), at("198.51.100.9:4000")), Verdict::Refuse);
        assert_eq!(gate.admit(ms(0), at("203.0.113.8:7000")), Verdict::Learned);
        assert_eq!(gate.admit(ms(20), at("203.0.113.8:7002")), Verdict::Refuse, "one source at a time");
        assert_eq!(gate.admit(ms(20), at("198.51.100.9:4000")), Verdict::Refuse);
        assert_eq!(gate.rtp_destination(signalled), Some(signalled), "what is sent goes where it says");
        // The signalled address always wins.
        assert_eq!(gate.admit(ms(40), signalled), Verdict::Learned);
        assert_eq!(gate.admit(ms(60), at("203.0.113.8:7000")), Verdict::Refuse);
        assert!(gate.admit_rtcp(at("203.0.113.8:7001"), false));
        assert!(!gate.admit_rtcp(at("198.51.100.9:7001"), false));
        // The same order again opens nothing.
        gate.set(ms(80), listed(&["10.0.0.5", "203.0.113.8"], 0), Some(signalled));
        assert_eq!(gate.admit(ms(80), at("203.0.113.8:7000")), Verdict::Refuse);
    }

    #[test]
    fn r16_a_trunk_behind_a_nat_is_learned_from_its_list_alone() {
        let mut gate = gate(listed(&["203.0.113.8", "203.0.113.9"], 1));
        let private = at("10.0.0.5:4000");
        assert_eq!(gate.rtp_destination(private), None, "nothing is sent to an address learned from nothing");
        assert_eq!(gate.admit(ms(0), at("198.51.100.9:4000")), Verdict::Refuse);
        assert_eq!(gate.admit(ms(0), private), Verdict::Refuse, "not listed");
        assert_eq!(gate.admit(ms(20), at("203.0.113.9:7000")), Verdict::Learned);
        assert_eq!(gate.rtp_destination(private), Some(at("203.0.113.9:7000")));
        assert_eq!(gate.admit(ms(3_100), at("203.0.113.8:7000")), Verdict::Refuse, "the window is closed");
        assert_eq!(gate.admit(ms(3_120), at("203.0.113.9:7000")), Verdict::Accept);
    }

    #[test]
    fn the_window_closes_after_three_seconds() {
        let mut gate = gate(learning(1));
        assert_eq!(gate.admit(ms(10), at("203.0.113.1:1000")), Verdict::Learned);
        assert_eq!(gate.admit(ms(3_000), at("203.0.113.1:1001")), Verdict::Refuse);
        // Repeating the order opens nothing; an authenticated offer does.
        gate.set(ms(3_100), learning(1), Some(at("10.0.0.5:4000")));
        assert_eq!(gate.admit(ms(3_120), at("203.0.113.1:1001")), Verdict::Refuse);
        gate.set(ms(3_200), learning(2), Some(at("10.0.0.5:4000")));
        assert_eq!(gate.admit(ms(3_220), at("203.0.113.1:1001")), Verdict::Learned);
    }

    #[test]
    fn a_phone_that_starts_late_is_pinned_at_once() {
        let mut gate = gate(learning(1));
        assert_eq!(gate.admit(ms(9_000), at("203.0.113.1:1000")), Verdict::Learned);
        assert_eq!(gate.admit(ms(9_020), at("203.0.113.1:1001")), Verdict::Refuse);
    }

    #[test]
    fn r16_an_authentic_packet_moves_the_address() {
        let mut gate = gate(AcceptFrom::Authentic);
        let signalled = at("10.0.0.5:4000");
        assert_eq!(gate.rtp_destination(signalled), Some(signalled));
        assert_eq!(gate.admit(ms(10), at("203.0.113.1:1000")), Verdict::Learned);
        assert_eq!(gate.admit(ms(20), at("203.0.113.1:1000")), Verdict::Accept);
        assert_eq!(gate.admit(ms(9_000), at("198.51.100.9:2000")), Verdict::Learned, "a phone that moved");
        assert_eq!(gate.rtp_destination(signalled), Some(at("198.51.100.9:2000")));
    }

    #[test]
    fn hold_keeps_the_pin() {
        let mut gate = gate(learning(1));
        assert_eq!(gate.admit(ms(10), at("203.0.113.1:1000")), Verdict::Learned);
        gate.set(ms(5_000), learning(1), None);
        assert_eq!(gate.admit(ms(5_020), at("203.0.113.1:1000")), Verdict::Accept);
        gate.set(ms(6_000), AcceptFrom::Nobody, None);
        assert_eq!(gate.admit(ms(6_020), at("203.0.113.1:1000")), Verdict::Refuse);
    }

    #[test]
    fn rtcp_is_pinned_by_itself() {
        let mut gate = gate(learning(1));
        let signalled = at("10.0.0.5:4001");
        assert_eq!(gate.rtcp_destination(signalled, false), None);
        assert!(!gate.admit_rtcp(at("198.51.100.9:1001"), false));
        assert!(gate.admit_rtcp(at("203.0.113.1:1001"), false));
        assert!(!gate.admit_rtcp(at("203.0.113.1:1003"), false));
        assert_eq!(gate.rtcp_destination(signalled, false), Some(at("203.0.113.1:1001")));
        assert_eq!(gate.rtcp_destination(signalled, true), None, "multiplexed, it follows RTP");
    }
}
