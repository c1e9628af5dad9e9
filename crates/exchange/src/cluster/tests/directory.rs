//! The two are one exchange of a directory: which of them has the connection to it, and what the other does without.

use super::*;
use crate::people::Forwarding;
use crate::sites::{SiteInput, SiteWord, Tie};
use ::directory::{
    Claims, Confirmation, Copy, Entry, Fingerprint, Issuer, Listed, Named, SessionHalf, TicketId, TicketKey,
};

const LASTS: Duration = Duration::from_secs(3);

fn name<T: Named>(text: &str) -> T {
    T::parse(text).expect("a name")
}

/// Both are "office"; Cleo, 2041, has her home at "coast", and of the two's people Bela has an app.
fn copy(exp: Wall) -> Copy {
    let entry =
        |home: &str, number: &str, apps| Entry { home: name(home), numbers: vec![name(number)], apps };
    let listed = |place: u8, port| Listed {
        address: format!("192.0.2.{place}:{port}").into(),
        fingerprint: Fingerprint([place; 32]),
    };
    Copy {
        iss: "directory".into(),
        version: 1,
        iat: START.wall.0,
        exp: exp.0,
        origins: Vec::new(),
        exchanges: [(name("coast"), listed(9, 5062)), (name("office"), listed(1, 5062))].into(),
        accounts: [
            (name("cleo"), entry("coast", "2041", false)),
            (name("ada"), entry("office", "2001", false)),
            (name("bela"), entry("office", "2002", true)),
        ]
        .into(),
    }
}

impl Pair {
    fn joined() -> Pair {
        let mut pair = Pair::of(Some(Membership {
            name: name("office"),
            fingerprint: Fingerprint([1; 32]),
            ticket_key: TicketKey([43; 32]),
            seed: [1; 32],
            own_key: [2; 32],
            directory: Issuer::new(&[42; 32]).public(),
        }));
        for place in 0..2 {
            pair.site(place, SiteInput::Copy(Box::new(copy(START.after(Duration::from_secs(3_600)).wall))));
        }
        pair.site(0, SiteInput::Connected);
        pair.sites.clear();
        pair
    }

    fn site(&mut self, place: usize, said: SiteInput) {
        self.feed(place, Input::Site(Box::new(said)));
    }

    /// Whose the connection is, as one says since it was last asked.
    fn ties(&mut self, place: usize) -> Vec<Tie> {
        let said = self.sites.extract_if(.., |(at, said)| *at == place && matches!(said, SiteOutput::Tie(_)));
        let tie = |(_, said)| match said {
            SiteOutput::Tie(tie) => tie,
            other => panic!("{other:?}"),
        };
        said.map(tie).collect()
    }

    /// Ada forwards all her calls to Cleo.
    fn ada_forwards_to_the_coast(&mut self) {
        let forwarding = Forwarding { always: Some("2041".into()), ..Forwarding::default() };
        let settings = Box::new(Settings { forwarding, ..Settings::default() });
        let change = PeopleChange::PutAccount { name: "ada".into(), display: "Ada".into(), settings };
        for place in 0..2 {
            let changes = vec![Change::People(change.clone())];
            self.told(place, ClusterInput::Fed { position: 1, changes });
        }
    }

    /// The coast calls Ada with a ticket of the directory that was issued just now; the answer.
    fn comes_from_the_coast(&mut self, place: usize) -> String {
        self.count += 1;
        let count = self.count;
        let (local, remote) = (SocketAddr::new(door(place).ip(), 5062), "192.0.2.9:40000".parse().unwrap());
        let flow = Flow { transport: Transport::Tls, local, remote, connection: u64::from(count) };
        let fingerprint = Fingerprint([9; 32]);
        self.site(place, SiteInput::Proved { flow, fingerprint });
        let session = SessionHalf([u8::try_from(count).unwrap(); 16]);
        let claims = Claims {
            iss: "directory".into(),
            aud: name("office"),
            jti: TicketId([u8::try_from(count).unwrap(); 16]),
            iat: self.now.wall,
            exp: self.now.after(Duration::from_secs(10)).wall,
            orig: name("desk-c"),
            dest: name("2001"),
            sid: session,
            cnf: Confirmation::Tls(fingerprint),
        };
        let ticket = Issuer::new(&[42; 32]).issue(&claims, &TicketKey([43; 32]));
        let request = format!(
            "INVITE sip:2001@office SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.9:5062;branch=z9hG4bKt{count}\r\n\
             From: <sip:2041@coast>;tag=t{count}\r\nTo: <sip:2001@office>\r\nCall-ID: coast-{count}\r\n\
             CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:coast@192.0.2.9:5062;transport=tls>\r\n\
             Ringdown-Ticket: {}\r\nSession-ID: {session};remote={:032}\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
            ticket.token,
            0,
            SDP.len()
        );
        self.feed(place, Input::Message { flow, bytes: request.as_bytes() });
        self.last(flow, "SIP/2.0 ").unwrap_or_default().to_owned()
    }

    /// Where one wants a way to, and whether it asks the directory.
    fn asked(&self, place: usize) -> (Vec<&str>, bool) {
        let said = || self.sites.iter().filter(|(at, _)| *at == place).map(|(_, said)| said);
        let reached = said().filter_map(|said| match said {
            SiteOutput::Reach { address, .. } => Some(&**address),
            _ => None,
        });
        let asks = said().any(|said| matches!(said, SiteOutput::Tell(SiteWord::Call(_))));
        (reached.collect(), asks)
    }
}

