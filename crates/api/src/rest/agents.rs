//! `agents`: who works, and how they stand. Whoever asks acts for themselves; a manager sees and acts for all.

use super::caller::Caller;
use super::input::{Body, Named, Params};
use super::openapi::EVERYBODY;
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::Problem;
use super::profiles::StartedShape;
use super::{Api, time};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::{Advice, AgentAsking, AgentRow, Answer, Command, Role, SignIn};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/agents", Who::Own(Role::Manager), Scope::PeopleRead),
    Operation::new("POST", "/agents", EVERYBODY, Scope::Phone),
    Operation::new("GET", "/agents/{account}", Who::Own(Role::Manager), Scope::PeopleRead),
    Operation::new("DELETE", "/agents/{account}", Who::Own(Role::Manager), Scope::Phone),
    Operation::new("POST", "/agents/{account}/state", Who::Own(Role::Manager), Scope::Phone),
    Operation::new("POST", "/agents/{account}/extension", Who::Own(Role::Manager), Scope::Phone),
    Operation::new("GET", "/work", EVERYBODY, Scope::Phone),
    Operation::new("GET", "/wrap-ups", Who::Role(Role::Manager), Scope::PeopleRead),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, sign_in))
        .routes(routes!(read, sign_out))
        .routes(routes!(state))
        .routes(routes!(extend))
        .routes(routes!(work))
        .routes(routes!(advice))
}

/// Somebody who is signed in to work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct AgentShape {
    /// The account.
    account: String,
    /// What others see.
    display: String,
    /// `offline`, `ready`, `reserved`, `ringing`, `talking`, `on-hold`, `wrap-up` or `not-ready`.
    state: String,
    /// Why they are not ready; null in other states.
    reason: Option<String>,
    /// The state with its cause and its end, in words: `wrap-up 30 s by queue Sales, ends 10:04:12`.
    words: String,
    /// The rule that made it so.
    rule: String,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
    /// When it ends by itself; null when it does not.
    #[schema(format = DateTime)]
    ends: Option<String>,
    /// The break that comes after the call that is up.
    after: Option<String>,
    /// The phone at which callers ring; null for all of theirs.
    device: Option<String>,
    /// The queues that they work for.
    queues: Vec<String>,
    /// Since when they are signed in; null when they are not.
    #[schema(format = DateTime)]
    signed_in: Option<String>,
    /// Calls of queues missed in a row.
    missed: u8,
    /// Their break is over, and they were asked whether they come back.
    asked: bool,
    /// What their phone was started with; null if it was not since the start of the exchange.
    profile: Option<StartedShape>,
}

impl AgentShape {
    pub(crate) fn of(row: &AgentRow) -> AgentShape {
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        AgentShape {
            account: row.account.to_string(),
            display: row.display.to_string(),
            state: row.state.name().into(),
            reason: text(&row.reason),
            words: row.words.to_string(),
            rule: row.rule.into(),
            since: time(row.since.0),
            ends: row.ends.map(|at| time(at.0)),
            after: text(&row.after),
            device: text(&row.device),
            queues: row.queues.iter().map(ToString::to_string).collect(),
            signed_in: row.signed_in.map(|at| time(at.0)),
            missed: row.missed,
            asked: row.asked,
            profile: row.profile.as_ref().map(StartedShape::of),
        }
    }

    fn words(&self) -> String {
        format!("{} {} {} {}", self.account, self.display, self.state, self.queues.join(" "))
    }
}

/// A sign-in to work.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignInShape {
    /// Who; you, if it is left out. Another takes a manager.
    #[schema(nullable = false)]
    account: Option<String>,
    /// The phone at which callers ring: one of theirs, or one at which they sit; all of theirs if it is left out.
    #[schema(nullable = false)]
    device: Option<String>,
    /// The queues to work for; all that they are a member of if none is named.
    #[serde(default)]
    queues: Vec<String>,
    /// The wrap-up of the profile that was started; the longest of all that apply holds.
    #[schema(nullable = false, maximum = 3_600_000)]
    interval_ms: Option<u32>,
}

