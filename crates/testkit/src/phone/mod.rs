//! A scripted phone: a small user agent on `sip::Endpoint` and `sip::Dialog`, told by data what to do, right or wrong.

mod answering;
mod calling;
mod dialogue;
mod plan;
mod registering;
mod vexing;

pub use plan::{Attempt, Deed, Mischief, Plan, Reaction, Ring, Then, Vexation};

use crate::dice::Dice;
use clock::{Mono, Wheel};
use media::{LocalMedia, Negotiation};
use registering::Registration;
use sip::digest::{Login, answer};
use sip::{ClientKey, Dialog, Endpoint, Event, Flow, Received, ServerKey, Transmit, reliable};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method, Writer};

/// Whose a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Register,
    Talk(u32),
    Nothing,
}

/// Why a phone wakes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    Register,
    KeepAlive,
    /// The end of the patience of a caller.
    GiveUp(u32),
    /// The end of ringing.
    Then(u32),
    /// A reliable response again.
    Reliable(u32),
    /// The second 200 of [`Mischief::AnswersTwice`] and [`Mischief::Forks`].
    Again(u32),
    Deed(u32, Deed),
}

/// What only the phone knows, for the reference office and the stories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It sends an INVITE.
    Calls {
        /// Names the call everywhere.
        session: Box<str>,
        /// What it dialled.
        number: Box<str>,
    },
    /// The exchange took the INVITE, and a phone rings or is about to.
    Progress {
        /// The call.
        session: Box<str>,
        /// 180, 182 or 183.
        status: u16,
        /// The To tag.
        tag: Box<str>,
        /// It carried SDP.
        sdp: bool,
    },
    /// The INVITE has its final response.
    Final {
        /// The call.
        session: Box<str>,
        /// Its status; 408 when none came.
        status: u16,
    },
    /// It rings.
    Rings {
        /// The call.
        session: Box<str>,
    },
    /// It sent a 200.
    Answers {
        /// The call.
        session: Box<str>,
    },
    /// It sent a failure.
    Refuses {
        /// The call.
        session: Box<str>,
        /// Which.
        status: u16,
    },
    /// It was cancelled, with this Reason.
    Cancelled {
        /// The call.
        session: Box<str>,
        /// The Reason header.
        reason: Box<str>,
    },
    /// Its part of a call that was up is over.
    Ended {
        /// The call.
        session: Box<str>,
    },
    /// It asks that its call go on at a number.
    Refers {
        /// The call.
        session: Box<str>,
        /// Where to.
        number: Box<str>,
    },
    /// The exchange offers or answers anew.
    Changed {
        /// The call.
        session: Box<str>,
        /// A re-INVITE or UPDATE of the exchange's.
        asked: bool,
        /// The status that it got.
        status: u16,
    },
    /// The registration is confirmed, or refused.
    Registered {
        /// The response.
        status: u16,
    },
}

/// Where a phone's part of a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Waiting,
    Up,
    Over,
}

/// A phone's part of a call.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) stage: Stage,
    pub(crate) dialog: Dialog,
    pub(crate) media: Negotiation,
    pub(crate) session: Box<str>,
    pub(crate) attempt: Option<Attempt>,
    pub(crate) reaction: Option<Reaction>,
    pub(crate) client: Option<ClientKey>,
    pub(crate) server: Option<ServerKey>,
    /// The INVITE, for answers that are written by hand.
    pub(crate) invite: Box<[u8]>,
    pub(crate) invite_number: u32,
    pub(crate) ack: Option<Arc<[u8]>>,
    pub(crate) tries: u8,
    pub(crate) holding: bool,
    pub(crate) modifying: bool,
    pub(crate) sender: Option<reliable::Sender>,
    pub(crate) receiver: reliable::Receiver,
    pub(crate) answered_early: bool,
    pub(crate) answer_waits: bool,
}

/// One phone.
#[derive(Debug)]
pub struct Phone {
    /// Its script.
    pub plan: Plan,
    /// Its own view of its path to the exchange.
    pub flow: Flow,
    /// Whether it has power.
    pub on: bool,
    endpoint: Endpoint<Task>,
    timers: Wheel<Wake>,
    dice: Dice,
    registration: Registration,
    /// The last challenge, and how often it was answered.
    challenge: Option<(Vec<u8>, u32)>,
    talks: BTreeMap<u32, Talk>,
    next_talk: u32,
    raw: VecDeque<Transmit>,
    notes: VecDeque<Note>,
}

