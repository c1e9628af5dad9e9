//! The API below `/api/v1`, as `docs/api.md` describes it.
//!
//! A resource has a file: its part of the [table](operations) of who may what, its routes, its shapes. Handlers get an
//! [`Api`], the [`Caller`](caller::Caller) that was let in, and what [`input`] read; they answer with JSON or a
//! [`Problem`]. `openapi` puts the description together from the same routes and the same table.

mod access;
mod agents;
mod badges;
mod caller;
mod calls;
mod csv;
mod devices;
mod door;
mod enter;
pub(crate) mod events;
mod exchanges;
mod facts;
mod filter;
mod groups;
mod handed_on;
mod idempotency;
mod import;
mod input;
mod kept;
pub(crate) mod lists;
mod metrics;
pub(crate) mod notice;
mod numbers;
mod office;
mod openapi;
mod operations;
mod outside_routes;
mod page;
mod people;
mod phone;
mod problem;
mod profiles;
mod queues;
mod records;
mod refusal;
mod seat_codes;
mod seats;
mod secrets;
mod session;
mod sessions;
mod taps;
mod tasks;
#[cfg(test)]
mod testing;
mod tokens;
mod trunks;
mod wearables;
mod webhook;
mod webhooks;

pub(crate) use badges::CardShape;
pub use caller::Peer;
pub use events::{EventSink, Published, Unpublished};
pub(crate) use handed_on::CROSSED;
pub use handed_on::{Answered, Asked, RequestAsked};
pub use openapi::description;
pub use problem::{Blame, Problem};
pub(crate) use secrets::{check as check_password, hash, hex};
pub(crate) use wearables::WearableShape;

use crate::backend::{Backend, Document};
use access::Access;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware;
use axum::response::Response;
use door::Door;
use events::Hub;
use exchange::{Answer, Command};
use idempotency::Answers;
use notice::Notices;
use seat_codes::Codes;
use secrets::Passwords;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use utoipa_axum::router::OpenApiRouter;
use webhook::Webhooks;

/// Where the API is.
pub const PREFIX: &str = "/api/v1";
/// Ends of sessions that a slow listener may be behind.
const ENDS: usize = 1_024;
/// How often it is looked whose time is over: what is open for a session closes within a second of its end.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A session ended: whoever holds something open for it closes that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEnded {
    /// The session's name; `token/ID` for a token, which may have a web phone, too.
    pub session: String,
    /// Whose it was.
    pub account: String,
}

/// The API's state, one for all connections.
#[derive(Clone)]
pub struct Api {
    inner: Arc<Inner>,
}

struct Inner {
    door: Arc<dyn Door>,
    access: Mutex<Access>,
    answers: Mutex<Answers>,
    passwords: Passwords,
    seat_codes: Mutex<Codes>,
    /// Held while something is read, compared with what the caller saw, and changed.
    editing: tokio::sync::Mutex<()>,
    ended: broadcast::Sender<SessionEnded>,
    hub: Arc<Hub>,
    webhooks: Webhooks,
    notices: Notices,
    administrators_anywhere: Arc<AtomicBool>,
}

impl Api {
    /// The API of an exchange, with the documents that were kept. `administrators_anywhere`: whether what takes an
    /// administrator answers beyond this machine.
    pub fn new<B: Backend>(
        backend: B,
        documents: &[Document],
        administrators_anywhere: Arc<AtomicBool>,
    ) -> Api {
        let inner = Inner {
            door: Arc::new(backend),
            access: Mutex::new(Access::load(documents, now())),
            answers: Mutex::new(Answers::load(documents, now())),
            passwords: Passwords::default(),
            seat_codes: Mutex::default(),
            editing: tokio::sync::Mutex::new(()),
            ended: broadcast::Sender::new(ENDS),
            hub: Arc::new(Hub::new(format!("{:x}", now()))),
            webhooks: Webhooks::load(documents),
            notices: Notices::load(documents),
            administrators_anywhere,
        };
        Api { inner: Arc::new(inner) }
    }

    /// Where the exchange tells what changes.
    #[must_use]
    pub fn events(&self) -> EventSink {
        self.inner.hub.sink()
    }

    /// Carries events to all who hear them; `listen` tells the exchange whether anybody does, `spread` tells an event to exchanges
    /// with the same office whose users hear events, or with `None` that they missed some. Both say whether they could.
    pub async fn carry_events(
        self,
        listen: impl Fn(bool) -> bool + Send + Sync + 'static,
        spread: impl Fn(Option<String>) -> bool + Send + Sync + 'static,
    ) {
        let hub = Arc::clone(&self.inner.hub);
        hub.carry(self, Box::new(listen), Box::new(spread)).await;
    }

    /// Another exchange with the same office spread an event; with `None`, it is not known what happened there.
    pub fn heard_event(&self, event: Option<&str>) {
        self.inner.hub.heard(event);
    }

    fn hub(&self) -> &Arc<Hub> {
        &self.inner.hub
    }

    fn webhooks(&self) -> &Webhooks {
        &self.inner.webhooks
    }

    fn notices(&self) -> &Notices {
        &self.inner.notices
    }

    /// Hears of each session that ends.
    #[must_use]
    pub fn ended(&self) -> broadcast::Receiver<SessionEnded> {
        self.inner.ended.subscribe()
    }

