//! Results that phones bring: each attempt counts once, whoever brings it how often.

use super::files::FileRequest;
use super::{ATTEMPTS, CallList, ListAnswer, ListChange, RESULTS, RowName};
use crate::exchange::Exchange;
use clock::{Now, Wall};
use dialing::End;
use dialing::cause::Outcome;
use lists::{Reported, Stands};
use std::collections::BTreeMap;

/// One attempt of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// By which run of a phone; with the ordinal it names the attempt.
    pub run: u32,
    /// Counts from one, over all phones.
    pub ordinal: u16,
    /// The place of its agent in the list, and one.
    pub agent: u16,
    /// When it began.
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

impl Progress {
    /// An attempt, in the place of what was known of it.
    pub(super) fn put(&mut self, made: Made) {
        match self.attempts.iter_mut().find(|known| (known.run, known.ordinal) == (made.run, made.ordinal)) {
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
        let named = (session.id, results.run.clone());
        let run = self.lists.runs.get(&named).copied().unwrap_or_else(|| {
            let run = self.lists.last_run + 1;
            changes.push(ListChange::Run { run, session: session.id, name: results.run.clone() });
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
        for (row, reported) in rows {
            let Some(list) = self.lists.by_key(row.0) else { continue };
            let Some(agent) = list.agent_place(&session.agent) else {
                unknown += reported.len();
                continue;
            };
            let merged = merged(list, row, run, agent, &reported);
            new += merged.iter().filter(|change| matches!(change, ListChange::Attempt { .. })).count();
            changes.extend(merged);
        }
        if kept {
            changes.push(ListChange::Session(Box::new(session)));
        }
        let known = results.rows.len().saturating_sub(new + unknown);
        Some((changes, ListAnswer::Taken { new, known, unknown }))
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
        if session.over.is_some() {
            // Whoever is signed out and has brought what is left, calls nobody.
            session.dropping.clear();
        }
        session.left = hash.into();
        let change = (session != before).then(|| ListChange::Session(Box::new(session)));
        Some((change.into_iter().collect(), ListAnswer::Taken { new: 0, known: 0, unknown: 0 }))
    }
}

/// What is new of one row.
fn merged(
    list: &CallList,
    (key, row): RowName,
    run: u32,
    agent: u16,
    reported: &[&Reported],
) -> Vec<ListChange> {
    let mut changes = Vec::new();
    let known = list.told.get(&row).cloned().unwrap_or_default();
    let mut told = known.clone();
    for one in reported {
        if let (1.., Some(at)) = (one.attempt, one.at) {
            let made = Made { run, ordinal: one.attempt, agent, at, ended: one.ended, talked: one.talked };
            let same = |known: &&Made| (known.run, known.ordinal) == (run, one.attempt);
            let before = told.attempts.iter().find(same).copied();
            let later = before.is_none_or(|before| before.ended.is_none() && before != made);
            if later && (before.is_some() || told.attempts.len() < ATTEMPTS) {
                told.put(made);
                changes.push(ListChange::Attempt { key, row, made });
            }
        }
        if let Some(stands) = &one.stands {
            stand(list, &mut told, row, (run, agent), stands, one);
        }
    }
    let plain = |told: &Progress| Progress { attempts: Vec::new(), ..told.clone() };
    if plain(&told) != plain(&known) {
        changes.push(ListChange::Row { key, row, told: plain(&told) });
    }
    changes
}

/// What a phone says of how a row stands: the first end counts, and only its own phone changes what it said.
fn stand(
    list: &CallList,
    told: &mut Progress,
    row: u32,
    (run, agent): (u32, u16),
    stands: &Stands,
    one: &Reported,
) {
    let owns = list.owners.get(row as usize) == Some(&agent);
    let same = told.run == run;
    let ended_elsewhere = told.end.is_some() && !same;
    // Who gave a row away says nothing of it but that it ended.
    if ended_elsewhere || (!owns && stands.end.is_none()) {
        return;
    }
    let at = one.ended.map(|(ended, _)| ended).or(one.at).unwrap_or_default();
    told.end = stands.end.map(|end| (at, end));
    told.run = run;
    told.result.clone_from(&stands.result);
    told.note.clone_from(&stands.note);
    told.not_before = stands.not_before;
}
