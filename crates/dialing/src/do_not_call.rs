//! Who may not be called: the office's own list, lists that were imported, and what each owner has to leave alone.

use crate::limits;
use crate::number::Number;
use crate::task::OwnerId;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Which list a number is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListName {
    /// The office's own.
    Office,
    /// One that was imported, by its name.
    Imported(Box<str>),
    /// That of the owner of the task.
    Owner,
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListName::Office => f.write_str("the office's list"),
            ListName::Imported(name) => write!(f, "the list {name}"),
            ListName::Owner => f.write_str("its owner's list"),
        }
    }
}

/// There is no room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The numbers of a list, in order; made where there is time for it, because a list may be long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(Box<[Number]>);

impl Numbers {
    /// These, in any order; what stands there twice counts once.
    #[must_use]
    pub fn new(mut numbers: Vec<Number>) -> Numbers {
        numbers.sort_unstable();
        numbers.dedup();
        Numbers(numbers.into_boxed_slice())
    }
}

/// All lists.
#[derive(Clone, Debug, Default)]
pub struct DoNotCall {
    office: BTreeSet<Number>,
    owners: BTreeSet<(OwnerId, Number)>,
    imported: BTreeMap<Box<str>, Numbers>,
}

impl DoNotCall {
    /// The office's own list.
    pub(crate) fn of_office(&self) -> impl Iterator<Item = Number> {
        self.office.iter().copied()
    }

    pub(crate) fn is_of_office(&self, number: Number) -> bool {
        self.office.contains(&number)
    }

    /// Puts a number on the office's list, or on that of an owner; whether it is new there.
    ///
    /// # Errors
    /// When there are [`limits::DO_NOT_CALL`] already.
    pub fn forbid(&mut self, number: Number, owner: Option<OwnerId>) -> Result<bool, Full> {
        if self.office.len() + self.owners.len() >= limits::DO_NOT_CALL {
            return Err(Full);
        }
        Ok(match owner {
            None => self.office.insert(number),
            Some(owner) => self.owners.insert((owner, number)),
        })
    }

    /// Takes it off; whether it was there.
    pub fn permit(&mut self, number: Number, owner: Option<OwnerId>) -> bool {
        match owner {
            None => self.office.remove(&number),
            Some(owner) => self.owners.remove(&(owner, number)),
        }
    }

    /// Puts a whole list in the place of the one of this name; an empty one takes it away.
    ///
    /// # Errors
    /// When it is too long, or there are too many lists.
    pub fn import(&mut self, name: &str, numbers: Numbers) -> Result<(), Full> {
        let long = name.len() > limits::NAME;
        let new = !self.imported.contains_key(name);
        if long
            || numbers.0.len() > limits::IMPORTED
            || (new && self.imported.len() >= limits::IMPORTED_LISTS)
        {
            return Err(Full);
        }
        if numbers.0.is_empty() {
            self.imported.remove(name);
            return Ok(());
        }
        self.imported.insert(name.into(), numbers);
        Ok(())
    }

    /// The list that forbids this owner to call this number.
    #[must_use]
    pub fn forbids(&self, number: Number, owner: OwnerId) -> Option<ListName> {
        if self.office.contains(&number) {
            return Some(ListName::Office);
        }
        if self.owners.contains(&(owner, number)) {
            return Some(ListName::Owner);
        }
        let mut lists = self.imported.iter();
        let (name, _) = lists.find(|(_, numbers)| numbers.0.binary_search(&number).is_ok())?;
        Some(ListName::Imported(name.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_list_forbids_what_is_on_it() {
        let number = |text| Number::outside(text).expect("sound");
        let (a, b) = (OwnerId(1), OwnerId(2));
        let mut lists = DoNotCall::default();
        assert_eq!(lists.forbid(number("+8611"), None), Ok(true));
        assert_eq!(lists.forbid(number("+8611"), None), Ok(false));
        assert_eq!(lists.forbid(number("+8612"), Some(a)), Ok(true));
        lists
            .import("national", Numbers::new(vec![number("+8614"), number("+8613"), number("+8614")]))
            .expect("room");
        assert_eq!(lists.forbids(number("+8611"), b), Some(ListName::Office));
        assert_eq!(lists.forbids(number("+8612"), a), Some(ListName::Owner));
        assert_eq!(lists.forbids(number("+8612"), b), None);
        assert_eq!(lists.forbids(number("+8613"), b), Some(ListName::Imported("national".into())));
        lists.import("national", Numbers::new(vec![number("+8615")])).expect("room");
        assert_eq!(lists.forbids(number("+8613"), b), None);
        assert!(lists.permit(number("+8611"), None) && !lists.permit(number("+8611"), None));
        assert_eq!(lists.forbids(number("+8611"), b), None);
        lists.import("national", Numbers::default()).expect("room");
        assert_eq!(lists.forbids(number("+8615"), b), None);
    }
}
