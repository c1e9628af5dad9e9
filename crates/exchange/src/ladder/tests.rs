//! The ring's bound, what it keeps, what it shows, and what it costs.

use super::*;
use std::time::{Duration, Instant};

fn flow(port: u16) -> Flow {
    Flow::udp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 7], port).into())
}

fn message(start: &str, call_id: &str, method: &str, headers: &str, body: &str) -> String {
    format!("{start}\r\nVia: SIP/2.0/UDP h\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n{headers}\r\n{body}")
}

fn texts(ladder: &Ladder, session: Option<&str>) -> Vec<String> {
    let start = |octets: &[u8]| redact::shown(octets).lines().next().unwrap_or_default().to_owned();
    ladder.of(session).into_iter().map(|(_, octets)| start(octets)).collect()
}

const SESSION: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn r23_a_call_has_the_messages_of_all_its_legs_and_no_others() {
    let mut ladder = Ladder::default();
    let invite = message("INVITE sip:200@o SIP/2.0", "leg-a", "INVITE", "", "");
    ladder.keep(false, flow(1), invite.as_bytes());
    ladder.link(SESSION, "leg-a");
    let session = format!("Session-ID: {SESSION};remote=00000000000000000000000000000000\r\n");
    let branch = message("INVITE sip:b@h SIP/2.0", "leg-b", "INVITE", &session, "");
    ladder.keep(true, flow(2), branch.as_bytes());
    ladder.keep(false, flow(2), message("SIP/2.0 180 Ringing", "leg-b", "INVITE", "", "").as_bytes());
    ladder.keep(false, flow(3), message("INVITE sip:9@o SIP/2.0", "other", "INVITE", "", "").as_bytes());
    ladder.keep(false, flow(1), message("BYE sip:200@o SIP/2.0", "leg-a", "BYE", "", "").as_bytes());
    for method in ["REGISTER", "OPTIONS", "SUBSCRIBE"] {
        let start = format!("{method} sip:o SIP/2.0");
        ladder.keep(false, flow(1), message(&start, "leg-a", method, "", "").as_bytes());
        ladder.keep(true, flow(1), message("SIP/2.0 200 OK", "leg-a", method, "", "").as_bytes());
    }
    ladder.keep(false, flow(1), b"\r\n\r\n");
    let expected = [
        "INVITE sip:200@o SIP/2.0",
        "INVITE sip:b@h SIP/2.0",
        "SIP/2.0 180 Ringing",
        "BYE sip:200@o SIP/2.0",
    ];
    assert_eq!(texts(&ladder, Some(SESSION)), expected);
    assert_eq!(texts(&ladder, Some(&SESSION.to_uppercase())), expected);
    assert_eq!(texts(&ladder, None), expected, "the last call that began");
    assert!(texts(&ladder, Some("00000000000000000000000000000001")).is_empty());
}

#[test]
fn r23_the_ring_is_bounded_and_the_oldest_go() {
    let mut ladder = Ladder::default();
    let most = limits::LADDER_OCTETS / limits::LADDER_STEP;
    for number in 0..3 * most {
        // Small ones and large ones, so that the wrap comes at odd places.
        let body = "x".repeat(number % 5_000);
        let text = message("INVITE sip:200@o SIP/2.0", &format!("leg-{number}"), "INVITE", "", &body);
        ladder.keep(false, flow(1), text.as_bytes());
    }
    let entries: Vec<(Entry, &[u8])> = ladder.ring.entries().collect();
    assert!(entries.len() <= most, "{}", entries.len());
    let kept: usize = entries.iter().map(|(_, octets)| octets.len()).sum();
    assert!(kept <= limits::LADDER_OCTETS && kept > limits::LADDER_OCTETS / 2, "{kept}");
    let last = format!("Call-ID: leg-{}\r\n", 3 * most - 1);
    let newest = String::from_utf8_lossy(entries.last().expect("one").1);
    assert!(newest.contains(&last), "{newest}");
    // Each entry still has the octets of its own message.
    for (entry, octets) in entries {
        assert_eq!(marks(octets).expect("a message").call, entry.call);
    }
}

