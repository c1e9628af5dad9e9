//! A listener under test, and what came in by it.

use net::{AsyncDeliver, StreamEvent, Streams};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
pub(crate) struct Seen(pub(crate) Arc<Mutex<Vec<StreamEvent>>>);

impl AsyncDeliver for Seen {
    async fn deliver(&self, event: StreamEvent) -> bool {
        self.0.lock().expect("the test goes on").push(event);
        true
    }
}

pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) streams: Streams,
    pub(crate) seen: Seen,
}
