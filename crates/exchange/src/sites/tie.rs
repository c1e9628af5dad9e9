//! Several exchanges over one store are one exchange of the directory (decision 25): they have its name, its certificate and its
//! copy, and the keeper alone has the connection. The others call people of other exchanges by the copy.
//!
//! ```text
//! directory <--one connection--> keeper --its copy, how all are--> the others
//! a call for another exchange begins at the keeper     --> the directory designates, with a ticket
//!                             begins at any other      --> by the copy; the exchange that is called issues the ticket
//! somebody who has apps is called at any other         --> to the keeper, who has them woken (cluster/carry.rs)
//! ```

use super::{Joined, Sites, Tie};
use crate::dial_plan::Destination;
use crate::exchange::Exchange;
use calls::{CallId, Cause};
use clock::{Now, Wall};
use directory::SiteHealth;

impl Sites {
    /// Whether this is a member of a directory at all.
    fn has_joined(&self) -> bool {
        self.joined.is_some()
    }

    /// Whether an account has apps, whoever can have them woken.
    fn lists_apps(&self, account: &str) -> bool {
        self.joined.as_ref().is_some_and(|joined| joined.with_apps.contains(account))
    }
}

impl Joined {
    /// How all exchanges are, as far as anybody tells us; who has the connection tells nothing while it breaks.
    pub(super) fn health(&self) -> &[SiteHealth] {
        let told = self.connected || self.tie == Tie::Anothers;
        if told { &self.health } else { &[] }
    }

    /// Whether the directory can be reached by whoever has the connection.
    pub(super) fn is_directory_there(&self) -> bool {
        self.connected || !self.health().is_empty()
    }

    /// A ticket of the directory works once, so only who keeps what must happen once judges any, and only those of its time.
    /// Exchanges that bring others get one of ours.
    pub(super) fn judge_tickets(&mut self) {
        let started = match self.tie {
            Tie::Ours => Wall(self.started.0.saturating_add(self.offset)),
            Tie::Rests | Tie::Anothers => Wall(i64::MAX),
        };
        self.redeemer.started(started);
    }
}

impl Exchange {
    /// Whether the connection to the directory is another's, as it is for most of a cluster.
    pub(super) fn is_tie_anothers(&self) -> bool {
        self.sites.joined.as_ref().is_some_and(|joined| joined.tie == Tie::Anothers)
    }

    /// What must happen once may have changed hands, and the connection with it.
    pub(crate) fn look_at_tie(&mut self, now: Now) {
        let tie = self.cluster.tie();
        let Some(joined) = &mut self.sites.joined else { return };
        let before = std::mem::replace(&mut joined.tie, tie);
        if before == tie {
            return;
        }
        if before == Tie::Anothers {
            // Which tickets another has used nobody tells us.
            joined.started = now.wall;
        }
        joined.judge_tickets();
        self.ask_shell(super::SiteOutput::Tie(tie));
    }

    /// A call for another exchange that begins where the directory is not asked.
    pub(super) fn goes_by_the_copy(&mut self, now: Now, call: CallId) {
        let Some((exchange, designation)) = self.by_the_copy(now, call) else {
            let words = "the copy of the directory has expired, and no newer one came";
            self.note_call(now, call, "directory.copy", words.to_owned());
            return self.fail(now, call, Cause::NoLine, "directory.copy");
        };
        let words = format!("by the copy of the directory the call goes to exchange {exchange}");
        self.note_call(now, call, "directory.copy", words);
        self.go_to(now, call, exchange, Box::new(designation));
    }

    /// Whether who can ask the directory does more for a call than we can: it has apps woken, and may learn whose number this
    /// is. `by_us`: a phone of ours calls.
    pub(crate) fn is_for_directory(&self, dialled: &str, by_us: bool) -> bool {
        if !self.sites.has_joined() || self.config.codes.find(dialled).is_some() {
            return false;
        }
        // Trunks have their own ways to write our numbers.
        let spelled = self.config.numbering.spellings(dialled);
        match spelled.iter().find_map(|number| Some(self.people.account_of(number)?.0)) {
            Some(owner) => self.sites.lists_apps(owner),
            None => by_us && self.destination(dialled) == Destination::Unknown,
        }
    }
}
