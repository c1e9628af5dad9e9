//! Every bound of the parser, from both sides; and that bytes at the bounds cost time in proportion.

use wire::sip::limits::{INLINE_HEADER_LINES, MAX_HEAD_BYTES, MAX_HEADER_LINES, MAX_MESSAGE_BYTES};
use wire::sip::{Frame, FrameError, HeaderName, Message, ParseErrorKind, frame};

const START: &str = "OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
    To: <sip:h>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n";
/// Header lines in [`START`].
const LINES: usize = 5;

fn kind(text: &str) -> Option<ParseErrorKind> {
    Message::parse(text.as_bytes()).err().map(|error| error.kind())
}

#[test]
fn header_lines() {
    for extra in [0, INLINE_HEADER_LINES - LINES, INLINE_HEADER_LINES - LINES + 1, MAX_HEADER_LINES - LINES] {
        let lines: String = (0..extra).map(|number| format!("X-{number}: {number}\r\n")).collect();
        let text = format!("{START}{lines}\r\n");
        let message = Message::parse(text.as_bytes()).expect("within the bound");
        assert_eq!(message.lines().count(), LINES + extra);
        let bytes: Vec<u8> = message.lines().flat_map(|line| line.raw.to_vec()).collect();
        assert!(text.as_bytes().windows(bytes.len()).any(|window| window == bytes));
        if extra > 0 {
            assert_eq!(
                message.value_of_other(&format!("x-{}", extra - 1)),
                Some(format!("{}", extra - 1).as_bytes())
            );
        }
    }
    let lines = "X: 1\r\n".repeat(MAX_HEADER_LINES - LINES + 1);
    assert_eq!(kind(&format!("{START}{lines}\r\n")), Some(ParseErrorKind::TooManyLines));
}

#[test]
fn head_and_message() {
    let fill = MAX_HEAD_BYTES - START.len() - "Subject: \r\n\r\n".len();
    let fits = format!("{START}Subject: {}\r\n\r\n", "x".repeat(fill));
    let message = Message::parse(fits.as_bytes()).expect("within the bound");
    assert_eq!(message.value(HeaderName::Subject).map(<[u8]>::len), Some(fill));
    let over = format!("{START}Subject: {}\r\n\r\n", "x".repeat(fill + 1));
    assert!(matches!(
        kind(&over),
        Some(ParseErrorKind::TooLong | ParseErrorKind::NoEnd | ParseErrorKind::LineEnd)
    ));

    let head = format!("{START}\r\n");
    let body = "x".repeat(MAX_MESSAGE_BYTES - head.len());
    assert!(Message::parse(format!("{head}{body}").as_bytes()).is_ok());
    assert_eq!(kind(&format!("{head}{body}x")), Some(ParseErrorKind::TooLong));
}

#[test]
fn sec_22_content_length_is_bounded_and_never_overflows() {
    for (value, body, expected) in [
        ("3", "abc", Some("abc")),
        ("2", "abc", Some("ab")),
        ("0", "abc", Some("")),
        ("0003", "abc", Some("abc")),
        ("4", "abc", None),
        ("-1", "abc", None),
        ("+3", "abc", None),
        ("3 ", "abc", Some("abc")),
        ("3 3", "abc", None),
        ("3, 3", "abc", None),
        ("0x3", "abc", None),
        ("", "abc", None),
        ("4294967299", "abc", None),
        ("18446744073709551619", "abc", None),
        ("3\r\nContent-Length: 3", "abc", None),
        ("3\r\nl: 3", "abc", None),
    ] {
        let text = format!("{START}Content-Length: {value}\r\n\r\n{body}");
        let found = Message::parse(text.as_bytes()).ok();
        let found = found.as_ref().map(Message::body);
        assert_eq!(found, expected.map(str::as_bytes), "{value:?}");
    }
}

