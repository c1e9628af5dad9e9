//! Whatever the writer is given, the parser reads back; and writing that again gives the same bytes.

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};

use wire::sip::{Frame, HeaderName, Message, Method, StartLine, Writer, frame};

/// What a message is made of: a name in the list or another, and a value of any bytes.
#[derive(Clone, Debug)]
struct Line {
    name: HeaderName,
    other: String,
    value: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Parts {
    start: Result<(String, String), (u16, String)>,
    lines: Vec<Line>,
    body: Option<Vec<u8>>,
}

fn start() -> impl Strategy<Value = Result<(String, String), (u16, String)>> {
    let method = prop_oneof![
        proptest::sample::select(&Method::KNOWN[..]).prop_map(|method| method.as_str().to_owned()),
        "[A-Za-z0-9.!%*_+`'~-]{1,20}",
    ];
    let uri = "[a-z]{1,5}:[!#-;=?-~\u{80}-\u{fff}]{1,40}";
    prop_oneof![
        (method, uri).prop_map(Ok),
        (100u16..700, "[ -~\u{80}-\u{fff}]{1,20}").prop_map(|(code, reason)| Err((code, reason))),
    ]
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let repeatable: Vec<HeaderName> =
        HeaderName::KNOWN.iter().copied().filter(|name| may_repeat(*name)).collect();
    let name = prop_oneof![proptest::sample::select(repeatable), Just(HeaderName::Other)];
    // "X-" keeps an invented name from being one of the list.
    let line = (name, "X-[A-Za-z0-9.!%*_+`'~-]{0,20}", vec(any::<u8>(), 0..60));
    vec(line.prop_map(|(name, other, value)| Line { name, other, value }), 0..90)
}

fn may_repeat(name: HeaderName) -> bool {
    use HeaderName::{CSeq, CallId, ContentLength, ContentType, Expires, From, MaxForwards, To, Via};
    !matches!(name, From | To | CallId | CSeq | MaxForwards | ContentLength | ContentType | Expires | Via)
}

fn parts() -> impl Strategy<Value = Parts> {
    let body = proptest::option::of(vec(any::<u8>(), 0..300));
    (start(), lines(), body).prop_map(|(start, lines, body)| Parts { start, lines, body })
}

fn write(parts: &Parts, buf: &mut Vec<u8>) -> usize {
    let (mut writer, method) = match &parts.start {
        Ok((method, uri)) => {
            let method = Method::parse(method.as_bytes()).expect("a token");
            (Writer::request(buf, method, uri), method)
        }
        Err((code, reason)) => (Writer::response(buf, *code, reason), Method::Invite),
    };
    writer.header(HeaderName::Via, "SIP/2.0/UDP h;branch=z9hG4bK1");
    writer.header(HeaderName::From, "<sip:a@h>;tag=1").header(HeaderName::To, "<sip:b@h>");
    writer.header(HeaderName::CallId, "c").header_fmt(HeaderName::CSeq, format_args!("1 {method}"));
    for line in &parts.lines {
        match line.name {
            HeaderName::Other => writer.other(&line.other, &line.value),
            name => writer.header(name, &line.value),
        };
    }
    match &parts.body {
        Some(body) => writer.body("application/octet-stream", body),
        None => writer.finish(),
    }
}

/// What the writer makes of a value, and the parser of that.
fn as_read(value: &[u8]) -> Vec<u8> {
    let plain: Vec<u8> =
        value.iter().map(|byte| if b"\r\n\0".contains(byte) { b' ' } else { *byte }).collect();
    let blank = |byte: &u8| b" \t".contains(byte);
    let start = plain.iter().position(|byte| !blank(byte)).unwrap_or(plain.len());
    let end = plain.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    plain[start..end].to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_is_read_back(parts in parts()) {
        let mut buf = Vec::new();
        let length = write(&parts, &mut buf);
        assert_eq!(length, buf.len());
        let message = Message::parse(&buf).expect("our own writing");
        match (&parts.start, message.start()) {
            (Ok((method, uri)), StartLine::Request { method: found, uri: found_uri }) => {
                assert_eq!((method.as_str(), uri.as_str()), (found.as_str(), found_uri));
            }
            (Err((code, reason)), StartLine::Response { code: found, reason: found_reason }) => {
                assert_eq!((*code, reason.as_bytes()), (found, found_reason));
            }
            (expected, found) => panic!("{expected:?} became {found:?}"),
        }
        let read: Vec<_> = message.lines().skip(5).take(parts.lines.len()).collect();
        assert_eq!(read.len(), parts.lines.len());
        for (line, found) in parts.lines.iter().zip(&read) {
            assert_eq!(line.name, found.name);
            if line.name == HeaderName::Other {
                assert_eq!(line.other.as_bytes(), found.raw_name);
            }
            assert_eq!(as_read(&line.value), found.value);
        }
        assert_eq!(parts.body.as_deref().unwrap_or_default(), message.body());
        assert_eq!(frame(&buf), Frame::Complete { len: buf.len() });
    }

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..400)) {
        let _ = Message::parse(&bytes);
        let _ = frame(&bytes);
    }
}
