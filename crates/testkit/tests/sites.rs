//! Two exchanges of one office and their directory: calls between them (S4.11 to S4.14, S4.23, S4.25, R27).

use exchange::{Change, PeopleChange, Snapshot};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use testkit::phone::{Attempt, Mischief, Note, Plan, Reaction, Ring, Then};
use testkit::stage::{answers_after, desk_phone, put_device};
use testkit::{Act, World, membership, office_config};

const ADA: usize = 0;
const BOB: usize = 1;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn address(office: usize) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1 + office as u8).into(), 5060)
}

fn plan(office: usize, device: &str, reaction: Reaction) -> Plan {
    desk_phone(office, device, Ipv4Addr::new(10, 0, office as u8, 9), reaction)
}

/// Ada has 100 at the first exchange, Bob 200 at the second.
fn two_exchanges(bob: Reaction) -> World {
    two_exchanges_after(bob, seconds(5))
}

fn two_exchanges_after(bob: Reaction, running: Duration) -> World {
    let mut world = World::new(1, true);
    for (office, (account, number)) in [("ada", "100"), ("bob", "200")].into_iter().enumerate() {
        let put = PeopleChange::PutAccount {
            name: account.into(),
            display: account.into(),
            settings: Box::default(),
        };
        let number = PeopleChange::PutNumber { number: number.into(), account: account.into() };
        let changes = [put, number, put_device(&format!("{account}-1"), account)];
        let changes = changes.into_iter().map(Change::People).collect();
        let mut config = office_config(address(office));
        config.membership = Some(membership(office));
        world.add_office(address(office), config, Snapshot { changes, sequence: 0 });
    }
    for (office, (device, reaction)) in [("ada-1", answers_after(1)), ("bob-1", bob)].into_iter().enumerate()
    {
        let phone = world.add_phone(plan(office, device, reaction));
        world.after(Duration::ZERO, Act::Boot { phone, moved: false });
    }
    world.open_directory();
    world.run_for(running);
    world
}

fn heard(world: &World) -> String {
    world.trace.lines().join("\n")
}

#[test]
fn s4_23_a_call_goes_straight_to_the_callees_exchange_and_both_talk() {
    let mut world = two_exchanges(answers_after(2));
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(60));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    assert_eq!(world.final_status(ADA), Some(200), "{}", heard(&world));
    assert!(world.notes_of(BOB).any(|note| matches!(note, Note::Rings { .. })));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    // Again, and in the other direction: connections are used again, tickets are not.
    world.call(BOB, Attempt::to("100"));
    world.run_for(seconds(60));
    assert_eq!(world.final_status(BOB), Some(200));
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(60));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    world.close();
}

/// Connections that show the last certificate let in no call whose ticket names the newer one.
#[test]
fn a_renewed_certificate_is_used_at_once_in_both_directions() {
    let mut world = two_exchanges(answers_after(2));
    for renewed in [None, Some(0), Some(1)] {
        renewed.into_iter().for_each(|office| world.renew_certificate(office));
        world.run_for(seconds(1));
        for (caller, number) in [(ADA, "200"), (BOB, "100")] {
            world.call(caller, Attempt::to(number));
            world.run_for(seconds(60));
            assert!(world.broken.is_none(), "{:?}", world.broken);
            assert_eq!(world.final_status(caller), Some(200), "{renewed:?}: {}", heard(&world));
        }
    }
    world.close();
}

#[test]
fn what_the_callee_says_reaches_the_caller_and_a_caller_who_gives_up_is_gone_there() {
    let busy = Reaction { then: Then::Refuse(486), ..answers_after(1) };
    let mut world = two_exchanges(busy);
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(30));
    assert_eq!(world.final_status(ADA), Some(486));
    let rings_on = Reaction {
        ring: Ring::Plain,
        after: Duration::ZERO,
        then: Then::Never,
        talk: None,
        mischief: Mischief::Nothing,
    };
    world.after(Duration::ZERO, Act::React { phone: BOB, reaction: rings_on });
    world.call(ADA, Attempt { patience: seconds(4), ..Attempt::to("200") });
    world.run_for(seconds(40));
    assert!(world.notes_of(BOB).any(|note| matches!(note, Note::Cancelled { .. })), "{}", heard(&world));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    world.close();
}

