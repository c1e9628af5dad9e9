//! What happens to a phone, in lines for people.

use super::history::Recalled;
use crate::Failure;
use ::phone::work::News;
use ::phone::{Entry, Event, Holder, Kind, LampState};
use std::io::{self, Write as _};

/// Prints events; what is heard only when it changes.
#[derive(Default)]
pub(crate) struct Show {
    heard: Option<(f64, f64)>,
    /// Whether there are several accounts to be told apart.
    several: bool,
}

impl Show {
    /// For a phone with so many accounts.
    pub(crate) fn of(accounts: usize) -> Show {
        Show { heard: None, several: accounts > 1 }
    }

    pub(crate) fn print(&mut self, account: &str, event: &Event) -> Result<(), Failure> {
        let Some(line) = self.line(account, event) else { return Ok(()) };
        match writeln!(io::stdout().lock(), "{line}") {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// What happened, in a line that says to which account if there are several.
    pub(super) fn line(&mut self, account: &str, event: &Event) -> Option<String> {
        let line = self.words(event)?;
        Some(if self.several { format!("[{account}] {line}") } else { line })
    }

    fn words(&mut self, event: &Event) -> Option<String> {
        let by = |by: &Holder| if *by == Holder::Us { "us" } else { "them" };
        Some(match event {
            Event::Registered { expires } => format!("registered for {expires} s"),
            Event::NotRegistered { status, reason, retry_s } => {
                let status = if *status == 0 { String::new() } else { format!("{status} ") };
                format!("not registered: {status}{reason}; again in {retry_s} s")
            }
            Event::Unregistered => "left the server".to_owned(),
            Event::Connected => "connected".to_owned(),
            Event::Using => "calls go out by this account".to_owned(),
            // What comes of it is told as a list.
            Event::Profile { .. } | Event::NoProfile { .. } => return None,
            Event::Lamp { number, state, why } => {
                let why = if why.is_empty() { String::new() } else { format!(": {why}") };
                format!("lamp {number} {}{why}", lamp(*state))
            }
            Event::Messages { new: 0, .. } => return None,
            Event::Messages { new, old } => format!("messages: {new} new, {old} old"),
            Event::Calling { number, .. } => format!("calling {number}"),
            Event::Ringing { place: Some(place), .. } => format!("waiting there, at place {place}"),
            Event::Ringing { status, .. } => format!("ringing there ({status})"),
            Event::Incoming { number, name, .. } if name.is_empty() => format!("incoming call from {number}"),
            Event::Incoming { number, name, .. } => format!("incoming call from {name} ({number})"),
            Event::Answered { codec, .. } => {
                self.heard = None;
                format!("answered, {codec}")
            }
            Event::Heard { hertz, dbfs, .. } => {
                let same = self
                    .heard
                    .is_some_and(|(known, level)| (known - hertz).abs() < 5.0 && (level - dbfs).abs() < 3.0);
                if same {
                    return None;
                }
                self.heard = Some((*hertz, *dbfs));
                if *hertz == 0.0 {
                    "heard silence".to_owned()
                } else {
                    format!("heard {hertz:.0} Hz at {dbfs:.1} dBFS")
                }
            }
            Event::Held { by: who, .. } => format!("held by {}", by(who)),
            Event::Resumed { by: who, .. } => format!("resumed by {}", by(who)),
            Event::Dtmf { key, .. } => format!("key {key}"),
            Event::Transfer { status, reason, .. } => match status {
                100..200 => format!("the transfer is tried ({status} {reason})"),
                200..300 => "the transfer is done".to_owned(),
                _ => format!("the transfer failed: {status} {reason}"),
            },
            Event::Ended { cause, .. } => format!("ended: {}", cause.words),
            Event::Suggested { number, calls } => format!(
                "{number} did not answer {calls} times; \"keep\" has the exchange keep calling, \"no\" does not"
            ),
            Event::Refused { why } => format!("cannot: {why}"),
            Event::Status { registered, calls } => {
                let calls: Vec<String> = calls
                    .iter()
                    .map(|(id, number, stage)| format!("; call {} {number} {stage}", id.0))
                    .collect();
                format!("{}{}", if *registered { "registered" } else { "not registered" }, calls.concat())
            }
            Event::Stopped => return None,
        })
    }
}

fn lamp(state: LampState) -> &'static str {
    match state {
        LampState::Unknown => "unknown",
        LampState::Idle => "idle",
        LampState::Ringing => "rings",
        LampState::Busy => "busy",
    }
}

/// Prints what is remembered of calls.
pub(crate) fn print_calls(recalled: &Recalled) {
    let mut out = io::stdout().lock();
    if let Recalled::History { missed, calls } = recalled {
        for entry in calls.iter().rev() {
            let _ = writeln!(out, "{}", call_in_words(entry));
        }
        let _ = writeln!(out, "{} calls, {missed} missed and not seen", calls.len());
    }
}

pub(super) fn call_in_words(entry: &Entry) -> String {
    let kind = match entry.kind {
        Kind::Dialled => "dialled",
        Kind::Received => "received",
        Kind::Missed => "missed",
        Kind::AnsweredElsewhere => "answered elsewhere",
    };
    let name = if entry.name.is_empty() { String::new() } else { format!(" {}", entry.name) };
    let time =
        entry.seconds.map(|seconds| format!(" {}:{:02}", seconds / 60, seconds % 60)).unwrap_or_default();
    format!("{} {kind} {}{name}{time}, {}", when(entry.at_ms), entry.number, entry.words)
}

/// A time as the clock on the wall shows it here.
pub(super) fn when(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%m-%d %H:%M").to_string()
}

/// Prints what happens to a list. Who does not read any more misses something; calls go on.
pub(crate) fn print_news(news: &News) {
    let _ = writeln!(io::stdout().lock(), "{}", in_words(news));
}

pub(super) fn in_words(news: &News) -> String {
    match news {
        News::ListLoaded { list, rows, refused, refusals, attempts } => {
            let mut text = format!("list {list}: {rows} rows");
            if *attempts > 0 {
                text += &format!(", goes on after {attempts} calls");
            }
            if *refused > 0 {
                text += &format!("; {refused} refused:\n  {}", refusals.join("\n  "));
            }
            text
        }
        News::ListRefused { link, why, again_s } => {
            let again = again_s.map(|seconds| format!("; again in {seconds} s")).unwrap_or_default();
            format!("no list from {link}: {why}{again}")
        }
        News::Presence { presence } => presence.replace('_', " "),
        News::Dialling { callee, attempt, because } => {
            let fields = callee.fields.iter().filter(|(_, field)| !field.is_empty());
            let fields: Vec<String> =
                fields.map(|(header, field)| format!("\n  {header}: {field}")).collect();
            let name = if callee.name.is_empty() { &callee.number } else { &callee.name };
            format!("dialling {name}, attempt {attempt} ({because}){}", fields.concat())
        }
        News::Headset { open: true } => "headset open".to_owned(),
        News::Headset { open: false } => "headset closed".to_owned(),
        News::Row { number, state, attempts, outcome, next, .. } => {
            let outcome = outcome.as_deref().unwrap_or("not called");
            let next = if next.is_empty() { String::new() } else { format!("; {next}") };
            format!("{number}: {state}, {attempts} calls, last: {outcome}{next}")
        }
        News::Queue { next, rows, open, due, ended, reached, refused } => {
            let lines = next.iter().map(|(callee, place)| {
                format!("\n  {} {} {} ({place})", callee.task, callee.number, callee.name)
            });
            let counts = format!(
                "{open} of {rows} rows open, {due} due, {ended} ended, {reached} reached, {refused} refused"
            );
            counts + &lines.collect::<String>()
        }
        News::WishRefused { why } => format!("cannot: {why}"),
        News::ListDone => "the list is done".to_owned(),
        News::Uploaded { link } => format!("sent {link}"),
        News::NotUploaded { link, why } => format!("not sent, it is tried again: {link}: {why}"),
        News::JournalFull { why } => format!("no calls are made, because nothing can be written down: {why}"),
    }
}
