//! A browser in the shape of str0m itself, and what strangers throw at the port (R15, RFC 7983).

mod hello;

use super::*;
use crate::order::{AcceptFrom, LegKey, MediaOrder, Protection, Source, StreamIdentity};
use clock::Mono;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::media::{MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, SeqNo, Ssrc};
use str0m::{Candidate, Event, IceCreds, Input, Rtc, RtcConfig};
use wire::stun::{Demultiplexed, demultiplex};

const LEG: LegKey = LegKey(7);
const OUR_SSRC: u32 = 0xaaaa;
const THEIR_SSRC: u32 = 0xbbbb;

fn ours() -> SocketAddr {
    "192.0.2.1:10000".parse().unwrap()
}

fn theirs() -> SocketAddr {
    "198.51.100.7:20000".parse().unwrap()
}

fn stranger() -> SocketAddr {
    "203.0.113.66:6000".parse().unwrap()
}

fn certificate() -> str0m::config::DtlsCert {
    str0m::crypto::from_feature_flags().dtls_provider.generate_certificate().unwrap()
}

fn named(name: &str) -> Credentials {
    Credentials::parse(&format!("{name}name"), &format!("{name}passwordpasswordpassword")).unwrap()
}

fn creds(of: &Credentials) -> IceCreds {
    IceCreds { ufrag: of.fragment.to_string(), pass: of.password.to_string() }
}

/// Both ends, the clock, and the wire between them.
struct World {
    hub: Hub,
    browser: Rtc,
    at: SocketAddr,
    now: Mono,
    start: Instant,
    epoch: u32,
    link: WebrtcLink,
    connected: bool,
    heard_by_browser: Vec<(u16, Vec<u8>)>,
    heard_by_us: Vec<Vec<u8>>,
    /// What the browser sent, if it is to be kept.
    sent: Vec<Vec<u8>>,
    /// Looks at each datagram of the browser; what it returns is delivered in its place.
    tamper: fn(&[u8]) -> Vec<Vec<u8>>,
    reports: usize,
    written: u64,
}

#[expect(
    clippy::disallowed_methods,
    reason = "str0m wants some instant to count from; time itself is simulated"
)]
fn some_instant() -> Instant {
    Instant::now()
}

impl World {
    fn new(change: impl FnOnce(&mut WebrtcLink)) -> World {
        let start = some_instant();
        let (mine, yours) = (certificate(), certificate());
        let identity = Identity::new(mine.certificate, mine.private_key);
        let print = Identity::new(yours.certificate.clone(), Vec::new()).fingerprint();
        let mut link = WebrtcLink {
            local: named("ours"),
            remote: named("their"),
            fingerprint: print,
            active: false,
            sources: Vec::new(),
        };
        let mut browser = RtcConfig::new()
            .set_crypto_provider(std::sync::Arc::new(str0m::crypto::from_feature_flags()))
            .set_dtls_cert(yours)
            .set_rtp_mode(true)
            .build(start);
        browser.add_local_candidate(Candidate::host(theirs(), Protocol::Udp).unwrap());
        browser.add_remote_candidate(Candidate::host(ours(), Protocol::Udp).unwrap());
        let mut api = browser.direct_api();
        api.set_ice_controlling(true);
        api.set_local_ice_credentials(creds(&link.remote));
        api.set_remote_ice_credentials(creds(&link.local));
        api.set_remote_fingerprint(str0m::config::Fingerprint {
            hash_func: "sha-256".into(),
            bytes: identity.fingerprint().0.to_vec(),
        });
        api.start_dtls(true).unwrap();
        let mid = Mid::from("0");
        api.declare_media(mid, MediaKind::Audio);
        api.declare_stream_tx(Ssrc::from(THEIR_SSRC), None, mid, None);
        api.expect_stream_rx(Ssrc::from(OUR_SSRC), None, mid, None);
        change(&mut link);
        let now = Mono(5_000_000);
        let mut world = World {
            hub: Hub::new(identity, ours(), now, start),
            browser,
            at: theirs(),
            now,
            start,
            epoch: 0,
            link,
            connected: false,
            heard_by_browser: Vec::new(),
            heard_by_us: Vec::new(),
            sent: Vec::new(),
            tamper: |datagram| vec![datagram.to_vec()],
            reports: 0,
            written: 0,
        };
        world.order();
        world
    }

    fn connected() -> World {
        let mut world = World::new(|_| ());
        world.run(1_500);
        assert!(world.connected, "{:?}", world.hub.counters());
        world
    }

