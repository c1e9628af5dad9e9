//! RTCP of one leg: what we report, and what the remote reported (RFC 3550 section 6). It ends here (R2).

use super::incoming::Incoming;
use super::outgoing::Outgoing;
use super::ticks;
use clock::Mono;
use std::time::Duration;
use wire::rtcp::{self, Compound, Packet, ReportBlock, SenderInfo};

/// Before the random factor of 0.5 to 1.5 (RFC 3550 6.2).
const INTERVAL_US: u64 = 5_000_000;

/// The RTCP state of one leg.
#[derive(Debug)]
pub(super) struct Reports {
    next_at: Mono,
    /// Spreads the reports of many legs; seeded by the SSRC, which is random.
    spread: u32,
    packets_reported: u64,
    /// The remote's last sender report: the middle of its NTP time, and when it came.
    last_sender_report: Option<(u32, Mono)>,
    pub(super) remote: Remote,
}

/// What the remote said of our stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Remote {
    pub(super) loss: Option<f32>,
    pub(super) jitter_ms: Option<f32>,
    pub(super) round_trip_ms: Option<f32>,
    /// Two reports in a row without a new packet of ours, although we sent.
    pub(super) hears_nothing: bool,
    extended_highest: Option<u32>,
    packets_then: u64,
}

impl Reports {
    pub(super) fn new(now: Mono, ssrc: u32) -> Reports {
        let mut reports = Reports {
            next_at: now,
            spread: ssrc | 1,
            packets_reported: 0,
            last_sender_report: None,
            remote: Remote::default(),
        };
        reports.schedule(now);
        reports
    }

    fn schedule(&mut self, now: Mono) {
        // xorshift: half to one and a half intervals.
        self.spread ^= self.spread << 13;
        self.spread ^= self.spread >> 17;
        self.spread ^= self.spread << 5;
        let wait = INTERVAL_US / 2 + u64::from(self.spread) % INTERVAL_US;
        self.next_at = now + Duration::from_micros(wait);
    }

    pub(super) fn is_due(&self, now: Mono) -> bool {
        now >= self.next_at
    }

    /// Writes the compound that is due: SR when we sent since the last one, else RR; then the CNAME.
    pub(super) fn write(
        &mut self,
        now: Mono,
        incoming: &mut Incoming,
        outgoing: &Outgoing,
        cname: &str,
        out: &mut Vec<u8>,
    ) {
        let block = incoming.interval().map(|interval| ReportBlock {
            ssrc: incoming.ssrc,
            fraction_lost: interval.fraction_lost,
            cumulative_lost: interval.cumulative_lost,
            extended_highest_sequence: interval.extended_highest,
            jitter: interval.jitter,
            last_sender_report: self.last_sender_report.map_or(0, |(middle, _)| middle),
            delay_since_last_sender_report: self
                .last_sender_report
                .map_or(0, |(_, at)| ticks::between(at, now, 65_536)),
        });
        let blocks = block.as_slice();
        if outgoing.packets > self.packets_reported {
            let info = SenderInfo {
                ntp: ntp(now),
                rtp_timestamp: outgoing.timestamp_at(now),
                packets: outgoing.packets as u32,
                octets: outgoing.octets as u32,
            };
            rtcp::write_sender_report(out, outgoing.ssrc, &info, blocks);
        } else {
            rtcp::write_receiver_report(out, outgoing.ssrc, blocks);
        }
        rtcp::write_cname(out, outgoing.ssrc, cname);
        self.packets_reported = outgoing.packets;
        self.schedule(now);
    }

    /// Takes a datagram of the remote; whether it was RTCP at all.
    pub(super) fn read(&mut self, now: Mono, datagram: &[u8], outgoing: &Outgoing) -> bool {
        let Ok(compound) = Compound::parse(datagram) else { return false };
        for packet in compound.packets() {
            let blocks = match packet {
                Packet::SenderReport { info, blocks, .. } => {
                    self.last_sender_report = Some((info.ntp_middle(), now));
                    blocks
                }
                Packet::ReceiverReport { blocks, .. } => blocks,
                Packet::Description { .. } | Packet::Goodbye { .. } | Packet::Other { .. } => continue,
            };
            if let Some(block) = blocks.iter().find(|block| block.ssrc == outgoing.ssrc) {
                self.remote.take(now, &block, outgoing);
            }
        }
        true
    }
}

