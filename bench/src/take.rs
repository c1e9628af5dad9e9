//! `loadgen take`: how long it takes from a tap to the INVITE that it sends to the phone there, while many other calls are up.
//!
//! A phone rings and is let ring; its owner's badge is held to the reader at another phone; the time runs from before the
//! request is written until the other phone's INVITE is read. That phone answers, and the next pair has its turn: a pair comes
//! again only when its taps are far enough apart for both to count.

use crate::Failure;
use crate::arguments::Arguments;
use crate::caller::FOREVER;
use crate::phones::{Load, Phones};
use crate::tally::Tally;
use crate::taps::{connect, read_answer, request};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How fast phones register, and calls begin, before the taps.
const REGISTERING: f64 = 2_000.0;
const CALLING: f64 = 400.0;
/// How long a call is up that was taken.
const TALK: Duration = Duration::from_millis(40);
/// For a phone to ring.
const PATIENCE: Duration = Duration::from_secs(3);

struct Reader {
    key: String,
    uid: String,
    stream: TcpStream,
}

impl Reader {
    fn of(line: &str, server: SocketAddr) -> Result<Reader, Failure> {
        let (key, uid) = line.split_once(' ').ok_or_else(|| format!("no reader: {line}"))?;
        Ok(Reader { key: key.into(), uid: uid.trim().into(), stream: Reader::connect(server)? })
    }

    fn connect(server: SocketAddr) -> Result<TcpStream, Failure> {
        connect(IpAddr::V4(Ipv4Addr::LOCALHOST), server)
    }

    fn tell(&mut self, server: SocketAddr, tap: u32) -> std::io::Result<()> {
        let body = format!("{{\"id\":\"take-{tap}\",\"uid\":\"{}\"}}", self.uid);
        self.stream.write_all(request(server, &self.key, &body).as_bytes())
    }
}

/// `--calls` calls that stay up, then `--taps` taps by the readers of `--readers FILE`: line by line key and UID, for the phones
/// after those that talk, in pairs of the one that rings and the one that takes.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (calls, taps): (u32, u32) = (arguments.must("calls")?, arguments.must("taps")?);
    let server: SocketAddr = arguments.must("http")?;
    let lines = std::fs::read_to_string(arguments.text("readers").ok_or("--readers is missing")?)?;
    let mut readers: Vec<Reader> =
        lines.lines().map(|line| Reader::of(line, server)).collect::<Result<_, _>>()?;
    let pairs = u32::try_from(readers.len())?;
    let mut phones = Phones::new(arguments, false)?;
    phones.register_all(REGISTERING)?;
    phones.callers.hold = FOREVER;
    phones.call_these((0..calls).collect());
    phones.run(Load::Calls, CALLING, f64::from(calls) / CALLING, calls)?;
    phones.settle(Duration::from_secs(2))?;
    let up = phones.callers.up;
    phones.callers.hold = TALK;
    phones.callees.only_ring = (0..pairs).map(|pair| calls + 2 * pair).collect();
    let mut tally = Tally::default();
    for tap in 0..taps {
        let pair = tap % pairs;
        let reader = readers.get_mut(pair as usize).ok_or("no reader")?;
        take(&mut phones, reader, server, (calls + 2 * pair, tap), &mut tally)?;
    }
    phones.settle(Duration::from_millis(500))?;
    let (again, others) = (phones.tally.again, phones.tally.failed + phones.tally.timed_out);
    phones.hang_up();
    phones.finish(Duration::from_secs(12))?;
    tally.failed += others;
    println!("{{{},\"up\":{up},\"sent_again\":{again}}}", tally.json());
    Ok(())
}

/// One call that rings at `phone` and is taken by the tap at the next.
fn take(
    phones: &mut Phones,
    reader: &mut Reader,
    server: SocketAddr,
    (phone, tap): (u32, u32),
    tally: &mut Tally,
) -> Result<(), Failure> {
    tally.begun += 1;
    phones.call_these(vec![phone]);
    phones.run(Load::Calls, 1_000.0, 0.001, 1)?;
    if phones.wait_until_it_rings(phone, PATIENCE)?.is_none() {
        tally.timed_out += 1;
        return Ok(());
    }
    // Long silent since its last tap: the server may have closed it.
    reader.stream = Reader::connect(server)?;
    // As long as somebody needs to get there, a little.
    phones.settle(Duration::from_millis(20))?;
    let began = phones.now();
    reader.tell(server, tap)?;
    match phones.wait_until_it_rings(phone + 1, PATIENCE)? {
        Some(rang) => {
            tally.done += 1;
            tally.took(u64::try_from(rang.since(began).as_micros())?);
        }
        None => tally.timed_out += 1,
    }
    let answer = read_answer(&mut reader.stream)?;
    if !answer.starts_with("HTTP/1.1 200") || !answer.contains("\"what\":\"ringing\"") {
        tally.failed += 1;
        tally.status = answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
    }
    phones.settle(TALK + Duration::from_millis(10))
}
