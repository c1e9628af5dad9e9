//! `/call-lists/AGENT/`: where phones fetch the rows of their agent, and bring results. A token of the agent opens it, and
//! nothing else does; strangers are told no more than that.
//!
//! ```text
//! GET calls.jsonl                             the agent's rows, with ETag
//! GET results/AGENT-calls-ID.left.jsonl       what is left of the file that the phone names ID, if another phone began it
//! PUT results/AGENT-calls-ID-TIME.results.*   results, each attempt once
//! PUT results/AGENT-calls-ID.left.jsonl       the phone says what is left
//! ```

use super::super::Api;
use super::super::problem::{Problem, sentence};
use super::{ListAnswer, ListAsking, ask};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use exchange::TokenHash;
use exchange::lists::{AgentFile, FILES, FileRequest, RESULTS, Results};
use lists::Headers;
use sha2::{Digest as _, Sha256};

/// Octets of results.
const OCTETS: usize = 64 * 1024 * 1024;
/// Octets of the name of a file.
const NAME: usize = 300;

pub(in super::super) fn routes() -> Router<Api> {
    Router::new()
        .route(&format!("{FILES}/{{agent}}/calls.jsonl"), get(file))
        .route(&format!("{FILES}/{{agent}}/results/{{file}}"), get(left).put(bring))
}

fn request(agent: &str, headers: &HeaderMap) -> Result<FileRequest, Problem> {
    let text = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, token) = text.split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(stranger());
    }
    Ok(FileRequest { agent: agent.into(), token: TokenHash::of(token.trim()), by_phone: true })
}

fn stranger() -> Problem {
    Problem::unknown_caller("This takes the token of the agent's link.")
}

/// What a stranger is told: the same whatever was wrong.
async fn asked(api: &Api, asking: ListAsking) -> Result<ListAnswer, Problem> {
    ask(api, asking, "").await.map_err(|problem| match problem.status {
        403 => stranger(),
        _ => problem,
    })
}

/// How a phone names a file: by its octets.
fn name_of(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().take(lists::limits::SHORT).map(|octet| format!("{octet:02x}")).collect()
}

fn written(file: &AgentFile) -> Vec<u8> {
    let (mut out, mut headers) = (Vec::new(), Headers::default());
    for part in &file.parts {
        part.rows.iter().for_each(|row| part.sheet.write(row, &file.agent, &mut headers, &mut out));
    }
    if out.is_empty() {
        // A list of which nothing is left is a list.
        out.extend_from_slice(b"number\n");
    }
    out
}

fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// What a phone has, without its quotation marks.
fn known(headers: &HeaderMap) -> Option<Box<str>> {
    let text = headers.get(header::IF_NONE_MATCH)?.to_str().ok()?;
    Some(text.trim_start_matches("W/").trim_matches('"').into())
}

async fn file(
    State(api): State<Api>,
    Path(agent): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (from, known) = (request(&agent, &headers)?, known(&headers));
    match asked(&api, ListAsking::File { from, known: known.clone() }).await? {
        ListAnswer::Same => Ok(same(known.as_deref().unwrap_or_default())),
        ListAnswer::File(file) => {
            let tag = file.tag();
            let bytes = given(&api, *file).await?;
            if known.as_deref() == Some(&tag) {
                return Ok(same(&tag));
            }
            Ok(sent(bytes, &tag))
        }
        _ => Err(Problem::gone()),
    }
}