    fn order(&mut self) {
        self.epoch += 1;
        let order = MediaOrder {
            leg: LEG,
            epoch: self.epoch,
            send: None,
            accept: AcceptFrom::Checked,
            protection: Protection::Webrtc(Box::new(self.link.clone())),
            receive: Vec::new(),
            source: Source::Nothing,
            identity: StreamIdentity {
                ssrc: OUR_SSRC,
                first_sequence: 1,
                first_timestamp: 0,
                cname: "x".into(),
            },
            events: false,
        };
        self.hub.apply(self.now, &order);
    }

    fn instant(&self) -> Instant {
        self.start + self.now.since(Mono(5_000_000))
    }

    fn run(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds / 10 {
            self.now = self.now + Duration::from_millis(10);
            let at = self.instant();
            let _ = self.browser.handle_input(Input::Timeout(at));
            self.exchange();
            self.hub.tick(self.now);
            self.exchange();
        }
    }

    /// Carries datagrams until both are silent.
    fn exchange(&mut self) {
        for _ in 0..64 {
            let sent = self.browser_says();
            for datagram in &sent {
                for datagram in (self.tamper)(datagram) {
                    self.hub.receive(self.now, self.at, &datagram);
                }
            }
            if self.deliver() == 0 && sent.is_empty() {
                break;
            }
        }
    }

    fn browser_says(&mut self) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        while let Ok(output) = self.browser.poll_output() {
            match output {
                str0m::Output::Timeout(_) => break,
                str0m::Output::Transmit(send) => sent.push(send.contents.to_vec()),
                str0m::Output::Event(Event::Connected) => self.connected = true,
                str0m::Output::Event(Event::RtpPacket(packet)) => {
                    self.heard_by_browser.push((packet.header.sequence_number, packet.payload.to_vec()));
                }
                str0m::Output::Event(_) => {}
            }
        }
        self.sent.extend(sent.iter().cloned());
        sent
    }

    /// Gives the browser what the hub sent to it; how much there was.
    fn deliver(&mut self) -> usize {
        let outputs: Vec<Output> = self.hub.outputs().collect();
        let at = self.instant();
        let count = outputs.len();
        for output in outputs {
            match output {
                Output::Send(to, bytes) if to == self.at => {
                    let receive = Receive::new(Protocol::Udp, ours(), theirs(), &bytes).unwrap();
                    let _ = self.browser.handle_input(Input::Receive(at, receive));
                }
                Output::Send(..) => {}
                Output::Packet { leg, bytes, .. } => {
                    assert_eq!(leg, LEG);
                    self.heard_by_us.push(bytes);
                }
                Output::Report { .. } => self.reports += 1,
            }
        }
        count
    }

    /// The browser speaks and so do we; how many packets of how many came through, here and there.
    fn talk(&mut self, packets: u16) -> (usize, usize) {
        self.heard_by_us.clear();
        self.heard_by_browser.clear();
        for _ in 0..packets {
            self.written += 1;
            let (count, now) = (self.written, self.instant());
            let mut api = self.browser.direct_api();
            let stream = api.stream_tx(&Ssrc::from(THEIR_SSRC)).unwrap();
            let write =
                RtpWrite::new(Pt::from(111), SeqNo::from(count), count as u32 * 960, now, vec![1, 2, 3]);
            stream.write_rtp(write);
            let header = wire::rtp::Header {
                payload_type: 111,
                sequence: count as u16,
                timestamp: count as u32 * 960,
                ssrc: OUR_SSRC,
                marker: false,
            };
            let packet = [&header.to_bytes()[..], &[4, 5, 6]].concat();
            self.hub.send(self.now, LEG, &packet);
            self.run(20);
        }
        (self.heard_by_us.len(), self.heard_by_browser.len())
    }
}

#[test]
fn r15_a_browser_connects_and_talks_both_ways() {
    let mut world = World::connected();
    assert_eq!(world.talk(50), (50, 50));
    assert!(world.heard_by_us[0].ends_with(&[1, 2, 3]));
    assert_eq!(wire::rtp::Packet::parse(&world.heard_by_us[0]).unwrap().header.ssrc, THEIR_SSRC);
    assert_eq!(world.heard_by_browser[0].1, [4, 5, 6]);
    world.talk(700);
    assert!(world.reports > 0, "RTCP goes both ways");
    assert_eq!(world.hub.counters().connected, 1);
    // The numbering wraps; a repeated order disturbs nothing.
    world.order();
    assert_eq!(world.talk(20), (20, 20));
    world.hub.release(LEG);
    assert!(world.hub.is_empty());
    assert_eq!(world.talk(5).0, 0);
}

#[test]
fn sec_05_a_wrong_fingerprint_gets_no_media() {
    let mut world = World::new(|link| link.fingerprint = Fingerprint([1; 32]));
    world.run(3_000);
    assert_eq!(world.talk(20), (0, 0));
    assert_eq!(world.hub.counters().closed, 1);
    // All else being the same, the right one does.
    let mut right = World::connected();
    assert_eq!(right.talk(5), (5, 5));
}

