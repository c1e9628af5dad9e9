//! The caller's leg until it is answered: one To tag, one SDP answer, whichever branch wins (R1).

use crate::Cause;
use crate::call::{Call, CallEvent, Party, Stage};
use crate::leg::{self, CallId, Incoming as Waiting, Leg, LegId, LegState, Role, Served, Unacknowledged, Up};
use crate::limits::{HOPS, PROVISIONAL_REPEAT};
use crate::switch::{self, Owner, Switch};
use crate::timers::{Session, Wake};
use clock::Now;
use media::{Codec, Direction, Source};
use sip::{Dialog, Flow, ServerKey, reliable, session_timer};
use std::net::IpAddr;
use std::sync::Arc;
use wire::sip::{HeaderName, Message, Method, Writer};
use wire::text::{Short, address};

/// What we can do, for Allow (RFC 3261 20.5).
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER";
/// What we support, for Supported.
pub(crate) const SUPPORTED: &str = "100rel, timer";
const SDP: &str = "application/sdp";

/// A call that the floor above lets in.
pub struct Incoming<'a, 'm> {
    /// Where the INVITE came from.
    pub flow: Flow,
    /// The INVITE.
    pub invite: &'a Message<'m>,
    /// Who calls, as our directory or the trunk's rules say.
    pub caller: Party,
    /// What was dialled.
    pub dialled: Arc<str>,
    /// The name of the calling device or trunk.
    pub label: &'a str,
    /// Whether a NAT stands between us and the caller.
    pub behind_nat: bool,
    /// Other addresses that the caller's media may come from, as a trunk lists them (R16).
    pub media_from: Arc<[IpAddr]>,
    /// Our half of the Session-ID.
    pub session_id: Arc<str>,
    /// The call may take what is kept back for emergencies (R31).
    pub emergency: bool,
}

/// Where we are reached on a flow: `<sip:ringdown@192.0.2.1:5060;transport=tcp>`.
#[must_use]
pub fn contact(flow: Flow) -> Short<96> {
    let mut text = Short::new();
    text.push("<sip:ringdown@");
    text.push(&address(flow.local));
    if flow.transport != sip::Transport::Udp {
        text.push(";transport=");
        text.push(flow.transport.uri_name());
    }
    text.push(">");
    text
}

/// Whether a message carries SDP.
pub(crate) fn sdp_of<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    if message.body().is_empty() {
        return None;
    }
    let kind = message.value(HeaderName::ContentType)?;
    let kind = kind.split(|&b| b == b';').next().unwrap_or(kind).trim_ascii();
    kind.eq_ignore_ascii_case(SDP.as_bytes()).then(|| message.body())
}

