//! Requests and responses inside the dialog of a leg, sent to the file that knows what to do.

use crate::Cause;
use crate::call::Stage;
use crate::caller::{ALLOW, is_allowed, sdp_of};
use crate::keys::{KeyWay, Press};
use crate::leg::{LegId, LegState};
use crate::switch::{Action, Owner, Switch};
use clock::Now;
use sip::{ClientKey, Flow, ServerKey};
use wire::sip::{HeaderName, Message, Method, Writer};

impl Switch {
    pub(crate) fn request_from_leg(&mut self, now: Now, id: LegId, flow: Flow, message: &Message<'_>) {
        let server = self.endpoint.accept(flow, message, Owner::Leg(id));
        let Some(leg) = self.legs.get_mut(id) else { return };
        // Tags are secrets only as long as nobody listens: a request from elsewhere is not this dialog's (R11
        // moves a leg's flow when its device registers anew).
        if leg.flow.remote.ip() != flow.remote.ip() {
            return self.endpoint.respond(now.mono, server, 403, None, sip::end);
        }
        let method = message.method();
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        // RFC 3261 12.2.2. PRACKs of a sibling early dialog count by themselves.
        if method != Method::Prack && leg.dialog.accept_sequence(number).is_err() {
            return self.endpoint.respond(now.mono, server, 500, None, sip::end);
        }
        match method {
            Method::Bye => self.bye_from_leg(now, id, server),
            Method::Invite => self.reinvite_from_leg(now, id, server, message),
            Method::Update => self.update_from_leg(now, id, server, message),
            Method::Prack => self.prack_from_caller(now, id, server, message),
            Method::Info => self.info_from_leg(now, id, server, message),
            Method::Refer => self.refer_from_leg(now, id, server, flow, message),
            Method::Options => self.endpoint.respond(now.mono, server, 200, None, allow),
            other if is_allowed(other) => self.endpoint.respond(now.mono, server, 481, None, sip::end),
            _ => self.endpoint.respond(now.mono, server, 405, None, allow),
        }
    }

    /// DTMF by INFO.
    fn info_from_leg(&mut self, now: Now, id: LegId, server: ServerKey, message: &Message<'_>) {
        let digit = sip::info::key(message);
        let status = if digit.is_some() || message.body().is_empty() { 200 } else { 415 };
        self.endpoint.respond(now.mono, server, status, None, sip::end);
        let Some(digit) = digit else { return };
        // R2: key presses are made anew for each leg, however they came.
        if let Some((peer, other)) = self.peer_of(id).and_then(|peer| Some((peer, self.legs.get(peer)?))) {
            self.actions.push_back(Action::Digit {
                lease: other.lease,
                leg: crate::leg::media_key(peer),
                digit,
            });
        }
        self.key_pressed(id, Press { digit, way: KeyWay::Signalling, down: now.mono });
    }

    /// The ACK of a 2xx of ours.
    pub(crate) fn ack_from_leg(&mut self, now: Now, id: LegId, message: &Message<'_>) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let LegState::Up(up) = &mut leg.state else { return };
        // A repeat of an earlier ACK says nothing about the last 2xx.
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        let Some(server) = up.unacknowledged.filter(|wanted| wanted.number == number).map(|u| u.server)
        else {
            return;
        };
        up.unacknowledged = None;
        let waited = std::mem::take(&mut up.answer_in_ack);
        let ends = up.end_after_ack;
        self.endpoint.acknowledged(now.mono, server);
        if ends {
            return self.send_bye(now, id, None);
        }
        if waited {
            let agreed = sdp_of(message).is_some_and(|sdp| leg.media.receive_answer(sdp).is_ok());
            if !agreed && leg.media.agreed().is_none() {
                return self.end_leg_and_call(now, id, Cause::NoCommonCodec);
            }
            if let Some(peer) = self.peer_of(id) {
                self.connect(now, id, peer);
            }
            self.media_changed(id);
        }
        self.modify_if_wanted(now, id);
    }

