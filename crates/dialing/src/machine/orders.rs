//! What people want of their tasks, what is forbidden meanwhile, and what becomes of all when another has the lease.

use super::entry::{ALWAYS, Key, NEVER, State, least};
use super::inputs::{Output, Row};
use super::owners::Owners;
use super::restore::seconds_at;
use super::{Dialing, mono_at};
use crate::cause::{Finding, Outcome};
use crate::do_not_call::{Full, Numbers};
use crate::law::Profile;
use crate::limits;
use crate::number::Number;
use crate::policy::Policy;
use crate::reason::{Decision, Rule};
use crate::task::{End, OwnerId, Purpose, TaskId};
use clock::{Now, Wall, Wheel};

impl Dialing {
    pub(super) fn change(
        &mut self,
        now: Now,
        task: TaskId,
        not_before: Option<Wall>,
        until: Option<Wall>,
        priority: u8,
    ) {
        let Some(key) = self.by_id.get(&task).copied() else { return };
        if !self.journal.has_room() {
            self.tell(Output::Refused { task, rule: Rule::Store });
            return;
        }
        let entry = &mut self.tasks[key];
        entry.not_before = not_before.unwrap_or(ALWAYS);
        entry.until = until.unwrap_or(NEVER);
        entry.priority = priority;
        self.write_change(key);
        self.place_again(now, key);
    }

    pub(super) fn hand_over(&mut self, now: Now, task: TaskId, owner: OwnerId) {
        let Some(key) = self.by_id.get(&task).copied() else { return };
        let entry = &self.tasks[key];
        let refused = if entry.is_in_flight() {
            Some(Rule::InFlight)
        } else if !self.owners.has_room_for(owner) {
            Some(Rule::Full)
        } else {
            (!self.journal.has_room()).then_some(Rule::Store)
        };
        if let Some(rule) = refused {
            self.tell(Output::Refused { task, rule });
            return;
        }
        self.unplace(key);
        let entry = &mut self.tasks[key];
        let before = std::mem::replace(&mut entry.owner, owner);
        let waits_for_owner = entry.purpose == Purpose::Business;
        self.by_owner.remove(&(before, key));
        self.by_owner.insert((owner, key));
        self.owners.add_task(owner, self.policy.owner_at_once, waits_for_owner);
        self.owners.remove_task(before);
        self.write_change(key);
        self.place(now, key);
    }

    fn write_change(&mut self, key: Key) {
        let entry = &self.tasks[key];
        let said = |at: Wall| (at != ALWAYS && at != NEVER).then_some(at);
        self.journal.push(Row::Changed {
            task: entry.id,
            owner: entry.owner,
            not_before: said(entry.not_before),
            until: said(entry.until),
            priority: entry.priority,
        });
        let id = entry.id;
        self.tell(Output::Changed(id));
    }

    fn place_again(&mut self, now: Now, key: Key) {
        if !self.tasks[key].is_in_flight() {
            self.place(now, key);
        }
    }

    pub(super) fn choose(&mut self, now: Now, task: TaskId) {
        let Some(key) = self.by_id.get(&task).copied() else { return };
        self.tasks[key].chosen = true;
        self.place_again(now, key);
    }

    pub(super) fn stop(&mut self, now: Now, task: TaskId) {
        if let Some(key) = self.by_id.get(&task).copied() {
            self.stop_at(now, key);
        }
    }

    pub(super) fn stop_all(&mut self, now: Now, owner: OwnerId) {
        let all = self.by_owner.range((owner, least())..);
        let own: Vec<Key> = all.take_while(|(other, _)| *other == owner).map(|(_, key)| *key).collect();
        for key in own {
            self.stop_at(now, key);
        }
    }

    fn stop_at(&mut self, now: Now, key: Key) {
        let entry = &mut self.tasks[key];
        match entry.state {
            State::Claimed => entry.stopping = true,
            State::Dialled if entry.stopping => {}
            State::Dialled => {
                entry.stopping = true;
                let id = crate::task::AttemptId { task: entry.id, ordinal: entry.ordinal };
                self.tell(Output::Cancel(id));
            }
            _ => self.end(now, key, End::Stopped),
        }
    }

