//! `devices`: the telephones of the accounts, and their secrets.

use super::Api;
use super::caller::Caller;
use super::input::{self, Body, IfMatch, Named, Params, Tagged, Written, patched, tag};
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::{Problem, sentence};
use super::profiles::StartedShape;
use crate::control::{DeviceChanges, lines};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::{Answer, AutoAnswer, Command, Device, DeviceEdit, DeviceKind, DeviceRow, PeopleChange, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/devices", Who::Own(Role::Manager), Scope::PeopleRead),
    Operation::new("POST", "/devices", Who::Role(Role::Administrator), Scope::PeopleWrite).creating(),
    Operation::new("GET", "/devices/{name}", Who::Own(Role::Manager), Scope::PeopleRead),
    Operation::new("PATCH", "/devices/{name}", Who::Role(Role::Administrator), Scope::PeopleWrite),
    Operation::new("DELETE", "/devices/{name}", Who::Role(Role::Administrator), Scope::PeopleWrite),
    Operation::new("POST", "/devices/{name}/secret", Who::Own(Role::Administrator), Scope::PeopleWrite),
];

/// The shortest secret that is taken, in characters.
const SECRET_LEAST: usize = 8;
/// The longest.
const SECRET_MOST: usize = 128;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(read, change, remove))
        .routes(routes!(secret))
}

/// A telephone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct DeviceShape {
    /// Its name: the user name that it registers with.
    name: String,
    /// Whose it is.
    account: String,
    /// Where it is registered from; empty when it is not.
    registered: Vec<String>,
    /// Where it stands, for emergency services.
    location: String,
    /// The number that an emergency service calls back; null for the account's own.
    call_back: Option<String>,
    /// How it is told to answer by itself: `answer-mode`, `alert-info` or `call-info`; null if it is not.
    auto_answer: Option<String>,
    /// `phone`, or `web` for a browser's.
    kind: String,
    /// The profile that it was started with; null if it was not since the start of the exchange.
    profile: Option<StartedShape>,
}

impl DeviceShape {
    pub(super) fn of(row: &DeviceRow) -> DeviceShape {
        DeviceShape {
            name: row.name.to_string(),
            account: row.account.to_string(),
            registered: row.registered.clone(),
            location: row.location.to_string(),
            call_back: row.call_back.as_deref().map(str::to_owned),
            auto_answer: row.auto_answer.map(|form| AutoAnswer::name(form).to_owned()),
            kind: DeviceKind::of(&row.name).name().into(),
            profile: row.started.as_ref().map(StartedShape::of),
        }
    }

    /// Of what is set, and not of where it is registered and what it loaded.
    fn tag(&self) -> String {
        tag(&DeviceShape { registered: Vec::new(), profile: None, ..self.clone() })
    }
}

/// A new telephone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDevice {
    /// Its name: 1 to 64 letters, digits and any of . _ - + @.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// Whose it is.
    account: String,
    /// Its secret; one is made if it is left out.
    #[schema(min_length = 8, max_length = 128, format = Password, nullable = false)]
    secret: Option<String>,
}

/// What changes of a telephone; what is left out stays, null takes a thing away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DevicePatch {
    /// Where it stands, for emergency services.
    #[schema(max_length = 200, nullable = false)]
    location: Option<String>,
    /// The number that an emergency service calls back.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    call_back: Option<Option<String>>,
    /// How it is told to answer by itself: `answer-mode`, `alert-info` or `call-info`.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>)]
    auto_answer: Option<Option<String>>,
}

/// A secret for a telephone.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedSecret {
    /// The secret; one is made if it is left out.
    #[schema(min_length = 8, max_length = 128, format = Password, nullable = false)]
    secret: Option<String>,
}

/// What a telephone is set up with; shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct SecretShape {
    /// The password.
    secret: String,
    /// The telephone's address.
    uri: String,
    /// Where it registers.
    registrar: String,
}

/// Telephones in the order of their names; an agent sees only their own.
#[utoipa::path(get, path = "/devices", tag = "people", operation_id = "devices_list", params(Wanted),
    responses((status = 200, body = Items<DeviceShape>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    wanted: Params<Wanted>,
) -> Result<Json<Items<DeviceShape>>, Problem> {
    let page = Page::of(wanted)?;
    if caller.sees(Role::Manager).is_some() {
        let mut own = Vec::new();
        for name in &caller.row.devices {
            own.extend(find(&api, name).await.ok());
        }
        own.sort_by(|a, b| a.name.cmp(&b.name));
        return Ok(Json(page.pick(
            own,
            |item| &item.name,
            |item| format!("{} {}", item.name, item.location),
        )));
    }
    match api.ask(Command::DevicePage(page.slice())).await? {
        Answer::Devices(rows) => {
            Ok(Json(page.cut(rows.iter().map(DeviceShape::of).collect(), |item| &item.name)))
        }
        other => Err(Problem::of(other, "")),
    }
}

async fn find(api: &Api, name: &str) -> Result<DeviceShape, Problem> {
    match api.ask(Command::Device(name.into())).await? {
        Answer::Devices(rows) => {
            rows.first().map(DeviceShape::of).ok_or_else(|| Problem::not_found("device", name))
        }
        other => Err(Problem::of(other, name)),
    }
}

/// Whether a device, which has to be there, is a browser's.
pub(super) async fn is_web(api: &Api, name: &str) -> Result<bool, Problem> {
    Ok(find(api, name).await?.kind == DeviceKind::Web.name())
}

/// A device that the caller may know of; whether others have one of this name, others are not told.
async fn seen(api: &Api, caller: &Caller, name: &str, all_from: Role) -> Result<DeviceShape, Problem> {
    if caller.role < all_from && !caller.row.devices.iter().any(|own| **own == *name) {
        return Err(Problem::forbidden(format!("This is not yours; it takes the role {}.", all_from.name())));
    }
    find(api, name).await
}

/// Adds a telephone; the answer has its secret, shown only now.
#[utoipa::path(post, path = "/devices", tag = "people", operation_id = "devices_add", request_body = NewDevice,
    responses((status = 201, body = MadeDevice, headers(("ETag" = String), ("Location" = String)))))]
