//! The hub: the last events in a ring, from which each reader reads at its own pace.
//!
//! ```text
//! core --try_send--> bounded queue --> the hub's task --> ring of the last events <-- readers, each with its place
//! ```
//! Nobody waits for a reader. Who is so slow that the ring has gone on hears how many it missed. Numbers have a gap where
//! something was lost, too, so that one rule finds both. While nobody listens, the exchange tells nothing.
//!
//! Where several exchanges have one office, what only one of them knows ([`exchange::Happened::is_of_one`]) is told to the hubs of
//! the others whose users listen.

use super::item::{Draft, Item, name};
use crate::backend::{Figure, Kind};
use crate::rest::Api;
use exchange::Event;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Events that are kept.
pub(super) const ITEMS: usize = 8_192;
/// Octets of them.
const OCTETS: usize = 8 << 20;
/// Events on their way from the core.
const QUEUE: usize = 4_096;
/// Readers in all.
const READERS: usize = 2_000;
/// Readers of one session or token.
pub(super) const READERS_OF_ONE: usize = 16;
/// Items that a reader takes at once.
const AT_ONCE: usize = 64;
/// How long the exchange goes on telling after the last reader left: it may be back in a moment.
const LINGER: Duration = Duration::from_secs(60);

/// The way of events from the exchange to whoever hears them. Never waits.
#[derive(Clone, Debug)]
pub struct EventSink {
    queue: mpsc::Sender<Box<Event>>,
    lost: Arc<AtomicU64>,
    others: Arc<AtomicBool>,
}

impl EventSink {
    /// Tells an event. When there is no room, those who hear events are told that they missed one.
    pub fn tell(&self, event: Box<Event>) {
        if self.queue.try_send(event).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether users of another exchange with the same office listen.
    pub fn others_listen(&self, listen: bool) {
        self.others.store(listen, Ordering::Relaxed);
    }
}

/// Tells the exchange whether anybody listens; false when it cannot be told now.
type Listen = Box<dyn Fn(bool) -> bool + Send + Sync>;

/// Tells others an event; `None` that they missed some. False when that cannot be done now.
type Spread = Box<dyn Fn(Option<String>) -> bool + Send + Sync>;

pub(crate) struct Hub {
    state: Mutex<State>,
    /// The number of the newest event.
    news: watch::Sender<u64>,
    sink: EventSink,
    source: Mutex<Option<mpsc::Receiver<Box<Event>>>>,
    listen: OnceLock<Listen>,
    /// Events that never came into the ring.
    dropped: AtomicU64,
    /// Events that the ring had no longer, over all readers.
    missed: AtomicU64,
}

struct State {
    ring: Ring,
    readers: BTreeMap<String, usize>,
    listening: bool,
    /// When the last reader left.
    alone_since: Option<Instant>,
}

/// The last events.
#[derive(Debug)]
pub(super) struct Ring {
    epoch: String,
    last: u64,
    items: VecDeque<Arc<Item>>,
    octets: usize,
}

/// Why there is no place for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// This session or token has enough of them.
    Own,
    /// There are enough in all.
    All,
    /// The exchange does not answer.
    Gone,
}

/// What a reader takes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Events that are no longer there, before the items.
    pub(crate) missed: u64,
    pub(crate) items: Vec<Arc<Item>>,
}

impl Ring {
    pub(super) fn new(epoch: String) -> Ring {
        Ring { epoch, last: 0, items: VecDeque::new(), octets: 0 }
    }

    pub(super) fn push(&mut self, draft: Draft) {
        self.last += 1;
        let item = Arc::new(draft.numbered(&self.epoch, self.last));
        self.octets += item.text.len();
        self.items.push_back(item);
        while self.items.len() > ITEMS || self.octets > OCTETS {
            let Some(oldest) = self.items.pop_front() else { break };
            self.octets -= oldest.text.len();
        }
    }

    /// So many events were never here.
    pub(super) fn skip(&mut self, lost: u64) {
        self.last += lost;
    }

    /// What comes after a number, up to the next gap; the number moves on.
    pub(super) fn after(&self, place: &mut u64) -> Taken {
        let from = self.items.partition_point(|item| item.number <= *place);
        let next = self.items.get(from).map_or(self.last + 1, |item| item.number);
        let missed = next.saturating_sub(*place + 1);
        *place += missed;
        let mut items = Vec::new();
        for item in self.items.iter().skip(from).take(AT_ONCE) {
            if item.number != *place + 1 {
                break;
            }
            *place = item.number;
            items.push(Arc::clone(item));
        }
        Taken { missed, items }
    }

