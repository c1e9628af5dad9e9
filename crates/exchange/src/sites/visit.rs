//! Somebody of one exchange stands at a phone of another, and what rings for them at home comes there (S1.6, S1.14).
//!
//! The phone's exchange gives it a number that is good once, for the one exchange that is asked, within seconds; the home calls
//! it there with a ticket, as it calls anybody of that exchange.
//!
//! ```text
//! phone's exchange --Tap, number--> home: judged, and the call takes one more branch
//!                  <--INVITE number, ticket--                  (the race is the home's)
//! ```

use crate::admission::Sender;
use crate::exchange::Exchange;
use crate::limits;
use calls::{CallId, Cause, Line, Party, Pass, Target};
use clock::{Mono, Now};
use directory::{ExchangeName, Named as _, Number};
use sip::Flow;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::sip::{Message, Uri};

/// How a number begins that is good once.
pub(super) const PREFIX: &str = "tap-";

/// Phones that others may call once.
#[derive(Debug, Default)]
pub(super) struct Visits {
    open: BTreeMap<Number, Visit>,
}

#[derive(Debug)]
struct Visit {
    exchange: ExchangeName,
    device: Box<str>,
    until: Mono,
}

/// A phone of another exchange, at which one of ours stands.
#[derive(Clone, Debug)]
pub(crate) struct PhoneElsewhere {
    pub(crate) exchange: ExchangeName,
    /// As we know it: the exchange and its name there.
    pub(crate) label: Box<str>,
    /// The connection by which we were asked.
    pub(crate) flow: Flow,
    pub(crate) number: Number,
}

/// What another exchange's call is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Guest {
    /// It is none.
    No,
    /// It calls somebody.
    Calls,
    /// It brings what rings for one of its people who stands at this phone.
    Visits(Box<str>),
    /// It picks up what rings for the number.
    PicksUp(ExchangeName),
    /// The exchange calls somebody by itself, who is to be free.
    CallsWhoIsFree,
}

impl super::Sites {
    /// One of ours stands at a phone of another exchange while what they take is looked for.
    pub(crate) fn stands_at(&mut self, phone: Option<PhoneElsewhere>) {
        self.standing_at = phone;
    }

    /// See [`super::Sites::stands_at`].
    pub(crate) fn standing_at(&self, device: &str) -> Option<&PhoneElsewhere> {
        self.standing_at.as_ref().filter(|phone| *phone.label == *device)
    }
}

impl Exchange {
    /// A phone may be called by another exchange, once and soon.
    pub(crate) fn open_visit(&mut self, now: Now, exchange: &ExchangeName, device: &str) -> Option<Number> {
        let number = self.one_time_number()?;
        let open = &mut self.sites.visits.open;
        open.retain(|_, visit| visit.until > now.mono);
        if open.len() >= limits::SITE_QUESTIONS {
            return None;
        }
        let until = now.mono + limits::VISIT_LIFE;
        open.insert(number.clone(), Visit { exchange: exchange.clone(), device: device.into(), until });
        Some(number)
    }

    /// What a call is for that another exchange, or an app, sends.
    pub(crate) fn guest(&mut self, now: Now, sender: &Sender, asked: &str, uri: &Uri<'_>) -> Guest {
        let exchange = match sender {
            Sender::Exchange(exchange) => ExchangeName::parse(exchange).ok(),
            Sender::App { .. } => return Guest::Calls,
            Sender::Device(_) | Sender::Trunk(_) => return Guest::No,
        };
        let Some(exchange) = exchange else { return Guest::Calls };
        let asks = |wanted: &str| uri.params.iter().any(|(name, _)| name == wanted);
        if asks(super::pickup::PARAMETER) {
            return Guest::PicksUp(exchange);
        }
        if asks(super::free::PARAMETER) {
            return Guest::CallsWhoIsFree;
        }
        let open = &mut self.sites.visits.open;
        let number = Number::parse(asked).ok();
        let visit = number.and_then(|number| open.remove(&number));
        match visit.filter(|visit| visit.exchange == exchange && visit.until > now.mono) {
            Some(visit) => Guest::Visits(visit.device),
            None => Guest::Calls,
        }
    }

    /// Whom another exchange asks for: who stands at a phone of ours is named in To.
    pub(crate) fn asked_by_exchange(asked: &str, message: &Message<'_>) -> Arc<str> {
        let to = message.to().ok().filter(|_| asked.starts_with(PREFIX));
        let named = to.and_then(|to| to.uri().ok()).and_then(|uri| uri.user_decoded());
        named.map_or_else(|| asked.into(), |named| (*named).into())
    }

    /// Whether somebody of another exchange may take a call at a phone now.
    pub(crate) fn may_be_visited(&self, device: &str) -> Result<(), &'static str> {
        if !self.registrar.is_reachable(device) {
            return Err("it is not registered");
        }
        if self.switch.call_at(device, None).is_some() {
            return Err("somebody talks there");
        }
        if self.seats.at(device).is_some() {
            return Err("somebody sits there");
        }
        Ok(())
    }

    /// The call comes to the phone at which its callee stands; it answers at once, as it would for a badge of ours (R5).
    pub(super) fn ring_visited(&mut self, now: Now, call: CallId, device: &str) {
        if let Err(why) = self.may_be_visited(device) {
            return self.fail(now, call, Cause::Busy, why);
        }
        let Some(callee) = self.ongoing.call(call).map(|ongoing| ongoing.callee.clone()) else { return };
        let Some(target) = self.target_at(device, &callee, self.form_of(device)) else {
            return self.fail(now, call, Cause::Offline, "");
        };
        self.note_call(now, call, "visit", format!("its callee stands at {device}"));
        if self.switch.add_branch(now, call, target).is_none() {
            return self.fail(now, call, Cause::Overload, "");
        }
        self.switch.limit_ringing(now, call, self.config.ring_limit);
        self.call_progresses(now, call);
    }

    /// One branch to a phone of another exchange.
    pub(crate) fn target_elsewhere(&self, phone: &PhoneElsewhere, callee: &Party) -> Target {
        let copy = self.sites.joined.as_ref().and_then(|joined| joined.copy.as_ref());
        let listed = copy.and_then(|copy| copy.exchanges.get(&phone.exchange));
        let host = listed.map_or_else(|| phone.flow.remote.to_string(), |listed| listed.address.to_string());
        super::leave::target(
            &phone.label,
            phone.flow,
            format!("sip:{}@{host};transport=tls", calls::escape_user(phone.number.as_str())),
            callee.clone(),
            &host,
            // Their exchange issues the ticket in its challenge.
            line(Pass::Asked),
        )
    }
}

pub(super) fn line(pass: Pass) -> Line {
    let patience = limits::TRUNK_PATIENCE;
    Line { login: None, caller: None, media_from: Arc::default(), patience, pass: Some(pass) }
}
