//! `list-work`: the exchange works through an agent's lists where their phone only calls; they say what becomes of each row.

use super::super::caller::Caller;
use super::super::filter::at;
use super::super::input::{Body, Named};
use super::super::operations::{Operation, Scope, Who};
use super::super::problem::Problem;
use super::super::{Api, time};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use clock::Wall;
use exchange::Role;
use exchange::lists::{
    DeskAsking, DeskAttempt, DeskRow, DeskSaid, DeskWhen, DeskWork, ListAnswer, ListAsking,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const OWN: Who = Who::Own(Role::Manager);

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/list-work/{account}", OWN, Scope::Phone),
    Operation::new("PUT", "/list-work/{account}", OWN, Scope::Phone),
    Operation::new("DELETE", "/list-work/{account}", OWN, Scope::Phone),
    Operation::new("POST", "/list-work/{account}/said", OWN, Scope::Phone),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read, start, stop)).routes(routes!(said))
}

/// What was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct CalledShape {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// What it came to, as in docs/causes.md; null while it goes on.
    outcome: Option<String>,
    /// Seconds that were talked.
    talked_s: u32,
    /// Who called.
    agent: String,
}

/// What the list says of a callee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct FieldShape {
    /// The header.
    name: String,
    /// What stands there: as it came from outside.
    value: String,
}

/// A callee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct CalleeShape {
    /// The list.
    list: String,
    /// The line of its file.
    line: u32,
    /// Its task, for `ringdown explain task`; null when it is none now.
    task: Option<String>,
    /// `next`, `agent` while your phone rings, `callee` while theirs does, `talk`, `over`.
    step: String,
    /// Whom it calls.
    number: String,
    /// Their name.
    name: String,
    /// All that the list says.
    fields: Vec<FieldShape>,
    /// What was tried here.
    attempts: Vec<CalledShape>,
    /// Why it is this one, and now.
    because: Vec<String>,
    /// What came of it, as it was said.
    result: String,
    /// A note.
    note: String,
    /// Not called before; null if nobody said so.
    #[schema(format = DateTime)]
    not_before: Option<String>,
    /// How it ended; null when it is open.
    end: Option<String>,
}

impl CalleeShape {
    fn of(row: &DeskRow) -> CalleeShape {
        let called = |made: &DeskAttempt| CalledShape {
            at: time(made.at.0),
            outcome: made.outcome.map(|outcome| outcome.name().to_owned()),
            talked_s: made.talked,
            agent: made.agent.to_string(),
        };
        let fields = row.fields.iter();
        CalleeShape {
            list: row.list.to_string(),
            line: row.line,
            task: row.task.map(|task| task.0.to_string()),
            step: row.step.name().to_owned(),
            number: row.number.to_string(),
            name: row.name.to_string(),
            fields: fields
                .map(|(name, value)| FieldShape { name: name.to_string(), value: value.to_string() })
                .collect(),
            attempts: row.attempts.iter().map(called).collect(),
            because: row.because.iter().map(ToString::to_string).collect(),
            result: row.result.to_string(),
            note: row.note.to_string(),
            not_before: row.not_before.map(|at| time(at.0)),
            end: row.end.map(|end| end.name().to_owned()),
        }
    }
}

/// A result by one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct ResultKeyShape {
    /// The key.
    key: String,
    /// The result.
    result: String,
}

/// An agent's work on their lists, at a phone that only calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct DeskShape {
    /// The agent.
    account: String,
    /// Whether the exchange calls for them.
    on: bool,
    /// The phone that rings; null for all of theirs.
    device: Option<String>,
    /// The row that is called, or was called last; null before the first.
    hand: Option<CalleeShape>,
    /// The row that is next; null if none is due.
    next: Option<CalleeShape>,
    /// When the next may be called, if none is due.
    #[schema(format = DateTime)]
    waits: Option<String>,
    /// Rows that are theirs, over all lists.
    rows: usize,
    /// Those that are open.
    left: usize,
    /// Those whose callee was reached.
    reached: usize,
    /// Calls that were made for these rows.
    attempts: usize,
    /// Results by one key.
    keys: Vec<ResultKeyShape>,
}

impl DeskShape {
    pub(crate) fn of(work: &DeskWork) -> DeskShape {
        let keys = work.keys.iter();
        DeskShape {
            account: work.account.to_string(),
            on: work.on,
            device: work.device.as_deref().map(str::to_owned),
            hand: work.hand.as_ref().map(CalleeShape::of),
            next: work.next.as_ref().map(CalleeShape::of),
            waits: work.waits.map(|at| time(at.0)),
            rows: work.counts.rows,
            left: work.counts.left,
            reached: work.counts.reached,
            attempts: work.counts.attempts,
            keys: keys
                .map(|(key, result)| ResultKeyShape { key: key.to_string(), result: result.to_string() })
                .collect(),
        }
    }
}

/// Where the exchange calls for an agent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeskStartShape {
    /// The phone that rings; the one that they signed in at, or all of theirs, if it is left out.
    #[schema(nullable = false)]
    device: Option<String>,
}

