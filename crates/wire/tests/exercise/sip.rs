//! What the parsers of SIP must keep whatever the bytes.

use wire::sip::{
    Contact, DigestParams, Frame, Framer, HeaderName, Host, Message, NameAddr, ParseErrorKind, StartLine,
    Uri, Via, Writer, frame, parse_for_reply, unfold,
};

/// Parses a datagram, reads every view, writes it again, and expects the same back.
pub(crate) fn message(bytes: &[u8]) {
    reply(bytes);
    let Ok(message) = Message::parse(bytes) else { return };
    assert_lossless(&message);
    views(&message);
    let mut buf = Vec::new();
    rewrite(&message, &mut buf);
    let again = match Message::parse(&buf) {
        Ok(again) => again,
        Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&buf)),
    };
    assert_same(&message, &again);
}

/// Start line, lines and body as they came are the message again.
pub(crate) fn assert_lossless(message: &Message<'_>) {
    let mut bytes = message.start_raw().to_vec();
    for line in message.lines() {
        bytes.extend_from_slice(line.raw);
        assert!(line.raw.starts_with(line.raw_name) && line.raw.ends_with(b"\r\n"));
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(message.body());
    assert_eq!(bytes, message.raw());
}

fn views(message: &Message<'_>) {
    let _ = (message.check(), message.via(), message.from(), message.to(), message.call_id());
    let _ = (message.max_forwards(), message.expires(), message.seconds(HeaderName::SessionExpires));
    for contact in message.contacts().flatten() {
        if let Contact::Addr(address) = contact {
            name_addr(&address);
        }
    }
    for &name in HeaderName::KNOWN {
        assert_eq!(message.has(name), message.line_values(name).next().is_some());
        if !message.has(name) {
            continue;
        }
        let _ = (message.has_token(name, "timer"), message.params(name), message.token(name));
        for credentials in message.credentials(name).flatten() {
            let _ = (credentials.get("nonce"), credentials.get("qop"));
        }
        for address in message.addresses(name).flatten() {
            name_addr(&address);
        }
    }
    if let Ok(cseq) = message.cseq() {
        assert!(cseq.number < 1 << 31);
        assert_eq!(cseq.method, message.method());
    }
}

fn name_addr(address: &NameAddr<'_>) {
    let _ = (address.display_name(), address.q(), address.expires(), address.tag(), address.param("expires"));
    uri(address.uri.as_bytes());
}

fn rewrite(message: &Message<'_>, buf: &mut Vec<u8>) {
    let mut writer = match message.start() {
        StartLine::Request { method, uri } => Writer::request(buf, method, uri),
        StartLine::Response { code, reason } => Writer::response(buf, code, &String::from_utf8_lossy(reason)),
    };
    for line in message.lines().filter(|line| written(line.name)) {
        match line.name {
            HeaderName::Other => writer.other(&String::from_utf8_lossy(line.raw_name), line.value),
            name => writer.header(name, line.value),
        };
    }
    let media_type = message.value(HeaderName::ContentType).map(String::from_utf8_lossy);
    let length = match media_type {
        Some(media_type) => writer.body(&media_type, message.body()),
        None => writer.finish(),
    };
    assert_eq!(length, buf.len());
}

fn written(name: HeaderName) -> bool {
    !matches!(name, HeaderName::ContentLength | HeaderName::ContentType)
}

fn assert_same(one: &Message<'_>, two: &Message<'_>) {
    assert_eq!(one.method(), two.method());
    assert_eq!(one.request_uri(), two.request_uri());
    assert_eq!(one.status(), two.status());
    let seen = |message: &Message<'_>| -> Vec<(Vec<u8>, Vec<u8>)> {
        let lines = message.lines().filter(|line| written(line.name));
        lines.map(|line| (line.raw_name.to_ascii_lowercase(), collapse(line.value))).collect()
    };
    for (a, b) in seen(one).into_iter().zip(seen(two)) {
        // Compact names are written long.
        assert_eq!(HeaderName::from_bytes(&a.0), HeaderName::from_bytes(&b.0));
        assert_eq!(a.1, b.1);
    }
    assert_eq!(seen(one).len(), seen(two).len());
}

/// White space runs as one space and NUL as space: what the writer may change.
fn collapse(value: &[u8]) -> Vec<u8> {
    let mut text: Vec<u8> =
        unfold(value).iter().map(|byte| if b"\0\t".contains(byte) { b' ' } else { *byte }).collect();
    text.dedup_by(|a, b| *a == b' ' && *b == b' ');
    text.trim_ascii().to_vec()
}