/// Another state, by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewState {
    /// `ready`, which ends a break, and a wrap-up early; or `not-ready`, after the call that is up if there is one.
    state: String,
    /// Why they are not ready.
    #[schema(nullable = false, max_length = 64)]
    reason: Option<String>,
    /// How long that is planned to be; what the office plans for the reason if it is left out.
    #[schema(nullable = false, maximum = 86_400_000)]
    planned_ms: Option<u32>,
}

/// What somebody's wrap-ups took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct AdviceShape {
    /// The account.
    account: String,
    /// Wrap-ups that were measured; the last 64 at most, since the start of the exchange.
    measured: usize,
    /// Those that were ended early.
    early: usize,
    /// Those that were made longer.
    longer: usize,
    /// The interval of the last of them.
    interval_ms: u64,
    /// Nine of ten were over by then; null while there are too few. It is never applied by itself.
    proposed_ms: Option<u64>,
}

impl AdviceShape {
    fn of(advice: &Advice) -> AdviceShape {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        AdviceShape {
            account: advice.account.to_string(),
            measured: advice.measured,
            early: advice.early,
            longer: advice.longer,
            interval_ms: millis(advice.interval),
            proposed_ms: advice.proposed.map(millis),
        }
    }
}

/// The caller's own work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct WorkShape {
    #[serde(flatten)]
    agent: AgentShape,
    /// Whether any queue has them: whoever works for none need not be offered to sign in.
    member: bool,
    /// The office's reasons for a break.
    reasons: Vec<String>,
}

async fn ask(api: &Api, asking: AgentAsking) -> Result<Vec<AgentRow>, Problem> {
    match api.ask(Command::Agents(Box::new(asking))).await? {
        Answer::Agents(rows) => Ok(rows),
        other => Err(Problem::of(other, "")),
    }
}

async fn one(api: &Api, asking: AgentAsking) -> Result<Json<AgentShape>, Problem> {
    let row = ask(api, asking).await?.pop();
    row.map(|row| Json(AgentShape::of(&row))).ok_or_else(Problem::gone)
}

/// Whoever the caller may act for.
fn whose(caller: &Caller, account: &str) -> Result<Box<str>, Problem> {
    match caller.sees(Role::Manager) {
        Some(own) if own != account => Err(Problem::not_found("agent", account)),
        _ => Ok(account.into()),
    }
}

/// Who is signed in to work, in the order of their names; without the role manager, you.
#[utoipa::path(get, path = "/agents", tag = "agents", operation_id = "agents_list", params(Wanted),
    responses((status = 200, body = Items<AgentShape>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    wanted: Params<Wanted>,
) -> Result<Json<Items<AgentShape>>, Problem> {
    let page = Page::of(wanted)?;
    let mut agents: Vec<AgentShape> =
        ask(&api, AgentAsking::List).await?.iter().map(AgentShape::of).collect();
    if let Some(own) = caller.sees(Role::Manager) {
        agents.retain(|agent| agent.account == own);
    }
    Ok(Json(page.pick(agents, |agent| &agent.account, AgentShape::words)))
}

/// Signs in to work. One agent has one sign-in: another one takes over or is refused, as the office wants it.
#[utoipa::path(post, path = "/agents", tag = "agents", operation_id = "agents_sign_in", request_body = SignInShape,
    responses((status = 200, body = AgentShape)))]
async fn sign_in(
    State(api): State<Api>,
    caller: Caller,
    Body(wanted): Body<SignInShape>,
) -> Result<Json<AgentShape>, Problem> {
    let account = wanted.account.unwrap_or_else(|| caller.account().to_owned());
    let sign_in = SignIn {
        device: wanted.device.map(Into::into),
        queues: wanted.queues.into_iter().map(Into::into).collect(),
        interval: wanted.interval_ms.map(|millis| Duration::from_millis(millis.min(3_600_000).into())),
        ..SignIn::default()
    };
    if caller.sees(Role::Manager).is_some_and(|own| own != account) {
        return Err(Problem::forbidden("This is not yours; it takes the role manager."));
    }
    one(&api, AgentAsking::SignIn { account: account.into(), sign_in }).await
}

