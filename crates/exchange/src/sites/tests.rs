//! Apps at an exchange, with the real directory beside it and no network: woken and rung, asked first and in line, and what goes
//! wrong on the way (S4.16 to S4.24, R27, R29).

use super::{DIRECTORY, Membership, SiteInput, SiteOutput, SiteWord};
use crate::change::StoreAnswer;
use crate::exchange::{Config, Exchange, Snapshot};
use crate::input::{Input, Output};
use crate::{Change, PeopleChange};
use calls::{Cause, MediaPolicy, PortLease};
use clock::{Mono, Now, Wall};
use directory::{
    Account, Confirmation, Copy, Device, DeviceId, Directory, Fingerprint, Input as Told, Issuer, Kind,
    Message, Named, Notice, Origin, Output as Says, Push, Report, Request, RequestId, SessionHalf, Ticket,
    TicketKey,
};
use sip::{Flow, Transport};
use std::net::SocketAddr;
use std::time::Duration;
use wire::sip::{Message as Sip, Method};

const START: Now = Now { mono: Mono(1_000_000), wall: Wall(1_796_004_000_000) };
/// Gina's, 2046; and from where its page comes.
const BROWSER: u8 = 5;
const ORIGIN: &str = "https://app.example";
const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

fn name<T: Named>(text: &str) -> T {
    T::parse(text).expect("a name")
}

/// North, where Cleo has 2043 and Dora 2044; both have apps alone, and so has Emil, 2045.
struct Office {
    exchange: Exchange,
    directory: Directory,
    now: Now,
    sent: Vec<(Flow, String)>,
    pushed: Vec<(DeviceId, Push)>,
    told: Vec<(DeviceId, Message)>,
    /// What the exchange commits is written down.
    stores: bool,
    count: u32,
}

fn app(place: u8) -> DeviceId {
    name(&format!("app-{place}"))
}

/// Who an app proves to be. The fifth is a page in a browser.
fn key(place: u8) -> Confirmation {
    match place {
        BROWSER => Confirmation::Media(Fingerprint([place; 32])),
        _ => Confirmation::Tls(Fingerprint([place; 32])),
    }
}

/// What a browser with this certificate offers or answers.
fn browser_sdp(place: u8, setup: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\n\
         a=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\na=fingerprint:sha-256 {}\r\n\
         a=setup:{setup}\r\na=mid:0\r\na=rtcp-mux\r\n",
        Fingerprint([place; 32])
    )
}

fn flow(place: u8, connection: u64) -> Flow {
    let (local, remote): (SocketAddr, SocketAddr) = (
        "192.0.2.1:5062".parse().unwrap(),
        format!("192.0.2.9:{}", 5_000 + u16::from(place)).parse().unwrap(),
    );
    Flow { transport: Transport::Tls, local, remote, connection }
}

