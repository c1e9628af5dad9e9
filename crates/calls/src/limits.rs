//! The bounds of a call.

use std::time::Duration;

/// Legs of one call, the caller's included.
pub(crate) const LEGS_PER_CALL: usize = 64;
/// Early dialogs that one branch may have, when a proxy behind it forks again.
pub(crate) const EARLY_DIALOGS_PER_BRANCH: usize = 8;
/// How long a leg that was told to end may take to confirm.
pub(crate) const CLOSING: Duration = Duration::from_secs(40);
/// How long an answered leg waits for its phone after its connection broke (R7).
pub(crate) const FLOW_RETURN: Duration = Duration::from_secs(30);
/// After a refused re-INVITE (RFC 3261 14.1), for the side that owns the Call-ID: 2.1 to 4 s.
pub(crate) const GLARE_OWNER_MS: std::ops::Range<u64> = 2_100..4_000;
/// For the other side: 0 to 2 s.
pub(crate) const GLARE_OTHER_MS: std::ops::Range<u64> = 0..2_000;
/// Times that a 422 may make us ask again with a longer session (RFC 4028 section 6).
pub(crate) const LONGER_SESSIONS: u8 = 2;
/// How long a phone that is to take a ringing call may say nothing (R5).
pub(crate) const TAKE_LIMIT: Duration = Duration::from_secs(2);
/// How long a phone that answered to take a talk over may send nothing (R6).
pub(crate) const READY_LIMIT: Duration = Duration::from_secs(8);
/// A provisional response is repeated, so that nobody on the way gives up (RFC 3261 13.3.1.1).
pub(crate) const PROVISIONAL_REPEAT: Duration = Duration::from_secs(50);
/// Max-Forwards of what we begin ourselves (RFC 3261 8.1.1.6).
pub(crate) const HOPS: u8 = 70;

const _: () = assert!(LEGS_PER_CALL > EARLY_DIALOGS_PER_BRANCH);
