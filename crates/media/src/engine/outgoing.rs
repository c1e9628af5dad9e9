//! One outgoing stream a leg, for life (R2): our SSRC, continuous numbers, monotonic time.
//!
//! ```text
//! source A   seq 100 101 102          \   relayed with fixed offsets, so loss and order stay visible
//! source B                 7   8   9   \
//! sent       seq  50  51  52  53  54  55   at a switch: the next number, marker,
//!             ts   0 160 320 640 800 960   time that went on by the clock (at least one packet)
//! ```

use super::incoming::{DROPOUT_MAX, MISORDER_MAX};
use super::ticks;
use crate::order::StreamIdentity;
use clock::Mono;
use std::time::Duration;
use wire::rtp::Header;

/// Stragglers of a replaced source are dropped this long, lest they be taken for another switch.
const STRAGGLERS: Duration = Duration::from_millis(200);
/// A timestamp that runs ahead of the wall by more than this is a new timeline of the source.
const LEAP_MAX_S: u32 = 2;

/// The outgoing stream of a leg.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) ssrc: u32,
    /// The highest that was sent, or one before the first.
    sequence: u16,
    /// Of the newest packet.
    timestamp: u32,
    /// The earliest timestamp of the next packet that continues no timeline.
    least: u32,
    /// An instant and its timestamp, from which the wall is followed.
    anchor: (Mono, u32),
    pub(super) sent_at: Mono,
    pub(super) rate: u32,
    pub(super) started: bool,
    pub(super) packets: u64,
    pub(super) octets: u64,
    timeline: Timeline,
}

/// What the next packet may continue.
#[derive(Debug)]
enum Timeline {
    /// Nothing: it begins anew.
    Broken,
    /// Packets of our own making.
    Own,
    /// Packets of a source.
    Relayed(Map),
}

#[derive(Debug)]
struct Map {
    ssrc: u32,
    /// Added to the source's.
    sequence_offset: u16,
    timestamp_offset: u32,
    /// The source's first number under this map; earlier ones would collide with what was sent before.
    base: u16,
    highest: u16,
    highest_timestamp: u32,
    highest_at: Mono,
    since: Mono,
    previous_ssrc: Option<u32>,
}

impl Outgoing {
    pub(super) fn new(identity: &StreamIdentity, now: Mono) -> Outgoing {
        Outgoing {
            ssrc: identity.ssrc,
            sequence: identity.first_sequence.wrapping_sub(1),
            timestamp: identity.first_timestamp,
            least: identity.first_timestamp,
            anchor: (now, identity.first_timestamp),
            sent_at: now,
            rate: 8000,
            started: false,
            packets: 0,
            octets: 0,
            timeline: Timeline::Broken,
        }
    }

    /// The source changed: whatever comes next begins a timeline.
    pub(super) fn switch(&mut self) {
        self.timeline = Timeline::Broken;
    }

    /// Another RTP clock from here on; the SSRC stays, so time goes on from where it is (RFC 7160 4.2).
    pub(super) fn set_rate(&mut self, now: Mono, rate: u32) {
        if rate == self.rate || rate == 0 {
            return;
        }
        if self.started {
            self.anchor = (now, self.timestamp_at(now));
        }
        self.rate = rate;
        self.timeline = Timeline::Broken;
    }

    /// The fixed fields of a source's packet as it leaves, or `None` when it may not leave.
    #[inline]
    pub(super) fn relay(
        &mut self,
        now: Mono,
        header: &Header,
        payload_type: u8,
        length: usize,
        ptime_ms: u16,
    ) -> Option<Header> {
        let marker = match self.follow(now, header) {
            Follow::Yes => header.marker,
            Follow::Drop => return None,
            Follow::Anew => {
                self.begin_map(now, header);
                true
            }
        };
        let Timeline::Relayed(map) = &self.timeline else { return None };
        let sequence = header.sequence.wrapping_add(map.sequence_offset);
        let timestamp = header.timestamp.wrapping_add(map.timestamp_offset);
        if sequence.wrapping_sub(self.sequence).cast_signed() > 0 {
            self.sequence = sequence;
            self.timestamp = timestamp;
            self.least = timestamp.wrapping_add(ticks::of_ms(u32::from(ptime_ms), self.rate));
        }
        self.count(now, length);
        Some(Header { marker, payload_type, sequence, timestamp, ssrc: self.ssrc })
    }