/// Something about a row.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SaidShape {
    /// `skip`: not now; `later`: at the time that is said; `choose`: this one next; `give-up`: no more; `forbid`: they want no
    /// more calls, from anybody here; `result`: what came of it.
    say: String,
    /// The list of the row that is meant, with `line`; the call that is up or was the last if both are left out.
    #[schema(nullable = false)]
    list: Option<String>,
    /// The line of its file.
    #[schema(nullable = false)]
    line: Option<u32>,
    /// In so many minutes, with `later`.
    #[schema(nullable = false, maximum = 527_040)]
    minutes: Option<u32>,
    /// A time (RFC 3339), or `tomorrow`, which is at nine by the office's clock; with `later`.
    #[schema(nullable = false)]
    at: Option<String>,
    /// One of the keys, or words; with `result`.
    #[schema(nullable = false, max_length = 64)]
    result: Option<String>,
    /// A note; what was noted before stays if it is left out.
    #[schema(nullable = false, max_length = 1_024)]
    note: Option<String>,
}

async fn ask(api: &Api, asking: DeskAsking, subject: &str) -> Result<Json<DeskShape>, Problem> {
    match super::ask(api, ListAsking::Desk(asking), subject).await? {
        ListAnswer::Desk(work) => Ok(Json(DeskShape::of(&work))),
        _ => Err(Problem::gone()),
    }
}

/// How an agent is with their lists: who is called and what the list says of them, who is next and why.
#[utoipa::path(get, path = "/list-work/{account}", tag = "lists", operation_id = "list_work_read",
    params(("account" = String, Path, description = "Whose")), responses((status = 200, body = DeskShape)))]
async fn read(
    State(api): State<Api>,
    caller: Caller,
    Named(account): Named<String>,
) -> Result<Json<DeskShape>, Problem> {
    caller.must_own(&account, Role::Manager)?;
    ask(&api, DeskAsking::Read(account.as_str().into()), &account).await
}

/// The exchange works through an agent's lists: while they are ready it calls their phone, and then the callee. Who is not signed in
/// to work is then.
#[utoipa::path(put, path = "/list-work/{account}", tag = "lists", operation_id = "list_work_start",
    params(("account" = String, Path, description = "Whose")), request_body = DeskStartShape,
    responses((status = 200, body = DeskShape)))]
async fn start(
    State(api): State<Api>,
    caller: Caller,
    Named(account): Named<String>,
    Body(wanted): Body<DeskStartShape>,
) -> Result<Json<DeskShape>, Problem> {
    caller.must_own(&account, Role::Manager)?;
    let device = wanted.device.map(Into::into);
    ask(&api, DeskAsking::Start { account: account.as_str().into(), device }, &account).await
}

/// It calls for them no more. A call that is up goes on, and the rows wait for their agent, at whatever phone.
#[utoipa::path(delete, path = "/list-work/{account}", tag = "lists", operation_id = "list_work_stop",
    params(("account" = String, Path, description = "Whose")),
    responses((status = 204, description = "It calls no more.")))]
async fn stop(
    State(api): State<Api>,
    caller: Caller,
    Named(account): Named<String>,
) -> Result<StatusCode, Problem> {
    caller.must_own(&account, Role::Manager)?;
    drop(ask(&api, DeskAsking::Stop(account.as_str().into()), &account).await?);
    Ok(StatusCode::NO_CONTENT)
}

/// Skip, later, never, or what came of a call.
#[utoipa::path(post, path = "/list-work/{account}/said", tag = "lists", operation_id = "list_work_say",
    params(("account" = String, Path, description = "Whose")), request_body = SaidShape,
    responses((status = 200, body = DeskShape)))]
async fn said(
    State(api): State<Api>,
    caller: Caller,
    Named(account): Named<String>,
    Body(wanted): Body<SaidShape>,
) -> Result<Json<DeskShape>, Problem> {
    caller.must_own(&account, Role::Manager)?;
    let said = meant(&wanted)?;
    let row = match (wanted.list, wanted.line) {
        (Some(list), Some(line)) => Some((list.into(), line)),
        (None, None) => None,
        _ => return Err(Problem::nonsense("A row is named by its list and its line.").at("/line")),
    };
    ask(&api, DeskAsking::Say { account: account.as_str().into(), row, said }, &account).await
}

fn meant(wanted: &SaidShape) -> Result<DeskSaid, Problem> {
    Ok(match wanted.say.as_str() {
        "skip" => DeskSaid::Skip,
        "later" => DeskSaid::Later(when(wanted)?),
        "choose" => DeskSaid::Choose,
        "give-up" => DeskSaid::GiveUp,
        "forbid" => DeskSaid::Forbid,
        "result" => {
            let text = |text: &Option<String>| text.as_deref().map(Box::<str>::from);
            DeskSaid::Mark { result: text(&wanted.result).unwrap_or_default(), note: text(&wanted.note) }
        }
        other => {
            let why = format!(
                "\"{other}\" cannot be said of a row; skip, later, choose, give-up, forbid and result can."
            );
            return Err(Problem::nonsense(why).at("/say"));
        }
    })
}

fn when(wanted: &SaidShape) -> Result<DeskWhen, Problem> {
    match (wanted.minutes, wanted.at.as_deref()) {
        (Some(minutes), None) => Ok(DeskWhen::Minutes(minutes)),
        (None, Some("tomorrow")) => Ok(DeskWhen::Tomorrow),
        (None, Some(text)) => {
            let at = at("at", Some(text))?.ok_or_else(Problem::gone)?;
            Ok(DeskWhen::At(Wall(at)))
        }
        _ => Err(Problem::nonsense("Say minutes or at.").at("/minutes")),
    }
}
