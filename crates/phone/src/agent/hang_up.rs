//! The end of a call: BYE, CANCEL, a refusal, or silence.

use super::ask::Purpose;
use super::call::Stage;
use super::{Agent, Output, SoundOrder};
use crate::words::{CallId, Cause, Event};
use clock::Now;
use sip::ServerKey;

impl Agent {
    /// The person hangs up, or gives up.
    pub(super) fn hang_up(&mut self, now: Now, named: Option<CallId>) {
        match self.find(named, |stage| !matches!(stage, Stage::Leaving)) {
            Some(id) => self.end(now, id),
            None => self.cannot("there is no call"),
        }
    }

    pub(super) fn end_all_calls(&mut self, now: Now) {
        let all: Vec<CallId> = self.calls.keys().copied().collect();
        for id in all {
            self.end(now, id);
        }
    }

    fn end(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match &call.stage {
            Stage::Talking(_) => self.end_answered(now, id, Cause::WeHungUp),
            Stage::Alerting(_) => self.decline(now, id, 486, Cause::WeRejected),
            Stage::Dialling(dialling) => {
                let invite = dialling.invite;
                call.stage = Stage::Leaving;
                self.endpoint.cancel(now.mono, invite, None);
                self.tell_ended(id, Cause::Cancelled);
            }
            Stage::Leaving => {}
        }
    }

    /// Ends an answered call from our side.
    pub(super) fn end_answered(&mut self, now: Now, id: CallId, cause: Cause) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(talking) = call.talking() else { return };
        // RFC 3261 section 15: the callee sends no BYE before the ACK, or before it is given up.
        if talking.unacknowledged.is_some() && cause == Cause::WeHungUp {
            talking.bye_after_ack = true;
        } else {
            call.stage = Stage::Leaving;
            call.session_due = None;
            self.ask(now, id, Purpose::Bye);
        }
        self.tell_ended(id, cause);
    }

    pub(super) fn bye_from_peer(&mut self, now: Now, id: CallId, server: ServerKey) {
        self.respond(now, server, 200);
        let Some(call) = self.calls.get_mut(&id) else { return };
        match &call.stage {
            Stage::Talking(talking) => {
                // RFC 3261 15.1.2: what is pending of theirs ends with the dialog.
                if let Some(pending) = talking.unacknowledged {
                    self.endpoint.acknowledged(now.mono, pending);
                }
                self.over(id, Cause::TheyHungUp);
            }
            Stage::Alerting(_) => self.decline(now, id, 487, Cause::CallerGaveUp),
            // Both hung up at once: our BYE finds its own answer.
            Stage::Dialling(_) | Stage::Leaving => {}
        }
    }

    /// Nothing more is to be said: the call is gone.
    pub(super) fn over(&mut self, id: CallId, cause: Cause) {
        self.tell_ended(id, cause);
        self.forget(id);
    }

    pub(super) fn forget(&mut self, id: CallId) {
        if let Some(call) = self.calls.remove(&id) {
            self.give_back(call.port);
        }
    }

    /// Tells the end once, and frees the port.
    fn tell_ended(&mut self, id: CallId, cause: Cause) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(port) = call.port.take() else { return };
        let number = call.number.clone();
        self.give_back(Some(port));
        self.tell(Event::Ended { call: id, cause: cause.clone().into() });
        self.count(&number, &cause);
    }

    /// One more call may have it, unless it lies at an address that we have left.
    pub(super) fn keep_port(&mut self, port: u16) {
        if self.sound.as_ref().is_some_and(|sound| sound.ports.contains(&port)) {
            self.ports.push_back(port);
        }
    }

    fn give_back(&mut self, port: Option<u16>) {
        if let Some(port) = port {
            self.outputs.push_back(Output::Sound(SoundOrder::Stop { port }));
            self.keep_port(port);
        }
    }
}
