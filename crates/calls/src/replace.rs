//! One side of a talking call is replaced: moved to another device, or transferred to another person.
//!
//! ```text
//! before    other <-------> old            other keeps hearing old, or a ring-back once old has left
//! meanwhile other <-------> old     new branches ring
//! after     other <---------------> new    old gets BYE with its Reason
//! ```
//!
//! Make before break (R6): until a new branch has answered, nothing of the old leg changes, and when none answers, the
//! call goes on as it was, unless the old leg has left meanwhile.

use crate::call::{CallEvent, Manner, Replacing, Stage};
use crate::cause::Cause;
use crate::leg::{CallId, Leg, LegId, LegState};
use crate::switch::Switch;
use clock::Now;
use media::{Source, Tone};
use sip::refer::ReferTo;
use sip::{Flow, ServerKey};
use wire::sip::{HeaderName, Message, Method};

/// What the leg is told that was replaced.
const REPLACED: &str = "SIP;cause=200;text=\"Call moved\"";

impl Switch {
    /// Begins to replace one side of a talking call: branches that are added from now on ring to take its place. The
    /// floor above adds them, and hears [`CallEvent::Moved`] or [`CallEvent::NotMoved`]. False when there is nothing
    /// to replace, or a replacement is under way.
    pub fn replace(&mut self, call: CallId, old: LegId) -> bool {
        self.begin_replacing(call, old, Manner::Transfer)
    }

    pub(crate) fn begin_replacing(&mut self, call: CallId, old: LegId, manner: Manner) -> bool {
        let Some(other) = self.peer_of(old) else { return false };
        let Some(entry) = self.calls.get_mut(call) else { return false };
        if entry.replacing.is_some() {
            return false;
        }
        entry.best_failure = None;
        entry.replacing = Some(Replacing { old, other, old_left: false, manner });
        true
    }

    /// Whether one side of a call is being replaced.
    #[must_use]
    pub fn is_replacing(&self, call: CallId) -> bool {
        self.calls.get(call).is_some_and(|call| call.replacing.is_some())
    }

    /// The call that a leg is in.
    #[must_use]
    pub fn call_behind(&self, leg: LegId) -> Option<CallId> {
        self.call_of(leg)
    }

    /// The name of the device or trunk behind a leg.
    #[must_use]
    pub fn label(&self, leg: LegId) -> Option<&str> {
        self.legs.get(leg).map(|leg| &*leg.label)
    }

    /// The name of the device, trunk or service that answered a call.
    #[must_use]
    pub fn answered_by(&self, call: CallId) -> Option<&str> {
        self.calls.get(call).map(|call| &*call.answered_by).filter(|label| !label.is_empty())
    }

    /// The floor above does not do what a phone asked by REFER; the call goes on as it is.
    pub fn refuse_referral(&mut self, now: Now, leg: LegId, status: u16) {
        self.tell_referrer(now, leg, status);
    }

    /// The leg that new branches of a call will talk to.
    pub(crate) fn anchor(&self, call: CallId) -> Option<LegId> {
        let entry = self.calls.get(call)?;
        match (&entry.stage, &entry.replacing) {
            (Stage::Reaching, _) => Some(entry.caller),
            (_, Some(replacing)) => Some(replacing.other),
            _ => None,
        }
    }

    /// A new branch answered and takes the place of the old leg.
    pub(crate) fn take_over(&mut self, now: Now, call: CallId, new: LegId) {
        let Some(replacing) = self.end_replacing(call) else { return };
        let Replacing { old, other, old_left, manner } = replacing;
        let Some(entry) = self.calls.get_mut(call) else { return };
        // Who moves stays the side that they are. After a transfer, the one who stays is the caller of what follows.
        let calls = matches!(manner, Manner::Move { .. }) && entry.caller == old;
        let (caller, called) = if calls { (new, other) } else { (other, new) };
        entry.branches.retain(|branch| *branch != caller);
        for leg in
            [(called, true), (old, !old_left)].into_iter().filter_map(|(leg, there)| there.then_some(leg))
        {
            if !entry.branches.contains(&leg) {
                entry.branches.push(leg);
            }
        }
        entry.caller = caller;
        entry.stage = Stage::Talking { winner: Some(called) };
        if let Some(leg) = self.legs.get_mut(new) {
            entry.detail = format!("moved to {}", leg.label).into();
            leg.of_caller = calls;
        }
        self.cancel_losers(now, call, new);
        self.connect(now, other, new);
        // Whoever holds goes on to hold.
        if self.legs.get(other).is_some_and(Leg::holds) {
            self.media_changed(other);
        }
        self.align_codecs(now, call);
        self.arm_session(now, new);
        if !old_left {
            self.tell_referrer(now, old, 200);
            self.end_answered(now, old, REPLACED);
        }
        self.events.push_back(CallEvent::Moved { call });
    }

    /// Ends an answered leg, after its ACK if that is still to come (RFC 3261 15).
    pub(crate) fn end_answered(&mut self, now: Now, id: LegId, reason: &str) {
        match self.legs.get_mut(id).map(|leg| &mut leg.state) {
            Some(LegState::Up(up)) if up.unacknowledged.is_some() => {
                up.end_after_ack = true;
                self.silence(id);
            }
            Some(LegState::Up(_)) => self.send_bye(now, id, Some(reason)),
            _ => {}
        }
    }

