//! Webhooks: what is kept of them, and how each change of them is kept before it counts.
//!
//! ```text
//! hub, call records --> courier --Input--> Queue of each webhook --Keep--> store
//!                          ^                     |
//!                          '---- the answer <----'--Send--> Backend::post
//! ```
//! [`queue`] decides, [`courier`] feeds it and sends, [`message`] makes what is sent.

mod courier;
mod message;
mod queue;
#[cfg(test)]
mod tests;

pub(super) use message::TYPES;
pub(super) use queue::{Entry, Input};

use super::problem::Problem;
use super::{Api, now};
use crate::backend::{Document, Figure, Kind, Reply};
use axum::http::StatusCode;
use clock::{Mono, Now, Wall};
use queue::{EVENT, LETTER, Output, Queue, Schedule};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

/// Webhooks in all.
pub(super) const MOST: usize = 32;

/// Tests at once.
const TESTS: usize = 4;

/// The kinds of what is kept, beside those of the queue.
const WEBHOOK: &str = "webhook";
const CURSOR: &str = "webhook-cursor";

/// A webhook as it is kept. It holds a secret, so nothing prints it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    /// Where it is.
    pub(super) url: String,
    /// What it hears of.
    pub(super) types: Vec<String>,
    /// Whether it does.
    pub(super) enabled: bool,
    /// What its messages are signed with.
    pub(super) secret: String,
    /// When it was made.
    pub(super) created: i64,
    /// Why it was switched off, if not by hand.
    pub(super) stopped: Option<String>,
}

/// A webhook with its queue.
#[derive(Clone)]
pub(super) struct Webhook {
    pub(super) settings: Settings,
    queue: Queue,
    /// The number of the last call record that it was told of.
    cursor: i64,
    /// When something arrived there last, in this life of the exchange.
    pub(super) delivered: Option<i64>,
}

impl Webhook {
    fn hears(&self, kind: &str) -> bool {
        self.settings.enabled && self.settings.types.iter().any(|one| one == kind)
    }

    /// Events that wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// The dead letters, the oldest first.
    pub(super) fn letters(&self) -> &VecDeque<Arc<Entry>> {
        self.queue.letters()
    }

    /// Failures in a row, and what went wrong last.
    pub(super) fn trouble(&self) -> Option<(u32, &str)> {
        self.queue.trouble()
    }
}

/// All webhooks by their names.
type All = BTreeMap<String, Arc<Webhook>>;

/// All webhooks, one for all who look and change.
pub(crate) struct Webhooks {
    all: Mutex<All>,
    /// Held from the look at what is there until the change of it is kept.
    changing: tokio::sync::Mutex<()>,
    /// Rings when there may be something to send.
    news: Notify,
    /// What belongs to no webhook any more.
    left: Mutex<Vec<Document>>,
    testing: Semaphore,
    start: Instant,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    delivered: AtomicU64,
    failed: AtomicU64,
    dead: AtomicU64,
    missed: AtomicU64,
}

/// What is to be sent where.
pub(super) struct Sending {
    pub(super) webhook: String,
    pub(super) place: u64,
    pub(super) event: Arc<queue::Event>,
    pub(super) settings: Settings,
}

impl Webhooks {
    /// What was kept.
    pub(super) fn load(documents: &[Document]) -> Webhooks {
        let (mut all, mut left) = (All::new(), Vec::new());
        let of_kind = |kind: &'static str| documents.iter().filter(move |one| one.kind == kind);
        let text = |document: &Document| document.text.clone().unwrap_or_default();
        for document in of_kind(WEBHOOK) {
            if let Ok(settings) = serde_json::from_str::<Settings>(&text(document)) {
                let queue = Queue::new(&document.id, Schedule::default(), settings.enabled);
                let webhook = Webhook { settings, queue, cursor: 0, delivered: None };
                all.insert(document.id.clone(), Arc::new(webhook));
            }
        }
        for document in of_kind(CURSOR) {
            if let (Some(webhook), Ok(at)) = (all.get_mut(&document.id), text(document).parse()) {
                Arc::make_mut(webhook).cursor = at;
            }
        }
        for document in of_kind(EVENT).chain(of_kind(LETTER)) {
            let known = document.id.rsplit_once('/').and_then(|(of, place)| Some((all.get_mut(of)?, place)));
            let taken = known.is_some_and(|(webhook, place)| {
                Arc::make_mut(webhook).queue.load(&document.kind, place, &text(document))
            });
            if !taken {
                left.push(Document { text: None, ..document.clone() });
            }
        }
        Webhooks {
            all: Mutex::new(all),
            changing: tokio::sync::Mutex::default(),
            news: Notify::new(),
            left: Mutex::new(left),
            testing: Semaphore::new(TESTS),
            start: Instant::now(),
            counts: Counts::default(),
        }
    }

