//! Tables of descriptions that phones really send, and descriptions that nobody should.

use super::*;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};

const DESK_PHONE: &[u8] = b"v=0\r\n\
o=alice 20518 0 IN IP4 203.0.113.1\r\n\
s= \r\n\
c=IN IP4 203.0.113.1\r\n\
t=0 0\r\n\
a=sendonly\r\n\
m=audio 54400 RTP/AVP 0 96 101\r\n\
b=AS:64\r\n\
a=rtpmap:0 PCMU/8000\r\n\
a=rtpmap:96 opus/48000/2\r\n\
a=fmtp:96 useinbandfec=1; maxaveragebitrate=30000\r\n\
a=rtpmap:101 telephone-event/8000\r\n\
a=fmtp:101 0-16\r\n\
a=ptime:20\r\n\
a=maxptime:60.5\r\n\
a=rtcp:53020 IN IP4 126.16.64.4\r\n\
a=rtcp-mux\r\n\
a=ssrc:12345 cname:user@host\r\n\
m=video 0 RTP/AVP 31\r\n\
c=IN IP6 2001:db8::1\r\n\
a=inactive\r\n";

#[test]
fn a_desk_phone_is_read() {
    let session = Session::parse(DESK_PHONE).unwrap();
    let origin = session.origin().unwrap();
    assert_eq!((origin.username, origin.session_id, origin.version), ("alice", "20518", "0"));
    assert_eq!(session.media_count(), 2);
    let audio = session.media_at(0).unwrap();
    assert_eq!((audio.kind, audio.port, audio.proto), ("audio", 54400, "RTP/AVP"));
    assert_eq!(audio.payload_numbers().collect::<Vec<_>>(), [0, 96, 101]);
    let opus = audio.rtpmap(96).unwrap();
    assert_eq!((opus.name, opus.clock_rate, opus.channels), ("opus", 48_000, 2));
    assert_eq!(audio.fmtp(96).unwrap().parameter("MaxAverageBitrate"), Some("30000"));
    assert_eq!(audio.fmtp(101).unwrap().parameters, "0-16");
    assert_eq!((audio.ptime_ms(), audio.maxptime_ms()), (Some(20), Some(60)));
    let rtcp = audio.rtcp().unwrap();
    assert_eq!((rtcp.port, rtcp.ip), (53020, Some(IpAddr::V4(Ipv4Addr::new(126, 16, 64, 4)))));
    assert!(audio.rtcp_mux());
    assert_eq!(
        audio.ssrcs().next().map(|line| (line.ssrc, line.attribute)),
        Some((12345, "cname:user@host"))
    );
    assert_eq!(audio.direction(), Direction::SendOnly, "inherited from the session");
    assert_eq!(audio.connection().unwrap().host, "203.0.113.1");
    let video = session.media_at(1).unwrap();
    assert_eq!(video.direction(), Direction::Inactive);
    assert_eq!(video.connection().unwrap().ip(), "2001:db8::1".parse().ok());
}

#[test]
fn what_came_is_what_goes() {
    let odd = [DESK_PHONE, b"a=x\nz=unknown line\r\nb=\xff\xfe\n\r\n\n"].concat();
    for bytes in [DESK_PHONE, &odd, b"v=0", b"v=0\n"] {
        let mut out = Vec::new();
        Session::parse(bytes).unwrap().write_to(&mut out);
        assert_eq!(out, bytes);
    }
}

#[test]
fn bad_descriptions_are_named() {
    let many_media = [&b"v=0\n"[..], &b"m=audio 1 RTP/AVP 0\n".repeat(65)].concat();
    let many_attributes = [&b"v=0\n"[..], &b"a=x\n".repeat(257)].concat();
    let many_lines = [&b"v=0\n"[..], &b"b=x\n".repeat(4096)].concat();
    let many_formats = [&b"v=0\nm=audio 1 RTP/AVP"[..], &b" 0".repeat(FORMATS_MAX + 1)].concat();
    let huge = [&b"v=0\ns="[..], &b"x".repeat(BYTES_MAX)].concat();
    let table: [(&[u8], SdpError); 17] = [
        (b"", SdpError::BadVersion),
        (b"\r\n", SdpError::BadVersion),
        (b"v=1\r\n", SdpError::BadVersion),
        (b"o=- 1 1 IN IP4 1.2.3.4\r\nv=0\r\n", SdpError::BadVersion),
        (b"v=0\r\nxyz\r\n", SdpError::BadLine { line: 2 }),
        (b"v=0\r\n =\r\n", SdpError::BadLine { line: 2 }),
        (b"v=0\r\n\r\ns=x\r\n", SdpError::BadLine { line: 2 }),
        (b"v=0\r\ns=a\rm=audio 1 RTP/AVP 0\r\n", SdpError::BadLine { line: 2 }),
        (b"v=0\r\ns=\0\r\n", SdpError::BadLine { line: 2 }),
        (b"v=0\r\nm=audio 65536 RTP/AVP 0\r\n", SdpError::BadMedia { line: 2 }),
        (b"v=0\r\nm=audio 1 RTP/AVP\r\n", SdpError::BadMedia { line: 2 }),
        (b"v=0\r\nm=audio +1 RTP/AVP 0\r\n", SdpError::BadMedia { line: 2 }),
        (&many_formats, SdpError::TooManyFormats { line: 2 }),
        (&many_media, SdpError::TooManyMedia),
        (&many_attributes, SdpError::TooManyAttributes { line: 258 }),
        (&many_lines, SdpError::TooManyLines),
        (&huge, SdpError::TooLarge),
    ];
    for (bytes, error) in table {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
        assert_eq!(Session::parse(bytes).unwrap_err(), error, "{shown}");
    }
}

