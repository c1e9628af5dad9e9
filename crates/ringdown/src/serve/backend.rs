//! What the ways in reach: the core by its mailbox, the records by a connection of their own.

use super::cluster::Told;
use super::core::CoreInput;
use super::figures::Figures;
use super::first_start;
use super::music::Music;
use super::reload::Reload;
use super::shown::{self, Place};
use super::web;
use crate::config::Notices;
use api::rest::Asked;
use api::{Backend, BrokerState, CallRow, Figure, Gone, Kind, MessageRow, Post, Reply, TapRow};
use exchange::{Answer, Command, PeopleChange, Secret};
use net::{HttpClient, HttpReply, Mqtt, MqttState, Nats, NatsState, Sender};
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;
use store::{Document, Documents, KeptMessage, KeptTap, MessageState, Record, Records, RecordsWanted, Store};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long another exchange of the cluster may take to answer.
const ANSWERS: Duration = Duration::from_secs(10);

/// The running exchange, for the ways in.
#[derive(Clone)]
pub(crate) struct Roof {
    core: Sender<CoreInput>,
    records: Records,
    documents: Documents,
    realm: Arc<str>,
    place: Arc<Place>,
    figures: Arc<Figures>,
    reload: Arc<Reload>,
    client: HttpClient,
    notices: Option<(Mqtt, MqttPlace)>,
    nats: Option<Nats>,
    contact: Option<String>,
    music: Arc<Music>,
    one_of_several: bool,
}

/// Where notices are published.
#[derive(Clone)]
struct MqttPlace {
    address: String,
    prefix: String,
}

impl Roof {
    pub(crate) fn new(
        core: Sender<CoreInput>,
        store: &Store,
        realm: &str,
        place: Place,
        figures: &Arc<Figures>,
        reload: &Arc<Reload>,
        music: &Arc<Music>,
    ) -> Roof {
        Roof {
            core,
            records: store.records(),
            documents: store.documents(),
            realm: realm.into(),
            place: Arc::new(place),
            figures: Arc::clone(figures),
            reload: Arc::clone(reload),
            client: reload.client.clone(),
            notices: None,
            nats: None,
            contact: None,
            music: Arc::clone(music),
            one_of_several: false,
        }
    }

    /// With others that have the same office, or without.
    pub(crate) fn among_others(self, among: bool) -> Roof {
        Roof { one_of_several: among, ..self }
    }

    /// With NATS, where live events are published.
    pub(crate) fn with_nats(self, nats: Nats) -> Roof {
        Roof { nats: Some(nats), ..self }
    }

    /// With the broker that notices are published at, if there is one.
    pub(crate) fn with_notices(mut self, notices: &Notices, mqtt: Option<Mqtt>) -> Roof {
        let address = notices.broker.as_ref().map(ToString::to_string).unwrap_or_default();
        self.notices = mqtt.map(|mqtt| (mqtt, MqttPlace { address, prefix: notices.topic.clone() }));
        self.contact.clone_from(&notices.contact);
        self
    }
}

fn of_store(documents: Vec<api::Document>) -> Vec<Document> {
    documents.into_iter().map(one_of_store).collect()
}

fn one_of_store(document: api::Document) -> Document {
    let api::Document { kind, id, text } = document;
    Document { kind, id, text }
}

/// What the store tells, and where that is waited for.
fn hearing() -> (store::Kept, oneshot::Receiver<Result<(), String>>) {
    let (told, kept) = oneshot::channel();
    let hear = Box::new(|written| {
        // Who asked may be gone.
        let _ = told.send(written);
    });
    (hear, kept)
}

impl Backend for Roof {
    fn is_one_of_several(&self) -> bool {
        self.one_of_several
    }

    fn keeps(&self) -> bool {
        self.documents.keeps()
    }

    async fn documents(&self) -> Result<Vec<api::Document>, String> {
        let all = self.documents.all().await.map_err(|error| error.to_string())?;
        Ok(all.into_iter().map(web::document).collect())
    }

    async fn hand_on(&self, to: NonZeroU8, asked: Asked) -> Result<String, String> {
        let text = serde_json::to_string(&asked).map_err(|error| error.to_string())?;
        let (reply, answer) = oneshot::channel();
        let told = CoreInput::Cluster(Box::new(Told::Ask(to, text, reply)));
        self.core.send(told).map_err(|_| "the exchange is stopping or has too much to do")?;
        let silent = || "the exchange that keeps it does not answer".to_owned();
        timeout(ANSWERS, answer).await.map_err(|_| silent())?.map_err(|_| silent())
    }

