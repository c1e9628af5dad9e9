//! `ringdown device`: telephones (S1.2).

use crate::{Failure, calls, talk};
use api::control::{DeviceChanges, Request, Response, StartedItem};
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
    /// Change what is known of a telephone; what is not named stays as it is, "" takes a thing away
    Set {
        /// The telephone
        name: String,
        /// Where it stands, for whoever must find it in an emergency
        #[arg(long, value_name = "TEXT")]
        location: Option<String>,
        /// The number that an emergency service calls back
        #[arg(long, value_name = "NUMBER")]
        call_back: Option<String>,
        /// How it is told to answer by itself: answer-mode, alert-info or call-info
        #[arg(long, value_name = "FORM")]
        auto_answer: Option<String>,
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
        Command::Set { name, location, call_back, auto_answer } => {
            let changes = DeviceChanges { location, call_back, auto_answer };
            if changes == DeviceChanges::default() {
                return Err("nothing to change: see `ringdown device set --help`".into());
            }
            let done = format!("changed device {name}");
            talk::tell(data, &Request::DeviceSet { name, changes }, &done)
        }
        Command::Remove { name } => {
            let done = format!("removed device {name}");
            talk::tell(data, &Request::DeviceRemove { name }, &done)
        }
        Command::List => match talk::ask(data, &Request::DeviceList)? {
            Response::Devices(items) => {
                let rows = items.into_iter().map(|item| {
                    let profile = item.profile.as_ref().map(started).unwrap_or_default();
                    vec![item.name, item.account, item.registered.join(", "), profile]
                });
                let heads = ["device", "account", "registered from", "profile"];
                talk::table(&heads, &rows.collect::<Vec<_>>())
            }
            other => Err(talk::unexpected(&other)),
        },
    }
}

/// A phone's profile with its version, and whether the phone has loaded it: only then its start-up is complete.
pub(crate) fn started(item: &StartedItem) -> String {
    let StartedItem { name, version, loaded, since } = item;
    match (loaded, since) {
        (Some(loaded), Some(since)) if loaded == version => {
            format!("{name} {version}, loaded {}", calls::time(*since))
        }
        (Some(loaded), _) => format!("{name} {version}, not loaded: still {loaded}"),
        (None, _) => format!("{name} {version}, not loaded"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s0_6_a_profile_is_shown_with_its_version_and_whether_it_was_loaded() {
        let item = |loaded: Option<&str>| StartedItem {
            name: "sales".into(),
            version: "7".into(),
            loaded: loaded.map(Into::into),
            since: loaded.map(|_| 0),
        };
        assert_eq!(started(&item(None)), "sales 7, not loaded");
        assert_eq!(started(&item(Some("6"))), "sales 7, not loaded: still 6");
        let complete = started(&item(Some("7")));
        assert!(complete.starts_with("sales 7, loaded ") && complete.contains("1970"), "{complete}");
    }
}
