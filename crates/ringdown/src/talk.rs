//! What the administering commands share: one question to the running exchange, and a table for its answer.

use crate::Failure;
use api::control::{Client, Request, Response};
use std::io::{self, Write as _};
use std::path::Path;

/// Asks; a refusal is a failure.
pub(crate) fn ask(data: &Path, request: &Request) -> Result<Response, Failure> {
    match Client::connect(data)?.ask(request)? {
        Response::Refused(why) | Response::KeptBy(_, why) | Response::Crossed(why) => Err(why.into()),
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

/// Names are hostile input: nothing in what we print moves a terminal's cursor or turns its direction (sec_01).
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if is_hostile(c) { '?' } else { c }).collect()
}

/// The same for JSON, where it can be said what was there.
pub(crate) fn escaped(json: &str) -> String {
    let escape = |c: char| if is_hostile(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    json.chars().map(escape).collect()
}

/// A control, or a mark of direction (Unicode TR 36 and TR 55).
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_01_nothing_that_is_printed_moves_a_terminal() {
        let hostile = "ada\u{1b}[2J\u{9b}31m\r\n\u{202e}bob\u{2066}\u{7f}\u{8}=1+1";
        let shown = plain(hostile);
        assert_eq!(shown, "ada?[2J?31m???bob???=1+1");
        assert_eq!(plain("Jürgen 小艾 – O'Neill"), "Jürgen 小艾 – O'Neill");
        let json = serde_json::to_string(hostile).unwrap();
        let printed = escaped(&json);
        assert!(printed.chars().all(|c| !is_hostile(c)), "{printed}");
        assert_eq!(serde_json::from_str::<String>(&printed).unwrap(), hostile, "it is still the same value");
    }
}
