//! Bridging: which leg hears which, in which codec; told to the media workers as whole orders.

use crate::call::Stage;
use crate::leg::{self, CallId, LegId, LegState, Purpose};
use crate::switch::{Action, Switch};
use clock::Now;
use media::{AcceptFrom, Codec, MediaOrder, Negotiation, Payload, Protection, Source};
use std::net::IpAddr;

impl Switch {
    /// Lets two legs hear each other.
    pub(crate) fn connect(&mut self, now: Now, a: LegId, b: LegId) {
        for (leg, other) in [(a, b), (b, a)] {
            let source = Source::Leg(leg::media_key(other));
            if let Some(entry) = self.legs.get_mut(leg) {
                entry.source = source;
            }
        }
        self.send_order(a);
        self.send_order(b);
        let _ = now;
    }

    /// Lets a leg hear nothing.
    pub(crate) fn silence(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get_mut(id) {
            leg.source = Source::Nothing;
        }
        self.send_order(id);
    }

    /// The other leg of a talking call.
    pub(crate) fn peer_of(&self, id: LegId) -> Option<LegId> {
        let call = self.calls.get(self.legs.get(id)?.call)?;
        let Stage::Talking { winner: Some(winner) } = call.stage else { return None };
        if call.replacing.is_some_and(|replacing| replacing.old_left) {
            return None;
        }
        if id == call.caller { Some(winner) } else { (id == winner).then_some(call.caller) }
    }

    /// What may be put before the other side of `branch`: the codecs its device takes, in its order, then all that we
    /// could transcode to.
    pub(crate) fn codecs_towards(&self, branch: LegId) -> Vec<Codec> {
        let mut codecs: Vec<Codec> = Vec::new();
        if let Some(agreed) = self.legs.get(branch).and_then(|leg| leg.media.agreed()) {
            let takes = std::iter::once(&agreed.codec).chain(&agreed.also);
            codecs.extend(takes.map(|payload| payload.codec.clone()));
        }
        for spoken in Codec::OURS.to_vec() {
            if !codecs.iter().any(|codec| codec.matches(&spoken)) {
                codecs.push(spoken);
            }
        }
        codecs
    }

    /// What `leg` is answered when it will hear `other`: what both take, in the order of `other`; when they share
    /// nothing, all that we could transcode to (R1, R3). Few codecs in an answer leave few ways to misunderstand it.
    pub(crate) fn codecs_between(&self, leg: LegId, other: LegId) -> Vec<Codec> {
        let mut codecs = self.codecs_towards(other);
        let Some(offered) = self.legs.get(leg).map(|leg| remote_payloads(&leg.media)) else { return codecs };
        let taken = self.legs.get(other).and_then(|leg| leg.media.agreed());
        let takes = |codec: &Codec| {
            taken.is_some_and(|agreed| {
                std::iter::once(&agreed.codec).chain(&agreed.also).any(|payload| payload.codec.matches(codec))
            })
        };
        let shared =
            |codec: &Codec| takes(codec) && offered.iter().any(|payload| payload.codec.matches(codec));
        if codecs.iter().any(shared) {
            codecs.retain(shared);
        }
        codecs
    }

    /// What a branch is offered: the caller's codecs under the caller's numbers, then those that we could transcode
    /// from (R3).
    pub(crate) fn payloads_from(&self, caller: LegId) -> Vec<Payload> {
        let mut payloads: Vec<Payload> = Vec::new();
        if let Some(leg) = self.legs.get(caller) {
            if let Some(agreed) = leg.media.agreed() {
                // The codec is pinned: the one that the caller was answered with comes first.
                payloads.push(agreed.codec.clone());
            }
            for payload in remote_payloads(&leg.media) {
                if !payloads.iter().any(|known| known.codec.matches(&payload.codec)) {
                    payloads.push(payload.clone());
                }
            }
        }
        let mut free =
            (96..=127u8).filter(|number| payloads.iter().all(|p| p.number != *number)).collect::<Vec<_>>();
        let wanted = Codec::OURS.to_vec().into_iter().chain([Codec::TELEPHONE_EVENT]);
        for codec in wanted {
            if payloads.iter().any(|known| known.codec.matches(&codec)) {
                continue;
            }
            let number = match codec.static_number() {
                Some(number) => number,
                None if free.is_empty() => continue,
                None => free.remove(0),
            };
            payloads.push(Payload { number, codec });
        }
        payloads
    }

    /// The winner answered with codecs that the caller's one answer excludes: ask the winner first, then the caller;
    /// until then, and if both refuse, we transcode (R1).
    pub(crate) fn align_codecs(&mut self, now: Now, call: CallId) {
        let Some(entry) = self.calls.get(call) else { return };
        let Stage::Talking { winner: Some(winner) } = entry.stage else { return };
        let caller = entry.caller;
        let (Some(a), Some(b)) = (self.legs.get(caller), self.legs.get(winner)) else { return };
        let (Some(left), Some(right)) = (a.media.agreed(), b.media.agreed()) else { return };
        let (pinned, answered) = (left.codec.codec.clone(), right.codec.codec.clone());
        let mut takes = std::iter::once(&right.codec).chain(&right.also);
        if takes.any(|payload| payload.codec.matches(&pinned)) {
            return;
        }
        if let Some(leg) = self.legs.get_mut(winner)
            && let LegState::Up(up) = &mut leg.state
        {
            // What it took goes along: a phone that takes nothing else would answer without any sound.
            up.wanted = Some(Purpose::Codecs(vec![pinned, answered]));
            self.modify_if_wanted(now, winner);
        }
    }

