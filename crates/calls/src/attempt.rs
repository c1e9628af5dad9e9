//! One INVITE to a device, kept until its final answer, because a device may ask to be asked again in another way.
//!
//! A branch is one device. What it refuses for a reason that we can mend is sent again on the same leg, as a new
//! transaction with the next CSeq number of the same Call-ID, and the branch has not failed meanwhile.

use crate::branch::{Target, Way};
use crate::caller::{ALLOW, SUPPORTED, finish, write_session};
use crate::leg::{LegId, LegState};
use crate::limits::LONGER_SESSIONS;
use crate::switch::{Owner, Switch};
use clock::Now;
use media::Security;
use sip::ClientKey;
use sip::session_timer::{self, Agreement, Refresher};
use std::sync::Arc;
use wire::sip::{HeaderName, Message, Method};

/// RFC 7989 section 5: the other half is not known yet.
const NIL_SESSION: &[u8] = b"00000000000000000000000000000000";

/// What the INVITE of a branch is made of.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) target: Target,
    hops: u8,
    session_id: Arc<str>,
    sdp: Vec<u8>,
    /// The session's life that we ask for, and the shortest that the device's side takes, in seconds.
    interval: u32,
    least: u32,
    /// How often the interval was too small.
    refusals: u8,
}

impl Attempt {
    pub(crate) fn new(target: Target, hops: u8, session_id: Arc<str>, sdp: Vec<u8>) -> Attempt {
        let (interval, least) = (session_timer::INTERVAL, session_timer::MIN_SE);
        Attempt { target, hops, session_id, sdp, interval, least, refusals: 0 }
    }
}

impl Attempt {
    /// Another offer, for when it is sent again.
    pub(crate) fn offer(&mut self, sdp: Vec<u8>) {
        self.sdp = sdp;
    }
}

impl Switch {
    /// Sends the INVITE of a branch.
    pub(crate) fn send_invite(&mut self, now: Now, id: LegId, attempt: &Attempt) -> Option<ClientKey> {
        let leg = self.legs.get_mut(id)?;
        let sequence = leg.dialog.next_sequence();
        let authorization = leg.line.as_mut().and_then(|line| line.take_authorization());
        let ticket = leg.line.as_ref().and_then(|line| line.ticket());
        let dialog = &leg.dialog;
        let (flow, uri, hops) = (attempt.target.flow, &attempt.target.uri, attempt.hops);
        let contact = Switch::contact(flow);
        let owner = Owner::Leg(id);
        Some(self.endpoint.request(now.mono, flow, owner, Method::Invite, uri, hops, |mut writer| {
            dialog.write(&mut writer, Method::Invite, sequence);
            writer.header(HeaderName::Contact, contact);
            writer.header(HeaderName::Allow, ALLOW);
            writer.header(HeaderName::Supported, SUPPORTED);
            let wish = Agreement { interval: attempt.interval, refresher: Refresher::Us };
            write_session(&mut writer, Some(wish), true);
            writer.header_number(HeaderName::MinSe, attempt.least.into());
            let halves = [attempt.session_id.as_bytes(), b";remote=", NIL_SESSION];
            writer.header_parts(HeaderName::SessionId, &halves);
            if let Some(at_once) = attempt.target.at_once {
                at_once.write(&mut writer, &attempt.target.domain);
            }
            if let Some(ticket) = &ticket {
                writer.header(HeaderName::RingdownTicket, &**ticket);
            }
            if let Some((name, value)) = &authorization {
                writer.header(*name, value);
            }
            finish(writer, Some(&attempt.sdp))
        }))
    }

    /// Sends the INVITE of a branch once more, as its attempt says now. Dialogs of the last one are over.
    pub(crate) fn invite_again(&mut self, now: Now, id: LegId) -> bool {
        let Some(leg) = self.legs.get_mut(id) else { return false };
        let state = std::mem::replace(&mut leg.state, LegState::Ended);
        let LegState::Outgoing(mut outgoing) = state else {
            leg.state = state;
            return false;
        };
        leg.media = outgoing.offered.clone();
        outgoing.early.clear();
        let Some(invite) = self.send_invite(now, id, &outgoing.attempt) else { return false };
        outgoing.invite = invite;
        self.legs[id].state = LegState::Outgoing(outgoing);
        true
    }

