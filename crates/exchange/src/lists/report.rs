//! Results that phones bring: each attempt counts once, whoever brings it how often.

use super::files::FileRequest;
use super::{ATTEMPTS, CallList, ListAnswer, ListChange, RESULTS, RowName};
use crate::exchange::Exchange;
use clock::{Now, Wall};
use dialing::cause::Outcome;
use dialing::{End, Number};
use lists::{Reported, Stands};
use std::collections::{BTreeMap, BTreeSet};

/// One attempt of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The run of a phone whose journal has it.
    pub run: u32,
    /// Counts from one, over all phones; with the beginning it names the attempt.
    pub ordinal: u16,
    /// The place of its agent in the list, and one.
    pub agent: u16,
    /// When it began, as it was told first.
    pub at: Wall,
    /// When and how it ended.
    pub ended: Option<(Wall, Outcome)>,
    /// Seconds that were talked.
    pub talked: u32,
}

/// What is known of a row that was begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// What was tried, in order.
    pub attempts: Vec<Made>,
    /// When and how it ended.
    pub end: Option<(Wall, End)>,
    /// The run that said so.
    pub run: u32,
    /// What came of it.
    pub result: Box<str>,
    /// A note.
    pub note: Box<str>,
    /// Not called before.
    pub not_before: Option<Wall>,
}

/// Beginnings are told in whole seconds, upwards, until the end is known.
const SAME: u64 = 2_000;

impl Made {
    /// Whether a report of an agent is about this attempt. A phone that was started anew brings its attempts again, by another
    /// run; of one that was cut off it then says that it is lost, and no longer when it began.
    fn is(&self, agent: u16, ordinal: u16, at: Wall) -> bool {
        let cut_off = self.ended.is_none() && self.agent == agent;
        self.ordinal == ordinal && (cut_off || self.at.0.abs_diff(at.0) <= SAME)
    }
}

impl Progress {
    /// An attempt, in the place of what was known of it.
    pub(super) fn put(&mut self, made: Made) {
        match self.attempts.iter_mut().find(|known| known.is(made.agent, made.ordinal, made.at)) {
            Some(known) => *known = made,
            None => {
                self.attempts.push(made);
                self.attempts.sort_by_key(|made| (made.at, made.ordinal));
            }
        }
    }
}

/// Results that a phone brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results {
    /// Who brings them.
    pub from: FileRequest,
    /// By what the phone names the file that it works with.
    pub file: Box<str>,
    /// What it calls its run.
    pub run: Box<str>,
    /// At most [`RESULTS`].
    pub rows: Vec<Reported>,
}

impl Exchange {
    /// Takes results; the answer says how many were new.
    pub(super) fn take_results(
        &mut self,
        now: Now,
        results: &Results,
    ) -> Option<(Vec<ListChange>, ListAnswer)> {
        let mut session = self.session_for(now, &results.from)?;
        let mut changes = Vec::new();
        let mut kept = self.acknowledged(&mut session, &results.file);
        let name: Box<str> = format!("{}/{}", session.agent, results.run).into();
        let run = self.lists.runs.get(&name).map(|(run, _)| *run).unwrap_or_else(|| {
            let run = self.lists.last_run + 1;
            changes.push(ListChange::Run { run, session: session.id, name });
            if session.over.is_none() {
                (session.run, kept) = (run, true);
            }
            run
        });
        let mut rows: BTreeMap<RowName, Vec<&Reported>> = BTreeMap::new();
        let mut unknown = 0;
        for row in results.rows.iter().take(RESULTS) {
            let named =
                self.lists.lists.iter().find_map(|list| Some((list.key, list.made.sheet.row(row.task)?)));
            match named {
                Some(named) => rows.entry(named).or_default().push(row),
                None => unknown += 1,
            }
        }
        let mut new = 0;
        // What the phone knows that works by this link now, its file leaves out.
        let current = session.over.is_none() && session.run == run;
        for (row, reported) in rows {
            let Some(list) = self.lists.by_key(row.0) else { continue };
            let Some(agent) = list.agent_place(&session.agent) else {
                unknown += reported.len();
                continue;
            };
            let by = By { run, agent, current };
            let (merged, more) = merged(list, row, by, &reported);
            new += more;
            changes.extend(merged);
        }
        changes.extend(self.forbidden_elsewhere(&changes));
        if kept {
            changes.push(ListChange::Session(Box::new(session)));
        }
        let known = results.rows.len().saturating_sub(new + unknown);
        Some((changes, ListAnswer::Taken { new, known, unknown }))
    }

