//! `exchanges`: the exchanges of the office, how they are, and the calls that go between them.

use super::Api;
use super::operations::{Operation, Scope, Who};
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use exchange::{Answer, Command, ExchangeOnMap, OfficeMap, Role};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation::new("GET", "/exchanges", Who::Role(Role::Manager), Scope::SettingsRead)];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The office as this exchange knows it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ExchangesShape {
    /// This exchange's name; null when it is the only one.
    own: Option<String>,
    /// Whether the directory can be reached; null when it has joined none, as those over one store. While it cannot, nobody knows
    /// how the others are.
    connected: Option<bool>,
    /// All of them, this one, too.
    items: Vec<ExchangeShape>,
}

/// An exchange of the office.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
struct ExchangeShape {
    /// Its name.
    name: String,
    /// Where others reach it, `HOST:PORT`; null when it never told.
    address: Option<String>,
    /// `up`, `draining`, `down`, or `unknown` while the directory says nothing.
    health: String,
    /// Where it stands, in the words of the office.
    region: Option<String>,
    /// What it runs.
    version: Option<String>,
    /// How much of what it can carry it carries, from 0 to 1.
    load: f64,
    /// How many people, groups and queues have their home there; null where all have one home.
    homes: Option<u32>,
    /// How many phones are registered there; null where nobody knows.
    phones: Option<u32>,
    /// The exchange of `items` that it is one machine of; null for an exchange by itself.
    part_of: Option<String>,
    /// Whether it keeps agents, queues, background calls and call lists for all of them.
    keeps: bool,
    /// The calls that go between it and others now.
    calls: Vec<FlowShape>,
}

/// Calls between two exchanges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct FlowShape {
    /// The other exchange.
    with: String,
    /// How many.
    count: u32,
}

impl ExchangesShape {
    pub(crate) fn of(map: OfficeMap) -> ExchangesShape {
        ExchangesShape {
            own: map.own.map(Into::into),
            connected: map.directory,
            items: map.exchanges.into_iter().map(ExchangeShape::of).collect(),
        }
    }
}

impl ExchangeShape {
    fn of(row: ExchangeOnMap) -> ExchangeShape {
        let some = |text: Box<str>| Some(String::from(text)).filter(|text| !text.is_empty());
        let calls = row.calls.into_iter().map(|(with, count)| FlowShape { with: with.into(), count });
        ExchangeShape {
            name: row.name.into(),
            address: some(row.address),
            health: row.health.into(),
            region: some(row.region),
            version: some(row.version),
            load: f64::from(row.load) / 1_000.0,
            homes: row.homes,
            part_of: row.part_of.map(Into::into),
            phones: row.phones,
            keeps: row.keeps,
            calls: calls.collect(),
        }
    }
}

/// The exchanges of the office: those of its directory, or those over one store. An exchange that is the only one knows of none.
#[utoipa::path(get, path = "/exchanges", tag = "office", operation_id = "exchanges_list",
    responses((status = 200, body = ExchangesShape)))]
async fn list(State(api): State<Api>) -> Result<Json<ExchangesShape>, Problem> {
    match api.ask(Command::Exchanges).await? {
        Answer::Exchanges(map) => Ok(Json(ExchangesShape::of(*map))),
        other => Err(Problem::of(other, "")),
    }
}
