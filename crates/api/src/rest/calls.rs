//! `calls`: the calls that go on, their messages as a ladder and as a capture.

use super::caller::Caller;
use super::input::{Named, Params};
use super::openapi::EVERYBODY;
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::Problem;
use super::{Api, time};
use crate::capture;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use exchange::{Answer, CallEnd, CallName, Command, EndedCall, Heard, LiveCall, Role, Rung};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const MANAGER: Who = Who::Role(Role::Manager);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/calls", Who::Own(Role::Manager), Scope::CallsRead),
    Operation::new("GET", "/calls/{id}", Who::Own(Role::Manager), Scope::CallsRead),
    Operation::new("DELETE", "/calls/{id}", MANAGER, Scope::CallsWrite),
    Operation::new("POST", "/calls/{id}/dismiss", EVERYBODY, Scope::CallsWrite),
    Operation::new("GET", "/calls/{id}/ladder", MANAGER, Scope::CallsRead),
    Operation::new("GET", "/calls/{id}/ladder/elsewhere", MANAGER, Scope::CallsRead),
    Operation::new("GET", "/calls/{id}/capture", MANAGER, Scope::CallsRead),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, end))
        .routes(routes!(dismiss))
        .routes(routes!(ladder))
        .routes(routes!(ladder_elsewhere))
        .routes(routes!(captured))
}

/// A call that goes on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct CallShape {
    /// Its name: the Session-ID that its record has later, and a number.
    id: String,
    /// `ringing`, `talking` or `held`.
    state: String,
    /// Who called.
    caller: EndShape,
    /// Who is called, or talks.
    callee: EndShape,
    /// When it began.
    #[schema(format = DateTime)]
    started: String,
    /// When somebody answered; null before.
    #[schema(format = DateTime)]
    answered: Option<String>,
    /// Whether it is an emergency.
    emergency: bool,
    /// The trunk that it goes out or came in by; null inside the office.
    trunk: Option<String>,
}

/// One end of a call.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct EndShape {
    /// The number; `anonymous` for a caller who does not want to be shown.
    number: String,
    /// The name; hostile when the call came from outside.
    name: String,
    /// Whose it is, if it is somebody of the office.
    account: Option<String>,
    /// The device in use, if it is one of ours.
    device: Option<String>,
    /// How it is heard: what comes of it; null until it was heard for five seconds.
    heard: Option<HeardShape>,
}

/// How somebody is heard.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct HeardShape {
    /// The share of packets that did not come, 0 to 1.
    loss: f64,
    /// Jitter (RFC 3550).
    jitter_ms: u16,
    /// The estimated mean opinion score, 1.0 to 4.5 (ITU-T G.107).
    mos: f64,
    /// Whether people find it rough.
    poor: bool,
}

impl HeardShape {
    pub(super) fn of(heard: Heard) -> HeardShape {
        HeardShape {
            loss: f64::from(heard.lost) / 10_000.0,
            jitter_ms: heard.jitter_ms,
            mos: f64::from(heard.mos_tenths) / 10.0,
            poor: heard.is_poor(),
        }
    }
}

/// A call that is over, in its last event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct EndedShape {
    #[serde(flatten)]
    call: CallShape,
    ended: String,
    cause: String,
    blame: String,
    status: u16,
    detail: String,
}

impl CallShape {
    pub(crate) fn of(call: &LiveCall) -> CallShape {
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let end = |end: &CallEnd| EndShape {
            number: end.number.to_string(),
            name: end.name.to_string(),
            account: text(&end.account),
            device: text(&end.device),
            heard: end.heard.map(HeardShape::of),
        };
        CallShape {
            id: call.name.to_string(),
            state: call.state.name().into(),
            caller: end(&call.caller),
            callee: end(&call.callee),
            started: time(call.started.0),
            answered: call.answered.map(|at| time(at.0)),
            emergency: call.emergency,
            trunk: text(&call.trunk),
        }
    }

    fn words(&self) -> String {
        let end = |end: &EndShape| format!("{} {} {:?} {:?}", end.number, end.name, end.account, end.device);
        format!("{} {} {} {:?}", self.id, end(&self.caller), end(&self.callee), self.trunk)
    }
}

