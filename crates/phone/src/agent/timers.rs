//! When the phone wants to be woken, and why.

use super::ask::Purpose;
use super::call::Stage;
use super::register::Registration;
use super::watch::Watch;
use super::{Agent, Output, Owner};
use crate::words::{CallId, Cause, Event as Told};
use clock::{Mono, Now};
use sip::{Event, Transmit};
use wire::sip::Message;

/// Why the phone wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A transaction repeats or gives up.
    Transaction,
    /// The registration is refreshed or tried again.
    Register,
    /// A call is taken without a person.
    Answer(CallId),
    /// A reliable response is repeated (RFC 3262).
    Repeat(CallId),
    /// A session is refreshed, or dead (RFC 4028).
    Session(CallId),
    /// A change is tried again after a glare.
    Change(CallId),
    /// The server is asked again for what it shall tell us.
    Watch,
    /// Leaving takes too long.
    Leave,
}

impl Agent {
    /// When [`super::Input::Timeout`] is due next, and why.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Mono, Due)> {
        self.deadlines().min()
    }

    fn deadlines(&self) -> impl Iterator<Item = (Mono, Due)> + '_ {
        let own = [
            (self.endpoint.next_deadline(), Due::Transaction),
            (self.registration.due(), Due::Register),
            (self.watches.iter().filter_map(Watch::due).min(), Due::Watch),
            (self.leave_by.filter(|_| !self.finished), Due::Leave),
        ];
        let calls = self.calls.values().flat_map(|call| {
            let (answer, repeat, retry) = match &call.stage {
                Stage::Alerting(alerting) => {
                    (alerting.answer_at, alerting.reliable.as_ref().and_then(|(_, at)| *at), None)
                }
                Stage::Talking(talking) => (None, None, talking.retry.map(|(at, _)| at)),
                Stage::Dialling(_) | Stage::Leaving => (None, None, None),
            };
            [
                (answer, Due::Answer(call.id)),
                (repeat, Due::Repeat(call.id)),
                (retry, Due::Change(call.id)),
                (call.session_due, Due::Session(call.id)),
            ]
        });
        own.into_iter().chain(calls).filter_map(|(at, due)| at.map(|at| (at, due)))
    }

    pub(super) fn run_timers(&mut self, now: Now) {
        self.endpoint.handle_timeout(now.mono);
        let due: Vec<Due> = self.deadlines().filter(|(at, _)| *at <= now.mono).map(|(_, due)| due).collect();
        for due in due {
            match due {
                Due::Transaction => {}
                Due::Register => self.register(now),
                Due::Watch => self.renew_watches(now),
                Due::Answer(id) => self.answer(now, Some(id)),
                Due::Repeat(id) => self.repeat_ringing(now, id),
                Due::Session(id) => self.session_due(now, id),
                Due::Change(id) => self.retry_change(now, id),
                Due::Leave => self.finish_leaving(),
            }
        }
    }

    fn session_due(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.session_due = None;
        match call.agreement {
            Some(agreement) if agreement.refresher == sip::session_timer::Refresher::Us => {
                if !call.is_changing() {
                    self.ask(now, id, Purpose::Refresh);
                }
                self.arm_session(now, id);
            }
            // RFC 4028 section 10: the peer's refresh did not come.
            Some(_) => self.end_answered(now, id, Cause::Lost),
            None => {}
        }
    }

    pub(super) fn arm_session(&mut self, now: Now, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.session_due = call.agreement.map(|agreement| now.mono + agreement.wait());
        }
    }

    fn finish_leaving(&mut self) {
        self.calls.clear();
        self.registration = Registration::Left;
    }

    /// After each input: what the transactions say, what they send, and whether all is said.
    pub(super) fn settle(&mut self, now: Now) {
        while let Some(event) = self.endpoint.next_event() {
            match event {
                Event::Unanswered { client, user: Owner::Registration } => {
                    self.register_unanswered(now, client, "no response");
                }
                Event::Unreachable { client, user: Owner::Registration } => {
                    self.register_unanswered(now, client, "the connection broke");
                }
                Event::Unanswered { client, user: Owner::Watch(place) }
                | Event::Unreachable { client, user: Owner::Watch(place) } => {
                    self.subscribe_unanswered(now, place, client);
                }
                Event::Unanswered { client, user: Owner::Call(id) } => {
                    self.call_unanswered(now, id, client, Cause::NoResponse);
                }
                Event::Unreachable { client, user: Owner::Call(id) } => {
                    self.call_unanswered(now, id, client, Cause::Unreachable);
                }
                // RFC 3261 13.3.1.4
                Event::Unacknowledged { user: Owner::Call(id), .. } => {
                    self.end_answered(now, id, Cause::Lost);
                }
                Event::Unanswered { .. } | Event::Unreachable { .. } | Event::Unacknowledged { .. } => {}
            }
        }
        while let Some(Transmit { flow, bytes }) = self.endpoint.next_transmit() {
            if let Ok(message) = Message::parse(&bytes) {
                self.trace(now, true, &message);
            }
            self.outputs.push_back(Output::Transmit(Transmit { flow, bytes }));
        }
        let left = matches!(self.registration, Registration::Left);
        if self.leave_by.is_some() && left && self.calls.is_empty() && !self.finished {
            self.finished = true;
            self.tell(Told::Stopped);
            self.outputs.push_back(Output::Finished);
        }
    }
}
