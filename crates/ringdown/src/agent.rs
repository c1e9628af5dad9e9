//! `ringdown agent`: who works, and how they stand (S0).

use crate::{Failure, calls, device, talk};
use api::control::{AgentItem, Request, Response};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List who is signed in to work
    List,
    /// Sign somebody in to work
    SignIn {
        /// The account
        name: String,
        /// The phone at which callers ring [default: all of theirs]
        #[arg(long, value_name = "NAME")]
        device: Option<String>,
        /// A queue to work for; several may be given [default: all of theirs]
        #[arg(long = "queue", value_name = "NAME")]
        queues: Vec<String>,
    },
    /// Sign somebody out from work
    SignOut {
        /// The account
        name: String,
    },
    /// Somebody is ready; a break ends, and a wrap-up early
    Ready {
        /// The account
        name: String,
    },
    /// No caller comes to somebody any more, or after the call that is up
    Pause {
        /// The account
        name: String,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "break")]
        reason: String,
        /// How long it is planned to be [default: what the office plans for the reason]
        #[arg(long, value_name = "MINUTES")]
        minutes: Option<u32>,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    let request = match command {
        Command::List => {
            let heads = ["agent", "since", "state", "phone", "queues"];
            let rows = items(data, &Request::AgentList)?.into_iter().map(|item| {
                let (since, queues) = (calls::time(item.since), item.queues.join(", "));
                vec![item.account, since, item.words, item.device, queues]
            });
            return talk::table(&heads, &rows.collect::<Vec<_>>());
        }
        Command::SignIn { name, device, queues } => Request::AgentSignIn { name, device, queues },
        Command::SignOut { name } => Request::AgentSignOut { name },
        Command::Ready { name } => Request::AgentReady { name },
        Command::Pause { name, reason, minutes } => Request::AgentPause { name, reason, minutes },
    };
    for item in items(data, &request)? {
        println!("{}: {}", talk::plain(&item.account), talk::plain(&item.words));
    }
    Ok(())
}

/// One agent as it stands now.
pub(crate) fn stands(data: &Path, name: &str) -> Result<(), Failure> {
    for item in items(data, &Request::AgentShow { name: name.into() })? {
        println!("{}: {} (by {})", talk::plain(&item.account), talk::plain(&item.words), item.rule);
        if let Some(profile) = &item.profile {
            println!("profile {}", talk::plain(&device::started(profile)));
        }
    }
    Ok(())
}

fn items(data: &Path, request: &Request) -> Result<Vec<AgentItem>, Failure> {
    match talk::ask(data, request)? {
        Response::Agents(items) => Ok(items),
        other => Err(talk::unexpected(&other)),
    }
}
