//! The bounds of the office; relations among them hold at compile time.

use std::time::Duration;

/// Calls at once; beyond, a new call gets 503 with Retry-After. Ports bound it further (R22).
pub const CALLS: usize = 20_000;
/// Promises that wait for the store; beyond, new ones are refused with 503 (R20).
pub const PENDING_COMMITS: usize = 16_384;
/// Watchers of busy lamps, presence and messages.
pub const WATCHERS: usize = 50_000;
/// Records of calls that wait for a store that is away; beyond, the oldest are lost (R20).
pub const BACKLOG: usize = 65_536;
/// Changes of the backlog that are handed to the store at once.
pub const BACKLOG_PART: usize = 256;
/// How long a store that was away is left alone.
pub const STORE_RETRY: Duration = Duration::from_secs(2);
/// A step of the wall clock from which on it has jumped (R18).
pub const JUMP: Duration = Duration::from_secs(10);
/// Texts on their way.
pub const TEXTS: usize = 4_096;
/// Watches of one device: a key pad beside a phone has a hundred lamps.
pub const WATCHES_PER_DEVICE: usize = 250;
/// Legs that one call may ring at once.
pub const BRANCHES: usize = 32;
/// How long a call rings before it has found nobody.
pub const RING_LIMIT: Duration = Duration::from_secs(60);
/// How long a call waits for a phone whose connection broke, or was there before a restart (R12).
pub const RETURN: Duration = Duration::from_secs(30);
/// Rows of an import that the core takes in one turn (R17: slices, not seconds).
pub const IMPORT_ROWS: usize = 256;

const _: () = assert!(PENDING_COMMITS >= 1_024 && IMPORT_ROWS * 64 <= PENDING_COMMITS);
const _: () = assert!(BACKLOG_PART <= BACKLOG && BACKLOG >= CALLS);
const _: () = assert!(BRANCHES < 64, "a call has at most 64 legs");
