//! Strangers, guessers and floods against the whole office, as datagrams (R10, R17, R31, sec_02, sec_07, sec_24).

use clock::{Mono, Now, Wall};
use exchange::{
    Answer, Change, Command, CommandId, Config, Device, Exchange, Guessing, Input, Output, PeopleChange,
    Secret, Snapshot, Status, StoreAnswer, limits,
};
use sip::Flow;
use sip::digest::{ChallengePolicy, Login, answer};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use wire::sip::{Message, Method};

const OFFICE: &str = "192.0.2.10:5060";
const GUESSER: &str = "203.0.113.66:5060";

/// One exchange with two people, and the clock.
struct Desk {
    exchange: Exchange,
    now: Now,
    requests: u64,
    reports: Vec<Guessing>,
    media_port: u16,
    /// From where each leg takes packets, as it was last ordered.
    accepts: Vec<media::AcceptFrom>,
}

fn flow(from: &str) -> Flow {
    Flow::udp(address("192.0.2.1:5060"), address(from))
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

impl Desk {
    fn new() -> Desk {
        let config = Config::new("office", vec![address("192.0.2.1:5060")]);
        let mut changes = Vec::new();
        for (account, number) in [("ada", "100"), ("bob", "200")] {
            let settings = Box::default();
            changes.push(PeopleChange::PutAccount {
                name: account.into(),
                display: account.into(),
                settings,
            });
            changes.push(PeopleChange::PutNumber { number: number.into(), account: account.into() });
            let device: Box<str> = format!("{account}-1").into();
            let secret = Secret::new(&device, "office", "right");
            changes.push(PeopleChange::PutDevice { name: device, device: Device::new(account, secret) });
        }
        let changes = changes.into_iter().map(Change::People).collect();
        let now = Now { mono: Mono(1_000_000), wall: Wall(1_700_000_000_000_000) };
        let exchange = Exchange::new(now, config, [7; 32], Snapshot { changes, sequence: 0 });
        let mut desk =
            Desk { exchange, now, requests: 0, reports: Vec::new(), media_port: 40_000, accepts: Vec::new() };
        desk.lend_ports();
        desk
    }

    fn lend_ports(&mut self) {
        let lease = |index: u16| calls::PortLease {
            address: IpAddr::from([192, 0, 2, 1]),
            port: self.media_port + 2 * index,
            worker: 0,
        };
        let leases = (0..100).map(lease).collect();
        self.media_port += 200;
        self.exchange.handle(self.now, Input::Ports(leases));
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.exchange.handle(self.now, Input::Timeout);
        self.drain();
    }

    fn lag(&mut self, lag: Duration) {
        self.exchange.handle(self.now, Input::Lag(lag));
    }

    /// What the exchange sends; promises of the store are kept at once.
    fn drain(&mut self) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        while let Some(output) = self.exchange.next_output() {
            match output {
                Output::Transmit(transmit) => sent.push(transmit.bytes.to_vec()),
                Output::Commit(commit) => {
                    let answer = StoreAnswer::Committed;
                    self.exchange.handle(self.now, Input::Stored { sequence: commit.sequence, answer });
                }
                Output::Guessing(guessing) => self.reports.push(guessing),
                Output::Media(calls::Action::Media { order, .. }) => self.accepts.push(order.accept),
                Output::CloseFlow(_)
                | Output::Media(_)
                | Output::VerifyPin { .. }
                | Output::Platform { .. }
                | Output::Site(_)
                | Output::WakeUp(_)
                | Output::Cluster(_)
                | Output::Answer { .. }
                | Output::Reach { .. }
                | Output::Event(_) => {}
            }
        }
        sent
    }

    fn send(&mut self, from: &str, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.exchange.handle(self.now, Input::Datagram { flow: flow(from), bytes });
        self.drain()
    }

    /// One request; the last answer to it, if there is any.
    fn ask(&mut self, from: &str, request: &Request<'_>) -> Option<Vec<u8>> {
        self.requests += 1;
        let bytes = request.bytes(from, self.requests);
        self.send(from, &bytes).into_iter().rfind(|bytes| bytes.starts_with(b"SIP/2.0 "))
    }

    fn status_of(&mut self, from: &str, request: &Request<'_>) -> u16 {
        self.ask(from, request).map_or(0, |bytes| status(&bytes))
    }

    /// A challenge, and the answer to it with this password.
    fn try_login(&mut self, from: &str, request: &Request<'_>, user: &str, password: &str) -> u16 {
        let Some(challenge) = self.ask(from, request) else { return 0 };
        if status(&challenge) != 401 {
            return status(&challenge);
        }
        let credentials = credentials(&challenge, request, user, password, 1);
        self.status_of(from, &Request { credentials: Some(credentials), ..request.clone() })
    }

    fn status(&mut self) -> Status {
        let id = CommandId(1);
        self.exchange.handle(self.now, Input::Command { id, command: Command::Status });
        while let Some(output) = self.exchange.next_output() {
            if let Output::Answer { answer: Answer::Status(status), .. } = output {
                return status;
            }
        }
        panic!("no status")
    }
}

