//! Web phones: a token is good for one device, one session, one origin and its time; what ends with the session
//! (S0.1, R11, RFC 8898).

use clock::{Mono, Now, Wall};
use exchange::{
    Answer, Change, Command, CommandId, Config, Device, Exchange, Input, Output, PeopleChange, Secret,
    Snapshot, StoreAnswer, TokenHash, WebPhoneRequest, limits,
};
use proptest::prelude::*;
use sip::digest::{Login, answer};
use sip::{Flow, Transport};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method};

const OWN: &str = "https://192.0.2.1:8443";
const PORTAL: &str = "https://portal.example";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// The socket with this number; each comes from elsewhere, so that no guess counts against another.
fn socket(number: u64) -> Flow {
    let remote = SocketAddr::new(IpAddr::from([198, 51, 100, number as u8]), 40_000 + number as u16);
    Flow { transport: Transport::Wss, local: address("192.0.2.1:8443"), remote, connection: number }
}

fn desk_phone() -> Flow {
    Flow::udp(address("192.0.2.1:5060"), address("192.0.2.20:5060"))
}

struct Desk {
    exchange: Exchange,
    now: Now,
    requests: u32,
    sent: Vec<(Flow, Vec<u8>)>,
    closed: Vec<Flow>,
    answers: Vec<Answer>,
    commits: Vec<Change>,
}

impl Desk {
    fn new() -> Desk {
        let config = Config::new("office", vec![address("192.0.2.1:5060")]);
        let mut changes = Vec::new();
        for (account, number) in [("ada", "100"), ("bob", "200")] {
            let (name, display) = (account.into(), account.into());
            changes.push(PeopleChange::PutAccount { name, display, settings: Box::default() });
            changes.push(PeopleChange::PutNumber { number: number.into(), account: account.into() });
        }
        let secret = Secret::new("bob-1", "office", "right");
        changes.push(PeopleChange::PutDevice { name: "bob-1".into(), device: Device::new("bob", secret) });
        let changes = changes.into_iter().map(Change::People).collect();
        let now = Now { mono: Mono(1_000_000), wall: Wall(1_700_000_000_000) };
        let mut exchange = Exchange::new(now, config, [7; 32], Snapshot { changes, sequence: 0 });
        let lease = |index: u16| calls::PortLease {
            address: IpAddr::from([192, 0, 2, 1]),
            port: 40_000 + 2 * index,
            worker: 0,
        };
        exchange.handle(now, Input::Ports((0..100).map(lease).collect()));
        let (sent, closed, answers, commits) = Default::default();
        Desk { exchange, now, requests: 0, sent, closed, answers, commits }
    }

    fn feed(&mut self, input: Input<'_>) {
        self.exchange.handle(self.now, input);
        while let Some(output) = self.exchange.next_output() {
            match output {
                Output::Transmit(transmit) => {
                    assert!(!self.closed.contains(&transmit.flow), "nothing is sent after the close");
                    self.sent.push((transmit.flow, transmit.bytes.to_vec()));
                }
                Output::CloseFlow(flow) => self.closed.push(flow),
                Output::Commit(commit) => {
                    self.commits.extend(commit.changes.iter().map(|owned| owned.change.clone()));
                    let answer = StoreAnswer::Committed;
                    self.exchange.handle(self.now, Input::Stored { sequence: commit.sequence, answer });
                }
                Output::Answer { answer, .. } => self.answers.push(answer),
                Output::Media(_)
                | Output::Reach { .. }
                | Output::Guessing(_)
                | Output::VerifyPin { .. }
                | Output::Platform { .. }
                | Output::Site(_)
                | Output::WakeUp(_)
                | Output::Cluster(_)
                | Output::Event(_) => {}
            }
        }
    }

    fn command(&mut self, command: Command) -> Answer {
        self.feed(Input::Command { id: CommandId(1), command });
        self.answers.pop().expect("an answer")
    }

