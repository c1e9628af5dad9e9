//! The bounds of the crate.

/// Rows of one list.
pub const ROWS: usize = 2_000_000;
/// Octets of a file.
pub const FILE: usize = 1 << 30;
/// Octets of one row with all its fields.
pub const ROW: usize = 32 * 1024;
/// Octets of one line of a file, before anybody looks for fields in it.
pub const LINE: usize = 1 << 20;
/// Columns of a list.
pub const COLUMNS: usize = 64;
/// Octets of the name of a column.
pub const HEADER: usize = 256;
/// Characters of a number, with what people write between its digits.
pub const NUMBER: usize = 40;
/// Rows that were refused and are kept with their reason; of the others only how many there are is known.
pub const REFUSALS: usize = 10_000;
/// Octets of a spreadsheet once it is unpacked.
pub const UNPACKED: u64 = 1 << 29;
/// How many times larger than the file it may become.
pub const RATIO: u64 = 200;
/// Files in a spreadsheet's archive.
pub const PARTS: usize = 1_000;

const _: () = assert!(ROW <= u16::MAX as usize, "ends of fields are kept in sixteen bits");
const _: () = assert!(COLUMNS <= u8::MAX as usize, "the number of fields is kept in eight");
/// Rows that are due and wait for their turn in the machine that dials; the rest of the list waits outside of it.
pub const FEED: usize = 1_000;
/// Rows that this machine holds at most: those that wait for a time of day or for their next attempt, too.
pub const FED: usize = 200_000;
/// Rows that one turn looks at.
pub const FEED_TURN: usize = 256;
/// Octets of a result's name.
pub const RESULT: usize = 64;
/// Octets of a note.
pub const NOTE: usize = 2_000;
/// Characters of what proves a consent.
pub const EVIDENCE: usize = 250;
/// Characters of a name in the name of a file.
pub const NAME: usize = 60;
/// Octets of the hash that names a file by what is in it.
pub const SHORT: usize = 6;
/// Rows of one file of results.
pub const REPORTED: usize = 500_000;
