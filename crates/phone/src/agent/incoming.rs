//! An INVITE of somebody else's: it rings here, is answered, refused, or given up (RFC 3261 13.3).

use super::ask::{direction, write_session};
use super::call::{Alerting, Call, Stage, Talking};
use super::{ALLOW, Agent, Owner, SUPPORTED, finish, plain, sdp_of};
use crate::limits::CALLS;
use crate::words::{CallId, Cause, Event};
use clock::Now;
use media::{Direction, MediaError, Security};
use sip::{Dialog, Flow, ServerKey, reliable, session_timer};
use wire::sip::{HeaderName, Message, Method, Uri, Writer};

impl Agent {
    /// A new INVITE.
    pub(super) fn ring(&mut self, now: Now, flow: Flow, message: &Message<'_>) {
        let ours = message.request_uri().and_then(|uri| Uri::parse(uri).ok());
        if ours.and_then(|uri| uri.user_decoded()).is_none_or(|user| *user != *self.config.user) {
            return self.refuse(flow, message, 404);
        }
        let strange = |token: &[u8]| !matches!(token, b"100rel" | b"timer");
        if let Some(token) = message.values(HeaderName::Require).find(|token| strange(token)) {
            let token = plain(token);
            return self.endpoint.respond_stateless(flow, message, 420, |mut writer| {
                writer.header(HeaderName::Unsupported, &*token);
                writer.finish()
            });
        }
        if self.calls.len() >= CALLS || self.leave_by.is_some() {
            return self.refuse(flow, message, 486);
        }
        let Ok(agreement) = session_timer::answer(message) else {
            return self.endpoint.respond_stateless(flow, message, 422, |mut writer| {
                writer.header_number(HeaderName::MinSe, u64::from(session_timer::MIN_SE));
                writer.finish()
            });
        };
        let tag = format!("{:016x}", self.endpoint.random());
        let Ok(dialog) = Dialog::from_request(message, &tag) else {
            return self.refuse(flow, message, 400);
        };
        let Some(mut media) = self.new_media() else { return self.refuse(flow, message, 486) };
        if flow.transport.is_encrypted() {
            media.set_security(Security::Sdes);
        }
        if let Some(Err(error)) = sdp_of(message).map(|offer| media.receive_offer(offer).map(|_| ())) {
            self.keep_port(media.local().port);
            let status = if matches!(error, MediaError::Sdp(_)) { 400 } else { 488 };
            return self.refuse(flow, message, status);
        }
        let id = self.new_call_id();
        let (number, name) = caller(message);
        let mut call = Call::new(id, &number, dialog, flow, media);
        call.agreement = agreement;
        let invite = self.endpoint.accept(flow, message, Owner::Call(id));
        let demanded = message.has_token(HeaderName::Require, "100rel");
        let cseq = message.cseq().ok().filter(|_| demanded);
        let random = self.endpoint.random();
        call.stage = Stage::Alerting(Box::new(Alerting {
            invite,
            has_offer: sdp_of(message).is_some(),
            answer_at: self.config.answer_after.map(|wait| now.mono + wait),
            reliable: cseq.map(|cseq| (reliable::Sender::new(cseq, random), None)),
            answer_waits: false,
        }));
        self.calls.insert(id, call);
        self.send_ringing(now, id);
        self.tell(Event::Incoming { call: id, number, name });
    }

    fn send_ringing(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Stage::Alerting(alerting) = &mut call.stage else { return };
        let (invite, tag, flow) = (alerting.invite, call.dialog.local_tag.clone(), call.flow);
        let number = alerting.reliable.as_mut().map(|(sender, repeat_at)| {
            let (number, wait) = sender.send();
            *repeat_at = Some(now.mono + wait);
            number
        });
        let contact = self.contact(flow);
        self.endpoint.respond(now.mono, invite, 180, Some(&tag), |mut writer| {
            writer.header(HeaderName::Contact, &*contact);
            writer.header(HeaderName::Allow, ALLOW);
            if let Some(number) = number {
                writer.header(HeaderName::Require, "100rel");
                writer.header_number(HeaderName::RSeq, u64::from(number));
            }
            finish(writer, None)
        });
    }

