//! Stories of a store that is away: nothing new is promised, nothing is lost, calls go on (R12, R20).

use std::time::Duration;
use testkit::phone::{Attempt, Note};
use testkit::stage::{Stage, answers_after};
use testkit::{Act, World};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn statuses(world: &World, phone: usize) -> Vec<u16> {
    let statuses = world.notes_of(phone).filter_map(|note| match note {
        Note::Registered { status } => Some(*status),
        _ => None,
    });
    statuses.collect()
}

fn office() -> World {
    let stage = Stage::new(3).person("ada", "100").phone("ada-1", answers_after(1));
    stage.person("bob", "200").phone("bob-1", answers_after(1)).open()
}

#[test]
fn r12_a_new_binding_is_refused_while_the_store_is_away_and_confirmed_when_it_is_kept() {
    let mut world = office();
    world.after(Duration::ZERO, Act::StoreAway { office: 0, time: seconds(30) });
    world.after(seconds(1), Act::Boot { phone: 0, moved: true });
    world.run_for(seconds(29));
    let told = statuses(&world, 0);
    assert_eq!(told[0], 200, "before");
    assert!(told.len() > 2 && told[1..].iter().all(|status| *status == 503), "{told:?}");
    // The checker "a binding is stored before its 200" watches what follows.
    world.run_for(seconds(60));
    assert_eq!(statuses(&world, 0).last(), Some(&200));
    world.close();
}

#[test]
fn r12_a_refresh_is_answered_while_the_store_is_away() {
    let mut world = office();
    world.after(Duration::ZERO, Act::StoreAway { office: 0, time: seconds(3_000) });
    world.run_for(seconds(2_000));
    assert!(statuses(&world, 0).iter().all(|status| *status == 200));
    assert!(world.phones[0].is_registered());
    world.run_for(seconds(2_000));
    world.close();
}

#[test]
fn r20_records_wait_for_the_store_and_each_is_kept_once() {
    let mut world = office();
    world.after(Duration::ZERO, Act::StoreAway { office: 0, time: seconds(300) });
    for round in 0..5 {
        let attempt = Attempt { talk: seconds(5), ..Attempt::to("200") };
        world.after(seconds(10 * round), Act::Call { phone: 0, attempt });
    }
    world.run_for(seconds(200));
    assert_eq!(world.final_status(0), Some(200), "calls go on");
    let kept = |world: &World| {
        let lines = world.trace.lines();
        lines.iter().filter(|line| line.contains("kept the record")).count()
    };
    assert_eq!(kept(&world), 0);
    world.run_for(seconds(150));
    assert_eq!(kept(&world), 5);
    assert_eq!(statuses(&world, 0).last(), Some(&200));
    let quiet = matches!(world.exchange(0).waiting(), 0);
    assert!(quiet, "nothing waits");
    world.close();
}

#[test]
fn the_store_is_asked_again_although_nothing_waits_for_it() {
    let mut world = office();
    for phone in 0..2 {
        world.after(Duration::ZERO, Act::PowerOff { phone });
    }
    world.after(seconds(1), Act::StoreAway { office: 0, time: seconds(20) });
    world.after(seconds(2), Act::Boot { phone: 0, moved: true });
    world.run_for(seconds(80));
    assert!(world.phones[0].is_registered());
    world.close();
}

#[test]
fn r18_a_jump_of_the_wall_clock_ends_and_prolongs_nothing() {
    let mut world = office();
    let stored = |world: &World| {
        let lines = world.trace.lines();
        lines.iter().filter(|line| line.contains("kept bindings of")).count()
    };
    world.run_for(seconds(1));
    for hours in [2, -5, 3] {
        let attempt = Attempt { talk: seconds(20), ..Attempt::to("200") };
        world.after(Duration::ZERO, Act::Call { phone: 0, attempt });
        world.run_for(seconds(10));
        let before = stored(&world);
        world.after(Duration::ZERO, Act::ClockJump { milliseconds: hours * 3_600_000 });
        world.run_for(seconds(5));
        assert_eq!(world.exchange(0).switch().load().0, 1, "the call goes on");
        world.run_for(seconds(15));
        assert_eq!(world.exchange(0).switch().load().0, 0, "it ends when it should");
        assert!(stored(&world) - before >= 2, "what the store has of both phones follows the clock");
        assert_eq!(world.final_status(0), Some(200));
        assert!(world.phones.iter().all(|phone| phone.is_registered()));
    }
    world.close();
}
