//! Who dismisses a notice silences their phones for this call: they stop ringing, and the caller notices nothing of it.
//!
//! What becomes of the call is what would have become of it if nobody had answered: with a forwarding for that case it goes
//! there at once; a group asks its next member; else the caller hears the ring-back to the end of the ring time, and the
//! person can still take the call with a tap. To dismiss is not to decline: no 6xx speaks for the person.

use crate::command::Answer;
use crate::events::CallName;
use crate::exchange::Exchange;
use crate::input::CommandId;
use crate::ongoing::Reach;
use crate::people::{ForwardWhen, Refusal};
use calls::{CallId, Cause};
use clock::Now;

/// What a phone is told whose owner wants it to be silent.
const DISMISSED: &str = "SIP;cause=480;text=\"Silenced by its owner\"";

impl Exchange {
    /// An account's phones are to be silent for a call that rings for it.
    pub(crate) fn dismiss(&mut self, now: Now, id: CommandId, account: &str, name: &CallName) {
        let answer = match self.silence(now, account, name) {
            true => Answer::Done,
            false => Answer::Refused(Refusal::Unknown("call", name.to_string().into())),
        };
        self.answer(id, answer);
    }

    /// False when it does not ring for the account.
    fn silence(&mut self, now: Now, account: &str, name: &CallName) -> bool {
        let call = name.call;
        let known = self.ongoing.call(call).is_some_and(|ongoing| ongoing.session_id == name.session_id);
        if !known || !self.rung_for(call).iter().any(|of| **of == *account) {
            return false;
        }
        self.notices.dismissed.insert((call, account.into()));
        self.note_call(now, call, "notice.dismissed", format!("{account} silenced their phones"));
        self.seats.asked.remove(&call);
        for phone in self.silenced_phones(call, account) {
            self.switch.stop_ringing(now, call, &phone, DISMISSED);
        }
        self.ongoing.touch(call);
        self.go_on_without(now, call, account);
        true
    }

    /// The phones that ring for nobody but this account.
    fn silenced_phones(&self, call: CallId, account: &str) -> Vec<Box<str>> {
        let ringing = self.switch.labels(call).filter(|label| self.switch.rings_at(call, label));
        let group = match self.ongoing.call(call).map(|ongoing| &ongoing.reach) {
            Some(Reach::Group { name, .. }) => self.people.group(name),
            _ => None,
        };
        let anothers = |phone: &str| {
            let member = |of: &str| group.is_some_and(|group| group.members.iter().any(|one| **one == *of));
            self.rung_at(phone)
                .any(|of| *of != *account && member(&of) && !self.notices.is_dismissed(call, &of))
        };
        ringing.filter(|phone| !anothers(phone)).map(Box::from).collect()
    }

    fn go_on_without(&mut self, now: Now, call: CallId, account: &str) {
        let Some(ongoing) = self.ongoing.call(call) else { return };
        match &ongoing.reach {
            Reach::Account if !self.switch.is_let_go(call) => {
                let settings = self.people.account(account).map(|account| &account.settings);
                if settings.is_some_and(|settings| settings.forwarding.no_answer.is_some()) {
                    self.not_reached(now, call, ForwardWhen::NoAnswer, Cause::NoAnswer, "dismissed");
                }
            }
            Reach::Group { .. } | Reach::Queue { .. } => {
                let rings = self.switch.labels(call).any(|label| self.switch.rings_at(call, label));
                if !rings {
                    self.switch.look_for_others(call);
                }
            }
            _ => {}
        }
    }
}
