//! What a leg receives: numbering, loss and jitter (RFC 3550 A.1, A.3, A.8).

use super::ticks;
use clock::Mono;
use wire::rtp::Header;

/// Larger jumps forward are a restart (RFC 3550 A.1).
pub(super) const DROPOUT_MAX: i16 = 3000;
/// Larger jumps back are a restart (RFC 3550 A.1).
pub(super) const MISORDER_MAX: i16 = 100;

/// The reception state of one leg; it outlives changes of the remote's SSRC.
#[derive(Debug)]
pub(super) struct Incoming {
    /// Time zero of the arrival clock.
    start: Mono,
    pub(super) ssrc: u32,
    started: bool,
    base: u32,
    wraps: u32,
    highest: u16,
    /// Of this numbering; the totals below keep what went before.
    received: u64,
    pub(super) received_before: u64,
    lost_before: u64,
    expected_prior: u64,
    received_prior: u64,
    transit: u32,
    rate: u32,
    /// Times 16, as RFC 3550 A.8 keeps it.
    jitter_scaled: u32,
    pub(super) last_at: Mono,
}

/// The figures of one report interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) fraction_lost: u8,
    pub(super) cumulative_lost: i32,
    pub(super) extended_highest: u32,
    pub(super) jitter: u32,
}

impl Incoming {
    pub(super) fn new(now: Mono) -> Incoming {
        Incoming {
            start: now,
            ssrc: 0,
            started: false,
            base: 0,
            wraps: 0,
            highest: 0,
            received: 0,
            received_before: 0,
            lost_before: 0,
            expected_prior: 0,
            received_prior: 0,
            transit: 0,
            rate: 0,
            jitter_scaled: 0,
            last_at: now,
        }
    }

    /// Counts a valid packet. `rate` is its RTP clock, 0 for packets that say nothing about jitter (key
    /// presses repeat their timestamp).
    #[inline]
    pub(super) fn count(&mut self, now: Mono, header: &Header, rate: u32) {
        self.last_at = now;
        if !self.started || header.ssrc != self.ssrc {
            self.restart(header);
        } else {
            let ahead = header.sequence.wrapping_sub(self.highest).cast_signed();
            if ahead > 0 && ahead < DROPOUT_MAX {
                if header.sequence < self.highest {
                    self.wraps = self.wraps.wrapping_add(1 << 16);
                }
                self.highest = header.sequence;
            } else if !(-MISORDER_MAX..DROPOUT_MAX).contains(&ahead) {
                self.restart(header);
            }
            // Else late or duplicate: counted, numbering unmoved.
        }
        self.received += 1;
        if rate != 0 {
            self.measure(now, header.timestamp, rate);
        }
    }

    fn restart(&mut self, header: &Header) {
        self.lost_before += self.lost_of_numbering();
        self.received_before += self.received;
        self.ssrc = header.ssrc;
        self.started = true;
        self.base = u32::from(header.sequence);
        self.highest = header.sequence;
        self.wraps = 0;
        self.received = 0;
        self.expected_prior = 0;
        self.received_prior = 0;
        self.rate = 0;
    }

    /// `J(i) = J(i-1) + (|D(i-1,i)| - J(i-1))/16`
    #[inline]
    fn measure(&mut self, now: Mono, timestamp: u32, rate: u32) {
        let transit = ticks::between(self.start, now, rate).wrapping_sub(timestamp);
        let known = self.rate == rate;
        let distance = transit.wrapping_sub(self.transit).cast_signed().unsigned_abs();
        self.transit = transit;
        self.rate = rate;
        // A jump of over a second is another clock of the sender (hold, transfer), not the network.
        if known && distance < rate {
            let settled = (self.jitter_scaled + 8) >> 4;
            self.jitter_scaled = self.jitter_scaled + distance - settled.min(self.jitter_scaled);
        }
    }

