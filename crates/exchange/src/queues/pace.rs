//! How long somebody will wait, by how fast the queue moved lately; said only when enough was measured.
//!
//! ```text
//! nobody is free --> [ served ] [ served ] [ served ] --> nobody waits
//!                    each span is one step of the line; the expected wait is the mean step, times the place
//! ```
//! Only time counts in which somebody waits: a call that an agent takes at once says nothing of how fast a line moves.

use clock::Mono;
use media::Prompt;
use std::collections::VecDeque;
use std::time::Duration;

/// Steps that are remembered, and so many that enough is known.
const STEPS: usize = 10;
const ENOUGH: usize = 5;
/// What is older says nothing of now.
const FRESH: Duration = Duration::from_secs(3_600);

/// How fast a queue moves.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Since when the line waits for its next step.
    waits: Option<Mono>,
    /// When each step was made, and how long it took.
    steps: VecDeque<(Mono, Duration)>,
}

impl Pace {
    /// Nobody is free for somebody who waits.
    pub(super) fn waits(&mut self, now: Mono) {
        self.waits.get_or_insert(now);
    }

    /// Somebody who waited is served.
    pub(super) fn served(&mut self, now: Mono) {
        let Some(since) = self.waits.replace(now) else {
            self.waits = None;
            return;
        };
        if self.steps.len() >= STEPS {
            self.steps.pop_front();
        }
        self.steps.push_back((now, now.since(since)));
    }

    /// Nobody waits any more.
    pub(super) fn rests(&mut self) {
        self.waits = None;
    }

    /// How long whoever stands at a place will wait, if enough is known.
    pub(super) fn expected(&self, now: Mono, place: usize) -> Option<Duration> {
        let fresh = self.steps.iter().filter(|(at, _)| now.since(*at) < FRESH).map(|(_, step)| *step);
        let (count, sum) = fresh.fold((0, Duration::ZERO), |(count, sum), step| (count + 1, sum + step));
        if (count as usize) < ENOUGH {
            return None;
        }
        Some(sum.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX)) / count)
    }
}

/// A wait as it is said: rounded up, so that it is sooner over than promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Minutes {
    /// About so many.
    About(u8),
    /// More than the most that is said.
    More,
}

/// What is said, each with its prompt.
const SAID: [(u8, Prompt); 14] = [
    (1, Prompt::Minutes1),
    (2, Prompt::Minutes2),
    (3, Prompt::Minutes3),
    (4, Prompt::Minutes4),
    (5, Prompt::Minutes5),
    (6, Prompt::Minutes6),
    (7, Prompt::Minutes7),
    (8, Prompt::Minutes8),
    (9, Prompt::Minutes9),
    (10, Prompt::Minutes10),
    (15, Prompt::Minutes15),
    (20, Prompt::Minutes20),
    (25, Prompt::Minutes25),
    (30, Prompt::Minutes30),
];

impl Minutes {
    /// A wait, rounded up.
    pub(super) fn of(wait: Duration) -> Minutes {
        let fits = |(minutes, _): &&(u8, Prompt)| Duration::from_secs(u64::from(*minutes) * 60) >= wait;
        SAID.iter().find(fits).map_or(Minutes::More, |(minutes, _)| Minutes::About(*minutes))
    }

    /// In words: what leads to the time, and the time.
    pub(super) fn prompts(self) -> [Prompt; 2] {
        let prompt =
            |minutes: u8| SAID.iter().find(|(known, _)| *known == minutes).map(|(_, prompt)| *prompt);
        match self {
            Minutes::About(minutes) => [Prompt::ExpectedWait, prompt(minutes).unwrap_or(Prompt::Minutes30)],
            Minutes::More => [Prompt::WaitMoreThan, Prompt::Minutes30],
        }
    }

    /// What a caller hears who heard something before: never a longer time. When it has become longer nothing is said of
    /// it, rather than what was said before and is not so.
    pub(super) fn after(self, before: Option<Minutes>) -> Option<Minutes> {
        Some(self).filter(|now| before.is_none_or(|before| *now <= before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono(seconds * 1_000_000)
    }

    fn seconds(count: u64) -> Option<Duration> {
        Some(Duration::from_secs(count))
    }

    #[test]
    fn only_time_in_which_somebody_waits_counts_and_only_when_enough_is_known() {
        let mut pace = Pace::default();
        for second in 0..20 {
            pace.served(at(second));
        }
        assert_eq!(pace.expected(at(20), 1), None, "whoever is taken at once says nothing");
        pace.waits(at(100));
        pace.waits(at(130));
        for step in 1..=4 {
            pace.served(at(100 + 60 * step));
        }
        assert_eq!(pace.expected(at(340), 1), None, "four steps are not enough");
        pace.rests();
        pace.served(at(1_000));
        pace.waits(at(1_100));
        pace.served(at(1_160));
        assert_eq!((pace.expected(at(1_160), 1), pace.expected(at(1_160), 3)), (seconds(60), seconds(180)));
        pace.rests();
        assert_eq!(pace.expected(at(1_160 + 3_600), 1), None, "an hour later it is another day");
    }

    #[test]
    fn the_last_ten_steps_count() {
        let mut pace = Pace::default();
        pace.waits(at(0));
        for step in 1..=10 {
            pace.served(at(step * 60));
        }
        for step in 1..=10 {
            pace.served(at(600 + step * 30));
        }
        assert_eq!(pace.expected(at(900), 2), seconds(60));
    }

    #[test]
    fn a_wait_is_rounded_up_and_never_becomes_longer_for_who_heard_it() {
        let of = |seconds| Minutes::of(Duration::from_secs(seconds));
        let table = [(0, 1), (60, 1), (61, 2), (119, 2), (540, 9), (601, 15), (1_501, 30), (1_800, 30)];
        for (wait, minutes) in table {
            assert_eq!(of(wait), Minutes::About(minutes), "{wait}");
            assert_eq!(of(wait).prompts()[0], Prompt::ExpectedWait);
        }
        assert_eq!(
            (of(1_801), of(1_801).prompts()),
            (Minutes::More, [Prompt::WaitMoreThan, Prompt::Minutes30])
        );
        let five = Some(Minutes::About(5));
        assert_eq!(Minutes::About(5).after(None), five);
        assert_eq!(
            (Minutes::About(5).after(five), Minutes::About(4).after(five)),
            (five, Some(Minutes::About(4)))
        );
        assert_eq!((Minutes::About(6).after(five), Minutes::More.after(five)), (None, None));
        assert_eq!(Minutes::About(20).after(Some(Minutes::More)), Some(Minutes::About(20)));
    }
}