    /// What another exchange kept so far is ours from now on.
    async fn take_over(&self, documents: &[Document]) {
        let _alone = self.changing.lock().await;
        let Webhooks { all, left, .. } = Webhooks::load(documents);
        *self.lock() = all.into_inner().unwrap_or_else(PoisonError::into_inner);
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) =
            left.into_inner().unwrap_or_else(PoisonError::into_inner);
    }

    /// Never held across an await.
    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them as they are now.
    pub(super) fn all(&self) -> All {
        self.lock().clone()
    }

    /// One of them.
    pub(super) fn one(&self, id: &str) -> Result<Arc<Webhook>, Problem> {
        self.lock().get(id).cloned().ok_or_else(|| Problem::not_found("webhook", id))
    }

    /// The right to test one now.
    ///
    /// # Errors
    /// 429 when others do.
    pub(super) fn turn_to_test(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.testing.try_acquire().map_err(|_| {
            let words = "Other webhooks are being tested; try again in a moment.";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many", words).retry_after(5)
        })
    }

    fn now(&self) -> Now {
        let elapsed = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        Now { mono: Mono(elapsed), wall: Wall(now()) }
    }

    /// Changes webhooks: what the change says is kept first, and then it counts; if it cannot be kept, nothing happened.
    ///
    /// # Errors
    /// What the change says, or 503.
    pub(super) async fn change<T>(
        &self,
        api: &Api,
        change: impl FnOnce(&mut Change) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let (value, _) = self.apply(api, change).await?;
        self.news.notify_one();
        Ok(value)
    }

    async fn apply<T>(
        &self,
        api: &Api,
        change: impl FnOnce(&mut Change) -> Result<T, Problem>,
    ) -> Result<(T, Vec<Sending>), Problem> {
        let _alone = self.changing.lock().await;
        let mut made = Change::of(self.all(), self.now());
        let value = change(&mut made)?;
        let Change { all, documents, sendings, tally: [delivered, failed, dead], .. } = made;
        api.keep(documents).await?;
        *self.lock() = all;
        for (count, more) in
            [(&self.counts.delivered, delivered), (&self.counts.failed, failed), (&self.counts.dead, dead)]
        {
            count.fetch_add(more, Ordering::Relaxed);
        }
        Ok((value, sendings))
    }

    /// What is counted, for Prometheus.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let count = |name: &str, value: &AtomicU64| (name.to_owned(), value.load(Ordering::Relaxed) as f64);
        let Counts { delivered, failed, dead, missed } = &self.counts;
        let outcomes = vec![count("delivered", delivered), count("failed", failed), count("dead", dead)];
        let waiting: usize = self.lock().values().map(|webhook| webhook.waiting()).sum();
        vec![
            Figure {
                name: "ringdown_webhook_events_total",
                help: "Attempts that were delivered or failed, and events that became dead letters.",
                kind: Kind::Counters { label: "outcome", values: outcomes },
            },
            Figure {
                name: "ringdown_webhook_missed_total",
                help: "Live events that were gone before they could be queued for webhooks.",
                kind: Kind::Counter(missed.load(Ordering::Relaxed) as f64),
            },
            Figure {
                name: "ringdown_webhook_queue",
                help: "Events that wait for webhooks.",
                kind: Kind::Gauge(waiting as f64),
            },
        ]
    }
}

/// Tells a webhook that it is tried.
///
/// # Errors
/// Why there is no answer, in words.
pub(super) async fn post_test(
    api: &Api,
    id: &str,
    settings: &Settings,
    random: &str,
) -> Result<Reply, String> {
    let name = format!("test-{random}");
    let event = message::of_test(name, &courier::source(api), api.now(), id);
    courier::post(api, settings, &event).await
}

