//! How long one relayed packet takes: `cargo run --release -p media --example relay_speed [legs]`.
//!
//! Legs are visited in turn, as on a busy worker, so the figure includes their cache misses.

use clock::Mono;
use media::order::{AcceptFrom, LegKey, MediaOrder, Protection, SendTo, Source, StreamIdentity};
use media::{Codec, Engine, Kind, Payload, Sounds};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use wire::rtp::Header;

const PACKETS: u64 = 10_000_000;

fn address(leg: u64) -> SocketAddr {
    SocketAddr::from(([10, 0, (leg >> 8) as u8, leg as u8], 4000))
}

fn order(leg: u64) -> MediaOrder {
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
        accept: AcceptFrom::Exact(address(leg).ip()),
        protection: Protection::Clear,
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
    (0..legs).for_each(|leg| engine.apply(Mono(0), order(leg)));
    let mut packet = [0_u8; 172];
    let mut forwarded = 0_u64;
    let start = Instant::now();
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
        let now = Mono(turn * 20_000 + leg);
        forwarded +=
            u64::from(engine.receive(now, LegKey(leg), Kind::Rtp, address(leg), &mut packet, 172).is_some());
    }
    let spent = start.elapsed().as_nanos() as f64 / PACKETS as f64;
    assert_eq!(forwarded, PACKETS);
    println!("{legs} legs: {spent:.0} ns a packet");
}
