//! `sim --seed N [--hours H | --races R | --shifts S] [--trace] [--survey]`: random office-hours, races for one call, or
//! shifts of a call centre, as many as wanted, on two threads. `sim --seed N --agents A` plays one busy hour of a large one;
//! `sim --seed N --day` a working day with the automatic return of agents and without it (S0.18); `sim --seed N --designations D`
//! calls between 50 exchanges with 10,000 devices (S4).
//!
//! The seeds are N, N+1, ...; the first that breaks a checker, or panics, is printed with its trace, and the exit code
//! is 1. `--trace` plays one hour and prints all of it, one line an event: seconds, where, what.
//! `--survey` goes on after a failure and says one line about each.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use testkit::day::{Return, day};
use testkit::designations::{Scale, designations};
use testkit::hour::{Failure, Summary, office_hour};
use testkit::race::race;
use testkit::shift::{Size, shift};

/// Threads that play hours.
const THREADS: usize = 2;
/// How often progress is shown.
const PROGRESS: Duration = Duration::from_secs(5);

/// What plays one story.
type Play = fn(u64, bool) -> Result<(Summary, Vec<String>), Box<Failure>>;

struct Wanted {
    seed: u64,
    hours: u64,
    /// What is played, and its name.
    play: Play,
    what: &'static str,
    trace: bool,
    survey: bool,
    /// One busy hour of a call centre of this size instead.
    agents: Option<usize>,
    /// A working day with and without the automatic return instead.
    day: bool,
    /// So many calls between exchanges instead.
    designations: Option<u64>,
}

#[derive(Default)]
struct Totals {
    hours: u64,
    events: u64,
    finals: BTreeMap<u16, u64>,
    failure: Option<Box<Failure>>,
}