    pub(super) fn owner_says(&mut self, owner: OwnerId, at_once: u16, gap: u32) {
        self.owners.say(owner, at_once, gap);
    }

    /// Somebody inside is free: whoever waits for him is not made to wait for a clock. Of several the one who asked first has
    /// him, if he can talk now.
    pub(super) fn became_free(&mut self, now: Now, number: Number) {
        let mut waiting = self.tasks_of(number);
        waiting.retain(|key| {
            let entry = &self.tasks[*key];
            let waits = matches!(entry.state, State::Waiting(_));
            waits && entry.profile == Profile::Office && self.owners.takes(entry.owner)
        });
        waiting.sort_unstable_by_key(|key| self.tasks[*key].id);
        for key in waiting {
            self.tasks[key].free = true;
            self.place(now, key);
            match self.tasks.get_mut(key) {
                Some(entry) if matches!(entry.state, State::Ready(_)) => break,
                Some(entry) => entry.free = false,
                None => {}
            }
        }
    }

    /// What others of the office did to a number counts as if it had been done here (R26).
    pub(super) fn elsewhere(
        &mut self,
        now: Now,
        number: Number,
        attempts: &[(Wall, Wall, Finding)],
        held: Option<Wall>,
    ) {
        let dialled = attempts.iter().filter(|(.., finding)| finding.outcome != Outcome::NotDialled);
        for (began, ended, finding) in dialled {
            let history = self.numbers.entry(number).or_default();
            history.elsewhere(seconds_at(now, *began), seconds_at(now, *ended), *finding);
        }
        if self.held.len() >= limits::HELD {
            self.held.retain(|_, until| *until > now.mono);
        }
        match held {
            Some(until) => self.held.insert(number, mono_at(now, until)),
            None => self.held.remove(&number),
        };
        for key in self.tasks_of(number) {
            self.place_again(now, key);
        }
    }

    pub(super) fn forbid(&mut self, now: Now, number: Number, owner: Option<OwnerId>) {
        match self.do_not_call.forbid(number, owner) {
            Ok(true) => self.journal.push(Row::Forbidden(number, owner)),
            Ok(false) => {}
            Err(Full) => self.tell(Output::ListFull),
        }
        for key in self.tasks_of(number) {
            self.end_if_forbidden(now, key);
        }
    }

    fn end_if_forbidden(&mut self, now: Now, key: Key) {
        let entry = &self.tasks[key];
        let Some(list) = self.do_not_call.forbids(entry.number, entry.owner) else { return };
        if entry.is_in_flight() {
            self.stop_at(now, key);
            return;
        }
        self.audit(now, key, Decision::Refused, Rule::DoNotCall(list));
        self.end(now, key, End::Forbidden);
    }

    pub(super) fn permit(&mut self, number: Number, owner: Option<OwnerId>) {
        if self.do_not_call.permit(number, owner) {
            self.journal.push(Row::Permitted(number, owner));
        }
    }

    /// Those of it who wait are found in the turns that follow, and everybody once more at the instant of dialling.
    pub(super) fn import(&mut self, name: &str, numbers: Numbers) {
        match self.do_not_call.import(name, numbers) {
            Ok(()) => self.look_anew(),
            Err(Full) => self.tell(Output::ListFull),
        }
    }

    pub(super) fn replace_policy(&mut self, policy: Policy) {
        self.policy = policy;
        self.look_anew();
    }

    /// Another has these numbers: whatever is known here is old. Calls that are up go on; their results are his.
    pub(super) fn fenced(&mut self) {
        self.lease = None;
        self.tasks.clear();
        self.by_id.clear();
        self.by_number.clear();
        self.by_owner.clear();
        self.numbers.clear();
        self.held.clear();
        self.claimed.clear();
        self.owners = Owners::default();
        self.wheel = Wheel::new();
        self.sweeps = false;
        (self.looking_from, self.sweeping_from) = (None, None);
        self.in_flight = 0;
        self.journal.drop_all();
        // A call that was to be made is his to make.
        self.outputs.retain(|output| !matches!(output, Output::Dial(_) | Output::Commit(_)));
    }
}