    async fn command(&self, command: Command) -> Result<Answer, Gone> {
        let (reply, answer) = oneshot::channel();
        let leaves = match &command {
            Command::Change(PeopleChange::RemoveQueue { name }) => Some(name.clone()),
            _ => None,
        };
        self.core.send(CoreInput::Command { command, reply }).map_err(|_| Gone)?;
        let answer = answer.await.map_err(|_| Gone)?;
        if let (Some(queue), Answer::Done) = (leaves, &answer) {
            // Another queue of this name begins with the standard music.
            self.music.forget(&queue).await;
        }
        Ok(answer)
    }

    async fn records(&self, most: u32) -> Result<Vec<CallRow>, String> {
        let records = self.records.newest(most).await.map_err(|error| error.to_string())?;
        Ok(records.into_iter().map(row).collect())
    }

    async fn records_page(&self, wanted: api::RecordsWanted) -> Result<Vec<CallRow>, String> {
        let api::RecordsWanted { before, from, to, find, session, task, own, most } = wanted;
        let wanted = RecordsWanted { before, from, to, find, session, task, own, most };
        let records = self.records.page(&wanted).await.map_err(|error| error.to_string())?;
        Ok(records.into_iter().map(row).collect())
    }

    async fn taps(
        &self,
        account: Option<&str>,
        before: Option<i64>,
        most: u32,
    ) -> Result<Vec<TapRow>, String> {
        let taps = self.records.taps(account, before, most).await.map_err(|error| error.to_string())?;
        Ok(taps.into_iter().map(tap_row).collect())
    }

    async fn messages(&self, task: i64) -> Result<Vec<MessageRow>, String> {
        let messages = self.records.messages(task).await.map_err(|error| error.to_string())?;
        Ok(messages.into_iter().map(message_row).collect())
    }

    async fn records_after(&self, after: i64, most: u32) -> Result<Vec<CallRow>, String> {
        let records = self.records.after(after, most).await.map_err(|error| error.to_string())?;
        Ok(records.into_iter().map(row).collect())
    }

    async fn fetch(&self, link: &str) -> Result<Vec<u8>, String> {
        self.reload.fetch(link).await
    }

    fn judge_url(&self, url: &str) -> Result<(), String> {
        self.client.judge(url)
    }

    async fn post(&self, post: Post) -> Result<Reply, String> {
        let HttpReply { status, retry_after, body } =
            self.client.post(&post.url, &post.headers, post.body.into()).await?;
        Ok(Reply { status, retry_after, body })
    }

    fn broker(&self) -> Option<BrokerState> {
        let (mqtt, MqttPlace { address, prefix }) = self.notices.as_ref()?;
        let MqttState { connected, trouble, delivered, dropped } = mqtt.state();
        let (address, prefix) = (address.clone(), prefix.clone());
        Some(BrokerState { address, prefix, connected, trouble, delivered, dropped })
    }

    fn nats(&self) -> Option<api::NatsState> {
        let NatsState { connected, server, trouble, warning, kept, .. } = self.nats.as_ref()?.state();
        Some(api::NatsState { server, connected, trouble, warning, published: kept })
    }

    fn publish(&self, topic: String, payload: Vec<u8>, lives: Duration) {
        if let Some((mqtt, _)) = &self.notices {
            mqtt.publish(topic, payload, lives);
        }
    }

    fn contact(&self) -> Option<String> {
        self.contact.clone()
    }

    async fn settings(&self) -> serde_json::Value {
        shown::settings(&*self.reload.current.lock().await)
    }

    fn place(&self, device: &str) -> (String, String) {
        let Place { domain, registrar, .. } = &*self.place;
        (format!("sip:{device}@{domain}"), registrar.clone())
    }

    async fn reload(&self) -> Result<Vec<String>, String> {
        self.reload.reload().await
    }

    async fn music(&self, queue: &str) -> Result<Option<Vec<u8>>, String> {
        self.music.file(queue).await
    }

    async fn set_music(&self, queue: &str, file: Option<Vec<u8>>) -> Result<(), String> {
        let ready = self.music.prepare(queue, file).await?;
        let command = Command::QueueMusic { queue: queue.into(), sound: ready.sound };
        let answer = self.command(command).await;
        self.music.settle(queue, ready, matches!(answer, Ok(Answer::Done))).await;
        match answer {
            Ok(Answer::Done) => Ok(()),
            Ok(Answer::Refused(refusal)) => Err(refusal.to_string()),
            _ => Err("the exchange does not answer".into()),
        }
    }

