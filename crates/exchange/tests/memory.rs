//! What a background call that waits takes once the exchange has started, and how much more at the highest.
#![expect(unsafe_code, reason = "a counting allocator is the only way to see allocations")]

use clock::{Mono, Now, Wall};
use dialing::{Number, OwnerId, Row, Task, TaskId};
use exchange::{Change, Config, Exchange, Input, Output, PeopleChange, Snapshot, StoreAnswer, TaskChange};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

fn count(octets: usize, taken: bool) {
    let octets = isize::try_from(octets).unwrap_or(0);
    // The counter may be gone while a thread ends.
    let _ = HELD.try_with(|held| held.set(held.get() + if taken { octets } else { -octets }));
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), true);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), false);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const NOW: Now = Now { mono: Mono(1_000_000), wall: Wall(1_796_004_000_000) };
/// Tasks for one number; there are no more than 64.
const TO_ONE: u64 = 50;

/// What an exchange holds that began with so many tasks, all of accounts by turns and due in hours.
fn held(tasks: u64) -> isize {
    let before = HELD.with(Cell::get);
    let people = (0..20).map(|place| {
        let name = format!("p{place}").into();
        Change::People(PeopleChange::PutAccount { name, display: "".into(), settings: Box::default() })
    });
    let waiting = (1..=tasks).map(|id| {
        let dialled = (500_000 + id / TO_ONE).to_string();
        let number = Number::inside(&dialled).expect("a number");
        let task = Task {
            asked: true,
            not_before: Some(Wall(NOW.wall.0 + 5 * 3_600_000)),
            until: Some(Wall(NOW.wall.0 + 8 * 3_600_000)),
            data: dialled.into(),
            ..Task::new(TaskId(id), number, OwnerId(0))
        };
        let account = format!("p{}", id % 20).into();
        Change::Task(Box::new(TaskChange { row: Row::Task(Box::new(task)), account, at: NOW.wall }))
    });
    let snapshot = Snapshot { changes: people.chain(waiting).collect(), sequence: 0 };
    let mut exchange = Exchange::new(NOW, Config::new("office", Vec::new()), [1; 32], snapshot);
    exchange.handle(NOW, Input::Timeout);
    while let Some(output) = exchange.next_output() {
        if let Output::Commit(commit) = output {
            exchange.handle(NOW, Input::Stored { sequence: commit.sequence, answer: StoreAnswer::Committed });
        }
    }
    let held = HELD.with(Cell::get) - before;
    drop(exchange);
    held
}

#[test]
fn a_task_that_waits_takes_at_most_500_octets() {
    // What is the same for all of them is made once.
    held(0);
    let tasks = 100_000;
    let each = (held(tasks) - held(0)) / isize::try_from(tasks).expect("small");
    println!("a task that waits: {each} octets");
    assert!(each <= 500, "{each} octets");
}
