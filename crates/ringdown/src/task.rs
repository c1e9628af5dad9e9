//! `ringdown task`: the exchange keeps calling somebody (S2).

use crate::{Failure, calls, talk};
use api::MessageRow;
use api::control::{Request, Response, TaskItem};
use clap::Subcommand;
use std::path::Path;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List background calls
    List {
        /// Only those of this account
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
    },
    /// Keep calling a number for an account, and connect the two when somebody answers
    Start {
        /// Whom to reach, as the account would dial it
        number: String,
        /// Who wants to
        #[arg(long, value_name = "NAME")]
        account: String,
    },
    /// List the calls that it made, as `ringdown calls` does
    Calls {
        /// Its number
        task: u64,
    },
    /// List what its owner was told in writing, and what became of each message
    Messages {
        /// Its number
        task: u64,
    },
    /// Stop a background call, or all of an account
    Stop {
        /// Its number
        #[arg(required_unless_present = "account")]
        task: Option<u64>,
        /// All of this account
        #[arg(long, value_name = "NAME", conflicts_with = "task")]
        account: Option<String>,
    },
}

pub(crate) fn run(data: &Path, command: Command) -> Result<(), Failure> {
    match command {
        Command::List { account } => match talk::ask(data, &Request::TaskList { account })? {
            Response::Tasks(items) => table(items),
            other => Err(talk::unexpected(&other)),
        },
        Command::Calls { task } => match talk::ask(data, &Request::TaskCalls { task })? {
            Response::Calls(rows) => calls::print_table(&rows),
            other => Err(talk::unexpected(&other)),
        },
        Command::Messages { task } => match talk::ask(data, &Request::TaskMessages { task })? {
            Response::Messages(rows) => messages(rows),
            other => Err(talk::unexpected(&other)),
        },
        Command::Start { number, account } => {
            match talk::ask(data, &Request::TaskStart { account, number: number.clone() })? {
                Response::Tasks(items) => {
                    let id = items.first().map(|item| item.id).unwrap_or_default();
                    println!("background call {id} keeps calling {}", talk::plain(&number));
                    Ok(())
                }
                other => Err(talk::unexpected(&other)),
            }
        }
        Command::Stop { task: Some(task), .. } => match talk::ask(data, &Request::TaskStop { task })? {
            Response::Tasks(_) | Response::Done => {
                println!("background call {task} is stopped");
                Ok(())
            }
            other => Err(talk::unexpected(&other)),
        },
        Command::Stop { task: None, account } => {
            let account = account.unwrap_or_default();
            let done = format!("the background calls of {account} are stopped");
            talk::tell(data, &Request::TaskStopAll { account }, &done)
        }
    }
}

fn table(items: Vec<TaskItem>) -> Result<(), Failure> {
    let rows = items.into_iter().map(|item| {
        let next = item.next.map(calls::time).unwrap_or_default();
        let attempts = format!("{} of {}", item.made, item.most);
        vec![item.id.to_string(), item.account, item.number, item.state, attempts, next, item.why]
    });
    let heads = ["id", "account", "number", "state", "attempts", "next", "why"];
    talk::table(&heads, &rows.collect::<Vec<_>>())
}

fn messages(rows: Vec<MessageRow>) -> Result<(), Failure> {
    let rows = rows.into_iter().map(|row| {
        let (to, carrier) = (row.mobile.unwrap_or_default(), row.carrier.unwrap_or_default());
        let next = row.next.map(calls::time).unwrap_or_default();
        let (written, attempts) = (calls::time(row.time), row.attempts.to_string());
        vec![written, row.account, to, row.state, carrier, attempts, next, row.answer, row.text]
    });
    let heads = ["written", "account", "to", "state", "carrier", "attempts", "next", "answer", "text"];
    talk::table(&heads, &rows.collect::<Vec<_>>())
}