    /// Whoever wants no more calls gets none by any other row.
    fn forbidden_elsewhere(&self, changes: &[ListChange]) -> Vec<ListChange> {
        let forbidden = |change: &ListChange| match change {
            ListChange::Row { key, row, told } => {
                told.end.filter(|(_, end)| *end == End::Forbidden).and(self.lists.number((*key, *row)))
            }
            _ => None,
        };
        let numbers: BTreeSet<Number> = changes.iter().filter_map(forbidden).collect();
        let changed: BTreeSet<RowName> = changes
            .iter()
            .filter_map(|change| match change {
                ListChange::Row { key, row, .. } => Some((*key, *row)),
                _ => None,
            })
            .collect();
        let at = |change: &ListChange| match change {
            ListChange::Row { told, .. } => told.end.map(|(at, _)| at),
            _ => None,
        };
        let at = changes.iter().find_map(at).unwrap_or_default();
        self.forbidden_rows(at, &numbers, |row| changed.contains(&row))
    }

    /// The open rows of these numbers end, but for some.
    pub(super) fn forbidden_rows(
        &self,
        at: Wall,
        numbers: &BTreeSet<Number>,
        but: impl Fn(RowName) -> bool,
    ) -> Vec<ListChange> {
        if numbers.is_empty() {
            return Vec::new();
        }
        let all = self.lists.lists.iter().flat_map(|list| list.rows().map(move |row| (list, row)));
        let open = all.filter(|(list, row)| list.is_open(*row) && !but((list.key, *row)));
        let same =
            open.filter(|(list, row)| list.number(*row).is_some_and(|number| numbers.contains(&number)));
        same.map(|(list, row)| ListChange::Row {
            key: list.key,
            row,
            told: Progress { end: Some((at, End::Forbidden)), ..Progress::default() },
        })
        .collect()
    }

    /// The phone said what is left: by what it names that, the next phone is told from it.
    pub(super) fn take_left(
        &mut self,
        now: Now,
        from: &FileRequest,
        file: &str,
        hash: &str,
    ) -> Option<(Vec<ListChange>, ListAnswer)> {
        let mut session = self.session_for(now, from)?;
        let before = session.clone();
        self.acknowledged(&mut session, file);
        session.left = hash.into();
        let change = (session != before).then(|| ListChange::Session(Box::new(session)));
        Some((change.into_iter().collect(), ListAnswer::Taken { new: 0, known: 0, unknown: 0 }))
    }
}

/// Who reports.
#[derive(Clone, Copy)]
struct By {
    run: u32,
    agent: u16,
    /// The phone that works for the agent now.
    current: bool,
}

/// What is new of one row, and how many attempts are.
fn merged(list: &CallList, (key, row): RowName, by: By, reported: &[&Reported]) -> (Vec<ListChange>, usize) {
    let (mut changes, mut new) = (Vec::new(), 0);
    let known = list.told.get(&row).cloned().unwrap_or_default();
    let mut told = known.clone();
    for one in reported {
        if let (1.., Some(at)) = (one.attempt, one.at) {
            let before = told.attempts.iter().find(|known| known.is(by.agent, one.attempt, at)).copied();
            let made = match before {
                None => Made {
                    run: by.run,
                    ordinal: one.attempt,
                    agent: by.agent,
                    at,
                    ended: one.ended,
                    talked: one.talked,
                },
                Some(before) => {
                    let run = if by.current { by.run } else { before.run };
                    let (ended, talked) = match before.ended {
                        Some(_) => (before.ended, before.talked),
                        None => (one.ended, one.talked),
                    };
                    Made { run, ended, talked, ..before }
                }
            };
            if before != Some(made) && (before.is_some() || told.attempts.len() < ATTEMPTS) {
                new += usize::from(before.is_none());
                told.put(made);
                changes.push(ListChange::Attempt { key, row, made });
            }
        }
        if let Some(stands) = &one.stands {
            stand(list, &mut told, row, by, stands, one);
        }
    }
    let plain = |told: &Progress| Progress { attempts: Vec::new(), ..told.clone() };
    if plain(&told) != plain(&known) {
        changes.push(ListChange::Row { key, row, told: plain(&told) });
    }
    (changes, new)
}

/// What a phone says of how a row stands: the first end counts, and only its own phone changes what it said.
fn stand(list: &CallList, told: &mut Progress, row: u32, by: By, stands: &Stands, one: &Reported) {
    let owns = list.owners.get(row as usize) == Some(&by.agent);
    if let Some((_, end)) = told.end
        && told.run != by.run
    {
        // The same phone after a new start knows it as well.
        if by.current && stands.end == Some(end) {
            told.run = by.run;
        }
        return;
    }
    // Who gave a row away says nothing of it but that it ended; so does a phone of before.
    if stands.end.is_none() && !(owns && (by.current || told.run == by.run || told.run == 0)) {
        return;
    }
    let at = one.ended.map(|(ended, _)| ended).or(one.at).unwrap_or_default();
    told.end = stands.end.map(|end| (at, end));
    told.run = by.run;
    told.result.clone_from(&stands.result);
    told.note.clone_from(&stands.note);
    told.not_before = stands.not_before;
}