impl Switch {
    /// Takes an INVITE: makes its call and its leg, and answers 100.
    ///
    /// # Errors
    /// The cause for which the call cannot be had; the INVITE is still unanswered.
    pub fn incoming(&mut self, now: Now, incoming: &Incoming<'_, '_>) -> Result<CallId, Cause> {
        let invite = incoming.invite;
        let sdp = sdp_of(invite);
        if sdp.is_none() && !invite.body().is_empty() {
            return Err(Cause::NoCommonCodec);
        }
        let dialog = Dialog::from_request(invite, "").map_err(|_| Cause::BadRequest)?;
        let security = self.security_for_offer(incoming.flow, sdp);
        let lease = self
            .lease_for(security, incoming.flow.remote.is_ipv6(), None, incoming.emergency)
            .ok_or(Cause::Overload)?;
        let mut negotiation = self.negotiation(lease, security);
        if let Some(sdp) = sdp
            && negotiation.receive_offer(sdp).is_err()
        {
            self.ports.give_back(lease);
            return Err(Cause::NoCommonCodec);
        }
        let nonce = self.endpoint.nonce();
        let server = self.endpoint.accept(incoming.flow, invite, Owner::Above(0));
        let waiting = self.waiting(invite, server);
        let caller = self.legs.insert(Leg {
            call: CallId::default(),
            role: Role::Caller,
            of_caller: true,
            state: LegState::Incoming(waiting),
            dialog,
            flow: sip::reply_flow(incoming.flow, invite),
            label: incoming.label.into(),
            media: negotiation,
            lease,
            stream: switch::no_stream(),
            order_epoch: 0,
            media_generation: 0,
            source: Source::Nothing,
            served: Served::default(),
            behind_nat: incoming.behind_nat,
            media_from: Arc::clone(&incoming.media_from),
            ack: None,
            session: Session::of(session_timer::answer(invite).ok().flatten()),
            timer: None,
            line: None,
            lost: None,
        });
        let stream = self.new_stream(caller);
        let call = self.calls.insert(new_call(now, incoming, caller));
        let entry = &mut self.legs[caller];
        entry.call = call;
        entry.stream = stream;
        entry.dialog.local_tag = leg::tag(caller, nonce);
        self.endpoint.assign(server, Owner::Leg(caller));
        self.endpoint.respond(now.mono, server, 100, None, sip::end);
        self.arm(now, caller, PROVISIONAL_REPEAT, Wake::Progress(caller));
        self.count(true);
        Ok(call)
    }

    /// The caller's state right after its INVITE.
    fn waiting(&mut self, invite: &Message<'_>, server: ServerKey) -> Waiting {
        let reliable = invite.has_token(HeaderName::Supported, "100rel");
        let random = self.endpoint.random();
        Waiting {
            invite: server,
            number: invite.cseq().map_or(0, |cseq| cseq.number),
            progress: 100,
            late_offer: sdp_of(invite).is_none(),
            answered_early: false,
            reliable: invite.cseq().ok().filter(|_| reliable).map(|cseq| reliable::Sender::new(cseq, random)),
            answer_waits: false,
            place: None,
        }
    }

    /// Answers the caller with a service of ours instead of a person: echo, a prompt, music.
    pub fn answer_with(&mut self, now: Now, call: CallId, source: Source, label: &str) {
        let Some(entry) = self.calls.get_mut(call) else { return };
        if entry.stage != Stage::Reaching {
            return;
        }
        entry.stage = Stage::Talking { winner: None };
        entry.answered_by = label.into();
        let caller = entry.caller;
        self.events.push_back(CallEvent::Answered { call });
        if let Some(leg) = self.legs.get_mut(caller) {
            leg.source = source;
        }
        self.answer_caller(now, call);
    }

    /// Tells the caller that a device rings: 180, never with SDP (R1).
    pub(crate) fn caller_rings(&mut self, now: Now, call: CallId, status: u16) {
        let Some(caller) = self.calls.get(call).map(|call| call.caller) else { return };
        let Some(leg) = self.legs.get_mut(caller) else { return };
        let LegState::Incoming(waiting) = &mut leg.state else {
            return self.first_side_hears_ringing(call);
        };
        // R8: whoever was told to wait is told when a phone really rings.
        let rings_now = waiting.progress == 182 && status == 180;
        if (waiting.progress >= status && !rings_now) || waiting.answered_early {
            return;
        }
        waiting.progress = status;
        self.caller_told(now, call);
        self.send_progress(now, caller, status, None);
    }

