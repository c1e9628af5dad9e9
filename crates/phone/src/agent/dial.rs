//! INVITE: calling somebody, up to the answer (RFC 3261 13.2).

use super::ask::{next_hop, write_session};
use super::call::{Call, Dialling, Stage, Talking};
use super::register::reason_of;
use super::suggest::COUNTS;
use super::{ALLOW, Agent, Owner, SUPPORTED, finish, sdp_of};
use crate::limits::{CALLS, TRIES};
use crate::words::{CallId, Cause, Event};
use clock::Now;
use media::Direction;
use sip::session_timer::{self, Agreement, Refresher};
use sip::{ClientKey, Dialog, reliable};
use wire::sip::{Contact, HeaderName, Message, Method, Uri};

impl Agent {
    pub(super) fn dial(&mut self, now: Now, number: &str) {
        let target = self.target(number);
        if Uri::parse(&target).is_err() {
            return self.cannot("that is no number and no SIP address");
        }
        let Some(flow) = self.flow.filter(|_| self.leave_by.is_none()) else {
            return self.cannot("the server cannot be reached");
        };
        if self.calls.len() >= CALLS {
            return self.cannot("too many calls already");
        }
        let Some(mut media) = self.new_media() else { return self.cannot("too many calls already") };
        let sdp = media.offer(&self.config.codecs, Direction::SendRecv);
        let id = self.new_call_id();
        let call_id = format!("{:016x}{:016x}", self.endpoint.random(), self.endpoint.random());
        let tag = format!("{:016x}", self.endpoint.random());
        let dialog = Dialog::calling(&call_id, &self.address(), &tag, &format!("<{target}>"), &target);
        self.calls.insert(id, Call::new(id, number, dialog, flow, media));
        let Some(invite) = self.send_invite(now, id, &target, &sdp, None) else { return };
        if let Some(call) = self.calls.get_mut(&id) {
            let target = target.into();
            call.stage =
                Stage::Dialling(Dialling { invite, target, tries: 0, early: Vec::new(), min_se: None });
        }
        self.tell(Event::Calling { call: id, number: number.to_owned() });
    }

    /// The URI of what a person dials.
    pub(super) fn target(&self, number: &str) -> String {
        if number.starts_with("sip:") || number.starts_with("sips:") {
            return number.to_owned();
        }
        let written = number.trim().replace(' ', "");
        format!("sip:{}@{}", wire::sip::encode_escapes(&written), self.config.domain)
    }

    fn send_invite(
        &mut self,
        now: Now,
        id: CallId,
        target: &str,
        sdp: &[u8],
        min_se: Option<u32>,
    ) -> Option<ClientKey> {
        let call = self.calls.get_mut(&id)?;
        let sequence = call.dialog.next_sequence();
        let (dialog, flow, credentials) = (call.dialog.clone(), call.flow, call.credentials.clone());
        let counts = if self.config.suggest.is_some() { COUNTS } else { "" };
        let contact = format!("{}{counts}", self.contact(flow));
        let interval = session_timer::INTERVAL.max(min_se.unwrap_or(0));
        let pass = self.config.pass.clone();
        Some(self.endpoint.request(
            now.mono,
            flow,
            Owner::Call(id),
            Method::Invite,
            target,
            70,
            |mut writer| {
                dialog.write(&mut writer, Method::Invite, sequence);
                writer.header(HeaderName::Contact, &*contact);
                writer.header(HeaderName::Allow, ALLOW);
                writer.header(HeaderName::Supported, SUPPORTED);
                let wish = Agreement { interval, refresher: Refresher::Us };
                write_session(&mut writer, Some(wish), true);
                let least = session_timer::MIN_SE.max(min_se.unwrap_or(0));
                writer.header_number(HeaderName::MinSe, u64::from(least));
                if let Some((name, value)) = &credentials {
                    writer.header(*name, &**value);
                }
                if let Some(pass) = &pass {
                    pass.write(&mut writer);
                }
                finish(writer, Some(sdp))
            },
        ))
    }

    /// A response to the INVITE of a call that is not answered yet.
    pub(super) fn response_to_invite(&mut self, now: Now, id: CallId, response: &Message<'_>) {
        let status = response.status().unwrap_or(500);
        match status {
            100 => {}
            101..200 => self.progress(now, id, status, response),
            200..300 => self.answered_by_peer(now, id, response),
            300..=399 => {
                // A server that is not ours could send us anywhere, at the caller's cost.
                let to = response.contacts().flatten().find_map(|contact| match contact {
                    Contact::Addr(addr) => Some(super::plain(addr.uri.as_bytes())),
                    Contact::Star => None,
                });
                self.over(id, Cause::Moved { to: to.unwrap_or_else(|| "nowhere".to_owned()) });
            }
            401 | 407 | 422 if self.try_again(now, id, status, response) => {}
            _ => self.over(
                id,
                Cause::Refused { status, reason: reason_of(response), q850: sip::reason::q850(response) },
            ),
        }
    }

