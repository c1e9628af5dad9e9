//! A spreadsheet: the first sheet, whose first row with anything in it is the header.
//!
//! A spreadsheet is an archive. What it unpacks to is counted before anything else looks at it, because a hundred kilobytes
//! can become a hundred gigabytes.

use super::Reading;
use super::json_lines::push;
use crate::columns::Columns;
use crate::limits;
use crate::list::{List, shortened};
use crate::refusal::{Fault, FaultKind, Why};
use calamine::{Data, Reader as _, Xlsx};
use std::io::{Cursor, Read as _};

pub(super) fn read(bytes: Vec<u8>, reading: &Reading) -> Result<List, Fault> {
    check_size(&bytes)?;
    let octets = bytes.len();
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    let first = book.sheet_names().first().cloned().ok_or_else(|| Fault::new(FaultKind::Empty))?;
    let mut cells = book.worksheet_cells_reader(&first).map_err(|error| broken(&error))?;
    let mut list: Option<List> = None;
    let mut row = Row::default();
    loop {
        let cell = cells.next_cell().map_err(|error| broken(&error))?;
        let Some(cell) = cell else { break };
        let (line, place) = cell.get_position();
        if line != row.line && !row.fields.is_empty() {
            row.take(&mut list, octets, reading)?;
        }
        row.line = line;
        row.put(place as usize, text(&Data::from(cell.get_value().clone())))?;
    }
    row.take(&mut list, octets, reading)?;
    list.ok_or_else(|| Fault::new(FaultKind::Empty))
}

#[derive(Default)]
struct Row {
    line: u32,
    fields: Vec<String>,
}

impl Row {
    fn put(&mut self, place: usize, text: String) -> Result<(), Fault> {
        if place >= limits::COLUMNS {
            // Far out to the right stands nothing that anybody meant.
            return if text.is_empty() {
                Ok(())
            } else {
                Err(Fault { line: Some(self.line + 1), kind: FaultKind::Columns })
            };
        }
        self.fields.resize(self.fields.len().max(place + 1), String::new());
        self.fields[place] = text;
        Ok(())
    }

    /// The first row is the header; a row without anything is none.
    fn take(&mut self, list: &mut Option<List>, octets: usize, reading: &Reading) -> Result<(), Fault> {
        let mut fields = std::mem::take(&mut self.fields);
        if fields.iter().all(|field| field.trim().is_empty()) {
            return Ok(());
        }
        let line = self.line + 1;
        let Some(list) = list else {
            let columns = Columns::of(fields.iter().map(String::as_str), &reading.mapping, line)?;
            *list = Some(List::with(columns, octets));
            return Ok(());
        };
        let wanted = list.columns().len();
        if fields.len() > wanted {
            list.refuse(line, Why::Fields(fields.len(), wanted));
            return Ok(());
        }
        fields.resize(wanted, String::new());
        push(list, line, &fields, reading)
    }
}

/// Unpacks everything to nowhere, and counts.
fn check_size(bytes: &[u8]) -> Result<(), Fault> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    if archive.len() > limits::PARTS {
        return Err(Fault::new(FaultKind::Bomb));
    }
    let most = limits::UNPACKED.min((bytes.len() as u64).saturating_mul(limits::RATIO));
    let mut left = most;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| broken(&error))?;
        let unpacked =
            std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).map_err(|error| broken(&error))?;
        left = left.checked_sub(unpacked).ok_or_else(|| Fault::new(FaultKind::Bomb))?;
    }
    Ok(())
}

/// A cell as a person sees it; a whole number without the point that spreadsheets keep it with.
fn text(cell: &Data) -> String {
    match cell {
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        Data::DateTime(moment) => when(moment),
        Data::Error(_) => String::new(),
        other => other.to_string(),
    }
}

/// As in `2026-11-29 14:00`. Days are counted from 1899-12-30, because 1900 is a leap year to spreadsheets.
fn when(moment: &calamine::ExcelDateTime) -> String {
    let minutes = (moment.as_f64() * 1_440.0).round();
    let start = jiff::civil::date(1899, 12, 30).at(0, 0, 0, 0);
    let span = jiff::Span::new().try_minutes(minutes as i64);
    let shown =
        span.and_then(|span| start.checked_add(span)).map(|at| at.strftime("%Y-%m-%d %H:%M").to_string());
    shown.unwrap_or_default()
}

fn broken(why: &dyn std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Spreadsheet(shortened(&why.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{Format, read};
    use std::io::Write as _;

    const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
        <sheets><sheet name="Monday" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    const ROOT: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
        <Relationship Id="rId1" Target="xl/workbook.xml"
        Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>"#;
    const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
        <Relationship Id="rId1" Target="worksheets/sheet1.xml"
        Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/>
        <Relationship Id="rId2" Target="styles.xml"
        Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles"/></Relationships>"#;
    const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
        <cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;

    fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn book(rows: &str) -> Vec<u8> {
        let sheet = format!(
            r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
        );
        archive(&[
            ("_rels/.rels", ROOT.as_bytes()),
            ("xl/workbook.xml", BOOK.as_bytes()),
            ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
            ("xl/styles.xml", STYLES.as_bytes()),
            ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ])
    }

    #[test]
    fn a_sheet_is_a_list() {
        let text =
            |place: &str, text: &str| format!(r#"<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>"#);
        let rows = format!(
            r#"<row r="2">{}{}{}</row><row r="3"><c r="A3"><v>13800138000</v></c>{}<c r="C3" s="1"><v>46355.583333333336</v></c></row>
               <row r="5">{}</row><row r="6">{}{}</row>"#,
            text("A2", "电话"),
            text("B2", "姓名"),
            text("C2", "预约时间"),
            text("B3", "王芳"),
            text("B5", "nobody"),
            text("A6", "2041"),
            text("D6", "too far")
        );
        let bytes = book(&rows);
        assert_eq!(Format::of(&bytes), Format::Xlsx);
        let list = read(bytes, Format::Xlsx, &Reading::default()).unwrap();
        let entry = list.entry(0).unwrap();
        let shown = (
            entry.line(),
            entry.get(crate::Column::Number),
            entry.name(),
            entry.get(crate::Column::NotBefore),
        );
        assert_eq!(shown, (3, "13800138000", "王芳".to_owned(), "2026-11-29 14:00"));
        let told: Vec<String> = list.refusals().iter().map(ToString::to_string).collect();
        assert_eq!(told, ["line 5: no number", "line 6: 4 fields where the header has 3"]);
    }

    #[test]
    fn what_unpacks_to_far_more_than_its_size_is_not_unpacked() {
        let zeros = vec![b' '; 64 << 20];
        let bytes = archive(&[("xl/worksheets/sheet1.xml", &zeros)]);
        assert!(bytes.len() < 1 << 20);
        let fault = read(bytes, Format::Xlsx, &Reading::default()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Bomb);
    }

    #[test]
    fn a_broken_archive_is_refused_in_words() {
        let whole = book("<row r=\"1\"/>");
        for bytes in [&whole[..whole.len() / 2], b"PK\x03\x04"] {
            let fault = read(bytes.to_vec(), Format::Xlsx, &Reading::default()).unwrap_err();
            assert!(matches!(fault.kind, FaultKind::Spreadsheet(_)), "{fault}");
        }
        assert_eq!(read(whole, Format::Xlsx, &Reading::default()).unwrap_err().kind, FaultKind::Empty);
    }
}
