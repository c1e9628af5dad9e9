//! `ua-profile` (RFC 6080): an exchange that offers it tells for whom this phone works, by an assignment in JSON.

use super::{Agent, Output};
use crate::words::Event;

impl Agent {
    pub(super) fn no_profile(&mut self, why: &str) {
        self.tell(Event::NoProfile { why: why.to_owned() });
    }

    pub(super) fn profile_told(&mut self, body: &[u8]) {
        if let Ok(text) = std::str::from_utf8(body) {
            self.outputs.push_back(Output::Event(Event::Profile { assignment: text.to_owned() }));
        }
    }
}
