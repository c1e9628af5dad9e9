//! `session`: who is signed in, signing in and out.

use super::access::Session;
use super::caller::{self, COOKIE, Caller, Peer};
use super::input::{self, Body, Params};
use super::openapi::EVERYBODY;
use super::operations::{Operation, Who};
use super::problem::Problem;
use super::{Api, access, secrets, time};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use exchange::{AccountRow, Answer, Command, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::of_people("GET", "/session", EVERYBODY),
    Operation::of_people("POST", "/session", Who::Anybody),
    Operation::of_people("DELETE", "/session", EVERYBODY),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read, sign_in, sign_out))
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SessionShape {
    /// The account.
    account: String,
    /// What others see.
    display: String,
    /// What this session may do: `agent`, `manager` or `administrator`. An administrator who is not on the exchange's
    /// own machine may what a manager may, unless the configuration says otherwise.
    role: String,
    /// The language of the person: `en` or `zh`.
    language: String,
    /// The account's numbers.
    numbers: Vec<String>,
    /// What requests that change something send as X-Ringdown-CSRF.
    csrf: String,
    /// When the session ends if nobody uses it.
    #[schema(format = DateTime)]
    expires: String,
    /// The session was opened by a one-time link: a password may be set without the old one.
    set_password: bool,
}

/// A name and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The account's name.
    #[schema(max_length = 64)]
    name: String,
    /// Its password.
    #[schema(max_length = 256, format = Password)]
    password: String,
}

fn shape(row: &AccountRow, role: Role, session: &Session, csrf: String) -> SessionShape {
    SessionShape {
        account: row.name.to_string(),
        display: row.display.to_string(),
        role: role.name().into(),
        language: row.settings.language.tag().into(),
        numbers: row.numbers.iter().map(ToString::to_string).collect(),
        csrf,
        expires: time(session.expires()),
        set_password: session.by_link,
    }
}

/// Who is signed in.
#[utoipa::path(get, path = "/session", tag = "session", operation_id = "session_read",
    responses((status = 200, body = SessionShape)))]
async fn read(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Json<SessionShape>, Problem> {
    let gone = || Problem::unknown_caller("The session is over; sign in again.");
    let id = caller.session().ok_or_else(gone)?;
    let session = api.access().session(api.now(), id).cloned().ok_or_else(gone)?;
    let csrf = caller::csrf(caller::cookie(&headers).unwrap_or_default());
    Ok(Json(shape(&caller.row, caller.role, &session, csrf)))
}

/// Signs in: sets the cookie of a new session.
#[utoipa::path(post, path = "/session", tag = "session", operation_id = "session_open", request_body = SignIn,
    responses((status = 201, body = SessionShape),
        (status = 401, description = "The name or the password is wrong.", body = Problem,
            content_type = "application/problem+json"),
        (status = 403, description = "A page of another site asks.", body = Problem,
            content_type = "application/problem+json"),
        (status = 429, description = "Too many wrong passwords; Retry-After says when.", body = Problem,
            content_type = "application/problem+json")))]
async fn sign_in(
    State(api): State<Api>,
    peer: Peer,
    headers: HeaderMap,
    Body(SignIn { name, password }): Body<SignIn>,
) -> Result<Response, Problem> {
    same_site(&headers)?;
    let wrong = || Problem::unknown_caller("The name or the password is wrong.");
    let row = match api.ask(Command::Account(name.as_str().into())).await? {
        Answer::Account(row) => row,
        other => return Err(Problem::of(other, "")),
    };
    let hash = row.as_ref().and_then(|row| row.settings.password.as_deref());
    if !try_secret(&api, peer, &name, hash, password).await? {
        return Err(wrong());
    }
    let row = row.ok_or_else(wrong)?;
    let opened = open(&api, &row, Entering { peer, headers: &headers, by_link: false }, None).await?;
    let role = if api.administrators_anywhere() || caller::is_own_machine(peer, &headers) {
        row.settings.role
    } else {
        row.settings.role.min(Role::Manager)
    };
    let shape = shape(&row, role, &opened.session, caller::csrf(&opened.cookie));
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, opened.set_cookie)], Json(shape)).into_response())
}

/// Whether a password is somebody's, with the limits on guessing: the same answer in the same time for a name that
/// nobody has.
async fn try_secret(
    api: &Api,
    peer: Peer,
    name: &str,
    hash: Option<&str>,
    password: String,
) -> Result<bool, Problem> {
    // Asked only when it is one's turn, so that many at once gain nothing.
    let turn = api.passwords().turn().await?;
    let (source, name): (_, Box<str>) = (peer.address, name.into());
    match api.ask(Command::MayTry { source, name: name.clone() }).await? {
        Answer::Wait(wait) if wait.is_zero() => {}
        Answer::Wait(wait) => return Err(too_many(wait)),
        other => return Err(Problem::of(other, "")),
    }
    let fits = api.passwords().fits(&turn, password, hash.map(str::to_owned)).await?;
    if !fits {
        let _ = api.ask(Command::WrongSecret { source, name }).await?;
    }
    Ok(fits)
}

