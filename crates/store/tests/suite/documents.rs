//! Documents that are asked for one by one, and who looks at them beside whoever has the store.

use super::folder::{Folder, start};
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use store::{Document, Opened, Store, Visitor};

const WAIT: Duration = Duration::from_secs(60);

pub(crate) fn document(id: &str, text: Option<&str>) -> Document {
    Document { kind: "note".into(), id: id.into(), text: text.map(str::to_owned) }
}

pub(crate) fn keep(store: &Store, document: Document) -> Result<(), String> {
    let (sender, kept) = sync_channel(1);
    store.documents().keep(vec![document], Box::new(move |told| sender.send(told).unwrap())).unwrap();
    kept.recv_timeout(WAIT).unwrap()
}

fn find(store: &Store, kind: &str, id: Option<&str>) -> Vec<Document> {
    let (sender, found) = sync_channel(1);
    store.documents().find(kind, id, Box::new(move |told| sender.send(told).unwrap())).unwrap();
    found.recv_timeout(WAIT).unwrap().unwrap()
}

#[test]
fn s4_documents_are_found_by_whoever_has_them_and_by_a_visitor() {
    let folder = Folder::new("documents");
    assert!(Visitor::open(&folder.place()).unwrap().find("note", None).is_err(), "nobody has made it");
    let (_, store, _answers) = start(&folder);
    let (one, two) = (document("1", Some("hush")), document("2", Some("x")));
    keep(&store, two.clone()).unwrap();
    keep(&store, one.clone()).unwrap();
    assert_eq!(find(&store, "note", None), [one.clone(), two.clone()]);
    assert_eq!(find(&store, "note", Some("2")), std::slice::from_ref(&two));
    assert!(find(&store, "note", Some("3")).is_empty() && find(&store, "other", None).is_empty());
    let visitor = Visitor::open(&folder.place()).unwrap();
    assert_eq!(visitor.find("note", None).unwrap(), [one, two.clone()]);
    visitor.keep(&[document("1", None), document("3", Some("y"))]).unwrap();
    assert_eq!(find(&store, "note", None), [two, document("3", Some("y"))]);
    assert!(!folder.holds("hush"), "documents are sealed");
    store.close();
}

#[test]
fn s4_what_is_shared_is_kept_once_and_whoever_comes_later_finds_it() {
    let folder = Folder::new("shared");
    let mut opened = Opened::open(&folder.place()).unwrap();
    let (first, second) = (document("", Some("hush")), document("", Some("mine")));
    assert_eq!(opened.share(&first, |_| panic!("nothing is there")).unwrap(), first);
    assert_eq!(opened.share(&second, |there| *there == first).unwrap(), first, "it stays");
    assert_eq!(opened.share(&second, |_| false).unwrap(), second, "it gave way");
    opened.close();
    let opened = Opened::open(&folder.place()).unwrap();
    assert_eq!(opened.documents, std::slice::from_ref(&second));
    assert!(!folder.holds("mine"), "it is sealed");
    opened.close();
    std::fs::write(folder.0.join(store::SEAL_KEY), [0; 32]).unwrap();
    let mut opened = Opened::open(&folder.place()).unwrap();
    let why = opened.share(&first, |_| true).unwrap_err().to_string();
    assert!(why.contains("another seal.key"), "what nobody can read is not written over: {why}");
    opened.close();
}
