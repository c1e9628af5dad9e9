//! Who asks, and whether they may: looked at for each request by itself (sec_11).

use super::handed_on::{self, HandedOn};
use super::operations::{self, Operation, Scope, Who};
use super::problem::{Blame, Problem};
use super::{Api, input, secrets, taps};
use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use exchange::{AccountRow, Answer, Command, Role};
use std::net::{IpAddr, SocketAddr};

/// The cookie of a session.
pub(crate) const COOKIE: &str = "ringdown_session";
/// The header that a page's own requests carry when they change something.
pub(crate) const CSRF: &str = "x-ringdown-csrf";
/// What a token begins with.
pub(crate) const TOKEN: &str = "rd_";

/// The other end of a request's connection. Whoever accepts the connection may set it; else it is what axum's
/// [`ConnectInfo`] says, without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// Whether it came by TLS.
    pub secure: bool,
}

/// What proves who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A session's cookie.
    Session(String),
    /// A token, with what it may do.
    Token(String, Vec<String>),
}

/// Who asks, and what they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The account, as it is now.
    pub(crate) row: AccountRow,
    /// What they may now: an administrator who is not on this machine may what a manager may, unless the configuration
    /// says otherwise.
    pub(crate) role: Role,
    /// How they proved it.
    pub(crate) proof: Proof,
}

impl Caller {
    /// The account's name.
    pub(crate) fn account(&self) -> &str {
        &self.row.name
    }

    /// The session, if it is one.
    pub(crate) fn session(&self) -> Option<&str> {
        match &self.proof {
            Proof::Session(id) => Some(id),
            Proof::Token(..) => None,
        }
    }

    /// Whether this is a token, which may less than the person who made it.
    pub(crate) fn is_program(&self) -> bool {
        matches!(self.proof, Proof::Token(..))
    }

    /// # Errors
    /// 403 when something belongs to another account and the role does not reach to it.
    pub(crate) fn must_own(&self, account: &str, or: Role) -> Result<(), Problem> {
        if self.role >= or || self.account() == account {
            return Ok(());
        }
        Err(Problem::forbidden(format!("This is not yours; it takes the role {}.", or.name())))
    }

    /// Whose things this caller sees: all, or only their own.
    pub(crate) fn sees(&self, all_from: Role) -> Option<&str> {
        (self.role < all_from).then(|| self.account())
    }

