//! Assignments that an exchange sends while the phone works: for somebody else, for nobody, or the same once more.

use super::{Assignment, Worker};
use clock::Now;
use lists::work::{Input, Presence};

impl Worker {
    /// What is worked by from now on. Another agent's list begins when this one is given back; the same agent's goes on, and its
    /// rows are looked at.
    pub fn assign(&mut self, now: Now, assignment: Assignment) {
        let same = assignment.agent == self.assignment.agent && assignment.list == self.assignment.list;
        if self.running.is_none() && self.pending.is_none() {
            return self.take_up(assignment);
        }
        if same && !self.signing_out {
            self.assignment = assignment;
            return self.fetch_list();
        }
        self.next = Some(Box::new(assignment));
        self.signing_out = true;
        self.pending = None;
        self.give(now, Input::Presence(Presence::SignedOut));
        self.sign_out_when_free(now);
        self.take_up_next();
    }

    /// Begins with what was to follow, once nothing is left of what was before.
    pub(super) fn take_up_next(&mut self) {
        if self.running.is_none()
            && self.pending.is_none()
            && self.outbox.is_empty()
            && let Some(next) = self.next.take()
        {
            self.take_up(*next);
        }
    }

    fn take_up(&mut self, assignment: Assignment) {
        (self.assignment, self.signing_out) = (assignment, false);
        if !self.assignment.list.is_empty() {
            self.fetch_list();
        }
    }
}
