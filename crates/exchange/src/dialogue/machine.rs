//! The machine that runs a [`Script`].

use super::script::{self, Collect, Line, Script};
use clock::Mono;
use media::{SoundId, Tongue};
use std::collections::VecDeque;
use std::time::Duration;

/// A telephone opens its ear a moment after its call was answered.
const OPENING: Duration = Duration::from_millis(300);
/// No prompt is as long: the end of one that lasts longer was lost, and the dialogue goes on.
const SOUND_LONGEST: Duration = Duration::from_secs(12);

/// What can happen to a dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key: 0-9, A-D, * or #.
    Key(char),
    /// One of the sounds of [`Output::Say`] was heard to its end.
    SoundEnded,
    /// The deadline has passed.
    Timeout,
}

/// What a dialogue asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Let these be heard one after the other, instead of what is heard now; never empty.
    Say(Vec<SoundId>),
    /// Let nothing be heard.
    Hush,
    /// It is over.
    Ended(Outcome),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All was said; nothing was to be collected.
    Said,
    /// These were keyed, without terminator; never empty.
    Collected(Box<str>),
    /// Nothing was keyed, or not to the end; the reason was said.
    GaveUp,
}

/// One running dialogue.
#[derive(Debug)]
pub struct Dialogue {
    script: Script,
    tongue: Tongue,
    state: State,
    /// What was keyed so far.
    keyed: String,
    /// How often the question was said.
    tries: u8,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is said yet.
    Opening {
        until: Mono,
    },
    /// So many sounds are not at their end; what follows.
    Saying {
        left: usize,
        until: Mono,
        then: Then,
    },
    /// A key is waited for.
    Listening {
        until: Mono,
    },
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Listen(Collect),
    Said,
    GaveUp,
}

impl Dialogue {
    /// A dialogue that begins a moment after `now`.
    #[must_use]
    pub fn new(now: Mono, script: Script, tongue: Tongue) -> Dialogue {
        let state = State::Opening { until: now + OPENING };
        Dialogue { script, tongue, state, keyed: String::new(), tries: 0, outputs: VecDeque::new() }
    }

    /// A dialogue with somebody whose ear is open already.
    #[must_use]
    pub fn at_once(now: Mono, script: Script, tongue: Tongue) -> Dialogue {
        let mut dialogue = Dialogue::new(now, script, tongue);
        dialogue.begin(now);
        dialogue
    }

    /// Goes on with another script, at once unless the ear is not open yet.
    pub fn go_on(&mut self, now: Mono, script: Script) {
        self.script = script;
        self.tries = 0;
        self.keyed.clear();
        self.outputs.clear();
        if !matches!(self.state, State::Opening { .. }) {
            self.begin(now);
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Mono, input: Input) {
        match (input, self.state) {
            (Input::Timeout, State::Opening { until }) if until <= now => self.begin(now),
            (Input::Timeout, State::Saying { until, then, .. }) if until <= now => self.all_said(now, then),
            (Input::Timeout, State::Listening { until }) if until <= now => self.silent(now),
            (Input::SoundEnded, State::Saying { left, then, .. }) if left > 1 => {
                self.state = State::Saying { left: left - 1, until: now + SOUND_LONGEST, then };
            }
            (Input::SoundEnded, State::Saying { then, .. }) => self.all_said(now, then),
            (Input::Key(key), _) => self.key(now, key),
            _ => {}
        }
    }

    /// The next thing to do.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the dialogue wants an [`Input::Timeout`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        match self.state {
            State::Opening { until } | State::Saying { until, .. } | State::Listening { until } => {
                Some(until)
            }
            State::Over => None,
        }
    }

    fn begin(&mut self, now: Mono) {
        self.tries = 1;
        let then = self.script.collect.map_or(Then::Said, Then::Listen);
        let lines = std::mem::take(&mut self.script.say);
        self.say(now, &lines, then);
        self.script.say = lines;
    }

    fn say(&mut self, now: Mono, lines: &[Line], then: Then) {
        let sounds = script::sounds(lines, self.tongue);
        if sounds.is_empty() {
            return self.all_said(now, then);
        }
        self.state = State::Saying { left: sounds.len(), until: now + SOUND_LONGEST, then };
        self.outputs.push_back(Output::Say(sounds));
    }

    fn all_said(&mut self, now: Mono, then: Then) {
        match then {
            Then::Listen(collect) => self.state = State::Listening { until: now + collect.first },
            Then::Said => self.end(Outcome::Said),
            Then::GaveUp => self.end(Outcome::GaveUp),
        }
    }

    fn key(&mut self, now: Mono, key: char) {
        let collect = match self.state {
            State::Saying { then: Then::Listen(collect), .. } if collect.barge_in => {
                self.outputs.push_back(Output::Hush);
                collect
            }
            State::Listening { .. } => match self.script.collect {
                Some(collect) => collect,
                None => return,
            },
            _ => return,
        };
        self.state = State::Listening { until: now + collect.between };
        if collect.correction == Some(key) {
            self.keyed.clear();
            self.state = State::Listening { until: now + collect.first };
        } else if collect.terminator == Some(key) {
            self.complete(now);
        } else {
            self.keyed.push(key);
            if self.keyed.len() >= collect.most {
                self.complete(now);
            }
        }
    }

    /// Whoever keys says that this is all.
    fn complete(&mut self, now: Mono) {
        if self.keyed.is_empty() {
            return self.ask_again(now);
        }
        let keyed = std::mem::take(&mut self.keyed);
        self.end(Outcome::Collected(keyed.into()));
    }

    /// No key came in time.
    fn silent(&mut self, now: Mono) {
        let open = self.script.collect.is_some_and(|collect| collect.terminator.is_none());
        if open && !self.keyed.is_empty() {
            return self.complete(now);
        }
        self.ask_again(now);
    }

    fn ask_again(&mut self, now: Mono) {
        self.keyed.clear();
        let Some(collect) = self.script.collect else { return };
        if self.tries >= collect.tries {
            let why = std::mem::take(&mut self.script.give_up);
            return self.say(now, &why, Then::GaveUp);
        }
        self.tries += 1;
        let lines: Vec<Line> = self.script.again.iter().chain(&self.script.say).cloned().collect();
        self.say(now, &lines, Then::Listen(collect));
    }

    fn end(&mut self, outcome: Outcome) {
        self.state = State::Over;
        self.outputs.push_back(Output::Ended(outcome));
    }
}