#[test]
fn sec_05_a_wrong_password_gets_no_answer() {
    let mut world = World::new(|link| {
        link.local = Credentials::parse(&link.local.fragment, "anotherpasswordanotherpassword").unwrap();
    });
    world.run(3_000);
    assert_eq!(world.talk(20), (0, 0));
    let counters = world.hub.counters();
    assert!(counters.stun_refused > 0 && counters.connected == 0, "{counters:?}");
}

#[test]
fn sec_05_a_check_without_integrity_gets_no_answer() {
    let mut world = World::new(|_| ());
    world.tamper = |datagram| {
        if demultiplex(datagram) != Demultiplexed::Stun {
            return vec![datagram.to_vec()];
        }
        // MESSAGE-INTEGRITY and FINGERPRINT are the last 24 and 8 bytes.
        let mut cut = datagram[..datagram.len() - 32].to_vec();
        let length = (cut.len() - 20) as u16;
        cut[2..4].copy_from_slice(&length.to_be_bytes());
        vec![cut]
    };
    world.run(3_000);
    assert_eq!(world.talk(20), (0, 0));
    let counters = world.hub.counters();
    assert!(counters.stun_unknown > 0 && counters.connected == 0, "{counters:?}");
}

#[test]
fn sec_04_dtls_and_rtp_from_an_unchecked_address_are_dropped() {
    let mut world = World::new(|_| ());
    // All that the browser sends but STUN comes from elsewhere.
    world.run(50);
    let hello: Vec<Vec<u8>> = {
        let mut probe = World::connected();
        probe.talk(3);
        probe.sent.iter().filter(|sent| demultiplex(sent) != Demultiplexed::Stun).cloned().collect()
    };
    assert!(hello.len() > 4);
    for datagram in &hello {
        world.hub.receive(world.now, stranger(), datagram);
    }
    let counters = world.hub.counters();
    assert!(counters.dtls_unchecked > 0 && counters.rtp_unchecked > 0, "{counters:?}");
    assert_eq!(
        world.hub.outputs().filter(|o| matches!(o, Output::Send(to, _) if *to == stranger())).count(),
        0
    );
    world.run(2_000);
    assert!(world.connected);
    assert_eq!(world.talk(10), (10, 10), "the call is unharmed");
}

#[test]
fn sec_04_floods_from_elsewhere_leave_the_call_unharmed() {
    let mut world = World::connected();
    let stun: Vec<Vec<u8>> =
        world.sent.iter().filter(|sent| demultiplex(sent) == Demultiplexed::Stun).cloned().collect();
    let dtls: Vec<Vec<u8>> =
        world.sent.iter().filter(|sent| demultiplex(sent) == Demultiplexed::Dtls).cloned().collect();
    let mut heard = 0;
    for round in 0..50_u8 {
        for flood in stun.iter().chain(&dtls) {
            let mut bent = flood.clone();
            let place = usize::from(round) % bent.len();
            bent[place] ^= 0x40;
            if demultiplex(&bent) == Demultiplexed::Stun && bent.len() > 40 {
                let end = bent.len() - 12;
                bent[end] ^= 1;
            }
            world.hub.receive(world.now, stranger(), &bent);
        }
        for length in 0..40 {
            world.hub.receive(world.now, stranger(), &vec![round; length]);
        }
        let (us, browser) = world.talk(2);
        heard += us + browser;
    }
    assert_eq!(heard, 200, "{:?}", world.hub.counters());
    let counters = world.hub.counters();
    assert!(
        counters.stun_unknown + counters.stun_refused > 50 && counters.dtls_unchecked > 50,
        "{counters:?}"
    );
    assert_eq!((counters.closed, counters.panicked), (0, 0));
}

#[test]
fn sec_06_replayed_and_bent_srtp_is_not_heard() {
    let mut world = World::connected();
    world.sent.clear();
    assert_eq!(world.talk(10), (10, 10));
    let rtp: Vec<Vec<u8>> = world
        .sent
        .iter()
        .filter(|sent| demultiplex(sent) == Demultiplexed::Rtp && !wire::rtcp::is_rtcp(sent))
        .cloned()
        .collect();
    assert_eq!(rtp.len(), 10);
    world.heard_by_us.clear();
    for packet in &rtp {
        world.hub.receive(world.now, theirs(), packet);
        let mut bent = packet.clone();
        bent[3] = bent[3].wrapping_add(100);
        world.hub.receive(world.now, theirs(), &bent);
    }
    world.exchange();
    assert_eq!(world.heard_by_us.len(), 0, "neither twice nor bent");
    assert_eq!(world.talk(10), (10, 10));
}

