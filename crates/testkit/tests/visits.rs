//! People of one exchange at the phones of another: a tap there brings what rings for them at home, and a code picks up what
//! rings elsewhere (S1.6, S1.11, S1.14, R5, R6, R24).

use exchange::{
    Answer, Badge, BadgeKind, BadgePolicy, Change, Command, Group, Mark, PeopleChange, Reader, Reading,
    Right, Rights, Settings, Snapshot, Strategy, Taken, TapAnswer, TapRequest, TapVerdict, TokenHash, Uid,
    WeekTime,
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use testkit::phone::{Attempt, Deed, Note, Reaction, Ring, Then};
use testkit::stage::{answers_after, desk_phone, put_device};
use testkit::{Act, World, exchange_name, membership, office_config};

/// Ada and Carl are people of the first exchange, Bob of the second; at his desk is a reader.
const CARL: usize = 0;
const ADA: usize = 1;
const BOB: usize = 2;
const CARD: &str = "04DE5F1EACC040";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn rings_on() -> Reaction {
    Reaction { then: Then::Never, ..answers_after(100) }
}

fn person(name: &str, number: &str, rights: &[Right]) -> Vec<PeopleChange> {
    let settings = Settings {
        rights: rights.iter().fold(Rights::default(), |all, right| all.with(*right)),
        ..Settings::default()
    };
    vec![
        PeopleChange::PutAccount { name: name.into(), display: name.into(), settings: Box::new(settings) },
        PeopleChange::PutNumber { number: number.into(), account: name.into() },
        put_device(&format!("{name}-1"), name),
    ]
}

fn badge(name: &str, account: &str, uid: &str) -> PeopleChange {
    let mark = Mark::Uid(Uid::parse(uid).expect("a UID"));
    let badge =
        Badge { account: account.into(), label: "".into(), mark, made: clock::Wall(0), revoked: None };
    PeopleChange::PutBadge { name: name.into(), badge: Box::new(badge) }
}

fn two_exchanges(bob: Reaction, bobs: &[Right]) -> World {
    offices(bob, bobs, true)
}

/// `listed`: the first lets people of the second pick up.
fn offices(bob: Reaction, bobs: &[Right], listed: bool) -> World {
    let mut world = World::new(3, true);
    let team = Group {
        number: "300".into(),
        display: "Team".into(),
        members: vec!["ada".into()],
        strategy: Strategy::All,
        ring: seconds(60),
        overflow: None,
    };
    let first = [
        person("carl", "500", &[]),
        person("ada", "100", &[]),
        vec![
            badge("card", "ada", CARD),
            PeopleChange::PutGroup { name: "team".into(), group: Box::new(team) },
        ],
    ];
    let reader = Reader { device: "bob-1".into(), key: TokenHash::of("rdr_bob") };
    let second = [
        person("bob", "200", bobs),
        vec![
            badge("own", "bob", "04DE5F1EACC041"),
            PeopleChange::PutReader { name: "reader".into(), reader },
        ],
    ];
    for (office, changes) in [first.concat(), second.concat()].into_iter().enumerate() {
        let address = SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1 + office as u8).into(), 5060);
        let mut config = office_config(address);
        config.membership = Some(membership(office));
        config.badges =
            BadgePolicy { allow: BadgeKind::ALL.to_vec(), pin: Vec::new(), ..BadgePolicy::default() };
        config.codes = exchange::Codes::default();
        if office == 0 && listed {
            config.pickup_from = vec![exchange_name(1)];
        }
        let changes = changes.into_iter().map(Change::People).collect();
        world.add_office(address, config, Snapshot { changes, sequence: 0 });
    }
    for (place, (office, device, reaction)) in
        [(0, "carl-1", rings_on()), (0, "ada-1", rings_on()), (1, "bob-1", bob)].into_iter().enumerate()
    {
        let phone = world.add_phone(desk_phone(
            office,
            device,
            Ipv4Addr::new(10, 0, office as u8, 9 + place as u8),
            reaction,
        ));
        world.after(Duration::ZERO, Act::Boot { phone, moved: false });
    }
    world.open_directory();
    world.run_for(seconds(5));
    world
}