impl EndShape {
    /// Somebody of whom only this is known.
    pub(crate) fn of_party(number: &str, name: &str) -> EndShape {
        EndShape { number: number.into(), name: name.into(), account: None, device: None, heard: None }
    }
}

impl EndedShape {
    pub(crate) fn of(ended: &EndedCall) -> EndedShape {
        EndedShape {
            call: CallShape::of(&ended.call),
            ended: time(ended.ended.0),
            cause: ended.cause.name().into(),
            blame: ended.blame.name().into(),
            status: ended.status,
            detail: ended.detail.to_string(),
        }
    }
}

/// One message of a call, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct RungShape {
    /// When it passed.
    #[schema(format = DateTime)]
    time: String,
    /// Sent by the exchange, else received.
    sent: bool,
    /// The device or trunk at the other end, or its address.
    who: String,
    /// The path that it took.
    flow: String,
    /// The beginning of the message.
    text: String,
}

impl RungShape {
    fn of(rung: Rung) -> RungShape {
        RungShape {
            time: time(rung.at.0),
            sent: rung.sent,
            who: rung.who.to_string(),
            flow: rung.flow.to_string(),
            text: rung.text,
        }
    }
}

/// What passed at the other exchange of a call between two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ElsewhereShape {
    /// This exchange's name in the office; null when it has joined no directory.
    own: Option<String>,
    /// The other; null for a call that went to no other.
    exchange: Option<String>,
    /// What passed there, in the order of time.
    rungs: Vec<RungShape>,
    /// Why it says nothing; null when it did.
    why: Option<String>,
}

/// What of a call's messages is wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WantedCapture {
    /// 1 for the session descriptions, too; takes an administrator, and leaves a fact.
    #[param(minimum = 0, maximum = 1)]
    bodies: Option<u8>,
}

async fn seen_by(api: &Api, caller: &Caller) -> Result<Vec<LiveCall>, Problem> {
    let Answer::Calls(mut calls) = api.ask(Command::ListCalls).await? else {
        return Err(Problem::gone());
    };
    if let Some(own) = caller.sees(Role::Manager) {
        calls.retain(|call| call.accounts.iter().any(|account| **account == *own));
    }
    Ok(calls)
}

/// The calls that go on.
#[utoipa::path(get, path = "/calls", tag = "calls", operation_id = "calls_list", params(Wanted),
    responses((status = 200, body = Items<CallShape>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    wanted: Params<Wanted>,
) -> Result<Json<Items<CallShape>>, Problem> {
    let page = Page::of(wanted)?;
    let mut calls: Vec<CallShape> = seen_by(&api, &caller).await?.iter().map(CallShape::of).collect();
    calls.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Json(page.pick(calls, |call| &call.id, CallShape::words)))
}

/// A call that goes on.
#[utoipa::path(get, path = "/calls/{id}", tag = "calls", operation_id = "calls_read", params(("id" = String, Path)),
    responses((status = 200, body = CallShape)))]
async fn read(
    State(api): State<Api>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Json<CallShape>, Problem> {
    let calls = seen_by(&api, &caller).await?;
    let found = calls.iter().find(|call| call.name.to_string() == id);
    found.map(|call| Json(CallShape::of(call))).ok_or_else(|| Problem::not_found("call", &id))
}

/// Ends a call; its record says who did.
#[utoipa::path(delete, path = "/calls/{id}", tag = "calls", operation_id = "calls_end", params(("id" = String, Path)),
    responses((status = 204, description = "It is over.")))]
async fn end(
    State(api): State<Api>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    let call: CallName = id.parse().map_err(|()| Problem::not_found("call", &id))?;
    let subject = call.to_string();
    api.change(Command::HangUp { call, who: caller.account().into() }, &subject).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Silences the caller's own phones for a call that rings for them. It goes on where it would if nobody answered; until then
/// it can still be taken.
#[utoipa::path(post, path = "/calls/{id}/dismiss", tag = "calls", operation_id = "calls_dismiss",
    params(("id" = String, Path)), responses((status = 204, description = "The phones are silent.")))]
