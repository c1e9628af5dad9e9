//! `records` and `records.csv`: the calls that are over. An agent sees those of their own numbers and telephones.

use super::caller::Caller;
use super::csv::{self, Line};
use super::filter::{WantedFile, WantedRecords, at};
use super::input::Params;
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page};
use super::problem::Problem;
use super::{Api, time};
use crate::backend::{CallRow, RecordsWanted};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use exchange::Role;
use serde::Serialize;
use tokio::sync::mpsc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/records", Who::Own(Role::Manager), Scope::RecordsRead),
    Operation::new("GET", "/records.csv", Who::Own(Role::Manager), Scope::RecordsRead),
];

/// Records read at once for a file.
const AT_ONCE: u32 = 1_000;
/// Parts of a file that wait for a slow reader.
const WAITING: usize = 2;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(file))
}

/// A call that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct RecordShape {
    /// In the order of their end.
    id: i64,
    /// Names the call in every trace (RFC 7989).
    session_id: String,
    /// The number that called.
    caller: String,
    /// The caller's name; hostile when the call came from outside.
    caller_name: String,
    /// The number that was dialled.
    callee: String,
    /// The device that answered, or the service; null if none did.
    answered_by: Option<String>,
    /// When it began.
    #[schema(format = DateTime)]
    started: String,
    /// When it was answered; null if it was not.
    #[schema(format = DateTime)]
    answered: Option<String>,
    /// When it was over.
    #[schema(format = DateTime)]
    ended: String,
    /// From the beginning to the answer, or to the end if there was none.
    ringing_ms: i64,
    /// From the answer to the end.
    duration_ms: i64,
    /// Why it ended.
    cause: String,
    /// Whose doing that was: `caller`, `callee`, `carrier`, `us`, `operator`.
    blame: String,
    /// The final status that the caller got.
    status: u16,
    /// More to say; empty if there is nothing.
    detail: String,
    /// The background call that it was made for; null if it was made by a person.
    task: Option<i64>,
}

impl RecordShape {
    pub(crate) fn of(row: CallRow) -> RecordShape {
        RecordShape {
            id: row.id,
            session_id: row.session_id,
            caller: row.caller,
            caller_name: row.caller_name,
            callee: row.callee,
            answered_by: Some(row.answered_by).filter(|device| !device.is_empty()),
            started: time(row.started),
            answered: row.answered.map(time),
            ended: time(row.ended),
            ringing_ms: row.ringing_ms,
            duration_ms: row.duration_ms,
            cause: row.cause,
            blame: row.blame,
            status: row.status,
            detail: row.detail,
            task: row.task,
        }
    }
}

/// What this caller may see of all records.
pub(crate) fn seen_by(caller: &Caller) -> RecordsWanted {
    let texts = |list: &[Box<str>]| list.iter().map(ToString::to_string).collect();
    let own = caller.sees(Role::Manager).map(|_| (texts(&caller.row.numbers), texts(&caller.row.devices)));
    RecordsWanted { own, ..RecordsWanted::default() }
}

async fn rows(api: &Api, wanted: RecordsWanted) -> Result<Vec<CallRow>, Problem> {
    api.door().records_page(wanted).await.map_err(|why| Problem::unavailable(&why))
}

