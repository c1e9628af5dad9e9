//! Two phones call each other through a queue that loses, doubles and delays; and one meets a registrar.

use super::*;
use crate::words::{Cause, Holder, KeyStyle, LampState};
use clock::{Mono, Wall};
use media::Direction;
use std::net::SocketAddr;
use wire::sip::Uri;

/// Ten milliseconds from one phone to the other.
const TRAVEL: Duration = Duration::from_millis(10);

pub(super) fn config(user: &str, server: SocketAddr) -> Config {
    Config {
        user: user.into(),
        password: "secret".into(),
        display: "".into(),
        domain: server.to_string().into(),
        transport: Transport::Udp,
        several: false,
        register: false,
        expires: 60,
        codecs: vec![Codec::PCMA, Codec::PCMU],
        answer_after: None,
        suggest: None,
        profile: false,
        lamps: Vec::new(),
        messages: false,
        pass: None,
        first_call: CallId(1),
    }
}

/// An INVITE for the phone of `config`, by a name of its own.
pub(super) fn invite(name: &str) -> String {
    format!(
        "INVITE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{name}\r\n\
         From: <sip:b@b>;tag={name}\r\nTo: <sip:a@a>\r\nCall-ID: {name}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:b@192.0.2.2>\r\nContent-Length: 0\r\n\r\n"
    )
}

pub(super) fn sound(address: IpAddr) -> Input<'static> {
    Input::Sound(SoundPorts { address, ports: (0..4).map(|index| 4_000 + 2 * index).collect() })
}

struct Side {
    agent: Agent,
    at: SocketAddr,
    events: Vec<Event>,
    orders: Vec<SoundOrder>,
    traces: Vec<String>,
    connects: usize,
    finished: bool,
}

/// Two phones, each the other's server.
struct Pair {
    now: Now,
    sides: [Side; 2],
    flying: Vec<(Mono, usize, Vec<u8>)>,
    /// Percent of messages lost.
    loss: u64,
    random: u64,
}

impl Pair {
    fn new(loss: u64, seed: u64) -> Pair {
        let at: [SocketAddr; 2] = ["192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap()];
        let side = |own: usize, user: &str| Side {
            agent: Agent::new(config(user, at[1 - own]), [own as u8 + seed as u8; 32]),
            at: at[own],
            events: Vec::new(),
            orders: Vec::new(),
            traces: Vec::new(),
            connects: 0,
            finished: false,
        };
        let now = Now { mono: Mono(1_000_000), wall: Wall(0) };
        let mut pair =
            Pair { now, sides: [side(0, "a"), side(1, "b")], flying: Vec::new(), loss, random: seed };
        for own in 0..2 {
            let flow = Flow::udp(at[own], at[1 - own]);
            pair.input(own, sound(at[own].ip()));
            pair.input(own, Input::Connected(flow));
        }
        pair
    }

    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.random >> 33
    }

    fn input(&mut self, own: usize, input: Input<'_>) {
        self.sides[own].agent.handle(self.now, input);
        while let Some(output) = self.sides[own].agent.next_output() {
            match output {
                Output::Transmit(transmit) => {
                    assert_eq!(transmit.flow.remote, self.sides[1 - own].at);
                    if self.draw() % 100 >= self.loss {
                        let late = Duration::from_millis(self.draw() % 5);
                        self.flying.push((self.now.mono + TRAVEL + late, 1 - own, transmit.bytes.to_vec()));
                    }
                }
                Output::Event(event) => self.sides[own].events.push(event),
                Output::Sound(order) => self.sides[own].orders.push(order),
                Output::Trace(trace) if trace.sent => self.sides[own].traces.push(trace.what),
                Output::Connect => self.sides[own].connects += 1,
                Output::Finished => self.sides[own].finished = true,
                Output::Trace(_) => {}
            }
        }
    }

    fn tell(&mut self, own: usize, command: Command) {
        self.input(own, Input::Command(command));
    }

    /// Runs until nothing is due within `limit`.
    fn run(&mut self, limit: Duration) {
        let end = self.now.mono + limit;
        loop {
            let flying = self.flying.iter().map(|(at, ..)| *at);
            let due = self.sides.iter().filter_map(|side| side.agent.next_deadline()).map(|(at, _)| at);
            let Some(next) = flying.chain(due).min().filter(|next| *next <= end) else { break };
            let later = next.since(self.now.mono);
            self.now = self.now.after(later);
            self.now.mono = self.now.mono.max(next);
            if let Some(place) = self.flying.iter().position(|(at, ..)| *at <= self.now.mono) {
                let (_, own, bytes) = self.flying.swap_remove(place);
                let flow = Flow::udp(self.sides[own].at, self.sides[1 - own].at);
                self.input(own, Input::Message { flow, bytes: &bytes });
            } else {
                (0..2).for_each(|own| self.input(own, Input::Timeout));
            }
        }
        self.now.mono = end;
    }

