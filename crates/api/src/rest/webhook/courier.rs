//! The courier: one task that gives events and call records to the queues, and sends what they say.

use super::message::{self, CONTENT_TYPE, RECORD, SIGNATURE};
use super::queue::{Event, Input, WAITING};
use super::{Change, Sending, Settings, Webhook};
use crate::backend::{Post, Reply};
use crate::rest::Api;
use crate::rest::events::{Item, Reading};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Call records that are read at once.
const AT_ONCE: u32 = 100;
/// How soon what failed on our own side is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// Longest wait without a reason.
const LONG: Duration = Duration::from_secs(3_600);

pub(super) struct Courier {
    api: Api,
    /// The place in the live events, while any webhook hears them.
    reading: Option<Reading>,
    /// The webhooks for which there may be call records that they were not told of.
    behind: BTreeSet<String>,
    /// Something of ours failed, and is to be tried again soon.
    again: bool,
    sending: JoinSet<(String, Input)>,
    /// Webhooks are ours: one exchange of several delivers to them.
    keeps: bool,
}

impl Courier {
    pub(super) fn new(api: Api) -> Courier {
        let keeps = !api.door().is_one_of_several();
        Courier { api, reading: None, behind: BTreeSet::new(), again: false, sending: JoinSet::new(), keeps }
    }

    /// Runs until it is dropped.
    pub(super) async fn run(mut self) {
        self.end_what_is_left();
        loop {
            if !self.is_keeper().await {
                sleep(AGAIN).await;
                continue;
            }
            self.again = false;
            if self.api.door().is_one_of_several() {
                // Nobody says when another wrote a record.
                self.look_for_records();
            }
            self.listen();
            self.take_events().await;
            self.take_records().await;
            let wait = self.tick().await;
            self.wait(wait).await;
        }
    }

    fn end_what_is_left(&self) {
        let left = std::mem::take(&mut *self.webhooks().left.lock().unwrap_or_else(|held| held.into_inner()));
        self.api.keep_later(left);
    }

    /// Whether webhooks are ours. When they were another exchange's until now, what that one kept is read first.
    async fn is_keeper(&mut self) -> bool {
        if !self.api.door().is_one_of_several() {
            return true;
        }
        if !self.api.door().keeps() {
            self.keeps = false;
            self.reading = None;
            self.sending.abort_all();
        } else if !self.keeps {
            match self.api.door().documents().await {
                Ok(documents) => {
                    self.webhooks().take_over(&documents).await;
                    self.end_what_is_left();
                    self.look_for_records();
                    self.keeps = true;
                }
                Err(why) => tracing::warn!(%why, "webhooks cannot be read; tried again"),
            }
        }
        self.keeps
    }

    fn webhooks(&self) -> &super::Webhooks {
        self.api.webhooks()
    }

    /// Hears live events only while somebody is to be told of them.
    fn listen(&mut self) {
        let all = self.webhooks().all();
        if !all.values().any(|webhook| webhook.settings.enabled) {
            self.reading = None;
        } else if self.reading.is_none() {
            match self.api.hub().open("webhooks", None) {
                Ok(reading) => self.reading = Some(reading),
                Err(_) => self.again = true,
            }
            self.look_for_records();
        }
    }

    fn look_for_records(&mut self) {
        let all = self.webhooks().all();
        self.behind.extend(all.into_iter().filter(|(_, one)| one.hears(RECORD)).map(|(id, _)| id));
    }

    /// Queues what happened, in its order; a call's record comes after the call's end.
    async fn take_events(&mut self) {
        loop {
            let Some(reading) = &mut self.reading else { return };
            let taken = reading.take();
            if taken.missed > 0 {
                self.webhooks().counts.missed.fetch_add(taken.missed, Ordering::Relaxed);
                tracing::warn!(
                    missed = taken.missed,
                    "live events were gone before webhooks were told of them"
                );
                self.look_for_records();
            }
            if taken.items.is_empty() && taken.missed == 0 {
                return;
            }
            let record = taken.items.iter().rposition(|item| item.kind == RECORD);
            let (before, after) = taken.items.split_at(record.map_or(0, |place| place + 1));
            self.queue(before).await;
            if record.is_some() {
                self.look_for_records();
                self.take_records().await;
            }
            self.queue(after).await;
        }
    }