async fn add(State(api): State<Api>, Body(new): Body<NewDevice>) -> Result<Written<MadeDevice>, Problem> {
    let password = usable(&api, new.secret)?;
    let device = Device::new(new.account, api.door().secret(&new.name, &password));
    api.change(Command::AddDevice { name: new.name.as_str().into(), device }, "").await?;
    let made = find(&api, &new.name).await?;
    let (uri, registrar) = api.door().place(&new.name);
    let (location, tag) = (format!("/api/v1/devices/{}", input::in_path(&new.name)), made.tag());
    let access = SecretShape { secret: password, uri, registrar };
    Ok(Written { location, tag, form: MadeDevice { device: made, access } })
}

/// A telephone with what it is set up with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct MadeDevice {
    #[serde(flatten)]
    device: DeviceShape,
    #[serde(flatten)]
    access: SecretShape,
}

/// The secret that was wished for, or a new one.
fn usable(api: &Api, wished: Option<String>) -> Result<String, Problem> {
    let Some(secret) = wished else { return Ok(api.door().new_password()) };
    if !(SECRET_LEAST..=SECRET_MOST).contains(&secret.chars().count()) || secret.chars().any(char::is_control)
    {
        let words = format!("A secret has {SECRET_LEAST} to {SECRET_MOST} characters.");
        return Err(Problem::nonsense(words).at("/secret"));
    }
    Ok(secret)
}

/// One telephone.
#[utoipa::path(get, path = "/devices/{name}", tag = "people", operation_id = "devices_read",
    params(("name" = String, Path, description = "The device")),
    responses((status = 200, body = DeviceShape, headers(("ETag" = String)))))]
async fn read(
    State(api): State<Api>,
    caller: Caller,
    Named(name): Named<String>,
) -> Result<Tagged<DeviceShape>, Problem> {
    let device = seen(&api, &caller, &name, Role::Manager).await?;
    Ok(Tagged(device.tag(), device))
}

/// Changes some of what is known of a telephone (RFC 7396).
#[utoipa::path(patch, path = "/devices/{name}", tag = "people", operation_id = "devices_change",
    params(("name" = String, Path, description = "The device"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    request_body = DevicePatch, responses((status = 200, body = DeviceShape, headers(("ETag" = String)))))]
async fn change(
    State(api): State<Api>,
    Named(name): Named<String>,
    if_match: IfMatch,
    Body(patch): Body<DevicePatch>,
) -> Result<Tagged<DeviceShape>, Problem> {
    let changes = DeviceChanges {
        location: patch.location,
        call_back: patch.call_back.map(Option::unwrap_or_default),
        auto_answer: patch.auto_answer.map(Option::unwrap_or_default),
    };
    let edits =
        lines::device_edits(changes).map_err(|why| Problem::nonsense(sentence(&why)).at("/auto_answer"))?;
    let _alone = api.editing().await;
    if_match.check(&find(&api, &name).await?.tag())?;
    api.change(Command::EditDevice { name: name.as_str().into(), edits }, &name).await?;
    let device = find(&api, &name).await?;
    Ok(Tagged(device.tag(), device))
}

/// Removes a telephone; it is registered no more.
#[utoipa::path(delete, path = "/devices/{name}", tag = "people", operation_id = "devices_remove",
    params(("name" = String, Path, description = "The device"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 204, description = "The device is removed.")))]
async fn remove(
    State(api): State<Api>,
    Named(name): Named<String>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let _alone = api.editing().await;
    if_match.check(&find(&api, &name).await?.tag())?;
    let change = PeopleChange::RemoveDevice { name: name.as_str().into() };
    api.change(Command::Change(change), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a telephone another secret; shown only now.
#[utoipa::path(post, path = "/devices/{name}/secret", tag = "people", operation_id = "devices_secret",
    params(("name" = String, Path, description = "The device")), request_body = WantedSecret,
    responses((status = 200, body = SecretShape)))]
async fn secret(
    State(api): State<Api>,
    caller: Caller,
    Named(name): Named<String>,
    Body(wanted): Body<WantedSecret>,
) -> Result<Json<SecretShape>, Problem> {
    seen(&api, &caller, &name, Role::Administrator).await?;
    let password = usable(&api, wanted.secret)?;
    let edits = vec![DeviceEdit::Secret(api.door().secret(&name, &password))];
    api.change(Command::EditDevice { name: name.as_str().into(), edits }, &name).await?;
    let (uri, registrar) = api.door().place(&name);
    Ok(Json(SecretShape { secret: password, uri, registrar }))
}
