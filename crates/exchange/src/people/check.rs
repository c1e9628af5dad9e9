//! Whether a change of the directory may be made now.

use super::{
    Account, Forwarding, Group, People, PeopleChange, Queue, QueueCallback, Refusal, Route, Settings, Trunk,
    is_name, is_number, is_web_name,
};

/// Devices of one account; each rings, so each costs a leg.
const DEVICES_PER_ACCOUNT: usize = 32;
/// Numbers of one account.
const NUMBERS_PER_ACCOUNT: usize = 256;
/// Members of one hunt group.
const MEMBERS: usize = 64;
/// Members of one queue, queues in all, and queues of one account: what changes of an agent is looked at for each.
const QUEUE_MEMBERS: usize = 2_048;
const QUEUES: usize = 1_024;
const QUEUES_PER_ACCOUNT: usize = 64;
/// Times at which a queue is open, and days on which it is closed.
const QUEUE_HOURS: usize = 64;
const QUEUE_HOLIDAYS: usize = 1_024;
/// Trunks of one route, and routes and trunks in all: each call looks at all of them.
const LINES: usize = 256;

impl People {
    /// Whether a change may be made now.
    ///
    /// # Errors
    /// The [`Refusal`] in words for people.
    pub fn check(&self, change: &PeopleChange) -> Result<(), Refusal> {
        match change {
            PeopleChange::PutAccount { name, settings, .. } => {
                named("account", name)?;
                check_settings(settings)
            }
            PeopleChange::RemoveAccount { name } => self.check_removal(name),
            PeopleChange::PutNumber { number, account } => self.check_number(number, account),
            PeopleChange::RemoveNumber { number } => {
                known(self.numbers.contains_key(number), "number", number)
            }
            PeopleChange::PutDevice { name, device } => {
                if let Some(number) = &device.call_back {
                    dialable(number)?;
                }
                self.check_device(name, &device.account)
            }
            PeopleChange::RemoveDevice { name } if is_web_name(name) => Err(web_phone(name)),
            PeopleChange::RemoveDevice { name } => known(self.devices.contains_key(name), "device", name),
            PeopleChange::PutTrunk { name, trunk } => self.check_trunk(name, trunk),
            PeopleChange::RemoveTrunk { name } => {
                known(self.trunks.contains_key(name), "trunk", name)?;
                let names = |(_, route): &(&str, &Route)| route.trunks.contains(name);
                match self.routes().find(names) {
                    Some((by, _)) => Err(Refusal::Named {
                        kind: "trunk",
                        name: name.clone(),
                        by: format!("route \"{by}\"").into(),
                    }),
                    None => Ok(()),
                }
            }
            PeopleChange::PutRoute { name, route } => self.check_route(name, route),
            PeopleChange::RemoveRoute { name } => known(self.routes.contains_key(name), "route", name),
            PeopleChange::PutGroup { name, group } => self.check_group(name, group),
            PeopleChange::RemoveGroup { name } => known(self.groups.contains_key(name), "group", name),
            PeopleChange::PutQueue { name, queue } => self.check_queue(name, queue),
            PeopleChange::RemoveQueue { name } => known(self.queues.contains_key(name), "queue", name),
            PeopleChange::PutBadge { name, badge } => self.check_badge(name, badge),
            PeopleChange::RemoveBadge { name } => known(self.badge(name).is_some(), "badge", name),
            PeopleChange::PutReader { name, reader } => self.check_reader(name, reader),
            PeopleChange::RemoveReader { name } => known(self.reader(name).is_some(), "reader", name),
            PeopleChange::PutBadgeKeys(_) => Ok(()),
        }
    }

    /// Whether a number may belong to an account.
    ///
    /// # Errors
    /// Why not.
    pub fn check_number(&self, number: &str, account: &str) -> Result<(), Refusal> {
        dialable(number)?;
        let owner = self.accounts.get(account).ok_or_else(|| Refusal::Unknown("account", account.into()))?;
        if let Some(holder) = self.shared_number(number) {
            return Err(Refusal::NumberTaken { number: number.into(), account: holder.into() });
        }
        match self.numbers.get(number) {
            Some(holder) if **holder == *account => Err(Refusal::Exists("number", number.into())),
            Some(holder) => Err(Refusal::NumberTaken { number: number.into(), account: holder.clone() }),
            None if owner.numbers.len() >= NUMBERS_PER_ACCOUNT => Err(Refusal::TooMany("numbers")),
            None => Ok(()),
        }
    }

