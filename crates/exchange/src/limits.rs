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
/// Facts that wait for a store that is away; beyond, the oldest are lost.
pub const BACKLOG_FACTS: usize = 16_384;
/// Changes of the backlog that are handed to the store at once.
pub const BACKLOG_PART: usize = 256;
/// How long a store that was away is left alone.
pub const STORE_RETRY: Duration = Duration::from_secs(2);
/// Calls at once that the exchange itself talks in; an echo or music is none.
pub const DIALOGUES: usize = 1_000;
/// A step of the wall clock from which on it has jumped (R18).
pub const JUMP: Duration = Duration::from_secs(10);
/// Texts on their way.
pub const TEXTS: usize = 4_096;
/// Watches of one device: a key pad beside a phone has a hundred lamps.
pub const WATCHES_PER_DEVICE: usize = 250;
/// Requests in a row that a contact leaves without any answer before calls pass it over.
pub const SILENCES: u8 = 2;
/// Contacts that are remembered for their silence.
pub const SILENT_FLOWS: usize = 4_096;
/// Octets of messages that the ladders keep; the entries beside them take half as much at most (R23).
pub const LADDER_OCTETS: usize = 10 << 20;
/// The least that a message takes of them.
pub const LADDER_STEP: usize = 256;
/// Octets of one message that are kept.
pub const RUNG_OCTETS: usize = 2_048;
/// Messages of one call that are shown.
pub const LADDER_RUNGS: usize = 2_000;
/// Legs that one call may ring at once.
pub const BRANCHES: usize = 32;
/// How long a call rings before it has found nobody.
pub const RING_LIMIT: Duration = Duration::from_secs(60);
/// How long a call waits for a phone whose connection broke, or was there before a restart (R12).
pub const RETURN: Duration = Duration::from_secs(30);
/// Rows of an import that the core takes in one turn (R17: slices, not seconds).
pub const IMPORT_ROWS: usize = 256;

/// Times that one call may be sent on to another number (R9).
pub const FORWARDS: u8 = 5;
/// Calls to the outside that an account may make in a day if nothing else is set.
pub const CALLS_A_DAY: u32 = 200;
/// After an emergency call, this long a call back passes do-not-disturb and forwarding (R31).
pub const CALL_BACK: Duration = Duration::from_secs(30 * 60);
/// How long a trunk may say nothing to an INVITE before the next is tried.
pub const TRUNK_PATIENCE: Duration = Duration::from_secs(4);
/// How often a trunk is asked whether it lives.
pub const TRUNK_PROBE: Duration = Duration::from_secs(30);
/// How long a path to a trunk is left alone that answered nothing (R13).
pub const TRUNK_DEAD: Duration = Duration::from_secs(60);
/// How long what the DNS said is believed at most, and how soon it is asked again at least.
pub const TRUNK_REACH: Duration = Duration::from_secs(3_600);
/// The least time between two tries to find a trunk, or to register there.
pub const TRUNK_RETRY: Duration = Duration::from_secs(15);
/// How long we ask to be registered at a trunk.
pub const TRUNK_EXPIRES: Duration = Duration::from_secs(600);
/// Challenges of a trunk that are answered before one of them is met (sec_08).
pub const TRUNK_ROUNDS: u8 = 2;

const _: () = assert!(PENDING_COMMITS >= 1_024 && IMPORT_ROWS * 64 <= PENDING_COMMITS);
const _: () = assert!(BACKLOG_PART <= BACKLOG && BACKLOG >= CALLS);
const _: () = assert!(BRANCHES < 64, "a call has at most 64 legs");
const _: () = assert!(LADDER_OCTETS + LADDER_OCTETS / 2 <= 16 << 20, "ladders take 16 MiB at most");
