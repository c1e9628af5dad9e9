//! `codes`, `status`, `settings` and `reload`: how the office is.

use super::Api;
use super::calls::HeardShape;
use super::openapi::EVERYBODY;
use super::operations::{Operation, Scope, Who};
use super::problem::{Blame, Problem, sentence};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::{Answer, Command, Role, Status};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/codes", EVERYBODY, Scope::SettingsRead),
    Operation::new("GET", "/status", Who::Role(Role::Manager), Scope::SettingsRead),
    Operation::new("GET", "/settings", Who::Role(Role::Administrator), Scope::SettingsRead),
    Operation::new("POST", "/reload", Who::Role(Role::Administrator), Scope::SettingsWrite),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(codes))
        .routes(routes!(status))
        .routes(routes!(settings))
        .routes(routes!(reload))
}

/// A number that is a service of the exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Code {
    /// What to dial.
    code: String,
    /// What it does.
    does: String,
}

/// The services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Codes {
    items: Vec<Code>,
}

/// The numbers that are services of the exchange.
#[utoipa::path(get, path = "/codes", tag = "office", operation_id = "codes_list",
    responses((status = 200, body = Codes)))]
async fn codes(State(api): State<Api>) -> Result<Json<Codes>, Problem> {
    match api.ask(Command::ListCodes).await? {
        Answer::Codes(rows) => {
            let items = rows.into_iter().map(|(code, does)| Code { code: code.into(), does: does.into() });
            Ok(Json(Codes { items: items.collect() }))
        }
        other => Err(Problem::of(other, "")),
    }
}

/// How things are.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct StatusShape {
    /// Calls that are up or ringing.
    calls: usize,
    /// Devices that are registered.
    registered: usize,
    /// Media ports that are free.
    ports_free: usize,
    /// Media ports in all.
    ports_total: usize,
    /// Whether changes and call records can be stored.
    store_ready: bool,
    /// Whether no new calls are taken, because the exchange is about to stop.
    draining: bool,
    /// How late the exchange is.
    late_ms: u64,
    /// New requests refused because there was too much to do.
    shed: u64,
    /// Requests of sources that sent too many.
    flooded: u64,
    /// Wrong secrets.
    wrong_secrets: u64,
    /// Requests that were not listened to, because their source guesses at secrets.
    ignored: u64,
    /// The sources that guess, the latest first.
    guessing: Vec<GuessingShape>,
    /// How everybody is heard who talks.
    sound: SoundShape,
}

/// How all ends of calls are heard that something comes of now.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
struct SoundShape {
    /// How many there are.
    ends: u64,
    /// Those of them that are heard poorly.
    poor: u64,
    /// The mean of their figures; null without any.
    mean: Option<HeardShape>,
}

/// A source that guesses at secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct GuessingShape {
    /// Its address.
    source: String,
    /// The name that it tried last; hostile.
    name: String,
    /// Wrong secrets from there.
    strikes: u32,
    /// For how long it is not listened to.
    ignored_ms: u64,
}

impl StatusShape {
    pub(crate) fn of(status: Status) -> StatusShape {
        let guessing = status.guessing.into_iter().map(|one| GuessingShape {
            source: one.source.to_string(),
            name: one.name.into(),
            strikes: one.strikes,
            ignored_ms: millis(one.ignored),
        });
        let sound = status.sound;
        StatusShape {
            calls: status.calls,
            registered: status.registered,
            ports_free: status.ports_free,
            ports_total: status.ports_total,
            store_ready: status.store_ready,
            draining: status.draining,
            late_ms: millis(status.lag),
            shed: status.shed,
            flooded: status.flooded,
            wrong_secrets: status.wrong_answers,
            ignored: status.ignored,
            guessing: guessing.collect(),
            sound: SoundShape { ends: sound.ends, poor: sound.poor, mean: sound.mean.map(HeardShape::of) },
        }
    }
}

fn millis(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// How things are.
#[utoipa::path(get, path = "/status", tag = "office", operation_id = "status_read",
    responses((status = 200, body = StatusShape)))]
async fn status(State(api): State<Api>) -> Result<Json<StatusShape>, Problem> {
    match api.ask(Command::Status).await? {
        Answer::Status(status) => Ok(Json(StatusShape::of(status))),
        other => Err(Problem::of(other, "")),
    }
}

/// The configuration that is in use, by section and key as in the file.
#[utoipa::path(get, path = "/settings", tag = "office", operation_id = "settings_read",
    responses((status = 200, body = Value)))]
async fn settings(State(api): State<Api>) -> Json<Value> {
    Json(api.door().settings().await)
}

/// What a reload left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Reloaded {
    /// The keys whose change waits for a restart.
    waits: Vec<String>,
}

/// Reads the configuration again: all of it is taken, or nothing.
#[utoipa::path(post, path = "/reload", tag = "office", operation_id = "reload",
    responses((status = 200, body = Reloaded)))]
async fn reload(State(api): State<Api>) -> Result<Json<Reloaded>, Problem> {
    let waits = api.door().reload().await.map_err(|why| {
        let detail = format!("Nothing was changed: {}", sentence(&why));
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "configuration", detail).blame(Blame::Operator)
    })?;
    Ok(Json(Reloaded { waits }))
}
