//! A call for a queue: whether it is taken, and what the caller is told first.

use super::line::{Came, Waiting};
use crate::exchange::Exchange;
use crate::ongoing::Reach;
use crate::people::Queue;
use calls::{CallId, Cause};
use clock::Now;
use media::Prompt;
use std::time::Duration;

/// R8: how long a caller waits unanswered, and one of a trunk.
pub(crate) const UNANSWERED: Duration = Duration::from_secs(60);
const UNANSWERED_OF_TRUNK: Duration = Duration::from_secs(20);

impl Exchange {
    /// A call for a queue begins.
    pub(crate) fn call_queue(&mut self, now: Now, call: CallId, name: &str) {
        let Some(queue) = self.people.queue(name).cloned() else { return };
        let Some(ongoing) = self.ongoing.call_mut(call) else { return };
        ongoing.reach = Reach::Queue { name: name.into() };
        let (caller, entry) = (ongoing.caller.number.clone(), ongoing.entry.is_some());
        // Whoever calls again is not called back, and stands where they stood.
        let again = self.callback_of_caller(name, call);
        let stood = again.and_then(|task| self.queues.callbacks.get(&task)).map(|known| known.came);
        let full = again.is_none() && self.queues.line(name).all.len() >= usize::from(queue.most_waiting);
        if !queue.is_open(now.wall, &self.config.seats.zone) {
            return self.turn_away(now, call, &queue, "queue.closed", "the queue is closed");
        }
        if full {
            self.queues.line(name).counts.overflowed += 1;
            return self.turn_away(now, call, &queue, "queue.full", "too many callers wait");
        }
        let preferred = queue.preferred.iter().any(|number| **number == *caller);
        let came = stood.unwrap_or(Came::at(now.mono));
        let since = again.and_then(|task| self.since_of_callback(task)).unwrap_or(now.wall);
        let mut waiting = Waiting::new(name, u8::from(!preferred), came, since);
        let unanswered = if entry { UNANSWERED_OF_TRUNK } else { UNANSWERED };
        // At once means: as soon as nobody rings.
        let after = queue.answer_after.unwrap_or(unanswered);
        waiting.music_at = (!after.is_zero()).then(|| now.mono + after);
        waiting.longest_at = queue.longest_wait.map(|longest| now.mono + longest);
        if self.switch.is_half_up(call) {
            // It came from another queue, and hears us already.
            waiting.music_at = None;
            waiting.announce_at = Some(now.mono);
        }
        self.queues.waiting.insert(call, waiting);
        self.queues.line(name).counts.offered += 1;
        self.queues.want(call);
        self.queues.index(call);
        if let Some(task) = again {
            self.stop_task(now, task, Some("they called again"));
        }
    }

    /// The queue does not take a caller, or keeps them no longer.
    pub(super) fn turn_away(&mut self, now: Now, call: CallId, queue: &Queue, rule: &str, why: &str) {
        match &queue.overflow {
            Some(to) => {
                self.note_call(now, call, rule, format!("{why}; it goes to {to}"));
                self.send_on(now, call, to);
            }
            None => {
                self.note_call(now, call, rule, why.to_owned());
                self.tell_nobody_comes(now, call, why);
            }
        }
    }

    /// A caller hears that nobody is available; then the call ends.
    pub(super) fn tell_nobody_comes(&mut self, now: Now, call: CallId, why: &str) {
        if !self.switch.is_half_up(call) {
            return self.refuse_spoken(now, call, Prompt::NobodyAvailable, Cause::NoAnswer, why);
        }
        if self.services.is_full() {
            return self.fail(now, call, Cause::NoAnswer, why);
        }
        self.say_and_refuse(now, call, Prompt::NobodyAvailable, Cause::NoAnswer, why);
    }
}
