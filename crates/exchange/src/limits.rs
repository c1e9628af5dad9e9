//! The bounds of the office; relations among them hold at compile time.

use std::time::Duration;

/// Calls at once; beyond, a new call gets 503 with Retry-After. Ports bound it further (R22).
pub const CALLS: usize = 20_000;
/// Calls of other exchanges over the same store that are known here; of more, lamps show nothing.
pub const CALLS_ELSEWHERE: usize = 4 * CALLS;
/// Calls that began here and were carried to another exchange, whose next messages are to follow; of more, the oldest are
/// forgotten.
pub const CARRIED: usize = 16_384;
/// Promises that wait for the store; beyond, new ones are refused with 503 (R20).
pub const PENDING_COMMITS: usize = 16_384;
/// Changes that nobody waits for, of one commit; beyond, another is made.
pub const GATHERED: usize = 64;
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
/// Web phones in all, and of one person: each is a session that is not over.
pub const WEB_PHONES: usize = 10_000;
/// Web phones of other exchanges over the same store.
pub const WEB_PHONES_ELSEWHERE: usize = 16 * WEB_PHONES;
/// See [`WEB_PHONES`].
pub const WEB_PHONES_PER_ACCOUNT: usize = 16;
/// How long a token of a web phone is good at most.
pub const TOKEN_LIFE: Duration = Duration::from_secs(600);
/// Tokens of a session that are remembered, old ones among them: a page that slept comes with one and has not guessed.
pub const TOKENS_PER_SESSION: usize = 8;
/// How long a web phone may be registered without asking again: not longer than its token is good.
pub const WEB_EXPIRES: u32 = 600;
/// How often it is looked whether a trunk is registered by us alone again, while nobody can say so (R25).
pub const TRUNK_RESTS: Duration = Duration::from_secs(2);
/// How long a phone with one flow may be registered at one of several exchanges, and how much less it may be told (R28).
pub const CLUSTER_EXPIRES: u32 = 60;
/// See [`CLUSTER_EXPIRES`].
pub const CLUSTER_SPREAD: u32 = 12;
/// Sockets that closed and may be missed by calls (R11); beyond, whoever comes back is taken for who was there.
pub const GONE_FLOWS: usize = 4_096;
/// Legs that one call may ring at once.
pub const BRANCHES: usize = 32;
/// How long a call rings before it has found nobody.
pub const RING_LIMIT: Duration = Duration::from_secs(60);
/// How long a call waits for a phone whose connection broke, or was there before a restart (R12).
pub const RETURN: Duration = Duration::from_secs(30);
/// Phones that a notice of a call names.
pub const NOTICE_PHONES: usize = 5;
/// Phones around a person that are looked at for it.
pub const NOTICE_LOOKS: usize = 64;
/// How long it is believed that somebody is where they last said who they are.
pub const WHEREABOUTS: Duration = Duration::from_secs(12 * 3_600);
/// Phones at which one person may sit at once.
pub const SEATS_PER_ACCOUNT: usize = 16;
/// Within so long, a second tap takes the other call instead, and is no sign that somebody leaves.
pub const SECOND_TAP: Duration = Duration::from_secs(5);
/// For how long whoever comes too late is told who called.
pub const WHO_CALLED: Duration = Duration::from_secs(60);
/// How long a phone may take to answer that answers by itself, and takes a talk over (R6).
pub const MOVE_AT_ONCE: Duration = Duration::from_secs(8);
/// The same for one that rings.
pub const MOVE_RINGS: Duration = Duration::from_secs(20);
/// How long a call waits where it was parked, before it rings again, if nothing else is set.
pub const PARKED: Duration = Duration::from_secs(120);
/// How long a call rings that was taken and given back.
pub const RETURNS: Duration = Duration::from_secs(60);
/// Rows of an import that the core takes in one turn (R17: slices, not seconds).
pub const IMPORT_ROWS: usize = 256;

