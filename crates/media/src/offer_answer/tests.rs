//! Stories of offers and answers.

use super::*;
use crate::codec::{Codec, CodecName};
use std::sync::Arc;

const LOCAL: LocalMedia =
    LocalMedia { address: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 10)), port: 20_000, session_id: 77 };

/// A phone's description with these lines after the `t=` line.
fn phone(lines: &str) -> Vec<u8> {
    let text = format!("v=0\no=- 5 1 IN IP4 198.51.100.7\ns=-\nc=IN IP4 198.51.100.7\nt=0 0\n{lines}\n");
    text.replace('\n', "\r\n").into_bytes()
}

fn text(sdp: &[u8]) -> String {
    String::from_utf8(sdp.to_vec()).unwrap()
}

fn lines(sdp: &[u8], start: &str) -> Vec<String> {
    text(sdp).lines().filter(|line| line.starts_with(start)).map(String::from).collect()
}

fn version(sdp: &[u8]) -> u64 {
    lines(sdp, "o=")[0].split(' ').nth(2).unwrap().parse().unwrap()
}

fn answered(offer: &str) -> (Negotiation, Vec<u8>, Arc<Agreed>) {
    let mut leg = Negotiation::new(LOCAL);
    leg.receive_offer(&phone(offer)).unwrap();
    let (sdp, agreed) = leg.answer(&Codec::OURS, Direction::SendRecv).unwrap();
    (leg, sdp, agreed)
}

const PLAIN: &str = "m=audio 4000 RTP/AVP 8 0 101\na=rtpmap:101 telephone-event/8000";

#[test]
fn a_plain_offer_is_answered() {
    let (_, sdp, agreed) = answered(PLAIN);
    assert_eq!(
        text(&sdp),
        "v=0\r\no=- 77 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n\
         m=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
    );
    assert_eq!(agreed.codec, Payload { number: 8, codec: Codec::PCMA });
    assert_eq!(agreed.also, [Payload { number: 0, codec: Codec::PCMU }]);
    assert_eq!(agreed.telephone_event.as_ref().unwrap().number, 101);
    assert_eq!(agreed.remote, Some("198.51.100.7:4000".parse().unwrap()));
    assert_eq!(agreed.remote_rtcp, Some("198.51.100.7:4001".parse().unwrap()));
    assert!(agreed.send && agreed.receive_allowed && !agreed.rtcp_mux);
    assert_eq!(agreed.send_to().unwrap().payload, agreed.codec);
}

#[test]
fn our_preference_decides_and_a_single_codec_pins() {
    let mut leg = Negotiation::new(LOCAL);
    leg.receive_offer(&phone(PLAIN)).unwrap();
    let (sdp, agreed) = leg.answer(&[Codec::PCMU], Direction::SendRecv).unwrap();
    assert_eq!(agreed.codec.number, 0);
    assert_eq!(lines(&sdp, "m="), ["m=audio 20000 RTP/AVP 0 101"]);
}

#[test]
fn a_refresh_repeats_every_byte() {
    let (mut leg, first, _) = answered(PLAIN);
    leg.receive_offer(&phone(PLAIN)).unwrap();
    let (again, _) = leg.answer(&Codec::OURS, Direction::SendRecv).unwrap();
    assert_eq!(text(&again), text(&first));
    assert_eq!(leg.current_sdp(), Some(&first[..]));
}

#[test]
fn hold_and_resume_count_versions() {
    let (mut leg, _, _) = answered(PLAIN);
    for (step, (direction, reply, send)) in
        [("sendonly", "recvonly", false), ("sendrecv", "sendrecv", true), ("inactive", "inactive", false)]
            .into_iter()
            .enumerate()
    {
        let remote = leg.receive_offer(&phone(&format!("{PLAIN}\na={direction}"))).unwrap();
        assert_eq!(remote.audio.as_ref().unwrap().hold, !send);
        let (sdp, agreed) = leg.answer(&Codec::OURS, Direction::SendRecv).unwrap();
        assert_eq!(version(&sdp), 2 + step as u64);
        assert!(text(&sdp).ends_with(&format!("a={reply}\r\n")), "{}", text(&sdp));
        assert_eq!((agreed.send, agreed.send_to().is_some()), (send, send));
    }
}

