//! The machine against tables: what is said, what is taken, and when it gives up.

use super::*;
use clock::Mono;
use media::{Prompt, SoundId, Tongue};
use std::time::Duration;

/// One step of a story, and what must come of it.
enum Step {
    Key(char),
    Heard,
    /// So many ms pass; whoever asked to be woken is.
    Pass(u64),
    Says(&'static [Prompt]),
    Hushes,
    Ends(Outcome),
    Nothing,
}
use Step::*;

const T: Tongue = Tongue::Zh;

struct Stage {
    now: Mono,
    dialogue: Dialogue,
}

impl Stage {
    fn new(script: Script) -> Stage {
        let now = Mono(1_000);
        Stage { now, dialogue: Dialogue::new(now, script, T) }
    }

    fn pass(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some(due) = self.dialogue.next_deadline().filter(|due| *due <= end) {
            self.now = due;
            self.dialogue.handle(due, Input::Timeout);
        }
        self.now = end;
    }

    fn play(&mut self, name: &str, steps: Vec<Step>) {
        for (number, step) in steps.into_iter().enumerate() {
            let at = format!("{name}, step {number}");
            match step {
                Key(key) => self.dialogue.handle(self.now, Input::Key(key)),
                Heard => self.dialogue.handle(self.now, Input::SoundEnded),
                Pass(ms) => self.pass(ms),
                Says(prompts) => {
                    let sounds: Vec<SoundId> = prompts.iter().map(|prompt| prompt.sound(T)).collect();
                    assert_eq!(self.dialogue.next_output(), Some(Output::Say(sounds)), "{at}");
                }
                Hushes => assert_eq!(self.dialogue.next_output(), Some(Output::Hush), "{at}"),
                Ends(outcome) => {
                    assert_eq!(self.dialogue.next_output(), Some(Output::Ended(outcome)), "{at}");
                    assert_eq!(self.dialogue.next_deadline(), None, "{at}");
                }
                Nothing => assert_eq!(self.dialogue.next_output(), None, "{at}"),
            }
        }
        assert_eq!(self.dialogue.next_output(), None, "{name}: more came of it");
    }
}

fn ask() -> Script {
    Script::ask(Prompt::EnterNumber, Collect::default())
}

fn collected(keys: &str) -> Step {
    Ends(Outcome::Collected(keys.into()))
}

const QUESTION: &[Prompt] = &[Prompt::EnterNumber];
const AGAIN: &[Prompt] = &[Prompt::TryAgain, Prompt::EnterNumber];
const WHY: &[Prompt] = &[Prompt::NotUnderstood, Prompt::Goodbye];

#[test]
fn prompts_are_said_and_numbers_are_spelled() {
    let script = Script::say(vec![Line::Prompt(Prompt::YourNumberIs), Line::Spelled("+1a*".into())]);
    Stage::new(script).play(
        "spelled",
        vec![
            Nothing,
            Pass(299),
            Nothing,
            Pass(1),
            Says(&[Prompt::YourNumberIs, Prompt::Plus, Prompt::Digit1, Prompt::Star]),
            Heard,
            Heard,
            Key('5'),
            Heard,
            Nothing,
            Heard,
            Ends(Outcome::Said),
            Heard,
            Key('1'),
            Pass(100_000),
        ],
    );
    Stage::new(Script::say(Vec::new())).play("nothing to say", vec![Pass(300), Ends(Outcome::Said)]);
}

#[test]
fn the_terminator_ends_a_correction_forgets_and_barge_in_stops_the_prompt() {
    let stories = [
        (
            "after the prompt",
            vec![Pass(300), Says(QUESTION), Heard, Key('1'), Key('2'), Key('#'), collected("12")],
        ),
        ("barge-in", vec![Pass(300), Says(QUESTION), Key('7'), Hushes, Key('#'), collected("7")]),
        (
            "a late end of the stopped prompt",
            vec![Pass(300), Says(QUESTION), Key('7'), Hushes, Heard, Nothing, Key('#'), collected("7")],
        ),
        (
            "corrected",
            vec![Pass(300), Says(QUESTION), Heard, Key('1'), Key('*'), Key('2'), Key('#'), collected("2")],
        ),
        ("letters are keys", vec![Pass(300), Says(QUESTION), Heard, Key('A'), Key('#'), collected("A")]),
    ];
    for (name, steps) in stories {
        Stage::new(ask()).play(name, steps);
    }
}

#[test]
fn without_barge_in_keys_count_when_all_was_said() {
    let collect = Collect { barge_in: false, most: 2, correction: None, ..Collect::default() };
    let script = Script::ask(Prompt::EnterPin, collect);
    Stage::new(script).play(
        "no barge-in",
        vec![
            Pass(300),
            Says(&[Prompt::EnterPin]),
            Key('9'),
            Nothing,
            Heard,
            Key('*'),
            Key('2'),
            collected("*2"),
        ],
    );
}

#[test]
fn silence_is_asked_again_and_ends_with_a_reason() {
    let stories = [
        (
            "nobody keys",
            vec![
                Pass(300),
                Says(QUESTION),
                Heard,
                Pass(7_999),
                Nothing,
                Pass(1),
                Says(AGAIN),
                Heard,
                Heard,
                Pass(8_000),
                Says(AGAIN),
                Heard,
                Heard,
                Pass(8_000),
                Says(WHY),
                Heard,
                Key('1'),
                Nothing,
                Heard,
                Ends(Outcome::GaveUp),
            ],
        ),
        (
            "half a number is no number",
            vec![
                Pass(300),
                Says(QUESTION),
                Heard,
                Key('1'),
                Pass(4_999),
                Key('2'),
                Pass(4_999),
                Nothing,
                Pass(1),
                Says(AGAIN),
                Heard,
                Heard,
                Key('3'),
                Key('#'),
                collected("3"),
            ],
        ),
        (
            "only the terminator",
            vec![
                Pass(300),
                Says(QUESTION),
                Key('#'),
                Hushes,
                Says(AGAIN),
                Key('4'),
                Hushes,
                Key('#'),
                collected("4"),
            ],
        ),
        (
            "a correction gives the whole time again",
            vec![
                Pass(300),
                Says(QUESTION),
                Heard,
                Key('1'),
                Key('*'),
                Pass(7_999),
                Nothing,
                Pass(1),
                Says(AGAIN),
            ],
        ),
        (
            "the ends of sounds are lost",
            vec![Pass(300), Says(QUESTION), Pass(12_000), Nothing, Key('1'), Key('#'), collected("1")],
        ),
    ];
    for (name, steps) in stories {
        Stage::new(ask()).play(name, steps);
    }
}

#[test]
fn without_a_terminator_a_pause_is_the_end() {
    let collect = Collect { terminator: None, most: 4, tries: 1, ..Collect::default() };
    let stories = [
        ("a pause", vec![Pass(300), Says(QUESTION), Heard, Key('1'), Key('#'), Pass(5_000), collected("1#")]),
        (
            "full",
            vec![
                Pass(300),
                Says(QUESTION),
                Key('1'),
                Hushes,
                Key('2'),
                Key('3'),
                Key('4'),
                collected("1234"),
                Key('5'),
            ],
        ),
        (
            "nothing",
            vec![
                Pass(300),
                Says(QUESTION),
                Heard,
                Pass(8_000),
                Says(WHY),
                Heard,
                Heard,
                Ends(Outcome::GaveUp),
            ],
        ),
    ];
    for (name, steps) in stories {
        Stage::new(Script::ask(Prompt::EnterNumber, collect)).play(name, steps);
    }
}

#[test]
fn a_dialogue_goes_on_with_another_script() {
    let mut stage = Stage::new(ask());
    stage.play("first", vec![Pass(300), Says(QUESTION), Heard, Key('1'), Key('#'), collected("1")]);
    stage.dialogue.go_on(stage.now, Script::say(vec![Line::Prompt(Prompt::Done)]));
    stage.play("then", vec![Says(&[Prompt::Done]), Heard, Ends(Outcome::Said)]);
}