    fn call(&mut self) {
        self.tell(0, Command::call("b"));
        self.run(Duration::from_secs(8));
        assert!(self.saw(1, |event| matches!(event, Event::Incoming { number, .. } if number == "a")));
        self.tell(1, Command::Answer { call: None });
        self.run(Duration::from_secs(20));
        for own in 0..2 {
            assert!(self.saw(own, |event| matches!(event, Event::Answered { codec, .. } if codec == "PCMA")));
        }
    }

    fn saw(&self, own: usize, fits: impl Fn(&Event) -> bool) -> bool {
        self.sides[own].events.iter().any(fits)
    }

    fn causes(&self, own: usize) -> Vec<Cause> {
        let ended = self.sides[own].events.iter();
        let ended = ended.filter_map(|event| match event {
            Event::Ended { cause, .. } => Some(cause.cause.clone()),
            _ => None,
        });
        ended.collect()
    }

    /// Nothing of any call is left, and every port is free.
    fn assert_quiet(&mut self) {
        self.run(Duration::from_secs(70));
        for side in &self.sides {
            assert!(side.agent.calls.is_empty(), "{:?}", side.agent.calls);
            assert_eq!(side.agent.ports.len(), 4);
            assert_eq!(side.agent.endpoint.load(), (0, 0));
        }
    }
}

fn hang_up() -> Command {
    Command::HangUp { call: None }
}

#[test]
fn a_call_with_hold_and_keys_through_a_queue_that_loses_a_fifth() {
    for seed in 1..40 {
        let mut pair = Pair::new(20, seed);
        pair.call();
        pair.tell(0, Command::Hold { call: None });
        pair.run(Duration::from_secs(20));
        assert!(pair.saw(0, |event| matches!(event, Event::Held { by: Holder::Us, .. })), "{seed}");
        assert!(pair.saw(1, |event| matches!(event, Event::Held { by: Holder::Them, .. })), "{seed}");
        pair.tell(0, Command::Resume { call: None });
        pair.run(Duration::from_secs(20));
        assert!(pair.saw(1, |event| matches!(event, Event::Resumed { by: Holder::Them, .. })), "{seed}");
        pair.tell(1, Command::Dtmf { call: None, keys: "12#".into(), style: KeyStyle::Info });
        pair.run(Duration::from_secs(60));
        let keys = pair.sides[0].events.iter().filter_map(|event| match event {
            Event::Dtmf { key, .. } => Some(*key),
            _ => None,
        });
        assert_eq!(keys.collect::<String>(), "12#", "{seed}");
        pair.tell(1, hang_up());
        pair.run(Duration::from_secs(30));
        assert_eq!(pair.causes(1), [Cause::WeHungUp], "{seed}");
        assert_eq!(pair.causes(0), [Cause::TheyHungUp], "{seed}");
        pair.assert_quiet();
    }
}

#[test]
fn both_hold_at_once_and_both_get_their_way() {
    let mut pair = Pair::new(0, 3);
    pair.call();
    pair.tell(0, Command::Hold { call: None });
    pair.tell(1, Command::Hold { call: None });
    pair.run(Duration::from_secs(20));
    for own in 0..2 {
        assert!(pair.saw(own, |event| matches!(event, Event::Held { by: Holder::Us, .. })), "{own}");
    }
    pair.tell(0, hang_up());
    pair.assert_quiet();
}

#[test]
fn giving_up_and_refusing() {
    let mut pair = Pair::new(0, 4);
    pair.tell(0, Command::call("b"));
    pair.run(Duration::from_secs(1));
    pair.tell(0, hang_up());
    pair.run(Duration::from_secs(1));
    assert_eq!((pair.causes(0), pair.causes(1)), (vec![Cause::Cancelled], vec![Cause::CallerGaveUp]));
    pair.tell(0, Command::call("b"));
    pair.run(Duration::from_secs(1));
    pair.tell(1, Command::Reject { call: None, status: Some(603) });
    pair.run(Duration::from_secs(1));
    let refused = Cause::Refused { status: 603, reason: "Decline".into(), q850: None };
    assert_eq!(pair.causes(0)[1..], [refused]);
    pair.tell(0, Command::call("nobody"));
    pair.run(Duration::from_secs(1));
    assert!(matches!(&pair.causes(0)[2], Cause::Refused { status: 404, .. }));
    pair.assert_quiet();
}

