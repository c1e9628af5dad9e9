//! Live events for a system of messages, where other programs hear them: all that a manager may hear, one after another, told until
//! it is kept there.
//!
//! ```text
//! ring of events --place--> publish --kept--> next
//!                              '--not yet--> again in a moment: what happens meanwhile waits in the ring
//! ```
//! What the ring has no longer, or what happened while another exchange kept the office or none did, is told as `missed`.
//! So whoever hears has all of it, or knows that it has to look anew.

use super::hub::{Reading, Taken};
use crate::rest::Api;
use exchange::Role;
use serde_json::json;
use std::future::Future;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How soon it is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// How soon at the latest.
const LATEST: Duration = Duration::from_secs(2);

/// An event on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The name by which it is told from all others.
    pub id: String,
    /// As in `call.started`.
    pub kind: String,
    /// The event in JSON, as `/api/v1/events` tells it.
    pub text: String,
}

/// Why one is not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpublished {
    /// Not now: it is to be tried again.
    Yet,
    /// However often that is tried.
    Ever,
}

impl Api {
    /// Publishes what happens, for as long as the exchange runs: of several with one office, the one that keeps it does so.
    pub async fn publish_events<P, F>(self, publish: P)
    where
        P: Fn(Published) -> F + Send + Sync,
        F: Future<Output = Result<(), Unpublished>> + Send,
    {
        let mut gaps = 0;
        loop {
            if self.publishes()
                && let Ok(reading) = self.hub().open("published", None)
            {
                self.publish_from(reading, &mut gaps, &publish).await;
            }
            sleep(AGAIN).await;
        }
    }

    fn publishes(&self) -> bool {
        !self.door().is_one_of_several() || self.door().keeps()
    }

    /// Until the office is kept by another.
    async fn publish_from<P, F>(&self, mut reading: Reading, gaps: &mut u64, publish: &P)
    where
        P: Fn(Published) -> F,
        F: Future<Output = Result<(), Unpublished>>,
    {
        // Nobody knows what was told before.
        let mut gap = Some(json!(null));
        loop {
            let place = reading.name();
            let Taken { missed, items } = reading.take();
            if missed > 0 && gap.is_none() {
                gap = Some(json!(missed));
            }
            if let Some(count) = gap.take() {
                *gaps += 1;
                let id = format!("{place}-missed-{gaps}");
                let text = json!({"id": id, "type": "missed", "data": {"count": count}}).to_string();
                if !self.until_kept(Published { id, kind: "missed".into(), text }, publish).await {
                    return;
                }
            }
            for item in items.iter().filter(|item| item.is_for(Role::Manager, "", None)) {
                let id = reading.name_of(item.number);
                let event = Published { id, kind: item.kind.to_string(), text: item.text.to_string() };
                if !self.until_kept(event, publish).await {
                    return;
                }
            }
            if items.is_empty() {
                // A keeper that rests is told so by nobody.
                let _ = timeout(LATEST, reading.wait()).await;
            }
            if !self.publishes() {
                return;
            }
        }
    }

    /// Tells one until it is kept; false when the office is another's meanwhile.
    async fn until_kept<P, F>(&self, event: Published, publish: &P) -> bool
    where
        P: Fn(Published) -> F,
        F: Future<Output = Result<(), Unpublished>>,
    {
        let mut pause = AGAIN;
        while self.publishes() {
            match publish(event.clone()).await {
                Ok(()) => return true,
                Err(Unpublished::Ever) => {
                    tracing::warn!(
                        kind = event.kind,
                        id = event.id,
                        "an event cannot be published, and is left out"
                    );
                    return true;
                }
                Err(Unpublished::Yet) => sleep(pause).await,
            }
            pause = (pause * 2).min(LATEST);
        }
        false
    }
}
