//! Pages of listed origins ask the API (S0.2): with a token, and never with a cookie, because no answer allows
//! credentials (Fetch standard, CORS protocol). Pages of other origins get no permission, so their browser keeps the
//! answer from them.

use api::rest::PREFIX;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use net::Origins;

/// What such a page may send beside what every page may.
const SENT: &str = "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id";
/// What it may read beside what every page may.
const READ: &str = "etag, idempotent-replayed, location, retry-after";
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
/// How long a browser need not ask again, in seconds: as long as a reload of the list may go unnoticed.
const BELIEVED: &str = "60";

/// A page of a listed origin that asks the API.
pub(super) struct Foreign {
    origin: HeaderValue,
}

impl Foreign {
    /// Whether a request is from one.
    pub(super) fn of(origins: &Origins, request: &Request) -> Option<Foreign> {
        let path = request.uri().path();
        let is_api = path.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('/'));
        let origin = request.headers().get(header::ORIGIN).filter(|_| is_api)?;
        origins.lists(origin.to_str().ok()?).then(|| Foreign { origin: origin.clone() })
    }

    /// The answer to a browser that asks whether the page may ask.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response<Body>> {
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !asks {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        self.permit(headers);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(BELIEVED));
        Some(response)
    }

    /// Lets the page read an answer.
    pub(super) fn permit(&self, headers: &mut HeaderMap) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, origin: &str) -> Request {
        let builder = Request::builder().method(method).uri(path).header("origin", origin);
        builder.header("access-control-request-method", "POST").body(Body::empty()).unwrap()
    }

    #[test]
    fn s0_2_a_page_of_a_listed_origin_may_ask_the_api_and_nothing_else() {
        let origins = Origins::new(vec!["https://portal.example".into()]);
        let portal = "https://portal.example";
        for (path, origin, admitted) in [
            ("/api/v1/phone", portal, true),
            ("/api/v1/phone", "https://evil.example", false),
            ("/api/v1/phone", "null", false),
            ("/api/v10", portal, false),
            ("/", portal, false),
            ("/enter/x", portal, false),
        ] {
            let asked = request("OPTIONS", path, origin);
            let answer = Foreign::of(&origins, &asked).and_then(|page| page.preflight(&asked));
            assert_eq!(answer.is_some(), admitted, "{path} {origin}");
            let Some(answer) = answer else { continue };
            assert_eq!(answer.headers()["access-control-allow-origin"], portal);
            assert!(
                !answer.headers().contains_key("access-control-allow-credentials"),
                "never with a cookie"
            );
        }
        let asked = request("POST", "/api/v1/phone", portal);
        assert!(
            Foreign::of(&origins, &asked).unwrap().preflight(&asked).is_none(),
            "that is the request itself"
        );
    }
}
