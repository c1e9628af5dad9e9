//! STUN (RFC 8489), as far as one port for many ICE legs must read it: is it STUN, whom does it name, does it nominate.
//! Whether it is authentic is judged by whoever knows the password.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |0 0|        message type       |         length after 20       |
//! |                    magic cookie 2112A442                      |
//! |                transaction id, 96 bits                        |
//! |      attribute type           |           its length          |  padded to 4 bytes
//! ```

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER_LEN: usize = 20;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const USE_CANDIDATE: u16 = 0x0025;

/// What a datagram on a port of ICE legs is, by its first byte (RFC 7983).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demultiplexed {
    /// 0 to 3.
    Stun,
    /// 20 to 63.
    Dtls,
    /// 128 to 191.
    Rtp,
    /// ZRTP, TURN channels, and what nobody has defined.
    Other,
}

/// Tells the protocols on one port apart.
#[must_use]
pub fn demultiplex(datagram: &[u8]) -> Demultiplexed {
    match datagram.first() {
        Some(0..=3) => Demultiplexed::Stun,
        Some(20..=63) => Demultiplexed::Dtls,
        Some(128..=191) => Demultiplexed::Rtp,
        _ => Demultiplexed::Other,
    }
}

/// A binding request whose lengths are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindingRequest<'a> {
    /// The user fragment of whom it is sent to: the first half of USERNAME (RFC 8445 section 7.2.2).
    pub to: &'a str,
    /// That of the sender.
    pub from: &'a str,
    /// The sender wants this pair to be used (RFC 8445 section 7.1.2).
    pub nominates: bool,
}

impl<'a> BindingRequest<'a> {
    /// Reads a request; `None` for anything else, and for a request that names nobody or has no MESSAGE-INTEGRITY.
    #[must_use]
    pub fn parse(datagram: &'a [u8]) -> Option<BindingRequest<'a>> {
        let (kind, mut rest) = split(datagram)?;
        if kind != BINDING_REQUEST {
            return None;
        }
        let (mut username, mut nominates, mut protected) = (None, false, false);
        while !rest.is_empty() {
            let (kind, value, after) = attribute(rest)?;
            match kind {
                USERNAME => username = std::str::from_utf8(value).ok(),
                USE_CANDIDATE => nominates = true,
                // RFC 8489 section 14.5: what follows is not protected, and not read.
                MESSAGE_INTEGRITY => {
                    protected = true;
                    break;
                }
                _ => {}
            }
            rest = after;
        }
        let (to, from) = username.filter(|_| protected)?.split_once(':')?;
        Some(BindingRequest { to, from, nominates })
    }
}

/// Whether a datagram is a success response to a binding request.
#[must_use]
pub fn is_binding_success(datagram: &[u8]) -> bool {
    split(datagram).is_some_and(|(kind, _)| kind == BINDING_SUCCESS)
}

/// The message type, and the attributes.
fn split(datagram: &[u8]) -> Option<(u16, &[u8])> {
    let (header, attributes) = datagram.split_first_chunk::<HEADER_LEN>()?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let right = header[4..8] == COOKIE && header[0] < 64 && length == attributes.len();
    right.then(|| (u16::from_be_bytes([header[0], header[1]]), attributes))
}

fn attribute(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let value = rest.get(..length)?;
    Some((u16::from_be_bytes([head[0], head[1]]), value, rest.get(length.next_multiple_of(4)..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend(kind.to_be_bytes());
            body.extend((value.len() as u16).to_be_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut message = kind.to_be_bytes().to_vec();
        message.extend((body.len() as u16).to_be_bytes());
        message.extend(COOKIE);
        message.extend([7; 12]);
        message.extend(body);
        message
    }

    #[test]
    fn requests_name_both_ends() {
        let integrity: (u16, &[u8]) = (MESSAGE_INTEGRITY, &[0; 20]);
        let request = message(1, &[(USERNAME, b"ours:theirs"), (USE_CANDIDATE, b""), integrity]);
        let expected = BindingRequest { to: "ours", from: "theirs", nominates: true };
        assert_eq!(BindingRequest::parse(&request), Some(expected));
        let refused = [
            message(1, &[(USERNAME, b"ours:theirs")]),
            message(1, &[integrity, (USERNAME, b"ours:theirs")]),
            message(1, &[(USERNAME, b"ours"), integrity]),
            message(0x0101, &[(USERNAME, b"ours:theirs"), integrity]),
            request[..request.len() - 4].to_vec(),
            [&request[..], &[0; 4]].concat(),
        ];
        for (place, datagram) in refused.iter().enumerate() {
            assert_eq!(BindingRequest::parse(datagram), None, "{place}");
        }
        assert!(is_binding_success(&refused[3]) && !is_binding_success(&request));
    }

    #[test]
    fn no_bytes_panic() {
        let full = message(1, &[(USERNAME, b"a:b"), (MESSAGE_INTEGRITY, &[1; 20])]);
        for end in 0..full.len() {
            assert_eq!(BindingRequest::parse(&full[..end]), None);
            let mut bent = full.clone();
            bent[end] ^= 0xff;
            let _ = BindingRequest::parse(&bent);
        }
    }

    #[test]
    fn protocols_by_their_first_byte() {
        use Demultiplexed::{Dtls, Other, Rtp, Stun};
        let table = [
            (0, Stun),
            (3, Stun),
            (4, Other),
            (19, Other),
            (20, Dtls),
            (63, Dtls),
            (64, Other),
            (127, Other),
            (128, Rtp),
            (191, Rtp),
            (192, Other),
        ];
        for (byte, expected) in table {
            assert_eq!(demultiplex(&[byte]), expected, "{byte}");
        }
        assert_eq!(demultiplex(&[]), Other);
    }
}