    /// Ends sessions and tokens when their time is over, for as long as the exchange runs.
    pub async fn end_by_time(self) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            look.tick().await;
            let over = self.access().end_by_time(self.now());
            self.tell_ended(over.ended);
            self.keep_later(over.documents);
        }
    }

    /// A one-time link for an account that exists: the path to open below the exchange's address.
    ///
    /// # Errors
    /// In words, when it cannot be kept.
    pub async fn link(&self, account: &str) -> Result<String, String> {
        self.make_link(account).await.map(|made| made.link).map_err(|problem| problem.detail)
    }

    fn administrators_anywhere(&self) -> bool {
        self.inner.administrators_anywhere.load(Ordering::Relaxed)
    }

    fn door(&self) -> &dyn Door {
        &*self.inner.door
    }

    fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    /// Never held across an await.
    fn access(&self) -> MutexGuard<'_, Access> {
        self.inner.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never held across an await.
    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.inner.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never held across an await.
    fn seat_codes(&self) -> MutexGuard<'_, Codes> {
        self.inner.seat_codes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since 1970 UTC.
    fn now(&self) -> i64 {
        now()
    }

    async fn ask(&self, command: Command) -> Result<Answer, Problem> {
        self.door().command(command).await.map_err(|_| Problem::gone())
    }

    /// Asks for a change; `subject` is the name in the path.
    async fn change(&self, command: Command, subject: &str) -> Result<(), Problem> {
        match self.ask(command).await? {
            Answer::Done => Ok(()),
            other => Err(Problem::of(other, subject)),
        }
    }

    /// Keeps documents; what they end is over when they are kept.
    async fn keep(&self, documents: Vec<Document>) -> Result<(), Problem> {
        if documents.is_empty() {
            return Ok(());
        }
        self.door().keep(documents.clone()).await.map_err(|why| Problem::unavailable(&why))?;
        let ended = self.access().forget(&documents);
        self.tell_ended(ended);
        Ok(())
    }

    /// The same, and ends one that may be used once.
    async fn spend(&self, used: Document, mut documents: Vec<Document>) -> Result<(), Problem> {
        let spent = self.door().spend(used.clone(), documents.clone()).await;
        spent.map_err(|why| Problem::unavailable(&why))?;
        documents.push(used);
        let ended = self.access().forget(&documents);
        self.tell_ended(ended);
        Ok(())
    }

    /// Another exchange with the same office kept documents, or ended some: who signed in there is signed in here.
    pub fn heard(&self, documents: &[Document]) {
        let mut access = self.access();
        access.put(documents, now());
        let ended = access.forget(documents);
        drop(access);
        self.tell_ended(ended);
    }

    fn tell_ended(&self, ended: Vec<(String, String)>) {
        for (session, account) in ended {
            // Nobody may listen.
            let _ = self.inner.ended.send(SessionEnded { session, account });
        }
    }

    /// Keeps what nobody waits for.
    fn keep_later(&self, documents: Vec<Document>) {
        if documents.is_empty() {
            return;
        }
        let api = self.clone();
        tokio::spawn(async move {
            if api.door().renew(documents).await.is_err() {
                tracing::debug!("the last use or the end of a session was not kept");
            }
        });
    }

    /// Held by whoever reads, compares and changes, so that two who do do not undo each other.
    async fn editing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.editing.lock().await
    }

    /// A secret of 256 bits.
    fn random(&self) -> String {
        hex(&self.door().random())
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A time as the API writes it: `2026-11-24T17:05:03.123Z`.
fn time(at: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    format!("{at:.3}")
}

/// The API's resources, with their description.
fn resources() -> OpenApiRouter<Api> {
    [
        session::routes(),
        sessions::routes(),
        tokens::routes(),
        people::routes(),
        phone::routes(),
        profiles::routes(),
        import::routes(),
        numbers::routes(),
        devices::routes(),
        groups::routes(),
        queues::routes(),
        lists::routes(),
        agents::routes(),
        badges::routes(),
        taps::routes(),
        trunks::routes(),
        outside_routes::routes(),
        calls::routes(),
        seats::routes(),
        tasks::routes(),
        seat_codes::routes(),
        records::routes(),
        facts::routes(),
        exchanges::routes(),
        office::routes(),
        events::routes(),
        webhooks::routes(),
        wearables::routes(),
        openapi::routes(),
    ]
    .into_iter()
    .fold(OpenApiRouter::new(), OpenApiRouter::merge)
}

/// The API and the one-time links.
pub fn router(api: Api) -> Router {
    let (resources, _) = resources().split_for_parts();
    let resources = resources
        // The table says what each path takes; see `caller`.
        .method_not_allowed_fallback(async || Problem::forbidden("This is in no table."))
        .layer(middleware::from_fn_with_state(api.clone(), handed_on::hand_on))
        .layer(middleware::from_fn_with_state(api.clone(), idempotency::once))
        .layer(middleware::from_fn_with_state(api.clone(), caller::authorise))
        .fallback(async || nothing_here())
        .layer(axum::extract::DefaultBodyLimit::max(input::BODY))
        .layer(middleware::map_response(private));
    Router::new()
        .nest(PREFIX, resources)
        .merge(enter::routes())
        .merge(metrics::routes())
        .merge(lists::files::routes())
        .with_state(api)
}

fn nothing_here() -> Problem {
    let words = "There is nothing at this path; /api/v1/openapi.json says what there is.";
    Problem::new(axum::http::StatusCode::NOT_FOUND, "not-found", words)
}

/// Answers are for who asked, now.
async fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    response
}
