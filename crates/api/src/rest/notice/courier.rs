//! The courier: one task that hears of notices and sends them where their accounts' wearables and apps are.

use super::push::{self, Keys};
use super::shape::message;
use super::{Subscription, Wearable, topics};
use crate::backend::{Post, Reply};
use crate::rest::events::{Item, Reading};
use crate::rest::{Api, secrets};
use base64::Engine as _;
use exchange::{Answer, Command};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Pushes that wait for their turn; beyond, the oldest are dropped.
const WAITING: usize = 1_024;
/// Pushes under way.
const AT_ONCE: usize = 64;
/// How soon what failed on our own side is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// A notice without a time of its own is forgotten so soon.
const LIVES: Duration = Duration::from_secs(60);

const SHOWN: &str = "notice.shown";
const WITHDRAWN: &str = "notice.withdrawn";
const LEFT: &str = "person.removed";

/// Something for an app.
struct Push {
    wearable: String,
    subscription: Subscription,
    call: String,
    shown: bool,
    text: String,
    lives: Duration,
}

pub(super) struct Courier {
    api: Api,
    /// The place in the live events, while anybody gets notices.
    reading: Option<Reading>,
    waiting: VecDeque<Push>,
    /// The apps that something is under way to: one at a time, so that a withdrawal does not overtake its notice.
    busy: BTreeSet<String>,
    sending: JoinSet<(String, Result<Reply, String>)>,
}

impl Courier {
    pub(super) fn new(api: Api) -> Courier {
        let (waiting, busy) = (VecDeque::new(), BTreeSet::new());
        Courier { api, reading: None, waiting, busy, sending: JoinSet::new() }
    }

