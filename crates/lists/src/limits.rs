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
