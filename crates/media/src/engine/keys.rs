//! Key presses (RFC 4733): each one that comes is told once, each one that goes is made anew (R2).
//!
//! ```text
//! coming   timestamp 800: 20 ms, 40 ms, 60 ms, end, end, end        one press
//! going    first (marker) -- 20 ms -- 20 ms -- end -- 10 ms -- end -- 10 ms -- end, then 50 ms of rest
//! ```

use super::outgoing::Outgoing;
use super::ticks;
use clock::Mono;
use std::collections::VecDeque;
use std::time::Duration;
use wire::rtp::Header;
use wire::telephone_event::{EVENT_LEN, Event};

/// Presses that wait for a leg at most; further ones are lost, as on a keyboard.
const WAITING_MAX: usize = 32;
/// Between two reports of one press.
const REPORT_MS: u32 = 20;
/// Between two presses, so that the remote tells them apart.
const REST: Duration = Duration::from_millis(50);
/// RFC 4733 2.5.1.4.
const ENDS: u8 = 3;
/// A press of which nothing more comes for so long is up.
const LOST_AFTER: Duration = Duration::from_millis(200);

/// A press that came to its end: code, how long in ms.
pub(super) type Up = (u8, u32);

/// What a packet said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// An earlier press whose end was lost.
    pub(super) before: Option<Up>,
    /// A press that began, with its volume.
    pub(super) down: Option<(u8, u8)>,
    /// A press that ended.
    pub(super) up: Option<Up>,
}

/// The presses that come from one leg.
#[derive(Debug, Default)]
pub(super) struct KeysIn {
    pressed: Option<Pressed>,
    /// The stream and timestamp of the last press that is over.
    over: Option<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
struct Pressed {
    code: u8,
    ssrc: u32,
    timestamp: u32,
    /// In ticks; of earlier segments, and of this one.
    before: u32,
    duration: u32,
    rate: u32,
    at: Mono,
}

impl KeysIn {
    /// Takes an event whose clock runs at `rate`.
    pub(super) fn take(&mut self, now: Mono, header: &Header, event: Event, rate: u32) -> Heard {
        let mut heard = Heard::default();
        if self.is_over(header) {
            return heard;
        }
        match &mut self.pressed {
            Some(pressed) if pressed.is_same(header, event) => {
                pressed.duration = pressed.duration.max(u32::from(event.duration));
                pressed.at = now;
            }
            Some(pressed) if pressed.is_next_segment(header, event) => {
                pressed.before += pressed.duration;
                (pressed.timestamp, pressed.duration) = (header.timestamp, u32::from(event.duration));
                pressed.at = now;
            }
            // A straggler of the press before this one.
            Some(pressed) if pressed.is_older(header) => return heard,
            _ => {
                heard.before = self.lift();
                heard.down = Some((event.code, event.volume));
                self.pressed = Some(Pressed {
                    code: event.code,
                    ssrc: header.ssrc,
                    timestamp: header.timestamp,
                    before: 0,
                    duration: u32::from(event.duration),
                    rate,
                    at: now,
                });
            }
        }
        if event.end {
            heard.up = self.lift();
        }
        heard
    }

    /// The press whose end was lost, if nothing came of it for a while.
    pub(super) fn expire(&mut self, now: Mono) -> Option<Up> {
        let expired = self.pressed.is_some_and(|pressed| now.since(pressed.at) >= LOST_AFTER);
        if expired { self.lift() } else { None }
    }

    pub(super) fn is_pressed(&self) -> bool {
        self.pressed.is_some()
    }

    /// The end is sent three times, and packets overtake each other.
    fn is_over(&self, header: &Header) -> bool {
        self.over.is_some_and(|(ssrc, timestamp)| {
            let ahead = header.timestamp.wrapping_sub(timestamp).cast_signed();
            // Two seconds of a 48 kHz clock; further back it is another timeline.
            ssrc == header.ssrc && (-96_000..=0).contains(&ahead)
        })
    }

    fn lift(&mut self) -> Option<Up> {
        let pressed = self.pressed.take()?;
        self.over = Some((pressed.ssrc, pressed.timestamp));
        Some((pressed.code, ticks::to_ms(pressed.before + pressed.duration, pressed.rate) as u32))
    }
}

impl Pressed {
    fn is_same(&self, header: &Header, event: Event) -> bool {
        (self.ssrc, self.timestamp, self.code) == (header.ssrc, header.timestamp, event.code)
    }

    /// A press that outlasts the duration field goes on with a new timestamp (RFC 4733 2.5.1.3).
    fn is_next_segment(&self, header: &Header, event: Event) -> bool {
        let step = header.timestamp.wrapping_sub(self.timestamp);
        let full = self.duration > 0xf000 && step >= self.duration && step <= 0xffff + 4800;
        full && (self.ssrc, self.code) == (header.ssrc, event.code) && !header.marker
    }

