//! C1: an app calls through the directory, which asks us first whether our device accepts; whoever is let in stands in a line
//! until the device is free (S4.16 to S4.22, R8).
//!
//! ```text
//! Ask --> refused: why, and never where anybody is
//!     \-> in the line, Said(Accepted) with a ticket of ours
//!           its INVITE --> free, and its turn: rings
//!                      \-> 182 with its place, again when that changes; after a minute answered by us: its place, and music
//!           not here in 10 s: its place is given up
//! ```

use super::come::Offered;
use super::{SiteOutput, SiteWord};
use crate::admission::Sender;
use crate::dial_plan::Destination;
use crate::exchange::Exchange;
use crate::limits;
use crate::people::ForwardWhen;
use crate::queues::UNANSWERED;
use calls::{CallId, Cause};
use clock::{Mono, Now};
use directory::{AccountName, Claims, DeviceId, Named as _, RequestId, Said, SessionHalf, Waiter, Waiting};
use std::collections::{BTreeMap, BTreeSet};

/// Calls of apps that were let in.
#[derive(Debug, Default)]
pub(crate) struct Line {
    waiting: Waiting,
    accepted: BTreeMap<SessionHalf, Accepted>,
    until: BTreeSet<(Mono, SessionHalf)>,
    /// When those who are here hear music.
    music: BTreeSet<(Mono, SessionHalf)>,
    by_call: BTreeMap<CallId, SessionHalf>,
}

/// One of them.
#[derive(Debug)]
struct Accepted {
    caller: DeviceId,
    id: RequestId,
    account: AccountName,
    /// In whose line it stands; none where there is no line, or when its turn has come.
    owner: Option<AccountName>,
    /// When its place is given up.
    until: Option<Mono>,
    /// Once it is here.
    call: Option<CallId>,
}

impl Line {
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.until.first().into_iter().chain(self.music.first()).map(|(at, _)| *at).min()
    }

    /// Whether a call stands in a line: it is nobody's to ring yet.
    pub(crate) fn holds(&self, call: CallId) -> bool {
        let accepted = self.by_call.get(&call).and_then(|session| self.accepted.get(session));
        accepted.is_some_and(|accepted| accepted.owner.is_some())
    }

    fn set_until(&mut self, session: SessionHalf, until: Option<Mono>) {
        let Some(accepted) = self.accepted.get_mut(&session) else { return };
        if let Some(before) = std::mem::replace(&mut accepted.until, until) {
            self.until.remove(&(before, session));
        }
        if let Some(until) = until {
            self.until.insert((until, session));
        }
    }

    /// It is let in no more, or its call is over; in whose line others move up.
    fn forget(&mut self, session: SessionHalf) -> Option<AccountName> {
        self.set_until(session, None);
        let accepted = self.accepted.remove(&session)?;
        if let Some(call) = accepted.call {
            self.by_call.remove(&call);
            self.music.retain(|(_, other)| *other != session);
        }
        if accepted.owner.is_some() {
            self.waiting.leave(&accepted.caller, accepted.id);
        }
        accepted.owner
    }
}

impl Exchange {
    /// The directory asks whether the device that is called accepts (C11).
    pub(super) fn app_asks(&mut self, now: Now, waiter: Waiter) {
        let (caller, id) = (waiter.caller.clone(), waiter.id);
        let said = match self.accepts(now, &waiter).and_then(|owner| self.let_in(now, waiter, owner)) {
            Ok(said) => said,
            Err(why) => vec![Said::Refused(why.into())],
        };
        for said in said {
            self.ask_shell(SiteOutput::Tell(SiteWord::Said(caller.clone(), id, said)));
        }
    }

