//! `badges` and `readers`: who is known by what, and the devices beside the phones that read it.

use super::caller::Caller;
use super::input::{self, Body, Named, Params};
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::{Problem, sentence};
use super::{Api, PREFIX, time};
use crate::badge::{self, Wished};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use exchange::{Answer, Badge, CardKeys, Command, Mark, PeopleChange, Reader, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/badges", Who::Own(Role::Manager), Scope::PeopleRead),
    Operation::new("POST", "/badges", Who::Role(Role::Administrator), Scope::PeopleWrite).creating(),
    Operation::new("GET", "/badges/{name}", Who::Own(Role::Manager), Scope::PeopleRead),
    Operation::new("DELETE", "/badges/{name}", Who::Own(Role::Administrator), Scope::PeopleWrite),
    Operation::new("GET", "/readers", Who::Role(Role::Manager), Scope::PeopleRead),
    Operation::new("POST", "/readers", Who::Role(Role::Administrator), Scope::PeopleWrite).creating(),
    Operation::new("GET", "/readers/{name}", Who::Role(Role::Manager), Scope::PeopleRead),
    Operation::new("DELETE", "/readers/{name}", Who::Role(Role::Administrator), Scope::PeopleWrite),
    Operation::new("GET", "/readers/{name}/last", Who::Role(Role::Administrator), Scope::PeopleWrite),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(badges, make))
        .routes(routes!(badge, revoke))
        .routes(routes!(readers, add))
        .routes(routes!(reader, remove))
        .routes(routes!(last_read))
}

/// A badge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct BadgeShape {
    /// Its name.
    name: String,
    /// Whose it is.
    account: String,
    /// What it is, for its owner.
    label: String,
    /// `secure`, `ndef` or `uid`.
    kind: String,
    /// The UID that it is known by; null if it is known by a text.
    uid: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    made: String,
    /// When it was revoked; null if it was not.
    #[schema(format = DateTime)]
    revoked: Option<String>,
}

impl BadgeShape {
    fn of(name: &str, badge: &Badge) -> BadgeShape {
        let uid = match &badge.mark {
            Mark::Ndef(_) => None,
            Mark::Uid(uid) | Mark::Secure(uid, _) => Some(uid.to_string()),
        };
        BadgeShape {
            name: name.into(),
            account: badge.account.to_string(),
            label: badge.label.to_string(),
            kind: badge.mark.kind().name().into(),
            uid,
            made: time(badge.made.0),
            revoked: badge.revoked.map(|at| time(at.0)),
        }
    }
}

/// A new badge.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBadgeShape {
    /// Its name: 1 to 64 letters, digits and any of . _ - + @.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// Whose it is.
    account: String,
    /// What it is, for its owner.
    #[serde(default)]
    #[schema(max_length = 80)]
    label: String,
    /// `secure`, `ndef` or `uid`.
    kind: String,
    /// The UID of the chip, of `secure` and `uid`.
    #[schema(nullable = false)]
    uid: Option<String>,
    /// The text of the record, of `ndef`: the account's name, or a token; one is made if it is left out.
    #[schema(max_length = 256, nullable = false)]
    text: Option<String>,
}

/// What is written into the card; shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CardShape {
    /// The text or URI of its NDEF record; null if nothing is written. In that of a secure badge the chip mirrors its PICC
    /// data and its MAC in the place of the zeros.
    pub(crate) record: Option<String>,
    /// `SDMMetaRead` key of a secure badge, 32 hexadecimal digits; else null.
    pub(crate) meta_read_key: Option<String>,
    /// `SDMFileRead` key of a secure badge, 32 hexadecimal digits; else null.
    pub(crate) file_read_key: Option<String>,
}

impl CardShape {
    pub(crate) fn of(keys: Option<&CardKeys>, text: Option<String>, http: &str) -> CardShape {
        CardShape {
            record: keys.map(|_| badge::secure_record(http)).or(text),
            meta_read_key: keys.map(|keys| super::hex(&keys.meta_read)),
            file_read_key: keys.map(|keys| super::hex(&keys.file_read)),
        }
    }
}

/// A badge with what is written into the card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct MadeBadge {
    #[serde(flatten)]
    badge: BadgeShape,
    card: CardShape,
}

