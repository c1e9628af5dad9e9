//! `seats`: who sits at which phone, and the button "take the call here".

use super::caller::Caller;
use super::calls::EndShape;
use super::input::{Body, Named, Params};
use super::openapi::EVERYBODY;
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::Problem;
use super::seat_codes::Code;
use super::{Api, secrets, time};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::{Answer, CallName, Command, Means, Role, SeatRow, Taken};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/seats", Who::Own(Role::Manager), Scope::PeopleRead),
    Operation::new("POST", "/seats", EVERYBODY, Scope::Phone),
    Operation::new("DELETE", "/seats/{device}", Who::Own(Role::Manager), Scope::Phone),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, take)).routes(routes!(leave))
}

/// Somebody sits at a phone that is not their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SeatShape {
    /// The phone.
    device: String,
    /// Whose phone it is.
    owner: String,
    /// Who sits there.
    account: String,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
    /// When it ends by itself; null when nothing ends it but the person.
    #[schema(format = DateTime)]
    until: Option<String>,
}

impl SeatShape {
    pub(crate) fn of(row: &SeatRow) -> SeatShape {
        SeatShape {
            device: row.device.to_string(),
            owner: row.owner.to_string(),
            account: row.seat.account.to_string(),
            since: time(row.seat.since.0),
            until: row.seat.until.map(|until| time(until.0)),
        }
    }

    fn words(&self) -> String {
        format!("{} {} {}", self.device, self.owner, self.account)
    }

    fn concerns(&self, account: &str) -> bool {
        self.account == account || self.owner == account
    }
}

/// Who is at which phone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Here {
    /// The phone: one of your own, one at which you sit, or one whose code you scanned; any for a manager.
    device: String,
    /// Who is there; you, if it is left out. Takes a manager.
    account: Option<String>,
    /// The call that is wanted, by its name: that one or none, and nobody sits down or leaves by it. Otherwise as a tap.
    #[schema(nullable = false)]
    call: Option<String>,
    /// What the QR code beside the phone said: with it, a phone of others will do.
    #[schema(nullable = false)]
    code: Option<String>,
}

/// What came of it.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TakenShape {
    /// `signed_in`, `signed_out`, `ringing` when a call that rang comes to the phone, `moving` when a talk does, or
    /// `here` when the talk is there already.
    what: String,
    /// The call that comes.
    call: Option<String>,
    /// When the seat ends by itself.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Who called just before, and gave up.
    who_called: Option<EndShape>,
}

impl TakenShape {
    /// What came of it; a refusal is a problem.
    pub(crate) fn of(taken: Taken) -> Result<TakenShape, Problem> {
        let plain = |what: &str| TakenShape { what: what.into(), call: None, until: None, who_called: None };
        Ok(match taken {
            Taken::SignedIn { who_called, until } => TakenShape {
                until: until.map(|until| time(until.0)),
                who_called: who_called.map(|party| EndShape::of_party(&party.number, &party.name)),
                ..plain("signed_in")
            },
            Taken::SignedOut => plain("signed_out"),
            Taken::Ringing { call } => TakenShape { call: Some(call.to_string()), ..plain("ringing") },
            Taken::Moving { call } => TakenShape { call: Some(call.to_string()), ..plain("moving") },
            Taken::Comes { talk, .. } => plain(if talk { "moving" } else { "ringing" }),
            Taken::Here { call } => TakenShape { call: Some(call.to_string()), ..plain("here") },
            Taken::Refused { words, .. } => {
                return Err(Problem::conflict(format!("It was refused: {words}.")));
            }
        })
    }
}

async fn seen_by(api: &Api, caller: &Caller) -> Result<Vec<SeatShape>, Problem> {
    let Answer::Seats(rows) = api.ask(Command::ListSeats).await? else { return Err(Problem::gone()) };
    let mut seats: Vec<SeatShape> = rows.iter().map(SeatShape::of).collect();
    if let Some(own) = caller.sees(Role::Manager) {
        seats.retain(|seat| seat.concerns(own));
    }
    Ok(seats)
}

/// Who sits at a phone that is not their own; without the role manager, your own seats and those at your phones.
#[utoipa::path(get, path = "/seats", tag = "seats", operation_id = "seats_list", params(Wanted),
    responses((status = 200, body = Items<SeatShape>)))]
