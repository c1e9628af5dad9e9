//! `ringdown status`: how the exchange is, what it refuses, and who guesses at secrets.

use crate::{Failure, talk};
use api::control::{Request, Response, StatusItem};
use std::path::Path;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// One JSON object, for programs
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    match talk::ask(data, &Request::Status)? {
        Response::Status(status) if arguments.json => {
            println!("{}", serde_json::to_string(&status)?);
            Ok(())
        }
        Response::Status(status) => show(&status),
        other => Err(talk::unexpected(&other)),
    }
}

fn show(status: &StatusItem) -> Result<(), Failure> {
    let stored = if status.store_ready { "yes" } else { "no: changes and registrations are refused" };
    let rows = [
        ("calls", status.calls.to_string()),
        ("devices registered", status.registered.to_string()),
        ("media ports free", format!("{} of {}", status.ports_free, status.ports_total)),
        ("takes changes", stored.to_owned()),
        ("late", format!("{} ms", status.late_ms)),
        ("refused, too much to do", status.shed.to_string()),
        ("refused, too much from one source", status.flooded.to_string()),
        ("wrong secrets", status.wrong_secrets.to_string()),
        ("not listened to", status.ignored.to_string()),
    ];
    let nats = status.nats.iter().map(|words| ("NATS", words.clone()));
    let rows: Vec<Vec<String>> =
        rows.into_iter().chain(nats).map(|(what, value)| vec![what.to_owned(), value]).collect();
    talk::table(&["what", "now"], &rows)?;
    if status.guessing.is_empty() {
        return Ok(());
    }
    println!();
    let guessing = status.guessing.iter().map(|one| {
        let ignored = format!("{} s", one.ignored_seconds);
        vec![one.source.clone(), one.name.clone(), one.strikes.to_string(), ignored]
    });
    let heads = ["guesses at secrets", "last name", "wrong", "not listened to for"];
    talk::table(&heads, &guessing.collect::<Vec<_>>())
}