    /// Whether this caller may know of what gives access to an account: its owner may, and administrators.
    pub(crate) fn may_know(&self, account: &str) -> bool {
        self.sees(Role::Administrator).is_none_or(|own| own == account)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Problem> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(|| Problem::unknown_caller(SIGN_IN))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Peer, Problem> {
        peer(&parts.extensions).ok_or_else(Problem::gone)
    }
}

const SIGN_IN: &str = "Sign in, or send a token: Authorization: Bearer rd_…";

fn peer(extensions: &axum::http::Extensions) -> Option<Peer> {
    let told = extensions.get::<Peer>().copied();
    let connected = || {
        let ConnectInfo(address) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        Some(Peer { address: address.ip(), secure: false })
    };
    let peer = told.or_else(connected)?;
    // sec_18: one form for each address.
    Some(Peer { address: peer.address.to_canonical(), ..peer })
}

/// Before each operation: finds it in the table, finds out who asks, and refuses what is not theirs.
pub(crate) async fn authorise(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    match admit(&api, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(response) => response,
    }
}

async fn admit(api: &Api, request: &mut Request) -> Result<(), Response> {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let path = path.as_deref().and_then(|path| path.strip_prefix(super::PREFIX)).unwrap_or_default();
    let operation = operations::find(request.method().as_str(), path).map_err(|has| wrong_method(&has))?;
    request.extensions_mut().insert(operation);
    if let Some(handed) = request.extensions().get::<HandedOn>().cloned() {
        let caller = handed_on::caller(api, handed).await.map_err(Problem::into_response)?;
        may(operation, &caller).map_err(Problem::into_response)?;
        request.extensions_mut().insert(caller);
        return Ok(());
    }
    let peer = peer(request.extensions()).ok_or_else(|| Problem::gone().into_response())?;
    let own_machine = is_own_machine(peer, request.headers());
    let headers = request.headers().clone();
    if operation.who == Who::Reader && taps::reader_key(&headers).is_some() {
        // The exchange knows the keys of its readers, and counts those that are none.
        return Ok(());
    }
    let known = identify(api, &headers, own_machine).await;
    if operation.who == Who::Anybody {
        // A cookie that opens nothing any more does not keep anybody from signing in.
        if let Ok(caller) = known {
            request.extensions_mut().insert(caller);
        }
        return Ok(());
    }
    if operation.who == Who::Reader {
        let problem =
            known.map_or_else(|_| taps::no_key(), |_| Problem::forbidden("This takes the key of a reader."));
        return Err(problem.into_response());
    }
    let caller = known.map_err(Problem::into_response)?;
    check(operation, &caller, request).map_err(Problem::into_response)?;
    request.extensions_mut().insert(caller);
    Ok(())
}

fn wrong_method(has: &[&str]) -> Response {
    let list = has.join(", ");
    let problem =
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", format!("Only {list} can be asked for here."));
    let mut response = problem.into_response();
    if let Ok(value) = HeaderValue::from_str(&list) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

fn check(operation: &Operation, caller: &Caller, request: &Request) -> Result<(), Problem> {
    may(operation, caller)?;
    if let Proof::Session(_) = &caller.proof
        && !matches!(*request.method(), Method::GET | Method::HEAD)
    {
        check_csrf(request.headers())?;
    }
    Ok(())
}

/// Whether the role, and what a token is for, are enough.
fn may(operation: &Operation, caller: &Caller) -> Result<(), Problem> {
    if let Proof::Token(_, scopes) = &caller.proof {
        check_scope(operation.scope, scopes)?;
    }
    if let Who::Role(role) = operation.who
        && caller.role < role
    {
        if caller.row.settings.role >= role {
            return Err(Problem::forbidden(
                "This answers only on the exchange's own machine. To reach it from elsewhere, set administrators = \
                 \"anywhere\" below [http] in the configuration.",
            )
            .blame(Blame::Operator));
        }
        return Err(Problem::forbidden(format!("This takes the role {}.", role.name())));
    }
    Ok(())
}

fn check_scope(scope: Option<Scope>, has: &[String]) -> Result<(), Problem> {
    match scope {
        None => Err(Problem::forbidden("No token may do this; sign in with a password.")),
        Some(scope) if has.iter().any(|one| one == scope.name()) => Ok(()),
        Some(scope) => Err(Problem::forbidden(format!("The token lacks the scope {}.", scope.name()))),
    }
}

/// A page of another site can make a browser send our cookie, but cannot read this value.
fn check_csrf(headers: &HeaderMap) -> Result<(), Problem> {
    let cookie = cookie(headers).unwrap_or_default();
    let sent = headers.get(CSRF).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if secrets::same(sent, &csrf(cookie)) {
        return Ok(());
    }
    Err(Problem::forbidden("Send the header X-Ringdown-CSRF with what GET /api/v1/session says in csrf."))
}

/// Follows from the cookie, which only we and the browser know.
pub(crate) fn csrf(cookie: &str) -> String {
    secrets::fingerprint(&[b"csrf", cookie.as_bytes()])
}

/// The session cookie's value.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// Who asks with these headers; `own_machine` if the request comes from the machine of the exchange.
pub(crate) async fn identify(api: &Api, headers: &HeaderMap, own_machine: bool) -> Result<Caller, Problem> {
    let unknown = || Problem::unknown_caller(SIGN_IN);
    let now = api.now();
    // A request with a token is a program's, whatever cookies it brings.
    let (account, proof, credential, note) = if let Some(text) = input::text(headers, header::AUTHORIZATION) {
        let secret = bearer(text).ok_or_else(unknown)?;
        let found = api.access().token_of(now, &secrets::digest(secret));
        let (id, token, note) = found.ok_or_else(unknown)?;
        (token.account, Proof::Token(id, token.scopes), None, note)
    } else {
        let cookie = cookie(headers).ok_or_else(unknown)?;
        let found = api.access().session_of(now, &secrets::digest(cookie));
        let (id, session, note) = found.ok_or_else(unknown)?;
        (session.account, Proof::Session(id), Some(session.credential), note)
    };
    api.keep_later(note.into_iter().collect());
    let row = match api.ask(Command::Account(account.as_str().into())).await? {
        Answer::Account(Some(row)) => *row,
        Answer::Account(None) => return Err(unknown()),
        other => return Err(Problem::of(other, "")),
    };
    if credential.is_some_and(|credential| credential != fingerprint(&row)) {
        // The password was changed since, by whatever way.
        return Err(unknown());
    }
    let may = row.settings.role;
    let reaches = own_machine || api.administrators_anywhere();
    let role = if reaches { may } else { may.min(Role::Manager) };
    Ok(Caller { row, role, proof })
}

/// What a session is bound to: another password ends it.
pub(crate) fn fingerprint(row: &AccountRow) -> String {
    secrets::fingerprint(&[row.settings.password.as_deref().unwrap_or_default().as_bytes()])
}

/// RFC 6750 2.1; the scheme's case does not matter.
fn bearer(text: &str) -> Option<&str> {
    let (scheme, secret) = text.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && secret.starts_with(TOKEN)).then(|| secret.trim())
}

/// Whether a request comes from this machine, and by no proxy: behind one, everybody would.
pub(crate) fn is_own_machine(peer: Peer, headers: &HeaderMap) -> bool {
    let forwarded =
        ["forwarded", "x-forwarded-for", "x-real-ip"].iter().any(|name| headers.contains_key(*name));
    peer.address.is_loopback() && !forwarded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_11_a_proxy_does_not_make_strangers_local() {
        let peer =
            |text: &str| Peer { address: text.parse::<IpAddr>().unwrap().to_canonical(), secure: false };
        let mut headers = HeaderMap::new();
        assert!(is_own_machine(peer("127.0.0.1"), &headers));
        assert!(is_own_machine(peer("::ffff:127.0.0.1"), &headers));
        assert!(!is_own_machine(peer("192.0.2.1"), &headers));
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
        assert!(!is_own_machine(peer("127.0.0.1"), &headers));
    }

    #[test]
    fn tokens_and_cookies_are_found_and_nothing_else() {
        assert_eq!(bearer("Bearer rd_abc"), Some("rd_abc"));
        assert_eq!(bearer("bearer rd_abc"), Some("rd_abc"));
        assert_eq!(bearer("Basic rd_abc"), None);
        assert_eq!(bearer("Bearer abc"), None);
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("other=1; ringdown_session=abc"));
        assert_eq!(cookie(&headers), Some("abc"));
        headers.insert(header::COOKIE, HeaderValue::from_static("xringdown_session=abc"));
        assert_eq!(cookie(&headers), None);
    }
}
