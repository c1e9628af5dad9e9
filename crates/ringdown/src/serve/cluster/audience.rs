//! Who hears live events: users here, and users of other exchanges, who hear there what only this one knows.

use std::collections::BTreeSet;
use std::num::NonZeroU8;

/// Where somebody listens.
#[derive(Debug, Default)]
pub(crate) struct Audience {
    /// Here.
    pub(crate) ours: bool,
    elsewhere: BTreeSet<NonZeroU8>,
    /// Those that an event did not reach.
    behind: BTreeSet<NonZeroU8>,
}

impl Audience {
    /// Whether somebody listens at another exchange.
    pub(crate) fn is_elsewhere(&self) -> bool {
        !self.elsewhere.is_empty()
    }

    /// Somebody listens at one, or nobody does any more.
    pub(super) fn listens(&mut self, number: NonZeroU8, on: bool) {
        if on {
            self.elsewhere.insert(number);
        } else {
            self.elsewhere.remove(&number);
            self.behind.remove(&number);
        }
    }

    /// Those that left hear nothing.
    pub(super) fn retain(&mut self, is_there: impl Fn(NonZeroU8) -> bool) {
        self.elsewhere.retain(|number| is_there(*number));
        self.behind.retain(|number| is_there(*number));
    }

    /// Tells an event, or that some were missed, to all who listen elsewhere. Whom `say` cannot reach is told so before the next event.
    pub(super) fn tell(&mut self, event: Option<&str>, say: impl Fn(NonZeroU8, Option<&str>) -> bool) {
        for number in &self.elsewhere {
            let caught_up = !self.behind.contains(number) || event.is_none() || say(*number, None);
            if caught_up && say(*number, event) {
                self.behind.remove(number);
            } else {
                self.behind.insert(*number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn whoever_missed_an_event_is_told_so_before_the_next() {
        let mut audience = Audience::default();
        let (one, two) = (NonZeroU8::MIN, NonZeroU8::MAX);
        audience.listens(one, true);
        let said = RefCell::new(Vec::new());
        let say = |number: NonZeroU8, event: Option<&str>| {
            said.borrow_mut().push((number, event.map(str::to_owned)));
            true
        };
        audience.tell(Some("a"), say);
        audience.tell(Some("b"), |_, _| false);
        audience.tell(Some("c"), say);
        audience.listens(two, true);
        audience.tell(Some("d"), say);
        audience.retain(|number| number == two);
        audience.tell(None, say);
        audience.listens(two, false);
        assert!(!audience.is_elsewhere());
        audience.tell(Some("e"), say);
        let told = |number, event: &str| (number, Some(event.to_owned()));
        let expected =
            [told(one, "a"), (one, None), told(one, "c"), told(one, "d"), told(two, "d"), (two, None)];
        assert_eq!(*said.borrow(), expected);
    }
}
