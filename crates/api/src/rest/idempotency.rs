//! `Idempotency-Key`: whoever asks again with the same key and body gets the same answer, for 24 hours.
//!
//! What was answered is kept as a document, so that it survives a restart. Answers that say "not now" are not kept.

use super::caller::{Caller, Proof};
use super::operations::Operation;
use super::problem::Problem;
use super::{Api, input, secrets};
use crate::backend::Document;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Milliseconds that an answer is kept.
const KEPT: i64 = 24 * 3_600 * 1_000;
/// Answers in all; the oldest give way.
const ALL: usize = 10_000;
/// Octets of all answers; the oldest give way.
const OCTETS: usize = 16 * 1024 * 1024;
/// Octets of one answer; a longer one is not kept, and its request runs again.
const LONGEST: usize = 512 * 1024;
/// Characters of a key.
const KEY: usize = 200;
/// How long a body may take to arrive (sec_25).
const PATIENCE: Duration = Duration::from_secs(15);

const NAME: HeaderName = HeaderName::from_static("idempotency-key");
const KIND: &str = "answer";

/// An answer as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    /// Of the request that it answers.
    request: String,
    status: u16,
    /// Those that the API sets.
    headers: Vec<(String, String)>,
    body: String,
    at: i64,
}

#[derive(Clone, Debug)]
enum Known {
    /// The first request with this key is not done yet.
    Running(String),
    Done(Answer),
}

/// All answers that may be asked for again.
#[derive(Debug, Default)]
pub(super) struct Answers {
    known: BTreeMap<String, Known>,
    octets: usize,
}

/// What to do with a request.
#[derive(Debug)]
enum First {
    Run,
    Again(Answer),
    Refuse(Problem),
}

impl Answers {
    /// What was kept and is not over by `now`.
    pub(super) fn load(documents: &[Document], now: i64) -> Answers {
        let mut answers = Answers::default();
        for document in documents.iter().filter(|document| document.kind == KIND) {
            let text = document.text.as_deref().unwrap_or_default();
            if let Ok(answer) = serde_json::from_str::<Answer>(text)
                && answer.at + KEPT > now
            {
                answers.put(document.id.clone(), answer);
            }
        }
        answers
    }

    fn begin(&mut self, now: i64, key: &str, request: &str) -> First {
        match self.known.get(key) {
            Some(Known::Running(running)) if running == request => First::Refuse(
                Problem::conflict("The first request with this Idempotency-Key is not done yet; ask again.")
                    .retry_after(1),
            ),
            Some(Known::Done(answer)) if answer.at + KEPT > now && answer.request == request => {
                First::Again(answer.clone())
            }
            Some(Known::Done(answer)) if answer.at + KEPT <= now => {
                self.drop_one(key);
                self.known.insert(key.into(), Known::Running(request.into()));
                First::Run
            }
            Some(_) => First::Refuse(Problem::nonsense(
                "This Idempotency-Key was used for another request; take a new one for each.",
            )),
            None => {
                self.known.insert(key.into(), Known::Running(request.into()));
                First::Run
            }
        }
    }

    /// Takes an answer. Returns the documents to keep: it, and the ends of those that are over or give way.
    fn end(&mut self, now: i64, key: &str, answer: Option<Answer>) -> Vec<Document> {
        self.known.remove(key);
        let Some(answer) = answer else { return Vec::new() };
        let text = serde_json::to_string(&answer).unwrap_or_default();
        let mut documents = vec![Document { kind: KIND.into(), id: key.into(), text: Some(text) }];
        self.put(key.into(), answer);
        let mut by_age: Vec<(i64, String)> = self
            .known
            .iter()
            .filter_map(|(key, known)| match known {
                Known::Done(answer) => Some((answer.at, key.clone())),
                Known::Running(_) => None,
            })
            .collect();
        by_age.sort();
        for (at, old) in by_age {
            if at + KEPT > now && self.known.len() <= ALL && self.octets <= OCTETS {
                break;
            }
            self.drop_one(&old);
            documents.push(Document { kind: KIND.into(), id: old, text: None });
        }
        documents
    }

    fn put(&mut self, key: String, answer: Answer) {
        self.octets += answer.body.len();
        self.known.insert(key, Known::Done(answer));
    }

    fn drop_one(&mut self, key: &str) {
        if let Some(Known::Done(answer)) = self.known.remove(key) {
            self.octets -= answer.body.len();
        }
    }
}

