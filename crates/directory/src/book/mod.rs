//! What the directory knows: exchanges, accounts with their home, devices with the exchange that they are at.

mod exchanges;
mod people;

pub use exchanges::{Exchange, Health, Report};
pub use people::{Account, Device, Kind, Wake, Way};

use crate::limits;
use crate::names::{AccountName, DeviceId, ExchangeName, Number};
use clock::Mono;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Everything that is known.
#[derive(Debug, Default)]
pub struct Book {
    exchanges: BTreeMap<ExchangeName, Exchange>,
    /// Those that are not down, by when they were heard last.
    heard: BTreeSet<(Mono, ExchangeName)>,
    accounts: BTreeMap<AccountName, Account>,
    numbers: BTreeMap<Number, AccountName>,
    devices: BTreeMap<DeviceId, Device>,
    of_account: BTreeMap<AccountName, BTreeSet<DeviceId>>,
}

/// Why something was not written into the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No exchange of this name has joined.
    UnknownExchange(ExchangeName),
    /// An account that nobody told of.
    UnknownAccount(AccountName),
    /// A device that nobody told of.
    UnknownDevice(DeviceId),
    /// The number has an owner at another exchange.
    NumberTaken(Number, AccountName),
    /// The account has its home at another exchange.
    HomeElsewhere(AccountName, ExchangeName),
    /// The device belongs to another account.
    DeviceTaken(DeviceId, AccountName),
    /// There is no room for more of these.
    Full(&'static str),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::UnknownExchange(name) => write!(f, "no exchange {name} has joined"),
            Refused::UnknownAccount(name) => write!(f, "there is no account {name}"),
            Refused::UnknownDevice(name) => write!(f, "there is no device {name}"),
            Refused::NumberTaken(number, account) => write!(f, "number {number} belongs to {account}"),
            Refused::HomeElsewhere(account, exchange) => {
                write!(f, "account {account} has its home at {exchange}")
            }
            Refused::DeviceTaken(device, account) => write!(f, "device {device} belongs to {account}"),
            Refused::Full(what) => write!(f, "there is no room for more {what}"),
        }
    }
}

impl std::error::Error for Refused {}

impl Book {
    /// Each account, in the order of their names.
    pub fn accounts(&self) -> impl Iterator<Item = (&AccountName, &Account)> {
        self.accounts.iter()
    }

    /// Whose a number is.
    #[must_use]
    pub fn owner(&self, number: &Number) -> Option<(&AccountName, &Account)> {
        self.accounts.get_key_value(self.numbers.get(number)?)
    }

