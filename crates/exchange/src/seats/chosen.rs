//! A call that is taken by its name, as the web phone takes it from a card.

use super::Taken;
use crate::command::Answer;
use crate::events::CallName;
use crate::exchange::Exchange;
use crate::input::CommandId;
use clock::Now;
use sip::subscription::DialogState;

impl Exchange {
    /// Somebody at a phone takes one call and no other.
    pub(crate) fn take_named(
        &mut self,
        now: Now,
        id: CommandId,
        account: &str,
        device: &str,
        call: &CallName,
    ) {
        let taken = self.take_call(now, account, device, call);
        self.answer(id, Answer::Taken(taken));
    }

    /// Somebody is identified at a phone and has said which call they want: that one or none, and nobody sits down or
    /// leaves by it.
    fn take_call(&mut self, now: Now, account: &str, device: &str, name: &CallName) -> Taken {
        if let Err((rule, words)) = self.may_take(account, device, None) {
            return self.refuse_take(now, account, device, rule, words);
        }
        let call = name.call;
        let over =
            || Taken::Refused { rule: "seats.over", words: "the call is over, or is not theirs".into() };
        if self.call_name(call).as_ref() != Some(name) {
            return over();
        }
        if self.ringing_beside(account, device, None).contains(&call) {
            return self.take_ringing_call(now, account, device, call, None);
        }
        let Some(ongoing) = self.ongoing.call(call) else { return over() };
        let talks = ongoing.state == DialogState::Confirmed && !self.switch.is_let_go(call);
        if !talks || ongoing.emergency || !ongoing.accounts().any(|of| of == account) {
            return over();
        }
        match self.leg_elsewhere(account, device, call) {
            Some(leg) => self.take_talk(now, account, device, (call, leg), None),
            None if self.switch.sides(call).is_some() => Taken::Here { call: name.clone() },
            None => over(),
        }
    }
}
