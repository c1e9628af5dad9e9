//! How long a wrap-up is, and by which rule: the longest wins, and there is one timer for the agent (S0.12).

use std::fmt;
use std::time::Duration;

/// What kind of call an agent had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// A caller of this queue.
    Queue(Box<str>),
    /// Somebody called the person.
    Incoming,
    /// The person called somebody.
    Outgoing,
    /// A call at an outside telephone platform.
    Platform,
}

/// Whose interval it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The queue of the call.
    Queue(Box<str>),
    /// The person's own.
    Agent,
    /// That of the profile that the person signed in with.
    Profile,
    /// That of all calls of the kind.
    Kind,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            By::Queue(name) => write!(f, "queue {name}"),
            By::Agent => f.write_str("agent"),
            By::Profile => f.write_str("profile"),
            By::Kind => f.write_str("kind of call"),
        }
    }
}

/// The longest of some intervals; of two that are as long, the first.
pub(crate) fn longest(intervals: impl IntoIterator<Item = Option<(Duration, By)>>) -> Option<(Duration, By)> {
    let some = intervals.into_iter().flatten().filter(|(interval, _)| !interval.is_zero());
    some.reduce(|best, next| if next.0 > best.0 { next } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_interval_wins_and_says_whose_it_is() {
        let seconds = Duration::from_secs;
        let queue = || Some((seconds(30), By::Queue("Sales".into())));
        for (others, expected) in [
            (vec![None, None], "30 queue Sales"),
            (vec![Some((seconds(45), By::Agent)), None], "45 agent"),
            (vec![Some((seconds(30), By::Agent)), None], "30 queue Sales"),
            (vec![Some((seconds(45), By::Agent)), Some((seconds(60), By::Profile))], "60 profile"),
        ] {
            let (interval, by) = longest([queue()].into_iter().chain(others)).unwrap();
            assert_eq!(format!("{} {by}", interval.as_secs()), expected);
        }
        assert_eq!(longest([Some((Duration::ZERO, By::Kind)), None]), None);
    }
}
