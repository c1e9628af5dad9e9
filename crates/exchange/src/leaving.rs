//! What is one change and would be several: a number that goes to somebody else, and a person who leaves the office
//! (S1.13). Both are kept whole or not at all, and calls that ring follow at once.

use crate::change::Change;
use crate::command::Answer;
use crate::exchange::{Exchange, Promise};
use crate::input::CommandId;
use crate::people::{Group, PeopleChange, Queue, Refusal, is_web_name};
use clock::Now;

impl Exchange {
    /// A number is of another account from now on.
    pub(crate) fn move_number(&mut self, now: Now, id: CommandId, number: Box<str>, account: Box<str>) {
        let holder = self.people.account_of(&number).map(|(holder, _)| holder);
        let refusal = match holder {
            None => Some(Refusal::Unknown("number", number.clone())),
            Some(_) if self.people.account(&account).is_none() => {
                Some(Refusal::Unknown("account", account.clone()))
            }
            Some(holder) if *holder == *account => Some(Refusal::Exists("number", number.clone())),
            Some(_) if !self.people.has_room_for_number(&account) => Some(Refusal::TooMany("numbers")),
            Some(_) => None,
        };
        if let Some(refusal) = refusal {
            return self.answer(id, Answer::Refused(refusal));
        }
        let changes = [
            PeopleChange::RemoveNumber { number: number.clone() },
            PeopleChange::PutNumber { number, account },
        ];
        self.commit_people(now, id, changes);
    }

    /// Somebody leaves: their numbers, phones, places in groups and seats with them.
    pub(crate) fn leave_office(&mut self, now: Now, id: CommandId, name: Box<str>) {
        let Some(account) = self.people.account(&name) else {
            return self.answer(id, Answer::Refused(Refusal::Unknown("account", name)));
        };
        let numbers = account.numbers.iter().cloned().map(|number| PeopleChange::RemoveNumber { number });
        let phones = account.devices.iter().filter(|device| !is_web_name(device)).cloned();
        let phones = phones.map(|name| PeopleChange::RemoveDevice { name });
        let of_group = |(group, known): (&str, &Group)| {
            let mut known = known.clone();
            let before = known.members.len();
            known.members.retain(|member| *member != name);
            match known.members.len() {
                after if after == before => None,
                0 => Some(PeopleChange::RemoveGroup { name: group.into() }),
                _ => Some(PeopleChange::PutGroup { name: group.into(), group: Box::new(known) }),
            }
        };
        let of_queue = |queue: &str| {
            let mut known = Queue::clone(self.people.queue(queue)?);
            known.members.retain(|member| member.account != name);
            Some(PeopleChange::PutQueue { name: queue.into(), queue: Box::new(known) })
        };
        let groups = self.people.groups().filter_map(of_group);
        let queues = self.people.queues_with(&name).filter_map(of_queue);
        let mut changes: Vec<PeopleChange> = numbers.chain(phones).chain(groups).chain(queues).collect();
        changes.push(PeopleChange::RemoveAccount { name });
        self.commit_people(now, id, changes);
    }

    fn commit_people(&mut self, now: Now, id: CommandId, changes: impl IntoIterator<Item = PeopleChange>) {
        // Badges go with their account, readers with their phone.
        let whole = |change| {
            let mut changes = self.leaving_with(&change);
            changes.push(Change::People(change));
            changes
        };
        let changes = changes.into_iter().flat_map(whole).collect();
        self.commit(now, changes, Promise::Change { id, taken: None, bad: Vec::new() });
    }
}
