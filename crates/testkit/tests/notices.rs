//! Stories of notices (S1.7): who is told of a call, of which phones, until when, and what dismissing one does.

use exchange::{
    AccountEdit, Answer, Command, DeviceEdit, Event, ForwardWhen, Group, Happened, Means, Notice,
    PeopleChange, Strategy, Withdrawn,
};
use std::time::Duration;
use testkit::World;
use testkit::phone::{Attempt, Note, Reaction, Then};
use testkit::stage::{Stage, answers_after};

const CARL: usize = 0;
const ADA_1: usize = 1;
const ADA_2: usize = 2;
const BOB_1: usize = 3;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn rings_on() -> Reaction {
    Reaction { then: Then::Never, ..answers_after(100) }
}

fn stage() -> Stage {
    let stage = Stage::new(21).person("carl", "500").phone("carl-1", rings_on());
    let stage = stage.person("ada", "100").phone("ada-1", rings_on()).phone("ada-2", rings_on());
    let stage = stage.person("bob", "200").phone("bob-1", rings_on());
    stage
        .person("room", "400")
        .phone("desk-1", rings_on())
        .phone("desk-2", rings_on())
        .phone("far-1", rings_on())
}

fn office() -> World {
    let mut world = stage().open();
    for (device, location) in [
        ("ada-1", "Tower, floor 2, room 8"),
        ("ada-2", "Barn"),
        ("desk-1", "Tower, floor 2, hall"),
        ("desk-2", "Tower, floor 1"),
        ("far-1", "Barn, loft"),
    ] {
        let edits = vec![DeviceEdit::Location(location.into())];
        world.command(0, Command::EditDevice { name: device.into(), edits });
    }
    world.run_for(seconds(1));
    world
}

fn call(world: &mut World, number: &str) {
    world.call(CARL, Attempt { patience: seconds(50), talk: seconds(300), ..Attempt::to(number) });
    world.run_for(seconds(1));
    world.assert_sound();
}

fn notices(world: &World) -> Vec<Notice> {
    let shown = |event: &Event| match &event.what {
        Happened::NoticeShown(notice) => Some((**notice).clone()),
        _ => None,
    };
    world.offices[0].notices.iter().filter_map(shown).collect()
}

fn withdrawn(world: &World) -> Vec<(String, Withdrawn)> {
    let gone = |event: &Event| match &event.what {
        Happened::NoticeWithdrawn { account, why, .. } => Some((account.to_string(), *why)),
        _ => None,
    };
    world.offices[0].notices.iter().filter_map(gone).collect()
}

fn dismiss(world: &mut World, account: &str) -> Answer {
    let call = world.exchange(0).live_calls()[0].name.clone();
    let id = world.command(0, Command::Dismiss { account: account.into(), call });
    world.run_for(Duration::from_millis(200));
    world.assert_sound();
    let answers = &world.offices[0].answers;
    answers.iter().find(|(known, _)| *known == id).map(|(_, answer)| answer.clone()).expect("an answer")
}

fn tap(world: &mut World, account: &str, device: &str) {
    world.reference.is_at(0, account, device);
    let means = Means::Badge;
    world.command(0, Command::Take { account: account.into(), device: device.into(), means });
    world.run_for(seconds(1));
}

fn cancels(world: &World, phone: usize) -> Vec<String> {
    let reason = world.notes_of(phone).filter_map(|note| match note {
        Note::Cancelled { reason, .. } => Some(reason.to_string()),
        _ => None,
    });
    reason.collect()
}

#[test]
fn s1_7_who_is_called_is_told_who_calls_and_which_free_phones_are_near() {
    let mut world = office();
    call(&mut world, "100");
    let told = notices(&world);
    let [notice] = &*told else { panic!("{told:?}") };
    assert_eq!((&*notice.account, &*notice.called), ("ada", "100"));
    assert_eq!((&*notice.caller.number, &*notice.caller.name), ("500", "carl"));
    let phones: Vec<(&str, bool, bool)> =
        notice.phones.iter().map(|phone| (&*phone.device, phone.rings, phone.here)).collect();
    // Nobody knows where ada is, so she is at her first phone.
    assert_eq!(phones[..3], [("ada-1", true, true), ("desk-1", false, false), ("desk-2", false, false)]);
    assert!(phones[3..].contains(&("ada-2", true, false)) && phones.len() == 5);
    world.run_for(seconds(60));
    assert_eq!(withdrawn(&world), [("ada".to_owned(), Withdrawn::Ended)]);
    world.close();
}