    /// Lets the caller hear a branch before the answer: the one SDP answer goes out now and pins the codec (R1).
    pub(crate) fn caller_hears(&mut self, now: Now, call: CallId, branch: LegId) {
        let Some(entry) = self.calls.get_mut(call) else { return };
        if entry.heard.is_some() {
            return;
        }
        let caller = entry.caller;
        let codecs = self.codecs_between(caller, branch);
        let Some(leg) = self.legs.get_mut(caller) else { return };
        let LegState::Incoming(waiting) = &mut leg.state else {
            return self.first_side_hears(now, call, branch);
        };
        if waiting.late_offer {
            // Our offer goes into the 200, so nothing can be heard before.
            return self.caller_rings(now, call, 180);
        }
        if waiting.answered_early {
            // The phone that was heard is gone; the codec stays pinned.
            if let Some(entry) = self.calls.get_mut(call) {
                entry.heard = Some(branch);
            }
            return self.connect(now, caller, branch);
        }
        let Ok((sdp, _)) = leg.media.answer(&codecs, Direction::SendRecv) else { return };
        waiting.answered_early = true;
        waiting.progress = 183;
        if let Some(entry) = self.calls.get_mut(call) {
            entry.heard = Some(branch);
        }
        self.caller_told(now, call);
        self.send_progress(now, caller, 183, Some(&sdp));
        self.connect(now, caller, branch);
    }

