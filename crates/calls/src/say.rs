//! What a caller hears whom a service of ours answered, and when it was heard to its end.

use crate::call::{CallEvent, Stage};
use crate::leg::{self, CallId};
use crate::switch::Switch;
use media::Source;

impl Switch {
    /// Lets the caller of an answered service hear something else, at once and from its beginning. Each sound of
    /// a chain that ends is told as [`CallEvent::SoundEnded`]; of what was cut short nothing is told.
    pub fn say(&mut self, call: CallId, source: Source) {
        let Some(entry) = self.calls.get(call) else { return };
        let (Stage::Talking { winner: None }, caller) = (entry.stage, entry.caller) else { return };
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
        let serves = self.calls.get(call).is_some_and(|entry| {
            entry.caller == id && matches!(entry.stage, Stage::Talking { winner: None })
        });
        if serves {
            self.events.push_back(CallEvent::SoundEnded { call });
        }
    }
}
