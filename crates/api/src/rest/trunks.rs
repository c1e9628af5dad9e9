//! `trunks`: the lines to the outside.

use super::Api;
use super::input::{Body, IfMatch, Named, Params, Put, Tagged, tag};
use super::kept::{self, Kept};
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Wanted};
use super::problem::{Problem, sentence};
use crate::control::{TrunkItem, lines};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::{Answer, Command, PeopleChange, Role, Trunk};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const ADMINISTRATOR: Who = Who::Role(Role::Administrator);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/trunks", ADMINISTRATOR, Scope::SettingsRead),
    Operation::new("GET", "/trunks/{name}", ADMINISTRATOR, Scope::SettingsRead),
    Operation::new("PUT", "/trunks/{name}", ADMINISTRATOR, Scope::SettingsWrite),
    Operation::new("DELETE", "/trunks/{name}", ADMINISTRATOR, Scope::SettingsWrite),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, put, remove))
}

/// A trunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct TrunkShape {
    /// Its name.
    name: String,
    /// `HOST` or `HOST:PORT`; HOST is an IP address or a name that the DNS knows.
    address: String,
    /// `udp`, `tcp` or `tls`.
    transport: String,
    /// The user name for digest; null if there is none.
    user: Option<String>,
    /// Whether there is a password; it is never sent back.
    has_password: bool,
    /// The one realm whose challenges are answered; null for the first that asks.
    realm: Option<String>,
    /// Whether we register there.
    registers: bool,
    /// Calls at once; null for no bound.
    channels: Option<u16>,
    /// Other addresses that its calls and media come from.
    sources: Vec<String>,
    /// Digits taken off the front of numbers that come in.
    strip: u8,
    /// Digits put before numbers that come in.
    prepend: String,
    /// How it is now, in words.
    state: String,
}

impl TrunkShape {
    pub(super) fn of(name: &str, trunk: &Trunk, state: String) -> TrunkShape {
        let item = lines::trunk_item(name, trunk, state);
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        TrunkShape {
            name: item.name,
            address: item.address,
            transport: item.transport,
            user: some(item.user),
            has_password: trunk.login.is_some(),
            realm: some(item.realm),
            registers: item.registers,
            channels: item.channels,
            sources: item.sources,
            strip: item.strip,
            prepend: item.prepend,
            state: item.state,
        }
    }
}

/// What is set for a trunk.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TrunkSet {
    /// `HOST` or `HOST:PORT`; HOST is an IP address or a name that the DNS knows.
    #[schema(min_length = 1, max_length = 260)]
    address: String,
    /// `udp`, `tcp` or `tls`; `udp` if it is left out.
    #[schema(nullable = false)]
    transport: Option<String>,
    /// The user name for digest.
    user: Option<String>,
    /// The password; if it is left out and the user name stays, it stays.
    #[schema(format = Password)]
    password: Option<String>,
    /// The one realm whose challenges are answered.
    realm: Option<String>,
    /// Whether we register there.
    #[serde(default)]
    registers: bool,
    /// Calls at once.
    channels: Option<u16>,
    /// Other addresses that its calls and media come from.
    #[serde(default)]
    sources: Vec<String>,
    /// Digits taken off the front of numbers that come in.
    #[serde(default)]
    strip: u8,
    /// Digits put before numbers that come in.
    #[serde(default)]
    prepend: String,
}

impl Kept for TrunkShape {
    const RESOURCE: &'static str = "trunks";
    const KIND: &'static str = "trunk";

    fn name(&self) -> &str {
        &self.name
    }

    fn words(&self) -> String {
        self.address.clone()
    }

    async fn every(api: &Api) -> Result<Vec<TrunkShape>, Problem> {
        let rows = rows(api).await?.into_iter();
        Ok(rows.map(|(name, trunk, state)| TrunkShape::of(&name, &trunk, state)).collect())
    }

    /// Of what is set, and not of how it is now.
    fn tag(&self) -> String {
        tag(&TrunkShape { state: String::new(), ..self.clone() })
    }
}

async fn rows(api: &Api) -> Result<Vec<(Box<str>, Trunk, String)>, Problem> {
    match api.ask(Command::ListTrunks).await? {
        Answer::Trunks(rows) => Ok(rows),
        other => Err(Problem::of(other, "")),
    }
}

/// The password that a trunk has for this user.
async fn password_of(api: &Api, name: &str, user: &str) -> Result<Option<String>, Problem> {
    let trunk = rows(api).await?.into_iter().find(|(known, ..)| **known == *name);
    let login = trunk.and_then(|(_, trunk, _)| trunk.login).filter(|login| *login.user == *user);
    Ok(login.map(|login| login.password.to_string()))
}

/// Trunks in the order of their names.
#[utoipa::path(get, path = "/trunks", tag = "outside", operation_id = "trunks_list", params(Wanted),
    responses((status = 200, body = Items<TrunkShape>)))]
async fn list(State(api): State<Api>, wanted: Params<Wanted>) -> Result<Json<Items<TrunkShape>>, Problem> {
    kept::list(&api, wanted).await
}

/// One trunk.
#[utoipa::path(get, path = "/trunks/{name}", tag = "outside", operation_id = "trunks_read",
    params(("name" = String, Path, description = "The trunk")),
    responses((status = 200, body = TrunkShape, headers(("ETag" = String)))))]
async fn read(State(api): State<Api>, Named(name): Named<String>) -> Result<Tagged<TrunkShape>, Problem> {
    kept::read(&api, &name).await
}

/// Makes a trunk, or puts another in its place; that takes If-Match.
#[utoipa::path(put, path = "/trunks/{name}", tag = "outside", operation_id = "trunks_put",
    params(("name" = String, Path, description = "The trunk"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read, if there is such a trunk")),
    request_body = TrunkSet,
    responses((status = 200, body = TrunkShape, headers(("ETag" = String))),
        (status = 201, body = TrunkShape, headers(("ETag" = String), ("Location" = String)))))]
async fn put(
    State(api): State<Api>,
    Named(name): Named<String>,
    if_match: IfMatch,
    Body(set): Body<TrunkSet>,
) -> Result<Put<TrunkShape>, Problem> {
    let alone = api.editing().await;
    let user = set.user.unwrap_or_default();
    let password = match set.password {
        None => password_of(&api, &name, &user).await?,
        given => given,
    };
    let item = TrunkItem {
        name: name.clone(),
        address: set.address,
        transport: set.transport.unwrap_or_default(),
        password: password.unwrap_or_default(),
        user,
        realm: set.realm.unwrap_or_default(),
        registers: set.registers,
        channels: set.channels,
        sources: set.sources,
        strip: set.strip,
        prepend: set.prepend,
        state: String::new(),
    };
    let trunk = lines::trunk(item).map_err(|why| Problem::nonsense(sentence(&why)))?;
    let change = PeopleChange::PutTrunk { name: name.as_str().into(), trunk: Box::new(trunk) };
    kept::put(&api, &alone, &name, &if_match, change).await
}

/// Removes a trunk that no route names.
#[utoipa::path(delete, path = "/trunks/{name}", tag = "outside", operation_id = "trunks_remove",
    params(("name" = String, Path, description = "The trunk"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 204, description = "The trunk is removed.")))]
async fn remove(
    State(api): State<Api>,
    Named(name): Named<String>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let change = PeopleChange::RemoveTrunk { name: name.as_str().into() };
    kept::remove::<TrunkShape>(&api, &name, &if_match, change).await
}
