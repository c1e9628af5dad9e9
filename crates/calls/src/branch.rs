//! A branch: the INVITE to one device, from its start to its answer or failure.

use crate::Cause;
use crate::attempt::Attempt;
use crate::call::{CallEvent, Manner, Party, Replacing, Stage, Why};
use crate::caller::sdp_of;
use crate::leg::{self, CallId, EarlyDialog, Leg, LegId, LegState, Outgoing, Role, Served};
use crate::limits::{EARLY_DIALOGS_PER_BRANCH, LEGS_PER_CALL};
use crate::line::{LegLine, Line};
use crate::switch::{self, Owner, Switch};
use crate::timers::{Session, Wake};
use clock::Now;
use media::{Direction, Security, Source};
use sip::{ClientKey, Dialog, Flow, reliable};
use std::sync::Arc;
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method, Writer};

/// One device to ring.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name in records.
    pub label: Box<str>,
    /// The path to it.
    pub flow: Flow,
    /// The Request-URI: its registered contact.
    pub uri: Box<str>,
    /// Route values, the Path of its registration (RFC 3327).
    pub routes: Vec<Box<str>>,
    /// Whom the device belongs to: goes into To.
    pub callee: Party,
    /// The host of From and To.
    pub domain: Box<str>,
    /// Whether a NAT stands between us and it.
    pub behind_nat: bool,
    /// Its other ways, the next first: tried in turn when the one before is dead (R11, RFC 5626 section 7).
    pub further: Vec<Way>,
    /// What a branch to the outside needs.
    pub line: Option<Box<Line>>,
    /// The device is asked to answer by itself.
    pub at_once: Option<AtOnce>,
    /// Whom it sees calling, if not the one who called.
    pub shown: Option<Party>,
}

/// How a device is asked to answer by itself; makers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtOnce {
    /// `Answer-Mode: Auto` (RFC 5373).
    AnswerMode,
    /// `Alert-Info` with `info=alert-autoanswer`.
    AlertInfo,
    /// `Call-Info` with `answer-after=0`.
    CallInfo,
}

impl AtOnce {
    /// Writes the header.
    pub(crate) fn write(self, writer: &mut Writer<'_>, domain: &str) {
        match self {
            AtOnce::AnswerMode => writer.other("Answer-Mode", "Auto"),
            // RFC 7462: the URI names a sound; a phone that answers plays none.
            AtOnce::AlertInfo => {
                writer.header(HeaderName::AlertInfo, "<http://127.0.0.1>;info=alert-autoanswer;delay=0")
            }
            AtOnce::CallInfo => {
                writer.header_fmt(HeaderName::CallInfo, format_args!("<sip:{domain}>;answer-after=0"))
            }
        };
    }
}

impl Target {
    /// All its ways, the one that is tried first included.
    pub(crate) fn ways(&self) -> Vec<Way> {
        let first = Way {
            flow: self.flow,
            uri: self.uri.clone(),
            routes: self.routes.clone(),
            behind_nat: self.behind_nat,
        };
        std::iter::once(first).chain(self.further.iter().cloned()).collect()
    }
}

/// One way to a device.
#[derive(Clone, Debug)]
pub struct Way {
    /// The path.
    pub flow: Flow,
    /// The Request-URI: the contact that was registered by it.
    pub uri: Box<str>,
    /// Route values, the Path of that registration.
    pub routes: Vec<Box<str>>,
    /// Whether a NAT stands between.
    pub behind_nat: bool,
}

/// What a device is told when another one answered (RFC 3326; not a missed call).
pub(crate) const ANSWERED_ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