    fn open(&mut self, session: &str, account: &str, origin: Option<&str>, token: &str) -> Answer {
        self.command(Command::OpenWebPhone(Box::new(WebPhoneRequest {
            session: session.into(),
            account: account.into(),
            origin: origin.map(Into::into),
            token: TokenHash::of(token),
            lives: Duration::from_secs(600),
        })))
    }

    fn device(&mut self, session: &str, account: &str, origin: Option<&str>, token: &str) -> String {
        match self.open(session, account, origin, token) {
            Answer::WebPhone { device, .. } => device.into(),
            other => panic!("{other:?}"),
        }
    }

    fn socket(&mut self, number: u64, origin: Option<&str>) -> Flow {
        let flow = socket(number);
        self.feed(Input::FlowOpened { flow, origin: origin.map(Into::into) });
        flow
    }

    /// A request of a page; the last answer to it.
    fn ask(&mut self, flow: Flow, request: &Request<'_>) -> Vec<u8> {
        self.requests += 1;
        let bytes = request.bytes(self.requests);
        let before = self.sent.len();
        self.feed(Input::Message { flow, bytes: &bytes });
        let answer =
            self.sent[before..].iter().rfind(|(to, bytes)| *to == flow && bytes.starts_with(b"SIP/2.0 "));
        answer.map(|(_, bytes)| bytes.clone()).unwrap_or_default()
    }

    fn register(&mut self, flow: Flow, device: &str, token: Option<&str>) -> u16 {
        status(&self.ask(flow, &Request { token, ..Request::register(device) }))
    }

    /// A desk phone with a secret.
    fn register_desk_phone(&mut self) {
        let request = Request { contact: "sip:bob-1@192.0.2.20", ..Request::register("bob-1") };
        let challenge = self.ask(desk_phone(), &request);
        let message = Message::parse(&challenge).expect("a challenge");
        let login = Login { user: "bob-1", password: "right", realm: None };
        let (name, value) = answer(&message, login, Method::Register, "sip:192.0.2.1", 1, 7)
            .expect("a challenge that we can answer");
        let credentials = format!("{}: {value}\r\n", name.as_str());
        let answered = self.ask(desk_phone(), &Request { credentials, ..request });
        assert_eq!(status(&answered), 200);
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.feed(Input::Timeout);
    }

    /// The requests sent by a flow since the last look.
    fn requests_to(&mut self, flow: Flow) -> Vec<Vec<u8>> {
        let (found, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|(to, bytes)| *to == flow && !bytes.starts_with(b"SIP/2.0 "));
        self.sent = rest;
        found.into_iter().map(|(_, bytes)| bytes).collect()
    }
}

#[derive(Clone)]
struct Request<'a> {
    method: &'a str,
    user: &'a str,
    to: &'a str,
    token: Option<&'a str>,
    credentials: String,
    contact: &'a str,
    instance: u32,
    expires: u32,
}

impl<'a> Request<'a> {
    fn register(device: &'a str) -> Request<'a> {
        Request {
            method: "REGISTER",
            user: device,
            to: device,
            token: None,
            credentials: String::new(),
            contact: "sip:x@9x.invalid;transport=ws;ob",
            instance: 1,
            expires: 300,
        }
    }

    fn invite(device: &'a str, number: &'a str) -> Request<'a> {
        Request { method: "INVITE", to: number, ..Request::register(device) }
    }

    fn bytes(&self, number: u32) -> Vec<u8> {
        let Request { method, user, to, .. } = self;
        let uri =
            if *method == "REGISTER" { "sip:192.0.2.1".to_owned() } else { format!("sip:{to}@192.0.2.1") };
        let token = self.token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let sdp = if *method == "INVITE" {
            "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 7000 RTP/AVP 8\r\n"
        } else {
            ""
        };
        let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let length = sdp.len();
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/WSS 9x.invalid;branch=z9hG4bKa{number};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@192.0.2.1>;tag=f{number}\r\nTo: <sip:{to}@192.0.2.1>\r\nCall-ID: c{number}\r\n\
             CSeq: {number} {method}\r\n{token}{}Contact: <{}>;reg-id=1;+sip.instance=\"<urn:uuid:{}>\"\r\n\
             Expires: {}\r\nAllow: INVITE\r\nEvent: presence\r\n{kind}Content-Length: {length}\r\n\r\n{sdp}",
            self.credentials, self.contact, self.instance, self.expires,
        )
        .into_bytes()
    }
}

