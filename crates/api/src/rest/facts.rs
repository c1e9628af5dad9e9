//! `facts`: the answer to "why?" — what was decided by itself, and by which rule.

use super::caller::Caller;
use super::input::Named;
use super::operations::{Operation, Scope, Who};
use super::problem::Problem;
use super::records::seen_by;
use super::{Api, time};
use crate::backend::RecordsWanted;
use axum::Json;
use axum::extract::State;
use exchange::Role;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] =
    &[Operation::new("GET", "/facts/{kind}/{subject}", Who::Own(Role::Manager), Scope::RecordsRead)];

/// Octets of a name.
const SUBJECT_MOST: usize = 256;
/// Digits of a Session-ID that name a call.
const SESSION_LEAST: usize = 6;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read))
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Fact {
    /// When.
    #[schema(format = DateTime)]
    time: String,
    /// The rule that decided.
    rule: String,
    /// The decision in words.
    words: String,
}

/// Decisions, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Facts {
    items: Vec<Fact>,
}

/// What was decided about a call, a trunk, a source, a device, a badge, a reader, a background call or an agent; a call
/// by six or more first digits of its Session-ID. Without the role manager: about your own calls that are over, your own
/// background calls, and you as an agent.
#[utoipa::path(get, path = "/facts/{kind}/{subject}", tag = "records", operation_id = "facts_read",
    params(("kind" = String, Path, description = "`call`, `trunk`, `source`, `device`, `badge`, `reader`, `task` or `agent`"),
        ("subject" = String, Path, description = "Its name")),
    responses((status = 200, body = Facts)))]
async fn read(
    State(api): State<Api>,
    caller: Caller,
    Named((kind, subject)): Named<(String, String)>,
) -> Result<Json<Facts>, Problem> {
    let known = ["call", "trunk", "source", "device", "badge", "reader", "task", "agent"];
    if !known.contains(&kind.as_str()) || subject.len() > SUBJECT_MOST {
        return Err(Problem::not_found("kind of fact", &kind));
    }
    if caller.sees(Role::Manager).is_some() {
        match kind.as_str() {
            // How somebody came to stand as they do is theirs to know.
            "agent" if subject == caller.account() => {}
            "task" => drop(super::tasks::one(&api, &caller, &subject).await?),
            _ => own_call(&api, &caller, &kind, &subject).await?,
        }
    }
    let facts = api.door().facts(&kind, &subject).await.map_err(|why| Problem::unavailable(&why))?;
    let items = facts.into_iter().map(|(at, rule, words)| Fact { time: time(at), rule, words });
    Ok(Json(Facts { items: items.collect() }))
}

async fn own_call(api: &Api, caller: &Caller, kind: &str, subject: &str) -> Result<(), Problem> {
    let foreign = || Problem::forbidden("This is not yours; it takes the role manager.");
    if kind != "call" || subject.len() < SESSION_LEAST {
        return Err(foreign());
    }
    let wanted = RecordsWanted { session: subject.into(), most: 1, ..seen_by(caller) };
    let own = api.door().records_page(wanted).await.map_err(|why| Problem::unavailable(&why))?;
    // All of the Session-ID has to be known: by a part of it, calls of others could be meant.
    if own.iter().any(|row| row.session_id == subject) { Ok(()) } else { Err(foreign()) }
}
