//! `tokens`: access for programs.

use super::access::{Access, Token};
use super::caller::{self, Caller};
use super::input::{Body, Named, Params};
use super::openapi::EVERYBODY;
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::Problem;
use super::{Api, secrets, time};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::of_people("GET", "/tokens", Who::Own(Role::Administrator)),
    Operation::of_people("POST", "/tokens", EVERYBODY).creating(),
    Operation::of_people("GET", "/tokens/{id}", Who::Own(Role::Administrator)),
    Operation::of_people("DELETE", "/tokens/{id}", Who::Own(Role::Administrator)),
];

/// Characters of a token's name.
const NAME: usize = 100;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, make)).routes(routes!(read, end))
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct TokenItem {
    /// Its own name, not its secret.
    id: String,
    /// What its owner calls it.
    name: String,
    /// Whose it is; it never may more than them.
    account: String,
    /// What it may.
    scopes: Vec<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created: String,
    /// When it gives no access any more; null for never.
    #[schema(format = DateTime)]
    expires: Option<String>,
    /// When it was used last, to some minutes; null if it was not.
    #[schema(format = DateTime)]
    last_used: Option<String>,
}

/// A token with its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct MadeToken {
    #[serde(flatten)]
    token: TokenItem,
    /// What programs send: `Authorization: Bearer rd_…`. It is shown only now.
    secret: String,
}

/// A new token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// What its owner calls it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it may, as in `people:read`.
    scopes: Vec<String>,
    /// When it gives no access any more.
    #[schema(format = DateTime)]
    expires: Option<String>,
}

fn item(id: &str, token: &Token) -> TokenItem {
    TokenItem {
        id: id.into(),
        name: token.name.clone(),
        account: token.account.clone(),
        scopes: token.scopes.clone(),
        created: time(token.created),
        expires: token.expires.map(time),
        last_used: token.last_used.map(time),
    }
}

/// Tokens: one's own, or for administrators all.
#[utoipa::path(get, path = "/tokens", tag = "tokens", operation_id = "tokens_list", params(Wanted),
    responses((status = 200, body = Items<TokenItem>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    wanted: Params<Wanted>,
) -> Result<Json<Items<TokenItem>>, Problem> {
    let page = Page::of(wanted)?;
    let access = api.access();
    let items = access.tokens(caller.sees(Role::Administrator)).map(|(id, token)| item(id, token));
    Ok(Json(page.pick(items, |item| &item.id, |item| format!("{} {}", item.name, item.account))))
}

/// Makes a token; its secret is in this answer only.
#[utoipa::path(post, path = "/tokens", tag = "tokens", operation_id = "tokens_make", request_body = NewToken,
    responses((status = 201, body = MadeToken)))]
async fn make(
    State(api): State<Api>,
    caller: Caller,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    let name = exchange::clean_display(&new.name);
    if name.is_empty() || new.name.chars().count() > NAME {
        return Err(
            Problem::nonsense(format!("A token has a name of at most {NAME} characters.")).at("/name")
        );
    }
    let mut scopes = new.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    if let Some(wrong) = scopes.iter().find(|name| Scope::of_name(name).is_none()) {
        let known = Scope::ALL.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(", ");
        return Err(Problem::nonsense(format!("\"{wrong}\" is no scope: {known} are.")).at("/scopes"));
    }
    let now = api.now();
    let expires = new.expires.as_deref().map(|text| expiry(text, now)).transpose()?;
    let secret = format!("{}{}", caller::TOKEN, api.random());
    let id = secrets::fingerprint(&[api.random().as_bytes()]);
    let token = Token {
        account: caller.account().into(),
        name: name.into(),
        secret: secrets::digest(&secret),
        scopes,
        created: now,
        expires,
        last_used: None,
    };
    let made = item(&id, &token);
    let kept = api.access().made(&id, token);
    let kept = kept.ok_or_else(|| Problem::conflict("There are too many tokens; remove one first."))?;
    if let Err(problem) = api.keep(vec![kept]).await {
        api.access().forget(&[Access::end_of_token(&id)]);
        return Err(problem);
    }
    Ok((StatusCode::CREATED, Json(MadeToken { token: made, secret })))
}

fn expiry(text: &str, now: i64) -> Result<i64, Problem> {
    let wrong = || Problem::nonsense("expires is a time to come, as in 2027-01-31T12:00:00Z.").at("/expires");
    let at = text.parse::<jiff::Timestamp>().map_err(|_| wrong())?.as_millisecond();
    if at > now { Ok(at) } else { Err(wrong()) }
}

/// One token.
#[utoipa::path(get, path = "/tokens/{id}", tag = "tokens", operation_id = "tokens_read",
    params(("id" = String, Path, description = "The token's own name")),
    responses((status = 200, body = TokenItem)))]
async fn read(
    State(api): State<Api>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<TokenItem>, Problem> {
    seen(&api, &caller, &id).map(|token| Json(item(&id, &token)))
}

fn seen(api: &Api, caller: &Caller, id: &str) -> Result<Token, Problem> {
    let token = api.access().token(id).cloned();
    token.filter(|token| caller.may_know(&token.account)).ok_or_else(|| Problem::not_found("token", id))
}

/// Ends a token.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", operation_id = "tokens_end",
    params(("id" = String, Path, description = "The token's own name")),
    responses((status = 204, description = "The token gives no access any more.")))]
async fn end(
    State(api): State<Api>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    seen(&api, &caller, &id)?;
    api.keep(vec![Access::end_of_token(&id)]).await?;
    Ok(StatusCode::NO_CONTENT)
}
