//! What a branch does when its INVITE is refused for a reason that can be mended: a scripted caller and a scripted device
//! beside a real switch.

use calls::{AtOnce, CallEvent, CallId, Incoming, Party, PortLease, Switch, Target, Way};
use clock::Now;
use sip::Flow;
use std::sync::Arc;
use std::time::Duration;
use wire::sip::{HeaderName, Message, Method};

const OURS: &str = "192.0.2.1:5060";
const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

struct Bench {
    switch: Switch,
    now: Now,
    call: CallId,
}

fn flow(remote: &str) -> Flow {
    Flow::udp(OURS.parse().expect("valid"), remote.parse().expect("valid"))
}

fn target(remote: &str) -> Target {
    Target {
        label: "bob-1".into(),
        flow: flow(remote),
        uri: format!("sip:bob-1@{remote}").into(),
        routes: Vec::new(),
        callee: Party { number: "200".into(), name: "Bob".into() },
        domain: "office".into(),
        behind_nat: false,
        further: Vec::new(),
        line: None,
        at_once: None,
        shown: None,
    }
}

/// A device with two flows more.
fn three_flows() -> Target {
    let way = |remote: &str| {
        let Target { flow, uri, behind_nat, .. } = target(remote);
        Way { flow, uri, routes: vec![format!("<sip:edge@{remote};lr>").into()], behind_nat }
    };
    Target { further: vec![way("10.0.0.3:5060"), way("10.0.0.4:5060")], ..target("10.0.0.2:5060") }
}

/// A message that left, and where to.
struct Sent {
    flow: Flow,
    bytes: Vec<u8>,
}

impl Sent {
    fn message(&self) -> Message<'_> {
        Message::parse(&self.bytes).expect("valid")
    }

    fn text(&self, name: HeaderName) -> String {
        String::from_utf8(self.message().value(name).unwrap_or_default().to_vec()).expect("valid")
    }

    /// A response to this request, as a device would write it.
    fn answer(&self, status: &str, headers: &str, sdp: &str) -> String {
        let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=theirs\r\nCall-ID: {}\r\nCSeq: {}\r\n\
             {headers}{kind}Content-Length: {}\r\n\r\n{sdp}",
            self.text(HeaderName::Via),
            self.text(HeaderName::From),
            self.text(HeaderName::To).split(";tag").next().unwrap_or_default(),
            self.text(HeaderName::CallId),
            self.text(HeaderName::CSeq),
            sdp.len(),
        )
    }
}

impl Bench {
    /// A call that waits for its branches.
    fn new() -> Bench {
        let mut switch = Switch::new([7; 32]);
        let address = "192.0.2.1".parse().expect("valid");
        switch.ports().extend((0..4).map(|n| PortLease { address, port: 10_000 + 2 * n, worker: 0 }));
        let now = Now::default().after(Duration::from_secs(1));
        let invite = format!(
            "INVITE sip:200@office SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa\r\n\
             From: <sip:100@office>;tag=a\r\nTo: <sip:200@office>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:100@10.0.0.1>\r\nSupported: timer\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
            SDP.len()
        );
        let from = flow("10.0.0.1:5060");
        let message = Message::parse(invite.as_bytes()).expect("valid");
        switch.receive(now, from, &message);
        let incoming = Incoming {
            flow: from,
            invite: &message,
            caller: Party { number: "100".into(), name: "Ada".into() },
            dialled: "200".into(),
            label: "ada-1",
            behind_nat: false,
            media_from: Arc::default(),
            session_id: "0123456789abcdef0123456789abcdef".into(),
            emergency: false,
        };
        let call = switch.incoming(now, &incoming).expect("valid");
        Bench { switch, now, call }
    }

    /// All that left since the last look but what went to the caller, who acknowledges its 200.
    fn sent(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        while let Some(transmit) = self.switch.next_transmit() {
            let one = Sent { flow: transmit.flow, bytes: transmit.bytes.to_vec() };
            if one.flow != flow("10.0.0.1:5060") {
                sent.push(one);
            } else if one.message().status() == Some(200) {
                let ack = format!(
                    "ACK sip:200@office SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKb\r\n\
                     From: <sip:100@office>;tag=a\r\nTo: {}\r\nCall-ID: a\r\nCSeq: 1 ACK\r\n\
                     Content-Length: 0\r\n\r\n",
                    one.text(HeaderName::To)
                );
                self.receive(one.flow, &ack);
            }
        }
        sent
    }