    async fn facts(&self, kind: &str, subject: &str) -> Result<Vec<(i64, String, String)>, String> {
        let facts = self.records.facts(kind, subject).await.map_err(|error| error.to_string())?;
        Ok(facts.into_iter().map(|fact| (fact.time, fact.rule, fact.words)).collect())
    }

    fn figures(&self) -> Vec<Figure> {
        let nats = self.nats.as_ref().map(Nats::state);
        self.figures.read().into_iter().chain(nats.iter().flat_map(of_nats)).collect()
    }

    fn http(&self) -> String {
        self.place.http.clone()
    }

    async fn keep(&self, documents: Vec<api::Document>) -> Result<(), String> {
        let (hear, kept) = hearing();
        self.documents.keep(of_store(documents), hear).map_err(|error| error.to_string())?;
        kept.await.map_err(|_| "the store is closed".to_owned())?
    }

    async fn spend(&self, used: api::Document, documents: Vec<api::Document>) -> Result<(), String> {
        let (hear, kept) = hearing();
        self.documents
            .spend(one_of_store(used), of_store(documents), hear)
            .map_err(|error| error.to_string())?;
        kept.await.map_err(|_| "the store is closed".to_owned())?
    }

    async fn renew(&self, documents: Vec<api::Document>) -> Result<(), String> {
        let (hear, kept) = hearing();
        self.documents.renew(of_store(documents), hear).map_err(|error| error.to_string())?;
        kept.await.map_err(|_| "the store is closed".to_owned())?
    }

    fn random(&self) -> [u8; 32] {
        first_start::seed().unwrap_or_else(|error| {
            // A system without randomness cannot run an exchange; it did not start.
            panic!("no randomness: {error}")
        })
    }

    fn secret(&self, device: &str, password: &str) -> Secret {
        Secret::new(device, &self.realm, password)
    }

    fn new_password(&self) -> String {
        first_start::secret().unwrap_or_else(|error| {
            // A system without randomness cannot run an exchange; it did not start.
            panic!("no randomness: {error}")
        })
    }
}

fn of_nats(state: &NatsState) -> [Figure; 3] {
    let (told, heard) = state.hints;
    let hints = vec![("told".to_owned(), told as f64), ("heard".to_owned(), heard as f64)];
    [
        Figure {
            name: "ringdown_nats_connected",
            help: "1 when a NATS server has us.",
            kind: Kind::Gauge(f64::from(u8::from(state.connected))),
        },
        Figure {
            name: "ringdown_nats_events_total",
            help: "Live events that NATS has.",
            kind: Kind::Counter(state.kept as f64),
        },
        Figure {
            name: "ringdown_nats_hints_total",
            help: "Hints to other exchanges of the cluster by NATS, and theirs.",
            kind: Kind::Counters { label: "way", values: hints },
        },
    ]
}

fn message_row(message: KeptMessage) -> MessageRow {
    let KeptMessage { key, account, mobile, at, task: _, text, delivery } = message;
    let waits = delivery.state == MessageState::Waiting;
    MessageRow {
        key,
        account,
        mobile,
        time: at,
        text,
        state: delivery.state.name().to_owned(),
        carrier: delivery.carrier,
        attempts: delivery.attempts,
        next: Some(delivery.next).filter(|next| waits && *next > 0),
        changed: Some(delivery.changed).filter(|changed| *changed > 0),
        answer: delivery.answer,
    }
}

fn tap_row(tap: KeptTap) -> TapRow {
    TapRow {
        id: tap.id,
        time: tap.time,
        account: tap.account,
        badge: tap.badge,
        kind: tap.kind,
        reader: tap.reader,
        device: tap.device,
        rule: tap.rule,
        words: tap.words,
    }
}

fn row(record: Record) -> CallRow {
    CallRow {
        id: record.id,
        session_id: record.session_id,
        caller: record.caller_number,
        caller_name: record.caller_name,
        callee: record.dialled,
        answered_by: record.answered_by,
        started: record.started,
        answered: record.answered,
        ended: record.ended,
        ringing_ms: record.ringing_ms,
        duration_ms: record.talking_ms,
        cause: record.cause,
        blame: record.blame,
        status: record.status,
        detail: record.detail,
        task: record.task,
    }
}
