//! What a 687-byte INVITE costs: no allocation ever, and a time that is printed and never judged here, because
//! it is the machine's (`cargo test -p wire --release --test speed -- --nocapture`).
#![expect(unsafe_code, reason = "a counting allocator is the only way to see allocations")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use wire::sip::{Contact, Message, Method, frame};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // The counter may be gone while a thread ends.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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
    let mut sdp = String::from(
        "v=0\r\no=alice 53655765 2353687637 IN IP4 192.0.2.101\r\ns=-\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n\
         m=audio 3456 RTP/AVP 0\r\n",
    );
    let length = |sdp: &str| head.len() + "Content-Length: 151\r\n\r\n".len() + sdp.len();
    while length(&sdp) < 687 {
        sdp.push('x');
    }
    format!("{head}Content-Length: {}\r\n\r\n{sdp}", sdp.len()).into_bytes()
}

/// Parses and reads what a server reads of every INVITE.
fn read(bytes: &[u8]) -> usize {
    let message = Message::parse(bytes).expect("sound");
    assert_eq!(message.method(), Method::Invite);
    let via = message.via().expect("sound");
    let from = message.from().expect("sound");
    let to = message.to().expect("sound");
    let call_id = message.call_id().expect("sound");
    let cseq = message.cseq().expect("sound");
    let Some(Ok(Contact::Addr(contact))) = message.contacts().next() else { panic!("no contact") };
    via.branch.map_or(0, str::len)
        + from.tag().map_or(0, str::len)
        + to.uri.len()
        + call_id.len()
        + cseq.number as usize
        + contact.uri.len()
}

#[test]
fn reading_an_invite_allocates_nothing() {
    let bytes = invite();
    assert_eq!(bytes.len(), 687);
    let before = ALLOCATIONS.with(Cell::get);
    black_box(read(black_box(&bytes)));
    assert_eq!(ALLOCATIONS.with(Cell::get), before);
}

/// Nanoseconds of one call: the best of several runs, so that a busy machine shows least.
#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn nanoseconds<T>(call: impl Fn() -> T) -> f64 {
    let rounds = if cfg!(debug_assertions) { 200 } else { 100_000 };
    let runs = (0..15).map(|_| {
        let start = std::time::Instant::now();
        for _ in 0..rounds {
            black_box(call());
        }
        start.elapsed().as_nanos() as f64 / f64::from(rounds)
    });
    runs.fold(f64::MAX, f64::min)
}

#[test]
fn nanoseconds_an_invite() {
    let bytes = invite();
    let parsed = nanoseconds(|| Message::parse(black_box(&bytes)));
    let read = nanoseconds(|| read(black_box(&bytes)));
    let framed = nanoseconds(|| frame(black_box(&bytes)));
    println!("687-byte INVITE: parsed in {parsed:.0} ns, with its typed views in {read:.0} ns");
    println!("687-byte INVITE: framed on a stream in {framed:.0} ns");
}
