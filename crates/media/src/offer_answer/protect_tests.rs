//! Stories of keys and fingerprints in descriptions (R14, R15).

use super::*;
use crate::Protection;
use crate::codec::Codec;
use crate::srtp::Suite;
use crate::webrtc::Fingerprint;

const LOCAL: LocalMedia =
    LocalMedia { address: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 10)), port: 20_000, session_id: 77 };
const KEY: &str = "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const BROWSER: Security = Security::Webrtc { fingerprint: Fingerprint([0xab; 32]), theirs: None };

fn leg(security: Security) -> Negotiation {
    Negotiation::secured(LOCAL, security, [9; 32])
}

fn phone(lines: &str) -> Vec<u8> {
    let text = format!("v=0\no=- 5 1 IN IP4 198.51.100.7\ns=-\nc=IN IP4 198.51.100.7\nt=0 0\n{lines}\n");
    text.replace('\n', "\r\n").into_bytes()
}

fn lines(sdp: &[u8], start: &str) -> Vec<String> {
    String::from_utf8(sdp.to_vec())
        .unwrap()
        .lines()
        .filter(|line| line.starts_with(start))
        .map(String::from)
        .collect()
}

#[test]
fn r14_an_offer_under_tls_carries_one_key_and_one_line() {
    let mut leg = leg(Security::Sdes);
    let first = leg.offer(&[Codec::PCMA], Direction::SendRecv);
    assert_eq!(lines(&first, "m="), ["m=audio 20000 RTP/SAVP 8 101"]);
    let keys = lines(&first, "a=crypto");
    assert!(keys.len() == 1 && keys[0].starts_with("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"), "{keys:?}");
    let answer = phone(&format!("m=audio 4000 RTP/SAVP 8\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}"));
    let agreed = leg.receive_answer(&answer).unwrap();
    let Protection::Srtp(keys) = &agreed.protection else { panic!("{agreed:?}") };
    assert_eq!(&keys.receive.bytes()[..16], b"YS___semctl () {");
    assert_ne!(keys.send, keys.receive);
    let second = leg.offer(&[Codec::PCMA], Direction::SendRecv);
    assert_ne!(lines(&second, "a=crypto"), lines(&first, "a=crypto"), "a new key at each new offer");
    leg.refuse_offer();
    assert_eq!(leg.current_sdp(), Some(&first[..]), "a refresh repeats the key in force");
}

#[test]
fn r14_an_answer_takes_the_first_line_that_it_can() {
    let mut leg = leg(Security::Sdes);
    let offer = phone(&format!(
        "m=audio 4000 RTP/SAVP 0\na=crypto:4 AEAD_AES_256_GCM inline:AAAA\n\
         a=crypto:7 AES_CM_128_HMAC_SHA1_32 {KEY}|2^31\na=crypto:8 AES_CM_128_HMAC_SHA1_80 {KEY}"
    ));
    leg.receive_offer(&offer).unwrap();
    let (sdp, agreed) = leg.answer(&Codec::OURS, Direction::SendRecv).unwrap();
    let key = lines(&sdp, "a=crypto");
    assert!(key.len() == 1 && key[0].starts_with("a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:"), "{key:?}");
    let Protection::Srtp(keys) = &agreed.protection else { panic!("{agreed:?}") };
    assert_eq!((keys.send.suite, keys.receive.suite), (Suite::Sha1Tag32, Suite::Sha1Tag32));
    // Hold with the same key of theirs: ours stays, and so does the count under it.
    leg.receive_offer(&[&offer[..], b"a=sendonly\r\n"].concat()).unwrap();
    let (held, again) = leg.answer(&Codec::OURS, Direction::SendRecv).unwrap();
    assert_eq!(lines(&held, "a=crypto"), key);
    assert_eq!(again.protection, agreed.protection);
}

#[test]
fn r14_no_key_ever_goes_over_clear_signalling() {
    let mut clear = leg(Security::Clear);
    let offer = clear.offer(&Codec::OURS, Direction::SendRecv);
    assert!(lines(&offer, "a=crypto").is_empty() && lines(&offer, "m=")[0].contains("RTP/AVP"));
    let savp = phone(&format!("m=audio 4000 RTP/SAVP 8\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}"));
    assert_eq!(clear.receive_answer(&savp).unwrap_err(), MediaError::Profile);
    clear.refuse_offer();
    assert_eq!(clear.receive_offer(&savp).unwrap_err(), MediaError::Profile);
}

