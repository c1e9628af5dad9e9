//! The bounds of the crate; relations among them hold at compile time.

use std::time::Duration;

/// Tasks that are not over.
pub const TASKS: usize = 1_000_000;
/// Owners with such tasks.
pub const OWNERS: usize = 100_000;
/// Tasks for one number: an attempt that ends looks at each of them.
pub const TASKS_PER_NUMBER: usize = 64;
/// Numbers whose attempts are remembered.
pub const NUMBERS: usize = 1_000_000;
/// Attempts in flight at once.
pub const IN_FLIGHT: u16 = 1_000;
/// Octets that a task carries for its owner.
pub const DATA: usize = 4_096;
/// Octets of what proves a consent.
pub const EVIDENCE: usize = 1_024;
/// Rows of one commit.
pub const COMMIT_ROWS: usize = 1_024;
/// Rows that wait for a store that is away; beyond, nothing new is taken or claimed.
pub const BACKLOG_ROWS: usize = 65_536;
/// Outputs that the shell has not fetched; beyond, nothing new is claimed.
pub const OUTPUTS: usize = 65_536;
/// Outputs for which room is kept while there are none.
pub const KEPT_OUTPUTS: usize = 1_024;
/// Tasks that one turn looks at (R17).
pub const TURN: usize = 256;
/// Numbers that the sweep looks at in one turn.
pub const SWEEP_TURN: usize = 1_024;
/// How often what is past is forgotten.
pub const SWEEP: Duration = Duration::from_secs(60);
/// Numbers in the hands of others of the office from which on those that are free again are looked for.
pub const HELD: usize = 1_024;
/// How long attempts are remembered: the longest day has 25 hours.
pub const MEMORY: Duration = Duration::from_secs(26 * 3600);
/// How long a store that was away is left alone.
pub const STORE_RETRY: Duration = Duration::from_secs(2);
/// How long before its lease ends an owner claims nothing more (R25).
pub const LEASE_MARGIN: Duration = Duration::from_secs(2);
/// A step of the wall clock from which on it has jumped (R18).
pub const JUMP: Duration = Duration::from_secs(10);
/// Numbers that nobody may call: the office's own and those that owners named.
pub const DO_NOT_CALL: usize = 1_000_000;
/// Numbers of one imported list, and lists.
pub const IMPORTED: usize = 20_000_000;
/// See [`IMPORTED`].
pub const IMPORTED_LISTS: usize = 64;
/// Octets of the name of a list.
pub const NAME: usize = 200;
/// By how much an attempt is late at most, so that not all begin in one second.
pub const JITTER: Duration = Duration::from_secs(30);

const _: () = {
    assert!(TURN <= COMMIT_ROWS / 2, "the claims of one turn and their audit fit into one commit");
    assert!(BACKLOG_ROWS > 16 * IN_FLIGHT as usize, "what is in flight can always be written down");
    assert!(JITTER.as_secs() <= 30, "half of the shortest window, which is a minute");
};
