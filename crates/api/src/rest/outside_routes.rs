//! `routes`: which numbers go out by which trunks.

use super::Api;
use super::input::{Body, IfMatch, Named, Params, Put, Tagged};
use super::kept::{self, Kept};
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Wanted};
use super::problem::Problem;
use crate::control::{RouteItem, lines};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::{Answer, Command, PeopleChange, Role, Route};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const ADMINISTRATOR: Who = Who::Role(Role::Administrator);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/routes", ADMINISTRATOR, Scope::SettingsRead),
    Operation::new("GET", "/routes/{name}", ADMINISTRATOR, Scope::SettingsRead),
    Operation::new("PUT", "/routes/{name}", ADMINISTRATOR, Scope::SettingsWrite),
    Operation::new("DELETE", "/routes/{name}", ADMINISTRATOR, Scope::SettingsWrite),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, put, remove))
}

/// A route to the outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct RouteShape {
    /// Its name.
    name: String,
    #[serde(flatten)]
    set: RouteSet,
}

/// What is set for a route to the outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteSet {
    /// The front of the numbers that it is for; empty for all.
    #[serde(default)]
    #[schema(max_length = 32)]
    prefix: String,
    /// Digits taken off the front.
    #[serde(default)]
    strip: u8,
    /// Digits put before the rest.
    #[serde(default)]
    prepend: String,
    /// The trunks in the order in which they are tried.
    trunks: Vec<String>,
    /// The number that the outside sees; null for the caller's own.
    #[serde(default)]
    caller: Option<String>,
}

pub(super) fn shape(name: &str, route: &Route) -> RouteShape {
    let item = lines::route_item(name, route);
    let caller = Some(item.caller).filter(|number| !number.is_empty());
    RouteShape {
        name: name.into(),
        set: RouteSet {
            prefix: item.prefix,
            strip: item.strip,
            prepend: item.prepend,
            trunks: item.trunks,
            caller,
        },
    }
}

impl Kept for RouteShape {
    const RESOURCE: &'static str = "routes";
    const KIND: &'static str = "route";

    fn name(&self) -> &str {
        &self.name
    }

    fn words(&self) -> String {
        self.set.prefix.clone()
    }

    async fn every(api: &Api) -> Result<Vec<RouteShape>, Problem> {
        match api.ask(Command::ListRoutes).await? {
            Answer::Routes(rows) => Ok(rows.iter().map(|(name, route)| shape(name, route)).collect()),
            other => Err(Problem::of(other, "")),
        }
    }
}

/// Routes in the order of their names.
#[utoipa::path(get, path = "/routes", tag = "outside", operation_id = "routes_list", params(Wanted),
    responses((status = 200, body = Items<RouteShape>)))]
async fn list(State(api): State<Api>, wanted: Params<Wanted>) -> Result<Json<Items<RouteShape>>, Problem> {
    kept::list(&api, wanted).await
}

/// One route.
#[utoipa::path(get, path = "/routes/{name}", tag = "outside", operation_id = "routes_read",
    params(("name" = String, Path, description = "The route")),
    responses((status = 200, body = RouteShape, headers(("ETag" = String)))))]
async fn read(State(api): State<Api>, Named(name): Named<String>) -> Result<Tagged<RouteShape>, Problem> {
    kept::read(&api, &name).await
}

/// Makes a route, or puts another in its place; that takes If-Match.
#[utoipa::path(put, path = "/routes/{name}", tag = "outside", operation_id = "routes_put",
    params(("name" = String, Path, description = "The route"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read, if there is such a route")),
    request_body = RouteSet,
    responses((status = 200, body = RouteShape, headers(("ETag" = String))),
        (status = 201, body = RouteShape, headers(("ETag" = String), ("Location" = String)))))]
async fn put(
    State(api): State<Api>,
    Named(name): Named<String>,
    if_match: IfMatch,
    Body(set): Body<RouteSet>,
) -> Result<Put<RouteShape>, Problem> {
    let route = lines::route(RouteItem {
        name: name.clone(),
        prefix: set.prefix,
        strip: set.strip,
        prepend: set.prepend,
        trunks: set.trunks,
        caller: set.caller.unwrap_or_default(),
    });
    let change = PeopleChange::PutRoute { name: name.as_str().into(), route: Box::new(route) };
    kept::put(&api, &api.editing().await, &name, &if_match, change).await
}

/// Removes a route.
#[utoipa::path(delete, path = "/routes/{name}", tag = "outside", operation_id = "routes_remove",
    params(("name" = String, Path, description = "The route"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 204, description = "The route is removed.")))]
async fn remove(
    State(api): State<Api>,
    Named(name): Named<String>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let change = PeopleChange::RemoveRoute { name: name.as_str().into() };
    kept::remove::<RouteShape>(&api, &name, &if_match, change).await
}
