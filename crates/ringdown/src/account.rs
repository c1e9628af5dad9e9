//! `ringdown account`: people.

use crate::{Failure, talk};
use api::control::{Request, Response};
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
    /// List all people with their numbers and telephones
    List,
    /// Remove a person who has no numbers and telephones any more
    Remove {
        /// The name
        name: String,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { name, display } => {
            let done = format!("added account {name}");
            talk::tell(data, &Request::AccountAdd { name, display: display.unwrap_or_default() }, &done)
        }
        Command::Remove { name } => {
            let done = format!("removed account {name}");
            talk::tell(data, &Request::AccountRemove { name }, &done)
        }
        Command::List => match talk::ask(data, &Request::AccountList)? {
            Response::Accounts(items) => {
                let rows = items.into_iter().map(|item| {
                    vec![item.name, item.display, item.numbers.join(", "), item.devices.join(", ")]
                });
                talk::table(&["account", "display name", "numbers", "devices"], &rows.collect::<Vec<_>>())
            }
            other => Err(talk::unexpected(&other)),
        },
    }
}
