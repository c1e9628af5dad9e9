//! `events`: what changes, as server-sent events and over a WebSocket, for as long as who asks may hear it.

mod hub;
mod item;
mod publisher;
#[cfg(test)]
mod tests;

pub use hub::EventSink;
pub(crate) use hub::{Hub, Reading};
pub(crate) use item::Item;
pub use publisher::{Published, Unpublished};

use super::caller::{Caller, Peer, Proof, fingerprint, is_own_machine};
use super::input::Params;
use super::openapi::EVERYBODY;
use super::operations::{Operation, Scope};
use super::problem::Problem;
use super::{Api, input};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use exchange::{Answer, Command, Role};
use futures_core::Stream;
use hub::NoPlace;
use serde::Deserialize;
use serde_json::json;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// A silent stream says so often that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a reader may take nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// Events that are made and not sent yet, of one reader.
const AHEAD: usize = 4;
/// Octets of what a client sends us over the WebSocket; we listen to nothing.
const FROM_CLIENT: usize = 4_096;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/events", EVERYBODY, Scope::EventsRead),
    Operation::new("GET", "/events/socket", EVERYBODY, Scope::EventsRead),
];

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(stream)).routes(routes!(socket))
}

/// Where to go on.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Resume {
    /// The id of the last event that was heard.
    #[param(max_length = 100)]
    after: Option<String>,
}

/// Events as server-sent events. `Last-Event-ID`, or `after`, goes on after an event.
#[utoipa::path(get, path = "/events", tag = "events", operation_id = "events", params(Resume),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 429, description = "Too many streams.")))]
async fn stream(
    State(api): State<Api>,
    caller: Caller,
    peer: Peer,
    Params(resume): Params<Resume>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let mut reader = Reader::open(&api, caller, peer, &headers, last.or(resume.after.as_deref()))?;
    let (sender, frames): (mpsc::Sender<Bytes>, _) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        loop {
            let frame = tokio::select! {
                frame = reader.next() => frame,
                () = sender.closed() => return,
            };
            let Some(frame) = frame else { return };
            let text = match frame.text {
                Some(text) => format!("id: {}\ndata: {text}\n\n", frame.id),
                // An id alone is remembered, and nothing is told to the page.
                None => format!("id: {}\n\n", frame.id),
            };
            if !matches!(timeout(PATIENCE, sender.send(text.into())).await, Ok(Ok(()))) {
                return;
            }
        }
    });
    let mut response = Response::new(Body::from_stream(Frames(frames)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // A proxy that gathers answers would keep events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Events over a WebSocket, each a text of JSON. `after` goes on after an event.
#[utoipa::path(get, path = "/events/socket", tag = "events", operation_id = "events_socket", params(Resume),
    responses((status = 101, description = "Events follow."), (status = 429, description = "Too many streams.")))]
async fn socket(
    State(api): State<Api>,
    caller: Caller,
    peer: Peer,
    Params(resume): Params<Resume>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    // A page of another site can open a socket with our cookie, where the browser takes it for the same site.
    if caller.session().is_some() && !is_own_page(&headers) {
        return Err(Problem::forbidden("Pages of other origins hear nothing here."));
    }
    let upgrade = upgrade.map_err(|_| {
        Problem::malformed("This is a WebSocket: ask with Upgrade: websocket, or take /api/v1/events.")
    })?;
    let reader = Reader::open(&api, caller, peer, &headers, resume.after.as_deref())?;
    Ok(upgrade.max_message_size(FROM_CLIENT).on_upgrade(|socket| talk(socket, reader)))
}

async fn talk(mut socket: WebSocket, mut reader: Reader) {
    loop {
        let frame = tokio::select! {
            frame = reader.next() => frame,
            heard = socket.recv() => match heard {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
        };
        let message = match frame {
            None => Message::Close(None),
            Some(Frame { text: Some(text), .. }) => Message::Text((&*text).into()),
            Some(Frame { text: None, .. }) => Message::Ping(Bytes::new()),
        };
        let last = matches!(message, Message::Close(_));
        if !matches!(timeout(PATIENCE, socket.send(message)).await, Ok(Ok(()))) || last {
            return;
        }
    }
}

/// Whether the page that asks, if it is a page, is one of ours.
fn is_own_page(headers: &HeaderMap) -> bool {
    let Some(origin) = input::text(headers, header::ORIGIN) else { return true };
    let host = input::text(headers, header::HOST).unwrap_or_default();
    origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host))
}

/// What is sent next: an event, or with no text a sign of life.
struct Frame {
    id: String,
    text: Option<Arc<str>>,
}

