//! `numbers`: each belongs to one account (S1.1).

use super::Api;
use super::caller::Caller;
use super::input::{Body, Named, Params};
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use exchange::{Answer, Command, PeopleChange, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/numbers", Who::Own(Role::Manager), Scope::PeopleRead),
    Operation::new("POST", "/numbers", Who::Role(Role::Administrator), Scope::PeopleWrite).creating(),
    Operation::new("GET", "/numbers/{number}", Who::Own(Role::Manager), Scope::PeopleRead),
    Operation::new("PATCH", "/numbers/{number}", Who::Role(Role::Administrator), Scope::PeopleWrite),
    Operation::new("DELETE", "/numbers/{number}", Who::Role(Role::Administrator), Scope::PeopleWrite),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(read, give, remove))
}

/// A number and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Number {
    /// What is dialled: 1 to 32 of digits, letters and any of + - . _ * #.
    #[schema(min_length = 1, max_length = 32)]
    number: String,
    /// The account.
    account: String,
}

/// Numbers in order; an agent sees only their own.
#[utoipa::path(get, path = "/numbers", tag = "people", operation_id = "numbers_list", params(Wanted),
    responses((status = 200, body = Items<Number>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    wanted: Params<Wanted>,
) -> Result<Json<Items<Number>>, Problem> {
    let page = Page::of(wanted)?;
    let account = caller.account();
    if caller.sees(Role::Manager).is_some() {
        let mut own: Vec<Number> = caller
            .row
            .numbers
            .iter()
            .map(|number| Number { number: number.to_string(), account: account.into() })
            .collect();
        own.sort_by(|a, b| a.number.cmp(&b.number));
        return Ok(Json(page.pick(own, |item| &item.number, |item| item.number.clone())));
    }
    match api.ask(Command::NumberPage(page.slice())).await? {
        Answer::Numbers(rows) => {
            let items = rows
                .into_iter()
                .map(|(number, account)| Number { number: number.into(), account: account.into() });
            Ok(Json(page.cut(items.collect(), |item| &item.number)))
        }
        other => Err(Problem::of(other, "")),
    }
}

async fn find(api: &Api, number: &str) -> Result<Number, Problem> {
    match api.ask(Command::Number(number.into())).await? {
        Answer::Numbers(rows) => rows
            .into_iter()
            .next()
            .map(|(number, account)| Number { number: number.into(), account: account.into() })
            .ok_or_else(|| Problem::not_found("number", number)),
        other => Err(Problem::of(other, number)),
    }
}

/// One number.
#[utoipa::path(get, path = "/numbers/{number}", tag = "people", operation_id = "numbers_read",
    params(("number" = String, Path, description = "The number")), responses((status = 200, body = Number)))]
async fn read(
    State(api): State<Api>,
    caller: Caller,
    Named(number): Named<String>,
) -> Result<Json<Number>, Problem> {
    let found = find(&api, &number).await;
    if caller.sees(Role::Manager).is_some() {
        // Not even whether somebody else has it.
        let foreign = || Problem::forbidden("This is not yours; it takes the role manager.");
        return found.ok().filter(|one| one.account == caller.account()).map(Json).ok_or_else(foreign);
    }
    found.map(Json)
}

/// Gives a number to an account.
#[utoipa::path(post, path = "/numbers", tag = "people", operation_id = "numbers_add", request_body = Number,
    responses((status = 201, body = Number, headers(("Location" = String)))))]
async fn add(
    State(api): State<Api>,
    Body(new): Body<Number>,
) -> Result<(StatusCode, [(header::HeaderName, String); 1], Json<Number>), Problem> {
    let _alone = api.editing().await;
    if let Ok(Number { account, .. }) = find(&api, &new.number).await {
        let detail = format!("Number {} belongs to account \"{account}\" already.", new.number);
        return Err(Problem::conflict(detail).at("/number"));
    }
    let (number, account) = (new.number.as_str().into(), new.account.as_str().into());
    api.change(Command::Change(PeopleChange::PutNumber { number, account }), "").await?;
    let location = format!("/api/v1/numbers/{}", super::input::in_path(&new.number));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(new)))
}

/// Who has a number from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    /// The account.
    account: String,
}

/// Gives a number to somebody else, at once: calls that ring for it go on ringing there.
#[utoipa::path(patch, path = "/numbers/{number}", tag = "people", operation_id = "numbers_give",
    params(("number" = String, Path, description = "The number")),
    request_body(content = Given, content_type = "application/merge-patch+json"),
    responses((status = 200, body = Number)))]
async fn give(
    State(api): State<Api>,
    Named(number): Named<String>,
    Body(given): Body<Given>,
) -> Result<Json<Number>, Problem> {
    let command =
        Command::MoveNumber { number: number.as_str().into(), account: given.account.as_str().into() };
    api.change(command, &number).await?;
    Ok(Json(Number { number, account: given.account }))
}

/// Takes a number away.
#[utoipa::path(delete, path = "/numbers/{number}", tag = "people", operation_id = "numbers_remove",
    params(("number" = String, Path, description = "The number")),
    responses((status = 204, description = "The number is nobody's.")))]
async fn remove(State(api): State<Api>, Named(number): Named<String>) -> Result<StatusCode, Problem> {
    let change = PeopleChange::RemoveNumber { number: number.as_str().into() };
    api.change(Command::Change(change), &number).await?;
    Ok(StatusCode::NO_CONTENT)
}
