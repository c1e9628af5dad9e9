//! The console's files, embedded by `build.rs`: `/assets/…` for ever, because they are named by their content; `/phone.js`
//! for pages of others; every path that is nothing else gives the one page.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};

/// Path, bytes, and an entity tag of the bytes; sorted by path.
type File = (&'static str, &'static [u8], &'static str);

static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

const PAGE: &str = "/index.html";
const PLUG_IN: &str = "/phone.js";

/// Only our own files, our own API and our own socket; nobody puts us into a frame (sec_16).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      media-src 'self' blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
/// What a telephone needs of the machine, and nothing else.
const PERMISSIONS: &str = "microphone=(self), camera=(), geolocation=(), payment=(), usb=()";

/// Answers every path that no other route takes.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = uri.path();
    let wanted = if is_file(path) { path } else { PAGE };
    // What is beside a file compressed is no page of its own.
    let Some(plain) = find(wanted).filter(|_| !wanted.ends_with(".gz")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    answer(wanted, plain, &headers)
}

/// A page of the console has no dot in its last part.
fn is_file(path: &str) -> bool {
    path.starts_with("/assets/") || path.rsplit('/').next().is_some_and(|last| last.contains('.'))
}

fn find(path: &str) -> Option<&'static File> {
    FILES.binary_search_by(|(name, ..)| (*name).cmp(path)).ok().map(|index| &FILES[index])
}

fn answer(path: &str, plain: &'static File, asked: &HeaderMap) -> Response {
    let (_, bytes, tag) = *plain;
    let compressed = find(&format!("{path}.gz")).filter(|_| takes_gzip(asked));
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let keep = if path == PAGE {
        "no-store"
    } else if path.starts_with("/assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let fresh = known && path != PAGE;
    let status = if fresh { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let body = if fresh { &[] } else { compressed.map_or(bytes, |(_, bytes, _)| *bytes) };
    let mut response = Response::new(Body::from(Bytes::from_static(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let mut put = |name, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    put(header::CONTENT_TYPE, kind(path));
    put(header::CACHE_CONTROL, keep);
    put(header::ETAG, tag);
    put(header::VARY, "Accept-Encoding");
    put(header::CONTENT_SECURITY_POLICY, POLICY);
    put(header::REFERRER_POLICY, "no-referrer");
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if compressed.is_some() && !fresh {
        put(header::CONTENT_ENCODING, "gzip");
    }
    if path == PAGE {
        put(header::HeaderName::from_static("permissions-policy"), PERMISSIONS);
        put(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    }
    if path == PLUG_IN {
        // The pages of others that may use the telephone load it; which ones may is decided where it signs in.
        put(header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
        put(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    }
    response
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let value =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        parts.next() == Some("gzip")
            && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json" | "webmanifest") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &'static str, asked: &[(header::HeaderName, &'static str)]) -> (Response, usize) {
        let asked =
            asked.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        let response = serve(Method::GET, Uri::from_static(path), asked).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 4_000_000).await.unwrap();
        (Response::from_parts(parts, Body::empty()), bytes.len())
    }

    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(FILES.is_sorted_by(|(one, ..), (other, ..)| one < other));
    }

    #[tokio::test]
    async fn sec_16_every_page_is_the_one_page_with_a_strict_policy() {
        for path in ["/", "/phone", "/people", "/a/b"] {
            let (response, length) = get(path, &[]).await;
            assert_eq!(response.status(), 200, "{path}");
            assert!(length > 200, "{path}");
            assert!(header(&response, "content-type").starts_with("text/html"));
            assert_eq!(header(&response, "cache-control"), "no-store");
            let policy = header(&response, "content-security-policy");
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
            assert!(!policy.contains("unsafe") && !policy.contains('*'));
        }
    }

    #[tokio::test]
    async fn assets_are_kept_for_ever_and_missing_ones_are_not_the_page() {
        let (name, bytes, tag) =
            FILES.iter().find(|(name, ..)| name.starts_with("/assets/") && name.ends_with(".js")).unwrap();
        let (response, length) = get(name, &[]).await;
        assert_eq!((response.status().as_u16(), length), (200, bytes.len()));
        assert!(header(&response, "cache-control").contains("immutable"));
        assert!(header(&response, "content-type").starts_with("text/javascript"));
        let (response, length) = get(name, &[(header::ACCEPT_ENCODING, "br, gzip")]).await;
        assert_eq!(header(&response, "content-encoding"), "gzip");
        assert!(length < bytes.len());
        let (response, _) = get(name, &[(header::ACCEPT_ENCODING, "gzip;q=0")]).await;
        assert_eq!(header(&response, "content-encoding"), "");
        let (response, length) = get(name, &[(header::IF_NONE_MATCH, tag)]).await;
        assert_eq!((response.status().as_u16(), length), (304, 0));
        for path in ["/assets/none", "/assets/../index.html", "/none.js", "/index.html.gz"] {
            assert_eq!(get(path, &[]).await.0.status(), 404, "{path}");
        }
    }

    #[tokio::test]
    async fn the_plug_in_may_be_loaded_by_pages_of_others_and_nothing_is_written() {
        let (response, _) = get(PLUG_IN, &[]).await;
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "access-control-allow-origin"), "*");
        assert_eq!(header(&response, "cache-control"), "no-cache");
        let response = serve(Method::POST, Uri::from_static("/"), HeaderMap::new()).await;
        assert_eq!(response.status(), 405);
    }
}