/// One who hears events. Whether they may is looked at for each event by itself, when it is sent (sec_11).
struct Reader {
    api: Api,
    caller: Caller,
    own_machine: bool,
    reading: Reading,
    greeted: bool,
    waiting: VecDeque<Arc<Item>>,
}

impl Reader {
    fn open(
        api: &Api,
        caller: Caller,
        peer: Peer,
        headers: &HeaderMap,
        after: Option<&str>,
    ) -> Result<Reader, Problem> {
        let whose = match &caller.proof {
            Proof::Session(id) => format!("session {id}"),
            Proof::Token(id, _) => format!("token {id}"),
        };
        let reading = api.hub().open(&whose, after).map_err(|no| {
            let words = match no {
                NoPlace::Gone => return Problem::gone(),
                NoPlace::Own => "This session or token hears events in too many places; close one.",
                NoPlace::All => "Too many hear events; try again later.",
            };
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many", words).retry_after(30)
        })?;
        let own_machine = is_own_machine(peer, headers);
        Ok(Reader {
            api: api.clone(),
            caller,
            own_machine,
            reading,
            greeted: false,
            waiting: VecDeque::new(),
        })
    }

    /// The next frame, when there is one; `None` when this one may hear no more. May be dropped while it waits.
    async fn next(&mut self) -> Option<Frame> {
        if !self.greeted {
            self.greeted = true;
            return Some(self.say("ready", json!({})));
        }
        if self.reading.is_lost() {
            return Some(self.say("missed", json!({"count": null})));
        }
        loop {
            while let Some(item) = self.waiting.front().cloned() {
                if !self.is_heard(&item).await {
                    return None;
                }
                self.waiting.pop_front();
                if self.hears(&item) {
                    return Some(Frame { id: self.name(&item), text: Some(Arc::clone(&item.text)) });
                }
            }
            let taken = self.reading.take();
            self.waiting.extend(taken.items);
            if taken.missed > 0 {
                let before = self.waiting.front().map(|item| item.number - 1);
                let id = before.map_or_else(|| self.reading.name(), |number| self.reading.name_of(number));
                let text = json!({"id": id, "type": "missed", "data": {"count": taken.missed}}).to_string();
                return Some(Frame { id, text: Some(text.into()) });
            }
            if self.waiting.is_empty() && timeout(HEARTBEAT, self.reading.wait()).await.is_err() {
                return self.is_alive().then(|| Frame { id: self.reading.name(), text: None });
            }
        }
    }

    fn say(&self, kind: &str, data: serde_json::Value) -> Frame {
        let id = self.reading.name();
        let text = json!({"id": id, "type": kind, "data": data}).to_string();
        Frame { id, text: Some(text.into()) }
    }

    fn name(&self, item: &Item) -> String {
        self.reading.name_of(item.number)
    }

    /// Whether the session or token still opens anything.
    fn is_alive(&self) -> bool {
        let access = self.api.access();
        match &self.caller.proof {
            Proof::Session(id) => access.session(self.api.now(), id).is_some(),
            Proof::Token(id, _) => {
                access.token(id).is_some_and(|token| token.expires.is_none_or(|end| end > self.api.now()))
            }
        }
    }

    /// Whether this one may hear events at all; the account is looked at again when it was changed.
    async fn is_heard(&mut self, item: &Item) -> bool {
        if !self.is_alive() {
            return false;
        }
        if item.account.as_deref() != Some(self.caller.account()) {
            return true;
        }
        let account = self.caller.account().into();
        let Ok(Answer::Account(Some(row))) = self.api.ask(Command::Account(account)).await else {
            return false;
        };
        // Another role, or another password: whoever it is now asks anew.
        let same = row.settings.role == self.caller.row.settings.role
            && (self.caller.is_program() || fingerprint(&row) == fingerprint(&self.caller.row));
        self.caller.row = *row;
        same
    }

    fn hears(&self, item: &Item) -> bool {
        let may = self.caller.row.settings.role;
        let reaches = self.own_machine || self.api.administrators_anywhere();
        let role = if reaches { may } else { may.min(Role::Manager) };
        let scopes = match &self.caller.proof {
            Proof::Session(_) => None,
            Proof::Token(_, scopes) => Some(scopes.as_slice()),
        };
        item.is_for(role, self.caller.account(), scopes)
    }
}

/// Frames as a body.
struct Frames(mpsc::Receiver<Bytes>);

impl Stream for Frames {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|frame| frame.map(Ok))
    }
}
