//! Key presses that a leg sends: by its media (RFC 4733) or by INFO, and by some telephones in both ways at once.

use crate::call::CallEvent;
use crate::leg::LegId;
use crate::switch::Switch;
use clock::Mono;
use std::time::Duration;

/// One key that is reported in both ways within this is one press: nobody changes between the ways.
const BOTH_WAYS: Duration = Duration::from_millis(400);

/// How a key press came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyWay {
    /// As an event among the packets, told when the key is up.
    Media,
    /// As an INFO.
    Signalling,
}

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Press {
    pub(crate) digit: char,
    pub(crate) way: KeyWay,
    /// When the key went down.
    pub(crate) down: Mono,
}

impl Press {
    /// Whether this is the press that was told in the other way already.
    fn repeats(&self, last: &Press) -> bool {
        let apart = self.down.since(last.down).max(last.down.since(self.down));
        self.digit == last.digit && self.way != last.way && apart < BOTH_WAYS
    }
}

impl Switch {
    /// Tells the floor above of a key, once.
    pub(crate) fn key_pressed(&mut self, id: LegId, press: Press) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        if leg.served.last_key.is_some_and(|last| press.repeats(&last)) {
            return;
        }
        leg.served.last_key = Some(press);
        self.events.push_back(CallEvent::Digit { call: leg.call, leg: id, digit: press.digit });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use KeyWay::{Media, Signalling};

    /// Each with its way and its ms.
    type Presses = &'static [(char, KeyWay, u64)];

    #[test]
    fn a_key_told_in_both_ways_counts_once_and_pressed_twice_counts_twice() {
        let table: [(&str, Presses, &str); 6] = [
            ("one way", &[('5', Media, 0), ('5', Media, 150), ('5', Media, 300)], "555"),
            ("both ways", &[('5', Signalling, 0), ('5', Media, 20)], "5"),
            ("the packets first", &[('5', Media, 20), ('5', Signalling, 0)], "5"),
            (
                "twice in both ways",
                &[('5', Signalling, 0), ('5', Media, 10), ('5', Signalling, 200), ('5', Media, 210)],
                "55",
            ),
            ("different keys", &[('5', Signalling, 0), ('6', Media, 10)], "56"),
            ("later", &[('5', Signalling, 0), ('5', Media, 400)], "55"),
        ];
        for (name, presses, wanted) in table {
            let (mut last, mut counted): (Option<Press>, _) = (None, String::new());
            for (digit, way, ms) in presses {
                let press = Press { digit: *digit, way: *way, down: Mono(1_000_000 + ms * 1_000) };
                if !last.is_some_and(|last| press.repeats(&last)) {
                    counted.push(*digit);
                    last = Some(press);
                }
            }
            assert_eq!(counted, wanted, "{name}");
        }
    }
}
