//! People, their numbers and their devices: the directory data of the office, in memory (S1.1, S1.2, S1.14).
//!
//! A number has one account; an account has many numbers and many devices; all its devices ring. Nothing here is
//! configured in a phone: a change takes effect on the next call (S1.12, S1.13).

use sip::digest::Secret;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// The longest name of an account or device, in bytes.
const NAME_LENGTH: usize = 64;
/// The longest number.
const NUMBER_LENGTH: usize = 32;
/// Devices of one account; each rings, so each costs a leg.
const DEVICES_PER_ACCOUNT: usize = 32;
/// Numbers of one account.
const NUMBERS_PER_ACCOUNT: usize = 256;

/// A person, or a room that has a telephone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The name others see.
    pub display: Box<str>,
    /// In the order they were added; the first is shown to those whom this account calls.
    pub numbers: Vec<Box<str>>,
    /// In the order they were added.
    pub devices: Vec<Box<str>>,
}

/// A telephone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Whose it is.
    pub account: Box<str>,
    /// How it proves itself.
    pub secret: Secret,
}

/// A line to the outside that is known by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// Calls from here reach the office's numbers without digest.
    pub address: IpAddr,
    /// From this port only; any when none was given.
    pub port: Option<u16>,
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
    /// An import row for a new device without a secret.
    NoSecret(Box<str>),
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
            Refusal::NoSecret(device) => write!(f, "device \"{device}\" is new and needs a secret"),
        }
    }
}

impl std::error::Error for Refusal {}

/// All directory data.
#[derive(Clone, Debug, Default)]
pub struct People {
    accounts: BTreeMap<Box<str>, Account>,
    numbers: BTreeMap<Box<str>, Box<str>>,
    devices: BTreeMap<Box<str>, Device>,
    trunks: BTreeMap<Box<str>, Trunk>,
}

/// Whether a text can be dialled: 1 to 32 of digits, letters and `+ - . _ * #`.
#[must_use]
pub fn is_number(text: &str) -> bool {
    (1..=NUMBER_LENGTH).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._*#".contains(&b))
}

/// Whether a text can name an account, a device or a trunk.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=NAME_LENGTH).contains(&text.len())
        && text.chars().all(|c| c.is_alphanumeric() || "._-+@".contains(c))
}

/// A display name without control and direction characters (sec_01), at most 80 characters.
#[must_use]
pub fn clean_display(text: &str) -> Box<str> {
    let hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    let clean: String = text.chars().filter(|&c| !hostile(c)).take(80).collect();
    clean.trim().into()
}

impl People {
    /// The account of a number.
    #[must_use]
    pub fn account_of(&self, number: &str) -> Option<(&str, &Account)> {
        let name = self.numbers.get(number)?;
        Some((name, self.accounts.get(name)?))
    }

    /// An account by its name.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// A device by its name.
    #[must_use]
    pub fn device(&self, name: &str) -> Option<&Device> {
        self.devices.get(name)
    }

    /// The trunk that a request from this address comes by.
    #[must_use]
    pub fn trunk_at(&self, address: IpAddr, port: u16) -> Option<&str> {
        self.trunks
            .iter()
            .find(|(_, trunk)| trunk.address == address && trunk.port.is_none_or(|wanted| wanted == port))
            .map(|(name, _)| &**name)
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &Account)> {
        self.accounts.iter().map(|(name, account)| (&**name, account))
    }

