//! Changes of the directory data, and why one is refused.

use super::{Device, Group, NAME_LENGTH, NUMBER_LENGTH, Queue, Route, Settings, Trunk};
use crate::badges::{Badge, BadgeKeys, Reader};
use std::fmt;

/// One change of the directory data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleChange {
    /// A new account, or what is known of one.
    PutAccount {
        /// Its name.
        name: Box<str>,
        /// What others see.
        display: Box<str>,
        /// All that is set for it.
        settings: Box<Settings>,
    },
    /// An account leaves.
    RemoveAccount {
        /// Its name.
        name: Box<str>,
    },
    /// A number for an account.
    PutNumber {
        /// The number.
        number: Box<str>,
        /// Whose it is from now on.
        account: Box<str>,
    },
    /// A number leaves.
    RemoveNumber {
        /// The number.
        number: Box<str>,
    },
    /// A new device, or a new secret of one.
    PutDevice {
        /// Its name.
        name: Box<str>,
        /// The device.
        device: Device,
    },
    /// A device leaves; its bindings go with it.
    RemoveDevice {
        /// Its name.
        name: Box<str>,
    },
    /// A trunk, new or changed.
    PutTrunk {
        /// Its name.
        name: Box<str>,
        /// The trunk.
        trunk: Box<Trunk>,
    },
    /// A trunk leaves.
    RemoveTrunk {
        /// Its name.
        name: Box<str>,
    },
    /// A route to the outside, new or changed.
    PutRoute {
        /// Its name.
        name: Box<str>,
        /// The route.
        route: Box<Route>,
    },
    /// A route leaves.
    RemoveRoute {
        /// Its name.
        name: Box<str>,
    },
    /// A hunt group, new or changed.
    PutGroup {
        /// Its name.
        name: Box<str>,
        /// The group.
        group: Box<Group>,
    },
    /// A hunt group leaves.
    RemoveGroup {
        /// Its name.
        name: Box<str>,
    },
    /// A queue, new or changed.
    PutQueue {
        /// Its name.
        name: Box<str>,
        /// The queue.
        queue: Box<Queue>,
    },
    /// A queue leaves.
    RemoveQueue {
        /// Its name.
        name: Box<str>,
    },
    /// A badge, new or revoked.
    PutBadge {
        /// Its name.
        name: Box<str>,
        /// The badge.
        badge: Box<Badge>,
    },
    /// A badge is forgotten.
    RemoveBadge {
        /// Its name.
        name: Box<str>,
    },
    /// A reader of badges, new or with another key.
    PutReader {
        /// Its name.
        name: Box<str>,
        /// The reader.
        reader: Reader,
    },
    /// A reader leaves.
    RemoveReader {
        /// Its name.
        name: Box<str>,
    },
    /// What the keys of secure badges follow from; made once.
    PutBadgeKeys(Box<BadgeKeys>),
}

impl PeopleChange {
    /// The name of what it puts or removes.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            PeopleChange::PutNumber { number, .. } => number,
            PeopleChange::PutDevice { name, .. }
            | PeopleChange::PutBadge { name, .. }
            | PeopleChange::PutReader { name, .. } => name,
            other => other.subject(),
        }
    }

    /// Whether it removes something.
    #[must_use]
    pub fn removes(&self) -> bool {
        matches!(
            self,
            PeopleChange::RemoveAccount { .. }
                | PeopleChange::RemoveNumber { .. }
                | PeopleChange::RemoveDevice { .. }
                | PeopleChange::RemoveTrunk { .. }
                | PeopleChange::RemoveRoute { .. }
                | PeopleChange::RemoveGroup { .. }
                | PeopleChange::RemoveQueue { .. }
                | PeopleChange::RemoveBadge { .. }
                | PeopleChange::RemoveReader { .. }
        )
    }

    /// What the change belongs to; decides its shard (R19).
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            PeopleChange::PutAccount { name, .. }
            | PeopleChange::RemoveAccount { name }
            | PeopleChange::RemoveDevice { name }
            | PeopleChange::PutTrunk { name, .. }
            | PeopleChange::RemoveTrunk { name }
            | PeopleChange::PutRoute { name, .. }
            | PeopleChange::RemoveRoute { name }
            | PeopleChange::PutGroup { name, .. }
            | PeopleChange::RemoveGroup { name }
            | PeopleChange::PutQueue { name, .. }
            | PeopleChange::RemoveQueue { name }
            | PeopleChange::RemoveBadge { name }
            | PeopleChange::RemoveReader { name } => name,
            PeopleChange::PutBadge { badge, .. } => &badge.account,
            PeopleChange::PutReader { reader, .. } => &reader.device,
            PeopleChange::PutBadgeKeys(_) => "badges",
            PeopleChange::PutNumber { account, .. } => account,
            PeopleChange::RemoveNumber { number } => number,
            PeopleChange::PutDevice { device, .. } => &device.account,
        }
    }
}