    /// A response to a request that a leg sent.
    pub(crate) fn response_to_leg(&mut self, now: Now, id: LegId, client: ClientKey, response: &Message<'_>) {
        let Some(leg) = self.legs.get(id) else { return };
        let invite = response.method() == Method::Invite;
        let status = response.status().unwrap_or(500);
        let ended = matches!(leg.state, LegState::Ended) && response.method() == Method::Bye;
        if ended && matches!(status, 401 | 407) && self.request_challenged(now, id, client, response) {
            return;
        }
        let Some(leg) = self.legs.get(id) else { return };
        match (&leg.state, response.method()) {
            (LegState::Outgoing(outgoing), Method::Invite) if outgoing.invite == client => {
                self.response_to_invite(now, id, client, response);
            }
            (LegState::Cancelled(_), Method::Invite) if status >= 300 => self.forget_leg(id),
            (LegState::Ended, Method::Bye) if status >= 200 => self.forget_leg(id),
            (LegState::Cancelled(_) | LegState::Ended, Method::Invite) if (200..300).contains(&status) => {
                self.late_2xx(now, id, response);
            }
            (LegState::Up(_), _) if invite => self.response_to_modification(now, id, client, response),
            (LegState::Up(_), _) if status >= 300 => self.request_failed(now, id, client, status),
            _ => {}
        }
    }

    /// Sends a request inside the leg's dialog.
    pub(crate) fn request_in_dialog(
        &mut self,
        now: Now,
        id: LegId,
        method: Method<'_>,
        headers: &[(HeaderName, &str)],
        sdp: Option<&[u8]>,
    ) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let sequence = leg.dialog.next_sequence();
        let authorization = leg.line.as_mut().and_then(|line| line.take_authorization());
        let dialog = &leg.dialog;
        self.endpoint.request(
            now.mono,
            leg.flow,
            Owner::Leg(id),
            method,
            &dialog.target,
            70,
            |mut writer| {
                dialog.write(&mut writer, method, sequence);
                for (name, value) in headers {
                    writer.header(*name, *value);
                }
                if let Some((name, value)) = &authorization {
                    writer.header(*name, value);
                }
                crate::caller::finish(writer, sdp)
            },
        );
    }

    fn bye_from_leg(&mut self, now: Now, id: LegId, server: ServerKey) {
        self.endpoint.respond(now.mono, server, 200, None, sip::end);
        let Some(leg) = self.legs.get(id) else { return };
        let (of_caller, call) = (leg.of_caller, leg.call);
        let entry = self.calls.get(call);
        let talked = entry.is_some_and(|entry| entry.answered.is_some());
        let cause = match (of_caller, entry.map(|entry| entry.stage)) {
            // The first side of a call of our own, before the other one answered.
            (true, Some(Stage::Reaching)) if !talked => Cause::Cancelled,
            (true, _) => Cause::CallerHungUp,
            (false, _) => Cause::CalleeHungUp,
        };
        let Some(leg) = self.legs.get_mut(id) else { return };
        match &leg.state {
            LegState::Up(up) => {
                // RFC 3261 15.1.2: what is pending of theirs ends with the dialog.
                if let Some(pending) = up.unacknowledged {
                    self.endpoint.acknowledged(now.mono, pending.server);
                }
                let goes_on = self.new_side_left(now, id) || self.leaves_for_replacement(now, id);
                if let Some(leg) = self.legs.get_mut(id) {
                    leg.state = LegState::Ended;
                }
                self.forget_leg(id);
                if !goes_on {
                    self.hang_up(now, call, cause);
                }
            }
            // A BYE in an early dialog ends the attempt (15): the INVITE wants its 487.
            LegState::Incoming(_) => self.hang_up(now, call, Cause::Cancelled),
            LegState::Outgoing(_) | LegState::Cancelled(_) | LegState::Ended => {}
        }
    }
}

fn allow(mut writer: Writer<'_>) -> usize {
    writer.header(HeaderName::Allow, ALLOW);
    writer.finish()
}
