//! `lists`: call lists that the office deals out (S3). Where phones fetch their rows and bring results stands in [`files`].

pub(crate) mod desk;
pub(crate) mod files;
pub(crate) mod make;
mod shapes;

pub use files::OutsideLink;
pub use make::{JudgedShape, ListSettings};
pub use shapes::ListShape;

use super::caller::Caller;
use super::input::{Body, Named, Params};
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::Problem;
use super::{Api, PREFIX};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use exchange::lists::{Content, Deal, ListAnswer, ListAsking, Share};
use exchange::{Answer, Command, Role};
use lists::Assignment;
use lists::results::Shape;
use serde::{Deserialize, Serialize};
use shapes::{RowShape, RowsWanted, callees};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const MANAGER: Who = Who::Role(Role::Manager);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/lists", MANAGER, Scope::ListsRead),
    Operation::new("GET", "/lists/{name}", MANAGER, Scope::ListsRead),
    Operation::new("PUT", "/lists/{name}", MANAGER, Scope::ListsWrite),
    Operation::new("DELETE", "/lists/{name}", MANAGER, Scope::ListsWrite),
    Operation::new("POST", "/lists/{name}/fetch", MANAGER, Scope::ListsWrite),
    Operation::new("POST", "/lists/{name}/deal", MANAGER, Scope::ListsWrite),
    Operation::new("POST", "/lists/{name}/reassign", MANAGER, Scope::ListsWrite),
    Operation::new("GET", "/lists/{name}/rows", MANAGER, Scope::ListsRead),
    Operation::new("GET", "/lists/{name}/results", MANAGER, Scope::ListsRead),
    Operation::new("POST", "/list-links/{account}", Who::Own(Role::Manager), Scope::ListsWrite),
    Operation::new("DELETE", "/list-links/{account}", Who::Own(Role::Manager), Scope::ListsWrite),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, remove))
        .merge(OpenApiRouter::new().routes(routes!(put)).layer(DefaultBodyLimit::max(make::OCTETS)))
        .routes(routes!(fetch))
        .routes(routes!(deal))
        .routes(routes!(reassign))
        .routes(routes!(rows))
        .routes(routes!(results))
        .routes(routes!(link, revoke))
        .merge(desk::routes())
}

/// A link to a new list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FetchShape {
    /// https, http, ftps, ftpes, ftp, sftp or scp, as docs/call-lists.md says.
    link: String,
    /// How its rows are meant.
    #[serde(default)]
    settings: ListSettings,
}

/// An agent's share of a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShareShape {
    /// The account.
    pub(crate) account: String,
    /// Twice as much gets twice as many rows; 1 if it is left out.
    #[serde(default = "one")]
    #[schema(minimum = 0, maximum = 1_000)]
    pub(crate) weight: u32,
}

fn one() -> u32 {
    1
}

/// How rows that are nobody's are dealt out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DealShape {
    /// `agent`: to whom the row names; `share`: among `agents`; `skill`: among the members of the queue that a column names.
    by: String,
    /// Among whom, by `share`.
    #[serde(default)]
    agents: Vec<ShareShape>,
    /// The column, by `skill`; `skill` if it is left out.
    #[schema(nullable = false)]
    column: Option<String>,
}

/// Open rows for others.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReassignShape {
    /// Those at these lines of the file; all if it is left out.
    #[schema(nullable = false)]
    lines: Option<BTreeSet<u32>>,
    /// Those of this agent; of all if it is left out.
    #[schema(nullable = false)]
    from: Option<String>,
    /// To whom; nobody takes them back.
    to: Vec<ShareShape>,
}

/// In which shape results are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct ResultsWanted {
    /// `csv`, `json` or `uccx`; `csv` if it is left out.
    format: Option<String>,
}

/// What a phone is told: the assignment of docs/call-lists.md.
#[derive(Serialize, ToSchema)]
#[schema(value_type = Object)]
struct AssignmentShape(Assignment);

pub(crate) async fn ask(api: &Api, asking: ListAsking, subject: &str) -> Result<ListAnswer, Problem> {
    match api.ask(Command::Lists(Box::new(asking))).await? {
        Answer::Lists(answer) => Ok(*answer),
        other => Err(Problem::of(other, subject)),
    }
}

async fn row(api: &Api, asking: ListAsking, subject: &str) -> Result<Json<ListShape>, Problem> {
    match ask(api, asking, subject).await? {
        ListAnswer::Row(row) => Ok(Json(ListShape::of(&row))),
        _ => Err(Problem::gone()),
    }
}

async fn content(api: &Api, name: &str) -> Result<Box<Content>, Problem> {
    match ask(api, ListAsking::Content(name.into()), name).await? {
        ListAnswer::Content(content) => Ok(content),
        _ => Err(Problem::gone()),
    }
}

