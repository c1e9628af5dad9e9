//! The phone's screen: what is known of the phone, as a value; keys in, wishes out. Drawn by [`draw`], run by [`terminal`].

mod draw;
mod keys;
mod terminal;
#[cfg(test)]
mod tests;

pub(crate) use keys::Key;
pub(crate) use terminal::Terminal;

use super::show;
use crate::texts::Language;
use ::phone::work::{Callee, News};
use ::phone::{CallId, Event, Holder};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// Lines of what happened.
const HISTORY: usize = 200;

/// A call on the screen.
struct Shown {
    number: String,
    name: String,
    /// Whose call it is, where there are several accounts.
    account: String,
    /// The key of its state's words.
    state: &'static str,
    since: Instant,
}

/// One account on the screen.
pub(crate) struct Account {
    name: String,
    /// As it is shown where it is the only one.
    address: String,
    standing: Standing,
}

/// Where an account stands with its server.
enum Standing {
    Asking,
    Registered,
    /// Reached, and not told where we are.
    Connected,
    /// Why.
    Not(String),
}

impl Account {
    /// Before anything happened.
    pub(crate) fn new(name: &str, address: String) -> Account {
        Account { name: name.to_owned(), address, standing: Standing::Asking }
    }
}

/// What keys are for now.
enum Asking {
    /// Each key does something.
    Nothing,
    Dial(String),
    Transfer(String),
    Keys(String),
    Later(String),
    Result(String),
    Quit,
    Keep {
        number: String,
        calls: u8,
    },
}

/// All that the screen shows.
pub(crate) struct Screen {
    language: Language,
    accounts: Vec<Account>,
    /// The account that the next call goes out by.
    used: usize,
    /// Whether there is a list to work through.
    has_list: bool,
    presence: &'static str,
    headset: Option<bool>,
    calls: BTreeMap<CallId, Shown>,
    callee: Option<(Callee, String)>,
    next: Vec<(Callee, String)>,
    counts: Option<String>,
    results: Vec<(char, String)>,
    /// Hertz and level of what is heard.
    heard: Option<f64>,
    history: VecDeque<String>,
    asking: Asking,
}

impl Screen {
    /// Before anything happened. `results` are those that one key gives.
    pub(crate) fn new(
        language: Language,
        accounts: Vec<Account>,
        has_list: bool,
        results: Vec<(char, String)>,
    ) -> Screen {
        Screen {
            language,
            accounts,
            used: 0,
            has_list,
            presence: "phone.presence.signed_out",
            headset: None,
            calls: BTreeMap::new(),
            callee: None,
            next: Vec::new(),
            counts: None,
            results,
            heard: None,
            history: VecDeque::new(),
            asking: Asking::Nothing,
        }
    }

    /// Something happened to the phone.
    pub(crate) fn hear(&mut self, now: Instant, account: &str, event: &Event) {
        if let Some(line) = show::Show::of(self.accounts.len()).line(account, event)
            && !matches!(event, Event::Heard { .. })
        {
            self.note(line);
        }
        match event {
            Event::Registered { .. } => self.stand(account, Standing::Registered),
            Event::Connected => self.stand(account, Standing::Connected),
            Event::NotRegistered { status: 0, reason, .. } => {
                self.stand(account, Standing::Not(reason.clone()))
            }
            Event::NotRegistered { status, reason, .. } => {
                self.stand(account, Standing::Not(format!("{status} {reason}")));
            }
            Event::Unregistered => self.stand(account, Standing::Not(String::new())),
            Event::Using => {
                self.used = self.accounts.iter().position(|known| known.name == account).unwrap_or(self.used);
            }
            Event::Calling { call, number } => {
                self.show(now, *call, account, (number, ""), "phone.state.calling")
            }
            Event::Incoming { call, number, name } => {
                self.show(now, *call, account, (number, name), "phone.state.ringing");
            }
            Event::Ringing { call, .. } => self.turn(now, *call, "phone.state.ringing_there"),
            Event::Answered { call, .. } => self.turn(now, *call, "phone.state.talking"),
            Event::Held { call, by: Holder::Us } => self.turn(now, *call, "phone.state.held"),
            Event::Held { call, by: Holder::Them } => self.turn(now, *call, "phone.state.holding"),
            Event::Resumed { call, .. } => self.turn(now, *call, "phone.state.talking"),
            Event::Heard { dbfs, .. } => self.heard = Some(*dbfs),
            Event::Ended { call, .. } => {
                self.calls.remove(call);
                self.heard = None;
                if self.calls.is_empty() && matches!(self.asking, Asking::Keys(_) | Asking::Transfer(_)) {
                    self.asking = Asking::Nothing;
                }
            }
            Event::Suggested { number, calls } => {
                self.asking = Asking::Keep { number: number.clone(), calls: *calls };
            }
            _ => {}
        }
    }

    fn stand(&mut self, account: &str, standing: Standing) {
        if let Some(known) = self.accounts.iter_mut().find(|known| known.name == account) {
            known.standing = standing;
        }
    }

    fn show(
        &mut self,
        now: Instant,
        call: CallId,
        account: &str,
        (number, name): (&str, &str),
        state: &'static str,
    ) {
        let account = if self.accounts.len() > 1 { account } else { "" };
        let (number, name, account) = (number.to_owned(), name.to_owned(), account.to_owned());
        let shown = Shown { number, name, account, state, since: now };
        self.calls.insert(call, shown);
    }

    fn turn(&mut self, now: Instant, call: CallId, state: &'static str) {
        if let Some(shown) = self.calls.get_mut(&call)
            && shown.state != state
        {
            (shown.state, shown.since) = (state, now);
        }
    }

    /// Something happened to the list.
    pub(crate) fn read(&mut self, news: &News) {
        match news {
            News::Queue { next, rows, open, due, reached, .. } => {
                self.next.clone_from(next);
                let number = |count: &usize| count.to_string();
                self.counts = Some(self.language.fill(
                    "phone.counts",
                    &[
                        ("open", &number(open)),
                        ("rows", &number(rows)),
                        ("due", &number(due)),
                        ("reached", &number(reached)),
                    ],
                ));
                return;
            }
            News::Presence { presence } => {
                self.presence = match presence.as_str() {
                    "online" => "phone.presence.online",
                    "away" => "phone.presence.away",
                    _ => "phone.presence.signed_out",
                };
            }
            News::Headset { open } => self.headset = Some(*open),
            News::Dialling { callee, attempt, because } => {
                let places = [("attempt", &*attempt.to_string()), ("because", because)];
                self.callee = Some((callee.clone(), self.language.fill("phone.attempt", &places)));
            }
            _ => {}
        }
        if !matches!(news, News::Headset { .. } | News::Dialling { .. }) {
            for line in show::in_words(news).lines() {
                self.note(line.to_owned());
            }
        }
    }

    /// Whether the queue is to be asked for anew: something of it changed.
    pub(crate) fn wants_queue(news: &News) -> bool {
        matches!(
            news,
            News::ListLoaded { .. }
                | News::Row { .. }
                | News::Dialling { .. }
                | News::ListDone
                | News::Presence { .. }
        )
    }

    fn note(&mut self, line: String) {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(line);
    }
}