    /// The place that an event's name stands for; `None` if it is of another life, or of none.
    pub(super) fn place_of(&self, id: &str) -> Option<u64> {
        let (epoch, number) = id.rsplit_once('-')?;
        let number: u64 = number.parse().ok()?;
        (epoch == self.epoch && number <= self.last).then_some(number)
    }
}

impl Hub {
    /// `epoch` tells this life of the exchange from all others.
    pub(crate) fn new(epoch: String) -> Hub {
        let (queue, source) = mpsc::channel(QUEUE);
        Hub {
            state: Mutex::new(State {
                ring: Ring::new(epoch),
                readers: BTreeMap::new(),
                listening: false,
                alone_since: None,
            }),
            news: watch::Sender::new(0),
            sink: EventSink { queue, lost: Arc::default(), others: Arc::default() },
            source: Mutex::new(Some(source)),
            listen: OnceLock::new(),
            dropped: AtomicU64::new(0),
            missed: AtomicU64::new(0),
        }
    }

    pub(crate) fn sink(&self) -> EventSink {
        self.sink.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a reader, from which on the exchange tells. `after` is the name of the last event that it had: with
    /// one that is not known, it begins with an event missed.
    pub(crate) fn open(self: &Arc<Hub>, whose: &str, after: Option<&str>) -> Result<Reading, NoPlace> {
        let mut state = self.state();
        if state.readers.values().sum::<usize>() >= READERS {
            return Err(NoPlace::All);
        }
        if state.readers.get(whose).is_some_and(|own| *own >= READERS_OF_ONE) {
            return Err(NoPlace::Own);
        }
        if !state.listening {
            if !self.listen.get().is_some_and(|listen| listen(true)) {
                return Err(NoPlace::Gone);
            }
            state.listening = true;
            // What happened meanwhile was told to nobody.
            state.ring.skip(1);
        }
        *state.readers.entry(whose.into()).or_default() += 1;
        state.alone_since = None;
        let last = state.ring.last;
        let known = after.map(|id| state.ring.place_of(id));
        let (place, unknown) = match known {
            None => (last, false),
            Some(Some(place)) => (place, false),
            Some(None) => (last, true),
        };
        Ok(Reading {
            hub: Arc::clone(self),
            whose: whose.into(),
            place,
            unknown,
            news: self.news.subscribe(),
        })
    }

    /// Puts an event into the ring; tells how many were lost before it.
    fn push(&self, draft: Draft) -> u64 {
        let lost = self.sink.lost.swap(0, Ordering::Relaxed);
        self.dropped.fetch_add(lost, Ordering::Relaxed);
        let last = {
            let mut state = self.state();
            state.ring.skip(lost);
            state.ring.push(draft);
            state.ring.last
        };
        self.news.send_replace(last);
        lost
    }

    /// So many events never came here.
    fn lose(&self, lost: u64) {
        let last = {
            let mut state = self.state();
            state.ring.skip(lost);
            state.ring.last
        };
        self.news.send_replace(last);
    }

    /// An event of another exchange; without one, it is not known what happened there.
    pub(crate) fn heard(&self, event: Option<&str>) {
        match event.and_then(Draft::of_another) {
            Some(draft) => _ = self.push(draft),
            None => self.lose(1),
        }
    }

    /// An event of ours, for our readers and for those of others; `behind` says that others missed one.
    fn happened(&self, event: Event, spread: &Spread, behind: &mut bool) {
        let wanted = event.what.is_of_one() && self.sink.others.load(Ordering::Relaxed);
        let draft = Draft::of(event);
        let line = wanted.then(|| draft.for_another());
        *behind |= self.push(draft) > 0;
        if let Some(line) = line {
            *behind = !((!*behind || spread(None)) && spread(Some(line)));
        }
    }

    /// Tells the exchange to be silent when nobody has listened for a while.
    fn look_whether_alone(&self) {
        let mut state = self.state();
        let alone = state.alone_since.is_some_and(|since| since.elapsed() >= LINGER);
        if state.listening && alone && self.listen.get().is_some_and(|listen| listen(false)) {
            state.listening = false;
        }
    }

    /// What is counted, for Prometheus.
    pub(crate) fn figures(&self) -> Vec<Figure> {
        // What was lost since the last event that came through counts at once.
        let dropped = self.dropped.load(Ordering::Relaxed) + self.sink.lost.load(Ordering::Relaxed);
        let readers: usize = self.state().readers.values().sum();
        vec![
            Figure {
                name: "ringdown_events_dropped_total",
                help: "Live events that were lost because too many were on their way; readers are told to fetch anew.",
                kind: Kind::Counter(dropped as f64),
            },
            Figure {
                name: "ringdown_events_missed_total",
                help: "Live events that readers were too slow for or that were lost, summed over all readers.",
                kind: Kind::Counter(self.missed.load(Ordering::Relaxed) as f64),
            },
            Figure {
                name: "ringdown_events_readers",
                help: "Who hears live events.",
                kind: Kind::Gauge(readers as f64),
            },
        ]
    }

    /// Carries events until the exchange is gone. `listen` tells it whether anybody hears them, `spread` tells other exchanges.
    pub(crate) async fn carry(self: Arc<Hub>, api: Api, listen: Listen, spread: Spread) {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut source) = source else { return };
        let mut ended = api.ended();
        let _ = self.listen.set(listen);
        let mut behind = false;
        let mut tick = tokio::time::interval(Duration::from_secs(5));
        loop {
            tokio::select! {
                event = source.recv() => match event {
                    Some(event) => self.happened(*event, &spread, &mut behind),
                    None => return,
                },
                session = ended.recv() => match session {
                    Ok(session) => _ = self.push(Draft::of_session(api.now(), session)),
                    Err(RecvError::Lagged(lost)) => {
                        self.dropped.fetch_add(lost, Ordering::Relaxed);
                        self.lose(lost);
                    }
                    Err(RecvError::Closed) => return,
                },
                _ = tick.tick() => self.look_whether_alone(),
            }
        }
    }
}

