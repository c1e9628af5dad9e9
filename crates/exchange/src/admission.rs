//! Who may come in: judges each message that belongs to no leg, and finds out who sent it (default deny).
//!
//! The order is fixed, so that a stranger learns nothing: what cannot be read, what is never understood, what needs
//! no knowledge of accounts, the challenge, and only then everything else.

use crate::exchange::Exchange;
use crate::people::is_web_name;
use crate::sources::{Room, Source};
use calls::Leftover;
use clock::Now;
use sip::digest::Verdict;
use sip::{Flow, ServerKey, Transport};
use wire::sip::{HeaderName, Message, Method, Scheme, Uri, Writer, parse_for_reply};
use wire::text::hex;

/// What we can do outside of a dialog, for Allow (RFC 3261 20.5).
pub(crate) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, SUBSCRIBE, MESSAGE";
/// The option tags that a request may require of us (RFC 3261 8.2.2.3).
const UNDERSTOOD: [&str; 5] = ["100rel", "timer", "path", "outbound", "replaces"];

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A device that proved its secret.
    Device(Box<str>),
    /// The trunk that this address is of.
    Trunk(Box<str>),
    /// Another exchange of the office, with a ticket for this call, which is used up.
    Exchange(Box<str>),
    /// An app of this account, with a ticket of ours for this call, which is used up.
    App {
        /// Its name.
        device: Box<str>,
        /// Whose it is.
        account: Box<str>,
    },
}