    /// All numbers with their accounts, in order.
    pub fn numbers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.numbers.iter().map(|(number, account)| (&**number, &**account))
    }

    /// All devices, by name.
    pub fn devices(&self) -> impl Iterator<Item = (&str, &Device)> {
        self.devices.iter().map(|(name, device)| (&**name, device))
    }

    /// All trunks, by name.
    pub fn trunks(&self) -> impl Iterator<Item = (&str, &Trunk)> {
        self.trunks.iter().map(|(name, trunk)| (&**name, trunk))
    }

    /// Applies a change that is known to be right: it was checked, or it comes from the store.
    pub(crate) fn apply(&mut self, change: &PeopleChange) {
        match change {
            PeopleChange::PutAccount { name, display } => {
                self.accounts.entry(name.clone()).or_default().display.clone_from(display);
            }
            PeopleChange::RemoveAccount { name } => {
                self.accounts.remove(name);
            }
            PeopleChange::PutNumber { number, account } => {
                self.drop_number(number);
                self.accounts.entry(account.clone()).or_default().numbers.push(number.clone());
                self.numbers.insert(number.clone(), account.clone());
            }
            PeopleChange::RemoveNumber { number } => self.drop_number(number),
            PeopleChange::PutDevice { name, device } => {
                let listed = &mut self.accounts.entry(device.account.clone()).or_default().devices;
                if !listed.contains(name) {
                    listed.push(name.clone());
                }
                self.devices.insert(name.clone(), device.clone());
            }
            PeopleChange::RemoveDevice { name } => {
                if let Some(device) = self.devices.remove(name)
                    && let Some(account) = self.accounts.get_mut(&device.account)
                {
                    account.devices.retain(|listed| listed != name);
                }
            }
            PeopleChange::PutTrunk { name, trunk } => {
                self.trunks.insert(name.clone(), trunk.clone());
            }
            PeopleChange::RemoveTrunk { name } => {
                self.trunks.remove(name);
            }
        }
    }

    fn drop_number(&mut self, number: &str) {
        if let Some(account) = self.numbers.remove(number)
            && let Some(account) = self.accounts.get_mut(&account)
        {
            account.numbers.retain(|listed| **listed != *number);
        }
    }

    /// Whether a change may be made now.
    ///
    /// # Errors
    /// The [`Refusal`] in words for people.
    pub fn check(&self, change: &PeopleChange) -> Result<(), Refusal> {
        match change {
            PeopleChange::PutAccount { name, .. } => named("account", name),
            PeopleChange::RemoveAccount { name } => {
                let account =
                    self.accounts.get(name).ok_or_else(|| Refusal::Unknown("account", name.clone()))?;
                let used = !account.numbers.is_empty() || !account.devices.is_empty();
                if used { Err(Refusal::InUse(name.clone())) } else { Ok(()) }
            }
            PeopleChange::PutNumber { number, account } => self.check_number(number, account),
            PeopleChange::RemoveNumber { number } => {
                known(self.numbers.contains_key(number), "number", number)
            }
            PeopleChange::PutDevice { name, device } => self.check_device(name, &device.account),
            PeopleChange::RemoveDevice { name } => known(self.devices.contains_key(name), "device", name),
            PeopleChange::PutTrunk { name, .. } => named("trunk", name),
            PeopleChange::RemoveTrunk { name } => known(self.trunks.contains_key(name), "trunk", name),
        }
    }

    /// Whether a number may belong to an account.
    ///
    /// # Errors
    /// Why not.
    pub fn check_number(&self, number: &str, account: &str) -> Result<(), Refusal> {
        if !is_number(number) {
            return Err(Refusal::BadNumber(number.into()));
        }
        let owner = self.accounts.get(account).ok_or_else(|| Refusal::Unknown("account", account.into()))?;
        match self.numbers.get(number) {
            Some(holder) if **holder == *account => Err(Refusal::Exists("number", number.into())),
            Some(holder) => Err(Refusal::NumberTaken { number: number.into(), account: holder.clone() }),
            None if owner.numbers.len() >= NUMBERS_PER_ACCOUNT => Err(Refusal::TooMany("numbers")),
            None => Ok(()),
        }
    }

    fn check_device(&self, name: &str, account: &str) -> Result<(), Refusal> {
        named("device", name)?;
        let owner = self.accounts.get(account).ok_or_else(|| Refusal::Unknown("account", account.into()))?;
        match self.devices.get(name) {
            Some(device) if *device.account != *account => {
                Err(Refusal::DeviceTaken { device: name.into(), account: device.account.clone() })
            }
            Some(_) => Ok(()),
            None if owner.devices.len() >= DEVICES_PER_ACCOUNT => Err(Refusal::TooMany("devices")),
            None => Ok(()),
        }
    }
}

