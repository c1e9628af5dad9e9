//! REFER: the far side shall go on elsewhere, and NOTIFY tells how that goes (RFC 3515, RFC 3891, RFC 5589).
//!
//! ```text
//! we                     server
//!  |-- REFER ------------->|   Refer-To: a number (blind), or a dialog of ours (attended, with Replaces)
//!  |<------------- 202 ----|
//!  |<------ NOTIFY (100) --|   message/sipfrag; may overtake the 202 (RFC 3515 2.4.4)
//!  |<------ NOTIFY (200) --|   done: we say BYE, unless theirs comes first
//! ```
//!
//! A phone follows no REFER of others (405): whom it calls is for its person to say.

use super::Agent;
use super::ask::Purpose;
use super::call::{Call, Stage};
use super::register::reason_of;
use crate::words::{CallId, Cause, Event};
use clock::Now;
use sip::ServerKey;
use wire::sip::{HeaderName, Message, Uri, encode_escapes};

/// A transfer of ours that is under way.
#[derive(Debug)]
pub(super) struct Referral {
    /// What Refer-To says.
    refer_to: Box<str>,
    /// The CSeq of the REFER: the id of its subscription (RFC 3515 2.4.6).
    sequence: u32,
}

impl Agent {
    /// Blind: to a number.
    pub(super) fn transfer(&mut self, now: Now, named: Option<CallId>, number: &str) {
        let Some(id) = self.find(named, |stage| matches!(stage, Stage::Talking(_))) else {
            return self.cannot("no call is answered");
        };
        let target = self.target(number);
        if Uri::parse(&target).is_err() {
            return self.cannot("that is no number and no SIP address");
        }
        self.refer(now, id, format!("<{target}>").into());
    }

    /// Attended: the far side of one call takes our place in the other.
    pub(super) fn join(&mut self, now: Now, named: Option<CallId>, with: Option<CallId>) {
        let talks = |stage: &Stage| matches!(stage, Stage::Talking(_));
        let answered = self.calls.values().filter(|call| talks(&call.stage)).map(|call| call.id);
        let other = with.or_else(|| answered.clone().filter(|id| Some(*id) != named).max());
        let moved = named.or_else(|| answered.filter(|id| Some(*id) != other).max());
        let (Some(moved), Some(other)) = (self.find(moved, talks), self.find(other, talks)) else {
            return self.cannot("a join needs two answered calls");
        };
        let dialog = self.calls.get(&other).map(|call| call.dialog.clone()).filter(|_| moved != other);
        let Some(dialog) = dialog else { return self.cannot("a join needs two answered calls") };
        // RFC 3891 section 3: tags are named as the one sees them who gets the INVITE, the far side of that dialog.
        let theirs = dialog.remote_tag.as_deref().unwrap_or_default();
        let replaces = format!("{};to-tag={theirs};from-tag={}", dialog.call_id, dialog.local_tag);
        // RFC 3261 19.1.1: a header inside a URI is escaped.
        let value = encode_escapes(&replaces);
        let target = dialog.target.split('?').next().unwrap_or_default();
        self.refer(now, moved, format!("<{target}?Replaces={value}>").into());
    }

    fn refer(&mut self, now: Now, id: CallId, refer_to: Box<str>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.referral.is_some() {
            return self.cannot("that call is being transferred already");
        }
        call.referral = Some(Referral { refer_to, sequence: 0 });
        self.ask(now, id, Purpose::Refer);
    }

    /// 202, or a refusal at once.
    pub(super) fn referral_answered(&mut self, id: CallId, response: &Message<'_>) {
        let status = response.status().unwrap_or(500);
        // RFC 3515 2.4.4: a 2xx says no more than that it is tried.
        if status >= 300 {
            self.tell_transfer(id, status, reason_of(response));
        }
    }

    /// How our transfer goes.
    pub(super) fn notify_from_peer(
        &mut self,
        now: Now,
        id: CallId,
        server: ServerKey,
        message: &Message<'_>,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let event = message.value(HeaderName::Event).map(super::plain).unwrap_or_default();
        let mut parts = event.split(';').map(str::trim);
        let refer = parts.next().is_some_and(|package| package.eq_ignore_ascii_case("refer"));
        let named = parts.find_map(|part| part.strip_prefix("id="));
        let ours = call
            .referral
            .as_ref()
            .is_some_and(|referral| named.is_none_or(|id| id.parse() == Ok(referral.sequence)));
        if !refer {
            return self.respond(now, server, 489);
        }
        if !ours {
            return self.respond(now, server, 481);
        }
        let Some((status, reason)) = start_line(message.body()) else {
            return self.respond(now, server, 400);
        };
        self.respond(now, server, 200);
        self.tell_transfer(id, status, reason);
        if (200..300).contains(&status) {
            self.end_answered(now, id, Cause::Transferred);
        } else if status < 200 && is_terminated(message) {
            // RFC 3515 2.4.7: nothing more will be said; the call is ours again.
            self.forget_referral(id);
        }
    }

    fn tell_transfer(&mut self, id: CallId, status: u16, reason: String) {
        if status >= 200 {
            self.forget_referral(id);
        }
        self.tell(Event::Transfer { call: id, status, reason });
    }

    fn forget_referral(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.referral = None;
        }
    }
}

impl Call {
    /// Refer-To of a request that is about to be sent, whose number is then its subscription's.
    pub(super) fn refer_to(&mut self, purpose: Purpose, sequence: u32) -> Option<Box<str>> {
        let referral = self.referral.as_mut().filter(|_| purpose == Purpose::Refer)?;
        referral.sequence = sequence;
        Some(referral.refer_to.clone())
    }
}

/// Status and words of the start line in a `message/sipfrag` (RFC 3420).
fn start_line(body: &[u8]) -> Option<(u16, String)> {
    let line = body.split(|octet| matches!(octet, b'\r' | b'\n')).next()?;
    let rest = line.strip_prefix(b"SIP/2.0 ")?;
    let (status, reason) = rest.split_at_checked(3)?;
    let status: u16 = std::str::from_utf8(status).ok()?.parse().ok()?;
    (100..700).contains(&status).then(|| (status, super::plain(reason).trim().to_owned()))
}

fn is_terminated(message: &Message<'_>) -> bool {
    let state = message.value(HeaderName::SubscriptionState).unwrap_or_default();
    state.get(..10).is_some_and(|word| word.eq_ignore_ascii_case(b"terminated"))
}
