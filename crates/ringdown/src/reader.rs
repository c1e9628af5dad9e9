//! `ringdown reader`: devices beside telephones that read badges.

use crate::{Failure, talk};
use api::control::{Request, Response};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a reader beside a telephone
    Add {
        /// A short name, as in `desk-3`
        name: String,
        /// The telephone that a tap there is for
        #[arg(long, value_name = "NAME")]
        device: String,
    },
    /// List all readers
    List,
    /// Remove a reader; nothing that it tells is heard any more
    Remove {
        /// Its name
        name: String,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { name, device } => {
            let done = format!("a tap at {name} is for {device}");
            match talk::ask(data, &Request::ReaderAdd { name, device })? {
                Response::Secret(key) => {
                    println!("{done}\nkey: {key}   (shown only now)");
                    Ok(())
                }
                other => Err(talk::unexpected(&other)),
            }
        }
        Command::Remove { name } => {
            let done = format!("removed reader {name}");
            talk::tell(data, &Request::ReaderRemove { name }, &done)
        }
        Command::List => match talk::ask(data, &Request::ReaderList)? {
            Response::Readers(rows) => {
                let rows = rows.into_iter().map(|(name, device)| vec![name, device]);
                talk::table(&["reader", "telephone"], &rows.collect::<Vec<_>>())
            }
            other => Err(talk::unexpected(&other)),
        },
    }
}
