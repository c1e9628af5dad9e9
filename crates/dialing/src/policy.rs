//! What an office decides: its stricter rules, its order, its holidays, and which numbers are emergencies.

use crate::holidays::Calendar;
use crate::law::{self, Laxer, Limits, Profile, Stricter};
use crate::limits;
use crate::number::Number;
use crate::places::Region;
use crate::task::Purpose;
use std::collections::BTreeMap;
use std::fmt;

/// By what tasks that are due are put in order; what is left equal goes by the name of the task, which is the order in
/// which they came (S3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKey {
    /// The higher priority first (S3.7).
    Priority,
    /// The slot that ends sooner first (S3.8).
    Slot,
    /// By the rank that another field gives (S3.9).
    Rank,
}

/// Tells whether a number is one of emergency: it never enters.
pub type IsEmergency = Box<dyn Fn(Number) -> bool + Send + Sync>;

/// What an office decides.
pub struct Policy {
    rules: [[Limits; 2]; 6],
    own: [Stricter; 6],
    pub(crate) order: Vec<OrderKey>,
    pub(crate) at_once: u16,
    pub(crate) owner_at_once: u16,
    pub(crate) jitter: bool,
    pub(crate) holidays: BTreeMap<Region, Calendar>,
    pub(crate) is_emergency: IsEmergency,
}

impl Policy {
    /// The law and nothing else, apart from distances by outcome; and these numbers of emergency.
    #[must_use]
    pub fn new(is_emergency: IsEmergency) -> Policy {
        let law = |profile| [Purpose::Personal, Purpose::Business].map(|purpose| *law::of(profile, purpose));
        Policy {
            rules: Profile::ALL.map(law),
            own: Profile::ALL.map(|profile| match profile {
                // Inside nobody waits for a clock when he can be called the moment he is free.
                Profile::Office => Stricter::nothing(),
                _ => Stricter::default(),
            }),
            order: vec![OrderKey::Priority, OrderKey::Slot],
            at_once: 100,
            owner_at_once: 8,
            jitter: true,
            holidays: BTreeMap::new(),
            is_emergency,
        }
    }

    /// Sets the office's own rules under one profile.
    ///
    /// # Errors
    /// The first limit that would be laxer than the law; nothing is changed then.
    pub fn set(&mut self, profile: Profile, own: Stricter) -> Result<(), Laxer> {
        let personal = own.tighten(profile, law::of(profile, Purpose::Personal))?;
        // Business has tighter budgets: what is set for both may be above them, and theirs hold.
        let business = law::of(profile, Purpose::Business);
        let tighter = Limits {
            gaps: personal.gaps,
            per_task: personal.per_task.min(business.per_task),
            per_day: personal.per_day.min(business.per_day),
            per_24_hours: personal.per_24_hours.min(business.per_24_hours),
            ring: personal.ring.max(business.ring),
            ..*business
        };
        self.rules[profile as usize] = [personal, tighter];
        self.own[profile as usize] = own;
        Ok(())
    }

    /// The order of tasks that are due; keys that come twice or are more than three are left out.
    pub fn set_order(&mut self, keys: &[OrderKey]) {
        self.order.clear();
        for key in keys {
            if self.order.len() < 3 && !self.order.contains(key) {
                self.order.push(*key);
            }
        }
    }

    /// Attempts in flight at once in all, and of one owner who has not said how many; zero stops all dialling.
    pub fn set_at_once(&mut self, all: u16, of_one_owner: u16) {
        self.at_once = all.min(limits::IN_FLIGHT);
        self.owner_at_once = of_one_owner;
    }

    /// Whether attempts that are due together are spread over half a minute.
    pub fn set_jitter(&mut self, on: bool) {
        self.jitter = on;
    }

    /// The holidays of a region; the office's own under [`Region::OFFICE`].
    pub fn set_holidays(&mut self, region: Region, calendar: Calendar) {
        self.holidays.insert(region, calendar);
    }

    /// All that binds a call of this purpose under this profile.
    #[must_use]
    pub fn limits(&self, profile: Profile, purpose: Purpose) -> &Limits {
        &self.rules[profile as usize][purpose as usize]
    }

    pub(crate) fn own(&self, profile: Profile) -> &Stricter {
        &self.own[profile as usize]
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("at_once", &self.at_once)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_rules_tighten_both_purposes_and_loosen_none() {
        let mut policy = Policy::new(Box::new(|_| false));
        let own = Stricter { per_24_hours: Some(5), ..Stricter::default() };
        policy.set(Profile::China, own).expect("stricter");
        assert_eq!(policy.limits(Profile::China, Purpose::Personal).per_24_hours, 5);
        assert_eq!(policy.limits(Profile::China, Purpose::Business).per_24_hours, 3);
        let laxer = Stricter { per_24_hours: Some(12), ..Stricter::default() };
        assert!(policy.set(Profile::China, laxer).is_err());
        assert_eq!(policy.limits(Profile::China, Purpose::Personal).per_24_hours, 5);
    }

    #[test]
    fn each_profile_has_its_own_place() {
        let policy = Policy::new(Box::new(|_| false));
        for profile in Profile::ALL {
            for purpose in [Purpose::Personal, Purpose::Business] {
                assert_eq!(policy.limits(profile, purpose), law::of(profile, purpose), "{profile:?}");
            }
        }
    }
}
