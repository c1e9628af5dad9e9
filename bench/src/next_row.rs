//! `loadgen next-row`: how long a list's work takes from the end of a call to the next one's number (S3.6 to S3.9; F, Show 6).

use crate::Failure;
use crate::arguments::Arguments;
use crate::lists::file;
use ::lists::work::{Input, Output, Presence, Settings, Subject, Work};
use ::lists::{Format, Numbering, Order, Reading};
use clock::{Mono, Now, Wall};
use dialing::cause::{Finding, Outcome};
use dialing::{AttemptId, Basis, Consent, Places, Policy};
use std::time::{Duration, Instant};

/// 2026-11-30, a Monday, 14:00 in Shanghai: slots of the list are open and closed then.
const NOW: Wall = Wall(1_796_018_400_000);

/// Works through a part of the list, in an order of two keys; every call is answered, and its journal never waits for a disk.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let rows: usize = arguments.or("rows", 1_000_000)?;
    let calls: usize = arguments.or("calls", 20_000)?;
    let (mut work, mut now) = begin(rows)?;
    work.handle(now, Input::Presence(Presence::Online));
    let mut calling = dialled(&mut work, &mut now)?;
    let mut times = Vec::with_capacity(calls);
    let mut written = 0;
    for _ in 0..calls {
        now = now.after(Duration::from_secs(1));
        let start = Instant::now();
        let finding = Finding::sure(Outcome::Answered);
        work.handle(now, Input::Finished { attempt: calling, finding, talked: 30 });
        calling = dialled(&mut work, &mut now)?;
        times.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        written += 1;
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize] as f64 / 1_000.0;
    let (median, late) = (at(0.5), at(0.99));
    println!("{{\"rows\":{rows},\"calls\":{written},\"p50_us\":{median:.2},\"p99_us\":{late:.2}}}");
    Ok(())
}

fn begin(rows: usize) -> Result<(Work, Now), Failure> {
    let now = Now { mono: Mono(1_000_000_000), wall: NOW };
    let list = ::lists::read(file(rows), Format::Csv, &Reading::default()).map_err(|why| why.to_string())?;
    let settings = Settings {
        subject: Subject { agent: "ada".into(), list: "bench".into(), run: "1".into() },
        order: Order::parse("priority,slot").map_err(|why| why.to_string())?,
        numbering: Numbering { country: "86".into(), ..Numbering::default() },
        gap: 0,
        consent: Some(Consent { basis: Basis::Contract, evidence: "bench".into(), until: None }),
        ..Settings::default()
    };
    let policy = Policy::new(Box::new(|_| false));
    let places = Places::new("Asia/Shanghai").ok_or("no time zone Asia/Shanghai")?;
    let work = Work::begin(now, list, settings, policy, places, Vec::new()).map_err(|why| why.to_string())?;
    Ok((work, now))
}

/// Carries out what the work wants until it calls somebody.
fn dialled(work: &mut Work, now: &mut Now) -> Result<AttemptId, Failure> {
    loop {
        match work.next_output() {
            Some(Output::Write { sequence, .. }) => work.handle(*now, Input::Written(sequence)),
            Some(Output::Dial(call)) => return Ok(call.attempt),
            Some(_) => {}
            None => {
                // Rows whose hour has not come: until the next is due.
                let due = work.next_deadline().ok_or("nothing is left to be called")?;
                if due.since(now.mono) > Duration::ZERO {
                    return Err("nobody is due now".into());
                }
                work.handle(*now, Input::Timeout);
            }
        }
    }
}
