//! What can become of a tap, and what is kept of it.

use super::badge::BadgeKind;
use crate::seats::Taken;
use clock::Wall;
use std::time::Duration;

/// What became of a tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TapVerdict {
    /// It counts.
    Accepted,
    /// No reader has this key.
    UnknownReader,
    /// No badge tells what was read.
    UnknownBadge,
    /// It has the form of a secure badge, and none has told it.
    Forged,
    /// A secure badge has told it, and it counted before, or a later one did.
    Replayed,
    /// The badge is revoked.
    Revoked,
    /// Badges of its kind open nothing here.
    KindNotAllowed,
    /// The PIN is needed as well; the same may be told again with it.
    PinNeeded,
    /// The PIN is needed, and the account has none.
    NoPin,
    /// The PIN was wrong.
    WrongPin,
    /// The badge or the reader taps too fast.
    TooFast,
    /// The reader read too much that is no badge, or too many PINs were wrong.
    Locked,
    /// The reader gave this id to another tap.
    IdUsed,
    /// It may be of another exchange, and no call can come to this phone now.
    NoPhone,
    /// Nobody knows the badge, and not all exchanges can be asked; the same may be told again.
    Away,
    /// Too much is going on; the same may be told again.
    Busy,
    /// The store cannot keep it; the same may be told again.
    NotStored,
}

impl TapVerdict {
    /// All of them.
    const ALL: [TapVerdict; 17] = [
        TapVerdict::Accepted,
        TapVerdict::UnknownReader,
        TapVerdict::UnknownBadge,
        TapVerdict::Forged,
        TapVerdict::Replayed,
        TapVerdict::Revoked,
        TapVerdict::KindNotAllowed,
        TapVerdict::PinNeeded,
        TapVerdict::NoPin,
        TapVerdict::WrongPin,
        TapVerdict::TooFast,
        TapVerdict::Locked,
        TapVerdict::IdUsed,
        TapVerdict::NoPhone,
        TapVerdict::Away,
        TapVerdict::Busy,
        TapVerdict::NotStored,
    ];

    /// The verdict of a name.
    pub(super) fn of_name(name: &str) -> Option<TapVerdict> {
        TapVerdict::ALL.into_iter().find(|verdict| verdict.name() == name)
    }

    /// The name of the rule, in facts, taps and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            TapVerdict::Accepted => "tap.accepted",
            TapVerdict::UnknownReader => "tap.unknown-reader",
            TapVerdict::UnknownBadge => "tap.unknown-badge",
            TapVerdict::Forged => "tap.forged",
            TapVerdict::Replayed => "tap.replayed",
            TapVerdict::Revoked => "tap.revoked",
            TapVerdict::KindNotAllowed => "tap.kind-not-allowed",
            TapVerdict::PinNeeded => "tap.pin-needed",
            TapVerdict::NoPin => "tap.no-pin",
            TapVerdict::WrongPin => "tap.pin-wrong",
            TapVerdict::TooFast => "tap.too-fast",
            TapVerdict::Locked => "tap.locked",
            TapVerdict::IdUsed => "tap.id-used",
            TapVerdict::NoPhone => "tap.no-phone",
            TapVerdict::Away => "tap.exchange-away",
            TapVerdict::Busy => "tap.busy",
            TapVerdict::NotStored => "tap.not-stored",
        }
    }

    /// What it says to whoever stands there.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            TapVerdict::Accepted => "accepted",
            TapVerdict::UnknownReader => "no reader has this key",
            TapVerdict::UnknownBadge => "this is no badge of ours",
            TapVerdict::Forged => "this tap was not told by the badge; it may be a copy",
            TapVerdict::Replayed => "this tap was told before; hold the badge there again",
            TapVerdict::Revoked => "this badge is revoked",
            TapVerdict::KindNotAllowed => "badges of this kind open nothing here",
            TapVerdict::PinNeeded => "the PIN is needed as well",
            TapVerdict::NoPin => "the PIN is needed as well, and this account has none",
            TapVerdict::WrongPin => "the PIN is wrong",
            TapVerdict::TooFast => "too many taps; wait a moment",
            TapVerdict::Locked => "too many wrong tries; wait a while",
            TapVerdict::IdUsed => "this id was given to another tap",
            TapVerdict::NoPhone => "no call can come to this phone now",
            TapVerdict::Away => "an exchange that may know this badge cannot be asked now",
            TapVerdict::Busy => "too much is going on; try again",
            TapVerdict::NotStored => "nothing can be stored now; try again",
        }
    }

    /// Whether the same tap, told again, is judged again.
    pub(crate) fn may_be_tried_again(self) -> bool {
        matches!(
            self,
            TapVerdict::Busy
                | TapVerdict::NotStored
                | TapVerdict::TooFast
                | TapVerdict::Locked
                | TapVerdict::NoPhone
                | TapVerdict::Away
        )
    }
}

/// The answer to a tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapAnswer {
    /// What became of it.
    pub verdict: TapVerdict,
    /// The badge, if one is known by what was read.
    pub badge: Option<Box<str>>,
    /// Whose it is, if the tap counts.
    pub account: Option<Box<str>>,
    /// What happened, in words for whoever stands there.
    pub words: Box<str>,
    /// What was taken, if the tap counts.
    pub taken: Option<Taken>,
    /// How long the next try has to wait.
    pub wait: Duration,
}

/// A tap as it is kept, for thirty days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tap {
    /// When.
    pub time: Wall,
    /// Whose badge it was; empty if no badge is known by what was read.
    pub account: Box<str>,
    /// The badge; empty if none is known.
    pub badge: Box<str>,
    /// Its kind.
    pub kind: Option<BadgeKind>,
    /// Where.
    pub reader: Box<str>,
    /// The phone there.
    pub device: Box<str>,
    /// What became of it.
    pub verdict: TapVerdict,
    /// The same in words.
    pub words: Box<str>,
}
