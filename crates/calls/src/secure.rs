//! How a leg's media is protected, by the way its signalling comes (R14, R15), and where such a leg has its port.

use crate::leg::{self, LegId};
use crate::ports::PortLease;
use crate::switch::{Action, Switch};
use clock::Now;
use media::webrtc::Fingerprint;
use media::{Direction, LocalMedia, Negotiation, Security};
use sip::{Flow, Transport};

/// What the floor above decides about protection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaPolicy {
    /// Of the certificate that the media workers show to browsers; without one browsers are refused.
    pub fingerprint: Option<Fingerprint>,
    /// A device under TLS that refuses keys (488) is asked once more in clear (R14).
    pub clear_fallback: bool,
}

impl Switch {
    /// Takes over a policy; it holds for what is offered and taken from now on.
    pub fn set_media_policy(&mut self, policy: MediaPolicy) {
        self.media_policy = policy;
    }

    /// From now on, calls by this flow have media of the browser with this certificate, or none. False when others' are
    /// awaited there, or browsers are not taken at all.
    pub fn pin(&mut self, flow: Flow, fingerprint: Fingerprint) -> bool {
        let browsers = flow.transport.is_websocket() && self.media_policy.fingerprint.is_some();
        browsers && *self.pinned.entry(flow).or_insert(fingerprint) == fingerprint
    }

    /// The flow is gone; legs keep what was asked of them.
    pub fn unpin(&mut self, flow: Flow) {
        self.pinned.remove(&flow);
    }

    /// Of the certificate that a browser's offer names.
    #[must_use]
    pub fn named_in(&self, flow: Flow, offer: &[u8]) -> Option<Fingerprint> {
        let security = self.security_of(flow);
        let audio = media::parse_remote(offer, security).ok()?.audio?;
        audio.security.fingerprint.filter(|_| audio.profile == media::Profile::Dtls)
    }

    /// What a leg on this flow may offer and take.
    pub(crate) fn security_of(&self, flow: Flow) -> Security {
        match (flow.transport, self.media_policy.fingerprint) {
            (Transport::Ws | Transport::Wss, Some(fingerprint)) => {
                Security::Webrtc { fingerprint, theirs: self.pinned.get(&flow).copied() }
            }
            (Transport::Tls, _) => Security::Sdes,
            (Transport::Udp | Transport::Tcp | Transport::Ws | Transport::Wss, _) => Security::Clear,
        }
    }

    /// The same for a leg that comes with an offer: what is no browser may be on a WebSocket too.
    pub(crate) fn security_for_offer(&self, flow: Flow, offer: Option<&[u8]>) -> Security {
        let security = self.security_of(flow);
        // Who is to be one certain browser is no program.
        let (Security::Webrtc { theirs: None, .. }, Some(offer)) = (security, offer) else { return security };
        let browser = media::parse_remote(offer, security)
            .is_ok_and(|remote| remote.audio.is_some_and(|audio| audio.profile == media::Profile::Dtls));
        match flow.transport {
            _ if browser => security,
            Transport::Wss => Security::Sdes,
            _ => Security::Clear,
        }
    }

    /// A port for a leg: browsers of a worker share one (R15).
    pub(crate) fn lease_for(
        &mut self,
        security: Security,
        ipv6: bool,
        worker: Option<u16>,
        emergency: bool,
    ) -> Option<PortLease> {
        match security {
            Security::Webrtc { .. } => self.ports.shared(ipv6, worker),
            Security::Clear | Security::Sdes => self.ports.lease(ipv6, worker, emergency),
        }
    }

    /// The negotiation of a new leg; its keys come from randomness that is drawn here.
    pub(crate) fn negotiation(&mut self, lease: PortLease, security: Security) -> Negotiation {
        let session_id = self.endpoint.random() >> 1;
        let local = LocalMedia { address: lease.address, port: lease.port, session_id };
        let mut seed = [0; 32];
        for word in seed.chunks_exact_mut(8) {
            word.copy_from_slice(&self.endpoint.random().to_le_bytes());
        }
        Negotiation::secured(local, security, seed)
    }

    /// 488: a device under TLS refused keys and is asked once in clear, if the policy allows (R14); a program on a
    /// WebSocket refused what browsers are offered and gets what its signalling can carry. False when the branch has
    /// failed.
    pub(crate) fn retry_in_clear(&mut self, now: Now, id: LegId) -> bool {
        let Some(leg) = self.legs.get(id) else { return false };
        let offered = match (leg.media.security(), leg.flow.transport) {
            (Security::Webrtc { theirs: Some(_), .. }, _) => false,
            (Security::Webrtc { .. }, Transport::Wss) => self.offer_to_program(id, Security::Sdes),
            (Security::Webrtc { .. }, _) => self.offer_to_program(id, Security::Clear),
            (Security::Sdes, _) if self.media_policy.clear_fallback => self.offer_anew(id, Security::Clear),
            _ => false,
        };
        offered && self.invite_again(now, id)
    }

    /// A branch leaves the port that browsers share (R15) for one of its own.
    fn offer_to_program(&mut self, id: LegId, security: Security) -> bool {
        let Some(leg) = self.legs.get(id) else { return false };
        let (old, ipv6) = (leg.lease, leg.flow.remote.is_ipv6());
        let emergency = self.calls.get(leg.call).is_some_and(|call| call.emergency);
        let Some(lease) = self.ports.lease(ipv6, Some(old.worker), emergency) else { return false };
        self.actions.push_back(Action::ReleaseMedia { lease: old, leg: leg::media_key(id) });
        self.ports.give_back(old);
        let (offered, stream) = (self.negotiation(lease, security), self.new_stream(id));
        let Some(leg) = self.legs.get_mut(id) else { return false };
        (leg.lease, leg.stream) = (lease, stream);
        if let Some(outgoing) = leg.outgoing() {
            outgoing.offered = offered;
        }
        self.offer_anew(id, security)
    }

    /// Writes the offer of a branch anew, under another protection.
    pub(crate) fn offer_anew(&mut self, id: LegId, security: Security) -> bool {
        let Some(call) = self.legs.get(id).map(|leg| leg.call) else { return false };
        let Some(payloads) = self.anchor(call).map(|caller| self.payloads_for(call, caller)) else {
            return false;
        };
        let Some(outgoing) = self.legs.get_mut(id).and_then(leg::Leg::outgoing) else { return false };
        outgoing.offered.refuse_offer();
        outgoing.offered.set_security(security);
        outgoing.attempt.offer(outgoing.offered.offer_with(&payloads, Direction::SendRecv));
        true
    }
}