    /// With credentials, or with the interval that a 422 demands.
    fn try_again(&mut self, now: Now, id: CallId, status: u16, response: &Message<'_>) -> bool {
        let Some(call) = self.calls.get(&id) else { return true };
        let Stage::Dialling(dialling) = &call.stage else { return true };
        if dialling.tries >= TRIES {
            return false;
        }
        let (target, tries, mut min_se) = (dialling.target.clone(), dialling.tries + 1, dialling.min_se);
        if status == 422 {
            let Some(demanded) = session_timer::demanded(response) else { return false };
            min_se = Some(demanded.clamp(session_timer::MIN_SE, 86_400));
        } else {
            let Some(made) = self.credentials(response, Method::Invite, &target) else { return false };
            if let Some(call) = self.calls.get_mut(&id) {
                call.credentials = Some(made);
            }
        }
        let codecs = self.config.codecs.clone();
        let Some(call) = self.calls.get_mut(&id) else { return true };
        call.media.refuse_offer();
        let sdp = call.media.offer(&codecs, Direction::SendRecv);
        let Some(invite) = self.send_invite(now, id, &target, &sdp, min_se) else { return true };
        if let Some(call) = self.calls.get_mut(&id) {
            call.stage = Stage::Dialling(Dialling { invite, target, tries, early: Vec::new(), min_se });
        }
        true
    }

    /// 180, 183: it rings there, perhaps with sound; a reliable one gets its PRACK (RFC 3262).
    fn progress(&mut self, now: Now, id: CallId, status: u16, response: &Message<'_>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(tag) = response.to().ok().and_then(|to| to.tag()) else { return };
        let Stage::Dialling(dialling) = &mut call.stage else { return };
        let sequence = response.cseq().map_or(0, |cseq| cseq.number);
        if let Some(number) = reliable::demanded(response) {
            let Some(early) = dialling.early(tag) else { return };
            if !early.receiver.accept(number) {
                return;
            }
            let dialog = call.dialog.established(response);
            self.prack(now, id, dialog, reliable::RAck { response: number, sequence });
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let sound = sdp_of(response).is_some_and(|sdp| call.media.receive_answer(sdp).is_ok());
        if sound {
            self.order_sound(id);
        }
        let place = response.value(HeaderName::RingdownPlace);
        let place = place.and_then(|place| std::str::from_utf8(place).ok()?.trim().parse().ok());
        self.tell(Event::Ringing { call: id, status, place });
    }

    fn prack(&mut self, now: Now, id: CallId, dialog: Dialog, rack: reliable::RAck) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let sequence = call.dialog.next_sequence();
        let flow = next_hop(&dialog, call.flow);
        self.endpoint.request(
            now.mono,
            flow,
            Owner::Nobody,
            Method::Prack,
            &dialog.target,
            70,
            |mut writer| {
                dialog.write(&mut writer, Method::Prack, sequence);
                writer
                    .header_fmt(HeaderName::RAck, format_args!("{} {} INVITE", rack.response, rack.sequence));
                finish(writer, None)
            },
        );
    }

    fn answered_by_peer(&mut self, now: Now, id: CallId, response: &Message<'_>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Stage::Dialling(dialling) = &call.stage else { return };
        let invite = Some(dialling.invite);
        call.dialog = call.dialog.established(response);
        call.stage = Stage::Talking(Box::new(Talking { invite, ..Talking::default() }));
        call.agreement = session_timer::agreed(response);
        let understood = match sdp_of(response) {
            Some(sdp) => call.media.receive_answer(sdp).is_ok(),
            // RFC 6337 3.1: the reliable provisional response had it.
            None => call.media.agreed().is_some(),
        };
        let (dialog, flow) = (call.dialog.clone(), call.flow);
        let sequence = response.cseq().map_or(0, |cseq| cseq.number);
        self.send_ack(id, &dialog, flow, sequence);
        if !understood {
            return self.end_answered(now, id, Cause::NoCommonCodec);
        }
        self.arm_session(now, id);
        self.order_sound(id);
        self.tell_answered(id);
    }

    pub(super) fn tell_answered(&mut self, id: CallId) {
        let agreed = self.calls.get(&id).and_then(|call| call.media.agreed());
        let codec = agreed.map(|agreed| agreed.codec.codec.name.as_str().to_owned()).unwrap_or_default();
        self.tell(Event::Answered { call: id, codec });
    }
}
