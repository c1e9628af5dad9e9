//! Somebody answered: who hears what, and how the two come together (S2.2, S2.3, S2.6).

use super::outbox::Occasion;
use super::{Phase, Trying};
use crate::codes::{Step, tongue};
use crate::dialogue::{Collect, Dialogue, Line, Outcome as Told, Script, spoken};
use crate::exchange::Exchange;
use crate::facts::FactKind;
use crate::limits;
use crate::people::Language;
use calls::{CallId, Cause, Why};
use clock::Now;
use dialing::cause::{Finding, Outcome};
use dialing::{Input, LegOrder};
use media::{Prompt, SoundId, Source, Tongue};
use std::time::Duration;

/// How long the one who was called in vain has to say what they want.
const WISH: Duration = Duration::from_secs(6);

impl Exchange {
    /// The side that is called first has answered.
    pub(crate) fn background_reached(&mut self, now: Now, call: CallId) {
        let Some(trying) = self.background.trying.get_mut(&call) else { return };
        trying.phase = Phase::Second;
        let trying = trying.clone();
        match trying.legs {
            LegOrder::CalleeFirst => self.callee_waits(now, call, &trying),
            LegOrder::OwnerFirst => self.owner_waits(now, call, &trying),
        }
        self.tell_task(now, trying.attempt.task);
    }

    /// Who was called hears at once who calls, then music; the owner is rung meanwhile.
    fn callee_waits(&mut self, now: Now, call: CallId, trying: &Trying) {
        self.pickups.forget(call);
        self.seats.answered(call);
        self.call_answered(now, call);
        self.journal_answer(now, call);
        let task = trying.attempt.task;
        let wish = self.background.tasks.get(&task).and_then(|known| known.wish());
        let mut lines = match wish {
            Some(_) => vec![Line::Prompt(Prompt::CallbackHere)],
            None => {
                let caller = self.party_of(&trying.account);
                vec![Line::Prompt(Prompt::CallFrom), Line::Spelled((*caller.number).into())]
            }
        };
        lines.push(Line::Prompt(Prompt::PleaseHold));
        let tongue = wish.map_or_else(|| self.tongue_of_callee(call), |wish| wish.tongue);
        let music = match &trying.queue {
            Some(queue) => self.music_of(queue),
            None => Source::Music(SoundId::MUSIC),
        };
        self.switch.say(call, spoken(&lines, tongue, Some(music)));
        if trying.queue.is_some() {
            return self.callback_waits(now, call, task);
        }
        if self.ring_owner(now, call, &trying.account) == 0 {
            self.owner_is_away(now, call);
        }
    }

    /// The owner hears how it rings at the other side.
    fn owner_waits(&mut self, now: Now, call: CallId, trying: &Trying) {
        let number = self.background.tasks.get(&trying.attempt.task).map(|known| known.number.clone());
        let Some(number) = number else { return self.switch.hang_up(now, call, Cause::Cancelled) };
        self.apps_sleep_on(call);
        let device = self.switch.first_side(call).map(Box::from);
        self.ongoing.called_by(call, &trying.account, device);
        self.lists.desks.touch(&trying.account);
        self.call_callee(now, call, &number, trying.ring);
    }

    /// Both are there.
    pub(crate) fn background_answered(&mut self, now: Now, call: CallId) {
        let Some(trying) = self.background.trying.get_mut(&call).filter(|t| t.phase == Phase::Second) else {
            return;
        };
        trying.phase = Phase::Over;
        let trying = trying.clone();
        let device = self.switch.sides(call).and_then(|(caller, _)| self.switch.label(caller)).map(Box::from);
        self.services.end(call);
        self.ongoing.called_by(call, &trying.account, device);
        self.tell_watchers(now, &trying.account);
        let words = format!("attempt {}: they talk", trying.attempt.ordinal);
        self.note(now, FactKind::Task, &trying.attempt.task.0.to_string(), "task.talk", words);
        self.callback_talks(now, &trying);
        if trying.row.is_some() {
            self.row_talks(now, call, &trying.account);
        }
        self.finish_attempt(now, trying.attempt, Finding::sure(Outcome::Answered));
        // From now on the owner talks, and is called for nobody else.
        self.background_looks(now, &trying.account);
    }

