//! `ua-profile` (RFC 6080): an exchange that offers it tells for whom this phone works.
//!
//! ```text
//! phone                       server
//!  |-- SUBSCRIBE ------------->|   once registered; again before it ends
//!  |<------------- NOTIFY -----|   an assignment in JSON, whenever it changes
//! ```

use super::{Agent, Output, Owner, finish, plain};
use crate::limits::TRIES;
use crate::words::Event;
use clock::{Mono, Now};
use sip::{ClientKey, Flow};
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method};

/// How long we want to be told, in seconds.
const EXPIRES: u32 = 600;
/// Octets of an assignment.
const OCTETS: usize = 64 * 1024;

/// Where we stand with that.
#[derive(Debug, Default)]
pub(super) struct ProfileWatch {
    wanted: bool,
    call_id: Box<str>,
    tag: Box<str>,
    /// The server's tag, once it has taken us.
    theirs: Option<Box<str>>,
    sequence: u32,
    /// The highest CSeq of a NOTIFY.
    heard: Option<u32>,
    asking: Option<(ClientKey, u8)>,
    again_at: Option<Mono>,
}

impl ProfileWatch {
    pub(super) fn new(wanted: bool) -> ProfileWatch {
        ProfileWatch { wanted, ..ProfileWatch::default() }
    }

    pub(super) fn due(&self) -> Option<Mono> {
        self.again_at
    }
}

impl Agent {
    /// The server knows us: it is asked for whom we work, unless it is asked already.
    pub(super) fn ask_for_profile(&mut self, now: Now) {
        let watch = &self.profile;
        if watch.wanted && watch.asking.is_none() && watch.theirs.is_none() && self.leave_by.is_none() {
            self.send_subscribe(now, None, 0);
        }
    }

    /// The connection, or the server, is another one: what it knew of us is gone.
    pub(super) fn forget_profile_watch(&mut self) {
        self.profile = ProfileWatch::new(self.profile.wanted);
    }

    pub(super) fn renew_profile_watch(&mut self, now: Now) {
        if self.profile.again_at.take_if(|at| *at <= now.mono).is_some() {
            self.send_subscribe(now, None, 0);
        }
    }

    fn send_subscribe(&mut self, now: Now, credentials: Option<(HeaderName, String)>, tries: u8) {
        let Some(flow) = self.flow else { return };
        if self.profile.call_id.is_empty() {
            self.profile.call_id =
                format!("{:016x}{:016x}", self.endpoint.random(), self.endpoint.random()).into();
            self.profile.tag = format!("{:016x}", self.endpoint.random()).into();
        }
        self.profile.sequence += 1;
        let (uri, address, contact) = (self.own_uri(), self.address(), self.contact(flow));
        let watch = &self.profile;
        let client =
            self.endpoint.request(now.mono, flow, Owner::Profile, Method::Subscribe, &uri, 70, |mut writer| {
                writer.header_strs(HeaderName::From, &[&address, ";tag=", &watch.tag]);
                match &watch.theirs {
                    Some(tag) => writer.header_strs(HeaderName::To, &["<", &uri, ">;tag=", tag]),
                    None => writer.header_strs(HeaderName::To, &["<", &uri, ">"]),
                };
                writer.header(HeaderName::CallId, &*watch.call_id);
                writer.header_fmt(HeaderName::CSeq, format_args!("{} SUBSCRIBE", watch.sequence));
                writer.header(HeaderName::Contact, &*contact);
                let version = env!("CARGO_PKG_VERSION");
                writer.header_fmt(
                    HeaderName::Event,
                    format_args!(
                        "ua-profile;profile-type=\"user\";vendor=\"ringdown\";model=\"phone\";version=\"{version}\""
                    ),
                );
                writer.header(HeaderName::Accept, "application/json");
                writer.header_number(HeaderName::Expires, u64::from(EXPIRES));
                if let Some((name, value)) = &credentials {
                    writer.header(*name, &**value);
                }
                finish(writer, None)
            });
        self.profile.asking = Some((client, tries));
    }

    fn own_uri(&self) -> String {
        format!("sip:{}@{}", wire::sip::encode_escapes(&self.config.user), self.config.domain)
    }

    pub(super) fn response_to_subscribe(&mut self, now: Now, client: ClientKey, response: &Message<'_>) {
        let Some((known, tries)) = self.profile.asking else { return };
        let status = response.status().unwrap_or(500);
        if known != client || status < 200 {
            return;
        }
        self.profile.asking = None;
        match status {
            200..300 => {
                let tag = response.to().ok().and_then(|to| to.tag()).unwrap_or_default();
                self.profile.theirs = Some(tag.into());
                let lives = response.expires().unwrap_or(EXPIRES).max(60);
                self.profile.again_at = Some(now.mono + Duration::from_secs(u64::from(lives) * 4 / 5));
            }
            401 | 407 if tries < TRIES => {
                let uri = self.own_uri();
                if let Some(made) = self.credentials(response, Method::Subscribe, &uri) {
                    self.send_subscribe(now, Some(made), tries + 1);
                }
            }
            // RFC 6665 4.1.2.2: the server has forgotten us.
            481 if self.profile.theirs.is_some() => {
                self.forget_profile_watch();
                self.send_subscribe(now, None, 0);
            }
            _ => self.no_profile(&format!("{status} {}", super::register::reason_of(response))),
        }
    }

    /// No response came, or the stream broke: the next registration asks again.
    pub(super) fn subscribe_unanswered(&mut self, client: ClientKey) {
        if self.profile.asking.is_some_and(|(known, _)| known == client) {
            self.forget_profile_watch();
        }
    }

    /// The server offers no such thing; it is asked again when it knows us anew.
    fn no_profile(&mut self, why: &str) {
        self.forget_profile_watch();
        self.tell(Event::NoProfile { why: why.to_owned() });
    }

    /// A NOTIFY of our subscription; false when it is none. It may overtake the 200.
    pub(super) fn profile_notified(&mut self, now: Now, flow: Flow, message: &Message<'_>) -> bool {
        let ours = |text: &str| !self.profile.tag.is_empty() && *self.profile.tag == *text;
        let to = message.to().ok().and_then(|to| to.tag().map(ours)).unwrap_or(false);
        let call = message.call_id().is_ok_and(|id| *id == *self.profile.call_id);
        if message.method() != Method::Notify || !to || !call {
            return false;
        }
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        let server = self.endpoint.accept(flow, message, Owner::Nobody);
        if self.profile.heard.is_some_and(|heard| number <= heard) {
            self.respond(now, server, 500);
            return true;
        }
        self.profile.heard = Some(number);
        self.respond(now, server, 200);
        let state = message.value(HeaderName::SubscriptionState).map(plain).unwrap_or_default();
        if state.starts_with("terminated") {
            self.forget_profile_watch();
            self.profile.again_at = Some(now.mono + Duration::from_secs(5));
            return true;
        }
        let body = message.body();
        if message.is_content_type("application/json")
            && body.len() <= OCTETS
            && let Ok(text) = std::str::from_utf8(body)
        {
            self.outputs.push_back(Output::Event(Event::Profile { assignment: text.to_owned() }));
        }
        true
    }
}
