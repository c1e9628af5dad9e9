//! Where a leg is in the sound that it hears.

use super::STALL;
use crate::codec::Voice;
use crate::order::{Source, Tone};
use crate::sounds::{SoundId, Sounds};
use clock::Mono;
use std::time::Duration;

/// Sound of our own making on its way to one leg.
#[derive(Debug)]
pub(super) struct Player {
    what: What,
    at_ms: u32,
    /// When the next packet leaves.
    pub(super) due: Mono,
    since: Mono,
    begun: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Prompt { sound: SoundId, repeat: bool },
    Music(SoundId),
    Tone(Tone),
}

impl Player {
    /// For the sources that are sounds; the first packet leaves at `due`.
    pub(super) fn of(source: &Source, now: Mono, due: Mono) -> Option<Player> {
        let what = match source {
            Source::Prompt { sound, repeat, .. } => What::Prompt { sound: *sound, repeat: *repeat },
            Source::Music(sound) => What::Music(*sound),
            Source::Tone(tone) => What::Tone(*tone),
            Source::Nothing | Source::Leg(_) | Source::Echo => return None,
        };
        Some(Player { what, at_ms: 0, due, since: now, begun: false })
    }

    /// A prompt that has not begun waits this long for a leg that nobody knows how to reach (R16).
    pub(super) fn waits(&self, now: Mono) -> bool {
        let prompt = matches!(self.what, What::Prompt { .. });
        prompt && !self.begun && now.since(self.since) < Duration::from_secs(1)
    }

    /// Goes on by the clock after a time without ticks; whether there was one.
    pub(super) fn catch_up(&mut self, now: Mono) -> bool {
        if !std::mem::replace(&mut self.begun, true) {
            // Ordered between two ticks: the first packet is not followed by another at once.
            self.due = self.due.max(now);
        }
        let late = now.since(self.due);
        if late <= STALL {
            return false;
        }
        // In whole packets of Opus, so that the place stays one where a packet begins.
        let missed_ms = u32::try_from(late.as_millis() / 20 * 20).unwrap_or(0);
        self.at_ms = self.at_ms.saturating_add(missed_ms);
        self.due = self.due + Duration::from_millis(u64::from(missed_ms));
        true
    }

    /// Appends the payload that is due and returns its length in ms; `None` at the end of the sound.
    pub(super) fn next(&mut self, sounds: &Sounds, voice: Voice, ms: u32, out: &mut Vec<u8>) -> Option<u32> {
        let (track, looped) = match self.what {
            What::Prompt { sound, repeat } => (sounds.sound(sound)?, repeat),
            What::Music(sound) => (sounds.sound(sound)?, true),
            What::Tone(tone) => (sounds.tone(tone)?, true),
        };
        let length = track.length_ms();
        if let What::Music(_) = self.what {
            // By the clock alone: all who listen hear the same place.
            self.at_ms = (self.due.0 / 1000 % u64::from(length.max(1))) as u32;
        }
        if looped {
            self.at_ms %= length.max(1);
        }
        if self.at_ms >= length {
            return None;
        }
        let ms = track.cut(voice, self.at_ms, ms, looped, out).max(1);
        self.at_ms += ms;
        self.due = self.due + Duration::from_millis(u64::from(ms));
        Some(ms)
    }
}
