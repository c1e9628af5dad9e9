//! Changing an answered call: hold and resume by us, and by them (RFC 3264 8.4, RFC 6337 5.3, RFC 3311).

use super::ask::{Purpose, direction};
use super::call::{Call, Stage};
use super::{Agent, Output, SoundOrder, sdp_of};
use crate::words::{CallId, Event, Holder};
use clock::Now;
use media::Direction;
use sip::{ServerKey, session_timer};
use std::time::Duration;
use wire::sip::Message;

impl Agent {
    pub(super) fn want_hold(&mut self, now: Now, named: Option<CallId>, hold: bool) {
        let Some(id) = self.find(named, |stage| matches!(stage, Stage::Talking(_))) else {
            return self.cannot("no call is answered");
        };
        if let Some(call) = self.calls.get_mut(&id) {
            call.hold_wanted = hold;
        }
        self.change_if_wanted(now, id);
    }

    /// Starts the re-INVITE that the person waits for, unless something is under way.
    pub(super) fn change_if_wanted(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.hold == call.hold_wanted || call.is_changing() {
            return;
        }
        let wanted = call.hold_wanted;
        if call.talking().is_some_and(|talking| talking.retry.is_none() && !talking.bye_after_ack) {
            self.ask(now, id, Purpose::Hold(wanted));
        }
    }

    pub(super) fn change_accepted(&mut self, now: Now, id: CallId, purpose: Purpose, response: &Message<'_>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.dialog.refresh_target(response);
        if let Some(agreement) = session_timer::agreed(response) {
            call.agreement = Some(agreement);
        }
        let (dialog, flow) = (call.dialog.clone(), call.flow);
        let sequence = response.cseq().map_or(0, |cseq| cseq.number);
        let mut told = None;
        if let Purpose::Hold(hold) = purpose {
            let taken = sdp_of(response).is_some_and(|sdp| call.media.receive_answer(sdp).is_ok());
            if taken {
                call.hold = hold;
                told = Some(hold);
            } else {
                call.media.refuse_offer();
                call.hold_wanted = call.hold;
            }
        }
        self.send_ack(id, &dialog, flow, sequence);
        self.arm_session(now, id);
        if let Some(hold) = told {
            let by = Holder::Us;
            self.tell(if hold { Event::Held { call: id, by } } else { Event::Resumed { call: id, by } });
            self.order_sound(id);
        }
        self.change_if_wanted(now, id);
    }

    pub(super) fn change_refused(&mut self, now: Now, id: CallId, purpose: Purpose, status: u16) {
        let random = self.endpoint.random();
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Purpose::Hold(_) = purpose {
            call.media.refuse_offer();
        }
        if status == 491 {
            // RFC 3261 14.1: who made the Call-ID waits longer.
            let owner = call.talking().is_some_and(|talking| talking.invite.is_some());
            let wait = if owner { 2_100 + random % 1_900 } else { random % 2_000 };
            if let Some(talking) = call.talking() {
                talking.retry = Some((now.mono + Duration::from_millis(wait), purpose));
            }
            return;
        }
        if let Purpose::Hold(_) = purpose {
            call.hold_wanted = call.hold;
            self.cannot(&format!("the far side refused that: {status}"));
        }
    }

    /// After a glare.
    pub(super) fn retry_change(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(talking) = call.talking() else { return };
        let Some((_, purpose)) = talking.retry.take() else { return };
        match purpose {
            Purpose::Refresh if !call.is_changing() => self.ask(now, id, Purpose::Refresh),
            _ => self.change_if_wanted(now, id),
        }
    }

    /// UPDATE: with SDP a re-INVITE without ACK, without SDP a sign of life (RFC 3311, RFC 4028).
    pub(super) fn update_from_peer(
        &mut self,
        now: Now,
        id: CallId,
        server: ServerKey,
        message: &Message<'_>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let tag = call.dialog.local_tag.clone();
        let mut sdp = None;
        if let Some(offer) = sdp_of(message) {
            // RFC 3311 5.2: no new offer before the first is answered.
            if call.is_changing() || call.media.agreed().is_none() {
                return self.respond(now, server, 491);
            }
            sdp = self.answer_offer(id, offer);
            if sdp.is_none() {
                return self.respond(now, server, 488);
            }
        }
        self.note_session(id, message);
        if let Some(call) = self.calls.get_mut(&id) {
            call.dialog.refresh_target(message);
        }
        self.send_200(now, id, server, &tag, sdp.as_deref());
        self.arm_session(now, id);
        if sdp.is_some() {
            self.order_sound(id);
        }
    }

    /// Takes what a request of the peer's says about the session's life.
    pub(super) fn note_session(&mut self, id: CallId, message: &Message<'_>) {
        if let (Ok(agreement @ Some(_)), Some(call)) =
            (session_timer::answer(message), self.calls.get_mut(&id))
        {
            call.agreement = agreement;
        }
    }

    /// Our answer to an offer inside a call: the codec in use first.
    pub(super) fn answer_offer(&mut self, id: CallId, offer: &[u8]) -> Option<Vec<u8>> {
        let mut codecs = self.config.codecs.clone();
        let call = self.calls.get_mut(&id)?;
        if let Some(agreed) = call.media.agreed() {
            codecs.insert(0, agreed.codec.codec.clone());
        }
        let direction = direction(call.hold);
        call.media.receive_offer(offer).ok()?;
        match call.media.answer(&codecs, direction) {
            Ok((sdp, _)) => Some(sdp),
            Err(_) => {
                call.media.refuse_offer();
                None
            }
        }
    }

    /// After any new agreement: what sounds, and whether they hold us.
    pub(super) fn order_sound(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (Some(agreed), Some(port)) = (call.media.agreed(), call.port) else { return };
        let order = SoundOrder::Talk { port, call: id, agreed: Box::new(agreed.clone()), muted: call.hold };
        let held = is_held(call);
        let changed = held != call.remote_held;
        call.remote_held = held;
        self.outputs.push_back(Output::Sound(order));
        if changed {
            let by = Holder::Them;
            self.tell(if held { Event::Held { call: id, by } } else { Event::Resumed { call: id, by } });
        }
    }
}

/// Whether the far side does not want to hear us: `sendonly`, `inactive`, or an unspecified address.
fn is_held(call: &Call) -> bool {
    let remote = call.media.remote().and_then(|remote| remote.audio.as_ref());
    let silent = remote.is_some_and(|audio| audio.hold || audio.direction == Direction::Inactive);
    silent && call.media.agreed().is_some_and(|agreed| !agreed.send)
}
