//! One thing that is wrong: what, where, and what to do about it.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// The exchange would not start, or would not do what it is there for.
    Error,
    /// It would run, and somebody should look.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) weight: Weight,
    /// `FILE:LINE`, a file, a folder, or nothing when it is of the machine.
    pub(crate) place: String,
    pub(crate) what: String,
    /// What to do.
    pub(crate) advice: String,
}

impl Finding {
    pub(crate) fn error(place: String, what: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { weight: Weight::Error, place, what: what.into(), advice: advice.into() }
    }

    pub(crate) fn warning(place: String, what: impl Into<String>, advice: impl Into<String>) -> Finding {
        Finding { weight: Weight::Warning, ..Finding::error(place, what, advice) }
    }
}

/// `error: FILE:LINE: WHAT`, and on a line of its own what to do.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
        };
        write!(f, "{weight}: ")?;
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        write!(f, "{}\n    do: {}", self.what, self.advice)
    }
}

/// The first error, for those who refuse the whole because of it: one line.
pub(crate) fn refusal(findings: &[Finding]) -> Option<String> {
    let first = findings.iter().find(|finding| finding.weight == Weight::Error)?;
    let place = if first.place.is_empty() { String::new() } else { format!("{}: ", first.place) };
    Some(format!("{place}{}; {}", first.what, first.advice))
}
