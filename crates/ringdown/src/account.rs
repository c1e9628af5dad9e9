//! `ringdown account`: people.

use crate::{Failure, talk};
use api::control::{AccountChanges, Request, Response};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a person
    Add {
        /// A short name without spaces, as in `alice`
        name: String,
        /// What others see when this person calls [default: NAME]
        #[arg(long, value_name = "TEXT")]
        display: Option<String>,
    },
    /// Change what is set for a person; what is not named stays as it is, "" takes a thing away
    Set {
        /// The name
        name: String,
        #[command(flatten)]
        changes: Box<Changes>,
    },
    /// Print a link that opens the pages once, without a password, and lets the person set one
    Link {
        /// The name
        name: String,
    },
    /// List all people with their numbers and telephones
    List,
    /// Remove a person who has no numbers and telephones any more
    Remove {
        /// The name
        name: String,
        /// Their numbers, telephones and places in groups, too; their calls end now
        #[arg(long)]
        everything: bool,
    },
}

#[derive(clap::Args)]
pub(crate) struct Changes {
    /// What others see when this person calls
    #[arg(long, value_name = "TEXT")]
    display: Option<String>,
    /// The language in which the exchange speaks to the person: en or zh
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// The person's time zone, as in Asia/Shanghai
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The person's mobile number
    #[arg(long, value_name = "NUMBER")]
    mobile: Option<String>,
    /// A PIN of 4 to 12 digits
    #[arg(long, value_name = "DIGITS")]
    pin: Option<String>,
    /// Whether calls ring: on sends them away as busy
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    do_not_disturb: Option<bool>,
    /// Whether own calls that nobody answers go on as background calls
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    background: Option<bool>,
    /// Where all calls go
    #[arg(long, value_name = "NUMBER")]
    forward_always: Option<String>,
    /// Where calls go when the person is busy
    #[arg(long, value_name = "NUMBER")]
    forward_busy: Option<String>,
    /// Where calls go when nobody answers
    #[arg(long, value_name = "NUMBER")]
    forward_no_answer: Option<String>,
    /// Where calls go when no telephone is registered
    #[arg(long, value_name = "NUMBER")]
    forward_offline: Option<String>,
    /// All that the person may do beyond internal and emergency calls, with commas: national, international,
    /// premium, pickup, pull, background, lists
    #[arg(long, value_name = "LIST")]
    rights: Option<String>,
    /// The most calls to the outside a day; 0 takes the exchange's limit
    #[arg(long, value_name = "N")]
    calls_a_day: Option<u32>,
    /// What the person may do at the pages: agent, manager or administrator
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// The telephone platform at which the person works, of those in the configuration; empty for this exchange
    #[arg(long, value_name = "NAME")]
    platform: Option<String>,
    /// The person's own wrap-up in seconds; 0 takes it away
    #[arg(long, value_name = "SECONDS")]
    wrap_up: Option<u32>,
    /// The password for the pages; - reads it from standard input
    #[arg(long, value_name = "TEXT")]
    password: Option<String>,
}

impl From<Changes> for AccountChanges {
    fn from(changes: Changes) -> AccountChanges {
        AccountChanges {
            display: changes.display,
            language: changes.language,
            zone: changes.zone,
            mobile: changes.mobile,
            pin: changes.pin,
            do_not_disturb: changes.do_not_disturb,
            background: changes.background,
            forward_always: changes.forward_always,
            forward_busy: changes.forward_busy,
            forward_no_answer: changes.forward_no_answer,
            forward_offline: changes.forward_offline,
            rights: changes.rights,
            calls_a_day: changes.calls_a_day,
            role: changes.role,
            platform: changes.platform,
            wrap_up: changes.wrap_up,
            password: changes.password,
        }
    }
}

fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off".into()),
    }
}

/// A secret from standard input: on the command line others on this machine could read it.
fn one_line() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { name, display } => {
            let done = format!("added account {name}");
            talk::tell(data, &Request::AccountAdd { name, display: display.unwrap_or_default() }, &done)
        }
        Command::Remove { name, everything } => {
            let done = format!("removed account {name}");
            talk::tell(data, &Request::AccountRemove { name, everything }, &done)
        }
        Command::Link { name } => match talk::ask(data, &Request::AccountLink { name })? {
            Response::Link { base, path } if !base.is_empty() => {
                println!("{base}{path}");
                Ok(())
            }
            Response::Link { .. } => Err("HTTP answers nowhere: set [http] listen".into()),
            other => Err(talk::unexpected(&other)),
        },
        Command::Set { name, changes } => {
            let mut changes = AccountChanges::from(*changes);
            if changes.password.as_deref() == Some("-") {
                changes.password = Some(one_line()?);
            }
            if changes == AccountChanges::default() {
                return Err("nothing to change: see `ringdown account set --help`".into());
            }
            let done = format!("changed account {name}");
            talk::tell(data, &Request::AccountSet { name, changes }, &done)
        }
        Command::List => match talk::ask(data, &Request::AccountList)? {
            Response::Accounts(items) => {
                let rows = items.into_iter().map(|item| {
                    vec![
                        item.name,
                        item.display,
                        item.numbers.join(", "),
                        item.devices.join(", "),
                        item.settings,
                    ]
                });
                talk::table(
                    &["account", "display name", "numbers", "devices", "settings"],
                    &rows.collect::<Vec<_>>(),
                )
            }
            other => Err(talk::unexpected(&other)),
        },
    }
}
