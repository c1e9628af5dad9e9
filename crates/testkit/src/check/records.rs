//! One record a call, with one cause and one party to blame: each INVITE that was taken leaves exactly one record in
//! the store, and its status is what the caller was told.

use super::Checker;
use crate::observed::{Observed, OfficeId};
use calls::{CallId, CallRecord};
use clock::Mono;
use std::collections::{BTreeMap, BTreeSet};
use wire::sip::Method;

/// See the file's first lines.
#[derive(Debug, Default)]
pub struct OneRecord {
    /// Calls that were taken (100 was said), by the caller's Call-ID.
    taken: BTreeMap<OfficeId, BTreeSet<Box<str>>>,
    handed: BTreeMap<OfficeId, BTreeMap<CallId, CallRecord>>,
    kept: BTreeMap<OfficeId, BTreeSet<CallId>>,
    sessions: BTreeMap<(OfficeId, Box<str>), Box<str>>,
    /// What callers were told at last, by call.
    finals: BTreeMap<(OfficeId, Box<str>), BTreeSet<u16>>,
}

impl Checker for OneRecord {
    fn name(&self) -> &'static str {
        "one record a call"
    }

    fn see(&mut self, _at: Mono, event: &Observed) -> Result<(), String> {
        match event {
            Observed::Message(seen) => {
                let key = (seen.office, seen.call_id.clone());
                if !seen.outgoing && seen.begins() {
                    self.sessions.insert(key, seen.session.clone());
                } else if seen.outgoing && seen.answers(Method::Invite) {
                    if seen.status == 100 && seen.to_tag.is_empty() {
                        self.taken.entry(seen.office).or_default().insert(seen.call_id.clone());
                    }
                    if seen.status >= 200
                        && let Some(session) = self.sessions.get(&key)
                    {
                        let told = self.finals.entry((seen.office, session.clone())).or_default();
                        told.insert(seen.status);
                    }
                }
                Ok(())
            }
            Observed::Fact { office, fact } if *fact.rule == *"task.call" => {
                // A call that the exchange itself makes.
                self.taken.entry(*office).or_default().insert(fact.subject.clone());
                Ok(())
            }
            Observed::Record { office, record } => self.handed(*office, record),
            Observed::KeptRecord { office, record } => {
                let kept = self.kept.entry(*office).or_default();
                if kept.insert(record.call) {
                    Ok(())
                } else {
                    Err(format!("the call to {} was recorded twice", record.dialled))
                }
            }
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), String> {
        for (office, taken) in &self.taken {
            let kept = self.kept.get(office).map_or(0, BTreeSet::len);
            if kept != taken.len() {
                return Err(format!("office {office} took {} calls and kept {kept} records", taken.len()));
            }
        }
        for (office, records) in &self.handed {
            for record in records.values() {
                let told = self.finals.get(&(*office, (*record.session_id).into()));
                if told.is_some_and(|told| !told.contains(&record.status)) {
                    let words = format!("the caller was told {told:?} and the record says {}", record.status);
                    return Err(format!("call to {}: {words}", record.dialled));
                }
            }
        }
        Ok(())
    }
}

impl OneRecord {
    fn handed(&mut self, office: OfficeId, record: &CallRecord) -> Result<(), String> {
        if record.blame != record.cause.blame() {
            return Err(format!("{} blames {}", record.cause, record.blame));
        }
        // Whoever waited with us was told 200, and nobody answered.
        let told = self.finals.get(&(office, (*record.session_id).into()));
        let waited = record.status == 200 && told.is_some_and(|told| told.contains(&200));
        let answered = record.answered.is_some() || waited;
        if record.status < 200 || (record.status < 300) != answered {
            return Err(format!("status {} and answered {:?}", record.status, record.answered));
        }
        let handed = self.handed.entry(office).or_default();
        match handed.insert(record.call, record.clone()) {
            // The same again is a second try with the store.
            Some(first) if first != *record => Err(format!("two records of one call: {first:?}, {record:?}")),
            _ => Ok(()),
        }
    }
}
