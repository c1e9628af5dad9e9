//! One side of a talking call moves to another phone of the same person: make before break (R6).
//!
//! ```text
//! before     other <-------> old
//! answered   other <-------> old      new hears other, and other does not hear new yet
//! ready      other <---------------> new      old gets BYE with its Reason
//! ```
//! New is ready when its first packet is here: keys are agreed and its address is known by then. A phone that sends
//! nothing for a while takes nothing over, and the talk goes on as it was.

use crate::branch::Target;
use crate::call::{Manner, Replacing, Stage};
use crate::cause::Cause;
use crate::leg::{self, CallId, LegId};
use crate::limits::READY_LIMIT;
use crate::switch::Switch;
use crate::take::TAKEN;
use crate::timers::Wake;
use clock::Now;
use media::{Source, Tone};
use std::time::Duration;

/// What a phone is told whose talk waits elsewhere.
const PARKED: &str = "SIP;cause=200;text=\"Call parked\"";
/// What a phone is told that answered and sent nothing.
const SILENT: &str = "SIP;cause=408;text=\"No sound came\"";

impl Switch {
    /// Moves one side of a talking call to another device, which may ring for so long. The floor above hears
    /// [`crate::CallEvent::Moved`] or [`crate::CallEvent::NotMoved`]. `None` when nothing can be moved there now.
    pub fn move_leg(
        &mut self,
        now: Now,
        call: CallId,
        old: LegId,
        target: Target,
        limit: Duration,
    ) -> Option<LegId> {
        self.end_move_that_rings(now, call);
        if !self.begin_replacing(call, old, Manner::Move { new: None, timer: None }) {
            return None;
        }
        let Some(branch) = self.add_branch(now, call, target) else {
            if let Some(entry) = self.calls.get_mut(call) {
                entry.replacing = None;
            }
            return None;
        };
        self.limit_ringing(now, call, limit);
        Some(branch)
    }

    /// A move to a phone that only rings yet comes to nothing, because another is begun.
    fn end_move_that_rings(&mut self, now: Now, call: CallId) {
        let replacing = self.calls.get(call).and_then(|entry| entry.replacing.as_ref());
        let Some(Replacing { old_left: false, manner: Manner::Move { new: None, .. }, .. }) = replacing
        else {
            return;
        };
        self.cancel_ringing_but(now, call, LegId::default(), TAKEN);
        self.end_replacing(call);
    }

    /// Whether one side has let go of a talk, and other phones of the same person may answer for it.
    #[must_use]
    pub fn is_let_go(&self, call: CallId) -> bool {
        let replacing = self.calls.get(call).and_then(|entry| entry.replacing.as_ref());
        matches!(replacing, Some(Replacing { old_left: true, manner: Manner::Move { .. }, .. }))
    }

    /// Both sides of a call whose parties talk: the calling one first.
    #[must_use]
    pub fn sides(&self, call: CallId) -> Option<(LegId, LegId)> {
        let entry = self.calls.get(call)?;
        let Stage::Talking { winner: Some(winner) } = entry.stage else { return None };
        Some((entry.caller, winner))
    }

    /// The call in which a device talks, or waits for an answer; another than `but`.
    #[must_use]
    pub fn call_at(&self, device: &str, but: Option<CallId>) -> Option<CallId> {
        let busy = |leg: &leg::Leg| {
            *leg.label == *device
                && Some(leg.call) != but
                && matches!(leg.state, leg::LegState::Up(_) | leg::LegState::Incoming(_))
        };
        self.legs.values().find(|leg| busy(leg)).map(|leg| leg.call)
    }

