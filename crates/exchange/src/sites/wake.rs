//! C3: whoever is called has apps that sleep. They are woken by the directory and come here, each by a connection of its own
//! (S4.15, S4.24, R29).
//!
//! ```text
//! Tell(Call) --> Woken: 182 --> REGISTER with the ticket --> INVITE by that connection --> its 180 is the caller's
//!                  |  not here in 20 s, declined: as if it had not been woken
//!                  '- answered elsewhere, given up: Tell(Cancelled), and the directory lets it sleep on
//! ```

use super::{SiteOutput, SiteWord};
use crate::exchange::Exchange;
use crate::limits;
use crate::ongoing::Reach;
use calls::{CallId, Cause, Party, Target};
use clock::{Mono, Now};
use directory::{Claims, Confirmation, DeviceId, RequestId};
use sip::Flow;
use std::collections::BTreeMap;

/// A call for which apps are woken.
#[derive(Debug)]
pub(super) struct Waking {
    id: u64,
    /// Those that have not come, by who they must prove to be.
    devices: BTreeMap<Confirmation, DeviceId>,
    until: Mono,
    /// Nothing rings for the call, for this cause: it waits for the apps alone.
    waits: Option<Cause>,
}

impl Exchange {
    /// Somebody of ours is called who has apps, too; `rings`: a phone of theirs does. False when none can be woken.
    pub(crate) fn wake_apps(
        &mut self,
        now: Now,
        call: CallId,
        owner: &str,
        number: &str,
        rings: bool,
    ) -> bool {
        if !self.sites.has_apps(owner) {
            return false;
        }
        let Ok(id) = self.ask_directory(now, call, number) else { return false };
        let until = now.mono + limits::WAKE_PATIENCE;
        let waits = (!rings).then_some(Cause::Offline);
        self.begin_waking(call, Waking { id, devices: BTreeMap::new(), until, waits });
        true
    }

    fn begin_waking(&mut self, call: CallId, waking: Waking) {
        self.end_waking(call);
        self.sites.waking_until.insert((waking.until, call));
        self.sites.waking.insert(call, waking);
    }

    fn end_waking(&mut self, call: CallId) -> Option<Waking> {
        let waking = self.sites.waking.remove(&call)?;
        self.sites.waking_until.remove(&(waking.until, call));
        Some(waking)
    }

    /// The directory has woken these.
    pub(super) fn apps_were_woken(
        &mut self,
        now: Now,
        call: CallId,
        id: RequestId,
        devices: Vec<(DeviceId, Confirmation)>,
    ) {
        let names: Vec<&str> = devices.iter().map(|(device, _)| directory::Named::as_str(device)).collect();
        self.note_call(now, call, "app.woken", format!("C3: {} is woken", names.join(", ")));
        let waits = match self.sites.waking.get(&call) {
            Some(waking) => waking.waits,
            None => Some(Cause::Offline),
        };
        let devices = devices.into_iter().map(|(device, key)| (key, device)).collect();
        let until = now.mono + limits::WAKE_PATIENCE;
        self.begin_waking(call, Waking { id: id.0, devices, until, waits });
        // R29: 180 comes when one rings. Whoever waits for the owner of an attempt hears music.
        if self.rung_owner(call).is_none() {
            self.switch.caller_waits(now, call);
        }
    }

    /// An app came with its ticket: the call that waits for it.
    pub(super) fn wanted_by(&self, claims: &Claims, key: Confirmation) -> Option<CallId> {
        let session = claims.sid.to_string();
        let waits = |(call, waking): (&CallId, &Waking)| {
            let ongoing = self.ongoing.call(*call)?;
            (*ongoing.session_id == *session && waking.devices.contains_key(&key)).then_some(*call)
        };
        self.sites.waking.iter().find_map(waits)
    }

