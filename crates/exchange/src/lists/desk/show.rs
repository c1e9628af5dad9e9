//! What an agent sees of their list: who is called, who is next and why, what was said, how far they are (S3.12).

use super::super::RowName;
use super::{Desk, Hand};
use crate::background::Phase;
use crate::events::{Audience, Happened};
use crate::exchange::Exchange;
use clock::{Now, Wall};
use dialing::cause::Outcome;
use dialing::{End, Standing, TaskId};

/// How far the row is that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskStep {
    /// It is called next.
    Next,
    /// The agent's phone rings.
    Agent,
    /// The agent is there, and it rings at the callee.
    Callee,
    /// They talk.
    Talk,
    /// The call is over.
    Over,
}

impl DeskStep {
    /// The name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DeskStep::Next => "next",
            DeskStep::Agent => "agent",
            DeskStep::Callee => "callee",
            DeskStep::Talk => "talk",
            DeskStep::Over => "over",
        }
    }
}

/// What was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskAttempt {
    /// When.
    pub at: Wall,
    /// What it came to.
    pub outcome: Option<Outcome>,
    /// Seconds that were talked.
    pub talked: u32,
    /// Who called.
    pub agent: Box<str>,
}

/// A callee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskRow {
    /// The list.
    pub list: Box<str>,
    /// The line of its file.
    pub line: u32,
    /// Its task, for `explain`.
    pub task: Option<TaskId>,
    /// How far it is.
    pub step: DeskStep,
    /// Whom it calls.
    pub number: Box<str>,
    /// Their name.
    pub name: Box<str>,
    /// All that the list says, by its headers.
    pub fields: Vec<(Box<str>, Box<str>)>,
    /// What was tried here.
    pub attempts: Vec<DeskAttempt>,
    /// Why it is this one, and now.
    pub because: Vec<Box<str>>,
    /// What came of it, as it was said.
    pub result: Box<str>,
    /// A note.
    pub note: Box<str>,
    /// Not called before.
    pub not_before: Option<Wall>,
    /// How it ended.
    pub end: Option<End>,
}

/// How far an agent is, over all their lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeskCounts {
    /// Rows that are theirs.
    pub rows: usize,
    /// Those that are open.
    pub left: usize,
    /// Those whose callee was reached.
    pub reached: usize,
    /// Calls that were made for these rows.
    pub attempts: usize,
}

/// An agent's work at a phone that only calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskWork {
    /// The agent.
    pub account: Box<str>,
    /// The exchange calls for them.
    pub on: bool,
    /// The phone that rings; none for all of theirs.
    pub device: Option<Box<str>>,
    /// The row that is called, or was called last.
    pub hand: Option<DeskRow>,
    /// The row that is next.
    pub next: Option<DeskRow>,
    /// When the next may be called, if none is due.
    pub waits: Option<Wall>,
    /// How far they are.
    pub counts: DeskCounts,
    /// Results by one key.
    pub keys: Vec<(char, Box<str>)>,
}

impl Exchange {
    /// An agent's work; none for who is nobody.
    #[must_use]
    pub fn desk_work(&self, now: Now, account: &str) -> Option<DeskWork> {
        self.people.account(account)?;
        let session = self.lists.desk_session(account);
        let desk = self.lists.desks.by_agent.get(account);
        let next = self.next_at_desk(account).filter(|_| session.is_some());
        let keys = self.config.lists.assignment.keys.iter();
        Some(DeskWork {
            account: account.into(),
            on: session.is_some(),
            device: session.map(|session| session.device.clone()).filter(|device| !device.is_empty()),
            hand: desk.and_then(|desk| desk.hand.as_ref()).and_then(|hand| self.hand_row(hand)),
            waits: desk.filter(|_| next.is_none()).and_then(|desk| self.first_of_desk(now, desk)),
            next: next.and_then(|(row, task)| self.next_row(now, row, task)),
            counts: self.counts_of(account),
            keys: keys.map(|(key, name)| (*key, name.as_str().into())).collect(),
        })
    }

