//! What the parser of SDP must keep whatever the bytes.

use std::net::{IpAddr, Ipv4Addr};

use wire::sdp::{Attribute, BYTES_MAX, Description, Line, Media, MediaDescription, Session};

/// Parses a description, writes it as it came, reads every view, and builds one of ours from its parts.
pub(crate) fn sdp(bytes: &[u8]) {
    let Ok(session) = Session::parse(bytes) else { return };
    let mut out = Vec::new();
    session.write_to(&mut out);
    assert_eq!(out, bytes, "not lossless");
    assert_eq!(session.media().count(), session.media_count());
    let sections =
        session.session_lines().len() + session.media().map(|media| media.lines().len()).sum::<usize>();
    assert_eq!(sections, session.lines().len(), "a line belongs to no section");
    let _ =
        (session.origin(), session.connection(), session.direction(), session.attributes("group").count());
    for media in session.media() {
        views(&media);
    }
    rebuild(&session);
}

fn views(media: &Media<'_, '_>) {
    assert_eq!(media.lines()[0].kind, b'm');
    assert!(media.formats().next().is_some() && !media.kind.is_empty() && !media.proto.is_empty());
    let _ = (media.connection(), media.direction(), media.ptime_ms(), media.maxptime_ms(), media.rtcp());
    let _ = (media.rtcp_mux(), media.ssrcs().count(), media.inherited("setup"), media.has("crypto"));
    for line in media.attributes("crypto").filter_map(wire::sdp::Crypto::parse) {
        assert!(line.key.len() <= 64 && !format!("{line:?}").contains("key"));
    }
    for number in media.payload_numbers() {
        assert!(number < 128);
        if let Some(map) = media.rtpmap(number) {
            assert!(map.number == number && map.clock_rate > 0 && map.channels > 0 && !map.name.is_empty());
        }
        if let Some(fmtp) = media.fmtp(number) {
            let _ = fmtp.parameter("mode");
        }
    }
}

/// A description of ours with the same sections, formats and attributes reads back as those.
fn rebuild(session: &Session<'_>) {
    let description = Description {
        session_id: 1,
        version: 1,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        attributes: attributes(session.session_lines()),
        media: session.media().map(|media| describe(&media)).collect(),
    };
    let mut bytes = Vec::new();
    description.write_to(&mut bytes);
    if bytes.len() > BYTES_MAX {
        return;
    }
    let again = Session::parse(&bytes).expect("our own writing");
    assert_eq!(attributes(again.session_lines()), description.attributes);
    let described: Vec<MediaDescription> = again.media().map(|media| describe(&media)).collect();
    assert_eq!(described, description.media);
}

fn describe(media: &Media<'_, '_>) -> MediaDescription {
    MediaDescription {
        kind: media.kind.to_owned().into(),
        port: media.port,
        proto: media.proto.into(),
        formats: media.formats().collect::<Vec<_>>().join(" ").into(),
        connection: None,
        attributes: attributes(media.lines()),
        direction: None,
    }
}

fn attributes(lines: &[Line<'_>]) -> Vec<Attribute> {
    let named = lines.iter().filter_map(Line::attribute);
    let text = named.filter_map(|(name, value)| Some((name, std::str::from_utf8(value).ok()?)));
    text.map(|(name, value)| match value {
        "" => Attribute::flag(name.to_owned()),
        value => Attribute::new(name.to_owned(), value.to_owned()),
    })
    .collect()
}
