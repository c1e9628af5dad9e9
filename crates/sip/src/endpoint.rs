//! The transaction layer: finds the transaction a message belongs to, runs its machine, keeps its timers.
//!
//! The endpoint routes; whoever uses it thinks. The contract:
//!
//! 1. Parse a message and give it to [`Endpoint::receive`]; act on the [`Received`] it returns while the
//!    message is still at hand.
//! 2. Start and answer transactions with [`Endpoint::request`], [`Endpoint::accept`], [`Endpoint::respond`].
//! 3. When [`Endpoint::next_deadline`] has passed, call [`Endpoint::handle_timeout`].
//! 4. After any of these drain [`Endpoint::next_transmit`] and [`Endpoint::next_event`].
//!
//! `U` names the owner of a transaction to its user; the endpoint only hands it back.

use crate::branch;
use crate::envelope::{Head, reply_flow, write_derived, write_request};
use crate::flow::Flow;
use crate::transaction::{
    Arm, Class, ClientInvite, ClientOther, ServerInvite, ServerOther, Step, Transmit as Send,
};
use clock::{Mono, TimerId, Wheel};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use slotmap::{Key, SlotMap, new_key_type};
use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU8;
use std::sync::Arc;
use wire::sip::{Message, Method, StartLine, Writer};
use wire::text::Short;

new_key_type! {
    /// Names a client transaction.
    pub struct ClientKey;
    /// Names a server transaction.
    pub struct ServerKey;
}

/// Bytes for the wire.
#[derive(Clone, Debug)]
pub struct Transmit {
    /// Where to.
    pub flow: Flow,
    /// One whole message.
    pub bytes: Arc<[u8]>,
}

/// What a message means to the transaction user.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<U> {
    /// A repeat, or something the transaction layer settles alone.
    Absorbed,
    /// A new request: [`Endpoint::accept`] it, or answer it without state.
    Request,
    /// An ACK that belongs to no transaction: a dialog waits for it after a 2xx.
    Ack,
    /// The caller gave up; the CANCEL has its 200, the INVITE still wants its 487.
    Cancel {
        /// The INVITE's transaction.
        invite: ServerKey,
        /// Its owner.
        user: U,
    },
    /// A response to a request of ours.
    Response {
        /// The transaction it belongs to.
        client: ClientKey,
        /// Its owner.
        user: U,
    },
}

/// What happened without a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<U> {
    /// No final response came in time; treat it as 408 (RFC 3261 8.1.3.1).
    Unanswered {
        /// The transaction, which is gone.
        client: ClientKey,
        /// Its owner.
        user: U,
    },
    /// The stream below broke; treat it as 503 (RFC 3261 8.1.3.1).
    Unreachable {
        /// The transaction, which is gone.
        client: ClientKey,
        /// Its owner.
        user: U,
    },
    /// Our 2xx to an INVITE never got its ACK (RFC 3261 13.3.1.4: end the session).
    Unacknowledged {
        /// The transaction, which is gone.
        server: ServerKey,
        /// Its owner.
        user: U,
    },
}

/// Why the endpoint wants to be woken.
#[derive(Clone, Copy, Debug)]
enum Wake {
    ClientRetransmit(ClientKey),
    ClientLimit(ClientKey),
    CancelRetransmit(ClientKey),
    ServerRetransmit(ServerKey),
    ServerLimit(ServerKey),
}

#[derive(Clone, Copy, Debug)]
enum ClientMachine {
    Invite(ClientInvite),
    Other(ClientOther),
}

#[derive(Clone, Copy, Debug)]
enum ServerMachine {
    Invite(ServerInvite),
    Other(ServerOther),
}

#[derive(Debug)]
enum Cancel {
    No,
    /// Waits for the first provisional response (RFC 3261 9.1).
    Wanted(Option<Box<str>>),
    Sent {
        bytes: Arc<[u8]>,
        machine: ClientOther,
        timer: Option<TimerId>,
    },
}

#[derive(Debug)]
struct Client<U> {
    user: U,
    flow: Flow,
    nonce: u64,
    machine: ClientMachine,
    request: Arc<[u8]>,
    cancel: Cancel,
    retransmit: Option<TimerId>,
    limit: Option<TimerId>,
}

#[derive(Debug)]
struct Server<U> {
    user: U,
    flow: Flow,
    id: u128,
    machine: ServerMachine,
    /// Dropped with the final response (R23).
    head: Option<Head>,
    response: Option<Arc<[u8]>>,
    retransmit: Option<TimerId>,
    limit: Option<TimerId>,
}