    /// Agents whose work is another are told.
    pub(crate) fn tell_desks(&mut self, now: Now) {
        for account in std::mem::take(&mut self.lists.desks.touched) {
            if let Some(work) = self.desk_work(now, &account) {
                let audience = Audience::all(vec![account]);
                self.tell_if_heard(now, audience, Happened::DeskChanged(Box::new(work)));
            }
        }
    }

    fn hand_row(&self, hand: &Hand) -> Option<DeskRow> {
        let step = match hand.call.and_then(|call| self.background.trying.get(&call)) {
            None => DeskStep::Over,
            Some(trying) if trying.phase == Phase::First => DeskStep::Agent,
            Some(trying) if trying.phase == Phase::Second => DeskStep::Callee,
            Some(_) if hand.answered.is_some() => DeskStep::Talk,
            Some(_) => DeskStep::Over,
        };
        self.desk_row(hand.row, Some(hand.task), step, hand.because.clone())
    }

    fn next_row(&self, now: Now, row: RowName, task: TaskId) -> Option<DeskRow> {
        let because = match self.background.dialing.explain(now, task)?.standing {
            Standing::Ready { because, .. } => because.iter().map(|why| why.to_string().into()).collect(),
            _ => Vec::new(),
        };
        self.desk_row(row, Some(task), DeskStep::Next, because)
    }

    fn desk_row(
        &self,
        (key, row): RowName,
        task: Option<TaskId>,
        step: DeskStep,
        because: Vec<Box<str>>,
    ) -> Option<DeskRow> {
        let list = self.lists.by_key(key)?;
        let sheet = &list.made.sheet.0;
        let entry = sheet.entry(row)?;
        let known = self.lists.desks.coming.get(&(key, row)).or_else(|| list.told.get(&row));
        let told = known.cloned().unwrap_or_default();
        let attempts = list.told.get(&row).map_or(&[][..], |told| &told.attempts);
        let attempt = |made: &super::super::Made| DeskAttempt {
            at: made.at,
            outcome: made.ended.map(|(_, outcome)| outcome),
            talked: made.talked,
            agent: made
                .agent
                .checked_sub(1)
                .and_then(|place| list.agents.get(usize::from(place)).cloned())
                .unwrap_or_default(),
        };
        Some(DeskRow {
            list: list.made.name.clone(),
            line: sheet.line(row).unwrap_or_default(),
            task,
            step,
            number: list.number(row).map(|number| number.to_string().into()).unwrap_or_default(),
            name: entry.name().into(),
            fields: sheet.fields(row).map(|(header, field)| (header.into(), field.into())).collect(),
            attempts: attempts.iter().map(attempt).collect(),
            because,
            result: told.result,
            note: told.note,
            not_before: told.not_before,
            end: told.end.map(|(_, end)| end),
        })
    }

    /// When the first of the rows that wait may be called.
    fn first_of_desk(&self, now: Now, desk: &Desk) -> Option<Wall> {
        let standing = |task: &TaskId| Some(self.background.dialing.explain(now, *task)?.standing);
        let waits = desk.fed.values().filter_map(|task| match standing(task)? {
            Standing::Waiting { until, .. } => Some(until),
            _ => None,
        });
        waits.min()
    }

    pub(super) fn counts_of(&self, account: &str) -> DeskCounts {
        let mut counts = DeskCounts::default();
        for list in &self.lists.lists {
            let Some(place) = list.agent_place(account) else { continue };
            let theirs = |row: &u32| list.owners.get(*row as usize) == Some(&place);
            counts.rows += list.owners.iter().filter(|owner| **owner == place).count();
            for (_, told) in list.told.iter().filter(|(row, _)| theirs(row)) {
                counts.attempts += told.attempts.len();
                counts.left += usize::from(told.end.is_some());
                counts.reached += usize::from(matches!(told.end, Some((_, End::Reached))));
            }
        }
        // What ended was counted.
        counts.left = counts.rows.saturating_sub(counts.left);
        counts
    }
}