impl Exchange {
    /// A datagram: one message, or a keep-alive (RFC 5626 4.4.2: STUN; some phones send line ends or a zero).
    pub(crate) fn datagram(&mut self, now: Now, flow: Flow, bytes: &[u8]) {
        self.registrar.silence.heard(flow);
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return;
        }
        if let Some(answer) = sip::stun::keepalive_answer(bytes, flow.remote) {
            return self.switch.endpoint().transmit(flow, answer.into());
        }
        self.message(now, flow, bytes);
    }

    /// One message, framed.
    pub(crate) fn message(&mut self, now: Now, flow: Flow, bytes: &[u8]) {
        self.registrar.silence.heard(flow);
        if self.sheds_at_the_door(flow, bytes) {
            return;
        }
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(error) => {
                self.ladder.keep(false, flow, bytes);
                return self.refuse_unreadable(now, flow, bytes, error.answerable().then(|| error.code()));
            }
        };
        if !self.carries(now, flow, &message, bytes) {
            self.ladder.keep(false, flow, bytes);
            self.parsed(now, flow, &message);
        }
    }

    /// A message that came to another exchange over the same store, which read it already and saw that it is for us.
    pub(crate) fn message_for_us(&mut self, now: Now, flow: Flow, bytes: &[u8]) {
        self.registrar.silence.heard(flow);
        let Ok(message) = Message::parse(bytes) else { return };
        self.ladder.keep(false, flow, bytes);
        self.parsed(now, flow, &message);
    }

    fn parsed(&mut self, now: Now, flow: Flow, message: &Message<'_>) {
        if let Method::Other(_) = message.method()
            && message.is_request()
        {
            if self.has_room(now, flow, message, None) {
                self.refuse(flow, message, 501);
            }
            return;
        }
        if message.check().is_err() {
            if message.is_request() && self.has_room(now, flow, message, None) {
                self.refuse(flow, message, 400);
            }
            return;
        }
        match self.switch.receive(now, flow, message) {
            Leftover::Nothing => {}
            Leftover::Request => self.request(now, flow, message),
            Leftover::Response { owner, .. } => self.above_answered(now, owner, Some(message)),
            Leftover::Failed { owner } => self.above_answered(now, owner, None),
        }
    }

    /// A request of the office found its answer, or none.
    pub(crate) fn above_answered(&mut self, now: Now, owner: u64, response: Option<&Message<'_>>) {
        if owner & crate::sites::ask::MARK != 0 {
            return self.site_replied(now, owner, response);
        }
        if owner & crate::trunks::MARK != 0 {
            return self.trunk_answered(now, owner, response);
        }
        let status = response.map_or(408, |response| response.status().unwrap_or(500));
        if status >= 200 {
            self.notified(now, owner, status);
        }
    }

    /// Rules that need no knowledge of accounts.
    fn request(&mut self, now: Now, flow: Flow, message: &Message<'_>) {
        let method = message.method();
        let uri = message.uri();
        if !self.has_room(now, flow, message, uri.as_ref().ok()) {
            return;
        }
        let Ok(uri) = uri else { return self.refuse(flow, message, 400) };
        if !matches!(uri.scheme, Scheme::Sip | Scheme::Sips | Scheme::Tel) && !is_service_urn(&uri) {
            return self.refuse(flow, message, 416);
        }
        // RFC 3261 19.1.1: no headers in a Request-URI; 10.3: an address of record is a SIP URI.
        let record = || message.to().ok().and_then(|to| to.uri().ok()).is_some_and(|uri| uri.is_sip());
        if uri.headers.iter().next().is_some() || (method == Method::Register && !record()) {
            return self.refuse(flow, message, 400);
        }
        if message.values(HeaderName::Require).any(|tag| !is_understood(tag)) {
            return self.refuse_extensions(flow, message);
        }
        if message.to().ok().and_then(|to| to.tag()).is_some() {
            if method == Method::Subscribe && self.resubscribe(now, flow, message) {
                return;
            }
            return self.refuse(flow, message, 481);
        }
        match method {
            Method::Options => self.options(flow, message),
            Method::Register if self.is_from_app(flow, message) => self.app_registers(now, flow, message),
            Method::Register => self.register(now, flow, message),
            Method::Invite => self.invite(now, flow, message, &uri),
            Method::Message if self.sites.is_proved(flow) => self.site_asked(now, flow, message),
            Method::Message => self.text(now, flow, message, &uri),
            Method::Subscribe => self.subscribe(now, flow, message, &uri),
            Method::Bye | Method::Prack | Method::Update | Method::Info => self.refuse(flow, message, 481),
            _ => {
                if self.sender(now, flow, message).is_some() {
                    self.refuse(flow, message, 405);
                }
            }
        }
    }

    /// Who sent a request; a stranger is challenged here, and `None` means that the request has its answer.
    pub(crate) fn sender(&mut self, now: Now, flow: Flow, message: &Message<'_>) -> Option<Sender> {
        if let Some(hash) = sip::bearer::token(message) {
            return self.web_sender(now, flow, message, hash).map(Sender::Device);
        }
        if self.sites.is_proved(flow) || self.is_from_app(flow, message) {
            return self.site_sender(now, flow, message);
        }
        // A page on a trunk's machine is not the trunk.
        if message.method() != Method::Register
            && !flow.transport.is_websocket()
            && let Some(trunk) = self.trunk_of(flow)
        {
            return Some(Sender::Trunk(trunk.into()));
        }
        let Some(credentials) = self.verifier.credentials(message) else {
            self.challenge_as_named(now, flow, message);
            return None;
        };
        let (address, user) = (flow.remote.ip(), credentials.user());
        let source = Source::of(address);
        if self.is_refused_as_guesser(now, flow, message, user) {
            return None;
        }
        // A web phone has no secret: it proves itself by its token.
        let device = self.people.device(user).filter(|_| !is_web_name(user));
        let secret = device.map(|device| &device.secret);
        let verdict = self.verifier.check(now.mono, source.address(), message, &credentials, secret);
        match verdict {
            Verdict::Right { user } => {
                self.sources.proved(now.mono, address);
                return Some(Sender::Device(user));
            }
            Verdict::Wrong => self.wrong_secret(now, address, user),
            Verdict::Stale | Verdict::Missing => {}
        }
        match self.sources.ask(now.mono, address) {
            Room::Answer => self.challenge(now, flow, message, verdict == Verdict::Stale),
            room => self.refuse_flood(flow, message, room),
        }
        None
    }

    /// Whether who asks is not listened to because it guessed; it has its answer then.
    pub(crate) fn is_refused_as_guesser(
        &mut self,
        now: Now,
        flow: Flow,
        message: &Message<'_>,
        user: &str,
    ) -> bool {
        let address = flow.remote.ip();
        let known = self.sources.is_known(now.mono, Source::of(address));
        // A phone that is registered by this very path is always heard: nobody else can be there.
        let refused =
            self.guesses.is_ignored(now.mono, address, user, known) && !self.registrar.is_at(user, flow);
        if refused {
            // A phone with a mistyped secret must hear no, and stop; a guesser learns nothing, whatever it tried.
            self.refuse(flow, message, 403);
        }
        refused
    }

    /// Asks for what the device that the request names can give: a token from a web phone, a digest from all others.
    /// Whether there is such a device makes no difference.
    fn challenge_as_named(&mut self, now: Now, flow: Flow, message: &Message<'_>) {
        let from = message.from().ok().and_then(|from| from.uri().ok());
        if from.and_then(|uri| uri.user_decoded()).is_some_and(|user| is_web_name(&user)) {
            return self.challenge_bearer(now, flow, message, false);
        }
        self.challenge(now, flow, message, false);
    }

    /// RFC 8898 4; `invalid`: there was a token, and it is not good here.
    pub(crate) fn challenge_bearer(&mut self, now: Now, flow: Flow, message: &Message<'_>, invalid: bool) {
        match self.sources.ask(now.mono, flow.remote.ip()) {
            Room::Answer => {}
            room => return self.refuse_flood(flow, message, room),
        }
        let realm = &self.config.realm;
        self.switch.endpoint().respond_stateless(flow, message, 401, |mut writer| {
            sip::bearer::challenge(&mut writer, realm, invalid);
            writer.finish()
        });
    }

    pub(crate) fn challenge(&mut self, now: Now, flow: Flow, message: &Message<'_>, stale: bool) {
        let verifier = &mut self.verifier;
        let source = Source::of(flow.remote.ip()).address();
        self.switch.endpoint().respond_stateless(flow, message, 401, |mut writer| {
            verifier.challenge(now.mono, source, &mut writer, stale);
            writer.finish()
        });
    }

    /// The one method that anybody may send: phones and trunks ask whether we live (RFC 3261 11.2).
    fn options(&mut self, flow: Flow, message: &Message<'_>) {
        self.switch.endpoint().respond_stateless(flow, message, 200, |mut writer| {
            write_abilities(&mut writer);
            writer.header(HeaderName::Accept, "application/sdp");
            writer.finish()
        });
    }

    /// Refuses a request without keeping anything of it.
    pub(crate) fn refuse(&mut self, flow: Flow, message: &Message<'_>, status: u16) {
        self.switch
            .endpoint()
            .respond_stateless(flow, message, status, |writer| finish_refusal(writer, status));
    }

    /// The same, with the reason in words for whoever looks at the phone or its trace (RFC 3326).
    pub(crate) fn refuse_because(&mut self, flow: Flow, message: &Message<'_>, status: u16, why: &str) {
        self.switch.endpoint().respond_stateless(flow, message, status, |mut writer| {
            writer.header(HeaderName::Reason, format!("SIP;cause={status};text=\"{why}\""));
            finish_refusal(writer, status)
        });
    }

    /// Refuses a request that has a transaction.
    pub(crate) fn refuse_accepted(&mut self, now: Now, server: ServerKey, status: u16) {
        let tag = hex(self.switch.endpoint().random());
        self.switch
            .endpoint()
            .respond(now.mono, server, status, Some(&tag), |writer| finish_refusal(writer, status));
    }

    /// RFC 3261 8.2.2.3: 420 names what we do not know.
    fn refuse_extensions(&mut self, flow: Flow, message: &Message<'_>) {
        let unknown: Vec<&[u8]> =
            message.values(HeaderName::Require).filter(|tag| !is_understood(tag)).collect();
        let list = unknown.join(&b", "[..]);
        self.switch.endpoint().respond_stateless(flow, message, 420, |mut writer| {
            writer.header(HeaderName::Unsupported, &list);
            writer.finish()
        });
    }

    /// The rest of a stream whose framing is lost: whatever it says, it is refused, because what it is depends on
    /// where one begins to read.
    pub(crate) fn unframed(&mut self, now: Now, flow: Flow, bytes: &[u8]) {
        let status = match Message::parse(bytes) {
            Ok(_) => Some(400),
            Err(error) => error.answerable().then(|| error.code()),
        };
        self.refuse_unreadable(now, flow, bytes, status);
    }

    fn refuse_unreadable(&mut self, now: Now, flow: Flow, bytes: &[u8], status: Option<u16>) {
        let Some(status) = status else { return };
        if self.sources.ask(now.mono, flow.remote.ip()) != Room::Answer {
            return;
        }
        let Some(head) = parse_for_reply(bytes) else { return };
        let Ok(via) = head.via() else { return };
        let mut answer = Vec::with_capacity(512);
        let suffix = format!(";received={};rport={}", flow.remote.ip(), flow.remote.port());
        let suffix = if via.rport.is_some() { String::new() } else { suffix };
        let tag = hex(self.switch.endpoint().random());
        head.write(&mut answer, status, "", &suffix, &tag);
        self.switch.endpoint().transmit(flow, answer.into());
    }
}