#[test]
fn sec_06_forged_sources_do_not_keep_the_right_one_out() {
    let mut world = World::connected();
    assert_eq!(world.talk(5), (5, 5));
    for source in 0..100_u32 {
        let header = wire::rtp::Header { payload_type: 111, ssrc: source, sequence: 9, ..Default::default() };
        let packet = [&header.to_bytes()[..], &[0; 40]].concat();
        world.hub.receive(world.now, theirs(), &packet);
    }
    assert_eq!(world.talk(5), (5, 5));
}

#[test]
fn sec_06_what_dtls_cannot_read_is_dropped_and_the_call_goes_on() {
    let mut world = World::connected();
    for kind in 20..64_u8 {
        for length in [1, 12, 13, 14, 40, 1200] {
            world.hub.receive(world.now, theirs(), &vec![kind; length]);
            let mut record = vec![kind, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0];
            record.extend((length as u16).to_be_bytes());
            record.resize(13 + length, kind);
            world.hub.receive(world.now, theirs(), &record);
        }
    }
    world.run(200);
    assert_eq!(world.talk(20), (20, 20), "{:?}", world.hub.counters());
}

/// Cuts the first handshake message of a DTLS record into two fragments (RFC 9147 section 5.5), as browsers do whose
/// ClientHello carries a post-quantum key share.
fn fragment(datagram: &[u8]) -> Option<[Vec<u8>; 2]> {
    let is_hello = datagram.first() == Some(&22) && datagram.get(13) == Some(&1);
    let whole = is_hello && datagram.get(19..22) == Some(&[0, 0, 0][..]);
    let length = usize::from(u16::from_be_bytes([*datagram.get(11)?, *datagram.get(12)?]));
    if !whole || datagram.len() != 13 + length {
        return None;
    }
    let body = &datagram[25..];
    let cut = body.len() / 2;
    let piece = |number: u8, offset: usize, part: &[u8]| {
        let mut record = datagram[..25].to_vec();
        record[10] = record[10].wrapping_add(number);
        record[11..13].copy_from_slice(&((12 + part.len()) as u16).to_be_bytes());
        record[19..22].copy_from_slice(&(offset as u32).to_be_bytes()[1..]);
        record[22..25].copy_from_slice(&(part.len() as u32).to_be_bytes()[1..]);
        record.extend_from_slice(part);
        record
    };
    Some([piece(0, 0, &body[..cut]), piece(1, cut, &body[cut..])])
}

#[test]
fn r15_a_fragmented_hello_is_put_together_in_any_order() {
    type Order = fn(&[u8]) -> Vec<Vec<u8>>;
    let orders: [Order; 3] = [
        |datagram| fragment(datagram).map_or_else(|| vec![datagram.to_vec()], Vec::from),
        |datagram| {
            let Some([first, second]) = fragment(datagram) else { return vec![datagram.to_vec()] };
            vec![second, first]
        },
        |datagram| {
            let Some([first, second]) = fragment(datagram) else { return vec![datagram.to_vec()] };
            vec![second.clone(), first.clone(), second, first]
        },
    ];
    for (place, tamper) in orders.into_iter().enumerate() {
        let mut world = World::new(|_| ());
        world.tamper = tamper;
        world.run(4_000);
        assert!(world.connected, "order {place}: {:?}", world.hub.counters());
        assert!(world.sent.iter().any(|sent| fragment(sent).is_some()), "there was a hello to cut");
        assert_eq!(world.talk(5), (5, 5), "order {place}");
    }
}

#[test]
fn r15_a_browser_that_restarts_ice_from_elsewhere_goes_on() {
    let mut world = World::connected();
    assert_eq!(world.talk(5), (5, 5));
    (world.link.local, world.link.remote) = (named("second"), named("twice"));
    world.order();
    let mut api = world.browser.direct_api();
    api.set_local_ice_credentials(creds(&world.link.remote));
    api.set_remote_ice_credentials(creds(&world.link.local));
    world.at = "198.51.100.99:4242".parse().unwrap();
    world.run(6_000);
    assert_eq!(world.talk(20), (20, 20), "{:?}", world.hub.counters());
    assert_eq!(world.hub.counters().connected, 1, "the keys stayed");
}

#[test]
fn sec_06_a_panic_ends_the_media_of_one_leg_only() {
    let mut world = World::connected();
    world.hub.break_peer(LEG);
    world.run(20);
    assert_eq!(world.hub.counters().panicked, 1);
    let (us, browser) = world.talk(5);
    assert_eq!((us, browser), (0, 0));
    // The hub lives: a new order with other keys brings the leg back.
    world.link.fingerprint.0[0] ^= 1;
    world.order();
    world.run(20);
    assert_eq!(world.hub.counters().panicked, 1);
    assert!(world.hub.holds(LEG));
}
