//! `ringdown trunk`: lines to the outside.

use crate::{Failure, talk};
use api::control::{Request, Response};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a trunk, or change its address
    Add {
        /// A short name, as in `provider`
        name: String,
        /// Calls from this address reach the office's numbers without digest: HOST or HOST:PORT, HOST an IP address
        #[arg(long, value_name = "HOST[:PORT]")]
        address: String,
    },
    /// List all trunks
    List,
    /// Remove a trunk; its calls are refused from now on
    Remove {
        /// Its name
        name: String,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { name, address } => {
            let done = format!("calls from {address} come in by trunk {name}");
            talk::tell(data, &Request::TrunkAdd { name, address }, &done)
        }
        Command::Remove { name } => {
            let done = format!("removed trunk {name}");
            talk::tell(data, &Request::TrunkRemove { name }, &done)
        }
        Command::List => match talk::ask(data, &Request::TrunkList)? {
            Response::Trunks(items) => {
                let rows = items.into_iter().map(|item| vec![item.name, item.address]);
                talk::table(&["trunk", "address"], &rows.collect::<Vec<_>>())
            }
            other => Err(talk::unexpected(&other)),
        },
    }
}