    /// Whether it does, and in whose line the caller stands then; else why not.
    fn accepts(&self, now: Now, waiter: &Waiter) -> Result<Option<AccountName>, String> {
        if let Some(why) = self.refuses_new_calls() {
            return Err(why.into());
        }
        let owner = match self.destination(waiter.callee.as_str()) {
            Destination::Account(owner) => owner,
            // They have lines of their own; who sleeps is woken when the caller is here.
            Destination::Group(_) | Destination::Queue(_) | Destination::Elsewhere => return Ok(None),
            _ => return Err("nobody has this number".into()),
        };
        let account = self.people.account(&owner).ok_or("nobody has this number")?;
        if account.settings.do_not_disturb {
            return Err("do not disturb".into());
        }
        let forwards = &account.settings.forwarding;
        if forwards.always.is_some() {
            return Ok(None);
        }
        let (awaited, registered) = self.presence(now, &owner, None);
        let elsewhere = forwards.to(ForwardWhen::Offline).is_some() || self.sites.has_apps(&owner);
        match registered || awaited || elsewhere {
            true => AccountName::parse(&owner).map(Some),
            false => Err("no device of theirs can be reached".into()),
        }
    }

    /// C12: into the line, with a ticket.
    fn let_in(&mut self, now: Now, waiter: Waiter, owner: Option<AccountName>) -> Result<Vec<Said>, String> {
        let (session, cnf) = (waiter.session, waiter.cnf);
        if self.sites.line.accepted.len() >= limits::APP_CALLS {
            return Err("too many calls of apps are under way".into());
        }
        if self.sites.line.accepted.contains_key(&session) {
            return Err("this call was asked for before".into());
        }
        let offered = Offered { session, cnf, dest: waiter.callee.clone() };
        let ticket = self.own_ticket(now, waiter.caller.clone(), offered)?;
        let taken = owner.as_ref().is_some_and(|owner| self.is_taken(owner.as_str()));
        let line = &mut self.sites.line;
        let place = match &owner {
            Some(owner) => line.waiting.join(owner, waiter.clone()).ok_or("too many wait for them")?,
            None => 1,
        };
        let Waiter { caller, id, account, .. } = waiter;
        line.accepted.insert(session, Accepted { caller, id, account, owner, until: None, call: None });
        line.set_until(session, Some(now.mono + limits::COME_PATIENCE));
        let waits = (taken || place > 1).then_some(Said::Waiting(place));
        Ok(waits.into_iter().chain([Said::Accepted(ticket)]).collect())
    }

    /// Whether somebody talks, or is rung; those who stand in the line do not count.
    fn is_taken(&self, owner: &str) -> bool {
        self.ongoing.of(owner).any(|(call, _)| !self.sites.line.holds(call))
    }

    /// Who an app is that presents a ticket of ours; none when its place was given up.
    pub(super) fn let_in_as(&self, claims: &Claims) -> Option<Sender> {
        let accepted = self.sites.line.accepted.get(&claims.sid)?;
        let same = accepted.caller == claims.orig && accepted.call.is_none();
        let (device, account) = (accepted.caller.to_string().into(), accepted.account.to_string().into());
        same.then_some(Sender::App { device, account })
    }

    /// C14: it is here (S4.21).
    pub(super) fn route_from_app(&mut self, now: Now, call: CallId, dialled: &str) {
        let session = self.ongoing.call(call).and_then(|ongoing| SessionHalf::parse(&ongoing.session_id));
        let line = &mut self.sites.line;
        let Some((session, accepted)) =
            session.and_then(|session| Some((session, line.accepted.get_mut(&session)?)))
        else {
            return self.fail(now, call, Cause::Forbidden, "its place was given up");
        };
        accepted.call = Some(call);
        let owner = accepted.owner.clone();
        let patience = owner.is_some().then(|| now.mono + directory::limits::WAIT_PATIENCE);
        line.by_call.insert(call, session);
        line.set_until(session, patience);
        if owner.is_some() {
            line.music.insert((now.mono + UNANSWERED, session));
        }
        match owner {
            Some(owner) => self.line_moves(now, owner.as_str()),
            None => self.route_from_site(now, call, dialled),
        }
    }

    fn route_from_site(&mut self, now: Now, call: CallId, dialled: &str) {
        match self.destination(dialled) {
            Destination::Account(_)
            | Destination::Group(_)
            | Destination::Queue(_)
            | Destination::Elsewhere => self.route(now, call, dialled),
            _ => self.fail(now, call, Cause::UnknownNumber, "not a number of this office"),
        }
    }