impl Api {
    /// Delivers to webhooks until it is dropped.
    pub async fn deliver_webhooks(self) {
        courier::Courier::new(self).run().await;
    }
}

/// A change that is being made.
pub(super) struct Change {
    all: All,
    now: Now,
    documents: Vec<Document>,
    sendings: Vec<Sending>,
    /// Delivered, failed, dead.
    tally: [u64; 3],
}

impl Change {
    fn of(all: All, now: Now) -> Change {
        Change { all, now, documents: Vec::new(), sendings: Vec::new(), tally: [0; 3] }
    }

    /// One of them.
    pub(super) fn one(&self, id: &str) -> Result<&Webhook, Problem> {
        self.all.get(id).map(|one| &**one).ok_or_else(|| Problem::not_found("webhook", id))
    }

    /// A new one, which hears of the calls that end after this record.
    pub(super) fn add(&mut self, id: &str, settings: Settings, cursor: i64) -> Result<(), Problem> {
        if self.all.len() >= MOST {
            return Err(Problem::conflict(format!("There are {MOST} webhooks; remove one first.")));
        }
        let queue = Queue::new(id, Schedule::default(), settings.enabled);
        self.keep(id, &settings);
        self.all.insert(id.into(), Arc::new(Webhook { settings, queue, cursor, delivered: None }));
        self.move_cursor(id, cursor);
        Ok(())
    }

    /// Another form of one. Where it is switched on, it hears of the calls that end after this record.
    pub(super) fn put(&mut self, id: &str, settings: Settings, cursor: i64) -> Result<(), Problem> {
        let before = self.one(id)?.settings.enabled;
        self.keep(id, &settings);
        let enabled = settings.enabled;
        if let Some(webhook) = self.all.get_mut(id) {
            Arc::make_mut(webhook).settings = settings;
        }
        if before != enabled {
            self.feed(id, if enabled { Input::Start } else { Input::Pause });
        }
        if enabled && !before {
            self.move_cursor(id, cursor);
        }
        Ok(())
    }

    /// The end of one, and of all that waits for it.
    pub(super) fn remove(&mut self, id: &str) {
        if let Some(webhook) = self.all.remove(id) {
            self.documents.extend(webhook.queue.remove());
            let own = [WEBHOOK, CURSOR];
            self.documents.extend(own.map(|kind| Document { kind: kind.into(), id: id.into(), text: None }));
        }
    }

    /// Gives something to a queue. Returns how many dead letters wait again.
    pub(super) fn feed(&mut self, id: &str, input: Input) -> usize {
        let Some(webhook) = self.all.get_mut(id) else { return 0 };
        let webhook = Arc::make_mut(webhook);
        let [delivered, failed, dead] = &mut self.tally;
        match &input {
            Input::Delivered(_) => {
                *delivered += 1;
                webhook.delivered = Some(self.now.wall.0);
            }
            Input::Failed { .. } => *failed += 1,
            _ => {}
        }
        let mut replayed = 0;
        let mut stopped = false;
        for output in webhook.queue.handle(self.now, input) {
            match output {
                Output::Keep(document) => self.documents.push(document),
                Output::Died => *dead += 1,
                Output::Replayed(count) => replayed = count,
                Output::Gone => stopped = true,
                Output::Send { place, event } => {
                    let settings = webhook.settings.clone();
                    self.sendings.push(Sending { webhook: id.into(), place, event, settings });
                }
            }
        }
        if stopped {
            webhook.settings.enabled = false;
            webhook.settings.stopped = Some("the receiver said that it is gone (410)".into());
            let settings = webhook.settings.clone();
            self.keep(id, &settings);
        }
        replayed
    }

    fn keep(&mut self, id: &str, settings: &Settings) {
        // What is derived from our own types can always be written.
        let text = serde_json::to_string(settings).unwrap_or_default();
        self.documents.push(Document { kind: WEBHOOK.into(), id: id.into(), text: Some(text) });
    }

    fn move_cursor(&mut self, id: &str, cursor: i64) {
        if let Some(webhook) = self.all.get_mut(id) {
            Arc::make_mut(webhook).cursor = cursor;
            let text = Some(cursor.to_string());
            self.documents.push(Document { kind: CURSOR.into(), id: id.into(), text });
        }
    }
}
