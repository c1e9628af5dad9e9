//! Phones that sleep (RFC 8599, R29): woken by the broker, then registered, then rung; what is not known is refused.

use clock::{Mono, Now, Wall};
use exchange::{
    Change, Config, Device, Exchange, Group, Host, Input, Output, PeopleChange, Secret, Snapshot,
    StoreAnswer, Strategy, Trunk, WakeUp, limits,
};
use sip::digest::{Login, answer};
use sip::{Flow, Transport};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method};

const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
const OURS: &str = ";pn-provider=mqtt;pn-prid=bob-1";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A connection of Bob's phone.
fn connection(number: u64) -> Flow {
    let remote = SocketAddr::new(IpAddr::from([198, 51, 100, 7]), 40_000 + number as u16);
    Flow { transport: Transport::Tls, local: address("192.0.2.1:5061"), remote, connection: number }
}

fn provider() -> Flow {
    Flow::udp(address("192.0.2.1:5060"), address("192.0.2.9:5060"))
}

struct Desk {
    exchange: Exchange,
    now: Now,
    requests: u32,
    sent: Vec<(Flow, String)>,
    woken: Vec<WakeUp>,
    kept: Vec<Change>,
}

impl Desk {
    fn new(wakes: bool, more: Vec<Change>) -> Desk {
        let now = Now { mono: Mono(1_000_000), wall: Wall(1_700_000_000_000) };
        let config = Config { wakes, ..Config::new("office", vec![address("192.0.2.1:5060")]) };
        let secret = Secret::new("bob-1", "office", "right");
        let trunk = Trunk::at(Host::Address(provider().remote.ip()), None);
        let group = Group {
            display: "Sales".into(),
            number: "700".into(),
            strategy: Strategy::All,
            members: vec!["bob".into()],
            ring: Duration::from_secs(20),
            overflow: None,
        };
        let changes = [
            PeopleChange::PutAccount { name: "bob".into(), display: "bob".into(), settings: Box::default() },
            PeopleChange::PutNumber { number: "200".into(), account: "bob".into() },
            PeopleChange::PutDevice { name: "bob-1".into(), device: Device::new("bob", secret) },
            PeopleChange::PutTrunk { name: "city".into(), trunk: Box::new(trunk) },
            PeopleChange::PutGroup { name: "sales".into(), group: Box::new(group) },
        ];
        let changes = changes.into_iter().map(Change::People).chain(more).collect();
        let mut exchange = Exchange::new(now, config, [7; 32], Snapshot { changes, sequence: 0 });
        let lease = |index: u16| calls::PortLease {
            address: IpAddr::from([192, 0, 2, 1]),
            port: 40_000 + 2 * index,
            worker: 0,
        };
        exchange.handle(now, Input::Ports((0..100).map(lease).collect()));
        Desk { exchange, now, requests: 0, sent: Vec::new(), woken: Vec::new(), kept: Vec::new() }
    }

