//! What a caller hears whom a service of ours answered, and when it was heard to its end.

use crate::call::{CallEvent, Stage};
use crate::leg::{self, CallId, LegState};
use crate::switch::Switch;
use clock::Now;
use media::{Codec, Direction, Source};

impl Switch {
    /// Lets the caller hear us before any answer: its one SDP answer goes out now (R1). Nothing rings, and nothing may
    /// from now on. False when the caller cannot hear us: it waits for our offer, or for a codec that we do not speak.
    pub fn answer_early(&mut self, now: Now, call: CallId) -> bool {
        let Some(entry) = self.calls.get(call) else { return false };
        let caller = entry.caller;
        if entry.stage != Stage::Reaching {
            return false;
        }
        let Some(leg) = self.legs.get_mut(caller) else { return false };
        let LegState::Incoming(waiting) = &mut leg.state else { return false };
        if waiting.late_offer || waiting.answer_waits {
            return false;
        }
        let mut answer = None;
        if !waiting.answered_early {
            // R3: what we may have to say is said in one of ours.
            let Ok((sdp, _)) = leg.media.answer(&Codec::OURS, Direction::SendRecv) else { return false };
            waiting.answered_early = true;
            waiting.progress = 183;
            answer = Some(sdp);
        }
        let spoken = leg
            .media
            .agreed()
            .is_some_and(|agreed| Codec::OURS.iter().any(|codec| codec.matches(&agreed.codec.codec)));
        if let Some(timer) = self.calls.get_mut(call).and_then(|entry| entry.ring_limit.take()) {
            self.timers.cancel(timer);
        }
        if let Some(sdp) = answer {
            self.send_progress(now, caller, 183, Some(&sdp));
        }
        self.silence(caller);
        spoken
    }

    /// Lets the caller of a service that has answered, or answered early, hear something else, at once and from its
    /// beginning. Each sound of
    /// a chain that ends is told as [`CallEvent::SoundEnded`]; of what was cut short nothing is told.
    pub fn say(&mut self, call: CallId, source: Source) {
        let Some(caller) = self.calls.get(call).map(|entry| entry.caller) else { return };
        if !self.serves(call) {
            return;
        }
        if self.legs.get(caller).is_some_and(|leg| leg.source == source) {
            // The engine goes on with what did not change, so the same is only heard again after a silence.
            self.silence(caller);
        }
        if let Some(leg) = self.legs.get_mut(caller) {
            leg.source = source;
            // The number of the order that follows.
            leg.served.told_epoch = leg.order_epoch + 1;
        }
        self.send_order(caller);
    }

    /// An end that an older order knows of is that of a sound before.
    pub(crate) fn sound_ended(&mut self, key: media::LegKey, epoch: u32) {
        let id = leg::from_media_key(key);
        let Some(leg) = self.legs.get(id).filter(|leg| epoch >= leg.served.told_epoch) else { return };
        let call = leg.call;
        if self.calls.get(call).is_some_and(|entry| entry.caller == id) && self.serves(call) {
            self.events.push_back(CallEvent::SoundEnded { call });
        }
    }

    /// Whether a caller hears us and nobody else.
    fn serves(&self, call: CallId) -> bool {
        let Some(entry) = self.calls.get(call) else { return false };
        match (entry.stage, self.legs.get(entry.caller).map(|leg| &leg.state)) {
            (Stage::Talking { winner: None }, _) => true,
            (Stage::Reaching, Some(LegState::Incoming(waiting))) => {
                waiting.answered_early && entry.branches.is_empty()
            }
            // The first side of a call of our own.
            (Stage::Reaching, Some(LegState::Up(_))) => true,
            _ => false,
        }
    }
}