impl Office {
    fn new() -> Office {
        let (signer, ticket_key) = ([42; 32], TicketKey([43; 32]));
        let mut config = Config::new("test", Vec::new());
        config.membership = Some(Membership {
            name: name("north"),
            fingerprint: Fingerprint([200; 32]),
            ticket_key: ticket_key.clone(),
            seed: [1; 32],
            own_key: [2; 32],
            directory: Issuer::new(&signer).public(),
        });
        let people = [("cleo", "2043"), ("dora", "2044"), ("emil", "2045"), ("gina", "2046")];
        let account = |account: &str| PeopleChange::PutAccount {
            name: account.into(),
            display: account.into(),
            settings: Box::default(),
        };
        let number = |account: &str, number: &str| PeopleChange::PutNumber {
            number: number.into(),
            account: account.into(),
        };
        let changes = people.iter().flat_map(|(owner, digits)| [account(owner), number(owner, digits)]);
        let changes = changes.map(Change::People).collect();
        let exchange = Exchange::new(START, config, [7; 32], Snapshot { changes, sequence: 0 });
        let mut directory = Directory::new(DIRECTORY, Issuer::new(&signer), [8; 32]);
        directory.handle(
            START,
            Told::Joined { exchange: name("north"), fingerprint: Fingerprint([200; 32]), key: ticket_key },
        );
        for (owner, digits) in people {
            let told =
                Account { home: name("north"), numbers: vec![name(digits)], enabled: true, phones: false };
            directory.handle(START, Told::Account(name("north"), name(owner), Some(told)));
        }
        let mut office = Office {
            exchange,
            directory,
            now: START.after(Duration::from_secs(10)),
            sent: Vec::new(),
            pushed: Vec::new(),
            told: Vec::new(),
            stores: false,
            count: 0,
        };
        for (place, owner) in [(1, "cleo"), (2, "dora"), (3, "emil"), (4, "emil"), (BROWSER, "gina")] {
            office.enrol(place, owner);
        }
        let lease = |port| PortLease { address: "192.0.2.1".parse().unwrap(), port, worker: 0 };
        office.feed(Input::Ports((0..32).map(|place| lease(10_000 + 2 * place)).collect()));
        let shared = vec![PortLease { address: "192.0.2.1".parse().unwrap(), port: 9_000, worker: 0 }];
        let fingerprint = Some(media::webrtc::Fingerprint([77; 32]));
        office.feed(Input::Secure { shared, policy: MediaPolicy { fingerprint, clear_fallback: false } });
        office.directory.handle(office.now, Told::WebApp(vec![ORIGIN.into()]));
        office.site(SiteInput::Connected);
        office.report();
        let copy = office.directory.copy(office.now.wall);
        let copy = Copy::open(&office.directory.public(), office.now.wall, &copy).unwrap();
        office.site(SiteInput::Copy(Box::new(copy)));
        office
    }

    fn enrol(&mut self, place: u8, owner: &str) {
        let device = Device {
            account: name(owner),
            kind: Kind::App,
            at: None,
            ways: Vec::new(),
            key: Some(key(place)),
            connected: true,
        };
        self.directory.handle(self.now, Told::Device(app(place), device));
    }

    fn report(&mut self) {
        let report = Report {
            address: "192.0.2.1:5062".into(),
            web: "wss://192.0.2.1/sip".into(),
            region: "".into(),
            version: "1".into(),
            load: 0,
            draining: false,
            calls: std::collections::BTreeMap::new(),
        };
        self.directory.handle(self.now, Told::Report(name("north"), report));
    }

    fn site(&mut self, said: SiteInput) {
        self.feed(Input::Site(Box::new(said)));
    }

    fn feed(&mut self, input: Input<'_>) {
        self.exchange.handle(self.now, input);
        self.carry();
    }