#[test]
fn hold_by_a_zero_address_sends_nothing() {
    let (mut leg, _, _) = answered(PLAIN);
    let zero = text(&phone(PLAIN)).replace("c=IN IP4 198.51.100.7", "c=IN IP4 0.0.0.0");
    assert!(leg.receive_offer(zero.as_bytes()).unwrap().audio.as_ref().unwrap().hold);
    let (_, agreed) = leg.answer(&Codec::OURS, Direction::SendRecv).unwrap();
    assert_eq!((agreed.remote, agreed.remote_rtcp, agreed.send), (None, None, false));
}

#[test]
fn we_hold_and_the_phone_mirrors() {
    let (mut leg, _, _) = answered(PLAIN);
    let offer = leg.offer(&[Codec::PCMA], Direction::SendOnly);
    assert!(text(&offer).ends_with("a=sendonly\r\n"));
    let agreed = leg.receive_answer(&phone("m=audio 4000 RTP/AVP 8\na=recvonly")).unwrap();
    assert!(agreed.send && !agreed.receive_allowed);
}

#[test]
fn every_line_is_mirrored_and_stays() {
    let video = "m=video 5000 RTP/AVP 97 98\na=rtpmap:97 H264/90000\n";
    let text_line = "\nm=text 6000 RTP/AVP 100";
    let (mut leg, sdp, _) = answered(&format!("{video}{PLAIN}{text_line}"));
    let expected = ["m=video 0 RTP/AVP 97 98", "m=audio 20000 RTP/AVP 8 0 101", "m=text 0 RTP/AVP 100"];
    assert_eq!(lines(&sdp, "m="), expected);
    let offer = leg.offer(&[Codec::PCMA, Codec::PCMU], Direction::SendRecv);
    assert_eq!(lines(&offer, "m="), expected);
    assert_eq!(version(&offer), 1, "nothing changed");
}

#[test]
fn numbers_of_an_offer_of_ours() {
    let mut leg = Negotiation::new(LOCAL);
    let offer = leg.offer(&Codec::OURS, Direction::SendRecv);
    assert_eq!(lines(&offer, "m="), ["m=audio 20000 RTP/AVP 96 9 8 0 101 97"]);
    assert!(text(&offer).contains("a=rtpmap:97 telephone-event/48000\r\n"));
    assert!(text(&offer).contains("a=rtcp-mux\r\n"));
    assert!(offer.len() < 500, "{} bytes must leave room for headers (R13)", offer.len());
}

#[test]
fn each_side_keeps_its_own_numbers() {
    let mut leg = Negotiation::new(LOCAL);
    leg.offer(&[Codec::OPUS], Direction::SendRecv);
    let agreed = leg
        .receive_answer(&phone(
            "m=audio 4000 RTP/AVP 111 110\na=rtpmap:111 OPUS/48000/2\na=rtpmap:110 telephone-event/48000",
        ))
        .unwrap();
    assert_eq!(agreed.codec.number, 111);
    assert_eq!(agreed.telephone_event.as_ref().unwrap().number, 110);
    let received: Vec<u8> = agreed.receive.iter().map(|payload| payload.number).collect();
    assert_eq!(received, [96, 97]);
    let offer = leg.offer(&[Codec::OPUS], Direction::SendRecv);
    assert_eq!(lines(&offer, "m="), ["m=audio 20000 RTP/AVP 96 97"]);
}

#[test]
fn a_number_never_means_another_codec() {
    let ilbc = "m=audio 4000 RTP/AVP 96\na=rtpmap:96 iLBC/8000\na=fmtp:96 mode=20";
    let mut leg = Negotiation::new(LOCAL);
    leg.receive_offer(&phone(ilbc)).unwrap();
    let codec = leg.received_offer().unwrap().audio.as_ref().unwrap().payloads[0].codec.clone();
    let (sdp, _) = leg.answer(&[codec], Direction::SendRecv).unwrap();
    assert_eq!(lines(&sdp, "a=fmtp"), ["a=fmtp:96 mode=20"], "decisive parameters are echoed");
    leg.receive_offer(&phone("m=audio 4000 RTP/AVP 96\na=rtpmap:96 opus/48000/2")).unwrap();
    let (sdp, agreed) = leg.answer(&[Codec::OPUS], Direction::SendRecv).unwrap();
    assert_eq!(lines(&sdp, "a=rtpmap"), ["a=rtpmap:97 opus/48000/2"]);
    assert_eq!(agreed.codec.number, 96, "towards the phone its own number");
}