#[test]
fn r32_secrets_and_keys_are_left_out_when_shown() {
    let headers = "Authorization: Digest username=\"u\",\r\n response=\"deadbeef\"\r\nContent-Type: application/sdp\r\n";
    let sdp = "v=0\r\na=crypto:1 AES inline:c2VjcmV0\r\na=ice-pwd:hush\r\na=sendonly\r\n";
    let shown = redact::shown(message("INVITE sip:a@b SIP/2.0", "c", "INVITE", headers, sdp).as_bytes());
    for secret in ["username", "deadbeef", "c2VjcmV0", "hush"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("Authorization: (left out)") && shown.contains("a=sendonly"), "{shown}");
    let info = "Content-Type: application/dtmf-relay\r\n";
    let shown = redact::shown(message("INFO sip:a@b SIP/2.0", "c", "INFO", info, "Signal=7\r\n").as_bytes());
    assert!(!shown.contains('7') && shown.contains("(left out)"), "{shown}");
    // A copy that ends in the middle of a header shows no more than a whole one.
    let cut = &b"INVITE sip:a@b SIP/2.0\r\nProxy-Authorization: Digest respon"[..];
    assert!(!redact::shown(cut).contains("Digest"));
}

/// The mean of many; the bound is far above what was measured, so that it fails on wrong code, not on a busy machine.
#[test]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn r23_keeping_a_message_costs_about_a_microsecond() {
    let sdp = "a=rtpmap:101 telephone-event/8000\r\n".repeat(20);
    let headers =
        "Content-Type: application/sdp\r\nAllow: INVITE, ACK, BYE\r\nUser-Agent: phone\r\n".repeat(4);
    let text = message("INVITE sip:200@o SIP/2.0", "leg-a", "INVITE", &headers, &sdp);
    let mut ladder = Ladder::default();
    let rounds = 50_000;
    let began = Instant::now();
    for _ in 0..rounds {
        ladder.keep(false, flow(1), text.as_bytes());
    }
    let each = began.elapsed() / rounds;
    println!("{} octets: {each:?} each", text.len());
    assert!(each < Duration::from_micros(20), "{each:?}");
}

#[test]
fn r32_a_capture_has_headers_only_unless_bodies_are_asked_for() {
    let headers = "Authorization: Digest username=\"u\",\r\n response=\"deadbeef\"\r\nl: 999\r\nContent-Type: application/sdp\r\n";
    let sdp = "v=0\r\na=crypto:1 AES inline:c2VjcmV0\r\na=sendonly\r\n";
    let invite = message("INVITE sip:a@b SIP/2.0", "c", "INVITE", headers, sdp);
    let text = |octets: Vec<u8>| String::from_utf8(octets).expect("text");
    let bare = text(redact::captured(invite.as_bytes(), false));
    assert!(bare.ends_with("Content-Length: 0\r\n\r\n") && !bare.contains("999"), "{bare}");
    assert!(bare.starts_with("INVITE sip:a@b SIP/2.0\r\nVia:") && !bare.contains("v=0"), "{bare}");
    let whole = text(redact::captured(invite.as_bytes(), true));
    let (head, body) = whole.split_once("\r\n\r\n").expect("a body");
    assert_eq!(body, "v=0\r\na=crypto (left out)\r\na=sendonly\r\n");
    assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{head}");
    for secret in ["deadbeef", "c2VjcmV0", "username"] {
        assert!(!whole.contains(secret) && !bare.contains(secret));
    }
    let digits = message(
        "INFO sip:a@b SIP/2.0",
        "c",
        "INFO",
        "Content-Type: application/dtmf-relay\r\n",
        "Signal=7\r\n",
    );
    assert!(!text(redact::captured(digits.as_bytes(), true)).contains("Signal"));
}