fn status(bytes: &[u8]) -> u16 {
    let text = std::str::from_utf8(bytes.get(8..11).unwrap_or(b"0")).expect("digits");
    text.parse().expect("a status")
}

fn header(bytes: &[u8], name: HeaderName) -> String {
    let message = Message::parse(bytes).expect("a message");
    String::from_utf8_lossy(message.value(name).unwrap_or_default()).into_owned()
}

/// The answer of a phone to a request that it was sent.
fn response(request: &[u8], status: u16, sdp: bool) -> Vec<u8> {
    let message = Message::parse(request).expect("a request");
    let mut buffer = Vec::new();
    let mut writer = wire::sip::Writer::response(&mut buffer, status, "x");
    writer.copy(&message, HeaderName::Via).copy(&message, HeaderName::From);
    writer.header_parts(HeaderName::To, &[message.value(HeaderName::To).expect("To"), b";tag=callee"]);
    writer.copy(&message, HeaderName::CallId).copy(&message, HeaderName::CSeq);
    writer.header(HeaderName::Contact, "<sip:y@7y.invalid;transport=ws;ob>");
    let body: &[u8] =
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\nm=audio 7100 RTP/AVP 8\r\n";
    if sdp {
        writer.body("application/sdp", body)
    } else {
        writer.finish()
    };
    buffer
}

#[test]
fn s0_1_a_session_s_phone_registers_and_calls_with_its_token_alone() {
    let mut desk = Desk::new();
    desk.register_desk_phone();
    let device = desk.device("s1", "ada", Some(OWN), "token-1");
    assert!(device.starts_with("web-"), "{device}");
    let flow = desk.socket(1, Some(OWN));
    let challenge = desk.ask(flow, &Request::register(&device));
    assert_eq!(status(&challenge), 401);
    assert_eq!(header(&challenge, HeaderName::WwwAuthenticate), "Bearer realm=\"office\"");
    let wrong = desk.ask(flow, &Request { token: Some("guess"), ..Request::register(&device) });
    assert_eq!(status(&wrong), 401);
    let asked = header(&wrong, HeaderName::WwwAuthenticate);
    assert_eq!(asked, "Bearer realm=\"office\", error=\"invalid_token\"");
    assert_eq!(desk.register(flow, &device, Some("token-1")), 200);
    let stored =
        |change: &&Change| matches!(change, Change::Bindings { device, .. } if device.starts_with("web-"));
    assert_eq!(desk.commits.iter().filter(stored).count(), 0, "in memory alone");
    // Each initial request proves itself anew.
    assert_eq!(status(&desk.ask(flow, &Request::invite(&device, "200"))), 401);
    let trying = desk.ask(flow, &Request { token: Some("token-1"), ..Request::invite(&device, "200") });
    assert_eq!(status(&trying), 100);
    let rings = desk.requests_to(desk_phone());
    assert!(rings.len() == 1 && rings[0].starts_with(b"INVITE "), "bob's phone rings");
    for method in ["SUBSCRIBE", "MESSAGE", "REFER", "PUBLISH"] {
        let request = Request { method, to: "200", ..Request::register(&device) };
        assert_eq!(status(&desk.ask(flow, &request)), 401, "{method}");
        let answer = desk.ask(flow, &Request { token: Some("token-1"), ..request });
        assert_ne!(status(&answer), 401, "{method}");
    }
    // No secret opens it, and a name that nobody has is told the same.
    let nobody = desk.ask(flow, &Request::register("web-0123456789abcdef"));
    assert_eq!(header(&nobody, HeaderName::WwwAuthenticate), "Bearer realm=\"office\"");
}

