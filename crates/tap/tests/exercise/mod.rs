//! What must hold whatever is on a tag: shared by the fuzz target and the mutation test.

/// The bytes of an NDEF message: read or not, and never more than there is.
pub(crate) fn ndef(first_text: fn(&[u8]) -> Option<String>, message: &[u8]) {
    if let Some(text) = first_text(message) {
        // A prefix of a URI has 26 octets at most, and a letter of UTF-16 becomes three octets instead of two.
        assert!(text.len() <= 26 + message.len() * 3 / 2, "{} octets of {}", text.len(), message.len());
    }
}
