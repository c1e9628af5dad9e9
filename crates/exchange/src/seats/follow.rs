//! What changes while a call rings takes effect on that call (S1.10, S1.13): seats that end, numbers that go to somebody
//! else, people who leave.

use super::Seat;
use crate::change::{Change, Owned};
use crate::exchange::{Exchange, Promise};
use crate::ongoing::{Ongoing, Reach};
use crate::people::PeopleChange;
use calls::{CallId, CallRecord, Cause};
use clock::Now;
use sip::subscription::DialogState;

/// What a phone is told that rings for somebody who is there no more.
const LEFT: &str = "SIP;cause=480;text=\"Signed out\"";
/// What phones are told when the number that was called is another's now.
const REMAPPED: &str = "SIP;cause=480;text=\"The number has moved\"";

impl Exchange {
    /// A seat ends; what rings there for the person stops, what they talk there goes on.
    pub(crate) fn leave_seat(&mut self, now: Now, device: &str, rule: &str, words: &str) {
        let Some(seat) = self.seats.remove(now, device) else { return };
        let Seat { account, .. } = seat;
        self.commit(now, vec![Change::Seat { device: device.into(), seat: None }], Promise::Nothing);
        self.note_phone(now, device, rule, words.to_owned());
        self.stop_ringing_for(now, &account, device);
        self.seat_changed(now, device, &account);
        // The owner's calls may ring here again.
        self.ring_late(now, device);
    }

    /// A phone rings no more for an account, unless it still is one of its phones.
    fn stop_ringing_for(&mut self, now: Now, account: &str, device: &str) {
        if self.phones_of(account).iter().any(|phone| **phone == *device) {
            return;
        }
        let of = |(call, ongoing): (CallId, &Ongoing)| {
            let waits = ongoing.state != DialogState::Confirmed;
            let mine = match &ongoing.reach {
                Reach::Account => ongoing.callee_account.as_deref() == Some(account),
                // Another member may be there.
                Reach::Group { .. } => self.rung_at(device).next().is_none(),
                Reach::Queue { .. } => self.is_reserved_for(account, call),
                Reach::Service | Reach::Elsewhere { .. } | Reach::Outside(_) => false,
            };
            (waits && mine).then_some(call)
        };
        let calls: Vec<CallId> = self.ongoing.iter().filter_map(of).collect();
        for call in calls {
            if self.switch.stop_ringing(now, call, device, LEFT) {
                self.note_call(now, call, "seats.left", format!("{account} is no longer at {device}"));
                self.switch.look_for_others(call);
            }
        }
    }

    /// Somebody sat down at a phone, or left it, by another exchange over the same store.
    pub(crate) fn seat_elsewhere(&mut self, now: Now, device: &str, seat: Option<Seat>) {
        let before = self.seats.remove(now, device);
        if let Some(Seat { account, .. }) = &before {
            self.stop_ringing_for(now, account, device);
            self.seat_changed(now, device, account);
        }
        let people = &self.people;
        let known = |seat: &Seat| people.device(device).is_some() && people.account(&seat.account).is_some();
        if let Some(seat) = seat.filter(known) {
            let account = seat.account.clone();
            self.seats.put(now, device, seat);
            self.seat_changed(now, device, &account);
        }
        self.ring_late(now, device);
    }

    /// Seats that end by themselves.
    pub(crate) fn expire_seats(&mut self, now: Now) {
        while let Some(device) = self.seats.expired(now.wall) {
            self.leave_seat(now, &device, "seats.time", "the time of the seat is over");
        }
        self.seats.look_at_clock(now);
    }