/// Badges in all, and of one account.
pub const BADGES: usize = 100_000;
/// See [`BADGES`].
pub const BADGES_PER_ACCOUNT: usize = 16;
/// Readers of badges in all.
pub const READERS: usize = 10_000;
/// Taps of a reader at once, and a second; beyond, it taps too fast.
pub const READER_BURST: u32 = 20;
/// See [`READER_BURST`].
pub const READER_RATE: u32 = 10;
/// Taps of a badge at once, and a second.
pub const BADGE_BURST: u32 = 5;
/// See [`BADGE_BURST`].
pub const BADGE_RATE: u32 = 1;
/// What a reader reads that no badge is, or that no badge of ours can have told, before it is not listened to for a
/// growing time; what a secure badge proves is listened to all the same, because that cannot be guessed.
pub const READER_STRIKES: u32 = 16;
/// Taps of a reader that are remembered, so that one that is sent again is counted once.
pub const TAPS_REMEMBERED: usize = 32;
/// Requests that wait for the answer to one tap.
pub const TAP_WAITERS: usize = 128;
/// How long the same reading is the same tap, of a reader that gives its taps no ids.
pub const TAP_AGAIN: Duration = Duration::from_secs(2);
/// How long a chip that is no badge's can be made one by "the last that was read".
pub const LAST_READ: Duration = Duration::from_secs(120);
/// So many taps of a secure badge ahead the store is told that they may have been heard; after a kill the first of them
/// asks for the PIN (R21).
pub const TAP_STEP: u32 = 64;
/// Taps that wait for a store that is away; beyond, the oldest are lost.
pub const BACKLOG_TAPS: usize = 16_384;
/// Messages to people that wait for a store that is away; beyond, the oldest are lost.
pub const BACKLOG_MESSAGES: usize = 16_384;
/// Agents who are signed in at once.
pub const AGENTS: usize = 50_000;
/// Background calls of one account at once.
pub const TASKS_PER_ACCOUNT: usize = 50;
/// How long somebody who was called in vain is spoken to at most.
pub const EXCUSE: Duration = Duration::from_secs(60);
/// Rows about taps that came too fast, of one reader at once; then one a second.
pub const FAST_ROWS: u32 = 5;

/// The least time between two events that tell how things are.
pub const STATUS_EVENTS: Duration = Duration::from_secs(1);
/// Times that one call may be sent on to another number (R9).
pub const FORWARDS: u8 = 5;
/// Calls to the outside that an account may make in a day if nothing else is set.
pub const CALLS_A_DAY: u32 = 200;
/// After an emergency call, this long a call back passes do-not-disturb and forwarding (R31).
pub const CALL_BACK: Duration = Duration::from_secs(30 * 60);
/// Calls that wait for the directory's word on where they go.
pub const SITE_CALLS: usize = 4_096;
/// Connections with other exchanges.
pub const SITE_CONNECTIONS: usize = 4_096;
/// Calls of apps that were accepted and have not ended.
pub const APP_CALLS: usize = 4_096;
/// How long a phone that can be woken may say nothing to an INVITE before it is.
pub const SAYS_NOTHING: Duration = Duration::from_secs(2);
/// How long an app, or a phone, that was woken may take until it is here.
pub const WAKE_PATIENCE: Duration = Duration::from_secs(20);
/// How long the place of an app is kept that was let in and has not come (C14).
pub const COME_PATIENCE: Duration = Duration::from_secs(10);
/// After how long it is tried again whether the directory can be asked who calls a number by itself.
pub const CLAIM_RETRY: Duration = Duration::from_secs(30);
/// How often the directory is told of numbers that are still being called; it forgets them after ten minutes.
pub const CLAIM_AGAIN: Duration = Duration::from_secs(240);
/// Questions to other exchanges that wait for a reply, and phones that they may call once.
pub const SITE_QUESTIONS: usize = 1_024;
/// Exchanges that are asked whose a badge is.
pub const SITES_ASKED: usize = 32;
/// For how long another exchange may call a phone of ours at which one of its people was seen.
pub const VISIT_LIFE: Duration = Duration::from_secs(10);
/// Taps that one exchange may ask about at once, and a second.
pub const ASKED_TAPS: u32 = 100;
/// See [`ASKED_TAPS`].
pub const ASKED_TAPS_RATE: u32 = 20;
/// Octets of the ladder that another exchange is told: with its head it is one SIP message.
pub const LADDER_TOLD: usize = 48 << 10;
/// How long the directory may take for its word.
pub const SITE_PATIENCE: Duration = Duration::from_secs(4);
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
/// Source addresses whose requests are counted, strangers and those we know each; beyond, the oldest are forgotten.
pub const SOURCES: usize = 16_384;
/// Requests without proof that a stranger may send at once, and a second (sec_07).
pub const STRANGER_BURST: u32 = 4_000;
/// See [`STRANGER_BURST`].
pub const STRANGER_RATE: u32 = 2_000;
/// The same for an address from which a device proved its secret: there may be a whole office behind it.
pub const KNOWN_BURST: u32 = 30_000;
/// See [`KNOWN_BURST`].
pub const KNOWN_RATE: u32 = 5_000;
/// For how long an address is known after the last proof; longer than any registration lives.
pub const KNOWN_FOR: Duration = Duration::from_secs(7_200);
/// Requests of all strangers together, at once and a second: made-up addresses meet this bound.
pub const STRANGERS_BURST: u32 = 40_000;
/// See [`STRANGERS_BURST`].
pub const STRANGERS_RATE: u32 = 20_000;
/// Refusals with 503 that a source gets in a second; beyond, it gets silence.
pub const REFUSALS: u32 = 50;
/// Sources and names whose wrong answers are remembered; beyond, the oldest are forgotten.
pub const GUESSERS: usize = 8_192;
/// Wrong answers from one address for one name before it is not listened to (R10).
pub const STRIKES_OF_PAIR: u32 = 8;
/// The same when the name is tried from everywhere.
pub const STRIKES_WANTED: u32 = 3;
/// Wrong answers for one name from everywhere before that is so.
pub const STRIKES_OF_NAME: u32 = 64;
/// Wrong answers from one address for all names before it is not listened to at all.
pub const STRIKES_OF_SOURCE: u32 = 64;
/// For how long nothing is listened to after the first strike too many; each further one doubles it.
pub const IGNORED_LEAST: Duration = Duration::from_secs(2);
/// The longest that nothing is listened to.
pub const IGNORED_MOST: Duration = Duration::from_secs(600);
/// How long strikes are remembered.
pub const STRIKES_KEPT: Duration = Duration::from_secs(3_600);
/// Digits of a PIN, at most.
pub const PIN_DIGITS: usize = 12;
/// Wrong PINs that one call may key.
pub const PIN_TRIES: u8 = 3;
/// PINs that are being checked at once; beyond, callers are asked to call again.
pub const PIN_CHECKS: usize = 64;
/// For how long no PIN is checked after the first one too many; each further one doubles it.
pub const PIN_IGNORED_LEAST: Duration = Duration::from_secs(30);
/// Wrong PINs of one person from one telephone before none is checked for a growing time.
pub const PIN_STRIKES_OF_PAIR: u32 = 4;
/// The same from one telephone, whoever is tried.
pub const PIN_STRIKES_OF_DEVICE: u32 = 8;
/// The same of one person, from wherever it is tried.
pub const PIN_STRIKES_OF_NUMBER: u32 = 16;
/// Lines about guessing that strangers can put into the log at once, and a second.
pub const REPORTS_BURST: u32 = 20;
/// See [`REPORTS_BURST`].
pub const REPORTS_RATE: u32 = 1;
/// Guessing sources that the status names.
pub const REPORTED: usize = 20;
/// Characters of a name that somebody tried, as it is kept and logged.
pub const NAME_KEPT: usize = 64;
/// How late the core may be before new calls without credentials are refused (R17). A machine that pauses once leaves a
/// backlog that is worked off within this time at thousands of calls a second; to be answered late is better than a refusal.
pub const LATE: Duration = Duration::from_millis(100);
/// How late before all new calls are refused, those in emergency excepted.
pub const VERY_LATE: Duration = Duration::from_millis(250);
/// How late before nothing new is taken at all, those in emergency excepted.
pub const TOO_LATE: Duration = Duration::from_millis(2_000);
/// Transactions that are alive before new calls are refused; those done are small and live for 32 s more (R23).
pub const TRANSACTIONS: usize = 400_000;
/// Transactions that are alive before even calls in emergency are refused: the bound of the whole server (R31).
pub const TRANSACTIONS_IN_ALL: usize = 500_000;

