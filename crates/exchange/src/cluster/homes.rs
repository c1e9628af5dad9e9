//! What one of several exchanges does alone for all that need not be the keeper: registering at trunks. Each of them has a home,
//! and these are spread over the exchanges that live; the store says which are ours, and for how long (R25).
//!
//! ```text
//! ours --> registered, refreshed --time is over, nobody says it again--> rests: registered until that ends by itself
//!            |
//!            '--another's now--> registered still --that one says that it is registered--> our contact is removed there
//! ```

use super::Member;
use crate::exchange::Exchange;
use clock::{Mono, Now};
use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::time::Duration;

/// The trunks whose home this exchange is.
#[derive(Debug, Default)]
pub(crate) struct Homes {
    trunks: BTreeSet<Box<str>>,
    /// Until when they are ours for sure, by our own clock.
    until: Mono,
}

/// Whose a trunk's registration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// It is ours alone.
    Ours,
    /// It may be another's soon: nothing is begun.
    Rests,
    /// It is another's, or nobody's yet.
    Anothers,
}

impl super::Cluster {
    /// Whose the registration at a trunk is; ours, where there are no others.
    pub(crate) fn home_of(&self, now: Mono, trunk: &str) -> Home {
        match self.place {
            None => Home::Ours,
            Some(_) if !self.homes.trunks.contains(trunk) => Home::Anothers,
            Some(_) if self.homes.until <= now => Home::Rests,
            Some(_) => Home::Ours,
        }
    }

    /// Who says that it is registered at a trunk, if it is one that can be reached.
    pub(crate) fn registered_by(&self, trunk: &str) -> Option<&str> {
        let mut others = self.members.values().filter(|member| member.reachable);
        let says =
            |number| self.standings.get(number).is_some_and(|standing| standing.registered.contains(trunk));
        others.find(|member| says(&member.number)).map(|member| &*member.name)
    }

    /// Whether another is there who can register in our place.
    fn has_heirs(&self) -> bool {
        let stops = |number: &NonZeroU8| self.standings.get(number).is_some_and(|standing| standing.draining);
        let heir = |(number, member): (&NonZeroU8, &Member)| member.reachable && !stops(number);
        self.place.is_some() && self.members.iter().any(heir)
    }
}

impl Exchange {
    /// These trunks are registered at by us alone, for so long.
    pub(super) fn homes_are(&mut self, now: Now, trunks: BTreeSet<Box<str>>, lasts: Duration) {
        let Homes { trunks: before, until } = &mut self.cluster.homes;
        *until = now.mono + lasts;
        let before = std::mem::replace(before, trunks);
        let changed: Vec<Box<str>> =
            before.symmetric_difference(&self.cluster.homes.trunks).cloned().collect();
        for trunk in changed {
            self.home_moved(now, &trunk);
        }
        self.leave_trunks(now);
    }

    /// Whether somebody who stops is waited for: its registrations stand until another has them.
    #[must_use]
    pub fn has_registrations_to_leave(&self) -> bool {
        self.cluster.has_heirs() && self.trunks.is_registered()
    }
}
