//! People, their numbers and their devices: the directory data of the office, in memory (S1.1, S1.2, S1.14).
//!
//! A number has one account; an account has many numbers and many devices; all its devices ring. Nothing here is
//! configured in a phone: a change takes effect on the next call (S1.12, S1.13).

mod account;
mod change;
mod check;
mod device;
mod edit;
mod group;
mod queue;
mod trunk;

pub use account::{Account, ForwardWhen, Forwarding, Language, Right, Rights, Role, Settings};
pub use change::{PeopleChange, Refusal};
pub(crate) use device::is_web_name;
pub use device::web_name;
pub use device::{AutoAnswer, Device, DeviceKind};
pub use edit::{AccountEdit, DeviceEdit};
pub use group::{Group, Strategy};
pub use queue::{CallbackFirst, Queue, QueueCallback, QueueMember, QueueStrategy, holidays_of_calendar};
pub use trunk::{Host, Route, Trunk, TrunkLogin, rewrite};

use crate::badges::Register;
use crate::notices::Places;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Bound;
use std::sync::Arc;

/// The longest name of an account or device, in bytes.
pub const NAME_LENGTH: usize = 64;
/// The longest number.
pub const NUMBER_LENGTH: usize = 32;

/// All directory data.
#[derive(Clone, Debug, Default)]
pub struct People {
    accounts: BTreeMap<Box<str>, Account>,
    numbers: BTreeMap<Box<str>, Box<str>>,
    devices: BTreeMap<Box<str>, Device>,
    trunks: BTreeMap<Box<str>, Trunk>,
    routes: BTreeMap<Box<str>, Route>,
    groups: BTreeMap<Box<str>, Group>,
    /// The group of each group's number.
    group_numbers: BTreeMap<Box<str>, Box<str>>,
    queues: BTreeMap<Box<str>, Arc<Queue>>,
    /// The queue of each queue's number, and those of each member with the priority there.
    queue_numbers: BTreeMap<Box<str>, Box<str>>,
    queue_members: BTreeMap<Box<str>, BTreeMap<Box<str>, u8>>,
    /// Where the devices are.
    pub(crate) places: Places,
    /// Badges and their readers.
    pub(crate) register: Register,
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

    /// A trunk by its name.
    #[must_use]
    pub fn trunk(&self, name: &str) -> Option<&Trunk> {
        self.trunks.get(name)
    }

    /// The trunk whose own address, or listed source, this is. Trunks with host names are found by what the DNS said.
    #[must_use]
    pub fn trunk_at(&self, address: IpAddr, port: u16) -> Option<&str> {
        let own = |trunk: &Trunk| {
            trunk.host == Host::Address(address) && trunk.port.is_none_or(|wanted| wanted == port)
        };
        self.trunks
            .iter()
            .find(|(_, trunk)| own(trunk) || trunk.sources.contains(&address))
            .map(|(name, _)| &**name)
    }

    /// A route by its name.
    #[must_use]
    pub fn route(&self, name: &str) -> Option<&Route> {
        self.routes.get(name)
    }

    /// A hunt group by its name.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// The hunt group of a number.
    #[must_use]
    pub fn group_of(&self, number: &str) -> Option<(&str, &Group)> {
        let name = self.group_numbers.get(number)?;
        Some((name, self.groups.get(name)?))
    }

