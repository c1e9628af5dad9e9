//! Lists of the directory by pages, so that one answer never takes long (R17).

use crate::command::{AccountRow, Answer, Command, DeviceRow};
use crate::exchange::Exchange;
use crate::people::{Account, Device};

/// What part of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// The key after which it begins; empty for the first.
    pub after: Box<str>,
    /// What an item has to contain, in lower case; empty for any.
    pub find: Box<str>,
    /// Items at most.
    pub most: usize,
}

impl Slice {
    fn has(&self, words: &[&str]) -> bool {
        self.find.is_empty() || words.iter().any(|word| word.to_lowercase().contains(&*self.find))
    }
}

impl Exchange {
    /// The answer to a command that asks for one thing or for a page.
    pub(crate) fn look(&self, what: &Command) -> Answer {
        let people = &self.people;
        match what {
            Command::Account(name) => {
                let row = people.account(name).map(|account| Box::new(self.account_row(name, account)));
                Answer::Account(row)
            }
            Command::Number(number) => {
                let found = people.account_of(number).map(|(account, _)| (number.clone(), account.into()));
                Answer::Numbers(found.into_iter().collect())
            }
            Command::Device(name) => {
                let found = people.device(name).map(|device| self.device_row(name, device));
                Answer::Devices(found.into_iter().collect())
            }
            Command::AccountPage(slice) => {
                let fits = |(name, account): &(&str, &Account)| {
                    slice.has(&[name, &account.display])
                        || account.numbers.iter().any(|number| slice.has(&[number]))
                };
                let rows = people.accounts_after(&slice.after).filter(fits).take(slice.most);
                Answer::Accounts(rows.map(|(name, account)| self.account_row(name, account)).collect())
            }
            Command::NumberPage(slice) => {
                let rows = people.numbers_after(&slice.after);
                let fits = |(number, account): &(&str, &str)| slice.has(&[number, account]);
                let rows = rows.filter(fits).take(slice.most);
                Answer::Numbers(rows.map(|(number, account)| (number.into(), account.into())).collect())
            }
            Command::DevicePage(slice) => {
                let fits =
                    |(name, device): &(&str, &Device)| slice.has(&[name, &device.account, &device.location]);
                let rows = people.devices_after(&slice.after).filter(fits).take(slice.most);
                Answer::Devices(rows.map(|(name, device)| self.device_row(name, device)).collect())
            }
            _ => Answer::Done,
        }
    }

    pub(crate) fn account_row(&self, name: &str, account: &Account) -> AccountRow {
        AccountRow {
            name: name.into(),
            display: account.display.clone(),
            numbers: account.numbers.clone(),
            devices: account.devices.clone(),
            settings: account.settings.clone(),
            registered: account.devices.iter().any(|device| self.registrar.is_registered(device)),
        }
    }

    pub(crate) fn device_row(&self, name: &str, device: &Device) -> DeviceRow {
        DeviceRow {
            name: name.into(),
            account: device.account.clone(),
            registered: self.registrar.flows(name),
            location: device.location.clone(),
            call_back: device.call_back.clone(),
            auto_answer: device.auto_answer,
            started: self.profiles.started(name).cloned(),
        }
    }
}
