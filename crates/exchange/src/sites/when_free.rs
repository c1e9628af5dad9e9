//! "Call me when free": whoever waits by an app does not have to. Their home keeps calling for them, as for anybody of its own
//! (S2.1), and wakes the app when the other side is there (C13, C3).
//!
//! ```text
//! directory --WhenFree--> home: a background call of the app's account --written down--> Said(Kept)
//!                               \-> may not, no such number, the store is away: Said(Refused), in words
//! ```

use super::{SiteOutput, SiteWord};
use crate::background::{NewTask, Waiter};
use crate::exchange::Exchange;
use crate::people::Refusal;
use clock::Now;
use directory::{AccountName, DeviceId, Named as _, Number, RequestId, Said};
use std::collections::BTreeMap;

/// Who waits for the word that it is written down.
#[derive(Debug, Default)]
pub(super) struct WhenFree {
    asked: BTreeMap<u64, (DeviceId, RequestId)>,
    next: u64,
}

impl Exchange {
    /// One of ours asks by an app.
    pub(super) fn app_waits_at_home(
        &mut self,
        now: Now,
        caller: DeviceId,
        id: RequestId,
        account: &AccountName,
        callee: &Number,
    ) {
        let asked = &mut self.sites.when_free;
        asked.next += 1;
        let number = asked.next;
        asked.asked.insert(number, (caller, id));
        if !self.may_promise() {
            return self.answer_app(number, Said::Refused("the store is not available".into()));
        }
        let (account, callee) = (account.as_str().into(), callee.as_str().into());
        let new = NewTask { account, number: callee, ..NewTask::default() };
        match self.start_task(now, new, Some(Waiter::App(number))) {
            // It is answered when that is written down.
            Ok(_) => {}
            // They are called already.
            Err(Refusal::Exists(..)) => self.answer_app(number, Said::Kept),
            Err(refusal) => self.answer_app(number, Said::Refused(refusal.to_string().into())),
        }
    }

    /// What came of it. When the directory is away meanwhile nobody hears that, and asks again.
    pub(crate) fn answer_app(&mut self, number: u64, said: Said) {
        if let Some((caller, id)) = self.sites.when_free.asked.remove(&number) {
            self.ask_shell(SiteOutput::Tell(SiteWord::Said(caller, id, said)));
        }
    }
}
