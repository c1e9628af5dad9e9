//! Callbacks: a caller hangs up and keeps the place; when it is their turn, an agent is reserved and the caller is called.
//!
//! ```text
//! key --> number read back --> written down --> the call ends, the place stays
//! its turn, an agent is ready --> reserved --> the agent's phone rings --> answered --> the caller's phone rings --> they talk
//!                                              or the caller first, who hears music until the agent answers
//! agent does not take it --> the next agent      caller busy, not there --> the agent is free at once; later again
//! ```
//! When a number may be called, and how often, is the business of [`dialing`]: a callback is a task there, whose owner is
//! the queue. The queue says when it is its turn, and never lets it be called without an agent.

mod ask;
mod attempt;
mod show;
mod turn;
mod wish;

pub(crate) use wish::{Wish, is_queue, owner_of};

use super::line::{Came, Place};
use crate::exchange::Exchange;
use calls::CallId;
use clock::{Mono, Now};
use dialing::TaskId;

/// Somebody who is called back when it is their turn.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    pub(super) queue: Box<str>,
    /// Before others when less.
    pub(super) rank: u8,
    pub(super) came: Came,
    /// The agent who is reserved, until the call is over.
    pub(super) agent: Option<Box<str>>,
    /// The attempt that is made.
    pub(super) call: Option<CallId>,
    /// When it is looked at again.
    pub(super) due: Option<Mono>,
}

impl Callback {
    pub(super) fn place(&self, task: TaskId) -> Place {
        (self.rank, self.came, task.into())
    }
}

impl Exchange {
    /// Callbacks that the store had stand where they stood.
    pub(crate) fn restore_callbacks(&mut self, now: Now) {
        let wishes = self.background.tasks.iter();
        let wishes: Vec<(TaskId, Wish)> =
            wishes.filter_map(|(task, known)| Some((*task, known.wish()?.clone()))).collect();
        for (task, wish) in wishes {
            self.put_callback(task, &wish, Came::on(now, wish.since));
        }
    }

    /// Somebody stands in the line who is called back.
    pub(super) fn put_callback(&mut self, task: TaskId, wish: &Wish, came: Came) {
        let callback =
            Callback { queue: wish.queue.clone(), rank: wish.rank, came, agent: None, call: None, due: None };
        self.queues.callbacks.insert(task, callback);
        self.queues.stands_by(task);
        self.queues.stir(task);
    }
}