/// How one agent stands; `offline` for somebody who is not signed in.
#[utoipa::path(get, path = "/agents/{account}", tag = "agents", operation_id = "agents_read",
    params(("account" = String, Path, description = "The account")),
    responses((status = 200, body = AgentShape)))]
async fn read(
    State(api): State<Api>,
    caller: Caller,
    Named(account): Named<String>,
) -> Result<Json<AgentShape>, Problem> {
    one(&api, AgentAsking::One(whose(&caller, &account)?)).await
}

/// Signs out from work. A call that is up goes on; whoever rings is brought to somebody else.
#[utoipa::path(delete, path = "/agents/{account}", tag = "agents", operation_id = "agents_sign_out",
    params(("account" = String, Path, description = "The account")),
    responses((status = 204, description = "They are signed out.")))]
async fn sign_out(
    State(api): State<Api>,
    caller: Caller,
    Named(account): Named<String>,
) -> Result<StatusCode, Problem> {
    ask(&api, AgentAsking::SignOut(whose(&caller, &account)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ready or not ready, by hand and at any time.
#[utoipa::path(post, path = "/agents/{account}/state", tag = "agents", operation_id = "agents_state",
    params(("account" = String, Path, description = "The account")), request_body = NewState,
    responses((status = 200, body = AgentShape)))]
async fn state(
    State(api): State<Api>,
    caller: Caller,
    Named(account): Named<String>,
    Body(new): Body<NewState>,
) -> Result<Json<AgentShape>, Problem> {
    let account = whose(&caller, &account)?;
    let planned = new.planned_ms.map(|millis| Duration::from_millis(millis.min(86_400_000).into()));
    let asking = match (new.state.as_str(), new.reason) {
        ("ready", None) => AgentAsking::Ready(account),
        ("ready", Some(_)) => {
            return Err(Problem::nonsense("Nobody needs a reason to be ready.").at("/reason"));
        }
        ("not-ready", reason) => {
            let reason = reason.unwrap_or_else(|| "break".into()).into();
            AgentAsking::Pause { account, reason, planned }
        }
        _ => return Err(Problem::nonsense("By hand, a state is ready or not-ready.").at("/state")),
    };
    one(&api, asking).await
}

/// A little longer in the wrap-up, as often as the office allows.
#[utoipa::path(post, path = "/agents/{account}/extension", tag = "agents", operation_id = "agents_extend",
    params(("account" = String, Path, description = "The account")),
    responses((status = 200, body = AgentShape)))]
async fn extend(
    State(api): State<Api>,
    caller: Caller,
    Named(account): Named<String>,
) -> Result<Json<AgentShape>, Problem> {
    one(&api, AgentAsking::Extend(whose(&caller, &account)?)).await
}

/// How the caller stands, whether any queue has them, and the reasons that they may give for a break.
#[utoipa::path(get, path = "/work", tag = "agents", operation_id = "work_read",
    responses((status = 200, body = WorkShape)))]
async fn work(State(api): State<Api>, caller: Caller) -> Result<Json<WorkShape>, Problem> {
    match api.ask(Command::Agents(Box::new(AgentAsking::Work(caller.account().into())))).await? {
        Answer::Work(own) => Ok(Json(WorkShape {
            agent: AgentShape::of(&own.row),
            member: own.member,
            reasons: own.reasons.iter().map(|(name, _)| name.to_string()).collect(),
        })),
        other => Err(Problem::of(other, "")),
    }
}

/// What wrap-ups really took, and the interval that this proposes.
#[utoipa::path(get, path = "/wrap-ups", tag = "agents", operation_id = "wrap_ups_list", params(Wanted),
    responses((status = 200, body = Items<AdviceShape>)))]
async fn advice(State(api): State<Api>, wanted: Params<Wanted>) -> Result<Json<Items<AdviceShape>>, Problem> {
    let page = Page::of(wanted)?;
    let rows: Vec<AdviceShape> = match api.ask(Command::Agents(Box::new(AgentAsking::Advice))).await? {
        Answer::Advice(rows) => rows.iter().map(AdviceShape::of).collect(),
        other => return Err(Problem::of(other, "")),
    };
    Ok(Json(page.pick(rows, |row| &row.account, |row| row.account.clone())))
}
