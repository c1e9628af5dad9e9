//! Pickup across exchanges: who dials the code with a number of another exchange calls it there, and that exchange connects them
//! with what rings for the number.
//!
//! Two have to agree, and neither does unless told: the caller's exchange lets those call so who have the right `pickup`, and the
//! exchange where it rings takes it from those that its operator lists. The caller is one of that exchange's people, as the copy
//! of the directory says.

use crate::codes::CodeAct;
use crate::exchange::Exchange;
use crate::people::Right;
use crate::permissions::{Act, Verdict};
use calls::{CallId, Cause};
use clock::Now;
use directory::{AccountName, ExchangeName, Named as _};
use media::Prompt;

/// What a Request-URI has that asks for a pickup.
pub(super) const PARAMETER: &str = "pickup";

impl Exchange {
    /// The number is another exchange's.
    pub(crate) fn pick_up_elsewhere(&mut self, now: Now, by: CallId, account: &str, number: &str) {
        if let Verdict::Deny(rule) = self.may(now, Some(account), Act::Use(Right::Pickup)) {
            return self.no_pickup(now, by, CodeAct::PickUpOf, Prompt::NotAllowed, rule);
        }
        self.sites.picking_up.insert(by);
        self.call_elsewhere(now, by, number);
    }

    /// Somebody of another exchange picks up what rings for a number of ours.
    pub(super) fn pick_up_for(&mut self, now: Now, by: CallId, exchange: &ExchangeName, number: &str) {
        if !self.config.pickup_from.contains(exchange) {
            let why = "this exchange takes no pickup from that one";
            return self.no_pickup(now, by, CodeAct::PickUpOf, Prompt::NotAllowed, why);
        }
        let caller = self.ongoing.call(by).map(|ongoing| ongoing.caller.number.to_string());
        let account = caller.and_then(|caller| self.sites.person_of(exchange, &caller));
        let Some(account) = account else {
            let why = "the caller is not one of that exchange's people";
            return self.no_pickup(now, by, CodeAct::PickUpOf, Prompt::NotAllowed, why);
        };
        match self.ringing_for_number(number, by) {
            Ok(call) => self.pick_up_call(now, by, account.as_str(), CodeAct::PickUpOf, call),
            Err(why) => self.no_pickup(now, by, CodeAct::PickUpOf, Prompt::UnknownNumber, why),
        }
    }

    /// The other exchange cannot be reached, or says no: whoever dialled the code hears so. True when it was such a call.
    pub(crate) fn pickup_failed(&mut self, now: Now, call: CallId, cause: Cause, why: &str) -> bool {
        if !self.sites.picking_up.remove(&call) {
            return false;
        }
        let prompt = match cause {
            Cause::Forbidden => Prompt::NotAllowed,
            Cause::UnknownNumber => Prompt::UnknownNumber,
            _ => Prompt::NobodyAvailable,
        };
        self.no_pickup(now, call, CodeAct::PickUpOf, prompt, why);
        true
    }
}

impl super::Sites {
    /// Whose number it is, of an exchange's people.
    fn person_of(&self, exchange: &ExchangeName, number: &str) -> Option<AccountName> {
        let copy = self.joined.as_ref()?.copy.as_ref()?;
        let has = |numbers: &[directory::Number]| numbers.iter().any(|known| known.as_str() == number);
        let mut accounts = copy.accounts.iter();
        let (name, _) = accounts.find(|(_, entry)| entry.home == *exchange && has(&entry.numbers))?;
        Some(name.clone())
    }
}
