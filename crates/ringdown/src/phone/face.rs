//! What a phone shows itself by: a control socket, a screen, or lines.

use super::app::AppNews;
use super::control::Control;
use super::history::Recalled;
use super::hub::Ear;
use super::list::Desk;
use super::screen::{self, Key, Screen, Terminal};
use super::show::{Show, print_calls, print_news};
use super::{Arguments, words};
use crate::Failure;
use crate::texts::Language;
use ::phone::work::{News, Said};
use ::phone::{Account, Event};
use serde::Serialize;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// What happened, and to which account.
#[derive(Serialize)]
struct Of<'a> {
    account: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

/// How often the times on the screen move on.
const SECOND: Duration = Duration::from_secs(1);

/// One of three ways to show a phone.
pub(super) enum Face {
    Control(Control),
    Screen { screen: Box<Screen>, terminal: Terminal, wants_queue: bool },
    Lines(Show),
}

impl Face {
    pub(super) fn open(
        arguments: &Arguments,
        accounts: &[Account],
        control: Option<Control>,
        desk: &Desk,
        ear: Ear,
    ) -> Result<Face, Failure> {
        if let Some(control) = control {
            control.serve(ear)?;
            return Ok(Face::Control(control));
        }
        let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
        // The screen knows phones that stay at their exchange.
        if arguments.plain || !terminal || arguments.app.app.is_some() {
            words::read(ear)?;
            return Ok(Face::Lines(Show::of(accounts.len(), Language::of_the_terminal())));
        }
        let language = Language::of_the_terminal();
        let address = |account: &Account| format!("{}@{}", account.user, account.server);
        let lamps =
            accounts.iter().flat_map(|one| one.lamps.iter().map(|lamp| (one.name.clone(), lamp.clone())));
        let lamps: Vec<(String, String)> = lamps.collect();
        let shown = accounts.iter().map(|one| screen::Account::new(&one.name, address(one))).collect();
        let screen = Screen::new(language, shown, desk.has_list(), desk.results())
            .with_lamps(lamps, &arguments.pick_up_code);
        let terminal = Terminal::open(ear)?;
        Ok(Face::Screen { screen: Box::new(screen), terminal, wants_queue: false })
    }

    pub(super) fn event(&mut self, account: &str, event: &Event) -> Result<(), Failure> {
        match self {
            Face::Control(control) => {
                control.tell(&Of { account, event }, !matches!(event, Event::Heard { .. }));
            }
            Face::Screen { screen, .. } => screen.hear(Instant::now(), account, event),
            Face::Lines(show) => show.print(account, event)?,
        }
        Ok(())
    }

    pub(super) fn news(&mut self, news: &News) {
        match self {
            Face::Control(control) => control.tell(news, true),
            Face::Screen { screen, wants_queue, .. } => {
                *wants_queue |= Screen::wants_queue(news);
                screen.read(news);
            }
            Face::Lines(show) => print_news(show.language(), news),
        }
    }

    /// So many calls are remembered on the screen.
    pub(super) const CALLS: usize = 100;

    /// What is remembered of calls; `said` when somebody is to be told, not only shown.
    pub(super) fn recall(&mut self, recalled: &Recalled, said: bool) {
        match self {
            Face::Control(control) if said => {
                control.tell(recalled, matches!(recalled, Recalled::Logged { .. }));
            }
            Face::Lines(show) if said => print_calls(show.language(), recalled),
            Face::Screen { screen, .. } => screen.recall(recalled),
            Face::Control(_) | Face::Lines(_) => {}
        }
    }

    /// What an app tells besides.
    pub(super) fn app(&mut self, news: &AppNews) {
        match self {
            Face::Control(control) => control.tell(news, true),
            Face::Lines(_) => {
                if let Ok(line) = serde_json::to_string(news) {
                    println!("{line}");
                }
            }
            Face::Screen { .. } => {}
        }
    }

    pub(super) fn press(&mut self, key: Key) -> Vec<Said> {
        match self {
            Face::Screen { screen, .. } => screen.press(key),
            Face::Control(_) | Face::Lines(_) => Vec::new(),
        }
    }

    /// Whether what comes next is to be asked for, to be shown; asked once.
    pub(super) fn wants_queue(&mut self) -> bool {
        match self {
            Face::Screen { wants_queue, .. } => std::mem::take(wants_queue),
            Face::Control(_) | Face::Lines(_) => false,
        }
    }

    pub(super) fn patience(&self, most: Duration) -> Duration {
        if matches!(self, Face::Screen { .. }) { most.min(SECOND) } else { most }
    }

    pub(super) fn draw(&mut self) -> Result<(), Failure> {
        match self {
            Face::Screen { screen, terminal, .. } => terminal.draw(screen),
            Face::Control(_) | Face::Lines(_) => Ok(()),
        }
    }
}
