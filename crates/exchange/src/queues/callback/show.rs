//! Callbacks as people see them, among the background calls.

use crate::background::{Phase, TaskRow, TaskState};
use crate::exchange::Exchange;
use clock::{Now, Wall};
use dialing::{LegOrder, TaskId};

impl Exchange {
    /// Since when somebody waits who is called back.
    pub(in crate::queues) fn since_of_callback(&self, task: TaskId) -> Option<Wall> {
        self.background.tasks.get(&task)?.wish().map(|wish| wish.since)
    }

    /// Says of a callback what only its queue knows.
    pub(crate) fn show_callback(&self, now: Now, row: &mut TaskRow) {
        let Some(callback) = self.queues.callbacks.get(&row.task) else { return };
        row.queue = Some(callback.queue.clone());
        row.place = self.queues.position(row.task);
        let trying = callback.call.and_then(|call| self.background.trying.get(&call));
        let agent = callback.agent.as_deref();
        let words = match (trying.map(|trying| (trying.phase, trying.legs)), agent) {
            (Some((Phase::First, LegOrder::OwnerFirst)), Some(agent)) => format!("it rings at {agent}"),
            (Some((Phase::Second, LegOrder::OwnerFirst)), Some(agent)) => {
                format!("{agent} answered; it rings there")
            }
            (Some((Phase::First, LegOrder::CalleeFirst)), Some(agent)) => {
                format!("it rings there; {agent} is reserved")
            }
            (Some((Phase::Second, LegOrder::CalleeFirst)), Some(agent)) => {
                format!("they answered; it rings at {agent}")
            }
            (Some((Phase::Second, _)), None) => "they answered, and wait for an agent".to_owned(),
            (None, Some(agent)) => format!("{agent} is reserved"),
            // Whatever else holds it says so itself.
            (None, None) if row.next.is_none() && row.state == TaskState::Waiting => {
                let (rule, words) = match self.is_open_for(now, row.task) {
                    true => ("queues.agent", "waits for an agent"),
                    false => ("queues.closed", "the queue is closed"),
                };
                row.rule = Some(rule);
                words.to_owned()
            }
            _ => return,
        };
        row.why = words.into();
    }
}
