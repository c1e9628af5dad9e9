//! `/enter/TOKEN`: a one-time link opens a session and leads to the console.

use super::caller::Peer;
use super::problem::Problem;
use super::session::{self, Entering};
use super::{Api, secrets};
use crate::texts::{Language, escape};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::get;
use exchange::{Answer, Command};

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/enter/{link}", get(enter))
}

/// The link is used up; the address bar keeps no secret.
async fn enter(
    State(api): State<Api>,
    peer: Peer,
    method: Method,
    Path(link): Path<String>,
    headers: HeaderMap,
) -> Response {
    let language = Language::asked_by(&headers);
    // A browser that loads pages before anybody wants them, or a HEAD, opens nothing.
    if method != Method::GET || headers.get("sec-purpose").is_some() {
        return page(language, StatusCode::BAD_REQUEST, "link.used");
    }
    match redeem(&api, peer, &link, &headers).await {
        Ok(cookie) => {
            let mut response = Redirect::to("/").into_response();
            let headers = response.headers_mut();
            headers.insert(header::SET_COOKIE, cookie);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            response
        }
        Err(problem) if problem.status == StatusCode::SERVICE_UNAVAILABLE.as_u16() => {
            page(language, StatusCode::SERVICE_UNAVAILABLE, "busy")
        }
        Err(_) => page(language, StatusCode::FORBIDDEN, "link.used"),
    }
}

/// One step takes the link; a store that is away gives it back.
async fn redeem(api: &Api, peer: Peer, link: &str, headers: &HeaderMap) -> Result<HeaderValue, Problem> {
    let used = || Problem::forbidden("The link was used before, or its time is over.");
    let secret = secrets::digest(link);
    let taken = api.access().take_link(api.now(), &secret);
    let (taken, gone) = taken.ok_or_else(used)?;
    let opened = async {
        let row = match api.ask(Command::Account(taken.account.as_str().into())).await? {
            Answer::Account(Some(row)) => row,
            _ => return Err(used()),
        };
        let entering = Entering { peer, headers, by_link: true };
        session::open(api, &row, entering, Some(gone)).await
    };
    match opened.await {
        Ok(opened) => Ok(opened.set_cookie),
        Err(problem) => {
            api.access().put_back(secret, taken);
            Err(problem)
        }
    }
}

/// A page that says why not; nothing is loaded, nothing runs, nothing of the request is repeated (sec_16).
fn page(language: Language, status: StatusCode, key: &'static str) -> Response {
    let body = format!(
        "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title><body style=\"color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;margin:2rem auto;\
         max-width:40rem;padding:0 1rem\"><p>{}</p>",
        language.tag(),
        escape(language.text("title")),
        escape(language.text(key)),
    );
    let mut response = (status, Html(body)).into_response();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