/// A card is held to the reader at Bob's desk.
fn tap(world: &mut World, uid: &str, id: &str) -> TapAnswer {
    world.reference.is_visited(1, "bob-1");
    let request = TapRequest {
        reader: TokenHash::of("rdr_bob"),
        source: IpAddr::from([10, 0, 1, 7]),
        id: Some(id.into()),
        reading: Reading::of(Some(uid), None).expect("a reading"),
        pin: None,
        at: WeekTime { day: 0, minute: 600 },
    };
    let asked = world.command(1, Command::Tap(Box::new(request)));
    world.run_for(Duration::from_millis(400));
    let answers = &world.offices[1].answers;
    match answers.iter().find(|(known, _)| *known == asked).map(|(_, answer)| answer) {
        Some(Answer::Tapped(answer)) => (**answer).clone(),
        other => panic!("{other:?}: {}", world.trace.lines().join("\n")),
    }
}

fn call(world: &mut World, phone: usize, number: &str) {
    let attempt = Attempt { patience: seconds(50), talk: seconds(300), ..Attempt::to(number) };
    world.call(phone, attempt);
    world.run_for(seconds(1));
    world.assert_sound();
}

fn rings(world: &World, phone: usize) -> usize {
    world.notes_of(phone).filter(|note| matches!(note, Note::Rings { .. })).count()
}

fn why_cancelled(world: &World, phone: usize) -> String {
    let reason = world.notes_of(phone).filter_map(|note| match note {
        Note::Cancelled { reason, .. } => Some(reason.to_string()),
        _ => None,
    });
    reason.last().unwrap_or_default()
}

fn heard(world: &World) -> String {
    world.trace.lines().join("\n")
}

#[test]
fn s1_6_a_tap_at_another_exchange_brings_the_ringing_call_there() {
    let mut world = two_exchanges(answers_after(3), &[]);
    call(&mut world, CARL, "100");
    let answer = tap(&mut world, CARD, "t-1");
    assert_eq!(answer.verdict, TapVerdict::Accepted, "{answer:?}");
    assert!(matches!(answer.taken, Some(Taken::Comes { talk: false, .. })), "{answer:?}");
    world.run_for(seconds(1));
    world.assert_sound();
    assert_eq!(rings(&world, BOB), 1, "{}", heard(&world));
    assert!(why_cancelled(&world, ADA).starts_with("SIP;cause=200;"), "{}", why_cancelled(&world, ADA));
    assert_eq!(world.final_status(CARL), None, "the caller notices nothing");
    // Told again with the same name it is the same tap, and held there once more it is no other call.
    assert_eq!(tap(&mut world, CARD, "t-1").verdict, TapVerdict::Accepted);
    assert!(matches!(tap(&mut world, CARD, "t-2").verdict, TapVerdict::Accepted | TapVerdict::NoPhone));
    world.run_for(seconds(5));
    assert_eq!(world.final_status(CARL), Some(200), "{}", heard(&world));
    assert_eq!(rings(&world, BOB), 1);
    world.after(Duration::ZERO, Act::Do { phone: CARL, deed: Deed::HangUp });
    world.run_for(seconds(2));
    world.assert_sound();
    world.close();
}

#[test]
fn r5_a_phone_elsewhere_that_says_no_takes_nothing() {
    let mut world =
        two_exchanges(Reaction { ring: Ring::Quiet, then: Then::Refuse(486), ..answers_after(0) }, &[]);
    call(&mut world, CARL, "100");
    assert_eq!(tap(&mut world, CARD, "t-1").verdict, TapVerdict::Accepted);
    world.run_for(seconds(3));
    world.assert_sound();
    assert_eq!(why_cancelled(&world, ADA), "", "Ada's own phone rings on");
    assert!(heard(&world).contains("take.failed"), "{}", heard(&world));
}

