//! A real browser's ClientHello, as it came over the wire: two fragments, in any order, more than once.
//!
//! ```text
//! browser                                          we
//! ClientHello, fragments 0 and 1   ------------->
//!                                  <-------------  ServerHello and the rest of its flight
//! ```

use super::*;

/// A type of handshake messages (RFC 5246 7.4).
const SERVER_HELLO: u8 = 2;
/// Octets of a record's header, and of the handshake's behind it (RFC 6347 4.1, 4.2.2).
const RECORD: usize = 13;
const HANDSHAKE: usize = 12;

type Order = fn([Vec<u8>; 2]) -> Vec<Vec<u8>>;
const ORDERS: [(&str, Order); 4] = [
    ("in order", |[first, second]| vec![first, second]),
    ("reversed", |[first, second]| vec![second, first]),
    ("each twice", |[first, second]| vec![first.clone(), first, second.clone(), second]),
    ("reversed and twice", |[first, second]| vec![second.clone(), first.clone(), second, first]),
];

/// The two datagrams; what they are says the file.
fn captured() -> [Vec<u8>; 2] {
    let text = include_str!("../samples/chromium-client-hello.hex");
    let datagrams: Vec<Vec<u8>> = text
        .split("\n\n")
        .filter(|paragraph| !paragraph.starts_with('#'))
        .map(|paragraph| {
            let digits: String = paragraph.split_whitespace().collect();
            let octet = |place| u8::from_str_radix(&digits[place..place + 2], 16).unwrap();
            (0..digits.len()).step_by(2).map(octet).collect()
        })
        .collect();
    datagrams.try_into().unwrap()
}

/// A browser that has passed its check and has said nothing of DTLS.
fn checked() -> World {
    let mut world = World::new(|_| ());
    world.tamper = |datagram| {
        if demultiplex(datagram) == Demultiplexed::Dtls { vec![] } else { vec![datagram.to_vec()] }
    };
    world.run(500);
    world
}

/// What the hub answers, by the type of the first handshake message of each datagram.
fn say(world: &mut World, datagrams: &[Vec<u8>]) -> Vec<u8> {
    for datagram in datagrams {
        world.hub.receive(world.now, theirs(), datagram);
    }
    let handshake = |output| match output {
        Output::Send(to, bytes) if to == theirs() && bytes.first() == Some(&22) => Some(bytes[RECORD]),
        _ => None,
    };
    world.hub.outputs().filter_map(handshake).collect()
}

#[test]
fn r15_the_hello_is_that_of_a_browser_of_today() {
    let [first, second] = captured();
    assert_eq!((first.len(), second.len()), (RECORD + HANDSHAKE + 1175, RECORD + HANDSHAKE + 238));
    let body = [&first[RECORD + HANDSHAKE..], &second[RECORD + HANDSHAKE..]].concat();
    let holds = |wanted: &[u8]| body.windows(wanted.len()).any(|window| window == wanted);
    // RFC 8446 4.2.1: supported_versions, DTLS 1.3 before 1.2; 4.2.8: a key share of the group 0x11ec, 1216 octets.
    assert!(holds(&[0, 43, 0, 5, 4, 0xfe, 0xfc, 0xfe, 0xfd]) && holds(&[0x11, 0xec, 0x04, 0xc0]));
}

#[test]
fn r15_chromium_s_hello_is_put_together_in_any_order_and_the_handshake_goes_on() {
    for (name, order) in ORDERS {
        let mut world = checked();
        let answers = say(&mut world, &order(captured()));
        assert!(answers.contains(&SERVER_HELLO), "{name}: {answers:?}");
        let counters = world.hub.counters();
        assert_eq!((counters.closed, counters.panicked), (0, 0), "{name}");
    }
}

#[test]
fn r15_half_a_hello_gets_no_answer_and_the_other_half_completes_it_later() {
    let [first, second] = captured();
    for (early, late) in [(first.clone(), second.clone()), (second, first)] {
        let mut world = checked();
        assert!(say(&mut world, &[early.clone(), early]).is_empty());
        world.run(1_000);
        assert!(!say(&mut world, &[late]).is_empty());
    }
}
