//! `ringdown number`: which number reaches whom (S1.1).

use crate::{Failure, talk};
use api::control::{Request, Response};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Give a number to an account; all telephones of the account ring when it is called
    Add {
        /// 1 to 32 of digits, letters and + - . _ * #
        number: String,
        /// Whose it is
        #[arg(long, value_name = "NAME")]
        account: String,
    },
    /// List all numbers with their accounts
    List,
    /// Give a number to another account, at once: calls that ring for it go on ringing there
    Move {
        /// The number
        number: String,
        /// Whose it is then
        #[arg(long, value_name = "NAME")]
        account: String,
    },
    /// Take a number away from its account
    Remove {
        /// The number
        number: String,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { number, account } => {
            let done = format!("number {number} reaches {account}");
            talk::tell(data, &Request::NumberAdd { number, account }, &done)
        }
        Command::Move { number, account } => {
            let done = format!("number {number} reaches {account}");
            talk::tell(data, &Request::NumberMove { number, account }, &done)
        }
        Command::Remove { number } => {
            let done = format!("removed number {number}");
            talk::tell(data, &Request::NumberRemove { number }, &done)
        }
        Command::List => match talk::ask(data, &Request::NumberList)? {
            Response::Numbers(items) => {
                let rows = items.into_iter().map(|item| vec![item.number, item.account]);
                talk::table(&["number", "account"], &rows.collect::<Vec<_>>())
            }
            other => Err(talk::unexpected(&other)),
        },
    }
}
