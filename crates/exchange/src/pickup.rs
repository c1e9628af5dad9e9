//! Pickup: a call that rings at somebody else's phone is answered from this one.
//!
//! It takes a hunt group in common with the one who is called, or the right `pickup`; an emergency is never picked up
//! (R31). A hunt group's number is picked up by its members; `sites/pickup.rs` has numbers of other exchanges. The race is the one of every call: whoever is first has it, and the others learn that it was answered
//! elsewhere.

use crate::codes::{CodeAct, Step};
use crate::dial_plan::Destination;
use crate::dialogue::Script;
use crate::exchange::Exchange;
use crate::limits;
use crate::ongoing::{Ongoing, Reach};
use crate::people::Right;
use crate::permissions::{Act, Verdict};
use calls::CallId;
use clock::Now;
use media::Prompt;
use sip::refer::Replaces;
use sip::subscription::DialogState;
use std::collections::BTreeMap;

/// The names by which watchers may answer calls that ring, each once (R32).
#[derive(Debug, Default)]
pub(crate) struct Pickups {
    /// The call, and the device that may.
    by_name: BTreeMap<Box<str>, (CallId, Box<str>)>,
    /// The last name that each watch was told of each call; the one before is worth nothing.
    told: BTreeMap<(CallId, u64), Box<str>>,
}

impl Pickups {
    /// A watch is told a name. False when there are too many.
    pub(crate) fn name(&mut self, watch: u64, call: CallId, device: &str, name: Box<str>) -> bool {
        if let Some(before) = self.told.remove(&(call, watch)) {
            self.by_name.remove(&before);
        }
        if self.told.len() >= limits::WATCHERS {
            return false;
        }
        self.told.insert((call, watch), name.clone());
        self.by_name.insert(name, (call, device.into()));
        true
    }

    /// The call of a name, for the device that was told it; the name is worth nothing afterwards.
    fn take(&mut self, name: &str, device: &str) -> Option<CallId> {
        let (call, _) = self.by_name.get(name).filter(|(_, told)| **told == *device)?;
        let call = *call;
        self.by_name.remove(name);
        Some(call)
    }

    /// The call that a name is for.
    pub(crate) fn call_of(&self, name: &str) -> Option<CallId> {
        self.by_name.get(name).map(|(call, _)| *call)
    }

    /// Nobody can answer a call any more.
    pub(crate) fn forget(&mut self, call: CallId) {
        while let Some((key, name)) = self.told.range((call, 0)..=(call, u64::MAX)).next() {
            let (key, name) = (*key, name.clone());
            self.told.remove(&key);
            self.by_name.remove(&name);
        }
    }
}

impl Exchange {
    /// The key beside a lamp was pressed: an INVITE with Replaces (RFC 3891). False when it names no call of ours.
    pub(crate) fn picks_up_by_lamp(&mut self, now: Now, by: CallId, replaces: Option<&[u8]>) -> bool {
        let Some(ongoing) = self.ongoing.call(by) else { return false };
        let (Some(device), Some(account)) = (ongoing.device.clone(), ongoing.caller_account.clone()) else {
            return false;
        };
        let named = replaces.and_then(|value| Replaces::parse(std::str::from_utf8(value).ok()?));
        let call = named.and_then(|named| self.pickups.take(&named.call_id, &device));
        let Some(call) = call else { return false };
        self.pick_up_call(now, by, &account, CodeAct::PickUp, Some(call));
        true
    }

    /// Answers the oldest call that rings in the caller's groups.
    pub(crate) fn pick_up(&mut self, now: Now, by: CallId, account: &str) {
        let has = |members: &[Box<str>], name: &str| members.iter().any(|member| **member == *name);
        let colleagues = self.people.groups().filter(|(_, group)| has(&group.members, account));
        let colleagues: std::collections::BTreeSet<Box<str>> =
            colleagues.flat_map(|(_, group)| group.members.iter().cloned()).collect();
        let ringing = colleagues.iter().flat_map(|of| self.ringing_for(of, Some(by)));
        let oldest = ringing.min_by_key(|call| self.ongoing.call(*call).map(|ongoing| ongoing.since));
        self.pick_up_call(now, by, account, CodeAct::PickUp, oldest);
    }

