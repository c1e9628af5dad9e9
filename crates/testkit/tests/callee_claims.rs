//! Two exchanges of one office want the same person outside: one attempt at a time over both, and what one's came to counts for
//! the other (R26; G, Show 1).

use exchange::{
    Asking, Change, Command, Host, NewTask, PeopleChange, Right, Rights, Route, Settings, Snapshot, Trunk,
};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use testkit::phone::{Attempt, Note, Plan, Reaction, Then};
use testkit::stage::{answers_after, desk_phone, put_device};
use testkit::{Act, World, membership, office_config};

/// The telephone network, where the callee is.
const NETWORK: usize = 2;
const CALLEE: &str = "01055500011";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn address(office: usize) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1 + office as u8).into(), 5060)
}

fn account(name: &str) -> PeopleChange {
    let rights = [Right::Background, Right::National].into_iter().fold(Rights::default(), Rights::with);
    let settings = Settings { rights, ..Settings::default() };
    PeopleChange::PutAccount { name: name.into(), display: name.into(), settings: settings.into() }
}

fn trunk(name: &str, to: usize) -> PeopleChange {
    let trunk = Trunk::at(Host::Address(address(to).ip()), None);
    PeopleChange::PutTrunk { name: name.into(), trunk: Box::new(trunk) }
}

fn plan(office: usize, device: &str, reaction: Reaction) -> Plan {
    desk_phone(office, device, Ipv4Addr::new(10, 0, office as u8, 9), reaction)
}

/// Ada at the first exchange and Bob at the second want the callee; both reach the network by a trunk of their own.
fn world(callee: Reaction) -> World {
    let mut world = World::new(5, true);
    for (office, (name, number)) in [("ada", "100"), ("bob", "200")].into_iter().enumerate() {
        let route = Route {
            prefix: "+86".into(),
            strip: 3,
            prepend: "0".into(),
            trunks: vec!["out".into()],
            caller: None,
        };
        let changes = [
            account(name),
            PeopleChange::PutNumber { number: number.into(), account: name.into() },
            put_device(&format!("{name}-1"), name),
            trunk("out", NETWORK),
            PeopleChange::PutRoute { name: "home".into(), route: route.into() },
        ];
        let mut config = office_config(address(office));
        config.membership = Some(membership(office));
        (config.numbering.country, config.numbering.national) = ("86".into(), "0".into());
        let changes = changes.into_iter().map(Change::People).collect();
        world.add_office(address(office), config, Snapshot { changes, sequence: 0 });
    }
    let changes = [
        account("callee"),
        PeopleChange::PutNumber { number: CALLEE.into(), account: "callee".into() },
        put_device("callee-1", "callee"),
        trunk("first", 0),
        trunk("second", 1),
    ];
    let changes = changes.into_iter().map(Change::People).collect();
    world.add_office(address(NETWORK), office_config(address(NETWORK)), Snapshot { changes, sequence: 0 });
    for (office, device) in ["ada-1", "bob-1", "callee-1"].into_iter().enumerate() {
        let reaction = if office == NETWORK { callee.clone() } else { answers_after(1) };
        let phone = world.add_phone(plan(office, device, reaction));
        world.after(Duration::ZERO, Act::Boot { phone, moved: false });
    }
    world.open_directory();
    // The directory gives nothing away at first.
    world.run_for(seconds(15));
    world
}

fn wants(world: &mut World, office: usize) {
    let account = ["ada", "bob"][office];
    let new = NewTask { account: account.into(), number: CALLEE.into(), ..NewTask::default() };
    world.command(office, Command::Background(Box::new(Asking::Start(new))));
}

/// How often the callee's phone rang.
fn rings(world: &World) -> usize {
    world.notes_of(NETWORK).filter(|note| matches!(note, Note::Rings { .. })).count()
}

fn said(world: &World, part: &str) -> usize {
    world.trace.lines().iter().filter(|line| line.contains(part)).count()
}

