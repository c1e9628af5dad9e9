//! `groups`: one number, many members.

use super::Api;
use super::input::{Body, IfMatch, Named, Params, Put, Tagged};
use super::kept::{self, Kept};
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Wanted};
use super::problem::{Problem, sentence};
use crate::control::{GroupItem, lines};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::{Answer, Command, Group, PeopleChange, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/groups", Who::Role(Role::Manager), Scope::PeopleRead),
    Operation::new("GET", "/groups/{name}", Who::Role(Role::Manager), Scope::PeopleRead),
    Operation::new("PUT", "/groups/{name}", Who::Role(Role::Administrator), Scope::PeopleWrite),
    Operation::new("DELETE", "/groups/{name}", Who::Role(Role::Administrator), Scope::PeopleWrite),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, put, remove))
}

/// A hunt group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct GroupShape {
    /// Its name.
    name: String,
    #[serde(flatten)]
    set: GroupSet,
}

/// What is set for a hunt group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupSet {
    /// What callers and members see; the name if it is left out.
    #[serde(default)]
    #[schema(max_length = 200)]
    display: String,
    /// The number that is dialled.
    #[schema(min_length = 1, max_length = 32)]
    number: String,
    /// `all` at once, or in `turn`; `all` if it is left out.
    #[serde(default = "all")]
    strategy: String,
    /// The accounts, in the order in which they are tried.
    members: Vec<String>,
    /// How long one try rings, in whole seconds; 20 s if it is left out.
    #[serde(default = "usual_ring")]
    #[schema(minimum = 5_000, maximum = 600_000)]
    ring_ms: u32,
    /// Where a call goes that nobody took; null if it ends.
    #[serde(default)]
    overflow: Option<String>,
}

fn all() -> String {
    "all".into()
}

const fn usual_ring() -> u32 {
    20_000
}

pub(super) fn shape(name: &str, group: &Group) -> GroupShape {
    let item = lines::group_item(name, group);
    GroupShape {
        name: name.into(),
        set: GroupSet {
            display: item.display,
            number: item.number,
            strategy: item.strategy,
            members: item.members,
            ring_ms: item.ring_seconds.saturating_mul(1_000),
            overflow: Some(item.overflow).filter(|number| !number.is_empty()),
        },
    }
}

impl Kept for GroupShape {
    const RESOURCE: &'static str = "groups";
    const KIND: &'static str = "group";

    fn name(&self) -> &str {
        &self.name
    }

    fn words(&self) -> String {
        format!("{} {}", self.set.display, self.set.number)
    }

    async fn every(api: &Api) -> Result<Vec<GroupShape>, Problem> {
        match api.ask(Command::ListGroups).await? {
            Answer::Groups(rows) => Ok(rows.iter().map(|(name, group)| shape(name, group)).collect()),
            other => Err(Problem::of(other, "")),
        }
    }
}

/// Hunt groups in the order of their names.
#[utoipa::path(get, path = "/groups", tag = "people", operation_id = "groups_list", params(Wanted),
    responses((status = 200, body = Items<GroupShape>)))]
async fn list(State(api): State<Api>, wanted: Params<Wanted>) -> Result<Json<Items<GroupShape>>, Problem> {
    kept::list(&api, wanted).await
}

/// One hunt group.
#[utoipa::path(get, path = "/groups/{name}", tag = "people", operation_id = "groups_read",
    params(("name" = String, Path, description = "The group")),
    responses((status = 200, body = GroupShape, headers(("ETag" = String)))))]
async fn read(State(api): State<Api>, Named(name): Named<String>) -> Result<Tagged<GroupShape>, Problem> {
    kept::read(&api, &name).await
}

/// Makes a hunt group, or puts another in its place; that takes If-Match.
#[utoipa::path(put, path = "/groups/{name}", tag = "people", operation_id = "groups_put",
    params(("name" = String, Path, description = "The group"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read, if there is such a group")),
    request_body = GroupSet,
    responses((status = 200, body = GroupShape, headers(("ETag" = String))),
        (status = 201, body = GroupShape, headers(("ETag" = String), ("Location" = String)))))]
async fn put(
    State(api): State<Api>,
    Named(name): Named<String>,
    if_match: IfMatch,
    Body(set): Body<GroupSet>,
) -> Result<Put<GroupShape>, Problem> {
    let item = GroupItem {
        name: name.clone(),
        display: set.display,
        number: set.number,
        strategy: set.strategy,
        members: set.members,
        ring_seconds: set.ring_ms.div_ceil(1_000).max(1),
        overflow: set.overflow.unwrap_or_default(),
    };
    let group = lines::group(item).map_err(|why| Problem::nonsense(sentence(&why)))?;
    let change = PeopleChange::PutGroup { name: name.as_str().into(), group: Box::new(group) };
    kept::put(&api, &api.editing().await, &name, &if_match, change).await
}

/// Removes a hunt group.
#[utoipa::path(delete, path = "/groups/{name}", tag = "people", operation_id = "groups_remove",
    params(("name" = String, Path, description = "The group"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 204, description = "The group is removed.")))]
async fn remove(
    State(api): State<Api>,
    Named(name): Named<String>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let change = PeopleChange::RemoveGroup { name: name.as_str().into() };
    kept::remove::<GroupShape>(&api, &name, &if_match, change).await
}
