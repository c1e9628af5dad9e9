//! `ringdown list`: call lists that the office deals out (S3).

use crate::{Failure, talk};
use api::control::{ListRequest, Request, Response};
use api::{JudgedShape, ListSettings, ListShape};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::{Args, Subcommand};
use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a list of a file
    Add {
        /// Its name
        name: String,
        /// CSV, JSON Lines or XLSX: a file, - for what is typed or piped, or a link
        file: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Show all lists
    List,
    /// Show one list and how far each of its agents is
    Show {
        /// Its name
        name: String,
    },
    /// Deal out the rows that are nobody's: to the agents that the rows name, or among agents, or by a skill
    Deal {
        /// Its name
        name: String,
        /// Among these agents; NAME:2 gets twice as much
        #[arg(long, value_name = "NAME[:WEIGHT]", value_parser = share)]
        to: Vec<(String, u32)>,
        /// Among the members of the queue that this column of the list names
        #[arg(long, value_name = "COLUMN", conflicts_with = "to")]
        skill: Option<String>,
    },
    /// Give open rows to others, with the attempts that were made; without --to, take them back
    Reassign {
        /// Its name
        name: String,
        /// Those of this agent [default: of all]
        #[arg(long, value_name = "NAME")]
        from: Option<String>,
        /// Those at these lines of the file [default: all]
        #[arg(long, value_name = "LINE", value_delimiter = ',')]
        lines: Vec<u32>,
        /// To these agents; NAME:2 gets twice as much
        #[arg(long, value_name = "NAME[:WEIGHT]", value_parser = share)]
        to: Vec<(String, u32)>,
    },
    /// Print what became of its rows
    Results {
        /// Its name
        name: String,
        /// csv, json or uccx
        #[arg(long, value_name = "SHAPE", default_value = "csv")]
        format: String,
    },
    /// Forget a list, its rows and its results
    Remove {
        /// Its name
        name: String,
    },
    /// Print what a phone needs to work for an agent: a file for ringdown phone --assignment. The link before opens nothing any more
    Link {
        /// The account
        agent: String,
    },
    /// Let the links of an agent open nothing any more
    Revoke {
        /// The account
        agent: String,
    },
    /// Let the exchange call the people of an agent's lists for them: their phone first, while they are ready
    Work {
        /// The account
        agent: String,
        /// The phone that rings [default: the one that they signed in at, or all of theirs]
        #[arg(long, value_name = "NAME")]
        device: Option<String>,
    },
    /// Let it call them no more
    Rest {
        /// The account
        agent: String,
    },
}

/// How the rows of a new list are meant.
#[derive(Args)]
pub(crate) struct Settings {
    /// Only tell what would be called, and what is skipped and why
    #[arg(long)]
    preview: bool,
    /// The order of the calls, as in priority,slot,-city [default: that of the file]
    #[arg(long, value_name = "KEYS")]
    order: Option<String>,
    /// Calls for each row whose list says nothing else
    #[arg(long, value_name = "COUNT")]
    attempts: Option<u16>,
    /// Seconds before a callee is called again
    #[arg(long, value_name = "SECONDS")]
    interval: Option<u32>,
    /// agreed, requested or contract, and what proves it, where the list says nothing
    #[arg(long, value_name = "GROUND")]
    consent: Option<String>,
    /// The country code of numbers that say none [default: that of the office]
    #[arg(long, value_name = "DIGITS")]
    country: Option<String>,
    /// Headers that are not known, and their meanings
    #[arg(long, value_name = "HEADER=MEANING", value_delimiter = ',')]
    mapping: Vec<String>,
}

impl Settings {
    fn shape(self) -> ListSettings {
        ListSettings {
            order: self.order,
            attempts: self.attempts,
            interval_s: self.interval,
            consent: self.consent,
            country: self.country,
            mapping: Some(self.mapping.join(",")).filter(|text| !text.is_empty()),
            preview: self.preview,
            ..ListSettings::default()
        }
    }
}