/// Something that was made, and where it is.
struct Made<T>(&'static str, String, T);

impl<T: Serialize> IntoResponse for Made<T> {
    fn into_response(self) -> Response {
        let Made(resource, name, form) = self;
        let mut response = (StatusCode::CREATED, Json(form)).into_response();
        if let Ok(value) = HeaderValue::from_str(&format!("{PREFIX}/{resource}/{}", input::in_path(&name))) {
            response.headers_mut().insert(header::LOCATION, value);
        }
        response
    }
}

async fn every_badge(api: &Api) -> Result<impl Iterator<Item = BadgeShape> + use<>, Problem> {
    match api.ask(Command::ListBadges).await? {
        Answer::Badges(rows) => Ok(rows.into_iter().map(|(name, badge)| BadgeShape::of(&name, &badge))),
        other => Err(Problem::of(other, "")),
    }
}

/// A badge that the caller may know of; others are not told whether there is one of this name.
async fn seen(api: &Api, caller: &Caller, name: &str, all_from: Role) -> Result<BadgeShape, Problem> {
    let found = every_badge(api).await?.find(|badge| badge.name == name);
    caller.must_own(found.as_ref().map_or("", |badge| &badge.account), all_from)?;
    found.ok_or_else(|| Problem::not_found("badge", name))
}

/// Badges in the order of their names; an agent sees only their own.
#[utoipa::path(get, path = "/badges", tag = "badges", operation_id = "badges_list", params(Wanted),
    responses((status = 200, body = Items<BadgeShape>)))]
async fn badges(
    State(api): State<Api>,
    caller: Caller,
    wanted: Params<Wanted>,
) -> Result<Json<Items<BadgeShape>>, Problem> {
    let page = Page::of(wanted)?;
    let own = caller.sees(Role::Manager);
    let all = every_badge(&api).await?.filter(|badge| own.is_none_or(|own| badge.account == own));
    let words = |badge: &BadgeShape| format!("{} {} {}", badge.name, badge.account, badge.label);
    Ok(Json(page.pick(all, |badge| &badge.name, words)))
}

/// Makes a badge; what is written into the card is in this answer only.
#[utoipa::path(post, path = "/badges", tag = "badges", operation_id = "badges_make", request_body = NewBadgeShape,
    responses((status = 201, body = MadeBadge, headers(("Location" = String)))))]
async fn make(State(api): State<Api>, Body(new): Body<NewBadgeShape>) -> Result<Made<MadeBadge>, Problem> {
    let NewBadgeShape { name, account, label, kind, uid, text } = new;
    let wished = Wished { name: name.clone(), account, label, kind, uid, text };
    let (new, text) =
        badge::new_badge(wished, || api.random()).map_err(|why| Problem::nonsense(sentence(&why)))?;
    let card = match api.ask(Command::AddBadge(Box::new(new))).await? {
        Answer::BadgeMade(keys) => CardShape::of(keys.as_ref(), text, &api.door().http()),
        other => return Err(Problem::of(other, "")),
    };
    let badge = every_badge(&api).await?.find(|badge| badge.name == name);
    let badge = badge.ok_or_else(|| Problem::not_found("badge", &name))?;
    Ok(Made("badges", name, MadeBadge { badge, card }))
}

/// One badge.
#[utoipa::path(get, path = "/badges/{name}", tag = "badges", operation_id = "badges_read",
    params(("name" = String, Path, description = "The badge")),
    responses((status = 200, body = BadgeShape)))]
async fn badge(
    State(api): State<Api>,
    caller: Caller,
    Named(name): Named<String>,
) -> Result<Json<BadgeShape>, Problem> {
    seen(&api, &caller, &name, Role::Manager).await.map(Json)
}

/// Revokes a badge: it opens nothing from now on. One that is revoked is forgotten.
#[utoipa::path(delete, path = "/badges/{name}", tag = "badges", operation_id = "badges_revoke",
    params(("name" = String, Path, description = "The badge")),
    responses((status = 204, description = "The badge opens nothing any more.")))]
