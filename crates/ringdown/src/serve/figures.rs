//! Figures that only the shell can count: what goes out, how late the core's turns are, how media fare, how long the
//! store takes. Counted without locks, read by whoever asks for `/metrics`.

use api::{Figure, Kind};
use media::Quality;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Responses that we sent, by the first digit of their status.
    responses: [AtomicU64; 7],
    lag: Histogram<8>,
    loss: Histogram<7>,
    jitter: Histogram<7>,
    mos: Histogram<7>,
    commit: Histogram<8>,
    /// Values that wait for the core; commits that wait for the store.
    mailbox: AtomicU64,
    commits_waiting: AtomicU64,
}

/// Seconds.
const LAG: [f64; 7] = [0.0005, 0.001, 0.0025, 0.005, 0.010, 0.025, 0.100];
/// Of one.
const LOSS: [f64; 6] = [0.0, 0.005, 0.01, 0.02, 0.05, 0.10];
/// Seconds.
const JITTER: [f64; 6] = [0.001, 0.005, 0.010, 0.020, 0.050, 0.100];
/// From 1 to 4.5; the higher, the better.
const MOS: [f64; 6] = [2.0, 2.6, 3.1, 3.6, 4.0, 4.3];
/// Seconds.
const COMMIT: [f64; 7] = [0.001, 0.002, 0.005, 0.010, 0.050, 0.250, 1.0];

/// Counts by upper bounds; the last counts the rest. The sum is in millionths.
#[derive(Debug)]
struct Histogram<const N: usize> {
    counts: [AtomicU64; N],
    sum: AtomicU64,
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Histogram<N> {
        Histogram { counts: std::array::from_fn(|_| AtomicU64::new(0)), sum: AtomicU64::new(0) }
    }
}

impl<const N: usize> Histogram<N> {
    fn observe(&self, bounds: &[f64], value: f64) {
        let place = bounds.iter().position(|bound| value <= *bound).unwrap_or(bounds.len());
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        // A float becomes an integer without wrapping; what is below nothing becomes nothing.
        self.sum.fetch_add((value * 1e6) as u64, Ordering::Relaxed);
    }

    fn read(&self, name: &'static str, help: &'static str, bounds: &[f64]) -> Figure {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let sum = self.sum.load(Ordering::Relaxed) as f64 / 1e6;
        Figure { name, help, kind: Kind::Histogram { bounds: bounds.to_vec(), counts, sum } }
    }
}

impl Figures {
    /// A message goes out.
    pub(crate) fn sent(&self, bytes: &[u8]) {
        if let Some(digit) = bytes.strip_prefix(b"SIP/2.0 ").and_then(|rest| rest.first()) {
            let class = usize::from(digit.wrapping_sub(b'0'));
            if let Some(count) = self.responses.get(class) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// A turn of the core was so late.
    pub(crate) fn turn(&self, lag: Duration) {
        self.lag.observe(&LAG, lag.as_secs_f64());
    }

    /// How a leg fares.
    pub(crate) fn media(&self, quality: &Quality) {
        let all = quality.received + quality.lost;
        if all == 0 {
            return;
        }
        self.loss.observe(&LOSS, quality.lost as f64 / all as f64);
        self.jitter.observe(&JITTER, f64::from(quality.jitter_ms) / 1e3);
        if let Some(mos) = quality.mos {
            self.mos.observe(&MOS, f64::from(mos));
        }
    }

    /// A commit was handed to the store.
    pub(crate) fn commit_begins(&self) {
        self.commits_waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// The store answered one after so long.
    pub(crate) fn commit_ends(&self, took: Duration) {
        self.commits_waiting.fetch_sub(1, Ordering::Relaxed);
        self.commit.observe(&COMMIT, took.as_secs_f64());
    }

    /// Values that one turn took from the core's mailbox.
    pub(crate) fn mailbox(&self, taken: u64) {
        self.mailbox.store(taken, Ordering::Relaxed);
    }

    /// All of them as they are now.
    pub(crate) fn read(&self) -> Vec<Figure> {
        let responses = (1..=6).filter_map(|class| {
            let count = self.responses.get(class)?.load(Ordering::Relaxed);
            Some((format!("{class}xx"), count as f64))
        });
        let gauge = |value: &AtomicU64| Kind::Gauge(value.load(Ordering::Relaxed) as f64);
        vec![
            Figure {
                name: "ringdown_sip_responses_total",
                help: "SIP responses sent, by class.",
                kind: Kind::Counters { label: "class", values: responses.collect() },
            },
            self.lag.read("ringdown_loop_lag_seconds", "How late a turn of the core was.", &LAG),
            self.loss.read(
                "ringdown_rtp_loss_ratio",
                "RTP packets that did not come, by report of a leg.",
                &LOSS,
            ),
            self.jitter.read("ringdown_rtp_jitter_seconds", "RTP jitter, by report of a leg.", &JITTER),
            self.mos.read("ringdown_rtp_mos", "Estimated listening quality, by report of a leg.", &MOS),
            self.commit.read("ringdown_store_commit_seconds", "From a change to its being stored.", &COMMIT),
            Figure {
                name: "ringdown_core_mailbox",
                help: "Values that the last turn of the core took from its mailbox.",
                kind: gauge(&self.mailbox),
            },
            Figure {
                name: "ringdown_store_commits_waiting",
                help: "Commits that wait for the store.",
                kind: gauge(&self.commits_waiting),
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_read() {
        let figures = Figures::default();
        for line in [&b"SIP/2.0 180 Ringing"[..], b"SIP/2.0 200 OK", b"INVITE sip:a@b SIP/2.0", b"SIP/2.0 x"]
        {
            figures.sent(line);
        }
        figures.media(&Quality { received: 99, lost: 1, mos: Some(4.1), ..Quality::default() });
        figures.turn(Duration::from_millis(3));
        let read = figures.read();
        let kind = |name: &str| read.iter().find(|one| one.name == name).map(|one| one.kind.clone()).unwrap();
        let Kind::Counters { values, .. } = kind("ringdown_sip_responses_total") else {
            panic!("no counters")
        };
        assert_eq!(values.iter().map(|(_, count)| *count).sum::<f64>(), 2.0);
        let Kind::Histogram { counts, .. } = kind("ringdown_rtp_mos") else { panic!("no histogram") };
        assert_eq!(counts, [0, 0, 0, 0, 0, 1, 0]);
        let Kind::Histogram { counts, sum, .. } = kind("ringdown_loop_lag_seconds") else { panic!("none") };
        assert_eq!((counts[3], sum), (1, 0.003));
    }
}