    /// The phone that a side moves to has answered: it hears the other side, and is waited for.
    pub(crate) fn new_side_answered(&mut self, now: Now, call: CallId, id: LegId) {
        let timer = self.timers.insert(now.mono + READY_LIMIT, Wake::ReadyLimit(call));
        let Some(entry) = self.calls.get_mut(call) else { return };
        let Some(Replacing { other, old_left, manner, .. }) = &mut entry.replacing else { return };
        let (other, old_left) = (*other, *old_left);
        *manner = Manner::Move { new: Some(id), timer: Some(timer) };
        if let Some(limit) = entry.ring_limit.take() {
            self.timers.cancel(limit);
        }
        self.arm_session(now, id);
        // Nobody is left who could be cut off.
        if old_left {
            return self.take_over(now, call, id);
        }
        if let Some(leg) = self.legs.get_mut(id) {
            leg.source = Source::Leg(leg::media_key(other));
        }
        self.send_order(id);
    }

    /// The first packet of a leg is here.
    pub(crate) fn side_is_ready(&mut self, now: Now, id: LegId) {
        if let Some(call) = self.waiting_side(id) {
            self.take_over(now, call, id);
        }
    }

    /// The call that waits for this leg to be ready to take a side over.
    pub(crate) fn waiting_side(&self, id: LegId) -> Option<CallId> {
        let call = self.call_of(id)?;
        let replacing = self.calls.get(call)?.replacing.as_ref()?;
        matches!(replacing.manner, Manner::Move { new: Some(new), .. } if new == id).then_some(call)
    }

    /// The phone that answered sent nothing in time.
    pub(crate) fn ready_limit_reached(&mut self, now: Now, call: CallId) {
        let replacing = self.calls.get(call).and_then(|entry| entry.replacing.as_ref());
        let Some(Manner::Move { new: Some(new), .. }) = replacing.map(|replacing| replacing.manner) else {
            return;
        };
        self.not_taken_over(now, call, Cause::NoAnswer);
        self.end_answered(now, new, SILENT);
    }

    /// A leg is gone whose side has been answered for elsewhere: that one takes over. True when it was such a leg.
    pub(crate) fn moved_away(&mut self, now: Now, id: LegId) -> bool {
        let Some(call) = self.call_of(id) else { return false };
        let replacing = self.calls.get(call).and_then(|entry| entry.replacing.as_ref());
        let Some(Replacing { old, manner: Manner::Move { new: Some(_), .. }, .. }) = replacing else {
            return false;
        };
        *old == id && self.leaves_for_replacement(now, id)
    }

    /// One side of a talking call lets go of it, and other phones of the same person may answer for it: the other side
    /// hears that it rings. Without branches that are added now, the call ends when its ring limit is reached.
    pub fn let_go(&mut self, now: Now, call: CallId, old: LegId, reason: &str) -> bool {
        if !self.begin_replacing(call, old, Manner::Move { new: None, timer: None }) {
            return false;
        }
        self.leaves_for_replacement(now, old);
        self.end_answered(now, old, reason);
        true
    }

    /// The same, and the other side hears music: nobody is rung.
    pub fn park(&mut self, now: Now, call: CallId, old: LegId) -> bool {
        let Some(other) = self.peer_of(old) else { return false };
        if !self.begin_replacing(call, old, Manner::Move { new: None, timer: None }) {
            return false;
        }
        // Whoever parks by a transfer hears that it is done.
        self.tell_referrer(now, old, 200);
        self.leaves_for_replacement(now, old);
        self.hear(other, Source::Music(media::SoundId::MUSIC));
        self.end_answered(now, old, PARKED);
        true
    }

    /// The side that waits for another to answer hears that it rings.
    pub fn ring_back(&mut self, call: CallId) {
        if let Some(replacing) = self.calls.get(call).and_then(|entry| entry.replacing) {
            self.hear(replacing.other, Source::Tone(Tone::RingBack));
        }
    }

    pub(crate) fn hear(&mut self, id: LegId, source: Source) {
        if let Some(leg) = self.legs.get_mut(id) {
            leg.source = source;
        }
        self.send_order(id);
    }

    /// The leg that should take over is gone before it was ready. True when it was such a leg; the call goes on.
    pub(crate) fn new_side_left(&mut self, now: Now, id: LegId) -> bool {
        let Some(call) = self.waiting_side(id) else { return false };
        self.not_taken_over(now, call, Cause::CalleeHungUp);
        true
    }
}