    /// RFC 3262 section 3: until the PRACK comes.
    pub(super) fn repeat_ringing(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Stage::Alerting(alerting) = &mut call.stage else { return };
        let invite = alerting.invite;
        let Some((sender, repeat_at)) = &mut alerting.reliable else { return };
        match sender.repeat() {
            Some(wait) => {
                *repeat_at = Some(now.mono + wait);
                self.endpoint.repeat_response(invite);
            }
            None => self.decline(now, id, 504, Cause::Lost),
        }
    }

    pub(super) fn prack_from_peer(&mut self, now: Now, id: CallId, server: ServerKey, message: &Message<'_>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let mut answer_waits = false;
        let right = match (&mut call.stage, reliable::RAck::of(message)) {
            (Stage::Alerting(alerting), Some(rack)) => {
                answer_waits = alerting.answer_waits;
                alerting.reliable.as_mut().is_some_and(|(sender, repeat_at)| {
                    *repeat_at = None;
                    sender.acknowledge(rack)
                })
            }
            _ => false,
        };
        self.respond(now, server, if right { 200 } else { 481 });
        if right && answer_waits {
            self.answer(now, Some(id));
        }
    }

    /// The person lifts the receiver.
    pub(super) fn answer(&mut self, now: Now, named: Option<CallId>) {
        let Some(id) = self.find(named, |stage| matches!(stage, Stage::Alerting(_))) else {
            return self.cannot("no call rings");
        };
        let codecs = self.config.codecs.clone();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Stage::Alerting(alerting) = &mut call.stage else { return };
        alerting.answer_at = None;
        if alerting.reliable.as_ref().is_some_and(|(sender, _)| sender.is_waiting()) {
            alerting.answer_waits = true;
            return;
        }
        let (invite, has_offer) = (alerting.invite, alerting.has_offer);
        let sdp = if has_offer {
            match call.media.answer(&codecs, Direction::SendRecv) {
                Ok((sdp, _)) => sdp,
                Err(_) => return self.decline(now, id, 488, Cause::NoCommonCodec),
            }
        } else {
            call.media.offer(&codecs, Direction::SendRecv)
        };
        call.stage = Stage::Talking(Box::new(Talking {
            unacknowledged: Some(invite),
            answer_in_ack: !has_offer,
            ..Talking::default()
        }));
        let tag = call.dialog.local_tag.clone();
        self.send_200(now, id, invite, &tag, Some(&sdp));
        self.arm_session(now, id);
        if has_offer {
            self.order_sound(id);
            self.tell_answered(id);
        }
    }