    async fn queue(&mut self, items: &[Arc<Item>]) {
        let all = self.webhooks().all();
        let heard =
            |item: &Item| item.kind != RECORD && all.values().any(|webhook| webhook.hears(&item.kind));
        let source = self.source();
        let Some(reading) = &self.reading else { return };
        let events: Vec<Arc<Event>> = items
            .iter()
            .filter(|item| heard(item))
            .map(|item| Arc::new(message::of_item(reading.name_of(item.number), &source, item)))
            .collect();
        if events.is_empty() {
            return;
        }
        self.apply(|change| {
            for event in &events {
                for id in hearing(change, &event.kind) {
                    change.feed(&id, Input::Event(Arc::clone(event)));
                }
            }
        })
        .await;
    }

    /// Queues the call records that webhooks were not told of. While a queue is full its records stay where they are.
    async fn take_records(&mut self) {
        for id in self.behind.clone() {
            loop {
                let webhook = self.webhooks().one(&id).ok().filter(|webhook| webhook.hears(RECORD));
                let Some(webhook) = webhook else {
                    self.behind.remove(&id);
                    break;
                };
                let room = u32::try_from(WAITING - webhook.waiting().min(WAITING)).unwrap_or(0).min(AT_ONCE);
                if room == 0 {
                    break;
                }
                let Some(more) = self.take_some_records(&id, &webhook, room).await else { break };
                if !more {
                    self.behind.remove(&id);
                    break;
                }
            }
        }
    }

    /// Whether there may be more; `None` when they cannot be read now.
    async fn take_some_records(&mut self, id: &str, webhook: &Webhook, most: u32) -> Option<bool> {
        let read = self.api.door().records_after(webhook.cursor, most).await;
        let rows = match read {
            Ok(rows) => rows,
            Err(why) => {
                tracing::warn!(%why, "call records cannot be read for webhooks; tried again");
                self.again = true;
                return None;
            }
        };
        let more = rows.len() >= usize::try_from(most).unwrap_or(usize::MAX);
        let Some(last) = rows.last().map(|row| row.id) else { return Some(false) };
        let source = self.source();
        let of_row = |row| Arc::new(message::of_record(&source, row));
        let events: Vec<Arc<Event>> = rows.into_iter().map(of_row).collect();
        self.apply(|change| {
            // Meanwhile it may have been switched off and on, and begun anew.
            if change.one(id).is_ok_and(|now| now.cursor == webhook.cursor && now.hears(RECORD)) {
                for event in &events {
                    change.feed(id, Input::Event(Arc::clone(event)));
                }
                change.move_cursor(id, last);
            }
        })
        .await;
        Some(more)
    }

    /// Sends what may be sent. Returns how long until there is more to do.
    async fn tick(&mut self) -> Duration {
        let now = self.webhooks().now();
        let is_due = |webhook: &Webhook| webhook.queue.next_deadline(now).is_some_and(|wait| wait.is_zero());
        let all = self.webhooks().all();
        let due: Vec<String> = all.into_iter().filter(|(_, one)| is_due(one)).map(|(id, _)| id).collect();
        if !due.is_empty() {
            self.apply(|change| {
                for id in &due {
                    change.feed(id, Input::Tick);
                }
            })
            .await;
        }
        let now = self.webhooks().now();
        let all = self.webhooks().all();
        let next = all.values().filter_map(|webhook| webhook.queue.next_deadline(now)).min();
        // One of several looks now and then whether it is still the one.
        let often = self.again || self.api.door().is_one_of_several();
        next.unwrap_or(LONG).min(if often { AGAIN } else { LONG })
    }

