//! The document of the `presence` package: PIDF (RFC 3863), with a note for people.

use super::escape_xml;

/// What is told of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// A device is registered, and no call is up.
    Available,
    /// A call is up.
    OnThePhone,
    /// No device is registered.
    Offline,
}

/// A document about one person; `told` stands in place of the note that follows from the state.
#[must_use]
pub fn presence(entity: &str, state: Presence, told: Option<&str>) -> String {
    let (basic, note) = match state {
        Presence::Available => ("open", "Ready"),
        Presence::OnThePhone => ("open", "On the phone"),
        Presence::Offline => ("closed", "Not online"),
    };
    let (entity, note) = (escape_xml(entity), escape_xml(told.unwrap_or(note)));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"{entity}\">\
         \r\n<tuple id=\"t1\"><status><basic>{basic}</basic></status><contact>{entity}</contact><note>{note}</note></tuple>\
         \r\n</presence>\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states() {
        assert!(presence("sip:1@h", Presence::Available, None).contains("<basic>open</basic>"));
        assert!(presence("sip:1@h", Presence::Offline, None).contains("<basic>closed</basic>"));
        assert!(presence("sip:\"<@h", Presence::OnThePhone, None).contains("entity=\"sip:&quot;&lt;@h\""));
        assert!(presence("sip:1@h", Presence::Available, Some("a & b")).contains("<note>a &amp; b</note>"));
    }
}