#[derive(Clone)]
struct Request<'a> {
    method: Method<'a>,
    user: &'a str,
    to: &'a str,
    uri: String,
    credentials: Option<String>,
    extra: &'a str,
}

fn register(user: &str) -> Request<'_> {
    let uri = "sip:office".to_owned();
    Request { method: Method::Register, user, to: user, uri, credentials: None, extra: "" }
}

fn invite<'a>(user: &'a str, number: &'a str) -> Request<'a> {
    let uri = format!("sip:{number}@office");
    Request { method: Method::Invite, user, to: number, uri, credentials: None, extra: "" }
}

impl Request<'_> {
    fn bytes(&self, from: &str, number: u64) -> Vec<u8> {
        let method = self.method.as_str();
        let body = if self.method == Method::Invite { offer(from) } else { String::new() };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let credentials = self.credentials.as_ref().map(|value| format!("Authorization: {value}\r\n"));
        format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{number};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{}@office>;tag=t{number}\r\nTo: <sip:{}@office>\r\nCall-ID: c{number}\r\n\
             CSeq: 1 {method}\r\nContact: <sip:{}@{from}>\r\n{}{}{kind}Content-Length: {}\r\n\r\n{body}",
            self.uri,
            self.user,
            self.to,
            self.user,
            credentials.unwrap_or_default(),
            self.extra,
            body.len()
        )
        .into_bytes()
    }
}

fn offer(from: &str) -> String {
    let host = address(from).ip();
    format!(
        "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8\r\n\
         a=rtpmap:8 PCMA/8000\r\n"
    )
}

fn credentials(challenge: &[u8], request: &Request<'_>, user: &str, password: &str, count: u32) -> String {
    let challenge = Message::parse(challenge).expect("a response");
    let login = Login { user, password, realm: Some("office") };
    let (_, value) = answer(&challenge, login, request.method, &request.uri, count, 5).expect("an answer");
    value
}

fn status(bytes: &[u8]) -> u16 {
    Message::parse(bytes).expect("a response").status().expect("a status")
}

