//! `loadgen survivors`: new bindings at a steady rate until the server dies, and then a call to each binding that got
//! its 200 (R12). Whoever runs it writes a line to its input when the server is dead, and one when it is there again.
//!
//! ```text
//! {"confirmed":1200}                   ten times a second, while phones register
//! < a line                             no phone asks any more
//! {"confirmed":3021,"rate":998}
//! < a line                             the phones of the bindings are called, the newest first
//! {"rang":3021,"in_time":3021,"silent":[],…}
//! ```

use crate::Failure;
use crate::arguments::Arguments;
use crate::phones::{Load, Phones};
use clock::Mono;
use std::collections::HashMap;
use std::io::BufRead as _;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// How long a phone may take to ring, counted from the INVITE (R12).
const IN_TIME: Duration = Duration::from_secs(2);
/// How often the number of bindings is told.
const PULSE: f64 = 0.1;
/// Phones that are named when they stay silent.
const NAMED: usize = 10;

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (rate, call_rate): (f64, f64) = (arguments.must("rate")?, arguments.or("call-rate", 500.0)?);
    let words = listen();
    let mut phones = Phones::new(arguments, false)?;
    while words.try_recv().is_err() {
        let left = phones.answering() - phones.registered.begun as u32;
        if left == 0 {
            phones.settle(Duration::from_secs_f64(PULSE))?;
        } else {
            phones.run(Load::Registrations, rate, PULSE, left)?;
        }
        println!("{{\"confirmed\":{}}}", phones.registered.done);
    }
    let confirmed = phones.stop_registering();
    let took = match (confirmed.first(), confirmed.last()) {
        (Some((_, first)), Some((_, last))) => last.since(*first).as_secs_f64(),
        _ => 0.0,
    };
    println!(
        "{{\"confirmed\":{},\"rate\":{:.0}}}",
        confirmed.len(),
        confirmed.len() as f64 / took.max(0.001)
    );
    words.recv()?;
    let chosen: Vec<u32> = confirmed.iter().rev().map(|(phone, _)| *phone).collect();
    let count = chosen.len() as u32;
    phones.call_these(chosen);
    phones.run(Load::Calls, call_rate, f64::from(count) / call_rate, count)?;
    phones.finish(Duration::from_secs(12))?;
    tell(&mut phones);
    Ok(())
}

/// Each line of our input, as a value.
fn listen() -> Receiver<String> {
    let (say, words) = sync_channel(4);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if say.send(line).is_err() {
                return;
            }
        }
    });
    words
}

fn tell(phones: &mut Phones) {
    let rang: HashMap<u32, Mono> = std::mem::take(&mut phones.callees.rang).unwrap_or_default();
    let waits: Vec<(u32, Option<Duration>)> = phones
        .called_at
        .iter()
        .map(|(phone, called)| (*phone, rang.get(phone).map(|rang| rang.since(*called))))
        .collect();
    let in_time = waits.iter().filter(|(_, wait)| wait.is_some_and(|wait| wait <= IN_TIME)).count();
    let slowest = waits.iter().filter_map(|(_, wait)| *wait).max().unwrap_or_default();
    let silent: Vec<u32> =
        waits.iter().filter(|(_, wait)| wait.is_none()).map(|(phone, _)| *phone).take(NAMED).collect();
    println!(
        "{{\"called\":{},\"rang\":{},\"in_time\":{in_time},\"slowest_ms\":{},\"silent\":{silent:?},{}}}",
        waits.len(),
        rang.len(),
        slowest.as_millis(),
        phones.tally.json()
    );
}
