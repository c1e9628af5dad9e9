//! `ringdown route`: which numbers go out by which trunks.

use crate::{Failure, talk};
use api::control::{Request, Response, RouteItem};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a route, or change it
    Add {
        /// A short name, as in `abroad`
        name: String,
        /// The front of the numbers it is for: +86 is compared with the number in E.164, anything else with what was
        /// dialled; the longest that fits wins [default: every number]
        #[arg(long, value_name = "DIGITS", default_value = "")]
        prefix: String,
        /// A trunk; several are tried in the order given
        #[arg(long = "trunk", value_name = "NAME", required = true)]
        trunks: Vec<String>,
        /// Take this many digits off the front
        #[arg(long, value_name = "N", default_value_t = 0)]
        strip: u8,
        /// Put these digits before the rest
        #[arg(long, value_name = "DIGITS", default_value = "")]
        prepend: String,
        /// The number that the outside sees [default: the caller's own]
        #[arg(long, value_name = "NUMBER", default_value = "")]
        caller: String,
    },
    /// List all routes
    List,
    /// Remove a route
    Remove {
        /// Its name
        name: String,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { name, prefix, trunks, strip, prepend, caller } => {
            let what =
                if prefix.is_empty() { "all numbers".to_owned() } else { format!("numbers with {prefix}") };
            let done = format!("{what} go out by {}", trunks.join(", then "));
            let route = RouteItem { name, prefix, strip, prepend, trunks, caller };
            talk::tell(data, &Request::RouteAdd { route }, &done)
        }
        Command::Remove { name } => {
            let done = format!("removed route {name}");
            talk::tell(data, &Request::RouteRemove { name }, &done)
        }
        Command::List => match talk::ask(data, &Request::RouteList)? {
            Response::Routes(items) => {
                let rows = items.into_iter().map(|item| {
                    let (strip, trunks) = (item.strip.to_string(), item.trunks.join(", "));
                    vec![item.name, item.prefix, strip, item.prepend, trunks, item.caller]
                });
                let heads = ["route", "prefix", "strip", "prepend", "trunks", "caller"];
                talk::table(&heads, &rows.collect::<Vec<_>>())
            }
            other => Err(talk::unexpected(&other)),
        },
    }
}
