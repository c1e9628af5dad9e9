//! Tables for URIs, many from RFC 3261 section 19.1 and RFC 4475.

use super::*;

#[test]
fn parts() {
    let uri = Uri::parse("sips:al%69ce:secret@[2001:db8::1]:5061;transport=tcp;lr?subject=a%20b&priority=x")
        .expect("sound");
    assert_eq!(uri.scheme, Scheme::Sips);
    assert_eq!(uri.user, Some("al%69ce"));
    assert_eq!(uri.user_decoded().as_deref(), Some("alice"));
    assert_eq!(uri.password, Some("secret"));
    assert_eq!(uri.host.to_string(), "[2001:db8::1]");
    assert_eq!(uri.port, Some(5061));
    assert_eq!(uri.param("Transport"), Some(Some("tcp")));
    assert_eq!(uri.param("lr"), Some(None));
    assert_eq!(uri.headers().collect::<Vec<_>>(), [("subject", "a%20b"), ("priority", "x")]);
    let tel = Uri::parse("tel:+1-201-555-0123;phone-context=example.com").expect("sound");
    assert_eq!((tel.scheme, tel.user), (Scheme::Tel, Some("+1-201-555-0123")));
    assert_eq!(tel.param("phone-context"), Some(Some("example.com")));
    let urn = Uri::parse("URN:service:sos.fire").expect("sound");
    assert_eq!((urn.scheme, urn.opaque), (Scheme::Urn, "service:sos.fire"));
}

#[test]
fn verdicts() {
    let table: &[(&str, bool)] = &[
        ("sip:example.com", true),
        ("SIP:example.com", true),
        ("sip:*72#@pbx", true),
        ("sip:j\u{fc}rgen@pbx", true),
        (
            "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
            true,
        ),
        ("sip:sips%3Auser%40example.com@example.net", true),
        ("sip:null-%00-null@example.com", true),
        ("sip:user;par=u%40example.net@example.com", true),
        ("sip:u@h;", true),
        ("sip:u@h;;lr", true),
        ("soap.beep://192.0.2.103:3002", true),
        ("nobodyKnowsThisScheme:totallyopaquecontent", true),
        ("sip:[2001:db8::10:5070]", true),
        ("sip:2001:db8::10", false),
        ("sip:", false),
        ("sip:@h", false),
        ("sip:u@", false),
        ("sip:u@h:", false),
        ("sip:u@h:0", false),
        ("sip:u@h:65536", false),
        ("sip:u@h:5060x", false),
        ("sip:u@a@h", false),
        ("sip:u@h;a=b@c", false),
        ("sip:u%4@h", false),
        ("sip:u%zz@h", false),
        ("sip:u%ff@h", false),
        ("sip:u v@h", false),
        ("sip:u@h;=1", false),
        ("sip:\"u\"@h", false),
        ("sip", false),
        (":x", false),
        ("1sip:x", false),
        ("tel:", false),
        ("tel:;a=b", false),
    ];
    for (text, sound) in table {
        assert_eq!(Uri::parse(text).is_ok(), *sound, "{text:?}");
    }
    let many = format!("sip:h{}", ";a".repeat(MAX_PARAMS + 1));
    assert!(Uri::parse(&many).is_err());
}

/// RFC 3261 section 19.1.4.
#[test]
fn equivalence() {
    let equal = [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
    ];
    let different = [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@b", "sips:a@b"),
        ("sip:a@b", "sip:b"),
    ];
    for (pairs, expected) in [(&equal[..], true), (&different[..], false)] {
        for (a, b) in pairs {
            let (a, b) = (Uri::parse(a).expect("sound"), Uri::parse(b).expect("sound"));
            assert_eq!(a.equivalent(&b), expected, "{a:?} {b:?}");
            assert_eq!(b.equivalent(&a), expected, "{b:?} {a:?}");
            assert!(a.equivalent(&a));
        }
    }
}
