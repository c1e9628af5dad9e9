//! `ringdown explain`: why something happened by itself.

use crate::{Failure, agent, calls, talk};
use api::control::{Request, Response};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Why a call was refused, forwarded or shed
    Call {
        /// Its id as `ringdown calls` shows it: six or more first digits of its Session-ID
        id: String,
    },
    /// What happened to a trunk
    Trunk {
        /// Its name
        name: String,
    },
    /// Why taps of a badge were refused
    Badge {
        /// Its name
        name: String,
    },
    /// Why taps at a reader were refused that no badge is known by
    Reader {
        /// Its name
        name: String,
    },
    /// Who sat at a phone, and why somebody was refused there
    Device {
        /// Its name
        name: String,
    },
    /// What was decided about a background call
    Task {
        /// Its number
        id: String,
    },
    /// How somebody who works for queues stands, and the chain of facts that led there
    Agent {
        /// The account
        name: String,
    },
    /// Why requests from an address were slowed or refused
    Source {
        /// The IP address
        address: String,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    let (kind, subject) = match command {
        Command::Call { id } => ("call", id),
        Command::Trunk { name } => ("trunk", name),
        Command::Badge { name } => ("badge", name),
        Command::Reader { name } => ("reader", name),
        Command::Device { name } => ("device", name),
        Command::Task { id } => ("task", id),
        Command::Agent { name } => {
            agent::stands(data, &name)?;
            ("agent", name)
        }
        Command::Source { address } => ("source", address),
    };
    let facts = match talk::ask(data, &Request::Explain { kind: kind.into(), subject: subject.clone() })? {
        Response::Facts(facts) => facts,
        other => return Err(talk::unexpected(&other)),
    };
    if facts.is_empty() {
        println!("nothing was decided by itself about {kind} {subject} in the last 30 days");
        return Ok(());
    }
    let rows = facts.into_iter().map(|fact| vec![calls::time(fact.time), fact.rule, fact.words]);
    talk::table(&["time", "rule", "what was decided"], &rows.collect::<Vec<_>>())
}
