//! Notices on their way: to watches and pendants by an MQTT broker, to apps by Web Push (S1.7).
//!
//! ```text
//! hub --notice.shown, notice.withdrawn--> courier --Backend::publish--> broker --> watch
//!                                            '--Backend::post--> push service --> browser
//! watch --> broker --> Api::heard_from_broker --Command::Dismiss--> exchange
//! ```
//! What the notices are for is over in a minute, so nothing of them is kept and nothing is tried again: what cannot be
//! delivered now is counted. Only who gets them is kept.

mod courier;
pub(crate) mod push;
mod shape;

pub(super) use shape::NoticeShape;

use super::Api;
use super::problem::{Problem, sentence};
use crate::backend::{Document, Figure, Kind};
use base64::Engine as _;
use exchange::{Answer, CallName, Command};
use push::Keys;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OnceCell};

/// Wearables and apps of one account, and of all.
pub(super) const MOST_OF_ONE: usize = 16;
const MOST: usize = 20_000;
/// Octets of what a wearable may say.
const SAID: usize = 1_024;

/// The kinds of what is kept.
const WEARABLE: &str = "wearable";
const KEYS: &str = "notice-keys";

/// How an app is reached, as its browser says. It opens the app to whoever has it, so nothing prints it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Subscription {
    /// The push service's URL for it.
    pub(super) endpoint: String,
    /// The browser's key.
    p256dh: String,
    /// Its secret.
    auth: String,
}

impl Subscription {
    /// Checks what a browser gave.
    ///
    /// # Errors
    /// The field, and what is wrong with it.
    pub(super) fn of(
        api: &Api,
        endpoint: String,
        p256dh: String,
        auth: String,
    ) -> Result<Subscription, Problem> {
        let wrong = |why: &str, field: &str| Problem::nonsense(sentence(why)).at(field);
        api.door().judge_url(&endpoint).map_err(|why| wrong(&why, "/push/endpoint"))?;
        if push::origin(&endpoint).is_none() {
            return Err(wrong("a push service is reached by https alone", "/push/endpoint"));
        }
        if !push::BASE64.decode(&p256dh).is_ok_and(|octets| push::is_point(&octets)) {
            return Err(wrong("this is no public key of P-256, in base64url", "/push/keys/p256dh"));
        }
        if !push::BASE64.decode(&auth).is_ok_and(|octets| octets.len() == push::AUTH) {
            return Err(wrong("these are not 16 octets in base64url", "/push/keys/auth"));
        }
        Ok(Subscription { endpoint, p256dh, auth })
    }

    /// The push service, without what names the app.
    pub(super) fn service(&self) -> Option<String> {
        push::origin(&self.endpoint).map(str::to_owned)
    }
}

/// A watch, a pendant or an app, as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wearable {
    /// Whose.
    pub(super) account: String,
    /// What it is, for its owner.
    pub(super) name: String,
    /// When it was added.
    pub(super) created: i64,
    /// How it is reached; `None`: by the broker.
    pub(super) push: Option<Subscription>,
}

/// How a wearable fares, in this life of the exchange.
#[derive(Clone, Debug, Default)]
pub(super) struct Fares {
    /// When something was delivered last.
    pub(super) delivered: Option<i64>,
    /// Failures since.
    pub(super) failures: u32,
    /// The last of them.
    pub(super) trouble: Option<String>,
}

type All = BTreeMap<String, (Wearable, Fares)>;

/// Who gets notices, and how it goes; one for all.
pub(crate) struct Notices {
    all: Mutex<All>,
    /// Held from the look at what is there until the change of it is kept.
    changing: tokio::sync::Mutex<()>,
    /// What was kept of the keys.
    kept_keys: Option<String>,
    keys: OnceCell<Keys>,
    news: Notify,
    counts: Counts,
}