impl Remote {
    /// What a report said that was read elsewhere.
    pub(super) fn told(
        &mut self,
        loss: f32,
        jitter_ticks: u32,
        round_trip: Option<Duration>,
        outgoing: &Outgoing,
    ) {
        self.loss = Some(loss.clamp(0.0, 1.0));
        self.jitter_ms = Some(ticks::to_ms(jitter_ticks, outgoing.rate));
        self.round_trip_ms = round_trip.map(|trip| trip.as_secs_f32() * 1000.0).or(self.round_trip_ms);
    }

    fn take(&mut self, now: Mono, block: &ReportBlock, outgoing: &Outgoing) {
        self.loss = Some(f32::from(block.fraction_lost) / 256.0);
        self.jitter_ms = Some(ticks::to_ms(block.jitter, outgoing.rate));
        if block.last_sender_report != 0 {
            // RFC 3550 6.4.1: A - LSR - DLSR, in 1/65536 s. A clock of theirs that runs wild is not believed.
            let arrival = (ntp(now) >> 16) as u32;
            let trip = arrival
                .wrapping_sub(block.last_sender_report)
                .wrapping_sub(block.delay_since_last_sender_report);
            if trip < 60 << 16 {
                self.round_trip_ms = Some(trip as f32 * 1000.0 / 65_536.0);
            }
        }
        let sent_since = outgoing.packets.saturating_sub(self.packets_then);
        let stuck = self.extended_highest == Some(block.extended_highest_sequence);
        // Fewer than ten packets may all be on their way, or be one key press.
        self.hears_nothing = stuck && sent_since >= 10;
        self.extended_highest = Some(block.extended_highest_sequence);
        self.packets_then = outgoing.packets;
    }
}

/// NTP format of our own monotonic clock: a sender without a time of day may count from any start
/// (RFC 3550 6.4.1).
fn ntp(now: Mono) -> u64 {
    let seconds = now.0 / 1_000_000;
    let fraction = ((now.0 % 1_000_000) << 32) / 1_000_000;
    seconds << 32 | fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::StreamIdentity;
    use wire::rtp::Header;

    fn ms(milliseconds: u64) -> Mono {
        Mono(milliseconds * 1000)
    }

    fn end(ssrc: u32) -> (Reports, Incoming, Outgoing) {
        let identity = StreamIdentity { ssrc, first_sequence: 1, first_timestamp: 0, cname: "c".into() };
        (Reports::new(ms(0), ssrc), Incoming::new(ms(0)), Outgoing::new(&identity, ms(0)))
    }

    fn write(end: &mut (Reports, Incoming, Outgoing), at: Mono) -> Vec<u8> {
        let mut bytes = Vec::new();
        end.0.write(at, &mut end.1, &end.2, "c", &mut bytes);
        bytes
    }

    #[test]
    fn two_ends_measure_their_round_trip() {
        let (mut left, mut right) = (end(1), end(2));
        for n in 0..50_u16 {
            let header = left.2.own(ms(u64::from(n) * 20), 0, 160, 160);
            // The right end loses every tenth packet.
            if n % 10 != 5 {
                right.1.count(ms(u64::from(n) * 20 + 30), &header, 8000);
            }
        }
        let report = write(&mut left, ms(1000));
        assert!(right.0.read(ms(1030), &report, &right.2));
        let report = write(&mut right, ms(1500));
        assert_eq!(report[1], 201, "the right end sends nothing, so it writes a receiver report");
        assert!(left.0.read(ms(1530), &report, &left.2));
        let remote = left.0.remote;
        assert!((remote.round_trip_ms.unwrap() - 60.0).abs() < 1.0, "{remote:?}");
        assert!((remote.loss.unwrap() - 0.1).abs() < 0.01, "{remote:?}");
    }

    #[test]
    fn a_remote_that_hears_nothing_is_noticed() {
        let (mut left, mut right) = (end(1), end(2));
        right.1.count(ms(0), &Header { ssrc: 1, sequence: 1, ..Header::default() }, 8000);
        for round in 1..4_u64 {
            for n in 0..250 {
                left.2.own(ms(round * 5000 + n * 20), 0, 160, 160);
            }
            let report = write(&mut right, ms(round * 5000));
            left.0.read(ms(round * 5000), &report, &left.2);
            assert_eq!(left.0.remote.hears_nothing, round > 1);
        }
    }

    #[test]
    fn reports_are_spread() {
        let mut reports = end(0xdead_beef).0;
        for _ in 0..100 {
            let before = reports.next_at;
            reports.schedule(before);
            let wait = reports.next_at.since(before).as_secs_f32();
            assert!((2.5..7.5).contains(&wait));
        }
    }

    #[test]
    fn ntp_counts_seconds_and_fractions() {
        assert_eq!(ntp(Mono(1_500_000)), 1 << 32 | 1 << 31);
    }
}
