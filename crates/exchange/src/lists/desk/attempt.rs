//! One call of a row: the agent's phone first, then the callee, so that nobody ever answers into silence (S3.10).

use super::super::RowName;
use super::{Dealt, Hand};
use crate::agents::Reservation;
use crate::background::{Known, Phase, Trying, finding_of};
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::limits;
use crate::people::{clean_display, is_web_name};
use crate::routing::target;
use crate::seats::form_at_once;
use calls::{AtOnce, CallId, CallRecord, Cause, Party, Target};
use clock::Now;
use dialing::cause::{Finding, Outcome};
use dialing::{Dial, Input, Number};
use std::time::Duration;

/// What a phone is told whose agent takes no row now.
const GIVEN_BACK: &str = "SIP;cause=480;text=\"The call list waits\"";

impl Exchange {
    /// The claim is written: the agent is reserved and their phone rings, unless something came between.
    pub(crate) fn make_row_call(&mut self, now: Now, dial: &Dial, known: &Known, dealt: Dealt) {
        let (account, task) = (Box::<str>::from(&*known.account), dial.attempt.task);
        let theirs =
            self.lists.desk_session(&account).is_some_and(|session| session.served.contains(&dealt.row));
        if self.draining || !theirs || !self.is_ready_at_desk(&account) {
            // A call that came in meanwhile goes first; this one never left.
            self.lists.desks.stir(&account);
            return self.finish_attempt(now, dial.attempt, Finding::sure(Outcome::NotDialled));
        }
        let because: Vec<Box<str>> = dial.because.iter().map(|why| why.to_string().into()).collect();
        let words = format!(
            "attempt {} for {account}, whose phone rings first, then {}: {}",
            dial.attempt.ordinal,
            known.number,
            because.join(", ")
        );
        self.note(now, FactKind::Task, &task.0.to_string(), "task.attempt", words);
        let caller = self.party_of(&account);
        let call = self.begin_attempt(now, known, dial, (caller, &account));
        let reservation = Reservation {
            who: None,
            call: Some(call),
            queue: Box::default(),
            number: Some(known.number.clone()),
            rings: false,
        };
        self.reserve_agent(now, &account, reservation);
        let hand = Hand { row: dealt.row, task, call: Some(call), answered: None, because };
        self.lists.desks.desk(&account).hand = Some(hand);
        // One at a time: the next look says when there may be another.
        self.background.dialing.handle(now, Input::Owner { owner: dial.owner, at_once: 0, gap: 0 });
        if self.ring_desk(now, call, &account) == 0 {
            return self.desk_does_not_answer(now, call, &account);
        }
        self.switch.limit_ringing(now, call, self.config.background.waits);
    }

    /// Rings the agent's phone, which answers by itself if it has a form for that; the callee is shown.
    fn ring_desk(&mut self, now: Now, call: CallId, account: &str) -> usize {
        let Some(shown) = self.shown_at_desk(call) else { return 0 };
        let callee = self.party_of(account);
        let domain = self.config.domain.clone();
        let mut targets: Vec<Target> = Vec::new();
        for device in self.phones_at_desk(account) {
            let at_once = self.form_at_desk(account, &device);
            for ways in self.registrar.targets(&device) {
                let target = target(&device, &ways, &callee, domain.as_deref());
                targets.extend(target.map(|target| Target { at_once, shown: Some(shown.clone()), ..target }));
            }
        }
        // Of several that answer by themselves, one does.
        if let Some(place) = targets.iter().position(|target| target.at_once.is_some()) {
            targets.swap(0, place);
            targets.truncate(1);
        }
        targets.truncate(limits::BRANCHES);
        targets.into_iter().filter_map(|target| self.switch.add_branch(now, call, target)).count()
    }

    /// Whom a row is about, as the agent's phone shows it: by the name that the list has.
    fn shown_at_desk(&self, call: CallId) -> Option<Party> {
        let callee = self.ongoing.call(call)?.callee.clone();
        let row = self.background.trying.get(&call).and_then(|trying| trying.row);
        let entry = row.and_then(|(key, row)| self.lists.by_key(key)?.made.sheet.0.entry(row));
        let name = entry.map(|entry| clean_display(&entry.name())).filter(|name| !name.is_empty());
        Some(name.map_or(callee.clone(), |name| Party::new(&callee.number, &name)))
    }

    /// The phone at which the list is worked, for as long as it is one of theirs.
    fn phones_at_desk(&self, account: &str) -> Vec<Box<str>> {
        let phones = self.phones_of(account);
        let device = self.lists.desk_session(account).map(|session| session.device.clone());
        match device.filter(|device| phones.contains(device)) {
            Some(device) => vec![device],
            None => self.phones_of_agent(account),
        }
    }