#[test]
fn r14_under_tls_a_phone_without_keys_may_call_in_clear_and_keys_come_first() {
    let mut plain = leg(Security::Sdes);
    plain.receive_offer(&phone("m=audio 4000 RTP/AVP 8")).unwrap();
    let (sdp, agreed) = plain.answer(&Codec::OURS, Direction::SendRecv).unwrap();
    assert!(agreed.protection == Protection::Clear && lines(&sdp, "a=crypto").is_empty());
    let offer = plain.offer(&[Codec::PCMA], Direction::SendRecv);
    assert_eq!(lines(&offer, "m="), ["m=audio 20000 RTP/AVP 8 101"], "what is in force is offered again");
    let mut both = leg(Security::Sdes);
    both.receive_offer(&phone(&format!(
        "m=audio 4000 RTP/AVP 8\nm=audio 4002 RTP/SAVP 8\na=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}"
    )))
    .unwrap();
    let (sdp, agreed) = both.answer(&Codec::OURS, Direction::SendRecv).unwrap();
    assert_eq!(lines(&sdp, "m="), ["m=audio 0 RTP/AVP 8", "m=audio 20000 RTP/SAVP 8"]);
    assert!(matches!(agreed.protection, Protection::Srtp(_)));
}

#[test]
fn r14_answers_that_do_not_fit_the_offer() {
    for lines in [
        "m=audio 4000 RTP/SAVP 8".to_owned(),
        format!("m=audio 4000 RTP/SAVP 8\na=crypto:2 AES_CM_128_HMAC_SHA1_80 {KEY}"),
        format!("m=audio 4000 RTP/SAVP 8\na=crypto:1 AES_CM_128_HMAC_SHA1_32 {KEY}"),
        "m=audio 4000 RTP/AVP 8".to_owned(),
    ] {
        let mut leg = leg(Security::Sdes);
        leg.offer(&[Codec::PCMA], Direction::SendRecv);
        assert_eq!(leg.receive_answer(&phone(&lines)).unwrap_err(), MediaError::Profile, "{lines}");
    }
    let mut keyless = leg(Security::Sdes);
    keyless.receive_offer(&phone("m=audio 4000 RTP/SAVP 8")).unwrap();
    assert_eq!(keyless.answer(&Codec::OURS, Direction::SendRecv).unwrap_err(), MediaError::Profile);
}

#[test]
fn r14_a_refused_device_may_be_asked_in_clear() {
    let mut leg = leg(Security::Sdes);
    leg.offer(&[Codec::PCMA], Direction::SendRecv);
    leg.refuse_offer();
    leg.set_security(Security::Clear);
    let offer = leg.offer(&[Codec::PCMA], Direction::SendRecv);
    assert!(lines(&offer, "a=crypto").is_empty());
    assert_eq!(lines(&offer, "m="), ["m=audio 20000 RTP/AVP 8 101"]);
}

fn chromium(setup: &str, fragment: &str) -> Vec<u8> {
    let fingerprint = Fingerprint([0x11; 32]);
    phone(&format!(
        "a=group:BUNDLE 0\na=extmap-allow-mixed\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\n\
         c=IN IP4 0.0.0.0\na=rtcp:9 IN IP4 0.0.0.0\na=ice-ufrag:{fragment}\n\
         a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\na=ice-options:trickle\na=fingerprint:{fingerprint}\n\
         a=setup:{setup}\na=mid:0\na=sendrecv\na=rtcp-mux\na=rtpmap:111 opus/48000/2\n\
         a=fmtp:111 minptime=10;useinbandfec=1\na=rtpmap:63 red/48000/2\na=rtpmap:9 G722/8000\n\
         a=rtpmap:0 PCMU/8000\na=rtpmap:8 PCMA/8000\na=rtpmap:13 CN/8000\n\
         a=rtpmap:110 telephone-event/48000\na=rtpmap:126 telephone-event/8000\na=ssrc:123456 cname:x"
    ))
}

#[test]
fn r15_a_browser_offers() {
    let mut leg = leg(BROWSER);
    let remote = leg.receive_offer(&chromium("actpass", "abcd")).unwrap();
    assert!(!remote.audio.as_ref().unwrap().hold, "0.0.0.0 is no hold under ICE");
    let (sdp, agreed) = leg.answer(&Codec::OURS, Direction::SendRecv).unwrap();
    assert_eq!(lines(&sdp, "m="), ["m=audio 20000 UDP/TLS/RTP/SAVPF 111 9 8 0 110 126"]);
    assert_eq!(lines(&sdp, "a=group"), ["a=group:BUNDLE 0"]);
    for line in ["a=ice-lite", "a=rtcp-mux", "a=mid:0", "a=setup:passive", "a=end-of-candidates"] {
        assert_eq!(lines(&sdp, line), [line]);
    }
    assert_eq!(lines(&sdp, "a=candidate"), ["a=candidate:1 1 udp 2130706431 192.0.2.10 20000 typ host"]);
    assert_eq!(lines(&sdp, "a=fingerprint")[0], format!("a=fingerprint:sha-256 {}AB", "AB:".repeat(31)));
    let Protection::Webrtc(link) = &agreed.protection else { panic!("{agreed:?}") };
    assert_eq!((&*link.remote.fragment, link.active, &link.sources[..]), ("abcd", false, &[123_456][..]));
    assert!(agreed.send && agreed.send_to().is_some(), "where to is the business of ICE");
    assert_eq!(agreed.telephone_event.as_ref().unwrap().number, 110);
}

