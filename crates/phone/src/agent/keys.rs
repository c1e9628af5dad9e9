//! Key presses: RFC 4733 in the sound's stream, or INFO.

use super::ask::Purpose;
use super::call::Stage;
use super::{Agent, Output, SoundOrder};
use crate::limits::KEYS;
use crate::words::{CallId, Event, KeyStyle};
use clock::Now;
use sip::ServerKey;
use sip::info::is_key;
use wire::sip::Message;

impl Agent {
    pub(super) fn press(&mut self, now: Now, named: Option<CallId>, keys: &str, style: KeyStyle) {
        let Some(id) = self.find(named, |stage| matches!(stage, Stage::Talking(_))) else {
            return self.cannot("no call is answered");
        };
        let keys: Vec<char> =
            keys.chars().filter(|key| !key.is_whitespace()).map(|key| key.to_ascii_uppercase()).collect();
        if keys.is_empty() || keys.len() > KEYS || !keys.iter().all(|key| is_key(*key)) {
            return self.cannot("keys are 0 to 9, A to D, * and #");
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let events = call.media.agreed().is_some_and(|agreed| agreed.telephone_event.is_some());
        let port = call.port.filter(|_| events && style == KeyStyle::Rtp);
        if let Some(port) = port {
            self.outputs.extend(keys.iter().map(|&key| Output::Sound(SoundOrder::Press { port, key })));
            return;
        }
        let room = KEYS.saturating_sub(call.keys.len());
        call.keys.extend(keys.into_iter().take(room));
        self.next_key(now, id);
    }

    /// One INFO at a time, so that the keys stay in order.
    pub(super) fn next_key(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let busy = call.pending.iter().any(|pending| matches!(pending.purpose, Purpose::Key(_)));
        if busy || call.talking().is_none() {
            return;
        }
        if let Some(key) = call.keys.pop_front() {
            self.ask(now, id, Purpose::Key(key));
        }
    }

    /// A key; any other INFO is left to those who know it (RFC 6086 4.2.2).
    pub(super) fn info_from_peer(&mut self, now: Now, id: CallId, server: ServerKey, message: &Message<'_>) {
        let key = sip::info::key(message);
        self.respond(now, server, if key.is_some() || message.body().is_empty() { 200 } else { 415 });
        if let Some(key) = key {
            self.tell(Event::Dtmf { call: id, key });
        }
    }
}
