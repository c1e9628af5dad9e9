//! One JSON object a line. The first line with a key names its column; later lines may have fewer, and more.

use super::Reading;
use crate::columns::Columns;
use crate::list::{List, shortened};
use crate::refusal::{Fault, FaultKind, Why};
use serde_json::{Map, Value};

pub(super) fn read(text: &str, reading: &Reading) -> Result<List, Fault> {
    let mut list = List::with(Columns::default(), text.len());
    let mut places = std::collections::BTreeMap::<String, usize>::new();
    for (index, line) in text.lines().enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        if line.trim().is_empty() {
            continue;
        }
        let object: Map<String, Value> = match serde_json::from_str(line) {
            Ok(object) => object,
            Err(error) => {
                list.refuse(number, Why::Json(shortened(&error.to_string())));
                continue;
            }
        };
        let mut fields: Vec<String> = vec![String::new(); places.len()];
        let mut wrong = None;
        for (key, value) in object {
            if value.is_null() {
                continue;
            }
            let Some(value) = plain(value) else {
                wrong = Some(Why::Json(format!("\"{}\" has no text or number", shortened(&key)).into()));
                break;
            };
            let place = match places.get(&key) {
                Some(place) => *place,
                None => {
                    let added = list.add_column(&key, &reading.mapping);
                    let place = added.map_err(|kind| Fault { line: Some(number), kind })?;
                    places.insert(key, place);
                    place
                }
            };
            fields.resize(fields.len().max(place + 1), String::new());
            fields[place] = value;
        }
        match wrong {
            Some(why) => list.refuse(number, why),
            None => push(&mut list, number, &fields, reading)?,
        }
    }
    if list.columns().is_empty() {
        return Err(Fault::new(FaultKind::Empty));
    }
    if list.columns().place(crate::Column::Number).is_none() {
        let there: Vec<&str> = list.columns().iter().map(|(header, _)| header).collect();
        return Err(Fault::new(FaultKind::NoNumbers(shortened(&there.join(", ")))));
    }
    Ok(list)
}

pub(super) fn push(list: &mut List, line: u32, fields: &[String], reading: &Reading) -> Result<(), Fault> {
    let ends: Vec<usize> = fields
        .iter()
        .scan(0, |end, field| {
            *end += field.len();
            Some(*end)
        })
        .collect();
    list.push(line, fields.concat().as_bytes(), &ends, reading.agent.as_deref())
}

/// What can stand in a field.
fn plain(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
