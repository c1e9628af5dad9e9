//! Web phones: a device of its own for each session of a person, in memory alone, that comes and goes with the session
//! (S0.1).
//!
//! ```text
//! page --POST /api/v1/phone--> OpenWebPhone: device web-…, a token's hash, bound to session, device and origin
//! page --wss--> FlowOpened(origin) --REGISTER, Authorization: Bearer--> right token, device and origin?
//! sign-out --> EndSession: calls end, the binding goes, CloseFlow
//! ```
//!
//! Tokens are renewed by another `OpenWebPhone`; the one before is good until its own end. Decision 7 says why a device
//! has one binding: two tabs do not ring twice.

use crate::command::Answer;
use crate::exchange::Exchange;
use crate::input::CommandId;
use crate::limits;
use crate::people::{PeopleChange, Refusal, is_web_name, web_name};
use clock::{Mono, Now};
use sip::Flow;
use sip::bearer::TokenHash;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use wire::sip::Message;

/// A token that a session was given.
#[derive(Debug)]
struct Token {
    hash: TokenHash,
    /// The page that it was given to; `None` for a program.
    origin: Option<Box<str>>,
    until: Mono,
}

#[derive(Debug)]
struct WebPhone {
    session: Box<str>,
    /// The newest last.
    tokens: VecDeque<Token>,
    /// The sockets by which it proved itself.
    flows: BTreeSet<Flow>,
}

/// What a token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Worth {
    Right,
    /// It was right; a page that slept may come with it, and nobody guessed.
    Old,
    Wrong,
}

/// All web phones.
#[derive(Debug, Default)]
pub(crate) struct WebPhones {
    by_device: BTreeMap<Box<str>, WebPhone>,
    by_session: BTreeMap<Box<str>, Box<str>>,
    /// The origins of open sockets that pages opened.
    origins: BTreeMap<Flow, Box<str>>,
    /// Flows to be closed, once what is for them has left.
    closing: VecDeque<Flow>,
}

/// What is needed for a session's web phone.
#[derive(Clone, Debug)]
pub struct WebPhoneRequest {
    /// The session; not secret, but never another's.
    pub session: Box<str>,
    /// Whose.
    pub account: Box<str>,
    /// The page that asks, in plain form; `None` for a program.
    pub origin: Option<Box<str>>,
    /// Of the token that it is given.
    pub token: TokenHash,
    /// How long the token is good; [`limits::TOKEN_LIFE`] at most.
    pub lives: Duration,
}

impl WebPhones {
    /// A page opened a socket.
    pub(crate) fn flow_opened(&mut self, flow: Flow, origin: Option<Box<str>>) {
        if let Some(origin) = origin {
            self.origins.insert(flow, origin);
        }
    }

    pub(crate) fn flow_closed(&mut self, flow: Flow) {
        self.origins.remove(&flow);
        for phone in self.by_device.values_mut() {
            phone.flows.remove(&flow);
        }
    }

    /// The page that opened a socket.
    pub(crate) fn origin_of(&self, flow: Flow) -> Option<&str> {
        self.origins.get(&flow).map(|origin| &**origin)
    }

    /// The next flow to be closed.
    pub(crate) fn next_to_close(&mut self) -> Option<Flow> {
        self.closing.pop_front()
    }

    /// Whether there is this one.
    pub(crate) fn has(&self, device: &str) -> bool {
        self.by_device.contains_key(device)
    }

    /// All of them.
    pub(crate) fn devices(&self) -> impl Iterator<Item = &str> {
        self.by_device.keys().map(|device| &**device)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.by_device.len()
    }

    fn worth(&self, now: Mono, device: &str, flow: Flow, hash: TokenHash) -> Worth {
        let Some(phone) = self.by_device.get(device) else { return Worth::Wrong };
        let origin = self.origins.get(&flow);
        // All are looked at, so that the time says nothing.
        let mut worth = Worth::Wrong;
        for token in &phone.tokens {
            if token.hash.matches(&hash) && token.origin.as_ref() == origin {
                worth = if token.until > now { Worth::Right } else { Worth::Old };
            }
        }
        worth
    }
}

impl Exchange {
    /// Makes a session's web phone, or gives it another token.
    pub(crate) fn open_web_phone(&mut self, now: Now, id: CommandId, wanted: WebPhoneRequest) {
        let WebPhoneRequest { session, account, origin, token, lives } = wanted;
        if self.people.account(&account).is_none() {
            return self.answer(id, Answer::Refused(Refusal::Unknown("account", account)));
        }
        let device = match self.web_phones.by_session.get(&session) {
            Some(device) => device.clone(),
            None => match self.make_web_phone(now, &session, &account) {
                Ok(device) => device,
                Err(refusal) => return self.answer(id, Answer::Refused(refusal)),
            },
        };
        let Some(phone) = self.web_phones.by_device.get_mut(&device) else { return };
        let until = now.mono + lives.min(limits::TOKEN_LIFE);
        phone.tokens.push_back(Token { hash: token, origin, until });
        if phone.tokens.len() > limits::TOKENS_PER_SESSION {
            phone.tokens.pop_front();
        }
        let suggest_after = self.suggests_after(now, &account);
        self.answer(id, Answer::WebPhone { device, suggest_after });
    }