/// A malformed request: its answer must itself be sound.
fn reply(bytes: &[u8]) {
    let Some(head) = parse_for_reply(bytes) else { return };
    let mut buf = Vec::new();
    let length = head.write(&mut buf, 400, "", ";received=192.0.2.1", "t");
    assert_eq!(length, buf.len());
    assert!(head.via().is_ok());
    if head.from.is_some() && head.to.is_some() && head.call_id.is_some() && head.cseq.is_some() {
        match Message::parse(&buf) {
            Ok(message) => assert_eq!(message.status(), Some(400)),
            // The copied CSeq may be the very fault.
            Err(error) => assert!(!error.answerable(), "{error}"),
        }
    }
}

/// Frames a stream at once and in pieces, and expects the same frames.
pub(crate) fn stream(bytes: &[u8]) {
    let mut rest = bytes;
    let mut whole = Vec::new();
    let mut end = loop {
        match frame(rest) {
            Frame::Complete { len } => {
                assert!(len > 0 && len <= rest.len());
                framed(&rest[..len]);
                whole.push(len);
                rest = &rest[len..];
            }
            Frame::Keepalive { len } | Frame::Pong { len } => rest = &rest[len..],
            other => break other,
        }
    };
    let mut framer = Framer::new();
    let mut waiting = Vec::new();
    let mut pieces = Vec::new();
    let mut last = Frame::Incomplete;
    let step = 1 + bytes.len() % 7 + bytes.len() / 64;
    'stream: for piece in bytes.chunks(step) {
        waiting.extend_from_slice(piece);
        loop {
            last = framer.frame(&waiting);
            match last {
                Frame::Complete { len } => {
                    pieces.push(len);
                    waiting.drain(..len);
                }
                Frame::Keepalive { len } | Frame::Pong { len } => drop(waiting.drain(..len)),
                Frame::Incomplete => break,
                Frame::Invalid(_) => break 'stream,
            }
        }
    }
    // In pieces a fault may be seen before the rest of the head has come; never the other way round.
    if matches!(last, Frame::Invalid(_)) && end == Frame::Incomplete {
        end = last;
    }
    assert_eq!(pieces, whole);
    assert_eq!(matches!(last, Frame::Invalid(_)), matches!(end, Frame::Invalid(_)));
}

/// What was framed may be no good message, but never because it was framed wrong: both readers agree on where
/// it ends.
fn framed(bytes: &[u8]) {
    use ParseErrorKind::{ContentLength, Duplicate, Empty, LineEnd, NoEnd, TooLong};
    match Message::parse(bytes) {
        Ok(message) => assert_eq!(message.raw().len(), bytes.len()),
        Err(error) => assert!(
            !matches!(
                error.kind(),
                ContentLength | Duplicate(HeaderName::ContentLength) | Empty | LineEnd | NoEnd | TooLong
            ),
            "{error}: {}",
            String::from_utf8_lossy(bytes)
        ),
    }
}

/// Parses a URI: it equals itself, and its parts are parts of the text.
pub(crate) fn uri(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(uri) = Uri::parse(text) else { return };
    assert!(uri.equivalent(&uri), "{text:?}");
    let _ = (uri.user_decoded(), uri.param("transport"), uri.headers().count());
    if uri.is_sip() {
        assert_eq!(Host::parse(&uri.host.to_string()), Some(uri.host), "{text:?}");
    }
    let upper = format!("{}:{}", uri.scheme.as_str().to_ascii_uppercase(), uri.opaque);
    assert!(Uri::parse(&upper).is_ok_and(|other| other.equivalent(&uri)));
}

/// Reads one header value in every way.
pub(crate) fn header(bytes: &[u8]) {
    if let Ok(via) = Via::parse(bytes) {
        assert_eq!(via.raw().as_bytes(), bytes);
        let _ = (via.received_ip(), via.has_magic_branch(), via.params.value("ttl"));
    }
    for name in [HeaderName::From, HeaderName::Contact, HeaderName::ReferTo] {
        if let Ok(address) = NameAddr::parse(name, bytes) {
            name_addr(&address);
        }
    }
    if let Ok(params) = DigestParams::parse(HeaderName::Authorization, bytes) {
        for (name, _) in params.iter() {
            assert!(params.raw(&String::from_utf8_lossy(name)).is_some() || !params.is_digest());
        }
    }
}