#[test]
fn a_call_in_the_moment_of_giving_up_ends_with_bye() {
    for wait_ms in [0, 5, 9, 11, 15, 21, 25] {
        let mut pair = Pair::new(0, 5);
        pair.sides[1].agent.config.answer_after = Some(Duration::ZERO);
        pair.tell(0, Command::call("b"));
        pair.run(Duration::from_millis(wait_ms));
        pair.tell(0, hang_up());
        pair.run(Duration::from_secs(5));
        assert_eq!(pair.causes(0).len(), 1, "{wait_ms}");
        pair.assert_quiet();
    }
}

#[test]
fn a_silent_far_side_is_given_up() {
    let mut pair = Pair::new(100, 6);
    pair.tell(0, Command::call("b"));
    pair.run(Duration::from_secs(40));
    assert_eq!(pair.causes(0), [Cause::NoResponse]);
    pair.assert_quiet();
}

#[test]
fn a_session_is_refreshed_and_a_dead_one_ends() {
    let mut pair = Pair::new(0, 7);
    pair.call();
    let invites = |pair: &Pair| {
        pair.sides
            .iter()
            .map(|side| side.traces.iter().filter(|what| *what == "INVITE").count())
            .sum::<usize>()
    };
    assert_eq!(invites(&pair), 1);
    pair.run(Duration::from_secs(4_000));
    assert!(invites(&pair) >= 4, "no refresh in 4000 s");
    assert!(pair.causes(0).is_empty() && pair.causes(1).is_empty());
    pair.loss = 100;
    pair.run(Duration::from_secs(4_000));
    assert!(pair.causes(0) == [Cause::Lost] || pair.causes(0) == [Cause::TheyHungUp]);
    assert_eq!(pair.causes(1).len(), 1);
    pair.assert_quiet();
}

#[test]
fn a_phone_has_a_bound_and_quits_with_a_word_to_all() {
    let mut pair = Pair::new(0, 8);
    for _ in 0..6 {
        pair.tell(0, Command::call("b"));
        pair.run(Duration::from_secs(1));
    }
    let refused = pair.sides[0].events.iter().filter(|event| matches!(event, Event::Refused { .. })).count();
    assert_eq!((pair.sides[0].agent.calls.len(), refused), (4, 2));
    pair.tell(0, Command::Quit);
    pair.run(Duration::from_secs(5));
    assert!(pair.sides[0].finished);
    assert_eq!(pair.causes(1), vec![Cause::CallerGaveUp; 4]);
}

#[test]
fn anything_from_the_wire_is_taken_or_dropped() {
    let mut pair = Pair::new(0, 9);
    pair.call();
    let from = Flow::udp(pair.sides[0].at, pair.sides[1].at);
    let whole = b"INVITE sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx\r\nFrom: <sip:b@b>;tag=1\r\n\
        To: <sip:a@a>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
    for cut in 0..whole.len() {
        pair.input(0, Input::Message { flow: from, bytes: &whole[..cut] });
    }
    for method in ["OPTIONS", "NOTIFY", "REFER", "BYE", "MESSAGE", "PRACK", "UPDATE", "ACK", "CANCEL"] {
        let text =
            String::from_utf8_lossy(whole).replace("INVITE", method).replace("bKx", &format!("bK{method}"));
        pair.input(0, Input::Message { flow: from, bytes: text.as_bytes() });
    }
    let traces = &pair.sides[0].traces;
    assert!(traces.iter().any(|what| what == "200 OK") && traces.iter().any(|what| what.starts_with("405")));
    assert!(pair.causes(0).is_empty());
}

/// A registrar that is asked by one phone.
struct Registrar {
    now: Now,
    agent: Agent,
    flow: Flow,
    requests: Vec<String>,
    events: Vec<Event>,
    /// How often another connection was asked for.
    connections: usize,
}

impl Registrar {
    fn new() -> Registrar {
        Registrar::one_of(false)
    }

    /// The phone knows several servers, or one.
    fn one_of(several: bool) -> Registrar {
        let server: SocketAddr = "192.0.2.9:5060".parse().unwrap();
        let flow = Flow::udp("192.0.2.1:5060".parse().unwrap(), server);
        let config = Config { register: true, several, ..config("a", server) };
        let now = Now { mono: Mono(1_000_000), wall: Wall(0) };
        let mut registrar = Registrar {
            now,
            agent: Agent::new(config, [7; 32]),
            flow,
            requests: Vec::new(),
            events: Vec::new(),
            connections: 0,
        };
        registrar.input(sound(flow.local.ip()));
        registrar.input(Input::Connected(flow));
        registrar
    }

