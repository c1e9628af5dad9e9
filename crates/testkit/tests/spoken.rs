//! Stories of refusals: a person hears why before the status, nobody is answered, and who cannot hear is told at once.

use exchange::{Command, Input, PeopleChange, Rights, Route, Settings};
use media::{LegKey, MediaEvent, Prompt, SoundId, Source, Tongue};
use std::time::Duration;
use testkit::World;
use testkit::phone::{Attempt, Note};
use testkit::stage::{Stage, answers_after};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// An office whose one trunk cannot be found.
fn office() -> World {
    let stage = Stage::new(5).person("ada", "100").phone("ada-1", answers_after(1));
    let mut world = stage.person("bob", "200").phone("bob-1", answers_after(1)).open();
    let trunk = exchange::Trunk {
        host: exchange::Host::Name("nowhere.example".into()),
        port: None,
        transport: sip::Transport::Udp,
        login: None,
        registers: false,
        channels: None,
        sources: Vec::new(),
        strip: 0,
        prepend: "".into(),
    };
    let route =
        Route { prefix: "0".into(), strip: 0, prepend: "".into(), trunks: vec!["away".into()], caller: None };
    change(&mut world, PeopleChange::PutTrunk { name: "away".into(), trunk: Box::new(trunk) });
    change(&mut world, PeopleChange::PutRoute { name: "all".into(), route: Box::new(route) });
    world
}

fn change(world: &mut World, change: PeopleChange) {
    world.command(0, Command::Change(change));
    world.run_for(seconds(1));
}

fn set(world: &mut World, settings: Settings) {
    let (name, display) = ("ada".into(), "ada".into());
    change(world, PeopleChange::PutAccount { name, display, settings: Box::new(settings) });
}

/// What somebody is to hear now, and by which order.
fn told(world: &World) -> Option<(LegKey, u32, SoundId)> {
    world.offices[0].orders.values().find_map(|(_, order)| match order.source {
        Source::Prompt { sound, .. } => Some((order.leg, order.epoch, sound)),
        _ => None,
    })
}

/// The provisional responses of the last call that carried SDP, and how often it was answered.
fn early(world: &World) -> Vec<u16> {
    let last = world.notes_of(0).filter_map(|note| match note {
        Note::Calls { session, .. } => Some(session.clone()),
        _ => None,
    });
    let last = last.last().expect("a call");
    let early = world.notes_of(0).filter_map(|note| match note {
        Note::Progress { session, status, sdp: true, .. } if *session == last => Some(*status),
        _ => None,
    });
    early.collect()
}

/// The call is refused with `status` once `prompt` was heard, and not before.
fn assert_spoken(world: &mut World, dialled: &str, prompt: Prompt, tongue: Tongue, status: u16) {
    let finals = |world: &World| world.notes_of(0).filter(|note| matches!(note, Note::Final { .. })).count();
    let before = finals(world);
    world.call(0, Attempt::to(dialled));
    world.run_for(seconds(2));
    let (leg, epoch, sound) = told(world).expect("nothing is said");
    assert_eq!(sound, prompt.sound(tongue), "{prompt:?}");
    assert_eq!((finals(world), early(world)), (before, vec![183]), "{dialled}");
    world.feed(0, Input::Media(MediaEvent::SoundEnded { leg, epoch }));
    world.run_for(seconds(1));
    assert_eq!((finals(world), world.final_status(0)), (before + 1, Some(status)), "{dialled}");
    let record = world.trace.lines();
    let record = record.iter().rev().find(|line| line.contains(" record ") && line.contains(" -> ")).cloned();
    assert!(record.is_some_and(|record| !record.contains("hung up")), "nobody answered");
}

#[test]
fn r1_a_refusal_by_right_is_spoken_in_the_callers_language_before_the_403() {
    let mut world = office();
    assert_spoken(&mut world, "0555", Prompt::NotAllowed, Tongue::En, 403);
    set(&mut world, Settings { language: exchange::Language::Chinese, ..Settings::default() });
    assert_spoken(&mut world, "0555", Prompt::NotAllowed, Tongue::Zh, 403);
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn a_dead_trunk_is_said_to_be_busy() {
    let mut world = office();
    set(&mut world, Settings { rights: Rights::parse("national").expect("a right"), ..Settings::default() });
    assert_spoken(&mut world, "0555", Prompt::LinesBusy, Tongue::En, 480);
    // The end of the sound is lost: the status comes all the same.
    world.call(0, Attempt::to("0555"));
    world.run_for(seconds(14));
    assert_eq!((early(&world), world.final_status(0)), (vec![183], Some(480)));
    // Who hangs up meanwhile is gone at once.
    world.call(0, Attempt { patience: seconds(1), ..Attempt::to("0555") });
    world.run_for(seconds(3));
    assert_eq!((world.final_status(0), told(&world)), (Some(487), None));
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn a_group_without_anybody_says_so() {
    let mut world = office();
    let group = exchange::Group {
        display: "desk".into(),
        number: "300".into(),
        strategy: exchange::Strategy::Turn,
        members: vec!["bob".into()],
        ring: seconds(5),
        overflow: None,
    };
    change(&mut world, PeopleChange::PutGroup { name: "desk".into(), group: Box::new(group) });
    let settings = Box::new(Settings { do_not_disturb: true, ..Settings::default() });
    change(&mut world, PeopleChange::PutAccount { name: "bob".into(), display: "bob".into(), settings });
    assert_spoken(&mut world, "300", Prompt::NobodyAvailable, Tongue::En, 480);
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn a_draining_exchange_tells_its_phones_why() {
    let mut world = office();
    world.offices[0].exchange.drain();
    assert_spoken(&mut world, "200", Prompt::Stopping, Tongue::En, 503);
    world.run_for(seconds(60));
    world.close();
}