    pub(crate) fn send_progress(&mut self, now: Now, id: LegId, status: u16, sdp: Option<&[u8]>) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let LegState::Incoming(waiting) = &mut leg.state else { return };
        let contact = contact(leg.flow);
        // Only what carries SDP needs certainty; `Require: 100rel` is never forced on a request (R1).
        let sequence = match &mut waiting.reliable {
            Some(sender) if sdp.is_some() && !sender.is_waiting() => Some(sender.send()),
            _ => None,
        };
        let place = waiting.place.filter(|_| status == 182);
        let tag = Some(&*leg.dialog.local_tag);
        self.endpoint.respond(now.mono, waiting.invite, status, tag, |mut writer| {
            writer.header(HeaderName::Contact, contact);
            writer.header(HeaderName::Allow, ALLOW);
            if let Some(place) = place {
                writer.header_number(HeaderName::RingdownPlace, u64::from(place));
            }
            if let Some((number, _)) = sequence {
                writer.header(HeaderName::Require, "100rel");
                writer.header_fmt(HeaderName::RSeq, format_args!("{number}"));
            }
            finish(writer, sdp)
        });
        match sequence {
            Some((_, wait)) => self.arm(now, id, wait, Wake::Reliable(id)),
            None => self.arm(now, id, PROVISIONAL_REPEAT, Wake::Progress(id)),
        }
    }

    /// RFC 3261 13.3.1.1: proxies forget a call that says nothing for three minutes.
    pub(crate) fn repeat_progress(&mut self, now: Now, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.timer = None;
        let LegState::Incoming(waiting) = &leg.state else { return };
        if waiting.answer_waits {
            return;
        }
        let (status, early) = (waiting.progress, waiting.answered_early);
        let sdp = leg.media.current_sdp().filter(|_| early).map(<[u8]>::to_vec);
        if status > 100 && sdp.is_none() {
            self.send_progress(now, id, status, None);
        } else {
            let (invite, tag) = (waiting.invite, leg.dialog.local_tag.clone());
            let tag = if status > 100 { Some(&*tag) } else { None };
            self.endpoint.respond(now.mono, invite, status, tag, |writer| finish(writer, sdp.as_deref()));
            self.arm(now, id, PROVISIONAL_REPEAT, Wake::Progress(id));
        }
    }

    pub(crate) fn repeat_reliable(&mut self, now: Now, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.timer = None;
        let LegState::Incoming(waiting) = &mut leg.state else { return };
        let invite = waiting.invite;
        let Some(sender) = &mut waiting.reliable else { return };
        if !sender.is_waiting() {
            return;
        }
        match sender.repeat() {
            Some(wait) => {
                self.endpoint.repeat_response(invite);
                self.arm(now, id, wait, Wake::Reliable(id));
            }
            // RFC 3262 section 3: the PRACK never came.
            None => {
                let call = leg.call;
                self.hang_up(now, call, Cause::Lost { caller: true });
            }
        }
    }

    /// Sends the caller its 200, unless a PRACK must come first.
    pub(crate) fn answer_caller(&mut self, now: Now, call: CallId) {
        let Some(entry) = self.calls.get_mut(call) else { return };
        let Stage::Talking { winner } = entry.stage else { return };
        let caller = entry.caller;
        entry.answered.get_or_insert(now);
        self.caller_told(now, call);
        let late_offer = match self.legs.get(caller).map(|leg| &leg.state) {
            Some(LegState::Incoming(waiting)) => waiting.late_offer,
            _ => return self.sides_meet(now, call),
        };
        let codecs = match winner {
            Some(branch) if late_offer => self.codecs_towards(branch),
            Some(branch) => self.codecs_between(caller, branch),
            None => Codec::OURS.to_vec(),
        };
        self.answer_caller_in(now, call, &codecs);
    }

    /// The same, in the first of these codecs that the caller takes.
    pub(crate) fn answer_caller_in(&mut self, now: Now, call: CallId, codecs: &[Codec]) {
        let Some(entry) = self.calls.get_mut(call) else { return };
        let Stage::Talking { winner } = entry.stage else { return };
        let caller = entry.caller;
        entry.answered.get_or_insert(now);
        let Some(leg) = self.legs.get_mut(caller) else { return };
        let LegState::Incoming(waiting) = &mut leg.state else { return };
        if waiting.reliable.as_ref().is_some_and(reliable::Sender::is_waiting) {
            waiting.answer_waits = true;
            // R7: meanwhile the caller hears the one that answered, as it heard early media before.
            if let Some(branch) = winner {
                self.connect(now, caller, branch);
            }
            return;
        }
        if !self.bring_caller_up(now, caller, codecs) {
            return self.hang_up(now, call, Cause::NoCommonCodec);
        }
        if let Some(branch) = winner {
            self.connect(now, caller, branch);
            self.align_codecs(now, call);
        } else {
            self.send_order(caller);
        }
        self.arm_session(now, caller);
    }

    /// Sends the 200 of a caller who waits for it, in the first of these codecs that it takes; false if it takes none.
    pub(crate) fn bring_caller_up(&mut self, now: Now, caller: LegId, codecs: &[Codec]) -> bool {
        let Some(leg) = self.legs.get_mut(caller) else { return false };
        let LegState::Incoming(waiting) = &leg.state else { return false };
        let (invite, late_offer) = (waiting.invite, waiting.late_offer);
        let unacknowledged = Some(Unacknowledged { server: invite, number: waiting.number });
        let sdp = if late_offer {
            leg.media.offer(codecs, Direction::SendRecv)
        } else if waiting.answered_early {
            // RFC 6337 3.1.1: the 2xx repeats the answer of the provisional response, if anything.
            leg.media.current_sdp().unwrap_or_default().to_vec()
        } else {
            match leg.media.answer(codecs, Direction::SendRecv) {
                Ok((sdp, _)) => sdp,
                Err(_) => return false,
            }
        };
        leg.state = LegState::Up(Up { unacknowledged, answer_in_ack: late_offer, ..Up::default() });
        self.send_200(now, caller, invite, &sdp);
        true
    }

    fn send_200(&mut self, now: Now, id: LegId, invite: ServerKey, sdp: &[u8]) {
        let Some(leg) = self.legs.get(id) else { return };
        let contact = contact(leg.flow);
        let agreement = leg.session.agreement;
        self.endpoint.respond(now.mono, invite, 200, Some(&leg.dialog.local_tag), |mut writer| {
            writer.header(HeaderName::Contact, contact);
            writer.header(HeaderName::Allow, ALLOW);
            writer.header(HeaderName::Supported, SUPPORTED);
            write_session(&mut writer, agreement, false);
            finish(writer, Some(sdp))
        });
    }

    /// The caller gave up (RFC 3261 9.2).
    pub(crate) fn cancelled_by_caller(&mut self, now: Now, id: LegId, invite: ServerKey) {
        let Some(leg) = self.legs.get(id) else { return };
        match &leg.state {
            LegState::Incoming(waiting) if waiting.invite == invite => {
                let call = leg.call;
                self.hang_up(now, call, Cause::Cancelled);
            }
            // A re-INVITE is answered at once, so its CANCEL finds nothing to stop.
            _ => {}
        }
    }

    /// Refuses the caller: the one final response of a call that nobody answered.
    pub(crate) fn reject_caller(&mut self, now: Now, id: LegId, status: u16, reason: Option<&str>) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let LegState::Incoming(waiting) = &leg.state else { return };
        let invite = waiting.invite;
        let tag = leg.dialog.local_tag.clone();
        leg.state = LegState::Ended;
        self.endpoint.respond(now.mono, invite, status, Some(&tag), |mut writer| {
            if let Some(reason) = reason {
                writer.header(HeaderName::Reason, reason);
            }
            if status == 503 {
                writer.header(HeaderName::RetryAfter, "5");
            }
            writer.finish()
        });
        self.forget_leg(id);
    }

    /// The PRACK of a reliable response came: the answer that waited for it goes out.
    pub(crate) fn prack_from_caller(
        &mut self,
        now: Now,
        id: LegId,
        server: ServerKey,
        message: &Message<'_>,
    ) {
        let right = match (self.legs.get_mut(id), reliable::RAck::of(message)) {
            (Some(Leg { state: LegState::Incoming(waiting), .. }), Some(rack)) => {
                waiting.reliable.as_mut().is_some_and(|sender| sender.acknowledge(rack))
            }
            _ => false,
        };
        let status = if right { 200 } else { 481 };
        self.endpoint.respond(now.mono, server, status, None, sip::end);
        if !right {
            return;
        }
        self.disarm(id);
        let Some(leg) = self.legs.get(id) else { return };
        let LegState::Incoming(waiting) = &leg.state else { return };
        let call = leg.call;
        if waiting.answer_waits {
            self.answer_caller(now, call);
        } else {
            self.arm(now, id, PROVISIONAL_REPEAT, Wake::Progress(id));
        }
    }
}

