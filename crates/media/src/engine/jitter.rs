//! Puts the packets of a source in order before they are decoded: bounded, by sequence number.
//!
//! ```text
//!            next                 highest
//!  ... gone | 41  42  --  44  45  46 |                 a hole with something behind it was lost;
//!                                                      nothing at all behind `next` may only be late
//! ```

use clock::Mono;
use std::time::Duration;

/// How many packets are kept; a larger jump begins anew.
const SLOTS: u16 = 16;
/// Longer payloads are no speech.
const PAYLOAD_MAX: usize = 1500;
/// What a slot has room for from the beginning: 40 ms of G.711.
const ROOM: usize = 320;

/// The packets of one source that were not heard yet.
#[derive(Debug)]
pub(super) struct JitterBuffer {
    slots: Box<[Slot]>,
    ssrc: u32,
    next: u16,
    highest: u16,
    state: State,
}

/// What one packet brought.
#[derive(Debug)]
pub(super) struct Slot {
    content: Content,
    /// Its payload number.
    pub(super) number: u8,
    /// Its payload.
    pub(super) payload: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Nothing,
    Sound,
    /// A number of the sequence that carries no sound, as a key press does.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// Waits until enough is there, since when.
    Filling(Mono),
    Playing,
}

/// What is next.
#[derive(Debug)]
pub(super) enum Next<'a> {
    /// Sound.
    Sound(&'a Slot),
    /// Nothing to hear, go on.
    Other,
    /// Lost, and what follows it if that is here.
    Lost(Option<&'a Slot>),
    /// Nothing is here; perhaps it is late.
    Dry,
}

impl JitterBuffer {
    pub(super) fn new() -> JitterBuffer {
        let slot = |_| Slot { content: Content::Nothing, number: 0, payload: Vec::with_capacity(ROOM) };
        JitterBuffer {
            slots: (0..SLOTS).map(slot).collect(),
            ssrc: 0,
            next: 0,
            highest: 0,
            state: State::Idle,
        }
    }

    /// Takes a packet; `payload` is `None` when it carries no sound.
    pub(super) fn put(&mut self, now: Mono, ssrc: u32, sequence: u16, number: u8, payload: Option<&[u8]>) {
        if payload.is_some_and(|payload| payload.len() > PAYLOAD_MAX) {
            return;
        }
        let ahead = sequence.wrapping_sub(self.next).cast_signed();
        let span = self.highest.wrapping_sub(sequence).cast_signed();
        let first = match self.state {
            State::Idle => true,
            _ if ssrc != self.ssrc => true,
            // Nothing was heard yet, so one that was overtaken may still come first.
            State::Filling(_) if ahead < 0 && span < SLOTS.cast_signed() => {
                self.next = sequence;
                false
            }
            _ => !(-SLOTS.cast_signed() * 4..SLOTS.cast_signed()).contains(&ahead),
        };
        if first {
            if payload.is_none() {
                return;
            }
            self.stop();
            (self.ssrc, self.next, self.highest) = (ssrc, sequence, sequence);
            self.state = State::Filling(now);
        } else if sequence.wrapping_sub(self.next).cast_signed() < 0 {
            return;
        }
        if sequence.wrapping_sub(self.highest).cast_signed() > 0 {
            self.highest = sequence;
        }
        let slot = &mut self.slots[usize::from(sequence % SLOTS)];
        slot.payload.clear();
        slot.payload.extend_from_slice(payload.unwrap_or(&[]));
        slot.number = number;
        slot.content = if payload.is_some() { Content::Sound } else { Content::Other };
    }

    /// Whether sound is due, which begins once the first packet has waited for `delay`.
    pub(super) fn begin(&mut self, now: Mono, delay: Duration) -> bool {
        if let State::Filling(since) = self.state
            && now.since(since) >= delay
        {
            self.state = State::Playing;
        }
        self.is_playing()
    }

    pub(super) fn is_playing(&self) -> bool {
        self.state == State::Playing
    }

    pub(super) fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// How many packets lie ahead, those that are missing among them.
    pub(super) fn held(&self) -> u16 {
        let ahead = self.highest.wrapping_sub(self.next).cast_signed();
        if self.is_idle() { 0 } else { (ahead + 1).max(0).cast_unsigned() }
    }

    /// Moves on by one packet, unless there is none.
    pub(super) fn take(&mut self) -> Next<'_> {
        if self.held() == 0 {
            return Next::Dry;
        }
        let index = usize::from(self.next % SLOTS);
        self.next = self.next.wrapping_add(1);
        match std::mem::replace(&mut self.slots[index].content, Content::Nothing) {
            Content::Sound => Next::Sound(&self.slots[index]),
            Content::Other => Next::Other,
            Content::Nothing => {
                let following = &self.slots[usize::from(self.next % SLOTS)];
                Next::Lost(Some(following).filter(|slot| slot.content == Content::Sound))
            }
        }
    }

    /// Forgets everything.
    pub(super) fn stop(&mut self) {
        self.state = State::Idle;
        for slot in &mut self.slots {
            slot.content = Content::Nothing;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(sequences: &[u16]) -> JitterBuffer {
        let mut buffer = JitterBuffer::new();
        for &sequence in sequences {
            buffer.put(Mono(0), 1, sequence, 0, Some(&[sequence as u8]));
        }
        assert!(!buffer.begin(Mono(19_000), Duration::from_millis(20)));
        assert!(buffer.begin(Mono(20_000), Duration::from_millis(20)));
        buffer
    }

    /// `s` sound and its octet, `l` lost, `L` lost with its follower here, `o` other, `.` dry.
    fn drain(buffer: &mut JitterBuffer) -> String {
        let mut text = String::new();
        loop {
            match buffer.take() {
                Next::Sound(slot) => text += &format!("s{} ", slot.payload[0]),
                Next::Other => text += "o ",
                Next::Lost(None) => text += "l ",
                Next::Lost(Some(_)) => text += "L ",
                Next::Dry => return text + ".",
            }
        }
    }

    #[test]
    fn order_is_restored_and_holes_are_seen() {
        assert_eq!(drain(&mut buffer(&[1, 3, 2, 3, 4])), "s1 s2 s3 s4 .");
        assert_eq!(drain(&mut buffer(&[2, 1, 3])), "s1 s2 s3 .", "overtaken at the very beginning");
        assert_eq!(drain(&mut buffer(&[65_535, 2])), "s255 l L s2 .");
        let mut late = buffer(&[1, 3]);
        assert_eq!(drain(&mut late), "s1 L s3 .");
        late.put(Mono(0), 1, 2, 0, Some(&[2]));
        assert_eq!(drain(&mut late), ".", "too late");
    }

    #[test]
    fn jumps_and_new_sources_begin_anew_and_nothing_grows() {
        let mut buffer = buffer(&[1, 2]);
        buffer.put(Mono(0), 1, 400, 0, Some(&[9]));
        assert!(!buffer.is_playing());
        assert_eq!(buffer.held(), 1);
        buffer.put(Mono(0), 2, 5, 0, Some(&[5]));
        buffer.put(Mono(0), 2, 6, 0, None);
        assert_eq!(drain(&mut buffer), "s5 o .");
        for sequence in 0..2000_u16 {
            buffer.put(Mono(0), 2, sequence.wrapping_mul(7919), 0, Some(&[0]));
            assert!(buffer.held() <= SLOTS, "{}", buffer.held());
        }
    }
}
