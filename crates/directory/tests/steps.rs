//! The designation as requirements tell it: steps A, B and C, each answer, and what it never says (S4.1 to S4.25).

use clock::{Mono, Now, Wall};
use directory::{
    Account, AccountName, Confirmation, Device, DeviceId, Directory, ExchangeName, Fingerprint, Input,
    Issuer, IssuerKeys, Kind, Message, Named, Number, Origin, Output, Presented, Push, Redeemer, Report,
    Request, RequestId, Said, SessionHalf, Shown, Ticket, TicketKey, Wake, Way,
};
use std::collections::BTreeSet;
use std::time::Duration;

fn name<T: Named>(text: &str) -> T {
    T::parse(text).expect("a name")
}

struct Office {
    directory: Directory,
    now: Now,
}

const KEYS: [(&str, u8); 3] = [("x", 1), ("y", 2), ("z", 3)];

impl Office {
    /// Anna's desk phone is at x, Bela's at y; Cleo has an application alone, and her home is y.
    fn new() -> Office {
        let now = Now { mono: Mono(0), wall: Wall(1_000_000_000) };
        let mut office =
            Office { directory: Directory::new("directory", Issuer::new(&[7; 32]), [1; 32]), now };
        for (exchange, key) in KEYS {
            office.tell(Input::Joined {
                exchange: name(exchange),
                fingerprint: Fingerprint([key; 32]),
                key: TicketKey([key; 32]),
            });
            office.report(exchange, false);
        }
        for (account, home, number) in [("anna", "x", "2041"), ("bela", "y", "2042"), ("cleo", "y", "2043")] {
            let account_of =
                Account { home: name(home), numbers: vec![name(number)], enabled: true, phones: false };
            office.tell(Input::Account(name(home), name(account), Some(account_of)));
        }
        office.device("desk-a", "anna", Kind::DeskPhone, Some("x"));
        office.device("desk-b", "bela", Kind::DeskPhone, Some("y"));
        office.device("app-c", "cleo", Kind::App, None);
        office.drain();
        office
    }

    fn report(&mut self, exchange: &str, draining: bool) {
        let report = Report {
            address: format!("{exchange}.example:5061").into(),
            web: if exchange == "z" { "".into() } else { format!("wss://{exchange}.example/sip").into() },
            region: if exchange == "x" { "north" } else { "south" }.into(),
            version: "1".into(),
            load: 100,
            draining,
            calls: std::collections::BTreeMap::new(),
        };
        self.tell(Input::Report(name(exchange), report));
    }

    fn device(&mut self, id: &str, account: &str, kind: Kind, at: Option<&str>) {
        let app = kind == Kind::App;
        let way = Way { provider: Wake::Mqtt, param: "".into(), prid: format!("ringdown/wake/{id}").into() };
        let device = Device {
            account: name(account),
            kind,
            at: at.map(name),
            ways: app.then_some(way).into_iter().collect(),
            key: app.then_some(Confirmation::Tls(Fingerprint([9; 32]))),
            connected: false,
        };
        self.tell(Input::Device(name(id), device));
    }

    fn tell(&mut self, input: Input) {
        self.directory.handle(self.now, input);
    }

    fn drain(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.directory.poll_output()).collect()
    }

    /// Asks, and gives what came of it besides the decision, whose words come first.
    fn ask(&mut self, origin: Origin, callee: &str) -> (String, Vec<Output>) {
        let caller = match &origin {
            Origin::Exchange(_) => name("desk-a"),
            Origin::Cloud(device) => device.clone(),
        };
        self.tell(Input::Asked(Request {
            origin,
            id: RequestId(5),
            caller,
            callee: name(callee),
            session: SessionHalf([5; 16]),
            cnf: Confirmation::Tls(Fingerprint([4; 32])),
            shown: "Anna".into(),
        }));
        let mut outputs = self.drain();
        let Output::Decided(_, decided) = outputs.remove(0) else {
            panic!("the decision comes first: {outputs:?}")
        };
        let words = decided.map_or_else(|invalid| invalid.to_string(), |decision| decision.to_string());
        (words, outputs)
    }

    fn after(&mut self, wait: Duration) {
        self.now = self.now.after(wait);
    }
}

fn exchange(text: &str) -> Origin {
    Origin::Exchange(name(text))
}

fn cloud(text: &str) -> Origin {
    Origin::Cloud(name(text))
}

