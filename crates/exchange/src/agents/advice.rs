//! What wrap-ups really take, measured, and the interval that it proposes. Nothing is applied by itself.

use crate::exchange::Exchange;
use clock::Now;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Wrap-ups of one agent that are remembered.
const KEPT: usize = 64;
/// So many have to be known before anything is proposed.
const LEAST: usize = 10;
/// Proposals are whole multiples of so many seconds.
const STEP: u64 = 5;

/// What one agent's wrap-ups took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// The account.
    pub account: Box<str>,
    /// Wrap-ups that were measured.
    pub measured: usize,
    /// Those that were ended early, by hand.
    pub early: usize,
    /// Those that were made longer.
    pub longer: usize,
    /// The interval that the last of them had.
    pub interval: Duration,
    /// Nine of ten were over by then; none before there is enough to say so.
    pub proposed: Option<Duration>,
}

/// One wrap-up.
#[derive(Clone, Copy, Debug)]
struct Sample {
    interval: Duration,
    took: Duration,
    longer: bool,
}

/// What was measured, in memory alone.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    of: BTreeMap<Box<str>, VecDeque<Sample>>,
}

impl Measured {
    fn note(&mut self, account: &str, sample: Sample) {
        let samples = self.of.entry(account.into()).or_default();
        if samples.len() >= KEPT {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    /// Somebody left the office.
    pub(super) fn forget(&mut self, account: &str) {
        self.of.remove(account);
    }

    /// What there is to say of each.
    pub(super) fn advice(&self) -> Vec<Advice> {
        self.of.iter().map(|(account, samples)| advice_of(account, samples)).collect()
    }
}

fn advice_of(account: &str, samples: &VecDeque<Sample>) -> Advice {
    let mut took: Vec<Duration> = samples.iter().map(|sample| sample.took).collect();
    took.sort_unstable();
    let nine_of_ten = took.get((took.len() * 9).div_ceil(10).saturating_sub(1)).copied();
    let whole = |took: Duration| took.as_secs() + u64::from(took.subsec_nanos() > 0);
    let stepped = |took| Duration::from_secs(whole(took).div_ceil(STEP).max(1) * STEP);
    Advice {
        account: account.into(),
        measured: samples.len(),
        early: samples.iter().filter(|sample| sample.took < sample.interval).count(),
        longer: samples.iter().filter(|sample| sample.longer).count(),
        interval: samples.back().map(|sample| sample.interval).unwrap_or_default(),
        proposed: nine_of_ten.filter(|_| samples.len() >= LEAST).map(stepped),
    }
}

impl Exchange {
    /// A wrap-up ends now, if one runs and is over or is ended by hand.
    pub(super) fn measure_wrap_up(&mut self, now: Now, account: &str) {
        let Some(wrap_up) = self.agents.agent(account).and_then(|agent| agent.wrap_up.clone()) else {
            return;
        };
        let hand = self.agents.agent(account).is_some_and(|agent| agent.state == super::AgentState::WrapUp);
        if hand || wrap_up.ends <= now.mono {
            let took = now.mono.min(wrap_up.ends).since(wrap_up.began);
            let longer = wrap_up.extensions > 0;
            self.agents.measured.note(account, Sample { interval: wrap_up.interval, took, longer });
        }
    }

    /// Somebody left the office.
    pub(crate) fn forget_agent(&mut self, now: Now, account: &str) {
        self.sign_agent_out(now, account, "agents.left");
        self.agents.measured.forget(account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_of_ten_decide_and_few_say_nothing() {
        let seconds = Duration::from_secs;
        let mut measured = Measured::default();
        let sample = |took| Sample { interval: seconds(60), took: seconds(took), longer: false };
        (1..=9).for_each(|took| measured.note("ada", sample(took)));
        assert_eq!(measured.advice()[0].proposed, None);
        measured.note("ada", sample(58));
        let advice = measured.advice().remove(0);
        assert_eq!((advice.measured, advice.early, advice.proposed), (10, 10, Some(seconds(10))));
        (0..200).for_each(|_| measured.note("ada", sample(21)));
        let advice = measured.advice().remove(0);
        assert_eq!((advice.measured, advice.proposed), (KEPT, Some(seconds(25))));
    }
}
