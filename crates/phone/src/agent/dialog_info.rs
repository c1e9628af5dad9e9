//! The document of the `dialog` package (RFC 4235), as far as a lamp needs it: which calls there are, and where they stand.

use crate::limits::DIALOGS;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Elements inside elements; a true document has four.
const DEPTH: usize = 16;

/// One document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Document {
    /// It grows by one with each (RFC 4235 4.3).
    pub(super) version: Option<u32>,
    /// All calls are in it; else those that changed.
    pub(super) full: bool,
    pub(super) dialogs: Vec<(Box<str>, Doing)>,
}

/// Where a call of the watched number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// It rings there.
    Rings,
    /// They talk, or call somebody.
    Busy,
    Over,
}

impl Document {
    /// Reads one; `None` when it is none. Nothing outside the document is fetched, and no entity is expanded.
    pub(super) fn read(body: &[u8]) -> Option<Document> {
        let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
        let mut document = Document::default();
        let mut path: Vec<Box<str>> = Vec::new();
        let mut state = String::new();
        let mut whole = false;
        loop {
            match reader.read_event().ok()? {
                Event::Start(element) => {
                    document.begin(&path, &element)?;
                    if path.len() >= DEPTH {
                        return None;
                    }
                    path.push(name(&element));
                    state.clear();
                }
                Event::Empty(element) => {
                    document.begin(&path, &element)?;
                    whole |= path.is_empty();
                }
                Event::Text(text) if is_state(&path) => state.push_str(&text.xml10_content()),
                Event::End(_) => {
                    if is_state(&path) {
                        document.stands(state.trim());
                    }
                    path.pop();
                    whole = path.is_empty();
                }
                // No lamp needs one, and much harm was done by them.
                Event::DocType(_) => return None,
                Event::Eof => break,
                _ => {}
            }
        }
        whole.then_some(document)
    }

    fn begin(&mut self, path: &[Box<str>], element: &BytesStart<'_>) -> Option<()> {
        let has = |wanted: &str| {
            let found = element.try_get_attribute(wanted).ok()??;
            Some(found.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?.into_owned())
        };
        match (path, &*name(element)) {
            ([], "dialog-info") => {
                self.version = has("version").and_then(|version| version.parse().ok());
                self.full = has("state")? == "full";
            }
            ([], _) => return None,
            ([_], "dialog") if self.dialogs.len() < DIALOGS => {
                // Until its state says more: whoever calls is busy, who is called is rung.
                let called = has("direction").is_none_or(|direction| direction == "recipient");
                self.dialogs.push((has("id")?.into(), if called { Doing::Rings } else { Doing::Busy }));
            }
            _ => {}
        }
        Some(())
    }

    /// The state of the last dialog.
    fn stands(&mut self, state: &str) {
        if let Some((_, doing)) = self.dialogs.last_mut() {
            match state {
                "confirmed" => *doing = Doing::Busy,
                "terminated" => *doing = Doing::Over,
                _ => {}
            }
        }
    }
}

fn is_state(path: &[Box<str>]) -> bool {
    matches!(path, [_, dialog, state] if **dialog == *"dialog" && **state == *"state")
}

fn name(element: &BytesStart<'_>) -> Box<str> {
    element.local_name().as_ref().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::subscription::{DialogInfo, DialogState};

    fn call(id: &str, state: DialogState, outgoing: bool) -> DialogInfo {
        DialogInfo { id: id.into(), state, outgoing, remote: None, pickup: Some("x<&".into()) }
    }

    #[test]
    fn s3_11_what_our_exchange_writes_is_read() {
        let calls = [
            call("a&b", DialogState::Early, false),
            call("b", DialogState::Early, true),
            call("c", DialogState::Confirmed, false),
            call("d", DialogState::Terminated, false),
        ];
        let text = DialogInfo::document("sip:2001@office", 7, &calls);
        let read = Document::read(text.as_bytes()).unwrap();
        assert_eq!((read.version, read.full), (Some(7), true));
        let doing: Vec<(&str, Doing)> = read.dialogs.iter().map(|(id, doing)| (&**id, *doing)).collect();
        assert_eq!(
            doing,
            [("a&b", Doing::Rings), ("b", Doing::Busy), ("c", Doing::Busy), ("d", Doing::Over)]
        );
    }

    #[test]
    fn prefixes_comments_and_partial_documents_are_read() {
        let text = "<?xml version='1.0'?><!-- x --><d:dialog-info xmlns:d='urn:ietf:params:xml:ns:dialog-info' version='3' \
                    state='partial' entity='sip:1@h'><d:dialog id='1' call-id='z'><d:state event='x'>\n confirmed </d:state>\
                    <d:local><d:state>terminated</d:state></d:local></d:dialog><d:dialog id='2'/></d:dialog-info>";
        let read = Document::read(text.as_bytes()).unwrap();
        assert!(!read.full);
        assert_eq!(read.dialogs, [("1".into(), Doing::Busy), ("2".into(), Doing::Rings)]);
    }

    #[test]
    fn what_is_no_document_is_none() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><dialog-info state='full'>&b;</dialog-info>";
        let deep = format!("<dialog-info state='full'>{}", "<a>".repeat(1_000));
        let many = format!("<dialog-info state='full'>{}</dialog-info>", "<dialog id='1'/>".repeat(1_000));
        for text in
            ["", "x", "<presence/>", "<dialog-info/>", "<dialog-info state='full'><dialog>", bomb, &deep]
        {
            assert_eq!(Document::read(text.as_bytes()), None, "{text:.60}");
        }
        assert_eq!(Document::read(b"\xff\xfe<dialog-info"), None);
        assert!(Document::read(many.as_bytes()).unwrap().dialogs.len() <= DIALOGS);
        let whole = DialogInfo::document("sip:1@h", 1, &[call("a", DialogState::Early, false)]);
        for cut in 0..whole.trim_end().len() {
            let _ = Document::read(&whole.as_bytes()[..cut]);
        }
    }
}