    /// The INVITE that left last.
    fn invite(&mut self) -> Sent {
        let mut sent = self.sent();
        sent.retain(|sent| sent.message().is_request() && sent.message().method() == Method::Invite);
        sent.pop().expect("an INVITE")
    }

    fn receive(&mut self, flow: Flow, text: &str) {
        self.switch.receive(self.now, flow, &Message::parse(text.as_bytes()).expect("valid"));
    }

    fn events(&mut self) -> Vec<CallEvent> {
        std::iter::from_fn(|| self.switch.next_event()).collect()
    }

    fn exhausted(&mut self) -> bool {
        self.events().iter().any(|event| matches!(event, CallEvent::Exhausted { .. }))
    }
}

#[test]
fn a_422_is_answered_with_the_longer_session_at_most_twice() {
    let mut bench = Bench::new();
    let device = target("10.0.0.2:5060");
    bench.switch.add_branch(bench.now, bench.call, device.clone()).expect("valid");
    let first = bench.invite();
    assert_eq!(first.text(HeaderName::SessionExpires), "1800;refresher=uac");
    bench.receive(device.flow, &first.answer("422 Session Interval Too Small", "Min-SE: 3600\r\n", ""));
    let second = bench.invite();
    assert_eq!(second.text(HeaderName::SessionExpires), "3600;refresher=uac");
    assert_eq!(second.text(HeaderName::MinSe), "3600");
    assert_eq!(second.text(HeaderName::CallId), first.text(HeaderName::CallId));
    assert_eq!(second.text(HeaderName::From), first.text(HeaderName::From));
    assert_eq!(second.text(HeaderName::CSeq), "2 INVITE");
    assert_ne!(second.text(HeaderName::Via), first.text(HeaderName::Via), "a new transaction");
    assert_eq!(second.message().body(), first.message().body(), "the same offer");
    assert!(!bench.exhausted(), "the branch has not failed");
    bench.receive(device.flow, &second.answer("422 Session Interval Too Small", "Min-SE: 4000\r\n", ""));
    let third = bench.invite();
    assert_eq!(third.text(HeaderName::SessionExpires), "4000;refresher=uac");
    bench.receive(device.flow, &third.answer("422 Session Interval Too Small", "Min-SE: 5000\r\n", ""));
    assert!(bench.exhausted(), "a third refusal is one");
}

#[test]
fn a_422_without_min_se_is_a_failure() {
    let mut bench = Bench::new();
    let device = target("10.0.0.2:5060");
    bench.switch.add_branch(bench.now, bench.call, device.clone()).expect("valid");
    let first = bench.invite();
    bench.receive(device.flow, &first.answer("422 Session Interval Too Small", "", ""));
    assert!(bench.exhausted());
}

#[test]
fn r7_a_refresh_that_is_too_short_is_sent_again_with_the_longer_session() {
    let mut bench = Bench::new();
    let device = target("10.0.0.2:5060");
    bench.switch.add_branch(bench.now, bench.call, device.clone()).expect("valid");
    let invite = bench.invite();
    let contact = "Contact: <sip:bob-1@10.0.0.2:5060>\r\n";
    let agreed = format!("{contact}Session-Expires: 200;refresher=uac\r\nRequire: timer\r\n");
    bench.receive(device.flow, &invite.answer("200 OK", &agreed, SDP));
    bench.sent();
    bench.now = bench.now.after(Duration::from_secs(101));
    bench.switch.handle_timeout(bench.now);
    let refresh = bench.invite();
    assert_eq!(refresh.text(HeaderName::SessionExpires), "200;refresher=uac");
    bench.receive(device.flow, &refresh.answer("422 Session Interval Too Small", "Min-SE: 600\r\n", ""));
    let again = bench.invite();
    assert_eq!(again.text(HeaderName::SessionExpires), "600;refresher=uac");
    assert_eq!(again.text(HeaderName::MinSe), "600");
    assert_eq!(again.message().body(), refresh.message().body(), "R7: nothing of the media changed");
    let longer = format!("{contact}Session-Expires: 600;refresher=uac\r\nRequire: timer\r\n");
    bench.receive(device.flow, &again.answer("200 OK", &longer, SDP));
    assert!(!bench.events().iter().any(|event| matches!(event, CallEvent::Ended(_))), "the call goes on");
    bench.sent();
    bench.now = bench.now.after(Duration::from_secs(250));
    bench.switch.handle_timeout(bench.now);
    assert!(bench.sent().iter().all(|sent| !sent.bytes.starts_with(b"INVITE")), "not before half of 600 s");
    bench.now = bench.now.after(Duration::from_secs(51));
    bench.switch.handle_timeout(bench.now);
    assert_eq!(bench.invite().flow, device.flow);
}