    /// Who began to work through a list wants their phone to answer; nobody else's does.
    fn form_at_desk(&self, account: &str, device: &str) -> Option<AtOnce> {
        if self.person_at(device) != Some(account) {
            return None;
        }
        if is_web_name(device) {
            return Some(AtOnce::AnswerMode);
        }
        self.people.device(device)?.auto_answer.map(form_at_once)
    }

    /// The agent is not at their phone: they are paused, so that it does not ring again and again.
    pub(crate) fn desk_does_not_answer(&mut self, now: Now, call: CallId, account: &str) {
        // Before they are free for the next.
        self.pause_absent_agent(now, account);
        self.row_was_not_called(now, call, account, "the agent did not answer");
    }

    /// The agent is busy, goes, or wants a break while their phone rings for a row.
    pub(crate) fn give_row_back(&mut self, now: Now, call: CallId, account: &str) {
        self.switch.stop_all_ringing(now, call, GIVEN_BACK);
        self.row_was_not_called(now, call, account, "the agent is not ready any more");
    }

    fn row_was_not_called(&mut self, now: Now, call: CallId, account: &str, why: &str) {
        let Some(attempt) = self.background.trying.get(&call).map(|trying| trying.attempt) else { return };
        self.attempt_is_over(call);
        self.free_from_row(now, account, call);
        self.finish_attempt(now, attempt, Finding::sure(Outcome::NotDialled));
        self.fail(now, call, Cause::NoAnswer, why);
    }

    /// Callee and agent talk.
    pub(crate) fn row_talks(&mut self, now: Now, call: CallId, account: &str) {
        if let Some(hand) = self.hand_of(account, call) {
            hand.answered = Some(now.mono);
        }
        self.lists.desks.touch(account);
    }

    /// The call of a row is over: what it came to, and after the gap the next.
    pub(crate) fn row_call_ended(&mut self, now: Now, trying: &Trying, record: &CallRecord) {
        let account = trying.account.clone();
        self.free_from_row(now, &account, record.call);
        match trying.phase {
            Phase::Over => {}
            Phase::First => self.finish_attempt(now, trying.attempt, Finding::sure(Outcome::NotDialled)),
            Phase::Second if record.cause == Cause::Cancelled => {
                self.finish_attempt(now, trying.attempt, Finding::sure(Outcome::Withdrawn));
            }
            Phase::Second => {
                let inside = self.is_inside(&record.dialled);
                if record.cause == Cause::Forbidden {
                    self.stop_task(now, trying.attempt.task, Some(&record.detail));
                }
                self.finish_attempt(now, trying.attempt, finding_of(trying, record.cause, inside));
            }
        }
        self.say_how_long(now, &account, record.call);
        let gap = Duration::from_secs(self.config.lists.assignment.gap_s.into());
        self.lists.desks.time(&account, |desk| {
            desk.rests = (!gap.is_zero()).then(|| now.mono + gap);
        });
        self.lists.desks.stir(&account);
    }

    fn say_how_long(&mut self, now: Now, account: &str, call: CallId) {
        let Some(hand) = self.hand_of(account, call) else { return };
        hand.call = None;
        let (row, task, answered) = (hand.row, hand.task, hand.answered);
        let Some(answered) = answered else { return };
        let run = self.run_of(row, task);
        let seconds = u32::try_from(now.mono.since(answered).as_secs()).unwrap_or(u32::MAX);
        let asking = super::DeskAsking::Talked { row, run, seconds };
        self.ask_lists(now, None, super::super::ListAsking::Desk(asking));
    }

    /// The run by which a row was called last.
    fn run_of(&self, (key, row): RowName, task: dialing::TaskId) -> u32 {
        let known = self.background.tasks.get(&task).and_then(|known| known.dealt());
        let told = || self.lists.by_key(key).and_then(|list| list.told.get(&row)).map(|told| told.run);
        known.map(|dealt| dealt.run).or_else(told).unwrap_or(0)
    }

    fn hand_of(&mut self, account: &str, call: CallId) -> Option<&mut Hand> {
        let desk = self.lists.desks.by_agent.get_mut(account)?;
        desk.hand.as_mut().filter(|hand| hand.call == Some(call))
    }

    fn free_from_row(&mut self, now: Now, account: &str, call: CallId) {
        let agent = self.agents.agent(account);
        let reserved = agent.and_then(|agent| agent.reserved.as_ref());
        if reserved.is_some_and(|reserved| reserved.who.is_none() && reserved.call == Some(call)) {
            self.release_agent(now, account);
        }
    }

    /// Whether the exchange itself calls this number for a list now.
    pub(in crate::lists) fn calls_for_a_list(&self, number: Number) -> bool {
        let mut rows = self.background.trying.values().filter_map(|trying| trying.row);
        rows.any(|row| self.lists.number(row) == Some(number))
    }
}
