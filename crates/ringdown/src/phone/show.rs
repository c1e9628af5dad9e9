//! What happens to a phone, in lines for people.

use super::history::Recalled;
use crate::Failure;
use crate::texts::Language;
use ::phone::work::News;
use ::phone::{Announcement, Cause, Event, Holder, Kind, LampState};
use std::io::{self, Write as _};

/// Prints events; what is heard only when it changes.
pub(crate) struct Show {
    heard: Option<(f64, f64)>,
    /// Whether there are several accounts to be told apart.
    several: bool,
    language: Language,
}

impl Show {
    /// For a phone with so many accounts.
    pub(crate) fn of(accounts: usize, language: Language) -> Show {
        Show { heard: None, several: accounts > 1, language }
    }

    pub(crate) fn language(&self) -> Language {
        self.language
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
        let language = self.language;
        let text = |key: &'static str| language.text(key).to_owned();
        let fill = |key: &'static str, places: &[(&str, &str)]| language.fill(key, places);
        Some(match event {
            Event::Registered { expires } => {
                fill("phone.told.registered", &[("seconds", &expires.to_string())])
            }
            Event::NotRegistered { status, reason, retry_s } => {
                let status = if *status == 0 { String::new() } else { format!("{status} ") };
                let places = [("why", &*format!("{status}{reason}")), ("seconds", &retry_s.to_string())];
                fill("phone.told.not_registered", &places)
            }
            Event::Unregistered => text("phone.told.left"),
            Event::Connected => text("phone.told.connected"),
            Event::Using => text("phone.told.using"),
            Event::Lamp { number, state, why } => {
                let why = if why.is_empty() { String::new() } else { format!(": {why}") };
                format!("{number} {}{why}", language.text(lamp(*state)))
            }
            Event::Messages { new: 0, .. } => return None,
            Event::Messages { new, .. } => fill("phone.messages", &[("count", &new.to_string())]),
            Event::Refused { why } => fill("phone.told.cannot", &[("why", why)]),
            Event::Status { registered, calls } => {
                let key = if *registered { "phone.registered" } else { "phone.not_registered" };
                let calls = calls.iter().map(|(id, number, stage)| format!("; {} {number} {stage}", id.0));
                text(key) + &calls.collect::<String>()
            }
            // What comes of it is told as a list.
            Event::Profile { .. } | Event::NoProfile { .. } | Event::Stopped => return None,
            of_call => return self.of_call(of_call),
        })
    }

    /// What happened to a call.
    fn of_call(&mut self, event: &Event) -> Option<String> {
        let language = self.language;
        let text = |key: &'static str| language.text(key).to_owned();
        let fill = |key: &'static str, places: &[(&str, &str)]| language.fill(key, places);
        Some(match event {
            Event::Calling { number, .. } => fill("phone.told.calling", &[("number", number)]),
            Event::Ringing { place: Some(place), .. } => {
                fill("phone.told.in_line", &[("place", &place.to_string())])
            }
            Event::Ringing { status, .. } => {
                fill("phone.told.rings_there", &[("status", &status.to_string())])
            }
            Event::Incoming { number, name, .. } if name.is_empty() => {
                fill("phone.told.incoming", &[("number", number)])
            }
            Event::Incoming { number, name, .. } => {
                fill("phone.told.incoming_named", &[("number", number), ("name", name)])
            }
            Event::Answered { codec, .. } => {
                self.heard = None;
                fill("phone.told.answered", &[("codec", codec)])
            }
            Event::Announced { what: Announcement::Vacant, .. } => text("phone.told.vacant"),
            Event::Announced { what: Announcement::Congestion, .. } => text("phone.told.congestion"),
            Event::Heard { hertz, dbfs, .. } => return self.heard(*hertz, *dbfs),
            Event::Held { by: Holder::Us, .. } => text("phone.told.held_by_us"),
            Event::Held { by: Holder::Them, .. } => text("phone.told.held_by_them"),
            Event::Resumed { by: Holder::Us, .. } => text("phone.told.resumed_by_us"),
            Event::Resumed { by: Holder::Them, .. } => text("phone.told.resumed_by_them"),
            Event::Dtmf { key, .. } => fill("phone.told.key", &[("key", &key.to_string())]),
            Event::Transfer { status, reason, .. } => {
                let why = format!("{status} {reason}");
                match status {
                    100..200 => fill("phone.told.transfer_tried", &[("why", &why)]),
                    200..300 => text("phone.told.transferred"),
                    _ => fill("phone.told.not_transferred", &[("why", &why)]),
                }
            }
            Event::Ended { cause, .. } => {
                let why = why_ended(language, Some(&cause.cause), &cause.words);
                fill("phone.told.ended", &[("why", &why)])
            }
            Event::Suggested { number, calls } => {
                fill("phone.told.suggested", &[("number", number), ("calls", &calls.to_string())])
            }
            _ => return None,
        })
    }