/// All transactions of one element.
#[derive(Debug)]
pub struct Endpoint<U> {
    clients: SlotMap<ClientKey, Client<U>>,
    servers: SlotMap<ServerKey, Server<U>>,
    by_id: HashMap<u128, ServerKey>,
    timers: Wheel<Wake>,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event<U>>,
    secret: branch::Secret,
    rng: ChaCha8Rng,
    /// What Via names in place of our address on a WebSocket, if we are its client.
    nameless: Option<Box<str>>,
    /// Which of several elements behind the same addresses we are.
    number: Option<NonZeroU8>,
    scratch: Vec<u8>,
}

impl<U: Copy> Endpoint<U> {
    /// An endpoint whose branches and tags all follow from `seed`.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        let mut rng = ChaCha8Rng::from_seed(seed);
        Endpoint {
            clients: SlotMap::with_key(),
            servers: SlotMap::with_key(),
            by_id: HashMap::new(),
            timers: Wheel::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            secret: branch::Secret::new(&mut rng),
            rng,
            nameless: None,
            number: None,
            scratch: Vec::with_capacity(2048),
        }
    }

    /// We are the client of our WebSockets: nobody can reach us but by them, and our requests name this host, under
    /// `.invalid` (RFC 7118 5).
    pub fn be_nameless(&mut self, host: &str) {
        self.nameless = Some(host.into());
    }

    /// We are one of several elements, and messages for another may come to us: whoever has them tells by our tags and
    /// branches that they are ours ([`crate::maker`]).
    pub fn be_one_of_several(&mut self, number: NonZeroU8) {
        self.number = Some(number);
    }

    /// Finds what `message`, which came by `flow`, means.
    pub fn receive(&mut self, now: Mono, flow: Flow, message: &Message<'_>) -> Received<U> {
        match message.start() {
            StartLine::Request { method, .. } => self.receive_request(now, flow, method, message),
            StartLine::Response { code, .. } => self.receive_response(now, code, message),
        }
    }

    /// Whether a request is one that we have, sent again.
    #[must_use]
    pub fn knows(&self, message: &Message<'_>) -> bool {
        self.by_id.contains_key(&self.secret.server_id(message, message.method()))
    }

    /// Makes a server transaction for a request that [`Endpoint::receive`] called new.
    pub fn accept(&mut self, flow: Flow, message: &Message<'_>, user: U) -> ServerKey {
        let method = message.method();
        let id = self.secret.server_id(message, method);
        let machine = if method == Method::Invite {
            ServerMachine::Invite(ServerInvite::Proceeding)
        } else {
            ServerMachine::Other(ServerOther::Trying)
        };
        let head = Some(Head::of(message, flow.remote, &mut self.scratch));
        let flow = reply_flow(flow, message);
        let server = Server { user, flow, id, machine, head, response: None, retransmit: None, limit: None };
        let key = self.servers.insert(server);
        self.by_id.insert(id, key);
        key
    }

    /// Answers a server transaction. `tag` goes into To unless the request had one; `fill` adds headers and
    /// ends the message. Does nothing when a final response was sent before.
    pub fn respond(
        &mut self,
        now: Mono,
        key: ServerKey,
        status: u16,
        tag: Option<&str>,
        fill: impl FnOnce(Writer<'_>) -> usize,
    ) {
        let Some(server) = self.servers.get_mut(key) else { return };
        let Some(head) = &server.head else { return };
        head.respond(&mut self.scratch, status, tag, fill);
        server.response = Some(Arc::from(&self.scratch[..]));
        let class = Class::of(status);
        let reliable = server.flow.transport.reliable();
        let step = match &mut server.machine {
            ServerMachine::Invite(machine) => replace(machine, machine.respond(class, reliable)),
            ServerMachine::Other(machine) => replace(machine, machine.respond(class, reliable)),
        };
        if class != Class::Provisional {
            server.head = None;
        }
        self.apply_server(now, key, step);
    }

    /// Sends the last response of a transaction once more (RFC 3262 section 3 repeats reliable ones).
    pub fn repeat_response(&mut self, key: ServerKey) {
        if let Some(server) = self.servers.get(key)
            && let Some(bytes) = &server.response
        {
            self.transmits.push_back(Transmit { flow: server.flow, bytes: Arc::clone(bytes) });
        }
    }

    /// Answers a request without keeping anything, as one does under flood; `tag` is made from the request,
    /// so that a repeat gets the same (RFC 3261 8.2.7).
    pub fn respond_stateless(
        &mut self,
        flow: Flow,
        message: &Message<'_>,
        status: u16,
        fill: impl FnOnce(Writer<'_>) -> usize,
    ) {
        if message.method() == Method::Ack {
            return;
        }
        let tag = self.secret.stateless_tag(message, self.number);
        Head::of(message, flow.remote, &mut self.scratch).respond(
            &mut self.scratch,
            status,
            Some(&tag),
            fill,
        );
        let bytes = Arc::from(&self.scratch[..]);
        let flow = reply_flow(flow, message);
        self.transmits.push_back(Transmit { flow, bytes });
    }

    /// The dialog of an accepted INVITE saw its ACK.
    pub fn acknowledged(&mut self, now: Mono, key: ServerKey) {
        let Some(server) = self.servers.get_mut(key) else { return };
        if let ServerMachine::Invite(machine) = &mut server.machine {
            let step = replace(machine, machine.acknowledged());
            server.response = None;
            self.apply_server(now, key, step);
        }
    }

    /// Starts a client transaction. Request line, Via and Max-Forwards are not `fill`'s business except that
    /// Max-Forwards is written with `hops`; `fill` adds the rest and ends the message.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the request line or its envelope")]
    pub fn request(
        &mut self,
        now: Mono,
        flow: Flow,
        user: U,
        method: Method<'_>,
        uri: &str,
        hops: u8,
        fill: impl FnOnce(Writer<'_>) -> usize,
    ) -> ClientKey {
        let reliable = flow.transport.reliable();
        let (machine, step) = if method == Method::Invite {
            let (machine, step) = ClientInvite::start(reliable);
            (ClientMachine::Invite(machine), step)
        } else {
            let (machine, step) = ClientOther::start(reliable);
            (ClientMachine::Other(machine), step)
        };
        let nonce = self.nonce();
        let (scratch, nameless) = (&mut self.scratch, self.nameless.as_deref());
        let key = self.clients.insert_with_key(|key| {
            scratch.clear();
            write_request(scratch, (flow, nameless), method, uri, hops, &branch::client(key, nonce), fill);
            Client {
                user,
                flow,
                nonce,
                machine,
                request: Arc::from(&scratch[..]),
                cancel: Cancel::No,
                retransmit: None,
                limit: None,
            }
        });
        self.apply_client(now, key, step, None);
        key
    }

    /// Sends the ACK of a 2xx, which is no transaction (RFC 3261 13.2.2.4), and returns its bytes: each
    /// repeated 2xx wants it again, by [`Endpoint::transmit`].
    pub fn ack(&mut self, flow: Flow, uri: &str, fill: impl FnOnce(Writer<'_>) -> usize) -> Arc<[u8]> {
        let nonce = self.nonce();
        self.scratch.clear();
        let branch = branch::client(ClientKey::null(), nonce);
        let way = (flow, self.nameless.as_deref());
        write_request(&mut self.scratch, way, Method::Ack, uri, 70, &branch, fill);
        let bytes: Arc<[u8]> = Arc::from(&self.scratch[..]);
        self.transmits.push_back(Transmit { flow, bytes: Arc::clone(&bytes) });
        bytes
    }

    /// Sends bytes once more.
    pub fn transmit(&mut self, flow: Flow, bytes: Arc<[u8]>) {
        self.transmits.push_back(Transmit { flow, bytes });
    }

    /// Gives up an INVITE that has no final response; `reason` becomes the Reason header (RFC 3326). The
    /// CANCEL waits for the first provisional response (RFC 3261 9.1).
    pub fn cancel(&mut self, now: Mono, key: ClientKey, reason: Option<&str>) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let ClientMachine::Invite(machine) = client.machine else { return };
        if !matches!(client.cancel, Cancel::No) {
            return;
        }
        match machine {
            ClientInvite::Calling { .. } => client.cancel = Cancel::Wanted(reason.map(Box::from)),
            ClientInvite::Proceeding => self.send_cancel(now, key, reason.map(Box::from)),
            ClientInvite::Completed | ClientInvite::Accepted => {}
        }
    }

    /// A stream is gone: nothing on it can be answered any more.
    pub fn flow_failed(&mut self, flow: Flow) {
        let broken: Vec<ClientKey> = self
            .clients
            .iter()
            .filter(|(_, client)| client.flow == flow && client.waits())
            .map(|(key, _)| key)
            .collect();
        for key in broken {
            if let Some(client) = self.remove_client(key) {
                self.events.push_back(Event::Unreachable { client: key, user: client.user });
            }
        }
    }

    /// Runs every timer that is due.
    pub fn handle_timeout(&mut self, now: Mono) {
        while let Some(wake) = self.timers.expire(now) {
            match wake {
                Wake::ClientRetransmit(key) => self.client_retransmit(now, key),
                Wake::ClientLimit(key) => self.client_limit(now, key),
                Wake::CancelRetransmit(key) => self.cancel_retransmit(now, key),
                Wake::ServerRetransmit(key) => self.server_retransmit(now, key),
                Wake::ServerLimit(key) => self.server_limit(now, key),
            }
        }
    }

    /// When [`Endpoint::handle_timeout`] next has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        self.timers.next_deadline()
    }

    /// The next bytes to send.
    pub fn next_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next thing that happened without a message.
    pub fn next_event(&mut self) -> Option<Event<U>> {
        self.events.pop_front()
    }

    /// How many transactions are alive: clients and servers.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.clients.len(), self.servers.len())
    }

    /// Randomness for a tag or a branch of ours, by which others know whose it is if we are one of several.
    pub fn nonce(&mut self) -> u64 {
        branch::numbered(self.rng.next_u64(), self.number)
    }

    /// Randomness from the endpoint's seed, for names.
    pub fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Thirty-two random hexadecimal digits, for a Call-ID or a Session-ID.
    pub fn random_name(&mut self) -> Short<32> {
        let mut name = Short::new();
        name.push_hex(self.rng.next_u64());
        name.push_hex(self.rng.next_u64());
        name
    }

    /// Changes the owner of a server transaction, once it is known.
    pub fn assign(&mut self, key: ServerKey, user: U) {
        if let Some(server) = self.servers.get_mut(key) {
            server.user = user;
        }
    }

    fn receive_request(
        &mut self,
        now: Mono,
        flow: Flow,
        method: Method<'_>,
        message: &Message<'_>,
    ) -> Received<U> {
        let matched = match method {
            Method::Ack | Method::Cancel => Method::Invite,
            other => other,
        };
        let found = self.by_id.get(&self.secret.server_id(message, matched)).copied();
        match (method, found) {
            (Method::Ack, Some(key)) => self.receive_ack(now, key),
            (Method::Ack, None) => Received::Ack,
            (Method::Cancel, found) => self.receive_cancel(flow, message, found),
            (_, Some(key)) => {
                let Some(server) = self.servers.get(key) else { return Received::Absorbed };
                let step = match server.machine {
                    ServerMachine::Invite(machine) => machine.request_again(),
                    ServerMachine::Other(machine) => machine.request_again(),
                };
                self.apply_server(now, key, step);
                Received::Absorbed
            }
            (_, None) => Received::Request,
        }
    }

    fn receive_ack(&mut self, now: Mono, key: ServerKey) -> Received<U> {
        let Some(server) = self.servers.get_mut(key) else { return Received::Ack };
        let reliable = server.flow.transport.reliable();
        match &mut server.machine {
            // Some phones reuse the INVITE's branch for the ACK of a 2xx; the dialog must still see it.
            ServerMachine::Invite(ServerInvite::Accepted { .. } | ServerInvite::Acknowledged) => {
                Received::Ack
            }
            ServerMachine::Invite(machine) => {
                let step = replace(machine, machine.ack(reliable));
                self.apply_server(now, key, step);
                Received::Absorbed
            }
            ServerMachine::Other(_) => Received::Absorbed,
        }
    }

    /// RFC 3261 9.2: the CANCEL is answered by itself, whatever becomes of the INVITE.
    fn receive_cancel(&mut self, flow: Flow, message: &Message<'_>, found: Option<ServerKey>) -> Received<U> {
        let status = if found.is_some() { 200 } else { 481 };
        self.respond_stateless(flow, message, status, end);
        let Some(invite) = found else { return Received::Absorbed };
        match self.servers.get(invite) {
            Some(Server { machine: ServerMachine::Invite(machine), user, .. })
                if machine.can_be_cancelled() =>
            {
                Received::Cancel { invite, user: *user }
            }
            _ => Received::Absorbed,
        }
    }

    fn receive_response(&mut self, now: Mono, code: u16, message: &Message<'_>) -> Received<U> {
        let Some((key, nonce)) = message.via().ok().and_then(|via| via.branch).and_then(branch::parse_client)
        else {
            return Received::Absorbed;
        };
        let Some(client) = self.clients.get_mut(key) else { return Received::Absorbed };
        if client.nonce != nonce {
            return Received::Absorbed;
        }
        let class = Class::of(code);
        let reliable = client.flow.transport.reliable();
        let user = client.user;
        let step = match (&mut client.machine, message.method()) {
            (ClientMachine::Invite(_), Method::Cancel) => {
                self.cancel_answered(key, class);
                return Received::Absorbed;
            }
            (ClientMachine::Invite(machine), Method::Invite) => {
                replace(machine, machine.response(class, reliable))
            }
            (ClientMachine::Other(machine), method) if method != Method::Invite => {
                replace(machine, machine.response(class, reliable))
            }
            _ => return Received::Absorbed,
        };
        self.apply_client(now, key, step, Some(message));
        self.cancel_after_response(now, key, class);
        if step.deliver { Received::Response { client: key, user } } else { Received::Absorbed }
    }

    /// A CANCEL that waited for a provisional response goes out now.
    fn cancel_after_response(&mut self, now: Mono, key: ClientKey, class: Class) {
        let Some(client) = self.clients.get_mut(key) else { return };
        if !matches!(client.cancel, Cancel::Wanted(_)) {
            return;
        }
        let Cancel::Wanted(reason) = std::mem::replace(&mut client.cancel, Cancel::No) else { return };
        if class == Class::Provisional {
            self.send_cancel(now, key, reason);
        }
    }

    fn send_cancel(&mut self, now: Mono, key: ClientKey, reason: Option<Box<str>>) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let Ok(invite) = Message::parse(&client.request) else { return };
        self.scratch.clear();
        write_derived(&mut self.scratch, &invite, Method::Cancel, None, reason.as_deref());
        let bytes: Arc<[u8]> = Arc::from(&self.scratch[..]);
        let (machine, step) = ClientOther::start(client.flow.transport.reliable());
        let timer = match step.retransmit {
            Arm::After(wait) => Some(self.timers.insert(now + wait, Wake::CancelRetransmit(key))),
            Arm::Keep | Arm::Stop => None,
        };
        client.cancel = Cancel::Sent { bytes: Arc::clone(&bytes), machine, timer };
        self.transmits.push_back(Transmit { flow: client.flow, bytes });
        if let ClientMachine::Invite(machine) = client.machine {
            let step = machine.cancelled();
            self.apply_client(now, key, step, None);
        }
    }

    fn cancel_answered(&mut self, key: ClientKey, class: Class) {
        let Some(client) = self.clients.get_mut(key) else { return };
        if let Cancel::Sent { machine, timer, .. } = &mut client.cancel {
            replace(machine, machine.response(class, true));
            if class != Class::Provisional
                && let Some(timer) = timer.take()
            {
                self.timers.cancel(timer);
            }
        }
    }

    fn cancel_retransmit(&mut self, now: Mono, key: ClientKey) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let Cancel::Sent { bytes, machine, timer } = &mut client.cancel else { return };
        let step = replace(machine, machine.retransmit_due());
        *timer = match step.retransmit {
            Arm::After(wait) => Some(self.timers.insert(now + wait, Wake::CancelRetransmit(key))),
            Arm::Keep | Arm::Stop => None,
        };
        if step.transmit == Send::Again {
            self.transmits.push_back(Transmit { flow: client.flow, bytes: Arc::clone(bytes) });
        }
    }

    fn client_retransmit(&mut self, now: Mono, key: ClientKey) {
        let Some(client) = self.clients.get_mut(key) else { return };
        client.retransmit = None;
        let step = match &mut client.machine {
            ClientMachine::Invite(machine) => replace(machine, machine.retransmit_due()),
            ClientMachine::Other(machine) => replace(machine, machine.retransmit_due()),
        };
        self.apply_client(now, key, step, None);
    }

    fn client_limit(&mut self, now: Mono, key: ClientKey) {
        let Some(client) = self.clients.get_mut(key) else { return };
        client.limit = None;
        let step = match client.machine {
            ClientMachine::Invite(machine) => machine.limit_due(),
            ClientMachine::Other(machine) => machine.limit_due(),
        };
        self.apply_client(now, key, step, None);
    }

    fn server_retransmit(&mut self, now: Mono, key: ServerKey) {
        let Some(server) = self.servers.get_mut(key) else { return };
        server.retransmit = None;
        if let ServerMachine::Invite(machine) = &mut server.machine {
            let step = replace(machine, machine.retransmit_due());
            self.apply_server(now, key, step);
        }
    }

    fn server_limit(&mut self, now: Mono, key: ServerKey) {
        let Some(server) = self.servers.get_mut(key) else { return };
        server.limit = None;
        let step = match server.machine {
            ServerMachine::Invite(machine) => machine.limit_due(),
            ServerMachine::Other(_) => Step::DONE,
        };
        self.apply_server(now, key, step);
    }

    fn apply_client(&mut self, now: Mono, key: ClientKey, step: Step, response: Option<&Message<'_>>) {
        let Some(client) = self.clients.get_mut(key) else { return };
        match step.transmit {
            Send::Nothing => {}
            Send::Again => {
                let bytes = Arc::clone(&client.request);
                self.transmits.push_back(Transmit { flow: client.flow, bytes });
            }
            Send::Ack => {
                if let (Some(response), Ok(invite)) = (response, Message::parse(&client.request)) {
                    self.scratch.clear();
                    write_derived(&mut self.scratch, &invite, Method::Ack, Some(response), None);
                    let bytes = Arc::from(&self.scratch[..]);
                    self.transmits.push_back(Transmit { flow: client.flow, bytes });
                }
            }
        }
        arm(&mut self.timers, now, &mut client.retransmit, step.retransmit, Wake::ClientRetransmit(key));
        let over = arm(&mut self.timers, now, &mut client.limit, step.limit, Wake::ClientLimit(key));
        if step.failed {
            self.events.push_back(Event::Unanswered { client: key, user: client.user });
        }
        if step.done || over {
            self.remove_client(key);
        }
    }

    fn apply_server(&mut self, now: Mono, key: ServerKey, step: Step) {
        let Some(server) = self.servers.get_mut(key) else { return };
        if step.transmit == Send::Again
            && let Some(bytes) = &server.response
        {
            self.transmits.push_back(Transmit { flow: server.flow, bytes: Arc::clone(bytes) });
        }
        arm(&mut self.timers, now, &mut server.retransmit, step.retransmit, Wake::ServerRetransmit(key));
        let over = arm(&mut self.timers, now, &mut server.limit, step.limit, Wake::ServerLimit(key));
        if step.failed {
            self.events.push_back(Event::Unacknowledged { server: key, user: server.user });
        }
        if step.done || over {
            self.remove_server(key);
        }
    }

    fn remove_client(&mut self, key: ClientKey) -> Option<Client<U>> {
        let client = self.clients.remove(key)?;
        let cancel_timer = match &client.cancel {
            Cancel::Sent { timer, .. } => *timer,
            Cancel::No | Cancel::Wanted(_) => None,
        };
        for timer in [client.retransmit, client.limit, cancel_timer].into_iter().flatten() {
            self.timers.cancel(timer);
        }
        Some(client)
    }

    fn remove_server(&mut self, key: ServerKey) {
        let Some(server) = self.servers.remove(key) else { return };
        self.by_id.remove(&server.id);
        for timer in [server.retransmit, server.limit].into_iter().flatten() {
            self.timers.cancel(timer);
        }
    }
}