/// Pushes by what became of them.
#[derive(Debug, Default)]
struct Counts {
    delivered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl Notices {
    /// What was kept.
    pub(super) fn load(documents: &[Document]) -> Notices {
        let of_kind = |kind: &'static str| documents.iter().filter(move |one| one.kind == kind);
        let read = |document: &Document| {
            let wearable = serde_json::from_str(document.text.as_deref()?).ok()?;
            Some((document.id.clone(), (wearable, Fares::default())))
        };
        Notices {
            all: Mutex::new(of_kind(WEARABLE).filter_map(read).collect()),
            changing: tokio::sync::Mutex::default(),
            kept_keys: of_kind(KEYS).find_map(|document| document.text.clone()),
            keys: OnceCell::new(),
            news: Notify::new(),
            counts: Counts::default(),
        }
    }

    /// Never held across an await.
    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them, or those of one account, in the order of their ids.
    pub(super) fn of(&self, account: Option<&str>) -> Vec<(String, Wearable, Fares)> {
        let all = self.lock();
        let own = all.iter().filter(|(_, (one, _))| account.is_none_or(|account| one.account == account));
        own.map(|(id, (wearable, fares))| (id.clone(), wearable.clone(), fares.clone())).collect()
    }

    /// One of them.
    pub(super) fn one(&self, id: &str) -> Option<(Wearable, Fares)> {
        self.lock().get(id).cloned()
    }

    /// Adds one.
    ///
    /// # Errors
    /// When the account has enough of them, or it cannot be kept.
    pub(super) async fn add(&self, api: &Api, id: &str, wearable: Wearable) -> Result<(), Problem> {
        let _alone = self.changing.lock().await;
        let (own, all) = {
            let all = self.lock();
            (all.values().filter(|(one, _)| one.account == wearable.account).count(), all.len())
        };
        if own >= MOST_OF_ONE || all >= MOST {
            let words = format!("An account has {MOST_OF_ONE} wearables and apps at most; remove one first.");
            return Err(Problem::conflict(words));
        }
        // What is derived from our own types can always be written.
        let text = Some(serde_json::to_string(&wearable).unwrap_or_default());
        api.keep(vec![Document { kind: WEARABLE.into(), id: id.into(), text }]).await?;
        self.lock().insert(id.into(), (wearable, Fares::default()));
        self.news.notify_one();
        Ok(())
    }

    /// Removes some.
    ///
    /// # Errors
    /// When that cannot be kept.
    pub(super) async fn remove(&self, api: &Api, ids: &[String]) -> Result<(), Problem> {
        let _alone = self.changing.lock().await;
        let end = |id: &String| Document { kind: WEARABLE.into(), id: id.clone(), text: None };
        api.keep(ids.iter().map(end).collect()).await?;
        self.lock().retain(|id, _| !ids.contains(id));
        Ok(())
    }

    /// The keys, made when they are needed first and kept before they are used.
    async fn keys(&self, api: &Api) -> Result<&Keys, Problem> {
        let make = async || {
            if let Some(keys) = self.kept_keys.as_deref().and_then(Keys::read) {
                return Ok(keys);
            }
            let fault = || Problem::unavailable("no key could be made");
            let text = Keys::make(&api.door().random()).ok_or_else(fault)?;
            let keys = Keys::read(&text).ok_or_else(fault)?;
            api.keep(vec![Document { kind: KEYS.into(), id: "keys".into(), text: Some(text) }]).await?;
            Ok(keys)
        };
        self.keys.get_or_try_init(make).await
    }

    /// The key that browsers subscribe with.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub(super) async fn public_key(&self, api: &Api) -> Result<String, Problem> {
        Ok(self.keys(api).await?.public())
    }

    /// Pushes that arrived, that did not, and that found no room.
    pub(super) fn pushes(&self) -> [u64; 3] {
        let Counts { delivered, failed, dropped } = &self.counts;
        [delivered, failed, dropped].map(|count| count.load(Ordering::Relaxed))
    }

    /// What is counted, for Prometheus.
    pub(super) fn figures(&self, api: &Api) -> Vec<Figure> {
        let label = |name: &str, count: u64| (name.to_owned(), count as f64);
        let [delivered, failed, dropped] = self.pushes();
        let values = vec![label("delivered", delivered), label("failed", failed), label("dropped", dropped)];
        let mut figures = vec![Figure {
            name: "ringdown_notice_pushes_total",
            help: "Notices for apps, by what became of them.",
            kind: Kind::Counters { label: "outcome", values },
        }];
        if let Some(broker) = api.door().broker() {
            let values = vec![label("delivered", broker.delivered), label("dropped", broker.dropped)];
            figures.push(Figure {
                name: "ringdown_mqtt_messages_total",
                help: "Notices for wearables: what the MQTT broker has, and what it did not take in time.",
                kind: Kind::Counters { label: "outcome", values },
            });
            figures.push(Figure {
                name: "ringdown_mqtt_connected",
                help: "Whether the MQTT broker has us.",
                kind: Kind::Gauge(if broker.connected { 1.0 } else { 0.0 }),
            });
        }
        figures
    }
}

/// What a wearable says to dismiss a notice.
#[derive(Deserialize)]
struct Dismissal {
    call: String,
    token: String,
}

impl Api {
    /// Delivers notices until it is dropped.
    pub async fn deliver_notices(self) {
        courier::Courier::new(self).run().await;
    }

    /// Something came from the broker: perhaps a wearable dismisses a notice. The broker is believed nothing: the notice's own
    /// token says who it is.
    pub async fn heard_from_broker(&self, topic: &str, payload: &[u8]) {
        if let Err(why) = self.dismissed(topic, payload).await {
            tracing::info!(topic, why, "what a wearable said was not done");
        }
    }

    async fn dismissed(&self, topic: &str, payload: &[u8]) -> Result<(), String> {
        let mut parts = topic.rsplit('/');
        let (Some("dismiss"), Some(id)) = (parts.next(), parts.next()) else {
            return Err("it is no topic of ours".into());
        };
        let said =
            (payload.len() <= SAID).then(|| serde_json::from_slice::<Dismissal>(payload).ok()).flatten();
        let said = said.ok_or("it is no dismissal")?;
        let (wearable, _) = self.notices().one(id).ok_or("there is no such wearable")?;
        let call: CallName = said.call.parse().map_err(|()| "it names no call")?;
        let keys = self.notices().keys(self).await.map_err(|problem| problem.detail)?;
        if !super::secrets::same(&said.token, &keys.dismissal(id, &call.to_string())) {
            return Err("its token is not that of the notice".into());
        }
        let dismiss = Command::Dismiss { account: wearable.account.into(), call };
        match self.ask(dismiss).await.map_err(|problem| problem.detail)? {
            Answer::Refused(why) => Err(why.to_string()),
            _ => Ok(()),
        }
    }
}

/// The topic that a wearable hears, and the one where it dismisses. An id cannot be guessed and has no wildcard in it.
pub(super) fn topics(prefix: &str, id: &str) -> [String; 2] {
    [format!("{prefix}/{id}/notice"), format!("{prefix}/{id}/dismiss")]
}
