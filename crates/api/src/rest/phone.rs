//! `phone`: the web phone of a session, and the token with which its page proves itself (S0.1).

use super::caller::{Caller, Peer, Proof};
use super::openapi::EVERYBODY;
use super::operations::{Operation, Scope};
use super::problem::Problem;
use super::{Api, time};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use exchange::{Answer, Command, TokenHash, WebPhoneRequest, limits};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) const OPERATIONS: &[Operation] = &[
    // Not "creating": each answer holds another token, and a repeat is a renewal.
    Operation::new("POST", "/phone", EVERYBODY, Scope::Phone),
    Operation::new("DELETE", "/phone", EVERYBODY, Scope::Phone),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(open, close))
}

/// A web phone, and what its page needs to be it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Phone {
    /// The device's name; the same for as long as the session.
    pub(super) device: String,
    /// Who the page is in SIP.
    uri: String,
    /// Where it connects: SIP over WebSocket (RFC 7118).
    socket: String,
    /// What it sends as `Authorization: Bearer` with REGISTER and with each request that begins something (RFC 8898).
    /// Good for this device and for pages of the origin that asked; ask again before it ends.
    #[schema(format = Password)]
    token: String,
    /// When the token ends.
    #[schema(format = DateTime)]
    expires: String,
    /// Whose it is.
    account: String,
    /// What others see.
    display: String,
    /// The account's numbers.
    numbers: Vec<String>,
    /// Calls in vain to one number after which the page suggests that the exchange keeps calling (S2.5); null for never. A page
    /// that does says so with `+ringdown.keep-calling` in its Contact, and nobody else suggests it.
    suggest_after: Option<u8>,
}

/// What tells apart those who have a web phone: sessions, and tokens that stand for them.
pub(super) fn session_of(proof: &Proof) -> String {
    match proof {
        Proof::Session(id) => id.clone(),
        Proof::Token(id, _) => session_of_token(id),
    }
}

/// See [`session_of`].
pub(super) fn session_of_token(id: &str) -> String {
    format!("token/{id}")
}

/// Opens the web phone of this session, or renews its token.
#[utoipa::path(post, path = "/phone", tag = "phone", operation_id = "phone_open",
    responses((status = 201, body = Phone)))]
async fn open(
    State(api): State<Api>,
    caller: Caller,
    peer: Peer,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Phone>), Problem> {
    Ok((StatusCode::CREATED, Json(opened(&api, &caller, peer, &headers).await?)))
}

/// The web phone of this session, with another token.
pub(super) async fn opened(
    api: &Api,
    caller: &Caller,
    peer: Peer,
    headers: &HeaderMap,
) -> Result<Phone, Problem> {
    let host = text(headers, header::HOST).ok_or_else(|| Problem::malformed("Host is missing."))?;
    let origin = text(headers, header::ORIGIN);
    let token = api.random();
    let wanted = WebPhoneRequest {
        session: session_of(&caller.proof).into(),
        account: caller.account().into(),
        origin: origin.map(plain).map(Into::into),
        token: TokenHash::of(&token),
        lives: limits::TOKEN_LIFE,
    };
    let lives = i64::try_from(limits::TOKEN_LIFE.as_millis()).unwrap_or(i64::MAX);
    let expires = time(api.now().saturating_add(lives));
    let (device, suggest_after) = match api.ask(Command::OpenWebPhone(Box::new(wanted))).await? {
        Answer::WebPhone { device, suggest_after } => (device.to_string(), suggest_after),
        other => return Err(Problem::of(other, "")),
    };
    let secure = peer.secure || is_behind_tls(origin, host);
    Ok(Phone {
        uri: format!("sip:{device}@{}", without_port(host)),
        socket: format!("{}://{host}/sip", if secure { "wss" } else { "ws" }),
        device,
        token,
        expires,
        account: caller.account().to_owned(),
        display: caller.row.display.to_string(),
        numbers: caller.row.numbers.iter().map(ToString::to_string).collect(),
        suggest_after,
    })
}

/// Ends the web phone of this session: its calls end, its sockets are closed.
#[utoipa::path(delete, path = "/phone", tag = "phone", operation_id = "phone_close",
    responses((status = 204, description = "There is none any more.")))]
async fn close(State(api): State<Api>, caller: Caller) -> Result<StatusCode, Problem> {
    let session = session_of(&caller.proof);
    api.change(Command::EndSession(Some(session.as_str().into())), "").await?;
    Ok(StatusCode::NO_CONTENT)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// An origin as the socket's door tells it: in lower case, without the port that its scheme means anyway.
fn plain(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    let usual = if origin.starts_with("https:") { ":443" } else { ":80" };
    origin.strip_suffix(usual).unwrap_or(&origin).to_owned()
}

/// Whether something before us ends TLS: the page's own origin is this very host, by HTTPS.
fn is_behind_tls(origin: Option<&str>, host: &str) -> bool {
    let origin = origin.map(plain).unwrap_or_default();
    origin == plain(&format!("https://{host}"))
}

/// `office.example:8443` and `[2001:db8::1]:8443` without the port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_origins() {
        for (host, name) in [
            ("office.example:8443", "office.example"),
            ("office.example", "office.example"),
            ("[2001:db8::1]:8443", "[2001:db8::1]"),
            ("[2001:db8::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(without_port(host), name);
        }
        assert_eq!(plain("HTTPS://Office.Example:443"), "https://office.example");
        assert_eq!(plain("http://office.example:8080"), "http://office.example:8080");
        assert!(is_behind_tls(Some("https://office.example"), "office.example"));
        assert!(!is_behind_tls(Some("http://office.example"), "office.example"));
        assert!(!is_behind_tls(Some("https://portal.example"), "office.example"));
        assert!(!is_behind_tls(None, "office.example"));
    }
}