#[test]
fn missing_parts_are_found_only_when_asked_for() {
    let session = Session::parse(b"v=0\nm=audio 9 RTP/AVP 0\nc=IN IP4\n").unwrap();
    assert_eq!(session.origin(), Err(SdpError::BadOrigin));
    assert_eq!(session.media_at(0).unwrap().connection(), Err(SdpError::BadConnection));
    let session = Session::parse(b"v=0\nm=audio 9 RTP/AVP 0\n").unwrap();
    assert_eq!(session.media_at(0).unwrap().connection(), Err(SdpError::BadConnection));
}

#[test]
fn our_own_description_reads_back() {
    let description = Description {
        session_id: u64::MAX,
        version: 2,
        address: "2001:db8::7".parse().unwrap(),
        attributes: vec![Attribute::new("tool", "x\r\na=evil")],
        media: vec![MediaDescription {
            kind: "audio".into(),
            port: 20_000,
            proto: "RTP/AVP".into(),
            formats: "8 101".into(),
            connection: None,
            attributes: vec![Attribute::new("rtpmap", "8 PCMA/8000"), Attribute::flag("rtcp-mux")],
            direction: Some(Direction::RecvOnly),
        }],
    };
    let mut bytes = Vec::new();
    description.write_to(&mut bytes);
    let session = Session::parse(&bytes).unwrap();
    assert_eq!(session.origin().unwrap().session_id, u64::MAX.to_string());
    assert_eq!(session.attributes("tool").next(), Some(&b"xa=evil"[..]), "no smuggled line");
    let audio = session.media_at(0).unwrap();
    assert_eq!(audio.formats().collect::<Vec<_>>(), ["8", "101"]);
    assert_eq!((audio.direction(), audio.rtcp_mux()), (Direction::RecvOnly, true));
}

#[test]
fn directions_combine() {
    use Direction::*;
    assert_eq!(SendOnly.reversed(), RecvOnly);
    assert_eq!(SendRecv.and(RecvOnly), RecvOnly);
    assert_eq!(SendOnly.and(RecvOnly), Inactive);
    for direction in [SendRecv, SendOnly, RecvOnly, Inactive] {
        assert_eq!(direction.reversed().reversed(), direction);
    }
}

/// Bytes that look like a description often enough to reach every line parser.
fn almost_sdp() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        "[a-z]=[ -~]{0,30}",
        "a=(rtpmap|fmtp|rtcp|ssrc|ptime):[0-9]{0,5} ?[a-z/=;0-9]{0,12}",
        "m=audio [0-9]{1,5} RTP/AVP( [0-9]{1,3}){0,4}",
        "c=IN IP4 [0-9.]{0,15}",
    ];
    proptest::collection::vec(line, 0..12)
        .prop_map(|lines| format!("v=0\r\n{}", lines.join("\r\n")).into_bytes())
}

fn touch(session: &Session<'_>) {
    let _ = (session.origin(), session.connection(), session.direction());
    for media in session.media() {
        let _ = (media.connection(), media.direction(), media.ptime_ms(), media.maxptime_ms());
        let _ = (media.rtcp(), media.rtcp_mux(), media.ssrcs().count(), media.inherited("setup"));
        for number in media.payload_numbers() {
            let _ = (media.rtpmap(number), media.fmtp(number));
        }
    }
}

proptest! {
    #[test]
    fn whatever_parses_is_written_back(bytes in almost_sdp()) {
        if let Ok(session) = Session::parse(&bytes) {
            touch(&session);
            let mut out = Vec::new();
            session.write_to(&mut out);
            prop_assert_eq!(out, bytes);
        }
    }
}

/// A plain seeded generator, so that a failure is found again by its number alone.
fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

#[test]
fn ten_thousand_mutations_never_panic() {
    let mut seed = 0x5eed_u64;
    for round in 0..10_000 {
        let mut bytes = DESK_PHONE.to_vec();
        for _ in 0..=next(&mut seed) % 8 {
            let at = next(&mut seed) as usize % bytes.len();
            match next(&mut seed) % 4 {
                0 => bytes[at] = next(&mut seed) as u8,
                1 => bytes.insert(at, b" :/=\r\n;0"[next(&mut seed) as usize % 8]),
                2 => drop(bytes.drain(at..(at + 5).min(bytes.len() - 1))),
                _ => bytes.truncate(at + 1),
            }
        }
        if let Ok(session) = Session::parse(&bytes) {
            touch(&session);
            let mut out = Vec::new();
            session.write_to(&mut out);
            assert_eq!(out, bytes, "round {round}");
        }
    }
}