/// An exchange that checks what came to it.
fn redeemer(office: &Office, exchange: &str) -> Redeemer {
    let key = KEYS.iter().find(|(other, _)| *other == exchange).expect("a known exchange").1;
    let mut redeemer = Redeemer::new(name(exchange), Wall(0));
    let keys = IssuerKeys { public: office.directory.public(), key: TicketKey([key; 32]) };
    redeemer.believe("directory", keys);
    redeemer
}

fn good(office: &Office, at: &str, ticket: &Ticket, thumbprint: u8, dest: &str) -> bool {
    let dest: Number = name(dest);
    let shown = Shown::Key(Confirmation::Tls(Fingerprint([thumbprint; 32])));
    let presented = Presented { session: SessionHalf([5; 16]), shown, dest: &dest };
    let checked = redeemer(office, at).check(office.now.wall, &ticket.token, &presented);
    checked.is_ok_and(|checked| *checked.secret() == ticket.secret)
}

#[test]
fn s4_11_s4_12_an_invalid_callee_is_refused_at_once_to_the_exchange_that_asked() {
    let mut office = Office::new();
    let (words, outputs) = office.ask(exchange("x"), "9999");
    assert_eq!(words, "nobody has this number");
    assert_eq!(
        outputs,
        [Output::ToExchange(
            name("x"),
            Message::Refused { id: RequestId(5), why: "nobody has this number".into() }
        )]
    );
    let disabled = Account { home: name("y"), numbers: vec![name("2042")], enabled: false, phones: false };
    office.tell(Input::Account(name("y"), name("bela"), Some(disabled)));
    office.drain();
    assert_eq!(office.ask(exchange("x"), "2042").0, "its owner may not be called");
    assert_eq!(office.ask(cloud("stranger"), "2041").0, "who calls is no device of this office");
}

#[test]
fn s4_14_s4_23_c2_gives_the_address_of_the_callees_exchange_and_a_ticket_for_it_alone() {
    let mut office = Office::new();
    let (words, outputs) = office.ask(exchange("x"), "2042");
    assert_eq!(
        words,
        "C2 to y for bela; y: up, one device is there, their home, in another region, load 10 %"
    );
    let [Output::ToExchange(to, Message::Designated { exchange: chosen, address, fingerprint, ticket, .. })] =
        &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!((to.as_str(), chosen.as_str(), &**address), ("x", "y", "y.example:5061"));
    assert_eq!(*fingerprint, Fingerprint([2; 32]));
    assert!(good(&office, "y", ticket, 4, "2042"));
    for (at, key, dest) in [("z", 4, "2042"), ("y", 5, "2042"), ("y", 4, "2041")] {
        assert!(!good(&office, at, ticket, key, dest), "{at} {key} {dest}");
    }
    assert_eq!(
        office.ask(exchange("y"), "2042").1,
        [Output::ToExchange(name("y"), Message::Yours { id: RequestId(5) })]
    );
}

#[test]
fn s4_15_s4_24_c3_wakes_the_application_with_the_asking_exchanges_address() {
    let mut office = Office::new();
    let (words, outputs) = office.ask(exchange("x"), "2043");
    assert!(words.starts_with("C3 to x for cleo"), "{words}");
    let [
        Output::ToExchange(to, Message::Woken { devices, .. }),
        Output::Push { device, connected: false, ways, push: Push::Wake(notice), signed },
    ] = &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!((device.as_str(), to.as_str(), &*notice.address), ("app-c", "x", "x.example:5061"));
    assert_eq!(notice.fingerprint, Fingerprint([1; 32]));
    assert_eq!(ways[0].provider, Wake::Mqtt);
    let public = office.directory.public();
    let opened = Push::open(&public, office.now.wall, signed);
    assert_eq!(opened, Ok(Push::Wake(notice.clone())), "whoever carries it");
    assert_eq!((notice.callee.as_str(), notice.session), ("2043", SessionHalf([5; 16])));
    assert_eq!(devices, &[(name("app-c"), Confirmation::Tls(Fingerprint([9; 32])))]);
    assert!(good(&office, "x", &notice.ticket, 9, "2043"), "it is the device's own");
    assert!(!good(&office, "x", &notice.ticket, 4, "2043"));
    // It does not come: that exchange is told, and nobody else may say so.
    office.tell(Input::Declined(name("desk-a"), notice.ticket.id));
    assert!(office.drain().is_empty());
    office.tell(Input::Declined(name("app-c"), notice.ticket.id));
    let told = Message::Declined { id: RequestId(5), device: name("app-c") };
    assert_eq!(office.drain(), [Output::ToExchange(name("x"), told)]);
    office.tell(Input::Cancelled(exchange("x"), RequestId(5)));
    assert!(office.drain().is_empty(), "who declined is not told of the end");
    // Awake at y, she has an exchange.
    office.tell(Input::Placed(name("y"), name("app-c"), true));
    office.drain();
    assert!(office.ask(exchange("x"), "2043").0.starts_with("C2 to y for cleo"));
    // A desk phone that is at no exchange cannot be woken.
    office.tell(Input::Placed(name("y"), name("app-c"), false));
    office.drain();
    assert!(office.ask(exchange("x"), "2043").0.starts_with("C3 to x"));
}