    fn input(&mut self, input: Input<'_>) {
        self.agent.handle(self.now, input);
        while let Some(output) = self.agent.next_output() {
            match output {
                Output::Transmit(transmit) => {
                    self.requests.push(String::from_utf8_lossy(&transmit.bytes).into_owned());
                }
                Output::Event(event) => self.events.push(event),
                Output::Connect => self.connections += 1,
                _ => {}
            }
        }
    }

    /// Time goes by.
    fn wait(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.input(Input::Timeout);
    }

    /// Answers the last request.
    fn answer(&mut self, status: &str, extra: &str) {
        let ours = |sent: &&String| !sent.starts_with("SIP/2.0");
        let request = self.requests.iter().rfind(ours).unwrap().clone();
        let line = |name: &str| {
            request.lines().find(|line| line.starts_with(&format!("{name}: "))).unwrap().to_owned()
        };
        let text = format!(
            "SIP/2.0 {status}\r\n{}\r\n{}\r\n{};tag=r\r\n{}\r\n{}\r\n{extra}Content-Length: 0\r\n\r\n",
            line("Via"),
            line("From"),
            line("To"),
            line("Call-ID"),
            line("CSeq")
        );
        let flow = self.flow;
        self.input(Input::Message { flow, bytes: text.as_bytes() });
    }

    fn challenge(&mut self) {
        self.answer(
            "401 Unauthorized",
            "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n",
        );
    }

    /// Until the next deadline.
    fn pass(&mut self, due: Due) -> Duration {
        let begin = self.now.mono;
        while let Some((at, why)) = self.agent.next_deadline() {
            self.now.mono = at;
            self.input(Input::Timeout);
            if why == due {
                break;
            }
        }
        self.now.mono.since(begin)
    }
}

#[test]
fn a_registration_is_proven_refreshed_in_time_and_ended() {
    let mut registrar = Registrar::new();
    registrar.challenge();
    assert!(registrar.requests[1].contains("nc=00000001"));
    registrar.answer("200 OK", "Contact: <sip:a@192.0.2.1:5060>;expires=100\r\n");
    assert_eq!(registrar.events, [Event::Registered { expires: 100 }]);
    let wait = registrar.pass(Due::Register);
    assert!((80..100).contains(&wait.as_secs()), "{wait:?}");
    registrar.challenge();
    assert!(registrar.requests.last().unwrap().contains("nc=00000002"), "the same nonce is counted");
    registrar.answer("200 OK", "Expires: 50\r\n");
    assert_eq!(registrar.events[1], Event::Registered { expires: 50 });
    registrar.input(Input::Command(Command::Quit));
    assert!(registrar.requests.last().unwrap().contains("Expires: 0\r\n"));
    registrar.answer("200 OK", "");
    assert_eq!(registrar.events[2..], [Event::Unregistered, Event::Stopped]);
}

#[test]
fn a_wrong_password_is_tried_twice_and_then_later_and_later() {
    let mut registrar = Registrar::new();
    let mut waits = Vec::new();
    for _ in 0..5 {
        let before = registrar.requests.len();
        for _ in 0..3 {
            registrar.challenge();
        }
        assert_eq!(registrar.requests.len() - before, 2, "at most two rounds");
        assert!(matches!(registrar.events.last(), Some(Event::NotRegistered { status: 401, .. })));
        waits.push(registrar.pass(Due::Register).as_millis());
    }
    assert!(waits[0] <= 1_000 && waits[4] >= 8_000 && waits[4] <= 16_000, "{waits:?}");
}

#[test]
fn r28_a_server_that_does_not_answer_is_left_for_the_next_if_there_is_one() {
    for (several, connections) in [(false, 0), (true, 1)] {
        let mut registrar = Registrar::one_of(several);
        registrar.answer("200 OK", "Expires: 60\r\n");
        let before = registrar.connections;
        registrar.pass(Due::Register);
        let asked = registrar.now.mono;
        let told = |event: &Event| matches!(event, Event::NotRegistered { status: 0, .. });
        while !registrar.events.iter().any(told) {
            registrar.pass(Due::Transaction);
        }
        registrar.pass(Due::Register);
        let took = registrar.now.mono.since(asked);
        assert!((32..35).contains(&took.as_secs()), "{took:?}");
        assert_eq!(registrar.connections - before, connections, "several: {several}");
    }
}