    /// Nobody answered on the side that is rung. True when that is dealt with.
    pub(crate) fn background_exhausted(&mut self, now: Now, call: CallId, status: u16, why: Why) -> bool {
        let owner_is_rung = self.rung_owner(call).is_some();
        let Some(trying) = self.background.trying.get_mut(&call) else { return false };
        match trying.phase {
            Phase::Over => self.switch.hang_up(now, call, Cause::CalleeHungUp),
            _ if !owner_is_rung => {
                trying.said = Some((status, why));
                return false;
            }
            // R4: none of the owner's phones speaks the one codec of the other side.
            _ if status == 488 && !trying.offered_all && trying.row.is_none() => {
                trying.offered_all = true;
                let (account, called_back) = (trying.account.clone(), trying.queue.is_some());
                self.switch.offer_all_codecs(call);
                self.switch.try_anew(call);
                if called_back {
                    self.ring_for_callback(now, call);
                } else if self.ring_owner(now, call, &account) == 0 {
                    self.owner_is_away(now, call);
                }
            }
            // An app of theirs may be on its way.
            _ => {
                if !self.waits_for_apps(call, Cause::NoAnswer) {
                    self.owner_is_away(now, call);
                }
            }
        }
        true
    }

    /// The owner does not answer: whoever waits is told, the owner gets a message, and nobody is called again for this
    /// task (S2.6).
    pub(crate) fn owner_is_away(&mut self, now: Now, call: CallId) {
        let Some(trying) = self.background.trying.get(&call).cloned() else { return };
        if trying.queue.is_some() {
            return self.callback_agent_is_away(now, call);
        }
        if trying.row.is_some() {
            return self.desk_does_not_answer(now, call, &trying.account);
        }
        match trying.legs {
            LegOrder::CalleeFirst if trying.phase == Phase::Second => {
                self.message_owner(now, &trying, Occasion::Missed);
                self.excuse(now, call, true);
            }
            _ => {
                self.message_owner(now, &trying, Occasion::NotThere);
                self.attempt_is_over(call);
                self.stop_task(now, trying.attempt.task, Some("its owner did not answer"));
                self.finish_attempt(now, trying.attempt, Finding::sure(Outcome::NotDialled));
                self.fail(now, call, Cause::NoAnswer, "its owner did not answer");
            }
        }
    }

    /// Excuses the owner to the one who waits, and asks what they want; the result is written down first, so that they
    /// are not called again whatever happens.
    pub(crate) fn excuse(&mut self, now: Now, call: CallId, asks: bool) {
        let Some(attempt) = self.background.trying.get(&call).map(|trying| trying.attempt) else { return };
        self.attempt_is_over(call);
        let lines = vec![Line::Prompt(Prompt::CallerGone)];
        let script = if asks {
            Script {
                say: lines.into_iter().chain([Line::Prompt(Prompt::CallBackOrNot)]).collect(),
                collect: Some(Collect {
                    most: 1,
                    terminator: None,
                    first: WISH,
                    tries: 1,
                    ..Collect::default()
                }),
                again: Vec::new(),
                give_up: vec![Line::Prompt(Prompt::Goodbye)],
            }
        } else {
            Script::say(lines.into_iter().chain([Line::Prompt(Prompt::Goodbye)]).collect())
        };
        let step = if asks { Step::Wish } else { Step::Farewell };
        let tongue = self.tongue_of_callee(call);
        if self.services.is_full() {
            self.switch.say(call, spoken(&script.say, tongue, None));
        } else {
            self.converse_early(now, call, Dialogue::at_once(now.mono, script, tongue), step);
        }
        // Whatever becomes of the sound, nobody is kept waiting.
        self.switch.limit_ringing(now, call, limits::EXCUSE);
        self.finish_attempt(now, attempt, Finding::sure(Outcome::Abandoned));
    }

