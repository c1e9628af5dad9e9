//! The queue of one webhook, pure: what happens to it comes in with the time, what has to be kept and sent goes out.
//!
//! ```text
//!                          Answer: 2xx
//!            .---------------------------------> (gone)
//! Event -> waiting --Send--> in flight --failed--> waits longer and longer, and the head with it
//!            |                               |
//!            '--queue full--> dead letters <-'--a day old     dead letters --Replay--> waiting
//! ```
//! One is in flight at a time and the head goes first, so that a receiver hears in order. What goes out as
//! [`Output::Keep`] has to be kept before anything else of the same input is done: then an event is in the store
//! before it is tried, and whatever dies with us is sent once more.

use crate::backend::Document;
use clock::{Mono, Now, Wall};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Events that wait, and their octets; beyond, the oldest become dead letters.
pub(crate) const WAITING: usize = 1_000;
const WAITING_OCTETS: usize = 2 << 20;
/// Dead letters, and their octets; beyond, the oldest are forgotten.
const DEAD: usize = 1_000;
const DEAD_OCTETS: usize = 2 << 20;

/// The kinds of what is kept.
pub(crate) const EVENT: &str = "webhook-event";
pub(crate) const LETTER: &str = "webhook-letter";

/// How long and how often something is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// After the first failure; each further one doubles it.
    pub(crate) first: Duration,
    /// Between two attempts at most.
    pub(crate) longest: Duration,
    /// An event that is so old when an attempt fails becomes a dead letter.
    pub(crate) lives: Duration,
    /// A dead letter is kept so long.
    pub(crate) letters: Duration,
}

impl Default for Schedule {
    fn default() -> Schedule {
        let hours = |count: u64| Duration::from_secs(count * 3_600);
        let first = Duration::from_secs(2);
        Schedule { first, longest: hours(2), lives: hours(24), letters: hours(7 * 24) }
    }
}

impl Schedule {
    /// How long to wait after so many failures in a row. `dice` is random: up to a fifth more or less, so that those
    /// who wait for the same receiver do not come all at once.
    fn pause(&self, failures: u32, retry_after: Option<Duration>, dice: u8) -> Duration {
        if let Some(asked) = retry_after {
            return asked.clamp(self.first.min(self.longest), self.longest);
        }
        let doubled = self.first.saturating_mul(1 << failures.saturating_sub(1).min(30));
        doubled.min(self.longest) * (800 + 400 * u32::from(dice) / 255) / 1_000
    }
}

/// An event that is to be delivered, or that was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Its own name: the same at each attempt and for each webhook.
    pub(crate) id: String,
    /// As in `call.ended`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// What it is about.
    pub(crate) subject: String,
    /// What is sent.
    pub(crate) body: String,
}

/// An event in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its place in the order.
    pub(crate) place: u64,
    pub(crate) event: Arc<Event>,
    /// When it was queued; for a dead letter, when it became one. Milliseconds since 1970 UTC.
    pub(crate) since: i64,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// Why it is dead, or what went wrong last; empty if nothing did.
    pub(crate) why: String,
}

/// An entry as it is kept, under its place.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    #[serde(flatten)]
    event: Cow<'a, Event>,
    since: i64,
    attempts: u32,
    why: Cow<'a, str>,
}

/// What happens to a queue.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// Something for the receiver.
    Event(Arc<Event>),
    /// The event in this place was delivered.
    Delivered(u64),
    /// The event in this place was not.
    Failed {
        place: u64,
        why: String,
        /// How long the receiver asks us to wait.
        retry_after: Option<Duration>,
        /// The receiver is gone for good (410).
        gone: bool,
        /// Random.
        dice: u8,
    },
    /// From now on events are delivered.
    Start,
    /// From now on nothing is.
    Pause,
    /// This dead letter, or all for which there is room, is to be delivered after all.
    Replay(Option<u64>),
    /// It is time to look.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Keep this; all of one input together, before the rest.
    Keep(Document),
    /// Try this.
    Send { place: u64, event: Arc<Event> },
    /// It was put among the dead letters.
    Died,
    /// So many dead letters wait again.
    Replayed(usize),
    /// The receiver said that it is gone.
    Gone,
}

/// The queue of one webhook.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    /// The webhook's name.
    of: String,
    schedule: Schedule,
    on: bool,
    waiting: VecDeque<Arc<Entry>>,
    letters: VecDeque<Arc<Entry>>,
    next: u64,
    in_flight: Option<u64>,
    /// Failures in a row.
    failures: u32,
    /// When the head may be tried.
    ready: Mono,
}

