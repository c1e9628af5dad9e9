//! A phone sends the one it talks to on to a queue: they wait there like any caller, and the phone is out.

use super::line::Came;
use crate::exchange::Exchange;
use crate::ongoing::{Ongoing, Reach};
use calls::{CallId, LegId};
use clock::Now;
use sip::subscription::DialogState;

impl Exchange {
    /// The transfer of a talk to a queue, to a place there if one is named. Whom it would not take stays with the phone.
    pub(crate) fn referred_to_queue(
        &mut self,
        now: Now,
        (call, leg): (CallId, LegId),
        name: &str,
        came: Option<Came>,
    ) {
        let Some(queue) = self.people.queue(name).cloned() else {
            return self.switch.refuse_referral(now, leg, 404);
        };
        // A place that is taken over is there already.
        let room = usize::from(queue.most_waiting) + usize::from(came.is_some());
        let takes =
            queue.is_open(now.wall, &self.config.seats.zone) && self.queues.line(name).all.len() < room;
        if !takes && queue.overflow.is_none() {
            return self.switch.refuse_referral(now, leg, 480);
        }
        let label = self.switch.label(leg).map(Box::<str>::from).unwrap_or_default();
        let emergency = self.ongoing.call(call).is_some_and(|ongoing| ongoing.emergency);
        if emergency || !self.switch.wait_without(now, call, leg) {
            return self.switch.refuse_referral(now, leg, 491);
        }
        self.goes_on_in_queue(now, call, &label, &queue.number);
        let music = self.music_of(name);
        self.switch.say(call, music);
        self.call_queue(now, call, name);
        if let Some(came) = came
            && let Some(mut waiting) = self.queues.leave(call)
        {
            waiting.came = came;
            self.queues.waiting.insert(call, waiting.again());
            self.queues.want(call);
            self.queues.index(call);
        }
    }

    /// Whoever stays calls the queue now.
    fn goes_on_in_queue(&mut self, now: Now, call: CallId, left: &str, number: &str) {
        let Some(old) = self.ongoing.end(call) else { return };
        let before: Vec<Box<str>> = old.accounts().map(Box::from).collect();
        let by_caller = old.device.as_deref() == Some(left);
        let payer = self.person_at(left).map(Box::from);
        let stays = self.switch.first_side(call).filter(|label| self.people.device(label).is_some());
        let device = stays.map(Box::from);
        let (caller, caller_account) = match by_caller {
            true => (old.callee.clone(), old.callee_account.clone()),
            false => (old.caller.clone(), old.caller_account.clone()),
        };
        let moved = Ongoing {
            device,
            caller,
            caller_account,
            callee: self.callee(number).0,
            callee_account: None,
            state: DialogState::Trying,
            payer,
            reach: Reach::Service,
            moving: None,
            heard: [None; 2],
            ..old
        };
        self.ongoing.go_on(call, moved);
        self.note_call(now, call, "queues.referred", format!("{left} sent it on to {number}"));
        for account in before {
            self.tell_watchers(now, &account);
        }
    }
}
