//! All profiles, and the written rule by which a start-up instruction picks one of them (S0.5): docs/profiles.md.

use super::profile::{DEFAULT, Instruction, Profile, Selector};
use std::collections::{BTreeMap, BTreeSet};

/// All profiles, found by whom they name.
#[derive(Debug)]
pub(super) struct Book {
    all: BTreeMap<Box<str>, Profile>,
    /// The profile that names somebody or something; of several, the first by name.
    named: BTreeMap<Selector, Box<str>>,
    /// For whoever is named by none.
    otherwise: Profile,
}

impl Default for Book {
    fn default() -> Book {
        Book::new(Vec::new())
    }
}

impl Book {
    pub(super) fn new(profiles: Vec<Profile>) -> Book {
        let all: BTreeMap<Box<str>, Profile> =
            profiles.into_iter().map(|profile| (profile.name.clone(), profile)).collect();
        let mut named = BTreeMap::new();
        for (name, profile) in &all {
            for selector in &profile.selectors {
                named.entry(selector.clone()).or_insert_with(|| name.clone());
            }
        }
        let otherwise = all.get(DEFAULT).cloned().unwrap_or_else(Profile::built_in);
        Book { all, named, otherwise }
    }

    /// The rule: the profile that names the user, else the one that names the terminal, else the one that names the
    /// office, else `default`, else what is built in. Of two that name the same terminal, the first by name.
    pub(super) fn choose(&self, instruction: &Instruction) -> &Profile {
        let Instruction { user, terminals, office } = instruction;
        let named = |selector: Selector| self.named.get(&selector);
        let terminal = || terminals.iter().filter_map(|name| named(Selector::Terminal(name.clone()))).min();
        let office = || office.as_ref().and_then(|name| named(Selector::Office(name.clone())));
        let name = named(Selector::User(user.clone())).or_else(terminal).or_else(office);
        name.and_then(|name| self.all.get(name)).unwrap_or(&self.otherwise)
    }

    /// The profiles that are other ones here than they were, by name: new, changed or gone.
    pub(super) fn changed_since<'a>(&'a self, before: &'a Book) -> BTreeSet<&'a str> {
        let names = self.all.keys().chain(before.all.keys());
        names.filter(|name| self.all.get(*name) != before.all.get(*name)).map(|name| &**name).collect()
    }

    /// Whom a profile names.
    pub(super) fn selectors(&self, name: &str) -> &[Selector] {
        self.all.get(name).map_or(&[], |profile| &profile.selectors)
    }
}

/// A selector that two profiles have, with their names: nobody could say which one is meant.
#[must_use]
pub fn conflict(profiles: &[Profile]) -> Option<(&Selector, [&str; 2])> {
    let mut seen = BTreeMap::new();
    for profile in profiles {
        for selector in &profile.selectors {
            match seen.insert(selector, &*profile.name) {
                Some(before) if before != &*profile.name => return Some((selector, [before, &profile.name])),
                _ => {}
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str, selectors: &[&str]) -> Profile {
        let selectors = selectors.iter().map(|text| Selector::parse(text).expect("a selector")).collect();
        Profile { name: name.into(), selectors, ..Profile::built_in() }
    }

    #[test]
    fn s0_5_the_user_wins_over_the_terminal_over_the_office_over_the_default() {
        let all = vec![
            profile("default", &[]),
            profile("desk", &["terminal desk-1", "user cas"]),
            profile("east", &["office shanghai"]),
            profile("personal", &["user ada"]),
        ];
        let (alone, book) = (Book::new(all[3..].to_vec()), Book::new(all));
        for (user, terminals, office, expected) in [
            ("ada", vec!["desk-1"], Some("shanghai"), "personal"),
            ("bob", vec!["desk-1"], Some("shanghai"), "desk"),
            ("bob", vec!["web-1", "desk-1"], None, "desk"),
            ("bob", vec!["desk-2"], Some("shanghai"), "east"),
            ("bob", vec!["desk-2"], Some("paris"), "default"),
            ("cas", vec![], None, "desk"),
            ("desk-1", vec!["ada"], Some("bob"), "default"),
        ] {
            let instruction = Instruction {
                user: user.into(),
                terminals: terminals.into_iter().map(Into::into).collect(),
                office: office.map(Into::into),
            };
            assert_eq!(&*book.choose(&instruction).name, expected, "{instruction:?}");
            let chosen = alone.choose(&instruction);
            assert_eq!(*chosen == Profile::built_in(), user != "ada", "without a default: {instruction:?}");
        }
    }

    #[test]
    fn only_what_is_new_changed_or_gone_is_another() {
        let before = Book::new(vec![profile("a", &["user ada"]), profile("b", &[]), profile("c", &[])]);
        let longer = Profile { wrap_up: Some(std::time::Duration::from_secs(9)), ..profile("b", &[]) };
        let after = Book::new(vec![profile("a", &["user ada"]), longer, profile("d", &[])]);
        assert_eq!(after.changed_since(&before).into_iter().collect::<Vec<_>>(), ["b", "c", "d"]);
        assert!(after.changed_since(&after).is_empty());
    }

    #[test]
    fn what_two_profiles_may_not_share() {
        let one = profile("one", &["user ada", "user ada"]);
        assert_eq!(conflict(&[one.clone(), profile("two", &["terminal ada"])]), None);
        let two = profile("two", &["office x", "user ada"]);
        assert_eq!(conflict(&[one, two]), Some((&Selector::User("ada".into()), ["one", "two"])));
    }
}
