//! Somebody of ours was called in vain from another exchange. Whoever keeps calling them there (S2) cannot see when they are free, so
//! the directory is told, once, and tells those exchanges that have tried.

use super::{SiteOutput, SiteWord};
use crate::dial_plan::Destination;
use crate::exchange::Exchange;
use calls::{CallId, CallRecord, Cause};
use clock::Now;
use directory::{Named as _, Number};

/// What a Request-URI has of a call that another exchange makes by itself.
pub(super) const PARAMETER: &str = "background";
/// Of so many it is remembered; whoever calls anybody else again goes by the clock.
const MISSED: usize = 10_000;

impl Exchange {
    /// A call is over: whether somebody is to be told of.
    pub(crate) fn note_missed_from_elsewhere(&mut self, record: &CallRecord) {
        if record.answered.is_some() || self.background.trying.contains_key(&record.call) {
            return;
        }
        // Whoever comes by no phone of ours and by no trunk comes from another exchange.
        let Some(ongoing) = self.ongoing.call(record.call) else { return };
        let elsewhere = ongoing.device.is_none() && ongoing.entry.is_none();
        let Some(account) = ongoing.callee_account.clone().filter(|_| elsewhere) else { return };
        let missed = &mut self.sites.missed;
        if missed.len() < MISSED || missed.contains_key(&account) {
            missed.insert(account, record.cause == Cause::Offline);
        }
    }

    /// An exchange calls somebody of ours by itself: whoever talks is not disturbed, and called the moment they are free.
    pub(super) fn is_called_when_free(&mut self, now: Now, call: CallId, dialled: &str) -> bool {
        let Destination::Account(callee) = self.destination(dialled) else { return false };
        let talks = self.talks(&callee);
        if talks {
            self.fail(now, call, Cause::Busy, "talks already");
        }
        talks
    }

    /// Whether somebody could not be reached at all from another exchange.
    pub(crate) fn was_away_for_elsewhere(&self, account: &str) -> bool {
        self.sites.missed.get(account).copied().unwrap_or(false)
    }

    /// Somebody of ours is free, or active again.
    pub(crate) fn tell_free(&mut self, now: Now, account: &str) {
        if !self.sites.asks() || !self.sites.missed.contains_key(account) || !self.can_talk(now, account) {
            return;
        }
        self.sites.missed.remove(account);
        let known = self.people.account(account);
        let numbers = known.map(|known| known.numbers.as_slice()).unwrap_or_default();
        let numbers: Vec<Number> = numbers.iter().filter_map(|number| Number::parse(number).ok()).collect();
        for number in numbers {
            self.ask_shell(SiteOutput::Tell(SiteWord::Free(number)));
        }
    }

    /// Somebody at another exchange is free: who waits for them here is not made to wait for a clock.
    pub(super) fn free_elsewhere(&mut self, now: Now, number: &Number) {
        if let Ok(number) = dialing::Number::parse(number.as_str()) {
            self.background.dialing.handle(now, dialing::Input::Free(number));
            self.carry_background(now);
        }
    }
}