async fn left(
    State(api): State<Api>,
    Path((agent, _)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (from, known) = (request(&agent, &headers)?, known(&headers));
    match asked(&api, ListAsking::Left { from, known: known.clone() }).await? {
        ListAnswer::Same => Ok(same(known.as_deref().unwrap_or_default())),
        ListAnswer::Missing => Err(Problem::not_found("file", "left.jsonl")),
        ListAnswer::File(file) => {
            let empty = file.parts.is_empty();
            let tag = file.tag();
            let bytes = given(&api, *file).await?;
            Ok(sent(if empty { Vec::new() } else { bytes }, &tag))
        }
        _ => Err(Problem::gone()),
    }
}

/// Writes a file, and notes how its phone will name it.
async fn given(api: &Api, file: AgentFile) -> Result<Vec<u8>, Problem> {
    let (session, version) = (file.session, file.version);
    let bytes = tokio::task::spawn_blocking(move || written(&file)).await.map_err(|_| Problem::gone())?;
    let name = name_of(&bytes).into();
    asked(api, ListAsking::Given { session, version, name }).await?;
    Ok(bytes)
}

fn sent(bytes: Vec<u8>, tag: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl".to_owned()),
        (header::ETAG, quoted(tag)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, bytes).into_response()
}

fn same(tag: &str) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    if let Ok(value) = HeaderValue::from_str(&quoted(tag)) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// The name of the file that a phone works with, and of its run, in the name of what it brings.
fn named(file: &str) -> Option<(&str, &str)> {
    let stem = file.strip_suffix(".part").unwrap_or(file).split('.').next()?;
    let mut parts = stem.rsplitn(3, '-');
    let (last, before) = (parts.next()?, parts.next()?);
    let is_name = |part: &str| {
        part.len() == 2 * lists::limits::SHORT && part.bytes().all(|octet| octet.is_ascii_hexdigit())
    };
    if is_name(last) { Some((last, "")) } else { is_name(before).then_some((before, last)) }
}

async fn bring(
    State(api): State<Api>,
    Path((agent, file)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let from = request(&agent, &headers)?;
    if file.len() > NAME {
        return Err(Problem::nonsense("The name of the file is too long."));
    }
    // sec_07: a stranger is refused before anything of the body is kept.
    asked(&api, ListAsking::Knows(from.clone())).await?;
    let bytes = to_bytes(body, OCTETS)
        .await
        .map_err(|_| Problem::nonsense("The file did not come whole, or has more than 64 MiB."))?;
    take(&api, from, &file, bytes.to_vec()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What a phone brings, or has left at another server.
async fn take(api: &Api, from: FileRequest, file: &str, bytes: Vec<u8>) -> Result<(), Problem> {
    let (name, run) = named(file).unwrap_or_default();
    if file.ends_with(".left.jsonl") {
        let hash = name_of(&bytes).into();
        asked(api, ListAsking::SaidLeft { from, file: name.into(), hash }).await?;
        return Ok(());
    }
    let read =
        tokio::task::spawn_blocking(move || lists::reported(&bytes)).await.map_err(|_| Problem::gone())?;
    let rows = read.map_err(|why| Problem::nonsense(sentence(&why.to_string())))?;
    // A file without a run in its name is a run of its own, whatever comes into it later.
    let run: Box<str> = if run.is_empty() { file.into() } else { format!("{name}-{run}").into() };
    let mut rest = rows.as_slice();
    loop {
        // The lines of one row stay together.
        let (mut part, mut after) = rest.split_at(rest.len().min(RESULTS));
        if let (Some(last), Some(next)) = (part.last(), after.first())
            && last.task == next.task
            && let Some(cut) = part.iter().rposition(|row| row.task != next.task)
        {
            (part, after) = rest.split_at(cut + 1);
        }
        let results =
            Results { from: from.clone(), file: name.into(), run: run.clone(), rows: part.to_vec() };
        asked(api, ListAsking::Results(Box::new(results))).await?;
        rest = after;
        if rest.is_empty() {
            return Ok(());
        }
    }
}

/// How it stands with an agent's link for another server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutsideLink {
    /// A new one, by this token.
    New(String),
    /// It is the one that is known.
    Same,
    /// A phone of the office works for the agent.
    Elsewhere,
}

/// An agent's file at another server, where phones fetch it that cannot reach us.
impl Api {
    /// The link of that file: a new one, unless `token` still proves one.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn outside_link(&self, agent: &str, token: Option<&str>) -> Result<OutsideLink, Problem> {
        let asking = ListAsking::Outside { agent: agent.into(), mine: token.map(TokenHash::of) };
        match ask(self, asking, agent).await? {
            ListAnswer::Link(assignment) => Ok(OutsideLink::New(assignment.token)),
            ListAnswer::Done => Ok(OutsideLink::Same),
            _ => Ok(OutsideLink::Elsewhere),
        }
    }

    /// The file by such a link and what it is called until it changes; nothing if it is still the one called `known`.
    ///
    /// # Errors
    /// Also that the link opens nothing any more.
    pub async fn outside_file(
        &self,
        agent: &str,
        token: &str,
        known: Option<&str>,
    ) -> Result<Option<(Vec<u8>, String)>, Problem> {
        let from = outside(agent, token);
        match asked(self, ListAsking::File { from, known: known.map(Into::into) }).await? {
            ListAnswer::Same => Ok(None),
            ListAnswer::File(file) => {
                let tag = file.tag();
                Ok(Some((given(self, *file).await?, tag)))
            }
            _ => Err(Problem::gone()),
        }
    }

    /// What the agent's phone has put beside that file: results, or what is left. It has been heard by that.
    ///
    /// # Errors
    /// Why it is not taken.
    pub async fn outside_results(
        &self,
        agent: &str,
        token: &str,
        file: &str,
        bytes: Vec<u8>,
    ) -> Result<(), Problem> {
        take(self, FileRequest { by_phone: true, ..outside(agent, token) }, file, bytes).await
    }
}

fn outside(agent: &str, token: &str) -> FileRequest {
    FileRequest { agent: agent.into(), token: TokenHash::of(token), by_phone: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_phone_brings_says_with_what_it_works() {
        let id = "0123456789abcdef0123456789abcdef";
        let id = &id[..2 * lists::limits::SHORT];
        for (file, wanted) in [
            (format!("ada-calls-{id}.left.jsonl"), Some((id, ""))),
            (format!("ada-calls-{id}-20261129T010203Z.results.jsonl"), Some((id, "20261129T010203Z"))),
            (format!("a-b-calls-{id}-20261129T010203Z.results.csv"), Some((id, "20261129T010203Z"))),
            ("results.csv".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(named(&file), wanted, "{file}");
        }
    }
}
