//! Background calls: an attempt is called once, and only when its claim is written down; one attempt is in flight per
//! number; each result has its claim. What was claimed before an exchange died is never called after.

use super::Checker;
use crate::observed::{Observed, OfficeId};
use clock::Mono;
use dialing::{AttemptId, Number, Row, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct Tasks {
    /// Attempts whose claim is kept and whose result is not, by number.
    claimed: BTreeMap<(OfficeId, Number), AttemptId>,
    /// Attempts that were ever claimed.
    ever: BTreeSet<(OfficeId, AttemptId)>,
    /// Of those, the ones that were claimed before the exchange died.
    lost: BTreeSet<(OfficeId, AttemptId)>,
    /// Tasks whose end is kept.
    ended: BTreeSet<(OfficeId, TaskId)>,
    /// Own calls by what their fact says: each attempt has one.
    called: BTreeMap<(OfficeId, Box<str>), Box<str>>,
}

impl Checker for Tasks {
    fn name(&self) -> &'static str {
        "background calls keep their promises"
    }

    fn outlives(&self) -> bool {
        true
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::Died { office } => {
                self.lost.extend(self.ever.iter().filter(|(of, _)| of == office));
                Ok(())
            }
            Observed::KeptTask { office, change } => self.kept(*office, &change.row),
            Observed::Fact { office, fact } if *fact.rule == *"task.call" => {
                let attempt = attempt_of(&fact.words).map(|id| (*office, id));
                if !attempt.is_some_and(|attempt| self.ever.contains(&attempt)) {
                    return Err(format!("{} is made and its claim is not kept", fact.words));
                }
                if attempt.is_some_and(|attempt| self.lost.contains(&attempt)) {
                    return Err(format!("{} is made, and was claimed before a death", fact.words));
                }
                let key = (*office, fact.words.clone());
                match self.called.insert(key, fact.subject.clone()) {
                    // The same fact again is a second try with the store.
                    Some(before) if before != fact.subject => Err(format!("{} was made twice", fact.words)),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

/// `attempt 2 of task 7`
fn attempt_of(words: &str) -> Option<AttemptId> {
    let (ordinal, task) = words.strip_prefix("attempt ")?.split_once(" of task ")?;
    Some(AttemptId { task: TaskId(task.parse().ok()?), ordinal: ordinal.parse().ok()? })
}

impl Tasks {
    fn kept(&mut self, office: OfficeId, row: &Row) -> Result<(), String> {
        match row {
            Row::Claim(attempt) => {
                let key = (office, attempt.number);
                match self.claimed.insert(key, attempt.id) {
                    Some(before) if before != attempt.id => {
                        return Err(format!(
                            "{} is called for {before:?} and {:?}",
                            attempt.number, attempt.id
                        ));
                    }
                    _ => {}
                }
                self.ever.insert((office, attempt.id));
                match self.ended.contains(&(office, attempt.id.task)) {
                    true => Err(format!("{:?} is claimed, and its task is over", attempt.id)),
                    false => Ok(()),
                }
            }
            Row::Result(attempt) => {
                self.claimed.remove(&(office, attempt.number));
                match self.ever.contains(&(office, attempt.id)) {
                    true => Ok(()),
                    false => Err(format!("{:?} has a result and no claim", attempt.id)),
                }
            }
            Row::End { task, .. } => {
                self.ended.insert((office, *task));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
