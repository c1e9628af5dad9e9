//! Messages that come to one exchange and are for another: answers to what that one sent, requests within its dialogs, calls
//! for what only the keeper can do, and calls that have to do with a call that another has.

use super::calls::id_there;
use super::{Carry, ClusterOutput, ToldCall};
use crate::codes::CodeAct;
use crate::dial_plan::Destination;
use crate::exchange::Exchange;
use crate::limits;
use calls::CallId;
use clock::{Mono, Now, Wall};
use sip::Flow;
use sip::refer::Replaces;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU8;
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method};

/// How long what belongs to a call follows it: a CANCEL has nothing else to be known by, and comes while it rings.
const FOLLOWS: Duration = Duration::from_secs(600);

/// Calls that began here and were carried to another, by their Call-ID.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    to: BTreeMap<Box<str>, NonZeroU8>,
    oldest: VecDeque<(Box<str>, Mono)>,
}

impl Carried {
    fn note(&mut self, now: Mono, call_id: &str, to: NonZeroU8) {
        while let Some((old, since)) = self.oldest.front()
            && (*since + FOLLOWS <= now || self.oldest.len() >= limits::CARRIED)
        {
            self.to.remove(old);
            self.oldest.pop_front();
        }
        if self.to.insert(call_id.into(), to).is_none() {
            self.oldest.push_back((call_id.into(), now));
        }
    }
}

impl Exchange {
    /// Hands a message to whom it is for, if that is another; whether it was.
    pub(crate) fn carries(&mut self, now: Now, flow: Flow, message: &Message<'_>, bytes: &[u8]) -> bool {
        let Some(place) = self.cluster.place else { return false };
        let made = sip::maker(message);
        let to = match made.filter(|made| self.cluster.members.contains_key(made)) {
            Some(made) => Some(made),
            None if made == Some(place.number) => None,
            None => self.begun_for(now, flow, message),
        };
        let Some(to) = to.filter(|to| *to != place.number) else { return false };
        // What is for one that is away is nobody's: whoever sent it tries again, and somebody else has it by then.
        if self.cluster.members.get(&to).is_some_and(|member| member.reachable) {
            let carry = Carry { to, flow: Flow { connection: 0, ..flow }, bytes: bytes.into() };
            self.tell_others(ClusterOutput::Carry(carry));
        }
        true
    }

    /// For whom a call is that begins, and what belongs to one that began.
    fn begun_for(&mut self, now: Now, flow: Flow, message: &Message<'_>) -> Option<NonZeroU8> {
        if !message.is_request() || !matches!(message.method(), Method::Invite | Method::Ack | Method::Cancel)
        {
            return None;
        }
        let begins = message.method() == Method::Invite && message.to().is_ok_and(|to| to.tag().is_none());
        // Nobody else knows the token of a web phone: it proves itself here, or is asked to.
        if begins && self.web_phone_has_to_prove_itself(now, flow, message) {
            return None;
        }
        let call_id = message.call_id().ok()?;
        if let Some(to) = self.cluster.carried.to.get(call_id) {
            return Some(*to).filter(|to| self.cluster.members.contains_key(to));
        }
        // Whoever comes by a connection of other exchanges or apps proved itself there, and nowhere else.
        if !begins || self.sites.is_proved(flow) || self.switch.endpoint().knows(message) {
            return None;
        }
        let to = self.whose(message)?;
        self.cluster.carried.note(now.mono, call_id, to);
        Some(to)
    }

    /// Whose a new call is: the keeper's, or that of who has the call that it is about.
    fn whose(&self, message: &Message<'_>) -> Option<NonZeroU8> {
        let uri = message.uri().ok()?;
        // An emergency waits for nobody (R31).
        if self.emergency(&uri).is_some() {
            return None;
        }
        let dialled = uri.user_decoded()?;
        let from = message.from().ok().and_then(|from| from.uri().ok()?.user_decoded());
        let by_us = from.as_ref().is_some_and(|from| self.people.device(from).is_some());
        if let Some(keeper) = self.keeper_of(&dialled, by_us) {
            return Some(keeper);
        }
        let replaces = message.value(HeaderName::Replaces);
        let named = replaces.and_then(|value| Replaces::parse(std::str::from_utf8(value).ok()?));
        if let Some(call) = named.and_then(|named| self.cluster.elsewhere.pickups.call_of(&named.call_id)) {
            return Some(id_there(call)?.0);
        }
        let device = from.as_deref().filter(|_| by_us)?;
        let person = self.person_at(device)?;
        Some(id_there(self.about(&dialled, device, person)?)?.0)
    }

