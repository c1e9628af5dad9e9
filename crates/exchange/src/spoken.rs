//! Refusals that are spoken: a person at a telephone hears why, as early media, and then gets the status (R1, R2).
//!
//! No answer is sent, so that nobody pays for a refusal. A caller from outside gets the status alone: its own network
//! speaks to it, in its language. An emergency, a transfer, and a phone that cannot hear us before the answer, get the
//! status at once, too.

use crate::codes::{Step, tongue};
use crate::dialogue::{Dialogue, Line, Script};
use crate::exchange::Exchange;
use calls::{CallId, Cause};
use clock::Now;
use media::Prompt;

impl Exchange {
    /// Refuses a call; a person hears `prompt` first, in the language of the account.
    pub(crate) fn refuse_spoken(
        &mut self,
        now: Now,
        call: CallId,
        prompt: Prompt,
        cause: Cause,
        detail: &str,
    ) {
        if !self.hears_refusals(call) || !self.switch.answer_early(now, call) {
            return self.fail(now, call, cause, detail);
        }
        let account = self.ongoing.call(call).and_then(|ongoing| ongoing.caller_account.clone());
        let language = account.and_then(|name| Some(self.people.account(&name)?.settings.language));
        let script = Script::say(vec![Line::Prompt(prompt)]);
        let dialogue = Dialogue::new(now.mono, script, tongue(language.unwrap_or_default()));
        self.converse_early(now, call, dialogue, Step::Refuse { cause, detail: detail.into() });
    }

    /// The same to a caller who hears us already.
    pub(crate) fn say_and_refuse(
        &mut self,
        now: Now,
        call: CallId,
        prompt: Prompt,
        cause: Cause,
        detail: &str,
    ) {
        let dialogue =
            Dialogue::at_once(now.mono, Script::say(vec![Line::Prompt(prompt)]), self.tongue_of_caller(call));
        self.converse_early(now, call, dialogue, Step::Refuse { cause, detail: detail.into() });
    }

    pub(crate) fn hears_refusals(&self, call: CallId) -> bool {
        let person = |ongoing: &crate::ongoing::Ongoing| ongoing.device.is_some() && !ongoing.emergency;
        self.ongoing.call(call).is_some_and(person)
            && !self.switch.is_replacing(call)
            && !self.services.is_full()
            && !self.services.has(call)
    }
}
