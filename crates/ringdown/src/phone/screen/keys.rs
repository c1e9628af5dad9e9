//! What keys do.

use super::{Asking, PAST, Screen};
use ::phone::work::{Said, Wish};
use ::phone::{Command, Entry, KeyStyle, LampState, Look};

/// One key of the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Letter(char),
    Enter,
    Escape,
    Backspace,
    Tab,
    Up,
    Down,
    Left,
    Right,
    /// Control and C.
    Interrupt,
}

/// Keys that do something at once, and the words for it.
pub(super) const PHONE: [(&str, &str); 10] = [
    ("d", "phone.key.dial"),
    ("Enter", "phone.key.answer"),
    ("h", "phone.key.hang_up"),
    ("u", "phone.key.hold"),
    ("t", "phone.key.transfer"),
    ("j", "phone.key.join"),
    ("k", "phone.key.keys"),
    ("c", "phone.key.calls"),
    ("b", "phone.key.lamps"),
    ("q", "phone.key.quit"),
];

/// The same, with a list.
pub(super) const LIST: [(&str, &str); 10] = [
    ("i", "phone.key.sign_in"),
    ("o", "phone.key.online"),
    ("a", "phone.key.away"),
    ("p", "phone.key.pause"),
    ("s", "phone.key.skip"),
    ("l", "phone.key.later"),
    ("r", "phone.key.result"),
    ("g", "phone.key.give_up"),
    ("n", "phone.key.forbid"),
    ("x", "phone.key.sign_out"),
];

impl Screen {
    /// What a key wants done.
    pub(crate) fn press(&mut self, key: Key) -> Vec<Said> {
        if key == Key::Interrupt {
            return vec![Said::Phone(Command::Quit)];
        }
        match std::mem::replace(&mut self.asking, Asking::Nothing) {
            Asking::Nothing => self.at_once(key),
            Asking::Quit => match key {
                Key::Letter('y' | 'Y') | Key::Enter => vec![Said::Phone(Command::Quit)],
                _ => Vec::new(),
            },
            Asking::Keep { number, calls } => match key {
                Key::Letter('y' | 'Y') => vec![Said::Phone(Command::KeepCalling { yes: true })],
                Key::Letter('n' | 'N') | Key::Escape => {
                    vec![Said::Phone(Command::KeepCalling { yes: false })]
                }
                _ => {
                    self.asking = Asking::Keep { number, calls };
                    Vec::new()
                }
            },
            Asking::Calls(place) => self.press_at_calls(place, key),
            Asking::Lamp(place) => self.press_at_lamps(place, key),
            Asking::Keys(pressed) => self.press_there(pressed, key),
            Asking::Dial(text) if key == Key::Tab => {
                self.used = (self.used + 1) % self.accounts.len().max(1);
                self.asking = Asking::Dial(text);
                Vec::new()
            }
            Asking::Dial(text) => {
                let account = self.account_used();
                self.typed(text, key, Asking::Dial, |text| {
                    Some(Said::Phone(Command::Call { number: text.to_owned(), account }))
                })
            }
            Asking::Transfer(text) => self.typed(text, key, Asking::Transfer, |text| {
                Some(Said::Phone(Command::Transfer { call: None, number: text.to_owned() }))
            }),
            Asking::Later(text) => self.typed(text, key, Asking::Later, later),
            Asking::Result(text) => self.typed(text, key, Asking::Result, |text| {
                let (result, note) = text.split_once(' ').unwrap_or((text, ""));
                let (result, note) = (result.to_owned(), note.trim().to_owned());
                Some(Said::List(Wish::Result { task: None, result, note }))
            }),
        }
    }

    /// By whom the next call goes out, where there is a choice.
    fn account_used(&self) -> Option<String> {
        let several = self.accounts.len() > 1;
        self.accounts.get(self.used).filter(|_| several).map(|account| account.name.clone())
    }

