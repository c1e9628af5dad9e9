//! `webhooks`: programs elsewhere that are told what happens here. How they are told stands in [`super::webhook`].

use super::input::{Body, IfMatch, Named, Params, Tagged, Written, tag};
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::{Problem, sentence};
use super::webhook::{self, Entry, Input, Settings, TYPES, Webhook};
use super::{Api, secrets, time};
use crate::backend::RecordsWanted;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::Role;
use serde::{Deserialize, Serialize};
use std::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const ADMINISTRATOR: Who = Who::Role(Role::Administrator);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/webhooks", ADMINISTRATOR, Scope::SettingsRead),
    Operation::new("POST", "/webhooks", ADMINISTRATOR, Scope::SettingsWrite).creating(),
    Operation::new("GET", "/webhooks/{id}", ADMINISTRATOR, Scope::SettingsRead),
    Operation::new("PUT", "/webhooks/{id}", ADMINISTRATOR, Scope::SettingsWrite),
    Operation::new("DELETE", "/webhooks/{id}", ADMINISTRATOR, Scope::SettingsWrite),
    Operation::new("POST", "/webhooks/{id}/test", ADMINISTRATOR, Scope::SettingsWrite),
    Operation::new("GET", "/webhooks/{id}/dead-letters", ADMINISTRATOR, Scope::SettingsRead),
    Operation::new("POST", "/webhooks/{id}/dead-letters/replay", ADMINISTRATOR, Scope::SettingsWrite),
    Operation::new(
        "POST",
        "/webhooks/{id}/dead-letters/{letter}/replay",
        ADMINISTRATOR,
        Scope::SettingsWrite,
    ),
];

/// What the secret of a webhook begins with.
const SECRET: &str = "rdwh_";
/// Characters of an answer that a test shows.
const SHOWN: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(read, put, remove))
        .routes(routes!(test))
        .routes(routes!(letters))
        .routes(routes!(replay_all))
        .routes(routes!(replay))
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct WebhookShape {
    /// Its own name.
    id: String,
    /// Where events are posted.
    url: String,
    /// The types of events that are.
    types: Vec<String>,
    /// Whether any are.
    enabled: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    created: String,
    /// Why it was switched off, if not by hand.
    stopped: Option<String>,
    /// Events that wait.
    queued: usize,
    /// Events that were not delivered.
    dead_letters: usize,
    /// Failures in a row; 0 when the last attempt was well.
    failures: u32,
    /// What went wrong last; null when nothing did.
    last_error: Option<String>,
    /// When something was delivered last since the exchange started.
    #[schema(format = DateTime)]
    delivered: Option<String>,
}

/// A webhook with its secret.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
struct MadeWebhook {
    #[serde(flatten)]
    webhook: WebhookShape,
    /// What its messages are signed with. It is shown only now.
    secret: String,
}

/// What is set for a webhook.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookSet {
    /// Where events are posted: https, or http where the configuration allows it; without a user name.
    #[schema(min_length = 1, max_length = 2048)]
    url: String,
    /// The types of events, as in `call.ended`.
    #[schema(min_items = 1)]
    types: Vec<String>,
    /// Whether events are posted; true if it is left out.
    #[serde(default = "yes")]
    #[schema(default = true)]
    enabled: bool,
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Tested {
    /// Whether the receiver took it.
    delivered: bool,
    /// The status of its answer; null if there was none.
    status: Option<u16>,
    /// The beginning of its answer; null if there was none.
    answer: Option<String>,
    /// What went wrong; null if nothing did.
    error: Option<String>,
    /// How long it took.
    took_ms: u64,
}

/// An event that was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct LetterShape {
    /// Its name among the dead letters.
    id: String,
    /// The event's own id.
    event: String,
    /// The event's type.
    #[serde(rename = "type")]
    kind: String,
    /// What the event is about.
    subject: String,
    /// When it was given up.
    #[schema(format = DateTime)]
    time: String,
    /// How often it was tried.
    attempts: u32,
    /// Why it was given up.
    reason: String,
}

/// How many events are to be delivered after all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Replayed {
    /// So many.
    replayed: usize,
}

fn yes() -> bool {
    true
}

fn shape(id: &str, webhook: &Webhook) -> WebhookShape {
    let trouble = webhook.trouble();
    WebhookShape {
        id: id.into(),
        url: webhook.settings.url.clone(),
        types: webhook.settings.types.clone(),
        enabled: webhook.settings.enabled,
        created: time(webhook.settings.created),
        stopped: webhook.settings.stopped.clone(),
        queued: webhook.waiting(),
        dead_letters: webhook.letters().len(),
        failures: trouble.map_or(0, |(count, _)| count),
        last_error: trouble.map(|(_, why)| why.to_owned()),
        delivered: webhook.delivered.map(time),
    }
}