#[test]
fn s0_1_a_token_is_renewed_and_ends() {
    let mut desk = Desk::new();
    let device = desk.device("s1", "ada", Some(OWN), "first");
    let flow = desk.socket(1, Some(OWN));
    assert_eq!(desk.register(flow, &device, Some("first")), 200);
    desk.wait(Duration::from_secs(400));
    assert_eq!(desk.device("s1", "ada", Some(OWN), "second"), device, "the same device");
    assert_eq!(desk.register(flow, &device, Some("first")), 200, "until its own end");
    desk.wait(Duration::from_secs(201));
    for _ in 0..20 {
        assert_eq!(desk.register(flow, &device, Some("first")), 401, "not longer, and that is no guess");
    }
    assert_eq!(desk.register(flow, &device, Some("second")), 200);
    let asked =
        desk.ask(flow, &Request { token: Some("second"), expires: 3_600, ..Request::register(&device) });
    assert!(header(&asked, HeaderName::Contact).contains(";expires=600"), "not longer than a token");
}

#[test]
fn r10_who_guesses_tokens_is_not_listened_to() {
    let mut desk = Desk::new();
    let device = desk.device("s1", "ada", Some(OWN), "right");
    let flow = desk.socket(1, Some(OWN));
    let mut statuses = Vec::new();
    for number in 0..20 {
        statuses.push(desk.register(flow, &device, Some(&format!("guess-{number}"))));
    }
    assert_eq!(statuses[0], 401);
    assert_eq!(statuses.last(), Some(&403));
    assert_eq!(desk.register(flow, &device, Some("right")), 403, "not even with the right one, for a while");
}

#[test]
fn s0_1_the_end_of_a_session_ends_calls_bindings_and_sockets() {
    let mut desk = Desk::new();
    desk.register_desk_phone();
    let device = desk.device("s1", "ada", Some(OWN), "token");
    let flow = desk.socket(1, Some(OWN));
    assert_eq!(desk.register(flow, &device, Some("token")), 200);
    // A second socket that proved itself and did not register.
    let other = desk.socket(2, Some(OWN));
    let message =
        Request { method: "MESSAGE", to: "200", token: Some("token"), ..Request::register(&device) };
    desk.ask(other, &message);
    desk.ask(flow, &Request { token: Some("token"), ..Request::invite(&device, "200") });
    let invite = desk.requests_to(desk_phone()).pop().expect("bob's phone rings");
    let ok = response(&invite, 200, true);
    desk.feed(Input::Datagram { flow: desk_phone(), bytes: &ok });
    assert_eq!(desk.exchange.switch().load().0, 1);
    desk.requests_to(desk_phone());
    assert_eq!(desk.command(Command::EndSession(Some("s1".into()))), Answer::Done);
    assert!(desk.requests_to(desk_phone()).iter().any(|bytes| bytes.starts_with(b"BYE ")));
    let mut closed = desk.closed.clone();
    closed.sort_unstable();
    assert_eq!(closed, [flow, other]);
    let causes: Vec<&str> = desk
        .commits
        .iter()
        .filter_map(|change| match change {
            Change::Record(record) => Some(record.cause.name()),
            _ => None,
        })
        .collect();
    assert_eq!(causes, ["signed out"]);
    desk.closed.clear();
    assert!(desk.exchange.people().device(&device).is_none());
    for flow in [flow, other] {
        desk.feed(Input::FlowClosed(flow));
    }
    let again = desk.socket(3, Some(OWN));
    assert_eq!(desk.register(again, &device, Some("token")), 401);
    assert_eq!(desk.command(Command::EndSession(Some("s1".into()))), Answer::Done, "twice is fine");
    assert_eq!(desk.device("s1", "ada", Some(OWN), "token"), device, "the same name after all");
}

