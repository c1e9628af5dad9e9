//! One of ours stands at a phone of another exchange: the call that rings for them, or else the talk that they have, comes
//! there. Nobody of ours sits at such a phone: their next calls ring where they rang before.

use super::Taken;
use crate::exchange::Exchange;
use crate::sites::PhoneElsewhere;
use clock::Now;

impl Exchange {
    /// Somebody is identified at a phone of another exchange.
    pub(crate) fn take_elsewhere(&mut self, now: Now, account: &str, phone: &PhoneElsewhere) -> Taken {
        let device = &*phone.label;
        if let Some(call) = self.ringing_beside(account, device, None).first().copied() {
            if self.switch.rings_at(call, device)
                && let Some(call) = self.call_name(call)
            {
                return Taken::Ringing { call };
            }
            self.sites.stands_at(Some(phone.clone()));
            let taken = self.take_ringing_call(now, account, device, call, None);
            self.sites.stands_at(None);
            return taken;
        }
        if let Some(talk) = self.talk_elsewhere(account, device, None) {
            self.sites.stands_at(Some(phone.clone()));
            let taken = self.take_talk(now, account, device, talk, None);
            self.sites.stands_at(None);
            return taken;
        }
        match self.switch.call_at(device, None).and_then(|call| self.call_name(call)) {
            Some(call) => Taken::Here { call },
            None => Taken::Refused {
                rule: "seats.elsewhere",
                words: "no call rings for you now; nobody sits at a phone of another exchange".into(),
            },
        }
    }
}
