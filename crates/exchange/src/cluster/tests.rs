//! Two exchanges with one store between them and no network: whose phones ring by whose door, and who keeps what must happen once.

use super::{CallNews, Carry, ClusterInput, ClusterOutput, Member, Place, ToldWebPhone};
use crate::agents::{AgentAsking, AgentState, SignIn};
use crate::background::{Asking, NewTask};
use crate::change::{Change, Epoch};
use crate::command::{Answer, Command};
use crate::events::{CallState, Event, Happened, LiveCall};
use crate::exchange::{Config, Exchange, Snapshot};
use crate::input::{CommandId, Input, Output};
use crate::people::{Device, Group, Host, PeopleChange, Queue, Right, Rights, Settings, Strategy, Trunk};
use crate::seats::{Means, Taken};
use crate::sites::{Membership, SiteOutput};
use calls::{Cause, PortLease};
use clock::{Mono, Now, Wall};
use sip::bindings::StoredBinding;
use sip::{Flow, Transport};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

mod directory;
mod homes;

const START: Now = Now { mono: Mono(1_000_000), wall: Wall(1_796_004_000_000) };
const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

fn number(place: usize) -> NonZeroU8 {
    NonZeroU8::new(u8::try_from(place + 1).unwrap()).unwrap()
}

fn door(place: usize) -> SocketAddr {
    SocketAddr::new([192, 0, 2, u8::try_from(place + 1).unwrap()].into(), 5060)
}

/// The provider, whose calls need no digest, and Ada's phone.
fn city(place: usize) -> Flow {
    Flow::udp(door(place), "198.51.100.1:5060".parse().unwrap())
}

fn phone(place: usize) -> Flow {
    Flow::udp(door(place), "192.0.2.77:5060".parse().unwrap())
}

fn bela(place: usize) -> Flow {
    Flow::udp(door(place), "192.0.2.78:5060".parse().unwrap())
}

struct Pair {
    exchanges: Vec<Exchange>,
    now: Now,
    sent: VecDeque<(Flow, String)>,
    answers: Vec<Answer>,
    events: Vec<Event>,
    /// How many messages went from one to another.
    carried: usize,
    /// What is told of calls is lost.
    deaf: bool,
    /// The store says that another changed the office in the same moment.
    crossed: bool,
    /// The last that was told.
    news: Option<CallNews>,
    /// What each wants of the directory and of other exchanges of it.
    sites: Vec<(usize, SiteOutput)>,
    count: u32,
}

impl Pair {
    fn new() -> Pair {
        Pair::of(None)
    }

    /// Two that are one exchange of a directory, if they joined any.
    fn of(membership: Option<Membership>) -> Pair {
        let mut pair = Pair {
            exchanges: Vec::new(),
            now: START,
            sent: VecDeque::new(),
            answers: Vec::new(),
            events: Vec::new(),
            carried: 0,
            deaf: false,
            crossed: false,
            news: None,
            sites: Vec::new(),
            count: 0,
        };
        for place in 0..2 {
            let mut config = Config::new("test", vec![door(place)]);
            config.emergency.numbers = vec!["112".into()];
            config.membership = membership.clone();
            config.cluster = Some(Place { number: number(place), keeps: place == 0, position: 0 });
            let seed = [u8::try_from(place + 1).unwrap(); 32];
            let snapshot = Snapshot { changes: people(), sequence: 0 };
            let exchange = Exchange::new(START, config, seed, snapshot);
            pair.exchanges.push(exchange.in_epoch(Epoch(u64::from(place == 0))));
        }
        for place in 0..2 {
            let lease = |port| PortLease { address: door(place).ip(), port, worker: 0 };
            pair.feed(place, Input::Ports((0..32).map(|port| lease(10_000 + 2 * port)).collect()));
            pair.others(place, true);
        }
        pair
    }

    /// An exchange is told of the other.
    fn others(&mut self, place: usize, reachable: bool) {
        let other = 1 - place;
        let member = Member {
            number: number(other),
            name: ["north", "south"][other].into(),
            doors: vec![(Transport::Udp, door(other))],
            reachable,
            keeps: reachable && other == 0,
        };
        self.told(place, ClusterInput::Members(vec![member]));
    }

    fn told(&mut self, place: usize, said: ClusterInput) {
        self.feed(place, Input::Cluster(Box::new(said)));
    }