#[test]
fn r29_a_device_that_was_woken_is_told_when_nobody_waits_any_more_while_its_ticket_works() {
    for (wait, told) in [(1, true), (31, false)] {
        let mut office = Office::new();
        let (_, outputs) = office.ask(exchange("x"), "2043");
        let Some(Output::Push { push: woken, .. }) = outputs.last() else { panic!("{outputs:?}") };
        office.after(Duration::from_secs(wait));
        office.report("x", false);
        office.tell(Input::Timeout);
        office.drain();
        office.tell(Input::Cancelled(exchange("x"), RequestId(5)));
        let outputs = office.drain();
        let withdrawn = outputs.iter().any(|output| {
            matches!(output, Output::Push { device, push: Push::Withdrawn { ticket, .. }, .. }
                if *device == name("app-c") && *ticket == woken.ticket())
        });
        assert_eq!(withdrawn, told, "{wait}: {outputs:?}");
        office.tell(Input::Cancelled(exchange("x"), RequestId(5)));
        assert!(office.drain().is_empty(), "once");
    }
}

#[test]
fn s4_13_who_has_phones_too_is_called_at_home_which_has_the_apps_woken() {
    let mut office = Office::new();
    let told = Account { home: name("y"), numbers: vec![name("2043")], enabled: true, phones: true };
    office.tell(Input::Account(name("y"), name("cleo"), Some(told)));
    office.drain();
    assert!(office.ask(exchange("x"), "2043").0.starts_with("C2 to y for cleo"));
    assert!(office.ask(exchange("y"), "2043").0.starts_with("C3 to y for cleo"));
    assert!(office.ask(exchange("y"), "2042").0.starts_with("own to y"), "bela has no app");
    // Her home is down: whoever can be woken is.
    office.after(Duration::from_secs(5));
    for other in ["x", "z"] {
        office.report(other, false);
    }
    office.tell(Input::Timeout);
    office.drain();
    assert!(office.ask(exchange("x"), "2043").0.starts_with("C3 to x for cleo"));
}

#[test]
fn s4_16_to_s4_20_c1_asks_first_and_a_refusal_never_tells_an_address() {
    let mut office = Office::new();
    let (words, outputs) = office.ask(cloud("app-c"), "2041");
    assert!(words.starts_with("C1 to x for anna"), "{words}");
    let [Output::ToExchange(to, Message::Ask { caller, account, callee, .. })] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!(
        (to.as_str(), caller.as_str(), account.as_str(), callee.as_str()),
        ("x", "app-c", "cleo", "2041")
    );
    let say = |said| Input::Said { exchange: name("x"), caller: name("app-c"), id: RequestId(5), said };
    // Another exchange that answers is not heard.
    office.tell(Input::Said {
        exchange: name("y"),
        caller: name("app-c"),
        id: RequestId(5),
        said: Said::Refused("no".into()),
    });
    assert_eq!(office.drain(), []);
    office.tell(say(Said::Waiting(2)));
    let place = Message::Place { id: RequestId(5), place: 2 };
    assert_eq!(office.drain(), [Output::ToDevice(name("app-c"), place)]);
    office.tell(say(Said::Refused("do not disturb".into())));
    let told = office.drain();
    assert_eq!(
        told,
        [Output::ToDevice(
            name("app-c"),
            Message::Refused { id: RequestId(5), why: "do not disturb".into() }
        )]
    );
    assert!(!format!("{told:?}").contains("example"));
    // It was answered for good.
    office.tell(say(Said::Waiting(1)));
    assert_eq!(office.drain(), []);

    office.ask(cloud("app-c"), "2041");
    let ticket = Ticket {
        id: directory::TicketId([1; 16]),
        token: "token".into(),
        secret: directory::Secret::new("secret"),
    };
    office.tell(say(Said::Accepted(ticket.clone())));
    let designated = Message::Designated {
        id: RequestId(5),
        exchange: name("x"),
        address: "x.example:5061".into(),
        fingerprint: Fingerprint([1; 32]),
        ticket,
        why: "".into(),
    };
    assert_eq!(office.drain(), [Output::ToDevice(name("app-c"), designated)]);
    assert_eq!(
        office.directory.next_deadline(),
        Some(Mono(4_000_000)),
        "only the exchanges' silence is waited for"
    );
}

