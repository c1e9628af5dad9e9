//! Emergency calls (R31): classified before anything that could stop them, limited by nothing, and called back through
//! everything.

use crate::exchange::Exchange;
use crate::limits;
use clock::{Mono, Now};
use sip::Flow;
use std::collections::BTreeMap;
use wire::sip::{Scheme, Uri};

/// Which numbers are emergencies, and which trunks they go out by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmergencyPlan {
    /// The numbers, exactly as they are dialled; with and without what comes before numbers of the outside.
    pub numbers: Vec<Box<str>>,
    /// The trunks in the order in which they are tried; then every other.
    pub trunks: Vec<Box<str>>,
}

/// Accounts that called an emergency number, and until when calls to them pass everything.
#[derive(Debug, Default)]
pub(crate) struct CallBacks(BTreeMap<Box<str>, Mono>);

impl CallBacks {
    pub(crate) fn expect(&mut self, now: Now, account: &str) {
        self.0.retain(|_, until| *until > now.mono);
        self.0.insert(account.into(), now.mono + limits::CALL_BACK);
    }

    pub(crate) fn is_expected(&self, now: Now, account: &str) -> bool {
        self.0.get(account).is_some_and(|until| *until > now.mono)
    }
}

impl Exchange {
    /// An emergency was called at this phone, here or at another exchange of the office.
    pub(crate) fn expect_call_back(&mut self, now: Now, device: &str) {
        if let Some(device) = self.people.device(device) {
            self.call_backs.expect(now, &device.account);
        }
    }

    /// The number to call for an emergency, when a Request-URI asks for one: an exact number, or a service that the
    /// world agrees on (RFC 5031).
    pub(crate) fn emergency(&self, uri: &Uri<'_>) -> Option<Box<str>> {
        let plan = &self.config.emergency;
        match uri.scheme {
            Scheme::Urn => {
                let opaque = uri.opaque.to_ascii_lowercase();
                let asked = opaque == "service:sos" || opaque.starts_with("service:sos.");
                // 112 is understood by every mobile network and most others (3GPP TS 22.101 10.1).
                asked.then(|| plan.numbers.first().cloned().unwrap_or_else(|| "112".into()))
            }
            Scheme::Sip | Scheme::Sips | Scheme::Tel => self.emergency_number(&uri.user_decoded()?),
            _ => None,
        }
    }

    /// The emergency number that was dialled, with or without what comes before numbers of the outside.
    pub(crate) fn emergency_number(&self, dialled: &str) -> Option<Box<str>> {
        let bare = dialled.strip_prefix(&*self.config.numbering.outside).unwrap_or(dialled);
        let mut numbers = self.config.emergency.numbers.iter();
        numbers.find(|number| ***number == *dialled || ***number == *bare).cloned()
    }

    /// The device behind a flow that is registered: in an emergency, it need not prove itself again.
    pub(crate) fn device_at(&self, flow: Flow) -> Option<Box<str>> {
        let by = |device: &str| self.registrar.bindings(device).iter().any(|binding| binding.flow == flow);
        self.people.devices().map(|(name, _)| name).find(|name| by(name)).map(Box::from)
    }
}
