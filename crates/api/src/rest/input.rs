//! Reading requests: bodies, parameters and preconditions, each error a problem.

use super::problem::Problem;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use std::time::Duration;

/// Octets of a body at most.
pub(crate) const BODY: usize = 2 * 1024 * 1024;
/// How long a body may take to arrive (sec_25).
const PATIENCE: Duration = Duration::from_secs(15);

/// A body in JSON.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Problem> {
        // A merge patch (RFC 7396) may come under its own name.
        let read = tokio::time::timeout(PATIENCE, Json::<T>::from_request(request, state)).await;
        match read {
            Ok(Ok(Json(value))) => Ok(Body(value)),
            Ok(Err(rejection)) => Err(body_problem(&rejection)),
            Err(_) => Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "slow",
                format!("The body did not arrive within {} seconds.", PATIENCE.as_secs()),
            )),
        }
    }
}

fn body_problem(rejection: &JsonRejection) -> Problem {
    match rejection {
        JsonRejection::MissingJsonContentType(_) => Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "Send the body as JSON: Content-Type: application/json.",
        ),
        JsonRejection::JsonDataError(error) => {
            // What serde says begins with our own words, and ends with where it is.
            Problem::nonsense(format!(
                "The body is JSON, but not what this operation takes: {}",
                error.body_text()
            ))
        }
        JsonRejection::JsonSyntaxError(error) => {
            Problem::malformed(format!("The body is no JSON: {}", error.body_text()))
        }
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!("The body has more than {BODY} octets; send less at a time."),
        ),
        other => Problem::malformed(format!("The body cannot be read: {}", other.body_text())),
    }
}

/// The parameters after the question mark.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Params<T>, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Params(value)),
            Err(QueryRejection::FailedToDeserializeQueryString(error)) => {
                Err(Problem::malformed(format!("A parameter cannot be read: {}", error.body_text())))
            }
            Err(error) => {
                Err(Problem::malformed(format!("A parameter cannot be read: {}", error.body_text())))
            }
        }
    }
}

/// What the path names.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Named<T>, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Named(value)),
            Err(_) => Err(Problem::malformed("The path names nothing that can be read.")),
        }
    }
}

/// What `If-Match` says (RFC 9110 13.1.1).
pub(crate) struct IfMatch(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<IfMatch, Problem> {
        Ok(IfMatch(text(&parts.headers, header::IF_MATCH).map(str::to_owned)))
    }
}

impl IfMatch {
    /// # Errors
    /// 428 without the header, 412 when it names another form than the one that is there.
    pub(crate) fn check(&self, tag: &str) -> Result<(), Problem> {
        let Some(wanted) = &self.0 else {
            return Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "if-match",
                "Say which form you change: send If-Match with the ETag that you read.",
            ));
        };
        let fits = |one: &str| one == "*" || one.trim_matches('"') == tag;
        if wanted.split(',').map(str::trim).any(fits) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "changed",
            "It was changed since you read it; read it again, and change that.",
        ))
    }
}

/// What a resource is called in this form: it changes with anything that is shown of it, but for what lives by itself.
pub(crate) fn tag(form: &impl Serialize) -> String {
    let text = serde_json::to_vec(form).unwrap_or_default();
    super::secrets::fingerprint(&[&text])
}

/// A resource with its `ETag`.
pub(crate) struct Tagged<T>(pub(crate) String, pub(crate) T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.1).into_response();
        if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", self.0)) {
            response.headers_mut().insert(header::ETAG, value);
        }
        response
    }
}

/// A resource that was made: where it is, and its `ETag`.
pub(crate) struct Written<T> {
    pub(crate) location: String,
    pub(crate) tag: String,
    pub(crate) form: T,
}

impl<T: Serialize> IntoResponse for Written<T> {
    fn into_response(self) -> Response {
        let mut response = Tagged(self.tag, self.form).into_response();
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(value) = HeaderValue::from_str(&self.location) {
            response.headers_mut().insert(header::LOCATION, value);
        }
        response
    }
}

/// A resource that was put: made, or in the place of another.
pub(crate) struct Put<T> {
    made: bool,
    written: Written<T>,
}

impl<T> Put<T> {
    pub(crate) fn of(resource: &str, name: &str, made: bool, tag: String, form: T) -> Put<T> {
        let location = format!("{}/{resource}/{}", super::PREFIX, in_path(name));
        Put { made, written: Written { location, tag, form } }
    }
}

impl<T: Serialize> IntoResponse for Put<T> {
    fn into_response(self) -> Response {
        if self.made {
            return self.written.into_response();
        }
        Tagged(self.written.tag, self.written.form).into_response()
    }
}

/// What was found, or nothing if that is what the answer says.
pub(crate) fn known<T>(found: Result<T, Problem>) -> Result<Option<T>, Problem> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(problem) if problem.status == StatusCode::NOT_FOUND.as_u16() => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Reads a member that may be left out, null or a value: of a merge patch (RFC 7396).
pub(crate) fn patched<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A name as one step of a path (RFC 3986 3.3).
pub(crate) fn in_path(name: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~+@*".contains(&octet);
    name.bytes()
        .map(|octet| if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") })
        .collect()
}

/// A header as text.
pub(crate) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_need_the_form_that_was_read() {
        let status = |header: Option<&str>| {
            IfMatch(header.map(str::to_owned)).check("abc").map_err(|problem| problem.status)
        };
        assert_eq!(status(None), Err(428));
        assert_eq!(status(Some("\"abd\"")), Err(412));
        assert_eq!(status(Some("\"x\", \"abc\"")), Ok(()));
        assert_eq!(status(Some("*")), Ok(()));
    }
}