#[test]
fn r11_the_flows_of_a_device_are_tried_in_turn() {
    let mut bench = Bench::new();
    let device = three_flows();
    bench.switch.add_branch(bench.now, bench.call, device.clone()).expect("valid");
    let first = bench.invite();
    assert_eq!(first.flow, device.flow);
    // The first answers nothing until Timer B ends its transaction.
    bench.now = bench.now.after(Duration::from_secs(33));
    bench.switch.handle_timeout(bench.now);
    let second = bench.invite();
    assert_eq!(second.flow, device.further[0].flow);
    assert_eq!(second.message().request_uri(), Some("sip:bob-1@10.0.0.3:5060"));
    assert_eq!(second.text(HeaderName::Route), "<sip:edge@10.0.0.3:5060;lr>");
    assert_eq!(second.text(HeaderName::CSeq), "2 INVITE");
    assert!(!bench.exhausted(), "the branch has not failed");
    // The edge of the second says that its flow is dead.
    bench.receive(second.flow, &second.answer("430 Flow Failed", "", ""));
    let third = bench.invite();
    assert_eq!(third.flow, device.further[1].flow);
    // A late word by a dead flow is nobody's.
    bench.receive(second.flow, &second.answer("486 Busy Here", "", ""));
    assert!(!bench.exhausted());
    bench.receive(third.flow, &third.answer("200 OK", "Contact: <sip:bob-1@10.0.0.4>\r\n", SDP));
    assert!(bench.events().iter().any(|event| matches!(event, CallEvent::Answered { .. })));
    let acks = bench.sent();
    assert!(acks.iter().any(|sent| sent.bytes.starts_with(b"ACK") && sent.flow == third.flow));
}

#[test]
fn r11_a_closed_flow_gives_way_to_the_next_unless_the_device_rings() {
    let mut bench = Bench::new();
    let device = three_flows();
    bench.switch.add_branch(bench.now, bench.call, device.clone()).expect("valid");
    bench.invite();
    bench.switch.flow_failed(bench.now, device.flow);
    let second = bench.invite();
    assert_eq!(second.flow, device.further[0].flow);
    bench.receive(second.flow, &second.answer("180 Ringing", "", ""));
    bench.switch.flow_failed(bench.now, second.flow);
    assert!(bench.sent().iter().all(|sent| !sent.bytes.starts_with(b"INVITE")), "it is not rung twice");
    assert!(bench.exhausted());
}

#[test]
fn r11_what_the_device_says_itself_is_final() {
    for status in ["486 Busy Here", "480 Temporarily Unavailable", "503 Service Unavailable"] {
        let mut bench = Bench::new();
        let device = three_flows();
        bench.switch.add_branch(bench.now, bench.call, device.clone()).expect("valid");
        let first = bench.invite();
        bench.receive(first.flow, &first.answer(status, "", ""));
        assert!(bench.exhausted(), "{status}");
    }
}