    /// Whatever exchange and directory say to each other arrives at once.
    fn carry(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(output) = self.exchange.next_output() {
                quiet = false;
                match output {
                    Output::Transmit(transmit) => {
                        let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                        self.sent.push((transmit.flow, text));
                    }
                    Output::Site(output) => self.tell_directory(*output),
                    Output::Commit(commit) if self.stores => {
                        let (sequence, answer) = (commit.sequence, StoreAnswer::Committed);
                        self.exchange.handle(self.now, Input::Stored { sequence, answer });
                    }
                    _ => {}
                }
            }
            while let Some(output) = self.directory.poll_output() {
                quiet = false;
                match output {
                    Says::ToExchange(_, message) => {
                        let said = Input::Site(Box::new(SiteInput::Said(Box::new(message))));
                        self.exchange.handle(self.now, said);
                    }
                    Says::ToDevice(device, message) => self.told.push((device, message)),
                    Says::Push { device, push, .. } => self.pushed.push((device, push)),
                    Says::Decided(..) | Says::Complained(..) | Says::Changed(_) => {}
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn tell_directory(&mut self, output: SiteOutput) {
        let SiteOutput::Tell(word) = output else { return };
        let exchange = name("north");
        let input = match word {
            SiteWord::Call(request) => Told::Asked(request),
            SiteWord::Cancelled(id) => Told::Cancelled(Origin::Exchange(exchange), id),
            SiteWord::Said(caller, id, said) => Told::Said { exchange, caller, id, said },
            SiteWord::Claim(id, number) => Told::Claim { exchange, id, number },
            SiteWord::Attempted(number, attempted) => Told::Attempted(exchange, number, attempted),
            SiteWord::Free(number) => Told::Free(exchange, number),
            SiteWord::Account(..) | SiteWord::Gone(_) | SiteWord::Everybody => return,
        };
        self.directory.handle(self.now, input);
    }

    fn after(&mut self, wait: Duration) {
        let until = self.now.mono + wait;
        while let Some((at, _)) = self.exchange.next_deadline().filter(|(at, _)| *at <= until) {
            self.now = self.now.after(at.since(self.now.mono));
            self.report();
            self.feed(Input::Timeout);
        }
        self.now = self.now.after(until.since(self.now.mono));
    }

    // ---- an app

    /// Asks the directory for a call, and is told where it goes, or why not.
    fn asks(&mut self, place: u8, callee: &str) -> Message {
        let session = SessionHalf([place; 16]);
        let origin = Origin::Cloud(app(place));
        let (id, caller, cnf, shown) = (RequestId(u64::from(place)), app(place), key(place), "".into());
        let request = Request { origin, id, caller, callee: name(callee), session, cnf, shown };
        self.directory.handle(self.now, Told::Asked(request));
        self.carry();
        self.told.pop().expect("an answer").1
    }

    /// The same, and calls with the ticket; where its answers come.
    fn calls(&mut self, place: u8, callee: &str) -> Flow {
        let Message::Designated { ticket, .. } = self.asks(place, callee) else { panic!("{:?}", self.told) };
        let at = self.connects(place);
        self.proves(at, Method::Invite, callee, SessionHalf([place; 16]), &ticket, SDP);
        at
    }

    fn connects(&mut self, place: u8) -> Flow {
        self.count += 1;
        let at = flow(place, u64::from(self.count));
        let Confirmation::Tls(fingerprint) = key(place) else { return self.page(place, ORIGIN) };
        self.site(SiteInput::Proved { flow: at, fingerprint });
        at
    }

    /// A WebSocket that a page of this origin opened.
    fn page(&mut self, place: u8, origin: &str) -> Flow {
        self.count += 1;
        let at = Flow { transport: Transport::Wss, ..flow(place, u64::from(self.count)) };
        self.feed(Input::FlowOpened { flow: at, origin: Some(origin.into()) });
        at
    }

    /// A request that needs a ticket, with the digest that it is asked for; the answer.
    fn proves(
        &mut self,
        at: Flow,
        method: Method<'_>,
        callee: &str,
        session: SessionHalf,
        ticket: &Ticket,
        sdp: &str,
    ) -> String {
        let first = self.sends(at, method, callee, session, ticket, "", sdp);
        let challenge = Sip::parse(first.as_bytes()).expect("an answer");
        if challenge.status() != Some(401) {
            return first;
        }
        let user = ticket.id.to_string();
        let login = sip::digest::Login { user: &user, password: ticket.secret.reveal(), realm: None };
        let uri = format!("sip:{callee}@north");
        let (header, value) =
            sip::digest::answer(&challenge, login, method, &uri, 1, 5).expect("a digest is asked for");
        let line = format!("{}: {value}\r\n", header.as_str());
        self.sends(at, method, callee, session, ticket, &line, sdp)
    }

    #[expect(clippy::too_many_arguments, reason = "a request has as many parts")]
    fn sends(
        &mut self,
        at: Flow,
        method: Method<'_>,
        callee: &str,
        session: SessionHalf,
        ticket: &Ticket,
        more: &str,
        body: &str,
    ) -> String {
        self.count += 1;
        let count = self.count;
        let method = if method == Method::Invite { "INVITE" } else { "REGISTER" };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let request = format!(
            "{method} sip:{callee}@north SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.9:5000;branch=z9hG4bK{count}\r\n\
             From: <sip:me@north>;tag=f{session}\r\nTo: <sip:{callee}@north>\r\nCall-ID: {session}\r\n\
             CSeq: {count} {method}\r\nMax-Forwards: 70\r\nContact: <sip:me@192.0.2.9:5000;transport=tls>\r\n\
             Ringdown-Ticket: {}\r\nSession-ID: {session};remote={:032}\r\n{kind}{more}Content-Length: {}\r\n\r\n{body}",
            ticket.token,
            0,
            body.len()
        );
        let before = self.sent.len();
        self.feed(Input::Message { flow: at, bytes: request.as_bytes() });
        self.sent[before..].iter().find(|(to, _)| *to == at).map(|(_, text)| text.clone()).unwrap_or_default()
    }

    /// What an app was woken with.
    fn woken(&self, place: u8) -> Notice {
        let of = |(device, push): &(DeviceId, Push)| match push {
            Push::Wake(notice) if *device == app(place) => Some(notice.clone()),
            _ => None,
        };
        self.pushed.iter().rev().find_map(of).expect("it was woken")
    }

    /// An app that was woken comes, and registers.
    fn comes(&mut self, place: u8) -> (Flow, String) {
        let notice = self.woken(place);
        let at = self.connects(place);
        let callee = notice.callee.to_string();
        let answer = self.proves(at, Method::Register, &callee, notice.session, &notice.ticket, "");
        (at, answer)
    }

    /// The last thing that was sent by a connection and begins so.
    fn last(&self, at: Flow, start: &str) -> Option<&str> {
        let found = self.sent.iter().rev().find(|(to, text)| *to == at && text.starts_with(start));
        found.map(|(_, text)| &**text)
    }

    /// An app answers its INVITE.
    fn answers(&mut self, at: Flow, status: &str, sdp: &str) {
        let invite = self.last(at, "INVITE").expect("it is rung").to_owned();
        let lines = invite.lines().filter(|line| {
            let name = line.split(':').next().unwrap_or_default();
            ["Via", "From", "Call-ID", "CSeq"].iter().any(|known| name.eq_ignore_ascii_case(known))
        });
        let to = invite.lines().find(|line| line.starts_with("To:")).unwrap_or_default();
        let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let head: String = lines.map(|line| format!("{line}\r\n")).collect();
        let answer = format!(
            "SIP/2.0 {status}\r\n{head}{to};tag=t\r\nContact: <sip:me@192.0.2.9:5000;transport=tls>\r\n{kind}Content-Length: {}\r\n\r\n{sdp}",
            sdp.len()
        );
        self.feed(Input::Message { flow: at, bytes: answer.as_bytes() });
    }

    /// An app takes its call.
    fn takes(&mut self, at: Flow) {
        let invite = self.last(at, "INVITE").expect("an INVITE").to_owned();
        let sdp = match invite.contains("RTP/SAVP") {
            true => {
                SDP.replace("RTP/AVP 0", "RTP/SAVP 0")
                    + "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw\r\n"
            }
            false => SDP.to_owned(),
        };
        self.answers(at, "200 OK", &sdp);
    }

    fn withdrawn(&self, place: u8) -> bool {
        let of = |(device, push): &(DeviceId, Push)| {
            *device == app(place) && matches!(push, Push::Withdrawn { .. })
        };
        self.pushed.iter().any(of)
    }
}

#[test]
fn s4_15_s4_24_r29_an_app_that_is_called_is_woken_comes_and_is_rung_by_its_own_connection() {
    let mut office = Office::new();
    let caller = office.calls(2, "2043");
    assert!(office.last(caller, "SIP/2.0 182").is_some(), "{:?}", office.sent);
    assert!(office.last(caller, "SIP/2.0 180").is_none(), "nothing rings before somebody is here");
    let (at, answer) = office.comes(1);
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    let invite = office.last(at, "INVITE").expect("the waiting INVITE");
    assert!(invite.starts_with("INVITE sip:me@192.0.2.9:5000;transport=tls"), "{invite}");
    assert!(office.last(caller, "SIP/2.0 180").is_none());
    office.answers(at, "180 Ringing", "");
    assert!(office.last(caller, "SIP/2.0 180").is_some(), "{:?}", office.sent);
    // The same ticket again, by another connection.
    let (_, again) = office.comes(1);
    assert!(again.starts_with("SIP/2.0 403") && again.contains("used before"), "{again}");
}

#[test]
fn s4_25_nobody_else_comes_with_an_apps_ticket_and_nobody_for_another_call() {
    let mut office = Office::new();
    office.calls(2, "2043");
    let notice = office.woken(1);
    for (place, session, why) in
        [(3, notice.session, "somebody else's"), (1, SessionHalf([99; 16]), "another call")]
    {
        let at = office.connects(place);
        let answer = office.proves(at, Method::Register, "2043", session, &notice.ticket, "");
        assert!(answer.starts_with("SIP/2.0 403") && answer.contains(why), "{answer}");
    }
    let at = office.connects(1);
    let other = office.proves(at, Method::Register, "2044", notice.session, &notice.ticket, "");
    assert!(other.contains("another callee"), "{other}");
    let guessed = Ticket { secret: directory::Secret::new("guessed"), ..notice.ticket.clone() };
    let wrong = office.proves(at, Method::Register, "2043", notice.session, &guessed, "");
    assert!(wrong.contains("digest is not"), "{wrong}");
    office.after(Duration::from_secs(33));
    let late = office.proves(at, Method::Register, "2043", notice.session, &notice.ticket, "");
    assert!(late.contains("expired"), "{late}");
    assert!(office.last(at, "INVITE").is_none(), "nobody was rung");
}

#[test]
fn r29_an_app_that_stays_away_or_declines_ends_the_call_and_one_that_is_not_needed_sleeps_on() {
    // It does not come.
    let mut office = Office::new();
    let caller = office.calls(2, "2043");
    office.after(Duration::from_secs(21));
    assert!(office.last(caller, "SIP/2.0 480").is_some(), "{:?}", office.sent);
    assert!(office.withdrawn(1), "whoever comes now comes for nothing");
    let (_, answer) = office.comes(1);
    assert!(answer.starts_with("SIP/2.0 480") && answer.contains("nobody waits"), "{answer}");
    // It declines.
    let mut office = Office::new();
    let caller = office.calls(2, "2043");
    let ticket = office.woken(1).ticket.id;
    office.directory.handle(office.now, Told::Declined(app(1), ticket));
    office.carry();
    assert!(office.last(caller, "SIP/2.0 486").is_some(), "{:?}", office.sent);
    // Its connection breaks while it rings: nothing goes on ringing.
    let mut office = Office::new();
    let caller = office.calls(2, "2043");
    let (at, _) = office.comes(1);
    office.answers(at, "180 Ringing", "");
    office.feed(Input::FlowClosed(at));
    office.after(Duration::from_secs(40));
    let failed = |text: &str| ["SIP/2.0 4", "SIP/2.0 5"].iter().any(|start| text.starts_with(start));
    let ended = office.sent.iter().any(|(to, text)| *to == caller && failed(text));
    assert!(ended, "{:?}", office.sent);
    // Of two apps of one person, one answers: the other is told.
    let mut office = Office::new();
    office.calls(1, "2045");
    let (at, _) = office.comes(3);
    office.answers(at, "180 Ringing", "");
    assert!(!office.withdrawn(4));
    office.takes(at);
    assert!(office.withdrawn(4), "{:?}", office.pushed);
}

#[test]
fn s4_17_a_refusal_says_why() {
    let mut office = Office::new();
    assert!(
        matches!(office.asks(1, "2999"), Message::Refused { why, .. } if &*why == "nobody has this number")
    );
    let settings = crate::people::Settings { do_not_disturb: true, ..Default::default() };
    let put =
        PeopleChange::PutAccount { name: "dora".into(), display: "dora".into(), settings: settings.into() };
    office.exchange.people.apply(&put);
    let refused = office.asks(1, "2044");
    let Message::Refused { why, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!(&**why, "do not disturb");
    assert!(!format!("{refused:?}").contains("192.0.2.1"));
}

#[test]
fn show_2_s4_18_r8_callers_stand_in_line_hear_their_place_and_are_served_in_order() {
    let mut office = Office::new();
    let first = office.calls(2, "2043");
    assert!(
        !office.last(first, "SIP/2.0 182").unwrap_or_default().contains("Ringdown-Place"),
        "nobody is before it"
    );
    let second = office.calls(3, "2043");
    let third = office.calls(4, "2043");
    let place = |office: &Office, at| {
        let text = office.last(at, "SIP/2.0 182").unwrap_or_default().to_owned();
        text.lines().find_map(|line| line.strip_prefix("Ringdown-Place: ").map(str::to_owned))
    };
    assert_eq!((place(&office, second).as_deref(), place(&office, third).as_deref()), (Some("1"), Some("2")));
    // The first one's call ended, because the app stayed away: it is the turn of the second, and the third moves up.
    office.after(Duration::from_secs(21));
    assert!(office.last(first, "SIP/2.0 480").is_some());
    assert_eq!(
        office.woken(1).session,
        SessionHalf([3; 16]),
        "the second is the one for whom they are woken"
    );
    assert_eq!(place(&office, third).as_deref(), Some("1"), "{:?}", office.sent);
    office.after(Duration::from_secs(21));
    assert_eq!(office.woken(1).session, SessionHalf([4; 16]));
}

#[test]
fn r8_whoever_waits_for_a_minute_is_answered_with_music_and_served_in_their_turn() {
    let mut office = Office::new();
    office.exchange.config.ring_limit = Duration::from_secs(90);
    let first = office.calls(2, "2043");
    let (at, _) = office.comes(1);
    office.answers(at, "180 Ringing", "");
    let second = office.calls(3, "2043");
    office.after(Duration::from_secs(58));
    assert!(office.last(second, "SIP/2.0 200").is_none(), "{:?}", office.sent);
    assert!(office.last(second, "SIP/2.0 182").is_some());
    office.after(Duration::from_secs(4));
    let answer = office.last(second, "SIP/2.0 200").unwrap_or_default();
    assert!(answer.contains("m=audio"), "{:?}", office.sent);
    assert!(office.last(first, "SIP/2.0 200").is_none(), "who is first is rung, and hears no music");
    // The first gives up in vain: it is the turn of the second.
    office.after(Duration::from_secs(31));
    assert_eq!(office.woken(1).session, SessionHalf([3; 16]), "{:?}", office.pushed);
}

/// Dora asks to be called when Cleo is free; what she is told.
fn wants_when_free(office: &mut Office, callee: &str) -> Message {
    let (caller, id, callee) = (app(2), RequestId(9), name(callee));
    office.directory.handle(office.now, Told::WhenFree { caller, id, callee });
    office.carry();
    office.told.pop().expect("an answer").1
}

/// Dora may, and what is committed is written down.
fn office_that_keeps_calling() -> Office {
    let mut office = Office::new();
    office.stores = true;
    let settings = crate::people::Settings {
        rights: crate::people::Rights::default().with(crate::people::Right::Background),
        ..Default::default()
    };
    let put =
        PeopleChange::PutAccount { name: "dora".into(), display: "Dora".into(), settings: settings.into() };
    office.exchange.people.apply(&put);
    office
}

#[test]
fn s2_1_c1_whoever_asks_by_an_app_is_called_when_they_are_free_and_woken_for_it() {
    let mut office = office_that_keeps_calling();
    let talks = office.calls(3, "2043");
    let (cleo, _) = office.comes(1);
    office.takes(cleo);
    assert!(office.last(talks, "SIP/2.0 200").is_some(), "{:?}", office.sent);
    assert_eq!(wants_when_free(&mut office, "2043"), Message::Kept { id: RequestId(9) });
    assert_eq!(wants_when_free(&mut office, "2043"), Message::Kept { id: RequestId(9) }, "once is enough");
    office.pushed.clear();
    office.after(Duration::from_secs(5));
    assert_eq!(office.pushed, [], "Cleo talks");
    let call = office.exchange.ongoing.of("cleo").next().expect("a call").0;
    office.exchange.switch.hang_up(office.now, call, Cause::CalleeHungUp);
    office.feed(Input::Timeout);
    office.after(Duration::from_secs(2));
    assert_eq!(office.woken(1).from.as_ref(), "Dora", "whoever is called sees who wants them");
    let (cleo, _) = office.comes(1);
    office.takes(cleo);
    let notice = office.woken(2);
    assert_eq!((notice.callee.as_str(), notice.from.as_ref()), ("2044", "cleo"), "{:?}", office.pushed);
    let (dora, answer) = office.comes(2);
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    let invite = office.last(dora, "INVITE").expect("the call").to_owned();
    assert!(invite.contains("2043@"), "it shows whom it is about: {invite}");
    office.takes(dora);
    assert!(office.last(dora, "ACK").is_some(), "they talk: {:?}", office.sent);
    office.after(Duration::from_secs(1));
    assert_eq!(office.exchange.background.tasks.len(), 0, "and it is done");
}

#[test]
fn s2_6_an_owner_whose_app_does_not_come_is_excused_to_who_was_called() {
    let mut office = office_that_keeps_calling();
    assert_eq!(wants_when_free(&mut office, "2043"), Message::Kept { id: RequestId(9) });
    office.after(Duration::from_secs(2));
    let (cleo, _) = office.comes(1);
    office.takes(cleo);
    assert_eq!(office.woken(2).callee.as_str(), "2044");
    office.after(Duration::from_secs(90));
    assert!(office.last(cleo, "BYE").is_some(), "nobody is kept waiting: {:?}", office.sent);
    office.after(Duration::from_secs(600));
    let calls =
        office.pushed.iter().filter(|(device, push)| *device == app(1) && matches!(push, Push::Wake(_)));
    assert_eq!(calls.count(), 1, "nor called again");
}

#[test]
fn s2_1_who_may_not_have_background_calls_hears_why_and_so_does_everybody_while_nothing_is_stored() {
    let mut office = Office::new();
    office.stores = true;
    let refused = wants_when_free(&mut office, "2043");
    let Message::Refused { why, .. } = &refused else { panic!("{refused:?}") };
    assert!(why.contains("background"), "{why}");
    let mut office = office_that_keeps_calling();
    let own = wants_when_free(&mut office, "2044");
    assert!(matches!(&own, Message::Refused { why, .. } if why.contains("themselves")), "{own:?}");
    // The store does not answer: nothing is promised.
    office.stores = false;
    let (caller, id, callee) = (app(2), RequestId(10), name("2045"));
    office.directory.handle(office.now, Told::WhenFree { caller, id, callee });
    office.carry();
    assert!(office.told.is_empty(), "{:?}", office.told);
}

#[test]
fn a_place_is_given_up_when_its_caller_does_not_come() {
    let mut office = Office::new();
    let Message::Designated { ticket, .. } = office.asks(2, "2043") else { panic!("it is let in") };
    let behind = office.calls(3, "2043");
    assert!(office.last(behind, "SIP/2.0 182").is_some_and(|text| text.contains("Ringdown-Place: 2")));
    office.after(Duration::from_secs(11));
    assert!(!office.pushed.is_empty(), "the next one rings them");
    let at = office.connects(2);
    let late = office.proves(at, Method::Invite, "2043", SessionHalf([2; 16]), &ticket, SDP);
    assert!(late.starts_with("SIP/2.0 403") && late.contains("given up"), "{late}");
}

#[test]
fn s4_8_s4_25_a_page_that_is_called_comes_by_websocket_and_no_other_certificate_answers() {
    let mut office = Office::new();
    let caller = office.calls(2, "2046");
    assert_eq!(&*office.woken(BROWSER).address, "wss://192.0.2.1/sip");
    let (at, answer) = office.comes(BROWSER);
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    let invite = office.last(at, "INVITE").expect("the waiting INVITE").to_owned();
    assert!(invite.contains("UDP/TLS/RTP/SAVPF"), "{invite}");
    office.answers(at, "180 Ringing", "");
    office.answers(at, "200 OK", &browser_sdp(99, "active"));
    assert!(office.last(at, "BYE").is_some(), "another's media are hung up: {:?}", office.sent);
    assert!(office.last(caller, "SIP/2.0 200").is_none(), "and the caller never hears them");
    // It may not say either that it knows no such protection.
    let mut office = Office::new();
    let caller = office.calls(2, "2046");
    let (at, _) = office.comes(BROWSER);
    office.answers(at, "488 Not Acceptable Here", "");
    assert_eq!(office.sent.iter().filter(|(to, text)| *to == at && text.starts_with("INVITE")).count(), 1);
    assert!(office.last(caller, "SIP/2.0 200").is_none());
    // The right one.
    let mut office = Office::new();
    office.calls(2, "2046");
    let (at, _) = office.comes(BROWSER);
    office.answers(at, "200 OK", &browser_sdp(BROWSER, "active"));
    assert!(office.last(at, "ACK").is_some() && office.last(at, "BYE").is_none(), "{:?}", office.sent);
    let (_, again) = office.comes(BROWSER);
    assert!(again.starts_with("SIP/2.0 403") && again.contains("used before"), "{again}");
}

#[test]
fn s4_25_the_offer_of_a_page_names_the_certificate_of_its_ticket_and_strangers_get_nothing() {
    let mut office = Office::new();
    let session = SessionHalf([BROWSER; 16]);
    let Message::Designated { ticket, address, .. } = office.asks(BROWSER, "2043") else {
        panic!("it is let in")
    };
    assert_eq!(&*address, "wss://192.0.2.1/sip");
    let at = office.page(BROWSER, ORIGIN);
    for (sdp, why) in [
        (browser_sdp(99, "actpass"), "somebody else's"),
        (SDP.to_owned(), "no certificate of a browser"),
        (browser_sdp(BROWSER, "actpass").replace("a=fingerprint", "a=x"), "no certificate of a browser"),
    ] {
        let answer = office.proves(at, Method::Invite, "2043", session, &ticket, &sdp);
        assert!(answer.starts_with("SIP/2.0 403") && answer.contains(why), "{answer}");
    }
    let offer = browser_sdp(BROWSER, "actpass");
    // A page of others, and who has TLS and no page, have no use for it.
    let foreign = office.page(BROWSER, "https://evil.example");
    let answer = office.proves(foreign, Method::Invite, "2043", session, &ticket, &offer);
    assert!(answer.starts_with("SIP/2.0 40"), "{answer}");
    let program = office.connects(1);
    let answer = office.proves(program, Method::Invite, "2043", session, &ticket, &offer);
    assert!(answer.contains("somebody else's"), "{answer}");
    // A ticket of a program is none for a page.
    let Message::Designated { ticket: other, .. } = office.asks(3, "2043") else { panic!("it is let in") };
    let answer = office.proves(at, Method::Invite, "2043", SessionHalf([3; 16]), &other, &offer);
    assert!(answer.contains("somebody else's"), "{answer}");
    // The page itself.
    office.proves(at, Method::Invite, "2043", session, &ticket, &offer);
    assert!(office.last(at, "SIP/2.0 182").is_some(), "{:?}", office.sent);
}
