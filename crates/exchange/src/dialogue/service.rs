//! The dialogues that are going on, between the calls that they are held in and the policy that began them.

use super::script::sounds;
use super::{Dialogue, Input, Line, Outcome, Output, Script};
use crate::codes::Step;
use crate::exchange::Exchange;
use calls::{CallId, Cause};
use clock::{Mono, Now};
use media::{SoundId, Source, Tongue};
use std::collections::{BTreeMap, BTreeSet};

/// One call with the exchange itself.
#[derive(Debug)]
struct Service {
    dialogue: Dialogue,
    /// What the policy makes of the dialogue's outcome.
    step: Step,
    /// The account that the caller acts for, having proved its PIN; else its own.
    account: Option<Box<str>>,
    /// As it stands in [`Services::due`].
    due: Option<Mono>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Services {
    running: BTreeMap<CallId, Service>,
    due: BTreeSet<(Mono, CallId)>,
}

impl Services {
    /// Whether there is no room for one more.
    pub(crate) fn is_full(&self) -> bool {
        self.running.len() >= crate::limits::DIALOGUES
    }

    /// Whether a call talks with us.
    pub(crate) fn has(&self, call: CallId) -> bool {
        self.running.contains_key(&call)
    }

    /// The account that the caller proved to be.
    pub(crate) fn account(&self, call: CallId) -> Option<&str> {
        self.running.get(&call)?.account.as_deref()
    }

    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        self.due.first().map(|(when, _)| *when)
    }

    /// The call is over, or is no longer ours to answer.
    pub(crate) fn end(&mut self, call: CallId) {
        if let Some(when) = self.running.remove(&call).and_then(|service| service.due) {
            self.due.remove(&(when, call));
        }
    }

    /// Gives a dialogue one input, and takes the first thing that it asks for.
    fn feed(&mut self, now: Mono, call: CallId, input: Option<Input>) -> Option<Output> {
        let service = self.running.get_mut(&call)?;
        if let Some(input) = input {
            service.dialogue.handle(now, input);
        }
        let output = service.dialogue.next_output();
        let due = service.dialogue.next_deadline();
        let known = std::mem::replace(&mut service.due, due);
        if known != due {
            known.map(|when| self.due.remove(&(when, call)));
            due.map(|when| self.due.insert((when, call)));
        }
        output
    }
}

impl Exchange {
    /// Answers a call with a dialogue; `step` says what its outcome means, and the record says that `label` answered.
    pub(crate) fn converse(&mut self, now: Now, call: CallId, label: &str, dialogue: Dialogue, step: Step) {
        self.switch.answer_with(now, call, Source::Nothing, label);
        self.converse_early(now, call, dialogue, step);
    }

    /// Holds a dialogue with a caller who hears us already.
    pub(crate) fn converse_early(&mut self, now: Now, call: CallId, dialogue: Dialogue, step: Step) {
        // What it was in before leaves no time behind.
        self.services.end(call);
        self.services.running.insert(call, Service { dialogue, step, account: None, due: None });
        self.advance(now, call, None);
    }

    /// The caller has proved to be somebody else than the owner of the phone.
    pub(crate) fn act_for(&mut self, call: CallId, account: Box<str>) {
        if let Some(service) = self.services.running.get_mut(&call) {
            service.account = Some(account);
        }
    }

    /// Goes on in a dialogue that ended with an outcome; a call that is over is none.
    pub(crate) fn converse_on(&mut self, now: Now, call: CallId, script: Script, step: Step) {
        let Some(service) = self.services.running.get_mut(&call) else { return };
        service.dialogue.go_on(now.mono, script);
        service.step = step;
        self.advance(now, call, None);
    }

    /// What the policy makes of the dialogue of a call.
    pub(crate) fn set_step(&mut self, call: CallId, step: Step) {
        if let Some(service) = self.services.running.get_mut(&call) {
            service.step = step;
        }
    }

    /// A key was pressed in a call.
    pub(crate) fn key_pressed(&mut self, now: Now, call: CallId, key: char) {
        if !self.asks_for_callback(now, call, key) {
            self.advance(now, call, Some(Input::Key(key)));
        }
    }

    /// A caller heard a sound to its end.
    pub(crate) fn sound_ended(&mut self, now: Now, call: CallId) {
        self.advance(now, call, Some(Input::SoundEnded));
    }

    /// Runs what is due.
    pub(crate) fn expire_dialogues(&mut self, now: Now) {
        while let Some(&(_, call)) = self.services.due.first().filter(|(when, _)| *when <= now.mono) {
            self.advance(now, call, Some(Input::Timeout));
        }
    }

    fn advance(&mut self, now: Now, call: CallId, mut input: Option<Input>) {
        while let Some(output) = self.services.feed(now.mono, call, input.take()) {
            match output {
                Output::Say(sounds) => self.switch.say(call, chain(&sounds, None)),
                Output::Hush => self.switch.say(call, Source::Nothing),
                Output::Ended(outcome) => self.outcome(now, call, outcome),
            }
        }
    }

    fn outcome(&mut self, now: Now, call: CallId, outcome: Outcome) {
        let Some(service) = self.services.running.get_mut(&call) else { return };
        let step = std::mem::replace(&mut service.step, Step::Farewell);
        match (step, outcome) {
            (Step::Refuse { cause, detail }, _) => {
                self.services.end(call);
                self.fail(now, call, cause, &detail);
            }
            (Step::Offer { cause, detail, .. }, Outcome::GaveUp) => {
                self.services.end(call);
                self.fail(now, call, cause, &detail);
            }
            // Whoever waits in a queue waits on.
            (Step::CallbackNumber, outcome) => self.callback_number_keyed(now, call, &outcome),
            (Step::Farewell, _) | (_, Outcome::GaveUp) => {
                self.services.end(call);
                self.switch.hang_up(now, call, Cause::CalleeHungUp);
            }
            (step, outcome) => self.step_done(now, call, step, outcome),
        }
    }
}

/// Something to say, and what is heard after it.
pub(crate) fn spoken(lines: &[Line], tongue: Tongue, then: Option<Source>) -> Source {
    chain(&sounds(lines, tongue), then)
}

/// Sounds without a gap; the engine goes from one to the next without waiting for anybody.
fn chain(sounds: &[SoundId], then: Option<Source>) -> Source {
    let before = |then: Option<Box<Source>>, sound: &SoundId| {
        Some(Box::new(Source::Prompt { sound: *sound, then, repeat: false }))
    };
    sounds.iter().rev().fold(then.map(Box::new), before).map_or(Source::Nothing, |source| *source)
}
