//! The trace of a run: a hash of everything, and the last events for whoever must find out why.

use crate::observed::{Observed, mix};
use clock::Mono;
use std::collections::VecDeque;

/// Events that are kept for a failure.
const KEPT: usize = 400;

/// The trace.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    events: u64,
    last: VecDeque<(Mono, Observed)>,
    all: Option<Vec<String>>,
}

impl Trace {
    /// An empty trace; `whole` keeps each event as a line.
    #[must_use]
    pub fn new(whole: bool) -> Trace {
        Trace { hash: 0, events: 0, last: VecDeque::with_capacity(KEPT), all: whole.then(Vec::new) }
    }

    /// Notes bytes that passed a door.
    pub fn bytes(&mut self, at: Mono, bytes: &[u8]) {
        self.hash = mix(self.hash ^ at.0, bytes);
    }

    /// Notes an event.
    pub fn event(&mut self, at: Mono, event: &Observed) {
        self.events += 1;
        let quiet =
            matches!(event, Observed::Settled { .. } | Observed::Live { .. } | Observed::Queues { .. });
        if !quiet && !matches!(event, Observed::Message(_)) {
            self.hash = mix(self.hash ^ at.0, event.to_string().as_bytes());
        }
        if quiet {
            return;
        }
        if let Some(all) = &mut self.all {
            all.push(format!("{at} {event}"));
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back((at, event.clone()));
    }

    /// One number for the whole run: the same seed gives the same.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many events there were.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// One line an event: seconds, where, what. The last of them, or all when all were kept.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        match &self.all {
            Some(all) => all.clone(),
            None => self.last.iter().map(|(at, event)| format!("{at} {event}")).collect(),
        }
    }
}
