//! `tasks`: background calls. Whoever asks sees and changes their own; a manager sees all, an administrator changes all.

use super::caller::Caller;
use super::filter::{WantedOwner, at};
use super::input::{Body, Named, Params, patched};
use super::openapi::EVERYBODY;
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::Problem;
use super::{Api, PREFIX, time};
use crate::backend::MessageRow;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use clock::Wall;
use exchange::{Answer, Asking, Command, NewTask, Role, TaskId, TaskList, TaskRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/tasks", Who::Own(Role::Manager), Scope::TasksRead),
    Operation::new("POST", "/tasks", EVERYBODY, Scope::TasksWrite).creating(),
    Operation::new("DELETE", "/tasks", EVERYBODY, Scope::TasksWrite),
    Operation::new("GET", "/tasks/{task}", Who::Own(Role::Manager), Scope::TasksRead),
    Operation::new("GET", "/tasks/{task}/messages", Who::Own(Role::Manager), Scope::TasksRead),
    Operation::new("PATCH", "/tasks/{task}", Who::Own(Role::Administrator), Scope::TasksWrite),
    Operation::new("DELETE", "/tasks/{task}", Who::Own(Role::Administrator), Scope::TasksWrite),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, start, stop_all))
        .routes(routes!(read, change, stop))
        .routes(routes!(messages))
}

/// A background call: the exchange keeps calling somebody for its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TaskShape {
    /// Its number.
    id: String,
    /// Whose it is; of a callback the caller who asked for it, empty if they have no account.
    account: String,
    /// The queue that calls one of its callers back; null if a person wanted the call.
    queue: Option<String>,
    /// The place that is kept there, from 1.
    place: Option<usize>,
    /// Whom to reach, as it was dialled.
    number: String,
    /// Who has that number, if it is of the office; else empty.
    name: String,
    /// Who is called first: `callee`, or `owner`, so that nobody outside waits for anybody.
    first: String,
    /// `waiting`, `calling`, `connecting` when one side has answered, or `ended`.
    state: String,
    /// When the next attempt may be made; null when no clock decides that.
    #[schema(format = DateTime)]
    next: Option<String>,
    /// Why it waits, is next, or ended, in words.
    why: String,
    /// The name of the rule by which it waits (`spacing`, `owner`, `not_before`, …) or of how it ended (`reached`,
    /// `abandoned`, `stopped`, …); null when nothing holds it.
    rule: Option<String>,
    /// Background calls to the same number that came before.
    ahead: usize,
    /// Attempts that were made.
    made: u16,
    /// Attempts that there may be.
    most: u16,
    /// The attempts that are over.
    attempts: Vec<AttemptShape>,
    /// When it was asked for.
    #[schema(format = DateTime)]
    since: String,
    /// No attempt before; null when it may begin at once.
    #[schema(format = DateTime)]
    not_before: Option<String>,
    /// No attempt at or after.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Higher comes first.
    priority: u8,
    /// When it ended; null when it has not.
    #[schema(format = DateTime)]
    ended: Option<String>,
}

/// An attempt that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct AttemptShape {
    /// Counts from one.
    ordinal: u16,
    /// When it ended.
    #[schema(format = DateTime)]
    at: String,
    /// What it came to, as in docs/causes.md: `busy`, `no_answer`, `off`, `unreachable`, …
    outcome: String,
}

impl TaskShape {
    pub(crate) fn of(row: &TaskRow) -> TaskShape {
        let when = |at: Option<Wall>| at.map(|at| time(at.0));
        let attempts = row.attempts.iter().map(|attempt| AttemptShape {
            ordinal: attempt.ordinal,
            at: time(attempt.at.0),
            outcome: attempt.outcome.map(|outcome| last(outcome.key())).unwrap_or_default(),
        });
        TaskShape {
            id: row.task.0.to_string(),
            account: row.account.to_string(),
            queue: row.queue.as_deref().map(str::to_owned),
            place: row.place,
            number: row.number.to_string(),
            name: row.name.to_string(),
            first: if row.callee_first() { "callee" } else { "owner" }.into(),
            state: row.state.name().into(),
            next: when(row.next),
            why: row.why.to_string(),
            rule: row.rule.map(last),
            ahead: row.ahead,
            made: row.made.0,
            most: row.made.1,
            attempts: attempts.collect(),
            since: time(row.since.0),
            not_before: when(row.not_before),
            until: when(row.until),
            priority: row.priority,
            ended: row.end.map(|(_, at)| time(at.0)),
        }
    }

    fn words(&self) -> String {
        format!("{} {} {} {}", self.account, self.number, self.name, self.state)
    }

    /// So that numbers sort as numbers.
    fn key(&self) -> String {
        format!("{:0>20}", self.id)
    }
}

fn last(key: &str) -> String {
    key.rsplit('.').next().unwrap_or(key).to_owned()
}

