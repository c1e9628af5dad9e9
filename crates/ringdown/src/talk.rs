//! What the administering commands share: one question to the running exchange, and a table for its answer.

use crate::Failure;
use api::control::{Client, Request, Response};
use std::io::{self, Write as _};
use std::path::Path;

/// Asks; a refusal is a failure.
pub(crate) fn ask(data: &Path, request: &Request) -> Result<Response, Failure> {
    match Client::connect(data)?.ask(request)? {
        Response::Refused(why) => Err(why.into()),
        response => Ok(response),
    }
}

/// Asks for something that has no answer but that it is done.
pub(crate) fn tell(data: &Path, request: &Request, done: &str) -> Result<(), Failure> {
    match ask(data, request)? {
        Response::Done => {
            println!("{done}");
            Ok(())
        }
        other => Err(unexpected(&other)),
    }
}

/// The exchange answers something else than was asked: it is of another version.
pub(crate) fn unexpected(response: &Response) -> Failure {
    format!("the exchange is of another version: it answered {response:?}").into()
}

/// Prints columns under their heads; each as wide as its widest text.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(column, head)| {
            let texts = rows.iter().filter_map(|row| row.get(column)).map(|text| text.chars().count());
            texts.chain([head.len()]).max().unwrap_or(0)
        })
        .collect();
    let mut out = io::stdout().lock();
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    for row in std::iter::once(&heads).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(text, width)| format!("{:width$}", plain(text)));
        let line = cells.collect::<Vec<_>>().join("  ");
        match writeln!(out, "{}", line.trim_end()) {
            // `ringdown calls | head` is no failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
    Ok(())
}

/// Names are hostile input: no terminal controls in what we print (sec_01).
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
