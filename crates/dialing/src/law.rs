//! What the law and standards allow: how often, how far apart, at what time of day. An office may be stricter, never laxer.
//!
//! The figures are those that were found in the sources named beside them; they are no legal advice.

mod stricter;
mod table;

pub use stricter::{Laxer, Limit, Stricter};
pub(crate) use table::of;

use crate::cause::Category;
use crate::number::Number;
use crate::places::Region;
use crate::window::Hours;

/// Whose rules bind an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// Inside the office.
    Office,
    /// 3GPP TS 22.001 annex E, once GSM 02.07: where nothing stricter is known.
    Gsm,
    /// AS/CA S002 and the Australian standard of telemarketing hours.
    Australia,
    /// 47 CFR 64.1200, 16 CFR 310.4.
    UnitedStates,
    /// The persistent misuse policy of Ofcom.
    UnitedKingdom,
    /// The rules of MIIT on commercial calls.
    China,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Profile; 6] = [
        Profile::Office,
        Profile::Gsm,
        Profile::Australia,
        Profile::UnitedStates,
        Profile::UnitedKingdom,
        Profile::China,
    ];

    /// The profile of a number in a region.
    #[must_use]
    pub fn of(number: Number, region: Region) -> Profile {
        if number.is_inside() {
            return Profile::Office;
        }
        let of_region = [
            ("AU", Profile::Australia),
            ("US", Profile::UnitedStates),
            ("GB", Profile::UnitedKingdom),
            ("CN", Profile::China),
        ];
        let found = of_region.into_iter().find(|(code, _)| Region::new(code) == Some(region));
        found.map_or(Profile::Gsm, |(_, profile)| profile)
    }

    /// Its name in texts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Profile::Office => "office",
            Profile::Gsm => "gsm",
            Profile::Australia => "australia",
            Profile::UnitedStates => "united-states",
            Profile::UnitedKingdom => "united-kingdom",
            Profile::China => "china",
        }
    }
}

/// When a number whose sequence of attempts is over may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// When it was left alone for a day.
    AfterDay,
    /// When a person asks for it anew: the sequence is not re-initiated by itself.
    ByPerson,
}

/// Seconds between two attempts at one number, by how often it was tried without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gaps {
    /// After the first.
    pub first: u32,
    /// After the second to the fourth.
    pub next: u32,
    /// From the fifth repetition on.
    pub late: u32,
}

impl Gaps {
    /// The least distance after so many attempts without an answer.
    #[must_use]
    pub fn after(&self, attempts: u16) -> u32 {
        match attempts {
            0 => 0,
            1 => self.first,
            2..=4 => self.next,
            _ => self.late,
        }
    }
}

/// All that binds the attempts at one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Distances.
    pub gaps: Gaps,
    /// Attempts in a row without an answer.
    pub sequence: u16,
    /// Attempts in a row that met a permanent failure.
    pub permanent: u16,
    /// When such a row may begin anew.
    pub renewal: Renewal,
    /// Attempts of one task.
    pub per_task: u16,
    /// Attempts at one number in one day of the callee.
    pub per_day: u16,
    /// Attempts at one number in any 24 hours.
    pub per_24_hours: u16,
    /// By the callee's clock.
    pub hours: Hours,
    /// Seconds that a phone rings before we give up.
    pub ring: u16,
    /// Whether a basis for the call must be kept with the task.
    pub consent: bool,
    /// Seconds that a number is left alone after its owner answered and nobody was there.
    pub after_abandoned: u32,
}

impl Limits {
    /// The least distance after an attempt of this category.
    #[must_use]
    pub fn gap(&self, category: Category, attempts: u16) -> u32 {
        match category {
            Category::Busy | Category::Temporary => self.gaps.after(attempts),
            // A second look at what will not change has no hurry.
            Category::Permanent => self.gaps.after(attempts).max(self.gaps.late),
        }
    }
}