/// Of what is set, and not of how it fares.
fn tag_of(webhook: &Webhook) -> String {
    let Settings { url, types, enabled, .. } = &webhook.settings;
    tag(&(url, types, enabled))
}

fn letter(entry: &Entry) -> LetterShape {
    LetterShape {
        id: format!("{:012}", entry.place),
        event: entry.event.id.clone(),
        kind: entry.event.kind.clone(),
        subject: entry.event.subject.clone(),
        time: time(entry.since),
        attempts: entry.attempts,
        reason: entry.why.clone(),
    }
}

/// Checks what is set; the types come back in the order of the table, each once.
fn checked(api: &Api, set: &WebhookSet) -> Result<Vec<String>, Problem> {
    api.door().judge_url(&set.url).map_err(|why| Problem::nonsense(sentence(&why)).at("/url"))?;
    if let Some(wrong) = set.types.iter().find(|name| !TYPES.contains(&name.as_str())) {
        let words = format!("\"{wrong}\" is no type of event: {} are.", TYPES.join(", "));
        return Err(Problem::nonsense(words).at("/types"));
    }
    let chosen = TYPES.iter().filter(|name| set.types.iter().any(|one| one == *name));
    let types: Vec<String> = chosen.map(|name| (*name).to_owned()).collect();
    if types.is_empty() {
        return Err(Problem::nonsense("Name at least one type of event.").at("/types"));
    }
    Ok(types)
}

/// The newest call record: who begins to hear hears of those after it.
async fn newest_record(api: &Api) -> Result<i64, Problem> {
    let wanted = RecordsWanted { most: 1, ..RecordsWanted::default() };
    let rows = api.door().records_page(wanted).await.map_err(|why| Problem::unavailable(&why))?;
    Ok(rows.first().map_or(0, |row| row.id))
}

/// Webhooks.
#[utoipa::path(get, path = "/webhooks", tag = "webhooks", operation_id = "webhooks_list", params(Wanted),
    responses((status = 200, body = Items<WebhookShape>)))]
async fn list(State(api): State<Api>, wanted: Params<Wanted>) -> Result<Json<Items<WebhookShape>>, Problem> {
    let page = Page::of(wanted)?;
    let all = api.webhooks().all();
    let items = all.iter().map(|(id, webhook)| shape(id, webhook));
    Ok(Json(page.pick(items, |item| &item.id, |item| format!("{} {}", item.url, item.types.join(" ")))))
}

/// Makes a webhook; its secret is in this answer only.
#[utoipa::path(post, path = "/webhooks", tag = "webhooks", operation_id = "webhooks_make", request_body = WebhookSet,
    responses((status = 201, body = MadeWebhook, headers(("ETag" = String), ("Location" = String)))))]
async fn make(State(api): State<Api>, Body(set): Body<WebhookSet>) -> Result<Written<MadeWebhook>, Problem> {
    let types = checked(&api, &set)?;
    let id = secrets::fingerprint(&[api.random().as_bytes()]);
    let secret = format!("{SECRET}{}", api.random());
    let settings = Settings {
        url: set.url,
        types,
        enabled: set.enabled,
        secret: secret.clone(),
        created: api.now(),
        stopped: None,
    };
    let cursor = newest_record(&api).await?;
    api.webhooks().change(&api, |change| change.add(&id, settings, cursor)).await?;
    let made = api.webhooks().one(&id)?;
    let form = MadeWebhook { webhook: shape(&id, &made), secret };
    Ok(Written { location: format!("{}/webhooks/{id}", super::PREFIX), tag: tag_of(&made), form })
}

/// One webhook.
#[utoipa::path(get, path = "/webhooks/{id}", tag = "webhooks", operation_id = "webhooks_read",
    params(("id" = String, Path, description = "The webhook's own name")),
    responses((status = 200, body = WebhookShape, headers(("ETag" = String)))))]
async fn read(State(api): State<Api>, Named(id): Named<String>) -> Result<Tagged<WebhookShape>, Problem> {
    let webhook = api.webhooks().one(&id)?;
    Ok(Tagged(tag_of(&webhook), shape(&id, &webhook)))
}

/// Sets a webhook anew; its secret and what waits for it stay. While it is not enabled nothing is queued for it.
#[utoipa::path(put, path = "/webhooks/{id}", tag = "webhooks", operation_id = "webhooks_put",
    params(("id" = String, Path, description = "The webhook's own name"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    request_body = WebhookSet,
    responses((status = 200, body = WebhookShape, headers(("ETag" = String)))))]