    /// R11, RFC 5626 section 7: the flow is dead, so the device is rung by its next one. A device that rang already is
    /// not rung again. False when the branch has failed.
    pub(crate) fn retry_elsewhere(&mut self, now: Now, id: LegId) -> bool {
        let Some(leg) = self.legs.get_mut(id) else { return false };
        let LegState::Outgoing(outgoing) = &mut leg.state else { return false };
        let target = &mut outgoing.attempt.target;
        if outgoing.progress > 0 || target.further.is_empty() {
            return false;
        }
        let Way { flow, uri, routes, behind_nat } = target.further.remove(0);
        (leg.flow, leg.behind_nat) = (flow, behind_nat);
        leg.dialog.routes = routes;
        leg.dialog.target.clone_from(&uri);
        (target.flow, target.uri) = (flow, uri);
        let (now_offered, wanted) = (leg.media.security(), self.security_of(flow));
        match (now_offered, wanted) {
            _ if now_offered == wanted => {}
            // A browser's port is another than a phone's: a device that is both is rung where it was found first.
            (Security::Webrtc { .. }, _) | (_, Security::Webrtc { .. }) => {
                return self.retry_elsewhere(now, id);
            }
            // R14: keys go by what carries them.
            _ if !self.offer_anew(id, wanted) => return false,
            _ => {}
        }
        self.invite_again(now, id)
    }

    /// RFC 4028 section 6: a 422 wants the same request with the interval that it names, at most twice. False when the
    /// branch has failed.
    pub(crate) fn retry_longer(&mut self, now: Now, id: LegId, response: &Message<'_>) -> bool {
        let Some(least) = session_timer::demanded(response) else { return false };
        let Some(LegState::Outgoing(outgoing)) = self.legs.get_mut(id).map(|leg| &mut leg.state) else {
            return false;
        };
        let attempt = &mut outgoing.attempt;
        if attempt.refusals >= LONGER_SESSIONS {
            return false;
        }
        attempt.refusals += 1;
        // RFC 4028 7.4: the largest Min-SE that any 422 of this call named.
        attempt.least = attempt.least.max(least);
        attempt.interval = attempt.least;
        self.invite_again(now, id)
    }

    /// The same for a re-INVITE inside an answered leg. False when it was refused for good.
    pub(crate) fn refresh_longer(
        &mut self,
        now: Now,
        id: LegId,
        client: ClientKey,
        response: &Message<'_>,
    ) -> bool {
        let Some(least) = session_timer::demanded(response) else { return false };
        let Some(leg) = self.legs.get_mut(id) else { return false };
        let LegState::Up(up) = &mut leg.state else { return false };
        if up.modifying.as_ref().is_none_or(|(pending, _)| *pending != client) {
            return false;
        }
        if leg.session.refusals >= LONGER_SESSIONS {
            return false;
        }
        leg.session.refusals += 1;
        leg.session.least = leg.session.least.max(least);
        let refresher = leg.session.agreement.map_or(Refresher::Us, |agreement| agreement.refresher);
        leg.session.agreement = Some(Agreement { interval: leg.session.least, refresher });
        self.modify_again(now, id)
    }

    /// Sends a re-INVITE once more that was refused for a reason that is mended now.
    pub(crate) fn modify_again(&mut self, now: Now, id: LegId) -> bool {
        let Some(leg) = self.legs.get_mut(id) else { return false };
        let LegState::Up(up) = &mut leg.state else { return false };
        if let Some((_, purpose)) = up.modifying.take() {
            if purpose.offers() {
                leg.media.refuse_offer();
            }
            // A newer wish than the refused one stays.
            up.wanted.get_or_insert(purpose);
        }
        self.modify_if_wanted(now, id);
        true
    }
}