    /// The waiting INVITE goes down the connection that the app opened (R29).
    pub(super) fn ring_app(&mut self, now: Now, call: CallId, flow: Flow, key: Confirmation, contact: &str) {
        let Some(waking) = self.sites.waking.get_mut(&call) else { return };
        let Some(device) = waking.devices.remove(&key) else { return };
        let (all_came, anew) = (waking.devices.is_empty(), waking.waits.take().is_some());
        if all_came {
            self.end_waking(call);
        }
        self.sites.apps.insert(flow, device.clone());
        self.note_call(now, call, "app.came", format!("{device} came from {}", flow.remote));
        if anew {
            self.switch.try_anew(call);
        }
        let Some(ongoing) = self.ongoing.call(call) else { return };
        let owner = self.rung_owner(call);
        let callee = match (owner, &ongoing.reach) {
            (Some(owner), _) => self.party_of(owner),
            (None, Reach::Elsewhere { number, .. }) => Party::new(number, ""),
            (None, _) => ongoing.callee.clone(),
        };
        let target = Target {
            label: device.to_string().into(),
            flow,
            uri: contact.into(),
            routes: Vec::new(),
            callee,
            domain: self.domain(flow).into(),
            behind_nat: false,
            further: Vec::new(),
            line: None,
            at_once: None,
            // Whoever is called back sees who is at the other end.
            shown: owner.map(|_| ongoing.callee.clone()),
        };
        let limit = if owner.is_some() { self.config.background.waits } else { self.config.ring_limit };
        match self.switch.add_branch(now, call, target) {
            Some(_) => {
                self.switch.limit_ringing(now, call, limit);
                self.call_progresses(now, call);
            }
            None if all_came && anew => self.fail(now, call, Cause::Overload, "no media port is free"),
            None => {}
        }
    }

    /// Nothing rings any more. True when apps are awaited: the call goes on, and `cause` is its end if none comes.
    pub(crate) fn waits_for_apps(&mut self, call: CallId, cause: Cause) -> bool {
        let Some(waking) = self.sites.waking.get_mut(&call) else { return false };
        waking.waits = Some(cause);
        true
    }

    /// An app said that it does not come.
    pub(super) fn app_declined(&mut self, now: Now, id: RequestId, device: &DeviceId) {
        let found = self.sites.waking.iter_mut().find(|(_, waking)| waking.id == id.0);
        let Some((call, waking)) = found else { return };
        let call = *call;
        waking.devices.retain(|_, known| known != device);
        waking.waits = waking.waits.map(|_| Cause::Busy);
        let left = waking.devices.len();
        self.note_call(now, call, "app.declined", format!("{device} does not come"));
        if left == 0 {
            self.apps_stay_away(now, call, "all declined");
        }
    }

    /// Nobody comes: whoever waited for the apps alone hears so.
    pub(super) fn apps_stay_away(&mut self, now: Now, call: CallId, why: &str) {
        let Some(waking) = self.end_waking(call) else { return };
        self.note_call(now, call, "app.away", format!("no app comes: {why}"));
        self.ask_shell(SiteOutput::Tell(SiteWord::Cancelled(RequestId(waking.id))));
        let Some(cause) = waking.waits else { return };
        if self.rung_owner(call).is_some() {
            self.owner_is_away(now, call);
        } else {
            self.nobody_answered(now, call, cause, cause.status());
        }
    }

    /// The call was answered, or is over: whoever was woken for it and has not come sleeps on.
    pub(crate) fn apps_sleep_on(&mut self, call: CallId) {
        if let Some(waking) = self.end_waking(call) {
            self.ask_shell(SiteOutput::Tell(SiteWord::Cancelled(RequestId(waking.id))));
        }
    }

    /// Those that were woken and have not come in time.
    pub(super) fn wakes_due(&mut self, now: Now) {
        while let Some((_, call)) = self.sites.waking_until.first().copied().filter(|(at, _)| *at <= now.mono)
        {
            self.apps_stay_away(now, call, "it did not come in time");
        }
    }
}
