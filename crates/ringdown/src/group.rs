//! `ringdown group`: hunt groups, one number for several people.

use crate::{Failure, talk};
use api::control::{GroupItem, Request, Response};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a hunt group, or change it
    Add {
        /// A short name, as in `sales`
        name: String,
        /// The number that is dialled
        #[arg(long, value_name = "NUMBER")]
        number: String,
        /// An account; several are rung in the order given
        #[arg(long = "member", value_name = "NAME", required = true)]
        members: Vec<String>,
        /// Whom it rings: all members who are free, or one in turn
        #[arg(long, value_name = "all|turn", default_value = "all")]
        strategy: String,
        /// How long one try rings, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 20)]
        ring: u32,
        /// Where a call goes that nobody took
        #[arg(long, value_name = "NUMBER", default_value = "")]
        overflow: String,
        /// What callers and members see [default: NAME]
        #[arg(long, value_name = "TEXT", default_value = "")]
        display: String,
    },
    /// List all hunt groups
    List,
    /// Remove a hunt group
    Remove {
        /// Its name
        name: String,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { name, number, members, strategy, ring, overflow, display } => {
            let done = format!("number {number} rings {}", members.join(", "));
            let group = GroupItem { name, display, number, strategy, members, ring_seconds: ring, overflow };
            talk::tell(data, &Request::GroupAdd { group }, &done)
        }
        Command::Remove { name } => {
            let done = format!("removed group {name}");
            talk::tell(data, &Request::GroupRemove { name }, &done)
        }
        Command::List => match talk::ask(data, &Request::GroupList)? {
            Response::Groups(items) => {
                let rows = items.into_iter().map(|item| {
                    let (members, ring) = (item.members.join(", "), format!("{} s", item.ring_seconds));
                    vec![item.name, item.number, item.strategy, members, ring, item.overflow]
                });
                let heads = ["group", "number", "rings", "members", "each try", "then"];
                talk::table(&heads, &rows.collect::<Vec<_>>())
            }
            other => Err(talk::unexpected(&other)),
        },
    }
}
