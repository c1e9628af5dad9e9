//! `loadgen parse`: what reading a 687-byte INVITE costs.

use crate::Failure;
use crate::counting::asked;
use std::hint::black_box;
use std::time::Instant;
use wire::sip::Message;

const OCTETS: usize = 687;
const ROUNDS: u32 = 200_000;

/// The best of several runs, so that a busy machine shows least.
pub(crate) fn run() -> Result<(), Failure> {
    let bytes = invite();
    let before = asked();
    black_box(Message::parse(black_box(&bytes))).map_err(|_| "our own INVITE cannot be read")?;
    let allocations = (asked() - before).times;
    let runs = (0..15).map(|_| {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            let _ = black_box(Message::parse(black_box(&bytes)));
        }
        start.elapsed().as_nanos() as f64 / f64::from(ROUNDS)
    });
    let best = runs.fold(f64::MAX, f64::min);
    println!("{{\"nanoseconds\":{best:.1},\"allocations\":{allocations},\"octets\":{}}}", bytes.len());
    Ok(())
}

fn invite() -> Vec<u8> {
    let head = "INVITE sip:bob@biloxi.example.com SIP/2.0\r\n\
        Via: SIP/2.0/UDP pc33.atlanta.example.com:5060;branch=z9hG4bK776asdhds;rport\r\n\
        Max-Forwards: 70\r\n\
        To: Bob <sip:bob@biloxi.example.com>\r\n\
        From: \"Alice\" <sip:alice@atlanta.example.com>;tag=1928301774\r\n\
        Call-ID: a84b4c76e66710@pc33.atlanta.example.com\r\n\
        CSeq: 314159 INVITE\r\n\
        Contact: <sip:alice@pc33.atlanta.example.com:5060>\r\n\
        Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE\r\n\
        Supported: replaces, timer, 100rel\r\n\
        User-Agent: Test Phone 1.0\r\n\
        Content-Type: application/sdp\r\n";
    let length = OCTETS - head.len() - "Content-Length: 151\r\n\r\n".len();
    let sdp = "v=0\r\no=alice 53655765 2353687637 IN IP4 192.0.2.101\r\ns=-\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n\
         m=audio 3456 RTP/AVP 0\r\n";
    format!("{head}Content-Length: {length}\r\n\r\n{sdp:x<length$}").into_bytes()
}
