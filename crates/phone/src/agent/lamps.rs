//! Lamps: whether numbers are busy (RFC 4235), and how many messages wait for us (RFC 3842).

use super::Agent;
use super::dialog_info::{Document, Doing};
use super::watch::What;
use crate::limits::DIALOGS;
use crate::words::{Event, LampState};
use std::collections::BTreeMap;

/// What is known of one watched number, or of our messages.
#[derive(Debug, Default)]
pub(super) struct Lamp {
    version: Option<u32>,
    calls: BTreeMap<Box<str>, Doing>,
    /// What was told last.
    told: Option<Event>,
}

impl Lamp {
    fn state(&self) -> LampState {
        let any = |wanted: Doing| self.calls.values().any(|doing| *doing == wanted);
        match () {
            () if any(Doing::Rings) => LampState::Ringing,
            () if any(Doing::Busy) => LampState::Busy,
            () => LampState::Idle,
        }
    }

    /// RFC 4235 4.3; false for a document that is older than one that was read.
    fn take(&mut self, document: Document) -> bool {
        let old = |known: u32| document.version.is_some_and(|version| version <= known);
        if !document.full && self.version.is_some_and(old) {
            return false;
        }
        if document.full {
            self.calls.clear();
        }
        for (id, doing) in document.dialogs {
            match doing {
                Doing::Over => drop(self.calls.remove(&id)),
                _ if self.calls.len() < DIALOGS || self.calls.contains_key(&id) => {
                    self.calls.insert(id, doing);
                }
                _ => {}
            }
        }
        self.version = document.version;
        true
    }
}

impl Agent {
    pub(super) fn calls_told(&mut self, place: usize, body: &[u8]) {
        let Some(document) = Document::read(body) else { return };
        let Some(watch) = self.watches.get_mut(place) else { return };
        if !watch.lamp.take(document) {
            return;
        }
        if let What::Calls(number) = &watch.what {
            let (number, state) = (number.to_string(), watch.lamp.state());
            self.tell_lamp(place, Event::Lamp { number, state, why: String::new() });
        }
    }

    pub(super) fn messages_told(&mut self, place: usize, body: &[u8]) {
        if let Some((new, old)) = message_summary(body) {
            self.tell_lamp(place, Event::Messages { new, old });
        }
    }

    /// Nobody tells us any more: what the lamp showed may be wrong.
    pub(super) fn watch_lost(&mut self, place: usize, why: &str) {
        let Some(watch) = self.watches.get_mut(place) else { return };
        watch.lamp = Lamp { told: watch.lamp.told.take(), ..Lamp::default() };
        if let What::Calls(number) = &watch.what {
            let (number, why) = (number.to_string(), why.to_owned());
            self.tell_lamp(place, Event::Lamp { number, state: LampState::Unknown, why });
        }
    }

    /// Each change once.
    fn tell_lamp(&mut self, place: usize, event: Event) {
        let Some(watch) = self.watches.get_mut(place) else { return };
        if watch.lamp.told.as_ref() != Some(&event) {
            watch.lamp.told = Some(event.clone());
            self.tell(event);
        }
    }
}

/// New and old voice messages (RFC 3842 5.2); a server that counts none says whether there are any.
fn message_summary(body: &[u8]) -> Option<(u32, u32)> {
    let text = std::str::from_utf8(body).ok()?;
    let field = |wanted: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let waiting = field("Messages-Waiting")?.eq_ignore_ascii_case("yes");
    let counted = field("Voice-Message").and_then(|counts| {
        let (new, old) = counts.split_whitespace().next()?.split_once('/')?;
        Some((new.parse().ok()?, old.parse().ok()?))
    });
    Some(counted.unwrap_or((u32::from(waiting), 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_11_a_lamp_follows_whole_and_partial_documents() {
        let mut lamp = Lamp::default();
        let document = |version, full, dialogs: &[(&str, Doing)]| Document {
            version: Some(version),
            full,
            dialogs: dialogs.iter().map(|(id, doing)| ((*id).into(), *doing)).collect(),
        };
        for (told, taken, state) in [
            (document(0, true, &[]), true, LampState::Idle),
            (document(1, false, &[("a", Doing::Rings)]), true, LampState::Ringing),
            (document(2, false, &[("a", Doing::Busy), ("b", Doing::Rings)]), true, LampState::Ringing),
            (document(3, false, &[("b", Doing::Over)]), true, LampState::Busy),
            (document(2, false, &[("a", Doing::Over)]), false, LampState::Busy),
            (document(4, true, &[]), true, LampState::Idle),
            // The server began anew.
            (document(0, true, &[("c", Doing::Busy)]), true, LampState::Busy),
        ] {
            let said = format!("{told:?}");
            assert_eq!((lamp.take(told), lamp.state()), (taken, state), "{said}");
        }
    }

    #[test]
    fn s3_11_waiting_messages_are_counted() {
        let ours = sip::subscription::message_summary("sip:1@h", 2, 3);
        for (text, counts) in [
            (ours.as_str(), Some((2, 3))),
            ("Messages-Waiting: yes\r\n", Some((1, 0))),
            ("messages-waiting:no\nvoice-message: 0/8 (0/2)\n", Some((0, 8))),
            ("Messages-Waiting: yes\r\nVoice-Message: many\r\n", Some((1, 0))),
            ("Voice-Message: 1/0\r\n", None),
            ("", None),
        ] {
            assert_eq!(message_summary(text.as_bytes()), counts, "{text}");
        }
    }
}
