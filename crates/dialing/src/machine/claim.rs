//! Whose turn it is, the claim that is written down first, and the call that follows.

use super::check::Verdict;
use super::entry::{Key, State};
use super::inputs::{Dial, Output, Row};
use super::owners::Place;
use super::wake::Wake;
use super::{Dialing, seconds_up};
use crate::cause::{Finding, Outcome};
use crate::law::Profile;
use crate::limits;
use crate::policy::OrderKey;
use crate::reason::{Because, Decision, Rule};
use crate::task::{Attempt, AttemptId, End};
use crate::window;
use clock::{Mono, Now};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

impl Dialing {
    /// Puts a task where it belongs: to those that are due, or to sleep.
    pub(super) fn place(&mut self, now: Now, key: Key) {
        self.unplace(key);
        self.renew(now, key);
        match self.check(now, key) {
            Verdict::Go => {
                let place = self.place_among_ready(key);
                let entry = &mut self.tasks[key];
                entry.state = State::Ready(place);
                self.owners.add_ready(entry.owner, place, key);
            }
            Verdict::Wait(until, rule) => self.put_off(now, key, until, &rule),
            Verdict::Blocked => self.tasks[key].state = State::Blocked,
            Verdict::Never(end, rule) => {
                self.audit(now, key, Decision::Refused, rule);
                self.end(now, key, end);
            }
        }
    }

    fn put_off(&mut self, now: Now, key: Key, until: Mono, rule: &Rule) {
        let entry = &self.tasks[key];
        let mut when = until;
        // Inside nobody is in a crowd, and what a person set is kept to the second.
        if self.policy.jitter && entry.profile != Profile::Office && !matches!(rule, Rule::NotBefore) {
            when = when + self.jitter(key);
        }
        // At its end it is over, whatever else it waits for.
        when = when.min(super::mono_at(now, entry.until));
        let id = entry.id;
        self.tasks[key].state = State::Waiting(self.wheel.insert(when, Wake::Task(key)));
        self.tell_once(Output::Changed(id));
    }

    /// Nobody needs to hear twice in a row that the same task changed.
    fn tell_once(&mut self, output: Output) {
        let same = matches!((self.outputs.back(), &output), (Some(Output::Changed(a)), Output::Changed(b)) if a == b);
        if !same && self.outputs.len() < limits::OUTPUTS {
            self.outputs.push_back(output);
        }
    }

    /// How much later an attempt begins than it could: the same for the same attempt, whenever it is asked.
    fn jitter(&self, key: Key) -> std::time::Duration {
        let entry = &self.tasks[key];
        let mut hasher = SipHasher13::new_with_keys(self.seed, 0);
        hasher.write_u64(entry.id.0);
        hasher.write_u16(entry.ordinal);
        limits::JITTER.mul_f64((hasher.finish() >> 40) as f64 / (1u64 << 24) as f64)
    }

    fn place_among_ready(&self, key: Key) -> Place {
        let entry = &self.tasks[key];
        let mut rank = [0; 4];
        rank[0] = u32::from(!entry.chosen && !entry.free);
        for (rank, order) in rank[1..].iter_mut().zip(&self.policy.order) {
            *rank = match order {
                OrderKey::Priority => u32::from(u8::MAX - entry.priority),
                OrderKey::Slot => entry.slot.map_or(u32::MAX, |slot| u32::from(slot.to())),
                OrderKey::Rank => entry.rank,
            };
        }
        Place { rank, id: entry.id }
    }

    /// Forgets a sequence that is over and has rested.
    pub(super) fn renew(&mut self, now: Now, key: Key) {
        let entry = &self.tasks[key];
        let limits = self.policy.limits(entry.profile, entry.purpose);
        if let Some(history) = self.numbers.get_mut(&entry.number) {
            history.renew(super::seconds(now.mono), limits);
        }
    }

    /// A person asks for this number: a sequence that is over begins anew.
    pub(super) fn ask_anew(&mut self, key: Key) {
        let entry = &self.tasks[key];
        let limits = self.policy.limits(entry.profile, entry.purpose);
        if let Some(history) = self.numbers.get_mut(&entry.number) {
            history.asked_anew(limits);
        }
    }

    /// Claims what is due and makes a commit of what is to be written down.
    pub(super) fn settle(&mut self, now: Now) {
        self.more = false;
        let mut looked_at = 0;
        while self.may_claim(now) {
            if looked_at == limits::TURN {
                self.more = true;
                break;
            }
            let Some((key, waiting)) = self.owners.next() else { break };
            looked_at += 1;
            self.tasks[key].state = State::Between;
            self.renew(now, key);
            match self.check(now, key) {
                Verdict::Go => self.claim(now, key, waiting),
                Verdict::Wait(_, ref rule) => {
                    self.audit(now, key, Decision::PutOff, rule.clone());
                    self.place(now, key);
                }
                Verdict::Blocked | Verdict::Never(..) => self.place(now, key),
            }
        }
        self.sweep_later(now);
        if let Some(lease) = self.lease
            && let Some(commit) = self.journal.next(now.mono, lease.epoch)
        {
            self.outputs.push_back(Output::Commit(commit));
        }
    }

    /// Whether anything may be claimed at all; and if not, why.
    fn may_claim(&self, now: Now) -> bool {
        self.hindrance(now).is_none()
    }