    fn feed(&mut self, place: usize, input: Input<'_>) {
        self.exchanges[place].handle(self.now, input);
        while let Some(output) = self.exchanges[place].next_output() {
            match output {
                Output::Transmit(transmit) => {
                    let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                    self.sent.push_back((transmit.flow, text));
                }
                Output::Cluster(said) => self.passes_on(place, *said),
                Output::Commit(commit) => {
                    let answer = match self.crossed {
                        true => crate::StoreAnswer::Conflict { why: "look".into() },
                        false => crate::StoreAnswer::Committed,
                    };
                    self.exchanges[place]
                        .handle(self.now, Input::Stored { sequence: commit.sequence, answer });
                }
                Output::Answer { answer, .. } => self.answers.push(answer),
                Output::Event(event) => self.events.push(*event),
                Output::Site(asked) => self.sites.push((place, *asked)),
                _ => {}
            }
        }
    }

    /// What one tells the other.
    fn passes_on(&mut self, place: usize, said: ClusterOutput) {
        let (other, from) = (1 - place, number(place));
        match said {
            ClusterOutput::Carry(Carry { to, flow, bytes }) => {
                assert_eq!(to, number(other));
                self.carried += 1;
                self.told(other, ClusterInput::Carried { flow, bytes });
            }
            ClusterOutput::Calls { news, .. } if self.deaf => self.news = Some(news),
            ClusterOutput::Calls { news, .. } => {
                self.news = Some(news.clone());
                self.told(other, ClusterInput::Calls { from, news });
            }
            ClusterOutput::WebPhones { all, phones, .. } => {
                self.told(other, ClusterInput::WebPhones { from, all, phones });
            }
            ClusterOutput::TellAll(_) => self.told(other, ClusterInput::TellAll(from)),
            ClusterOutput::MayPickUp { call, watch, device, name, .. } => {
                self.told(other, ClusterInput::MayPickUp { from, call, watch, device, name });
            }
            ClusterOutput::Take { account, device, means, .. } => {
                self.told(other, ClusterInput::Take { account, device, means });
            }
            ClusterOutput::HangUp { call, who, .. } => self.told(other, ClusterInput::HangUp { call, who }),
        }
    }

    /// Time goes on.
    fn passes(&mut self, wait: Duration) {
        self.now = self.now.after(wait);
        for place in 0..2 {
            self.feed(place, Input::Timeout);
        }
    }

    /// The calls of the office, as one exchange lists them.
    fn calls_seen_at(&mut self, place: usize) -> Vec<LiveCall> {
        match self.command(place, Command::ListCalls) {
            Answer::Calls(calls) => calls,
            other => panic!("{other:?}"),
        }
    }

    /// How an agent stands, as the keeper has it.
    fn stands(&mut self, account: &str) -> AgentState {
        match self.command(0, Command::Agents(AgentAsking::One(account.into()).into())) {
            Answer::Agents(rows) => rows[0].state,
            other => panic!("{other:?}"),
        }
    }

    /// A phone of the office calls a number by a door; it has not proved itself yet.
    fn dials(&mut self, place: usize, device: &str, number: &str) {
        self.count += 1;
        let count = self.count;
        let request = format!(
            "INVITE sip:{number}@office SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKd{count}\r\n\
             From: <sip:{device}@office>;tag=d{count}\r\nTo: <sip:{number}@office>\r\nCall-ID: dialled-{count}\r\n\
             CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:{device}@192.0.2.77:5060>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
            SDP.len()
        );
        self.says(place, phone(place), &request);
    }

    fn says(&mut self, place: usize, flow: Flow, text: &str) {
        self.feed(place, Input::Datagram { flow, bytes: text.as_bytes() });
    }

    /// The provider calls a number by this door.
    fn calls(&mut self, place: usize, called: &str) {
        self.count += 1;
        let count = self.count;
        let request = format!(
            "INVITE sip:{called}@office SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKc{count}\r\n\
             From: <sip:+4930@city>;tag=c{count}\r\nTo: <sip:{called}@office>\r\nCall-ID: call-{count}\r\n\
             CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:city@198.51.100.1:5060>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
            SDP.len()
        );
        self.says(place, city(place), &request);
    }

    /// The last message to somebody that begins so.
    fn last(&self, to: Flow, begins: &str) -> Option<&str> {
        let found = self.sent.iter().rev().find(|(flow, text)| *flow == to && text.starts_with(begins));
        found.map(|(_, text)| text.as_str())
    }