    /// Only what is another sound than before.
    fn heard(&mut self, hertz: f64, dbfs: f64) -> Option<String> {
        let same = |(known, level): (f64, f64)| (known - hertz).abs() < 5.0 && (level - dbfs).abs() < 3.0;
        if self.heard.is_some_and(same) {
            return None;
        }
        self.heard = Some((hertz, dbfs));
        if hertz == 0.0 {
            return Some(self.language.text("phone.told.silence").to_owned());
        }
        let places = [("hertz", &*format!("{hertz:.0}")), ("level", &*format!("{dbfs:.1}"))];
        Some(self.language.fill("phone.told.heard", &places))
    }
}

/// Why a call ended; what a server said is told as it said it.
pub(super) fn why_ended(language: Language, cause: Option<&Cause>, words: &str) -> String {
    let key = match cause {
        None => "phone.cause.switched_off",
        Some(Cause::WeHungUp) => "phone.cause.we_hung_up",
        Some(Cause::TheyHungUp) => "phone.cause.they_hung_up",
        Some(Cause::Cancelled) => "phone.cause.cancelled",
        Some(Cause::CallerGaveUp) => "phone.cause.caller_gave_up",
        Some(Cause::AnsweredElsewhere) => "phone.cause.answered_elsewhere",
        Some(Cause::WeRejected) => "phone.cause.we_rejected",
        Some(Cause::NoResponse) => "phone.cause.no_response",
        Some(Cause::Unreachable) => "phone.cause.unreachable",
        Some(Cause::NoCommonCodec) => "phone.cause.no_common_codec",
        Some(Cause::Lost) => "phone.cause.lost",
        Some(Cause::Transferred) => "phone.cause.transferred",
        Some(Cause::Refused { status, reason, .. }) => {
            return language.fill("phone.cause.refused", &[("why", &format!("{status} {reason}"))]);
        }
        Some(Cause::Moved { .. }) => return words.to_owned(),
    };
    language.text(key).to_owned()
}

fn lamp(state: LampState) -> &'static str {
    match state {
        LampState::Unknown => "phone.lamp.unknown",
        LampState::Idle => "phone.lamp.idle",
        LampState::Ringing => "phone.lamp.rings",
        LampState::Busy => "phone.lamp.busy",
    }
}

/// Prints what is remembered of calls, the newest last.
pub(crate) fn print_calls(language: Language, recalled: &Recalled) {
    let mut out = io::stdout().lock();
    let Recalled::History { missed, calls } = recalled else { return };
    for entry in calls.iter().rev() {
        let name = if entry.name.is_empty() { String::new() } else { format!(" {}", entry.name) };
        let time = entry.seconds.map(minutes).unwrap_or_default();
        let kind = language.text(kind(entry.kind));
        let why = why_ended(language, entry.cause.as_ref(), &entry.words);
        let _ = writeln!(out, "{} {kind} {}{name}{time}, {why}", when(entry.at_ms), entry.number);
    }
    let _ = writeln!(out, "{}", language.fill("phone.missed", &[("count", &missed.to_string())]));
}