/// Records, the newest first.
#[utoipa::path(get, path = "/records", tag = "records", operation_id = "records_list", params(WantedRecords),
    responses((status = 200, body = Items<RecordShape>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    Params(wanted): Params<WantedRecords>,
) -> Result<Json<Items<RecordShape>>, Problem> {
    let page = Page::wanted(wanted.limit, wanted.after.as_deref(), wanted.find.as_deref())?;
    let before = page.before()?;
    let wanted = RecordsWanted {
        before,
        task: wanted.task,
        from: at("from", wanted.from.as_deref())?,
        to: at("to", wanted.to.as_deref())?,
        find: page.find.clone(),
        most: u32::try_from(page.limit + 1).unwrap_or(u32::MAX),
        ..seen_by(&caller)
    };
    let rows = rows(&api, wanted).await?;
    let keyed = rows.into_iter().map(|row| (row.id.to_string(), RecordShape::of(row))).collect();
    Ok(Json(page.cut(keyed, |(key, _): &(String, RecordShape)| key).map(|(_, record)| record)))
}

/// Records as a file for spreadsheets (RFC 4180), the newest first. A cell that a spreadsheet would take for a formula
/// has an apostrophe before it, but for plain numbers; `raw=1` leaves them as they are.
#[utoipa::path(get, path = "/records.csv", tag = "records", operation_id = "records_file", params(WantedFile),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn file(
    State(api): State<Api>,
    caller: Caller,
    Params(wanted): Params<WantedFile>,
) -> Result<Response, Problem> {
    let page = Page::wanted(None, None, wanted.find.as_deref())?;
    let first = RecordsWanted {
        from: at("from", wanted.from.as_deref())?,
        to: at("to", wanted.to.as_deref())?,
        find: page.find,
        most: AT_ONCE,
        ..seen_by(&caller)
    };
    let raw = wanted.raw == Some(1);
    // The first part is read before anything is promised.
    let read = rows(&api, first.clone()).await?;
    let mut text = String::from(if wanted.bom == Some(1) { "\u{FEFF}" } else { "" });
    text.push_str(csv::HEAD);
    let (parts, body) = mpsc::channel(WAITING);
    tokio::spawn(write(api, first, read, text, raw, parts));
    let kind = "text/csv; charset=utf-8; header=present";
    let name = "attachment; filename=\"records.csv\"";
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(csv::Parts(body))).into_response())
}

/// Writes part after part as fast as they are taken; no connection to the database is held meanwhile.
async fn write(
    api: Api,
    mut wanted: RecordsWanted,
    mut read: Vec<CallRow>,
    mut text: String,
    raw: bool,
    parts: mpsc::Sender<Result<Bytes, std::io::Error>>,
) {
    loop {
        for row in &read {
            cells(row, raw, &mut text);
        }
        let more = read.len() >= usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
        if parts.send(Ok(Bytes::from(std::mem::take(&mut text)))).await.is_err() || !more {
            return;
        }
        wanted.before = read.last().map(|row| row.id);
        read = match rows(&api, wanted.clone()).await {
            Ok(rows) => rows,
            Err(problem) => {
                // A file that is cut short must not look whole.
                let _ = parts.send(Err(std::io::Error::other(problem.detail))).await;
                return;
            }
        };
    }
}

fn cells(row: &CallRow, raw: bool, text: &mut String) {
    let mut line = Line::new(text, raw);
    line.number(row.id).text(&row.session_id).text(&row.caller).text(&row.caller_name).text(&row.callee);
    line.text(&row.answered_by).text(&time(row.started));
    line.text(&row.answered.map(time).unwrap_or_default()).text(&time(row.ended));
    line.number(row.ringing_ms).number(row.duration_ms).text(&row.cause).text(&row.blame);
    line.number(i64::from(row.status)).text(&row.detail);
    line.text(&row.task.map(|task| task.to_string()).unwrap_or_default());
    line.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_17_a_hostile_caller_is_text_in_the_file_and_numbers_stay_as_they_are() {
        let row = CallRow {
            caller: "+8613800138000".into(),
            caller_name: "'\";$(id)<script>=cmd|".into(),
            callee: "=1+1".into(),
            cause: "@SUM(A1)".into(),
            detail: "-2+3\ncmd|' /C calc'!A0".into(),
            ..CallRow::default()
        };
        let written = |raw| {
            let mut text = String::new();
            cells(&row, raw, &mut text);
            text
        };
        let safe = written(false);
        assert!(safe.contains(",\"+8613800138000\","), "{safe}");
        assert!(safe.contains(",\"'=1+1\",") && safe.contains(",\"'@SUM(A1)\","), "{safe}");
        assert!(safe.contains(",\"'-2+3\ncmd|' /C calc'!A0\",\"\"\r\n"), "{safe}");
        assert!(safe.contains(",\"'\"\";$(id)<script>=cmd|\","), "{safe}");
        let raw = written(true);
        assert!(raw.contains(",\"=1+1\",") && raw.contains(",\"@SUM(A1)\","), "{raw}");
        assert_eq!(safe.matches(',').count(), csv::HEAD.matches(',').count());
    }
}
