//! `queues`: one number, callers who wait, and the agents who take them.

use super::input::{Body, IfMatch, Named, Params, Put, Tagged, tag};
use super::kept::{self, Kept};
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Wanted};
use super::problem::{Problem, sentence};
use super::{Api, time};
use crate::control::work::{self, CallbackItem, QueueItem};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use exchange::{Answer, Command, PeopleChange, QueueRow, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/queues", Who::Role(Role::Manager), Scope::PeopleRead),
    Operation::new("GET", "/queues/{name}", Who::Role(Role::Manager), Scope::PeopleRead),
    Operation::new("PUT", "/queues/{name}", Who::Role(Role::Administrator), Scope::PeopleWrite),
    Operation::new("DELETE", "/queues/{name}", Who::Role(Role::Administrator), Scope::PeopleWrite),
    Operation::new("GET", "/queues/{name}/music", Who::Role(Role::Manager), Scope::PeopleRead),
    Operation::new("PUT", "/queues/{name}/music", Who::Role(Role::Administrator), Scope::PeopleWrite),
    Operation::new("DELETE", "/queues/{name}/music", Who::Role(Role::Administrator), Scope::PeopleWrite),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    let music = OpenApiRouter::new().routes(routes!(music, set_music, standard_music));
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, put, remove))
        .merge(music.layer(DefaultBodyLimit::max(RECORDING)))
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct QueueShape {
    /// Its name.
    name: String,
    #[serde(flatten)]
    set: QueueSet,
    /// How it stands.
    now: QueueNowShape,
}

/// What is set for a queue; what is left out is what is usual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QueueSet {
    /// What callers and agents see; the name if it is left out.
    #[serde(default)]
    #[schema(max_length = 200)]
    display: String,
    /// The number that is dialled.
    #[schema(min_length = 1, max_length = 32)]
    number: String,
    /// Which agent is next: `longest-idle`, `round-robin`, or `all` at once.
    #[serde(default)]
    strategy: String,
    /// The accounts that may work for it, each alone or as `account:priority`; callers come to the least first.
    #[serde(default)]
    members: Vec<String>,
    /// The wrap-up after its calls.
    #[serde(default)]
    #[schema(maximum = 3_600_000)]
    wrap_up_ms: u32,
    /// How long it rings at an agent; 20 s if it is left out.
    #[serde(default)]
    #[schema(maximum = 600_000)]
    ring_ms: u32,
    /// How long a caller waits before the call goes to the overflow; for ever if zero.
    #[serde(default)]
    longest_wait_ms: u32,
    /// Callers who wait at most; 100 if it is left out.
    #[serde(default)]
    most_waiting: u16,
    /// Where calls go that it does not take; null if they end.
    #[serde(default)]
    overflow: Option<String>,
    /// When it is open, as in `mon-fri 08:00-19:00`, by the office's clock; always if there is none.
    #[serde(default)]
    hours: Vec<String>,
    /// Days on which it is closed, as in `2026-12-25`.
    #[serde(default)]
    holidays: Vec<String>,
    /// After so long a waiting caller is answered with music; 60 s, and 20 s from a trunk, if it is null.
    #[serde(default)]
    answer_after_ms: Option<u32>,
    /// How often a waiting caller hears their place; never if zero, every 45 s if it is null.
    #[serde(default)]
    announce_ms: Option<u32>,
    /// Whoever is answered within so long was served well; 20 s if it is left out.
    #[serde(default)]
    service_level_ms: u32,
    /// Numbers whose callers come first.
    #[serde(default)]
    preferred: Vec<String>,
    /// How callers are called back who press a key and keep their place; null if they cannot ask for it.
    #[serde(default)]
    callback: Option<CallbackSet>,
}

/// How callers of a queue are called back; what is left out is what is usual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CallbackSet {
    /// The digit that asks for it; `1` if it is left out.
    #[serde(default)]
    #[schema(max_length = 1)]
    key: String,
    /// Who is called first, once an agent is reserved: the `agent`, who hears it ring there, or the `caller`, who hears music.
    #[serde(default)]
    first: String,
    /// Attempts at most; 3 if it is left out. Laws may allow less.
    #[serde(default)]
    #[schema(maximum = 10)]
    attempts: u8,
    /// Whether numbers abroad are called; those that cost extra never are.
    #[serde(default)]
    abroad: bool,
}

impl CallbackSet {
    fn of(item: CallbackItem) -> CallbackSet {
        CallbackSet { key: item.key, first: item.first, attempts: item.attempts, abroad: item.abroad }
    }

