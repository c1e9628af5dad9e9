//! Messages that come to one exchange and are for another: answers to what that one sent, requests within its dialogs, and
//! calls for what only the keeper can do.

use super::Carry;
use crate::exchange::Exchange;
use crate::input::Output;
use clock::Now;
use sip::Flow;
use std::num::NonZeroU8;
use wire::sip::{Message, Method};

impl Exchange {
    /// Hands a message to whom it is for, if that is another; whether it was.
    pub(crate) fn carries(&mut self, flow: Flow, message: &Message<'_>, bytes: &[u8]) -> bool {
        let Some(place) = self.cluster.place else { return false };
        let made = sip::maker(message).filter(|made| self.cluster.members.contains_key(made));
        let to = match made {
            Some(made) => Some(made),
            None if sip::maker(message) == Some(place.number) => None,
            None => self.keeper_of(message),
        };
        let Some(to) = to.filter(|to| *to != place.number) else { return false };
        // What is for one that is away is nobody's: whoever sent it tries again, and somebody else has it by then.
        if self.cluster.members.get(&to).is_some_and(|member| member.reachable) {
            let carry = Carry { to, flow: Flow { connection: 0, ..flow }, bytes: bytes.into() };
            self.outputs.push_back(Output::Cluster(Box::new(carry)));
        }
        true
    }

    /// Who can do what a request asks for, if only the keeper can: what begins a call, and what belongs to that.
    fn keeper_of(&self, message: &Message<'_>) -> Option<NonZeroU8> {
        let keeper = self.cluster.keeper()?;
        if !message.is_request() || !matches!(message.method(), Method::Invite | Method::Ack | Method::Cancel)
        {
            return None;
        }
        let dialled = message.uri().ok()?.user_decoded()?;
        let is_its = self.people.queue_of(&dialled).is_some()
            || self.config.codes.find(&dialled).is_some_and(|(act, _)| act.is_of_keeper());
        is_its.then_some(keeper.number)
    }

    /// A message that came to another's door.
    pub(super) fn carried(&mut self, now: Now, flow: Flow, bytes: &[u8]) {
        // Only by a door that we know to be another's: what we answer leaves by it.
        if self.cluster.is_elsewhere(flow) {
            self.message_for_us(now, flow, bytes);
        }
    }
}