pub(crate) fn shares(shapes: Vec<ShareShape>) -> Vec<Share> {
    shapes.into_iter().map(|shape| Share { account: shape.account.into(), weight: shape.weight }).collect()
}

/// Call lists, each with the live board of its agents.
#[utoipa::path(get, path = "/lists", tag = "lists", operation_id = "lists_list", params(Wanted),
    responses((status = 200, body = Items<ListShape>)))]
async fn list(State(api): State<Api>, wanted: Params<Wanted>) -> Result<Json<Items<ListShape>>, Problem> {
    let page = Page::of(wanted)?;
    let ListAnswer::Rows(rows) = ask(&api, ListAsking::All, "").await? else { return Err(Problem::gone()) };
    let mut shapes: Vec<ListShape> = rows.iter().map(ListShape::of).collect();
    shapes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(page.pick(shapes, |shape: &ListShape| &shape.name, |shape| shape.name.clone())))
}

/// One list.
#[utoipa::path(get, path = "/lists/{name}", tag = "lists", operation_id = "lists_read",
    params(("name" = String, Path, description = "Its name")), responses((status = 200, body = ListShape)))]
async fn read(State(api): State<Api>, Named(name): Named<String>) -> Result<Json<ListShape>, Problem> {
    row(&api, ListAsking::One(name.as_str().into()), &name).await
}

/// Makes a list of a file: CSV, JSON Lines or XLSX, as docs/call-lists.md describes it. With `preview`, only tells what would be
/// called, and what is skipped and why.
#[utoipa::path(put, path = "/lists/{name}", tag = "lists", operation_id = "lists_put",
    params(("name" = String, Path, description = "Its name"), ListSettings),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = JudgedShape), (status = 200, body = JudgedShape, description = "Of a preview.")))]
async fn put(
    State(api): State<Api>,
    caller: Caller,
    Named(name): Named<String>,
    Params(settings): Params<ListSettings>,
    bytes: Bytes,
) -> Result<Response, Problem> {
    made(make::make(&api, &name, caller.account(), bytes.to_vec(), &settings).await?)
}

/// The same, of a file that lies elsewhere.
#[utoipa::path(post, path = "/lists/{name}/fetch", tag = "lists", operation_id = "lists_fetch",
    params(("name" = String, Path, description = "Its name")), request_body = FetchShape,
    responses((status = 201, body = JudgedShape), (status = 200, body = JudgedShape, description = "Of a preview.")))]
async fn fetch(
    State(api): State<Api>,
    caller: Caller,
    Named(name): Named<String>,
    Body(wanted): Body<FetchShape>,
) -> Result<Response, Problem> {
    let bytes = fetched(&api, &wanted.link).await?;
    made(make::make(&api, &name, caller.account(), bytes, &wanted.settings).await?)
}

pub(crate) async fn fetched(api: &Api, link: &str) -> Result<Vec<u8>, Problem> {
    let told = |why: String| Problem::nonsense(format!("The list did not come: {why}.")).at("/link");
    api.door().fetch(link).await.map_err(told)
}

fn made(judged: JudgedShape) -> Result<Response, Problem> {
    let location =
        judged.list.as_ref().map(|list| format!("{PREFIX}/lists/{}", super::input::in_path(&list.name)));
    let mut response = Json(judged).into_response();
    if let Some(location) = location {
        *response.status_mut() = StatusCode::CREATED;
        let value = HeaderValue::from_str(&location).map_err(|_| Problem::gone())?;
        response.headers_mut().insert(header::LOCATION, value);
    }
    Ok(response)
}

/// Forgets a list, its rows and its results. Phones drop its rows.
#[utoipa::path(delete, path = "/lists/{name}", tag = "lists", operation_id = "lists_remove",
    params(("name" = String, Path, description = "Its name")),
    responses((status = 204, description = "It is forgotten.")))]
async fn remove(State(api): State<Api>, Named(name): Named<String>) -> Result<StatusCode, Problem> {
    ask(&api, ListAsking::Remove(name.as_str().into()), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deals out the rows that are nobody's.
#[utoipa::path(post, path = "/lists/{name}/deal", tag = "lists", operation_id = "lists_deal",
    params(("name" = String, Path, description = "Its name")), request_body = DealShape,
    responses((status = 200, body = ListShape)))]
async fn deal(
    State(api): State<Api>,
    Named(name): Named<String>,
    Body(wanted): Body<DealShape>,
) -> Result<Json<ListShape>, Problem> {
    let deal = match wanted.by.as_str() {
        "agent" => Deal::Agent,
        "share" => Deal::Share(shares(wanted.agents)),
        "skill" => Deal::Skill(wanted.column.as_deref().unwrap_or("skill").into()),
        other => {
            let why = format!("\"{other}\" is no way to deal; agent, share and skill are.");
            return Err(Problem::nonsense(why).at("/by"));
        }
    };
    row(&api, ListAsking::Deal { list: name.as_str().into(), deal }, &name).await
}