#[test]
fn show_1_one_callee_wanted_by_two_exchanges_is_called_by_one_at_a_time() {
    let callee = Reaction { then: Then::Never, ..answers_after(1) };
    let mut world = world(callee);
    wants(&mut world, 0);
    world.run_for(seconds(1));
    wants(&mut world, 1);
    world.run_for(seconds(10));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    assert_eq!(rings(&world), 1, "{:#?}", world.trace.lines());
    assert_eq!(said(&world, "another exchange may be calling this number"), 1);
    world.run_for(seconds(6 * 3_600));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    let made = rings(&world);
    // The law's budget is the number's, whoever calls: alone one exchange would have made as many.
    let mut alone = self::world(Reaction { then: Then::Never, ..answers_after(1) });
    wants(&mut alone, 0);
    alone.run_for(seconds(6 * 3_600 + 11));
    assert!(made >= 2 && made <= rings(&alone), "{made} attempts of two, {} of one", rings(&alone));
    world.close();
    alone.close();
}

#[test]
fn while_the_directory_is_away_nothing_leaves_by_itself_and_it_goes_on_after() {
    let mut world = world(answers_after(2));
    world.connect_directory(0, false);
    wants(&mut world, 0);
    world.run_for(seconds(120));
    assert_eq!(rings(&world), 0, "{:#?}", world.trace.lines());
    assert!(said(&world, "it cannot be asked whether another exchange calls this number") >= 2);
    world.connect_directory(0, true);
    world.run_for(seconds(90));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    assert_eq!(rings(&world), 1);
    world.close();
}

#[test]
fn somebody_at_the_other_exchange_is_called_as_soon_as_they_are_free() {
    let mut world = world(answers_after(1));
    let (ada, bob) = (0, 1);
    let rings = |world: &World, office| {
        world.notes_of(office).filter(|note| matches!(note, Note::Rings { .. })).count()
    };
    let busy = Reaction { then: Then::Refuse(486), ..answers_after(1) };
    world.after(Duration::ZERO, Act::React { phone: bob, reaction: busy });
    let new = NewTask { account: "ada".into(), number: "200".into(), ..NewTask::default() };
    world.command(ada, Command::Background(Box::new(Asking::Start(new))));
    // Tried in vain, more and more seldom.
    world.run_for(seconds(300));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    let tried = rings(&world, bob);
    assert!((2..9).contains(&tried), "{tried}: {:#?}", world.trace.lines());
    world.after(Duration::ZERO, Act::React { phone: bob, reaction: answers_after(1) });
    world.run_for(seconds(10));
    assert_eq!((rings(&world, bob), rings(&world, ada)), (tried, 0), "its time has not come");
    // Bob dials something, hangs up, and is free.
    world.call(bob, Attempt { talk: seconds(1), ..Attempt::to("*43") });
    world.run_for(seconds(6));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    assert_eq!((rings(&world, bob), rings(&world, ada)), (tried + 1, 1), "{:#?}", world.trace.lines());
    assert_eq!(said(&world, "they talk"), 1);
    world.run_for(seconds(20));
    world.close();
}

#[test]
fn whoever_talks_at_the_other_exchange_is_not_rung_for_an_attempt_until_they_hang_up() {
    let mut world = world(answers_after(1));
    let (ada, bob) = (0, 1);
    let rings = |world: &World, office| {
        world.notes_of(office).filter(|note| matches!(note, Note::Rings { .. })).count()
    };
    // He listens to the exchange for twelve seconds.
    world.call(bob, Attempt { talk: seconds(60), ..Attempt::to("*43") });
    world.run_for(seconds(3));
    let new = NewTask { account: "ada".into(), number: "200".into(), ..NewTask::default() };
    world.command(ada, Command::Background(Box::new(Asking::Start(new))));
    world.run_for(seconds(8));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    assert!(said(&world, "attempt 1: busy") == 1, "{:#?}", world.trace.lines());
    assert_eq!((rings(&world, bob), rings(&world, ada)), (0, 0), "{:#?}", world.trace.lines());
    world.run_for(seconds(15));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    assert_eq!((rings(&world, bob), rings(&world, ada)), (1, 1), "{:#?}", world.trace.lines());
    assert_eq!(said(&world, "they talk"), 1);
    world.run_for(seconds(11));
    world.close();
}
