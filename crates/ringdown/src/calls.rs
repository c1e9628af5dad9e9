//! `ringdown calls`: the call records.

use crate::{Failure, talk};
use api::CallRow;
use api::control::{Request, Response};
use jiff::Timestamp;
use std::io::{self, Write as _};
use std::path::Path;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many at most
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    most: u32,
    /// One JSON object a line, for other programs
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let rows = match talk::ask(data, &Request::Calls { most: arguments.most })? {
        Response::Calls(rows) => rows,
        other => return Err(talk::unexpected(&other)),
    };
    if arguments.json { print_json(&rows) } else { print_table(&rows) }
}

fn print_json(rows: &[CallRow]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for row in rows {
        let mut value = serde_json::to_value(row)?;
        for field in ["started", "answered", "ended"] {
            if let Some(milliseconds) = value[field].as_i64() {
                value[field] = time(milliseconds).into();
            }
        }
        match writeln!(out, "{}", talk::escaped(&value.to_string())) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
    Ok(())
}

pub(crate) fn print_table(rows: &[CallRow]) -> Result<(), Failure> {
    let cells = rows.iter().map(|row| {
        let ended = match (row.blame.as_str(), row.detail.as_str()) {
            (_, detail) if !detail.is_empty() => format!("{}: {detail}", row.cause),
            _ => row.cause.clone(),
        };
        vec![
            time(row.started),
            row.session_id.chars().take(8).collect(),
            row.caller.clone(),
            row.callee.clone(),
            row.answered_by.clone(),
            format!("{}.{} s", row.duration_ms / 1_000, row.duration_ms % 1_000 / 100),
            ended,
        ]
    });
    let heads = ["started", "id", "caller", "called", "answered by", "talked", "ended because"];
    talk::table(&heads, &cells.collect::<Vec<_>>())
}

/// `2026-11-22T09:30:00.125Z`
pub(crate) fn time(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map_or_else(|_| milliseconds.to_string(), |at| at.to_string())
}
