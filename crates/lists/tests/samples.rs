//! The published samples are lists as they stand, and the published schema has the columns (S3.2).

use lists::{Column, Format, Mapping, Reading};
use std::collections::BTreeSet;

fn docs(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../docs/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a file of docs")
}

#[test]
fn each_sample_is_taken_whole() {
    for (name, rows, first) in [
        ("call-list.csv", 3, "王芳"),
        ("call-list.jsonl", 3, "王芳"),
        ("call-list.xlsx", 3, "王芳"),
        ("call-list.zh.csv", 2, "王芳"),
    ] {
        let bytes = docs(&format!("samples/{name}"));
        let format = Format::of(&bytes);
        let list = lists::read(bytes, format, &Reading { mapping: Mapping::new(), ..Reading::default() });
        let list = list.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!((list.len(), list.refusals()), (rows, &[][..]), "{name}");
        let entry = list.entry(0).expect("a row");
        assert_eq!((entry.name().as_str(), entry.priority()), (first, 9), "{name}");
        assert_eq!(entry.get(Column::Id), "C-1001", "{name}");
    }
}

#[test]
fn the_schema_has_every_column_by_a_name_that_is_known() {
    let schema: serde_json::Value = serde_json::from_slice(&docs("call-list.schema.json")).expect("JSON");
    let named = schema["properties"].as_object().expect("properties");
    let columns: BTreeSet<Option<Column>> = named.keys().map(|name| Column::by_name(name)).collect();
    assert!(!columns.contains(&None), "{:?}", named.keys());
    assert_eq!((columns.len(), named.len()), (18, 18), "each column once");
}