    /// Answers the call that rings for a number.
    pub(crate) fn pick_up_of(&mut self, now: Now, by: CallId, account: &str, number: Option<&str>) {
        let act = CodeAct::PickUpOf;
        let number = number.unwrap_or_default();
        let allowed = match self.destination(number) {
            Destination::Account(owner) => self.may_pick_up(now, account, &owner),
            Destination::Group(group) if self.people.is_in_group(&group, account) => Verdict::Allow,
            Destination::Group(_) => self.may(now, Some(account), Act::Use(Right::Pickup)),
            Destination::Elsewhere if self.sites.lists(number) => {
                return self.pick_up_elsewhere(now, by, account, number);
            }
            _ => return self.no_pickup(now, by, act, Prompt::UnknownNumber, "nobody has the number"),
        };
        match (allowed, self.ringing_for_number(number, by)) {
            (Verdict::Deny(rule), _) => self.no_pickup(now, by, act, Prompt::NotAllowed, rule),
            (Verdict::Allow, Ok(oldest)) => self.pick_up_call(now, by, account, act, oldest),
            (Verdict::Allow, Err(why)) => self.no_pickup(now, by, act, Prompt::UnknownNumber, why),
        }
    }

    /// The oldest call that rings for a person's number, or that of a hunt group.
    pub(crate) fn ringing_for_number(
        &self,
        number: &str,
        by: CallId,
    ) -> Result<Option<CallId>, &'static str> {
        match self.destination(number) {
            Destination::Account(owner) => Ok(self.ringing_for(&owner, Some(by)).first().copied()),
            Destination::Group(group) => {
                let rings = |(call, ongoing): &(CallId, &Ongoing)| {
                    let of_it = matches!(&ongoing.reach, Reach::Group { name, .. } if **name == *group);
                    of_it && ongoing.state != DialogState::Confirmed && !ongoing.emergency && *call != by
                };
                let oldest = self.ongoing.iter().filter(rings).min_by_key(|(_, ongoing)| ongoing.since);
                Ok(oldest.map(|(call, _)| call))
            }
            _ => Err("nobody has the number"),
        }
    }

    /// Whether an account may answer what rings for another.
    pub(crate) fn may_pick_up(&mut self, now: Now, account: &str, owner: &str) -> Verdict {
        if account == owner || self.people.share_a_group(account, owner) {
            return Verdict::Allow;
        }
        self.may(now, Some(account), Act::Use(Right::Pickup))
    }

    pub(crate) fn pick_up_call(
        &mut self,
        now: Now,
        by: CallId,
        account: &str,
        act: CodeAct,
        call: Option<CallId>,
    ) {
        let device = self.ongoing.call(by).and_then(|ongoing| ongoing.device.clone()).unwrap_or_default();
        // Nobody picks up what their own phone makes.
        let own = |call: &CallId| {
            self.ongoing.call(*call).is_some_and(|ongoing| ongoing.device.as_deref() == Some(&*device))
        };
        let Some(call) = call.filter(|call| !own(call)) else {
            return self.no_pickup(now, by, act, Prompt::NoCall, "nothing rings");
        };
        let done = match self.switch.is_let_go(call) {
            true => self.switch.adopt_let_go(now, by, call),
            false => self.switch.adopt(now, by, call),
        };
        if !done {
            return self.no_pickup(now, by, act, Prompt::NobodyAvailable, "the phone cannot take it now");
        }
        self.note_call(now, call, "pickup", format!("{account} picked it up at {device}"));
        let before = self.ongoing.call(call).and_then(|ongoing| ongoing.callee_account.clone());
        self.ongoing.belongs_to(call, account.into());
        // It rang at the lamp of another, who has no part in it any more.
        if let Some(before) = before {
            self.tell_watchers(now, &before);
        }
    }

    pub(crate) fn no_pickup(&mut self, now: Now, by: CallId, act: CodeAct, reason: Prompt, words: &str) {
        self.begin_code(now, by, act, Script::default(), Step::Store);
        self.say_why(now, by, reason, words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r32_a_name_is_good_once_for_one_device_and_until_the_next() {
        let mut pickups = Pickups::default();
        let (one, other) = (CallId::of_number(1 << 32 | 1), CallId::of_number(1 << 32 | 2));
        assert!(pickups.name(7, one, "d1", "old".into()));
        assert!(pickups.name(7, one, "d1", "new".into()));
        assert!(pickups.name(8, one, "d2", "theirs".into()));
        assert!(pickups.name(7, other, "d1", "second".into()));
        assert_eq!(pickups.take("old", "d1"), None);
        assert_eq!(pickups.take("new", "d2"), None, "another's");
        assert_eq!(pickups.take("new", "d1"), Some(one));
        assert_eq!(pickups.take("new", "d1"), None, "once");
        pickups.forget(one);
        assert_eq!((pickups.take("theirs", "d2"), pickups.take("second", "d1")), (None, Some(other)));
        assert!(pickups.by_name.is_empty());
    }
}
