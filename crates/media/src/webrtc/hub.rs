//! All browsers of one worker behind one port.

use super::peer::{Gone, Peer, RemoteReport, Said};
use super::{Identity, WebrtcLink};
use crate::order::{LegKey, MediaOrder, Protection};
use clock::Mono;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use wire::stun::{BindingRequest, Demultiplexed, demultiplex, is_binding_success};

/// Addresses of one leg that passed a check at most; the oldest gives way.
const CHECKED_MAX: usize = 4;
/// Without a deadline of its own a peer is looked at this often.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What the hub asks for.
#[derive(Debug)]
pub enum Output {
    /// Send this datagram there.
    Send(SocketAddr, Vec<u8>),
    /// An RTP packet in clear came on a leg from a checked address.
    Packet {
        /// Whose.
        leg: LegKey,
        /// Whence.
        from: SocketAddr,
        /// In clear.
        bytes: Vec<u8>,
    },
    /// What the remote said of our stream.
    Report {
        /// On which leg.
        leg: LegKey,
        /// What.
        report: RemoteReport,
    },
}

/// What was dropped, and what became of peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// STUN that names no leg of ours, or is no request.
    pub stun_unknown: u64,
    /// STUN that names a leg, but is not authentic.
    pub stun_refused: u64,
    /// DTLS from an address that passed no check.
    pub dtls_unchecked: u64,
    /// RTP or RTCP from an address that passed no check.
    pub rtp_unchecked: u64,
    /// Neither STUN nor DTLS nor RTP.
    pub other: u64,
    /// Handshakes that were finished.
    pub connected: u64,
    /// Peers that closed: a wrong fingerprint, or a good-bye.
    pub closed: u64,
    /// Peers that panicked.
    pub panicked: u64,
}

struct Member {
    /// `None` when it is gone: its leg has no media until another order.
    peer: Option<Peer>,
    link: WebrtcLink,
    /// Addresses that passed a check, the latest last.
    checked: Vec<SocketAddr>,
    /// The address that the browser wants to be used.
    nominated: Option<SocketAddr>,
    deadline: Option<Mono>,
}

/// All peers of one port.
pub struct Hub {
    identity: Identity,
    local: SocketAddr,
    /// One moment by both clocks.
    start: (Mono, Instant),
    members: BTreeMap<LegKey, Member>,
    by_fragment: BTreeMap<Box<str>, LegKey>,
    by_address: BTreeMap<SocketAddr, LegKey>,
    due: BTreeSet<(Mono, LegKey)>,
    outputs: Vec<Output>,
    said: Vec<Said>,
    counters: Counters,
}

