//! Transfer: a phone sends its call on to another number, or joins the far ends of two calls of its own (RFC 3515, 5589).
//!
//! Only a device of ours may do so, and only to numbers of the office: a transfer reaches nothing that its author could
//! not call.

use crate::codes::CodeAct;
use crate::dial_plan::Destination;
use crate::exchange::Exchange;
use crate::ongoing::{Ongoing, Reach};
use calls::{CallId, Cause, LegId};
use clock::Now;
use sip::refer::{ReferTo, Replaces};
use sip::subscription::DialogState;

impl Exchange {
    /// A phone asks that its call go on elsewhere.
    pub(crate) fn referred(&mut self, now: Now, call: CallId, leg: LegId, target: &ReferTo) {
        if let Some(dialog) = &target.replaces {
            return self.joined(now, leg, dialog);
        }
        if let Some((CodeAct::Park, None)) = self.config.codes.find(&target.number) {
            if !self.park_by_transfer(now, call, leg) {
                self.switch.refuse_referral(now, leg, 480);
            }
            return;
        }
        let label = self.switch.label(leg).map(Box::<str>::from).unwrap_or_default();
        let account = self.person_at(&label).map(Box::<str>::from);
        let destination = self.destination(&target.number);
        let refusal = match (&account, &destination) {
            (None, _) => Some(403),
            // An emergency call is not handed on, nor is somebody handed to one (R31).
            (_, Destination::Emergency(_)) => Some(403),
            (_, Destination::Unknown | Destination::Echo | Destination::Parked) => Some(404),
            _ if self.ongoing.call(call).is_some_and(|ongoing| ongoing.emergency) => Some(403),
            _ => None,
        };
        if let Some(status) = refusal {
            return self.switch.refuse_referral(now, leg, status);
        }
        if let Destination::Queue(queue) = &destination {
            return self.referred_to_queue(now, (call, leg), queue, None);
        }
        if !self.switch.replace(call, leg) {
            return self.switch.refuse_referral(now, leg, 491);
        }
        let (callee, owner) = self.callee(&target.number);
        if let Some(ongoing) = self.ongoing.call_mut(call) {
            let by_caller = ongoing.device.as_deref() == Some(&*label);
            ongoing.moving = Some((callee.clone(), owner.clone().unwrap_or_default(), by_caller));
            // What follows is on the account of the one who asks for it (R9).
            ongoing.payer = account;
            ongoing.reach = Reach::Service;
        }
        match destination {
            Destination::Group(group) => self.call_group(now, call, &group),
            Destination::Outside { number, route } => self.call_outside(now, call, &number, &route),
            Destination::Elsewhere => self.call_elsewhere(now, call, &target.number),
            _ => {
                let owner = owner.unwrap_or_default();
                if self.ring_account(now, call, &owner, &callee, Some(&label)) == 0 {
                    return self.fail(now, call, Cause::Offline, "");
                }
                self.switch.limit_ringing(now, call, self.config.ring_limit);
            }
        }
    }

    /// The call, or the replacement of one of its sides, comes to nothing.
    pub(crate) fn fail(&mut self, now: Now, call: CallId, cause: Cause, detail: &str) {
        if self.tells_owner(now, call, cause, detail) || self.pickup_failed(now, call, cause, detail) {
            return;
        }
        if self.switch.is_replacing(call) {
            self.switch.give_up_replacing(now, call, cause);
        } else {
            self.switch.reject(now, call, cause, detail);
        }
    }

    /// Attended: both calls must be of the device that asks (R32).
    fn joined(&mut self, now: Now, leg: LegId, dialog: &Replaces) {
        let own = |other: &LegId| self.switch.label(*other) == self.switch.label(leg);
        let Some(other) = self.switch.leg_in(dialog) else {
            return self.switch.refuse_referral(now, leg, 481);
        };
        if !own(&other) {
            return self.switch.refuse_referral(now, leg, 403);
        }
        let calls = (self.switch.call_behind(leg), self.switch.call_behind(other));
        let (Some(call), Some(gone)) = calls else { return self.switch.refuse_referral(now, leg, 481) };
        if let Some((queue, came)) = self.queues.place_of(gone) {
            // Whoever is sent on takes the place in which this phone waits.
            self.referred_to_queue(now, (call, leg), &queue, Some(came));
            if self.queues.has(call) {
                self.switch.hang_up(now, gone, Cause::Transferred);
            }
            return;
        }
        let label = self.switch.label(leg).map(Box::<str>::from).unwrap_or_default();
        let far = self.ongoing.call(gone).map(|ongoing| {
            let by_caller = ongoing.device.as_deref() == Some(&*label);
            if by_caller {
                (ongoing.callee.clone(), ongoing.callee_account.clone())
            } else {
                (ongoing.caller.clone(), ongoing.caller_account.clone())
            }
        });
        if let (Some(ongoing), Some((party, account))) = (self.ongoing.call_mut(call), far) {
            let by_caller = ongoing.device.as_deref() == Some(&*label);
            ongoing.moving = Some((party, account.unwrap_or_default(), by_caller));
        }
        if !self.switch.join(now, leg, other) {
            self.switch.refuse_referral(now, leg, 480);
        }
    }

    /// The transfer has found somebody: the call is now between the one who stayed and the new one.
    pub(crate) fn call_moved(&mut self, now: Now, call: CallId) {
        if self.ongoing.call(call).is_some_and(|ongoing| ongoing.moving.is_none()) {
            // The same people, at another phone.
            return self.talk_moved(now, call);
        }
        let Some(old) = self.ongoing.end(call) else { return };
        let before: Vec<Box<str>> = old.accounts().map(Box::from).collect();
        let (caller, caller_account, device) = match &old.moving {
            // The caller sent the called one on: who was called stays.
            Some((_, _, true)) => (old.callee.clone(), old.callee_account.clone(), None),
            _ => (old.caller.clone(), old.caller_account.clone(), old.device.clone()),
        };
        let Some((callee, account, _)) = old.moving.clone() else { return };
        let moved = Ongoing {
            device,
            caller,
            caller_account,
            callee,
            callee_account: Some(account).filter(|account| !account.is_empty()),
            state: DialogState::Confirmed,
            moving: None,
            heard: [None; 2],
            ..old
        };
        let after: Vec<Box<str>> = moved.accounts().map(Box::from).collect();
        self.ongoing.go_on(call, moved);
        for account in before.iter().chain(after.iter().filter(|account| !before.contains(account))) {
            self.tell_watchers(now, account);
        }
    }
}