#[test]
fn an_interval_that_is_too_brief_grows() {
    let mut registrar = Registrar::new();
    registrar.answer("423 Interval Too Brief", "Min-Expires: 300\r\n");
    assert!(registrar.requests[1].contains("Expires: 300\r\n"));
}

#[test]
fn a_redirection_is_told_and_not_followed() {
    let mut registrar = Registrar::new();
    registrar.answer("200 OK", "Expires: 60\r\n");
    registrar.input(Input::Command(Command::call("9")));
    let sent = registrar.requests.len();
    registrar.answer("302 Moved Temporarily", "Contact: <sip:premium@198.51.100.1>\r\n");
    let ended = registrar.events.iter().any(|event| {
        matches!(event, Event::Ended { cause, .. } if cause.cause == Cause::Moved { to: "sip:premium@198.51.100.1".into() })
    });
    assert!(ended);
    assert!(registrar.requests[sent..].iter().all(|request| request.starts_with("ACK ")));
}

#[test]
fn a_reliable_ringing_gets_its_prack_once() {
    let mut registrar = Registrar::new();
    registrar.answer("200 OK", "Expires: 60\r\n");
    registrar.input(Input::Command(Command::call("9")));
    let invite = registrar.requests.last().unwrap().clone();
    let extra = "Require: 100rel\r\nRSeq: 77\r\nContact: <sip:9@192.0.2.9>\r\n";
    for _ in 0..2 {
        registrar.answer("180 Ringing", extra);
        registrar.requests.push(invite.clone());
    }
    let pracks: Vec<&String> =
        registrar.requests.iter().filter(|request| request.starts_with("PRACK")).collect();
    assert_eq!(pracks.len(), 1);
    assert!(pracks[0].starts_with("PRACK sip:9@192.0.2.9 ") && pracks[0].contains("RAck: 77 1 INVITE\r\n"));
}

#[test]
fn a_lost_connection_is_opened_again() {
    let mut registrar = Registrar::new();
    registrar.input(Input::Disconnected("the server cannot be reached"));
    assert!(matches!(registrar.events.last(), Some(Event::NotRegistered { status: 0, .. })));
    registrar.pass(Due::Register);
    let flow = registrar.flow;
    let before = registrar.requests.len();
    registrar.input(Input::Connected(flow));
    assert_eq!(registrar.requests.len(), before + 1);
}

#[test]
fn directions_follow_the_hold() {
    let mut pair = Pair::new(0, 10);
    pair.call();
    pair.tell(0, Command::Hold { call: None });
    pair.run(Duration::from_secs(2));
    let last = pair.sides[1].orders.iter().rev().find_map(|order| match order {
        SoundOrder::Talk { agreed, .. } => Some(agreed.clone()),
        _ => None,
    });
    let agreed = last.expect("an order");
    assert!(!agreed.send && agreed.receive_allowed);
    let call = pair.sides[0].agent.calls.values().next().expect("a call");
    let sdp = String::from_utf8_lossy(call.media.current_sdp().expect("a description")).into_owned();
    assert!(sdp.contains(Direction::SendOnly.as_str()), "{sdp}");
}

impl Registrar {
    /// Calls somebody who answers with tag `tag`, and returns the call's name.
    fn talk(&mut self, number: &str, tag: &str) -> CallId {
        self.input(Input::Command(Command::call(number)));
        let invite = self.requests.iter().rfind(|request| request.starts_with("INVITE ")).unwrap().clone();
        let sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 9000 RTP/AVP 8\r\n";
        let head = headers(&invite, tag);
        let text = format!(
            "SIP/2.0 200 OK\r\n{head}Contact: <sip:x{number}@192.0.2.9>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        let flow = self.flow;
        self.input(Input::Message { flow, bytes: text.as_bytes() });
        let answered = self.events.iter().rev().find_map(|event| match event {
            Event::Answered { call, .. } => Some(*call),
            _ => None,
        });
        answered.expect("an answered call")
    }

    /// Sends a NOTIFY inside the dialog of `refer`, the REFER that it is about.
    fn notify(&mut self, refer: &str, number: u32, event: &str, state: &str, body: &str) -> String {
        let line = |name: &str| header(refer, name);
        let text = format!(
            "NOTIFY sip:a@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKn{number}\r\n\
             From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {number} NOTIFY\r\nMax-Forwards: 70\r\n{event}\
             Subscription-State: {state}\r\nContent-Type: message/sipfrag;version=2.0\r\n\
             Content-Length: {}\r\n\r\n{body}",
            line("To"),
            line("From"),
            line("Call-ID"),
            body.len()
        );
        let (flow, sent) = (self.flow, self.requests.len());
        self.input(Input::Message { flow, bytes: text.as_bytes() });
        self.requests[sent].lines().next().unwrap_or_default().to_owned()
    }

    fn last(&self, method: &str) -> String {
        self.requests.iter().rfind(|request| request.starts_with(method)).expect(method).clone()
    }
}

fn header(message: &str, name: &str) -> String {
    let line = message.lines().find(|line| line.starts_with(&format!("{name}: "))).unwrap();
    line[name.len() + 2..].to_owned()
}

/// Via, From, To, Call-ID and CSeq of the response to a request.
fn headers(request: &str, tag: &str) -> String {
    let lines = ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| {
        let tag = if name == "To" && !header(request, name).contains("tag=") {
            format!(";tag={tag}")
        } else {
            String::new()
        };
        format!("{name}: {}{tag}\r\n", header(request, name))
    });
    lines.concat()
}

