//! What the directory is told: whose numbers have their home here. A person without a number is no one to call.

use super::{SiteOutput, SiteWord};
use crate::exchange::Exchange;
use crate::people::PeopleChange;
use directory::{AccountName, Named as _, Number};

impl Exchange {
    /// Everybody, at each new connection.
    pub(super) fn tell_everything(&mut self) {
        let accounts: Vec<Box<str>> = self.people.accounts().map(|(name, _)| name.into()).collect();
        let groups: Vec<Box<str>> = self.people.groups().map(|(name, _)| name.into()).collect();
        let queues: Vec<Box<str>> = self.people.queues().map(|(name, _)| name.into()).collect();
        for name in accounts {
            self.tell_of(&name, &name);
        }
        for name in groups {
            self.tell_of(&format!("group/{name}"), &name);
        }
        for name in queues {
            self.tell_of(&format!("queue/{name}"), &name);
        }
        self.ask_shell(SiteOutput::Tell(SiteWord::Everybody));
    }

    /// Whose number is about to go, or to change hands.
    pub(crate) fn site_owner(&self, change: &PeopleChange) -> Option<Box<str>> {
        match change {
            PeopleChange::PutNumber { number, .. } | PeopleChange::RemoveNumber { number } => {
                self.people.account_of(number).map(|(name, _)| name.into())
            }
            PeopleChange::RemoveAccount { name } => Some(name.clone()),
            PeopleChange::PutDevice { name, .. } | PeopleChange::RemoveDevice { name } => {
                self.people.device(name).map(|device| device.account.clone())
            }
            _ => None,
        }
    }

    /// Somebody came, changed or went. Who had a number before is told of first: it has one owner.
    pub(crate) fn site_people_changed(&mut self, change: &PeopleChange, before: Option<Box<str>>) {
        if !self.sites.asks() {
            return;
        }
        if let Some(before) = before {
            self.tell_of(&before, &before);
        }
        match change {
            PeopleChange::PutNumber { account, .. } => self.tell_of(account, account),
            PeopleChange::PutDevice { device, .. } => self.tell_of(&device.account, &device.account),
            PeopleChange::PutGroup { name, .. } | PeopleChange::RemoveGroup { name } => {
                self.tell_of(&format!("group/{name}"), name);
            }
            PeopleChange::PutQueue { name, .. } | PeopleChange::RemoveQueue { name } => {
                self.tell_of(&format!("queue/{name}"), name);
            }
            _ => {}
        }
    }

    /// Somebody who is none of ours any more is gone; somebody without a number is only not to be called.
    fn tell_of(&mut self, told: &str, name: &str) {
        let Ok(account) = AccountName::parse(told) else { return };
        let is_ours = match told.split_once('/') {
            Some(("group", _)) => self.people.group(name).is_some(),
            Some(("queue", _)) => self.people.queue(name).is_some(),
            _ => self.people.account(name).is_some(),
        };
        if !is_ours {
            return self.ask_shell(SiteOutput::Tell(SiteWord::Gone(account)));
        }
        let numbers: Vec<Number> = match told.split_once('/') {
            Some(("group", _)) => {
                self.people.group(name).map(|group| number(&group.number)).unwrap_or_default()
            }
            Some(("queue", _)) => {
                self.people.queue(name).map(|queue| number(&queue.number)).unwrap_or_default()
            }
            _ => {
                let account = self.people.account(name);
                let numbers = account.map(|account| account.numbers.as_slice()).unwrap_or_default();
                numbers.iter().filter_map(|number| Number::parse(number).ok()).collect()
            }
        };
        let person = self.people.account(told);
        let phones = person.is_none_or(|person| !person.devices.is_empty());
        self.ask_shell(SiteOutput::Tell(SiteWord::Account(account, numbers, phones)));
    }
}

fn number(text: &str) -> Vec<Number> {
    Number::parse(text).into_iter().collect()
}