/// Whether a Require tag is one that we keep.
fn is_understood(tag: &[u8]) -> bool {
    UNDERSTOOD.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(tag.trim_ascii()))
}

/// `urn:service:sos` and its kin are dialled (RFC 5031, R31).
fn is_service_urn(uri: &Uri<'_>) -> bool {
    uri.scheme == Scheme::Urn && uri.opaque.to_ascii_lowercase().starts_with("service:")
}

/// Allow and Supported.
pub(crate) fn write_abilities(writer: &mut Writer<'_>) {
    writer.header(HeaderName::Allow, ALLOW);
    writer.header(HeaderName::AllowEvents, sip::subscription::Package::NAMES);
    writer.header(HeaderName::Supported, "100rel, timer, path, outbound");
}

fn finish_refusal(mut writer: Writer<'_>, status: u16) -> usize {
    match status {
        405 | 501 => {
            writer.header(HeaderName::Allow, ALLOW);
        }
        422 => {
            writer.header_number(HeaderName::MinSe, u64::from(sip::session_timer::MIN_SE));
        }
        503 => {
            writer.header(HeaderName::RetryAfter, "5");
        }
        _ => {}
    }
    writer.finish()
}

/// Whether a NAT stands between us and the sender of a request: its own address in Via is not where it came from.
pub(crate) fn is_behind_nat(flow: Flow, message: &Message<'_>) -> bool {
    let Ok(via) = message.via() else { return false };
    let Some(ip) = via.host.ip() else { return false };
    let port = via.port.unwrap_or_else(|| flow.transport.default_port());
    ip != flow.remote.ip() || (flow.transport == Transport::Udp && port != flow.remote.port())
}
