//! What an office demands beyond the law.

use super::{Gaps, Limits, Profile};
use crate::cause::Outcome;
use crate::window::Hours;
use std::fmt;

/// An office's own rules for one profile; what is not said stays as the law has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stricter {
    /// Seconds after an attempt that came to this; the distances of the law hold as well.
    pub after: Vec<(Outcome, u32)>,
    /// Seconds between two attempts, whatever they came to.
    pub gaps: Option<Gaps>,
    /// Attempts of one task.
    pub per_task: Option<u16>,
    /// Attempts at one number in one day of the callee.
    pub per_day: Option<u16>,
    /// Attempts at one number in any 24 hours.
    pub per_24_hours: Option<u16>,
    /// Hours that must be open beside those of the law.
    pub hours: Hours,
    /// Seconds that a phone rings before we give up.
    pub ring: Option<u16>,
}

impl Default for Stricter {
    /// Each outcome has a distance of its own: who talks is free soon, who is switched off is not.
    fn default() -> Stricter {
        Stricter {
            after: vec![
                (Outcome::Busy, 2 * 60),
                (Outcome::NoAnswer, 15 * 60),
                (Outcome::Off, 30 * 60),
                (Outcome::Unreachable, 15 * 60),
                (Outcome::Suspended, 6 * 60 * 60),
                (Outcome::Vacant, 60 * 60),
                (Outcome::Network, 2 * 60),
                (Outcome::Lost, 2 * 60),
            ],
            gaps: None,
            per_task: None,
            per_day: None,
            per_24_hours: None,
            hours: Hours::ALWAYS,
            ring: None,
        }
    }
}

/// A limit that an office may tighten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Seconds between two attempts.
    Gap,
    /// Attempts of one task.
    PerTask,
    /// Attempts in one day of the callee.
    PerDay,
    /// Attempts in any 24 hours.
    Per24Hours,
    /// Seconds of ringing.
    Ring,
}

/// An office asked for more than the law allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Laxer {
    /// Under this profile.
    pub profile: Profile,
    /// What.
    pub limit: Limit,
    /// What the law has.
    pub law: u32,
    /// What was asked for.
    pub asked: u32,
}

impl Stricter {
    /// Nothing beyond the law.
    #[must_use]
    pub fn nothing() -> Stricter {
        Stricter { after: Vec::new(), ..Stricter::default() }
    }

    /// The limits of the law, tightened.
    ///
    /// # Errors
    /// The first limit that would be laxer than the law.
    pub fn tighten(&self, profile: Profile, law: &Limits) -> Result<Limits, Laxer> {
        let least = |limit, law: u32, asked: u32| {
            if asked < law { Err(Laxer { profile, limit, law, asked }) } else { Ok(asked) }
        };
        let most = |limit, law: u16, asked: Option<u16>| match asked {
            Some(asked) if asked > law => Err(Laxer { profile, limit, law: law.into(), asked: asked.into() }),
            Some(asked) => Ok(asked),
            None => Ok(law),
        };
        let gaps = match self.gaps {
            None => law.gaps,
            Some(gaps) => Gaps {
                first: least(Limit::Gap, law.gaps.first, gaps.first)?,
                next: least(Limit::Gap, law.gaps.next, gaps.next)?,
                late: least(Limit::Gap, law.gaps.late, gaps.late)?,
            },
        };
        let ring = match self.ring {
            Some(asked) => {
                least(Limit::Ring, law.ring.into(), asked.into())?;
                asked
            }
            None => law.ring,
        };
        Ok(Limits {
            gaps,
            per_task: most(Limit::PerTask, law.per_task, self.per_task)?,
            per_day: most(Limit::PerDay, law.per_day, self.per_day)?,
            per_24_hours: most(Limit::Per24Hours, law.per_24_hours, self.per_24_hours)?,
            ring,
            ..*law
        })
    }

    /// Seconds after an attempt that came to this.
    pub(crate) fn after(&self, outcome: Outcome) -> u32 {
        self.after.iter().find(|(known, _)| *known == outcome).map_or(0, |(_, seconds)| *seconds)
    }
}

impl fmt::Display for Laxer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Laxer { profile, law, asked, .. } = self;
        let (what, bound) = match self.limit {
            Limit::Gap => ("seconds between two attempts", "at least"),
            Limit::PerTask => ("attempts of one task", "at most"),
            Limit::PerDay => ("attempts in one day", "at most"),
            Limit::Per24Hours => ("attempts in 24 hours", "at most"),
            Limit::Ring => ("seconds of ringing", "at least"),
        };
        write!(f, "{asked} {what}: the profile {} wants {bound} {law}", profile.name())
    }
}

impl std::error::Error for Laxer {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::of;
    use crate::task::Purpose;

    #[test]
    fn an_office_may_be_stricter_and_never_laxer() {
        let law = of(Profile::Gsm, Purpose::Personal);
        let tightened = |own: Stricter| own.tighten(Profile::Gsm, law);
        let none = Stricter::nothing();
        assert_eq!(tightened(none.clone()), Ok(*law));
        let tight = Stricter { per_task: Some(3), per_day: Some(2), ring: Some(40), ..none.clone() };
        let tight = tightened(tight).expect("stricter");
        assert_eq!((tight.per_task, tight.per_day, tight.ring, tight.per_24_hours), (3, 2, 40, 11));
        let gap = |first| Some(Gaps { first, ..law.gaps });
        for (own, limit, bound, asked) in [
            (Stricter { per_task: Some(12), ..none.clone() }, Limit::PerTask, 11, 12),
            (Stricter { per_day: Some(12), ..none.clone() }, Limit::PerDay, 11, 12),
            (Stricter { per_24_hours: Some(99), ..none.clone() }, Limit::Per24Hours, 11, 99),
            (Stricter { ring: Some(14), ..none.clone() }, Limit::Ring, 15, 14),
            (Stricter { gaps: gap(4), ..none.clone() }, Limit::Gap, 5, 4),
        ] {
            assert_eq!(tightened(own), Err(Laxer { profile: Profile::Gsm, limit, law: bound, asked }));
        }
        assert!(tightened(Stricter { gaps: gap(6), ..none }).is_ok());
    }

    #[test]
    fn what_is_too_lax_is_told_in_words() {
        let laxer = Laxer { profile: Profile::China, limit: Limit::PerDay, law: 3, asked: 4 };
        assert_eq!(laxer.to_string(), "4 attempts in one day: the profile china wants at most 3");
    }
}