/// Why the directory refuses a change; says what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such thing.
    Unknown(&'static str, Box<str>),
    /// It exists already.
    Exists(&'static str, Box<str>),
    /// A number belongs to another account (S1.1).
    NumberTaken {
        /// The number.
        number: Box<str>,
        /// Whose it is.
        account: Box<str>,
    },
    /// A device belongs to another account.
    DeviceTaken {
        /// The device.
        device: Box<str>,
        /// Whose it is.
        account: Box<str>,
    },
    /// The number is one of the exchange's own services.
    Service(Box<str>),
    /// Not a name: empty, too long, or with characters that cannot be in one.
    BadName(&'static str, Box<str>),
    /// Not a number: see the rule in the words.
    BadNumber(Box<str>),
    /// The account still has numbers or devices.
    InUse(Box<str>),
    /// One account has too many of them.
    TooMany(&'static str),
    /// It is named elsewhere and cannot leave before that: by whom.
    Named {
        /// What shall leave.
        kind: &'static str,
        /// Its name.
        name: Box<str>,
        /// Who names it.
        by: Box<str>,
    },
    /// A value that makes no sense; says why.
    Nonsense(Box<str>),
    /// A rule forbids it.
    Rule {
        /// Its name.
        rule: &'static str,
        /// In words.
        words: Box<str>,
    },
    /// An import row for a new device without a secret.
    NoSecret(Box<str>),
    /// A device that nobody but the page of its session may change.
    WebPhone(Box<str>),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Unknown(kind, name) => write!(f, "no {kind} \"{name}\""),
            Refusal::Exists(kind, name) => write!(f, "{kind} \"{name}\" exists already"),
            Refusal::NumberTaken { number, account } => {
                write!(f, "number {number} belongs to account \"{account}\"; remove it there first")
            }
            Refusal::DeviceTaken { device, account } => {
                write!(f, "device \"{device}\" belongs to account \"{account}\"; remove it there first")
            }
            Refusal::Service(number) => write!(f, "number {number} is a service of the exchange"),
            Refusal::BadName(kind, name) => write!(
                f,
                "\"{name}\" is no {kind} name: 1 to {NAME_LENGTH} letters, digits and any of . _ - + @ are"
            ),
            Refusal::BadNumber(number) => write!(
                f,
                "\"{number}\" is no number: 1 to {NUMBER_LENGTH} digits, letters and any of + - . _ * # are"
            ),
            Refusal::InUse(name) => {
                write!(f, "account \"{name}\" still has numbers or devices; remove those first")
            }
            Refusal::TooMany(kind) => write!(f, "one account cannot have more {kind}"),
            Refusal::Named { kind, name, by } => {
                write!(f, "{kind} \"{name}\" is named by {by}; change that first")
            }
            Refusal::Nonsense(why) => f.write_str(why),
            Refusal::Rule { words, .. } => f.write_str(words),
            Refusal::NoSecret(device) => write!(f, "device \"{device}\" is new and needs a secret"),
            Refusal::WebPhone(device) => {
                write!(
                    f,
                    "device \"{device}\" is a web phone: it comes and goes with the session of its page"
                )
            }
        }
    }
}

impl std::error::Error for Refusal {}
