//! Two talking calls of one phone become one: its two far ends talk, and it is out (RFC 5589 7: attended transfer).
//!
//! ```text
//! before   a <---> mine      other <---> b          mine and other are legs of the same phone
//! after    a <----------------------------> b       mine and other get BYE
//! ```
//!
//! All legs of a call share a media worker. When the two calls do not, the leg that moves gets a port of the other
//! worker and a re-INVITE that says so.

use crate::call::{CallEvent, Stage};
use crate::cause::Cause;
use crate::leg::{self, CallId, Leg, LegId, LegState, Purpose};
use crate::switch::{Action, Switch};
use clock::Now;
use media::{LocalMedia, Security, Source};
use sip::refer::Replaces;

/// What the phone is told whose calls were joined.
const JOINED: &str = "SIP;cause=200;text=\"Transferred\"";

impl Switch {
    /// The leg whose dialog a Replaces means, seen from our side of it (RFC 3891 section 3); some phones swap the tags.
    #[must_use]
    pub fn leg_in(&self, dialog: &Replaces) -> Option<LegId> {
        let tags = [(&dialog.to_tag, &dialog.from_tag), (&dialog.from_tag, &dialog.to_tag)];
        tags.into_iter().find_map(|(ours, theirs)| {
            let id = leg::parse_tag(ours)?;
            let known = self.legs.get(id)?;
            (known.is_up() && known.dialog.matches(&dialog.call_id, ours, Some(theirs))).then_some(id)
        })
    }

    /// Joins the far ends of two calls; `mine` and `other` are the legs between them. False when one of them does not
    /// talk, both are of one call, or no port is free.
    pub fn join(&mut self, now: Now, mine: LegId, other: LegId) -> bool {
        let (Some(a), Some(b)) = (self.peer_of(mine), self.peer_of(other)) else { return false };
        let (Some(call), Some(gone)) = (self.call_of(mine), self.call_of(other)) else { return false };
        let busy = |id: CallId| self.calls.get(id).is_none_or(|call| call.replacing.is_some());
        if call == gone || busy(call) || busy(gone) || !self.share_worker(now, a, b) {
            return false;
        }
        self.tell_referrer(now, mine, 200);
        self.end_in_favour(now, gone, b);
        if let Some(leg) = self.legs.get_mut(b) {
            leg.call = call;
        }
        let label = self.label(b).map(Box::<str>::from).unwrap_or_default();
        if let Some(entry) = self.calls.get_mut(call) {
            entry.branches.retain(|branch| *branch != a);
            if !entry.branches.contains(&mine) {
                entry.branches.push(mine);
            }
            entry.branches.push(b);
            entry.caller = a;
            entry.stage = Stage::Talking { winner: Some(b) };
            entry.detail = format!("joined with {label}").into();
        }
        self.connect(now, a, b);
        self.align_codecs(now, call);
        self.end_answered(now, mine, JOINED);
        self.events.push_back(CallEvent::Moved { call });
        true
    }

    pub(crate) fn call_of(&self, id: LegId) -> Option<CallId> {
        self.legs.get(id).map(|leg| leg.call)
    }

    /// Ends a call but for one leg, which goes on elsewhere.
    pub(crate) fn end_in_favour(&mut self, now: Now, call: CallId, stays: LegId) {
        let Some(entry) = self.calls.get_mut(call) else { return };
        entry.stage = Stage::Over;
        let record = entry.record(call, now, Cause::Transferred, 200);
        let legs: Vec<LegId> = std::iter::once(entry.caller).chain(entry.branches.iter().copied()).collect();
        entry.branches.retain(|branch| *branch != stays);
        if entry.caller == stays {
            entry.caller = LegId::default();
        }
        self.emit_record(record);
        self.count(false);
        for leg in legs.into_iter().filter(|leg| *leg != stays) {
            self.end_answered(now, leg, JOINED);
        }
        self.forget_call_if_empty(call);
    }

    /// Gives `moves` a port of the worker that `stays` has, and tells its phone; false when there is none.
    pub(crate) fn share_worker(&mut self, now: Now, stays: LegId, moves: LegId) -> bool {
        let Some(worker) = self.legs.get(stays).map(|leg| leg.lease.worker) else { return false };
        let Some(Leg { lease: old, flow, .. }) = self.legs.get(moves) else { return false };
        if old.worker == worker {
            return true;
        }
        let browser = |id: LegId| {
            self.legs.get(id).is_some_and(|leg| matches!(leg.media.security(), Security::Webrtc { .. }))
        };
        if browser(moves) {
            // A browser's keys are where its worker is (R15): the other one moves, if it can.
            return !browser(stays) && self.share_worker(now, moves, stays);
        }
        let (old, ipv6) = (*old, flow.remote.is_ipv6());
        let Some(lease) = self.ports.lease(ipv6, Some(worker), true) else { return false };
        self.actions.push_back(Action::ReleaseMedia { lease: old, leg: leg::media_key(moves) });
        self.ports.give_back(old);
        // A new port is a new stream (R2 counts a leg's life from its port).
        let stream = self.new_stream(moves);
        let Some(leg) = self.legs.get_mut(moves) else { return false };
        leg.lease = lease;
        leg.stream = stream;
        leg.source = Source::Nothing;
        leg.media.move_to(LocalMedia {
            address: lease.address,
            port: lease.port,
            session_id: leg.media.session_id(),
        });
        let codecs = leg.media.agreed().map(|agreed| vec![agreed.codec.codec.clone()]).unwrap_or_default();
        // Whoever has no answer yet is told of the new port by it.
        if let LegState::Up(up) = &mut leg.state {
            up.wanted = Some(Purpose::Rehome(codecs));
        }
        self.modify_if_wanted(now, moves);
        true
    }
}