fn main() -> ExitCode {
    let Some(wanted) = read_arguments() else {
        eprintln!(
            "usage: sim --seed N [--hours H | --races R | --shifts S | --agents A | --day | --designations D] [--trace] [--survey]"
        );
        return ExitCode::from(2);
    };
    if let Some(agents) = wanted.agents {
        return busy_hour(wanted.seed, agents);
    }
    if let Some(calls) = wanted.designations {
        return many_exchanges(wanted.seed, calls);
    }
    if wanted.day {
        return compare_days(wanted.seed);
    }
    if wanted.trace {
        return show(&wanted);
    }
    let totals = play(&wanted);
    println!(
        "{} {}, {} events; calls by status: {:?}",
        totals.hours, wanted.what, totals.events, totals.finals
    );
    match totals.failure {
        None => ExitCode::SUCCESS,
        Some(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn read_arguments() -> Option<Wanted> {
    let mut wanted = Wanted {
        seed: 1,
        hours: 1,
        play: office_hour,
        what: "hours",
        trace: false,
        survey: false,
        agents: None,
        day: false,
        designations: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seed" => wanted.seed = arguments.next()?.parse().ok()?,
            "--hours" => wanted.hours = arguments.next()?.parse().ok()?,
            "--races" => {
                wanted.hours = arguments.next()?.parse().ok()?;
                (wanted.play, wanted.what) = (race, "races");
            }
            "--shifts" => {
                wanted.hours = arguments.next()?.parse().ok()?;
                (wanted.play, wanted.what) = (office_shift, "shifts");
            }
            "--agents" => wanted.agents = Some(arguments.next()?.parse().ok()?),
            "--designations" => wanted.designations = Some(arguments.next()?.parse().ok()?),
            "--day" => wanted.day = true,
            "--trace" => wanted.trace = true,
            "--survey" => wanted.survey = true,
            _ => return None,
        }
    }
    Some(wanted)
}

/// A shift of an office, as one story among many.
fn office_shift(seed: u64, _whole: bool) -> Result<(Summary, Vec<String>), Box<Failure>> {
    shift(seed, Size::OFFICE).map(|summary| (summary, Vec::new()))
}

/// The same callers on two days: one on which the exchange brings agents back, one on which they do it by hand.
fn compare_days(seed: u64) -> ExitCode {
    for by in [Return::Automatic, Return::ByHand] {
        match day(seed, by) {
            Ok(counts) => {
                let mean = counts.waited.as_secs_f64() / counts.answered.max(1) as f64;
                println!(
                    "{by:?}: {} callers, {} answered after {mean:.1} s, {} missed, {} % in time",
                    counts.offered,
                    counts.answered,
                    counts.abandoned,
                    counts.service_level().unwrap_or(0)
                );
            }
            Err(failure) => {
                println!("{failure}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Calls between many exchanges.
fn many_exchanges(seed: u64, calls: u64) -> ExitCode {
    let begun = now();
    match designations(seed, Scale { exchanges: 50, accounts: 10_000, calls }) {
        Ok(outcome) => {
            println!("{calls} calls asked for, {:.0} s: sound: {outcome}", begun.elapsed().as_secs_f64());
            ExitCode::SUCCESS
        }
        Err(broken) => {
            println!("{broken}");
            ExitCode::FAILURE
        }
    }
}

/// One hour of a large call centre.
fn busy_hour(seed: u64, agents: usize) -> ExitCode {
    let begun = now();
    match shift(seed, Size::busy_hour(agents)) {
        Ok(summary) => {
            let seconds = begun.elapsed().as_secs_f64();
            println!("{agents} agents, {} events, {seconds:.0} s: sound", summary.events);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn show(wanted: &Wanted) -> ExitCode {
    let seed = wanted.seed;
    match (wanted.play)(seed, true) {
        Ok((summary, lines)) => {
            println!("{}", lines.join("\n"));
            println!("seed {seed} is sound: {summary:?}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Plays hours until all are done or one fails.
fn play(wanted: &Wanted) -> Totals {
    let next = AtomicU64::new(0);
    let totals = Mutex::new(Totals::default());
    let begun = now();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut shown = now();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= wanted.hours {
                        return;
                    }
                    let outcome = guarded(wanted.play, wanted.seed.wrapping_add(number));
                    let Ok(mut totals) = totals.lock() else { return };
                    if let Err(failure) = &outcome
                        && wanted.survey
                    {
                        println!("seed {} broke: {}", failure.seed, failure.words);
                    }
                    if !totals.add(outcome) && !wanted.survey {
                        // The others stop after the hour that they play.
                        next.store(wanted.hours, Ordering::Relaxed);
                        return;
                    }
                    if shown.elapsed() >= PROGRESS {
                        shown = now();
                        let rate = totals.hours as f64 / begun.elapsed().as_secs_f64();
                        let what = wanted.what;
                        println!("{} of {} {what}, {rate:.0} {what} a second", totals.hours, wanted.hours);
                    }
                }
            });
        }
    });
    totals.into_inner().unwrap_or_default()
}

impl Totals {
    /// Adds an hour; false when it failed.
    fn add(&mut self, outcome: Result<Summary, Box<Failure>>) -> bool {
        match outcome {
            Ok(summary) => {
                self.hours += 1;
                self.events += summary.events;
                for (status, count) in summary.finals {
                    *self.finals.entry(status).or_default() += count;
                }
                true
            }
            Err(failure) => {
                // The lowest seed, so that two threads tell the same story.
                if self.failure.as_ref().is_none_or(|known| failure.seed < known.seed) {
                    self.failure = Some(failure);
                }
                false
            }
        }
    }
}

/// One story; a panic of the exchange is a failure like another.
fn guarded(play: Play, seed: u64) -> Result<Summary, Box<Failure>> {
    match std::panic::catch_unwind(|| play(seed, false)) {
        Ok(outcome) => outcome.map(|(summary, _)| summary),
        Err(_) => {
            let words = "a panic: see above".to_owned();
            Err(Box::new(Failure { seed, words, trace: Vec::new() }))
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "progress is shown by the clock of the one who waits")]
fn now() -> Instant {
    Instant::now()
}