    /// Directory changes are in force: calls that ring follow them.
    pub(crate) fn follow_people(&mut self, now: Now, changes: &[Owned]) {
        let (mut numbers, mut phones) = (false, false);
        for owned in changes {
            let Change::People(change) = &owned.change else { continue };
            match change {
                PeopleChange::PutNumber { .. } | PeopleChange::RemoveNumber { .. } => numbers = true,
                PeopleChange::PutDevice { .. } => phones = true,
                PeopleChange::RemoveDevice { name } => {
                    phones = true;
                    self.phone_left(now, name);
                }
                PeopleChange::RemoveAccount { name } => self.person_left(now, name),
                // Perhaps they may be disturbed again.
                PeopleChange::PutAccount { name, .. } => self.background_hears_of(now, name),
                _ => {}
            }
        }
        if numbers {
            self.follow_numbers(now);
        }
        if phones {
            // A call shows only phones that there are, whoever talks there.
            let calls: Vec<CallId> = self.ongoing.iter().map(|(call, _)| call).collect();
            calls.into_iter().for_each(|call| self.ongoing.touch(call));
        }
    }

    fn phone_left(&mut self, now: Now, device: &str) {
        self.leave_seat(now, device, "seats.no-phone", "the phone is no more");
        let calls: Vec<CallId> = self.ongoing.iter().map(|(call, _)| call).collect();
        for call in calls {
            if self.switch.stop_ringing(now, call, device, LEFT) {
                self.switch.look_for_others(call);
            }
        }
    }

    /// Somebody left for good: their seats and their calls end now.
    fn person_left(&mut self, now: Now, account: &str) {
        self.stop_tasks_of(now, account);
        self.seats.forget(account);
        let seats: Vec<Box<str>> = self.seats.of(account).map(Box::from).collect();
        for device in seats {
            self.leave_seat(now, &device, "seats.leaver", &format!("{account} left the office"));
        }
        let calls: Vec<(CallId, bool)> = self
            .ongoing
            .of(account)
            .filter(|(_, ongoing)| !ongoing.emergency)
            .map(|(call, ongoing)| (call, ongoing.caller_account.as_deref() == Some(account)))
            .collect();
        for (call, caller) in calls {
            self.note_call(now, call, "leaver", format!("{account} left the office"));
            self.switch.hang_up(now, call, Cause::SignedOut { caller });
        }
    }

    /// Numbers are of others now: a call that rings for one goes where the number goes.
    fn follow_numbers(&mut self, now: Now) {
        let moved = |(call, ongoing): (CallId, &Ongoing)| {
            if ongoing.state == DialogState::Confirmed || ongoing.reach != Reach::Account {
                return None;
            }
            let (callee, account) = self.callee(&ongoing.callee.number);
            (account != ongoing.callee_account).then_some((call, callee, account))
        };
        let calls: Vec<_> = self.ongoing.iter().filter_map(moved).collect();
        for (call, callee, account) in calls {
            let number = callee.number.clone();
            let words = match &account {
                Some(account) => format!("{number} is {account}'s now"),
                None => format!("{number} is nobody's now"),
            };
            self.note_call(now, call, "number.moved", words);
            self.seats.asked.remove(&call);
            self.switch.stop_all_ringing(now, call, REMAPPED);
            self.switch.try_anew(call);
            if let Some(ongoing) = self.ongoing.call_mut(call) {
                ongoing.callee = callee;
            }
            self.ongoing.belongs(call, account.clone());
            match account {
                Some(account) => self.call_account(now, call, &account, &number),
                None => self.fail(now, call, Cause::UnknownNumber, "the number is nobody's any more"),
            }
        }
    }

    /// A call is over: who called is remembered for whoever comes too late.
    pub(crate) fn note_missed(&mut self, now: Now, record: &CallRecord) {
        self.seats.asked.remove(&record.call);
        let missed = record.answered.is_none() && matches!(record.cause, Cause::Cancelled | Cause::NoAnswer);
        let Some(ongoing) = self.ongoing.call(record.call).filter(|_| missed) else { return };
        if let (Some(account), caller) = (ongoing.callee_account.clone(), ongoing.caller.clone()) {
            self.seats.missed.note(now.mono, &account, caller);
        }
    }
}
