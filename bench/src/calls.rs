//! `loadgen calls` and `loadgen hold`: whole calls at a rate, and calls that stay up.

use crate::Failure;
use crate::arguments::Arguments;
use crate::caller::FOREVER;
use crate::phones::{Load, Phones};
use crate::watch;
use std::time::{Duration, Instant};

/// How fast phones register before the calls.
const REGISTERING: f64 = 2_000.0;

/// Calls at `--rate` for `--seconds`, after `--warm` seconds that do not count.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (rate, seconds): (f64, f64) = (arguments.must("rate")?, arguments.or("seconds", 5.0)?);
    let warm: f64 = arguments.or("warm", 1.5)?;
    let processes = arguments.processes()?;
    let mut phones = Phones::new(arguments, false)?;
    phones.register_all(REGISTERING)?;
    phones.run(Load::Calls, rate, warm, u32::MAX)?;
    phones.tally.restart();
    let (before, start) = (watch::read(&processes), Instant::now());
    phones.run(Load::Calls, rate, seconds, u32::MAX)?;
    let (after, took) = (watch::read(&processes), start.elapsed().as_secs_f64());
    let (in_window, begun) = (phones.tally.done, phones.tally.begun);
    phones.finish(Duration::from_secs(12))?;
    let cpu_us = (after.cpu_ns - before.cpu_ns) as f64 / 1e3;
    println!(
        "{{{},\"in_window\":{in_window},\"cpu_us_each\":{:.2},\"cpu_share\":{:.3},\"own_share\":{:.3},\"rate\":{:.0},\"offered\":{:.0}}}",
        phones.tally.json(),
        cpu_us / in_window.max(1) as f64,
        cpu_us / 1e6 / took,
        (after.own_ns - before.own_ns) as f64 / 1e9 / took,
        in_window as f64 / took,
        begun as f64 / took
    );
    Ok(())
}

/// `--calls` calls at once, and what they weigh.
pub(crate) fn hold(arguments: &Arguments) -> Result<(), Failure> {
    let (count, rate): (u32, f64) = (arguments.must("calls")?, arguments.or("rate", 500.0)?);
    let processes = arguments.processes()?;
    let mut phones = Phones::new(arguments, false)?;
    phones.callers.hold = FOREVER;
    phones.register_all(REGISTERING)?;
    phones.settle(Duration::from_millis(500))?;
    let before = watch::read(&processes);
    phones.run(Load::Calls, rate, f64::from(count) / rate, count)?;
    phones.settle(Duration::from_secs(2))?;
    let (after, up) = (watch::read(&processes), phones.callers.up);
    phones.hang_up();
    phones.finish(Duration::from_secs(12))?;
    println!(
        "{{{},\"up\":{up},\"bytes_each\":{:.0}}}",
        phones.tally.json(),
        after.resident_kib.saturating_sub(before.resident_kib) as f64 * 1024.0 / up.max(1) as f64
    );
    Ok(())
}
