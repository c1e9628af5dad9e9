//! Forwarding: where a call goes when the one it is for is busy, silent, away, or wants it so.

use crate::exchange::Exchange;
use crate::limits;
use crate::ongoing::Reach;
use crate::people::ForwardWhen;
use calls::{CallId, Cause, Party};
use clock::Now;
use sip::subscription::DialogState;

impl Exchange {
    /// A call for a person: rings, or goes where the person says.
    pub(crate) fn call_account(&mut self, now: Now, call: CallId, owner: &str, number: &str) {
        let Some(account) = self.people.account(owner) else { return };
        let callee = Party::new(number, &account.display);
        // R31: whoever an emergency service calls back is reached.
        let from_outside = self.ongoing.call(call).is_some_and(|ongoing| ongoing.device.is_none());
        let called_back = from_outside && self.call_backs.is_expected(now, owner);
        let (disturb, always) =
            (!account.settings.do_not_disturb, account.settings.forwarding.always.clone());
        let answers_late = account.settings.forwarding.no_answer.is_some();
        if let Some(ongoing) = self.ongoing.call_mut(call) {
            ongoing.reach = Reach::Account;
        }
        if let Some(to) = always.filter(|_| !called_back) {
            return self.forward(now, call, owner, ForwardWhen::Always, &to);
        }
        if !disturb && !called_back {
            self.note_call(now, call, "do-not-disturb", format!("{owner} does not want to be disturbed"));
            return self.not_reached(now, call, ForwardWhen::Busy, Cause::Busy, "do not disturb");
        }
        let caller = self.ongoing.call(call).and_then(|ongoing| ongoing.device.clone());
        let (awaited, registered) = self.presence(now, owner, caller.as_deref());
        let ringing = self.ring_account(now, call, owner, &callee, caller.as_deref());
        let woken = self.wake_apps(now, call, owner, number, ringing > 0);
        let woken = (ringing == 0 && self.waits_for_phones(call, Cause::Offline)) || woken;
        match (ringing, registered, awaited) {
            (0, ..) if woken => {}
            // R12: bounded; ends with 480 if the phone does not come back.
            (0, false, true) => self.switch.limit_ringing(now, call, limits::RETURN),
            (0, false, false) => {
                self.not_reached(now, call, ForwardWhen::Offline, Cause::Offline, "no device is registered");
            }
            (0, true, _) => self.fail(now, call, Cause::Overload, "no media port is free"),
            _ => {
                let limit = if answers_late { self.config.no_answer_limit } else { self.config.ring_limit };
                self.switch.limit_ringing(now, call, limit);
                self.call_progresses(now, call);
            }
        }
    }

    /// Whether a device of an account, other than the caller's, is on its way back, and whether one is registered.
    pub(crate) fn presence(&self, now: Now, owner: &str, but: Option<&str>) -> (bool, bool) {
        let devices = self.phones_of(owner);
        let others = || devices.iter().filter(|device| Some(&***device) != but);
        let awaited = others().any(|device| self.registrar.is_awaited(device, now.mono));
        (awaited, others().any(|device| self.registrar.is_reachable(device)))
    }

    /// The person was not reached: the call goes on where the person says for this case, or ends.
    pub(crate) fn not_reached(
        &mut self,
        now: Now,
        call: CallId,
        when: ForwardWhen,
        cause: Cause,
        detail: &str,
    ) {
        let owner = self.ongoing.call(call).and_then(|ongoing| ongoing.callee_account.clone());
        let to = owner.as_deref().and_then(|owner| self.people.account(owner)?.settings.forwarding.to(when));
        match (owner.clone(), to.map(Box::<str>::from)) {
            (Some(owner), Some(to)) => self.forward(now, call, &owner, when, &to),
            _ => self.not_answered(now, call, cause, detail),
        }
    }

    /// Nobody is left to try: the call ends, unless the exchange is to keep calling.
    pub(crate) fn not_answered(&mut self, now: Now, call: CallId, cause: Cause, detail: &str) {
        if !self.offers_background(now, call, cause, detail) {
            self.fail(now, call, cause, detail);
        }
    }

    /// The devices of a person rang, and none answered.
    pub(crate) fn account_exhausted(&mut self, now: Now, call: CallId, cause: Cause) {
        let when = match cause {
            Cause::Busy | Cause::Declined => ForwardWhen::Busy,
            Cause::Offline => ForwardWhen::Offline,
            _ => ForwardWhen::NoAnswer,
        };
        self.not_reached(now, call, when, cause, "");
    }

    /// Sends a call on to another number, on the account of the one who wants it so (R9).
    fn forward(&mut self, now: Now, call: CallId, owner: &str, when: ForwardWhen, to: &str) {
        let rule = match when {
            ForwardWhen::Always => "forward.always",
            ForwardWhen::Busy => "forward.busy",
            ForwardWhen::NoAnswer => "forward.no-answer",
            ForwardWhen::Offline => "forward.offline",
        };
        self.note_call(now, call, rule, format!("{owner} forwards to {to}"));
        if let Some(ongoing) = self.ongoing.call_mut(call) {
            ongoing.payer = Some(owner.into());
        }
        self.send_on(now, call, to);
    }

    /// The call asks for another number now. At most five times, and never for the same number twice (R9).
    pub(crate) fn send_on(&mut self, now: Now, call: CallId, to: &str) {
        let Some(ongoing) = self.ongoing.call_mut(call) else { return };
        ongoing.forwards += 1;
        if ongoing.forwards > limits::FORWARDS {
            return self.fail(now, call, Cause::Loop, "forwarded too often");
        }
        let callee = self.callee(to);
        if !self.ongoing.redirect(call, callee.0, callee.1) {
            return self.fail(now, call, Cause::Loop, "forwarded in a circle");
        }
        self.switch.try_anew(call);
        self.route(now, call, to);
    }

    /// Something rings for the call: those who watch its parties see it.
    pub(crate) fn call_progresses(&mut self, now: Now, call: CallId) {
        self.call_moved_to(now, call, DialogState::Early);
    }
}