    /// A queue by its name.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<&Arc<Queue>> {
        self.queues.get(name)
    }

    /// The queue of a number.
    #[must_use]
    pub fn queue_of(&self, number: &str) -> Option<(&str, &Queue)> {
        let name = self.queue_numbers.get(number)?;
        Some((name, self.queues.get(name)?))
    }

    /// The queues that an account may work for, by name.
    pub(crate) fn queues_with(&self, account: &str) -> impl Iterator<Item = &str> {
        self.queue_members.get(account).into_iter().flatten().map(|(name, _)| &**name)
    }

    /// The priority of an account in a queue that it may work for.
    pub(crate) fn priority_in(&self, queue: &str, account: &str) -> Option<u8> {
        self.queue_members.get(account)?.get(queue).copied()
    }

    /// All queues, by name.
    pub fn queues(&self) -> impl Iterator<Item = (&str, &Queue)> {
        self.queues.iter().map(|(name, queue)| (&**name, &**queue))
    }

    /// Whether two accounts are members of one hunt group.
    pub(crate) fn share_a_group(&self, one: &str, other: &str) -> bool {
        self.groups.values().any(|group| {
            let has = |name: &str| group.members.iter().any(|member| **member == *name);
            has(one) && has(other)
        })
    }

    /// Whether an account is a member of a hunt group.
    pub(crate) fn is_in_group(&self, group: &str, account: &str) -> bool {
        self.groups.get(group).is_some_and(|group| group.members.iter().any(|member| **member == *account))
    }

    /// All hunt groups, by name.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &Group)> {
        self.groups.iter().map(|(name, group)| (&**name, group))
    }

    /// All routes, by name.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &Route)> {
        self.routes.iter().map(|(name, route)| (&**name, route))
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &Account)> {
        self.accounts.iter().map(|(name, account)| (&**name, account))
    }

    /// The accounts whose name comes after this one.
    pub(crate) fn accounts_after(&self, name: &str) -> impl Iterator<Item = (&str, &Account)> {
        self.accounts.range::<str, _>(after(name)).map(|(name, account)| (&**name, account))
    }

    /// The numbers after this one.
    pub(crate) fn numbers_after(&self, number: &str) -> impl Iterator<Item = (&str, &str)> {
        self.numbers.range::<str, _>(after(number)).map(|(number, account)| (&**number, &**account))
    }

    /// The devices whose name comes after this one.
    pub(crate) fn devices_after(&self, name: &str) -> impl Iterator<Item = (&str, &Device)> {
        self.devices.range::<str, _>(after(name)).map(|(name, device)| (&**name, device))
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
            PeopleChange::PutAccount { name, display, settings } => {
                let account = self.accounts.entry(name.clone()).or_default();
                account.display.clone_from(display);
                account.settings = (**settings).clone();
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
                if let Some(before) = self.devices.insert(name.clone(), device.clone()) {
                    self.places.remove(&before.location, name);
                }
                self.places.put(&device.location, name);
            }
            PeopleChange::RemoveDevice { name } => {
                if let Some(device) = self.devices.remove(name)
                    && let Some(account) = self.accounts.get_mut(&device.account)
                {
                    account.devices.retain(|listed| listed != name);
                    self.places.remove(&device.location, name);
                }
            }
            PeopleChange::PutTrunk { name, trunk } => {
                self.trunks.insert(name.clone(), (**trunk).clone());
            }
            PeopleChange::RemoveTrunk { name } => {
                self.trunks.remove(name);
            }
            PeopleChange::PutRoute { name, route } => {
                self.routes.insert(name.clone(), (**route).clone());
            }
            PeopleChange::RemoveRoute { name } => {
                self.routes.remove(name);
            }
            PeopleChange::PutGroup { name, group } => {
                self.drop_group(name);
                self.group_numbers.insert(group.number.clone(), name.clone());
                self.groups.insert(name.clone(), (**group).clone());
            }
            PeopleChange::RemoveGroup { name } => self.drop_group(name),
            PeopleChange::PutQueue { name, queue } => {
                self.drop_queue(name);
                self.queue_numbers.insert(queue.number.clone(), name.clone());
                for member in &queue.members {
                    let queues = self.queue_members.entry(member.account.clone()).or_default();
                    queues.entry(name.clone()).or_insert(member.priority);
                }
                self.queues.insert(name.clone(), Arc::new((**queue).clone()));
            }
            PeopleChange::RemoveQueue { name } => self.drop_queue(name),
            PeopleChange::PutBadge { .. }
            | PeopleChange::RemoveBadge { .. }
            | PeopleChange::PutReader { .. }
            | PeopleChange::RemoveReader { .. }
            | PeopleChange::PutBadgeKeys(_) => self.register.apply(change),
        }
    }

    fn drop_group(&mut self, name: &str) {
        if let Some(group) = self.groups.remove(name) {
            self.group_numbers.remove(&group.number);
        }
    }

    fn drop_queue(&mut self, name: &str) {
        let Some(queue) = self.queues.remove(name) else { return };
        self.queue_numbers.remove(&queue.number);
        for member in &queue.members {
            if let Some(queues) = self.queue_members.get_mut(&member.account) {
                queues.remove(name);
                if queues.is_empty() {
                    self.queue_members.remove(&member.account);
                }
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
}

/// What comes after a key, without it.
fn after(key: &str) -> (Bound<&str>, Bound<&str>) {
    (Bound::Excluded(key), Bound::Unbounded)
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
        PeopleChange::PutAccount { name: name.into(), display: name.into(), settings: Box::default() }
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
