//! The legal profiles, with their sources.

use super::{Gaps, Limits, Profile, Renewal};
use crate::task::Purpose;
use crate::window::{CLOSED, Day, Hours, Span, one};

const MINUTE: u32 = 60;
const DAY: u32 = 86_400;

/// 3GPP TS 22.001 annex E: first repetition after 5 s, the next after a minute, from the fifth after three; at most ten
/// repetitions of what is busy or temporary, one of what is permanent, then the number is blocked.
const GSM: Limits = Limits {
    gaps: Gaps { first: 5, next: MINUTE, late: 3 * MINUTE },
    sequence: 11,
    permanent: 2,
    renewal: Renewal::AfterDay,
    per_task: 11,
    per_day: 11,
    per_24_hours: 11,
    hours: EVENINGS,
    ring: 15,
    consent: false,
    after_abandoned: DAY,
};

/// Nobody is rung out of bed by a machine: practice where no law says more.
const EVENINGS: Hours = daily(8, 21);

const fn daily(from: u16, to: u16) -> Hours {
    let day = one(Span::hours(from, to));
    Hours::daily(day, day)
}

/// Inside we see who is busy, so waiting is ours to set; the distances stay those of the standard.
const OFFICE: Limits = Limits {
    gaps: GSM.gaps,
    sequence: 60,
    permanent: 60,
    renewal: Renewal::AfterDay,
    per_task: 30,
    per_day: 60,
    per_24_hours: 60,
    hours: Hours::ALWAYS,
    ring: 10,
    consent: false,
    after_abandoned: 0,
};

/// AS/CA S002:2010 5.3.5.5: 5 s off line between attempts, fifteen with the first, and the sequence is not re-initiated to
/// the same number.
const AUSTRALIA: Limits =
    Limits { sequence: 15, per_task: 15, per_day: 15, per_24_hours: 15, renewal: Renewal::ByPerson, ..GSM };

/// Telemarketing and Research Calls Industry Standard 2017: not before 9, not after 20 on weekdays and 17 on Saturdays, not
/// on Sundays and national holidays.
const AUSTRALIA_BUSINESS: Limits = Limits {
    hours: Hours { week: week(span(9, 20), span(9, 17), CLOSED), holiday: CLOSED },
    consent: true,
    per_day: 3,
    per_24_hours: 3,
    ..AUSTRALIA
};

/// 47 CFR 64.1200(c)(1): 8 to 21 by the clock of the called person. Ring for 15 s or four times (16 CFR 310.4(b)(4)).
/// Three calls in 24 hours is the strictest law of a state (Florida 501.616).
const UNITED_STATES_BUSINESS: Limits =
    Limits { hours: EVENINGS, consent: true, per_day: 3, per_24_hours: 3, ..GSM };

/// Ofcom, persistent misuse: ring for 15 s; a number that met silence is left alone for 72 hours. The hours are practice.
const UNITED_KINGDOM: Limits = Limits { after_abandoned: 3 * DAY, ..GSM };

const UNITED_KINGDOM_BUSINESS: Limits = Limits {
    hours: Hours { week: week(span(8, 21), span(9, 21), span(9, 21)), holiday: span(9, 21) },
    consent: true,
    per_day: 3,
    per_24_hours: 3,
    ..UNITED_KINGDOM
};

const CHINA: Limits = Limits { hours: daily(8, 22), ..GSM };

/// MIIT: no commercial call without consent and its evidence; outbound hours regulated, hours of rest avoided.
const CHINA_BUSINESS: Limits = Limits {
    hours: Hours::daily([Span::hours(9, 12), Span::hours(14, 20), CLOSED[0]], CLOSED),
    consent: true,
    per_day: 3,
    per_24_hours: 3,
    ..GSM
};

const fn span(from: u16, to: u16) -> Day {
    one(Span::hours(from, to))
}

const fn week(weekday: Day, saturday: Day, sunday: Day) -> [Day; 7] {
    [weekday, weekday, weekday, weekday, weekday, saturday, sunday]
}

/// What binds a call of this purpose under this profile.
pub(crate) const fn of(profile: Profile, purpose: Purpose) -> &'static Limits {
    match (profile, purpose) {
        (Profile::Office, _) => &OFFICE,
        (Profile::Gsm, _) | (Profile::UnitedStates, Purpose::Personal) => &GSM,
        (Profile::Australia, Purpose::Personal) => &AUSTRALIA,
        (Profile::Australia, Purpose::Business) => &AUSTRALIA_BUSINESS,
        (Profile::UnitedStates, Purpose::Business) => &UNITED_STATES_BUSINESS,
        (Profile::UnitedKingdom, Purpose::Personal) => &UNITED_KINGDOM,
        (Profile::UnitedKingdom, Purpose::Business) => &UNITED_KINGDOM_BUSINESS,
        (Profile::China, Purpose::Personal) => &CHINA,
        (Profile::China, Purpose::Business) => &CHINA_BUSINESS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Category;

    #[test]
    fn the_standard_of_repeated_calls_is_kept_by_each_profile_outside() {
        for profile in Profile::ALL.into_iter().filter(|profile| *profile != Profile::Office) {
            for purpose in [Purpose::Personal, Purpose::Business] {
                let limits = of(profile, purpose);
                assert!(limits.gap(Category::Busy, 1) >= 5, "{profile:?}");
                assert!((2..5).all(|nth| limits.gap(Category::Temporary, nth) >= 60), "{profile:?}");
                assert!((5..20).all(|nth| limits.gap(Category::Temporary, nth) >= 180), "{profile:?}");
                assert!(limits.gap(Category::Permanent, 1) >= 180 && limits.permanent == 2, "{profile:?}");
                let most = if profile == Profile::Australia { 15 } else { 11 };
                assert_eq!((limits.sequence, limits.per_task), (most, most), "{profile:?}");
                assert!(limits.per_day <= limits.per_24_hours && limits.ring >= 15, "{profile:?}");
                assert_ne!(limits.hours, Hours::ALWAYS, "{profile:?}");
                assert_eq!(limits.consent, purpose == Purpose::Business && profile != Profile::Gsm);
            }
        }
    }

    #[test]
    fn a_region_has_its_profile() {
        use crate::number::Number;
        use crate::places::Places;
        let places = Places::new("Asia/Shanghai").expect("bundled");
        for (number, profile) in [
            ("+8613812345678", Profile::China),
            ("+12125550100", Profile::UnitedStates),
            ("+442079460000", Profile::UnitedKingdom),
            ("+61255501000", Profile::Australia),
            ("+4930123456", Profile::Gsm),
        ] {
            let number = Number::outside(number).expect("sound");
            assert_eq!(Profile::of(number, places.of(number).0), profile, "{number}");
        }
        let inside = Number::inside("2041").expect("sound");
        assert_eq!(Profile::of(inside, places.of(inside).0), Profile::Office);
    }
}