    /// Who can do what only the keeper can, if that is another. What it does for a call by the connection to the directory is
    /// not worth waiting for: while it cannot be reached the phones ring all the same.
    fn keeper_of(&self, dialled: &str, by_us: bool) -> Option<NonZeroU8> {
        let keeper = self.cluster.keeper()?;
        let is_its = self.people.queue_of(dialled).is_some()
            || self.config.codes.find(dialled).is_some_and(|(act, _)| act.is_of_keeper());
        let asks = || keeper.reachable && self.is_for_directory(dialled, by_us);
        (is_its || asks()).then_some(keeper.number)
    }

    /// The call elsewhere that a person is about when they dial this, if there is one, and none here. What a phone begins
    /// while it has a call there belongs beside that: so it can be transferred, parked, or changed for the other.
    fn about(&self, dialled: &str, device: &str, person: &str) -> Option<CallId> {
        let elsewhere = &self.cluster.elsewhere;
        let find = |wanted: &dyn Fn(&ToldCall) -> bool| {
            elsewhere.of(person).find(|(_, call)| wanted(call)).map(|(id, _)| id)
        };
        match self.config.codes.find(dialled) {
            Some((CodeAct::PickUp, _)) => self.oldest_for_groups(device, person),
            Some((CodeAct::PickUpOf, Some(number))) => self.oldest_for_number(number, device),
            Some((CodeAct::Pull, _)) if self.talk_elsewhere(person, device, None).is_some() => None,
            Some((CodeAct::Pull, _)) => {
                find(&|call| call.is_talk() && !call.is_at(device) && !call.emergency)
            }
            _ if self.is_park(dialled) && self.parked.at(dialled).is_none() => elsewhere.parked_at(dialled),
            _ if self.switch.call_at(device, None).is_some() => None,
            _ => find(&|call| call.is_at(device)),
        }
    }

    /// The oldest call that rings in the person's groups, if that is one elsewhere.
    fn oldest_for_groups(&self, device: &str, person: &str) -> Option<CallId> {
        let groups = self.people.groups().filter(|(_, group)| group.members.iter().any(|of| **of == *person));
        let colleagues: BTreeSet<&str> =
            groups.flat_map(|(_, group)| group.members.iter()).map(|member| &**member).collect();
        let here = colleagues.iter().flat_map(|of| self.ringing_for(of, None));
        let there = self
            .cluster
            .elsewhere
            .iter()
            .filter(|(_, call)| call.rings_for.iter().any(|account| colleagues.contains(&**account)));
        self.oldest(here, there, device)
    }

    /// The oldest call that rings for a number, if that is one elsewhere.
    fn oldest_for_number(&self, number: &str, device: &str) -> Option<CallId> {
        let here = self.ringing_for_number(number, CallId::default()).ok().flatten().into_iter();
        let destination = self.destination(number);
        let there = self.cluster.elsewhere.iter().filter(|(_, call)| match &destination {
            Destination::Account(owner) => call.rings_for.contains(owner),
            Destination::Group(group) => call.is_in_group(group),
            _ => false,
        });
        self.oldest(here, there, device)
    }

    fn oldest<'a>(
        &self,
        here: impl Iterator<Item = CallId>,
        there: impl Iterator<Item = (CallId, &'a ToldCall)>,
        device: &str,
    ) -> Option<CallId> {
        let started = |call: CallId| Some(self.switch.view(call)?.started);
        let here: Option<Wall> = here.filter_map(started).min();
        let there = there.filter(|(_, call)| call.rings() && !call.is_at(device));
        let (started, call) = there.map(|(id, call)| (call.started, id)).min()?;
        here.is_none_or(|here| started < here).then_some(call)
    }

    /// A message that came to another's door.
    pub(super) fn carried(&mut self, now: Now, flow: Flow, bytes: &[u8]) {
        // Only by a door that we know to be another's: what we answer leaves by it.
        if let Some(number) = self.cluster.door(flow) {
            self.cluster.carried_by = Some(number);
            self.message_for_us(now, flow, bytes);
            self.cluster.carried_by = None;
        }
    }
}