#[test]
fn r6_a_tap_at_another_exchange_brings_the_talk_there() {
    let mut world = two_exchanges(answers_after(1), &[]);
    world.after(Duration::ZERO, Act::React { phone: ADA, reaction: answers_after(1) });
    call(&mut world, CARL, "100");
    world.run_for(seconds(3));
    assert_eq!(world.final_status(CARL), Some(200));
    let answer = tap(&mut world, CARD, "t-1");
    assert!(matches!(answer.taken, Some(Taken::Comes { talk: true, .. })), "{answer:?}");
    world.run_for(seconds(10));
    world.assert_sound();
    assert!(world.notes_of(BOB).any(|note| matches!(note, Note::Answers { .. })), "{}", heard(&world));
    assert!(world.notes_of(ADA).any(|note| matches!(note, Note::Ended { .. })), "{}", heard(&world));
    assert!(!world.notes_of(CARL).any(|note| matches!(note, Note::Ended { .. })), "{}", heard(&world));
}

/// Bob calls Ada from the very phone at whose exchange she stands.
#[test]
fn a_call_from_the_visited_exchange_comes_back_to_it() {
    let mut world = two_exchanges(answers_after(1), &[]);
    let second = desk_phone(1, "bob-2", Ipv4Addr::new(10, 0, 1, 30), rings_on());
    let phone = world.add_phone(second);
    world.command(1, Command::Change(put_device("bob-2", "bob")));
    world.run_for(seconds(1));
    world.after(Duration::ZERO, Act::Boot { phone, moved: false });
    world.run_for(seconds(2));
    call(&mut world, phone, "100");
    world.run_for(seconds(1));
    assert_eq!(rings(&world, ADA), 1, "{}", heard(&world));
    assert_eq!(tap(&mut world, CARD, "t-1").verdict, TapVerdict::Accepted);
    world.run_for(seconds(4));
    world.assert_sound();
    assert_eq!(world.final_status(phone), Some(200), "{}", heard(&world));
    assert_eq!(rings(&world, BOB), 1);
}

#[test]
fn a_tap_elsewhere_is_refused_with_the_reason() {
    let mut world = two_exchanges(answers_after(1), &[]);
    // Nothing rings.
    let answer = tap(&mut world, CARD, "t-1");
    assert!(matches!(answer.taken, Some(Taken::Refused { .. })), "{answer:?}");
    assert!(answer.words.contains("no call rings for you"), "{answer:?}");
    // Nobody's badge.
    assert_eq!(tap(&mut world, "04DE5F1EACC0FF", "t-2").verdict, TapVerdict::UnknownBadge);
    // One that its exchange revoked.
    world.command(0, Command::RevokeBadge("card".into()));
    world.run_for(seconds(1));
    assert_eq!(tap(&mut world, CARD, "t-3").verdict, TapVerdict::Revoked);
    // The other exchange is away.
    world.show_wrong_certificate(0);
    let mut away = two_exchanges(answers_after(1), &[]);
    away.show_wrong_certificate(0);
    let answer = tap(&mut away, CARD, "t-4");
    assert_eq!(answer.verdict, TapVerdict::Away, "{answer:?}");
    assert!(answer.words.contains("is away"), "{answer:?}");
}

#[test]
fn pickup_across_exchanges_takes_a_right_there_and_the_word_of_the_operator_here() {
    for (number, rights, allowed, picked) in [
        ("100", &[Right::Pickup][..], true, true),
        ("300", &[Right::Pickup][..], true, true),
        ("100", &[][..], true, false),
        ("100", &[Right::Pickup][..], false, false),
    ] {
        let mut world = offices(answers_after(1), rights, allowed);
        call(&mut world, CARL, number);
        assert_eq!(rings(&world, ADA), 1, "{}", heard(&world));
        call(&mut world, BOB, &format!("*85{number}"));
        world.run_for(seconds(2));
        let answered = world.final_status(CARL) == Some(200);
        assert_eq!(answered, picked, "{number} {rights:?}: {}", heard(&world));
        if picked {
            assert_eq!(world.final_status(BOB), Some(200));
            assert!(why_cancelled(&world, ADA).contains("cause=200"), "{}", why_cancelled(&world, ADA));
        }
    }
}