impl Phone {
    /// A phone without power, to be switched on with [`Phone::boot`].
    #[must_use]
    pub fn new(plan: Plan, office: SocketAddr, mut dice: Dice) -> Phone {
        let flow = Flow { transport: plan.transport, local: plan.address, remote: office, connection: 0 };
        let seed = dice.seed();
        Phone {
            flow,
            on: false,
            endpoint: Endpoint::new(seed),
            timers: Wheel::new(),
            registration: Registration::default(),
            challenge: None,
            talks: BTreeMap::new(),
            next_talk: 0,
            raw: VecDeque::new(),
            notes: VecDeque::new(),
            plan,
            dice,
        }
    }

    /// Power comes: everything of before is forgotten, and it registers after a moment. `flow` is its path now.
    pub fn boot(&mut self, now: Mono, flow: Flow) {
        self.off();
        self.on = true;
        self.flow = flow;
        self.endpoint = Endpoint::new(self.dice.seed());
        self.registration = Registration::default();
        self.challenge = None;
        let moment = self.dice.millis(1..1_500);
        self.timers.insert(now + moment, Wake::Register);
        if let Some(every) = self.plan.keep_alive {
            self.timers.insert(now + every, Wake::KeepAlive);
        }
    }

    /// Power goes, without a word.
    pub fn off(&mut self) {
        self.on = false;
        self.timers = Wheel::new();
        self.talks.clear();
        self.raw.clear();
        while self.endpoint.next_transmit().is_some() {}
        while self.endpoint.next_event().is_some() {}
    }

    /// Its stream has a new connection; it registers anew.
    pub fn reconnected(&mut self, now: Mono, flow: Flow) {
        self.flow = flow;
        self.timers.insert(now + Duration::from_millis(10), Wake::Register);
    }

