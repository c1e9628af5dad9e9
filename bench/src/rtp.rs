//! `loadgen rtp`: calls that talk, through the exchange, rtpengine or the bare loop; with `--secure yes` the callers send
//! and hear SRTP under keys that the descriptions carry (RFC 4568), and the callees plain RTP.

use crate::Failure;
use crate::arguments::Arguments;
use crate::callee::description;
use crate::caller::{FOREVER, MediaEnd};
use crate::ng::Ng;
use crate::phones::{Load, Phones};
use crate::rtp_legs::{Counts, Legs};
use crate::watch;
use media::srtp::{MasterKey, SrtpKeys, Suite};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use wire::sdp::Crypto;

/// Where our media ports begin; one run at a time.
const FIRST: u16 = 9_000;
const RATE: f64 = 200.0;

/// Sets `--calls` calls up by whatever the relay understands, then talks on both legs of each.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let calls: u32 = arguments.must("calls")?;
    let processes = arguments.processes()?;
    let media = if arguments.or("secure", String::new())? == "yes" { secret_end } else { plain_end };
    let mut legs = Legs::bind(FIRST)?;
    let mut phones = None;
    if let Some(server) = arguments.text("ng") {
        by_ng(server.parse()?, calls, media, &mut legs)?;
    } else if let Some(first) = arguments.text("bare") {
        by_ports(first.parse()?, calls, &mut legs)?;
    } else {
        phones = Some(by_sip(arguments, calls, media, &mut legs)?);
    }
    legs.talk(Duration::from_secs_f64(arguments.or("warm", 1.5)?))?;
    legs.listen(Duration::from_millis(200))?;
    legs.counts = Counts::default();
    let (before, start) = (watch::read(&processes), Instant::now());
    legs.talk(Duration::from_secs_f64(arguments.or("seconds", 4.0)?))?;
    let (after, took) = (watch::read(&processes), start.elapsed().as_secs_f64());
    legs.listen(Duration::from_millis(200))?;
    let Counts { sent, received, wrong } = legs.counts;
    let cpu_us = (after.cpu_ns - before.cpu_ns) as f64 / 1e3;
    println!(
        "{{\"sent\":{sent},\"received\":{received},\"lost\":{},\"wrong\":{wrong},\"cpu_us_each\":{:.3},\"cpu_share\":{:.3},\
         \"own_share\":{:.3},\"rate\":{:.0}}}",
        sent.saturating_sub(received + wrong),
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

fn plain_end(call: u64) -> MediaEnd {
    MediaEnd { port: caller_port(call), key: None }
}

/// Each call has a key of its own; nobody listens whom it should keep out.
fn secret_end(call: u64) -> MediaEnd {
    let mut bytes = [0x5a; MasterKey::LEN];
    bytes[..8].copy_from_slice(&call.to_be_bytes());
    bytes[8..12].copy_from_slice(&std::process::id().to_be_bytes());
    MediaEnd { port: caller_port(call), key: Some(MasterKey::new(Suite::Sha1Tag80, bytes)) }
}

fn by_sip(
    arguments: &Arguments,
    calls: u32,
    media: fn(u64) -> MediaEnd,
    legs: &mut Legs,
) -> Result<Phones, Failure> {
    let mut phones = Phones::new(arguments, false)?;
    phones.callees.media_port = Some(callee_port);
    phones.media = Some(media);
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
    for (end, sdp) in &answers {
        add_caller(legs, end, sdp)?;
    }
    for (port, sdp) in offers {
        add_callee(legs, *port, sdp)?;
    }
    Ok(phones)
}

fn by_ng(server: SocketAddr, calls: u32, media: fn(u64) -> MediaEnd, legs: &mut Legs) -> Result<(), Failure> {
    let mut ng = Ng::connect(server)?;
    let own = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let run = std::process::id();
    for call in 0..u64::from(calls) {
        let (caller, callee) = (media(call), callee_port(call));
        let offer = description(own, caller.port, caller.key.as_ref());
        let answer = description(own, callee, None);
        let (to_caller, to_callee) = ng.call(&format!("{run}-{call}"), &offer, &answer)?;
        add_caller(legs, &caller, &to_caller)?;
        add_callee(legs, callee, &to_callee)?;
    }
    Ok(())
}

fn by_ports(first: u16, calls: u32, legs: &mut Legs) -> Result<(), Failure> {
    for call in 0..u64::from(calls) {
        for (leg, port) in [(2 * call, caller_port(call)), (2 * call + 1, callee_port(call))] {
            let to = SocketAddr::from((Ipv4Addr::LOCALHOST, first + 2 * u16::try_from(leg)?));
            legs.add(port, to, None)?;
        }
    }
    Ok(())
}

/// A caller whose call was answered by that SDP: with keys of both sides, or with none.
fn add_caller(legs: &mut Legs, end: &MediaEnd, sdp: &[u8]) -> Result<(), Failure> {
    let line = line_after(sdp, "a=crypto:").and_then(|value| Crypto::parse(value.as_bytes()));
    let keys = match (&end.key, line) {
        (None, None) => None,
        (Some(own), Some(line)) if profile_of(sdp) == Some("RTP/SAVP") => {
            let theirs = MasterKey::of(&line).ok_or("a key that we cannot use")?;
            Some(SrtpKeys { send: own.clone(), receive: theirs })
        }
        _ => {
            return Err(
                format!("not the protection that was offered: {}", String::from_utf8_lossy(sdp)).into()
            );
        }
    };
    legs.add(end.port, media_address(sdp)?, keys.as_ref())
}

/// A callee that was offered that SDP, which must ask for plain RTP.
fn add_callee(legs: &mut Legs, port: u16, sdp: &[u8]) -> Result<(), Failure> {
    if profile_of(sdp) != Some("RTP/AVP") || line_after(sdp, "a=crypto:").is_some() {
        return Err(format!("no offer of plain RTP: {}", String::from_utf8_lossy(sdp)).into());
    }
    legs.add(port, media_address(sdp)?, None)
}

fn line_after<'a>(sdp: &'a [u8], start: &str) -> Option<&'a str> {
    std::str::from_utf8(sdp).ok()?.lines().find_map(|line| line.strip_prefix(start))
}

fn profile_of(sdp: &[u8]) -> Option<&str> {
    line_after(sdp, "m=audio ")?.split(' ').nth(1)
}

/// Where an SDP wants its audio.
fn media_address(sdp: &[u8]) -> Result<SocketAddr, Failure> {
    let port = line_after(sdp, "m=audio ").and_then(|rest| rest.split(' ').next());
    let ip = line_after(sdp, "c=IN IP4 ").ok_or("no address in the SDP")?;
    Ok(SocketAddr::new(ip.trim().parse()?, port.ok_or("no audio in the SDP")?.parse()?))
}
