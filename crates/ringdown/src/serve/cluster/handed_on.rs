//! What is asked at one exchange and kept by another: that one is asked over the line between them, and answers by what its own
//! ways in would say.

use super::super::backend::Roof;
use super::Told;
use super::lines;
use crate::serve::core::CoreInput;
use crate::serve::web::document;
use api::rest::{Answered, Asked};
use api::{Api, control};
use axum::response::IntoResponse as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use net::Sender;
use std::collections::HashMap;
use std::num::NonZeroU8;
use std::sync::{Arc, OnceLock};
use store::Document;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Questions of one's own that may wait for an answer.
const WAITING: usize = 256;
/// Questions of others that are answered at once.
const AT_ONCE: usize = 64;

/// Questions that wait for another's answer.
#[derive(Default)]
pub(super) struct Questions {
    waiting: HashMap<u64, (NonZeroU8, oneshot::Sender<String>)>,
    last: u64,
}

impl Questions {
    /// Asks one; whoever waits hears of nothing when there is no way to it.
    pub(super) fn ask(
        &mut self,
        to: NonZeroU8,
        way: Option<&mpsc::Sender<String>>,
        text: &str,
        reply: oneshot::Sender<String>,
    ) {
        self.waiting.retain(|_, (_, reply)| !reply.is_closed());
        self.last += 1;
        let said = way.is_some_and(|way| way.try_send(lines::ask(self.last, text)).is_ok());
        if said && self.waiting.len() < WAITING {
            self.waiting.insert(self.last, (to, reply));
        }
    }

    /// One answered, if it is the one that was asked.
    pub(super) fn answered(&mut self, from: NonZeroU8, number: u64, text: String) {
        if let Some((to, reply)) = self.waiting.remove(&number)
            && to == from
        {
            // Whoever asked may be gone.
            let _ = reply.send(text);
        }
    }

    /// There is no way to one any more: it answers nothing.
    pub(super) fn lost(&mut self, to: NonZeroU8) {
        self.waiting.retain(|_, (asked, _)| *asked != to);
    }
}

/// What answers the others' questions; there from the moment that the ways in are.
#[derive(Clone)]
pub(super) struct Answering {
    ways_in: Arc<OnceLock<(Roof, Api)>>,
    room: Arc<Semaphore>,
}

impl Default for Answering {
    fn default() -> Answering {
        Answering { ways_in: Arc::default(), room: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Answering {
    pub(super) fn begin(&self, roof: &Roof, api: &Api) {
        // It begins once.
        let _ = self.ways_in.set((roof.clone(), api.clone()));
    }

    /// What others kept of sessions and tokens counts here, too.
    pub(super) fn heard(&self, documents: Vec<Document>) {
        if let Some((_, api)) = self.ways_in.get() {
            api.heard(&documents.into_iter().map(document).collect::<Vec<_>>());
        }
    }

    /// An event that another spread, for those who listen here.
    pub(super) fn heard_event(&self, event: Option<&str>) {
        if let Some((_, api)) = self.ways_in.get() {
            api.heard_event(event);
        }
    }

    /// Answers a question of another, and tells the core to say so. A question too many is not answered: it is asked again.
    pub(super) fn answer(&self, core: &Sender<CoreInput>, from: NonZeroU8, number: u64, text: String) {
        let (Some((roof, api)), Ok(place)) =
            (self.ways_in.get().cloned(), Arc::clone(&self.room).try_acquire_owned())
        else {
            return;
        };
        let core = core.clone();
        tokio::spawn(async move {
            if let Some(text) = answer(&roof, &api, &text).await {
                super::tell(&core, Told::Answer(from, number, text)).await;
            }
            drop(place);
        });
    }
}

async fn answer(roof: &Roof, api: &Api, text: &str) -> Option<String> {
    match serde_json::from_str(text).ok()? {
        Asked::Control(line) => Some(control::answer_handed_on(roof, api, &line).await),
        Asked::Request(asked) => {
            let router = TowerToHyperService::new(api::router(roof.clone(), api.clone()));
            let response = match router.call(asked.request()?).await {
                Ok(response) => response,
                Err(never) => never.into_response(),
            };
            serde_json::to_string(&Answered::of(response).await).ok()
        }
    }
}
