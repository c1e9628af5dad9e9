//! The terminal itself: raw while the phone runs, as it was afterwards, even after a panic.

use super::Screen;
use super::keys::Key;
use crate::Failure;
use crate::phone::hub::{Ear, Heard};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use std::time::Instant;

/// A terminal that shows the phone.
pub(crate) struct Terminal {
    terminal: DefaultTerminal,
}

impl Terminal {
    /// Takes the terminal, and reads its keys on a thread of its own.
    pub(crate) fn open(ear: Ear) -> Result<Terminal, Failure> {
        let terminal = ratatui::try_init()?;
        let read = move || {
            while let Ok(read) = event::read() {
                let key = match read {
                    Event::Key(key) if key.kind != KeyEventKind::Release => {
                        of(key.code, key.modifiers).map(Heard::Key)
                    }
                    Event::Resize(..) => Some(Heard::Resized),
                    _ => None,
                };
                if let Some(heard) = key
                    && ear.send(heard).is_err()
                {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("keys".into()).spawn(read)?;
        Ok(Terminal { terminal })
    }

    pub(crate) fn draw(&mut self, screen: &Screen) -> Result<(), Failure> {
        let now = Instant::now();
        self.terminal.draw(|frame| screen.draw(frame, now))?;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

fn of(code: KeyCode, modifiers: KeyModifiers) -> Option<Key> {
    Some(match code {
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
        KeyCode::Char(letter) => Key::Letter(letter),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Tab => Key::Tab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        _ => return None,
    })
}