    fn expected(&self) -> u64 {
        if self.started { u64::from(self.extended_highest().wrapping_sub(self.base)) + 1 } else { 0 }
    }

    fn extended_highest(&self) -> u32 {
        self.wraps.wrapping_add(u32::from(self.highest))
    }

    fn lost_of_numbering(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    /// Valid packets since the leg began.
    pub(super) fn total_received(&self) -> u64 {
        self.received_before + self.received
    }

    /// Missing packets since the leg began.
    pub(super) fn total_lost(&self) -> u64 {
        self.lost_before + self.lost_of_numbering()
    }

    /// In milliseconds.
    pub(super) fn jitter_ms(&self) -> f32 {
        ticks::to_ms(self.jitter_scaled >> 4, self.rate)
    }

    /// The figures since the last call, for a report block (RFC 3550 A.3).
    pub(super) fn interval(&mut self) -> Option<Interval> {
        if !self.started {
            return None;
        }
        let expected = self.expected();
        let expected_now = expected.saturating_sub(self.expected_prior);
        let received_now = self.received.saturating_sub(self.received_prior);
        (self.expected_prior, self.received_prior) = (expected, self.received);
        let lost_now = expected_now.saturating_sub(received_now);
        let fraction = (lost_now << 8).checked_div(expected_now).unwrap_or(0);
        let lost =
            i64::try_from(expected).unwrap_or(i64::MAX) - i64::try_from(self.received).unwrap_or(i64::MAX);
        Some(Interval {
            fraction_lost: u8::try_from(fraction).unwrap_or(255),
            cumulative_lost: i32::try_from(lost.clamp(-0x80_0000, 0x7f_ffff)).unwrap_or(0),
            extended_highest: self.extended_highest(),
            jitter: self.jitter_scaled >> 4,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn run(packets: &[(u64, u16, u32)]) -> Incoming {
        let mut incoming = Incoming::new(Mono(0));
        for &(at_ms, sequence, timestamp) in packets {
            let header = Header { sequence, timestamp, ssrc: 5, ..Header::default() };
            incoming.count(Mono(0) + Duration::from_millis(at_ms), &header, 8000);
        }
        incoming
    }

    #[test]
    fn loss_over_the_wrap() {
        let mut incoming = run(&[(0, 65_533, 0), (20, 65_534, 160), (60, 0, 480), (80, 1, 640)]);
        assert_eq!((incoming.total_received(), incoming.total_lost()), (4, 1));
        let interval = incoming.interval().unwrap();
        assert_eq!(interval.extended_highest, 65_537);
        assert_eq!((interval.fraction_lost, interval.cumulative_lost), (51, 1));
        assert_eq!(incoming.interval().unwrap().fraction_lost, 0, "nothing since");
    }

    #[test]
    fn late_and_duplicate_packets_are_no_loss() {
        let incoming = run(&[(0, 10, 0), (20, 12, 320), (25, 11, 160), (40, 12, 320), (60, 13, 480)]);
        assert_eq!((incoming.total_received(), incoming.total_lost()), (5, 0));
    }

    #[test]
    fn a_restart_of_the_numbering_is_no_loss() {
        let incoming = run(&[(0, 10, 0), (20, 11, 160), (40, 40_000, 9_000_000), (60, 40_001, 9_000_160)]);
        assert_eq!((incoming.total_received(), incoming.total_lost()), (4, 0));
        assert!(incoming.jitter_ms() < 1.0);
    }

    #[test]
    fn jitter_of_an_alternating_delay_settles_at_it() {
        // Every second packet comes 8 ms late: |D| is 8 ms each time.
        let packets: Vec<_> =
            (0..400_u16).map(|n| (u64::from(n) * 20 + u64::from(n % 2) * 8, n, u32::from(n) * 160)).collect();
        let jitter = run(&packets).jitter_ms();
        assert!((jitter - 8.0).abs() < 0.3, "{jitter}");
    }
}
