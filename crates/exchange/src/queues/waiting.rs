//! While a caller waits: 182, then music on our own leg, the place now and then, and the end of patience (R8).

use super::Who;
use super::words::Said;
use crate::codes::tongue;
use crate::exchange::Exchange;
use crate::people::{Language, Queue};
use calls::CallId;
use clock::Now;
use media::{SoundId, Source, Tongue};
use std::time::Duration;

/// What a phone is told whose caller waits no longer.
pub(super) const WENT_ON: &str = "SIP;cause=480;text=\"The call went on\"";
/// How long a caller whom early media is heard by waits for music.
const AGAIN: Duration = Duration::from_secs(5);

impl Exchange {
    /// Nobody is free for a caller yet: they are told, once.
    pub(super) fn begin_wait(&mut self, now: Now, call: CallId, queue: &Queue) {
        let Some(waiting) = self.queues.waiting.get_mut(&call) else { return };
        if waiting.told || !waiting.ringing.is_empty() {
            return;
        }
        waiting.told = true;
        let name = waiting.queue.clone();
        self.queues.line(&name).pace.waits(now.mono);
        if queue.answer_after == Some(Duration::ZERO) {
            return self.let_hear_music(now, call);
        }
        self.switch.caller_waits(now, call);
    }

    /// Times of waiting callers that are over.
    pub(crate) fn queues_due(&mut self, now: Now) {
        while let Some(who) = self.queues.next_due(now.mono) {
            let call = match who {
                Who::Call(call) => call,
                Who::Callback(task) => {
                    self.callback_due(now, task);
                    continue;
                }
            };
            let Some(waiting) = self.queues.waiting.get_mut(&call) else { return };
            let over = |at: &Option<clock::Mono>| at.is_some_and(|at| at <= now.mono);
            if over(&waiting.longest_at) {
                waiting.longest_at = None;
                self.queues.index(call);
                self.waited_too_long(now, call);
            } else if over(&waiting.music_at) {
                self.let_hear_music(now, call);
            } else {
                self.announce(now, call);
            }
        }
    }

    /// The caller is answered by us, and hears music from now on.
    fn let_hear_music(&mut self, now: Now, call: CallId) {
        let answered = self.switch.answer_to_wait(now, call);
        let Some(waiting) = self.queues.waiting.get_mut(&call) else { return };
        waiting.music_at = if answered { None } else { Some(now.mono + AGAIN) };
        if answered {
            self.announce(now, call);
        } else {
            self.queues.index(call);
        }
    }

    /// A caller who hears us is told their place, in their language, and then hears music.
    pub(super) fn announce(&mut self, now: Now, call: CallId) {
        let (position, tongue) = (self.queues.position(call), self.tongue_of_caller(call));
        let wait = position.and_then(|position| self.queues.expected(now, call, position));
        let Some(waiting) = self.queues.waiting.get_mut(&call) else { return };
        let name = waiting.queue.clone();
        let queue = self.people.queue(&name);
        let every = queue.map(|queue| queue.announce).unwrap_or_default();
        waiting.announce_at = (!every.is_zero()).then(|| now.mono + every);
        let key = queue.and_then(|queue| queue.callback).map(|callback| callback.key);
        self.queues.index(call);
        // Whoever talks with us is not interrupted.
        if self.services.has(call) {
            return;
        }
        if let Some(waiting) = self.queues.waiting.get_mut(&call).filter(|_| wait.is_some()) {
            waiting.said = wait;
        }
        let position = position.filter(|_| !every.is_zero());
        let said = Said { position, wait: wait.filter(|_| position.is_some()), key };
        let music = self.music_of(&name);
        self.switch.say(call, said.in_words(tongue, music));
    }

    /// A caller who waits in no queue and hears us is told their place, and then hears the office's music.
    pub(crate) fn say_place(&mut self, call: CallId, place: u32) {
        let said = Said { position: usize::try_from(place).ok(), ..Said::default() };
        let words = said.in_words(self.tongue_of_caller(call), Source::Music(SoundId::MUSIC));
        self.switch.say(call, words);
    }

    /// The longest wait is over.
    fn waited_too_long(&mut self, now: Now, call: CallId) {
        let Some(waiting) = self.queues.leave(call) else { return };
        self.services.end(call);
        self.queues.line(&waiting.queue).counts.overflowed += 1;
        self.switch.stop_all_ringing(now, call, WENT_ON);
        for account in &waiting.ringing {
            self.release_agent(now, account);
        }
        match self.people.queue(&waiting.queue).cloned() {
            Some(queue) => self.turn_away(now, call, &queue, "queue.too-long", "nobody took it in time"),
            None => self.tell_nobody_comes(now, call, "the queue is gone"),
        }
    }

    /// The language of a caller: their own, else that of their country, else the office's.
    pub(crate) fn tongue_of_caller(&self, call: CallId) -> Tongue {
        let ongoing = self.ongoing.call(call);
        let account = ongoing.and_then(|ongoing| ongoing.caller_account.as_deref());
        if let Some(account) = account.and_then(|account| self.people.account(account)) {
            return tongue(account.settings.language);
        }
        let number = ongoing.and_then(|ongoing| self.config.numbering.e164(&ongoing.caller.number));
        let chinese = number.is_some_and(|number| number.starts_with("+86"));
        tongue(if chinese { Language::Chinese } else { Language::default() })
    }
}