#[test]
fn an_offer_passed_through_keeps_its_numbering() {
    let mut caller = Negotiation::new(LOCAL);
    let offer = "m=audio 4000 RTP/AVP 18 105 98\na=rtpmap:105 speex/16000\na=fmtp:18 annexb=no\n\
                 a=rtpmap:98 telephone-event/8000";
    let audio = caller.receive_offer(&phone(offer)).unwrap().audio.clone().unwrap();
    let mut branch = Negotiation::new(LOCAL);
    let passed = branch.offer_with(&audio.payloads, Direction::SendRecv);
    assert_eq!(lines(&passed, "m="), ["m=audio 20000 RTP/AVP 18 105 98"]);
    assert!(text(&passed).contains("a=fmtp:18 annexb=no\r\n"));
    let agreed = branch.receive_answer(&phone("m=audio 4100 RTP/AVP 18 98")).unwrap();
    assert_eq!(agreed.codec.codec.name, CodecName::Other("G729".into()));
    assert_eq!(agreed.telephone_event.as_ref().unwrap().number, 98, "a bare number means what we offered");
    let (sdp, _) = caller.answer(&[agreed.codec.codec.clone()], Direction::SendRecv).unwrap();
    assert_eq!(lines(&sdp, "a=fmtp"), ["a=fmtp:18 annexb=no", "a=fmtp:98 0-16"]);
}

#[test]
fn a_refused_offer_changes_nothing_but_the_next_version() {
    let (mut leg, first, agreed) = answered(PLAIN);
    let refused = leg.offer(&[Codec::OPUS], Direction::SendRecv);
    assert_eq!(version(&refused), 2);
    leg.refuse_offer();
    assert_eq!((leg.current_sdp(), leg.agreed()), (Some(&first[..]), Some(&*agreed)));
    let refresh = leg.offer(&[Codec::PCMA, Codec::PCMU], Direction::SendRecv);
    assert_eq!(text(&refresh), text(&first), "as if nothing had been offered");
    leg.refuse_offer();
    assert_eq!(version(&leg.offer(&[Codec::G722], Direction::SendRecv)), 3);
}

#[test]
fn offers_cross() {
    let (mut leg, _, agreed) = answered(PLAIN);
    leg.offer(&[Codec::PCMU], Direction::SendRecv);
    assert_eq!(leg.receive_offer(&phone(PLAIN)).unwrap_err(), MediaError::Glare);
    leg.refuse_offer();
    leg.receive_offer(&phone(PLAIN)).unwrap();
    assert_eq!(leg.receive_answer(&phone(PLAIN)).unwrap_err(), MediaError::UnexpectedAnswer);
    assert_eq!(leg.agreed(), Some(&*agreed));
}

#[test]
fn a_late_offer_and_an_answer_that_comes_twice() {
    let mut leg = Negotiation::new(LOCAL);
    leg.offer(&Codec::OURS, Direction::SendRecv);
    let early = leg.receive_answer(&phone("m=audio 4000 RTP/AVP 0")).unwrap();
    assert_eq!(leg.receive_answer(&phone("m=audio 4000 RTP/AVP 0")).unwrap(), early);
    // Another device of the same number answered in the end.
    let last = leg.receive_answer(&phone("m=audio 4444 RTP/AVP 8")).unwrap();
    assert_eq!((last.codec.number, last.remote.unwrap().port()), (8, 4444));
}

#[test]
fn bad_answers_leave_the_offer_pending() {
    let table = [
        ("m=audio 0 RTP/AVP 0", MediaError::NoAudio),
        ("m=video 4000 RTP/AVP 0", MediaError::NoAudio),
        ("m=audio 4000 RTP/AVP 3", MediaError::NoCommonCodec),
        ("m=audio 4000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000", MediaError::NoCommonCodec),
        ("m=audio 4000 RTP/SAVP 0", MediaError::Profile),
        ("m=audio 4000 RTP/AVP 0\nm=audio 4002 RTP/AVP 0", MediaError::UnexpectedAnswer),
        ("c=IN IP4 phone.example\nm=audio 4000 RTP/AVP 0", MediaError::Address),
    ];
    let mut leg = Negotiation::new(LOCAL);
    assert_eq!(leg.receive_answer(&phone(PLAIN)).unwrap_err(), MediaError::UnexpectedAnswer);
    leg.offer(&Codec::OURS, Direction::SendRecv);
    for (lines, error) in table {
        let mut answer = phone(lines);
        if error == MediaError::Address {
            answer = text(&answer).replacen("c=IN IP4 198.51.100.7\r\n", "", 1).into_bytes();
        }
        assert_eq!(leg.receive_answer(&answer).unwrap_err(), error, "{lines}");
        assert!(leg.is_offering());
    }
    assert!(matches!(leg.receive_answer(b"v=1"), Err(MediaError::Sdp(_))));
}

