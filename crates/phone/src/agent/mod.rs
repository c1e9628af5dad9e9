//! The user agent: finds whom a message or command is for, and lets that one run the protocol.

mod accounts;
mod ask;
mod call;
mod change;
mod dial;
mod dialog_info;
mod hang_up;
mod incoming;
mod keys;
mod lamps;
mod login;
mod profile;
mod register;
mod suggest;
mod timers;
mod trace;
mod transfer;
mod watch;

use crate::limits::{CALLS, LAMPS};
use crate::words::{CallId, Command, Event};
use call::{Call, Stage};
use clock::Now;
use login::Login;
use media::{Agreed, Codec};
use register::Registration;
use sip::{Endpoint, Flow, Received, ServerKey, Transmit, Transport};
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;
use suggest::InVain;
use watch::{Watch, What};
use wire::sip::{HeaderName, Message, Method, Writer};

pub use accounts::{Accounts, Named};
pub use suggest::Suggest;
pub use timers::Due;
pub use trace::Trace;

/// What we answer inside and outside of calls.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, NOTIFY";
const SUPPORTED: &str = "100rel, timer";
const SDP: &str = "application/sdp";
const AGENT: &str = concat!("Ringdown-phone/", env!("CARGO_PKG_VERSION"));

/// Who a phone is.
#[derive(Clone, Debug)]
pub struct Config {
    /// The user name at the server: of the address and of the login.
    pub user: Box<str>,
    /// Its password.
    pub password: Box<str>,
    /// What others see; may be empty.
    pub display: Box<str>,
    /// The host of our address, as the user named the server: `HOST` or `HOST:PORT`.
    pub domain: Box<str>,
    /// How the server is reached.
    pub transport: Transport,
    /// Whether there are others like it: the next is asked when one does not answer.
    pub several: bool,
    /// Whether the server is told where we are.
    pub register: bool,
    /// For how long, in seconds.
    pub expires: u32,
    /// What we speak, best first.
    pub codecs: Vec<Codec>,
    /// Take calls after this much ringing.
    pub answer_after: Option<Duration>,
    /// When to suggest that the server keeps calling; never if there is none.
    pub suggest: Option<Suggest>,
    /// Ask the server for whom we work.
    pub profile: bool,
    /// Numbers whose lamps are shown.
    pub lamps: Vec<Box<str>>,
    /// Ask the server whether messages wait for us.
    pub messages: bool,
    /// What lets us in at a server that is not ours.
    pub pass: Option<Pass>,
    /// The name of the first call.
    pub first_call: CallId,
}

/// Where a phone receives sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundPorts {
    /// Its address.
    pub address: IpAddr,
    /// The ports that the shell holds there, one for a call at a time.
    pub ports: Vec<u16>,
}

/// What lets a phone in at an exchange of its office for one call (R27): a ticket, and the digest of its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// What is sent.
    pub token: Box<str>,
    /// The user of the digest.
    pub user: Box<str>,
    /// Its password.
    pub secret: Box<str>,
    /// The half of the Session-ID that the call carries: 32 hexadecimal digits.
    pub session: Box<str>,
}

impl Pass {
    /// What a request that needs it carries (RFC 7989 5).
    fn write(&self, writer: &mut Writer<'_>) {
        writer.header(HeaderName::RingdownTicket, &*self.token);
        writer.header_fmt(HeaderName::SessionId, format_args!("{};remote={:032}", self.session, 0));
    }
}

/// Who waits for a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Registration,
    /// What we want to be told, by its place.
    Watch(usize),
    Call(CallId),
    /// Answered and forgotten.
    Nobody,
}

/// All that can wake a phone.
#[derive(Debug)]
pub enum Input<'a> {
    /// The server can be reached by this flow.
    Connected(Flow),
    /// It cannot, or no more: why.
    Disconnected(&'a str),
    /// Sound is received there from now on; calls keep what they have.
    Sound(SoundPorts),
    /// One message.
    Message {
        /// Its path.
        flow: Flow,
        /// Its octets.
        bytes: &'a [u8],
    },
    /// A person does something.
    Command(Command),
    /// A deadline has passed.
    Timeout,
}

/// What a phone wants done.
#[derive(Debug)]
pub enum Output {
    /// Send this.
    Transmit(Transmit),
    /// Open a way to the server; [`Input::Connected`] or [`Input::Disconnected`] answers.
    Connect,
    /// Change the sound of a call.
    Sound(SoundOrder),
    /// Tell whoever listens.
    Event(Event),
    /// A message was sent or received.
    Trace(Trace),
    /// All is said; the phone may be switched off.
    Finished,
}