#[test]
fn s0_1_two_tabs_do_not_ring_twice() {
    let mut desk = Desk::new();
    desk.register_desk_phone();
    let device = desk.device("s1", "bob", Some(OWN), "token");
    let (first, second) = (desk.socket(1, Some(OWN)), desk.socket(2, Some(OWN)));
    assert_eq!(desk.register(first, &device, Some("token")), 200);
    let other_tab = Request { instance: 2, token: Some("token"), ..Request::register(&device) };
    assert_eq!(status(&desk.ask(second, &other_tab)), 200);
    let caller = desk.device("s2", "ada", Some(OWN), "other");
    let page = desk.socket(3, Some(OWN));
    assert_eq!(desk.register(page, &caller, Some("other")), 200);
    desk.ask(page, &Request { token: Some("other"), ..Request::invite(&caller, "200") });
    let rings = |desk: &mut Desk, flow| {
        desk.requests_to(flow).iter().filter(|bytes| bytes.starts_with(b"INVITE ")).count()
    };
    assert_eq!(
        (rings(&mut desk, first), rings(&mut desk, second), rings(&mut desk, desk_phone())),
        (0, 1, 1)
    );
}

#[test]
fn s0_1_web_phones_are_bounded_and_kept_apart_from_the_directory() {
    let mut desk = Desk::new();
    for number in 0..limits::WEB_PHONES_PER_ACCOUNT {
        desk.device(&format!("s{number}"), "ada", Some(OWN), "t");
    }
    assert!(matches!(desk.open("more", "ada", Some(OWN), "t"), Answer::Refused(_)));
    assert!(matches!(desk.open("x", "nobody", Some(OWN), "t"), Answer::Refused(_)));
    let device = desk.device("s0", "ada", Some(OWN), "t");
    let put = PeopleChange::PutDevice {
        name: device.as_str().into(),
        device: Device::new("ada", Secret::new(&device, "office", "mine")),
    };
    for change in [put, PeopleChange::RemoveDevice { name: device.as_str().into() }] {
        assert!(matches!(desk.command(Command::Change(change)), Answer::Refused(_)));
    }
    let name: Box<str> = device.as_str().into();
    assert!(matches!(desk.command(Command::EditDevice { name, edits: Vec::new() }), Answer::Refused(_)));
    desk.wait(Duration::from_secs(601));
    assert!(
        matches!(desk.open("more", "ada", Some(OWN), "t"), Answer::WebPhone { .. }),
        "an unused one made room"
    );
    // They do not hold their account, and leave with it.
    desk.command(Command::Change(PeopleChange::RemoveNumber { number: "100".into() }));
    assert_eq!(
        desk.command(Command::Change(PeopleChange::RemoveAccount { name: "ada".into() })),
        Answer::Done
    );
    assert!(desk.exchange.people().devices().all(|(name, _)| !name.starts_with("web-")));
}

#[test]
fn r11_another_instance_does_not_take_over_the_calls_of_a_lost_one() {
    let mut desk = Desk::new();
    desk.register_desk_phone();
    let device = desk.device("s1", "ada", Some(OWN), "token");
    let flow = desk.socket(1, Some(OWN));
    assert_eq!(desk.register(flow, &device, Some("token")), 200);
    desk.ask(flow, &Request { token: Some("token"), ..Request::invite(&device, "200") });
    let invite = desk.requests_to(desk_phone()).pop().expect("bob's phone rings");
    let ok = response(&invite, 200, true);
    desk.feed(Input::Datagram { flow: desk_phone(), bytes: &ok });
    let is_answer = |(to, bytes): &&(Flow, Vec<u8>)| *to == flow && bytes.starts_with(b"SIP/2.0 200 ");
    let answered = desk.sent.iter().rfind(is_answer).map(|(_, bytes)| bytes.clone()).expect("a 200");
    let of = |name| header(&answered, name);
    let number = of(HeaderName::CSeq).replace("INVITE", "ACK");
    let ack = format!(
        "ACK sip:ringdown@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/WSS 9x.invalid;branch=z9hG4bKack\r\nMax-Forwards: 70\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {number}\r\nContent-Length: 0\r\n\r\n",
        of(HeaderName::From),
        of(HeaderName::To),
        of(HeaderName::CallId)
    );
    desk.feed(Input::Message { flow, bytes: ack.as_bytes() });
    desk.feed(Input::FlowClosed(flow));
    let stranger = desk.socket(2, Some(OWN));
    let other = Request { instance: 2, token: Some("token"), ..Request::register(&device) };
    assert_eq!(status(&desk.ask(stranger, &other)), 200);
    let back = desk.socket(3, Some(OWN));
    assert_eq!(desk.register(back, &device, Some("token")), 200);
    let to = header(&ok, HeaderName::To);
    let from = header(&ok, HeaderName::From);
    let bye = format!(
        "BYE sip:ringdown@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bKbye\r\nMax-Forwards: 70\r\n\
         From: {to}\r\nTo: {from}\r\nCall-ID: {}\r\nCSeq: 9 BYE\r\nContent-Length: 0\r\n\r\n",
        header(&ok, HeaderName::CallId)
    );
    desk.feed(Input::Datagram { flow: desk_phone(), bytes: bye.as_bytes() });
    let is_bye = |bytes: &Vec<u8>| bytes.starts_with(b"BYE ");
    assert!(!desk.requests_to(stranger).iter().any(is_bye), "another instance is somebody else");
    assert!(desk.requests_to(back).iter().any(is_bye), "the one that came back hears it");
}

