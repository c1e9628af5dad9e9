//! Stories of seats: a tap in every moment (S1.5, S1.6, S1.10 to S1.15), R5, R6 and R31.

use exchange::{AccountEdit, Answer, Change, Command, Means, Right, Rights, SeatPolicy, Snapshot, Taken};
use std::time::Duration;
use testkit::phone::{Attempt, Deed, Note, Reaction, Ring, Then};
use testkit::stage::{Stage, answers_after, exchange_address};
use testkit::{Act, World, office_config};

const CARL: usize = 0;
const DORA: usize = 1;
const ADA_1: usize = 2;
const ADA_2: usize = 3;
const BOB_1: usize = 4;
const DESK: usize = 5;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn rings_on() -> Reaction {
    Reaction { then: Then::Never, ..answers_after(100) }
}

fn refuses(status: u16) -> Reaction {
    Reaction { ring: Ring::Quiet, then: Then::Refuse(status), ..answers_after(0) }
}

fn stage(desk: Reaction, ada: Reaction) -> Stage {
    let stage = Stage::new(11).person("carl", "500").phone("carl-1", rings_on());
    let stage = stage.person("dora", "600").phone("dora-1", answers_after(1));
    let stage = stage.person("ada", "100").phone("ada-1", ada).phone("ada-2", rings_on());
    let stage = stage.person("bob", "200").phone("bob-1", rings_on());
    stage.person("room", "400").phone("desk-1", desk)
}

fn office(desk: Reaction) -> World {
    stage(desk, rings_on()).open()
}

/// A tap, and what came of it.
fn tap(world: &mut World, account: &str, device: &str) -> Taken {
    world.reference.is_at(0, account, device);
    let (account, device) = (account.into(), device.into());
    let id = world.command(0, Command::Take { account, device, means: Means::Badge });
    world.run_for(Duration::from_millis(60));
    let answers = &world.offices[0].answers;
    match answers.iter().find(|(known, _)| *known == id).map(|(_, answer)| answer) {
        Some(Answer::Taken(taken)) => {
            world.assert_sound();
            taken.clone()
        }
        other => panic!("{other:?}"),
    }
}

fn call(world: &mut World, phone: usize, number: &str) {
    let attempt = Attempt { patience: seconds(50), talk: seconds(300), ..Attempt::to(number) };
    world.call(phone, attempt);
    world.run_for(seconds(1));
    world.assert_sound();
}

fn hang_up(world: &mut World, phone: usize) {
    world.after(Duration::ZERO, Act::Do { phone, deed: Deed::HangUp });
    world.run_for(seconds(1));
    world.assert_sound();
}

fn count(world: &World, phone: usize, wanted: impl Fn(&Note) -> bool) -> usize {
    world.assert_sound();
    world.notes_of(phone).filter(|note| wanted(note)).count()
}

fn rings(world: &World, phone: usize) -> usize {
    count(world, phone, |note| matches!(note, Note::Rings { .. }))
}

fn cancelled_because(world: &World, phone: usize) -> String {
    let reason = world.notes_of(phone).filter_map(|note| match note {
        Note::Cancelled { reason, .. } => Some(reason.to_string()),
        _ => None,
    });
    reason.last().unwrap_or_default()
}

fn has_line(world: &World, words: &[&str]) -> bool {
    world.assert_sound();
    world.trace.lines().iter().any(|line| words.iter().all(|word| line.contains(word)))
}

