//! Tap is take: the one way in for every means of identification, with an answer for every moment.
//!
//! Whoever stands at a phone and has said who they are gets the call that rings for them, or else the talk that they
//! have elsewhere, or else a seat. Of two calls that ring it is the older one; a second tap within
//! [`limits::SECOND_TAP`] takes the other instead. An emergency call is never taken (R31).

use super::Seat;
use super::table::{Asked, Recent};
use crate::change::Change;
use crate::events::CallName;
use crate::exchange::{Exchange, Promise};
use crate::limits;
use crate::ongoing::{Ongoing, Reach};
use crate::people::is_web_name;
use calls::{CallId, LegId, Party};
use clock::{Now, Wall};
use sip::subscription::DialogState;
use std::fmt;

/// By what somebody was identified at a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A badge, at a reader beside the phone.
    Badge,
    /// A number and its PIN, keyed at the phone.
    Pin,
    /// A code, dialled at a phone at which the person is already.
    Code,
    /// A session: a button of a web phone, or a QR code that it read.
    Web,
    /// Somebody who runs the office said so.
    Office,
}

impl Means {
    /// All there are.
    pub const ALL: [Means; 5] = [Means::Badge, Means::Pin, Means::Code, Means::Web, Means::Office];

    /// The name in facts and events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Means::Badge => "badge",
            Means::Pin => "pin",
            Means::Code => "code",
            Means::Web => "web",
            Means::Office => "office",
        }
    }
}

impl fmt::Display for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing was to be taken: they sit here from now on, or go on to.
    SignedIn {
        /// Who called just before, and gave up.
        who_called: Option<Party>,
        /// When the seat ends by itself; `None` for a phone of their own, and for a seat that does not.
        until: Option<Wall>,
    },
    /// A call that rang comes to this phone: it is answered at once, or rings here alone as soon as it rings at all (R5).
    Ringing {
        /// The call.
        call: CallName,
    },
    /// A talk comes to this phone (R6).
    Moving {
        /// The call.
        call: CallName,
    },
    /// A call, or a talk, comes here from another exchange.
    Comes {
        /// Which.
        from: Box<str>,
        /// They talk already.
        talk: bool,
    },
    /// They talk here already, and nothing else rings.
    Here {
        /// The call.
        call: CallName,
    },
    /// They sat here, and do so no more.
    SignedOut,
    /// It may not be, or cannot be now.
    Refused {
        /// The rule's name.
        rule: &'static str,
        /// In words for people.
        words: Box<str>,
    },
}

