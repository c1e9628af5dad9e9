//! A caller asks to be called back: the number, the promise, and the end of the call.

use super::super::line::Came;
use super::{Wish, owner_of};
use crate::background::{Known, Rare, Waiter};
use crate::codes::Step;
use crate::dial_plan::Destination;
use crate::dialogue::{Collect, Dialogue, Line, Outcome, Script, spoken};
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::numbering::Class;
use crate::ongoing::Ongoing;
use crate::people::{CallbackFirst, is_number};
use calls::{CallId, Cause};
use clock::{Now, Wall};
use dialing::{Basis, Consent, LegOrder, Number, Rule, Task, TaskId};
use media::Prompt;

/// The fact that says so.
const CALLBACK: &str = "queues.callback";
/// How long somebody may wait to be called back, in milliseconds: over a weekend and its holidays.
const LIVES: i64 = 7 * 24 * 3_600 * 1_000;

impl Exchange {
    /// Whether a key of a caller who waits asks to be called back.
    pub(crate) fn asks_for_callback(&mut self, now: Now, call: CallId, key: char) -> bool {
        let Some(waiting) = self.queues.waiting.get(&call) else { return false };
        let queue = waiting.queue.clone();
        let offered = self.people.queue(&queue).and_then(|queue| queue.callback);
        let asks = offered.is_some_and(|callback| callback.key == key);
        if !asks || self.services.has(call) || !self.switch.is_half_up(call) {
            return false;
        }
        if self.queues.asked.contains_key(&call) {
            return true;
        }
        let Some(ongoing) = self.ongoing.call(call) else { return false };
        let own = ongoing.caller.number.clone();
        match self.number_to_call_back(&queue, call, &own) {
            Ok(number) => self.promise_callback(now, call, &queue, number),
            Err(_) => self.ask_callback_number(now, call),
        }
        true
    }

    fn ask_callback_number(&mut self, now: Now, call: CallId) {
        if self.services.is_full() {
            return self.say_then_music(call, Prompt::NotAllowed);
        }
        let collect = Collect { tries: 2, ..Collect::default() };
        let script = Script { give_up: Vec::new(), ..Script::ask(Prompt::CallbackNumber, collect) };
        let dialogue = Dialogue::at_once(now.mono, script, self.tongue_of_caller(call));
        self.converse_early(now, call, dialogue, Step::CallbackNumber);
    }

    /// The number to call back is keyed, or none.
    pub(crate) fn callback_number_keyed(&mut self, now: Now, call: CallId, keyed: &Outcome) {
        self.services.end(call);
        let Some(queue) = self.queues.waiting.get(&call).map(|waiting| waiting.queue.clone()) else { return };
        let Outcome::Collected(number) = keyed else { return self.announce(now, call) };
        match self.number_to_call_back(&queue, call, number) {
            Ok(number) => self.promise_callback(now, call, &queue, number),
            Err((prompt, rule)) => {
                self.note_call(now, call, rule, format!("{number} is not called back"));
                self.say_then_music(call, prompt);
            }
        }
    }

    /// Whoever waits hears something, and then music again.
    pub(super) fn say_then_music(&mut self, call: CallId, prompt: Prompt) {
        let Some(waiting) = self.queues.waiting.get(&call) else { return };
        let (tongue, music) = (self.tongue_of_caller(call), self.music_of(&waiting.queue));
        self.switch.say(call, spoken(&[Line::Prompt(prompt)], tongue, Some(music)));
    }

    /// The number as we dial it, and as budgets count it; else what is said, and the rule.
    fn number_to_call_back(
        &self,
        queue: &str,
        call: CallId,
        number: &str,
    ) -> Result<(Box<str>, Number), (Prompt, &'static str)> {
        let nobody = (Prompt::UnknownNumber, CALLBACK);
        if !is_number(number) {
            return Err(nobody);
        }
        // Whoever calls from outside is not connected with numbers inside. Another exchange of the office is not outside.
        let inside = |ongoing: &Ongoing| ongoing.device.is_some() || ongoing.entry.is_none();
        let inside = self.ongoing.call(call).is_some_and(inside);
        let dialled: Box<str> = match inside {
            true => number.into(),
            false => self.config.numbering.e164(number).ok_or(nobody)?.into(),
        };
        if self.emergency_number(number).is_some() {
            return Err((Prompt::NotAllowed, Rule::Emergency.key()));
        }
        let counted = match self.destination(&dialled) {
            Destination::Emergency(_) => return Err((Prompt::NotAllowed, Rule::Emergency.key())),
            Destination::Account(_) => self.number_inside(&dialled).ok_or(nobody)?,
            Destination::Elsewhere if self.sites.lists(&dialled) && !self.sites.lists_queue(&dialled) => {
                self.number_inside(&dialled).ok_or(nobody)?
            }
            Destination::Outside { number, .. } => {
                let class = self.config.numbering.class(&number);
                if let Some(rule) = self.queue_may_not_call(queue, class) {
                    return Err((Prompt::NotAllowed, rule));
                }
                let e164 = self.config.numbering.e164(&number).ok_or(nobody)?;
                Number::outside(&e164).map_err(|_| nobody)?
            }
            Destination::Group(_)
            | Destination::Queue(_)
            | Destination::Echo
            | Destination::Parked
            | Destination::Elsewhere
            | Destination::Unknown => return Err(nobody),
        };
        Ok((dialled, counted))
    }