    /// Whether the exchange said 200 to its registration and it did not end since.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.on && self.registration.done
    }

    /// Whether it is in a call, or rings, or calls.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.talks.values().any(|talk| talk.stage != Stage::Over)
    }

    /// Takes bytes that came for it.
    pub fn receive(&mut self, now: Mono, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else { return };
        if !self.on || (message.is_request() && self.plan.reaction.ring == Ring::Deaf) {
            return;
        }
        match self.endpoint.receive(now, self.flow, &message) {
            Received::Absorbed => {}
            Received::Request => self.request(now, &message),
            Received::Ack => self.acknowledged(now, &message),
            Received::Cancel { invite, user } => self.cancelled(now, invite, user, &message),
            Received::Response { user: Task::Register, .. } => self.register_answered(now, &message),
            Received::Response { client, user: Task::Talk(talk) } => {
                self.talk_answered(now, talk, client, &message);
            }
            Received::Response { .. } => {}
        }
        self.settle(now);
    }

    /// Runs what is due.
    pub fn wake(&mut self, now: Mono) {
        if !self.on {
            return;
        }
        self.endpoint.handle_timeout(now);
        while let Some(wake) = self.timers.expire(now) {
            match wake {
                Wake::Register => self.register(now),
                Wake::KeepAlive => self.keep_alive(now),
                Wake::GiveUp(talk) => self.give_up(now, talk),
                Wake::Then(talk) => self.then(now, talk),
                Wake::Reliable(talk) => self.repeat_reliable(now, talk),
                Wake::Again(talk) => self.answer_again(now, talk),
                Wake::Deed(talk, deed) => self.deed(now, talk, deed),
            }
        }
        self.settle(now);
    }

    /// When [`Phone::wake`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        if !self.on {
            return None;
        }
        [self.endpoint.next_deadline(), self.timers.next_deadline()].into_iter().flatten().min()
    }

    /// The next bytes to send.
    pub fn next_transmit(&mut self) -> Option<Arc<[u8]>> {
        let transmit = self.raw.pop_front().or_else(|| self.endpoint.next_transmit())?;
        Some(transmit.bytes)
    }

    /// The next thing that only it knows.
    pub fn next_note(&mut self) -> Option<Note> {
        self.notes.pop_front()
    }

    fn settle(&mut self, now: Mono) {
        while let Some(event) = self.endpoint.next_event() {
            match event {
                Event::Unanswered { user: Task::Register, .. }
                | Event::Unreachable { user: Task::Register, .. } => self.register_failed(now, 408),
                Event::Unanswered { user: Task::Talk(talk), client }
                | Event::Unreachable { user: Task::Talk(talk), client } => {
                    self.talk_unanswered(now, talk, client);
                }
                Event::Unacknowledged { user: Task::Talk(talk), .. } => self.hang_up(now, talk),
                _ => {}
            }
        }
    }

    fn request(&mut self, now: Mono, message: &Message<'_>) {
        let tag = message.to().ok().and_then(|to| to.tag());
        match (message.method(), tag) {
            (Method::Invite, None) => self.invited(now, message),
            (_, Some(_)) => self.request_in_dialog(now, message),
            (Method::Options, None) => self.refuse(message, 200),
            _ => self.refuse(message, 481),
        }
    }

    fn refuse(&mut self, message: &Message<'_>, status: u16) {
        self.endpoint.respond_stateless(self.flow, message, status, sip::end);
    }

    fn keep_alive(&mut self, now: Mono) {
        let Some(every) = self.plan.keep_alive else { return };
        self.raw.push_back(Transmit { flow: self.flow, bytes: Arc::from(&b"\r\n\r\n"[..]) });
        self.timers.insert(now + every, Wake::KeepAlive);
    }

    /// Credentials for a request, when a challenge is known.
    fn credentials(&mut self, method: Method<'_>, uri: &str, wrong: bool) -> Option<(HeaderName, String)> {
        let random = self.dice.roll();
        let (bytes, count) = self.challenge.as_mut()?;
        *count += 1;
        let challenge = Message::parse(bytes).ok()?;
        let password = if wrong { "guess" } else { &*self.plan.password };
        let login = Login { user: &self.plan.device, password, realm: None };
        answer(&challenge, login, method, uri, *count, random)
    }

    fn remember_challenge(&mut self, message: &Message<'_>) {
        self.challenge = Some((message.raw().to_vec(), 0));
    }

    fn contact(&self) -> String {
        if self.flow.transport.is_websocket() {
            // RFC 7118 5, RFC 5626 5: a page has no address, and is reached by its flow alone.
            return format!("<sip:{}@{:x}.invalid;transport=ws;ob>", self.plan.device, self.flow.connection);
        }
        let transport = match self.flow.transport {
            sip::Transport::Udp => String::new(),
            other => format!(";transport={}", other.uri_name()),
        };
        format!("<sip:{}@{}{transport}>", self.plan.device, self.flow.local)
    }

    fn new_media(&mut self) -> Negotiation {
        let port = 20_000 + 2 * (self.next_talk % 2_000) as u16;
        let local = LocalMedia { address: self.flow.local.ip(), port, session_id: self.dice.roll() >> 2 };
        Negotiation::new(local)
    }

    fn tag(&mut self) -> String {
        format!("{:012x}", self.dice.roll() >> 16)
    }

    /// What all messages of a dialog say beside their identity.
    fn abilities(plan: &Plan, contact: &str, writer: &mut Writer<'_>) {
        writer.header(HeaderName::Contact, contact);
        writer.header(HeaderName::Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO");
        let supported = match (plan.reliable, plan.session_timer.is_some()) {
            (true, true) => "100rel, timer",
            (true, false) => "100rel",
            (false, true) => "timer",
            (false, false) => return,
        };
        writer.header(HeaderName::Supported, supported);
    }
}

/// Ends a message with SDP or without.
pub(crate) fn finish(writer: Writer<'_>, sdp: Option<&[u8]>) -> usize {
    match sdp {
        Some(sdp) => writer.body("application/sdp", sdp),
        None => writer.finish(),
    }
}

/// The SDP of a message.
pub(crate) fn sdp_of<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    (!message.body().is_empty()).then(|| message.body())
}