async fn list(
    State(api): State<Api>,
    caller: Caller,
    wanted: Params<Wanted>,
) -> Result<Json<Items<SeatShape>>, Problem> {
    let page = Page::of(wanted)?;
    let seats = seen_by(&api, &caller).await?;
    Ok(Json(page.pick(seats, |seat| &seat.device, SeatShape::words)))
}

/// You are at this phone: a call that rings for you comes to it, else the talk that you have elsewhere does, else you
/// sit there.
#[utoipa::path(post, path = "/seats", tag = "seats", operation_id = "seats_take", request_body = Here,
    responses((status = 200, body = TakenShape)))]
async fn take(
    State(api): State<Api>,
    caller: Caller,
    Body(here): Body<Here>,
) -> Result<Json<TakenShape>, Problem> {
    let Here { device, account, call, code } = here;
    let account = account.unwrap_or_else(|| caller.account().to_owned());
    let call = match call.map(|call| call.parse::<CallName>()) {
        Some(Err(())) => return Err(Problem::nonsense("A call is named as in calls.").at("/call")),
        Some(Ok(call)) => Some(call),
        None => None,
    };
    let shown = code.map(|code| secrets::digest(&code));
    let used = if account == caller.account() { use_code(&api, shown.as_deref(), &device)? } else { None };
    let own = used.is_some() || account == caller.account() && is_at(&api, &caller, &device).await?;
    if !own && caller.role < Role::Manager {
        return Err(Problem::forbidden("This is not your phone; scan its code, or ask a manager."));
    }
    let means = if own { Means::Web } else { Means::Office };
    let (who, at) = (account.as_str().into(), device.as_str().into());
    let command = match call {
        Some(call) => Command::TakeCall { account: who, device: at, call },
        None => Command::Take { account: who, device: at, means },
    };
    let answer = api.ask(command).await;
    let taken = match answer {
        Ok(Answer::Taken(taken)) => TakenShape::of(taken),
        Ok(other) => Err(Problem::of(other, &device)),
        Err(problem) => Err(problem),
    };
    if let (Err(_), Some(code), Some(shown)) = (&taken, used, shown) {
        // It was for nothing, and who stands there may try again.
        api.seat_codes().put_back(shown, code);
    }
    taken.map(Json)
}

/// Takes the code that was shown; an error if it is none of this phone's, or none any more.
fn use_code(api: &Api, shown: Option<&str>, device: &str) -> Result<Option<Code>, Problem> {
    let Some(shown) = shown else { return Ok(None) };
    let used = api.seat_codes().used(api.now(), shown, device);
    used.map(Some).ok_or_else(|| {
        Problem::forbidden(
            "This code is not good any more: it counts once, within a few minutes. Scan it anew.",
        )
    })
}

/// Whether a phone is the caller's, or the caller sits there.
pub(super) async fn is_at(api: &Api, caller: &Caller, device: &str) -> Result<bool, Problem> {
    if caller.row.devices.iter().any(|own| **own == *device) {
        return Ok(true);
    }
    let Answer::Seats(rows) = api.ask(Command::ListSeats).await? else { return Err(Problem::gone()) };
    Ok(rows.iter().any(|row| *row.device == *device && *row.seat.account == *caller.account()))
}

/// Nobody sits at this phone any more; your own seat, or one at your phone, unless you are a manager.
#[utoipa::path(delete, path = "/seats/{device}", tag = "seats", operation_id = "seats_leave",
    params(("device" = String, Path)), responses((status = 204, description = "Nobody sits there.")))]
async fn leave(
    State(api): State<Api>,
    caller: Caller,
    Named(device): Named<String>,
) -> Result<StatusCode, Problem> {
    if !seen_by(&api, &caller).await?.iter().any(|seat| seat.device == device) {
        return Err(Problem::not_found("seat", &device));
    }
    let command = Command::EndSeat { device: device.as_str().into(), who: caller.account().into() };
    match api.ask(command).await? {
        Answer::Taken(_) => Ok(StatusCode::NO_CONTENT),
        other => Err(Problem::of(other, &device)),
    }
}
