//! REGISTER: telling the server where we are, again before it forgets, and at last that we are gone (RFC 3261 10.2).

use super::{Agent, Output, Owner, finish, plain};
use crate::limits::{FAREWELL, RETRY_FIRST, RETRY_LAST, TRIES};
use crate::words::Event;
use clock::{Mono, Now};
use sip::{ClientKey, Flow};
use std::time::Duration;
use wire::sip::{Contact, HeaderName, Message, Method, Uri};

/// Where we stand with the server.
#[derive(Debug)]
pub(super) enum Registration {
    /// Not wanted, or nothing begun.
    Off,
    /// A REGISTER is on its way.
    Asking(Asking),
    /// The server knows us until after `refresh_at`.
    Registered { identity: Identity, refresh_at: Mono },
    /// It did not work; again later.
    Waiting { identity: Option<Identity>, retry_at: Mono, failures: u32 },
    /// The connection is gone and a new one was asked for.
    Connecting { failures: u32 },
    /// We said good-bye.
    Left,
}

/// Call-ID and number of our registrations (RFC 3261 10.2: one Call-ID, growing numbers).
#[derive(Clone, Debug)]
pub(super) struct Identity {
    call_id: Box<str>,
    tag: Box<str>,
    sequence: u32,
}

#[derive(Debug)]
pub(super) struct Asking {
    identity: Identity,
    client: ClientKey,
    expires: u32,
    tries: u8,
    failures: u32,
    leaving: bool,
    was_registered: bool,
}

impl Registration {
    pub(super) fn is_registered(&self) -> bool {
        match self {
            Registration::Registered { .. } => true,
            Registration::Asking(asking) => asking.was_registered,
            _ => false,
        }
    }

    pub(super) fn due(&self) -> Option<Mono> {
        match self {
            Registration::Registered { refresh_at, .. } => Some(*refresh_at),
            Registration::Waiting { retry_at, .. } => Some(*retry_at),
            _ => None,
        }
    }

    fn identity(&self) -> Option<Identity> {
        match self {
            Registration::Registered { identity, .. } => Some(identity.clone()),
            Registration::Waiting { identity, .. } => identity.clone(),
            Registration::Asking(asking) => Some(asking.identity.clone()),
            _ => None,
        }
    }

    fn failures(&self) -> u32 {
        match self {
            Registration::Waiting { failures, .. } | Registration::Connecting { failures } => *failures,
            Registration::Asking(asking) => asking.failures,
            _ => 0,
        }
    }
}

impl Agent {
    pub(super) fn connected(&mut self, now: Now, flow: Flow) {
        self.flow = Some(flow);
        match self.config.register {
            _ if self.leave_by.is_some() => {}
            true => self.register(now),
            false => {
                self.registration = Registration::Off;
                self.tell(Event::Connected);
                self.begin_watches(now);
            }
        }
    }

    /// Nothing on the old connection can be answered any more.
    pub(super) fn disconnected(&mut self, now: Now, why: &str) {
        if let Some(flow) = self.flow.take() {
            self.endpoint.flow_failed(flow);
        }
        self.forget_watches(why);
        // A REGISTER that was on its way fails by its own event.
        if !matches!(self.registration, Registration::Asking(_)) {
            self.registration_failed(now, 0, why);
        }
    }

    /// Registers, or refreshes.
    pub(super) fn register(&mut self, now: Now) {
        let failures = self.registration.failures();
        if self.flow.is_none() {
            self.registration = Registration::Connecting { failures };
            return self.outputs.push_back(Output::Connect);
        }
        let was = self.registration.is_registered();
        let identity = self.identity();
        self.send_register(now, identity, self.config.expires, None, 0, (failures, was, false));
    }

    /// Leaves the server: the bindings of this phone end (RFC 3261 10.2.2).
    pub(super) fn quit(&mut self, now: Now) {
        if self.leave_by.is_some() {
            return;
        }
        self.leave_by = Some(now.mono + FAREWELL);
        self.end_all_calls(now);
        if self.registration.is_registered() && self.flow.is_some() {
            let identity = self.identity();
            self.send_register(now, identity, 0, None, 0, (0, true, true));
        } else {
            self.registration = Registration::Left;
        }
    }

    fn identity(&mut self) -> Identity {
        self.registration.identity().unwrap_or_else(|| Identity {
            call_id: format!("{:016x}{:016x}", self.endpoint.random(), self.endpoint.random()).into(),
            tag: format!("{:016x}", self.endpoint.random()).into(),
            sequence: 0,
        })
    }

    fn send_register(
        &mut self,
        now: Now,
        mut identity: Identity,
        expires: u32,
        credentials: Option<(HeaderName, String)>,
        tries: u8,
        (failures, was_registered, leaving): (u32, bool, bool),
    ) {
        let Some(flow) = self.flow else { return };
        identity.sequence += 1;
        let (uri, address, contact) = (self.registrar(), self.address(), self.contact(flow));
        let pass = self.config.pass.clone();
        let client = self.endpoint.request(
            now.mono,
            flow,
            Owner::Registration,
            Method::Register,
            &uri,
            70,
            |mut writer| {
                writer.header_strs(HeaderName::From, &[&address, ";tag=", &identity.tag]);
                writer.header(HeaderName::To, &*address);
                writer.header(HeaderName::CallId, &*identity.call_id);
                writer.header_fmt(HeaderName::CSeq, format_args!("{} REGISTER", identity.sequence));
                writer.header(HeaderName::Contact, &*contact);
                writer.header_number(HeaderName::Expires, u64::from(expires));
                if let Some((name, value)) = &credentials {
                    writer.header(*name, &**value);
                }
                if let Some(pass) = &pass {
                    pass.write(&mut writer);
                }
                finish(writer, None)
            },
        );
        self.registration = Registration::Asking(Asking {
            identity,
            client,
            expires,
            tries,
            failures,
            leaving,
            was_registered,
        });
    }

