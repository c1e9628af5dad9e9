//! SUBSCRIBE: what the server is asked to tell us, and again before that ends (RFC 6665).
//!
//! ```text
//! phone                       server
//!  |-- SUBSCRIBE ------------->|   once registered; again before it ends
//!  |<------------- NOTIFY -----|   at once, and whenever it changes; may overtake the 200
//! ```
//!
//! What the documents mean stands in [`super::profile`] and [`super::lamps`].

use super::ask::next_hop;
use super::lamps::Lamp;
use super::register::reason_of;
use super::{Agent, Owner, finish, plain};
use crate::limits::TRIES;
use clock::{Mono, Now};
use sip::{ClientKey, Dialog, Flow};
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method};

/// How long we want to be told, in seconds.
const EXPIRES: u32 = 600;
/// Octets of a document.
const OCTETS: usize = 64 * 1024;
/// When the server is asked again that ended a subscription, or said nothing.
const SOON: Duration = Duration::from_secs(5);
/// When a server is asked again that has no such thing.
const SLOWLY: Duration = Duration::from_secs(900);

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// For whom we work.
    Profile,
    /// The calls of a number.
    Calls(Box<str>),
    /// Messages that wait for us.
    Messages,
}

/// One subscription, or the wish for it.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) what: What,
    /// Since the first SUBSCRIBE.
    dialog: Option<Dialog>,
    /// Who is asked, as the first SUBSCRIBE named it.
    taken: bool,
    asking: Option<(ClientKey, u8)>,
    again_at: Option<Mono>,
    pub(super) lamp: Lamp,
}

impl Watch {
    pub(super) fn new(what: What) -> Watch {
        Watch { what, dialog: None, taken: false, asking: None, again_at: None, lamp: Lamp::default() }
    }

    pub(super) fn due(&self) -> Option<Mono> {
        self.again_at
    }

    /// What the server knew of us is gone.
    fn forget(&mut self) {
        (self.dialog, self.taken, self.asking, self.again_at) = (None, false, None, None);
    }
}

impl What {
    fn event(&self) -> &'static str {
        match self {
            What::Profile => concat!(
                "ua-profile;profile-type=\"user\";vendor=\"ringdown\";model=\"phone\";version=\"",
                env!("CARGO_PKG_VERSION"),
                "\""
            ),
            What::Calls(_) => "dialog",
            What::Messages => "message-summary",
        }
    }

    fn accept(&self) -> &'static str {
        match self {
            What::Profile => "application/json",
            What::Calls(_) => "application/dialog-info+xml",
            What::Messages => "application/simple-message-summary",
        }
    }
}

impl Agent {
    /// The server knows us: it is asked for all that it is not asked for already.
    pub(super) fn begin_watches(&mut self, now: Now) {
        for place in 0..self.watches.len() {
            let idle = |watch: &Watch| watch.dialog.is_none() && watch.again_at.is_none();
            if self.watches.get(place).is_some_and(idle) {
                self.subscribe(now, place, None, 0);
            }
        }
    }

    /// The connection, or the server, is another one.
    pub(super) fn forget_watches(&mut self, why: &str) {
        for place in 0..self.watches.len() {
            if let Some(watch) = self.watches.get_mut(place) {
                watch.forget();
            }
            self.watch_lost(place, why);
        }
    }

    pub(super) fn renew_watches(&mut self, now: Now) {
        for place in 0..self.watches.len() {
            let due = |watch: &mut Watch| watch.again_at.take_if(|at| *at <= now.mono).is_some();
            if self.watches.get_mut(place).is_some_and(due) {
                self.subscribe(now, place, None, 0);
            }
        }
    }

    fn subscribe(&mut self, now: Now, place: usize, credentials: Option<(HeaderName, String)>, tries: u8) {
        let Some(flow) = self.flow.filter(|_| self.leave_by.is_none()) else { return };
        let Some(what) = self.watches.get(place).map(|watch| watch.what.clone()) else { return };
        let target = match &what {
            What::Calls(number) => self.target(number),
            What::Profile | What::Messages => self.target(&self.config.user),
        };
        let call_id = format!("{:016x}{:016x}", self.endpoint.random(), self.endpoint.random());
        let tag = format!("{:016x}", self.endpoint.random());
        let fresh = Dialog::calling(&call_id, &self.address(), &tag, &format!("<{target}>"), &target);
        let contact = self.contact(flow);
        let Some(watch) = self.watches.get_mut(place) else { return };
        let dialog = watch.dialog.get_or_insert(fresh);
        let sequence = dialog.next_sequence();
        let way = next_hop(dialog, flow);
        let way = if watch.taken { way } else { flow };
        let (dialog, owner) = (dialog.clone(), Owner::Watch(place));
        let method = Method::Subscribe;
        let client = self.endpoint.request(now.mono, way, owner, method, &dialog.target, 70, |mut writer| {
            dialog.write(&mut writer, Method::Subscribe, sequence);
            writer.header(HeaderName::Contact, &*contact);
            writer.header(HeaderName::Event, what.event());
            writer.header(HeaderName::Accept, what.accept());
            writer.header_number(HeaderName::Expires, u64::from(EXPIRES));
            if let Some((name, value)) = &credentials {
                writer.header(*name, &**value);
            }
            finish(writer, None)
        });
        if let Some(watch) = self.watches.get_mut(place) {
            watch.asking = Some((client, tries));
        }
    }

