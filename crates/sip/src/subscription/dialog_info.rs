//! The document of the `dialog` package (RFC 4235): what a busy lamp shows.

use super::escape_xml;
use std::fmt::Write as _;

/// Where a call of the watched person stands (RFC 4235 3.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogState {
    /// It called, and nothing came back yet.
    Trying,
    /// It rings.
    Early,
    /// It talks.
    Confirmed,
    /// It is over.
    Terminated,
}

impl DialogState {
    /// All there are.
    pub const ALL: [DialogState; 4] =
        [DialogState::Trying, DialogState::Early, DialogState::Confirmed, DialogState::Terminated];

    /// The name in documents (RFC 4235 4.1.2).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DialogState::Trying => "trying",
            DialogState::Early => "early",
            DialogState::Confirmed => "confirmed",
            DialogState::Terminated => "terminated",
        }
    }
}

/// The other end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its name, as shown.
    pub display: Box<str>,
    /// Its address.
    pub uri: Box<str>,
}

/// One call in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogInfo {
    /// Names the call within the documents of one watcher.
    pub id: Box<str>,
    /// Where it stands.
    pub state: DialogState,
    /// The watched person called.
    pub outgoing: bool,
    /// The other end; `None` for a watcher who may not know (R32).
    pub remote: Option<Party>,
    /// By this the watcher may answer it, once: goes for its Call-ID (RFC 4235 4.1.1, RFC 3891).
    pub pickup: Option<Box<str>>,
}

/// Stands for the tags of a dialog that is named by [`DialogInfo::pickup`] alone.
const TAG: &str = "pickup";

impl DialogInfo {
    /// A whole document about one person (`state="full"`).
    #[must_use]
    pub fn document(entity: &str, version: u32, calls: &[DialogInfo]) -> String {
        let mut text = format!(
            "<?xml version=\"1.0\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" \
             state=\"full\" entity=\"{}\">\r\n",
            escape_xml(entity)
        );
        for call in calls {
            let direction = if call.outgoing { "initiator" } else { "recipient" };
            let _ = write!(text, "<dialog id=\"{}\" direction=\"{direction}\"", escape_xml(&call.id));
            if let Some(name) = &call.pickup {
                let name = escape_xml(name);
                let _ = write!(text, " call-id=\"{name}\" local-tag=\"{TAG}\" remote-tag=\"{TAG}\"");
            }
            let _ = write!(text, "><state>{}</state>", call.state.name());
            if let Some(remote) = &call.remote {
                let _ = write!(
                    text,
                    "<remote><identity display=\"{}\">{}</identity></remote>",
                    escape_xml(&remote.display),
                    escape_xml(&remote.uri)
                );
            }
            text.push_str("</dialog>\r\n");
        }
        text.push_str("</dialog-info>\r\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r32_a_watcher_without_the_right_sees_the_state_alone() {
        let call = DialogInfo {
            id: "1".into(),
            state: DialogState::Early,
            outgoing: false,
            remote: Some(Party { display: "A & \"B\"".into(), uri: "sip:1@h".into() }),
            pickup: None,
        };
        let open = DialogInfo::document("sip:101@office", 3, std::slice::from_ref(&call));
        assert!(open.contains("version=\"3\" state=\"full\" entity=\"sip:101@office\""));
        assert!(open.contains("direction=\"recipient\"><state>early</state>"));
        assert!(open.contains("display=\"A &amp; &quot;B&quot;\">sip:1@h<"));
        let masked =
            DialogInfo::document("sip:101@office", 4, &[DialogInfo { remote: None, ..call.clone() }]);
        let named = DialogInfo::document("e", 5, &[DialogInfo { pickup: Some("x".into()), ..call.clone() }]);
        assert!(
            named.contains(
                "direction=\"recipient\" call-id=\"x\" local-tag=\"pickup\" remote-tag=\"pickup\">"
            )
        );
        assert!(masked.contains("<state>early</state></dialog>") && !masked.contains("sip:1@h"));
    }
}