    /// Whether an account may have one more number.
    pub(crate) fn has_room_for_number(&self, account: &str) -> bool {
        self.accounts.get(account).is_some_and(|owner| owner.numbers.len() < NUMBERS_PER_ACCOUNT)
    }

    fn check_removal(&self, name: &str) -> Result<(), Refusal> {
        let account = self.accounts.get(name).ok_or_else(|| Refusal::Unknown("account", name.into()))?;
        // Web phones go with their account.
        let is_used = |account: &Account| {
            !account.numbers.is_empty() || account.devices.iter().any(|device| !is_web_name(device))
        };
        if is_used(account) {
            return Err(Refusal::InUse(name.into()));
        }
        let group = self.groups().find(|(_, group)| group.members.iter().any(|member| **member == *name));
        let group = group.map(|(by, _)| format!("group \"{by}\""));
        let queue = || self.queues_with(name).next().map(|by| format!("queue \"{by}\""));
        match group.or_else(queue) {
            Some(by) => Err(Refusal::Named { kind: "account", name: name.into(), by: by.into() }),
            None => Ok(()),
        }
    }

    fn check_device(&self, name: &str, account: &str) -> Result<(), Refusal> {
        named("device", name)?;
        if is_web_name(name) {
            return Err(web_phone(name));
        }
        let owner = self.accounts.get(account).ok_or_else(|| Refusal::Unknown("account", account.into()))?;
        match self.devices.get(name) {
            Some(device) if *device.account != *account => {
                Err(Refusal::DeviceTaken { device: name.into(), account: device.account.clone() })
            }
            Some(_) => Ok(()),
            None if phones(owner) >= DEVICES_PER_ACCOUNT => Err(Refusal::TooMany("devices")),
            None => Ok(()),
        }
    }

    fn check_trunk(&self, name: &str, trunk: &Trunk) -> Result<(), Refusal> {
        named("trunk", name)?;
        if trunk.registers && trunk.login.is_none() {
            return Err(nonsense(format!(
                "trunk \"{name}\" cannot register without a user name and a password"
            )));
        }
        if trunk.channels == Some(0) {
            return Err(nonsense(format!("trunk \"{name}\" with no channel carries no call")));
        }
        if !self.trunks.contains_key(name) && self.trunks.len() >= LINES {
            return Err(nonsense(format!("there are {LINES} trunks already")));
        }
        Ok(())
    }

    fn check_route(&self, name: &str, route: &Route) -> Result<(), Refusal> {
        named("route", name)?;
        if !route.prefix.is_empty() {
            dialable(&route.prefix)?;
        }
        if route.trunks.is_empty() || route.trunks.len() > LINES {
            return Err(nonsense(format!("route \"{name}\" needs a trunk")));
        }
        if !self.routes.contains_key(name) && self.routes.len() >= LINES {
            return Err(nonsense(format!("there are {LINES} routes already")));
        }
        let unknown = route.trunks.iter().find(|trunk| !self.trunks.contains_key(*trunk));
        unknown.map_or(Ok(()), |trunk| Err(Refusal::Unknown("trunk", trunk.clone())))
    }

    fn check_group(&self, name: &str, group: &Group) -> Result<(), Refusal> {
        named("group", name)?;
        dialable(&group.number)?;
        if let Some((account, _)) = self.account_of(&group.number) {
            return Err(Refusal::NumberTaken { number: group.number.clone(), account: account.into() });
        }
        if let Some(other) = self.shared_number(&group.number)
            && (self.group_of(&group.number).is_none() || *other != *name)
        {
            return Err(Refusal::NumberTaken { number: group.number.clone(), account: other.into() });
        }
        if group.members.is_empty() || group.members.len() > MEMBERS {
            return Err(nonsense(format!("group \"{name}\" needs 1 to {MEMBERS} members")));
        }
        if let Some(number) = &group.overflow {
            dialable(number)?;
        }
        let unknown = group.members.iter().find(|member| !self.accounts.contains_key(*member));
        unknown.map_or(Ok(()), |member| Err(Refusal::Unknown("account", member.clone())))
    }
}

