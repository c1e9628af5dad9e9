//! The bounds of a phone.

use std::time::Duration;

/// Calls at once; another caller hears that the phone is busy.
pub(crate) const CALLS: usize = 4;
/// Numbers whose lamps one account shows.
pub(crate) const LAMPS: usize = 48;
/// Calls of one watched number.
pub(crate) const DIALOGS: usize = 32;
/// Calls that are remembered.
pub(crate) const HISTORY: usize = 500;
/// Key presses of one call that wait to be sent.
pub(crate) const KEYS: usize = 64;
/// Numbers whose calls in vain are counted.
pub(crate) const NUMBERS: usize = 1_000;
/// Early dialogs of one call that are told apart (RFC 3261 12.1: a fork makes one each).
pub(crate) const EARLY_DIALOGS: usize = 8;
/// How often one request answers a challenge, or another wish of the server.
pub(crate) const TRIES: u8 = 2;
/// How long leaving may take: BYE and the end of the registration.
pub(crate) const FAREWELL: Duration = Duration::from_secs(3);
/// The first wait after a failed registration; it doubles up to the last.
pub(crate) const RETRY_FIRST: Duration = Duration::from_secs(1);
/// The longest wait after a failed registration.
pub(crate) const RETRY_LAST: Duration = Duration::from_secs(120);
/// What may wait for the phone's thread.
pub(crate) const COMMANDS: usize = 256;
/// Orders that may wait for a headset: a second of sound.
pub(crate) const HEADSET_ORDERS: usize = 50;
/// Samples of a microphone that may wait until they are sent; the newest are kept.
pub(crate) const MICROPHONE: usize = 3_200;
/// What may wait for who listens to the phone; beyond, it is lost to them.
pub(crate) const EVENTS: usize = 8_192;
/// Octets that may wait for a slow server.
pub(crate) const STREAM_OCTETS: usize = 256 * 1024;

const _: () = assert!(CALLS < 16 && TRIES > 0);
