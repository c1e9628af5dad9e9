//! What a leg or a call waits for, and what happens when the wait is over.

use crate::leg::{CallId, LegId, LegState, Purpose};
use crate::{Cause, Switch};
use clock::Now;
use sip::session_timer::{Agreement, Refresher};
use std::time::Duration;
use wire::sip::Method;

/// Peers without session timers are asked whether they live this often, when no media comes (R7).
const PROBE: Duration = Duration::from_secs(90);

/// Why the switch wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Nobody answered within the ring limit.
    RingLimit(CallId),
    /// Repeat a provisional response, so that the caller's side does not give up.
    Progress(LegId),
    /// Repeat a reliable provisional response (RFC 3262).
    Reliable(LegId),
    /// Try a re-INVITE again after glare (RFC 3261 14.1).
    Glare(LegId),
    /// Refresh the session, or end it because the peer did not.
    Session(LegId),
    /// A line to the outside has not said anything.
    Silent(LegId),
    /// Forget a leg that never confirmed its end.
    Closing(LegId),
    /// The phone did not come back after its connection broke.
    FlowLost(LegId),
    /// The phone that takes a ringing call has not rung.
    TakeLimit(CallId),
    /// The phone that takes a talk over has sent nothing.
    ReadyLimit(CallId),
}

/// What keeps an answered leg honest.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// What both ends agreed; `None` for a peer without session timers.
    pub(crate) agreement: Option<Agreement>,
    /// Media came since the last look.
    pub(crate) media_seen: bool,
    /// The largest Min-SE that a 422 of the peer's side named, in seconds; zero before any.
    pub(crate) least: u32,
    /// Refusals of a row that said so.
    pub(crate) refusals: u8,
}

impl Session {
    pub(crate) fn of(agreement: Option<Agreement>) -> Session {
        Session { agreement, ..Session::default() }
    }
}

impl Switch {
    pub(crate) fn handle_wake(&mut self, now: Now, wake: Wake) {
        match wake {
            Wake::RingLimit(call) => self.ring_limit_reached(now, call),
            Wake::Progress(leg) => self.repeat_progress(now, leg),
            Wake::Reliable(leg) => self.repeat_reliable(now, leg),
            Wake::Glare(leg) => {
                if let Some(entry) = self.legs.get_mut(leg) {
                    entry.timer = None;
                }
                self.modify_if_wanted(now, leg);
                self.arm_session(now, leg);
            }
            Wake::Session(leg) => self.session_due(now, leg),
            Wake::Silent(leg) => self.branch_silent(now, leg),
            Wake::Closing(leg) => self.forget_leg(leg),
            Wake::FlowLost(leg) => self.flow_lost(now, leg),
            Wake::TakeLimit(call) => self.take_limit_reached(now, call),
            Wake::ReadyLimit(call) => self.ready_limit_reached(now, call),
        }
    }

    /// Starts or restarts the wait that keeps an answered leg from outliving its phone (R7).
    pub(crate) fn arm_session(&mut self, now: Now, id: LegId) {
        let Some(leg) = self.legs.get(id) else { return };
        if !leg.is_up() {
            return;
        }
        let wait = leg.session.agreement.map_or(PROBE, Agreement::wait);
        self.arm(now, id, wait, Wake::Session(id));
    }

    /// Sets the leg's one timer.
    pub(crate) fn arm(&mut self, now: Now, id: LegId, wait: Duration, wake: Wake) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        if let Some(old) = leg.timer.take() {
            self.timers.cancel(old);
        }
        leg.timer = Some(self.timers.insert(now.mono + wait, wake));
    }

    /// Stops the leg's timer.
    pub(crate) fn disarm(&mut self, id: LegId) {
        if let Some(old) = self.legs.get_mut(id).and_then(|leg| leg.timer.take()) {
            self.timers.cancel(old);
        }
    }

    fn session_due(&mut self, now: Now, id: LegId) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.timer = None;
        let LegState::Up(up) = &mut leg.state else { return };
        match leg.session.agreement {
            Some(Agreement { refresher: Refresher::Us, .. }) => {
                up.wanted.get_or_insert(Purpose::Refresh);
                self.modify_if_wanted(now, id);
            }
            Some(Agreement { refresher: Refresher::Them, .. }) => {
                let caller = leg.of_caller;
                self.end_leg_and_call(now, id, Cause::Lost { caller });
                return;
            }
            None => {
                // Silence alone only starts a probe (R7); media is a sign of life.
                if !std::mem::take(&mut leg.session.media_seen) {
                    self.request_in_dialog(now, id, Method::Options, &[], None);
                }
            }
        }
        self.arm_session(now, id);
    }
}
