//! The race of the branches: exactly one answer wins; every other gets ACK and BYE, or CANCEL.

use crate::branch::ANSWERED_ELSEWHERE;
use crate::call::{CallEvent, Manner, Stage};
use crate::caller::sdp_of;
use crate::leg::{LegId, LegState, Outgoing, Up};
use crate::switch::{Owner, Switch};
use clock::Now;
use sip::{ClientKey, Dialog, session_timer};
use wire::sip::{HeaderName, Message, Method};

/// What a device is told whose 2xx came without an answer to our offer.
const NOTHING_IN_COMMON: &str = "SIP;cause=488;text=\"No common codec\"";

impl Switch {
    /// A 2xx to a branch's INVITE.
    pub(crate) fn branch_answered(&mut self, now: Now, id: LegId, client: ClientKey, response: &Message<'_>) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let call = leg.call;
        let dialog = leg.dialog.established(response);
        let state = std::mem::replace(&mut leg.state, LegState::Ended);
        let LegState::Outgoing(outgoing) = state else {
            leg.state = state;
            return;
        };
        self.confirm(now, id, &outgoing, dialog, response);
        let replacing = self.calls.get(call).is_some_and(|call| call.replacing.is_some());
        let reaching = replacing || self.calls.get(call).is_some_and(|call| call.stage == Stage::Reaching);
        let media_agreed = self.take_final_answer(id, *outgoing, response);
        self.taking_is_over(call, id, media_agreed);
        if !reaching || !media_agreed {
            // The race is lost, or there is nothing to talk with.
            let reason = if media_agreed { ANSWERED_ELSEWHERE } else { NOTHING_IN_COMMON };
            self.send_bye(now, id, Some(reason));
            if reaching {
                if let Some(entry) = self.calls.get_mut(call) {
                    entry.note_failure(488);
                }
                self.report_if_exhausted(call);
            }
            return;
        }
        match self.calls.get(call).and_then(|call| call.replacing).map(|replacing| replacing.manner) {
            Some(Manner::Transfer) => return self.take_over(now, call, id),
            Some(Manner::Move { new: None, .. }) => return self.new_side_answered(now, call, id),
            // A second phone of the device answered, too.
            Some(Manner::Move { .. }) => return self.send_bye(now, id, Some(ANSWERED_ELSEWHERE)),
            None => {}
        }
        let _ = client;
        if self.first_side_answered(now, call, id) {
            return;
        }
        let Some(entry) = self.calls.get_mut(call) else { return };
        entry.stage = Stage::Talking { winner: Some(id) };
        if let Some(timer) = entry.ring_limit.take() {
            self.timers.cancel(timer);
        }
        let label = self.legs.get(id).map(|leg| leg.label.clone()).unwrap_or_default();
        if let Some(entry) = self.calls.get_mut(call) {
            entry.answered_by = label;
        }
        self.sort_sides(call, id);
        self.events.push_back(CallEvent::Answered { call });
        self.cancel_losers(now, call, id);
        self.arm_session(now, id);
        self.answer_caller(now, call);
    }

    /// Sends the ACK of a 2xx and makes the leg's dialog the one that answered.
    fn confirm(&mut self, now: Now, id: LegId, outgoing: &Outgoing, dialog: Dialog, response: &Message<'_>) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let sequence = leg.dialog.local_sequence;
        // Requests in its early dialog may have used higher numbers (PRACK).
        let early = outgoing.early.iter().find(|early| early.dialog.remote_tag == dialog.remote_tag);
        let used = early.map_or(sequence, |early| early.dialog.local_sequence);
        leg.dialog = dialog;
        leg.dialog.local_sequence = used.max(sequence);
        leg.session.agreement = session_timer::agreed(response);
        leg.state = LegState::Up(Up::default());
        self.acknowledge(now, id, sequence, None);
    }

    /// RFC 3261 13.2.2.4: the ACK has the INVITE's number, its own branch, and the answer if the 2xx had the offer.
    pub(crate) fn acknowledge(&mut self, now: Now, id: LegId, sequence: u32, sdp: Option<&[u8]>) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let dialog = &leg.dialog;
        let bytes = self.endpoint.ack(leg.flow, &dialog.target, |mut writer| {
            dialog.write(&mut writer, Method::Ack, sequence);
            crate::caller::finish(writer, sdp)
        });
        leg.ack = Some((sequence, bytes));
        let _ = now;
    }

    /// The SDP of the 2xx, or that of the provisional response before it (RFC 3261 13.2.1).
    fn take_final_answer(&mut self, id: LegId, outgoing: Outgoing, response: &Message<'_>) -> bool {
        let Some(leg) = self.legs.get_mut(id) else { return false };
        let Some(sdp) = sdp_of(response) else { return leg.media.agreed().is_some() };
        let mut negotiation = outgoing.offered;
        if negotiation.receive_answer(sdp).is_err() {
            return false;
        }
        leg.media = negotiation;
        true
    }

    /// A 2xx to an INVITE of a leg that is past waiting: a repeat wants its ACK again, another fork's answer wants
    /// ACK and BYE.
    pub(crate) fn late_2xx(&mut self, now: Now, id: LegId, response: &Message<'_>) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let tag = response.to().ok().and_then(|to| to.tag());
        let same = leg.dialog.remote_tag.as_deref() == tag && leg.dialog.remote_tag.is_some();
        let Ok(cseq) = response.cseq() else { return };
        if same {
            match leg.ack.clone() {
                Some((number, bytes)) if number == cseq.number => self.endpoint.transmit(leg.flow, bytes),
                // A late repeat of an INVITE's 2xx after a later INVITE.
                _ => {
                    let dialog = &leg.dialog;
                    self.endpoint.ack(leg.flow, &dialog.target, |mut writer| {
                        dialog.write(&mut writer, Method::Ack, cseq.number);
                        writer.finish()
                    });
                }
            }
            return;
        }
        let stray = leg.dialog.established(response);
        let flow = leg.flow;
        if let LegState::Cancelled(reason) = &mut leg.state {
            // Our CANCEL crossed the answer: this is the leg's dialog after all, and it ends at once, for the reason
            // that the CANCEL gave (RFC 3326).
            let reason = reason.take();
            leg.dialog = stray;
            leg.state = LegState::Up(Up::default());
            self.acknowledge(now, id, cseq.number, None);
            self.send_bye(now, id, reason.as_deref());
            return;
        }
        self.endpoint.ack(flow, &stray.target, |mut writer| {
            stray.write(&mut writer, Method::Ack, cseq.number);
            writer.finish()
        });
        let mut stray = stray;
        let sequence = stray.next_sequence();
        let target = stray.target.clone();
        // Whatever becomes of this BYE, the leg goes on.
        self.endpoint.request(now.mono, flow, Owner::Nobody, Method::Bye, &target, 70, |mut writer| {
            stray.write(&mut writer, Method::Bye, sequence);
            writer.header(HeaderName::Reason, ANSWERED_ELSEWHERE);
            writer.finish()
        });
    }
}