    fn is_older(&self, header: &Header) -> bool {
        self.ssrc == header.ssrc
            && (-96_000..0).contains(&header.timestamp.wrapping_sub(self.timestamp).cast_signed())
    }
}

/// The presses that go to one leg.
#[derive(Debug, Default)]
pub(super) struct KeysOut {
    waiting: VecDeque<Key>,
    pressed: Option<Press>,
    rest_until: Mono,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    code: u8,
    volume: u8,
    /// How long it is down; `None` while nobody knows.
    hold_ms: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    key: Key,
    first: Header,
    duration_ms: u32,
    due: Mono,
    ends: u8,
}

impl KeysOut {
    /// Presses a key for `hold_ms`, or until [`KeysOut::let_go`].
    pub(super) fn press(&mut self, code: u8, volume: u8, hold_ms: Option<u32>) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back(Key { code, volume, hold_ms });
        }
    }

    /// Whoever held keys down was holding them for so long.
    pub(super) fn let_go(&mut self, held_ms: u32) {
        let pressed = self.pressed.as_mut().map(|press| &mut press.key);
        for key in pressed.into_iter().chain(&mut self.waiting) {
            key.hold_ms.get_or_insert(held_ms);
        }
    }

    /// Sound has to be silent now.
    pub(super) fn is_sending(&self) -> bool {
        self.pressed.is_some()
    }

    /// Ticks are wanted.
    pub(super) fn is_busy(&self) -> bool {
        self.pressed.is_some() || !self.waiting.is_empty()
    }

    /// There is no way to send key presses to this leg.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.pressed = None;
    }

    /// The packet that is due.
    pub(super) fn step(
        &mut self,
        now: Mono,
        outgoing: &mut Outgoing,
        number: u8,
        rate: u32,
    ) -> Option<(Header, [u8; EVENT_LEN])> {
        let Some(press) = &mut self.pressed else { return self.begin(now, outgoing, number, rate) };
        if press.due > now + super::HALF_TICK {
            return None;
        }
        let longest = u32::from(u16::MAX) * 1000 / rate.max(1);
        let wished = press.key.hold_ms.unwrap_or(u32::MAX).min(longest);
        let end = press.ends > 0 || wished <= press.duration_ms + REPORT_MS;
        if press.ends == 0 {
            press.duration_ms =
                if end { wished.max(press.duration_ms) } else { press.duration_ms + REPORT_MS };
        }
        press.due = now + Duration::from_millis(if end { 10 } else { u64::from(REPORT_MS) });
        press.ends += u8::from(end);
        let duration = ticks::of_ms(press.duration_ms, rate);
        let header = outgoing.continue_event(now, &press.first, duration, EVENT_LEN);
        let event = press.key.event(end, duration);
        if press.ends == ENDS {
            self.pressed = None;
            self.rest_until = now + REST;
        }
        Some((header, event))
    }

    fn begin(
        &mut self,
        now: Mono,
        outgoing: &mut Outgoing,
        number: u8,
        rate: u32,
    ) -> Option<(Header, [u8; EVENT_LEN])> {
        if now < self.rest_until {
            return None;
        }
        let key = self.waiting.pop_front()?;
        let first = outgoing.begin_event(now, number, EVENT_LEN);
        let due = now + Duration::from_millis(u64::from(REPORT_MS));
        self.pressed = Some(Press { key, first, duration_ms: REPORT_MS, due, ends: 0 });
        Some((first, key.event(false, ticks::of_ms(REPORT_MS, rate))))
    }
}

impl Key {
    fn event(&self, end: bool, duration: u32) -> [u8; EVENT_LEN] {
        let duration = u16::try_from(duration).unwrap_or(u16::MAX);
        Event { code: self.code, end, volume: self.volume, duration }.to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(timestamp: u32) -> Header {
        Header { timestamp, ssrc: 1, ..Header::default() }
    }

    fn event(code: u8, duration: u16, end: bool) -> Event {
        Event { code, end, volume: 10, duration }
    }

    #[test]
    fn a_press_is_told_once() {
        let mut keys = KeysIn::default();
        let mut take = |at: u64, ts, event| keys.take(Mono(at * 1000), &header(ts), event, 8000);
        assert_eq!(take(0, 800, event(5, 160, false)).down, Some((5, 10)));
        assert_eq!(take(20, 800, event(5, 320, false)), Heard::default());
        assert_eq!(take(40, 800, event(5, 480, true)).up, Some((5, 60)));
        assert_eq!(take(50, 800, event(5, 480, true)), Heard::default());
        assert_eq!(take(60, 800, event(5, 320, false)), Heard::default(), "overtaken");
        // The same key again, only one end of it arrives; then one whose end is lost.
        let heard = take(200, 2400, event(5, 400, true));
        assert_eq!((heard.down, heard.up), (Some((5, 10)), Some((5, 50))));
        take(400, 4000, event(6, 160, false));
        let heard = take(600, 5600, event(7, 160, false));
        assert_eq!((heard.before, heard.down), (Some((6, 20)), Some((7, 10))));
        assert_eq!(keys.expire(Mono(700_000)), None);
        assert_eq!(keys.expire(Mono(800_000)), Some((7, 20)));
        assert_eq!(keys.take(Mono(810_000), &header(5600), event(7, 480, true), 8000), Heard::default());
    }

    #[test]
    fn a_long_press_in_segments_is_one() {
        let mut keys = KeysIn::default();
        keys.take(Mono(0), &header(0), event(1, 0xffff, false), 8000);
        assert_eq!(keys.take(Mono(0), &header(0xffff), event(1, 160, false), 8000), Heard::default());
        let up = keys.take(Mono(0), &header(0xffff), event(1, 320, true), 8000).up;
        assert_eq!(up, Some((1, 8231)));
    }
}
