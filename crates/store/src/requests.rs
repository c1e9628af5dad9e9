//! The way to the writer, for whoever has no [`Store`](crate::Store) in hand.

use crate::error::StoreError;
use crate::place::Place;
use crate::writer::Request;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::Thread;

#[derive(Clone, Debug)]
pub(crate) struct Requests {
    requests: SyncSender<Request>,
    writer: Option<Thread>,
    place: Place,
}

impl Requests {
    pub(crate) fn new(requests: SyncSender<Request>, writer: Option<Thread>, place: &Place) -> Requests {
        Requests { requests, writer, place: place.clone() }
    }

    /// The database.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Hands a request to the writer, without waiting.
    pub(crate) fn hand(&self, request: Request) -> Result<(), StoreError> {
        self.requests.try_send(request).map_err(|error| {
            let why = match error {
                TrySendError::Full(_) => "the store cannot keep up",
                TrySendError::Disconnected(_) => "the store's writer is gone",
            };
            self.place.fault(why)
        })?;
        // The writer may be collecting what nobody waits for.
        if let Some(writer) = &self.writer {
            writer.unpark();
        }
        Ok(())
    }
}