async fn put(
    State(api): State<Api>,
    Named(id): Named<String>,
    if_match: IfMatch,
    Body(set): Body<WebhookSet>,
) -> Result<Tagged<WebhookShape>, Problem> {
    let types = checked(&api, &set)?;
    let cursor = newest_record(&api).await?;
    let put = api.webhooks().change(&api, |change| {
        let before = change.one(&id)?;
        if_match.check(&tag_of(before))?;
        let (url, enabled) = (set.url, set.enabled);
        let stopped = before.settings.stopped.clone().filter(|_| !enabled);
        let settings = Settings { url, types, enabled, stopped, ..before.settings.clone() };
        change.put(&id, settings, cursor)?;
        let now = change.one(&id)?;
        Ok(Tagged(tag_of(now), shape(&id, now)))
    });
    put.await
}

/// Removes a webhook, with all that waits for it and its dead letters.
#[utoipa::path(delete, path = "/webhooks/{id}", tag = "webhooks", operation_id = "webhooks_remove",
    params(("id" = String, Path, description = "The webhook's own name"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 204, description = "The webhook is removed.")))]
async fn remove(
    State(api): State<Api>,
    Named(id): Named<String>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let removed = api.webhooks().change(&api, |change| {
        if_match.check(&tag_of(change.one(&id)?))?;
        change.remove(&id);
        Ok(StatusCode::NO_CONTENT)
    });
    removed.await
}

/// Sends an event `webhook.test`, past the queue, and tells what came back.
#[utoipa::path(post, path = "/webhooks/{id}/test", tag = "webhooks", operation_id = "webhooks_test",
    params(("id" = String, Path, description = "The webhook's own name")),
    responses((status = 200, body = Tested), (status = 429, description = "Others are being tested.")))]
async fn test(State(api): State<Api>, Named(id): Named<String>) -> Result<Json<Tested>, Problem> {
    let webhook = api.webhooks().one(&id)?;
    let _turn = api.webhooks().turn_to_test()?;
    let began = Instant::now();
    let answer = webhook::post_test(&api, &id, &webhook.settings, &api.random()).await;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Json(match answer {
        Ok(reply) => Tested {
            delivered: (200..300).contains(&reply.status),
            status: Some(reply.status),
            answer: Some(reply.body.chars().take(SHOWN).collect()),
            error: None,
            took_ms,
        },
        Err(why) => {
            let error = Some(sentence(&why));
            Tested { delivered: false, status: None, answer: None, error, took_ms }
        }
    }))
}

/// The events that were not delivered, the oldest first; they are kept for a week.
#[utoipa::path(get, path = "/webhooks/{id}/dead-letters", tag = "webhooks", operation_id = "webhooks_letters",
    params(("id" = String, Path, description = "The webhook's own name"), Wanted),
    responses((status = 200, body = Items<LetterShape>)))]
async fn letters(
    State(api): State<Api>,
    Named(id): Named<String>,
    wanted: Params<Wanted>,
) -> Result<Json<Items<LetterShape>>, Problem> {
    let page = Page::of(wanted)?;
    let webhook = api.webhooks().one(&id)?;
    let items = webhook.letters().iter().map(|entry| letter(entry));
    let words = |item: &LetterShape| format!("{} {} {}", item.kind, item.subject, item.reason);
    Ok(Json(page.pick(items, |item| &item.id, words)))
}

/// Lets all dead letters wait again, as many as there is room for.
#[utoipa::path(post, path = "/webhooks/{id}/dead-letters/replay", tag = "webhooks",
    operation_id = "webhooks_replay_all",
    params(("id" = String, Path, description = "The webhook's own name")),
    responses((status = 200, body = Replayed)))]
async fn replay_all(State(api): State<Api>, Named(id): Named<String>) -> Result<Json<Replayed>, Problem> {
    let replayed = api.webhooks().change(&api, |change| {
        change.one(&id)?;
        Ok(change.feed(&id, Input::Replay(None)))
    });
    Ok(Json(Replayed { replayed: replayed.await? }))
}

/// Lets a dead letter wait again, as the last.
#[utoipa::path(post, path = "/webhooks/{id}/dead-letters/{letter}/replay", tag = "webhooks",
    operation_id = "webhooks_replay",
    params(("id" = String, Path, description = "The webhook's own name"),
        ("letter" = String, Path, description = "The dead letter's name")),
    responses((status = 200, body = Replayed)))]
async fn replay(
    State(api): State<Api>,
    Named((id, name)): Named<(String, String)>,
) -> Result<Json<Replayed>, Problem> {
    let replayed = api.webhooks().change(&api, |change| {
        let known = change.one(&id)?.letters().iter().find(|entry| letter(entry).id == name);
        let place = known.ok_or_else(|| Problem::not_found("dead letter", &name))?.place;
        match change.feed(&id, Input::Replay(Some(place))) {
            0 => Err(Problem::conflict("The queue is full; replay it when something was delivered.")),
            replayed => Ok(replayed),
        }
    });
    Ok(Json(Replayed { replayed: replayed.await? }))
}
