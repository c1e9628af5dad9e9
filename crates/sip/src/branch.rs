//! Identifiers of transactions: the branches we make, and what identifies a transaction of others.
//!
//! ```text
//! z9hG4bK  0000002a00000001  9f3c5ab2d4e61708
//! cookie   slot and          random: an off-path
//!          generation        attacker cannot guess it
//! ```
//!
//! A response therefore finds its transaction without a table. Where several elements share their addresses, the first
//! octet of what is random is the number of the one that made it ([`maker`]); tags are made in the same way.

use crate::endpoint::ClientKey;
use rand_core::Rng;
use siphasher::sip128::{Hasher128, SipHasher13};
use slotmap::{Key, KeyData};
use std::hash::Hasher;
use std::net::SocketAddr;
use std::num::NonZeroU8;
use wire::sip::{HeaderName, Message, Method, Via};
use wire::text::{Short, ip};

/// RFC 3261 8.1.1.7: marks branches that are unique by themselves.
const COOKIE: &str = "z9hG4bK";
/// Digits of a slot with its generation, and of a whole tag.
const SLOT_DIGITS: usize = 16;
const TAG_DIGITS: usize = 32;

/// The branch of a client transaction of ours.
pub(crate) fn client(key: ClientKey, nonce: u64) -> Short<39> {
    let mut branch = Short::new();
    branch.push(COOKIE);
    branch.push_hex(key.data().as_ffi());
    branch.push_hex(nonce);
    branch
}

/// The transaction and nonce in a branch of ours; `None` for anybody else's.
pub(crate) fn parse_client(branch: &str) -> Option<(ClientKey, u64)> {
    let digits = branch.strip_prefix(COOKIE)?;
    let (key, nonce) = (digits.get(..16)?, digits.get(16..)?);
    if nonce.len() != 16 {
        return None;
    }
    let key = KeyData::from_ffi(u64::from_str_radix(key, 16).ok()?);
    Some((ClientKey::from(key), u64::from_str_radix(nonce, 16).ok()?))
}

/// Random, but for the number of who made it.
pub(crate) fn numbered(nonce: u64, number: Option<NonZeroU8>) -> u64 {
    number.map_or(nonce, |number| nonce >> 8 | u64::from(number.get()) << 56)
}

/// Which of several elements behind the same addresses a message is for: who made the branch that a response carries back,
/// or the tag that a request within a dialog names. `None` for what is nobody's yet, or was made by none that had a number.
#[must_use]
pub fn maker(message: &Message<'_>) -> Option<NonZeroU8> {
    let made = if message.is_request() {
        message.to().ok().and_then(|to| to.tag())?
    } else {
        message.via().ok().and_then(|via| via.branch)?.strip_prefix(COOKIE)?
    };
    // A stateless tag is a mark and a hash, a watcher's has a mark as well, and all others begin with a slot.
    let nonce = match made.len() {
        TAG_DIGITS => made.get(SLOT_DIGITS..)?,
        33 => made.get(1 + SLOT_DIGITS..)?,
        17 => made.get(1..)?,
        _ => return None,
    };
    if !nonce.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    NonZeroU8::new(u8::from_str_radix(nonce.get(..2)?, 16).ok()?)
}

/// The topmost Via of a request as the response carries it (RFC 3261 18.2.1, RFC 3581 4).
pub(crate) fn stamp_via(via: &Via<'_>, source: SocketAddr) -> Vec<u8> {
    let raw = via.raw().as_bytes();
    let mut text = Vec::with_capacity(raw.len() + 48);
    text.extend_from_slice(raw[..raw.len() - via.params.raw().len()].trim_ascii_end());
    for param in via.params.iter() {
        let ours = [&b"rport"[..], b"received"].iter().any(|name| param.name.eq_ignore_ascii_case(name));
        if !ours {
            text.push(b';');
            text.extend_from_slice(param.name);
            if let Some(value) = param.value {
                text.push(b'=');
                text.extend_from_slice(value);
            }
        }
    }
    if via.rport.is_some() {
        let mut port = Short::<5>::new();
        port.push_decimal(source.port());
        text.extend_from_slice(b";rport=");
        text.extend_from_slice(port.as_ref());
    }
    if via.rport.is_some() || via.host.ip() != Some(source.ip()) {
        text.extend_from_slice(b";received=");
        text.extend_from_slice(ip(source.ip()).as_ref());
    }
    text
}

/// Keys the hashes, so that nobody can aim at another's transaction.
#[derive(Debug)]
pub(crate) struct Secret {
    keys: (u64, u64),
}

