//! How long one relayed packet takes: `cargo run --release -p media --example relay_speed [legs [srtp]]`.
//!
//! With `srtp` each pair is a leg under SRTP and one in clear, so half of the packets are opened and half are closed.
//!
//! Legs are visited in turn, as on a busy worker, so the figure includes their cache misses.

use clock::Mono;
use media::order::{AcceptFrom, LegKey, MediaOrder, Protection, SendTo, Source, StreamIdentity};
use media::srtp::{MasterKey, OVERHEAD_MAX, Sender, SrtpKeys, Suite};
use media::{Codec, Engine, Kind, Payload, Sounds};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wire::rtp::Header;

const PACKETS: u64 = 10_000_000;

fn address(leg: u64) -> SocketAddr {
    SocketAddr::from(([10, 0, (leg >> 8) as u8, leg as u8], 4000))
}

fn key(seed: u64) -> MasterKey {
    MasterKey::new(Suite::Sha1Tag80, [seed as u8; MasterKey::LEN])
}

/// With `srtp` every even leg is under keys, and every odd one in clear.
fn order(leg: u64, srtp: bool) -> MediaOrder {
    let payload = Payload { number: 8, codec: Codec::PCMA };
    let send = SendTo {
        remote: address(leg),
        rtcp: None,
        rtcp_mux: true,
        payload: payload.clone(),
        also: Vec::new(),
        telephone_event: None,
        ptime_ms: 20,
    };
    MediaOrder {
        leg: LegKey(leg),
        epoch: 1,
        send: Some(send),
        accept: if srtp && leg.is_multiple_of(2) {
            AcceptFrom::Authentic
        } else {
            AcceptFrom::Exact(address(leg).ip())
        },
        protection: if srtp && leg.is_multiple_of(2) {
            Protection::Srtp(Box::new(SrtpKeys { send: key(leg), receive: key(leg + 1) }))
        } else {
            Protection::Clear
        },
        receive: vec![payload],
        source: Source::Leg(LegKey(leg ^ 1)),
        identity: StreamIdentity { ssrc: 7, first_sequence: 1, first_timestamp: 1, cname: "bench".into() },
        events: false,
    }
}

#[expect(clippy::disallowed_methods, reason = "it measures time and decides nothing by it")]
fn main() {
    let legs: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2000) / 2 * 2;
    let mut engine = Engine::new(Arc::new(Sounds::built_in()));
    let srtp = std::env::args().nth(2).is_some_and(|text| text == "srtp");
    (0..legs).for_each(|leg| engine.apply(Mono(0), order(leg, srtp)));
    let mut packet = [0_u8; 172 + OVERHEAD_MAX];
    // What phones under keys send is made before the clock runs.
    let mut senders: Vec<_> = (0..legs).map(|leg| Sender::new(&key(leg + 1))).collect();
    let mut spent = Duration::ZERO;
    let mut forwarded = 0_u64;
    for n in 0..PACKETS {
        let (leg, turn) = (n % legs, n / legs);
        let header = Header {
            marker: false,
            payload_type: 8,
            sequence: turn as u16,
            timestamp: turn as u32 * 160,
            ssrc: leg as u32,
        };
        packet[..12].copy_from_slice(&header.to_bytes());
        let length = match &mut senders[leg as usize] {
            sender if srtp && leg.is_multiple_of(2) => sender.protect(&mut packet, 172).unwrap_or_default(),
            _ => 172,
        };
        let now = Mono(turn * 20_000 + leg);
        let start = Instant::now();
        forwarded += u64::from(
            engine.receive(now, LegKey(leg), Kind::Rtp, address(leg), &mut packet, length).is_some(),
        );
        spent += start.elapsed();
    }
    let spent = spent.as_nanos() as f64 / PACKETS as f64;
    assert_eq!(forwarded, PACKETS);
    println!("{legs} legs: {spent:.0} ns a packet");
}
