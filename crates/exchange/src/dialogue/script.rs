//! What a dialogue is about: what to say, what to collect, and what to say when nothing came of it.

use media::{Prompt, SoundId, Tongue};
use std::time::Duration;

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A prompt.
    Prompt(Prompt),
    /// A number, key by key; what no key has is left out.
    Spelled(Box<str>),
}

/// What to collect after, or while, it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collect {
    /// So many keys are enough, and end it.
    pub most: usize,
    /// The key that ends it sooner. With one, keys that stop coming are no end: half a number is no number.
    pub terminator: Option<char>,
    /// The key that forgets what was keyed so far.
    pub correction: Option<char>,
    /// How long the first key is waited for, once all was said.
    pub first: Duration,
    /// How long each further key is waited for.
    pub between: Duration,
    /// Whether a key stops what is being said and counts; otherwise it is heard to its end first.
    pub barge_in: bool,
    /// How often it is said at most.
    pub tries: u8,
}

impl Default for Collect {
    fn default() -> Collect {
        Collect {
            most: 32,
            terminator: Some('#'),
            correction: Some('*'),
            first: Duration::from_secs(8),
            between: Duration::from_secs(5),
            barge_in: true,
            tries: 3,
        }
    }
}

/// A dialogue's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// What is said first.
    pub say: Vec<Line>,
    /// What is collected; `None` ends when all was said.
    pub collect: Option<Collect>,
    /// What is said before the question when it is asked again.
    pub again: Vec<Line>,
    /// What is said at the end when nothing was collected.
    pub give_up: Vec<Line>,
}

impl Script {
    /// Says something and collects nothing.
    #[must_use]
    pub fn say(lines: Vec<Line>) -> Script {
        Script { say: lines, ..Script::default() }
    }

    /// Asks with a prompt for keys, as often as `collect` says.
    #[must_use]
    pub fn ask(question: Prompt, collect: Collect) -> Script {
        Script {
            say: vec![Line::Prompt(question)],
            collect: Some(collect),
            again: vec![Line::Prompt(Prompt::TryAgain)],
            give_up: vec![Line::Prompt(Prompt::NotUnderstood), Line::Prompt(Prompt::Goodbye)],
        }
    }
}

/// The sounds of some lines, in the order in which they are heard.
pub(super) fn sounds(lines: &[Line], tongue: Tongue) -> Vec<SoundId> {
    let mut sounds = Vec::new();
    for line in lines {
        match line {
            Line::Prompt(prompt) => sounds.push(prompt.sound(tongue)),
            Line::Spelled(number) => {
                sounds.extend(number.chars().filter_map(Prompt::of_key).map(|prompt| prompt.sound(tongue)));
            }
        }
    }
    sounds
}