async fn revoke(
    State(api): State<Api>,
    caller: Caller,
    Named(name): Named<String>,
) -> Result<StatusCode, Problem> {
    seen(&api, &caller, &name, Role::Administrator).await?;
    api.change(Command::RevokeBadge(name.as_str().into()), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A reader of badges beside a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct ReaderShape {
    /// Its name.
    name: String,
    /// The phone that a tap here is for.
    device: String,
}

/// A new reader.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReader {
    /// Its name: 1 to 64 letters, digits and any of . _ - + @.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// The phone that a tap here is for.
    device: String,
}

/// A reader with its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct MadeReader {
    #[serde(flatten)]
    reader: ReaderShape,
    /// What it sends: `Authorization: Bearer KEY`; shown once.
    key: String,
}

async fn every_reader(api: &Api) -> Result<impl Iterator<Item = ReaderShape> + use<>, Problem> {
    let shape =
        |(name, reader): (Box<str>, Reader)| ReaderShape { name: name.into(), device: reader.device.into() };
    match api.ask(Command::ListReaders).await? {
        Answer::Readers(rows) => Ok(rows.into_iter().map(shape)),
        other => Err(Problem::of(other, "")),
    }
}

/// Readers in the order of their names.
#[utoipa::path(get, path = "/readers", tag = "badges", operation_id = "readers_list", params(Wanted),
    responses((status = 200, body = Items<ReaderShape>)))]
async fn readers(
    State(api): State<Api>,
    wanted: Params<Wanted>,
) -> Result<Json<Items<ReaderShape>>, Problem> {
    let page = Page::of(wanted)?;
    let words = |reader: &ReaderShape| format!("{} {}", reader.name, reader.device);
    Ok(Json(page.pick(every_reader(&api).await?, |reader| &reader.name, words)))
}

/// Adds a reader; its key is in this answer only.
#[utoipa::path(post, path = "/readers", tag = "badges", operation_id = "readers_add", request_body = NewReader,
    responses((status = 201, body = MadeReader, headers(("Location" = String)))))]
async fn add(State(api): State<Api>, Body(new): Body<NewReader>) -> Result<Made<MadeReader>, Problem> {
    let NewReader { name, device } = new;
    let (key, hash) = badge::reader_key(&api.random());
    let reader = Reader { device: device.as_str().into(), key: hash };
    api.change(Command::AddReader { name: name.as_str().into(), reader }, "").await?;
    Ok(Made("readers", name.clone(), MadeReader { reader: ReaderShape { name, device }, key }))
}

/// One reader.
#[utoipa::path(get, path = "/readers/{name}", tag = "badges", operation_id = "readers_read",
    params(("name" = String, Path, description = "The reader")),
    responses((status = 200, body = ReaderShape)))]
async fn reader(State(api): State<Api>, Named(name): Named<String>) -> Result<Json<ReaderShape>, Problem> {
    let found = every_reader(&api).await?.find(|reader| reader.name == name);
    found.map(Json).ok_or_else(|| Problem::not_found("reader", &name))
}

/// What a reader has just read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct LastRead {
    /// The UID of the chip, in hexadecimal digits; null if nothing was read within two minutes that is no badge's.
    uid: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    time: Option<String>,
}

/// The chip that was held to a reader last and is no badge's, so that one can be made of it.
#[utoipa::path(get, path = "/readers/{name}/last", tag = "badges", operation_id = "readers_last",
    params(("name" = String, Path, description = "The reader")),
    responses((status = 200, body = LastRead)))]
async fn last_read(State(api): State<Api>, Named(name): Named<String>) -> Result<Json<LastRead>, Problem> {
    every_reader(&api)
        .await?
        .find(|reader| reader.name == name)
        .ok_or_else(|| Problem::not_found("reader", &name))?;
    let read = match api.ask(Command::LastRead(name.as_str().into())).await? {
        Answer::LastRead(read) => read,
        other => return Err(Problem::of(other, &name)),
    };
    let (uid, at) = read.map(|(uid, at)| (uid.to_string(), time(at.0))).unzip();
    Ok(Json(LastRead { uid, time: at }))
}

/// Removes a reader: nothing that it tells is heard any more.
#[utoipa::path(delete, path = "/readers/{name}", tag = "badges", operation_id = "readers_remove",
    params(("name" = String, Path, description = "The reader")),
    responses((status = 204, description = "The reader is removed.")))]
async fn remove(State(api): State<Api>, Named(name): Named<String>) -> Result<StatusCode, Problem> {
    let change = PeopleChange::RemoveReader { name: name.as_str().into() };
    api.change(Command::Change(change), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