    #[inline]
    fn follow(&mut self, now: Mono, header: &Header) -> Follow {
        let rate = self.rate;
        let Timeline::Relayed(map) = &mut self.timeline else { return Follow::Anew };
        if map.ssrc != header.ssrc {
            let straggler = map.previous_ssrc == Some(header.ssrc) && now.since(map.since) < STRAGGLERS;
            return if straggler { Follow::Drop } else { Follow::Anew };
        }
        let ahead = header.sequence.wrapping_sub(map.highest).cast_signed();
        if ahead > 0 && ahead < DROPOUT_MAX {
            let step = header.timestamp.wrapping_sub(map.highest_timestamp);
            if step > LEAP_MAX_S * rate && leaps(step, ticks::between(map.highest_at, now, rate), rate) {
                return Follow::Anew;
            }
            map.highest = header.sequence;
            map.highest_timestamp = header.timestamp;
            map.highest_at = now;
            return Follow::Yes;
        }
        if !(-MISORDER_MAX..=0).contains(&ahead) {
            return Follow::Anew;
        }
        // Late or duplicate: it keeps its place, unless that place is before the switch.
        if header.sequence.wrapping_sub(map.base).cast_signed() < 0 { Follow::Drop } else { Follow::Yes }
    }

    fn begin_map(&mut self, now: Mono, header: &Header) {
        let (sequence, timestamp) = self.next(now);
        let previous_ssrc = match &self.timeline {
            Timeline::Relayed(map) if map.ssrc != header.ssrc => Some(map.ssrc),
            _ => None,
        };
        self.timeline = Timeline::Relayed(Map {
            ssrc: header.ssrc,
            sequence_offset: sequence.wrapping_sub(header.sequence),
            timestamp_offset: timestamp.wrapping_sub(header.timestamp),
            base: header.sequence,
            highest: header.sequence,
            highest_timestamp: header.timestamp,
            highest_at: now,
            since: now,
            previous_ssrc,
        });
    }

    /// The fixed fields of a packet of our own making that carries `ticks` of sound.
    pub(super) fn own(&mut self, now: Mono, payload_type: u8, ticks: u32, length: usize) -> Header {
        let continues = matches!(self.timeline, Timeline::Own);
        let (sequence, timestamp) =
            if continues { (self.sequence.wrapping_add(1), self.least) } else { self.next(now) };
        self.timeline = Timeline::Own;
        self.place(now, sequence, timestamp, ticks, length);
        Header { marker: !continues, payload_type, sequence, timestamp, ssrc: self.ssrc }
    }

    /// The first packet of a key press; its timestamp stands for the whole press.
    pub(super) fn begin_event(&mut self, now: Mono, payload_type: u8, length: usize) -> Header {
        let (sequence, timestamp) = self.next(now);
        self.timeline = Timeline::Broken;
        self.place(now, sequence, timestamp, 0, length);
        Header { marker: true, payload_type, sequence, timestamp, ssrc: self.ssrc }
    }

    /// A further packet of a key press that has lasted `duration` ticks.
    pub(super) fn continue_event(
        &mut self,
        now: Mono,
        first: &Header,
        duration: u32,
        length: usize,
    ) -> Header {
        let sequence = self.sequence.wrapping_add(1);
        self.timeline = Timeline::Broken;
        self.place(now, sequence, first.timestamp, duration, length);
        Header { marker: false, sequence, ..*first }
    }

    fn place(&mut self, now: Mono, sequence: u16, timestamp: u32, ticks: u32, length: usize) {
        self.sequence = sequence;
        self.timestamp = timestamp;
        self.least = timestamp.wrapping_add(ticks);
        self.count(now, length);
    }

    #[inline]
    fn count(&mut self, now: Mono, length: usize) {
        self.sent_at = now;
        self.packets += 1;
        self.octets += length as u64;
    }

    /// Number and time of a packet that continues nothing.
    fn next(&mut self, now: Mono) -> (u16, u32) {
        if !self.started {
            self.started = true;
            self.anchor = (now, self.timestamp);
            return (self.sequence.wrapping_add(1), self.timestamp);
        }
        let wall = self.anchor.1.wrapping_add(ticks::between(self.anchor.0, now, self.rate));
        let behind = wall.wrapping_sub(self.least).cast_signed() < 0;
        (self.sequence.wrapping_add(1), if behind { self.least } else { wall })
    }

    /// The stream's own time at an instant, for sender reports.
    pub(super) fn timestamp_at(&self, now: Mono) -> u32 {
        self.timestamp.wrapping_add(ticks::between(self.sent_at, now, self.rate))
    }
}

enum Follow {
    Yes,
    Anew,
    Drop,
}

