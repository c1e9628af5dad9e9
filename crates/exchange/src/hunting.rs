//! Hunt groups: one number rings several people, all at once or one after another.

use crate::exchange::Exchange;
use crate::ongoing::Reach;
use crate::people::{Group, Strategy};
use calls::{CallId, Cause, Party};
use clock::Now;
use media::Prompt;
use sip::subscription::DialogState;

impl Exchange {
    /// A call for a group begins.
    pub(crate) fn call_group(&mut self, now: Now, call: CallId, name: &str) {
        if let Some(ongoing) = self.ongoing.call_mut(call) {
            ongoing.reach = Reach::Group { name: name.into(), next: 0 };
        }
        self.hunt(now, call);
    }

    /// Nobody of those who rang answered: the next member, or the end of the group.
    pub(crate) fn group_exhausted(&mut self, now: Now, call: CallId) {
        self.switch.try_anew(call);
        self.hunt(now, call);
    }

    /// Rings the next members until somebody rings or nobody is left.
    fn hunt(&mut self, now: Now, call: CallId) {
        loop {
            let Some(Reach::Group { name, next }) =
                self.ongoing.call(call).map(|ongoing| ongoing.reach.clone())
            else {
                return;
            };
            // A group may be gone, or another, by the time of its next try.
            let Some(group) = self.people.group(&name).cloned() else {
                return self.fail(now, call, Cause::UnknownNumber, "the group is gone");
            };
            let (members, after) = match group.strategy {
                Strategy::All if next > 0 => return self.group_over(now, call, &group),
                Strategy::All => (group.members.as_slice(), group.members.len()),
                Strategy::Turn => match group.members.get(next..=next) {
                    Some(member) => (member, next + 1),
                    None => return self.group_over(now, call, &group),
                },
            };
            if let Some(ongoing) = self.ongoing.call_mut(call) {
                ongoing.reach = Reach::Group { name, next: after };
            }
            if self.ring_members(now, call, &group, members) > 0 {
                self.switch.limit_ringing(now, call, group.ring);
                return self.call_progresses(now, call);
            }
            if self.waits_for_phones(call, Cause::Offline) {
                return;
            }
        }
    }

    /// Rings those members who are free; returns how many devices ring.
    fn ring_members(&mut self, now: Now, call: CallId, group: &Group, members: &[Box<str>]) -> usize {
        let caller = self.ongoing.call(call).and_then(|ongoing| ongoing.device.clone());
        let callee = Party::new(&group.number, &group.display);
        let mut ringing = 0;
        for member in members {
            if self.is_free(member) {
                ringing += self.ring_account(now, call, member, &callee, caller.as_deref());
            }
        }
        ringing
    }

    /// Whether a member takes calls of a group: not in a call, and willing.
    fn is_free(&self, member: &str) -> bool {
        let talks = |state: DialogState| state == DialogState::Confirmed;
        let willing = self.people.account(member).is_some_and(|account| !account.settings.do_not_disturb);
        let here = || self.ongoing.of(member).any(|(_, ongoing)| talks(ongoing.state));
        willing && !here() && !self.cluster.elsewhere.talks(member)
    }

    fn group_over(&mut self, now: Now, call: CallId, group: &Group) {
        match &group.overflow {
            Some(to) => {
                self.note_call(
                    now,
                    call,
                    "group.overflow",
                    format!("nobody of the group took it; it goes to {to}"),
                );
                self.send_on(now, call, to);
            }
            None => {
                let why = "nobody of the group took it";
                self.refuse_spoken(now, call, Prompt::NobodyAvailable, Cause::NoAnswer, why);
            }
        }
    }

    fn is_member(&self, call: CallId, account: &str) -> bool {
        let Some(Reach::Group { name, .. }) = self.ongoing.call(call).map(|ongoing| &ongoing.reach) else {
            return false;
        };
        self.people.group(name).is_some_and(|group| group.members.iter().any(|member| **member == *account))
    }

    /// A member's device answered: the call is that person's from now on.
    pub(crate) fn member_answered(&mut self, call: CallId) {
        if !matches!(self.ongoing.call(call).map(|ongoing| &ongoing.reach), Some(Reach::Group { .. })) {
            return;
        }
        let Some(device) = self.switch.answered_by(call) else { return };
        // Of the two whom a phone may ring for, it rang for the one who is a member.
        let member = self.rung_at(device).find(|account| self.is_member(call, account));
        if let Some(account) = member.or_else(|| self.person_at(device).map(Box::from)) {
            self.ongoing.belongs_to(call, account);
        }
    }
}
