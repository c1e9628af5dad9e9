//! The store in a file.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "engines/sqlite.rs"]
mod engine;
mod suite;

use exchange::StoreAnswer;
use std::time::Duration;
use store::Opened;
use suite::folder::{Folder, commit, start};
use suite::keeping::account;

#[test]
fn a_file_that_is_no_database_is_named() {
    let folder = Folder::new("no-database");
    std::fs::write(folder.0.join("office.db"), "no database").unwrap();
    let error = Opened::open(&folder.place()).err().unwrap().to_string();
    assert!(error.contains("office.db"), "{error}");
}

#[test]
fn r20_a_store_that_is_gone_promises_nothing_until_it_is_back() {
    let folder = Folder::new("gone");
    let (_, store, answers) = start(&folder);
    let said = |sequence, name| {
        store.commit(commit(sequence, 1, vec![account(name)])).unwrap();
        answers.recv_timeout(Duration::from_secs(10)).unwrap().1
    };
    assert_eq!(said(1, "before"), StoreAnswer::Committed);
    let (file, away) = (folder.0.join("office.db"), folder.0.join("away"));
    std::fs::rename(&file, &away).unwrap();
    assert!(matches!(said(2, "lost"), StoreAnswer::Unavailable { why } if why.contains("put it back")));
    std::fs::write(&file, "").unwrap();
    assert!(matches!(said(3, "lost"), StoreAnswer::Unavailable { .. }), "another file is not ours");
    std::fs::rename(&away, &file).unwrap();
    assert_eq!(said(4, "after"), StoreAnswer::Committed);
    store.close();
    let names = Opened::open(&folder.place()).unwrap().snapshot.changes;
    assert_eq!(names, [account("after"), account("before")]);
}
