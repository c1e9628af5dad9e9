//! The bounds of the crate.

use std::time::Duration;

/// Octets of a file that is fetched.
pub(crate) const FILE: u64 = 1 << 30;
/// Octets of a link.
pub(crate) const LINK: usize = 2_048;
/// Times that a server may send us on to another place.
pub(crate) const REDIRECTS: usize = 3;
/// Times that a body which broke off is gone on with.
pub(crate) const RESUMES: usize = 4;
/// For whatever a server has to say or to take next.
pub(crate) const ANSWER: Duration = Duration::from_secs(30);
/// For a body of ours to be sent and answered by http.
pub(crate) const SENT: Duration = Duration::from_secs(5 * 60);
/// For a file, from the first word to the last.
pub(crate) const WHOLE: Duration = Duration::from_secs(15 * 60);
/// For a program that has failed to say why.
pub(crate) const FAREWELL: Duration = Duration::from_secs(3);
/// Octets that are read or sent at once.
pub(crate) const PIECE: usize = 32 << 10;
/// Octets of an answer of an FTP server, over all of its lines.
pub(crate) const REPLY: usize = 16 << 10;
/// Names of files in a folder.
pub(crate) const NAMES: usize = 10_000;
/// Octets of the answer that has them.
pub(crate) const NAMES_OCTETS: usize = 4 << 20;