    fn at_once(&mut self, key: Key) -> Vec<Said> {
        let phone = |command| vec![Said::Phone(command)];
        let list = |wish| vec![Said::List(wish)];
        let Key::Letter(letter) = key else {
            return if key == Key::Enter { phone(Command::Answer { call: None }) } else { Vec::new() };
        };
        if self.has_list
            && let Some((_, result)) = self.results.iter().find(|(known, _)| *known == letter)
        {
            return list(Wish::Result { task: None, result: result.clone(), note: String::new() });
        }
        let held = self.calls.values().any(|call| call.state == "phone.state.held");
        match letter {
            'd' => self.asking = Asking::Dial(String::new()),
            't' if !self.calls.is_empty() => self.asking = Asking::Transfer(String::new()),
            'k' if !self.calls.is_empty() => self.asking = Asking::Keys(String::new()),
            'j' => return phone(Command::Join { call: None, with: None }),
            'b' if !self.lamps.is_empty() => self.asking = Asking::Lamp(0),
            'c' => {
                self.asking = Asking::Calls(0);
                return vec![Said::Look(Look::History { limit: Some(PAST), seen: true })];
            }
            'q' => self.asking = Asking::Quit,
            'h' => return phone(Command::HangUp { call: None }),
            'u' if held => return phone(Command::Resume { call: None }),
            'u' => return phone(Command::Hold { call: None }),
            _ if !self.has_list => {}
            'l' => self.asking = Asking::Later(String::new()),
            'r' => self.asking = Asking::Result(String::new()),
            'i' => return list(Wish::SignIn),
            'o' => return list(Wish::Online),
            'a' => return list(Wish::Away),
            'p' => return list(Wish::PauseAfterCall),
            's' => return list(Wish::Skip { task: None }),
            'g' => return list(Wish::GiveUp { task: None }),
            'n' => return list(Wish::Forbid { task: None }),
            'x' => return list(Wish::SignOut),
            _ => {}
        }
        Vec::new()
    }

    fn typed(
        &mut self,
        mut text: String,
        key: Key,
        again: fn(String) -> Asking,
        done: impl FnOnce(&str) -> Option<Said>,
    ) -> Vec<Said> {
        match key {
            Key::Escape => return Vec::new(),
            Key::Enter if text.trim().is_empty() => return Vec::new(),
            Key::Enter => {
                if let Some(said) = done(text.trim()) {
                    return vec![said];
                }
            }
            Key::Backspace => drop(text.pop()),
            Key::Letter(letter) if text.chars().count() < 500 => text.push(letter),
            _ => {}
        }
        self.asking = again(text);
        Vec::new()
    }

    /// The calls that were: up and down, and one is called again.
    fn press_at_calls(&mut self, place: usize, key: Key) -> Vec<Said> {
        let last = self.past.len().saturating_sub(1);
        match key {
            Key::Up | Key::Letter('k') => self.asking = Asking::Calls(place.saturating_sub(1)),
            Key::Down | Key::Letter('j') => self.asking = Asking::Calls((place + 1).min(last)),
            Key::Enter => return self.past.get(place).map(again).into_iter().collect(),
            Key::Escape | Key::Letter('c') => {}
            _ => self.asking = Asking::Calls(place),
        }
        Vec::new()
    }

    /// The lamps: one after the other; what rings is picked up, the others are called.
    fn press_at_lamps(&mut self, place: usize, key: Key) -> Vec<Said> {
        let count = self.lamps.len().max(1);
        match key {
            Key::Left | Key::Up => self.asking = Asking::Lamp((place + count - 1) % count),
            Key::Right | Key::Down | Key::Tab | Key::Letter('b') => {
                self.asking = Asking::Lamp((place + 1) % count);
            }
            Key::Enter => {
                let Some(lamp) = self.lamps.get(place) else { return Vec::new() };
                let code = if lamp.state == LampState::Ringing { self.pick_up_code.as_str() } else { "" };
                let number = format!("{code}{}", lamp.number);
                return vec![Said::Phone(Command::Call { number, account: Some(lamp.account.clone()) })];
            }
            Key::Escape => {}
            _ => self.asking = Asking::Lamp(place),
        }
        Vec::new()
    }

    fn press_there(&mut self, mut pressed: String, key: Key) -> Vec<Said> {
        let Key::Letter(letter) = key else { return Vec::new() };
        let tone = matches!(letter, '0'..='9' | '*' | '#' | 'A'..='D');
        if tone {
            pressed.push(letter);
        }
        self.asking = Asking::Keys(pressed);
        let dtmf = || Command::Dtmf { call: None, keys: letter.to_string(), style: KeyStyle::Rtp };
        if tone { vec![Said::Phone(dtmf())] } else { Vec::new() }
    }
}

/// By the account that had the call.
fn again(entry: &Entry) -> Said {
    Said::Phone(Command::Call { number: entry.number.clone(), account: Some(entry.account.clone()) })
}

/// `1`, `2` and `3` stand for the usual waits; anything longer is minutes.
fn later(text: &str) -> Option<Said> {
    let (minutes, at) = match text {
        "1" => (Some(15), None),
        "2" => (Some(60), None),
        "3" => (None, Some("tomorrow".to_owned())),
        _ => (Some(text.parse().ok()?), None),
    };
    Some(Said::List(Wish::Later { task: None, minutes, at }))
}
