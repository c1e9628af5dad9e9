//! The allocator of the load generator: the system's, with a count for each thread of what was asked of it.
#![expect(unsafe_code, reason = "a counting allocator is the only way to see allocations")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::Sub;

/// What one thread has asked for so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// How often, growing included.
    pub(crate) times: u64,
    /// How many octets in all.
    pub(crate) octets: u64,
    /// How many octets it has that it did not give back.
    pub(crate) held: i64,
}

impl Sub for Asked {
    type Output = Asked;

    fn sub(self, before: Asked) -> Asked {
        Asked {
            times: self.times - before.times,
            octets: self.octets - before.octets,
            held: self.held - before.held,
        }
    }
}

thread_local! {
    static ASKED: Cell<Asked> = const { Cell::new(Asked { times: 0, octets: 0, held: 0 }) };
}

/// What this thread has asked for so far.
pub(crate) fn asked() -> Asked {
    ASKED.with(Cell::get)
}

fn note(taken: usize, given: usize) {
    // The counter may be gone while the thread ends.
    let _ = ASKED.try_with(|asked| {
        let Asked { times, octets, held } = asked.get();
        asked.set(Asked {
            times: times + u64::from(taken > 0),
            octets: octets + taken as u64,
            held: held + taken as i64 - given as i64,
        });
    });
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(0, layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size, layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