/// R27: which tickets of before its start were used, an exchange does not know, so it issues its own.
#[test]
fn a_call_right_after_the_start_gets_a_ticket_of_the_exchange_that_it_goes_to() {
    let mut world = two_exchanges_after(answers_after(1), Duration::from_millis(500));
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(60));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    assert_eq!(world.final_status(ADA), Some(200), "{}", heard(&world));
    world.close();
}

#[test]
fn s4_12_an_invalid_number_is_refused_at_once() {
    let mut world = two_exchanges(answers_after(1));
    world.call(ADA, Attempt::to("999"));
    world.run_for(seconds(10));
    assert_eq!(world.final_status(ADA), Some(404));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    world.close();
}

#[test]
fn show_3_an_exchange_with_the_right_address_and_a_wrong_certificate_is_refused() {
    for stranger in [0, 1] {
        let mut world = two_exchanges(answers_after(1));
        world.show_wrong_certificate(stranger);
        world.call(ADA, Attempt::to("200"));
        world.run_for(seconds(20));
        let status = world.final_status(ADA).expect("an answer");
        assert!(status >= 400, "{status}");
        assert!(!world.notes_of(BOB).any(|note| matches!(note, Note::Rings { .. })), "stranger {stranger}");
    }
}

#[test]
fn show_4_without_the_directory_exchanges_call_each_other_by_their_copy() {
    let mut world = two_exchanges(answers_after(1));
    for office in [0, 1] {
        world.connect_directory(office, false);
    }
    // The copy says where 200 is; that exchange issues the ticket, and only to one of the office.
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(60));
    assert!(world.broken.is_none(), "{:?}", world.broken);
    assert_eq!(world.final_status(ADA), Some(200), "{}", heard(&world));
    // A number that no copy lists is nobody's.
    world.call(ADA, Attempt::to("999"));
    world.run_for(seconds(10));
    assert_eq!(world.final_status(ADA), Some(404));
    world.show_wrong_certificate(0);
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(20));
    let rung = world.notes_of(BOB).filter(|note| matches!(note, Note::Rings { .. })).count();
    assert_eq!(rung, 2, "a connection that stands was proved before");
}

/// A callee who does not answer is something else; the same connection may be silent for long after the network is whole again.
#[test]
fn show_4_a_split_network_between_two_exchanges_is_told_as_such_and_the_next_call_gets_another_connection() {
    let mut world = two_exchanges(answers_after(1));
    let rung = |world: &World| world.notes_of(BOB).filter(|note| matches!(note, Note::Rings { .. })).count();
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(60));
    assert_eq!((world.final_status(ADA), rung(&world)), (Some(200), 1), "{}", heard(&world));
    world.trunk.cut_until = world.now.mono + seconds(30);
    for words in ["does not answer", "cannot be reached"] {
        world.call(ADA, Attempt::to("200"));
        world.run_for(seconds(10));
        let said = heard(&world);
        assert_eq!((world.final_status(ADA), rung(&world)), (Some(480), 1), "{said}");
        assert!(said.contains(words) && !said.contains("no answer"), "{said}");
    }
    world.run_for(seconds(15));
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(60));
    assert_eq!((world.final_status(ADA), rung(&world)), (Some(200), 2), "{}", heard(&world));
    world.close();
}

/// A number that changes hands, or whose owner leaves, is told of at once: its old owner first, for it has one.
#[test]
fn the_directory_follows_numbers_that_change_hands() {
    let mut world = two_exchanges(answers_after(1));
    let change = |change| Act::Command { office: 1, command: exchange::Command::Change(change) };
    let put =
        PeopleChange::PutAccount { name: "cleo".into(), display: "cleo".into(), settings: Box::default() };
    world.after(Duration::ZERO, change(put));
    let number = "200".into();
    let moved = exchange::Command::MoveNumber { number, account: "cleo".into() };
    world.after(seconds(1), Act::Command { office: 1, command: moved });
    world.run_for(seconds(3));
    world.after(Duration::ZERO, change(PeopleChange::RemoveNumber { number: "200".into() }));
    world.run_for(seconds(3));
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(20));
    assert_eq!(world.final_status(ADA), Some(404), "{}", heard(&world));
    assert!(heard(&world).contains("nobody has this number"), "the directory was told");
    assert!(world.broken.is_none(), "{:?}", world.broken);
}
