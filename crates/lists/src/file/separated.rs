//! Fields by commas, semicolons or tabs (RFC 4180).

use super::Reading;
use crate::columns::Columns;
use crate::list::List;
use crate::refusal::{Fault, FaultKind, Why};
use csv::ByteRecord;

const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

pub(super) fn read(text: &str, reading: &Reading) -> Result<List, Fault> {
    let mut file = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator(text))
        .from_reader(text.as_bytes());
    let mut record = ByteRecord::new();
    if !next(&mut file, &mut record) {
        return Err(Fault::new(FaultKind::Empty));
    }
    let mut line = line_of(text, &record);
    let headers = record.iter().map(|field| std::str::from_utf8(field).unwrap_or_default());
    let columns = Columns::of(headers, &reading.mapping, line)?;
    let mut list = List::with(columns, text.len());
    let mut ends = Vec::new();
    let wanted = list.columns().len();
    let mut last = 0;
    while next(&mut file, &mut record) {
        last = record.position().map_or(0, csv::Position::byte);
        line = line_of(text, &record);
        if record.len() != wanted {
            list.refuse(line, Why::Fields(record.len(), wanted));
            continue;
        }
        ends.clear();
        ends.extend((0..wanted).map(|place| record.range(place).map_or(0, |range| range.end)));
        list.push(line, record.as_slice(), &ends, reading.agent.as_deref())?;
    }
    if ends_inside_of_quotes(text.as_bytes(), last) {
        return Err(Fault { line: Some(line), kind: FaultKind::Truncated });
    }
    Ok(list)
}

/// The next record; what is in memory is always read, and text has no octets that are none.
fn next(file: &mut csv::Reader<&[u8]>, record: &mut ByteRecord) -> bool {
    file.read_byte_record(record).unwrap_or(false)
}

/// Where a record stands. It is said to begin where the one before ended, which may be in the middle of a line break.
fn line_of(text: &str, record: &ByteRecord) -> u32 {
    let Some(position) = record.position() else { return 0 };
    let rest =
        usize::try_from(position.byte()).ok().and_then(|at| text.as_bytes().get(at..)).unwrap_or_default();
    let breaks = rest.iter().take_while(|octet| matches!(octet, b'\r' | b'\n'));
    let line = position.line() + breaks.filter(|octet| **octet == b'\n').count() as u64;
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// The separator that is most often in the first line.
fn separator(text: &str) -> u8 {
    let header = text.trim_start().lines().next().unwrap_or_default().as_bytes();
    let count = |separator: &u8| header.iter().filter(|octet| *octet == separator).count();
    // Of equals the first: `max_by_key` takes the last.
    SEPARATORS.into_iter().rev().max_by_key(|separator| count(separator)).unwrap_or(b',')
}

/// A quotation mark that opens the last record's last field and never closes: the rest of the file is missing.
fn ends_inside_of_quotes(text: &[u8], last: u64) -> bool {
    let record = usize::try_from(last).ok().and_then(|last| text.get(last..)).unwrap_or_default();
    memchr::memchr_iter(b'"', record).count() % 2 == 1
}