impl Switch {
    /// Rings one more device. `None` when the call is past ringing, or a bound is reached.
    pub fn add_branch(&mut self, now: Now, call: CallId, target: Target) -> Option<LegId> {
        let caller = self.anchor(call)?;
        let entry = self.calls.get(call)?;
        if entry.branches.len() + 1 >= LEGS_PER_CALL {
            return None;
        }
        let (session_id, hops, emergency) = (entry.session_id.clone(), entry.hops, entry.emergency);
        let shown = target.line.as_ref().and_then(|line| line.caller.as_ref()).or(target.shown.as_ref());
        let from = name_addr(shown.unwrap_or(&entry.caller_party), &target.domain);
        let worker = self.worker_of(call, caller)?;
        // A line says by its own rules how it is offered to; so far that is in clear.
        let security = if target.line.is_some() { Security::Clear } else { self.security_of(target.flow) };
        let lease = self.lease_for(security, target.flow.remote.is_ipv6(), worker, emergency)?;
        let mut negotiation = self.negotiation(lease, security);
        let payloads = self.payloads_for(call, caller);
        let sdp = negotiation.offer_with(&payloads, Direction::SendRecv);
        let call_id = self.endpoint.random_name();
        let nonce = self.endpoint.nonce();
        let to = name_addr(&target.callee, &target.domain);
        let mut dialog = Dialog::calling(&call_id, &from, "", &to, &target.uri);
        dialog.routes.clone_from(&target.routes);
        let id = self.legs.insert(Leg {
            call,
            role: Role::Branch,
            of_caller: false,
            state: LegState::Ended,
            dialog,
            flow: target.flow,
            label: target.label.clone(),
            media: negotiation.clone(),
            lease,
            stream: switch::no_stream(),
            order_epoch: 0,
            media_generation: 0,
            source: Source::Nothing,
            served: Served::default(),
            behind_nat: target.behind_nat,
            media_from: target.line.as_ref().map(|line| Arc::clone(&line.media_from)).unwrap_or_default(),
            ack: None,
            session: Session::default(),
            timer: None,
            line: target.line.as_deref().map(|line| Box::new(LegLine::new(line))),
            lost: None,
        });
        let stream = self.new_stream(id);
        let leg = &mut self.legs[id];
        leg.stream = stream;
        leg.dialog.local_tag = leg::tag(id, nonce);
        let patience = target.line.as_ref().map(|line| line.patience);
        let attempt = Attempt::new(target, hops, session_id, sdp);
        let invite = self.send_invite(now, id, &attempt)?;
        self.legs[id].state = LegState::Outgoing(Box::new(Outgoing {
            invite,
            progress: 0,
            early: Vec::new(),
            offered: negotiation,
            attempt,
        }));
        self.calls[call].branches.push(id);
        if let Some(patience) = patience {
            self.arm(now, id, patience, Wake::Silent(id));
        }
        Some(id)
    }

    /// How long the branches may ring from now on.
    pub fn limit_ringing(&mut self, now: Now, call: CallId, limit: Duration) {
        let Some(entry) = self.calls.get_mut(call) else { return };
        if let Some(old) = entry.ring_limit.take() {
            self.timers.cancel(old);
        }
        entry.ring_limit = Some(self.timers.insert(now.mono + limit, Wake::RingLimit(call)));
    }

    /// Stops one branch; the device is told why by `reason` (a Reason header value).
    pub fn remove_branch(&mut self, now: Now, branch: LegId, reason: Option<&str>) {
        let Some(leg) = self.legs.get_mut(branch) else { return };
        let LegState::Outgoing(outgoing) = &leg.state else { return };
        let (invite, call) = (outgoing.invite, leg.call);
        leg.state = LegState::Cancelled(reason.map(Box::from));
        self.end_taking(call, branch);
        self.endpoint.cancel(now.mono, invite, reason);
        self.silence(branch);
    }

    /// Stops all branches but the winner, because it answered.
    pub(crate) fn cancel_losers(&mut self, now: Now, call: CallId, winner: LegId) {
        let Some(entry) = self.calls.get(call) else { return };
        for branch in entry.branches.clone() {
            if branch != winner {
                self.remove_branch(now, branch, Some(ANSWERED_ELSEWHERE));
            }
        }
    }

    /// Nothing came from the other end of a line, not even a 100: the branch has failed. What it may still say is
    /// answered with CANCEL, or ACK and BYE.
    pub(crate) fn branch_silent(&mut self, now: Now, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.timer = None;
        let call = leg.call;
        if !matches!(leg.state, LegState::Outgoing(_)) {
            return;
        }
        self.remove_branch(now, id, Some("SIP;cause=408;text=\"No response\""));
        if let Some(entry) = self.calls.get_mut(call) {
            entry.note_failure(408);
        }
        self.report_if_exhausted(call);
    }

    /// The floor above tries somebody else: what the branches before said counts no more.
    pub fn try_anew(&mut self, call: CallId) {
        if let Some(entry) = self.calls.get_mut(call) {
            (entry.best_failure, entry.why) = (None, Why::default());
        }
    }

    pub(crate) fn ring_limit_reached(&mut self, now: Now, call: CallId) {
        let Some(entry) = self.calls.get_mut(call) else { return };
        entry.ring_limit = None;
        if entry.stage != Stage::Reaching && entry.replacing.is_none() {
            return;
        }
        entry.note_failure(480);
        entry.why.rang_out = true;
        for branch in entry.branches.clone() {
            self.remove_branch(now, branch, Some("SIP;cause=480;text=\"No answer\""));
        }
        self.report_if_exhausted(call);
    }