    async fn wait(&mut self, time: Duration) {
        let api = self.api.clone();
        let reading = &mut self.reading;
        let heard = async {
            match reading {
                Some(reading) => reading.wait().await,
                None => std::future::pending().await,
            }
        };
        let answered = tokio::select! {
            () = heard => None,
            () = api.webhooks().news.notified() => {
                // One that was made or switched on has seen no record yet.
                self.look_for_records();
                None
            }
            () = sleep(time) => None,
            Some(answered) = self.sending.join_next() => answered.ok(),
        };
        let mut answers: Vec<(String, Input)> = answered.into_iter().collect();
        while let Some(more) = self.sending.try_join_next() {
            answers.extend(more.ok());
        }
        if !answers.is_empty() {
            self.apply(|change| {
                for (id, input) in &answers {
                    change.feed(id, input.clone());
                }
            })
            .await;
        }
    }

    /// Makes a change, as often as it takes to be kept: while nothing can be stored, nothing is sent either.
    async fn apply(&mut self, change: impl Fn(&mut Change)) {
        let api = self.api.clone();
        loop {
            let made = api.webhooks().apply(&api, |made| {
                change(made);
                Ok(())
            });
            match made.await {
                Ok(((), sendings)) => {
                    for sending in sendings {
                        self.sending.spawn(send(api.clone(), sending));
                    }
                    return;
                }
                Err(problem) => {
                    tracing::warn!(
                        why = problem.detail,
                        "what webhooks are told cannot be kept; tried again"
                    );
                    sleep(AGAIN).await;
                }
            }
        }
    }

    fn source(&self) -> String {
        source(&self.api)
    }
}

fn hearing(change: &Change, kind: &str) -> Vec<String> {
    change.all.iter().filter(|(_, one)| one.hears(kind)).map(|(id, _)| id.clone()).collect()
}

/// Who tells, for CloudEvents: the office's own address.
pub(super) fn source(api: &Api) -> String {
    let (address, _) = api.door().place("x");
    format!("sip:{}", address.rsplit_once('@').map_or("ringdown", |(_, domain)| domain))
}

/// Posts an event with its signature of this moment.
pub(super) async fn post(api: &Api, settings: &Settings, event: &Event) -> Result<Reply, String> {
    let headers = vec![
        ("content-type", CONTENT_TYPE.to_owned()),
        ("user-agent", concat!("ringdown/", env!("CARGO_PKG_VERSION")).to_owned()),
        (SIGNATURE, message::signature(&settings.secret, api.now(), &event.body)),
    ];
    api.door().post(Post { url: settings.url.clone(), headers, body: event.body.clone().into_bytes() }).await
}

async fn send(api: Api, sending: Sending) -> (String, Input) {
    let Sending { webhook, place, event, settings } = sending;
    // A fault of ours while it is sent is one more failure, and never the end of its queue.
    let posting = {
        let (api, settings, event) = (api.clone(), settings.clone(), Arc::clone(&event));
        tokio::spawn(async move { post(&api, &settings, &event).await })
    };
    let answer = posting.await.unwrap_or_else(|_| Err("a fault of ours; see the log".into()));
    let input = judge(answer, place, api.now(), api.door().random()[0]);
    if let Input::Failed { why, .. } = &input {
        let host = host(&settings.url);
        tracing::info!(webhook, host, event = event.kind, why, "a webhook was not delivered");
    }
    (webhook, input)
}

/// What an answer means.
pub(super) fn judge(answer: Result<Reply, String>, place: u64, now: i64, dice: u8) -> Input {
    let (why, retry_after, gone) = match answer {
        Ok(Reply { status: 200..=299, .. }) => return Input::Delivered(place),
        Ok(reply) => {
            let hint = if (300..400).contains(&reply.status) { "; redirects are not followed" } else { "" };
            let retry_after = reply.retry_after.as_deref().and_then(|text| wait(text, now));
            (format!("it answered {}{hint}", reply.status), retry_after, reply.status == 410)
        }
        Err(why) => (why, None, false),
    };
    Input::Failed { place, why, retry_after, gone, dice }
}

/// `Retry-After`: seconds, or a date (RFC 9110 10.2.3).
fn wait(text: &str, now: i64) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp().as_millisecond();
    Some(Duration::from_millis(u64::try_from(at - now).unwrap_or(0)))
}

/// Where a URL leads, without what may be secret in it.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or_default()
}