    fn registrar(&self) -> String {
        format!("sip:{}", self.config.domain)
    }

    pub(super) fn response_to_register(&mut self, now: Now, client: ClientKey, response: &Message<'_>) {
        let Registration::Asking(asking) = &self.registration else { return };
        let status = response.status().unwrap_or(500);
        if asking.client != client || status < 200 {
            return;
        }
        let (identity, tries, leaving) = (asking.identity.clone(), asking.tries, asking.leaving);
        let (expires, rest) = (asking.expires, (asking.failures, asking.was_registered, leaving));
        match status {
            200..300 if leaving => self.left(),
            200..300 => self.registered(now, identity, expires, response),
            401 | 407 if tries < TRIES => {
                let uri = self.registrar();
                match self.credentials(response, Method::Register, &uri) {
                    Some(made) => self.send_register(now, identity, expires, Some(made), tries + 1, rest),
                    None => self.registration_failed(now, status, "a challenge that we cannot answer"),
                }
            }
            // RFC 3261 10.2.8: the server wants longer intervals.
            423 if tries < TRIES => {
                let wanted = response.seconds(HeaderName::MinExpires).unwrap_or(3_600).clamp(expires, 86_400);
                self.send_register(now, identity, wanted, None, tries + 1, rest);
            }
            _ if leaving => self.left(),
            401 | 407 => self.registration_failed(now, status, "user name or password is wrong"),
            _ => {
                let reason = reason_of(response);
                self.registration_failed(now, status, &reason);
            }
        }
    }

    /// No response came, or the stream broke.
    pub(super) fn register_unanswered(&mut self, now: Now, client: ClientKey, reason: &str) {
        match &self.registration {
            Registration::Asking(asking) if asking.client == client && asking.leaving => self.left(),
            Registration::Asking(asking) if asking.client == client => {
                self.registration_failed(now, 0, reason);
                if let Some(flow) = self.flow.take_if(|_| self.config.several) {
                    self.endpoint.flow_failed(flow);
                    self.forget_watches(reason);
                }
            }
            _ => {}
        }
    }

    fn registered(&mut self, now: Now, identity: Identity, asked: u32, response: &Message<'_>) {
        let expires = self.granted(response).unwrap_or(asked).max(1);
        // Not all phones of an office at once.
        let percent = 80 + self.endpoint.random() % 20;
        let wait = Duration::from_millis(u64::from(expires) * 10 * percent);
        self.registration = Registration::Registered { identity, refresh_at: now.mono + wait };
        self.tell(Event::Registered { expires });
        self.begin_watches(now);
    }

    /// How long the server keeps our binding: its own word on our Contact, else its Expires (RFC 3261 10.2.4).
    fn granted(&self, response: &Message<'_>) -> Option<u32> {
        let contact = self.contact(self.flow?);
        let ours = Uri::parse(contact.trim_matches(['<', '>'])).ok()?;
        let listed = response.contacts().flatten().find_map(|contact| match contact {
            Contact::Addr(addr) if addr.uri().is_ok_and(|uri| uri.equivalent(&ours)) => addr.expires(),
            _ => None,
        });
        listed.or_else(|| response.expires())
    }

    fn left(&mut self) {
        self.registration = Registration::Left;
        self.tell(Event::Unregistered);
    }

    fn registration_failed(&mut self, now: Now, status: u16, reason: &str) {
        if self.leave_by.is_some() || matches!(self.registration, Registration::Left) {
            self.registration = Registration::Left;
            return;
        }
        let failures = self.registration.failures();
        let wait = RETRY_FIRST.saturating_mul(1 << failures.min(10)).min(RETRY_LAST);
        // The upper half of the wait at random (RFC 5626 4.5): a restarted server is not met by all at once.
        let percent = 50 + self.endpoint.random() % 51;
        let wait = Duration::from_millis(wait.as_millis() as u64 * percent / 100);
        let identity = self.registration.identity();
        self.registration =
            Registration::Waiting { identity, retry_at: now.mono + wait, failures: failures + 1 };
        let reason = reason.to_owned();
        self.tell(Event::NotRegistered { status, reason, retry_s: wait.as_secs().max(1) });
    }
}

/// The words of a response.
pub(super) fn reason_of(response: &Message<'_>) -> String {
    let line = plain(response.start_raw());
    line.split_once(' ').and_then(|(_, rest)| rest.split_once(' ')).map_or_else(
        || wire::sip::default_reason(response.status().unwrap_or(500)).to_owned(),
        |(_, words)| words.trim().to_owned(),
    )
}