#[test]
fn bad_offers_are_named() {
    let table = [
        ("m=video 4000 RTP/AVP 31", MediaError::NoAudio),
        ("m=audio 0 RTP/AVP 0", MediaError::NoAudio),
        ("m=audio 4000 RTP/SAVP 0", MediaError::Profile),
        ("m=audio 4000 UDP/TLS/RTP/SAVPF 0", MediaError::Profile),
        ("m=audio 4000 RTP/AVP 0\nc=IN IP4 224.2.1.1/127", MediaError::Address),
    ];
    let mut leg = Negotiation::new(LOCAL);
    for (lines, error) in table {
        assert_eq!(leg.receive_offer(&phone(lines)).unwrap_err(), error, "{lines}");
        assert_eq!(leg.answer(&Codec::OURS, Direction::SendRecv).unwrap_err(), MediaError::NoOffer);
    }
    leg.receive_offer(&phone("m=audio 4000 RTP/AVP 3 101\na=rtpmap:101 telephone-event/8000")).unwrap();
    assert_eq!(leg.answer(&Codec::OURS, Direction::SendRecv).unwrap_err(), MediaError::NoCommonCodec);
}

#[test]
fn a_plain_stream_is_preferred_to_an_encrypted_one() {
    let (_, sdp, agreed) = answered(&format!("m=audio 7000 RTP/SAVP 0\n{PLAIN}"));
    assert_eq!(lines(&sdp, "m="), ["m=audio 0 RTP/SAVP 0", "m=audio 20000 RTP/AVP 8 0 101"]);
    assert_eq!(agreed.remote.unwrap().port(), 4000);
}

#[test]
fn ports_of_rtcp() {
    let (_, sdp, agreed) = answered(&format!("{PLAIN}\na=rtcp-mux"));
    assert!(agreed.rtcp_mux && text(&sdp).contains("a=rtcp-mux\r\n"));
    assert_eq!(agreed.remote_rtcp, agreed.remote);
    let (_, _, agreed) = answered(&format!("{PLAIN}\na=rtcp:9000 IN IP4 203.0.113.9"));
    assert_eq!(agreed.remote_rtcp, Some("203.0.113.9:9000".parse().unwrap()));
}

#[test]
fn packet_times() {
    for (wish, ptime) in
        [("", 20), ("\na=ptime:30", 30), ("\na=ptime:5", 10), ("\na=ptime:200", 60), ("\na=maxptime:10", 10)]
    {
        assert_eq!(answered(&format!("{PLAIN}{wish}")).2.ptime_ms, ptime, "{wish}");
    }
}

#[test]
fn wrappers_and_comfort_noise_are_no_speech() {
    let offer = "m=audio 4000 RTP/AVP 121 13 0\na=rtpmap:121 red/8000\na=fmtp:121 0/0";
    let mut leg = Negotiation::new(LOCAL);
    let audio = leg.receive_offer(&phone(offer)).unwrap().audio.clone().unwrap();
    let numbers: Vec<u8> = audio.payloads.iter().map(|payload| payload.number).collect();
    assert_eq!(numbers, [13, 0]);
    let allowed: Vec<Codec> = audio.payloads.into_iter().map(|payload| payload.codec).collect();
    let (_, agreed) = leg.answer(&allowed, Direction::SendRecv).unwrap();
    assert_eq!(agreed.codec.number, 0);
    assert_eq!(agreed.also[0].number, 13);
}

#[test]
fn any_dialect_of_address() {
    let v6 = text(&phone(PLAIN)).replace("c=IN IP4 198.51.100.7", "c=IN IP6 2001:db8::5");
    let mut leg = Negotiation::new(LocalMedia { address: "2001:db8::1".parse().unwrap(), ..LOCAL });
    leg.receive_offer(v6.as_bytes()).unwrap();
    let (sdp, agreed) = leg.answer(&Codec::OURS, Direction::SendRecv).unwrap();
    assert_eq!(agreed.remote, Some("[2001:db8::5]:4000".parse().unwrap()));
    assert_eq!(lines(&sdp, "c="), ["c=IN IP6 2001:db8::1"]);
}