#[test]
fn c1_call_me_when_free_goes_to_the_home_of_who_asks_and_never_tells_where_anybody_is() {
    let mut office = Office::new();
    let wants =
        |callee: &str| Input::WhenFree { caller: name("app-c"), id: RequestId(7), callee: name(callee) };
    office.tell(wants("2041"));
    let asked = Message::WhenFree {
        id: RequestId(7),
        caller: name("app-c"),
        account: name("cleo"),
        callee: name("2041"),
    };
    assert_eq!(
        office.drain(),
        [Output::ToExchange(name("y"), asked.clone())],
        "at home, and not where the callee is"
    );
    let says = |exchange: &str, said| Input::Said {
        exchange: name(exchange),
        caller: name("app-c"),
        id: RequestId(7),
        said,
    };
    office.tell(says("x", Said::Kept));
    assert_eq!(office.drain(), [], "only who was asked answers");
    office.tell(says("y", Said::Kept));
    assert_eq!(office.drain(), [Output::ToDevice(name("app-c"), Message::Kept { id: RequestId(7) })]);
    office.tell(says("y", Said::Kept));
    assert_eq!(office.drain(), [], "and once");
    let refused = |office: &mut Office| match &office.drain()[..] {
        [Output::ToDevice(_, Message::Refused { why, .. })] => why.to_string(),
        other => panic!("{other:?}"),
    };
    office.tell(wants("2999"));
    assert_eq!(refused(&mut office), "nobody has this number");
    // Nobody answers.
    office.tell(wants("2041"));
    office.drain();
    for exchange in ["x", "z"] {
        office.after(Duration::from_secs(3));
        office.report(exchange, false);
        office.tell(Input::Timeout);
    }
    office.after(Duration::from_secs(3));
    office.tell(Input::Timeout);
    let told = office.drain();
    let late = Message::Refused { id: RequestId(7), why: "nobody answered in time".into() };
    assert!(told.contains(&Output::ToDevice(name("app-c"), late)), "{told:?}");
    // By now y has been silent for too long.
    office.tell(wants("2041"));
    assert_eq!(refused(&mut office), "the exchange that would keep calling is away");
    let stranger = Input::WhenFree { caller: name("app-x"), id: RequestId(1), callee: name("2041") };
    office.tell(stranger);
    assert_eq!(refused(&mut office), "who asks is no device of this office");
}

#[test]
fn c1_ends_when_nobody_answers_and_when_the_caller_gives_up() {
    let mut office = Office::new();
    office.ask(cloud("app-c"), "2041");
    office.tell(Input::Cancelled(cloud("app-c"), RequestId(5)));
    let withdrawn = Message::Withdrawn { id: RequestId(5), caller: name("app-c") };
    assert_eq!(office.drain(), [Output::ToExchange(name("x"), withdrawn.clone())]);
    office.tell(Input::Cancelled(cloud("app-c"), RequestId(5)));
    assert_eq!(office.drain(), []);

    office.ask(cloud("app-c"), "2041");
    office.after(Duration::from_secs(8));
    for (exchange, _) in KEYS {
        office.report(exchange, false);
    }
    office.tell(Input::Timeout);
    let refused = Message::Refused { id: RequestId(5), why: "nobody answered in time".into() };
    assert_eq!(
        office.drain(),
        [Output::ToExchange(name("x"), withdrawn), Output::ToDevice(name("app-c"), refused)]
    );
}

#[test]
fn s4_8_a_browser_goes_to_where_exchanges_take_browsers_and_its_ticket_is_for_its_media() {
    let mut office = Office::new();
    let key = Confirmation::Media(Fingerprint([8; 32]));
    let browser = |account: &str| Device {
        account: name(account),
        kind: Kind::App,
        at: None,
        ways: Vec::new(),
        key: Some(key),
        connected: true,
    };
    office.tell(Input::Device(name("app-c"), browser("cleo")));
    let (_, outputs) = office.ask(exchange("x"), "2043");
    let [
        Output::ToExchange(_, Message::Woken { devices, .. }),
        Output::Push { push: Push::Wake(notice), .. },
    ] = &*outputs
    else {
        panic!("{outputs:?}")
    };
    assert_eq!((&devices[..], &*notice.address), (&[(name("app-c"), key)][..], "wss://x.example/sip"));
    assert_eq!(&*notice.from, "Anna");
    let dest = name("2043");
    let presented = |shown| Presented { session: SessionHalf([5; 16]), shown, dest: &dest };
    let check =
        |shown| redeemer(&office, "x").check(office.now.wall, &notice.ticket.token, &presented(shown));
    assert!(check(Shown::WithItsAnswer).is_ok());
    assert!(check(Shown::Key(Confirmation::Tls(Fingerprint([8; 32])))).is_err());
    // An exchange that takes none can wake none, and is not asked for one.
    let (words, outputs) = office.ask(exchange("z"), "2043");
    assert!(words.starts_with("C3 to z"), "{words}");
    assert!(matches!(&*outputs, [Output::ToExchange(_, Message::Refused { .. })]), "{outputs:?}");
}