    /// Tells the leg's worker all that it should do now.
    pub(crate) fn send_order(&mut self, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.order_epoch += 1;
        let signalling = leg.flow.remote.ip();
        let Some(agreed) = leg.media.agreed() else { return };
        let remote = agreed.remote.map(|remote| remote.ip());
        let accept = accept_from(remote, signalling, leg.behind_nat, leg.media_generation);
        let accept = match agreed.protection {
            Protection::Clear => listed(accept, &leg.media_from, leg.media_generation),
            // R16: who has the key may come from elsewhere; a browser's addresses are checked where they arrive.
            Protection::Srtp(_) => AcceptFrom::Authentic,
            Protection::Webrtc(_) => AcceptFrom::Checked,
        };
        let order = MediaOrder {
            leg: leg::media_key(id),
            epoch: leg.order_epoch,
            send: agreed.send_to(),
            accept,
            protection: agreed.protection.clone(),
            receive: agreed.receive.clone(),
            source: leg.source.clone(),
            identity: leg.stream.clone(),
            events: true,
        };
        self.actions.push_back(Action::Media { lease: leg.lease, order: Box::new(order) });
    }
}

/// What the peer of a leg offered or answered, its offer first if one waits.
pub(crate) fn remote_payloads(media: &Negotiation) -> &[Payload] {
    let description = media.received_offer().or(media.remote());
    description.and_then(|description| description.audio.as_ref()).map_or(&[], |audio| &audio.payloads)
}

/// R16: a trunk may list where else its media comes from.
fn listed(accept: AcceptFrom, also: &[IpAddr], generation: u32) -> AcceptFrom {
    let (own, generation) = match accept {
        // Who is where it says starts no learning again by a new offer.
        AcceptFrom::Exact(ip) => (ip, 0),
        AcceptFrom::Learn { ip, .. } => (ip, generation),
        other => return other,
    };
    if also.is_empty() {
        return accept;
    }
    let ips = std::iter::once(own).chain(also.iter().copied().filter(|ip| *ip != own)).collect();
    AcceptFrom::Listed { ips, generation }
}

/// Whose packets a leg takes (R16): the signalled address where it can be true, else the address that the signalling
/// came from, learned once and then pinned.
fn accept_from(
    signalled: Option<IpAddr>,
    signalling: IpAddr,
    behind_nat: bool,
    generation: u32,
) -> AcceptFrom {
    match signalled {
        Some(ip) if ip == signalling => AcceptFrom::Exact(ip),
        Some(ip) if !behind_nat && !is_private_beside(ip, signalling) => AcceptFrom::Exact(ip),
        _ => AcceptFrom::Learn { ip: signalling, generation },
    }
}

/// Whether an address in SDP cannot be reached from here, seen from where the signalling came from: it is of a network
/// of the peer's own, or of this machine, or of nobody in particular (sec_18).
fn is_private_beside(sdp: IpAddr, signalling: IpAddr) -> bool {
    // IPv4 inside IPv6 is the same host.
    let (sdp, signalling) = (sdp.to_canonical(), signalling.to_canonical());
    let private = |ip: IpAddr| match ip {
        // RFC 1918, RFC 6598
        IpAddr::V4(v4) => v4.is_private() || (v4.octets()[0] == 100 && v4.octets()[1] & 0xC0 == 64),
        IpAddr::V6(v6) => (v6.segments()[0] & 0xFE00) == 0xFC00,
    };
    let link = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => (v6.segments()[0] & 0xFFC0) == 0xFE80,
    };
    let many = sdp.is_unspecified() || sdp.is_multicast() || sdp == IpAddr::from([255; 4]);
    let near = |ip: IpAddr| private(ip) || link(ip) || ip.is_loopback();
    many || (sdp.is_loopback() && !signalling.is_loopback())
        || (link(sdp) && !link(signalling))
        || (private(sdp) && !near(signalling))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn sec_18_media_is_not_sent_to_this_machine_nor_to_everybody_because_sdp_says_so() {
        let here = [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "::ffff:127.0.0.1",
            "0.0.0.0",
            "::",
            "169.254.1.1",
            "fe80::1",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
        ];
        for signalling in ["203.0.113.5", "10.0.0.5", "2001:db8::5", "::ffff:203.0.113.5"] {
            for sdp in here {
                let accept = accept_from(Some(ip(sdp)), ip(signalling), false, 3);
                let learned = AcceptFrom::Learn { ip: ip(signalling), generation: 3 };
                assert_eq!(accept, learned, "{sdp} from {signalling}");
            }
        }
        // What can be true is believed.
        for (sdp, signalling) in [
            ("198.51.100.7", "203.0.113.5"),
            ("10.0.0.7", "10.0.0.5"),
            ("127.0.0.2", "127.0.0.1"),
            ("100.200.1.1", "203.0.113.5"),
            ("2001:db8::7", "203.0.113.5"),
        ] {
            let accept = accept_from(Some(ip(sdp)), ip(signalling), false, 3);
            assert_eq!(accept, AcceptFrom::Exact(ip(sdp)), "{sdp} from {signalling}");
        }
        // A private address of a peer that comes from the open net is behind a NAT.
        for sdp in ["10.0.0.7", "192.168.1.7", "100.64.0.7", "fd00::7", "::ffff:10.0.0.7"] {
            let accept = accept_from(Some(ip(sdp)), ip("203.0.113.5"), false, 3);
            assert!(matches!(accept, AcceptFrom::Learn { .. }), "{sdp}");
        }
    }
}
