//! Files into lists: CSV, JSON Lines, spreadsheets.

mod json_lines;
mod separated;
mod workbook;

use crate::columns::Mapping;
use crate::encoding;
use crate::limits;
use crate::list::List;
use crate::refusal::{Fault, FaultKind};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Fields by commas, semicolons or tabs (RFC 4180).
    Csv,
    /// One JSON object a line.
    JsonLines,
    /// An office document of a spreadsheet (ISO/IEC 29500).
    Xlsx,
}

impl Format {
    /// By the first octets; whatever the name of the file says.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Format {
        if bytes.starts_with(b"PK\x03\x04") {
            return Format::Xlsx;
        }
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        // In UTF-16 zeros and a mark stand around the letters.
        let marks = |octet: &&u8| !matches!(**octet, 0 | 0xFE | 0xFF | b' ' | b'\r' | b'\n' | b'\t');
        if text.iter().find(marks) == Some(&b'{') { Format::JsonLines } else { Format::Csv }
    }
}

/// How a file is meant.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Headers that we do not know, and what they mean.
    pub mapping: Mapping,
    /// Whose tasks are taken: rows for another agent are refused. Anybody's, if there is none.
    pub agent: Option<Box<str>>,
}

/// The list in a file. Each row is taken or refused; a file of which a part is missing is not taken at all.
///
/// # Errors
/// Why the file as a whole is not taken, and where.
pub fn read(bytes: Vec<u8>, format: Format, reading: &Reading) -> Result<List, Fault> {
    if bytes.len() > limits::FILE {
        return Err(Fault::new(FaultKind::Large(bytes.len())));
    }
    let list = match format {
        Format::Xlsx => workbook::read(bytes, reading)?,
        Format::Csv | Format::JsonLines => {
            let (text, _) = encoding::text_of(bytes)?;
            check_lines(&text)?;
            match format {
                Format::JsonLines => json_lines::read(&text, reading)?,
                _ => separated::read(&text, reading)?,
            }
        }
    };
    for_somebody_else(&list, reading).map_or(Ok(list), Err)
}

/// Before anything looks for fields: a line without an end takes no memory.
fn check_lines(text: &str) -> Result<(), Fault> {
    let mut start = 0;
    for (line, end) in memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]).enumerate() {
        if end - start > limits::LINE {
            return Err(Fault { line: u32::try_from(line + 1).ok(), kind: FaultKind::LongLine });
        }
        start = end + 1;
    }
    Ok(())
}

