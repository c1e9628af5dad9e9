//! HTTP and HTTPS (RFC 9110): a file comes whole or not, goes on where it broke off, and is not sent again to who has it.

use crate::Fetched;
use crate::limits;
use crate::range::{Body, Partial};
use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName};
use net::{Bytes, HttpClient, Method};
use tokio::time::{sleep, timeout};

/// Before a body that broke off is gone on with.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(500);

/// Asks web servers, with a token where there is one.
pub(crate) struct Web<'a> {
    pub(crate) client: &'a HttpClient,
    pub(crate) token: &'a str,
}

type Headers = Vec<(&'static str, String)>;

impl Web<'_> {
    /// The file, unless it is still the one with this tag.
    pub(crate) async fn fetch(&self, url: &str, tag: Option<&str>) -> Result<Fetched, String> {
        let mut partial = Partial::default();
        let mut last = String::new();
        for attempt in 0..=limits::RESUMES {
            if attempt > 0 {
                sleep(PAUSE).await;
            }
            let mut headers: Headers = vec![("accept-encoding", "identity".to_owned())];
            match (partial.resumed(), tag) {
                (Some((range, tag)), _) => headers.extend([("range", range), ("if-range", tag)]),
                (None, Some(tag)) => headers.push(("if-none-match", tag.to_owned())),
                (None, None) => {}
            }
            let response = self.ask(Method::GET, url, headers, &Bytes::new()).await?;
            match response.status().as_u16() {
                200 => partial = Partial::begin(&told(response.headers()))?,
                206 => partial.go_on(&told(response.headers()))?,
                304 if tag.is_some() => return Ok(Fetched::Same),
                404 | 405 | 410 => return Ok(Fetched::Missing),
                status => return Err(refused(status, self.token)),
            }
            match read(response, &mut partial).await {
                Ok(()) => {
                    let (bytes, tag) = partial.whole()?;
                    return Ok(Fetched::Bytes { bytes, tag });
                }
                Err(why) if partial.resumed().is_none() => return Err(why),
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    pub(crate) async fn put(&self, url: &str, bytes: &[u8]) -> Result<(), String> {
        let body = Bytes::copy_from_slice(bytes);
        let headers = vec![("content-type", "application/octet-stream".to_owned())];
        let response = self.ask(Method::PUT, url, headers, &body).await?;
        match response.status().as_u16() {
            200 | 201 | 204 => Ok(()),
            status => Err(refused(status, self.token)),
        }
    }

    /// Asks, and goes where it is sent on to.
    async fn ask(
        &self,
        method: Method,
        url: &str,
        headers: Headers,
        body: &Bytes,
    ) -> Result<Response<Incoming>, String> {
        let mut at = url.to_owned();
        for _ in 0..=limits::REDIRECTS {
            let mut headers = headers.clone();
            // A token is for whom the link names, and for nobody on the way to read.
            if !self.token.is_empty() && at.starts_with("https:") && origin(&at) == origin(url) {
                headers.push(("authorization", format!("Bearer {}", self.token)));
            }
            let answer = self.client.begin(method.clone(), &at, &headers, body.clone());
            // A body of ours may take its time on a slow line.
            let patience = if body.is_empty() { limits::ANSWER } else { limits::SENT };
            let response = timeout(patience, answer).await;
            let response = response.map_err(|_| format!("no answer within {} s", patience.as_secs()))??;
            let goes_on = match response.status().as_u16() {
                307 | 308 => true,
                // RFC 9110 15.4: these may turn a PUT into something else.
                301..=303 => method == Method::GET,
                _ => false,
            };
            if !goes_on {
                return Ok(response);
            }
            let to = text(response.headers(), header::LOCATION).ok_or("it sends us on, but not where to")?;
            at = redirected(&at, &to)?;
        }
        Err(format!("it sends us on more than {} times", limits::REDIRECTS))
    }
}

/// What a status means that is none of success.
fn refused(status: u16, token: &str) -> String {
    match (status, token.is_empty()) {
        (401 | 403, true) => format!("it lets nobody in without a token (HTTP {status})"),
        (401 | 403, false) => {
            format!("it does not take the token, which goes by https alone (HTTP {status})")
        }
        _ => format!("it answers HTTP {status}"),
    }
}

/// `https://host:port`, as it stands.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?']).map_or(url.len(), |at| host + at);
    &url[..end]
}

/// Where a redirect leads: to https, or to another path of the same server.
fn redirected(from: &str, to: &str) -> Result<String, String> {
    let to = to.split('#').next().unwrap_or_default();
    let path = from.split('?').next().unwrap_or(from);
    let at = if to.contains("://") && !to.starts_with(['/', '?']) {
        to.to_owned()
    } else if let Some(host) = to.strip_prefix("//") {
        format!("https://{host}")
    } else if to.starts_with('/') {
        format!("{}{to}", origin(from))
    } else if to.starts_with('?') {
        format!("{path}{to}")
    } else {
        let folder = path[origin(from).len()..].rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{}{folder}/{to}", origin(from))
    };
    if at.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
        || origin(&at) == origin(from)
    {
        return Ok(at);
    }
    Err("it sends us on to something other than https".to_owned())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.trim().to_owned())
}

fn told(headers: &HeaderMap) -> Body {
    let coded = text(headers, header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    let chunked = text(headers, header::TRANSFER_ENCODING).is_some();
    Body {
        length: text(headers, header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        tag: text(headers, header::ETAG),
        range: text(headers, header::CONTENT_RANGE),
        coded,
        chunked,
    }
}

async fn read(response: Response<Incoming>, partial: &mut Partial) -> Result<(), String> {
    let mut body = response.into_body();
    loop {
        let broke =
            |partial: &Partial, why: &str| Err(format!("it broke off after {} octets: {why}", partial.len()));
        match timeout(limits::ANSWER, body.frame()).await {
            Err(_) => return broke(partial, "nothing came any more"),
            Ok(None) => return Ok(()),
            Ok(Some(Err(error))) => return broke(partial, &error.to_string()),
            Ok(Some(Ok(frame))) => partial.take(frame.data_ref().map_or(&[], |data| data))?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_14_a_redirect_leads_to_https_or_stays_where_it_is() {
        for (from, to, at) in [
            ("http://h/a/b.csv?x", "/c.csv", "http://h/c.csv"),
            ("http://h/a/b.csv", "c.csv", "http://h/a/c.csv"),
            ("http://h/a/b.csv?x=/y", "?z", "http://h/a/b.csv?z"),
            ("http://h", "c.csv", "http://h/c.csv"),
            ("http://h/a", "https://other/c#d", "https://other/c"),
            ("https://h/a", "//other/c", "https://other/c"),
            ("http://h:80/a", "http://h:80/b", "http://h:80/b"),
        ] {
            assert_eq!(redirected(from, to).as_deref(), Ok(at), "{from} {to}");
        }
        for (from, to) in [
            ("https://h/a", "http://h/a"),
            ("https://h/a", "http://127.0.0.1/"),
            ("http://h/a", "http://other/a"),
            ("http://h/a", "http://h:81/a"),
            ("https://h/a", "ftp://h/a"),
            ("https://h/a", "file:///etc/passwd"),
        ] {
            assert!(redirected(from, to).is_err(), "{from} {to}");
        }
    }
}
