//! `loadgen rtp`: calls that talk, through the exchange, rtpengine or the bare loop.

use crate::Failure;
use crate::arguments::Arguments;
use crate::callee::description;
use crate::caller::FOREVER;
use crate::ng::Ng;
use crate::phones::{Load, Phones};
use crate::rtp_legs::{Counts, Legs};
use crate::watch;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// Where our media ports begin; one run at a time.
const FIRST: u16 = 9_000;
const RATE: f64 = 200.0;

/// Sets `--calls` calls up by whatever the relay understands, then talks on both legs of each.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let calls: u32 = arguments.must("calls")?;
    let processes = arguments.processes()?;
    let mut legs = Legs::bind(FIRST)?;
    let mut phones = None;
    if let Some(server) = arguments.text("ng") {
        by_ng(server.parse()?, calls, &mut legs)?;
    } else if let Some(first) = arguments.text("bare") {
        by_ports(first.parse()?, calls, &mut legs)?;
    } else {
        phones = Some(by_sip(arguments, calls, &mut legs)?);
    }
    legs.talk(Duration::from_secs_f64(arguments.or("warm", 1.5)?))?;
    legs.listen(Duration::from_millis(200))?;
    legs.counts = Counts::default();
    let (before, start) = (watch::read(&processes), Instant::now());
    legs.talk(Duration::from_secs_f64(arguments.or("seconds", 4.0)?))?;
    let (after, took) = (watch::read(&processes), start.elapsed().as_secs_f64());
    legs.listen(Duration::from_millis(200))?;
    let Counts { sent, received } = legs.counts;
    let cpu_us = (after.cpu_ns - before.cpu_ns) as f64 / 1e3;
    println!(
        "{{\"sent\":{sent},\"received\":{received},\"lost\":{},\"cpu_us_each\":{:.3},\"cpu_share\":{:.3},\
         \"own_share\":{:.3},\"rate\":{:.0}}}",
        sent.saturating_sub(received),
        cpu_us / received.max(1) as f64,
        cpu_us / 1e6 / took,
        (after.own_ns - before.own_ns) as f64 / 1e9 / took,
        received as f64 / took
    );
    if let Some(mut phones) = phones {
        phones.hang_up();
        phones.finish(Duration::from_secs(8))?;
    }
    Ok(())
}

/// The port of the caller's media in its nth call; the two legs of a call sit beside each other.
fn caller_port(call: u64) -> u16 {
    FIRST + Legs::offset(2 * call)
}

fn callee_port(call: u64) -> u16 {
    FIRST + Legs::offset(2 * call + 1)
}

fn by_sip(arguments: &Arguments, calls: u32, legs: &mut Legs) -> Result<Phones, Failure> {
    let mut phones = Phones::new(arguments, false)?;
    phones.callees.media_port = Some(callee_port);
    phones.media_port = Some(caller_port);
    phones.callers.keep_answers = true;
    phones.callers.hold = FOREVER;
    phones.register_all(1_000.0)?;
    phones.run(Load::Calls, RATE, f64::from(calls) / RATE, calls)?;
    phones.settle(Duration::from_millis(500))?;
    if phones.callers.up != u64::from(calls) {
        let told = phones.tally.json();
        return Err(format!("only {} of {calls} calls are up: {told}", phones.callers.up).into());
    }
    let (answers, offers) = (std::mem::take(&mut phones.callers.seen), &phones.callees.seen);
    for (port, sdp) in answers.iter().chain(offers) {
        legs.add(*port, media_address(sdp)?)?;
    }
    Ok(phones)
}

fn by_ng(server: SocketAddr, calls: u32, legs: &mut Legs) -> Result<(), Failure> {
    let mut ng = Ng::connect(server)?;
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let run = std::process::id();
    for call in 0..u64::from(calls) {
        let (caller, callee) = (caller_port(call), callee_port(call));
        let sdp = |port| description(own, port);
        let (to_caller, to_callee) = ng.call(&format!("{run}-{call}"), &sdp(caller), &sdp(callee))?;
        legs.add(caller, media_address(&to_caller)?)?;
        legs.add(callee, media_address(&to_callee)?)?;
    }
    Ok(())
}

fn by_ports(first: u16, calls: u32, legs: &mut Legs) -> Result<(), Failure> {
    for call in 0..u64::from(calls) {
        for (leg, port) in [(2 * call, caller_port(call)), (2 * call + 1, callee_port(call))] {
            legs.add(port, SocketAddr::from((Ipv4Addr::LOCALHOST, first + 2 * u16::try_from(leg)?)))?;
        }
    }
    Ok(())
}

/// Where an SDP wants its audio.
fn media_address(sdp: &[u8]) -> Result<SocketAddr, Failure> {
    let text = std::str::from_utf8(sdp)?;
    let after = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let port = after("m=audio ").and_then(|rest| rest.split(' ').next()).ok_or("no audio in the SDP")?;
    let ip = after("c=IN IP4 ").ok_or("no address in the SDP")?;
    Ok(SocketAddr::new(ip.trim().parse()?, port.parse()?))
}
