//! What a headset is told: a kind, a length in octets (16 bits, big endian), and so many octets.

use crate::Tone;
use std::fmt;
use std::io::{self, Read};

/// Octets of sound in one order at most: 120 ms, the longest packet of any codec.
pub const LONGEST: usize = 3_840;

const PLAY: u8 = b'P';
const TONE: u8 = b'T';
const MICROPHONE: u8 = b'M';

/// One order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Play this after what waits.
    Play(Vec<i16>),
    /// Let this sound while nothing is played.
    Tone(Tone),
    /// Open the microphone, or close it.
    Microphone(bool),
}

/// What is no order.
#[derive(Debug)]
pub enum OrderError {
    /// The input ended in the middle, or cannot be read.
    Read(io::Error),
    /// It makes no sense; what follows cannot be trusted either.
    Nonsense(&'static str),
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OrderError::Read(error) => write!(f, "orders cannot be read: {error}"),
            OrderError::Nonsense(what) => write!(f, "this is no order of a phone: {what}"),
        }
    }
}

impl std::error::Error for OrderError {}

impl Order {
    /// As it travels. Of more sound than [`LONGEST`] the rest is left out.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Order::Play(samples) => {
                let kept = samples.iter().take(LONGEST / 2);
                (PLAY, kept.flat_map(|sample| sample.to_le_bytes()).collect())
            }
            Order::Tone(tone) => (TONE, vec![tone.letter()]),
            Order::Microphone(open) => (MICROPHONE, vec![u8::from(*open)]),
        };
        let length = u16::try_from(body.len()).unwrap_or_default();
        [&[kind][..], &length.to_be_bytes(), &body].concat()
    }

    fn parse(kind: u8, body: &[u8]) -> Result<Order, OrderError> {
        match (kind, body) {
            (PLAY, samples) if samples.len().is_multiple_of(2) => {
                let pairs = samples.chunks_exact(2);
                Ok(Order::Play(pairs.map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()))
            }
            (PLAY, _) => Err(OrderError::Nonsense("half a sample")),
            (TONE, [letter]) => {
                Tone::of_letter(*letter).map(Order::Tone).ok_or(OrderError::Nonsense("an unknown tone"))
            }
            (MICROPHONE, [open @ (0 | 1)]) => Ok(Order::Microphone(*open == 1)),
            (TONE | MICROPHONE, _) => Err(OrderError::Nonsense("a wrong length")),
            _ => Err(OrderError::Nonsense("an unknown kind")),
        }
    }
}

/// The next order; none when the input ended between two.
///
/// # Errors
/// [`OrderError`]; there is nothing to go on with.
pub fn read_order(input: &mut impl Read) -> Result<Option<Order>, OrderError> {
    let mut kind = [0];
    loop {
        match input.read(&mut kind) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(OrderError::Read(error)),
        }
    }
    let mut length = [0; 2];
    input.read_exact(&mut length).map_err(OrderError::Read)?;
    let length = usize::from(u16::from_be_bytes(length));
    if length > LONGEST {
        return Err(OrderError::Nonsense("it is too long"));
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).map_err(OrderError::Read)?;
    Order::parse(kind[0], &body).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn orders_are_read_as_they_are_written() {
        let orders = [
            Order::Microphone(true),
            Order::Play(vec![1, -2, i16::MAX, i16::MIN]),
            Order::Tone(Tone::Ring),
            Order::Tone(Tone::None),
            Order::Play(Vec::new()),
            Order::Microphone(false),
        ];
        let bytes: Vec<u8> = orders.iter().flat_map(Order::to_bytes).collect();
        let mut input = &bytes[..];
        for order in orders {
            assert_eq!(read_order(&mut input).unwrap(), Some(order));
        }
        assert_eq!(read_order(&mut input).unwrap(), None);
    }

    #[test]
    fn nonsense_is_refused_and_the_longest_sound_fits() {
        for (bytes, why) in [
            (&b"X\0\0"[..], "an unknown kind"),
            (b"P\0\x01a", "half a sample"),
            (b"T\0\x01?", "an unknown tone"),
            (b"T\0\0", "a wrong length"),
            (b"M\0\x01\x02", "a wrong length"),
            (b"P\xff\xff", "it is too long"),
            (b"P\0\x04ab", "orders cannot be read"),
        ] {
            let said = read_order(&mut &bytes[..]).unwrap_err().to_string();
            assert!(said.contains(why), "{bytes:?}: {said}");
        }
        let long = Order::Play(vec![7; LONGEST]).to_bytes();
        assert_eq!(read_order(&mut &long[..]).unwrap(), Some(Order::Play(vec![7; LONGEST / 2])));
    }

    proptest! {
        #[test]
        fn no_octets_panic(bytes: Vec<u8>) {
            let mut input = &bytes[..];
            while let Ok(Some(order)) = read_order(&mut input) {
                prop_assert_eq!(read_order(&mut &order.to_bytes()[..]).unwrap(), Some(order));
            }
        }
    }
}