    fn make_web_phone(&mut self, now: Now, session: &str, account: &str) -> Result<Box<str>, Refusal> {
        let device = web_name(session);
        let was_elsewhere = self.web_phone_comes_here(&device);
        if self.people.device(&device).is_some() && !was_elsewhere {
            return Err(Refusal::Exists("device", device));
        }
        let owned = self
            .people
            .account(account)
            .map_or(0, |account| account.devices.iter().filter(|device| self.web_phones.has(device)).count());
        if owned >= limits::WEB_PHONES_PER_ACCOUNT || self.web_phones.count() >= limits::WEB_PHONES {
            // One that nobody uses makes room: its page is closed, and its session only not over yet.
            let Some(unused) = self.unused_web_phone(now.mono, (owned > 0).then_some(account)) else {
                return Err(Refusal::TooMany("web phones"));
            };
            self.end_web_phone(now, &unused);
        }
        if !was_elsewhere {
            self.put_web_device(now, &device, account);
        }
        let phone = WebPhone { session: session.into(), tokens: VecDeque::new(), flows: BTreeSet::new() };
        self.web_phones.by_device.insert(device.clone(), phone);
        self.web_phones.by_session.insert(session.into(), device.clone());
        self.web_phone_stirred(&device);
        Ok(device)
    }

    /// A web phone, of this account if one is named, that is not registered and whose tokens are over.
    fn unused_web_phone(&self, now: Mono, account: Option<&str>) -> Option<Box<str>> {
        let of_account = |device: &str| {
            account.is_none_or(|account| {
                self.people.device(device).is_some_and(|device| *device.account == *account)
            })
        };
        let unused = |device: &str, phone: &WebPhone| {
            phone.tokens.iter().all(|token| token.until <= now)
                && !self.registrar.is_registered(device)
                && of_account(device)
        };
        self.web_phones
            .by_device
            .iter()
            .find(|(device, phone)| unused(device, phone))
            .map(|(device, _)| device.clone())
    }

    /// A session is over, and its web phone with it; one without is fine.
    pub(crate) fn end_session(&mut self, now: Now, id: CommandId, session: Option<&str>) {
        let known = &self.web_phones.by_session;
        let devices: Vec<Box<str>> = match session {
            Some(session) => known.get(session).cloned().into_iter().collect(),
            None => known.values().cloned().collect(),
        };
        for device in devices {
            self.end_web_phone(now, &device);
        }
        self.answer(id, Answer::Done);
    }

    /// The web phones of an account that leaves.
    pub(crate) fn end_web_phones_of(&mut self, now: Now, account: &str) {
        let devices = self.people.account(account).map(|account| account.devices.clone()).unwrap_or_default();
        for device in devices.iter().filter(|device| is_web_name(device)) {
            self.end_web_phone(now, device);
            self.end_web_phone_elsewhere(now, device);
        }
    }

    fn end_web_phone(&mut self, now: Now, device: &str) {
        let Some(phone) = self.web_phones.by_device.remove(device) else { return };
        self.web_phones.by_session.remove(&phone.session);
        let mut flows = phone.flows;
        flows.extend(self.registrar.bindings(device).iter().map(|binding| binding.flow));
        self.forget_web_device(now, device);
        self.web_phones.closing.extend(flows);
        self.web_phone_stirred(device);
    }

    /// It is no device any more, and its calls end.
    pub(crate) fn forget_web_device(&mut self, now: Now, device: &str) {
        let account = self.people.device(device).map(|device| device.account.clone());
        // First its calls, so that the far ends and, by what is still open, the page hear of it.
        self.switch.device_gone(now, device);
        self.watcher_gone(device);
        self.profiles.device_gone(device);
        let gone = PeopleChange::RemoveDevice { name: device.into() };
        self.tell_people(now, &gone);
        self.people.apply(&gone);
        self.registrar.people_changed(&gone);
        if let Some(account) = account {
            self.tell_watchers(now, &account);
        }
    }

    /// Whether a request says that it comes from a web phone, and does not prove it.
    pub(crate) fn web_phone_has_to_prove_itself(&self, now: Now, flow: Flow, message: &Message<'_>) -> bool {
        let from = message.from().ok().and_then(|from| from.uri().ok());
        let Some(user) = from.and_then(|uri| uri.user_decoded()).filter(|user| is_web_name(user)) else {
            return false;
        };
        let token = sip::bearer::token(message);
        token.is_none_or(|hash| self.web_phones.worth(now.mono, &user, flow, hash) != Worth::Right)
    }

    /// The device of a request with a token, if the token is right for it, on this very flow.
    pub(crate) fn web_sender(
        &mut self,
        now: Now,
        flow: Flow,
        message: &Message<'_>,
        hash: TokenHash,
    ) -> Option<Box<str>> {
        let from = message.from().ok().and_then(|from| from.uri().ok());
        let user = from.and_then(|uri| uri.user_decoded().map(|user| user.into_owned())).unwrap_or_default();
        if self.web_phone_proved_itself_there(&user) {
            return Some(user.into());
        }
        if self.is_refused_as_guesser(now, flow, message, &user) {
            return None;
        }
        match self.web_phones.worth(now.mono, &user, flow, hash) {
            Worth::Right => {
                self.sources.proved(now.mono, flow.remote.ip());
                if let Some(phone) = self.web_phones.by_device.get_mut(&*user) {
                    phone.flows.insert(flow);
                }
                return Some(user.into());
            }
            Worth::Old => {}
            Worth::Wrong => self.wrong_secret(now, flow.remote.ip(), &user),
        }
        self.challenge_bearer(now, flow, message, true);
        None
    }
}
