//! The calls of the phone: those of the list, and those that stand in its way.

use super::words::{Callee, News};
use super::{Running, Want, Worker, task_name};
use crate::words::{Announcement, CallId, Cause, Command, Event};
use clock::{Mono, Now};
use dialing::cause::{ANNOUNCED_CONGESTION, ANNOUNCED_VACANT, Ending, Finding, Outcome, Protocol};
use dialing::{AttemptId, TaskId};
use lists::work::{Call, Input};
use std::time::Duration;

/// The attempt that is being made.
pub(super) struct Current {
    attempt: AttemptId,
    inside: bool,
    /// As it is dialled.
    number: String,
    call: Option<CallId>,
    ring: u16,
    ring_until: Option<Mono>,
    answered: Option<Mono>,
    rang_out: bool,
    announced: Option<Announcement>,
    /// To be given up as soon as there is a call to hang up.
    cancelled: bool,
}

impl Current {
    pub(super) fn deadline(&self) -> Option<Mono> {
        self.ring_until
    }
}

impl Worker {
    /// What happens to the phone.
    pub fn hear(&mut self, now: Now, event: &Event) {
        match event {
            Event::Registered { .. } => self.registered = true,
            Event::NotRegistered { .. } | Event::Unregistered => self.registered = false,
            Event::Calling { call, number } => {
                self.calls.insert(*call);
                self.calling(now, *call, number);
            }
            Event::Incoming { call, .. } => drop(self.calls.insert(*call)),
            Event::Answered { call, .. } => {
                if let Some(current) = self.current_of(*call) {
                    (current.answered, current.ring_until) = (Some(now.mono), None);
                    let attempt = current.attempt;
                    self.give(now, Input::Answered(attempt));
                }
            }
            Event::Announced { call, what } => {
                // What is heard in a talk is the callee's.
                let ringing = self.current_of(*call).filter(|current| current.answered.is_none());
                if let Some(current) = ringing {
                    current.announced = Some(*what);
                }
                return;
            }
            Event::Ended { call, cause } => {
                self.calls.remove(call);
                self.ended(now, *call, &cause.cause);
            }
            // It was no call before it was one: no port is free, or no server is there.
            Event::Refused { .. } if self.current.as_ref().is_some_and(|current| current.call.is_none()) => {
                self.over(now, Finding::sure(Outcome::Network), 0);
            }
            _ => return,
        }
        if self.calls.is_empty() {
            // Before the next is chosen: rows may be others now.
            self.take_newer(now);
        }
        let free = self.registered && self.calls.is_empty();
        self.give(now, Input::OnHook(free));
        self.sign_out_when_free(now);
    }

    fn current_of(&mut self, call: CallId) -> Option<&mut Current> {
        self.current.as_mut().filter(|current| current.call == Some(call))
    }

    /// The claim is on the disk: the callee's data first, then the headset, then the call (S3.12).
    pub(super) fn dial(&mut self, call: Call) {
        let Some(running) = &self.running else { return };
        let task = call.attempt.task;
        let because: Vec<String> = call.because.iter().map(ToString::to_string).collect();
        let callee = callee(running, task, call.number);
        self.last_task = Some(task);
        self.news(News::Dialling { callee, attempt: call.attempt.ordinal, because: because.join("; ") });
        self.news(News::Headset { open: true });
        let number = self.assignment.dialled(call.number);
        self.current = Some(Current {
            attempt: call.attempt,
            inside: call.number.is_inside(),
            number: number.clone(),
            call: None,
            ring: call.ring.max(self.assignment.ring_s),
            ring_until: None,
            answered: None,
            rang_out: false,
            announced: None,
            cancelled: false,
        });
        self.wants.push_back(Want::Tell(Command::call(number)));
    }

    fn calling(&mut self, now: Now, call: CallId, number: &str) {
        let Some(current) = self.current.as_mut() else { return };
        if current.call.is_some() || current.number != number {
            return;
        }
        current.call = Some(call);
        current.ring_until = Some(now.mono + Duration::from_secs(current.ring.into()));
        if current.cancelled {
            self.wants.push_back(Want::Tell(Command::HangUp { call: Some(call) }));
        }
    }

    pub(super) fn cancel(&mut self, attempt: AttemptId) {
        let Some(current) = self.current.as_mut().filter(|current| current.attempt == attempt) else {
            return;
        };
        current.cancelled = true;
        // Who talks is not cut off: the row is given up, the call is not.
        if let (Some(call), None) = (current.call, current.answered) {
            self.wants.push_back(Want::Tell(Command::HangUp { call: Some(call) }));
        }
    }

    pub(super) fn give_up_ringing(&mut self, now: Now) {
        let Some(current) = self.current.as_mut() else { return };
        if current.ring_until.take_if(|at| *at <= now.mono).is_some() {
            current.rang_out = true;
            self.wants.push_back(Want::Tell(Command::HangUp { call: current.call }));
        }
    }

    fn ended(&mut self, now: Now, call: CallId, cause: &Cause) {
        let Some(current) = self.current_of(call) else { return };
        let talked = current.answered.map(|since| now.mono.since(since).as_secs());
        let finding = match talked {
            Some(_) => Finding::sure(Outcome::Answered),
            None => finding(current, cause),
        };
        self.over(now, finding, talked.map_or(0, |seconds| u32::try_from(seconds).unwrap_or(u32::MAX)));
    }

    fn over(&mut self, now: Now, finding: Finding, talked: u32) {
        let Some(current) = self.current.take() else { return };
        self.news(News::Headset { open: false });
        self.give(now, Input::Finished { attempt: current.attempt, finding, talked });
    }

    /// Whether a call of the list is up.
    pub(super) fn is_calling(&self) -> bool {
        self.current.is_some()
    }

    pub(super) fn current_task(&self) -> Option<TaskId> {
        self.current.as_ref().map(|current| current.attempt.task).or(self.last_task)
    }
}

/// What the end of a call that nobody answered means.
fn finding(current: &Current, cause: &Cause) -> Finding {
    let heard = Ending {
        rang_out: current.rang_out,
        announcement: current.announced.map(|announced| match announced {
            Announcement::Vacant => ANNOUNCED_VACANT,
            Announcement::Congestion => ANNOUNCED_CONGESTION,
        }),
        ..Ending::default()
    };
    match cause {
        Cause::Cancelled if !current.rang_out => Finding::sure(Outcome::Withdrawn),
        Cause::Refused { status, reason, q850 } => {
            let reasons: Vec<(Protocol, u16)> =
                q850.map(|cause| (Protocol::Q850, cause)).into_iter().collect();
            Finding::usual(&Ending {
                status: Some(*status),
                reasons: &reasons,
                text: reason,
                inside: current.inside,
                ..heard
            })
        }
        _ => Finding::usual(&heard),
    }
}

/// A row for a screen.
pub(super) fn callee(running: &Running, task: TaskId, number: dialing::Number) -> Callee {
    let entry = running.work.entry(task);
    let fields = entry.iter().flat_map(|entry| entry.fields());
    Callee {
        task: task_name(task),
        number: number.to_string(),
        name: entry.map(|entry| entry.name()).unwrap_or_default(),
        fields: fields.map(|(header, _, field)| (header.to_owned(), field.to_owned())).collect(),
    }
}
