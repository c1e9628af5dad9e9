//! Events of the directory and of the devices: each tells the whole row, so that a reader just replaces what it has.

use super::{Audience, Happened};
use crate::exchange::Exchange;
use crate::people::PeopleChange;
use clock::Now;

impl Exchange {
    /// A change that is about to be in force.
    pub(super) fn tell_directory(&mut self, now: Now, change: &PeopleChange) {
        match change {
            PeopleChange::PutAccount { name, .. } => self.listening.touch_account(name),
            PeopleChange::RemoveAccount { name } => {
                let audience = Audience::all(vec![name.clone()]);
                self.tell(now, audience, Happened::PersonRemoved(name.clone()));
            }
            PeopleChange::PutNumber { number, account } => {
                let before = self.people.account_of(number).map(|(account, _)| Box::<str>::from(account));
                let mut accounts = vec![account.clone()];
                accounts.extend(before.filter(|before| before != account));
                for account in &accounts {
                    self.listening.touch_account(account);
                }
                let (number, account) = (number.clone(), account.clone());
                self.tell(now, Audience::all(accounts), Happened::NumberChanged { number, account });
            }
            PeopleChange::RemoveNumber { number } => {
                let account = self.people.account_of(number).map(|(account, _)| Box::<str>::from(account));
                if let Some(account) = &account {
                    self.listening.touch_account(account);
                }
                let audience = Audience::all(account.into_iter().collect());
                self.tell(now, audience, Happened::NumberRemoved(number.clone()));
            }
            PeopleChange::PutDevice { name, device } => {
                // The account that it was of, too.
                let before = self.people.device(name).map(|device| device.account.clone());
                for account in before.iter().chain([&device.account]) {
                    self.listening.touch_account(account);
                    self.ongoing.touch_all_of(account);
                }
                self.listening.touch_device(name);
            }
            PeopleChange::RemoveDevice { name } => {
                let account = self.people.device(name).map(|device| device.account.clone());
                if let Some(account) = &account {
                    self.listening.touch_account(account);
                    // A call shows only devices that there are.
                    self.ongoing.touch_all_of(account);
                }
                let audience = Audience::all(account.into_iter().collect());
                self.tell(now, audience, Happened::DeviceRemoved(name.clone()));
            }
            PeopleChange::PutTrunk { name, .. } => {
                self.listening.trunks.remove(name);
                self.listening.touch_trunk(name);
            }
            PeopleChange::RemoveTrunk { name } => {
                self.listening.trunks.remove(name);
                self.tell(now, Audience::all(Vec::new()), Happened::TrunkRemoved(name.clone()));
            }
            PeopleChange::PutRoute { name, route } => {
                let what = Happened::RouteChanged(name.clone(), route.clone());
                self.tell(now, Audience::all(Vec::new()), what);
            }
            PeopleChange::RemoveRoute { name } => {
                self.tell(now, Audience::all(Vec::new()), Happened::RouteRemoved(name.clone()));
            }
            PeopleChange::PutGroup { name, group } => {
                let what = Happened::GroupChanged(name.clone(), group.clone());
                self.tell(now, Audience::all(Vec::new()), what);
            }
            PeopleChange::RemoveGroup { name } => {
                self.tell(now, Audience::all(Vec::new()), Happened::GroupRemoved(name.clone()));
            }
            // Badges and their readers are shown live by nobody.
            _ => {}
        }
    }

    /// Devices that something happened to; their people, too, because those show how many are registered.
    pub(super) fn tell_devices(&mut self, now: Now) {
        for device in std::mem::take(&mut self.listening.devices) {
            let Some(row) = self.people.device(&device).map(|known| self.device_row(&device, known)) else {
                continue;
            };
            let account = row.account.clone();
            self.listening.touch_account(&account);
            self.tell(now, Audience::all(vec![account]), Happened::DeviceChanged(Box::new(row)));
        }
    }

    pub(super) fn tell_accounts(&mut self, now: Now) {
        for name in std::mem::take(&mut self.listening.accounts) {
            let Some(account) = self.people.account(&name) else { continue };
            let row = self.account_row(&name, account);
            self.tell(now, Audience::all(vec![name]), Happened::PersonChanged(Box::new(row)));
        }
    }

    /// Trunks whose state is another in words.
    pub(super) fn tell_trunks(&mut self, now: Now) {
        for name in std::mem::take(&mut self.listening.touched_trunks) {
            let Some(trunk) = self.people.trunk(&name).cloned() else { continue };
            let state = self.trunk_state(&name, &trunk);
            if self.listening.trunks.get(&name) == Some(&state) {
                continue;
            }
            self.listening.trunks.insert(name.clone(), state.clone());
            let what = Happened::TrunkChanged(name, Box::new(trunk), state);
            self.tell(now, Audience::all(Vec::new()), what);
        }
    }
}
