//! A branch to the outside: who we are to the provider, and how long we wait for a first word of it.

use crate::Party;
use crate::leg::{LegId, LegState};
use crate::switch::Switch;
use clock::Now;
use sip::ClientKey;
use sip::digest::{self, Login};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method};

/// Requests of one leg that a provider may challenge; beyond, it only wants to keep us busy (sec_08).
const ROUNDS: u8 = 2;

/// What a branch to the outside needs beside its target.
#[derive(Clone, Debug)]
pub struct Line {
    /// Who we are there; challenges are answered on this leg only (sec_09).
    pub login: Option<Arc<Account>>,
    /// The caller as the provider sees it; as our devices see it if there is none.
    pub caller: Option<Party>,
    /// Other addresses that its media may come from (R16).
    pub media_from: Arc<[IpAddr]>,
    /// How long no response at all may come before the branch has failed, so that the next line is tried.
    pub patience: Duration,
    /// What lets the call in at another exchange of the office; a trunk has none (R27).
    pub pass: Option<Pass>,
}

/// What a call shows at another exchange of the office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pass {
    /// A ticket; its secret is the login.
    Ticket(Arc<str>),
    /// None yet: that exchange issues one with its challenge, because nobody else could be asked.
    Asked,
}

/// An account at a provider.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The user name.
    pub user: Box<str>,
    /// The password.
    pub password: Box<str>,
    /// The one realm that is answered, if any.
    pub realm: Option<Box<str>>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Account {
    /// The credentials for a challenge, as a header.
    #[must_use]
    pub fn answer(
        &self,
        challenge: &Message<'_>,
        method: Method<'_>,
        uri: &str,
        random: u64,
    ) -> Option<(HeaderName, String)> {
        let login = Login { user: &self.user, password: &self.password, realm: self.realm.as_deref() };
        digest::answer(challenge, login, method, uri, 1, random)
    }
}

/// What a leg to the outside remembers.
#[derive(Debug)]
pub(crate) struct LegLine {
    login: Option<Arc<Account>>,
    pass: Option<Pass>,
    rounds: u8,
    /// Goes into the next request of the method that was challenged.
    authorization: Option<(HeaderName, String)>,
}

impl LegLine {
    pub(crate) fn new(line: &Line) -> LegLine {
        LegLine { login: line.login.clone(), pass: line.pass.clone(), rounds: 0, authorization: None }
    }

    pub(crate) fn ticket(&self) -> Option<Arc<str>> {
        match &self.pass {
            Some(Pass::Ticket(token)) => Some(Arc::clone(token)),
            Some(Pass::Asked) | None => None,
        }
    }

    /// `Ringdown-Ticket: TOKEN;user=NAME;secret=SECRET` in a challenge: what was asked for, or what is better than what we had.
    fn take_ticket(&mut self, challenge: &Message<'_>) {
        if self.pass.is_none() {
            return;
        }
        let value =
            challenge.value(HeaderName::RingdownTicket).and_then(|value| std::str::from_utf8(value).ok());
        let mut parts = value.unwrap_or_default().split(';');
        let token = parts.next().unwrap_or_default();
        let (user, secret) = (parts.next(), parts.next());
        let user = user.and_then(|part| part.strip_prefix("user="));
        let secret = secret.and_then(|part| part.strip_prefix("secret="));
        if let (Some(user), Some(password)) = (user, secret) {
            let login = Account { user: user.into(), password: password.into(), realm: None };
            (self.login, self.pass) = (Some(Arc::new(login)), Some(Pass::Ticket(token.into())));
        }
    }

    pub(crate) fn take_authorization(&mut self) -> Option<(HeaderName, String)> {
        self.authorization.take()
    }
}

impl Switch {
    /// A 401 or 407 to the INVITE of a branch: the same again with credentials. False when the branch has failed.
    pub(crate) fn retry_with_credentials(&mut self, now: Now, id: LegId, response: &Message<'_>) -> bool {
        self.answer_challenge(id, response, Method::Invite) && self.invite_again(now, id)
    }

    /// A 401 or 407 inside an answered leg: a re-INVITE is sent again, and so is a BYE. False when it is final.
    pub(crate) fn request_challenged(
        &mut self,
        now: Now,
        id: LegId,
        client: ClientKey,
        response: &Message<'_>,
    ) -> bool {
        if response.method() == Method::Bye {
            if !self.answer_challenge(id, response, Method::Bye) {
                return false;
            }
            self.request_in_dialog(now, id, Method::Bye, &[], None);
            return true;
        }
        let asks = self.legs.get(id).is_some_and(|leg| match &leg.state {
            LegState::Up(up) => up.modifying.as_ref().is_some_and(|(pending, _)| *pending == client),
            _ => false,
        });
        asks && self.answer_challenge(id, response, Method::Invite) && self.modify_again(now, id)
    }

    /// A re-INVITE was taken: the next challenge is a new one.
    pub(crate) fn challenge_met(&mut self, id: LegId) {
        if let Some(line) = self.legs.get_mut(id).and_then(|leg| leg.line.as_mut()) {
            line.rounds = 0;
        }
    }

    fn answer_challenge(&mut self, id: LegId, response: &Message<'_>, method: Method<'_>) -> bool {
        let random = self.endpoint.random();
        let Some(leg) = self.legs.get_mut(id) else { return false };
        let Some(line) = leg.line.as_mut() else { return false };
        line.take_ticket(response);
        let Some(login) = line.login.clone().filter(|_| line.rounds < ROUNDS) else { return false };
        line.rounds += 1;
        line.authorization = login.answer(response, method, &leg.dialog.target, random);
        line.authorization.is_some()
    }
}
