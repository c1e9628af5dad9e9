//! `sessions`, and the password of one's own: what is open, closing it, and what closes the rest.

use super::access::{Access, Session};
use super::caller::{self, Caller, Peer};
use super::input::{Body, Named, Params};
use super::openapi::EVERYBODY;
use super::operations::{Operation, Who};
use super::page::{Items, Page, Wanted};
use super::problem::Problem;
use super::{Api, time};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::{AccountEdit, Answer, Command, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::of_people("POST", "/session/password", EVERYBODY),
    Operation::of_people("GET", "/sessions", Who::Own(Role::Administrator)),
    Operation::of_people("GET", "/sessions/{id}", Who::Own(Role::Administrator)),
    Operation::of_people("DELETE", "/sessions/{id}", Who::Own(Role::Administrator)),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(password)).routes(routes!(list)).routes(routes!(read, end))
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct SessionItem {
    /// Its name.
    id: String,
    /// Whose it is.
    account: String,
    /// When it was opened.
    #[schema(format = DateTime)]
    created: String,
    /// When it was used last.
    #[schema(format = DateTime)]
    last_seen: String,
    /// Where it was opened from.
    address: String,
    /// What the browser calls itself.
    agent: String,
    /// Whether it is the one that asks.
    current: bool,
}

fn item(id: &str, session: &Session, current: Option<&str>) -> SessionItem {
    SessionItem {
        id: id.into(),
        account: session.account.clone(),
        created: time(session.created),
        last_seen: time(session.last_seen),
        address: session.address.clone(),
        agent: session.agent.clone(),
        current: current == Some(id),
    }
}

/// Sessions that are open: one's own, or for administrators all.
#[utoipa::path(get, path = "/sessions", tag = "session", operation_id = "sessions_list", params(Wanted),
    responses((status = 200, body = Items<SessionItem>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    wanted: Params<Wanted>,
) -> Result<Json<Items<SessionItem>>, Problem> {
    let page = Page::of(wanted)?;
    let access = api.access();
    let all = access.sessions(api.now(), caller.sees(Role::Administrator));
    let items = all.map(|(id, session)| item(id, session, caller.session()));
    let words = |item: &SessionItem| format!("{} {} {}", item.account, item.address, item.agent);
    Ok(Json(page.pick(items, |item| &item.id, words)))
}

/// One session.
#[utoipa::path(get, path = "/sessions/{id}", tag = "session", operation_id = "sessions_read",
    params(("id" = String, Path, description = "The session")), responses((status = 200, body = SessionItem)))]
async fn read(
    State(api): State<Api>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<SessionItem>, Problem> {
    let session = seen(&api, &caller, &id)?;
    Ok(Json(item(&id, &session, caller.session())))
}

/// A session that the caller may know of.
fn seen(api: &Api, caller: &Caller, id: &str) -> Result<Session, Problem> {
    let session = api.access().session(api.now(), id).cloned();
    session
        .filter(|session| caller.may_know(&session.account))
        .ok_or_else(|| Problem::not_found("session", id))
}

/// Ends a session; what is open for it is closed within a second.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "session", operation_id = "sessions_end",
    params(("id" = String, Path, description = "The session")),
    responses((status = 204, description = "The session is over.")))]
async fn end(
    State(api): State<Api>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    seen(&api, &caller, &id)?;
    api.keep(vec![Access::end_of(&id)]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The password until now; not needed in a session that a one-time link opened.
    #[schema(max_length = 256, format = Password, nullable = false)]
    old: Option<String>,
    /// The password from now on.
    #[schema(min_length = 8, max_length = 256, format = Password)]
    new: String,
}

/// Sets one's own password; all other sessions of the account end.
#[utoipa::path(post, path = "/session/password", tag = "session", operation_id = "session_password",
    request_body = NewPassword, responses((status = 204, description = "The password is set."),
        (status = 429, description = "Too many wrong passwords; Retry-After says when.", body = Problem,
            content_type = "application/problem+json")))]
async fn password(
    State(api): State<Api>,
    peer: Peer,
    caller: Caller,
    Body(NewPassword { old, new }): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let id = caller.session().unwrap_or_default().to_owned();
    let session = api.access().session(api.now(), &id).cloned();
    if !session.is_some_and(|session| session.by_link) {
        let wrong = || Problem::nonsense("The old password is wrong.").at("/old");
        let old = old.ok_or_else(wrong)?;
        if !super::session::is_right(&api, peer, &caller.row, old).await? {
            return Err(wrong());
        }
    }
    let hash = api.passwords().hash(&new, api.door().random()).await.map_err(|problem| problem.at("/new"))?;
    api.set_password(caller.account(), hash, Some(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Api {
    /// Sets the hash of an account's password; its sessions end, but for the one that set it.
    async fn set_password(&self, account: &str, hash: Box<str>, keeps: Option<&str>) -> Result<(), Problem> {
        let edits = vec![AccountEdit::Password(Some(hash))];
        self.change(Command::EditAccount { name: account.into(), edits }, account).await?;
        self.password_changed(account, keeps).await
    }

    /// The password of an account was changed: its sessions end, but for the one that did it.
    pub(crate) async fn password_changed(&self, account: &str, keeps: Option<&str>) -> Result<(), Problem> {
        let mut documents = self.access().others(account, keeps);
        if let Some(id) = keeps
            && let Answer::Account(Some(row)) = self.ask(Command::Account(account.into())).await?
        {
            documents.extend(self.access().renewed(id, caller::fingerprint(&row)));
        }
        self.keep(documents).await
    }
}