#[test]
fn one_device_asks_for_few_calls_at_once() {
    let mut office = Office::new();
    for place in 0..=directory::limits::ASKED_BY_ONE {
        office.tell(Input::Asked(Request {
            origin: cloud("app-c"),
            id: RequestId(place as u64),
            caller: name("app-c"),
            callee: name("2041"),
            session: SessionHalf([5; 16]),
            cnf: Confirmation::Tls(Fingerprint([9; 32])),
            shown: "".into(),
        }));
    }
    let outputs = office.drain();
    let refused =
        outputs.iter().filter(|output| matches!(output, Output::ToDevice(_, Message::Refused { .. })));
    assert_eq!(refused.count(), 1);
}

#[test]
fn an_exchange_that_says_nothing_is_down_and_its_people_are_reached_where_their_phones_went() {
    let mut office = Office::new();
    office.after(Duration::from_secs(3));
    office.report("x", false);
    office.report("z", false);
    office.after(Duration::from_secs(1));
    assert_eq!(office.directory.next_deadline(), Some(Mono(4_000_000)));
    office.tell(Input::Timeout);
    assert_eq!(office.drain(), [Output::Changed(name("y"))]);
    let (words, _) = office.ask(exchange("x"), "2042");
    assert_eq!(words, "its owner is at no exchange that is up, and has no device that can be woken");
    office.tell(Input::Placed(name("z"), name("desk-b"), true));
    office.drain();
    let (words, _) = office.ask(exchange("x"), "2042");
    assert_eq!(
        words,
        "C2 to z for bela; z: up, one device is there, in another region, load 10 %; \
         y: down, their home, in another region, load 10 %"
    );
    // A draining exchange is entered as long as it has the flow.
    office.report("z", true);
    office.report("y", false);
    office.drain();
    assert!(office.ask(exchange("x"), "2042").0.starts_with("C2 to z for bela; z: draining, one device"));
}

#[test]
fn accounts_and_devices_are_only_their_homes_to_tell_of() {
    let mut office = Office::new();
    let stolen = Account { home: name("y"), numbers: vec![name("2041")], enabled: true, phones: false };
    office.tell(Input::Account(name("y"), name("mallory"), Some(stolen)));
    let [Output::Complained(to, refused)] = &office.drain()[..] else { panic!("no complaint") };
    assert_eq!((to.as_str(), refused.to_string().as_str()), ("y", "number 2041 belongs to anna"));
    office.tell(Input::Account(name("y"), name::<AccountName>("anna"), None));
    office.drain();
    assert!(office.ask(exchange("y"), "2041").0.starts_with("C2 to x"), "y cannot take anna away");
    let before = office.directory.version();
    office.tell(Input::Account(name("x"), name::<AccountName>("anna"), None));
    assert!(office.directory.version() > before);
    office.drain();
    assert_eq!(office.ask(exchange("y"), "2041").0, "nobody has this number");
    assert!(office.ask(exchange("x"), "2042").0.starts_with("C2 to y"));
    office.tell(Input::Everybody(name("x"), BTreeSet::new()));
    assert!(office.ask(exchange("x"), "2042").0.starts_with("C2 to y"), "x does not know who is at y");
    let account = Account { home: name("y"), numbers: vec![name("2042")], enabled: true, phones: true };
    office.tell(Input::Account(name("y"), name("dora"), Some(account)));
    assert_eq!(office.drain(), [], "a number changed hands at its home");
    assert!(office.ask(exchange("x"), "2042").0.contains("for dora"));
    office.tell(Input::Everybody(name("y"), BTreeSet::from([name("bela")])));
    office.drain();
    assert_eq!(
        office.ask(exchange("x"), "2042").0,
        "nobody has this number",
        "dora left while y was not connected"
    );
    let _: (DeviceId, ExchangeName) = (name("d"), name("x"));
}