/// A list in which no row is this agent's (S3.4).
fn for_somebody_else(list: &List, reading: &Reading) -> Option<Fault> {
    let reason = list.refusals().first()?;
    match (&reason.why, &reading.agent) {
        (crate::Why::OtherAgent(agent), Some(_)) if list.is_empty() => {
            Some(Fault { line: Some(reason.line), kind: FaultKind::OtherAgent(agent.clone()) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bytes: &[u8], agent: Option<&str>) -> Result<Vec<(u32, String, String)>, String> {
        let reading = Reading { agent: agent.map(Into::into), ..Reading::default() };
        let list = read(bytes.to_vec(), Format::of(bytes), &reading).map_err(|fault| fault.to_string())?;
        Ok(list
            .iter()
            .map(|row| (row.line(), row.get(crate::Column::Number).to_owned(), row.name()))
            .collect())
    }

    fn rows(all: &[(u32, &str, &str)]) -> Result<Vec<(u32, String, String)>, String> {
        Ok(all.iter().map(|(line, number, name)| (*line, (*number).to_owned(), (*name).to_owned())).collect())
    }

    #[test]
    fn one_list_in_each_shape() {
        let two = rows(&[(2, "2041", "Ada"), (3, "2042", "Bob, the son")]);
        for text in [
            "number,name\n2041,Ada\n2042,\"Bob, the son\"\n",
            "number;name\r\n2041;Ada\r\n2042;Bob, the son",
            "号码\t姓名\n2041\tAda\n2042\tBob, the son\n",
            "\u{feff}number,name\n2041,Ada\n2042,\"Bob, the son\"",
        ] {
            assert_eq!(taken(text.as_bytes(), None), two, "{text}");
        }
        let json = "{\"number\":\"2041\",\"name\":\"Ada\"}\n\n{\"name\":\"Bob, the son\",\"phone\":null,\"number\":2042}\n";
        assert_eq!(taken(json.as_bytes(), None), rows(&[(1, "2041", "Ada"), (3, "2042", "Bob, the son")]));
    }

    #[test]
    fn a_field_may_have_lines_and_the_next_row_still_has_its_own() {
        let text = "number,history\n2041,\"first\nsecond\"\n2042,\n,x\n";
        let list = read(text.as_bytes().to_vec(), Format::Csv, &Reading::default()).unwrap();
        let lines: Vec<u32> = list.iter().map(|row| row.line()).collect();
        assert_eq!((lines, list.refusals()[0].to_string().as_str()), (vec![2, 4], "line 5: no number"));
        assert_eq!(list.entry(0).unwrap().get(crate::Column::History), "first\nsecond");
    }

    #[test]
    fn a_file_of_which_a_part_is_missing_is_not_taken() {
        for (text, fault) in [
            ("", "the list is empty"),
            ("\n\n", "the list is empty"),
            ("number,name\n2041,\"Ada\n2042,Bob\n", "line 2: the file ends inside of quotation marks"),
            ("name,age\nAda,1\n", "line 1: no column is called \"number\"; there are: name, age"),
            ("{\"name\":\"Ada\"}\n", "no column is called \"number\"; there are: name"),
        ] {
            assert_eq!(taken(text.as_bytes(), None), Err(fault.to_owned()), "{text}");
        }
        let endless = [b"number\n".to_vec(), vec![b'1'; limits::LINE + 1]].concat();
        assert_eq!(taken(&endless, None), Err("line 2: longer than 1048576 octets".to_owned()));
    }

    #[test]
    fn s3_4_the_list_of_another_agent_is_refused() {
        let text = b"number,agent\n2041,bob\n2042,bob\n";
        assert_eq!(taken(text, Some("ada")), Err("line 2: this list is for the agent \"bob\"".to_owned()));
        assert_eq!(taken(text, Some("bob")).map(|rows| rows.len()), Ok(2));
        assert_eq!(taken(text, None).map(|rows| rows.len()), Ok(2));
    }

    #[test]
    fn a_row_of_another_length_or_without_sense_is_refused_alone() {
        let text = "number,name\n2041\n2042,Ada,x\n2043,Bob\n";
        let list = read(text.as_bytes().to_vec(), Format::Csv, &Reading::default()).unwrap();
        let told: Vec<String> = list.refusals().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["line 2: 1 fields where the header has 2", "line 3: 3 fields where the header has 2"]
        );
        let json = "{\"number\":1}\n[1]\n{\"number\":{\"a\":1}}\n{\n{\"number\":true}\n";
        let list = read(json.as_bytes().to_vec(), Format::JsonLines, &Reading::default()).unwrap();
        assert_eq!((list.len(), list.refused()), (1, 4), "{:?}", list.refusals());
    }

    proptest::proptest! {
        #[test]
        fn no_octets_make_it_panic(bytes in proptest::collection::vec(0u8.., 0..400)) {
            for format in [Format::Csv, Format::JsonLines, Format::Xlsx] {
                let front: &[u8] = if format == Format::JsonLines { b"{\"number\":" } else { b"number,name\n" };
                let _ = read([front, &bytes].concat(), format, &Reading::default());
                if let Ok(list) = read(bytes.clone(), format, &Reading::default()) {
                    let fields: usize = list.iter().map(|row| row.fields().count()).sum();
                    proptest::prop_assert_eq!(fields, list.len() * list.columns().len());
                }
            }
        }
    }
}