    /// What a phone answers to the INVITE that came by a door.
    fn answers(&mut self, place: usize, status: &str, body: &str) {
        let invite = self.last(phone(place), "INVITE ").expect("an INVITE").to_owned();
        let lines = invite.lines().filter(|line| {
            ["Via:", "From:", "Call-ID:", "CSeq:"].iter().any(|header| line.starts_with(header))
        });
        let headers: String = lines.map(|line| format!("{line}\r\n")).collect();
        let to = invite.lines().find(|line| line.starts_with("To:")).expect("To");
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let answer = format!(
            "SIP/2.0 {status}\r\n{headers}{to};tag=phone\r\nContact: <sip:ada@192.0.2.77:5060>\r\n{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.says(place, phone(place), &answer);
    }

    fn command(&mut self, place: usize, command: Command) -> Answer {
        self.feed(place, Input::Command { id: CommandId(1), command });
        self.answers.pop().expect("an answer")
    }

    /// Ada's phone has registered by the second's door.
    fn ada_registers_at_south(&mut self) {
        let bindings = vec![binding(phone(1))];
        self.told(
            0,
            ClusterInput::Fed {
                position: 1,
                changes: vec![Change::BindingsElsewhere { device: "ada-desk".into(), bindings }],
            },
        );
    }

    /// Bela has 2002, may have background calls, and is at the second's door.
    fn bela_registers_at_south(&mut self) {
        let rights = Rights::default().with(Right::Background);
        let settings = Box::new(Settings { rights, ..Settings::default() });
        let flow = Flow::udp(door(1), "192.0.2.78:5060".parse().unwrap());
        let bindings = vec![StoredBinding { contact: "sip:bela@192.0.2.78:5060".into(), ..binding(flow) }];
        let people = [
            PeopleChange::PutAccount { name: "bela".into(), display: "Bela".into(), settings },
            PeopleChange::PutNumber { number: "2002".into(), account: "bela".into() },
            PeopleChange::PutDevice { name: "bela-desk".into(), device: desk("bela") },
        ];
        let mut changes: Vec<Change> = people.into_iter().map(Change::People).collect();
        changes.push(Change::BindingsElsewhere { device: "bela-desk".into(), bindings });
        self.told(0, ClusterInput::Fed { position: 2, changes });
    }
}

fn binding(flow: Flow) -> StoredBinding {
    StoredBinding {
        contact: "sip:ada@192.0.2.77:5060".into(),
        instance: None,
        reg_id: 0,
        q: 1_000,
        path: Vec::new(),
        flow,
        behind_nat: false,
        expires: START.after(Duration::from_secs(600)).wall,
        call_id: "r".into(),
        sequence: 1,
    }
}

fn desk(account: &str) -> Device {
    Device {
        account: account.into(),
        secret: crate::Secret { md5: "0".repeat(32).into(), sha256: "0".repeat(64).into() },
        location: "".into(),
        call_back: None,
        auto_answer: None,
    }
}

fn people() -> Vec<Change> {
    let trunk = Trunk {
        host: Host::Address("198.51.100.1".parse().unwrap()),
        port: None,
        transport: Transport::Udp,
        login: None,
        registers: true,
        channels: None,
        sources: Vec::new(),
        strip: 0,
        prepend: "".into(),
    };
    let group = Group {
        display: "North".into(),
        number: "2500".into(),
        strategy: Strategy::All,
        members: vec!["ada".into(), "bela".into()],
        ring: Duration::from_secs(20),
        overflow: None,
    };
    let settings = Settings { wrap_up: Some(Duration::from_secs(10)), ..Settings::default() };
    let sales = Queue::new("Sales", "8001");
    let changes = vec![
        PeopleChange::PutAccount { name: "ada".into(), display: "Ada".into(), settings: Box::new(settings) },
        PeopleChange::PutNumber { number: "2001".into(), account: "ada".into() },
        PeopleChange::PutDevice { name: "ada-desk".into(), device: desk("ada") },
        PeopleChange::PutAccount { name: "bela".into(), display: "Bela".into(), settings: Box::default() },
        PeopleChange::PutNumber { number: "2002".into(), account: "bela".into() },
        PeopleChange::PutDevice { name: "bela-desk".into(), device: desk("bela") },
        PeopleChange::PutGroup { name: "north".into(), group: Box::new(group) },
        PeopleChange::PutTrunk { name: "city".into(), trunk: Box::new(trunk) },
        PeopleChange::PutQueue { name: "sales".into(), queue: Box::new(sales) },
    ];
    changes.into_iter().map(Change::People).collect()
}

/// R24: the one that the call came to rings a phone by the other's door; what the phone says there finds its way.
#[test]
fn a_phone_is_rung_by_the_door_that_it_registered_at() {
    let mut pair = Pair::new();
    pair.ada_registers_at_south();
    pair.calls(0, "2001");
    pair.answers(1, "180 Ringing", "");
    assert!(pair.last(city(0), "SIP/2.0 180").is_some());
    pair.answers(1, "200 OK", SDP);
    let answered = pair.last(city(0), "SIP/2.0 200").expect("an answer").to_owned();
    let to = answered.lines().find(|line| line.starts_with("To:")).unwrap();
    let ack = format!(
        "ACK sip:ringdown@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKack\r\n\
         From: <sip:+4930@city>;tag=c1\r\n{to}\r\nCall-ID: call-1\r\nCSeq: 1 ACK\r\nMax-Forwards: 70\r\n\
         Content-Length: 0\r\n\r\n"
    );
    pair.says(0, city(0), &ack);
    let ack = pair.last(phone(1), "ACK ").expect("it is acknowledged by the same door").to_owned();
    let of = |name: &str| ack.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    // The phone hangs up: within the dialog the tag of the one who called it says whose it is.
    let (ours, its) = (of("From:").replacen("From:", "To:", 1), of("To:").replacen("To:", "From:", 1));
    let bye = format!(
        "BYE sip:ringdown@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKbye\r\n{its}\r\n{ours}\r\n{}\r\n\
         CSeq: 1 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        of("Call-ID:")
    );
    pair.says(1, phone(1), &bye);
    assert!(pair.last(phone(1), "SIP/2.0 200").is_some(), "its BYE is answered");
    assert!(pair.last(city(0), "BYE ").is_some(), "the caller is told");
    assert_eq!(pair.carried, 3, "180, 200 and BYE, and nothing else");
    assert_eq!(pair.exchanges[1].switch().load(), (0, 0), "the other has no call of it");
}

/// R28: nobody is at the doors of one that is gone; a phone that comes elsewhere is rung there at once.
#[test]
fn a_call_waits_for_a_phone_whose_exchange_died_and_rings_it_where_it_comes() {
    let mut pair = Pair::new();
    pair.ada_registers_at_south();
    pair.others(0, false);
    pair.calls(0, "2001");
    assert!(pair.last(phone(1), "INVITE ").is_none(), "there is no way to it");
    assert!(pair.last(city(0), "SIP/2.0 4").is_none(), "it is on its way: the caller waits");
    let elsewhere = Flow::udp(door(1), "192.0.2.77:5060".parse().unwrap());
    assert_eq!(elsewhere, phone(1));
    pair.others(0, true);
    assert!(pair.last(phone(1), "INVITE ").is_some(), "it can be reached again, and rings");
}

/// R25: a call for a queue that comes to another is the keeper's, and so is a command; who may not be it any more lets it rest.
#[test]
fn what_must_happen_once_is_the_keepers() {
    let mut pair = Pair::new();
    pair.calls(1, "8001");
    assert!(pair.carried > 0);
    assert_eq!(pair.exchanges[1].switch().load().0, 0);
    assert_eq!(pair.exchanges[0].switch().load().0, 1, "the keeper has the call");
    assert!(pair.last(city(1), "SIP/2.0 ").is_some(), "and answers by the door that it came to");
    match pair.command(1, Command::ListQueues) {
        Answer::KeptBy(number, why) => {
            assert_eq!(number, self::number(0));
            assert!(why.contains("north"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    assert!(!matches!(pair.command(0, Command::ListQueues), Answer::Unavailable(_)));
    let lasts = Duration::from_secs(3);
    pair.told(0, ClusterInput::Keep { epoch: Epoch(1), lasts, changes: None });
    pair.now = pair.now.after(Duration::from_secs(4));
    assert!(matches!(pair.command(0, Command::ListQueues), Answer::Unavailable(_)), "it rests");
    pair.told(0, ClusterInput::Keep { epoch: Epoch(1), lasts, changes: None });
    assert!(!matches!(pair.command(0, Command::ListQueues), Answer::Unavailable(_)), "and goes on");
    // Another has it now: the call that waited in the queue is over, and the new keeper has what there is.
    pair.told(0, ClusterInput::Lose);
    assert_eq!(pair.exchanges[0].switch().load().0, 0);
    pair.told(1, ClusterInput::Keep { epoch: Epoch(2), lasts, changes: Some(Vec::new()) });
    assert!(!matches!(pair.command(1, Command::ListQueues), Answer::Unavailable(_)));
}

/// R25: the next keeper will call whoever is rung now; who has answered is on the line, and stays there.
#[test]
fn an_attempt_that_rings_is_taken_back_when_keeping_rests() {
    for answered in [false, true] {
        let mut pair = Pair::new();
        pair.ada_registers_at_south();
        pair.bela_registers_at_south();
        let lasts = Duration::from_secs(3);
        pair.told(0, ClusterInput::Keep { epoch: Epoch(1), lasts, changes: None });
        let new = NewTask { account: "bela".into(), number: "2001".into(), ..NewTask::default() };
        let started = pair.command(0, Command::Background(Box::new(Asking::Start(new))));
        assert!(matches!(started, Answer::Task(Some(_))), "{started:?}");
        pair.feed(0, Input::Timeout);
        pair.answers(1, "180 Ringing", "");
        if answered {
            pair.answers(1, "200 OK", SDP);
        }
        let (when, _) = pair.exchanges[0].next_deadline().expect("it wakes for that");
        assert!(when <= pair.now.mono + lasts, "{when:?}");
        pair.now = pair.now.after(lasts);
        pair.feed(0, Input::Timeout);
        assert_eq!(pair.last(phone(1), "CANCEL ").is_some(), !answered);
        assert!(pair.last(phone(1), "BYE ").is_none());
    }
}

/// R20: who was added by one is there at the other; who left is not.
#[test]
fn what_one_changes_the_other_has() {
    let mut pair = Pair::new();
    let changes = vec![
        Change::People(PeopleChange::PutAccount {
            name: "bela".into(),
            display: "Bela".into(),
            settings: Box::default(),
        }),
        Change::People(PeopleChange::PutNumber { number: "2002".into(), account: "bela".into() }),
        Change::People(PeopleChange::RemoveDevice { name: "ada-desk".into() }),
    ];
    pair.ada_registers_at_south();
    pair.told(0, ClusterInput::Fed { position: 7, changes });
    assert!(
        matches!(pair.command(0, Command::Number("2002".into())), Answer::Numbers(found) if found.len() == 1)
    );
    assert!(
        matches!(pair.command(0, Command::Device("ada-desk".into())), Answer::Devices(found) if found.is_empty())
    );
    pair.calls(0, "2001");
    assert!(pair.last(phone(1), "INVITE ").is_none(), "the phone is gone everywhere");
    assert_eq!(pair.exchanges[0].cluster.position(), 7);
}

/// R20: a change that crossed another's is not made, and whoever asked can tell that from a store that is away.
#[test]
fn a_change_that_crossed_anothers_says_so() {
    let mut pair = Pair::new();
    let put = || Command::Change(PeopleChange::PutNumber { number: "2003".into(), account: "bela".into() });
    pair.crossed = true;
    assert_eq!(pair.command(0, put()), Answer::Crossed("look".into()));
    let known = |answer| matches!(answer, Answer::Numbers(found) if found.len() == 1);
    assert!(!known(pair.command(0, Command::Number("2003".into()))));
    pair.crossed = false;
    assert_eq!(pair.command(0, put()), Answer::Done);
    assert!(known(pair.command(0, Command::Number("2003".into()))));
}

/// A message by a door that is nobody's is not taken: what is answered would leave by one of ours.
#[test]
fn what_did_not_come_by_anothers_door_is_not_carried() {
    let mut pair = Pair::new();
    let bytes: Arc<[u8]> = b"OPTIONS sip:x SIP/2.0\r\n\r\n".as_slice().into();
    let stranger = Flow::udp("203.0.113.9:5060".parse().unwrap(), "203.0.113.8:5060".parse().unwrap());
    pair.told(0, ClusterInput::Carried { flow: stranger, bytes });
    assert!(pair.sent.is_empty());
}

/// R24: whoever looks at one exchange sees the calls of the office, and may end them there.
#[test]
fn calls_of_one_are_seen_at_the_other() {
    let mut pair = Pair::new();
    pair.ada_registers_at_south();
    pair.calls(0, "2001");
    pair.answers(1, "180 Ringing", "");
    assert!(pair.calls_seen_at(1).is_empty(), "changes are gathered for a moment");
    pair.passes(Duration::from_millis(50));
    let seen = pair.calls_seen_at(1);
    assert_eq!(
        (seen.len(), seen[0].state, seen[0].accounts.as_slice()),
        (1, CallState::Ringing, &["ada".into()][..])
    );
    pair.answers(1, "200 OK", SDP);
    pair.passes(Duration::from_millis(50));
    let seen = pair.calls_seen_at(1);
    assert_eq!((seen[0].state, seen[0].callee.device.as_deref()), (CallState::Talking, Some("ada-desk")));
    let call = seen[0].name.clone();
    assert_eq!(
        pair.command(1, Command::HangUp { call: call.clone(), who: "the admin".into() }),
        Answer::Done
    );
    assert!(pair.last(phone(1), "BYE ").is_some(), "it is ended where it is");
    pair.passes(Duration::from_millis(50));
    assert!(pair.calls_seen_at(1).is_empty());
    let again = pair.command(1, Command::HangUp { call, who: "the admin".into() });
    assert!(matches!(again, Answer::Refused(_)), "{again:?}");
}

/// A call that is over before the others are told anything is told all the same: whoever counts calls there counts it.
#[test]
fn a_call_of_a_moment_is_told_with_its_end() {
    let mut pair = Pair::new();
    pair.ada_registers_at_south();
    pair.exchanges[1].listen(pair.now, true);
    pair.calls(0, "2001");
    let cancel = format!(
        "CANCEL sip:2001@office SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKc{}\r\n\
         From: <sip:+4930@city>;tag=c{}\r\nTo: <sip:2001@office>\r\nCall-ID: call-{}\r\nCSeq: 1 CANCEL\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        pair.count, pair.count, pair.count
    );
    pair.says(0, city(0), &cancel);
    pair.answers(1, "487 Request Terminated", "");
    assert_eq!(pair.exchanges[0].switch().load().0, 0, "it is over");
    pair.passes(Duration::from_millis(50));
    let news = pair.news.take().expect("it is told");
    assert_eq!((news.changed.len(), news.ended.len()), (1, 1));
    assert_eq!((news.ended[0].cause, news.ended[0].status), (Cause::Cancelled, 487));
    assert!(pair.calls_seen_at(1).is_empty());
}

/// S0.1: somebody who sits in a browser at one exchange is rung there by whichever exchange the call comes to; the page's end is told.
#[test]
fn a_web_phone_at_one_rings_for_a_call_that_comes_to_the_other() {
    let mut pair = Pair::new();
    let opens = |session: &str| {
        let token = sip::bearer::TokenHash::of("a token");
        let (session, account) = (session.into(), "ada".into());
        Command::OpenWebPhone(Box::new(crate::WebPhoneRequest {
            session,
            account,
            origin: None,
            token,
            lives: Duration::from_secs(600),
        }))
    };
    let Answer::WebPhone { device, .. } = pair.command(1, opens("s")) else { panic!("a web phone") };
    let way = phone(1);
    let (user, from) = (device.clone(), number(1));
    let told = |account: Option<&str>, way| ToldWebPhone {
        device: user.clone(),
        account: account.map(Box::from),
        way: Some(("sip:page@192.0.2.77".into(), way, START.after(Duration::from_secs(600)).wall)),
    };
    assert!(pair.exchanges[0].people.device(&device).is_some(), "it is known from its beginning");
    let phones = vec![told(Some("ada"), way)];
    pair.told(0, ClusterInput::WebPhones { from, all: None, phones });
    pair.calls(0, "2001");
    assert!(pair.last(way, "INVITE sip:page@").is_some(), "it rings by the other's door");
    // A door that is not of the one who tells is no way.
    let phones = vec![told(Some("ada"), phone(0))];
    pair.told(0, ClusterInput::WebPhones { from, all: None, phones });
    assert!(!pair.exchanges[0].registrar.is_registered(&device));
    assert_eq!(pair.command(1, Command::EndSession(Some("s".into()))), Answer::Done);
    assert!(pair.exchanges[0].people.device(&device).is_none(), "the session is over everywhere");
    let Answer::WebPhone { device, .. } = pair.command(1, opens("t")) else { panic!("a web phone") };
    pair.others(0, false);
    pair.others(0, true);
    assert!(pair.exchanges[0].people.device(&device).is_some(), "it is told of again");
    pair.told(0, ClusterInput::WebPhones { from, all: Some(Vec::new()), phones: Vec::new() });
    assert!(pair.exchanges[0].people.device(&device).is_none(), "what is not among all is gone");
    let Answer::WebPhone { device, .. } = pair.command(1, opens("u")) else { panic!("a web phone") };
    assert!(pair.exchanges[0].people.device(&device).is_some());
    assert!(matches!(pair.command(0, opens("u")), Answer::WebPhone { .. }), "the session's page comes here");
    pair.told(0, ClusterInput::Members(Vec::new()));
    assert!(pair.exchanges[0].people.device(&device).is_some(), "it is ours now");
}

/// S1.7: a call that comes in the first moment of an exchange, or while another begins to listen, is missed by no watch.
#[test]
fn whoever_begins_to_listen_while_a_phone_rings_is_told_of_that_call() {
    let mut pair = Pair::new();
    pair.ada_registers_at_south();
    pair.calls(0, "2001");
    assert!(pair.events.is_empty(), "nobody listens");
    let now = pair.now;
    pair.exchanges[0].listen(now, true);
    pair.feed(0, Input::Timeout);
    let told = pair.events.iter().filter_map(|event| match &event.what {
        Happened::NoticeShown(notice) => Some(&*notice.account),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), ["ada"]);
}

/// S0.1: what a browser begins is carried like anybody's, once it has proved itself where its page is; its token is nobody else's.
#[test]
fn a_web_phone_at_one_calls_a_queue_of_the_other() {
    let mut pair = Pair::new();
    let opens = Command::OpenWebPhone(Box::new(crate::WebPhoneRequest {
        session: "s".into(),
        account: "ada".into(),
        origin: None,
        token: sip::bearer::TokenHash::of("a-token"),
        lives: Duration::from_secs(600),
    }));
    let Answer::WebPhone { device, .. } = pair.command(1, opens) else { panic!("a web phone") };
    let page = phone(1);
    let invite = |call: &str, token: &str| {
        format!(
            "INVITE sip:8001@office SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bK{call}\r\n\
             From: <sip:{device}@office>;tag={call}\r\nTo: <sip:8001@office>\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n\
             Max-Forwards: 70\r\nContact: <sip:page@192.0.2.77>\r\n{token}Content-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{SDP}",
            SDP.len()
        )
    };
    for (call, token) in [("none", ""), ("wrong", "Authorization: Bearer another\r\n")] {
        pair.says(1, page, &invite(call, token));
        let told = pair.last(page, "SIP/2.0 ").expect("an answer");
        assert!(told.starts_with("SIP/2.0 401 "), "{told}");
    }
    assert_eq!(pair.carried, 0, "whoever has not proved who they are stays here");
    pair.says(1, page, &invite("right", "Authorization: Bearer a-token\r\n"));
    assert_eq!(pair.carried, 1);
    let told = pair.last(page, "SIP/2.0 ").expect("an answer");
    assert!(told.starts_with("SIP/2.0 18"), "it waits: {told}");
    assert_eq!(pair.exchanges[0].switch().load().0, 1, "at the keeper");
    // By a door that its page is not at, a name is only a name.
    let bytes: Arc<[u8]> = invite("other", "Authorization: Bearer a-token\r\n").into_bytes().into();
    pair.told(0, ClusterInput::WebPhones { from: number(1), all: Some(Vec::new()), phones: Vec::new() });
    pair.told(0, ClusterInput::Carried { flow: page, bytes });
    let told = pair.last(page, "SIP/2.0 ").expect("an answer");
    assert!(told.starts_with("SIP/2.0 401 "), "{told}");
}

/// R31: whoever called an emergency at one exchange is called back through everything at all of them.
#[test]
fn r31_an_emergency_at_one_is_called_back_at_the_other() {
    let mut pair = Pair::new();
    pair.ada_registers_at_south();
    let there = Change::Bindings { device: "ada-desk".into(), bindings: vec![binding(phone(1))] };
    pair.exchanges[1].restore(pair.now, there);
    let lives = Duration::from_secs(3_600);
    let flows = vec![city(1)];
    pair.feed(1, Input::Reached { trunk: "city".into(), flows, lives, why: String::new() });
    pair.dials(1, "ada-desk", "112");
    assert!(pair.last(city(1), "INVITE sip:112@").is_some(), "it leaves where it was dialled");
    pair.passes(Duration::from_millis(50));
    assert!(pair.exchanges[0].call_backs.is_expected(pair.now, "ada"));
    assert!(!pair.exchanges[0].call_backs.is_expected(pair.now, "bela"));
    let counted = pair.exchanges[0].day_counts.today(pair.now).len();
    assert_eq!(counted, 0, "an emergency counts for nothing");
}

/// What somebody calls by one exchange counts for the day at all of them, once.
#[test]
fn calls_to_the_outside_are_counted_at_all() {
    let mut pair = Pair::new();
    pair.ada_registers_at_south();
    pair.calls(0, "2001");
    pair.passes(Duration::from_millis(50));
    let mut news = pair.news.take().expect("it is told");
    let from = number(0);
    for (whole, payer) in [(false, None), (false, Some("bela")), (false, Some("bela")), (true, Some("bela"))]
    {
        news.number += 1;
        news.whole = whole;
        news.changed[0].payer = payer.map(Box::from);
        pair.told(1, ClusterInput::Calls { from, news: news.clone() });
    }
    assert_eq!(pair.exchanges[1].day_counts.today(pair.now).get("bela"), Some(&1));
}

/// A message that was lost is noticed by the next one's number, and all is told again; who is not reached has no calls.
#[test]
fn what_was_not_heard_of_calls_is_asked_for() {
    let mut pair = Pair::new();
    pair.ada_registers_at_south();
    pair.calls(0, "2001");
    pair.deaf = true;
    pair.passes(Duration::from_millis(50));
    assert!(pair.news.take().is_some_and(|news| news.changed.len() == 1 && !news.whole));
    assert!(pair.calls_seen_at(1).is_empty());
    pair.deaf = false;
    pair.answers(1, "200 OK", SDP);
    pair.passes(Duration::from_millis(50));
    assert!(pair.news.take().is_some_and(|news| news.whole), "all of it was asked for");
    assert_eq!(pair.calls_seen_at(1).len(), 1);
    pair.others(1, false);
    assert!(pair.calls_seen_at(1).is_empty(), "nobody knows what became of it");
    pair.others(1, true);
    assert_eq!(pair.calls_seen_at(1).len(), 1, "it is there again");
}

/// A pickup of what rings for a colleague goes to whoever has that call; with nothing to be picked up it stays.
#[test]
fn a_pickup_goes_to_the_exchange_that_has_the_call() {
    for code in ["*84", "*852001"] {
        let mut pair = Pair::new();
        pair.ada_registers_at_south();
        pair.dials(1, "bela-desk", code);
        assert_eq!(pair.carried, 0, "{code}: nothing rings");
        pair.calls(0, "2001");
        pair.answers(1, "180 Ringing", "");
        pair.passes(Duration::from_millis(50));
        let before = pair.carried;
        pair.dials(1, "bela-desk", code);
        assert_eq!(pair.carried, before + 1, "{code}");
        let challenge = pair.last(phone(1), "SIP/2.0 401").expect("the other challenges").to_owned();
        let tag = challenge.lines().find(|line| line.starts_with("To:")).unwrap();
        let ack = format!(
            "ACK sip:{code}@office SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKd{}\r\n\
             From: <sip:bela-desk@office>;tag=d\r\n{tag}\r\nCall-ID: dialled-{}\r\nCSeq: 1 ACK\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            pair.count, pair.count
        );
        pair.says(1, phone(1), &ack);
        assert_eq!(pair.carried, before + 2, "what belongs to it follows it");
    }
}

/// What a phone begins while it has a call at another exchange goes there, so that the two can be joined; an emergency waits for
/// nobody (R31).
#[test]
fn a_second_call_of_a_phone_goes_where_its_first_one_is() {
    let mut pair = Pair::new();
    pair.ada_registers_at_south();
    pair.calls(0, "2001");
    pair.answers(1, "200 OK", SDP);
    pair.passes(Duration::from_millis(50));
    let before = pair.carried;
    pair.dials(1, "bela-desk", "2002");
    assert_eq!(pair.carried, before, "another phone is not concerned");
    pair.dials(1, "ada-desk", "2002");
    assert_eq!(pair.carried, before + 1);
    pair.dials(1, "ada-desk", "112");
    assert_eq!(pair.carried, before + 1, "an emergency is everybody's");
}

/// S0, R26: who talks at another exchange is no caller's, and has their wrap-up afterwards.
#[test]
fn s0_an_agent_who_talks_at_another_exchange_is_busy_at_the_keeper() {
    let mut pair = Pair::new();
    let sign_in = SignIn { device: None, queues: Vec::new(), interval: None, since: START.wall };
    let signed =
        pair.command(0, Command::Agents(AgentAsking::SignIn { account: "ada".into(), sign_in }.into()));
    assert!(!matches!(signed, Answer::Refused(_) | Answer::Unavailable(_)), "{signed:?}");
    pair.ada_registers_at_south();
    // A flow to each: the call comes to the one that does not keep, and rings by the other's door.
    let there = Change::BindingsElsewhere { device: "ada-desk".into(), bindings: vec![binding(phone(0))] };
    pair.told(1, ClusterInput::Fed { position: 1, changes: vec![there] });
    assert_eq!(pair.stands("ada"), AgentState::Ready);
    pair.calls(1, "2001");
    pair.answers(0, "180 Ringing", "");
    pair.passes(Duration::from_millis(50));
    assert_eq!(pair.stands("ada"), AgentState::Ringing);
    pair.answers(0, "200 OK", SDP);
    pair.passes(Duration::from_millis(50));
    assert_eq!(pair.stands("ada"), AgentState::Talking);
    let call = pair.calls_seen_at(0)[0].name.clone();
    pair.command(0, Command::HangUp { call, who: "the admin".into() });
    pair.passes(Duration::from_millis(50));
    assert_eq!(pair.stands("ada"), AgentState::WrapUp);
}

/// S1.6 over exchanges: who is at a phone gets what rings for them, whichever exchange has that call; when it is over meanwhile,
/// nobody sits down there.
#[test]
fn s1_6_a_tap_at_one_takes_what_rings_at_the_other() {
    let mut pair = Pair::new();
    pair.ada_registers_at_south();
    // Bela's phone is at north's door, as south knows; his reader is served by south.
    let there = Change::BindingsElsewhere { device: "bela-desk".into(), bindings: vec![binding(bela(0))] };
    pair.told(1, ClusterInput::Fed { position: 1, changes: vec![there] });
    let there = Change::BindingsElsewhere { device: "bela-desk".into(), bindings: vec![binding(bela(1))] };
    pair.told(0, ClusterInput::Fed { position: 1, changes: vec![there] });
    pair.calls(0, "2001");
    pair.answers(1, "180 Ringing", "");
    pair.passes(Duration::from_millis(50));
    let now = pair.now;
    let taken = pair.exchanges[1].take(now, "ada", "bela-desk", Means::Badge);
    assert_eq!(taken, Taken::Comes { from: "north".into(), talk: false });
    pair.feed(1, Input::Timeout);
    assert!(pair.last(bela(1), "INVITE ").is_some(), "it comes to that phone");
    let nothing = pair.exchanges[1].take(now, "bela", "bela-desk", Means::Badge);
    assert!(!matches!(nothing, Taken::Comes { .. }), "nothing rings for him: {nothing:?}");
}