/// One thing that happens among three sessions, three tokens each, and four sockets.
#[derive(Clone, Debug)]
enum Step {
    Open { session: usize, token: usize, origin: usize },
    End { session: usize },
    Wait { seconds: u64 },
    Register { device: usize, token: usize, socket: usize, to: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..3usize, 0..4usize, 0..3usize)
            .prop_map(|(session, token, origin)| Step::Open { session, token, origin }),
        1 => (0..3usize).prop_map(|session| Step::End { session }),
        1 => (0..700u64).prop_map(|seconds| Step::Wait { seconds }),
        8 => (0..3usize, 0..4usize, 0..3usize, 0..3usize)
            .prop_map(|(device, token, socket, to)| Step::Register { device, token, socket, to }),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// A token works for no other device, session or origin than its own, and not after its time.
    #[test]
    fn s0_1_a_token_is_good_for_what_it_was_made_for_alone(steps in steps()) {
        let mut desk = Desk::new();
        let origins = [Some(OWN), Some(PORTAL), None];
        let names: Vec<String> =
            (0..3).map(|n| desk.device(&format!("s{n}"), "ada", Some(OWN), &format!("first-{n}"))).collect();
        // What each session was given: token, origin, until.
        let mut given: Vec<Vec<(usize, usize, Mono)>> = vec![Vec::new(); 3];
        let mut sockets = 10;
        for step in steps {
            match step {
                Step::Open { session, token, origin } => {
                    // No two sessions are given the same secret.
                    let secret = format!("{session}-{token}");
                    let name = desk.device(&format!("s{session}"), "ada", origins[origin], &secret);
                    prop_assert_eq!(&name, &names[session]);
                    given[session].push((token, origin, desk.now.mono + Duration::from_secs(600)));
                    let many = given[session].len().saturating_sub(limits::TOKENS_PER_SESSION);
                    given[session].drain(..many);
                }
                Step::End { session } => {
                    desk.command(Command::EndSession(Some(format!("s{session}").into())));
                    desk.closed.clear();
                    given[session].clear();
                }
                Step::Wait { seconds } => desk.wait(Duration::from_secs(seconds)),
                Step::Register { device, token, socket, to } => {
                    sockets += 1;
                    let flow = desk.socket(sockets, origins[socket]);
                    // Tokens of all sessions are tried at all devices.
                    let secret = format!("{to}-{token}");
                    let request = Request { token: Some(&secret), ..Request::register(&names[device]) };
                    let status = status(&desk.ask(flow, &request));
                    let good = device == to
                        && given[device].iter().any(|(known, origin, until)| {
                            *known == token && *origin == socket && *until > desk.now.mono
                        });
                    prop_assert_eq!(status, if good { 200 } else { 401 });
                    desk.feed(Input::FlowClosed(flow));
                }
            }
        }
    }
}