#[test]
fn s1_7_phones_are_near_where_somebody_was_last_and_only_while_they_are_free() {
    let mut world = office();
    tap(&mut world, "ada", "far-1");
    // Another sits at one desk.
    tap(&mut world, "bob", "desk-1");
    call(&mut world, "100");
    let told = notices(&world);
    let phones: Vec<&str> = told[0].phones.iter().map(|phone| &*phone.device).collect();
    assert_eq!(phones[..2], ["far-1", "ada-2"], "the loft, then the barn");
    assert!(!phones.contains(&"desk-1") && told[0].phones[0].here && told[0].phones[0].rings);
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn s1_7_a_notice_is_withdrawn_when_somebody_answers_and_stays_while_a_tap_is_on_its_way() {
    let mut world = stage().open();
    world.phones[4].plan.reaction = answers_after(3);
    call(&mut world, "100");
    tap(&mut world, "ada", "desk-1");
    assert_eq!(withdrawn(&world), []);
    world.run_for(seconds(5));
    assert_eq!(withdrawn(&world), [("ada".to_owned(), Withdrawn::Answered)]);
    assert_eq!(notices(&world).len(), 1);
    world.run_for(seconds(400));
    world.close();
}

#[test]
fn s1_7_dismissed_the_phones_are_silent_and_the_call_can_still_be_taken() {
    let mut world = office();
    call(&mut world, "100");
    assert!(matches!(dismiss(&mut world, "bob"), Answer::Refused(_)), "another's call");
    assert_eq!(dismiss(&mut world, "ada"), Answer::Done);
    assert_eq!(withdrawn(&world), [("ada".to_owned(), Withdrawn::Dismissed)]);
    for phone in [ADA_1, ADA_2] {
        assert_eq!(cancels(&world, phone), ["SIP;cause=480;text=\"Silenced by its owner\""]);
    }
    assert!(matches!(dismiss(&mut world, "ada"), Answer::Refused(_)), "it rings no more");
    world.run_for(seconds(5));
    assert_eq!(world.final_status(CARL), None, "the caller notices nothing");
    // A phone that comes back does not ring; a tap takes the call.
    world.after(Duration::ZERO, testkit::Act::Boot { phone: ADA_1, moved: true });
    world.run_for(seconds(2));
    assert_eq!(world.notes_of(ADA_1).filter(|note| matches!(note, Note::Rings { .. })).count(), 1);
    world.phones[4].plan.reaction = answers_after(1);
    tap(&mut world, "ada", "desk-1");
    world.run_for(seconds(3));
    assert_eq!(world.final_status(CARL), Some(200));
    assert_eq!(notices(&world).len(), 2, "while it rings at the desk, she knows");
    world.run_for(seconds(400));
    world.close();
}

#[test]
fn s1_7_dismissed_and_not_taken_the_call_ends_as_if_nobody_had_answered() {
    let mut world = office();
    call(&mut world, "100");
    assert_eq!(dismiss(&mut world, "ada"), Answer::Done);
    world.run_for(seconds(45));
    assert_eq!(world.final_status(CARL), None);
    world.run_for(seconds(30));
    assert!(world.final_status(CARL).is_some_and(|status| status >= 400));
    world.close();
}

#[test]
fn s1_7_dismissed_with_a_forwarding_the_call_goes_there_at_once() {
    let mut world = office();
    let edits = vec![AccountEdit::Forward(ForwardWhen::NoAnswer, Some("200".into()))];
    world.command(0, Command::EditAccount { name: "ada".into(), edits });
    world.phones[BOB_1].plan.reaction = answers_after(4);
    world.reference.is_at(0, "ada", "bob-1");
    world.run_for(seconds(1));
    call(&mut world, "100");
    assert_eq!(dismiss(&mut world, "ada"), Answer::Done);
    world.run_for(seconds(1));
    let told: Vec<String> = notices(&world).iter().map(|notice| notice.account.to_string()).collect();
    assert_eq!(told, ["ada", "bob"]);
    assert_eq!(withdrawn(&world), [("ada".to_owned(), Withdrawn::Dismissed)]);
    world.run_for(seconds(5));
    assert_eq!(world.final_status(CARL), Some(200));
    assert_eq!(withdrawn(&world)[1], ("bob".to_owned(), Withdrawn::Answered));
    world.run_for(seconds(400));
    world.close();
}

#[test]
fn s1_7_of_a_group_each_member_has_a_notice_and_dismisses_for_themselves() {
    let members = vec!["ada".into(), "bob".into()];
    let (ring, strategy) = (seconds(30), Strategy::All);
    let group =
        Group { display: "Sales".into(), number: "900".into(), strategy, members, ring, overflow: None };
    let mut world =
        stage().change(PeopleChange::PutGroup { name: "sales".into(), group: group.into() }).open();
    call(&mut world, "900");
    let told: Vec<String> = notices(&world).iter().map(|notice| notice.account.to_string()).collect();
    assert_eq!(told, ["ada", "bob"]);
    assert_eq!(dismiss(&mut world, "ada"), Answer::Done);
    assert_eq!(withdrawn(&world), [("ada".to_owned(), Withdrawn::Dismissed)]);
    assert_eq!((cancels(&world, ADA_1).len(), cancels(&world, BOB_1).len()), (1, 0));
    assert_eq!(dismiss(&mut world, "bob"), Answer::Done);
    world.run_for(seconds(20));
    assert!(world.final_status(CARL).is_some(), "nobody is left who could answer");
    world.close();
}
