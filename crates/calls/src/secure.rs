//! How a leg's media is protected, by the way its signalling comes (R14, R15), and where such a leg has its port.

use crate::leg::LegId;
use crate::ports::PortLease;
use crate::switch::Switch;
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

    /// What a leg on this flow may offer and take.
    pub(crate) fn security_of(&self, flow: Flow) -> Security {
        match (flow.transport, self.media_policy.fingerprint) {
            (Transport::Ws | Transport::Wss, Some(fingerprint)) => Security::Webrtc { fingerprint },
            (Transport::Tls, _) => Security::Sdes,
            (Transport::Udp | Transport::Tcp | Transport::Ws | Transport::Wss, _) => Security::Clear,
        }
    }

    /// The same for a leg that comes with an offer: what is no browser may be on a WebSocket too.
    pub(crate) fn security_for_offer(&self, flow: Flow, offer: Option<&[u8]>) -> Security {
        let security = self.security_of(flow);
        let (Security::Webrtc { .. }, Some(offer)) = (security, offer) else { return security };
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

    /// R14: a device under TLS refused keys; where the policy allows it is asked once in clear. False when the branch
    /// has failed.
    pub(crate) fn retry_in_clear(&mut self, now: Now, id: LegId) -> bool {
        let Some(leg) = self.legs.get(id) else { return false };
        if !self.media_policy.clear_fallback || leg.media.security() != Security::Sdes {
            return false;
        }
        self.offer_anew(id, Security::Clear) && self.invite_again(now, id)
    }

    /// Writes the offer of a branch anew, under another protection.
    pub(crate) fn offer_anew(&mut self, id: LegId, security: Security) -> bool {
        let Some(call) = self.legs.get(id).map(|leg| leg.call) else { return false };
        let Some(payloads) = self.anchor(call).map(|caller| self.payloads_for(call, caller)) else {
            return false;
        };
        let Some(outgoing) = self.legs.get_mut(id).and_then(crate::leg::Leg::outgoing) else { return false };
        outgoing.offered.refuse_offer();
        outgoing.offered.set_security(security);
        outgoing.attempt.offer(outgoing.offered.offer_with(&payloads, Direction::SendRecv));
        true
    }
}