    pub(super) fn response_to_subscribe(
        &mut self,
        now: Now,
        place: usize,
        client: ClientKey,
        response: &Message<'_>,
    ) {
        let status = response.status().unwrap_or(500);
        let Some(watch) = self.watches.get_mut(place) else { return };
        let Some((_, tries)) = watch.asking.filter(|(known, _)| *known == client && status >= 200) else {
            return;
        };
        watch.asking = None;
        match status {
            200..300 => {
                if !watch.taken {
                    watch.dialog = watch.dialog.as_ref().map(|dialog| dialog.established(response));
                    watch.taken = true;
                }
                let lives = response.expires().unwrap_or(EXPIRES).max(60);
                watch.again_at = Some(now.mono + Duration::from_secs(u64::from(lives) * 4 / 5));
            }
            401 | 407 if tries < TRIES => {
                let uri = watch.dialog.as_ref().map(|dialog| dialog.target.clone()).unwrap_or_default();
                match self.credentials(response, Method::Subscribe, &uri) {
                    Some(made) => self.subscribe(now, place, Some(made), tries + 1),
                    None => self.watch_refused(now, place, "a challenge that we cannot answer"),
                }
            }
            // RFC 6665 4.1.2.2: the server has forgotten us.
            481 if watch.taken => {
                watch.forget();
                self.subscribe(now, place, None, 0);
            }
            _ => self.watch_refused(now, place, &format!("{status} {}", reason_of(response))),
        }
    }

    /// No response came, or the stream broke.
    pub(super) fn subscribe_unanswered(&mut self, now: Now, place: usize, client: ClientKey) {
        let Some(watch) = self.watches.get_mut(place) else { return };
        if watch.asking.is_some_and(|(known, _)| known == client) {
            watch.forget();
            watch.again_at = Some(now.mono + SOON * 12);
            self.watch_lost(place, "no response");
        }
    }

    /// The server offers no such thing, or not to us.
    fn watch_refused(&mut self, now: Now, place: usize, why: &str) {
        let Some(watch) = self.watches.get_mut(place) else { return };
        watch.forget();
        watch.again_at = Some(now.mono + SLOWLY);
        if watch.what == What::Profile {
            // It is asked again when it knows us anew.
            watch.again_at = None;
            self.no_profile(why);
        }
        self.watch_lost(place, why);
    }

    /// A NOTIFY of a subscription of ours; false when it is none.
    pub(super) fn notified(&mut self, now: Now, flow: Flow, message: &Message<'_>) -> bool {
        let (Method::Notify, Ok(call_id)) = (message.method(), message.call_id()) else { return false };
        let to = message.to().ok().and_then(|to| to.tag().map(str::to_owned));
        let ours = |watch: &Watch| {
            let dialog = watch.dialog.as_ref();
            dialog
                .is_some_and(|dialog| *dialog.call_id == *call_id && to.as_deref() == Some(&dialog.local_tag))
        };
        let Some(place) = self.watches.iter().position(ours) else { return false };
        let server = self.endpoint.accept(flow, message, Owner::Nobody);
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        let dialog = self.watches.get_mut(place).and_then(|watch| watch.dialog.as_mut());
        if dialog.is_some_and(|dialog| dialog.accept_sequence(number).is_err()) {
            self.respond(now, server, 500);
            return true;
        }
        self.respond(now, server, 200);
        let state = message.value(HeaderName::SubscriptionState).map(plain).unwrap_or_default();
        if state.to_ascii_lowercase().starts_with("terminated") {
            self.watch_ended(now, place, &state);
        } else {
            self.read_document(place, message);
        }
        true
    }

    /// RFC 6665 4.1.3: whether and when to ask again depends on why it ended.
    fn watch_ended(&mut self, now: Now, place: usize, state: &str) {
        let Some(watch) = self.watches.get_mut(place) else { return };
        let never = ["rejected", "noresource", "invariant"].iter().any(|reason| state.contains(reason));
        watch.forget();
        watch.again_at = Some(now.mono + if never { SLOWLY } else { SOON });
        if never {
            self.watch_lost(place, "the server ended it");
        }
    }

    fn read_document(&mut self, place: usize, message: &Message<'_>) {
        let Some(what) = self.watches.get(place).map(|watch| watch.what.clone()) else { return };
        let body = message.body();
        if body.is_empty() || body.len() > OCTETS || !message.is_content_type(what.accept()) {
            return;
        }
        match what {
            What::Profile => self.profile_told(body),
            What::Calls(_) => self.calls_told(place, body),
            What::Messages => self.messages_told(place, body),
        }
    }
}