async fn dismiss(
    State(api): State<Api>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    let call: CallName = id.parse().map_err(|()| Problem::not_found("call", &id))?;
    let subject = call.to_string();
    api.change(Command::Dismiss { account: caller.account().into(), call }, &subject).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The messages of a call that goes on or is over, for as long as they are kept; by its id or its session_id.
#[utoipa::path(get, path = "/calls/{id}/ladder", tag = "calls", operation_id = "calls_ladder",
    params(("id" = String, Path)), responses((status = 200, body = Vec<RungShape>)))]
async fn ladder(State(api): State<Api>, Named(id): Named<String>) -> Result<Json<Vec<RungShape>>, Problem> {
    let session = session(&id)?;
    let Answer::Ladder(rungs) = api.ask(Command::Ladder(Some(session))).await? else {
        return Err(Problem::gone());
    };
    if rungs.is_empty() {
        return Err(not_kept(&id));
    }
    Ok(Json(rungs.into_iter().map(RungShape::of).collect()))
}

/// What passed at the other exchange of a call between two. The other exchange is asked, and has four seconds.
#[utoipa::path(get, path = "/calls/{id}/ladder/elsewhere", tag = "calls", operation_id = "calls_ladder_elsewhere",
    params(("id" = String, Path)), responses((status = 200, body = ElsewhereShape)))]
async fn ladder_elsewhere(
    State(api): State<Api>,
    Named(id): Named<String>,
) -> Result<Json<ElsewhereShape>, Problem> {
    let session = session(&id)?;
    let answer = api.ask(Command::LadderElsewhere(session)).await?;
    let Answer::LadderElsewhere(other) = answer else { return Err(Problem::gone()) };
    let exchange::LadderElsewhere { exchange, rungs, why } = *other;
    let Answer::Exchanges(map) = api.ask(Command::Exchanges).await? else { return Err(Problem::gone()) };
    Ok(Json(ElsewhereShape {
        own: map.own.map(Into::into),
        exchange: exchange.map(Into::into),
        rungs: rungs.into_iter().map(RungShape::of).collect(),
        why: why.map(Into::into),
    }))
}

/// The same as a capture file (pcap), for sngrep and Wireshark. Headers only, unless an administrator asks for more.
#[utoipa::path(get, path = "/calls/{id}/capture", tag = "calls", operation_id = "calls_capture",
    params(("id" = String, Path), WantedCapture),
    responses((status = 200, content_type = "application/vnd.tcpdump.pcap", body = Vec<u8>)))]
async fn captured(
    State(api): State<Api>,
    caller: Caller,
    Named(id): Named<String>,
    Params(wanted): Params<WantedCapture>,
) -> Result<Response, Problem> {
    let session = session(&id)?;
    let bodies = match wanted.bodies {
        None | Some(0) => None,
        Some(1) if caller.role >= Role::Administrator => Some(caller.account().into()),
        Some(1) => return Err(Problem::forbidden("Messages with their bodies take an administrator.")),
        Some(_) => return Err(Problem::malformed("bodies is 0 or 1.")),
    };
    let name = format!("attachment; filename=\"{session}.pcap\"");
    let asked = Command::Capture { session_id: Some(session), bodies };
    let Answer::Captured(messages) = api.ask(asked).await? else { return Err(Problem::gone()) };
    if messages.is_empty() {
        return Err(not_kept(&id));
    }
    let mut response = capture::file(&messages).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/vnd.tcpdump.pcap"));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// The Session-ID in a call's id, or as it is in its record.
fn session(id: &str) -> Result<Box<str>, Problem> {
    let session = id.split('-').next().unwrap_or_default();
    let right = session.len() == 32 && session.bytes().all(|octet| octet.is_ascii_hexdigit());
    right.then(|| session.to_ascii_lowercase().into()).ok_or_else(|| Problem::not_found("call", id))
}

fn not_kept(id: &str) -> Problem {
    let words =
        format!("Nothing is kept of the call \"{id}\": messages live in memory, and the oldest make room.");
    Problem::new(StatusCode::NOT_FOUND, "not-found", words)
}