/// A message to the owner about a background call, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct MessageShape {
    /// Names it for ever; a provider knows it by this key.
    key: String,
    /// Whom it is for.
    account: String,
    /// The mobile number that they had when it was written; null if none.
    mobile: Option<String>,
    /// When it was written, and shown at the phones that were there.
    #[schema(format = DateTime)]
    time: String,
    /// What it says.
    text: String,
    /// `waiting`; `accepted` when a carrier has it; `delivered` when the carrier says that it reached the person; `failed`.
    state: String,
    /// Who has it, or is asked next: `http`, `smpp` or `sip`; null if nobody was asked.
    carrier: Option<String>,
    /// How often carriers were asked.
    attempts: u32,
    /// When one is asked again; null when it does not wait.
    #[schema(format = DateTime)]
    next: Option<String>,
    /// When its state was last told; null if nothing has happened yet.
    #[schema(format = DateTime)]
    changed: Option<String>,
    /// What the carrier said last.
    answer: String,
}

/// Messages, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Messages {
    items: Vec<MessageShape>,
}

impl MessageShape {
    fn of(row: MessageRow) -> MessageShape {
        MessageShape {
            key: row.key,
            account: row.account,
            mobile: row.mobile,
            time: time(row.time),
            text: row.text,
            state: row.state,
            carrier: row.carrier,
            attempts: row.attempts,
            next: row.next.map(time),
            changed: row.changed.map(time),
            answer: row.answer,
        }
    }
}

/// A new background call.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTaskShape {
    /// Whom to reach, as its owner would dial it.
    number: String,
    /// Whose it is; yours, if it is left out. Another's takes an administrator.
    #[schema(nullable = false)]
    account: Option<String>,
    /// No attempt before.
    #[schema(format = DateTime, nullable = false)]
    not_before: Option<String>,
    /// No attempt at or after.
    #[schema(format = DateTime, nullable = false)]
    until: Option<String>,
    /// Higher comes first.
    #[serde(default)]
    priority: u8,
}

/// What changes of a background call; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TaskPatch {
    /// No attempt before; null to begin at once.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>, format = DateTime)]
    not_before: Option<Option<String>>,
    /// No attempt at or after; null for no such time.
    #[serde(default, deserialize_with = "patched")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Option<String>>,
    /// Higher comes first.
    #[schema(nullable = false)]
    priority: Option<u8>,
}

async fn rows(api: &Api, list: TaskList) -> Result<Vec<TaskRow>, Problem> {
    match api.ask(Command::Background(Box::new(Asking::List(list)))).await? {
        Answer::Tasks(rows) => Ok(rows),
        other => Err(Problem::of(other, "")),
    }
}

fn number_of(task: &str) -> Result<TaskId, Problem> {
    task.parse().map(TaskId).map_err(|_| Problem::not_found("task", task))
}

/// A task that the caller may see.
pub(super) async fn one(api: &Api, caller: &Caller, task: &str) -> Result<TaskRow, Problem> {
    let of = caller.sees(Role::Manager).map(Box::from);
    let list = TaskList { of, task: Some(number_of(task)?), ended: true };
    rows(api, list).await?.pop().ok_or_else(|| Problem::not_found("task", task))
}

/// Whose task may be changed by this caller: their own alone, or anybody's.
fn only_of(caller: &Caller) -> Option<Box<str>> {
    caller.sees(Role::Administrator).map(Box::from)
}

fn whose(caller: &Caller, account: Option<String>) -> Result<Box<str>, Problem> {
    let account = account.unwrap_or_else(|| caller.account().to_owned());
    if account != caller.account() && caller.role < Role::Administrator {
        return Err(Problem::forbidden("This is not yours; it takes the role administrator."));
    }
    Ok(account.into())
}

fn wall(name: &str, text: Option<&str>) -> Result<Option<Wall>, Problem> {
    Ok(at(name, text)?.map(Wall))
}

/// Background calls in the order in which they were asked for, those that ended lately too; without the role manager, your
/// own.
#[utoipa::path(get, path = "/tasks", tag = "tasks", operation_id = "tasks_list", params(Wanted),
    responses((status = 200, body = Items<TaskShape>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    wanted: Params<Wanted>,
) -> Result<Json<Items<TaskShape>>, Problem> {
    let page = Page::of(wanted)?;
    let of = caller.sees(Role::Manager).map(Box::from);
    let rows = rows(&api, TaskList { of, task: None, ended: true }).await?;
    let mut keyed: Vec<(String, TaskShape)> =
        rows.iter().map(TaskShape::of).map(|shape| (shape.key(), shape)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    let picked = page.pick(keyed, |(key, _): &(String, TaskShape)| key, |(_, shape)| shape.words());
    Ok(Json(picked.map(|(_, shape)| shape)))
}

/// Keeps calling somebody until they answer, and connects its owner then. It is written down when this answers.
#[utoipa::path(post, path = "/tasks", tag = "tasks", operation_id = "tasks_start", request_body = NewTaskShape,
    responses((status = 201, body = TaskShape, headers(("Location" = String)))))]
