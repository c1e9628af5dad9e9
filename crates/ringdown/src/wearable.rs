//! `ringdown wearable`: watches and pendants that hear of calls by the MQTT broker, and apps.

use crate::{Failure, talk};
use api::control::{Request, Response};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a watch or a pendant of somebody; apps add themselves
    Add {
        /// What it is, as in `"Ada's watch"`
        name: String,
        /// Whose it is
        #[arg(long, value_name = "NAME")]
        account: String,
    },
    /// List all wearables and apps
    List,
    /// Remove a wearable or an app; it hears of no call any more
    Remove {
        /// Its id, as in the list
        id: String,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    let ask = |request| match talk::ask(data, &request)? {
        Response::Wearables(rows) => Ok(rows),
        other => Err(talk::unexpected(&other)),
    };
    match command {
        Command::Add { name, account } => {
            for one in ask(Request::WearableAdd { name, account })? {
                println!("added {} of {}: {}", talk::plain(&one.name), one.account, one.id);
                if let Some((notices, dismissals)) = one.topics {
                    println!("it hears:        {notices}\nit dismisses at: {dismissals}");
                }
            }
            Ok(())
        }
        Command::Remove { id } => {
            let done = format!("removed wearable {id}");
            talk::tell(data, &Request::WearableRemove { id }, &done)
        }
        Command::List => {
            let rows = ask(Request::WearableList)?.into_iter();
            let rows = rows.map(|one| vec![one.id, one.account, one.name, one.kind]).collect::<Vec<_>>();
            talk::table(&["id", "account", "wearable", "kind"], &rows)
        }
    }
}