    fn item(self) -> CallbackItem {
        CallbackItem { key: self.key, first: self.first, attempts: self.attempts, abroad: self.abroad }
    }
}

/// How a queue stands; what became of callers counts since the start of the exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
struct QueueNowShape {
    /// Whether it takes callers.
    open: bool,
    /// Its callers hear a recording of its own (`queues/NAME/music`).
    own_music: bool,
    /// Callers in it, also those who are called back.
    waiting: usize,
    /// Those of them who are called back; each is a background call (`tasks`) with this queue and its place.
    callbacks: usize,
    /// Since when the first of them waits.
    #[schema(format = DateTime)]
    first_since: Option<String>,
    /// How long a caller who came now would wait, by how fast the queue moved within the last hour; null before enough was
    /// measured.
    expected_wait_ms: Option<u32>,
    /// Agents who are ready.
    ready: usize,
    /// Callers that were taken.
    offered: u64,
    /// Those whom an agent answered.
    answered: u64,
    /// Those of them within the time that the queue promises.
    in_time: u64,
    /// Those who gave up.
    abandoned: u64,
    /// Those who went elsewhere, because it was full or the wait too long.
    overflowed: u64,
    /// Callers who asked to be called back.
    callbacks_asked: u64,
    /// Those of them who were, and talked with an agent.
    called_back: u64,
    /// Those with whom it came to nothing: not reached, stopped, or they called again.
    callbacks_lost: u64,
    /// Of a hundred callers, those answered in time; null before the first.
    service_level: Option<u8>,
}

impl QueueShape {
    pub(crate) fn of(row: &QueueRow) -> QueueShape {
        let item = work::queue_row(row);
        let now = item.now.clone().unwrap_or_default();
        let [offered, answered, in_time, abandoned, overflowed] = now.counts;
        let [callbacks_asked, called_back, callbacks_lost] = now.callback_counts;
        QueueShape {
            name: item.name.clone(),
            set: QueueSet {
                display: item.display,
                number: item.number,
                strategy: item.strategy,
                members: item.members,
                wrap_up_ms: item.wrap_up_ms,
                ring_ms: item.ring_ms,
                longest_wait_ms: item.longest_wait_ms,
                most_waiting: item.most_waiting,
                overflow: Some(item.overflow).filter(|number| !number.is_empty()),
                hours: item.hours,
                holidays: item.holidays,
                answer_after_ms: item.answer_after_ms,
                announce_ms: item.announce_ms,
                service_level_ms: item.service_level_ms,
                preferred: item.preferred,
                callback: item.callback.map(CallbackSet::of),
            },
            now: QueueNowShape {
                open: now.open,
                own_music: now.own_music,
                waiting: now.waiting,
                callbacks: now.callbacks,
                first_since: now.first_since.map(time),
                expected_wait_ms: now.expected_wait_ms,
                ready: now.ready,
                offered,
                answered,
                in_time,
                abandoned,
                overflowed,
                callbacks_asked,
                called_back,
                callbacks_lost,
                service_level: now.service_level,
            },
        }
    }
}

impl Kept for QueueShape {
    const RESOURCE: &'static str = "queues";
    const KIND: &'static str = "queue";

    fn name(&self) -> &str {
        &self.name
    }

    fn words(&self) -> String {
        format!("{} {}", self.set.display, self.set.number)
    }

    /// Callers come and go, and the form stays.
    fn tag(&self) -> String {
        tag(&(&self.name, &self.set))
    }

    async fn every(api: &Api) -> Result<Vec<QueueShape>, Problem> {
        match api.ask(Command::ListQueues).await? {
            Answer::Queues(rows) => Ok(rows.iter().map(QueueShape::of).collect()),
            other => Err(Problem::of(other, "")),
        }
    }
}

/// Queues in the order of their names, with who waits and how callers are served.
#[utoipa::path(get, path = "/queues", tag = "agents", operation_id = "queues_list", params(Wanted),
    responses((status = 200, body = Items<QueueShape>)))]
async fn list(State(api): State<Api>, wanted: Params<Wanted>) -> Result<Json<Items<QueueShape>>, Problem> {
    kept::list(&api, wanted).await
}

/// One queue.
#[utoipa::path(get, path = "/queues/{name}", tag = "agents", operation_id = "queues_read",
    params(("name" = String, Path, description = "The queue")),
    responses((status = 200, body = QueueShape, headers(("ETag" = String)))))]
async fn read(State(api): State<Api>, Named(name): Named<String>) -> Result<Tagged<QueueShape>, Problem> {
    kept::read(&api, &name).await
}