/// Runs a request, or gives the answer of the one before with the same key.
pub(super) async fn once(State(api): State<Api>, request: Request, next: Next) -> Response {
    let key = match key_of(&request) {
        Ok(None) => return next.run(request).await,
        Ok(Some(key)) => key,
        Err(problem) => return problem.into_response(),
    };
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(PATIENCE, to_bytes(body, input::BODY)).await;
    let Ok(Ok(body)) = read else {
        let detail = format!("The body has more than {} octets, or came too slowly.", input::BODY);
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail).into_response();
    };
    let path = parts.uri.path().to_owned();
    let of_request = secrets::fingerprint(&[parts.method.as_str().as_bytes(), path.as_bytes(), &body]);
    let first = api.answers().begin(api.now(), &key, &of_request);
    match first {
        First::Refuse(problem) => return problem.into_response(),
        First::Again(answer) => return again(&answer),
        First::Run => {}
    }
    // Whoever asked may be gone before the answer: what was begun is done, and its answer kept, all the same.
    let run = async move {
        let response = next.run(Request::from_parts(parts, Body::from(body))).await;
        finish(&api, &key, of_request, response).await
    };
    match tokio::spawn(run).await {
        Ok(response) => response,
        Err(_) => Problem::gone().into_response(),
    }
}

/// The key, bound to who asks; `None` when there is none, or the operation takes none.
fn key_of(request: &Request) -> Result<Option<String>, Problem> {
    let creates = request.extensions().get::<&'static Operation>().is_some_and(|operation| operation.creates);
    let (true, Some(value)) = (creates, request.headers().get(NAME)) else { return Ok(None) };
    let Some(caller) = request.extensions().get::<Caller>() else { return Ok(None) };
    let wrong = || Problem::malformed(format!("Idempotency-Key has 1 to {KEY} visible ASCII characters."));
    let key = value.to_str().ok().filter(|key| (1..=KEY).contains(&key.len())).ok_or_else(wrong)?;
    let who = match &caller.proof {
        Proof::Session(_) => "",
        Proof::Token(id, _) => id,
    };
    let parts = [caller.account().as_bytes(), who.as_bytes(), key.as_bytes()];
    Ok(Some(secrets::fingerprint(&parts)))
}

async fn finish(api: &Api, key: &str, request: String, response: Response) -> Response {
    let status = response.status();
    // What may turn out otherwise when it is tried again is no answer.
    let passing = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::UNAUTHORIZED | StatusCode::REQUEST_TIMEOUT
        );
    let (parts, body) = response.into_parts();
    let body = match to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(_) => {
            api.answers().end(api.now(), key, None);
            return Problem::gone().into_response();
        }
    };
    let text = std::str::from_utf8(&body).ok().filter(|text| !passing && text.len() <= LONGEST);
    let kept = [header::CONTENT_TYPE, header::ETAG, header::LOCATION];
    let answer = text.map(|text| Answer {
        request,
        status: status.as_u16(),
        headers: kept
            .iter()
            .filter_map(|name| {
                Some((name.to_string(), input::text(&parts.headers, name.clone())?.to_owned()))
            })
            .collect(),
        body: text.to_owned(),
        at: api.now(),
    });
    let documents = api.answers().end(api.now(), key, answer);
    if api.keep(documents).await.is_err() {
        tracing::warn!("an answer was not kept; who asks again after a restart is not known");
    }
    Response::from_parts(parts, Body::from(body))
}

fn again(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body.clone()).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request: &str, at: i64) -> Answer {
        Answer { request: request.into(), status: 201, headers: Vec::new(), body: "{}".into(), at }
    }

    #[test]
    fn r20_the_same_request_gets_the_same_answer_also_after_a_restart_and_another_is_refused() {
        let mut answers = Answers::default();
        assert!(matches!(answers.begin(0, "k", "a"), First::Run));
        assert!(matches!(answers.begin(0, "k", "a"), First::Refuse(problem) if problem.status == 409));
        let kept = answers.end(5, "k", Some(answer("a", 5)));
        let mut answers = Answers::load(&kept, 10);
        assert!(matches!(answers.begin(10, "k", "a"), First::Again(found) if found == answer("a", 5)));
        assert!(matches!(answers.begin(10, "k", "b"), First::Refuse(problem) if problem.status == 422));
        assert!(matches!(answers.begin(5 + KEPT, "k", "b"), First::Run), "a day later it is free");
    }

    #[test]
    fn what_failed_may_be_tried_again_and_the_number_is_bounded() {
        let mut answers = Answers::default();
        assert!(matches!(answers.begin(0, "k", "a"), First::Run));
        answers.end(0, "k", None);
        assert!(matches!(answers.begin(0, "k", "a"), First::Run));
        for index in 0..ALL + 10 {
            let key = format!("key{index:06}");
            answers.begin(0, &key, "a");
            answers.end(0, &key, Some(answer("a", i64::try_from(index).unwrap())));
        }
        assert!(answers.known.len() <= ALL + 1);
        assert!(matches!(answers.begin(1, "key000000", "a"), First::Run), "the oldest gave way");
    }
}
