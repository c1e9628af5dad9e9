//! Intercom: the called telephone answers at once, by the form that its device has (R5).
//!
//! A telephone that answers by itself opens a microphone in somebody's room. So it does that only for a caller of the
//! office with the right `intercom` or a hunt group in common, only if its device has a form, and never for somebody who
//! does not want to be disturbed. It is not forwarded, and the caller's own message has no say in it.

use crate::codes::CodeAct;
use crate::dial_plan::Destination;
use crate::exchange::Exchange;
use crate::ongoing::Reach;
use crate::people::Right;
use crate::permissions::{Act, Verdict};
use calls::{CallId, Cause};
use clock::Now;
use media::Prompt;

impl Exchange {
    /// Calls a person's telephones that answer at once; or says why not.
    pub(crate) fn intercom(&mut self, now: Now, call: CallId, account: &str, number: Option<&str>) {
        let number = number.unwrap_or_default();
        let Destination::Account(owner) = self.destination(number) else {
            return self.no_intercom(now, call, Prompt::UnknownNumber, "nobody has the number");
        };
        if let Err((reason, rule)) = self.may_intercom(now, account, &owner) {
            return self.no_intercom(now, call, reason, rule);
        }
        let (callee, owner) = self.callee(number);
        let owner = owner.unwrap_or_default();
        if !self.ongoing.redirect(call, callee.clone(), Some(owner.clone())) {
            return self.fail(now, call, Cause::Loop, "the call asks for itself");
        }
        // Nobody's rules send it on.
        if let Some(ongoing) = self.ongoing.call_mut(call) {
            ongoing.reach = Reach::Service;
        }
        let own = self.ongoing.call(call).and_then(|ongoing| ongoing.device.clone());
        if self.ring_at_once(now, call, &owner, &callee, own.as_deref()) == 0 {
            return self.no_intercom(now, call, Prompt::NobodyAvailable, "no device that answers at once");
        }
        self.note_call(now, call, "intercom", format!("{owner} is called to answer at once"));
        self.switch.limit_ringing(now, call, self.config.ring_limit);
        self.call_progresses(now, call);
    }

    fn may_intercom(&mut self, now: Now, account: &str, owner: &str) -> Result<(), (Prompt, &'static str)> {
        let together = self.people.share_a_group(account, owner);
        if !together && let Verdict::Deny(rule) = self.may(now, Some(account), Act::Use(Right::Intercom)) {
            return Err((Prompt::NotAllowed, rule));
        }
        let may_disturb = self.people.account(owner).is_some_and(|owner| !owner.settings.do_not_disturb);
        if may_disturb { Ok(()) } else { Err((Prompt::NobodyAvailable, "do-not-disturb")) }
    }

    fn no_intercom(&mut self, now: Now, call: CallId, reason: Prompt, words: &str) {
        self.begin_code(
            now,
            call,
            CodeAct::Intercom,
            crate::dialogue::Script::default(),
            crate::codes::Step::Store,
        );
        self.say_why(now, call, reason, words);
    }
}