fn transfers(registrar: &Registrar) -> Vec<(u32, u16)> {
    let told = registrar.events.iter().filter_map(|event| match event {
        Event::Transfer { call, status, .. } => Some((call.0, *status)),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_blind_transfer_is_asked_for_followed_and_left() {
    let mut registrar = Registrar::new();
    registrar.answer("200 OK", "Expires: 60\r\n");
    let call = registrar.talk("9", "far");
    registrar.input(Input::Command(Command::Transfer { call: None, number: "20 03".into() }));
    let refer = registrar.last("REFER ");
    assert!(refer.starts_with("REFER sip:x9@192.0.2.9 "), "{refer}");
    assert_eq!(header(&refer, "Refer-To"), "<sip:2003@192.0.2.9:5060>");
    assert!(header(&refer, "To").contains("tag=far") && header(&refer, "Contact").contains("sip:a@"));
    // A REFER is challenged, too; what is notified then names the second one.
    registrar.challenge();
    let refer = registrar.last("REFER ");
    assert!(refer.contains("Authorization: Digest ") && refer.contains("Refer-To: <sip:2003@"));
    let id = header(&refer, "CSeq").replace(" REFER", "");
    let event = format!("Event: refer;id={id}\r\n");
    // RFC 3515 2.4.4: a NOTIFY may come before the 202.
    let trying = registrar.notify(&refer, 1, &event, "active;expires=60", "SIP/2.0 100 Trying\r\n");
    assert_eq!(trying, "SIP/2.0 200 OK");
    registrar.requests.push(refer.clone());
    registrar.answer("202 Accepted", "");
    registrar.input(Input::Command(Command::Transfer { call: None, number: "2004".into() }));
    assert!(matches!(registrar.events.last(), Some(Event::Refused { .. })), "one at a time");
    for (number, event, state, body, answer) in [
        (2, "Event: refer;id=99\r\n", "active", "SIP/2.0 200 OK", "481"),
        (3, "Event: dialog\r\n", "active", "SIP/2.0 200 OK", "489"),
        (4, &*event, "active", "HTTP/1.1 200 OK", "400"),
        (5, &*event, "active", "SIP/2.0 99 Low", "400"),
        (6, &*event, "active", "", "400"),
    ] {
        let status = registrar.notify(&refer, number, event, state, body);
        assert!(status.starts_with(&format!("SIP/2.0 {answer} ")), "{status}, {answer}");
    }
    registrar.notify(&refer, 7, &event, "terminated;reason=noresource", "SIP/2.0 200 OK\r\n");
    assert_eq!(transfers(&registrar), [(call.0, 100), (call.0, 200)]);
    assert!(registrar.last("BYE ").contains("tag=far"));
    let ended = registrar
        .events
        .iter()
        .any(|event| matches!(event, Event::Ended { cause, .. } if cause.cause == Cause::Transferred));
    assert!(ended);
}

#[test]
fn an_attended_transfer_names_the_other_dialog_as_its_far_side_sees_it() {
    let mut registrar = Registrar::new();
    registrar.answer("200 OK", "Expires: 60\r\n");
    let first = registrar.talk("9", "far");
    registrar.input(Input::Command(Command::Join { call: None, with: None }));
    assert!(matches!(registrar.events.last(), Some(Event::Refused { .. })), "with whom?");
    registrar.talk("8", "other");
    let invite = registrar.last("INVITE ");
    registrar.input(Input::Command(Command::Join { call: None, with: None }));
    let refer = registrar.last("REFER ");
    assert!(header(&refer, "To").contains("tag=far"), "the older call is the one that moves");
    let to = header(&refer, "Refer-To");
    let target = to.trim_start_matches('<').trim_end_matches('>');
    let uri = Uri::parse(target).unwrap();
    let (_, value) = uri.headers.iter().find(|(name, _)| *name == "Replaces").unwrap();
    let replaces = sip::refer::Replaces::parse(&wire::sip::decode_escapes(value)).unwrap();
    assert!(to.starts_with("<sip:x8@192.0.2.9?"), "{to}");
    assert_eq!(*replaces.call_id, *header(&invite, "Call-ID"));
    assert_eq!(&*replaces.to_tag, "other");
    assert!(header(&invite, "From").ends_with(&format!("tag={}", replaces.from_tag)));
    registrar.answer("403 Forbidden", "");
    assert_eq!(transfers(&registrar), [(first.0, 403)]);
    // Nothing is lost: both calls go on, and it may be tried again.
    assert_eq!(registrar.agent.calls.len(), 2);
    registrar.input(Input::Command(Command::Join { call: Some(first), with: Some(first) }));
    assert!(matches!(registrar.events.last(), Some(Event::Refused { .. })), "a call with itself");
    registrar.input(Input::Command(Command::Join { call: None, with: Some(first) }));
    assert!(header(&registrar.last("REFER "), "To").contains("tag=other"));
}

#[test]
fn a_refer_of_others_is_not_followed() {
    let mut pair = Pair::new(0, 11);
    pair.call();
    pair.tell(0, Command::Transfer { call: None, number: "c".into() });
    pair.run(Duration::from_secs(2));
    let refused = |event: &Event| matches!(event, Event::Transfer { status: 405, .. });
    assert!(pair.saw(0, refused) && pair.sides[1].agent.calls.len() == 1);
    assert!(pair.causes(0).is_empty() && pair.causes(1).is_empty(), "the call goes on");
    pair.tell(0, hang_up());
    pair.assert_quiet();
}

/// A call that ends with this final response.
fn call_in_vain(registrar: &mut Registrar, number: &str, response: &str) {
    registrar.input(Input::Command(Command::call(number)));
    registrar.answer(response, "");
}

fn suggested(registrar: &Registrar) -> Vec<(&str, u8)> {
    let told = registrar.events.iter().filter_map(|event| match event {
        Event::Suggested { number, calls } => Some((number.as_str(), *calls)),
        _ => None,
    });
    told.collect()
}

#[test]
fn s2_10_calls_in_vain_are_counted_and_only_a_yes_sends_the_instruction() {
    let mut registrar = Registrar::new();
    registrar.agent.config.suggest = Some(Suggest { after: 2, code: "*66".into() });
    registrar.answer("200 OK", "Expires: 60\r\n");
    call_in_vain(&mut registrar, "7", "486 Busy Here");
    let invite = registrar.last("INVITE ");
    assert!(header(&invite, "Contact").ends_with(";+ringdown.keep-calling"), "{invite}");
    call_in_vain(&mut registrar, "8", "480 Temporarily Unavailable");
    call_in_vain(&mut registrar, "7", "603 Decline");
    call_in_vain(&mut registrar, "7", "404 Not Found");
    assert_eq!(suggested(&registrar), [], "each number by itself, and who declines is not called again");
    call_in_vain(&mut registrar, "7", "480 Temporarily Unavailable");
    assert_eq!(suggested(&registrar), [("7", 2)]);
    registrar.input(Input::Command(Command::KeepCalling { yes: false }));
    assert!(!registrar.last("INVITE ").starts_with("INVITE sip:*66"), "a no is a no");
    registrar.input(Input::Command(Command::KeepCalling { yes: true }));
    assert!(matches!(registrar.events.last(), Some(Event::Refused { .. })), "it was answered");
    call_in_vain(&mut registrar, "7", "486 Busy Here");
    assert_eq!(suggested(&registrar).len(), 1, "once");
    // An answer makes all before it count no more.
    registrar.talk("7", "far");
    registrar.input(Input::Command(hang_up()));
    registrar.answer("200 OK", "");
    call_in_vain(&mut registrar, "7", "486 Busy Here");
    call_in_vain(&mut registrar, "7", "600 Busy Everywhere");
    assert_eq!(suggested(&registrar), [("7", 2), ("7", 2)]);
    registrar.input(Input::Command(Command::KeepCalling { yes: true }));
    assert!(registrar.last("INVITE ").starts_with("INVITE sip:*667@"), "{}", registrar.last("INVITE "));
}

/// A NOTIFY for the last SUBSCRIBE.
fn notify(registrar: &mut Registrar, number: u32, state: &str, kind: &str, body: &str) {
    let request = registrar.last("SUBSCRIBE ");
    let text = format!(
        "NOTIFY sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKn{number}{}\r\nFrom: <sip:x@h>;tag=r\r\n\
         To: {}\r\nCall-ID: {}\r\nCSeq: {number} NOTIFY\r\nEvent: dialog\r\nSubscription-State: {state}\r\n\
         Contact: <sip:x@192.0.2.9>\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        header(&request, "Call-ID"),
        header(&request, "From"),
        header(&request, "Call-ID"),
        body.len()
    );
    let flow = registrar.flow;
    registrar.input(Input::Message { flow, bytes: text.as_bytes() });
}

fn lamps(registrar: &Registrar) -> Vec<(String, LampState)> {
    let lamps = registrar.events.iter().filter_map(|event| match event {
        Event::Lamp { number, state, .. } => Some((number.clone(), *state)),
        _ => None,
    });
    lamps.collect()
}

fn with_lamp() -> Registrar {
    let mut registrar = Registrar::new();
    registrar.agent.config.lamps = vec!["2001".into()];
    registrar.agent.watches = watches(&registrar.agent.config);
    registrar.answer("200 OK", "Expires: 3600\r\n");
    assert!(registrar.last("SUBSCRIBE ").starts_with("SUBSCRIBE sip:2001@192.0.2.9"));
    registrar
}

#[test]
fn s3_11_a_lamp_is_asked_for_with_credentials_followed_and_asked_for_again() {
    let mut registrar = with_lamp();
    registrar.answer("401 Unauthorized", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n");
    assert!(registrar.last("SUBSCRIBE ").contains("Authorization: Digest"));
    let kind = "application/dialog-info+xml";
    let call = |state: &str| {
        format!(
            "<dialog-info state='full' version='0'><dialog id='1' direction='recipient'><state>{state}</state></dialog></dialog-info>"
        )
    };
    // A NOTIFY may overtake the 200.
    notify(&mut registrar, 1, "active", kind, "<dialog-info state='full' version='0'/>");
    registrar.answer("200 OK", "Expires: 600\r\nContact: <sip:2001@192.0.2.9:5070>\r\n");
    notify(&mut registrar, 2, "active;expires=600", kind, &call("early"));
    notify(&mut registrar, 2, "active", kind, &call("confirmed"));
    notify(&mut registrar, 3, "active", "text/plain", &call("confirmed"));
    notify(&mut registrar, 4, "active", kind, &call("confirmed"));
    notify(&mut registrar, 5, "active", kind, &call("confirmed"));
    let states: Vec<LampState> = lamps(&registrar).into_iter().map(|(_, state)| state).collect();
    assert_eq!(
        states,
        [LampState::Idle, LampState::Ringing, LampState::Busy],
        "an old and a strange one do nothing"
    );
    // In the dialog, to where the server said.
    registrar.wait(Duration::from_secs(490));
    let again = registrar.last("SUBSCRIBE ");
    assert!(
        again.starts_with("SUBSCRIBE sip:2001@192.0.2.9:5070 ") && header(&again, "To").contains("tag="),
        "{again}"
    );
    registrar.answer("200 OK", "Expires: 600\r\n");
    notify(&mut registrar, 6, "terminated;reason=noresource", kind, "");
    assert_eq!(lamps(&registrar).last(), Some(&("2001".into(), LampState::Unknown)));
}

#[test]
fn s3_11_a_server_without_lamps_is_asked_again_slowly() {
    for status in ["489 Bad Event", "404 Not Found", "403 Forbidden"] {
        let mut registrar = with_lamp();
        registrar.answer(status, "");
        assert_eq!(lamps(&registrar), [("2001".into(), LampState::Unknown)], "{status}");
        let asked = |registrar: &Registrar| {
            registrar.requests.iter().filter(|request| request.starts_with("SUBSCRIBE ")).count()
        };
        registrar.wait(Duration::from_secs(800));
        assert_eq!(asked(&registrar), 1, "{status}");
        registrar.wait(Duration::from_secs(200));
        assert_eq!(asked(&registrar), 2, "{status}");
    }
}