#[test]
fn heads_that_are_refused() {
    use ParseErrorKind as Kind;
    let missing = |name: &str| {
        START.lines().filter(|line| !line.starts_with(name)).map(|l| format!("{l}\r\n")).collect::<String>()
    };
    let table = [
        (String::new(), Kind::Empty),
        ("\r\n\r\n".to_owned(), Kind::Empty),
        (START.to_owned(), Kind::NoEnd),
        (format!("{START}\n"), Kind::LineEnd),
        (format!("{START}\r"), Kind::NoEnd),
        (format!("{START}X: a\rb\r\n\r\n"), Kind::LineEnd),
        (format!("{START}X: a\nY: b\r\n\r\n"), Kind::LineEnd),
        (format!("{START}X: a\0\r\n\r\n"), Kind::Nul),
        (format!("{START}X\r\n\r\n"), Kind::HeaderLine),
        (format!("{START}: x\r\n\r\n"), Kind::HeaderLine),
        (format!("{START}X Y: x\r\n\r\n"), Kind::HeaderLine),
        (format!("{START}X\r\n : x\r\n\r\n"), Kind::HeaderLine),
        (format!("{START}J\u{fc}: x\r\n\r\n"), Kind::HeaderLine),
        (START.replacen("\r\n", "\r\n folded\r\n", 1) + "\r\n", Kind::HeaderLine),
        (START.replacen("2.0", "3.0", 1) + "\r\n", Kind::Version),
        (START.replacen("2.0", "2", 1) + "\r\n", Kind::StartLine),
        (START.replacen("sip:h ", "sip:h  ", 1) + "\r\n", Kind::StartLine),
        (START.replacen("OPTIONS", "OPT@IONS", 1) + "\r\n", Kind::StartLine),
        (missing("Via") + "\r\n", Kind::Missing(HeaderName::Via)),
        (missing("From") + "\r\n", Kind::Missing(HeaderName::From)),
        (missing("To") + "\r\n", Kind::Missing(HeaderName::To)),
        (missing("Call-ID") + "\r\n", Kind::Missing(HeaderName::CallId)),
        (missing("CSeq") + "\r\n", Kind::Missing(HeaderName::CSeq)),
        (START.replacen("1 OPTIONS", "1 INVITE", 1) + "\r\n", Kind::CSeq),
        (format!("{START}t: <sip:x>\r\n\r\n"), Kind::Duplicate(HeaderName::To)),
        (format!("{START}Expires: 1\r\nexpires: 1\r\n\r\n"), Kind::Duplicate(HeaderName::Expires)),
    ];
    for (text, expected) in table {
        assert_eq!(kind(&text), Some(expected), "{text:?}");
    }
}

/// Time in proportion: a thousand times the bytes must not take a million times as long. Counted in the bytes
/// that a hostile sender can pack into one head, and given minutes of head-room, so that it never fails by chance.
#[test]
#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn sec_22_no_quadratic_corner() {
    let room = MAX_HEAD_BYTES - START.len() - 40;
    let shapes = [
        format!("Contact: {}", ",".repeat(room)),
        format!("Contact: <sip:a>{}", ";a".repeat(room / 2)),
        format!("Contact: {}", "\"".repeat(room)),
        format!("Contact: {}", "<".repeat(room)),
        format!("Contact: \"{}", "\\".repeat(room)),
        format!("Contact: {}", "<sip:a>,".repeat(room / 8)),
        format!("X:{}", "\r\n ".repeat(room / 3)),
        "Via: a\r\n".repeat(200),
        format!("Authorization: Digest {}", "a=1,".repeat(room / 4)),
    ];
    let start = std::time::Instant::now();
    for shape in &shapes {
        let text = format!("{START}{}\r\n\r\n", shape.trim_end());
        let Ok(message) = Message::parse(text.as_bytes()) else { panic!("{:?}", kind(&text)) };
        for _ in 0..20 {
            let _ = message.check();
            for &name in HeaderName::KNOWN {
                let _ = (message.values(name).count(), message.addresses(name).count());
                let _ = message.credentials(name).count();
            }
        }
    }
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn sec_22_a_stream_is_bounded() {
    let endless = format!("{START}Subject: {}", "x".repeat(MAX_HEAD_BYTES));
    assert_eq!(frame(endless.as_bytes()), Frame::Invalid(FrameError::HeadTooLong));
    let promise = format!("{START}Content-Length: {MAX_MESSAGE_BYTES}\r\n\r\n");
    assert_eq!(frame(promise.as_bytes()), Frame::Invalid(FrameError::BodyTooLong));
}