async fn start(
    State(api): State<Api>,
    caller: Caller,
    Body(new): Body<NewTaskShape>,
) -> Result<Response, Problem> {
    let new = NewTask {
        account: whose(&caller, new.account)?,
        number: new.number.into(),
        not_before: wall("not_before", new.not_before.as_deref())?,
        until: wall("until", new.until.as_deref())?,
        priority: new.priority,
    };
    match api.ask(Command::Background(Box::new(Asking::Start(new)))).await? {
        Answer::Task(Some(row)) => {
            let shape = TaskShape::of(&row);
            let location = format!("{PREFIX}/tasks/{}", shape.id);
            let mut response = (StatusCode::CREATED, Json(shape)).into_response();
            if let Ok(value) = HeaderValue::from_str(&location) {
                response.headers_mut().insert(header::LOCATION, value);
            }
            Ok(response)
        }
        other => Err(Problem::of(other, "")),
    }
}

/// Stops all background calls of an account.
#[utoipa::path(delete, path = "/tasks", tag = "tasks", operation_id = "tasks_stop_all", params(WantedOwner),
    responses((status = 204, description = "Nobody is called any more.")))]
async fn stop_all(
    State(api): State<Api>,
    caller: Caller,
    Params(wanted): Params<WantedOwner>,
) -> Result<StatusCode, Problem> {
    let account = whose(&caller, wanted.account)?;
    api.change(Command::Background(Box::new(Asking::StopAll(account))), "").await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One background call.
#[utoipa::path(get, path = "/tasks/{task}", tag = "tasks", operation_id = "tasks_read",
    params(("task" = String, Path, description = "Its number")), responses((status = 200, body = TaskShape)))]
async fn read(
    State(api): State<Api>,
    caller: Caller,
    Named(task): Named<String>,
) -> Result<Json<TaskShape>, Problem> {
    Ok(Json(TaskShape::of(&one(&api, &caller, &task).await?)))
}

/// What its owner was told in writing, and what became of each message.
#[utoipa::path(get, path = "/tasks/{task}/messages", tag = "tasks", operation_id = "tasks_messages",
    params(("task" = String, Path, description = "Its number")), responses((status = 200, body = Messages)))]
async fn messages(
    State(api): State<Api>,
    caller: Caller,
    Named(task): Named<String>,
) -> Result<Json<Messages>, Problem> {
    let number = i64::try_from(one(&api, &caller, &task).await?.task.0).unwrap_or(i64::MAX);
    let rows = api.door().messages(number).await.map_err(|why| Problem::unavailable(&why))?;
    Ok(Json(Messages { items: rows.into_iter().map(MessageShape::of).collect() }))
}

/// Other times, or another priority.
#[utoipa::path(patch, path = "/tasks/{task}", tag = "tasks", operation_id = "tasks_change",
    params(("task" = String, Path, description = "Its number")), request_body = TaskPatch,
    responses((status = 200, body = TaskShape)))]
async fn change(
    State(api): State<Api>,
    caller: Caller,
    Named(task): Named<String>,
    Body(patch): Body<TaskPatch>,
) -> Result<Json<TaskShape>, Problem> {
    let id = number_of(&task)?;
    let _editing = api.editing().await;
    let known = one(&api, &caller, &task).await?;
    let changed = |name: &str, patch: Option<Option<String>>, known: Option<Wall>| match patch {
        None => Ok(known),
        Some(text) => wall(name, text.as_deref()),
    };
    let asking = Asking::Change {
        task: id,
        of: only_of(&caller),
        not_before: changed("not_before", patch.not_before, known.not_before)?,
        until: changed("until", patch.until, known.until)?,
        priority: patch.priority.unwrap_or(known.priority),
    };
    match api.ask(Command::Background(Box::new(asking))).await? {
        Answer::Task(Some(row)) => Ok(Json(TaskShape::of(&row))),
        other => Err(Problem::of(other, &task)),
    }
}

/// Stops a background call. Whoever it rings at is told; whoever waits for its owner is excused.
#[utoipa::path(delete, path = "/tasks/{task}", tag = "tasks", operation_id = "tasks_stop",
    params(("task" = String, Path, description = "Its number")),
    responses((status = 204, description = "It is stopped.")))]
async fn stop(
    State(api): State<Api>,
    caller: Caller,
    Named(task): Named<String>,
) -> Result<StatusCode, Problem> {
    let asking = Asking::Stop { task: number_of(&task)?, of: only_of(&caller) };
    match api.ask(Command::Background(Box::new(asking))).await? {
        Answer::Task(_) => Ok(StatusCode::NO_CONTENT),
        other => Err(Problem::of(other, &task)),
    }
}