#[test]
fn r1_a_loser_whose_answer_crosses_its_cancel_hears_why_it_lost() {
    let reason = "SIP;cause=480;text=\"No answer\"";
    let mut bench = Bench::new();
    let device = target("10.0.0.2:5060");
    let branch = bench.switch.add_branch(bench.now, bench.call, device.clone()).expect("a branch");
    let invite = bench.invite();
    bench.receive(device.flow, &invite.answer("180 Ringing", "", ""));
    bench.switch.remove_branch(bench.now, branch, Some(reason));
    let cancel = bench.sent().pop().expect("a CANCEL");
    assert_eq!(cancel.text(HeaderName::Reason), reason);
    bench.receive(device.flow, &invite.answer("200 OK", "Contact: <sip:bob-1@10.0.0.2>\r\n", SDP));
    let sent = bench.sent();
    let methods: Vec<Method<'_>> = sent.iter().map(|sent| sent.message().method()).collect();
    assert_eq!(methods, [Method::Ack, Method::Bye]);
    assert_eq!(sent[1].text(HeaderName::Reason), reason);
}

#[test]
fn r5_a_device_is_asked_to_answer_by_itself_in_its_own_form_and_by_no_other() {
    let table = [
        (None, "", "", ""),
        (Some(AtOnce::AnswerMode), "Auto", "", ""),
        (Some(AtOnce::AlertInfo), "", "<http://127.0.0.1>;info=alert-autoanswer;delay=0", ""),
        (Some(AtOnce::CallInfo), "", "", "<sip:office>;answer-after=0"),
    ];
    for (at_once, mode, alert, call) in table {
        let mut bench = Bench::new();
        let target = Target { at_once, ..target("10.0.0.2:5060") };
        let (now, id) = (bench.now, bench.call);
        assert!(bench.switch.add_branch(now, id, target).is_some());
        let invite = bench.invite();
        let mode_sent = invite.message().value_of_other("Answer-Mode").unwrap_or_default().to_vec();
        assert_eq!(String::from_utf8_lossy(&mode_sent), mode);
        let sent = (invite.text(HeaderName::AlertInfo), invite.text(HeaderName::CallInfo));
        assert_eq!(sent, (alert.to_owned(), call.to_owned()));
    }
}

/// A branch to the outside, by a provider where we have an account.
fn to_the_outside() -> Target {
    let account =
        calls::Account { user: "office".into(), password: "hidden".into(), realm: Some("city".into()) };
    let line = calls::Line {
        pass: None,
        login: Some(Arc::new(account)),
        caller: None,
        media_from: Arc::default(),
        patience: Duration::from_secs(8),
        pass: None,
    };
    Target { line: Some(Box::new(line)), ..target("10.0.0.2:5060") }
}

fn challenge(realm: &str, nonce: u32) -> String {
    format!("WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"n{nonce}\", qop=\"auth\"\r\n")
}

#[test]
fn sec_08_a_provider_that_challenges_for_ever_hears_us_three_times() {
    let mut bench = Bench::new();
    let (now, id) = (bench.now, bench.call);
    assert!(bench.switch.add_branch(now, id, to_the_outside()).is_some());
    let mut asked = bench.invite();
    let mut invites = 1;
    for nonce in 0..10 {
        bench.receive(asked.flow, &asked.answer("401 Unauthorized", &challenge("city", nonce), ""));
        let next = bench.sent().into_iter().rfind(|sent| sent.message().method() == Method::Invite);
        let Some(next) = next else { break };
        assert!(next.text(HeaderName::Authorization).contains("username=\"office\""));
        (asked, invites) = (next, invites + 1);
    }
    assert_eq!(invites, 3, "at most two rounds of credentials");
    assert!(bench.exhausted());
}

#[test]
fn sec_09_who_is_called_gets_no_credentials_and_the_provider_those_of_its_realm() {
    for (target, realm) in [(target("10.0.0.2:5060"), "city"), (to_the_outside(), "elsewhere")] {
        let mut bench = Bench::new();
        let (now, id) = (bench.now, bench.call);
        assert!(bench.switch.add_branch(now, id, target).is_some());
        let asked = bench.invite();
        bench.receive(asked.flow, &asked.answer("401 Unauthorized", &challenge(realm, 1), ""));
        let sent = bench.sent();
        assert!(sent.iter().all(|sent| sent.message().method() != Method::Invite), "{realm}");
        assert!(
            sent.iter().all(|sent| !String::from_utf8_lossy(&sent.bytes).contains("response=")),
            "{realm}"
        );
        assert!(bench.exhausted());
    }
}
