//! `seats`: who sits at which phone, and the button "take the call here".

use super::caller::Caller;
use super::calls::EndShape;
use super::input::{Body, Named, Params};
use super::openapi::EVERYBODY;
use super::operations::{Operation, Scope, Who};
use super::page::{Items, Page, Wanted};
use super::problem::Problem;
use super::{Api, time};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use exchange::{Answer, Command, Means, Role, SeatRow, Taken};
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
    /// The phone; one of your own, unless you are a manager.
    device: String,
    /// Who is there; you, if it is left out. Takes a manager.
    account: Option<String>,
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
    let own = caller.row.devices.iter().any(|device| **device == *here.device);
    let account = here.account.unwrap_or_else(|| caller.account().to_owned());
    let office = !own || account != caller.account();
    if office && caller.role < Role::Manager {
        return Err(Problem::forbidden("This is not your phone; it takes the role manager."));
    }
    let means = if office { Means::Office } else { Means::Web };
    let device = here.device;
    let command = Command::Take { account: account.into(), device: device.as_str().into(), means };
    match api.ask(command).await? {
        Answer::Taken(taken) => TakenShape::of(taken).map(Json),
        other => Err(Problem::of(other, &device)),
    }
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
