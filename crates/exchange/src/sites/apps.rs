//! Apps, which belong to no exchange: one comes by a connection of its own, with a ticket, for one call (S4.24).
//!
//! ```text
//! a program   shows its certificate in TLS; the ticket names that
//! a browser   comes by WebSocket, from a page of the office's web app; the ticket names the certificate of its media:
//!             its INVITE has it in the offer, or its answer to ours has, and nothing else is taken on that connection
//! ```

use super::Sites;
use super::come::Holder;
use crate::admission::Sender;
use crate::exchange::Exchange;
use calls::Switch;
use clock::Now;
use directory::{Confirmation, Fingerprint, Named as _, Number, Shown};
use sip::Flow;
use wire::sip::{Contact, HeaderName, Message, Method};

/// For how long an app is told that it is registered, in seconds: as long as the connection stands.
const EXPIRES: u64 = 3_600;

impl Sites {
    /// Whether a connection proved to be somebody of the office who is no exchange.
    pub(crate) fn is_apps(&self, flow: Flow) -> bool {
        self.is_proved(flow) && self.exchange_at(flow).is_none()
    }

    /// Whether pages of this origin are the office's web app.
    fn lists_origin(&self, origin: &str) -> bool {
        let copy = self.joined.as_ref().and_then(|joined| joined.copy.as_ref());
        copy.is_some_and(|copy| copy.origins.iter().any(|listed| **listed == *origin))
    }
}

/// A ticket of a browser is used: its connection has media by that certificate, or none.
pub(super) fn pin_media(switch: &mut Switch, flow: Flow, cnf: Confirmation) -> Result<(), String> {
    let Confirmation::Media(Fingerprint(print)) = cnf else { return Ok(()) };
    match switch.pin(flow, media::webrtc::Fingerprint(print)) {
        true => Ok(()),
        false => Err("another browser is awaited on this connection, or none is taken".into()),
    }
}

impl Exchange {
    /// Whether a request comes from an app, or from nobody. A page with a token is a web phone.
    pub(crate) fn is_from_app(&self, flow: Flow, message: &Message<'_>) -> bool {
        self.sites.is_apps(flow) || (self.is_web_app(flow) && sip::bearer::token(message).is_none())
    }

    fn is_web_app(&self, flow: Flow) -> bool {
        self.web_phones.origin_of(flow).is_some_and(|origin| self.sites.lists_origin(origin))
    }

    /// What who presents a ticket has shown (S4.25).
    pub(super) fn shown_by(&self, flow: Flow, message: &Message<'_>) -> Result<Shown, String> {
        if let Some(fingerprint) = self.sites.peers.get(&flow) {
            return Ok(Shown::Key(Confirmation::Tls(*fingerprint)));
        }
        if !self.is_web_app(flow) {
            return Err("the connection is gone".into());
        }
        if message.method() != Method::Invite {
            return Ok(Shown::WithItsAnswer);
        }
        let named = self.switch.named_in(flow, message.body());
        let named = named.ok_or("the offer names no certificate of a browser")?;
        Ok(Shown::Key(Confirmation::Media(Fingerprint(named.0))))
    }

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
        let key = claims.cnf;
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