fn who_sits(world: &mut World) -> Vec<(String, String)> {
    let id = world.command(0, Command::ListSeats);
    let answers = &world.offices[0].answers;
    match answers.iter().find(|(known, _)| *known == id).map(|(_, answer)| answer) {
        Some(Answer::Seats(rows)) => {
            rows.iter().map(|row| (row.device.to_string(), row.seat.account.to_string())).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn sitting(device: &str, account: &str) -> Vec<(String, String)> {
    vec![(device.to_owned(), account.to_owned())]
}

#[test]
fn r5_a_tap_moves_the_ringing_call_and_the_caller_notices_nothing() {
    let mut world = office(answers_after(3));
    call(&mut world, CARL, "100");
    assert!(matches!(tap(&mut world, "ada", "desk-1"), Taken::Ringing { .. }));
    world.run_for(seconds(1));
    // It rings at the desk alone, and nothing was missed at the others.
    assert_eq!(rings(&world, DESK), 1);
    for phone in [ADA_1, ADA_2] {
        assert!(cancelled_because(&world, phone).starts_with("SIP;cause=200;"), "{phone}");
    }
    assert_eq!(world.final_status(CARL), None);
    world.run_for(seconds(5));
    assert_eq!(world.final_status(CARL), Some(200));
    assert_eq!(count(&world, CARL, |note| matches!(note, Note::Progress { .. })), 1, "one ring-back");
    assert_eq!(count(&world, CARL, |note| matches!(note, Note::Final { .. })), 1);
    hang_up(&mut world, CARL);
    assert!(has_line(&world, &["record 500 -> 100", "caller hung up"]));
    world.close();
}

#[test]
fn r5_a_phone_that_says_no_or_nothing_takes_nothing_and_both_are_told() {
    let deaf = Reaction { ring: Ring::Deaf, ..rings_on() };
    for (desk, why) in
        [(refuses(486), "desk-1 said 486"), (refuses(603), "desk-1 said 603"), (deaf, "desk-1 did not ring")]
    {
        let mut world = stage(desk, answers_after(9)).open();
        call(&mut world, CARL, "100");
        assert!(matches!(tap(&mut world, "ada", "desk-1"), Taken::Ringing { .. }));
        world.run_for(seconds(3));
        assert!(has_line(&world, &["fact take.failed", why]), "{why}");
        assert!(has_line(&world, &["tells take.failed desk-1"]), "{why}");
        assert_eq!(cancelled_because(&world, ADA_2), "", "the others ring on");
        world.run_for(seconds(8));
        assert_eq!(world.final_status(CARL), Some(200), "{why}");
        hang_up(&mut world, CARL);
        world.close();
    }
}

#[test]
fn a_phone_of_ones_own_that_rings_already_rings_alone_after_a_tap() {
    let mut world = office(rings_on());
    call(&mut world, CARL, "100");
    assert!(matches!(tap(&mut world, "ada", "ada-2"), Taken::Ringing { .. }));
    world.run_for(seconds(1));
    assert!(cancelled_because(&world, ADA_1).starts_with("SIP;cause=200;"));
    assert_eq!((rings(&world, ADA_2), cancelled_because(&world, ADA_2)), (1, String::new()));
    world.run_for(seconds(50));
    // The caller gave up, and that is what the record and the phone say.
    assert!(cancelled_because(&world, ADA_2).starts_with("SIP;cause=487;"));
    assert!(has_line(&world, &["record 500 -> 100", "cancelled"]));
    world.close();
}

#[test]
fn r6_a_talk_moves_and_the_other_side_notices_nothing() {
    let mut world = stage(answers_after(1), answers_after(1)).open();
    call(&mut world, CARL, "100");
    world.run_for(seconds(3));
    assert!(matches!(tap(&mut world, "ada", "desk-1"), Taken::Moving { .. }));
    world.run_for(seconds(3));
    assert!(has_line(&world, &["fact take.moved"]));
    assert_eq!(count(&world, ADA_1, |note| matches!(note, Note::Ended { .. })), 1, "the old phone has a BYE");
    assert!(has_line(&world, &["BYE", "Call moved"]));
    assert_eq!(count(&world, CARL, |note| matches!(note, Note::Ended { .. })), 0);
    assert_eq!(world.exchange(0).switch().load().0, 1);
    // The caller moves, too, and stays the caller.
    assert!(matches!(tap(&mut world, "ada", "desk-1"), Taken::Moving { .. } | Taken::Here { .. }));
    assert!(matches!(tap(&mut world, "carl", "dora-1"), Taken::Moving { .. }));
    world.run_for(seconds(4));
    assert_eq!(count(&world, CARL, |note| matches!(note, Note::Ended { .. })), 1);
    hang_up(&mut world, DORA);
    assert!(has_line(&world, &["record 500 -> 100", "caller hung up"]));
    world.close();
}

#[test]
fn r6_a_talk_that_went_back_comes_again_however_soon_the_next_tap_is() {
    let mut world = stage(answers_after(0), answers_after(0)).open();
    call(&mut world, CARL, "100");
    world.run_for(seconds(1));
    for device in ["desk-1", "ada-1", "desk-1", "ada-1"] {
        assert!(matches!(tap(&mut world, "ada", device), Taken::Moving { .. }), "{device}");
        world.run_for(Duration::from_millis(1_500));
        assert!(matches!(tap(&mut world, "ada", device), Taken::Here { .. }), "{device}");
    }
    hang_up(&mut world, CARL);
    assert!(has_line(&world, &["record 500 -> 100", "caller hung up"]));
    world.close();
}

#[test]
fn r6_a_phone_that_sends_nothing_takes_no_talk_over() {
    let mut world = stage(answers_after(1), answers_after(1)).open();
    world.offices[0].mute = true;
    call(&mut world, CARL, "100");
    world.run_for(seconds(3));
    assert!(matches!(tap(&mut world, "ada", "desk-1"), Taken::Moving { .. }));
    world.run_for(seconds(8));
    assert_eq!(count(&world, DESK, |note| matches!(note, Note::Ended { .. })), 0, "it is waited for");
    world.run_for(seconds(3));
    assert_eq!(count(&world, DESK, |note| matches!(note, Note::Ended { .. })), 1);
    assert_eq!(count(&world, ADA_1, |note| matches!(note, Note::Ended { .. })), 0);
    assert!(has_line(&world, &["fact take.failed"]));
    hang_up(&mut world, CARL);
    assert!(has_line(&world, &["record 500 -> 100", "caller hung up"]));
    world.close();
}

#[test]
fn r6_who_hangs_up_at_the_old_phone_before_the_new_one_rings_is_waited_for() {
    let mut world = stage(answers_after(4), answers_after(1)).open();
    call(&mut world, CARL, "100");
    world.run_for(seconds(2));
    assert!(matches!(tap(&mut world, "ada", "desk-1"), Taken::Moving { .. }));
    hang_up(&mut world, ADA_1);
    assert_eq!(world.exchange(0).switch().load().0, 1, "it rings at the desk");
    world.run_for(seconds(4));
    assert_eq!(count(&world, DESK, |note| matches!(note, Note::Answers { .. })), 1);
    hang_up(&mut world, DESK);
    assert!(has_line(&world, &["record 500 -> 100", "callee hung up"]));
    world.close();
}

#[test]
fn of_two_calls_the_older_is_taken_and_a_second_tap_takes_the_other_instead() {
    let mut world = office(rings_on());
    call(&mut world, CARL, "100");
    call(&mut world, DORA, "100");
    assert!(matches!(tap(&mut world, "ada", "desk-1"), Taken::Ringing { .. }));
    world.run_for(seconds(1));
    assert!(has_line(&world, &["fact take.rings"]));
    let before = rings(&world, ADA_1);
    let Taken::Ringing { .. } = tap(&mut world, "ada", "desk-1") else { panic!("the other") };
    world.run_for(seconds(1));
    assert_eq!(rings(&world, ADA_1), before + 1, "the first rings again where it rang");
    assert_eq!(rings(&world, DESK), 2);
    assert!(has_line(&world, &["fact take.other"]));
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn a_second_tap_gives_a_call_back_that_was_answered_at_once() {
    let mut world = stage(answers_after(0), rings_on()).open();
    call(&mut world, CARL, "100");
    call(&mut world, DORA, "100");
    tap(&mut world, "ada", "desk-1");
    world.run_for(seconds(1));
    assert_eq!(world.final_status(CARL), Some(200));
    let before = rings(&world, ADA_1);
    tap(&mut world, "ada", "desk-1");
    world.run_for(seconds(2));
    assert_eq!((world.final_status(DORA), rings(&world, ADA_1)), (Some(200), before + 1));
    // The first caller hears that it rings; a tap elsewhere takes it again.
    assert!(matches!(tap(&mut world, "ada", "ada-2"), Taken::Ringing { .. } | Taken::Moving { .. }));
    world.run_for(seconds(120));
    world.close();
}

#[test]
fn s1_11_who_taps_where_nothing_rings_sits_there_and_calls_follow() {
    let mut world = office(answers_after(2));
    let Taken::SignedIn { who_called: None, until: Some(_) } = tap(&mut world, "ada", "desk-1") else {
        panic!("a seat")
    };
    assert_eq!(who_sits(&mut world), sitting("desk-1", "ada"));
    call(&mut world, CARL, "100");
    assert_eq!([ADA_1, ADA_2, DESK].map(|phone| rings(&world, phone)), [1, 1, 1]);
    world.run_for(seconds(4));
    assert_eq!(world.final_status(CARL), Some(200));
    hang_up(&mut world, CARL);
    // The owner's calls ring there, too, and what is called from there is called by whoever sits there.
    call(&mut world, CARL, "400");
    assert_eq!(rings(&world, DESK), 2);
    world.run_for(seconds(5));
    hang_up(&mut world, CARL);
    call(&mut world, DESK, "200");
    assert_eq!(world.exchange(0).live_calls()[0].caller.name.to_string(), "ada");
    // The caller gives up.
    world.run_for(seconds(60));
    // Again: they leave.
    assert_eq!(tap(&mut world, "ada", "desk-1"), Taken::SignedOut);
    assert!(who_sits(&mut world).is_empty());
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn owners_can_be_passed_over_while_somebody_sits_at_their_phone() {
    let mut stage = stage(rings_on(), rings_on());
    stage.config.seats = SeatPolicy { owner_rings: false, several: false, ..SeatPolicy::default() };
    let mut world = stage.open();
    tap(&mut world, "ada", "desk-1");
    call(&mut world, CARL, "400");
    assert_eq!(rings(&world, DESK), 0);
    world.run_for(seconds(10));
    // One seat a person: the other phone is left.
    tap(&mut world, "ada", "bob-1");
    assert_eq!(who_sits(&mut world), sitting("bob-1", "ada"));
    call(&mut world, CARL, "400");
    assert_eq!(rings(&world, DESK), 1);
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn a_phone_in_use_refuses_and_its_owner_takes_it_back() {
    let mut world = office(rings_on());
    tap(&mut world, "ada", "desk-1");
    let Taken::Refused { rule, .. } = tap(&mut world, "bob", "desk-1") else { panic!("in use") };
    assert_eq!(rule, "seats.in-use");
    assert!(has_line(&world, &["-> ", "MESSAGE desk-1"]), "whoever uses the phone is told");
    assert!(has_line(&world, &["tells take.failed desk-1"]), "and whoever wanted it");
    assert!(matches!(tap(&mut world, "room", "desk-1"), Taken::SignedIn { until: None, .. }));
    assert!(who_sits(&mut world).is_empty());
    let Taken::Refused { rule, .. } = tap(&mut world, "nobody", "desk-1") else { panic!("nobody") };
    assert_eq!(rule, "seats.nobody");
    world.after(Duration::ZERO, Act::PowerOff { phone: DESK });
    world.run_for(seconds(400));
    let Taken::Refused { rule, .. } = tap(&mut world, "ada", "desk-1") else { panic!("offline") };
    assert_eq!(rule, "seats.offline");
    world.close();
}

#[test]
fn who_comes_too_late_is_told_who_called() {
    let mut world = office(rings_on());
    world.call(CARL, Attempt { patience: seconds(3), ..Attempt::to("100") });
    world.run_for(seconds(6));
    let Taken::SignedIn { who_called: Some(caller), .. } = tap(&mut world, "ada", "desk-1") else {
        panic!("who called")
    };
    assert_eq!((&*caller.number, &*caller.name), ("500", "carl"));
    assert!(has_line(&world, &["MESSAGE desk-1"]));
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn s1_10_a_number_that_moves_takes_its_ringing_call_along() {
    let mut world = office(rings_on());
    call(&mut world, CARL, "100");
    world.command(0, Command::MoveNumber { number: "100".into(), account: "bob".into() });
    world.run_for(seconds(1));
    assert_eq!([ADA_1, BOB_1].map(|phone| rings(&world, phone)), [1, 1]);
    assert!(cancelled_because(&world, ADA_1).contains("The number has moved"));
    assert!(has_line(&world, &["fact number.moved", "100 is bob's now"]));
    assert_eq!(world.exchange(0).live_calls()[0].callee.account.as_deref(), Some("bob"));
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn s1_13_who_leaves_the_office_has_no_call_and_no_seat_any_more() {
    let mut world = stage(rings_on(), answers_after(1)).open();
    tap(&mut world, "ada", "desk-1");
    call(&mut world, CARL, "100");
    world.run_for(seconds(2));
    assert_eq!(world.final_status(CARL), Some(200));
    world.after(Duration::ZERO, Act::React { phone: ADA_1, reaction: rings_on() });
    call(&mut world, DORA, "100");
    assert!(rings(&world, ADA_2) > 1);
    world.command(0, Command::LeaveOffice("ada".into()));
    world.run_for(seconds(1));
    assert_eq!(world.exchange(0).switch().load().0, 0);
    assert_eq!(count(&world, CARL, |note| matches!(note, Note::Ended { .. })), 1);
    assert!(matches!(world.final_status(DORA), Some(404 | 480)));
    assert!(who_sits(&mut world).is_empty());
    assert!(world.exchange(0).people().account("ada").is_none());
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn s1_10_a_seat_that_ends_stops_ringing_and_one_that_begins_rings_at_once() {
    let mut world = office(rings_on());
    tap(&mut world, "ada", "desk-1");
    call(&mut world, CARL, "100");
    assert_eq!(rings(&world, DESK), 1);
    world.command(0, Command::EndSeat { device: "desk-1".into(), who: "somebody".into() });
    world.run_for(seconds(1));
    assert!(cancelled_because(&world, DESK).contains("Signed out"));
    assert_eq!(cancelled_because(&world, ADA_1), "");
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn seats_end_by_themselves_and_live_through_a_restart() {
    let mut world = office(rings_on());
    tap(&mut world, "ada", "desk-1");
    let kept: Vec<String> =
        world.trace.lines().into_iter().filter(|line| line.contains("kept that")).collect();
    assert!(kept.iter().any(|line| line.contains("ada sits at desk-1")), "{kept:?}");
    // What the store has is what the next exchange begins with.
    let seat = exchange::Seat { account: "ada".into(), since: world.now.wall, until: None };
    let people = ["ada", "room"].map(|name| exchange::PeopleChange::PutAccount {
        name: name.into(),
        display: name.into(),
        settings: Box::default(),
    });
    let mut changes: Vec<Change> = people.into_iter().map(Change::People).collect();
    changes.push(Change::People(testkit::stage::put_device("desk-1", "room")));
    changes.push(Change::Seat { device: "desk-1".into(), seat: Some(seat) });
    let mut second = World::new(12, true);
    second.add_office(
        exchange_address(),
        office_config(exchange_address()),
        Snapshot { changes, sequence: 1 },
    );
    assert_eq!(who_sits(&mut second), sitting("desk-1", "ada"));
    // Twelve hours later.
    world.run_for(seconds(12 * 3_600 + 1));
    assert!(who_sits(&mut world).is_empty());
    assert!(has_line(&world, &["fact seats.time desk-1"]));
    world.close();
}

#[test]
fn r31_an_emergency_call_is_the_phones_own_whoever_sits_there() {
    let mut stage = stage(rings_on(), rings_on());
    stage.config.emergency.numbers = vec!["112".into()];
    let mut world = stage.open();
    tap(&mut world, "ada", "desk-1");
    call(&mut world, DESK, "112");
    assert!(has_line(&world, &["record 400 -> 112"]), "the number of the phone, not of the person");
    world.run_for(seconds(60));
    world.close();
}

fn dial(world: &mut World, phone: usize, number: &str, keys: &str) {
    world.call(phone, Attempt { talk: seconds(60), ..Attempt::to(number) });
    world.run_for(seconds(2));
    for key in keys.chars() {
        world.after(Duration::ZERO, Act::Do { phone, deed: Deed::Press(key) });
        world.run_for(Duration::from_millis(300));
    }
    world.run_for(seconds(1));
    world.assert_sound();
}

fn edit(world: &mut World, account: &str, edits: Vec<AccountEdit>) {
    world.command(0, Command::EditAccount { name: account.into(), edits });
    world.run_for(seconds(1));
}

#[test]
fn number_and_pin_take_a_call_as_a_badge_does() {
    let mut world = office(rings_on());
    edit(&mut world, "ada", vec![AccountEdit::Pin(Some("1234".into()))]);
    world.reference.is_at(0, "ada", "desk-1");
    // Nothing rings: a seat.
    dial(&mut world, DESK, "*63", "100#1234#");
    assert_eq!(who_sits(&mut world), sitting("desk-1", "ada"));
    hang_up(&mut world, DESK);
    // It rings: the very call that keyed the PIN has it.
    call(&mut world, CARL, "100");
    world.command(0, Command::EndSeat { device: "desk-1".into(), who: "somebody".into() });
    dial(&mut world, DESK, "*63", "100#1234#");
    assert_eq!(world.final_status(CARL), Some(200));
    assert!(cancelled_because(&world, ADA_1).starts_with("SIP;cause=200;"));
    assert!(has_line(&world, &["record 400 -> *63", "transferred"]));
    hang_up(&mut world, CARL);
    assert!(has_line(&world, &["record 500 -> 100", "caller hung up"]));
    // A wrong PIN takes nothing.
    dial(&mut world, DESK, "*63", "100#9999#");
    assert!(who_sits(&mut world).is_empty());
    world.run_for(seconds(120));
    world.close();
}

#[test]
fn who_signs_out_by_code_sits_there_no_more() {
    let mut world = office(rings_on());
    tap(&mut world, "ada", "desk-1");
    dial(&mut world, DESK, "*64", "");
    assert!(who_sits(&mut world).is_empty());
    assert!(has_line(&world, &["fact seats.sign-out desk-1"]));
    world.run_for(seconds(120));
    world.close();
}

#[test]
fn a_talk_is_pulled_by_code_with_the_right_alone() {
    let mut world = stage(rings_on(), answers_after(1)).open();
    call(&mut world, CARL, "100");
    world.run_for(seconds(2));
    dial(&mut world, ADA_2, "*65", "");
    assert_eq!(count(&world, ADA_1, |note| matches!(note, Note::Ended { .. })), 0, "not allowed");
    assert!(has_line(&world, &["fact feature-code", "rights.pull"]));
    hang_up(&mut world, ADA_2);
    edit(&mut world, "ada", vec![AccountEdit::Rights(Rights::default().with(Right::Pull))]);
    dial(&mut world, ADA_2, "*65", "");
    assert_eq!(count(&world, ADA_1, |note| matches!(note, Note::Ended { .. })), 1);
    assert_eq!(count(&world, CARL, |note| matches!(note, Note::Ended { .. })), 0);
    hang_up(&mut world, ADA_2);
    assert!(has_line(&world, &["record 500 -> 100", "callee hung up"]));
    world.close();
}

#[test]
fn a_ringing_call_is_picked_up_by_a_colleague_or_with_the_right() {
    let mut world = office(rings_on());
    call(&mut world, CARL, "100");
    dial(&mut world, BOB_1, "*85100", "");
    assert_eq!(world.final_status(CARL), None, "no group in common, no right");
    hang_up(&mut world, BOB_1);
    edit(&mut world, "bob", vec![AccountEdit::Rights(Rights::default().with(Right::Pickup))]);
    dial(&mut world, BOB_1, "*85100", "");
    assert_eq!(world.final_status(CARL), Some(200));
    for phone in [ADA_1, ADA_2] {
        assert!(cancelled_because(&world, phone).contains("Call completed elsewhere"), "{phone}");
    }
    assert_eq!(world.exchange(0).live_calls()[0].callee.account.as_deref(), Some("bob"));
    hang_up(&mut world, BOB_1);
    assert!(has_line(&world, &["record 500 -> 100", "callee hung up"]));
    world.run_for(seconds(30));
    world.close();
}

#[test]
fn a_group_picks_up_for_its_members() {
    let group = exchange::Group {
        display: "Sales".into(),
        number: "900".into(),
        strategy: exchange::Strategy::All,
        members: vec!["ada".into(), "bob".into()],
        ring: seconds(20),
        overflow: None,
    };
    let put = exchange::PeopleChange::PutGroup { name: "sales".into(), group: group.into() };
    let mut world = stage(rings_on(), rings_on()).change(put).open();
    dial(&mut world, BOB_1, "*84", "");
    assert!(has_line(&world, &["fact feature-code", "nothing rings"]));
    hang_up(&mut world, BOB_1);
    call(&mut world, CARL, "100");
    dial(&mut world, BOB_1, "*84", "");
    assert_eq!(world.final_status(CARL), Some(200));
    hang_up(&mut world, CARL);
    world.run_for(seconds(30));
    world.close();
}

#[test]
fn a_talk_waits_where_it_was_parked_until_somebody_calls_there() {
    let mut world = stage(rings_on(), answers_after(1)).open();
    call(&mut world, CARL, "100");
    world.run_for(seconds(2));
    dial(&mut world, ADA_1, "*86", "");
    assert!(has_line(&world, &["fact park ", "ada parked it at 701"]));
    assert_eq!(count(&world, ADA_1, |note| matches!(note, Note::Ended { .. })), 1, "the first talk");
    assert_eq!(count(&world, CARL, |note| matches!(note, Note::Ended { .. })), 0);
    hang_up(&mut world, ADA_1);
    dial(&mut world, BOB_1, "702", "");
    assert!(has_line(&world, &["fact feature-code", "nobody waits there"]));
    hang_up(&mut world, BOB_1);
    dial(&mut world, BOB_1, "701", "");
    assert!(has_line(&world, &["fact park.taken"]));
    let live = world.exchange(0).live_calls();
    assert_eq!(live.len(), 1);
    assert_eq!(
        (live[0].caller.account.as_deref(), live[0].callee.account.as_deref()),
        (Some("carl"), Some("bob"))
    );
    hang_up(&mut world, CARL);
    assert!(has_line(&world, &["record 500 -> 100", "caller hung up"]));
    world.close();
}

#[test]
fn what_is_parked_and_taken_by_nobody_rings_again_and_then_ends() {
    let mut world = stage(rings_on(), answers_after(1)).open();
    call(&mut world, CARL, "100");
    world.run_for(seconds(2));
    dial(&mut world, ADA_1, "*86", "");
    hang_up(&mut world, ADA_1);
    world.after(Duration::ZERO, Act::React { phone: ADA_1, reaction: rings_on() });
    let before = rings(&world, ADA_1);
    world.run_for(seconds(121));
    assert_eq!(rings(&world, ADA_1), before + 1);
    assert!(has_line(&world, &["fact park.over"]));
    world.run_for(seconds(62));
    assert_eq!(count(&world, CARL, |note| matches!(note, Note::Ended { .. })), 1);
    world.close();
}
