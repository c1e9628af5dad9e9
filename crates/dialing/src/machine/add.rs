//! A task comes in: what can never be dialled is refused here already, and again at the instant of dialling.

use super::Dialing;
use super::check::Verdict;
use super::entry::{Entry, Key, State};
use super::explain::Standing;
use super::inputs::{Output, Row};
use crate::law::Profile;
use crate::limits;
use crate::reason::{Audit, Decision, Rule};
use crate::task::{Purpose, Task};
use clock::Now;

impl Dialing {
    pub(super) fn add(&mut self, now: Now, task: Box<Task>) {
        match self.admit(now, task) {
            Ok(key) => self.place(now, key),
            Err((task, rule)) => self.refuse_new(now, &task, rule),
        }
    }

    /// Takes a task, if it may ever be dialled.
    fn admit(&mut self, now: Now, mut task: Box<Task>) -> Result<Key, (Box<Task>, Rule)> {
        if !self.journal.has_room() {
            return Err((task, Rule::Store));
        }
        let key = match self.enter(&mut task) {
            Ok(key) => key,
            Err(rule) => return Err((task, rule)),
        };
        self.renew(now, key);
        if task.asked {
            self.ask_anew(key);
        }
        if let Verdict::Never(_, rule) = self.check(now, key) {
            self.take_out(key);
            return Err((task, rule));
        }
        self.journal.push(Row::Task(task));
        Ok(key)
    }

    /// What would become of a task, if it were added now: for the counts that are shown before a list begins.
    ///
    /// # Errors
    /// The rule by which it would not be taken.
    pub fn preview(&mut self, now: Now, mut task: Task) -> Result<Standing, Rule> {
        let key = self.enter(&mut task)?;
        self.renew(now, key);
        let refused = match self.check(now, key) {
            Verdict::Never(_, rule) => Some(rule),
            _ => None,
        };
        let standing = self.standing(now, key, &self.tasks[key]);
        self.take_out(key);
        refused.map_or(Ok(standing), Err)
    }

    /// Gives a task its place in the machine.
    pub(super) fn enter(&mut self, task: &mut Task) -> Result<Key, Rule> {
        if self.by_id.contains_key(&task.id) {
            return Err(Rule::Known);
        }
        let of_number = self.tasks_of(task.number).len();
        let evidence = task.consent.as_ref().map_or(0, |consent| consent.evidence.len());
        let full = self.tasks.len() >= limits::TASKS
            || of_number >= limits::TASKS_PER_NUMBER
            || task.data.len() > limits::DATA
            || evidence > limits::EVIDENCE
            || !self.owners.has_room_for(task.owner);
        if full {
            return Err(Rule::Full);
        }
        let (region, mut zones) = self.places.of(task.number);
        if let Some(name) = &task.zone {
            zones = self.places.zone(name).ok_or(Rule::NoZone)?;
        }
        let profile = Profile::of(task.number, region);
        let key = self.tasks.insert(Entry::new(task, profile, region, zones));
        self.by_id.insert(task.id, key);
        self.by_number.insert((task.number, key));
        self.by_owner.insert((task.owner, key));
        let waits_for_owner = task.purpose == Purpose::Business;
        self.owners.add_task(task.owner, self.policy.owner_at_once, waits_for_owner);
        Ok(key)
    }

    /// Forgets a task.
    pub(super) fn take_out(&mut self, key: Key) -> Option<Entry> {
        self.unplace(key);
        let entry = self.tasks.remove(key)?;
        self.by_id.remove(&entry.id);
        self.by_number.remove(&(entry.number, key));
        self.by_owner.remove(&(entry.owner, key));
        self.owners.remove_task(entry.owner);
        Some(entry)
    }

    /// Takes a task out of where it waits.
    pub(super) fn unplace(&mut self, key: Key) {
        let Some(entry) = self.tasks.get_mut(key) else { return };
        match std::mem::replace(&mut entry.state, State::Between) {
            State::Waiting(timer) => {
                self.wheel.cancel(timer);
            }
            State::Ready(place) => self.owners.remove_ready(entry.owner, place, key),
            State::Blocked | State::Between => {}
            // What is in flight ends by its result alone.
            in_flight @ (State::Claimed | State::Dialled) => entry.state = in_flight,
        }
    }

    fn refuse_new(&mut self, now: Now, task: &Task, rule: Rule) {
        // What is refused for want of room is not written down: that needs room, too.
        if !matches!(rule, Rule::Store | Rule::Full) && self.journal.has_room() {
            let audit = Audit {
                at: now.wall,
                task: task.id,
                owner: task.owner,
                number: task.number,
                decision: Decision::Refused,
                rule: rule.clone(),
            };
            self.journal.push(Row::Audit(Box::new(audit)));
        }
        self.tell(Output::Refused { task: task.id, rule });
    }
}
