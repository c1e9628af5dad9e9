//! The bounds of a directory. What is full refuses what is new, and says so.

use std::time::Duration;

/// Exchanges of one office.
pub const EXCHANGES: usize = 1_000;
/// Exchanges with which one tells how many calls it has.
pub const PEERS_TOLD: usize = 64;
/// Accounts of all exchanges.
pub const ACCOUNTS: usize = 1_000_000;
/// Numbers of one account.
pub const NUMBERS_OF_ONE: usize = 32;
/// Devices of all accounts.
pub const DEVICES: usize = 2_000_000;
/// Devices of one account.
pub const DEVICES_OF_ONE: usize = 64;
/// Ways to wake one device.
pub const WAYS: usize = 4;
/// Calls from the cloud that an exchange has not answered for good, all of them.
pub const ASKED: usize = 100_000;
/// Those of one device.
pub const ASKED_BY_ONE: usize = 4;
/// Calls for which devices were woken that have not come yet.
pub const WOKEN: usize = 100_000;
/// Tickets that one exchange remembers as used. Each is forgotten once it has expired, so this is a rate: a thousand a second.
pub const USED_TICKETS: usize = 32_768;
/// Callers that wait for one device.
pub const WAITING_FOR_ONE: usize = 16;
/// Callers that wait at one exchange.
pub const WAITING: usize = 4_096;
/// Octets of a ticket as it is sent.
pub const TICKET_OCTETS: usize = 2_048;

/// How long a ticket works: long enough to open a connection, too short to be passed on.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);
/// How far two clocks may be apart (R27).
pub const LEEWAY: Duration = Duration::from_secs(2);
/// An exchange that said nothing for so long is down (S4, "noticed within 5 s").
pub const SILENCE: Duration = Duration::from_secs(4);
/// How long an exchange may take to say whether its device accepts (C11).
pub const ASK_PATIENCE: Duration = Duration::from_secs(8);
/// How long a caller may wait in an exchange's queue.
pub const WAIT_PATIENCE: Duration = Duration::from_secs(600);
/// How long a copy of the directory may be believed while the directory is away.
pub const COPY_LIFE: Duration = Duration::from_secs(24 * 3_600);

/// Numbers that exchanges are calling by themselves, or were within [`ATTEMPTS_KEPT`].
pub const CLAIMED: usize = 1_000_000;
/// Attempts at one number that are remembered: more than any law allows in that time.
pub const ATTEMPTS_OF_ONE: usize = 32;
/// How long an exchange may have a number in hand without a word: longer than it rings anywhere, and than most talk.
pub const CLAIM_LIFE: Duration = Duration::from_secs(600);
/// After how long it is worth asking again for a number that another has in hand.
pub const CLAIM_HELD: Duration = Duration::from_secs(60);
/// How long nothing is given away after a start: exchanges come back within 8 s and say what they have in hand.
pub const CLAIMS_QUIET: Duration = Duration::from_secs(12);
/// How long attempts count for budgets; the longest day has 25 hours.
pub const ATTEMPTS_KEPT: Duration = Duration::from_secs(26 * 3_600);

/// Octets of the address at which an exchange takes browsers.
pub const WEB_OCTETS: usize = 256;
/// Octets of how a caller is shown in what wakes a device.
pub const SHOWN_OCTETS: usize = 64;
/// Octets of what wakes a device: a Web Push service takes 4,096, with what encrypts them (RFC 8030 7.2).
pub const PUSH_OCTETS: usize = 3_900;

const _: () = assert!(TICKET_LIFE.as_secs() > 2 * LEEWAY.as_secs());
const _: () = assert!(WAITING_FOR_ONE <= WAITING && ASKED_BY_ONE <= ASKED && DEVICES_OF_ONE <= DEVICES);
