//! Apps, which belong to no exchange: one comes by a connection of its own, with a ticket, for one call (S4.24).

use super::Sites;
use super::come::Holder;
use crate::admission::Sender;
use crate::exchange::Exchange;
use clock::Now;
use directory::{Named as _, Number};
use sip::Flow;
use wire::sip::{Contact, HeaderName, Message, Method};

/// For how long an app is told that it is registered, in seconds: as long as the connection stands.
const EXPIRES: u64 = 3_600;

impl Sites {
    /// Whether a connection proved to be somebody of the office who is no exchange.
    pub(crate) fn is_apps(&self, flow: Flow) -> bool {
        self.is_proved(flow) && self.exchange_at(flow).is_none()
    }
}

impl Exchange {
    /// An app that was woken is here: its ticket is used up, and the call that waits for it rings it (R27, R29).
    pub(crate) fn app_registers(&mut self, now: Now, flow: Flow, message: &Message<'_>) {
        if self.sites.app_at(flow).is_some() {
            return self.confirm_app(flow, message);
        }
        let called = message.to().ok().and_then(|to| to.uri().ok()).and_then(|uri| uri.user_decoded());
        let dest = called.and_then(|called| Number::parse(&called).ok());
        let claims = match self.ticket_of(now, flow, message, dest, Holder::App) {
            Ok(Some(claims)) => claims,
            // It was challenged.
            Ok(None) => return,
            Err(why) => {
                self.note_refused(now, message, "an app", &why);
                return self.refuse_because(flow, message, 403, &why);
            }
        };
        let contact = message.contacts().flatten().find_map(|contact| match contact {
            Contact::Addr(addr) => Some(addr.uri.to_string()),
            Contact::Star => None,
        });
        let Some(contact) = contact else { return self.refuse(flow, message, 400) };
        let key = claims.cnf.thumbprint;
        let Some(call) = self.wanted_by(&claims, key) else {
            return self.refuse_because(flow, message, 480, "nobody waits for it any more");
        };
        self.confirm_app(flow, message);
        self.ring_app(now, call, flow, key, &contact);
    }

    /// An app that calls (C14, S4.21): by a ticket of ours, which it got when it was let in.
    pub(super) fn app_sender(&mut self, now: Now, flow: Flow, message: &Message<'_>) -> Option<Sender> {
        let refused = if message.method() == Method::Invite {
            let dest = message.uri().ok().and_then(|uri| Number::parse(&uri.user_decoded()?).ok());
            match self.ticket_of(now, flow, message, dest, Holder::App) {
                Ok(Some(claims)) => match self.let_in_as(&claims) {
                    Some(sender) => return Some(sender),
                    None => "its place was given up".to_owned(),
                },
                // It was challenged.
                Ok(None) => return None,
                Err(why) => why,
            }
        } else {
            "an app calls, or comes because it was woken".to_owned()
        };
        self.note_refused(now, message, "an app", &refused);
        self.refuse_because(flow, message, 403, &refused);
        None
    }

    fn confirm_app(&mut self, flow: Flow, message: &Message<'_>) {
        let contact = message.value(HeaderName::Contact).map(<[u8]>::to_vec);
        self.switch.endpoint().respond_stateless(flow, message, 200, |mut writer| {
            if let Some(contact) = &contact {
                writer.header(HeaderName::Contact, &**contact);
            }
            writer.header_number(HeaderName::Expires, EXPIRES);
            writer.finish()
        });
    }
}