impl<U> Client<U> {
    /// Whether no final response came yet.
    fn waits(&self) -> bool {
        match self.machine {
            ClientMachine::Invite(machine) => {
                matches!(machine, ClientInvite::Calling { .. } | ClientInvite::Proceeding)
            }
            ClientMachine::Other(machine) => machine != ClientOther::Completed,
        }
    }
}

/// Ends a message that needs no more headers and no body.
#[must_use]
pub fn end(writer: Writer<'_>) -> usize {
    writer.finish()
}

fn replace<M>(machine: &mut M, (next, step): (M, Step)) -> Step {
    *machine = next;
    step
}

/// Sets a timer as a step asks; tells whether the wait was zero, which means that it is over already.
fn arm(timers: &mut Wheel<Wake>, now: Mono, slot: &mut Option<TimerId>, wanted: Arm, wake: Wake) -> bool {
    match wanted {
        Arm::Keep => return false,
        Arm::Stop | Arm::After(_) => {
            if let Some(old) = slot.take() {
                timers.cancel(old);
            }
        }
    }
    match wanted {
        Arm::After(wait) if wait.is_zero() => true,
        Arm::After(wait) => {
            *slot = Some(timers.insert(now + wait, wake));
            false
        }
        Arm::Keep | Arm::Stop => false,
    }
}