/// What becomes of the sound on one port.
#[derive(Debug)]
pub enum SoundOrder {
    /// Talk so from now on.
    Talk {
        /// The port.
        port: u16,
        /// The call that it serves.
        call: CallId,
        /// Codec, far side, direction.
        agreed: Box<Agreed>,
        /// We hold the call: the far side hears nothing of us.
        muted: bool,
    },
    /// Press a key.
    Press {
        /// The port.
        port: u16,
        /// The key.
        key: char,
    },
    /// The call is over.
    Stop {
        /// The port.
        port: u16,
    },
}

/// A SIP phone without sockets and clocks.
#[derive(Debug)]
pub struct Agent {
    config: Config,
    endpoint: Endpoint<Owner>,
    /// The host of our Contact on a WebSocket.
    nameless: Box<str>,
    flow: Option<Flow>,
    registration: Registration,
    login: Login,
    calls: BTreeMap<CallId, Call>,
    in_vain: InVain,
    watches: Vec<Watch>,
    sound: Option<SoundPorts>,
    /// Those that no call has.
    ports: VecDeque<u16>,
    next_call: u32,
    outputs: VecDeque<Output>,
    /// When leaving is given up, once it began.
    leave_by: Option<clock::Mono>,
    finished: bool,
}

impl Agent {
    /// A phone that is not connected yet; all its tags and branches follow from `seed`.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Agent {
        let next_call = config.first_call.0;
        let mut endpoint = Endpoint::new(seed);
        // RFC 7118 5: who came by a WebSocket can be reached by nothing else.
        let nameless = format!("{:016x}.invalid", endpoint.random());
        endpoint.be_nameless(&nameless);
        Agent {
            watches: watches(&config),
            config,
            endpoint,
            nameless: nameless.into(),
            flow: None,
            registration: Registration::Off,
            login: Login::default(),
            calls: BTreeMap::new(),
            in_vain: InVain::default(),
            sound: None,
            ports: VecDeque::new(),
            next_call,
            outputs: VecDeque::from([Output::Connect]),
            leave_by: None,
            finished: false,
        }
    }

    /// Takes one input; drain [`Agent::next_output`] afterwards.
    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        match input {
            Input::Connected(flow) => self.connected(now, flow),
            Input::Disconnected(why) => self.disconnected(now, why),
            Input::Sound(sound) => {
                self.ports = sound.ports.iter().copied().take(CALLS).collect();
                self.sound = Some(sound);
            }
            Input::Message { flow, bytes } => self.receive(now, flow, bytes),
            Input::Command(command) => self.command(now, command),
            Input::Timeout => self.run_timers(now),
        }
        self.settle(now);
    }

    /// The next thing to do.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn command(&mut self, now: Now, command: Command) {
        match command {
            Command::Call { number, .. } => self.dial(now, &number),
            Command::Use { .. } => self.tell(Event::Using),
            Command::Answer { call } => self.answer(now, call),
            Command::Reject { call, status } => self.reject(now, call, status.unwrap_or(486)),
            Command::Hold { call } => self.want_hold(now, call, true),
            Command::Resume { call } => self.want_hold(now, call, false),
            Command::Dtmf { call, keys, style } => self.press(now, call, &keys, style),
            Command::Transfer { call, number } => self.transfer(now, call, &number),
            Command::Join { call, with } => self.join(now, call, with),
            Command::HangUp { call } => self.hang_up(now, call),
            Command::KeepCalling { yes } => self.keep_calling(now, yes),
            Command::Status => self.tell_status(),
            Command::Quit => self.quit(now),
        }
    }

    fn receive(&mut self, now: Now, flow: Flow, bytes: &[u8]) {
        // What is no SIP gets no answer: a phone serves no strangers.
        let Ok(message) = Message::parse(bytes) else { return };
        self.trace(now, false, &message);
        match self.endpoint.receive(now.mono, flow, &message) {
            Received::Absorbed => {}
            Received::Request => self.request(now, flow, &message),
            Received::Ack => self.ack(now, &message),
            Received::Cancel { invite, user: Owner::Call(id) } => {
                self.cancelled_by_caller(now, id, invite, &message);
            }
            Received::Response { client, user: Owner::Call(id) } => {
                self.response_to_call(now, id, client, &message);
            }
            Received::Response { client, user: Owner::Registration } => {
                self.response_to_register(now, client, &message);
            }
            Received::Response { client, user: Owner::Watch(place) } => {
                self.response_to_subscribe(now, place, client, &message);
            }
            Received::Cancel { .. } | Received::Response { .. } => {}
        }
    }

    fn request(&mut self, now: Now, flow: Flow, message: &Message<'_>) {
        if let Some(id) = self.call_of(message) {
            return self.request_in_call(now, id, flow, message);
        }
        if self.notified(now, flow, message) {
            return;
        }
        let tagged = message.to().is_ok_and(|to| to.tag().is_some());
        match message.method() {
            // RFC 3261 12.2.2: of a dialog that we do not have.
            _ if tagged => self.refuse(flow, message, 481),
            Method::Invite => self.ring(now, flow, message),
            Method::Options => self.endpoint.respond_stateless(flow, message, 200, capabilities),
            Method::Bye | Method::Prack | Method::Update | Method::Info => self.refuse(flow, message, 481),
            _ => self.endpoint.respond_stateless(flow, message, 405, capabilities),
        }
    }

    fn request_in_call(&mut self, now: Now, id: CallId, flow: Flow, message: &Message<'_>) {
        let server = self.endpoint.accept(flow, message, Owner::Call(id));
        let number = message.cseq().map_or(0, |cseq| cseq.number);
        let Some(call) = self.calls.get_mut(&id) else { return };
        // RFC 3261 12.2.2
        if call.dialog.accept_sequence(number).is_err() {
            return self.endpoint.respond(now.mono, server, 500, None, sip::end);
        }
        match message.method() {
            Method::Bye => self.bye_from_peer(now, id, server),
            Method::Invite => self.reinvite_from_peer(now, id, server, message),
            Method::Update => self.update_from_peer(now, id, server, message),
            Method::Prack => self.prack_from_peer(now, id, server, message),
            Method::Info => self.info_from_peer(now, id, server, message),
            Method::Notify => self.notify_from_peer(now, id, server, message),
            Method::Options => self.endpoint.respond(now.mono, server, 200, None, capabilities),
            _ => self.endpoint.respond(now.mono, server, 405, None, capabilities),
        }
    }

    /// The call that a request is of: Call-ID and our tag say so.
    fn call_of(&self, message: &Message<'_>) -> Option<CallId> {
        let (call_id, to) = (message.call_id().ok()?, message.to().ok()?);
        let ours = to.tag()?;
        let found = self
            .calls
            .values()
            .find(|call| *call.dialog.call_id == *call_id && *call.dialog.local_tag == *ours)?;
        let theirs = message.from().ok().and_then(|from| from.tag());
        // An answered call has one far side; before that, any branch of a fork may speak.
        let settled = matches!(found.stage, Stage::Talking(_));
        (!settled || found.dialog.remote_tag.as_deref() == theirs).then_some(found.id)
    }

    fn refuse(&mut self, flow: Flow, message: &Message<'_>, status: u16) {
        self.endpoint.respond_stateless(flow, message, status, sip::end);
    }

    fn respond(&mut self, now: Now, server: ServerKey, status: u16) {
        self.endpoint.respond(now.mono, server, status, None, sip::end);
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn cannot(&mut self, why: &str) {
        self.tell(Event::Refused { why: why.to_owned() });
    }

    fn tell_status(&mut self) {
        let calls =
            self.calls.values().map(|call| (call.id, call.number.to_string(), call.stage.name().into()));
        let status = Event::Status { registered: self.registration.is_registered(), calls: calls.collect() };
        self.tell(status);
    }

    /// `<sip:USER@LOCAL;transport=...>`: where requests reach us.
    fn contact(&self, flow: Flow) -> String {
        let user = wire::sip::encode_escapes(&self.config.user);
        let transport = match flow.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
            Transport::Ws | Transport::Wss => return format!("<sip:{user}@{};transport=ws>", self.nameless),
        };
        format!("<sip:{user}@{}{transport}>", flow.local)
    }

    /// Our address as From or To has it.
    fn address(&self) -> String {
        let uri = format!("<sip:{}@{}>", wire::sip::encode_escapes(&self.config.user), self.config.domain);
        let name: String =
            self.config.display.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
        if name.is_empty() { uri } else { format!("\"{name}\" {uri}") }
    }
}