    /// A response to a leg's INVITE that is not answered yet.
    pub(crate) fn response_to_invite(
        &mut self,
        now: Now,
        id: LegId,
        client: ClientKey,
        response: &Message<'_>,
    ) {
        let status = response.status().unwrap_or(500);
        // Whoever says anything is alive: the wait for a first word is over.
        self.disarm(id);
        match status {
            0..=100 => {}
            401 | 407 if self.retry_with_credentials(now, id, response) => {}
            101..=199 => self.branch_progress(now, id, status, response),
            200..=299 => self.branch_answered(now, id, client, response),
            422 if self.retry_longer(now, id, response) => {}
            488 if self.retry_in_clear(now, id) => {}
            // RFC 5626 5.3: what keeps the flows of the device says that this one is dead.
            430 if self.retry_elsewhere(now, id) => {}
            _ => {
                self.note_reason(id, response);
                self.branch_failed(now, id, status);
            }
        }
    }

    /// What a gateway knows beside the status that it had to choose (RFC 3326).
    fn note_reason(&mut self, id: LegId, response: &Message<'_>) {
        let Some(call) = self.call_of(id).and_then(|call| self.calls.get_mut(call)) else { return };
        call.why.q850 = sip::reason::q850(response).or(call.why.q850);
    }

    fn branch_progress(&mut self, now: Now, id: LegId, status: u16, response: &Message<'_>) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let call = leg.call;
        let LegState::Outgoing(outgoing) = &mut leg.state else { return };
        if outgoing.progress < 180 && status >= 180 {
            self.events.push_back(CallEvent::Rings { call, leg: id });
        }
        outgoing.progress = outgoing.progress.max(status);
        let Some(tag) = response.to().ok().and_then(|to| to.tag()) else {
            if status >= 180 {
                self.taken_by(now, call, id);
            }
            return self.caller_rings(now, call, status.min(180));
        };
        let known = outgoing.early.iter().position(|early| early.dialog.remote_tag.as_deref() == Some(tag));
        let position = match known {
            Some(position) => position,
            None if outgoing.early.len() < EARLY_DIALOGS_PER_BRANCH => {
                let dialog = leg.dialog.established(response);
                outgoing.early.push(EarlyDialog { dialog, reliable: reliable::Receiver::default() });
                outgoing.early.len() - 1
            }
            None => return,
        };
        if status >= 180 {
            self.taken_by(now, call, id);
        }
        let Some(leg) = self.legs.get_mut(id) else { return };
        let LegState::Outgoing(outgoing) = &mut leg.state else { return };
        if let Some(number) = reliable::demanded(response) {
            let early = &mut outgoing.early[position];
            if !early.reliable.accept(number) {
                return;
            }
            self.send_prack(now, id, position, number);
        }
        let early_media = self.take_early_answer(id, response);
        if early_media {
            self.caller_hears(now, call, id);
        } else {
            // 182 and 183 without SDP are news for us, not for the caller.
            self.caller_rings(now, call, if status == 182 { 182 } else { 180 });
        }
    }

    /// Reads the SDP answer in a provisional response; true when media may flow by it.
    fn take_early_answer(&mut self, id: LegId, response: &Message<'_>) -> bool {
        let (Some(leg), Some(sdp)) = (self.legs.get_mut(id), sdp_of(response)) else { return false };
        let LegState::Outgoing(outgoing) = &leg.state else { return false };
        let mut negotiation = outgoing.offered.clone();
        if negotiation.receive_answer(sdp).is_err() {
            return false;
        }
        leg.media = negotiation;
        true
    }

