//! The phone's screen: what is known of the phone, as a value; keys in, wishes out. Drawn by [`draw`], run by [`terminal`].

mod draw;
mod keys;
mod terminal;
#[cfg(test)]
mod tests;

pub(crate) use keys::Key;
pub(crate) use terminal::Terminal;

use super::history::Recalled;
use super::show;
use crate::texts::Language;
use ::phone::work::{Callee, News};
use ::phone::{CallId, Entry, Event, Holder, LampState};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// Lines of what happened.
const HISTORY: usize = 200;
/// Calls that were.
const PAST: usize = 100;

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

/// The lamp of one number.
struct Lamp {
    account: String,
    number: String,
    state: LampState,
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
    /// Which of the calls that were, newest first.
    Calls(usize),
    /// Which lamp.
    Lamp(usize),
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
    /// The calls that were, newest first, and how many missed ones nobody has seen.
    past: Vec<Entry>,
    missed: usize,
    lamps: Vec<Lamp>,
    pick_up_code: String,
    /// New messages at the accounts that tell.
    messages: BTreeMap<String, u32>,
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
            past: Vec::new(),
            missed: 0,
            lamps: Vec::new(),
            pick_up_code: String::new(),
            messages: BTreeMap::new(),
            asking: Asking::Nothing,
        }
    }

    /// With lamps of numbers at accounts; a call that rings there is picked up by the code before the number.
    pub(crate) fn with_lamps(mut self, lamps: Vec<(String, String)>, pick_up_code: &str) -> Screen {
        let lamp = |(account, number)| Lamp { account, number, state: LampState::Unknown };
        self.lamps = lamps.into_iter().map(lamp).collect();
        pick_up_code.clone_into(&mut self.pick_up_code);
        self
    }

    /// What is remembered of calls.
    pub(crate) fn recall(&mut self, recalled: &Recalled) {
        match recalled {
            Recalled::History { missed, calls } => {
                self.missed = *missed;
                self.past.clone_from(calls);
            }
            Recalled::Logged { missed, entry } => {
                self.missed = *missed;
                self.past.insert(0, entry.clone());
                self.past.truncate(PAST);
            }
        }
    }

    /// Something happened to the phone.
    pub(crate) fn hear(&mut self, now: Instant, account: &str, event: &Event) {
        if let Some(line) = show::Show::of(self.accounts.len(), self.language).line(account, event)
            && !matches!(event, Event::Heard { .. } | Event::Lamp { .. })
            && !self.is_known(account, event)
        {
            self.note(line);
        }
        match event {
            Event::Registered { .. } => self.stand(account, Standing::Registered),
            Event::Connected => self.stand(account, Standing::Connected),
            Event::NotRegistered { status: 0, reason, .. } => {
                self.stand(account, Standing::Not(reason.clone()));
            }
            Event::NotRegistered { status, reason, .. } => {
                self.stand(account, Standing::Not(format!("{status} {reason}")));
            }
            Event::Unregistered => self.stand(account, Standing::Not(String::new())),
            Event::Using => {
                self.used = self.accounts.iter().position(|known| known.name == account).unwrap_or(self.used);
            }
            Event::Calling { call, number } => {
                self.show(now, *call, account, (number, ""), "phone.state.calling");
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
            Event::Lamp { number, state, .. } => {
                let ours = |lamp: &&mut Lamp| lamp.account == account && lamp.number == *number;
                if let Some(lamp) = self.lamps.iter_mut().find(ours) {
                    lamp.state = *state;
                }
            }
            Event::Messages { new, .. } => drop(self.messages.insert(account.to_owned(), *new)),
            Event::Suggested { number, calls } => {
                self.asking = Asking::Keep { number: number.clone(), calls: *calls };
            }
            _ => {}
        }
    }

    /// A server that is away, or knows us again, is worth one line.
    fn is_known(&self, account: &str, event: &Event) -> bool {
        let known = self.accounts.iter().find(|known| known.name == account);
        match (known.map(|known| &known.standing), event) {
            (Some(Standing::Registered), Event::Registered { .. }) => true,
            (Some(Standing::Not(why)), Event::NotRegistered { reason, .. }) => why.ends_with(reason),
            _ => false,
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
            for line in show::in_words(self.language, news).lines() {
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
