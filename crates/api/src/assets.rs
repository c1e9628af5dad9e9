//! The files of the console and of the web app, embedded by `build.rs`: `/assets/…` for ever, because they are named by their
//! content; `/phone.js` for pages of others; every path that is nothing else gives the one page.

use axum::body::{Body, Bytes};
use axum::http::{self, HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;

/// Path, bytes, and an entity tag of the bytes; sorted by path.
type File = (&'static str, &'static [u8], &'static str);

static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

const PLUG_IN: &str = "/phone.js";

/// One page with its files.
struct Site {
    /// Where they lie in the table.
    folder: &'static str,
    page: &'static str,
    policy: &'static str,
}

const CONSOLE: Site = Site { folder: "", page: "/index.html", policy: POLICY };
/// What lies in its folder is the console's no more than anybody's.
const WEB_APP: Site = Site { folder: "/app", page: "/app.html", policy: APP_POLICY };

/// Only our own files, our own API and our own socket; nobody puts us into a frame (sec_16).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      media-src 'self' blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
/// The same, and sockets of exchanges: which ones they are is told for each call, by the directory, and pages that were kept
/// know of none that joined since. There is no script but ours that could talk to others by that.
const APP_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                          connect-src 'self' wss:; worker-src 'self'; media-src 'self' blob:; manifest-src 'self'; \
                          base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What a telephone needs of the machine, and nothing else.
const PERMISSIONS: &str = "microphone=(self), camera=(), geolocation=(), payment=(), usb=()";

/// Answers every path that no other route takes.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    CONSOLE.serve(&method, uri.path(), &headers).map(Body::from)
}

/// Answers a request for the page of the web app, or one of its files.
#[must_use]
pub fn web_app(method: &Method, path: &str, headers: &HeaderMap) -> http::Response<Bytes> {
    WEB_APP.serve(method, path, headers)
}

impl Site {
    fn serve(&self, method: &Method, path: &str, headers: &HeaderMap) -> http::Response<Bytes> {
        if method != Method::GET && method != Method::HEAD {
            return plain(StatusCode::METHOD_NOT_ALLOWED);
        }
        let wanted = if is_file(path) { path } else { self.page };
        // What is beside a file compressed is no page of its own; nor is another page's file ours.
        let known = self.find(wanted).filter(|_| !wanted.ends_with(".gz"));
        match known.filter(|_| !self.folder.is_empty() || !wanted.starts_with(WEB_APP.folder)) {
            Some(file) => self.answer(wanted, file, headers),
            None => plain(StatusCode::NOT_FOUND),
        }
    }

    fn find(&self, path: &str) -> Option<&'static File> {
        let name = format!("{}{path}", self.folder);
        FILES.binary_search_by(|(known, ..)| (*known).cmp(&name)).ok().map(|index| &FILES[index])
    }

    fn answer(&self, path: &str, plain: &'static File, asked: &HeaderMap) -> http::Response<Bytes> {
        let (_, bytes, tag) = *plain;
        let compressed = self.find(&format!("{path}.gz")).filter(|_| takes_gzip(asked));
        let known = asked.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
        let keep = if path == self.page {
            "no-store"
        } else if path.starts_with("/assets/") {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let fresh = known && path != self.page;
        let body = if fresh { &[] } else { compressed.map_or(bytes, |(_, bytes, _)| *bytes) };
        let mut response = http::Response::new(Bytes::from_static(body));
        *response.status_mut() = if fresh { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        let headers = response.headers_mut();
        let mut put = |name, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
        put(header::CONTENT_TYPE, kind(path));
        put(header::CACHE_CONTROL, keep);
        put(header::ETAG, tag);
        put(header::VARY, "Accept-Encoding");
        put(header::CONTENT_SECURITY_POLICY, self.policy);
        put(header::REFERRER_POLICY, "no-referrer");
        put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        if compressed.is_some() && !fresh {
            put(header::CONTENT_ENCODING, "gzip");
        }
        if path == self.page {
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
}

fn plain(status: StatusCode) -> http::Response<Bytes> {
    let mut answer = http::Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// A page of the console has no dot in its last part.
fn is_file(path: &str) -> bool {
    path.starts_with("/assets/") || path.rsplit('/').next().is_some_and(|last| last.contains('.'))
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
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("png") => "image/png",
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

    #[test]
    fn s4_8_the_web_app_has_files_of_its_own_under_a_policy_as_strict() {
        let get = |site: &Site, path: &str| site.serve(&Method::GET, path, &HeaderMap::new());
        for path in ["/", "/anything"] {
            let answer = get(&WEB_APP, path);
            assert_eq!(answer.status(), 200, "{path}");
            let policy = answer.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"));
            assert!(!policy.contains("unsafe") && !policy.contains('*'));
            assert!(!answer.body().is_empty());
        }
        for (path, kind) in [
            ("/app.webmanifest", "application/manifest+json"),
            ("/worker.js", "text/javascript; charset=utf-8"),
            ("/icon-512.png", "image/png"),
        ] {
            let answer = get(&WEB_APP, path);
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["content-type"]),
                (200, &kind.parse().unwrap())
            );
            assert_eq!(answer.headers()["cache-control"], "no-cache");
            assert_eq!(get(&CONSOLE, &format!("/app{path}")).status(), 404, "it is none of the console's");
        }
        assert_eq!(get(&WEB_APP, "/phone.js").status(), 404);
        assert_eq!(WEB_APP.serve(&Method::POST, "/", &HeaderMap::new()).status(), 405);
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
