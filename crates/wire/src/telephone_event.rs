//! Telephone-event payloads (RFC 4733 section 2.3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     event     |E|R| volume    |          duration             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

/// The payload's length in bytes.
pub const EVENT_LEN: usize = 4;

/// One report about a key that is, or was, held down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// 0 to 9 digits, 10 star, 11 pound, 12 to 15 A to D, 16 flash.
    pub code: u8,
    /// The key is up; sent three times.
    pub end: bool,
    /// Power below 0 dBm0, 0 to 63.
    pub volume: u8,
    /// Since the packet's timestamp, in ticks of its clock.
    pub duration: u16,
}

impl Event {
    /// Reads the first event of a payload; what follows it (redundancy, junk) is not looked at.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Event> {
        let &[code, flags, high, low] = payload.first_chunk::<EVENT_LEN>()?;
        let duration = u16::from_be_bytes([high, low]);
        Some(Event { code, end: flags & 0x80 != 0, volume: flags & 0x3f, duration })
    }

    /// The four bytes; the reserved bit is zero.
    #[must_use]
    pub fn to_bytes(self) -> [u8; EVENT_LEN] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, u8::from(self.end) << 7 | self.volume & 0x3f, high, low]
    }

    /// The key's label; `None` for flash, tones and signals that no keypad has.
    #[must_use]
    pub fn digit(self) -> Option<char> {
        digit_of(self.code)
    }
}

/// The label of an event code.
#[must_use]
pub fn digit_of(code: u8) -> Option<char> {
    b"0123456789*#ABCD".get(usize::from(code)).map(|&label| char::from(label))
}

/// The event code of a key label; letters in either case.
#[must_use]
pub fn code_of(digit: char) -> Option<u8> {
    let digit = digit.to_ascii_uppercase();
    "0123456789*#ABCD".find(digit).and_then(|code| u8::try_from(code).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_and_codes_are_a_bijection() {
        for (code, label) in (0_u8..).zip("0123456789*#ABCD".chars()) {
            assert_eq!((digit_of(code), code_of(label)), (Some(label), Some(code)));
        }
        assert_eq!((digit_of(16), digit_of(255)), (None, None));
        assert_eq!((code_of('d'), code_of('E'), code_of('é')), (Some(15), None, None));
    }

    #[test]
    fn the_reserved_bit_and_the_rest_are_ignored() {
        let event = Event::parse(&[11, 0xca, 0x03, 0x20, 99]).unwrap();
        assert_eq!(event, Event { code: 11, end: true, volume: 10, duration: 800 });
        assert_eq!(event.digit(), Some('#'));
        assert_eq!(Event::parse(&[1, 2, 3]), None);
    }

    proptest! {
        #[test]
        fn reads_what_it_wrote(code: u8, end: bool, volume in 0_u8..64, duration: u16) {
            let event = Event { code, end, volume, duration };
            prop_assert_eq!(Event::parse(&event.to_bytes()), Some(event));
        }
    }
}
