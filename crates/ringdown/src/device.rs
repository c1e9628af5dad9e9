//! `ringdown device`: telephones (S1.2).

use crate::{Failure, talk};
use api::control::{Request, Response};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a telephone to an account
    Add {
        /// The user name that it registers with
        name: String,
        /// Whose it is
        #[arg(long, value_name = "NAME")]
        account: String,
        /// Its secret [default: one is made and printed]
        #[arg(long, value_name = "TEXT")]
        secret: Option<String>,
    },
    /// Give a telephone a new secret
    Secret {
        /// The telephone
        name: String,
        /// The secret [default: one is made and printed]
        #[arg(long, value_name = "TEXT")]
        secret: Option<String>,
    },
    /// List all telephones and where they are registered
    List,
    /// Remove a telephone; it rings no more
    Remove {
        /// Its name
        name: String,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { name, account, secret } => {
            let done = format!("added device {name} to {account}");
            secret_for(talk::ask(data, &Request::DeviceAdd { name, account, secret })?, &done)
        }
        Command::Secret { name, secret } => {
            let done = format!("device {name} has a new secret");
            secret_for(talk::ask(data, &Request::DeviceSecret { name, secret })?, &done)
        }
        Command::Remove { name } => {
            let done = format!("removed device {name}");
            talk::tell(data, &Request::DeviceRemove { name }, &done)
        }
        Command::List => match talk::ask(data, &Request::DeviceList)? {
            Response::Devices(items) => {
                let rows =
                    items.into_iter().map(|item| vec![item.name, item.account, item.registered.join(", ")]);
                talk::table(&["device", "account", "registered from"], &rows.collect::<Vec<_>>())
            }
            other => Err(talk::unexpected(&other)),
        },
    }
}

fn secret_for(response: Response, done: &str) -> Result<(), Failure> {
    println!("{done}");
    match response {
        Response::Done => Ok(()),
        Response::Secret(secret) => {
            println!("secret: {secret}   (shown only now)");
            Ok(())
        }
        other => Err(talk::unexpected(&other)),
    }
}
