//! One phone of a scene: what it did is kept, so that a scene can wait for it and the ladder can draw it.

use ::phone::{Command, Event, Phone, Told, Trace};
use clock::Now;
use std::time::{Duration, Instant};

/// How long a scene waits for anything.
const PATIENCE: Duration = Duration::from_secs(8);

/// A phone with a name.
pub(super) struct Actor {
    pub(super) name: &'static str,
    /// At another exchange than ours.
    pub(super) outside: bool,
    phone: Phone,
    events: Vec<(Now, Event)>,
    /// Events before this were waited for already.
    seen: usize,
    pub(super) traces: Vec<Trace>,
}

impl Actor {
    pub(super) fn new(name: &'static str, phone: Phone, outside: bool) -> Actor {
        Actor { name, outside, phone, events: Vec::new(), seen: 0, traces: Vec::new() }
    }

    pub(super) fn tell(&self, command: Command) {
        self.phone.tell(command);
    }

    /// The next event that fits; those before it are passed by.
    pub(super) fn wait(&mut self, fits: impl Fn(&Event) -> bool) -> Result<(Now, Event), String> {
        let limit = Instant::now() + PATIENCE;
        loop {
            while let Some((at, event)) = self.events.get(self.seen).cloned() {
                self.seen += 1;
                if fits(&event) {
                    return Ok((at, event));
                }
            }
            let rest = limit.saturating_duration_since(Instant::now());
            if rest.is_zero() || !self.take(rest) {
                let last = self.events.iter().rev().map(|(_, event)| event);
                let last = last.into_iter().find(|event| !matches!(event, Event::Heard { .. }));
                return Err(format!("{}; the last that happened was {last:?}", self.name));
            }
        }
    }

    /// Passes by all that has happened so far.
    pub(super) fn forget_the_past(&mut self) {
        while self.take(Duration::ZERO) {}
        self.seen = self.events.len();
    }

    /// Ends the phone; its leaving is no part of the scene.
    pub(super) fn leave(&mut self) {
        while self.take(Duration::ZERO) {}
        let kept = self.traces.len();
        self.tell(Command::Quit);
        let limit = Instant::now() + PATIENCE;
        while self.take(limit.saturating_duration_since(Instant::now())) {}
        self.traces.truncate(kept);
    }

    fn take(&mut self, limit: Duration) -> bool {
        match self.phone.wait(limit) {
            Ok(Some(Told::Event(at, _, event))) => self.events.push((at, event)),
            Ok(Some(Told::Trace(trace))) => self.traces.push(trace),
            Ok(None) | Err(::phone::Gone) => return false,
        }
        true
    }
}
