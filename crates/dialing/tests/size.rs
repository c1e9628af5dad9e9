//! What a waiting task takes, and what a due one costs, with a thousand and with a hundred thousand of them. Octets and
//! allocations are judged; times are printed and never judged here, because they are the machine's
//! (`cargo test -p dialing --release --test size -- --nocapture`).
#![expect(unsafe_code, reason = "a counting allocator is the only way to see allocations")]

use clock::{Mono, Now, Wall};
use dialing::cause::{Finding, Outcome};
use dialing::{AttemptId, Dialing, Input, Number, Output, OwnerId, Places, Policy, Task, TaskId};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static OCTETS: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

fn count(octets: isize) {
    // The counters may be gone while a thread ends.
    let _ = OCTETS.try_with(|all| all.set(all.get() + octets));
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|all| all.set(all.get() + 1));
        count(isize::try_from(layout.size()).unwrap_or(0));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-isize::try_from(layout.size()).unwrap_or(0));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Ten in the morning in Shanghai, on a Monday.
const MORNING: Wall = Wall(1_796_004_000_000);

struct Office {
    now: Now,
    dialing: Dialing,
    ringing: Vec<AttemptId>,
    dialled: usize,
}

impl Office {
    fn new() -> Office {
        let mut policy = Policy::new(Box::new(|_| false));
        policy.set_at_once(1_000, 1_000);
        policy.set_jitter(false);
        let places = Places::new("Asia/Shanghai").expect("bundled");
        let now = Now { mono: Mono(1_000_000), wall: MORNING };
        let mut office =
            Office { now, dialing: Dialing::new(policy, places, 1), ringing: Vec::new(), dialled: 0 };
        office.input(Input::Lease { epoch: 1, until: Mono(u64::MAX) });
        office
    }

    fn input(&mut self, input: Input) {
        self.dialing.handle(self.now, input);
        while let Some(output) = self.dialing.next_output() {
            match output {
                Output::Commit(commit) => self.dialing.handle(self.now, Input::Committed(commit.sequence)),
                Output::Dial(dial) => {
                    self.dialled += 1;
                    self.ringing.push(dial.attempt);
                }
                Output::Refused { task, rule } => panic!("{task:?}: {rule}"),
                _ => {}
            }
        }
    }

    /// Many who wait, one a second from an hour on for so many seconds, and then again.
    fn fill(&mut self, tasks: u64, seconds: u64) {
        for id in 0..tasks {
            let number = Number::outside(&format!("+86138{id:08}")).expect("sound");
            let due = Wall(MORNING.0 + 3_600_000 + i64::try_from(id % seconds).expect("small") * 1_000);
            self.input(Input::Add(Box::new(Task {
                not_before: Some(due),
                until: Some(Wall(MORNING.0 + 3 * 86_400_000)),
                data: "{\"name\":\"Zhang San\",\"row\":123456}".into(),
                ..Task::new(TaskId(id), number, OwnerId(u32::try_from(id % 500).expect("small")))
            })));
        }
    }

    /// Lives until so many calls were made, each of which nobody answers.
    fn call(&mut self, calls: usize) {
        let until = self.dialled + calls;
        while self.dialled < until {
            let (when, _) = self.dialing.next_deadline().expect("something is due");
            self.now = self.now.after(when.since(self.now.mono));
            self.input(Input::Timeout);
            let ringing: Vec<AttemptId> = self.ringing.drain(..).collect();
            for attempt in ringing {
                self.input(Input::Finished { attempt, finding: Finding::sure(Outcome::NoAnswer) });
            }
        }
    }
}

#[test]
fn a_waiting_task_takes_at_most_500_octets() {
    let tasks = 100_000;
    let mut office = Office::new();
    let before = OCTETS.with(Cell::get);
    office.fill(tasks, 3_600);
    assert_eq!(office.dialing.len() as u64, tasks);
    let each = (OCTETS.with(Cell::get) - before) as u64 / tasks;
    office.call(100_000);
    let tried = (OCTETS.with(Cell::get) - before) as u64 / tasks;
    println!("a waiting task: {each} octets, {tried} after an attempt");
    assert!(each <= 500, "{each} octets");
    assert!(tried <= 500, "{tried} octets with what is remembered of its number");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn a_due_task_costs_the_same_among_many() {
    let cost = |tasks: u64| {
        let mut office = Office::new();
        office.fill(tasks, tasks);
        office.call(200);
        let allocations = ALLOCATIONS.with(Cell::get);
        let start = std::time::Instant::now();
        office.call(700);
        let nanoseconds = start.elapsed().as_nanos() as f64 / 700.0;
        let allocations = (ALLOCATIONS.with(Cell::get) - allocations) as f64 / 700.0;
        println!("{tasks} tasks: {nanoseconds:.0} ns and {allocations:.1} allocations a call");
        allocations
    };
    let (few, many) = (cost(1_000), cost(100_000));
    assert!(many <= few * 1.2 && many < 40.0, "{few:.1} allocations a call among few, {many:.1} among many");
}

#[test]
fn a_day_that_begins_for_everybody_is_taken_in_turns() {
    let mut office = Office::new();
    office.now.wall = Wall(MORNING.0 - 4 * 3_600_000);
    for id in 0..20_000 {
        let number = Number::outside(&format!("+86138{id:08}")).expect("sound");
        office.input(Input::Add(Box::new(Task::new(TaskId(id), number, OwnerId(1)))));
    }
    let (when, _) = office.dialing.next_deadline().expect("the window opens");
    assert!(when.since(office.now.mono) <= Duration::from_secs(2 * 3600));
    office.now = office.now.after(Duration::from_secs(2 * 3600 + 1));
    let mut turns = 0;
    while office.dialing.next_deadline().is_some_and(|(when, _)| when <= office.now.mono) {
        office.input(Input::Timeout);
        turns += 1;
    }
    assert_eq!(office.dialled, 1_000, "as many as may be in flight");
    assert!((20_000 / 256..1_000).contains(&turns), "{turns} turns");
}