/// Makes a queue, or puts another in its place; that takes If-Match. Callers who wait go on waiting.
#[utoipa::path(put, path = "/queues/{name}", tag = "agents", operation_id = "queues_put",
    params(("name" = String, Path, description = "The queue"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read, if there is such a queue")),
    request_body = QueueSet,
    responses((status = 200, body = QueueShape, headers(("ETag" = String))),
        (status = 201, body = QueueShape, headers(("ETag" = String), ("Location" = String)))))]
async fn put(
    State(api): State<Api>,
    Named(name): Named<String>,
    if_match: IfMatch,
    Body(set): Body<QueueSet>,
) -> Result<Put<QueueShape>, Problem> {
    let item = QueueItem {
        name: name.clone(),
        display: set.display,
        number: set.number,
        strategy: set.strategy,
        members: set.members,
        wrap_up_ms: set.wrap_up_ms,
        ring_ms: set.ring_ms,
        longest_wait_ms: set.longest_wait_ms,
        most_waiting: set.most_waiting,
        overflow: set.overflow.unwrap_or_default(),
        hours: set.hours,
        holidays: set.holidays,
        answer_after_ms: set.answer_after_ms,
        announce_ms: set.announce_ms,
        service_level_ms: set.service_level_ms,
        preferred: set.preferred,
        callback: set.callback.map(CallbackSet::item),
        now: None,
    };
    let queue = work::queue(&item)
        .map_err(|(field, why)| Problem::nonsense(sentence(&why)).at(format!("/{field}")))?;
    let change = PeopleChange::PutQueue { name: name.as_str().into(), queue: Box::new(queue) };
    kept::put(&api, &api.editing().await, &name, &if_match, change).await
}

/// Removes a queue. Whoever waits there is told that nobody comes.
#[utoipa::path(delete, path = "/queues/{name}", tag = "agents", operation_id = "queues_remove",
    params(("name" = String, Path, description = "The queue"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 204, description = "The queue is removed.")))]
async fn remove(
    State(api): State<Api>,
    Named(name): Named<String>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let change = PeopleChange::RemoveQueue { name: name.as_str().into() };
    kept::remove::<QueueShape>(&api, &name, &if_match, change).await
}

/// Octets of a recording: five minutes and more at 48 kHz.
const RECORDING: usize = 32 * 1024 * 1024;

/// The recording that callers hear who wait; 404 while it is the standard music.
#[utoipa::path(get, path = "/queues/{name}/music", tag = "agents", operation_id = "queues_music",
    params(("name" = String, Path, description = "The queue")),
    responses((status = 200, content_type = "audio/wav", body = Vec<u8>)))]
async fn music(State(api): State<Api>, Named(name): Named<String>) -> Result<Response, Problem> {
    match api.door().music(&name).await {
        Ok(Some(file)) => Ok(([(header::CONTENT_TYPE, "audio/wav")], file).into_response()),
        Ok(None) => Err(Problem::not_found("recording of queue", &name)),
        Err(why) => Err(Problem::unavailable(&why)),
    }
}

/// Gives a queue a recording of its own, which is played again and again: a WAV file with 16-bit PCM or mu-law, mono or
/// stereo, from 8 to 48 kHz. Whoever waits hears it at once.
#[utoipa::path(put, path = "/queues/{name}/music", tag = "agents", operation_id = "queues_set_music",
    params(("name" = String, Path, description = "The queue")),
    request_body(content = Vec<u8>, content_type = "audio/wav"),
    responses((status = 204, description = "It is kept, and heard.")))]
async fn set_music(
    State(api): State<Api>,
    Named(name): Named<String>,
    file: Bytes,
) -> Result<StatusCode, Problem> {
    kept::read::<QueueShape>(&api, &name).await?;
    api.door()
        .set_music(&name, Some(file.to_vec()))
        .await
        .map_err(|why| Problem::nonsense(sentence(&why)))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a queue the standard music back.
#[utoipa::path(delete, path = "/queues/{name}/music", tag = "agents", operation_id = "queues_standard_music",
    params(("name" = String, Path, description = "The queue")),
    responses((status = 204, description = "Callers hear the standard music.")))]
async fn standard_music(State(api): State<Api>, Named(name): Named<String>) -> Result<StatusCode, Problem> {
    kept::read::<QueueShape>(&api, &name).await?;
    api.door().set_music(&name, None).await.map_err(|why| Problem::unavailable(&why))?;
    Ok(StatusCode::NO_CONTENT)
}