    /// The rule by which a queue may not call numbers of this class, if there is one.
    pub(crate) fn queue_may_not_call(&self, queue: &str, class: Class) -> Option<&'static str> {
        let callback = self.people.queue(queue).and_then(|queue| queue.callback);
        match class {
            Class::National => None,
            Class::International if callback.is_some_and(|callback| callback.abroad) => None,
            Class::International => Some("queues.abroad"),
            Class::Premium => Some("queues.premium"),
        }
    }

    /// Hands the wish to the store; the caller hears music until that has it (R20).
    fn promise_callback(
        &mut self,
        now: Now,
        call: CallId,
        queue: &str,
        (dialled, number): (Box<str>, Number),
    ) {
        if !self.may_promise() {
            return self.say_then_music(call, Prompt::NotStored);
        }
        if let Some(task) = self.callback_to(queue, number) {
            self.queues.asked.insert(call, task);
            return self.callback_accepted(now, call, task);
        }
        let Some(callback) = self.people.queue(queue).and_then(|queue| queue.callback) else { return };
        let (Some(waiting), Some(ongoing)) = (self.queues.waiting.get(&call), self.ongoing.call(call)) else {
            return;
        };
        let account = ongoing.caller_account.clone().unwrap_or_default();
        let evidence = format!("call {}", ongoing.session_id).into();
        let wish = Wish {
            queue: queue.into(),
            rank: waiting.rank,
            since: waiting.since,
            tongue: self.tongue_of_caller(call),
        };
        let id = self.background.next_id();
        let owner = self.background.owners.id(&owner_of(queue));
        self.say_at_once(now, queue);
        let until = Some(Wall(now.wall.0.saturating_add(LIVES)));
        let task = Task {
            legs: match callback.first {
                CallbackFirst::Agent => LegOrder::OwnerFirst,
                CallbackFirst::Caller => LegOrder::CalleeFirst,
            },
            asked: true,
            until,
            attempts_at_most: Some(callback.attempts.into()),
            consent: Some(Consent { basis: Basis::Requested, evidence, until: None }),
            data: wish.data(&dialled, &account),
            ..Task::new(id, number, owner)
        };
        let known = Known {
            account: account.into(),
            number: dialled,
            legs: task.legs,
            since: now.wall,
            not_before: None,
            until,
            priority: 0,
            rare: Some(Box::new(Rare { wish: Some(wish), ..Rare::default() })),
        };
        self.queues.asked.insert(call, id);
        self.take_task(now, task, known, Some(Waiter::Callback(call)));
    }

    /// The callback of a queue to a number.
    fn callback_to(&self, queue: &str, number: Number) -> Option<TaskId> {
        let of_queue =
            |task: &TaskId| self.queues.callbacks.get(task).is_some_and(|callback| *callback.queue == *queue);
        self.background.dialing.tasks_to(number).into_iter().find(of_queue)
    }

    /// The callback that the caller of a queue waits for, if they do.
    pub(in crate::queues) fn callback_of_caller(&self, queue: &str, call: CallId) -> Option<TaskId> {
        let number = self.ongoing.call(call)?.caller.number.clone();
        let (_, number) = self.number_to_call_back(queue, call, &number).ok()?;
        self.callback_to(queue, number)
    }

    /// The wish is written down: the caller hears so and is let go, and the place stays.
    pub(crate) fn callback_accepted(&mut self, now: Now, call: CallId, task: TaskId) {
        let waiting = self.queues.leave(call);
        if waiting.is_none() && self.switch.sides(call).is_some() {
            return self.stop_task(now, task, Some("an agent answered meanwhile"));
        }
        let Some(known) = self.background.tasks.get(&task) else { return };
        let (number, wish) = (known.number.clone(), known.wish().cloned());
        let Some(wish) = wish else { return };
        if !self.queues.callbacks.contains_key(&task) {
            let came = waiting.as_ref().map_or_else(|| Came::on(now, wish.since), |waiting| waiting.came);
            self.queues.line(&wish.queue).counts.callbacks += 1;
            self.put_callback(task, &wish, came);
        }
        let place = self.queues.position(task).unwrap_or_default();
        let words = format!("to be called back at {number}, place {place} of queue {} is kept", wish.queue);
        self.note(now, FactKind::Task, &task.0.to_string(), CALLBACK, words.clone());
        self.note_call(now, call, CALLBACK, format!("task {}: {words}", task.0));
        self.switch.stop_all_ringing(now, call, super::super::waiting::WENT_ON);
        for account in waiting.iter().flat_map(|waiting| &waiting.ringing) {
            self.release_agent(now, account);
        }
        self.say_callback_is_kept(now, call, number);
    }

    fn say_callback_is_kept(&mut self, now: Now, call: CallId, number: Box<str>) {
        if self.services.is_full() || !self.switch.is_half_up(call) {
            return self.switch.hang_up(now, call, Cause::CalleeHungUp);
        }
        let lines = vec![
            Line::Prompt(Prompt::CallbackAt),
            Line::Spelled(number),
            Line::Prompt(Prompt::CallbackKept),
            Line::Prompt(Prompt::Goodbye),
        ];
        let dialogue = Dialogue::at_once(now.mono, Script::say(lines), self.tongue_of_caller(call));
        self.converse_early(now, call, dialogue, Step::Farewell);
    }

    /// It cannot be promised: the caller waits on.
    pub(crate) fn callback_refused(&mut self, call: CallId, prompt: Prompt) {
        self.queues.asked.remove(&call);
        if self.queues.has(call) {
            self.say_then_music(call, prompt);
        }
    }
}