impl Hub {
    /// A hub on the port `local`. `instant` is the same moment as `now`: str0m counts in the one, we in the other.
    #[must_use]
    pub fn new(identity: Identity, local: SocketAddr, now: Mono, instant: Instant) -> Hub {
        Hub {
            identity,
            local,
            start: (now, instant),
            members: BTreeMap::new(),
            by_fragment: BTreeMap::new(),
            by_address: BTreeMap::new(),
            due: BTreeSet::new(),
            outputs: Vec::new(),
            said: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// Makes the network side of a leg be as ordered. The same order again changes nothing.
    pub fn apply(&mut self, now: Mono, order: &MediaOrder) {
        let Protection::Webrtc(link) = &order.protection else { return self.release(order.leg) };
        let (instant, ssrc) = (self.instant(now), order.identity.ssrc);
        match self.members.get_mut(&order.leg) {
            Some(member) if member.link == **link => return,
            Some(member) => {
                self.by_fragment.remove(&member.link.local.fragment);
                member.link = (**link).clone();
                // R15: a browser that restarts ICE goes on with its keys; another certificate is another peer.
                let follows = member.peer.as_mut().is_some_and(|peer| peer.follow(link, ssrc));
                if !follows {
                    member.peer = Peer::new(instant, &self.identity, self.local, link, ssrc);
                    for address in std::mem::take(&mut member.checked) {
                        self.by_address.remove(&address);
                    }
                    member.nominated = None;
                }
            }
            None => {
                let peer = Peer::new(instant, &self.identity, self.local, link, ssrc);
                let member = Member {
                    peer,
                    link: (**link).clone(),
                    checked: Vec::new(),
                    nominated: None,
                    deadline: None,
                };
                self.members.insert(order.leg, member);
            }
        }
        self.by_fragment.insert(link.local.fragment.clone(), order.leg);
        self.act(now, order.leg, None, |peer, said| peer.handle_timeout(instant, said));
    }

    /// Forgets a leg.
    pub fn release(&mut self, leg: LegKey) {
        let Some(member) = self.members.remove(&leg) else { return };
        self.by_fragment.remove(&member.link.local.fragment);
        for address in member.checked {
            self.by_address.remove(&address);
        }
        if let Some(deadline) = member.deadline {
            self.due.remove(&(deadline, leg));
        }
    }

    /// Whether a leg is a browser's.
    #[must_use]
    pub fn holds(&self, leg: LegKey) -> bool {
        self.members.contains_key(&leg)
    }

    /// Whether there is no leg at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// What was dropped so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Takes a datagram of the port.
    pub fn receive(&mut self, now: Mono, from: SocketAddr, datagram: &[u8]) {
        let instant = self.instant(now);
        let kind = demultiplex(datagram);
        if kind == Demultiplexed::Stun {
            return self.receive_stun(now, from, datagram);
        }
        let leg = self.by_address.get(&from).copied();
        let (Some(leg), Demultiplexed::Dtls | Demultiplexed::Rtp) = (leg, kind) else {
            let counters = &mut self.counters;
            let counter = match kind {
                Demultiplexed::Dtls => &mut counters.dtls_unchecked,
                Demultiplexed::Rtp => &mut counters.rtp_unchecked,
                Demultiplexed::Stun | Demultiplexed::Other => &mut counters.other,
            };
            *counter += 1;
            return;
        };
        self.act(now, leg, Some(from), |peer, said| peer.receive(instant, from, datagram, said));
    }

    /// A request is authentic when the peer answers it: it has the password.
    fn receive_stun(&mut self, now: Mono, from: SocketAddr, datagram: &[u8]) {
        let instant = self.instant(now);
        let request = BindingRequest::parse(datagram);
        let leg = request.and_then(|request| self.by_fragment.get(request.to).copied());
        let (Some(request), Some(leg)) = (request, leg) else {
            self.counters.stun_unknown += 1;
            return;
        };
        let before = self.outputs.len();
        self.act(now, leg, Some(from), |peer, said| peer.receive(instant, from, datagram, said));
        let answered = self.outputs[before..].iter().any(
            |output| matches!(output, Output::Send(to, bytes) if *to == from && is_binding_success(bytes)),
        );
        if !answered {
            self.counters.stun_refused += 1;
            return;
        }
        self.check(leg, from);
        if let Some(member) = self.members.get_mut(&leg)
            && (request.nominates || member.nominated.is_none())
        {
            member.nominated = Some(from);
        }
    }

    /// An address passed a check: it is this leg's.
    fn check(&mut self, leg: LegKey, from: SocketAddr) {
        let Some(member) = self.members.get_mut(&leg) else { return };
        if member.checked.contains(&from) && self.by_address.get(&from) == Some(&leg) {
            return;
        }
        member.checked.retain(|address| *address != from);
        if member.checked.len() == CHECKED_MAX {
            let oldest = member.checked.remove(0);
            if self.by_address.get(&oldest) == Some(&leg) {
                self.by_address.remove(&oldest);
            }
        }
        member.checked.push(from);
        // A browser's port may have another leg than before: the latest check counts.
        self.by_address.insert(from, leg);
    }

    /// Sends an RTP packet in clear to a leg's browser.
    pub fn send(&mut self, now: Mono, leg: LegKey, packet: &[u8]) {
        let instant = self.instant(now);
        // str0m writes its own reports.
        if !wire::rtcp::is_rtcp(packet) {
            self.act(now, leg, None, |peer, said| peer.send(instant, packet, said));
        }
    }

    /// To be called every 10 ms: runs what is due.
    pub fn tick(&mut self, now: Mono) {
        let instant = self.instant(now);
        while let Some(&(at, leg)) = self.due.first() {
            if at > now {
                break;
            }
            self.due.pop_first();
            if let Some(member) = self.members.get_mut(&leg) {
                member.deadline = None;
            }
            self.act(now, leg, None, |peer, said| peer.handle_timeout(instant, said));
        }
    }

    /// What is to be done, oldest first.
    pub fn outputs(&mut self) -> std::vec::Drain<'_, Output> {
        self.outputs.drain(..)
    }

    /// Whether it asks for anything.
    #[must_use]
    pub fn has_outputs(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// Makes a leg's peer panic, as a fault of str0m would.
    #[cfg(test)]
    pub(super) fn break_peer(&mut self, leg: LegKey) {
        self.act(Mono(0), leg, None, |peer, _| peer.panic());
    }

    fn act(
        &mut self,
        now: Mono,
        leg: LegKey,
        from: Option<SocketAddr>,
        act: impl FnOnce(&mut Peer, &mut Vec<Said>) -> Result<(), Gone>,
    ) {
        let Some(member) = self.members.get_mut(&leg) else { return };
        let Some(peer) = &mut member.peer else { return };
        let gone = act(peer, &mut self.said).err();
        for said in self.said.drain(..) {
            match said {
                // Answers to checks go back whence those came; all else goes where the browser wants it.
                Said::Send(to, bytes) => {
                    let stun = demultiplex(&bytes) == Demultiplexed::Stun;
                    let to = if stun { to } else { member.nominated.unwrap_or(to) };
                    self.outputs.push(Output::Send(to, bytes));
                }
                Said::Packet(bytes) => {
                    let from = from.or(member.nominated).unwrap_or(self.local);
                    self.outputs.push(Output::Packet { leg, from, bytes });
                }
                Said::Connected => self.counters.connected += 1,
                Said::Report(report) => self.outputs.push(Output::Report { leg, report }),
            }
        }
        match gone {
            Some(Gone::Closed) => self.counters.closed += 1,
            Some(Gone::Panicked) => self.counters.panicked += 1,
            None => {}
        }
        if gone.is_some() {
            member.peer = None;
        }
        // str0m works its deadline out anew each time, so it is asked only when the last one has passed.
        if member.deadline.is_none()
            && let Some(peer) = &member.peer
        {
            let at = peer.deadline().map(|at| self.start.0 + at.saturating_duration_since(self.start.1));
            let at = at.unwrap_or(now + LOOK_EVERY).clamp(now, now + LOOK_EVERY);
            member.deadline = Some(at);
            self.due.insert((at, leg));
        }
    }

    fn instant(&self, now: Mono) -> Instant {
        self.start.1 + now.since(self.start.0)
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("local", &self.local)
            .field("legs", &self.members.len())
            .finish_non_exhaustive()
    }
}