    /// A 200 to an INVITE or UPDATE.
    pub(super) fn send_200(
        &mut self,
        now: Now,
        id: CallId,
        server: ServerKey,
        tag: &str,
        sdp: Option<&[u8]>,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let (contact, agreement) = (self.contact(call.flow), call.agreement);
        self.endpoint.respond(now.mono, server, 200, Some(tag), |mut writer: Writer<'_>| {
            writer.header(HeaderName::Contact, &*contact);
            writer.header(HeaderName::Allow, ALLOW);
            writer.header(HeaderName::Supported, SUPPORTED);
            write_session(&mut writer, agreement, false);
            finish(writer, sdp)
        });
    }

    pub(super) fn reject(&mut self, now: Now, named: Option<CallId>, status: u16) {
        let Some(id) = self.find(named, |stage| matches!(stage, Stage::Alerting(_))) else {
            return self.cannot("no call rings");
        };
        if !(300..700).contains(&status) {
            return self.cannot("a refusal is a status from 300 to 699");
        }
        self.decline(now, id, status, Cause::WeRejected);
    }

    /// Ends a call that rings here, by a final response.
    pub(super) fn decline(&mut self, now: Now, id: CallId, status: u16, cause: Cause) {
        let Some(call) = self.calls.get(&id) else { return };
        let Stage::Alerting(alerting) = &call.stage else { return };
        let (invite, tag) = (alerting.invite, call.dialog.local_tag.clone());
        self.endpoint.respond(now.mono, invite, status, Some(&tag), sip::end);
        self.over(id, cause);
    }

    /// CANCEL (RFC 3261 9.2); its Reason says whether another phone was quicker (RFC 3326).
    pub(super) fn cancelled_by_caller(
        &mut self,
        now: Now,
        id: CallId,
        invite: ServerKey,
        cancel: &Message<'_>,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        if !matches!(&call.stage, Stage::Alerting(alerting) if alerting.invite == invite) {
            return;
        }
        let elsewhere = cancel.values(HeaderName::Reason).any(|value| {
            let text = String::from_utf8_lossy(value).to_ascii_lowercase();
            text.starts_with("sip") && text.replace(' ', "").contains("cause=200")
        });
        let cause = if elsewhere { Cause::AnsweredElsewhere } else { Cause::CallerGaveUp };
        self.decline(now, id, 487, cause);
    }

    /// The ACK of a 2xx of ours.
    pub(super) fn ack(&mut self, now: Now, message: &Message<'_>) {
        let Some(id) = self.call_of(message) else { return };
        let hold = self.calls.get(&id).is_some_and(|call| call.hold);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Stage::Talking(talking) = &mut call.stage else { return };
        let Some(server) = talking.unacknowledged.take() else { return };
        let (late, leave) = (std::mem::take(&mut talking.answer_in_ack), talking.bye_after_ack);
        self.endpoint.acknowledged(now.mono, server);
        if leave {
            return self.end_answered(now, id, Cause::WeHungUp);
        }
        if late {
            let first = call.media.agreed().is_none();
            let taken = sdp_of(message).is_some_and(|sdp| call.media.receive_answer(sdp).is_ok());
            if !taken && first {
                return self.end_answered(now, id, Cause::NoCommonCodec);
            }
            self.order_sound(id);
            if first && !hold {
                self.tell_answered(id);
            }
        }
        self.change_if_wanted(now, id);
    }

    /// A re-INVITE: held, resumed, moved, or asked whether we are alive (RFC 3261 14.2).
    pub(super) fn reinvite_from_peer(
        &mut self,
        now: Now,
        id: CallId,
        server: ServerKey,
        message: &Message<'_>,
    ) {
        let codecs = self.config.codecs.clone();
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.is_changing() || call.talking().is_none() {
            return self.respond(now, server, 491);
        }
        call.dialog.refresh_target(message);
        let hold = call.hold;
        let offer = sdp_of(message);
        let sdp = match offer {
            Some(offer) => self.answer_offer(id, offer),
            None => Some(call.media.offer(&codecs, direction(hold))),
        };
        let Some(sdp) = sdp else { return self.respond(now, server, 488) };
        self.note_session(id, message);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(talking) = call.talking() {
            talking.unacknowledged = Some(server);
            talking.answer_in_ack = offer.is_none();
        }
        let tag = call.dialog.local_tag.clone();
        self.send_200(now, id, server, &tag, Some(&sdp));
        self.arm_session(now, id);
        self.order_sound(id);
    }
}

/// Number and name of who calls, for people.
fn caller(message: &Message<'_>) -> (String, String) {
    debug_assert!(message.method() == Method::Invite);
    let Ok(from) = message.from() else { return (String::new(), String::new()) };
    let uri = from.uri().ok();
    let number = uri.and_then(|uri| uri.user_decoded()).unwrap_or_else(|| from.uri.into());
    (plain(number.as_bytes()), plain(&from.display_name()))
}