/// The last answer's lines without what is random or the sender's own.
fn shape(bytes: &[u8], name: &str) -> String {
    let text = String::from_utf8(bytes.to_vec()).expect("text").replace(name, "NAME");
    let random = |line: &str| ["Via:", "Call-ID:", "From:"].iter().any(|known| line.starts_with(known));
    let lines = text.lines().filter(|line| !random(line)).map(|line| {
        let line = line.split(";tag=").next().unwrap_or(line);
        match line.split_once("nonce=\"") {
            Some((before, after)) => {
                format!("{before}{}", after.split_once('"').map_or("", |(_, rest)| rest))
            }
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn sec_24_an_unknown_name_and_a_wrong_secret_get_the_same_answers() {
    let calls = |name| invite(name, "200");
    let requests: [&dyn Fn(&'static str) -> Request<'static>; 2] = [&register, &calls];
    for request in requests {
        let mut answers = Vec::new();
        for name in ["ada-1", "nobody"] {
            let mut desk = Desk::new();
            let mut shapes = Vec::new();
            for _ in 0..12 {
                let asked = request(name);
                let challenge = desk.ask(GUESSER, &asked);
                shapes.extend(challenge.as_deref().map(|bytes| shape(bytes, name)));
                let Some(challenge) = challenge else { continue };
                let credentials = Some(credentials(&challenge, &asked, name, "wrong", 1));
                let second = desk.ask(GUESSER, &Request { credentials, ..asked });
                shapes.push(second.map_or("silence".into(), |bytes| shape(&bytes, name)));
            }
            assert_eq!(
                shapes.iter().filter(|shape| shape.starts_with("SIP/2.0 403")).count(),
                4,
                "{shapes:?}"
            );
            answers.push(shapes);
        }
        assert_eq!(answers[0], answers[1]);
    }
}

#[test]
fn sec_24_guesses_are_not_listened_to_and_reported_with_their_source() {
    let mut desk = Desk::new();
    for index in 0..limits::STRIKES_OF_PAIR {
        assert_eq!(desk.try_login(GUESSER, &register("ada-1"), "ada-1", &format!("wrong{index}")), 401);
    }
    assert_eq!(desk.try_login(GUESSER, &register("ada-1"), "ada-1", "right"), 403, "the right one, in vain");
    assert_eq!(desk.reports.len(), 1);
    assert_eq!(desk.reports[0].source, address(GUESSER).ip());
    let told = desk.status();
    assert_eq!((told.wrong_answers, told.ignored), (u64::from(limits::STRIKES_OF_PAIR), 1));
    assert_eq!((told.guessing[0].source, &*told.guessing[0].name), (address(GUESSER).ip(), "ada-1"));
    // The owner at another address is served.
    assert_eq!(desk.try_login(OFFICE, &register("ada-1"), "ada-1", "right"), 200);
    // Whoever waits may try again.
    desk.wait(limits::IGNORED_LEAST);
    assert_eq!(desk.try_login(GUESSER, &register("ada-1"), "ada-1", "right"), 200);
}

#[test]
fn r10_an_old_nonce_and_a_repeated_count_are_no_strikes() {
    let mut desk = Desk::new();
    let asked = register("ada-1");
    let challenge = desk.ask(OFFICE, &asked).expect("a challenge");
    let right = Some(credentials(&challenge, &asked, "ada-1", "right", 1));
    let again = Request { credentials: right, ..asked };
    assert_eq!(desk.status_of(OFFICE, &again), 200);
    for _ in 0..3 * limits::STRIKES_OF_SOURCE {
        let stale = desk.ask(OFFICE, &again).expect("a challenge");
        assert_eq!(status(&stale), 401);
        assert!(String::from_utf8_lossy(&stale).contains("stale=true"));
    }
    desk.wait(Duration::from_secs(400));
    assert_eq!(desk.status_of(OFFICE, &again), 401);
    assert_eq!(desk.status().wrong_answers, 0);
    assert_eq!(desk.try_login(OFFICE, &register("ada-1"), "ada-1", "right"), 200);
}

#[test]
fn sec_24_nobody_earns_strikes_in_anothers_name() {
    let mut desk = Desk::new();
    let asked = register("ada-1");
    let challenge = desk.ask(GUESSER, &asked).expect("a challenge");
    for index in 0..2 * limits::STRIKES_OF_SOURCE {
        // The sender's address is made up: our challenge went elsewhere.
        let wrong = Some(credentials(&challenge, &asked, "ada-1", "wrong", index + 1));
        let spoofed = desk.ask(OFFICE, &Request { credentials: wrong, ..asked.clone() });
        assert!(String::from_utf8_lossy(&spoofed.expect("an answer")).contains("stale=true"));
    }
    assert_eq!(desk.status().wrong_answers, 0);
    assert_eq!(desk.try_login(OFFICE, &asked, "ada-1", "right"), 200);
}

#[test]
fn sec_24_a_phone_that_is_registered_is_heard_whatever_its_neighbours_do() {
    let mut desk = Desk::new();
    assert_eq!(desk.try_login(OFFICE, &register("ada-1"), "ada-1", "right"), 200);
    let neighbour = "192.0.2.10:40000";
    for index in 0..200 {
        let name = format!("desk-{index}");
        desk.try_login(neighbour, &register(&name), &name, "wrong");
        desk.try_login(neighbour, &register("ada-1"), "ada-1", "wrong");
    }
    assert_eq!(desk.try_login(neighbour, &register("ada-1"), "ada-1", "right"), 403);
    assert_eq!(desk.try_login(OFFICE, &invite("ada-1", "600"), "ada-1", "right"), 200);
    assert_eq!(desk.try_login("192.0.2.10:5062", &register("bob-1"), "bob-1", "right"), 200);
}

#[test]
fn sec_02_each_method_needs_proof_unless_a_table_lists_it() {
    let mut desk = Desk::new();
    let about = |method| Request { method, ..invite("ada-1", "200") };
    for method in [Method::Invite, Method::Register, Method::Subscribe, Method::Message] {
        assert_eq!(desk.status_of(GUESSER, &about(method)), 401, "{method:?}");
    }
    for method in [Method::Refer, Method::Notify, Method::Publish] {
        assert_eq!(desk.status_of(GUESSER, &about(method)), 401, "{method:?}");
    }
    for method in [Method::Bye, Method::Info, Method::Update, Method::Prack] {
        assert_eq!(desk.status_of(GUESSER, &about(method)), 481, "{method:?}");
    }
    assert_eq!(desk.status_of(GUESSER, &about(Method::Other("LAUNCH"))), 501);
    assert_eq!(desk.status_of(GUESSER, &about(Method::Options)), 200);
    assert_eq!(desk.exchange.switch().transactions(), (0, 0), "nothing is kept of strangers");
}

#[test]
fn sec_07_a_flood_is_answered_without_state_and_others_are_served() {
    let mut desk = Desk::new();
    let mut answered = 0;
    for index in 0..40_000u32 {
        if index % 20 == 0 {
            desk.now = desk.now.after(Duration::from_millis(1));
        }
        let request = if index % 2 == 0 { register("ada-1") } else { invite("nobody", "200") };
        answered += u32::from(desk.ask(GUESSER, &request).is_some());
    }
    let most = limits::STRANGER_BURST + 3 * (limits::STRANGER_RATE + limits::REFUSALS);
    assert!(answered <= most, "{answered} of 40,000");
    assert_eq!(desk.exchange.switch().transactions(), (0, 0));
    assert!(desk.status().flooded > 30_000);
    assert_eq!(desk.try_login(OFFICE, &register("ada-1"), "ada-1", "right"), 200);
    assert_eq!(desk.try_login(OFFICE, &invite("ada-1", "600"), "ada-1", "right"), 200);
}

#[test]
fn sec_07_devices_that_prove_themselves_are_never_limited() {
    let mut desk = Desk::new();
    for index in 0..20_000u32 {
        desk.now = desk.now.after(Duration::from_micros(100));
        assert_eq!(desk.try_login(OFFICE, &register("ada-1"), "ada-1", "right"), 200, "{index}");
    }
    assert_eq!(desk.status().flooded, 0);
}

#[test]
fn r17_overload_sheds_new_calls_and_keeps_those_that_are_up() {
    let mut desk = Desk::new();
    assert_eq!(desk.try_login(OFFICE, &register("ada-1"), "ada-1", "right"), 200);
    let call = invite("ada-1", "600");
    let challenge = desk.ask(OFFICE, &call).expect("a challenge");
    let proved =
        Request { credentials: Some(credentials(&challenge, &call, "ada-1", "right", 1)), ..call.clone() };
    let up = desk.ask(OFFICE, &proved).expect("an answer");
    let number = desk.requests;
    assert_eq!(status(&up), 200);
    let sent_again = proved.bytes(OFFICE, number);
    desk.lag(limits::LATE);
    let refused = desk.ask(OFFICE, &call).expect("an answer");
    assert_eq!(status(&refused), 503, "without credentials");
    assert!(String::from_utf8_lossy(&refused).contains("Retry-After: "));
    let next = Some(credentials(&challenge, &call, "ada-1", "right", 2));
    assert_eq!(desk.status_of(OFFICE, &Request { credentials: next, ..call.clone() }), 200);
    desk.lag(limits::VERY_LATE);
    let next = Some(credentials(&challenge, &call, "ada-1", "right", 3));
    assert_eq!(desk.status_of(OFFICE, &Request { credentials: next, ..call }), 503);
    let answers = desk.send(OFFICE, &sent_again);
    assert!(answers.iter().all(|bytes| status(bytes) == 200), "a call that was let in before is no new one");
    assert_eq!(desk.try_login(OFFICE, &register("ada-1"), "ada-1", "right"), 200, "phones stay reachable");
    desk.lag(limits::TOO_LATE);
    let up = Message::parse(&up).expect("a response");
    let to = up.to().expect("To").tag().expect("a tag").to_owned();
    for (method, expected) in [("ACK", 0), ("BYE", 200)] {
        let bytes = format!(
            "{method} sip:600@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {OFFICE};branch=z9hG4bK{method}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:ada-1@office>;tag=t{number}\r\nTo: <sip:600@office>;tag={to}\r\n\
             Call-ID: c{number}\r\nCSeq: {} {method}\r\nContent-Length: 0\r\n\r\n",
            1 + u32::from(method == "BYE")
        );
        let sent = desk.send(OFFICE, bytes.as_bytes());
        assert_eq!(sent.first().map_or(0, |bytes| status(bytes)), expected, "{method}");
    }
    assert_eq!(desk.status().shed, 2);
    desk.lag(Duration::ZERO);
    assert_eq!(desk.try_login(OFFICE, &invite("ada-1", "600"), "ada-1", "right"), 200);
}

#[test]
fn r31_a_call_in_emergency_is_never_shed_for_being_late() {
    let mut desk = Desk::new();
    let urgent = Request { uri: "urn:service:sos.fire".into(), ..invite("ada-1", "sos") };
    let other = Request { uri: "urn:service:counseling".into(), ..urgent.clone() };
    for lag in [limits::VERY_LATE, limits::TOO_LATE, 10 * limits::TOO_LATE] {
        desk.lag(lag);
        assert_ne!(desk.status_of(OFFICE, &urgent), 503);
        assert_eq!(desk.status_of(OFFICE, &other), 503);
    }
}

#[test]
fn r31_a_drain_refuses_calls_with_the_reason_and_takes_emergencies() {
    let mut desk = Desk::new();
    desk.exchange.drain();
    let refused = desk.ask(OFFICE, &invite("ada-1", "600")).expect("an answer");
    assert_eq!(status(&refused), 503);
    let text = String::from_utf8_lossy(&refused);
    assert!(
        text.contains("Retry-After: ") && text.contains("Reason: SIP;cause=503;text=\"The exchange stops"),
        "{text}"
    );
    let urgent = Request { uri: "urn:service:sos".into(), ..invite("ada-1", "sos") };
    assert_ne!(desk.status_of(OFFICE, &urgent), 503);
    assert_eq!(desk.try_login(OFFICE, &register("ada-1"), "ada-1", "right"), 200, "phones stay");
}

#[test]
fn sec_13_an_empty_office_knows_nobody() {
    let mut desk = Desk::new();
    let config =
        Config { echo_number: None, challenge: ChallengePolicy::Both, ..Config::new("office", Vec::new()) };
    desk.exchange = Exchange::new(desk.now, config, [8; 32], Snapshot::default());
    for name in ["", "0", "anonymous", "*", "%00", "office"] {
        for request in [register(name), invite(name, "600")] {
            assert!(matches!(desk.status_of(GUESSER, &request), 400..=401), "{name}");
            for password in ["", name, "nobody"] {
                assert!(matches!(desk.try_login(GUESSER, &request, name, password), 400..=401 | 0), "{name}");
            }
        }
        desk.wait(limits::STRIKES_KEPT + limits::IGNORED_MOST);
    }
    assert_eq!(desk.exchange.switch().load(), (0, 0));
}

#[test]
fn sec_01_a_callers_name_cannot_break_a_line() {
    let mut desk = Desk::new();
    let name = "ada\u{1b}[2J\u{202e}\"; DROP TABLE calls--";
    for index in 0..limits::STRIKES_OF_PAIR {
        desk.try_login(GUESSER, &register("ada-1"), name, &format!("{index}"));
    }
    let told = desk.reports.first().expect("a report");
    assert!(told.name.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{:?}", told.name);
}

#[test]
fn r16_a_trunks_media_comes_from_where_it_says_and_from_its_sources() {
    let mut desk = Desk::new();
    let trunk = exchange::Trunk {
        host: exchange::Host::Address([198, 51, 100, 1].into()),
        port: None,
        transport: sip::Transport::Udp,
        login: None,
        registers: false,
        channels: None,
        sources: vec![[198, 51, 100, 8].into(), [198, 51, 100, 9].into()],
        strip: 0,
        prepend: "".into(),
    };
    let put = PeopleChange::PutTrunk { name: "city".into(), trunk: Box::new(trunk) };
    desk.exchange.handle(desk.now, Input::Command { id: CommandId(9), command: Command::Change(put) });
    desk.drain();
    let listed = |own: [u8; 4]| {
        let ips = [own, [198, 51, 100, 8], [198, 51, 100, 9]];
        let mut ips: Vec<IpAddr> = ips.into_iter().map(IpAddr::from).collect();
        ips.dedup();
        Some(media::AcceptFrom::Listed { ips: ips.into(), generation: 0 })
    };
    assert_eq!(desk.status_of("198.51.100.1:5060", &invite("anybody", "600")), 200);
    assert_eq!(desk.accepts.pop(), listed([198, 51, 100, 1]));
    // A source is the trunk, too; a telephone has no list.
    assert_eq!(desk.status_of("198.51.100.8:5060", &invite("anybody", "600")), 200);
    assert_eq!(desk.accepts.pop(), listed([198, 51, 100, 8]));
    assert_eq!(desk.try_login(OFFICE, &invite("ada-1", "600"), "ada-1", "right"), 200);
    assert_eq!(desk.accepts.pop(), Some(media::AcceptFrom::Exact(address(OFFICE).ip())));
}