const _: () = assert!(PENDING_COMMITS >= 1_024 && IMPORT_ROWS * 64 <= PENDING_COMMITS);
const _: () = assert!(BACKLOG_PART <= BACKLOG && BACKLOG >= CALLS);
const _: () = assert!(BRANCHES < 64, "a call has at most 64 legs");
const _: () = assert!(LADDER_OCTETS + LADDER_OCTETS / 2 <= 16 << 20, "ladders take 16 MiB at most");
const _: () = assert!(STRANGER_BURST < KNOWN_BURST && STRANGER_RATE < KNOWN_RATE);
const _: () = assert!(STRANGERS_BURST >= 8 * STRANGER_BURST, "eight flooding sources leave room for others");
const _: () = assert!(REFUSALS < STRANGER_RATE, "a flood gets less than it would by behaving");
const _: () = assert!(STRIKES_WANTED < STRIKES_OF_PAIR && STRIKES_OF_PAIR < STRIKES_OF_SOURCE);
const _: () =
    assert!(PIN_STRIKES_OF_PAIR < PIN_STRIKES_OF_DEVICE && PIN_STRIKES_OF_DEVICE < PIN_STRIKES_OF_NUMBER);
const _: () = assert!(PIN_TRIES as u32 <= PIN_STRIKES_OF_PAIR, "who mistypes is not locked out by one call");
const _: () = assert!(IGNORED_LEAST.as_millis() < IGNORED_MOST.as_millis());
const _: () = assert!(IGNORED_MOST.as_secs() < STRIKES_KEPT.as_secs(), "who waits it out starts no new list");
const _: () =
    assert!(LATE.as_micros() < VERY_LATE.as_micros() && VERY_LATE.as_micros() < TOO_LATE.as_micros());
const _: () = assert!(VERY_LATE.as_millis() < 500, "callers send again after T1 and make it worse");
const _: () = assert!(
    BADGE_BURST < READER_BURST && BADGE_RATE < READER_RATE && TAPS_REMEMBERED >= READER_BURST as usize
);
const _: () = assert!(TRANSACTIONS < TRANSACTIONS_IN_ALL && TRANSACTIONS >= 16 * CALLS);
