//! `ringdown queue`: one number, callers who wait, and the agents who take them.

use crate::{Failure, talk};
use api::control::{CallbackItem, QueueItem, Request, Response};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a queue, or change it
    Add(Box<Add>),
    /// List all queues, with who waits and how callers are served
    List,
    /// Let its callers hear a recording of its own while they wait, or the standard music again
    Music {
        /// Its name
        name: String,
        /// A WAV file with 16-bit PCM or mu-law; the standard music without it
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Remove a queue
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Args)]
pub(crate) struct Add {
    /// A short name, as in `sales`
    name: String,
    /// The number that is dialled
    #[arg(long, value_name = "NUMBER")]
    number: String,
    /// An account that may work for it, alone or as NAME:PRIORITY; callers come to the least first
    #[arg(long = "member", value_name = "NAME")]
    members: Vec<String>,
    /// Which agent is next
    #[arg(long, value_name = "longest-idle|round-robin|all", default_value = "longest-idle")]
    strategy: String,
    /// The wrap-up after its calls, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wrap_up: u32,
    /// How long it rings at an agent, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    ring: u32,
    /// How long a caller waits before the call goes to the overflow; 0 for no end
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    longest_wait: u32,
    /// Callers who wait at most
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    most_waiting: u16,
    /// Where calls go that it does not take
    #[arg(long, value_name = "NUMBER", default_value = "")]
    overflow: String,
    /// When it is open, as in "mon-fri 08:00-19:00" [default: always]
    #[arg(long, value_name = "HOURS")]
    hours: Vec<String>,
    /// Days on which it is closed, as an iCal calendar
    #[arg(long, value_name = "FILE")]
    holidays: Option<PathBuf>,
    /// A waiting caller is answered with music after so many seconds [default: 60, and 20 from a trunk]
    #[arg(long, value_name = "SECONDS")]
    answer_after: Option<u32>,
    /// How often a caller hears their place, in seconds; 0 for never
    #[arg(long, value_name = "SECONDS", default_value_t = 45)]
    announce: u32,
    /// Whoever is answered within so many seconds was served well
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    service_level: u32,
    /// A number whose callers come first
    #[arg(long = "preferred", value_name = "NUMBER")]
    preferred: Vec<String>,
    /// Callers may press a key to be called back, and keep their place
    #[arg(long)]
    callback: bool,
    /// The key that asks for it
    #[arg(long, value_name = "DIGIT", default_value = "1", requires = "callback")]
    callback_key: String,
    /// Who is called first, once an agent is reserved
    #[arg(long, value_name = "agent|caller", default_value = "agent", requires = "callback")]
    callback_first: String,
    /// How often a caller is called back at most
    #[arg(long, value_name = "COUNT", default_value_t = 3, requires = "callback")]
    callback_attempts: u8,
    /// Numbers abroad are called back, too
    #[arg(long, requires = "callback")]
    callback_abroad: bool,
    /// What callers and agents see [default: NAME]
    #[arg(long, value_name = "TEXT", default_value = "")]
    display: String,
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(add) => {
            let done = format!("callers of {} wait in queue {}", add.number, add.name);
            talk::tell(data, &Request::QueueAdd { queue: Box::new(item(*add)?) }, &done)
        }
        Command::Music { name, file } => {
            let done = match &file {
                Some(file) => format!("callers of queue {name} hear {}", file.display()),
                None => format!("callers of queue {name} hear the standard music"),
            };
            // The exchange reads it, wherever it runs from.
            let absolute = file.map(|file| std::path::absolute(&file).unwrap_or(file));
            talk::tell(data, &Request::QueueMusic { name, file: absolute }, &done)
        }
        Command::Remove { name } => {
            let done = format!("removed queue {name}");
            talk::tell(data, &Request::QueueRemove { name }, &done)
        }
        Command::List => match talk::ask(data, &Request::QueueList)? {
            Response::Queues(items) => {
                let heads = [
                    "queue",
                    "number",
                    "next",
                    "open",
                    "ready",
                    "waiting",
                    "callbacks",
                    "answered",
                    "gave up",
                    "in time",
                ];
                talk::table(&heads, &items.into_iter().map(row).collect::<Vec<_>>())
            }
            other => Err(talk::unexpected(&other)),
        },
    }
}

fn item(add: Add) -> Result<QueueItem, Failure> {
    let millis = |seconds: u32| seconds.saturating_mul(1_000);
    let holidays = match &add.holidays {
        Some(path) => holidays(path)?,
        None => Vec::new(),
    };
    let callback = add.callback.then_some(CallbackItem {
        key: add.callback_key,
        first: add.callback_first,
        attempts: add.callback_attempts,
        abroad: add.callback_abroad,
    });
    Ok(QueueItem {
        name: add.name,
        display: add.display,
        number: add.number,
        strategy: add.strategy,
        members: add.members,
        wrap_up_ms: millis(add.wrap_up),
        ring_ms: millis(add.ring),
        longest_wait_ms: millis(add.longest_wait),
        most_waiting: add.most_waiting,
        overflow: add.overflow,
        hours: add.hours,
        holidays,
        answer_after_ms: add.answer_after.map(millis),
        announce_ms: Some(millis(add.announce)),
        service_level_ms: millis(add.service_level),
        preferred: add.preferred,
        callback,
        now: None,
    })
}

/// The days of a calendar.
fn holidays(path: &Path) -> Result<Vec<String>, Failure> {
    let told = |why: String| Failure::from(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    let days = exchange::holidays_of_calendar(&text).map_err(told)?;
    Ok(days.iter().map(ToString::to_string).collect())
}

fn row(item: QueueItem) -> Vec<String> {
    let now = item.now.unwrap_or_default();
    let [_, answered, _, gave_up, _] = now.counts;
    let level = now.service_level.map(|percent| format!("{percent} %")).unwrap_or_default();
    vec![
        item.name,
        item.number,
        item.strategy,
        if now.open { "yes" } else { "no" }.into(),
        format!("{} of {}", now.ready, item.members.len()),
        now.waiting.to_string(),
        now.callbacks.to_string(),
        answered.to_string(),
        gave_up.to_string(),
        level,
    ]
}