#[test]
fn the_keeper_alone_has_the_connection_to_the_directory() {
    let mut pair = Pair::joined();
    pair.told(0, ClusterInput::Keep { epoch: Epoch(1), lasts: LASTS, changes: None });
    assert_eq!((pair.ties(0), pair.ties(1)), (Vec::new(), Vec::new()), "all is as at the start");
    pair.passes(LASTS);
    assert_eq!(pair.ties(0), [Tie::Rests], "it may be another's soon");
    pair.told(0, ClusterInput::Keep { epoch: Epoch(1), lasts: LASTS, changes: None });
    assert_eq!(pair.ties(0), [Tie::Ours]);
    pair.told(0, ClusterInput::Lose);
    assert_eq!(pair.ties(0), [Tie::Anothers]);
    assert_eq!(pair.ties(1), Vec::new());
    pair.told(1, ClusterInput::Keep { epoch: Epoch(2), lasts: LASTS, changes: Some(Vec::new()) });
    assert_eq!(pair.ties(1), [Tie::Ours], "whoever takes over connects");
}

#[test]
fn who_is_not_the_keeper_calls_people_of_other_exchanges_by_the_copy() {
    let mut pair = Pair::joined();
    pair.ada_forwards_to_the_coast();
    pair.calls(0, "2001");
    assert_eq!(pair.asked(0), (vec![], true), "the keeper asks the directory");
    pair.calls(1, "2001");
    assert_eq!(pair.asked(1), (vec!["192.0.2.9:5062"], false));
    assert_eq!(pair.carried, 0, "nobody else is needed for that");
    // A copy that has expired says nothing any more.
    pair.site(1, SiteInput::Reached { exchange: name("coast"), way: Err("it is away".into()) });
    pair.sites.clear();
    pair.now = pair.now.after(Duration::from_secs(3_601));
    pair.calls(1, "2001");
    assert_eq!(pair.asked(1), (vec![], false));
    let answer = pair.last(city(1), "SIP/2.0 480").expect("an answer");
    assert!(answer.contains("no line"), "{answer}");
}

#[test]
fn a_call_for_somebody_with_apps_is_carried_to_the_keeper_who_can_have_them_woken() {
    let mut pair = Pair::joined();
    pair.calls(1, "2002");
    assert!(pair.carried > 0);
    assert_eq!(pair.asked(0), (vec![], true), "the directory is to wake it");
    assert_eq!(pair.exchanges[1].switch().load().0, 0);
    // Without the keeper the phones ring all the same.
    pair.bela_registers_at_south();
    let registered = vec![binding(phone(0))];
    let bindings = Change::BindingsElsewhere { device: "bela-desk".into(), bindings: registered };
    pair.told(1, ClusterInput::Fed { position: 3, changes: vec![bindings] });
    pair.others(1, false);
    let carried = pair.carried;
    pair.calls(1, "2002");
    assert_eq!((pair.carried, pair.exchanges[1].switch().load().0 > 0), (carried, true));
}

#[test]
fn a_number_that_nobody_knows_may_be_known_to_the_directory() {
    let mut pair = Pair::joined();
    pair.dials(1, "ada-desk", "2999");
    assert!(pair.carried > 0, "a phone of ours may mean somebody of another exchange");
    let carried = pair.carried;
    for (device, dialled) in
        [("ada-desk", "112"), ("ada-desk", "2041"), ("ada-desk", "2001"), ("stranger", "2999")]
    {
        pair.dials(1, device, dialled);
        assert_eq!(pair.carried, carried, "{dialled} of {device}");
    }
    pair.calls(1, "2999");
    assert_eq!(pair.carried, carried, "a provider means one of ours");
}

#[test]
fn what_is_told_of_the_exchanges_is_what_the_keeper_passes_on() {
    let mut pair = Pair::joined();
    let map = |pair: &Pair| pair.exchanges[1].office_map();
    assert_eq!(map(&pair).directory, Some(false), "nobody has told how they are");
    let up = ::directory::SiteHealth {
        exchange: name("coast"),
        health: ::directory::Health::Up,
        region: "sea".into(),
        version: "1".into(),
        load: 7,
        calls: [].into(),
    };
    pair.site(1, SiteInput::Health(vec![up]));
    let told = map(&pair);
    let coast = told.exchanges.iter().find(|row| &*row.name == "coast").expect("it is on the map");
    assert_eq!((told.directory, coast.health, coast.load), (Some(true), "up", 7));
    let names: Vec<&str> = told.exchanges.iter().map(|row| &*row.name).collect();
    assert!(names.contains(&"office") && names.contains(&"north"), "{names:?}");
}

/// R27: a ticket of the directory works once, and nobody else knows whether the keeper has seen it.
#[test]
fn the_keeper_alone_judges_tickets_of_the_directory_and_others_issue_one() {
    let mut pair = Pair::joined();
    pair.now = START.after(Duration::from_secs(60));
    pair.told(0, ClusterInput::Keep { epoch: Epoch(1), lasts: LASTS, changes: None });
    let issued = |pair: &mut Pair, place| {
        let challenge = pair.comes_from_the_coast(place);
        assert!(challenge.starts_with("SIP/2.0 401"), "{challenge}");
        challenge.contains("\r\nRingdown-Ticket: ")
    };
    assert!(!issued(&mut pair, 0), "its own digest is asked for");
    assert!(issued(&mut pair, 1));
    pair.told(0, ClusterInput::Lose);
    pair.told(1, ClusterInput::Keep { epoch: Epoch(2), lasts: LASTS, changes: Some(Vec::new()) });
    assert!(issued(&mut pair, 0), "it is not the keeper any more");
    assert!(issued(&mut pair, 1), "it may be one that the last keeper has used");
    pair.now = pair.now.after(Duration::from_secs(60));
    pair.told(1, ClusterInput::Keep { epoch: Epoch(2), lasts: LASTS, changes: None });
    assert!(!issued(&mut pair, 1));
}