    /// One account.
    #[must_use]
    pub fn account(&self, name: &AccountName) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// One device.
    #[must_use]
    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.devices.get(id)
    }

    /// The devices of an account.
    pub fn devices_of(&self, account: &AccountName) -> impl Iterator<Item = (&DeviceId, &Device)> {
        let ids = self.of_account.get(account).into_iter().flatten();
        ids.filter_map(|id| self.devices.get_key_value(id))
    }

    /// An exchange tells of an account that has its home there; what it told before is replaced. A number that another account of that
    /// home had is the other's no more: it has changed hands.
    ///
    /// # Errors
    /// When it belongs to another exchange, or one of its numbers does, or there is no room; nothing is changed then.
    pub fn put_account(&mut self, name: AccountName, account: Account) -> Result<(), Refused> {
        if !self.exchanges.contains_key(&account.home) {
            return Err(Refused::UnknownExchange(account.home));
        }
        let before = self.accounts.get(&name);
        if let Some(other) = before.filter(|before| before.home != account.home) {
            return Err(Refused::HomeElsewhere(name, other.home.clone()));
        }
        if before.is_none() && self.accounts.len() >= limits::ACCOUNTS {
            return Err(Refused::Full("accounts"));
        }
        if account.numbers.len() > limits::NUMBERS_OF_ONE {
            return Err(Refused::Full("numbers of one account"));
        }
        for number in &account.numbers {
            if let Some(owner) = self.numbers.get(number).filter(|owner| **owner != name)
                && self.accounts.get(owner).is_none_or(|owner| owner.home != account.home)
            {
                return Err(Refused::NumberTaken(number.clone(), owner.clone()));
            }
        }
        for number in before.map(|before| before.numbers.clone()).unwrap_or_default() {
            self.numbers.remove(&number);
        }
        for number in &account.numbers {
            let before = self.numbers.insert(number.clone(), name.clone());
            if let Some(before) = before.and_then(|before| self.accounts.get_mut(&before)) {
                before.numbers.retain(|theirs| theirs != number);
            }
        }
        self.accounts.insert(name, account);
        Ok(())
    }

    /// An account is gone, with its numbers and devices.
    pub fn remove_account(&mut self, name: &AccountName) {
        let Some(account) = self.accounts.remove(name) else { return };
        for number in &account.numbers {
            self.numbers.remove(number);
        }
        for device in self.of_account.remove(name).unwrap_or_default() {
            self.devices.remove(&device);
        }
    }

    /// Those that have their home at an exchange and are none of these.
    #[must_use]
    pub fn others_at(&self, home: &ExchangeName, these: &BTreeSet<AccountName>) -> Vec<AccountName> {
        let theirs =
            self.accounts.iter().filter(|(name, account)| account.home == *home && !these.contains(*name));
        theirs.map(|(name, _)| name.clone()).collect()
    }

    /// An account gets another home by choice, with all of its devices that are at none.
    ///
    /// # Errors
    /// When one of them is unknown.
    pub fn move_account(&mut self, name: &AccountName, home: ExchangeName) -> Result<(), Refused> {
        if !self.exchanges.contains_key(&home) {
            return Err(Refused::UnknownExchange(home));
        }
        let account = self.accounts.get_mut(name).ok_or_else(|| Refused::UnknownAccount(name.clone()))?;
        account.home = home;
        Ok(())
    }

    /// A device of an account: enrolled, or registered at an exchange, or with other ways to wake it.
    ///
    /// # Errors
    /// When its account is unknown, it is somebody else's, or there is no room; nothing is changed then.
    pub fn put_device(&mut self, id: DeviceId, device: Device) -> Result<(), Refused> {
        if !self.accounts.contains_key(&device.account) {
            return Err(Refused::UnknownAccount(device.account));
        }
        match self.devices.get(&id) {
            Some(before) if before.account != device.account => {
                return Err(Refused::DeviceTaken(id, before.account.clone()));
            }
            None if self.devices.len() >= limits::DEVICES => return Err(Refused::Full("devices")),
            _ => {}
        }
        let ids = self.of_account.entry(device.account.clone()).or_default();
        if !ids.contains(&id) && ids.len() >= limits::DEVICES_OF_ONE {
            return Err(Refused::Full("devices of one account"));
        }
        if device.ways.len() > limits::WAYS {
            return Err(Refused::Full("ways to wake one device"));
        }
        ids.insert(id.clone());
        self.devices.insert(id, device);
        Ok(())
    }

    /// A device is gone.
    pub fn remove_device(&mut self, id: &DeviceId) {
        let Some(device) = self.devices.remove(id) else { return };
        if let Some(others) = self.of_account.get_mut(&device.account) {
            others.remove(id);
        }
    }

    /// Where a device is now. Only who has its flow says that it left: a device that moved is not taken from where it is.
    ///
    /// # Errors
    /// When either is unknown.
    pub fn place(&mut self, id: &DeviceId, exchange: &ExchangeName, here: bool) -> Result<(), Refused> {
        if !self.exchanges.contains_key(exchange) {
            return Err(Refused::UnknownExchange(exchange.clone()));
        }
        let device = self.devices.get_mut(id).ok_or_else(|| Refused::UnknownDevice(id.clone()))?;
        if here {
            device.at = Some(exchange.clone());
        } else if device.at.as_ref() == Some(exchange) {
            device.at = None;
        }
        Ok(())
    }

    /// Whether a device has a connection to the directory.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn connected(&mut self, id: &DeviceId, connected: bool) -> Result<(), Refused> {
        let device = self.devices.get_mut(id).ok_or_else(|| Refused::UnknownDevice(id.clone()))?;
        device.connected = connected;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{Fingerprint, Named as _};
    use crate::ticket::TicketKey;
    use clock::Mono;

    fn name<T: crate::names::Named>(text: &str) -> T {
        T::parse(text).unwrap()
    }

    fn book() -> Book {
        let mut book = Book::default();
        for exchange in ["x", "y"] {
            book.join(Mono(0), name(exchange), Fingerprint([1; 32]), TicketKey([1; 32])).unwrap();
        }
        book
    }

    fn account(home: &str, numbers: &[&str]) -> Account {
        Account {
            home: name(home),
            numbers: numbers.iter().map(|number| name(number)).collect(),
            enabled: true,
            phones: false,
        }
    }

    fn device(account: &str) -> Device {
        Device {
            account: name(account),
            kind: Kind::App,
            at: None,
            ways: vec![],
            key: None,
            connected: false,
        }
    }

    #[test]
    fn a_number_has_one_owner_whatever_exchanges_say() {
        let mut book = book();
        book.put_account(name("anna"), account("x", &["2041", "2042"])).unwrap();
        let taken = book.put_account(name("bela"), account("y", &["2043", "2041"])).unwrap_err();
        assert_eq!(taken.to_string(), "number 2041 belongs to anna");
        assert!(book.owner(&name("2043")).is_none(), "nothing was changed");
        let elsewhere = book.put_account(name("anna"), account("y", &["2041"])).unwrap_err();
        assert_eq!(elsewhere.to_string(), "account anna has its home at x");
        // A number that was given back may be had by another.
        book.put_account(name("anna"), account("x", &["2042"])).unwrap();
        book.put_account(name("bela"), account("y", &["2041"])).unwrap();
        assert_eq!(book.owner(&name("2041")).unwrap().0.as_str(), "bela");
        book.move_account(&name("anna"), name("y")).unwrap();
        book.put_account(name("anna"), account("y", &["2042"])).unwrap();
        assert!(book.put_account(name("cleo"), account("z", &[])).is_err());
    }

    #[test]
    fn a_device_is_where_it_was_last_seen_and_only_that_exchange_says_that_it_left() {
        let mut book = book();
        book.put_account(name("anna"), account("x", &["2041"])).unwrap();
        assert!(book.put_device(name("d"), device("bela")).is_err());
        book.put_device(name("d"), device("anna")).unwrap();
        book.place(&name("d"), &name("x"), true).unwrap();
        book.place(&name("d"), &name("y"), true).unwrap();
        book.place(&name("d"), &name("x"), false).unwrap();
        assert_eq!(book.device(&name("d")).unwrap().at, Some(name("y")));
        book.put_account(name("bela"), account("y", &[])).unwrap();
        assert!(book.put_device(name("d"), device("bela")).is_err(), "it is anna's");
        book.remove_account(&name("anna"));
        assert!(book.device(&name("d")).is_none());
        assert!(book.owner(&name("2041")).is_none());
    }

    #[test]
    fn what_is_full_takes_no_more() {
        let mut book = book();
        book.put_account(name("anna"), account("x", &["2041"])).unwrap();
        for place in 0..limits::DEVICES_OF_ONE {
            book.put_device(name(&format!("d{place}")), device("anna")).unwrap();
        }
        assert_eq!(
            book.put_device(name("more"), device("anna")),
            Err(Refused::Full("devices of one account"))
        );
        book.put_device(name("d0"), device("anna")).unwrap();
        let many: Vec<String> = (0..=limits::NUMBERS_OF_ONE).map(|place| place.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(book.put_account(name("bela"), account("x", &many)).is_err());
    }
}
