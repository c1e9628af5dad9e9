//! The keep-alive of UDP flows: a STUN Binding request on the SIP port, and its answer (RFC 5626 4.4.2, RFC 8489).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |0 0|     type (0x0001)         |            length             |
//! |                  magic cookie 0x2112A442                      |
//! |              transaction, 96 bits                             |
//! ```

use std::net::{IpAddr, SocketAddr};

const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const MAGIC: u32 = 0x2112_A442;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const HEADER: usize = 20;

/// The answer to a Binding request that came from `source`; `None` for anything else.
#[must_use]
pub fn keepalive_answer(request: &[u8], source: SocketAddr) -> Option<Vec<u8>> {
    let word = |at: usize| Some(u16::from_be_bytes(request.get(at..at + 2)?.try_into().ok()?));
    let cookie = u32::from_be_bytes(request.get(4..8)?.try_into().ok()?);
    let whole = request.len() == HEADER + usize::from(word(2)?) && request.len().is_multiple_of(4);
    if word(0)? != BINDING_REQUEST || cookie != MAGIC || !whole {
        return None;
    }
    let transaction = request.get(8..HEADER)?;
    let mut attribute = vec![0, if source.is_ipv4() { 1 } else { 2 }];
    attribute.extend((source.port() ^ (MAGIC >> 16) as u16).to_be_bytes());
    let mask = MAGIC.to_be_bytes().into_iter().chain(transaction.iter().copied());
    let octets = match source.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    attribute.extend(octets.into_iter().zip(mask).map(|(octet, mask)| octet ^ mask));
    let length = u16::try_from(attribute.len()).ok()?;
    let mut answer = Vec::with_capacity(HEADER + 4 + attribute.len());
    answer.extend(BINDING_SUCCESS.to_be_bytes());
    answer.extend((length + 4).to_be_bytes());
    answer.extend(MAGIC.to_be_bytes());
    answer.extend(transaction);
    answer.extend(XOR_MAPPED_ADDRESS.to_be_bytes());
    answer.extend(length.to_be_bytes());
    answer.extend(attribute);
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 0];
        bytes.extend(MAGIC.to_be_bytes());
        bytes.extend(1..=12);
        bytes
    }

    #[test]
    fn the_answer_tells_the_source() {
        let answer =
            keepalive_answer(&request(), "192.0.2.1:32853".parse().expect("an address")).expect("an answer");
        // RFC 5769 2.2: this address and port are masked to A147 and E112A643.
        assert_eq!(answer[..4], [1, 1, 0, 12]);
        assert_eq!(answer[8..20], request()[8..20]);
        assert_eq!(answer[20..], [0, 0x20, 0, 8, 0, 1, 0xA1, 0x47, 0xE1, 0x12, 0xA6, 0x43]);
        let six = keepalive_answer(&request(), "[2001:db8::1]:5060".parse().expect("an address"))
            .expect("an answer");
        assert_eq!((six.len(), six[25]), (44, 2));
    }

    #[test]
    fn sec_05_what_is_no_keepalive_is_not_answered() {
        let source = "192.0.2.1:5060".parse().expect("an address");
        for length in 0..20 {
            assert!(keepalive_answer(&request()[..length], source).is_none());
        }
        let mut other = request();
        other[5] = 0;
        assert!(keepalive_answer(&other, source).is_none(), "no magic cookie");
        let mut longer = request();
        longer[3] = 4;
        assert!(keepalive_answer(&longer, source).is_none(), "promises more than there is");
        assert!(keepalive_answer(b"OPTIONS sip:a SIP/2.0\r\n\r\n", source).is_none());
    }
}
