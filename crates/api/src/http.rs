//! HTTP: whether we live, whether we are ready, and the page behind the administrator's one-time link.

use crate::backend::Backend;
use crate::texts::{Language, escape};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use exchange::{AccountRow, Answer, Command, Status};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// The cookie of an administrator's visit.
const COOKIE: &str = "ringdown_admin";

/// The one-time link and the visit that it opened.
#[derive(Clone)]
pub struct Administrator {
    shared: Arc<Mutex<Tokens>>,
}

struct Tokens {
    /// Not used yet.
    link: Option<String>,
    /// What the cookie of the visit must be.
    visit: String,
}

impl Administrator {
    /// `link` and `visit` are secrets that nobody can guess.
    #[must_use]
    pub fn new(link: String, visit: String) -> Administrator {
        Administrator { shared: Arc::new(Mutex::new(Tokens { link: Some(link), visit })) }
    }

    /// The cookie's value, once.
    fn redeem(&self, link: &str) -> Option<String> {
        let mut tokens = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let right = tokens.link.as_deref().is_some_and(|known| same(known, link));
        if !right {
            return None;
        }
        tokens.link = None;
        Some(tokens.visit.clone())
    }

    fn visits(&self, headers: &HeaderMap) -> bool {
        let tokens = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let cookies = headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        cookies
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(name, value)| name == COOKIE && same(value, &tokens.visit))
    }
}

/// In a time that does not tell where two secrets differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// All pages.
pub fn router<B: Backend>(backend: B, administrator: Administrator) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready::<B>))
        .route("/admin/{link}", get(enter::<B>))
        .route("/admin", get(page::<B>))
        .with_state((backend, administrator))
}

type Shared<B> = State<(B, Administrator)>;

async fn ready<B: Backend>(State((backend, _)): Shared<B>) -> (StatusCode, &'static str) {
    match backend.command(Command::Status).await {
        Ok(Answer::Status(status)) if status.draining => {
            (StatusCode::SERVICE_UNAVAILABLE, "draining: no new calls, because the exchange stops\n")
        }
        Ok(Answer::Status(status)) if status.store_ready => (StatusCode::OK, "ready\n"),
        Ok(Answer::Status(_)) => (StatusCode::SERVICE_UNAVAILABLE, "nothing can be stored\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the exchange does not answer\n"),
    }
}

/// The link opens one visit and is used up; the address bar keeps no secret.
async fn enter<B: Backend>(
    State((_, administrator)): Shared<B>,
    Path(link): Path<String>,
    headers: HeaderMap,
) -> Response {
    let language = language(&headers);
    match administrator.redeem(&link) {
        Some(visit) => {
            let cookie = format!("{COOKIE}={visit}; Path=/admin; HttpOnly; SameSite=Strict");
            let mut response = Redirect::to("/admin").into_response();
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, value);
            }
            response
        }
        None => refuse(language, StatusCode::FORBIDDEN, "link.used"),
    }
}

async fn page<B: Backend>(State((backend, administrator)): Shared<B>, headers: HeaderMap) -> Response {
    let language = language(&headers);
    if !administrator.visits(&headers) {
        return refuse(language, StatusCode::FORBIDDEN, "link.used");
    }
    let status = backend.command(Command::Status).await;
    let accounts = backend.command(Command::ListAccounts).await;
    match (status, accounts) {
        (Ok(Answer::Status(status)), Ok(Answer::Accounts(accounts))) => {
            secured(Html(overview(language, &status, &accounts)).into_response())
        }
        _ => refuse(language, StatusCode::SERVICE_UNAVAILABLE, "busy"),
    }
}

fn language(headers: &HeaderMap) -> Language {
    Language::of(headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
}

fn refuse(language: Language, status: StatusCode, key: &'static str) -> Response {
    let body = format!("<p class=\"notice\">{}</p>", escape(language.text(key)));
    secured((status, Html(frame(language, &body))).into_response())
}

/// Nothing is loaded from elsewhere, nothing runs, nothing is framed.
fn secured(mut response: Response) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn overview(language: Language, status: &Status, accounts: &[AccountRow]) -> String {
    let text = |key| escape(language.text(key));
    let mut body = format!("<h1>{}</h1>", text("admin.heading"));
    if !status.store_ready {
        let _ = write!(body, "<p class=\"notice\">{}</p>", text("admin.store_down"));
    }
    let _ = write!(
        body,
        "<dl><dt>{}</dt><dd>{}</dd><dt>{}</dt><dd>{}</dd><dt>{}</dt><dd>{} / {}</dd></dl><p>{}</p><h2>{}</h2>",
        text("admin.calls"),
        status.calls,
        text("admin.registered"),
        status.registered,
        text("admin.ports"),
        status.ports_free,
        status.ports_total,
        text("admin.echo"),
        text("admin.accounts"),
    );
    if accounts.is_empty() {
        let _ = write!(body, "<p>{}</p>", text("admin.none"));
        return frame(language, &body);
    }
    let _ = write!(
        body,
        "<table><thead><tr><th scope=\"col\">{}</th><th scope=\"col\">{}</th><th scope=\"col\">{}</th></tr></thead><tbody>",
        text("admin.name"),
        text("admin.numbers"),
        text("admin.devices"),
    );
    for account in accounts.iter().take(1_000) {
        let _ = write!(
            body,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&account.display),
            escape(&account.numbers.join(", ")),
            escape(&account.devices.join(", ")),
        );
    }
    body.push_str("</tbody></table>");
    frame(language, &body)
}

fn frame(language: Language, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>",
        language.tag(),
        escape(language.text("title")),
    )
}

const STYLE: &str = ":root{color-scheme:light dark;font:16px/1.5 system-ui,\"Noto Sans CJK SC\",sans-serif}\
body{margin:0;padding:2rem 1rem}main{max-width:46rem;margin:auto}h1{font-size:1.5rem}h2{font-size:1.1rem}\
dl{display:grid;grid-template-columns:max-content auto;gap:.3rem 1.5rem}dt{opacity:.7}dd{margin:0;font-variant-numeric:tabular-nums}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #8884}\
.notice{padding:.8rem 1rem;border-left:4px solid #c60;background:#c601}";