/// `ada`, or `ada:2`
fn share(text: &str) -> Result<(String, u32), String> {
    match text.rsplit_once(':') {
        None => Ok((text.to_owned(), 1)),
        Some((name, weight)) => {
            let weight = weight.parse().map_err(|_| format!("\"{weight}\" is no weight such as 2"))?;
            Ok((name.to_owned(), weight))
        }
    }
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    let lines = |lines: Vec<u32>| {
        Some(lines.into_iter().collect::<BTreeSet<u32>>()).filter(|lines| !lines.is_empty())
    };
    let request = match command {
        Command::Add { name, file, settings } => add(name, &file, settings.shape())?,
        Command::List => return overview(&lists(data, ListRequest::All)?),
        Command::Show { name } => {
            let all = lists(data, ListRequest::All)?;
            let list =
                all.iter().find(|list| list.name == name).ok_or_else(|| format!("no list \"{name}\""))?;
            return show(list);
        }
        Command::Deal { name, to, skill } => ListRequest::Deal { name, agents: to, skill },
        Command::Reassign { name, from, lines: these, to } => {
            ListRequest::Reassign { name, lines: lines(these), from, to }
        }
        Command::Results { name, format } => ListRequest::Results { name, format },
        Command::Remove { name } => ListRequest::Remove { name },
        Command::Link { agent } => ListRequest::Link { agent },
        Command::Revoke { agent } => ListRequest::Revoke { agent },
        Command::Work { agent, device } => ListRequest::Work { agent, device },
        Command::Rest { agent } => ListRequest::Rest { agent },
    };
    match talk::ask(data, &Request::List(request))? {
        Response::Judged(judged) => told(&judged),
        Response::Lists(lists) => lists.iter().try_for_each(show),
        Response::Assignment(assignment) => {
            println!("{}", serde_json::to_string_pretty(&assignment)?);
            Ok(())
        }
        Response::File(text) => Ok(io::stdout().write_all(text.as_bytes())?),
        Response::Done => {
            println!("done");
            Ok(())
        }
        other => Err(talk::unexpected(&other)),
    }
}

fn add(name: String, file: &str, settings: ListSettings) -> Result<ListRequest, Failure> {
    if file.contains("://") && !file.starts_with("file://") {
        return Ok(ListRequest::Fetch { name, link: file.to_owned(), settings });
    }
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes)?;
        bytes
    } else {
        std::fs::read(file).map_err(|error| format!("{file}: {error}"))?
    };
    Ok(ListRequest::Make { name, file: BASE64_STANDARD.encode(bytes), settings })
}

fn lists(data: &Path, request: ListRequest) -> Result<Vec<ListShape>, Failure> {
    match talk::ask(data, &Request::List(request))? {
        Response::Lists(lists) => Ok(lists),
        other => Err(talk::unexpected(&other)),
    }
}

fn told(judged: &JudgedShape) -> Result<(), Failure> {
    let JudgedShape { rows, taken, now, later, skipped, refusals, list } = judged;
    for refusal in refusals {
        eprintln!("line {}: {}", refusal.line, talk::plain(&refusal.why));
    }
    println!("{rows} rows, {taken} to be called, {now} of them might be now");
    for (reason, count) in later {
        println!("  {count} wait: {reason}");
    }
    for (reason, count) in skipped {
        println!("  {count} skipped: {reason}");
    }
    if let Some(list) = list {
        println!("list {} is kept; deal it out with ringdown list deal", talk::plain(&list.name));
    }
    Ok(())
}

fn overview(lists: &[ListShape]) -> Result<(), Failure> {
    let rows = lists.iter().map(|list| {
        let counts = [list.rows, list.undealt, list.left, list.attempts].map(|count| count.to_string());
        [vec![list.name.clone(), list.state.clone()], counts.into(), vec![list.made.clone()]].concat()
    });
    let heads = ["name", "state", "rows", "undealt", "left", "calls", "made"];
    talk::table(&heads, &rows.collect::<Vec<_>>())
}

fn show(list: &ListShape) -> Result<(), Failure> {
    overview(std::slice::from_ref(list))?;
    let rows = list.agents.iter().map(|board| {
        let ended: Vec<String> = board.ended.iter().map(|(end, count)| format!("{count} {end}")).collect();
        let at = match &board.works_at {
            None => "no link".to_owned(),
            Some(device) if device.is_empty() => "a link".to_owned(),
            Some(device) => device.clone(),
        };
        vec![
            board.account.clone(),
            board.rows.to_string(),
            board.left.to_string(),
            board.attempts.to_string(),
            format!("{} s", board.talked_s),
            ended.join(", "),
            board.last.clone().unwrap_or_default(),
            at,
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    println!();
    talk::table(&["agent", "rows", "left", "calls", "talked", "ended", "last call", "phone"], &rows)
}