    /// Runs until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            let heard = self.listen().await;
            self.take_events().await;
            self.start().await;
            self.wait(heard).await;
        }
    }

    /// Hears live events only while somebody gets notices; false when it could not begin to.
    async fn listen(&mut self) -> bool {
        if self.api.notices().lock().is_empty() {
            self.reading = None;
        } else if self.reading.is_none() {
            self.reading = self.api.hub().open("notices", None).ok();
            self.forget_leavers().await;
            return self.reading.is_some();
        }
        true
    }

    async fn take_events(&mut self) {
        loop {
            let Some(reading) = &mut self.reading else { return };
            let taken = reading.take();
            if taken.missed > 0 {
                tracing::warn!(
                    missed = taken.missed,
                    "live events were gone before notices were made of them"
                );
                self.forget_leavers().await;
            }
            if taken.items.is_empty() && taken.missed == 0 {
                return;
            }
            for item in &taken.items {
                match &*item.kind {
                    // Another exchange with the same office sends its own notices itself.
                    SHOWN | WITHDRAWN if item.of_another => {}
                    SHOWN | WITHDRAWN => self.tell(item).await,
                    LEFT => self.forget(&item.subject).await,
                    _ => {}
                }
            }
        }
    }

    async fn tell(&mut self, item: &Arc<Item>) {
        let api = self.api.clone();
        let Some(account) = item.data.get("account").and_then(|account| account.as_str()) else { return };
        let wearables = api.notices().of(Some(account));
        if wearables.is_empty() {
            return;
        }
        let keys = match api.notices().keys(&api).await {
            Ok(keys) => keys,
            Err(problem) => return tracing::warn!(why = problem.detail, "no notice can be made"),
        };
        let lives = lives(item, api.now());
        for (id, wearable, _) in wearables {
            let token = (item.kind == SHOWN).then(|| keys.dismissal(&id, &item.subject));
            let text = message(&item.kind, &item.time, &item.data, token).to_string();
            match wearable.push {
                None => self.publish(&id, text, lives),
                Some(subscription) => self.queue(Push {
                    wearable: id,
                    subscription,
                    call: item.subject.clone(),
                    shown: item.kind == SHOWN,
                    text,
                    lives,
                }),
            }
        }
    }

    fn publish(&self, id: &str, text: String, lives: Duration) {
        if let Some(broker) = self.api.door().broker() {
            let [topic, _] = topics(&broker.prefix, id);
            self.api.door().publish(topic, text.into_bytes(), lives);
        }
    }

    /// A notice that is withdrawn before it left is told to nobody.
    fn queue(&mut self, push: Push) {
        let same = |one: &Push| one.wearable == push.wearable && one.call == push.call;
        let before = self.waiting.len();
        self.waiting.retain(|one| !same(one));
        if !push.shown && self.waiting.len() < before {
            return;
        }
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
            self.api.notices().counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.waiting.push_back(push);
    }

    /// Sends what may be sent now.
    async fn start(&mut self) {
        let api = self.api.clone();
        while self.sending.len() < AT_ONCE {
            let next = self.waiting.iter().position(|one| !self.busy.contains(&one.wearable));
            let Some(push) = next.and_then(|next| self.waiting.remove(next)) else { return };
            let Ok(keys) = api.notices().keys(&api).await else { return };
            let id = push.wearable.clone();
            match post(&api, keys, &push) {
                Some(post) => {
                    self.busy.insert(id.clone());
                    let api = api.clone();
                    self.sending.spawn(async move { (id, api.door().post(post).await) });
                }
                None => self.failed(&id, "it cannot be encrypted for it".into()),
            }
        }
    }

    async fn wait(&mut self, listens: bool) {
        let api = self.api.clone();
        let reading = &mut self.reading;
        let heard = async {
            match reading {
                Some(reading) => reading.wait().await,
                None if listens => std::future::pending().await,
                None => sleep(AGAIN).await,
            }
        };
        let answered = tokio::select! {
            () = heard => None,
            () = api.notices().news.notified() => None,
            Some(answered) = self.sending.join_next() => answered.ok(),
        };
        if let Some((id, answer)) = answered {
            self.busy.remove(&id);
            self.answered(&id, answer).await;
        }
    }

    async fn answered(&mut self, id: &str, answer: Result<Reply, String>) {
        match answer {
            Ok(Reply { status: 200..=299, .. }) => {
                let now = self.api.now();
                self.api.notices().counts.delivered.fetch_add(1, Ordering::Relaxed);
                if let Some((_, fares)) = self.api.notices().lock().get_mut(id) {
                    *fares = super::Fares { delivered: Some(now), ..super::Fares::default() };
                }
            }
            // RFC 8030 7.3: it is over; the browser subscribes anew if it wants.
            Ok(Reply { status: 404 | 410, .. }) => {
                self.api.notices().counts.failed.fetch_add(1, Ordering::Relaxed);
                tracing::info!(wearable = id, "the push service says that an app is gone");
                self.remove(&[id.to_owned()]).await;
            }
            Ok(reply) => self.failed(id, format!("it answered {}", reply.status)),
            Err(why) => self.failed(id, why),
        }
    }

    fn failed(&self, id: &str, why: String) {
        self.api.notices().counts.failed.fetch_add(1, Ordering::Relaxed);
        tracing::info!(wearable = id, why, "a notice did not reach an app");
        if let Some((_, fares)) = self.api.notices().lock().get_mut(id) {
            fares.failures += 1;
            fares.trouble = Some(why);
        }
    }

    /// Somebody left, and with them what was theirs.
    async fn forget(&mut self, account: &str) {
        let theirs: Vec<String> =
            self.api.notices().of(Some(account)).into_iter().map(|(id, ..)| id).collect();
        self.remove(&theirs).await;
    }

    /// Those who left while nobody listened.
    async fn forget_leavers(&mut self) {
        let accounts: BTreeSet<String> =
            self.api.notices().of(None).into_iter().map(|(_, Wearable { account, .. }, _)| account).collect();
        for account in accounts {
            if let Ok(Answer::Account(None)) = self.api.ask(Command::Account(account.as_str().into())).await {
                self.forget(&account).await;
            }
        }
    }

    async fn remove(&mut self, ids: &[String]) {
        if ids.is_empty() {
            return;
        }
        self.waiting.retain(|one| !ids.contains(&one.wearable));
        let api = self.api.clone();
        if let Err(problem) = api.notices().remove(&api, ids).await {
            tracing::warn!(why = problem.detail, "a wearable that is gone cannot be forgotten now");
        }
    }
}

/// How long a notice is worth anything.
fn lives(item: &Item, now: i64) -> Duration {
    let until = item.data.get("until").and_then(|until| until.as_str());
    let until = until.and_then(|until| until.parse::<jiff::Timestamp>().ok());
    let left = until.map(|until| until.as_millisecond() - now);
    left.map_or(LIVES, |left| Duration::from_millis(u64::try_from(left).unwrap_or(0)))
}

/// The request to a push service (RFC 8030 5).
fn post(api: &Api, keys: &Keys, push: &Push) -> Option<Post> {
    let Subscription { endpoint, p256dh, auth } = &push.subscription;
    let salt = *api.door().random().first_chunk::<16>()?;
    let body = push::encrypt(
        &push::BASE64.decode(p256dh).ok()?,
        &push::BASE64.decode(auth).ok()?,
        salt,
        push.text.as_bytes(),
    )?;
    let contact = api.door().contact();
    let headers = vec![
        ("authorization", keys.proof(endpoint, contact.as_deref(), api.now())?),
        ("content-encoding", "aes128gcm".to_owned()),
        ("content-type", "application/octet-stream".to_owned()),
        ("ttl", push.lives.as_secs().to_string()),
        ("urgency", "high".to_owned()),
        // RFC 8030 5.4: a withdrawal takes the place of a notice that did not leave the push service.
        ("topic", secrets::fingerprint(&[push.call.as_bytes()])),
    ];
    Some(Post { url: endpoint.clone(), headers, body })
}