/// Gives open rows to others, with the attempts that were made (S3.20). A row that is being called stays until that call is over.
#[utoipa::path(post, path = "/lists/{name}/reassign", tag = "lists", operation_id = "lists_reassign",
    params(("name" = String, Path, description = "Its name")), request_body = ReassignShape,
    responses((status = 200, body = ListShape)))]
async fn reassign(
    State(api): State<Api>,
    Named(name): Named<String>,
    Body(wanted): Body<ReassignShape>,
) -> Result<Json<ListShape>, Problem> {
    let ReassignShape { lines, from, to } = wanted;
    let from = from.map(Into::into);
    row(&api, ListAsking::Reassign { list: name.as_str().into(), lines, from, to: shares(to) }, &name).await
}

/// The rows of a list, in the order of their calls.
#[utoipa::path(get, path = "/lists/{name}/rows", tag = "lists", operation_id = "lists_rows",
    params(("name" = String, Path, description = "Its name"), RowsWanted),
    responses((status = 200, body = Items<RowShape>)))]
async fn rows(
    State(api): State<Api>,
    Named(name): Named<String>,
    Params(wanted): Params<RowsWanted>,
) -> Result<Json<Items<RowShape>>, Problem> {
    let content = content(&api, &name).await?;
    Ok(Json(shapes::page(&content, &wanted)))
}

/// What became of its rows: a file in the shape that phones write it in. Cells that a spreadsheet would take for a formula have an
/// apostrophe before them.
#[utoipa::path(get, path = "/lists/{name}/results", tag = "lists", operation_id = "lists_results",
    params(("name" = String, Path, description = "Its name"), ResultsWanted),
    responses((status = 200, content_type = "text/csv", body = String)))]
async fn results(
    State(api): State<Api>,
    Named(name): Named<String>,
    Params(wanted): Params<ResultsWanted>,
) -> Result<Response, Problem> {
    let (shape, bytes) = written(&api, &name, wanted.format.as_deref().unwrap_or("csv")).await?;
    let (kind, ending) = match shape {
        Shape::JsonLines => ("application/jsonl", "results.jsonl"),
        Shape::Csv => ("text/csv; charset=utf-8", "results.csv"),
        Shape::Uccx => ("text/csv; charset=utf-8", "results.uccx.csv"),
    };
    let name = super::input::in_path(&name);
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}.{ending}")),
    ];
    Ok((headers, bytes).into_response())
}

/// The results of a list, in a shape by its name.
pub(crate) async fn written(api: &Api, name: &str, format: &str) -> Result<(Shape, Vec<u8>), Problem> {
    let shape = Shape::by_name(format)
        .ok_or_else(|| Problem::nonsense(format!("\"{format}\" is no shape; csv, json and uccx are.")))?;
    let content = content(api, name).await?;
    let written = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        lists::results::write(&mut out, shape, callees(&content), std::iter::empty()).map(|()| out)
    });
    let bytes = written.await.ok().and_then(Result::ok).ok_or_else(Problem::gone)?;
    Ok((shape, bytes))
}

/// A new link for an agent, in the place of the one before: what `ringdown phone --assignment` reads. Its token is shown only now.
#[utoipa::path(post, path = "/list-links/{account}", tag = "lists", operation_id = "list_links_make",
    params(("account" = String, Path, description = "Whose")), responses((status = 200, body = AssignmentShape)))]
async fn link(
    State(api): State<Api>,
    caller: Caller,
    Named(account): Named<String>,
) -> Result<Json<AssignmentShape>, Problem> {
    caller.must_own(&account, Role::Manager)?;
    match ask(&api, ListAsking::Link(account.as_str().into()), &account).await? {
        ListAnswer::Link(assignment) => Ok(Json(AssignmentShape(*assignment))),
        _ => Err(Problem::gone()),
    }
}

/// The links of an agent open nothing any more, and take no results.
#[utoipa::path(delete, path = "/list-links/{account}", tag = "lists", operation_id = "list_links_revoke",
    params(("account" = String, Path, description = "Whose")),
    responses((status = 204, description = "They open nothing.")))]
async fn revoke(
    State(api): State<Api>,
    caller: Caller,
    Named(account): Named<String>,
) -> Result<StatusCode, Problem> {
    caller.must_own(&account, Role::Manager)?;
    ask(&api, ListAsking::Revoke(account.as_str().into()), &account).await?;
    Ok(StatusCode::NO_CONTENT)
}