fn named(kind: &'static str, name: &str) -> Result<(), Refusal> {
    if is_name(name) { Ok(()) } else { Err(Refusal::BadName(kind, name.into())) }
}

fn known(found: bool, kind: &'static str, name: &str) -> Result<(), Refusal> {
    if found { Ok(()) } else { Err(Refusal::Unknown(kind, name.into())) }
}

/// One change of the directory data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleChange {
    /// A new account, or a new display name of one.
    PutAccount {
        /// Its name.
        name: Box<str>,
        /// What others see.
        display: Box<str>,
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
        trunk: Trunk,
    },
    /// A trunk leaves.
    RemoveTrunk {
        /// Its name.
        name: Box<str>,
    },
}

impl PeopleChange {
    /// What the change belongs to; decides its shard (R19).
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            PeopleChange::PutAccount { name, .. }
            | PeopleChange::RemoveAccount { name }
            | PeopleChange::RemoveDevice { name }
            | PeopleChange::PutTrunk { name, .. }
            | PeopleChange::RemoveTrunk { name } => name,
            PeopleChange::PutNumber { account, .. } => account,
            PeopleChange::RemoveNumber { number } => number,
            PeopleChange::PutDevice { device, .. } => &device.account,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(people: &mut People, change: PeopleChange) -> Result<(), Refusal> {
        people.check(&change)?;
        people.apply(&change);
        Ok(())
    }

    fn account(name: &str) -> PeopleChange {
        PeopleChange::PutAccount { name: name.into(), display: name.into() }
    }

    fn number(number: &str, account: &str) -> PeopleChange {
        PeopleChange::PutNumber { number: number.into(), account: account.into() }
    }

    #[test]
    fn s1_1_a_number_has_one_account_and_an_account_many_numbers() {
        let mut people = People::default();
        put(&mut people, account("alice")).unwrap();
        put(&mut people, account("bob")).unwrap();
        put(&mut people, number("100", "alice")).unwrap();
        put(&mut people, number("+86.10-1*#", "alice")).unwrap();
        let refused = put(&mut people, number("100", "bob")).unwrap_err();
        assert_eq!(refused.to_string(), "number 100 belongs to account \"alice\"; remove it there first");
        assert_eq!(people.account_of("100").unwrap().1.numbers.len(), 2);
        put(&mut people, PeopleChange::RemoveNumber { number: "100".into() }).unwrap();
        put(&mut people, number("100", "bob")).unwrap();
        assert_eq!(people.account_of("100").unwrap().0, "bob");
    }

    #[test]
    fn bad_input_is_refused_in_words() {
        let mut people = People::default();
        put(&mut people, account("alice")).unwrap();
        let cases = [
            (number("", "alice"), "is no number"),
            (number("1 0", "alice"), "is no number"),
            (number(&"1".repeat(33), "alice"), "is no number"),
            (number("100", "nobody"), "no account \"nobody\""),
            (account("a b"), "is no account name"),
            (account("a\n"), "is no account name"),
            (PeopleChange::RemoveTrunk { name: "x".into() }, "no trunk \"x\""),
        ];
        for (change, words) in cases {
            let refusal = put(&mut people, change).unwrap_err().to_string();
            assert!(refusal.contains(words), "{refusal}");
        }
    }

    #[test]
    fn an_account_in_use_stays_and_display_names_are_cleaned() {
        let mut people = People::default();
        put(&mut people, account("alice")).unwrap();
        put(&mut people, number("100", "alice")).unwrap();
        assert!(put(&mut people, PeopleChange::RemoveAccount { name: "alice".into() }).is_err());
        assert_eq!(&*clean_display("\u{202E}ecilA\r\n\u{0} Li "), "ecilA Li");
    }
}
