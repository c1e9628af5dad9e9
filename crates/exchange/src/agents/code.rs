//! Agents by what is dialled at a phone, with a spoken answer: the keys of a desk phone are speed dials with codes.

use super::agent::SignIn;
use crate::codes::{CodeAct, Step};
use crate::dialogue::{Line, Script};
use crate::exchange::Exchange;
use crate::people::Refusal;
use calls::CallId;
use clock::Now;
use media::Prompt;

/// The reason of a break that is dialled without a digit.
const BREAK: &str = "break";

/// The reason behind what was dialled after the code of a break: a digit, or nothing.
fn pause_reason(exchange: &Exchange, digit: Option<&str>) -> Option<Box<str>> {
    match digit {
        None => Some(exchange.config.agents.reason("1").unwrap_or(BREAK).into()),
        Some(digit) => exchange.config.agents.reason(digit).map(Box::from),
    }
}

impl Exchange {
    /// An agent dials one of the codes of their work.
    pub(crate) fn work_by_code(
        &mut self,
        now: Now,
        call: CallId,
        account: &str,
        act: CodeAct,
        digit: Option<&str>,
    ) {
        let device = self.ongoing.call(call).and_then(|ongoing| ongoing.device.clone());
        let (done, said) = match act {
            CodeAct::WorkOn => {
                let sign_in = SignIn { device, ..SignIn::default() };
                (self.sign_agent_in(now, account, sign_in), Prompt::WorkOn)
            }
            CodeAct::WorkOff => (
                match self.sign_agent_out(now, account, "agents.code") {
                    true => Ok(()),
                    false => Err(Refusal::Unknown("sign-in", account.into())),
                },
                Prompt::WorkOff,
            ),
            CodeAct::WorkReady => (self.agent_is_ready(now, account), Prompt::Ready),
            CodeAct::WorkPause => {
                let reason = pause_reason(self, digit);
                let unknown = || Refusal::Nonsense("there is no such reason".into());
                let done = reason.ok_or_else(unknown).and_then(|r| self.pause_agent(now, account, &r, None));
                (done, Prompt::NotReady)
            }
            _ => (self.extend_wrap_up(now, account), Prompt::WrapUpLonger),
        };
        self.begin_code(now, call, act, Script::default(), Step::Store);
        match done {
            Ok(()) => self.say_done(now, call, vec![Line::Prompt(said)]),
            Err(refusal) => self.say_why(now, call, Prompt::NotAllowed, &refusal.to_string()),
        }
    }
}
