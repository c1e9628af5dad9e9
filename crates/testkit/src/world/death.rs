//! The death of an exchange: at one event of a run it does nothing any more, and what is on its way to its store is either
//! kept or lost. The phones see nothing of it; later another exchange begins with what the store has.

use super::{Act, Happening, World};
use crate::check::every_checker;
use crate::observed::{Observed, OfficeId};
use exchange::{Change, Output};
use std::time::Duration;

/// When an exchange dies, and how.
#[derive(Clone, Copy, Debug)]
pub struct Death {
    /// Which exchange.
    pub office: OfficeId,
    /// What is on its way to the store is written, and only the answer is lost.
    pub written: bool,
    /// How long nobody is there.
    pub down: Duration,
    /// By so many milliseconds the clock is set meanwhile.
    pub clock: i64,
}

impl Death {
    /// The plain death of an exchange: what was on its way to the store is lost, and another begins at once.
    #[must_use]
    pub fn of(office: OfficeId) -> Death {
        Death { office, written: false, down: Duration::ZERO, clock: 0 }
    }
}

impl World {
    /// An exchange will die before it acts on, or sends, this event of the run.
    pub fn dies_at(&mut self, event: u64, death: Death) {
        self.death = Some((event, death));
    }

    /// How many events there were.
    #[must_use]
    pub fn told(&self) -> u64 {
        self.told
    }

    /// The event before which an exchange died, and how many commits were on their way to its store.
    #[must_use]
    pub fn died(&self) -> Option<&(String, usize)> {
        self.died.as_ref()
    }

    /// What the store of an exchange has for its next start.
    #[must_use]
    pub fn kept(&self, office: OfficeId) -> &[Change] {
        &self.offices[office].kept
    }

    pub(super) fn may_die(&mut self, event: &Observed) {
        if matches!(event, Observed::Settled { .. } | Observed::Queues { .. } | Observed::Live { .. }) {
            return;
        }
        self.told += 1;
        if let Some((_, death)) = self.death.take_if(|(event, _)| *event == self.told) {
            let under_way = |happening: &&Happening| matches!(happening, Happening::Stored { office, .. } if *office == death.office);
            self.died = Some((event.to_string(), self.queue.values().filter(under_way).count()));
            self.dies(death);
        }
    }

    /// An exchange dies now.
    pub fn dies(&mut self, death: Death) {
        let Death { office, written, down, clock, .. } = death;
        (self.offices[office].dead, self.offices[office].deaths) = (true, self.offices[office].deaths + 1);
        let queue = std::mem::take(&mut self.queue);
        for (when, happening) in queue {
            match happening {
                Happening::Stored { office: of, commit } if of == office => {
                    if written && self.now.mono >= self.offices[office].store_away_until {
                        self.keep(office, &commit);
                    }
                }
                happening if happening.is_inside(office) => {}
                happening => {
                    self.queue.insert(when, happening);
                }
            }
        }
        let streams: Vec<usize> = (0..self.streams.len())
            .filter(|&number| self.streams[number].office == office && self.streams[number].open)
            .collect();
        for number in streams {
            self.break_stream(number);
        }
        self.see(&Observed::Died { office });
        // Of the one that begins nothing is known yet; only some promises outlive an exchange.
        let fresh = every_checker();
        for (checker, fresh) in self.checkers.iter_mut().zip(fresh) {
            if !checker.outlives() {
                *checker = fresh;
            }
        }
        self.offices[office].orders.clear();
        self.now.wall.0 += clock;
        self.after(down, Act::Begin { office });
    }

    /// An output that nobody carries out any more. Which calls were the exchange's own is known from what it meant to
    /// write down.
    pub(super) fn dies_with(&mut self, output: Output) {
        let Output::Commit(commit) = output else { return };
        for owned in commit.changes.iter() {
            if let Change::Fact(fact) = &owned.change
                && *fact.rule == *"task.call"
            {
                self.reference.calls_itself(&fact.subject);
            }
        }
    }
}

impl Happening {
    /// Whether it is between an exchange and its own parts.
    fn is_inside(&self, office: OfficeId) -> bool {
        match self {
            Happening::WakeOffice(of)
            | Happening::Stored { office: of, .. }
            | Happening::PinVerified { office: of, .. }
            | Happening::Media { office: of, .. } => *of == office,
            _ => false,
        }
    }
}
