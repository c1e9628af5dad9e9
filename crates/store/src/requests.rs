//! The way to the writer, for whoever has no [`Store`](crate::Store) in hand.

use crate::error::StoreError;
use crate::writer::Request;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::Thread;

#[derive(Clone, Debug)]
pub(crate) struct Requests {
    requests: SyncSender<Request>,
    writer: Option<Thread>,
    path: PathBuf,
}

impl Requests {
    pub(crate) fn new(requests: SyncSender<Request>, writer: Option<Thread>, path: &Path) -> Requests {
        Requests { requests, writer, path: path.to_owned() }
    }

    /// The database.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Hands a request to the writer, without waiting.
    pub(crate) fn hand(&self, request: Request) -> Result<(), StoreError> {
        self.requests.try_send(request).map_err(|error| {
            let why = match error {
                TrySendError::Full(_) => "the store cannot keep up",
                TrySendError::Disconnected(_) => "the store's writer is gone",
            };
            StoreError::new(&self.path, why)
        })?;
        // The writer may be collecting what nobody waits for.
        if let Some(writer) = &self.writer {
            writer.unpark();
        }
        Ok(())
    }
}