    pub(super) fn hindrance(&self, now: Now) -> Option<Rule> {
        if !self.is_leased(now) {
            return Some(Rule::Lease);
        }
        if !self.journal.is_well() || !self.journal.has_room() || self.outputs.len() >= limits::OUTPUTS {
            return Some(Rule::Store);
        }
        (self.in_flight >= self.policy.at_once).then_some(Rule::Turn)
    }

    /// R25: an owner stops a margin before its lease ends by its own clock.
    fn is_leased(&self, now: Now) -> bool {
        self.lease.is_some_and(|lease| now.mono + limits::LEASE_MARGIN < lease.until)
    }

    fn claim(&mut self, now: Now, key: Key, waiting: u32) {
        let number = self.tasks[key].number;
        if !self.numbers.contains_key(&number) && self.numbers.len() >= limits::NUMBERS {
            // What cannot be remembered cannot be counted: it waits until something is forgotten.
            self.put_off(now, key, now.mono + limits::SWEEP, &Rule::Full);
            return;
        }
        let because = self.because(now, key, waiting);
        let entry = &mut self.tasks[key];
        entry.ordinal += 1;
        entry.made += 1;
        entry.state = State::Claimed;
        let id = AttemptId { task: entry.id, ordinal: entry.ordinal };
        let (owner, profile) = (entry.owner, entry.profile);
        self.numbers.entry(number).or_default().begin(seconds_up(now.mono), id);
        self.owners.begin(owner);
        self.in_flight += 1;
        self.claimed.insert(id, because);
        self.journal.push(Row::Claim(Attempt { id, number, at: now.wall, finished: None }));
        self.audit(now, key, Decision::Allowed, Rule::Within(profile));
        for other in self.tasks_of(number) {
            // It was free; whether it still is, this attempt will tell.
            self.tasks[other].free = false;
        }
    }

    /// Rows are written down: what was promised may be told, and what was claimed may be dialled.
    pub(super) fn committed(&mut self, now: Now, sequence: u64) {
        let Some(rows) = self.journal.committed(sequence) else { return };
        for row in rows.iter() {
            match row {
                Row::Task(task) => self.tell(Output::Accepted(task.id)),
                Row::Changed { task, .. } => self.tell(Output::Accepted(*task)),
                Row::Claim(attempt) => self.dial(now, attempt.id),
                Row::End { task, end, attempts, .. } => {
                    self.tell(Output::Ended { task: *task, end: *end, attempts: *attempts });
                }
                _ => {}
            }
        }
    }

    /// The last look before the call leaves: a commit takes its time, and minds change.
    fn dial(&mut self, now: Now, id: AttemptId) {
        let Some(because) = self.claimed.remove(&id) else { return };
        let Some(key) = self.by_id.get(&id.task).copied() else { return };
        if let Some(rule) = self.stands_against(now, key) {
            self.audit(now, key, Decision::Refused, rule);
            self.finish(now, key, Finding::sure(Outcome::NotDialled));
            return;
        }
        let entry = &mut self.tasks[key];
        entry.state = State::Dialled;
        if let Some(history) = self.numbers.get_mut(&entry.number) {
            history.leaves(seconds_up(now.mono));
        }
        entry.chosen = false;
        let ring = self.policy.limits(entry.profile, entry.purpose).ring;
        let dial = Dial {
            attempt: id,
            number: entry.number,
            owner: entry.owner,
            legs: entry.legs,
            ring,
            data: entry.data.clone(),
            because,
        };
        self.tell(Output::Dial(Box::new(dial)));
    }

    fn stands_against(&self, now: Now, key: Key) -> Option<Rule> {
        let entry = &self.tasks[key];
        if entry.stopping {
            return Some(Rule::Stopped);
        }
        if let Some((_, rule)) = self.forbidden(now, entry) {
            return Some(rule);
        }
        if entry.not_before > now.wall {
            return Some(Rule::NotBefore);
        }
        if !self.is_leased(now) {
            return Some(Rule::Lease);
        }
        let limits = self.policy.limits(entry.profile, entry.purpose);
        let open = self.window(entry, limits).is_open(now.wall);
        (!open).then(|| self.closed(entry, now.wall))
    }

    /// Why this task is next, the strongest reason first.
    pub(super) fn because(&self, now: Now, key: Key, waiting: u32) -> Vec<Because> {
        let entry = &self.tasks[key];
        let last = self.numbers.get(&entry.number).and_then(crate::history::History::last);
        let mut because = Vec::with_capacity(5);
        because.push(match last {
            _ if entry.free => Because::Free,
            _ if entry.chosen => Because::Chosen,
            Some(last) if entry.made > 0 => Because::Again { ordinal: entry.made + 1, after: last.outcome },
            _ => Because::First,
        });
        let zone = || Box::from(self.places.name(entry.zones));
        if let Some(span) = entry.slot {
            because.push(Because::Slot { span, zone: zone() });
        } else {
            let limits = self.policy.limits(entry.profile, entry.purpose);
            if let (Some(closes), Some(first)) =
                (self.window(entry, limits).closes(now.wall), self.places.zones(entry.zones).first())
            {
                let minute = window::minute_of(window::local(first, closes));
                because.push(Because::OpenUntil { closes, minute, zone: zone() });
            }
        }
        if entry.priority > 0 {
            because.push(Because::Priority(entry.priority));
        }
        if waiting > 1 {
            because.push(Because::Turn(waiting));
        }
        because
    }

    /// A task is over.
    pub(super) fn end(&mut self, now: Now, key: Key, end: End) {
        let Some(entry) = self.take_out(key) else { return };
        self.journal.push(Row::End { task: entry.id, at: now.wall, end, attempts: entry.made });
    }
}