/// The key of what became of a call.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Dialled => "phone.past.dialled",
        Kind::Received => "phone.past.received",
        Kind::Missed => "phone.past.missed",
        Kind::AnsweredElsewhere => "phone.past.elsewhere",
    }
}

/// How long they talked.
pub(super) fn minutes(seconds: u64) -> String {
    format!("  {}:{:02}", seconds / 60, seconds % 60)
}

/// A time as the clock on the wall shows it here.
pub(super) fn when(at_ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%m-%d %H:%M").to_string()
}

/// Prints what happens to a list. Who does not read any more misses something; calls go on.
pub(crate) fn print_news(language: Language, news: &News) {
    let _ = writeln!(io::stdout().lock(), "{}", in_words(language, news));
}

pub(super) fn in_words(language: Language, news: &News) -> String {
    let fill = |key: &'static str, places: &[(&str, &str)]| language.fill(key, places);
    let text = |key: &'static str| language.text(key).to_owned();
    match news {
        News::ListLoaded { list, rows, refused, refusals, attempts } => {
            let mut words = fill("phone.list.loaded", &[("list", list), ("rows", &rows.to_string())]);
            if *attempts > 0 {
                words += &fill("phone.list.goes_on", &[("calls", &attempts.to_string())]);
            }
            if *refused > 0 {
                words += &fill("phone.list.refused_rows", &[("count", &refused.to_string())]);
                words += &format!("\n  {}", refusals.join("\n  "));
            }
            words
        }
        News::ListRefused { link, why, again_s } => {
            let again = again_s.map(|seconds| fill("phone.list.again", &[("seconds", &seconds.to_string())]));
            fill("phone.list.none", &[("link", link), ("why", why)]) + &again.unwrap_or_default()
        }
        News::Presence { presence } => match &**presence {
            "online" => text("phone.presence.online"),
            "away" => text("phone.presence.away"),
            "signed_out" => text("phone.presence.signed_out"),
            other => other.replace('_', " "),
        },
        News::Dialling { callee, attempt, because } => {
            let fields = callee.fields.iter().filter(|(_, field)| !field.is_empty());
            let fields: Vec<String> =
                fields.map(|(header, field)| format!("\n  {header}: {field}")).collect();
            let name = if callee.name.is_empty() { &callee.number } else { &callee.name };
            let places = [("name", &**name), ("attempt", &attempt.to_string()), ("because", because)];
            fill("phone.list.dialling", &places) + &fields.concat()
        }
        News::Headset { open: true } => text("phone.list.headset_opens"),
        News::Headset { open: false } => text("phone.list.headset_closes"),
        News::Row { number, state, attempts, outcome, next, .. } => {
            let outcome = outcome.clone().unwrap_or_else(|| text("phone.list.not_called"));
            let next = if next.is_empty() { String::new() } else { format!("; {next}") };
            let calls = attempts.to_string();
            let places = [("number", &**number), ("state", state), ("calls", &calls), ("outcome", &outcome)];
            fill("phone.list.row", &places) + &next
        }
        News::Queue { next, rows, open, due, ended, reached, refused } => {
            let lines = next.iter().map(|(callee, place)| {
                format!("\n  {} {} {} ({place})", callee.task, callee.number, callee.name)
            });
            let counts = [open, rows, due, ended, reached, refused].map(ToString::to_string);
            let names = ["open", "rows", "due", "ended", "reached", "refused"];
            let places: Vec<(&str, &str)> =
                names.into_iter().zip(counts.iter().map(String::as_str)).collect();
            fill("phone.list.counts", &places) + &lines.collect::<String>()
        }
        News::WishRefused { why } => fill("phone.list.cannot", &[("why", why)]),
        News::ListDone => text("phone.list.done"),
        News::Uploaded { link } => fill("phone.list.sent", &[("link", link)]),
        News::NotUploaded { link, why } => fill("phone.list.not_sent", &[("link", link), ("why", why)]),
        News::JournalFull { why } => fill("phone.list.journal_full", &[("why", why)]),
    }
}
