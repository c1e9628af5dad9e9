//! `ringdown import`: people, numbers and telephones from a CSV file. Every bad row is told with its line and reason,
//! the good ones are kept.

use crate::{Failure, talk};
use api::control::{Client, IMPORT_ROWS, ImportRow, Request, Response, RowFault};
use csv::{ReaderBuilder, StringRecord, Trim};
use std::fs::File;
use std::path::{Path, PathBuf};

/// What the file's first line must name, in any order; further columns are refused.
const COLUMNS: [&str; 5] = ["account", "name", "number", "device", "secret"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A CSV file with the columns account,name,number,device,secret; one row a device
    file: PathBuf,
}

pub(crate) fn run(data: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let path = arguments.file.display();
    let file = File::open(&arguments.file).map_err(|error| format!("{path}: {error}"))?;
    // LF ends a row and trimming takes a CR away: with CRLF as one end the reader is a line behind in its count.
    let ends = csv::Terminator::Any(b'\n');
    let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).terminator(ends).from_reader(file);
    let places = places(reader.headers().map_err(|error| format!("{path}: {error}"))?)
        .map_err(|what| format!("{path}: line 1: {what}"))?;
    let mut client = Client::connect(data)?;
    let mut outcome = Outcome::default();
    let mut batch = Vec::with_capacity(IMPORT_ROWS);
    let mut record = StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => match row(&record, &places) {
                Ok(row) => batch.push(row),
                Err(fault) => outcome.faults.push(fault),
            },
            // A row that is not UTF-8, or whose quotes never end: told, and the next one is read.
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                outcome.faults.push(RowFault { line, why: error.to_string() });
                if error.is_io_error() {
                    break;
                }
            }
        }
        if batch.len() == IMPORT_ROWS {
            outcome.send(&mut client, &mut batch)?;
        }
    }
    outcome.send(&mut client, &mut batch)?;
    outcome.tell(&arguments.file)
}

#[derive(Default)]
struct Outcome {
    taken: usize,
    faults: Vec<RowFault>,
}

impl Outcome {
    fn send(&mut self, client: &mut Client, batch: &mut Vec<ImportRow>) -> Result<(), Failure> {
        if batch.is_empty() {
            return Ok(());
        }
        let first = batch.first().map_or(0, |row| row.line);
        match client.ask(&Request::Import { rows: std::mem::take(batch) })? {
            Response::Imported { taken, faults } => {
                self.taken += taken;
                self.faults.extend(faults);
                Ok(())
            }
            Response::Refused(why) => Err(format!(
                "line {first}: {why}; the {} rows before it are kept, import the file again",
                self.taken
            )
            .into()),
            other => Err(talk::unexpected(&other)),
        }
    }

    fn tell(mut self, file: &Path) -> Result<(), Failure> {
        self.faults.sort_by_key(|fault| fault.line);
        for fault in &self.faults {
            eprintln!("{}:{}: {}", file.display(), fault.line, fault.why);
        }
        println!("{} rows taken, {} refused", self.taken, self.faults.len());
        if self.faults.is_empty() { Ok(()) } else { Err("some rows were refused, see above".into()) }
    }
}

/// Where each of [`COLUMNS`] stands.
fn places(heads: &StringRecord) -> Result<[usize; 5], String> {
    let mut places = [usize::MAX; 5];
    for (place, head) in heads.iter().enumerate() {
        let head = head.trim_start_matches('\u{FEFF}').to_ascii_lowercase();
        match COLUMNS.iter().position(|column| *column == head) {
            Some(column) if places[column] == usize::MAX => places[column] = place,
            Some(_) => return Err(format!("the column \"{head}\" stands twice")),
            None => return Err(format!("unknown column \"{head}\"; the columns are {}", COLUMNS.join(","))),
        }
    }
    if let Some(missing) = places.iter().position(|place| *place == usize::MAX) {
        return Err(format!(
            "the column \"{}\" is missing; the columns are {}",
            COLUMNS[missing],
            COLUMNS.join(",")
        ));
    }
    Ok(places)
}

fn row(record: &StringRecord, places: &[usize; 5]) -> Result<ImportRow, RowFault> {
    let line = record.position().map_or(0, csv::Position::line);
    let fault = |why: String| RowFault { line, why };
    if record.len() != COLUMNS.len() {
        return Err(fault(format!("{} fields instead of {}", record.len(), COLUMNS.len())));
    }
    let field = |column: usize| record.get(places[column]).unwrap_or_default().to_owned();
    let row = ImportRow {
        line,
        account: field(0),
        name: field(1),
        number: field(2),
        device: field(3),
        secret: field(4),
    };
    if row.account.is_empty() {
        return Err(fault("the account is empty".into()));
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_in_any_order_and_faults_in_words() {
        let heads = |text: &str| places(&text.split(',').collect::<StringRecord>());
        assert_eq!(heads("account,name,number,device,secret"), Ok([0, 1, 2, 3, 4]));
        assert_eq!(heads("\u{FEFF}Device,secret,account,name,number"), Ok([2, 3, 4, 0, 1]));
        assert!(heads("account,name,number,device").unwrap_err().contains("\"secret\" is missing"));
        assert!(heads("account,name,number,device,secret,extra").unwrap_err().contains("\"extra\""));
        assert!(heads("account,account,number,device,secret").unwrap_err().contains("twice"));
    }
}
