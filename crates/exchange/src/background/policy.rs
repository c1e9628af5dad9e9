//! What an office wants of background calls: `[background]` in the configuration.

use dialing::{Number, OrderKey, Places, Policy, Profile, Stricter};
use std::sync::LazyLock;
use std::time::Duration;

/// The zone of an office that does not say where it is.
const NOWHERE: &str = "UTC";

/// The policy; all of it but the zone can change while tasks wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackgroundPolicy {
    /// The office's own time zone, by its IANA name.
    pub zone: Box<str>,
    /// How long a task lives that says nothing itself.
    pub lives: Duration,
    /// How long somebody rings at least before an attempt is given up.
    pub rings: Duration,
    /// How long the one who answered first waits for the other.
    pub waits: Duration,
    /// Calls in a row without an answer before the exchange offers to keep calling; zero for never.
    pub suggest_after: u8,
    /// Attempts of one task; no more than the law allows whatever is set.
    pub attempts: Option<u16>,
}

impl Default for BackgroundPolicy {
    fn default() -> BackgroundPolicy {
        BackgroundPolicy {
            zone: NOWHERE.into(),
            lives: Duration::from_secs(8 * 3_600),
            rings: Duration::from_secs(25),
            waits: Duration::from_secs(20),
            suggest_after: 3,
            attempts: None,
        }
    }
}

impl BackgroundPolicy {
    /// Whether there is such a zone.
    #[must_use]
    pub fn knows_zone(zone: &str) -> bool {
        Places::new(zone).is_some()
    }

    pub(crate) fn places(&self) -> Places {
        // Reading the zones of the world takes a while; many simulated offices share them.
        static WORLD: LazyLock<Places> =
            LazyLock::new(|| Places::new(NOWHERE).expect("the zones come with the program"));
        let elsewhere = Some(&*self.zone).filter(|zone| *zone != NOWHERE).and_then(Places::new);
        elsewhere.unwrap_or_else(|| WORLD.clone())
    }

    /// The rules of the law, tightened by the office; numbers of emergency never enter.
    pub(crate) fn dialing(&self, emergency: Vec<Box<str>>) -> Policy {
        let is_emergency = move |number: Number| {
            let text = number.to_string();
            let bare = text.strip_prefix('+').unwrap_or(&text);
            emergency.iter().any(|known| **known == *bare || **known == *text)
        };
        let mut policy = Policy::new(Box::new(is_emergency));
        // Rows of a call list come in its order; what people want themselves has no rank.
        policy.set_order(&[OrderKey::Rank, OrderKey::Priority, OrderKey::Slot]);
        for profile in Profile::ALL {
            let law = policy.limits(profile, dialing::Purpose::Personal).per_task;
            let own = match profile {
                Profile::Office => Stricter::nothing(),
                _ => Stricter::default(),
            };
            let own = Stricter { per_task: self.attempts.map(|most| most.clamp(1, law)), ..own };
            // It was made no laxer than the law a line above.
            let _ = policy.set(profile, own);
        }
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dialing::Purpose;

    #[test]
    fn an_office_may_be_stricter_than_the_law_and_never_laxer() {
        let most = |attempts| {
            let policy = BackgroundPolicy { attempts, ..BackgroundPolicy::default() }.dialing(Vec::new());
            policy.limits(Profile::Gsm, Purpose::Personal).per_task
        };
        assert_eq!((most(None), most(Some(3)), most(Some(500)), most(Some(0))), (11, 3, 11, 1));
        assert!(
            BackgroundPolicy::knows_zone("Asia/Shanghai") && !BackgroundPolicy::knows_zone("Mars/Olympus")
        );
    }
}
