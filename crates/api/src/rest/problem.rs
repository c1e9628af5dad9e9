//! Why a request was not answered as wished: `application/problem+json` (RFC 9457).

use super::handed_on::{Crossed, KeptBy};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use exchange::{Answer, Refusal};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU8;
use utoipa::ToSchema;

/// Whose doing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// Who asked: another request will do.
    Caller,
    /// The exchange: the same request will do later.
    Us,
    /// Who runs the exchange: something has to be set or repaired.
    Operator,
}

/// An error as the API tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem, for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// What it is about: a JSON pointer into the body (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub field: Option<String>,
    /// Whose doing it is.
    pub blame: Blame,
    /// Seconds after which the same may be tried again.
    #[serde(skip)]
    retry_after: Option<u64>,
    /// The exchange of the cluster that can do it.
    #[serde(skip)]
    pub(crate) kept_by: Option<NonZeroU8>,
    /// It crossed a change by another exchange.
    #[serde(skip)]
    crossed: bool,
}

impl Problem {
    /// A problem of a status and a kind, as in `not-found`.
    pub(crate) fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Problem {
        Problem {
            kind: format!("urn:ringdown:problem:{kind}"),
            title: status.canonical_reason().unwrap_or("Problem").into(),
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            blame: if status.is_server_error() { Blame::Us } else { Blame::Caller },
            retry_after: None,
            kept_by: None,
            crossed: false,
        }
    }

    /// About a member of the body.
    pub(crate) fn at(mut self, field: impl Into<String>) -> Problem {
        self.field = Some(field.into());
        self
    }

    pub(crate) fn blame(mut self, blame: Blame) -> Problem {
        self.blame = blame;
        self
    }

    /// The same may be tried again after so many seconds.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Problem {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// 400: the request cannot be read.
    pub(crate) fn malformed(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    /// 401: nobody signed in.
    pub(crate) fn unknown_caller(detail: &str) -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, "sign-in", detail)
    }

    /// 403.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404.
    pub(crate) fn not_found(what: &str, name: &str) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not-found", format!("There is no {what} \"{name}\"."))
    }

    /// 409: it does not go together with what is there.
    pub(crate) fn conflict(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// 422: read, but it makes no sense.
    pub(crate) fn nonsense(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "nonsense", detail)
    }

    /// 503: nothing was changed.
    pub(crate) fn unavailable(why: &str) -> Problem {
        let detail = format!("Nothing was changed: {why}. Try again in a moment.");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(1)
    }

    /// 503: the exchange is stopping, or has too much to do.
    pub(crate) fn gone() -> Problem {
        Problem::unavailable("the exchange is stopping or has too much to do")
    }

    /// An answer of the exchange that is no success. `subject` is the name in the path: what is not known under that
    /// name is 404, what the body names is 422.
    pub(crate) fn of(answer: Answer, subject: &str) -> Problem {
        match answer {
            Answer::Refused(refusal) => Problem::refused(&refusal, subject),
            Answer::Unavailable(why) => Problem::unavailable(&why),
            Answer::Crossed(why) => Problem { crossed: true, ..Problem::unavailable(&why) },
            Answer::KeptBy(number, why) => Problem { kept_by: Some(number), ..Problem::unavailable(&why) },
            _ => Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "our-fault",
                "The exchange gave an answer to something else; this is a fault of ours.",
            ),
        }
    }

    fn refused(refusal: &Refusal, subject: &str) -> Problem {
        let detail = sentence(&refusal.to_string());
        match refusal {
            Refusal::Unknown(what, name) if **name == *subject => Problem::not_found(what, name),
            Refusal::Exists(..)
            | Refusal::NumberTaken { .. }
            | Refusal::DeviceTaken { .. }
            | Refusal::Service(_)
            | Refusal::InUse(_)
            | Refusal::Named { .. } => Problem::conflict(detail),
            // How an agent or a phone stands is nothing that a right could change.
            Refusal::Rule { rule, .. } if rule.starts_with("agents.") || rule.starts_with("profiles.") => {
                Problem::conflict(detail)
            }
            Refusal::Rule { .. } => Problem::forbidden(detail),
            Refusal::Unknown(..)
            | Refusal::BadName(..)
            | Refusal::BadNumber(_)
            | Refusal::TooMany(_)
            | Refusal::Nonsense(_)
            | Refusal::WebPhone(_)
            | Refusal::NoSecret(_) => Problem::nonsense(detail),
        }
    }
}

/// With a capital and a full stop.
pub(crate) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let mut text: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    text.push_str(letters.as_str());
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (retry_after, kept_by, crossed) = (self.retry_after, self.kept_by, self.crossed);
        let mut response = (status, Json(self)).into_response();
        if let Some(number) = kept_by {
            response.extensions_mut().insert(KeptBy(number));
        }
        if crossed {
            response.extensions_mut().insert(Crossed);
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"ringdown\""));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_become_statuses_and_sentences() {
        let cases = [
            (Refusal::Unknown("account", "a".into()), "a", 404),
            (Refusal::Unknown("account", "b".into()), "a", 422),
            (Refusal::Exists("account", "a".into()), "a", 409),
            (Refusal::BadNumber("x y".into()), "a", 422),
        ];
        for (refusal, subject, status) in cases {
            let problem = Problem::of(Answer::Refused(refusal.clone()), subject);
            assert_eq!(problem.status, status, "{refusal}");
            assert!(problem.detail.ends_with('.'), "{}", problem.detail);
        }
        assert_eq!(Problem::of(Answer::Unavailable("disk full".into()), "a").status, 503);
    }
}