    /// What the one who was called in vain wants.
    pub(crate) fn wish_heard(&mut self, now: Now, call: CallId, told: &Told) {
        let Some(trying) = self.background.trying.get(&call).cloned() else { return };
        let ongoing = self.ongoing.call(call).map(|ongoing| ongoing.callee.number.clone());
        let key = match told {
            Told::Collected(key) => &**key,
            _ => "",
        };
        let id = trying.attempt.task.0.to_string();
        let done = match (key, ongoing) {
            ("1", Some(_)) => {
                self.message_owner(now, &trying, Occasion::CallBack);
                self.note(now, FactKind::Task, &id, "task.call-back", "asks to be called back".into());
                true
            }
            ("9", Some(number)) => {
                let number = self.callee_number(&number);
                let owner = self.background.owners.id(&trying.account);
                if let Some(number) = number {
                    let owner = Some(owner);
                    self.background.dialing.handle(now, Input::Forbid { number, owner });
                    self.carry_background(now);
                }
                self.note(now, FactKind::Task, &id, "task.forbidden", "asks not to be called again".into());
                true
            }
            _ => false,
        };
        let said = if done { vec![Line::Prompt(Prompt::Done)] } else { Vec::new() };
        let script = Script::say(said.into_iter().chain([Line::Prompt(Prompt::Goodbye)]).collect());
        self.converse_on(now, call, script, Step::Farewell);
    }

    /// A number that was called, as budgets count it.
    pub(super) fn callee_number(&self, dialled: &str) -> Option<dialing::Number> {
        if self.is_inside(dialled) || self.people.group_of(dialled).is_some() {
            return self.number_inside(dialled);
        }
        let bare = self.config.numbering.outside(dialled).unwrap_or(dialled);
        dialing::Number::outside(&self.config.numbering.e164(bare)?).ok()
    }

    pub(crate) fn attempt_is_over(&mut self, call: CallId) {
        if let Some(trying) = self.background.trying.get_mut(&call) {
            trying.phase = Phase::Over;
        }
    }

    /// The language of the one who is called: their own, else that of their country, else the office's.
    fn tongue_of_callee(&self, call: CallId) -> Tongue {
        let ongoing = self.ongoing.call(call);
        let account = ongoing.and_then(|ongoing| ongoing.callee_account.as_deref());
        if let Some(account) = account.and_then(|account| self.people.account(account)) {
            return tongue(account.settings.language);
        }
        let number = ongoing.and_then(|ongoing| self.config.numbering.e164(&ongoing.callee.number));
        let chinese = number.is_some_and(|number| number.starts_with("+86"));
        tongue(if chinese { Language::Chinese } else { Language::default() })
    }

    /// The owner was called first, and the other side was not reached: that is said before the owner is let go.
    pub(crate) fn tells_owner(&mut self, now: Now, call: CallId, cause: Cause, detail: &str) -> bool {
        let waits = self.background.trying.get(&call).is_some_and(|trying| {
            let owner_waits = trying.legs == LegOrder::OwnerFirst && trying.phase == Phase::Second;
            // An agent is free for others at once.
            owner_waits && !trying.told && trying.queue.is_none() && trying.row.is_none()
        });
        if !waits || self.services.has(call) || self.services.is_full() || !self.switch.is_half_up(call) {
            return false;
        }
        let account = self.background.trying.get_mut(&call).map(|trying| {
            trying.told = true;
            trying.account.clone()
        });
        let language = account.and_then(|account| Some(self.people.account(&account)?.settings.language));
        let script = Script::say(vec![Line::Prompt(Prompt::NotReached), Line::Prompt(Prompt::Goodbye)]);
        let dialogue = Dialogue::at_once(now.mono, script, tongue(language.unwrap_or_default()));
        self.converse_early(now, call, dialogue, Step::Refuse { cause, detail: detail.into() });
        true
    }
}
