//! The bounds of the crate.

/// Octets of a file that is fetched.
pub(crate) const FILE: u64 = 1 << 30;
/// Octets of a link.
pub(crate) const LINK: usize = 2_048;