    fn send_prack(&mut self, now: Now, id: LegId, position: usize, number: u32) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let LegState::Outgoing(outgoing) = &mut leg.state else { return };
        let invite_sequence = leg.dialog.local_sequence;
        let early = &mut outgoing.early[position];
        let sequence = early.dialog.next_sequence();
        let dialog = &early.dialog;
        self.endpoint.request(
            now.mono,
            leg.flow,
            Owner::Leg(id),
            Method::Prack,
            &dialog.target,
            70,
            |mut writer| {
                dialog.write(&mut writer, Method::Prack, sequence);
                writer.header_fmt(HeaderName::RAck, format_args!("{number} {invite_sequence} INVITE"));
                writer.finish()
            },
        );
    }

    fn branch_failed(&mut self, now: Now, id: LegId, status: u16) {
        let Some(leg) = self.legs.get(id) else { return };
        let call = leg.call;
        self.forget_leg(id);
        // R5: a phone that does not take the call says nothing about those that ring.
        if self.end_taking(call, id) {
            self.events.push_back(CallEvent::NotTaken { call, status });
            return self.report_if_exhausted(call);
        }
        let Some(entry) = self.calls.get_mut(call) else { return };
        if entry.stage != Stage::Reaching && entry.replacing.is_none() {
            return;
        }
        entry.note_failure(status);
        // One phone less rings.
        self.events.push_back(CallEvent::Changed { call });
        if entry.heard == Some(id) {
            entry.heard = None;
            self.hear_another(now, call);
        }
        let Some(entry) = self.calls.get_mut(call) else { return };
        // RFC 3261 16.7 step 5: a 6xx speaks for the person, not for the device.
        if (600..700).contains(&status) {
            for branch in entry.branches.clone() {
                self.remove_branch(now, branch, Some("SIP;cause=603;text=\"Declined elsewhere\""));
            }
        }
        self.report_if_exhausted(call);
    }

    /// The branch that the caller heard is gone: another that has early media is heard now.
    pub(crate) fn hear_another(&mut self, now: Now, call: CallId) {
        let Some(entry) = self.calls.get(call) else { return };
        let speaks = |leg: &Leg| matches!(leg.state, LegState::Outgoing(_)) && leg.media.agreed().is_some();
        let next = entry.branches.iter().copied().find(|&branch| self.legs.get(branch).is_some_and(speaks));
        if let Some(branch) = next {
            self.caller_hears(now, call, branch);
        }
    }

    /// A client transaction of a leg ended without a final response.
    pub(crate) fn client_failed(&mut self, now: Now, id: LegId, client: ClientKey, status: u16) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        match &leg.state {
            LegState::Outgoing(outgoing) if outgoing.invite == client => {
                if !self.retry_elsewhere(now, id) {
                    self.branch_failed(now, id, status);
                }
            }
            LegState::Cancelled(_) => self.forget_leg(id),
            LegState::Up(_) => self.request_failed(now, id, client, status),
            LegState::Incoming(_) | LegState::Outgoing(_) => {}
            LegState::Ended => self.forget_leg(id),
        }
    }

    /// Tells the floor above when nothing rings any more.
    pub(crate) fn report_if_exhausted(&mut self, call: CallId) {
        let Some(entry) = self.calls.get(call) else { return };
        let waits = match entry.replacing {
            // One has answered, and is waited for.
            Some(Replacing { manner: Manner::Move { new: Some(_), .. }, .. }) => false,
            Some(_) => true,
            None => entry.stage == Stage::Reaching,
        };
        if !waits {
            return;
        }
        let rings = entry.branches.iter().any(|&branch| {
            self.legs.get(branch).is_some_and(|leg| matches!(leg.state, LegState::Outgoing(_)))
        });
        if !rings {
            let cause = entry.best_failure.map_or(Cause::Offline, Cause::of_status);
            let (status, why) = (entry.best_failure.unwrap_or(480), entry.why);
            self.events.push_back(CallEvent::Exhausted { call, cause, status, why });
        }
    }
}

/// `"Alice" <sip:100@office>`; names are cleaned of what could end the quotes or the line.
#[must_use]
pub fn name_addr(party: &Party, domain: &str) -> String {
    // RFC 3323 4.1: the address of nobody.
    let domain = if party.is_anonymous() { "anonymous.invalid" } else { domain };
    let mut text = String::with_capacity(party.name.len() + party.number.len() + domain.len() + 16);
    if !party.name.is_empty() {
        text.push('"');
        for character in party.name.chars().filter(|c| !c.is_control()).take(80) {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push_str("\" ");
    }
    text.push_str("<sip:");
    push_user(&mut text, &party.number);
    text.push('@');
    text.push_str(domain);
    text.push('>');
    text
}

/// Escapes what may not stand in the user part of a URI (RFC 3261 25.1).
#[must_use]
pub fn escape_user(user: &str) -> String {
    let mut text = String::with_capacity(user.len());
    push_user(&mut text, user);
    text
}

fn push_user(text: &mut String, user: &str) {
    use std::fmt::Write as _;
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_cannot_leave_their_quotes() {
        let party = Party { number: "10 0".into(), name: "a\"<sip:x>\r\nEvil: 1\\".into() };
        assert_eq!(name_addr(&party, "office"), "\"a\\\"<sip:x>Evil: 1\\\\\" <sip:10%200@office>");
    }
}