fn new_call(now: Now, incoming: &Incoming<'_, '_>, caller: LegId) -> Call {
    let (dialled, session_id) = (Arc::clone(&incoming.dialled), Arc::clone(&incoming.session_id));
    let hops = incoming.invite.max_forwards().ok().flatten().unwrap_or(HOPS);
    Call {
        hops: hops.saturating_sub(1),
        emergency: incoming.emergency,
        ..Call::begins(now, caller, incoming.caller.clone(), dialled, session_id)
    }
}

/// Ends a message with SDP or without.
pub(crate) fn finish(writer: Writer<'_>, sdp: Option<&[u8]>) -> usize {
    match sdp {
        Some(sdp) => writer.body(SDP, sdp),
        None => writer.finish(),
    }
}

/// Session-Expires of a message of ours (RFC 4028 section 7); `request` tells whether we are the UAC of it.
pub(crate) fn write_session(
    writer: &mut Writer<'_>,
    agreement: Option<session_timer::Agreement>,
    request: bool,
) {
    let Some(agreement) = agreement else { return };
    let we_are_uac = request;
    let ours = agreement.refresher == session_timer::Refresher::Us;
    let refresher = if ours == we_are_uac { "uac" } else { "uas" };
    if !request {
        writer.header(HeaderName::Require, "timer");
    }
    writer
        .header_fmt(HeaderName::SessionExpires, format_args!("{};refresher={refresher}", agreement.interval));
}

/// The methods that the exchange answers inside a dialog.
pub(crate) fn is_allowed(method: Method<'_>) -> bool {
    matches!(
        method,
        Method::Invite
            | Method::Ack
            | Method::Cancel
            | Method::Bye
            | Method::Options
            | Method::Prack
            | Method::Update
            | Method::Info
            | Method::Refer
    )
}