    /// Somebody may be free: whoever is next, and here, rings them (C15, S4.22); the others hear where they stand.
    pub(crate) fn line_moves(&mut self, now: Now, owner: &str) {
        if self.sites.line.accepted.is_empty() {
            return;
        }
        let Ok(owner) = AccountName::parse(owner) else { return };
        while let Some(first) = self.sites.line.waiting.first(&owner) {
            let session = first.session;
            let here = self.sites.line.accepted.get(&session).and_then(|accepted| accepted.call);
            let Some(call) = here.filter(|_| !self.is_taken(owner.as_str())) else { break };
            let line = &mut self.sites.line;
            let Some((waiter, _)) = line.waiting.next(&owner) else { break };
            line.set_until(session, None);
            if let Some(accepted) = line.accepted.get_mut(&session) {
                accepted.owner = None;
            }
            self.note_call(now, call, "line.turn", format!("C1: the turn of {} has come", waiter.caller));
            self.route(now, call, waiter.callee.as_str());
        }
        self.tell_places(now, &owner);
    }

    /// Where each of those stands who are here: by 182, or in words to whoever hears us.
    fn tell_places(&mut self, now: Now, owner: &AccountName) {
        for (call, place) in self.places_in_line(owner) {
            match self.switch.is_half_up(call) {
                true => self.say_place(call, place),
                false => self.switch.caller_waits_at(now, call, place),
            }
        }
    }

    /// Those who have waited for so long that they hear music (R8).
    fn music_due(&mut self, now: Now) {
        while let Some((_, session)) =
            self.sites.line.music.first().copied().filter(|(at, _)| *at <= now.mono)
        {
            self.sites.line.music.pop_first();
            let Some(accepted) = self.sites.line.accepted.get(&session) else { continue };
            let (Some(call), Some(owner)) = (accepted.call, accepted.owner.clone()) else { continue };
            let place = self.places_in_line(&owner).into_iter().find(|(here, _)| *here == call);
            if self.switch.answer_to_wait(now, call)
                && let Some((_, place)) = place
            {
                self.say_place(call, place);
            }
        }
    }

    /// Those of a line who are here, with their places.
    fn places_in_line(&self, owner: &AccountName) -> Vec<(CallId, u32)> {
        let line = &self.sites.line;
        let order = line.waiting.all(owner);
        let here = order.filter_map(|(waiter, place)| {
            Some((line.accepted.get(&waiter.session).and_then(|accepted| accepted.call)?, place))
        });
        here.collect()
    }

    /// A call is over: who stood behind it moves up.
    pub(crate) fn leave_line(&mut self, now: Now, call: CallId) {
        let Some(session) = self.sites.line.by_call.get(&call).copied() else { return };
        if let Some(owner) = self.sites.line.forget(session) {
            self.tell_places(now, &owner);
        }
    }

    /// The caller of the cloud does not come.
    pub(super) fn app_gave_up(&mut self, now: Now, caller: &DeviceId, id: RequestId) {
        let gone = |(_, accepted): &(&SessionHalf, &Accepted)| {
            accepted.caller == *caller && accepted.id == id && accepted.call.is_none()
        };
        let found = self.sites.line.accepted.iter().find(gone).map(|(session, _)| *session);
        if let Some(owner) = found.and_then(|session| self.sites.line.forget(session)) {
            self.line_moves(now, owner.as_str());
        }
    }

    /// Places that are given up: of those who have not come, and of those who have waited too long.
    pub(super) fn line_due(&mut self, now: Now) {
        self.music_due(now);
        while let Some((_, session)) =
            self.sites.line.until.first().copied().filter(|(at, _)| *at <= now.mono)
        {
            let here = self.sites.line.accepted.get(&session).and_then(|accepted| accepted.call);
            let owner = self.sites.line.forget(session);
            if let Some(call) = here {
                self.fail(now, call, Cause::NoAnswer, "they were not free in time");
            }
            if let Some(owner) = owner {
                self.line_moves(now, owner.as_str());
            }
        }
    }
}
