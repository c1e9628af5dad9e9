//! Waiting for several descriptors at once.

use rustix::event::epoll;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// Descriptors announced in one turn.
const READY: usize = 128;

/// Names a descriptor in the answer of [`Poll::wait`].
pub type Token = u64;

/// An epoll instance; level-triggered, so that what was left is announced again.
pub struct Poll {
    epoll: OwnedFd,
    ready: Vec<Token>,
}

impl Poll {
    /// A new one.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn new() -> io::Result<Poll> {
        Ok(Poll { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?, ready: Vec::with_capacity(READY) })
    }

    /// Watches a descriptor for input.
    ///
    /// # Errors
    /// What the system says.
    pub fn add(&self, descriptor: impl AsFd, token: Token) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, descriptor, epoll::EventData::new_u64(token), epoll::EventFlags::IN)?)
    }

    /// Watches it no more.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self, descriptor: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, descriptor)?)
    }

    /// Waits at most `limit` and tells what is ready.
    ///
    /// # Errors
    /// What the system says; an interruption is an empty answer.
    pub fn wait(&mut self, limit: Option<Duration>) -> io::Result<impl Iterator<Item = Token> + '_> {
        self.ready.clear();
        let limit = limit.map(|limit| rustix::event::Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(limit.subsec_nanos()),
        });
        let mut room = [const { MaybeUninit::uninit() }; READY];
        match epoll::wait(&self.epoll, &mut room, limit.as_ref()) {
            Ok((events, _)) => self.ready.extend(events.iter().map(|event| event.data.u64())),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.ready.iter().copied())
    }
}