/// Whether a step in time is no pause of the sender: backwards, or far ahead of the wall.
fn leaps(step: u32, elapsed: u32, rate: u32) -> bool {
    step.cast_signed() < 0 || step > elapsed.saturating_add(LEAP_MAX_S * rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing() -> Outgoing {
        let identity = StreamIdentity {
            ssrc: 1,
            first_sequence: 65_530,
            first_timestamp: u32::MAX - 300,
            cname: "x".into(),
        };
        Outgoing::new(&identity, Mono(0))
    }

    fn source(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { ssrc, sequence, timestamp, payload_type: 0, marker: false }
    }

    fn send(out: &mut Outgoing, at_ms: u64, header: Header) -> Option<(u16, u32, bool)> {
        let sent = out.relay(Mono(at_ms * 1000), &header, 8, 160, 20)?;
        assert_eq!((sent.ssrc, sent.payload_type), (1, 8));
        Some((sent.sequence.wrapping_sub(65_530), sent.timestamp.wrapping_add(301), sent.marker))
    }

    #[test]
    fn loss_order_and_duplicates_stay_visible() {
        let mut out = outgoing();
        let table = [
            (0, source(9, 65_535, 1000), Some((0, 0, true))),
            (20, source(9, 0, 1160), Some((1, 160, false))),
            (60, source(9, 2, 1480), Some((3, 480, false))),
            (61, source(9, 1, 1320), Some((2, 320, false))),
            (62, source(9, 2, 1480), Some((3, 480, false))),
            (80, source(9, 3, 1640), Some((4, 640, false))),
            // Before the first: its number belongs to nobody.
            (81, source(9, 65_534, 840), None),
        ];
        for (at, header, expected) in table {
            assert_eq!(send(&mut out, at, header), expected, "{at}");
        }
    }

    #[test]
    fn a_new_source_goes_on_where_the_old_one_stopped() {
        let mut out = outgoing();
        send(&mut out, 0, source(9, 100, 0));
        send(&mut out, 20, source(9, 101, 160));
        // The remote changed its SSRC; a straggler of the old one is dropped.
        assert_eq!(send(&mut out, 55, source(7, 5000, 77_777)), Some((2, 440, true)));
        assert_eq!(send(&mut out, 56, source(9, 102, 320)), None);
        assert_eq!(send(&mut out, 75, source(7, 5001, 77_937)), Some((3, 600, false)));
        // Packets of our own, then a source again, early: never less than a packet after the last.
        out.switch();
        let own = out.own(Mono(95_000), 8, 160, 160);
        assert_eq!(
            (own.sequence.wrapping_sub(65_530), own.timestamp.wrapping_add(301), own.marker),
            (4, 760, true)
        );
        let own = out.own(Mono(115_000), 8, 160, 160);
        assert_eq!((own.timestamp.wrapping_add(301), own.marker), (920, false));
        out.switch();
        assert_eq!(send(&mut out, 120, source(7, 9, 5)), Some((6, 1080, true)));
    }

    #[test]
    fn restarts_within_one_ssrc_are_smoothed() {
        let mut out = outgoing();
        send(&mut out, 0, source(9, 100, 50_000));
        let table = [
            // Number jumps, time jumps back, time leaps ahead: each begins anew, one number on.
            (20, source(9, 30_000, 50_160), Some((1, 160, true))),
            (40, source(9, 30_001, 10), Some((2, 320, true))),
            (60, source(9, 30_002, 90_000_000), Some((3, 480, true))),
            // A minute of silence whose time went on, and one whose time stood still, are none.
            (60_060, source(9, 30_003, 90_480_000), Some((4, 480_480, false))),
            (120_060, source(9, 30_004, 90_480_160), Some((5, 480_640, false))),
        ];
        for (at, header, expected) in table {
            assert_eq!(send(&mut out, at, header), expected, "{at}");
        }
    }

    #[test]
    fn key_presses_stand_between() {
        let mut out = outgoing();
        send(&mut out, 0, source(9, 100, 0));
        let first = out.begin_event(Mono(20_000), 101, 4);
        assert_eq!((first.timestamp.wrapping_add(301), first.marker), (160, true));
        let next = out.continue_event(Mono(40_000), &first, 320, 4);
        assert_eq!((next.timestamp, next.sequence.wrapping_sub(first.sequence)), (first.timestamp, 1));
        assert_eq!(send(&mut out, 41, source(9, 103, 328)), Some((3, 480, true)), "after the press");
    }

    #[test]
    fn another_clock_goes_on_in_time() {
        let mut out = outgoing();
        send(&mut out, 0, source(9, 100, 0));
        out.set_rate(Mono(20_000), 48_000);
        assert_eq!(send(&mut out, 20, source(9, 101, 0)), Some((1, 160, true)));
        assert_eq!(send(&mut out, 40, source(9, 102, 960)), Some((2, 1120, false)));
    }
}
