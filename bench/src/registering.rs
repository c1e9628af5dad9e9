//! `loadgen register`: refreshes with challenge and answer, or new bindings.

use crate::Failure;
use crate::arguments::Arguments;
use crate::phones::{Load, Phones};
use crate::watch;
use std::time::{Duration, Instant};

/// With `--fresh yes` each phone registers once and for the first time, and its weight is told.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let rate: f64 = arguments.must("rate")?;
    let users: u32 = arguments.or("users", 1_000)?;
    let fresh = arguments.text("fresh").is_some();
    let mut seconds: f64 = arguments.or("seconds", 5.0)?;
    let processes = arguments.processes()?;
    let mut phones = Phones::new(arguments, true)?;
    if fresh {
        seconds = f64::from(users) / rate;
    } else {
        phones.register_all(rate.min(2_000.0))?;
        phones.run(Load::Registrations, rate, arguments.or("warm", 1.0)?, u32::MAX)?;
    }
    phones.registered.restart();
    let (before, start) = (watch::read(&processes), Instant::now());
    phones.run(Load::Registrations, rate, seconds, if fresh { users } else { u32::MAX })?;
    let in_window = phones.registered.done;
    let (after, took) = (watch::read(&processes), start.elapsed().as_secs_f64());
    phones.finish(Duration::from_secs(8))?;
    if fresh {
        // Long enough for the transactions to end, if it is the binding alone that shall be weighed.
        phones.settle(Duration::from_secs(arguments.or("settle", 1)?))?;
    }
    let settled = watch::read(&processes);
    let cpu_us = (after.cpu_ns - before.cpu_ns) as f64 / 1e3;
    println!(
        "{{{},\"in_window\":{in_window},\"cpu_us_each\":{:.2},\"cpu_share\":{:.3},\"own_share\":{:.3},\"rate\":{:.0},\
         \"bytes_each\":{:.0}}}",
        phones.registered.json(),
        cpu_us / in_window.max(1) as f64,
        cpu_us / 1e6 / took,
        (after.own_ns - before.own_ns) as f64 / 1e9 / took,
        in_window as f64 / took,
        settled.resident_kib.saturating_sub(before.resident_kib) as f64 * 1024.0 / f64::from(users)
    );
    Ok(())
}