    fn feed(&mut self, input: Input<'_>) {
        self.exchange.handle(self.now, input);
        while let Some(output) = self.exchange.next_output() {
            match output {
                Output::Transmit(transmit) => {
                    self.sent.push((transmit.flow, String::from_utf8_lossy(&transmit.bytes).into_owned()));
                }
                Output::WakeUp(wake) => self.woken.push(*wake),
                Output::Commit(commit) => {
                    self.kept.extend(commit.changes.iter().map(|owned| owned.change.clone()));
                    let answer = StoreAnswer::Committed;
                    self.exchange.handle(self.now, Input::Stored { sequence: commit.sequence, answer });
                }
                _ => {}
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.feed(Input::Timeout);
    }

    /// The last message to somebody that begins so.
    fn last(&self, to: Flow, begins: &str) -> Option<&str> {
        let found = self.sent.iter().rev().find(|(flow, text)| *flow == to && text.starts_with(begins));
        found.map(|(_, text)| text.as_str())
    }

    /// Bob's phone registers by a connection, with these parameters of its Contact; the answer.
    fn registers(&mut self, flow: Flow, push: &str) -> String {
        self.feed(Input::FlowOpened { flow, origin: None });
        let mut credentials = String::new();
        for _ in 0..2 {
            self.requests += 1;
            let count = self.requests;
            let request = format!(
                "REGISTER sip:office SIP/2.0\r\nVia: SIP/2.0/TLS 198.51.100.7;branch=z9hG4bKr{count}\r\n\
                 From: <sip:bob-1@office>;tag=r{count}\r\nTo: <sip:bob-1@office>\r\nCall-ID: r\r\n\
                 CSeq: {count} REGISTER\r\nMax-Forwards: 70\r\n\
                 Contact: <sip:bob-1@198.51.100.7:{};transport=tls{push}>\r\n\
                 Expires: 600\r\n{credentials}Content-Length: 0\r\n\r\n",
                flow.remote.port()
            );
            self.feed(Input::Message { flow, bytes: request.as_bytes() });
            let told = self.last(flow, "SIP/2.0 ").expect("an answer").to_owned();
            if !told.starts_with("SIP/2.0 401 ") {
                return told;
            }
            let challenge = Message::parse(told.as_bytes()).expect("a challenge");
            let login = Login { user: "bob-1", password: "right", realm: None };
            let (name, value) = answer(&challenge, login, Method::Register, "sip:office", count, 7)
                .expect("a challenge for us");
            credentials = format!("{}: {value}\r\n", name.as_str());
        }
        panic!("challenged twice")
    }

    /// The provider calls Bob.
    fn is_called(&mut self, method: &str) {
        self.calls("200", method);
    }

    fn calls(&mut self, number: &str, method: &str) {
        self.requests += u32::from(method == "INVITE");
        let count = self.requests;
        let body = if method == "INVITE" { SDP } else { "" };
        let request = format!(
            "{method} sip:{number}@office SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKc{count}\r\n\
             From: <sip:+4930@city>;tag=c{count}\r\nTo: <sip:{number}@office>\r\nCall-ID: c{count}\r\n\
             CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:city@192.0.2.9>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.feed(Input::Datagram { flow: provider(), bytes: request.as_bytes() });
    }

    /// Bob's phone answers the INVITE that it has there.
    fn says(&mut self, flow: Flow, status: &str) {
        let invite = self.last(flow, "INVITE ").expect("an INVITE").to_owned();
        let invite = Message::parse(invite.as_bytes()).expect("a message");
        let line = |name: HeaderName| {
            let value = invite.value(name).map(String::from_utf8_lossy).unwrap_or_default().into_owned();
            format!("{}: {value}\r\n", name.as_str())
        };
        let to = line(HeaderName::To).trim_end().to_owned();
        let answer = format!(
            "SIP/2.0 {status}\r\n{}{}{to};tag=b\r\n{}{}Contact: <sip:bob-1@198.51.100.7>\r\nContent-Length: 0\r\n\r\n",
            line(HeaderName::Via),
            line(HeaderName::From),
            line(HeaderName::CallId),
            line(HeaderName::CSeq),
        );
        self.feed(Input::Message { flow, bytes: answer.as_bytes() });
    }

    fn loses(&mut self, flow: Flow) {
        self.feed(Input::FlowClosed(flow));
    }

    fn caller_hears(&self) -> &str {
        self.last(provider(), "SIP/2.0 ").and_then(|text| text.lines().next()).unwrap_or_default()
    }

    /// Who was woken, or told that nobody waits.
    fn told(&self) -> Vec<(&str, bool)> {
        self.woken.iter().map(|wake| (&*wake.device, wake.waits)).collect()
    }
}

#[test]
fn r29_a_phone_that_sleeps_is_woken_once_and_rung_by_the_connection_that_it_comes_by() {
    let mut desk = Desk::new(true, Vec::new());
    let registered = desk.registers(connection(1), OURS);
    assert!(registered.contains("Feature-Caps: *;+sip.pns=\"mqtt\"\r\n"), "{registered}");
    desk.loses(connection(1));
    desk.is_called("INVITE");
    assert_eq!(desk.told(), [("bob-1", true)]);
    assert!(desk.caller_hears().starts_with("SIP/2.0 182 "), "{}", desk.caller_hears());
    desk.wait(Duration::from_secs(5));
    assert!(desk.registers(connection(2), OURS).starts_with("SIP/2.0 200 "));
    assert!(desk.last(connection(2), "INVITE sip:bob-1@").is_some(), "by the connection that it came by");
    assert!(desk.caller_hears().starts_with("SIP/2.0 182 "), "nothing rings yet");
    desk.says(connection(2), "180 Ringing");
    assert!(desk.caller_hears().starts_with("SIP/2.0 180 "), "{}", desk.caller_hears());
    desk.wait(limits::WAKE_PATIENCE);
    assert_eq!(desk.told(), [("bob-1", true)], "one message a call and phone");
    assert!(desk.caller_hears().starts_with("SIP/2.0 180 "), "it rings on");
}

#[test]
fn r29_who_gives_up_before_it_comes_ends_the_wait_and_the_phone_is_told() {
    let mut desk = Desk::new(true, Vec::new());
    desk.registers(connection(1), OURS);
    desk.loses(connection(1));
    desk.is_called("INVITE");
    desk.is_called("CANCEL");
    assert_eq!(desk.told(), [("bob-1", true), ("bob-1", false)]);
    assert_eq!(desk.woken[0].session_id, desk.woken[1].session_id);
    desk.registers(connection(2), OURS);
    assert!(desk.last(connection(2), "INVITE ").is_none(), "nobody calls any more");
}

#[test]
fn r29_a_phone_that_does_not_come_is_as_if_it_had_not_been_woken() {
    let mut desk = Desk::new(true, Vec::new());
    desk.registers(connection(1), OURS);
    desk.loses(connection(1));
    desk.is_called("INVITE");
    desk.wait(limits::WAKE_PATIENCE - Duration::from_millis(1));
    assert!(desk.caller_hears().starts_with("SIP/2.0 182 "), "{}", desk.caller_hears());
    desk.wait(Duration::from_millis(1));
    assert!(desk.caller_hears().starts_with("SIP/2.0 480 "), "{}", desk.caller_hears());
    // Its registration is over some time, and then nobody is woken.
    desk.wait(Duration::from_secs(600));
    desk.is_called("INVITE");
    assert_eq!(desk.told(), [("bob-1", true)]);
    assert!(desk.caller_hears().starts_with("SIP/2.0 480 "), "{}", desk.caller_hears());
}

#[test]
fn r29_a_connection_behind_which_nobody_says_anything_is_no_sign_of_life() {
    let mut desk = Desk::new(true, Vec::new());
    desk.registers(connection(1), OURS);
    desk.is_called("INVITE");
    assert!(desk.last(connection(1), "INVITE ").is_some(), "it may be awake");
    desk.wait(limits::SAYS_NOTHING - Duration::from_millis(1));
    assert_eq!(desk.told(), []);
    desk.wait(Duration::from_millis(1));
    assert_eq!(desk.told(), [("bob-1", true)]);
    desk.registers(connection(2), OURS);
    assert!(desk.last(connection(2), "INVITE ").is_some());
    // One that says something is not woken.
    let mut desk = Desk::new(true, Vec::new());
    desk.registers(connection(1), OURS);
    desk.is_called("INVITE");
    desk.says(connection(1), "180 Ringing");
    desk.wait(limits::SAYS_NOTHING);
    assert_eq!(desk.told(), []);
}

#[test]
fn r29_a_phone_that_sleeps_is_woken_for_a_hunt_group() {
    let mut desk = Desk::new(true, Vec::new());
    desk.registers(connection(1), OURS);
    desk.loses(connection(1));
    desk.calls("700", "INVITE");
    assert_eq!(desk.told(), [("bob-1", true)]);
    assert!(desk.caller_hears().starts_with("SIP/2.0 182 "), "{}", desk.caller_hears());
    desk.registers(connection(2), OURS);
    desk.says(connection(2), "180 Ringing");
    assert!(desk.caller_hears().starts_with("SIP/2.0 180 "), "{}", desk.caller_hears());
    // Who does not come is passed over, and the group is at its end.
    let mut desk = Desk::new(true, Vec::new());
    desk.registers(connection(1), OURS);
    desk.loses(connection(1));
    desk.calls("700", "INVITE");
    desk.wait(limits::WAKE_PATIENCE);
    assert!(!desk.caller_hears().starts_with("SIP/2.0 182 "), "{}", desk.caller_hears());
}

#[test]
fn r29_what_slept_before_a_restart_is_woken_after_it() {
    let mut desk = Desk::new(true, Vec::new());
    desk.registers(connection(1), OURS);
    let kept = desk.kept.iter().filter(|change| matches!(change, Change::Bindings { .. })).cloned().collect();
    let mut desk = Desk::new(true, kept);
    desk.is_called("INVITE");
    assert_eq!(desk.told(), [("bob-1", true)]);
}

#[test]
fn r29_555_for_who_is_not_known_and_for_the_topic_of_another() {
    let mut desk = Desk::new(true, Vec::new());
    for push in [";pn-provider=apns;pn-prid=bob-1", ";pn-provider=mqtt;pn-prid=ada-1", ";pn-provider=mqtt"] {
        let told = desk.registers(connection(1), push);
        assert!(
            told.starts_with("SIP/2.0 555 Push Notification Service Not Supported\r\n"),
            "{push}: {told}"
        );
    }
    // Who asks is told.
    let told = desk.registers(connection(1), ";pn-provider");
    assert!(
        told.starts_with("SIP/2.0 200 ") && told.contains("Feature-Caps: *;+sip.pns=\"mqtt\"\r\n"),
        "{told}"
    );
    let told = desk.registers(connection(1), "");
    assert!(told.starts_with("SIP/2.0 200 ") && !told.contains("Feature-Caps"), "{told}");
    // Without a broker there is nobody.
    let mut desk = Desk::new(false, Vec::new());
    assert!(desk.registers(connection(1), OURS).starts_with("SIP/2.0 555 "));
    let told = desk.registers(connection(1), ";pn-provider");
    assert!(told.starts_with("SIP/2.0 200 ") && !told.contains("Feature-Caps"), "{told}");
}
