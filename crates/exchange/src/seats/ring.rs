//! Whose calls a phone takes, and who calls from it, while somebody sits there. Decision 9 says why.

use crate::exchange::Exchange;
use crate::people::{AutoAnswer, is_web_name};
use crate::routing::target;
use calls::{AtOnce, Party, Target};

impl Exchange {
    /// The phones that ring for an account: its own, and those at which it sits (S1.2 to S1.4).
    pub(crate) fn phones_of(&self, account: &str) -> Vec<Box<str>> {
        let own = self.people.account(account).map(|account| account.devices.as_slice()).unwrap_or_default();
        let mut phones = own.to_vec();
        phones.retain(|device| self.owner_is_rung(device));
        phones.extend(self.seats.of(account).map(Box::from));
        phones
    }

    /// Whether the calls of a phone's owner ring there.
    pub(crate) fn owner_is_rung(&self, device: &str) -> bool {
        self.config.seats.owner_rings || self.seats.at(device).is_none()
    }

    /// Who calls from a phone: whoever sits there, else its owner.
    pub(crate) fn person_at(&self, device: &str) -> Option<&str> {
        match self.seats.at(device) {
            Some(seat) => Some(&seat.account),
            None => self.people.device(device).map(|device| &*device.account),
        }
    }

    /// Whom a phone may ring for: its owner, and whoever sits there.
    pub(crate) fn rung_at(&self, device: &str) -> impl Iterator<Item = Box<str>> {
        let owner = self.people.device(device).map(|device| device.account.clone());
        let owner = owner.filter(|_| self.owner_is_rung(device));
        owner.into_iter().chain(self.seats.at(device).map(|seat| seat.account.clone()))
    }

    /// How a phone is asked to answer by itself; a browser never is.
    pub(crate) fn form_of(&self, device: &str) -> Option<AtOnce> {
        let form = self.people.device(device).filter(|_| !is_web_name(device))?.auto_answer?;
        Some(form_at_once(form))
    }

    /// One branch to a phone: the first of its registrations (R5: one INVITE).
    pub(crate) fn target_at(&self, device: &str, callee: &Party, at_once: Option<AtOnce>) -> Option<Target> {
        if let Some(phone) = self.sites.standing_at(device) {
            return Some(self.target_elsewhere(phone, callee));
        }
        let ways = self.registrar.targets(device);
        let mut target = target(device, ways.first()?, callee, self.config.domain.as_deref())?;
        target.at_once = at_once;
        Some(target)
    }
}

/// The form of a device's record, as it is asked.
pub(crate) fn form_at_once(form: AutoAnswer) -> AtOnce {
    match form {
        AutoAnswer::AnswerMode => AtOnce::AnswerMode,
        AutoAnswer::AlertInfo => AtOnce::AlertInfo,
        AutoAnswer::CallInfo => AtOnce::CallInfo,
    }
}