impl People {
    /// The group or queue that has a number.
    fn shared_number(&self, number: &str) -> Option<&str> {
        let group = self.group_of(number).map(|(name, _)| name);
        group.or_else(|| self.queue_of(number).map(|(name, _)| name))
    }

    fn check_queue(&self, name: &str, queue: &Queue) -> Result<(), Refusal> {
        named("queue", name)?;
        dialable(&queue.number)?;
        if let Some((account, _)) = self.account_of(&queue.number) {
            return Err(Refusal::NumberTaken { number: queue.number.clone(), account: account.into() });
        }
        if let Some(other) = self.shared_number(&queue.number)
            && (self.queue_of(&queue.number).is_none() || *other != *name)
        {
            return Err(Refusal::NumberTaken { number: queue.number.clone(), account: other.into() });
        }
        if !self.queues.contains_key(name) && self.queues.len() >= QUEUES {
            return Err(nonsense(format!("there are {QUEUES} queues already")));
        }
        if queue.members.len() > QUEUE_MEMBERS || queue.preferred.len() > QUEUE_MEMBERS {
            return Err(nonsense(format!("queue \"{name}\" has more than {QUEUE_MEMBERS} members")));
        }
        if queue.hours.len() > QUEUE_HOURS || queue.holidays.len() > QUEUE_HOLIDAYS {
            return Err(nonsense(format!(
                "queue \"{name}\" has more than {QUEUE_HOURS} hours or {QUEUE_HOLIDAYS} holidays"
            )));
        }
        if queue.most_waiting == 0 || queue.ring.is_zero() {
            return Err(nonsense(format!("in queue \"{name}\" nobody could wait, or nothing would ring")));
        }
        if let Some(callback) = queue.callback
            && !(callback.key.is_ascii_digit() && QueueCallback::ATTEMPTS.contains(&callback.attempts))
        {
            let words = "a key is a digit, and callbacks are tried 1 to 10 times";
            return Err(nonsense(format!("in queue \"{name}\" {words}")));
        }
        queue.preferred.iter().chain(&queue.overflow).try_for_each(|number| dialable(number))?;
        queue.members.iter().try_for_each(|member| {
            let account = &member.account;
            known(self.accounts.contains_key(account), "account", account)?;
            let full = self.queues_with(account).filter(|of| *of != name).count() >= QUEUES_PER_ACCOUNT;
            if full { Err(Refusal::TooMany("queues")) } else { Ok(()) }
        })
    }
}

/// The devices that somebody added.
fn phones(account: &Account) -> usize {
    account.devices.iter().filter(|device| !is_web_name(device)).count()
}

fn web_phone(name: &str) -> Refusal {
    Refusal::WebPhone(name.into())
}

fn check_settings(settings: &Settings) -> Result<(), Refusal> {
    let Forwarding { always, busy, no_answer, offline } = &settings.forwarding;
    [always, busy, no_answer, offline, &settings.mobile].into_iter().flatten().try_for_each(|n| dialable(n))
}

fn dialable(number: &str) -> Result<(), Refusal> {
    if is_number(number) { Ok(()) } else { Err(Refusal::BadNumber(number.into())) }
}

fn nonsense(why: String) -> Refusal {
    Refusal::Nonsense(why.into())
}

fn named(kind: &'static str, name: &str) -> Result<(), Refusal> {
    if is_name(name) { Ok(()) } else { Err(Refusal::BadName(kind, name.into())) }
}

fn known(found: bool, kind: &'static str, name: &str) -> Result<(), Refusal> {
    if found { Ok(()) } else { Err(Refusal::Unknown(kind, name.into())) }
}
