//! Draining: no new calls, while those that are up go on until they end. Registrations, texts and watchers stay.

use crate::exchange::Exchange;
use crate::limits;
use wire::sip::{Scheme, Uri};

impl Exchange {
    /// From now on new calls are refused with 503 and Retry-After; there is no way back.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether a new call to this address is refused for want of room: we drain, or too many are up. R31: an
    /// emergency is looked for before; it is never refused because we drain.
    pub(crate) fn refuses_new_calls(&self, uri: &Uri<'_>) -> bool {
        let full = self.switch.load().0 >= limits::CALLS;
        full || (self.draining && !is_emergency(uri))
    }
}

/// R31: whether a Request-URI asks for help.
fn is_emergency(uri: &Uri<'_>) -> bool {
    // RFC 5031 4.2: sos and all below it. Numbers join here when the office has emergency numbers.
    uri.scheme == Scheme::Urn && {
        let name = uri.opaque.to_ascii_lowercase();
        name == "service:sos" || name.starts_with("service:sos.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r31_emergencies_are_known_by_their_urn() {
        for (text, emergency) in [
            ("urn:service:sos", true),
            ("urn:service:SOS.fire", true),
            ("urn:service:sosa", false),
            ("urn:service:counseling", false),
            ("sip:100@office.example", false),
        ] {
            assert_eq!(is_emergency(&Uri::parse(text).expect(text)), emergency, "{text}");
        }
    }
}
