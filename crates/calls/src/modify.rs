//! Changing an answered leg: re-INVITE and UPDATE in both directions, hold and resume, glare (RFC 3261 14, 3311).

use crate::call::CallEvent;
use crate::caller::{ALLOW, SUPPORTED, finish, sdp_of, write_session};
use crate::leg::{Leg, LegId, LegState, Purpose, Role, Unacknowledged};
use crate::limits::{GLARE_OTHER_MS, GLARE_OWNER_MS};
use crate::switch::{Owner, Switch};
use crate::timers::Wake;
use clock::Now;
use media::{Codec, Direction, Source};
use sip::{ClientKey, ServerKey, session_timer};
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method};

impl Switch {
    /// A re-INVITE: answered here and now, because each leg's media is ours.
    pub(crate) fn reinvite_from_leg(
        &mut self,
        now: Now,
        id: LegId,
        server: ServerKey,
        message: &Message<'_>,
    ) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let LegState::Up(up) = &mut leg.state else {
            return self.endpoint.respond(now.mono, server, 491, None, sip::end);
        };
        // RFC 3261 14.2: ours is pending, or theirs has no ACK yet.
        if up.modifying.is_some() || up.unacknowledged.is_some() {
            return self.endpoint.respond(now.mono, server, 491, None, sip::end);
        }
        leg.dialog.refresh_target(message);
        let sdp = match sdp_of(message) {
            Some(offer) => match self.answer_offer(id, offer) {
                Some(answer) => answer,
                None => return self.endpoint.respond(now.mono, server, 488, None, sip::end),
            },
            // RFC 3261 14.2: without an offer the 2xx makes one.
            None => self.offer_all(id),
        };
        let Some(leg) = self.legs.get_mut(id) else { return };
        let late = sdp_of(message).is_none();
        if let LegState::Up(up) = &mut leg.state {
            let number = message.cseq().map_or(0, |cseq| cseq.number);
            up.unacknowledged = Some(Unacknowledged { server, number });
            up.answer_in_ack = late;
        }
        self.accept_modification(now, id, server, message, Some(&sdp));
    }

    /// An UPDATE: with SDP a re-INVITE without ACK (RFC 3311), without SDP a sign of life (RFC 4028).
    pub(crate) fn update_from_leg(&mut self, now: Now, id: LegId, server: ServerKey, message: &Message<'_>) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.dialog.refresh_target(message);
        let Some(offer) = sdp_of(message) else {
            return self.accept_modification(now, id, server, message, None);
        };
        let busy = match &leg.state {
            LegState::Up(up) => up.modifying.is_some() || up.answer_in_ack,
            // RFC 3311 5.2: no new offer before the first is answered.
            LegState::Incoming(waiting) => !waiting.answered_early,
            LegState::Outgoing(_) => leg.media.agreed().is_none(),
            LegState::Cancelled(_) | LegState::Ended => true,
        };
        if busy {
            return self.endpoint.respond(now.mono, server, 491, None, sip::end);
        }
        match self.answer_offer(id, offer) {
            Some(answer) => self.accept_modification(now, id, server, message, Some(&answer)),
            None => self.endpoint.respond(now.mono, server, 488, None, sip::end),
        }
    }

    fn accept_modification(
        &mut self,
        now: Now,
        id: LegId,
        server: ServerKey,
        message: &Message<'_>,
        sdp: Option<&[u8]>,
    ) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        if let Ok(agreement @ Some(_)) = session_timer::answer(message) {
            leg.session.agreement = agreement;
        }
        let (contact, agreement) = (Switch::contact(leg.flow), leg.session.agreement);
        self.endpoint.respond(now.mono, server, 200, None, |mut writer| {
            writer.header(HeaderName::Contact, contact);
            writer.header(HeaderName::Allow, ALLOW);
            writer.header(HeaderName::Supported, SUPPORTED);
            write_session(&mut writer, agreement, false);
            finish(writer, sdp)
        });
        self.arm_session(now, id);
        self.media_changed(id);
    }

    /// Answers a new offer on an answered leg: the codec in use first, then the peer's, then all that we speak.
    fn answer_offer(&mut self, id: LegId, offer: &[u8]) -> Option<Vec<u8>> {
        let mut codecs = Vec::new();
        if let Some(peer) = self.peer_of(id) {
            codecs = self.codecs_towards(peer);
        }
        if codecs.is_empty() {
            codecs = Codec::OURS.to_vec();
        }
        let leg = self.legs.get_mut(id)?;
        if let Some(agreed) = leg.media.agreed() {
            codecs.insert(0, agreed.codec.codec.clone());
        }
        if leg.media.receive_offer(offer).is_err() {
            leg.media.refuse_offer();
            return None;
        }
        match leg.media.answer(&codecs, Direction::SendRecv) {
            Ok((sdp, _)) => {
                leg.media_generation += 1;
                Some(sdp)
            }
            Err(_) => {
                leg.media.refuse_offer();
                None
            }
        }
    }

    fn offer_all(&mut self, id: LegId) -> Vec<u8> {
        let mut codecs =
            self.peer_of(id).map(|peer| self.codecs_towards(peer)).unwrap_or_else(|| Codec::OURS.to_vec());
        let Some(leg) = self.legs.get_mut(id) else { return Vec::new() };
        if let Some(agreed) = leg.media.agreed() {
            codecs.insert(0, agreed.codec.codec.clone());
        }
        leg.media.offer(&codecs, Direction::SendRecv)
    }

    /// After any new agreement: who holds whom, and the orders that follow. A held party hears music.
    pub(crate) fn media_changed(&mut self, id: LegId) {
        if let Some(call) = self.legs.get(id).map(|leg| leg.call) {
            self.events.push_back(CallEvent::Changed { call });
        }
        if let Some(peer) = self.peer_of(id) {
            for (leg, other) in [(id, peer), (peer, id)] {
                let held = self.legs.get(other).is_some_and(Leg::holds);
                let source = if held {
                    Source::Music(media::SoundId::MUSIC)
                } else {
                    Source::Leg(crate::leg::media_key(other))
                };
                if let Some(entry) = self.legs.get_mut(leg)
                    && entry.source != source
                {
                    entry.source = source;
                    if leg != id {
                        self.send_order(leg);
                    }
                }
            }
        }
        self.send_order(id);
    }

    /// Starts the re-INVITE that a leg waits for, unless something is pending.
    pub(crate) fn modify_if_wanted(&mut self, now: Now, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let LegState::Up(up) = &mut leg.state else { return };
        if up.modifying.is_some() || up.unacknowledged.is_some() {
            return;
        }
        let Some(purpose) = up.wanted.take() else { return };
        let sdp = match &purpose {
            Purpose::Codecs(codecs) | Purpose::Rehome(codecs) => leg.media.offer(codecs, Direction::SendRecv),
            // R7: unchanged o= version, so that the peer sees that nothing changed.
            Purpose::Refresh => leg.media.current_sdp().unwrap_or_default().to_vec(),
        };
        let sequence = leg.dialog.next_sequence();
        let authorization = leg.line.as_mut().and_then(|line| line.take_authorization());
        let dialog = &leg.dialog;
        let (flow, agreement, least) = (leg.flow, leg.session.agreement, leg.session.least);
        let client = self.endpoint.request(
            now.mono,
            flow,
            Owner::Leg(id),
            Method::Invite,
            &dialog.target,
            70,
            |mut writer| {
                dialog.write(&mut writer, Method::Invite, sequence);
                writer.header(HeaderName::Contact, Switch::contact(flow));
                writer.header(HeaderName::Allow, ALLOW);
                writer.header(HeaderName::Supported, SUPPORTED);
                write_session(&mut writer, agreement, true);
                if least > 0 {
                    writer.header_number(HeaderName::MinSe, least.into());
                }
                if let Some((name, value)) = &authorization {
                    writer.header(*name, value);
                }
                finish(writer, Some(&sdp))
            },
        );
        if let Some(LegState::Up(up)) = self.legs.get_mut(id).map(|leg| &mut leg.state) {
            up.modifying = Some((client, purpose));
        }
    }

    /// The response to a request of ours inside an answered leg.
    pub(crate) fn response_to_modification(
        &mut self,
        now: Now,
        id: LegId,
        client: ClientKey,
        response: &Message<'_>,
    ) {
        let status = response.status().unwrap_or(500);
        if status < 200 {
            return;
        }
        let Some(leg) = self.legs.get_mut(id) else { return };
        let LegState::Up(up) = &mut leg.state else { return };
        if status < 300 {
            if up.modifying.as_ref().is_none_or(|(pending, _)| *pending != client) {
                return self.late_2xx(now, id, response);
            }
            let purpose = up.modifying.take();
            self.modification_accepted(now, id, purpose.map(|(_, purpose)| purpose), response);
        } else if matches!(status, 401 | 407) && self.request_challenged(now, id, client, response) {
        } else if status != 422 || !self.refresh_longer(now, id, client, response) {
            self.request_failed(now, id, client, status);
        }
    }

    fn modification_accepted(
        &mut self,
        now: Now,
        id: LegId,
        purpose: Option<Purpose>,
        response: &Message<'_>,
    ) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.dialog.refresh_target(response);
        if let Some(agreement) = session_timer::agreed(response) {
            leg.session.agreement = Some(agreement);
        }
        leg.session.refusals = 0;
        self.challenge_met(id);
        let Some(leg) = self.legs.get_mut(id) else { return };
        let changed = purpose.as_ref().is_some_and(Purpose::offers);
        if let Some(sdp) = sdp_of(response)
            && changed
        {
            leg.media_generation += u32::from(leg.media.receive_answer(sdp).is_ok());
        }
        let sequence = response.cseq().map_or(leg.dialog.local_sequence, |cseq| cseq.number);
        self.acknowledge(now, id, sequence, None);
        self.arm_session(now, id);
        if changed {
            if let Some(peer) = self.peer_of(id) {
                self.connect(now, peer, id);
            }
            self.media_changed(id);
        }
        if let Some(Purpose::Codecs(wanted)) = purpose
            && self.declined(id, &wanted)
        {
            self.ask_caller(now, id);
        }
        self.modify_if_wanted(now, id);
    }

    /// A request of ours inside an answered leg was refused or found no answer.
    pub(crate) fn request_failed(&mut self, now: Now, id: LegId, client: ClientKey, status: u16) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let (role, of_caller) = (leg.role, leg.of_caller);
        let LegState::Up(up) = &mut leg.state else { return };
        let purpose = match &up.modifying {
            Some((pending, _)) if *pending == client => up.modifying.take().map(|(_, purpose)| purpose),
            _ => None,
        };
        // RFC 3261 12.2.1.2: the peer does not know the dialog any more, or is gone.
        if matches!(status, 408 | 481) || (status == 503 && leg.flow.transport.reliable()) {
            return self.end_leg_and_call(now, id, crate::Cause::Lost { caller: of_caller });
        }
        let Some(purpose) = purpose else { return };
        if purpose.offers() {
            leg.media.refuse_offer();
        }
        match (status, purpose) {
            (491, purpose) => {
                up.wanted = Some(purpose);
                let range = if role == Role::Branch { GLARE_OWNER_MS } else { GLARE_OTHER_MS };
                let wait = range.start + self.endpoint.random() % (range.end - range.start);
                self.arm(now, id, Duration::from_millis(wait), Wake::Glare(id));
            }
            // Its media goes where nobody listens any more.
            (_, Purpose::Rehome(_)) => {
                self.end_leg_and_call(now, id, crate::Cause::Lost { caller: of_caller });
            }
            // R1: the winner refused the caller's codec; ask the caller for the winner's.
            (_, Purpose::Codecs(_)) if role == Role::Branch => self.ask_caller(now, id),
            _ => {}
        }
    }

    /// Whether the winner, asked for the first of these codecs, took another.
    fn declined(&self, id: LegId, wanted: &[Codec]) -> bool {
        let Some(leg) = self.legs.get(id).filter(|leg| leg.role == Role::Branch) else { return false };
        let agreed = leg.media.agreed().map(|agreed| &agreed.codec.codec);
        wanted.first().zip(agreed).is_some_and(|(wanted, agreed)| !agreed.matches(wanted))
    }

    fn ask_caller(&mut self, now: Now, winner: LegId) {
        let Some(caller) = self.peer_of(winner) else { return };
        let Some(codec) =
            self.legs.get(winner).and_then(|leg| leg.media.agreed()).map(|a| a.codec.codec.clone())
        else {
            return;
        };
        let Some(leg) = self.legs.get_mut(caller) else { return };
        let spoken = leg.media.agreed().map(|agreed| agreed.codec.codec.clone());
        let codecs: Vec<Codec> = std::iter::once(codec.clone()).chain(spoken).collect();
        if leg.role != Role::Caller
            || !crate::bridge::remote_payloads(&leg.media).iter().any(|p| p.codec.matches(&codec))
        {
            return;
        }
        if let LegState::Up(up) = &mut leg.state {
            up.wanted = Some(Purpose::Codecs(codecs));
        }
        self.modify_if_wanted(now, caller);
    }
}

impl Leg {
    /// The phone of this leg put its other party on hold: it wants to hear nothing (`sendonly` or `inactive`,
    /// RFC 6337 5.3).
    pub(crate) fn holds(&self) -> bool {
        self.media.agreed().is_some_and(|agreed| !agreed.send)
    }
}
