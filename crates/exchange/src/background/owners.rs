//! Whose tasks they are: the machine knows owners by numbers that are only good until the next start.

use crate::exchange::Exchange;
use crate::queues::is_queue;
use clock::Now;
use dialing::cause::Outcome;
use dialing::{Input, OwnerId};
use sip::subscription::DialogState;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names and numbers of owners.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    by_name: BTreeMap<Arc<str>, OwnerId>,
    names: Vec<Arc<str>>,
}

impl Owners {
    /// The number of an account.
    pub(crate) fn id(&mut self, account: &str) -> OwnerId {
        if let Some(id) = self.by_name.get(account) {
            return *id;
        }
        // As many as there are accounts that ever asked, which the directory bounds.
        let id = OwnerId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        let name: Arc<str> = account.into();
        self.names.push(Arc::clone(&name));
        self.by_name.insert(name, id);
        id
    }

    /// The number of an account that asked before.
    pub(crate) fn known(&self, account: &str) -> Option<OwnerId> {
        self.by_name.get(account).copied()
    }

    /// The name behind a number, shared by all who keep it.
    pub(crate) fn shared(&self, id: OwnerId) -> Arc<str> {
        self.names.get(id.0 as usize).cloned().unwrap_or_else(|| "".into())
    }

    /// Those that are queues.
    pub(crate) fn queues(&self) -> impl Iterator<Item = OwnerId> {
        self.by_name.iter().filter(|(name, _)| is_queue(name)).map(|(_, id)| *id)
    }

    /// The account behind a number.
    pub(crate) fn name(&self, id: OwnerId) -> &str {
        self.names.get(id.0 as usize).map_or("", |name| &**name)
    }
}

impl Exchange {
    /// Whether an owner could talk now: a phone of theirs is there or an app can be woken, they do not talk, and may be disturbed.
    pub(crate) fn can_talk(&self, now: Now, account: &str) -> bool {
        let Some(known) = self.people.account(account) else { return false };
        let (_, registered) = self.presence(now, account, None);
        let reached = registered || self.sites.has_apps(account);
        reached && !known.settings.do_not_disturb && !self.talks(account)
    }

    /// Whether somebody talks, or calls somebody.
    pub(crate) fn talks(&self, account: &str) -> bool {
        let here = self.ongoing.of(account).any(|(_, ongoing)| {
            ongoing.state == DialogState::Confirmed || ongoing.caller_account.as_deref() == Some(account)
        });
        let elsewhere = &self.cluster.elsewhere;
        here || elsewhere.talks(account) || elsewhere.of(account).any(|(_, call)| call.is_of_caller(account))
    }

    /// Something about an account is different: whether they can talk, or can be reached again.
    pub(crate) fn background_looks(&mut self, now: Now, account: &str) {
        let Some(owner) = self.background.owners.known(account) else { return };
        let at_once = u16::from(self.can_talk(now, account));
        self.background.dialing.handle(now, Input::Owner { owner, at_once, gap: 0 });
        self.carry_background(now);
    }

    /// A phone registered: whoever it rings for is there again.
    pub(crate) fn background_phone_is_back(&mut self, now: Now, device: &str) {
        if !self.background.tasks.is_empty() || self.sites.asks() {
            let accounts: Vec<Box<str>> = self.rung_at(device).collect();
            for account in accounts {
                // Phones come back all at once after a restart: only who was away is called for that.
                match self.was_away(&account) || self.was_away_for_elsewhere(&account) {
                    true => self.background_hears_of(now, &account),
                    false => self.background_looks(now, &account),
                }
            }
        }
    }

    /// Whether somebody was tried and could not be reached at all.
    fn was_away(&self, account: &str) -> bool {
        let numbers = self.people.account(account).map(|account| account.numbers.as_slice());
        let numbers = numbers.unwrap_or_default().iter().filter_map(|number| self.number_inside(number));
        let mut tasks = numbers.flat_map(|number| self.background.dialing.tasks_to(number));
        tasks.any(|task| {
            let last = self.background.tasks.get(&task).and_then(|known| known.attempts().last()?.outcome);
            matches!(last, Some(Outcome::Off | Outcome::Unreachable))
        })
    }

    /// Somebody inside has just become free, or active again: who waits for them is not made to wait for a clock.
    pub(crate) fn background_hears_of(&mut self, now: Now, account: &str) {
        self.background_looks(now, account);
        self.tell_free(now, account);
        if self.background.tasks.is_empty() || !self.can_talk(now, account) {
            return;
        }
        let numbers = self.people.account(account).map(|account| account.numbers.clone()).unwrap_or_default();
        for number in numbers {
            if let Some(number) = self.number_inside(&number) {
                self.background.dialing.handle(now, Input::Free(number));
                self.carry_background(now);
            }
        }
    }
}