/// Whether this is an account's password.
pub(super) async fn is_right(
    api: &Api,
    peer: Peer,
    row: &AccountRow,
    password: String,
) -> Result<bool, Problem> {
    try_secret(api, peer, &row.name, row.settings.password.as_deref(), password).await
}

fn too_many(wait: std::time::Duration) -> Problem {
    let seconds = wait.as_secs() + 1;
    let detail = format!("Too many wrong passwords. Try again in {seconds} seconds.");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many", detail).retry_after(seconds)
}

/// A page of another site may not sign anybody in.
fn same_site(headers: &HeaderMap) -> Result<(), Problem> {
    let foreign = || Problem::forbidden("Only a page of the exchange itself can sign in.");
    if let Some(site) = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok())
        && !matches!(site, "same-origin" | "none")
    {
        return Err(foreign());
    }
    let Some(origin) = input::text(headers, header::ORIGIN) else { return Ok(()) };
    let host = input::text(headers, header::HOST).unwrap_or_default();
    let of_origin = origin.split_once("://").map_or(origin, |(_, host)| host);
    if of_origin.eq_ignore_ascii_case(host) { Ok(()) } else { Err(foreign()) }
}

/// What ends with a session.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Leaving {
    /// An app of the account in which the next who signs in there is not to hear of its calls.
    wearable: Option<String>,
}

/// Signs out.
#[utoipa::path(delete, path = "/session", tag = "session", operation_id = "session_close", params(Leaving),
    responses((status = 204, description = "The session is over.")))]
async fn sign_out(
    State(api): State<Api>,
    peer: Peer,
    caller: Caller,
    Params(leaving): Params<Leaving>,
) -> Result<Response, Problem> {
    if let Some(wearable) = leaving.wearable {
        // One that is gone already, or another's, is left as it is: the session ends all the same.
        api.silence(&caller, wearable).await?;
    }
    let id = caller.session().unwrap_or_default();
    api.keep(vec![access::Access::end_of(id)]).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, set_cookie("", peer, 0)?)]).into_response())
}

/// How somebody comes in.
pub(super) struct Entering<'a> {
    pub(super) peer: Peer,
    pub(super) headers: &'a HeaderMap,
    pub(super) by_link: bool,
}

/// A session that was opened.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) cookie: String,
    pub(super) set_cookie: HeaderValue,
}

/// Opens a session; the link by which somebody enters is used up in the same step.
pub(super) async fn open(
    api: &Api,
    row: &AccountRow,
    entering: Entering<'_>,
    used: Option<super::Document>,
) -> Result<Opened, Problem> {
    let Entering { peer, headers, by_link } = entering;
    let (cookie, id) = (api.random(), secrets::fingerprint(&[api.random().as_bytes()]));
    let set_cookie = set_cookie(&cookie, peer, access::SESSION_LIVES / 1_000)?;
    let now = api.now();
    let opening = access::Opening {
        account: &row.name,
        credential: caller::fingerprint(row),
        by_link,
        address: peer.address.to_string(),
        agent: input::text(headers, header::USER_AGENT).unwrap_or_default(),
    };
    let opened = api.access().opened(now, &id, secrets::digest(&cookie), opening);
    let documents = opened.ok_or_else(|| Problem::unavailable("too many people are signed in"))?;
    let kept = match used {
        Some(link) => api.spend(link, documents).await,
        None => api.keep(documents).await,
    };
    if let Err(problem) = kept {
        api.access().forget(&[access::Access::end_of(&id)]);
        return Err(problem);
    }
    let session = api.access().session(now, &id).cloned().ok_or_else(Problem::gone)?;
    Ok(Opened { session, cookie, set_cookie })
}

fn set_cookie(value: &str, peer: Peer, seconds: i64) -> Result<HeaderValue, Problem> {
    let secure = if peer.secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&text).map_err(|_| Problem::gone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_11_a_page_of_another_site_cannot_sign_in() {
        let mut headers = HeaderMap::new();
        assert!(same_site(&headers).is_ok(), "a program");
        headers.insert(header::HOST, HeaderValue::from_static("office.example:8080"));
        headers.insert(header::ORIGIN, HeaderValue::from_static("http://office.example:8080"));
        assert!(same_site(&headers).is_ok());
        headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
        assert!(same_site(&headers).is_err());
        headers.remove("sec-fetch-site");
        headers.insert(header::ORIGIN, HeaderValue::from_static("http://evil.example"));
        assert!(same_site(&headers).is_err());
        headers.insert(header::ORIGIN, HeaderValue::from_static("null"));
        assert!(same_site(&headers).is_err());
    }
}