impl Queue {
    /// An empty queue of a webhook.
    pub(crate) fn new(of: &str, schedule: Schedule, on: bool) -> Queue {
        Queue {
            of: of.into(),
            schedule,
            on,
            waiting: VecDeque::new(),
            letters: VecDeque::new(),
            next: 1,
            in_flight: None,
            failures: 0,
            ready: Mono(0),
        }
    }

    /// Takes what was kept, in any order: an event that waits, or a dead letter. False when it cannot be read.
    pub(crate) fn load(&mut self, kind: &str, place: &str, text: &str) -> bool {
        let (Ok(place), Ok(kept)) = (place.parse::<u64>(), serde_json::from_str::<Kept<'_>>(text)) else {
            return false;
        };
        let Kept { event, since, attempts, why } = kept;
        let event = Arc::new(event.into_owned());
        let entry = Entry { place, event, since, attempts, why: why.into_owned() };
        let list = if kind == LETTER { &mut self.letters } else { &mut self.waiting };
        let at = list.partition_point(|known| known.place < place);
        list.insert(at, Arc::new(entry));
        self.next = self.next.max(place + 1);
        true
    }

    /// What comes of an input.
    pub(crate) fn handle(&mut self, now: Now, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Event(event) if self.on => self.enter(now, event, &mut out),
            Input::Event(_) => {}
            Input::Delivered(place) => self.delivered(place, &mut out),
            Input::Failed { place, why, retry_after, gone, dice } => {
                let pause = self.schedule.pause(self.failures + 1, retry_after, dice);
                self.failed(now, place, &why, pause, &mut out);
                if gone {
                    self.on = false;
                    out.push(Output::Gone);
                }
            }
            Input::Start => {
                // Whoever switches it on wants to see at once whether it works.
                (self.on, self.failures, self.ready) = (true, 0, now.mono);
            }
            Input::Pause => self.on = false,
            Input::Replay(which) => self.replay(now, which, &mut out),
            Input::Tick => self.tick(now, &mut out),
        }
        out
    }

    /// How long until a tick has something to do: the head may be tried, or a dead letter is over. The first waits by
    /// one clock and the second is kept by the other, so it is a time from now (R18).
    pub(crate) fn next_deadline(&self, now: Now) -> Option<Duration> {
        let may = self.on && self.in_flight.is_none() && !self.waiting.is_empty();
        let send = may.then(|| Duration::from_micros(self.ready.0.saturating_sub(now.mono.0)));
        let left = |letter: &Arc<Entry>| self.schedule.letters.saturating_sub(age(letter, now.wall));
        [send, self.letters.iter().map(left).min()].into_iter().flatten().min()
    }

    /// Events that wait, the head first.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The dead letters, the oldest first.
    pub(crate) fn letters(&self) -> &VecDeque<Arc<Entry>> {
        &self.letters
    }

    /// Failures in a row, and what went wrong last.
    pub(crate) fn trouble(&self) -> Option<(u32, &str)> {
        let head = self.waiting.front()?;
        (self.failures > 0).then_some((self.failures, head.why.as_str()))
    }

    /// The end of all that is kept of it.
    pub(crate) fn remove(&self) -> Vec<Document> {
        let gone = |kind| move |entry: &Arc<Entry>| self.document(kind, entry.place, None);
        self.waiting.iter().map(gone(EVENT)).chain(self.letters.iter().map(gone(LETTER))).collect()
    }

    fn enter(&mut self, now: Now, event: Arc<Event>, out: &mut Vec<Output>) {
        let entry = Entry { place: self.next, event, since: now.wall.0, attempts: 0, why: String::new() };
        self.next += 1;
        out.push(self.keep(EVENT, &entry));
        self.waiting.push_back(Arc::new(entry));
        while self.waiting.len() > WAITING || octets(&self.waiting) > WAITING_OCTETS {
            // What is in flight may arrive at this moment.
            let oldest = usize::from(self.in_flight.is_some());
            let Some(entry) = self.waiting.remove(oldest) else { break };
            self.bury(now, &entry, "the queue was full", out);
        }
    }

    fn delivered(&mut self, place: u64, out: &mut Vec<Output>) {
        if self.in_flight.take_if(|flying| *flying == place).is_none() {
            return;
        }
        (self.failures, self.ready) = (0, Mono(0));
        if self.waiting.pop_front_if(|head| head.place == place).is_some() {
            out.push(Output::Keep(self.document(EVENT, place, None)));
        }
    }

    fn failed(&mut self, now: Now, place: u64, why: &str, pause: Duration, out: &mut Vec<Output>) {
        if self.in_flight.take_if(|flying| *flying == place).is_none() {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        self.ready = now.mono + pause;
        let Some(head) = self.waiting.pop_front_if(|head| head.place == place) else { return };
        let tried = Entry { attempts: head.attempts.saturating_add(1), why: why.into(), ..(*head).clone() };
        let is_old = |entry: &Entry| age(entry, now.wall) >= self.schedule.lives;
        if !is_old(&tried) {
            out.push(self.keep(EVENT, &tried));
            return self.waiting.push_front(Arc::new(tried));
        }
        // Whatever came about then meets the same receiver, which has taken nothing since.
        let old = self.waiting.partition_point(|entry| is_old(entry));
        let rest = self.waiting.split_off(old);
        let over = std::mem::replace(&mut self.waiting, rest);
        self.bury(now, &tried, why, out);
        for entry in over {
            self.bury(now, &entry, why, out);
        }
    }

    /// Puts an event that is not in the queue any more among the dead letters.
    fn bury(&mut self, now: Now, entry: &Entry, why: &str, out: &mut Vec<Output>) {
        let letter = Entry { since: now.wall.0, why: why.into(), ..entry.clone() };
        out.push(Output::Keep(self.document(EVENT, entry.place, None)));
        out.push(self.keep(LETTER, &letter));
        out.push(Output::Died);
        // In the order in which they came about, not in that of their death.
        let at = self.letters.partition_point(|known| known.place < letter.place);
        self.letters.insert(at, Arc::new(letter));
        while self.letters.len() > DEAD || octets(&self.letters) > DEAD_OCTETS {
            let Some(oldest) = self.letters.pop_front() else { break };
            out.push(Output::Keep(self.document(LETTER, oldest.place, None)));
        }
    }

    fn replay(&mut self, now: Now, which: Option<u64>, out: &mut Vec<Output>) {
        let mut replayed = 0;
        let mut left = VecDeque::new();
        for letter in std::mem::take(&mut self.letters) {
            let room = self.waiting.len() < WAITING
                && octets(&self.waiting) + letter.event.body.len() <= WAITING_OCTETS;
            if !room || which.is_some_and(|place| place != letter.place) {
                left.push_back(letter);
                continue;
            }
            out.push(Output::Keep(self.document(LETTER, letter.place, None)));
            let event = Arc::clone(&letter.event);
            let entry = Entry { place: self.next, event, since: now.wall.0, attempts: 0, why: String::new() };
            self.next += 1;
            out.push(self.keep(EVENT, &entry));
            self.waiting.push_back(Arc::new(entry));
            replayed += 1;
        }
        self.letters = left;
        out.push(Output::Replayed(replayed));
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        let over = |letter: &Arc<Entry>| age(letter, now.wall) >= self.schedule.letters;
        for letter in self.letters.iter().filter(|letter| over(letter)) {
            out.push(Output::Keep(self.document(LETTER, letter.place, None)));
        }
        self.letters.retain(|letter| !over(letter));
        if self.on
            && self.in_flight.is_none()
            && self.ready <= now.mono
            && let Some(head) = self.waiting.front()
        {
            self.in_flight = Some(head.place);
            out.push(Output::Send { place: head.place, event: Arc::clone(&head.event) });
        }
    }

    fn keep(&self, kind: &str, entry: &Entry) -> Output {
        // What is derived from our own types can always be written.
        let event = Cow::Borrowed(&*entry.event);
        let (since, attempts, why) = (entry.since, entry.attempts, Cow::Borrowed(entry.why.as_str()));
        let text = serde_json::to_string(&Kept { event, since, attempts, why }).unwrap_or_default();
        Output::Keep(self.document(kind, entry.place, Some(text)))
    }

    fn document(&self, kind: &str, place: u64, text: Option<String>) -> Document {
        Document { kind: kind.into(), id: format!("{}/{place:012}", self.of), text }
    }
}

fn age(entry: &Entry, now: Wall) -> Duration {
    Duration::from_millis(u64::try_from(now.0 - entry.since).unwrap_or(0))
}

fn octets(list: &VecDeque<Arc<Entry>>) -> usize {
    list.iter().map(|entry| entry.event.body.len()).sum()
}