#[test]
fn r15_hold_keeps_the_credentials_and_a_restart_changes_them() {
    let mut leg = leg(BROWSER);
    let mut say = |sdp: &[u8]| {
        leg.receive_offer(sdp).unwrap();
        let (sdp, agreed) = leg.answer(&Codec::OURS, Direction::SendRecv).unwrap();
        (lines(&sdp, "a=ice-"), agreed)
    };
    let (first, _) = say(&chromium("actpass", "abcd"));
    let held = String::from_utf8(chromium("actpass", "abcd")).unwrap().replace("a=sendrecv", "a=sendonly");
    let (second, agreed) = say(held.as_bytes());
    assert!(first == second && !agreed.send);
    let (third, _) = say(&chromium("actpass", "efgh"));
    assert_ne!(first, third);
}

#[test]
fn r15_we_offer_to_a_browser() {
    let mut leg = leg(BROWSER);
    let offer = leg.offer(&Codec::OURS, Direction::SendRecv);
    assert_eq!(lines(&offer, "a=setup"), ["a=setup:actpass"]);
    assert!(offer.len() < 1_000, "{}", offer.len());
    let agreed = leg.receive_answer(&chromium("active", "abcd")).unwrap();
    let Protection::Webrtc(link) = &agreed.protection else { panic!("{agreed:?}") };
    assert!(!link.active && agreed.rtcp_mux);
    let again = leg.offer(&[Codec::OPUS], Direction::SendRecv);
    assert_eq!(lines(&again, "a=ice-"), lines(&offer, "a=ice-"), "no restart");
    let agreed = leg.receive_answer(&chromium("passive", "abcd")).unwrap();
    let Protection::Webrtc(link) = &agreed.protection else { panic!("{agreed:?}") };
    assert!(link.active);
}

#[test]
fn r15_a_browser_without_fingerprint_or_with_an_old_hash_is_refused() {
    let offer = String::from_utf8(chromium("actpass", "abcd")).unwrap();
    for bent in [
        offer.replace("a=fingerprint:sha-256", "a=fingerprint:sha-1"),
        offer.replace("a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa", "a=ice-pwd:short"),
        offer.replace("a=ice-ufrag:abcd", "a=x:y"),
    ] {
        let mut leg = leg(BROWSER);
        leg.receive_offer(bent.as_bytes()).unwrap();
        assert_eq!(leg.answer(&Codec::OURS, Direction::SendRecv).unwrap_err(), MediaError::Profile);
    }
    assert_eq!(leg(Security::Sdes).receive_offer(offer.as_bytes()).unwrap_err(), MediaError::Profile);
}

#[test]
fn s4_25_where_a_certificate_was_named_beforehand_no_other_is_taken_at_any_time() {
    let named = |octet| {
        let theirs = Some(Fingerprint([octet; 32]));
        leg(Security::Webrtc { fingerprint: Fingerprint([0xab; 32]), theirs })
    };
    let mut caller = named(0x12);
    assert_eq!(caller.receive_offer(&chromium("actpass", "abcd")).unwrap_err(), MediaError::OtherKey);
    let mut callee = named(0x12);
    callee.offer(&Codec::OURS, Direction::SendRecv);
    assert_eq!(callee.receive_answer(&chromium("active", "abcd")).unwrap_err(), MediaError::OtherKey);
    let clear = phone("m=audio 4000 RTP/AVP 8");
    assert_eq!(named(0x11).receive_offer(&clear).unwrap_err(), MediaError::Profile);
    // The right one, and then another in the same call.
    let mut right = named(0x11);
    right.receive_offer(&chromium("actpass", "abcd")).unwrap();
    right.answer(&Codec::OURS, Direction::SendRecv).unwrap();
    let offer = String::from_utf8(chromium("actpass", "abcd")).unwrap();
    let other = offer.replace("sha-256 11:", "sha-256 12:");
    assert_eq!(right.receive_offer(other.as_bytes()).unwrap_err(), MediaError::OtherKey);
    let none = offer.replace("a=fingerprint", "a=x");
    assert_eq!(right.receive_offer(none.as_bytes()).unwrap_err(), MediaError::OtherKey);
}

#[test]
fn r32_no_secret_is_shown_in_a_log() {
    let mut leg = leg(BROWSER);
    let sdp = leg.offer(&Codec::OURS, Direction::SendRecv);
    let password = lines(&sdp, "a=ice-pwd:")[0]["a=ice-pwd:".len()..].to_owned();
    let agreed = leg.receive_answer(&chromium("active", "abcd")).unwrap();
    let shown = format!("{agreed:?}");
    assert!(!shown.contains(&password) && !shown.contains("aaaaaaaaaaaaaaaaaaaaaaaa"), "{shown}");
}