/// A reader's place; given back when it is dropped.
pub(crate) struct Reading {
    hub: Arc<Hub>,
    whose: String,
    place: u64,
    unknown: bool,
    news: watch::Receiver<u64>,
}

impl Reading {
    /// The next events, if there are any.
    pub(crate) fn take(&mut self) -> Taken {
        let taken = self.hub.state().ring.after(&mut self.place);
        self.hub.missed.fetch_add(taken.missed, Ordering::Relaxed);
        taken
    }

    /// Waits until there may be more.
    pub(crate) async fn wait(&mut self) {
        if self.news.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether it asked for events after one that nobody knows: told once.
    pub(super) fn is_lost(&mut self) -> bool {
        std::mem::take(&mut self.unknown)
    }

    /// The name of an event that it took.
    pub(crate) fn name_of(&self, number: u64) -> String {
        name(&self.hub.state().ring.epoch, number)
    }

    /// The name of the last event that it took.
    pub(super) fn name(&self) -> String {
        name(&self.hub.state().ring.epoch, self.place)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        if let Some(own) = state.readers.get_mut(&self.whose) {
            *own -= 1;
            if *own == 0 {
                state.readers.remove(&self.whose);
            }
        }
        if state.readers.is_empty() {
            state.alone_since = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clock::Wall;
    use exchange::{Audience, Happened};

    fn event() -> Box<Event> {
        let what = Happened::NumberChanged { number: "200".into(), account: "bob".into() };
        Box::new(Event { at: Wall(0), audience: Audience { staff: true, accounts: Vec::new() }, what })
    }

    #[test]
    fn what_is_lost_and_what_is_missed_is_counted() {
        let hub = Arc::new(Hub::new("e".into()));
        assert!(hub.listen.set(Box::new(|_| true)).is_ok());
        let figure = |name: &str| {
            hub.figures().into_iter().find(|one| one.name == name).map(|one| match one.kind {
                Kind::Counter(value) | Kind::Gauge(value) => value,
                other => panic!("{other:?}"),
            })
        };
        let mut reading = hub.open("ada", None).map_err(|error| format!("{error:?}")).unwrap();
        for _ in 0..QUEUE + 7 {
            hub.sink().tell(event());
        }
        assert_eq!(figure("ringdown_events_dropped_total"), Some(7.0), "the queue is full");
        hub.push(Draft::of(*event()));
        assert_eq!(figure("ringdown_events_dropped_total"), Some(7.0), "each is counted once");
        assert_eq!(reading.take().missed, 7);
        assert_eq!(figure("ringdown_events_missed_total"), Some(7.0));
        assert_eq!(figure("ringdown_events_readers"), Some(1.0));
        drop(reading);
        assert_eq!(figure("ringdown_events_readers"), Some(0.0));
    }
}
