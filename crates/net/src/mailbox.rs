//! How other threads reach a thread that polls: a bounded queue and an event descriptor.

use rustix::event::{EventfdFlags, eventfd};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// The receiving end; belongs to the polling thread.
pub struct Mailbox<T> {
    receiver: Receiver<T>,
    bell: Arc<Bell>,
}

/// A sending end.
pub struct Sender<T> {
    sender: SyncSender<T>,
    bell: Arc<Bell>,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender { sender: self.sender.clone(), bell: Arc::clone(&self.bell) }
    }
}

struct Bell {
    descriptor: OwnedFd,
    rung: AtomicBool,
}

/// The queue is full, or its reader is gone; the value comes back.
pub struct Full<T>(pub T);

impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full")
    }
}

/// A queue for at most `bound` values.
///
/// # Errors
/// When the process is out of descriptors.
pub fn mailbox<T>(bound: usize) -> io::Result<(Sender<T>, Mailbox<T>)> {
    let (sender, receiver) = sync_channel(bound);
    let descriptor = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
    let bell = Arc::new(Bell { descriptor, rung: AtomicBool::new(false) });
    Ok((Sender { sender, bell: Arc::clone(&bell) }, Mailbox { receiver, bell }))
}

impl<T> Sender<T> {
    /// Puts a value in and wakes the reader, without waiting.
    ///
    /// # Errors
    /// [`Full`] with the value: the caller decides what is to be refused.
    pub fn send(&self, value: T) -> Result<(), Full<T>> {
        self.push(value)?;
        self.ring();
        Ok(())
    }

    /// Puts a value in without waking the reader: [`Sender::ring`] follows, for all of several values.
    ///
    /// # Errors
    /// [`Full`] with the value.
    pub fn push(&self, value: T) -> Result<(), Full<T>> {
        self.sender.try_send(value).map_err(|error| match error {
            TrySendError::Full(value) | TrySendError::Disconnected(value) => Full(value),
        })
    }

    /// Puts a value in, waiting for room; not for threads that serve others.
    ///
    /// # Errors
    /// [`Full`] when the reader is gone.
    pub fn send_waiting(&self, value: T) -> Result<(), Full<T>> {
        self.sender.send(value).map_err(|error| Full(error.0))?;
        self.ring();
        Ok(())
    }

    /// Wakes the reader.
    pub fn ring(&self) {
        // One write wakes the reader for all that came since it last looked.
        if !self.bell.rung.swap(true, Ordering::AcqRel) {
            let _ = rustix::io::write(&self.bell.descriptor, &1u64.to_ne_bytes());
        }
    }
}

impl<T> Mailbox<T> {
    /// For polling.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.bell.descriptor.as_fd()
    }

    /// Stops the bell; call before taking values, so that none is missed.
    pub fn silence(&self) {
        let mut counter = [0; 8];
        let _ = rustix::io::read(&self.bell.descriptor, &mut counter);
        self.bell.rung.store(false, Ordering::Release);
    }

    /// The next value, if any.
    #[must_use]
    pub fn take(&self) -> Option<T> {
        self.receiver.try_recv().ok()
    }

    /// Rings again, because the reader stops before the queue is empty.
    pub fn remind(&self) {
        if !self.bell.rung.swap(true, Ordering::AcqRel) {
            let _ = rustix::io::write(&self.bell.descriptor, &1u64.to_ne_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poll::Poll;
    use std::time::Duration;

    #[test]
    fn a_full_mailbox_refuses_and_a_bell_wakes_once() {
        let (sender, mailbox) = mailbox(2).unwrap();
        let mut poll = Poll::new().unwrap();
        poll.add(mailbox.descriptor(), 7).unwrap();
        assert_eq!(poll.wait(Some(Duration::ZERO)).unwrap().count(), 0);
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        assert_eq!(sender.send(3).unwrap_err().0, 3);
        assert_eq!(poll.wait(Some(Duration::from_secs(5))).unwrap().collect::<Vec<_>>(), [7]);
        mailbox.silence();
        assert_eq!((mailbox.take(), mailbox.take(), mailbox.take()), (Some(1), Some(2), None));
        assert_eq!(poll.wait(Some(Duration::ZERO)).unwrap().count(), 0);
        mailbox.remind();
        assert_eq!(poll.wait(Some(Duration::ZERO)).unwrap().count(), 1);
    }
}