    /// None of the new branches answered.
    pub(crate) fn not_taken_over(&mut self, now: Now, call: CallId, cause: Cause) {
        let Some(Replacing { old, other, old_left, manner }) = self.end_replacing(call) else { return };
        if old_left {
            return self.hang_up(now, call, cause);
        }
        // In a move, nothing of the talk has changed yet.
        if matches!(manner, Manner::Transfer) {
            self.tell_referrer(now, old, cause.status());
            self.connect(now, other, old);
        }
        self.events.push_back(CallEvent::NotMoved { call, cause });
    }

    pub(crate) fn end_replacing(&mut self, call: CallId) -> Option<Replacing> {
        let entry = self.calls.get_mut(call)?;
        let replacing = entry.replacing.take()?;
        for timer in entry.ring_limit.take().into_iter().chain(replacing.timer()) {
            self.timers.cancel(timer);
        }
        Some(replacing)
    }

    /// The replacement comes to nothing because the floor above found nobody to ring.
    pub fn give_up_replacing(&mut self, now: Now, call: CallId, cause: Cause) {
        self.not_taken_over(now, call, cause);
    }

    /// The old leg hangs up while new ones ring, as phones do after a REFER. True when the call goes on without it.
    pub(crate) fn leaves_for_replacement(&mut self, now: Now, id: LegId) -> bool {
        let Some(call) = self.legs.get(id).map(|leg| leg.call) else { return false };
        let Some(replacing) = self.calls.get_mut(call).and_then(|entry| entry.replacing.as_mut()) else {
            return false;
        };
        if replacing.old != id {
            return false;
        }
        replacing.old_left = true;
        let (other, manner) = (replacing.other, replacing.manner);
        // Who moves hung up here because they are there already.
        if let Manner::Move { new: Some(new), .. } = manner {
            self.take_over(now, call, new);
            return true;
        }
        if let Some(leg) = self.legs.get_mut(other) {
            leg.source = Source::Tone(Tone::RingBack);
        }
        self.send_order(other);
        self.events.push_back(CallEvent::Changed { call });
        true
    }

    /// A REFER inside a leg's dialog (RFC 3515 2.4): 202, a first NOTIFY, and the floor above decides.
    pub(crate) fn refer_from_leg(
        &mut self,
        now: Now,
        id: LegId,
        server: ServerKey,
        flow: Flow,
        message: &Message<'_>,
    ) {
        let Some(target) = ReferTo::of(message) else {
            return self.endpoint.respond(now.mono, server, 400, None, sip::end);
        };
        let talks = self.peer_of(id).is_some();
        let Some(leg) = self.legs.get_mut(id) else { return };
        let LegState::Up(up) = &mut leg.state else {
            return self.endpoint.respond(now.mono, server, 491, None, sip::end);
        };
        if !talks || up.referral.is_some() {
            return self.endpoint.respond(now.mono, server, 491, None, sip::end);
        }
        up.referral = message.cseq().ok().map(|cseq| cseq.number);
        let call = leg.call;
        self.endpoint.respond(now.mono, server, 202, None, |mut writer| {
            writer.header(HeaderName::Contact, crate::caller::contact(flow));
            writer.finish()
        });
        self.notify_referrer(now, id, 100, "active;expires=60");
        self.events.push_back(CallEvent::Referred { call, leg: id, target });
    }

    /// How a referral ended; more than once is not said.
    pub(crate) fn tell_referrer(&mut self, now: Now, id: LegId, status: u16) {
        self.notify_referrer(now, id, status, "terminated;reason=noresource");
        if let Some(LegState::Up(up)) = self.legs.get_mut(id).map(|leg| &mut leg.state) {
            up.referral = None;
        }
    }

    /// RFC 3515 2.4.5: the body is the start line of a response.
    fn notify_referrer(&mut self, now: Now, id: LegId, status: u16, state: &str) {
        let Some(LegState::Up(up)) = self.legs.get(id).map(|leg| &leg.state) else { return };
        let Some(number) = up.referral else { return };
        let Some(leg) = self.legs.get_mut(id) else { return };
        let sequence = leg.dialog.next_sequence();
        let dialog = &leg.dialog;
        let flow = leg.flow;
        let owner = crate::switch::Owner::Leg(id);
        let body = format!("SIP/2.0 {status} {}\r\n", wire::sip::default_reason(status));
        self.endpoint.request(now.mono, flow, owner, Method::Notify, &dialog.target, 70, |mut writer| {
            dialog.write(&mut writer, Method::Notify, sequence);
            writer.header(HeaderName::Contact, crate::caller::contact(flow));
            // RFC 3515 2.4.6: the id tells several referrals of a dialog apart.
            writer.header_fmt(HeaderName::Event, format_args!("refer;id={number}"));
            writer.header(HeaderName::SubscriptionState, state);
            writer.body("message/sipfrag;version=2.0", body.as_bytes())
        });
    }
}