/// What the server shall tell us.
fn watches(config: &Config) -> Vec<Watch> {
    let lamps = config.lamps.iter().take(LAMPS).map(|number| What::Calls(number.clone()));
    let profile = config.profile.then_some(What::Profile);
    let messages = config.messages.then_some(What::Messages);
    profile.into_iter().chain(messages).chain(lamps).map(Watch::new).collect()
}

/// What a phone can do: the answer to OPTIONS, and to what it cannot do (RFC 3261 11.2).
fn capabilities(mut writer: Writer<'_>) -> usize {
    writer.header(HeaderName::Allow, ALLOW);
    writer.header(HeaderName::Supported, SUPPORTED);
    writer.header(HeaderName::Accept, SDP);
    writer.header(HeaderName::UserAgent, AGENT);
    writer.finish()
}

/// Ends a message with SDP or without.
fn finish(mut writer: Writer<'_>, sdp: Option<&[u8]>) -> usize {
    writer.header(HeaderName::UserAgent, AGENT);
    match sdp {
        Some(sdp) => writer.body(SDP, sdp),
        None => writer.finish(),
    }
}

/// The SDP of a message.
fn sdp_of<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    (!message.body().is_empty() && message.is_content_type(SDP)).then(|| message.body())
}

/// Text of others for people: no controls.
fn plain(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests;