/// Why somebody may not take anything at a phone.
type Refusal = (&'static str, String);

impl Exchange {
    /// Somebody is identified at a phone. Live state is changed at once; a change of seats is on its way to the store
    /// when this returns.
    pub fn take(&mut self, now: Now, account: &str, device: &str, means: Means) -> Taken {
        self.take_by(now, account, device, means, None)
    }

    /// The same; with `by`, the person talks with the exchange in that call of the phone's, and what is taken is
    /// connected to it.
    pub(crate) fn take_by(
        &mut self,
        now: Now,
        account: &str,
        device: &str,
        means: Means,
        by: Option<CallId>,
    ) -> Taken {
        if let Err((rule, words)) = self.may_take(account, device, by) {
            return self.refuse_take(now, account, device, rule, words);
        }
        let recent = self.seats.recent(now.mono, account, device);
        if let Some(Recent { call: Some(first), .. }) = recent
            && let Some(taken) = self.take_second(now, account, device, first, by)
        {
            return taken;
        }
        if let Some(call) = self.ringing_beside(account, device, by).first().copied() {
            return self.take_ringing_call(now, account, device, call, by);
        }
        if let Some((call, leg)) = self.talk_elsewhere(account, device, by) {
            return self.take_talk(now, account, device, (call, leg), by);
        }
        if by.is_none()
            && let Some((from, talk)) = self.take_from_others(account, device, means)
        {
            return Taken::Comes { from, talk };
        }
        match self.switch.call_at(device, by).and_then(|call| self.call_name(call)) {
            Some(call) => Taken::Here { call },
            None => self.take_seat(now, account, device, means, recent.is_some()),
        }
    }

    /// The same, as another exchange over the same store saw it, which may have thought of a call that is over: then nothing
    /// happens, and nobody sits down.
    pub(crate) fn bring_to(&mut self, now: Now, account: &str, device: &str, means: Means) {
        let rings = !self.ringing_beside(account, device, None).is_empty();
        if rings || self.talk_elsewhere(account, device, None).is_some() {
            self.take(now, account, device, means);
        }
    }

    /// Whether anything may be taken at a phone by an account now.
    pub(super) fn may_take(&self, account: &str, device: &str, by: Option<CallId>) -> Result<(), Refusal> {
        if self.people.account(account).is_none() {
            return Err(("seats.nobody", format!("there is no account {account}")));
        }
        let Some(owner) = self.people.device(device).map(|device| &*device.account) else {
            return Err(("seats.no-phone", format!("there is no phone {device}")));
        };
        if is_web_name(device) && owner != account {
            return Err(("seats.web-phone", "a web phone is its owner's alone".into()));
        }
        if !self.registrar.is_reachable(device) {
            return Err(("seats.offline", format!("{device} is not registered")));
        }
        if let Some(call) = self.switch.call_at(device, by)
            && let Some(ongoing) = self.ongoing.call(call)
        {
            if ongoing.emergency {
                return Err(("emergency", format!("an emergency call is going on at {device}")));
            }
            if !ongoing.accounts().any(|of| of == account) {
                return Err(("seats.in-use", format!("somebody talks at {device}")));
            }
        }
        match self.seats.at(device) {
            // The owner takes their phone back.
            Some(seat) if *seat.account != *account && owner != account => {
                Err(("seats.in-use", format!("{} sits at {device}", seat.account)))
            }
            _ => Ok(()),
        }
    }

    /// A second tap: the other call that rings, or the same once more. `None` when the first one came to nothing here, or
    /// is elsewhere again: then it is a tap like any other.
    fn take_second(
        &mut self,
        now: Now,
        account: &str,
        device: &str,
        first: CallId,
        by: Option<CallId>,
    ) -> Option<Taken> {
        let other = self.ringing_beside(account, device, by).into_iter().find(|call| *call != first);
        if let Some(other) = other {
            self.give_back(now, account, device, first);
            return Some(self.take_ringing_call(now, account, device, other, by));
        }
        let call = self.call_name(first)?;
        if self.switch.rings_at(first, device) {
            return Some(Taken::Ringing { call });
        }
        let here = self.switch.sides(first).is_some_and(|(caller, called)| {
            [caller, called].iter().any(|leg| self.switch.label(*leg) == Some(device))
        });
        if !here && self.switch.call_at(device, by) != Some(first) {
            return None;
        }
        let talks = self.ongoing.call(first).is_some_and(|ongoing| ongoing.state == DialogState::Confirmed);
        Some(if talks { Taken::Here { call } } else { Taken::Ringing { call } })
    }

    /// A call that rings comes to this phone (R5).
    pub(super) fn take_ringing_call(
        &mut self,
        now: Now,
        account: &str,
        device: &str,
        call: CallId,
        by: Option<CallId>,
    ) -> Taken {
        let Some((name, callee)) =
            self.call_name(call).zip(self.ongoing.call(call).map(|ongoing| ongoing.callee.clone()))
        else {
            return Taken::Refused { rule: "seats.over", words: "the call is over".into() };
        };
        let at_once = self.form_of(device).filter(|_| self.switch.call_at(device, by).is_none());
        let done = match by {
            Some(by) if self.switch.is_let_go(call) => self.switch.adopt_let_go(now, by, call),
            Some(by) => self.switch.adopt(now, by, call),
            None if at_once.is_none() && self.switch.take_where_it_rings(now, call, device) => true,
            None => self.target_at(device, &callee, at_once).is_some_and(|target| {
                self.asked_to_take(call, account, device);
                self.switch.take_ringing(now, call, target).is_some()
            }),
        };
        if !done {
            self.seats.asked.remove(&call);
            let words = format!("{device} cannot take the call now");
            return self.refuse_take(now, account, device, "seats.no-room", words);
        }
        self.notices.is_taken(call, account);
        self.note_call(now, call, "take.ringing", format!("{account} takes the call at {device}"));
        self.seats.took(now.mono, account, device, Some(call));
        Taken::Ringing { call: name }
    }

    /// A talk comes to this phone (R6).
    pub(crate) fn take_talk(
        &mut self,
        now: Now,
        account: &str,
        device: &str,
        (call, leg): (CallId, LegId),
        by: Option<CallId>,
    ) -> Taken {
        let Some((name, ongoing)) = self.call_name(call).zip(self.ongoing.call(call)) else {
            return Taken::Refused { rule: "seats.over", words: "the call is over".into() };
        };
        let calling = self.switch.sides(call).is_some_and(|(caller, _)| caller == leg);
        let (own, far) = (&ongoing.callee, &ongoing.caller);
        let (own, far) = if calling { (far.clone(), own.clone()) } else { (own.clone(), far.clone()) };
        let at_once = self.form_of(device).filter(|_| self.switch.call_at(device, by).is_none());
        let limit = if at_once.is_some() { limits::MOVE_AT_ONCE } else { limits::MOVE_RINGS };
        let done = match by {
            Some(by) => self.switch.adopt_side(now, by, call, leg),
            None => self.target_at(device, &own, at_once).is_some_and(|mut target| {
                target.shown = Some(far);
                self.asked_to_take(call, account, device);
                self.switch.move_leg(now, call, leg, target, limit).is_some()
            }),
        };
        if !done {
            self.seats.asked.remove(&call);
            let words = format!("the talk cannot move to {device} now");
            return self.refuse_take(now, account, device, "seats.no-room", words);
        }
        self.note_call(now, call, "take.talk", format!("{account} moves the talk to {device}"));
        self.seats.took(now.mono, account, device, Some(call));
        Taken::Moving { call: name }
    }

    /// Nothing is to be taken: they sit down, or leave.
    fn take_seat(&mut self, now: Now, account: &str, device: &str, means: Means, again: bool) -> Taken {
        let who_called = self.seats.missed.take(now.mono, account);
        let sits = self.seats.at(device).map(|seat| *seat.account == *account);
        let owns = self.people.device(device).is_some_and(|device| *device.account == *account);
        // A tap that bounces, and one that came for a call that is over, does not send anybody away.
        if sits == Some(true) && self.config.seats.again_leaves && !again && who_called.is_none() {
            self.leave_seat(now, device, "seats.again", &format!("{account} left by {means}"));
            return Taken::SignedOut;
        }
        self.seats.took(now.mono, account, device, None);
        if let Some(caller) = &who_called {
            self.show_who_called(now, account, device, caller);
        }
        if owns {
            if sits == Some(false) {
                self.leave_seat(
                    now,
                    device,
                    "seats.owner",
                    &format!("{account}, whose phone it is, is back"),
                );
            }
            self.join_seat(now, account, device);
            return Taken::SignedIn { who_called, until: None };
        }
        let zone = self.people.account(account).and_then(|account| account.settings.zone.as_deref());
        let until = self.config.seats.end(now.wall, zone);
        self.sit_down(now, device, Seat { account: account.into(), since: now.wall, until }, means);
        Taken::SignedIn { who_called, until }
    }

    fn sit_down(&mut self, now: Now, device: &str, seat: Seat, means: Means) {
        let account = seat.account.clone();
        let others: Vec<Box<str>> =
            self.seats.of(&account).filter(|other| *other != device).map(Box::from).collect();
        let most = if self.config.seats.several { limits::SEATS_PER_ACCOUNT } else { 1 };
        for other in others.iter().take((others.len() + 1).saturating_sub(most)) {
            self.leave_seat(now, other, "seats.one", &format!("{account} sits at {device} now"));
        }
        self.seats.put(now, device, seat.clone());
        let change = Change::Seat { device: device.into(), seat: Some(seat) };
        self.commit(now, vec![change], Promise::Nothing);
        self.note_phone(now, device, "seats.sign-in", format!("{account} signed in by {means}"));
        self.seat_changed(now, device, &account);
        self.agent_sits(now, &account, device);
        self.join_seat(now, &account, device);
        // What rings for the person rings here, too (S1.10).
        self.ring_late(now, device);
    }

    /// The calls that ring for an account, the oldest first.
    pub(crate) fn ringing_for(&self, account: &str, but: Option<CallId>) -> Vec<CallId> {
        let phones = self.phones_of(account);
        let mine = |(call, ongoing): &(CallId, &Ongoing)| {
            let open = ongoing.state != DialogState::Confirmed || self.switch.is_let_go(*call);
            let waits = open && !ongoing.emergency && Some(*call) != but;
            let called = match &ongoing.reach {
                Reach::Account => ongoing.callee_account.as_deref() == Some(account),
                Reach::Group { .. } => phones.iter().any(|phone| self.switch.rings_at(*call, phone)),
                Reach::Queue { .. } => self.is_reserved_for(account, *call),
                Reach::Service | Reach::Elsewhere { .. } | Reach::Outside(_) => false,
            };
            waits && called && !self.services.has(*call)
        };
        let mut calls: Vec<(clock::Mono, CallId)> =
            self.ongoing.iter().filter(mine).map(|(call, ongoing)| (ongoing.since, call)).collect();
        calls.sort_unstable();
        calls.into_iter().map(|(_, call)| call).collect()
    }

    /// The same without those that this very phone makes.
    pub(crate) fn ringing_beside(&self, account: &str, device: &str, but: Option<CallId>) -> Vec<CallId> {
        let mut calls = self.ringing_for(account, but);
        calls.retain(|call| {
            self.ongoing.call(*call).is_some_and(|ongoing| ongoing.device.as_deref() != Some(device))
        });
        calls
    }

    /// The talk of an account at another phone, and its leg there: one that is not on hold, the latest first.
    pub(crate) fn talk_elsewhere(
        &self,
        account: &str,
        device: &str,
        but: Option<CallId>,
    ) -> Option<(CallId, LegId)> {
        let talks = self.ongoing.of(account).filter(|(call, ongoing)| {
            let talks = ongoing.state == DialogState::Confirmed && !self.switch.is_let_go(*call);
            talks && !ongoing.emergency && Some(*call) != but
        });
        let mut found: Vec<(bool, clock::Mono, CallId, LegId)> = talks
            .filter_map(|(call, ongoing)| {
                let held = self.switch.view(call)?.held;
                Some((!held, ongoing.since, call, self.leg_elsewhere(account, device, call)?))
            })
            .collect();
        found.sort_unstable();
        found.pop().map(|(_, _, call, leg)| (call, leg))
    }

    /// The leg of an account in a talk; none if one of its legs is at this very phone: whoever talks from one phone of
    /// theirs to another keeps the one that they stand at.
    pub(super) fn leg_elsewhere(&self, account: &str, device: &str, call: CallId) -> Option<LegId> {
        let ongoing = self.ongoing.call(call)?;
        let (caller, called) = self.switch.sides(call)?;
        let legs = [(called, ongoing.callee_account.as_deref()), (caller, ongoing.caller_account.as_deref())];
        let here = legs.iter().any(|(leg, _)| self.switch.label(*leg) == Some(device));
        legs.into_iter().find(|(_, of)| *of == Some(account) && !here).map(|(leg, _)| leg)
    }

    fn asked_to_take(&mut self, call: CallId, account: &str, device: &str) {
        self.seats.asked.insert(call, Asked { account: account.into(), device: device.into() });
    }

    /// The name of a call that goes on.
    pub(crate) fn call_name(&self, call: CallId) -> Option<CallName> {
        let session_id = self.ongoing.call(call)?.session_id.clone();
        Some(CallName { session_id, call })
    }
}
