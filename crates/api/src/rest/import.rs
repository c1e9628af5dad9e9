//! `people/import`: many people at once, each row by itself.

use super::Api;
use super::input::Body;
use super::operations::{Operation, Scope, Who};
use super::problem::Problem;
use super::refusal;
use crate::control::IMPORT_ROWS;
use crate::texts::Language;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use exchange::{Answer, Command, ImportRow, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation::new("POST", "/people/import", Who::Role(Role::Administrator), Scope::PeopleWrite)
        .creating()];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(import))
}

/// People to take.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Import {
    /// At most 1,000 rows.
    rows: Vec<Row>,
}

/// One row: an account, and perhaps one of its numbers and one of its telephones.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The account's name.
    account: String,
    /// What others see.
    #[serde(default)]
    name: String,
    /// A number of the account; may be empty.
    #[serde(default)]
    number: String,
    /// A telephone of the account; may be empty.
    #[serde(default)]
    device: String,
    /// Its secret; may be empty if the telephone is known.
    #[serde(default)]
    secret: String,
}

/// What became of the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Imported {
    /// How many were taken.
    taken: usize,
    /// The others.
    refused: Vec<RefusedRow>,
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct RefusedRow {
    /// Which row, from 1.
    line: u64,
    /// Why, in words of the language that was asked for (Accept-Language): English or Chinese.
    why: String,
}

/// Takes people from rows; what is wrong with a row keeps out that row only.
#[utoipa::path(post, path = "/people/import", tag = "people", operation_id = "people_import",
    request_body = Import, responses((status = 200, body = Imported)))]
async fn import(
    State(api): State<Api>,
    headers: HeaderMap,
    Body(Import { rows }): Body<Import>,
) -> Result<Json<Imported>, Problem> {
    if rows.len() > IMPORT_ROWS {
        return Err(Problem::nonsense(format!("At most {IMPORT_ROWS} rows at a time.")).at("/rows"));
    }
    let door = api.door();
    let row = |(line, row): (u64, Row)| ImportRow {
        line,
        secret: (!row.secret.is_empty()).then(|| door.secret(&row.device, &row.secret)),
        account: row.account.into(),
        name: row.name.into(),
        number: row.number.into(),
        device: row.device.into(),
    };
    let rows = (1..).zip(rows).map(row).collect();
    match api.ask(Command::Import(rows)).await? {
        Answer::Imported { taken, bad } => {
            let language = Language::asked_by(&headers);
            let refused =
                bad.iter().map(|bad| RefusedRow { line: bad.line, why: refusal::words(language, &bad.why) });
            Ok(Json(Imported { taken, refused: refused.collect() }))
        }
        other => Err(Problem::of(other, "")),
    }
}
