//! What must hold whatever a file server, a DHCP server or a link says: shared by the fuzz targets and the mutation test.

use crate::link::{Link, shown};
use crate::message::Asker;
use crate::packet;
use crate::reply::Incoming;
use std::net::Ipv4Addr;

/// Lines of an FTP server: answers or none, of a bounded size, and ports only where they are said.
pub(crate) fn ftp_reply(bytes: &[u8]) {
    let mut incoming = Incoming::default();
    for line in bytes.split_inclusive(|octet| *octet == b'\n') {
        match incoming.line(line) {
            Ok(Some(reply)) => {
                assert!((100..1_000).contains(&reply.code), "{reply:?}");
                assert!(reply.text.chars().all(|sign| !sign.is_control()), "{reply:?}");
                assert!(reply.extended_port() != Some(0) && reply.passive_port() != Some(0), "{reply:?}");
                let _ = reply.is_missing();
                incoming = Incoming::default();
            }
            Ok(None) => {}
            Err(_) => return,
        }
    }
}

/// A packet of an SFTP server: never more comes out than was in it.
pub(crate) fn sftp_packet(bytes: &[u8]) {
    let _ = packet::hello(bytes);
    let text = match packet::reply(bytes) {
        Some((_, packet::Reply::Names(names))) => {
            assert!(names.len() <= bytes.len() / 12, "{} names", names.len());
            names.concat().len()
        }
        Some((_, packet::Reply::Data(data) | packet::Reply::Handle(data))) => data.len(),
        Some((_, packet::Reply::Status { text, .. })) => text.len(),
        Some((_, packet::Reply::State(_))) | None => 0,
    };
    // What is no UTF-8 becomes three octets instead of one.
    assert!(text <= bytes.len() * 3, "{text} octets of {}", bytes.len());
}

/// An answer of a DHCP server, to us or not: what it names is a link.
pub(crate) fn dhcp_answer(bytes: &[u8]) {
    let asker =
        Asker { transaction: 0x5249_4e47, hardware: [2, 0, 0, 0, 0, 1], address: Ipv4Addr::LOCALHOST };
    if let Some(link) = asker.answer(bytes).and_then(|options| options.link()) {
        assert!(link.parse::<Link>().is_ok(), "{link:?}");
    }
}

/// A text that may be a link: what is shown of it has no password, and a name beneath it stays beneath it.
pub(crate) fn link(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let shown = shown(&text);
    let Ok(link) = text.parse::<Link>() else { return };
    if let Link::Ftp(_, place) | Link::Sftp(place) | Link::Scp(place) = &link {
        if let Some(password) = &place.password {
            let authority = shown.split('/').nth(2).unwrap_or_default();
            assert!(!authority.contains(&format!(":{password}@")), "{shown}");
        }
        assert!(!place.path.chars().any(char::is_control), "{:?}", place.path);
    }
    let _ = link.beneath("ada.jsonl");
}
