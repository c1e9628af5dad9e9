//! Every bound of the SIP parser and writer, in one place.

/// Longest message, start line to end of body, in bytes; a UDP datagram cannot carry more.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Longest start line plus header lines including the empty line, in bytes.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Most header lines of one message; 255 so that an index fits a byte beside "none".
pub const MAX_HEADER_LINES: usize = 255;
/// Header lines that a parsed message holds without allocating.
pub const INLINE_HEADER_LINES: usize = 64;
/// Most parameters of one header value or URI; keeps comparisons of two lists bounded.
pub const MAX_PARAMS: usize = 64;
/// Longest Call-ID, tag or branch, in bytes: they become keys that outlive the message.
pub const MAX_ID_BYTES: usize = 1024;
/// Longest value that the writer puts on one line, in bytes; the rest is cut.
pub const MAX_WRITTEN_VALUE_BYTES: usize = MAX_HEAD_BYTES;
/// Longest body that the writer takes, in bytes; the rest is cut.
pub const MAX_BODY_BYTES: usize = MAX_MESSAGE_BYTES;

const _: () = assert!(MAX_HEAD_BYTES <= u16::MAX as usize, "offsets into the head are 16 bits wide");
const _: () = assert!(INLINE_HEADER_LINES <= MAX_HEADER_LINES && MAX_HEADER_LINES < 256);
const _: () = assert!(MAX_HEAD_BYTES < MAX_MESSAGE_BYTES);
