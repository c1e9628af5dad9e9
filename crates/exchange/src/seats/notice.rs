//! Who is told, and in which words: the one who identified, and whoever uses the phone.

use super::{SeatRow, Taken};
use crate::events::{Audience, Happened};
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::people::Language;
use crate::shown::Shown;
use calls::{CallId, Party};
use clock::Now;

impl Exchange {
    /// A call rings at the phone that took it, and nowhere else.
    pub(crate) fn call_taken(&mut self, now: Now, call: CallId) {
        self.seats.asked.remove(&call);
        self.note_call(
            now,
            call,
            "take.rings",
            "it rings at the phone that took it, and nowhere else".into(),
        );
        // What is left of its time is for somebody who stands there.
        self.switch.limit_ringing(now, call, self.config.ring_limit);
        self.ongoing.touch(call);
    }

    /// A talk is at another phone of the same person.
    pub(crate) fn talk_moved(&mut self, now: Now, call: CallId) {
        if let Some(asked) = self.seats.asked.remove(&call) {
            self.note_call(now, call, "take.moved", format!("the talk is at {}", asked.device));
        }
        self.unpark(now, call);
        self.ongoing.touch(call);
    }

    /// The phone that was to take a call, or a talk, did not: what was before goes on, and both are told (R5, R6).
    pub(crate) fn call_not_taken(&mut self, now: Now, call: CallId, status: u16) {
        // A transfer that came to nothing is over.
        if let Some(ongoing) = self.ongoing.call_mut(call) {
            ongoing.moving = None;
        }
        let Some(asked) = self.seats.asked.remove(&call) else { return };
        let (account, device) = (asked.account, asked.device);
        let why = match status {
            200 => format!("another phone was quicker than {device}"),
            408 => format!("{device} did not ring"),
            status => format!("{device} said {status}"),
        };
        self.note_call(now, call, "take.failed", why.clone());
        self.tell_take_failed(now, &account, &device, why);
    }

    /// A person is refused at a phone; both they and whoever uses it are told.
    pub(super) fn refuse_take(
        &mut self,
        now: Now,
        account: &str,
        device: &str,
        rule: &'static str,
        words: String,
    ) -> Taken {
        self.note_phone(now, device, rule, format!("{account} was refused: {words}"));
        if rule == "seats.in-use" {
            let user = self.person_at(device).map(Box::<str>::from).unwrap_or_default();
            let name = self.display_of(account);
            let text = Shown::Wanted { name: &name }.text(self.language_of(&user));
            self.show_at(now, device, &text);
        }
        self.tell_take_failed(now, account, device, words.clone());
        Taken::Refused { rule, words: words.into() }
    }

    /// Says at the phone who called just before.
    pub(super) fn show_who_called(&mut self, now: Now, account: &str, device: &str, caller: &Party) {
        let Party { name, number } = caller;
        let text = Shown::Missed { name, number }.text(self.language_of(account));
        self.show_at(now, device, &text);
    }

    /// A seat was taken or left.
    pub(super) fn seat_changed(&mut self, now: Now, device: &str, account: &str) {
        self.listening.touch_device(device);
        self.agents.phone_stirred(device);
        self.agents.person_stirred(account);
        let owner = self.people.device(device).map(|device| device.account.clone());
        for account in owner.iter().map(|owner| &**owner).chain([account]) {
            self.ongoing.touch_all_of(account);
            self.tell_watchers(now, account);
        }
        let audience = Audience::all(owner.into_iter().chain([account.into()]).collect());
        let what = match self.seat_row(device) {
            Some(row) => Happened::SeatChanged(Box::new(row)),
            None => Happened::SeatRemoved { device: device.into(), account: account.into() },
        };
        self.tell_if_heard(now, audience, what);
    }

    /// A phone as it is in the list of seats.
    pub(crate) fn seat_row(&self, device: &str) -> Option<SeatRow> {
        let seat = self.seats.at(device)?.clone();
        let owner = self.people.device(device).map(|device| device.account.clone()).unwrap_or_default();
        Some(SeatRow { device: device.into(), owner, seat })
    }

    fn tell_take_failed(&mut self, now: Now, account: &str, device: &str, words: String) {
        let user = self.person_at(device).map(Box::<str>::from);
        let mut accounts: Vec<Box<str>> = user.into_iter().chain([account.into()]).collect();
        accounts.dedup();
        let what =
            Happened::TakeFailed { account: account.into(), device: device.into(), words: words.into() };
        self.tell_if_heard(now, Audience::all(accounts), what);
    }

    /// Leaves a fact about a phone.
    pub(super) fn note_phone(&mut self, now: Now, device: &str, rule: &str, words: String) {
        self.note(now, FactKind::Device, device, rule, words);
    }

    fn display_of(&self, account: &str) -> Box<str> {
        let known = self.people.account(account).map(|account| account.display.clone());
        known.filter(|display| !display.is_empty()).unwrap_or_else(|| account.into())
    }

    pub(crate) fn language_of(&self, account: &str) -> Language {
        self.people.account(account).map(|account| account.settings.language).unwrap_or_default()
    }
}
