//! Call lists by what is dialled at a desk phone, in a call or after it, with a spoken answer.

use super::super::{Asker, ListAsking};
use super::{DeskAsking, DeskSaid, DeskWhen};
use crate::codes::CodeAct;
use crate::exchange::Exchange;
use calls::CallId;
use clock::Now;
use media::Prompt;

/// Later, without a digit and by one: minutes.
const LATER: [(&str, DeskWhen); 3] =
    [("1", DeskWhen::Minutes(15)), ("2", DeskWhen::Minutes(60)), ("3", DeskWhen::Tomorrow)];

impl Exchange {
    /// An agent dials one of the codes of their list.
    pub(crate) fn list_by_code(
        &mut self,
        now: Now,
        call: CallId,
        account: &str,
        act: CodeAct,
        digits: Option<&str>,
    ) {
        let device = self.ongoing.call(call).and_then(|ongoing| ongoing.device.clone());
        self.begin_stored_code(now, call, act);
        let say = |said| DeskAsking::Say { account: account.into(), row: None, said };
        let asking = match (act, digits) {
            (CodeAct::ListOn, _) => Some(DeskAsking::Start { account: account.into(), device }),
            (CodeAct::ListOff, _) => Some(DeskAsking::Stop(account.into())),
            (CodeAct::ListSkip, _) => Some(say(DeskSaid::Skip)),
            (CodeAct::ListLater, digits) => {
                let digits = digits.unwrap_or("1");
                let when = LATER.iter().find(|(known, _)| *known == digits).map(|(_, when)| *when);
                // More digits are minutes.
                let minutes = || digits.parse().ok().filter(|_| digits.len() > 1).map(DeskWhen::Minutes);
                when.or_else(minutes).map(|when| say(DeskSaid::Later(when)))
            }
            (_, Some(digits)) => {
                let key = digits.chars().next().filter(|key| digits.len() == 1 && key.is_ascii_digit());
                let known = key.filter(|key| self.config.lists.assignment.keys.contains_key(key));
                known.map(|key| say(DeskSaid::Mark { result: key.to_string().into(), note: None }))
            }
            (_, None) => None,
        };
        match asking {
            Some(asking) => self.ask_lists_by(now, Asker::Call(call), ListAsking::Desk(asking)),
            None => self.say_why(now, call, Prompt::NotUnderstood, "no such key"),
        }
    }
}