impl Secret {
    pub(crate) fn new(rng: &mut impl Rng) -> Secret {
        Secret { keys: (rng.next_u64(), rng.next_u64()) }
    }

    /// What makes two requests the same transaction (RFC 3261 17.2.3). `method` is that of the transaction:
    /// INVITE for its ACK and for the one that a CANCEL aims at.
    pub(crate) fn server_id(&self, message: &Message<'_>, method: Method<'_>) -> u128 {
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        hasher.write(method.as_str().as_bytes());
        hasher.write_u8(0);
        match message.via() {
            Ok(via) if via.branch.is_some_and(|b| b.len() > COOKIE.len() && b.starts_with(COOKIE)) => {
                hasher.write(via.branch.unwrap_or_default().as_bytes());
                hasher.write_u8(0);
                hasher.write(via.sent_by.as_bytes());
            }
            // RFC 2543 peers: the whole identity of the request but the To tag, which an ACK adds.
            _ => {
                hasher.write(message.request_uri().unwrap_or_default().as_bytes());
                for name in [HeaderName::Via, HeaderName::From, HeaderName::CallId] {
                    hasher.write_u8(0);
                    hasher.write(message.value(name).unwrap_or_default());
                }
                hasher.write_u32(message.cseq().map_or(0, |cseq| cseq.number));
            }
        }
        hasher.finish128().as_u128()
    }

    /// A To tag that the same request always gets again (RFC 3261 8.2.7).
    pub(crate) fn stateless_tag(&self, message: &Message<'_>, number: Option<NonZeroU8>) -> Short<17> {
        let id = self.server_id(message, message.method());
        let mut tag = Short::new();
        tag.push("s");
        tag.push_hex(numbered((id >> 64) as u64 ^ id as u64, number));
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_each_knows_its_own() {
        let number = NonZeroU8::new(7);
        let nonce = numbered(u64::MAX, number);
        let branch = client(ClientKey::from(KeyData::from_ffi(0x0000_0003_0000_002A)), nonce);
        let response = format!(
            "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP h;branch={}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>;tag=2\r\n\
             Call-ID: c\r\nCSeq: 1 INVITE\r\n\r\n",
            &*branch
        );
        let response = Message::parse(response.as_bytes()).expect("a response");
        assert_eq!(maker(&response), number);
        let request = |tag: &str| {
            format!(
                "BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:b@b>{tag}\r\nCall-ID: c\r\nCSeq: 2 BYE\r\n\r\n"
            )
        };
        for (tag, made) in [
            (";tag=0000002a0000000107ffffffffffffff", number),
            (";tag=w0000002a0000000107ffffffffffffff", number),
            (";tag=s07ffffffffffffff", number),
            (";tag=0000002a0000000100ffffffffffffff", None),
            (";tag=as6fb1c2", None),
            ("", None),
        ] {
            let text = request(tag);
            assert_eq!(maker(&Message::parse(text.as_bytes()).expect("a request")), made, "{tag}");
        }
    }

    #[test]
    fn a_branch_of_ours_tells_its_transaction() {
        let key = ClientKey::from(KeyData::from_ffi(0x0000_0003_0000_002A));
        let text = client(key, 7);
        assert!(text.starts_with("z9hG4bK"));
        assert_eq!(parse_client(&text), Some((key, 7)));
        assert_eq!(parse_client("z9hG4bK776asdhds"), None);
        assert_eq!(parse_client("z9hG4bKé000000000000000000000000000000"), None);
    }

    #[test]
    fn received_and_rport_are_stamped_once() {
        let cases = [
            (
                "SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z1",
                "SIP/2.0/UDP 10.0.0.1:5060;branch=z1;rport=4000;received=192.0.2.7",
            ),
            ("SIP/2.0/UDP 192.0.2.7;branch=z1", "SIP/2.0/UDP 192.0.2.7;branch=z1"),
            (
                "SIP/2.0/UDP pc.example;branch=z1;received=1.2.3.4",
                "SIP/2.0/UDP pc.example;branch=z1;received=192.0.2.7",
            ),
        ];
        let source: SocketAddr = "192.0.2.7:4000".parse().expect("an address");
        for (raw, stamped) in cases {
            let text = format!(
                "OPTIONS sip:a@b SIP/2.0\r\nVia: {raw}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n\
                 Call-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
            );
            let message = Message::parse(text.as_bytes()).expect("a message");
            let made = stamp_via(&message.via().expect("a Via"), source);
            assert_eq!(String::from_utf8_lossy(&made), stamped);
        }
    }
}
