//! Stories of queues: callers wait in order with music, and whoever is ready takes the first of them.

use calls::Cause;
use exchange::{AgentAsking, AgentState, Command, Hours, Queue, QueueMember, QueueStrategy};
use media::{Prompt, SoundId, Source, Tongue};
use std::time::Duration;
use testkit::centre::{patient, put_queue, queue, works};
use testkit::phone::{Attempt, Deed, Note, Reaction, Ring, Then};
use testkit::stage::{Stage, answers_after};
use testkit::{Act, World};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const NAMES: [&str; 3] = ["ada", "bob", "cid"];
/// The first caller's phone.
const CALLER: usize = 3;

fn centre(change: impl FnOnce(&mut Queue)) -> Stage {
    let mut sales = queue("Sales", "800", &NAMES);
    change(&mut sales);
    Stage::new(21).agents(&NAMES, &works(2, 20)).callers(4).change(put_queue("sales", sales))
}

fn sign_in_all(world: &mut World) {
    for name in NAMES {
        world.sign_in(name);
        world.run_for(Duration::from_millis(10));
    }
}

/// What callers hear who are answered by us: the sounds, and what follows them.
fn heard(world: &World) -> Vec<(Vec<SoundId>, Source)> {
    let orders = world.offices[0].orders.values().map(|(_, order)| {
        let (mut sounds, mut source) = (Vec::new(), order.source.clone());
        while let Source::Prompt { sound, then, .. } = source {
            sounds.push(sound);
            source = then.map_or(Source::Nothing, |then| *then);
        }
        (sounds, source)
    });
    orders.collect()
}

fn hears_music(world: &World) -> usize {
    heard(world).iter().filter(|(_, then)| *then == Source::Music(SoundId::MUSIC)).count()
}

fn statuses(world: &World, phone: usize) -> Vec<u16> {
    let progress = world.notes_of(phone).filter_map(|note| match note {
        Note::Progress { status, .. } | Note::Final { status, .. } => Some(*status),
        _ => None,
    });
    progress.collect()
}

fn rang(world: &World, phone: usize) -> usize {
    world.notes_of(phone).filter(|note| matches!(note, Note::Rings { .. })).count()
}

fn records(world: &World, part: &str) -> usize {
    world.trace.lines().iter().filter(|line| line.contains(" record ") && line.contains(part)).count()
}

#[test]
fn a_caller_waits_with_music_and_the_agent_who_gets_ready_takes_the_call() {
    let mut world = centre(|_| {}).open();
    world.call(CALLER, patient("800"));
    world.wait(10);
    assert_eq!((world.final_status(CALLER), hears_music(&world)), (Some(200), 1), "on our own leg");
    assert_eq!(world.queue("sales").waiting, 1);
    world.sign_in("ada");
    world.run_for(Duration::from_millis(100));
    assert_eq!(world.state("ada"), AgentState::Ringing);
    assert_eq!(hears_music(&world), 1, "the music goes on while it rings");
    world.wait(3);
    let talking = world.exchange(0).switch().talking();
    assert_eq!((talking.len(), hears_music(&world)), (1, 0), "they talk");
    let row = world.queue("sales");
    assert_eq!((row.waiting, row.counts.offered, row.counts.answered), (0, 1, 1));
    assert_eq!(row.counts.in_time, 1);
    world.wait(25);
    world.close();
    assert_eq!(records(&world, &Cause::CalleeHungUp.to_string()), 1, "{:?}", world.trace.lines());
}

#[test]
fn r8_a_caller_is_told_to_wait_by_182_and_of_a_phone_that_rings_by_180() {
    let mut world = centre(|sales| sales.answer_after = None).open();
    world.call(CALLER, patient("800"));
    world.wait(55);
    assert_eq!(statuses(&world, CALLER), [182, 182], "repeated, so that no proxy gives up");
    world.sign_in("ada");
    world.wait(1);
    assert_eq!(statuses(&world, CALLER), [182, 182, 180]);
    world.wait(3);
    assert_eq!(world.final_status(CALLER), Some(200));
    world.call(CALLER + 1, patient("800"));
    world.wait(61);
    assert_eq!(world.final_status(CALLER + 1), Some(200));
    world.close();
}

#[test]
fn r8_after_a_minute_whoever_waits_unanswered_hears_music() {
    let mut world = centre(|sales| sales.answer_after = None).open();
    world.call(CALLER, patient("800"));
    world.wait(58);
    assert_eq!((world.final_status(CALLER), hears_music(&world)), (None, 0));
    world.wait(4);
    assert_eq!((world.final_status(CALLER), hears_music(&world)), (Some(200), 1));
    world.close();
}

#[test]
fn callers_hear_their_place_in_the_order_in_which_they_came() {
    let mut world = centre(|sales| sales.announce = seconds(30)).open();
    for caller in 0..2 {
        world.call(CALLER + caller, patient("800"));
        world.wait(1);
    }
    let place = |digit: Prompt| vec![Prompt::QueuePlace.sound(Tongue::En), digit.sound(Tongue::En)];
    let music = Source::Music(SoundId::MUSIC);
    let told = heard(&world);
    assert!(told.contains(&(place(Prompt::Digit1), music.clone())), "{told:?}");
    assert!(told.contains(&(place(Prompt::Digit2), music)), "{told:?}");
    world.close();
}

#[test]
fn whoever_gives_up_is_in_the_record_with_the_time_waited() {
    let mut world = centre(|_| {}).open();
    world.call(CALLER, Attempt { talk: seconds(34), ..patient("800") });
    world.wait(40);
    let row = world.queue("sales");
    assert_eq!((row.waiting, row.counts.abandoned, row.counts.service_level()), (0, 1, Some(0)));
    world.close();
    let gave_up =
        world.offices[0].details.iter().any(|detail| detail.starts_with("gave up in queue sales after 3"));
    assert!(gave_up, "{:?}", world.offices[0].details);
}

#[test]
fn one_reservation_is_atomic_across_queues_and_the_longest_waiting_caller_is_first() {
    let stage = Stage::new(22).agents(&NAMES, &works(2, 20)).callers(4);
    let stage = stage.change(put_queue("sales", queue("Sales", "800", &["ada"])));
    let mut world = stage.change(put_queue("support", queue("Support", "801", &["ada"]))).open();
    world.call(CALLER, patient("801"));
    world.wait(1);
    world.call(CALLER + 1, patient("800"));
    world.wait(1);
    world.sign_in("ada");
    world.wait(1);
    assert_eq!(rang(&world, 0), 1, "one caller rings at one agent");
    world.wait(3);
    assert_eq!((world.queue("support").waiting, world.queue("sales").waiting), (0, 1));
    world.wait(20);
    assert_eq!(world.queue("sales").waiting, 1, "it rings for the other one now");
    world.wait(4);
    assert_eq!(world.queue("sales").counts.answered, 1);
    world.close();
}

#[test]
fn the_longest_idle_agent_is_next() {
    let mut world = centre(|_| {}).open();
    sign_in_all(&mut world);
    for (caller, agent) in [(0, 0), (1, 1), (2, 2)] {
        world.call(CALLER + caller, patient("800"));
        world.wait(4);
        assert_eq!(rang(&world, agent), 1, "agent {agent}");
    }
    world.close();
}

#[test]
fn turns_go_round_whoever_was_ready_first() {
    let mut world = centre(|sales| sales.strategy = QueueStrategy::RoundRobin).open();
    NAMES.iter().for_each(|name| drop(world.sign_in(name)));
    world.call(CALLER, Attempt { talk: seconds(2), ..patient("800") });
    world.wait(8);
    // Ada had a turn and is ready again; a break of the others does not change whose turn it is.
    for name in ["bob", "cid"] {
        let asking = AgentAsking::Pause { account: name.into(), reason: "break".into(), planned: None };
        world.agents(asking).unwrap();
        world.agents(AgentAsking::Ready(name.into())).unwrap();
    }
    world.call(CALLER + 1, patient("800"));
    world.wait(1);
    world.assert_sound();
    assert_eq!([rang(&world, 0), rang(&world, 1), rang(&world, 2)], [1, 1, 0]);
    world.close();
}

#[test]
fn all_ring_at_once_and_nobody_stays_reserved_when_one_answers() {
    let mut world = centre(|sales| sales.strategy = QueueStrategy::All).open();
    sign_in_all(&mut world);
    world.react(0, answers_after(5));
    world.call(CALLER, patient("800"));
    world.wait(1);
    assert_eq!([rang(&world, 0), rang(&world, 1), rang(&world, 2)], [1, 1, 1]);
    world.wait(3);
    let mut states: Vec<AgentState> = NAMES.iter().map(|name| world.state(name)).collect();
    states.sort();
    assert_eq!(states, [AgentState::Ready, AgentState::Ready, AgentState::Talking]);
    world.close();
}

#[test]
fn complaint_somebody_who_declines_while_all_ring_stays_reserved() {
    let mut world = centre(|sales| sales.strategy = QueueStrategy::All).open();
    sign_in_all(&mut world);
    world.react(0, Reaction { then: Then::Refuse(486), ..answers_after(1) });
    world.react(1, Reaction { then: Then::Never, ..answers_after(1) });
    world.react(2, Reaction { then: Then::Never, ..answers_after(1) });
    world.call(CALLER, patient("800"));
    world.wait(3);
    assert_eq!(world.agent("ada").reason.as_deref(), Some("missed a call"), "at once, whoever else rings");
    assert_eq!(world.state("bob"), AgentState::Ringing);
    world.close();
}

#[test]
fn an_agent_who_does_not_answer_rests_and_the_caller_goes_to_the_next() {
    let mut world = centre(|sales| sales.ring = seconds(10)).open();
    sign_in_all(&mut world);
    world.react(0, Reaction { then: Then::Never, ..answers_after(1) });
    world.call(CALLER, patient("800"));
    world.wait(9);
    assert_eq!(world.state("ada"), AgentState::Ringing);
    world.wait(3);
    assert_eq!((world.agent("ada").missed, world.state("bob")), (1, AgentState::Ringing));
    world.wait(2);
    assert_eq!(world.state("bob"), AgentState::Talking);
    world.close();
}

#[test]
fn a_phone_that_says_nothing_costs_a_caller_no_place() {
    let mut world = centre(|sales| sales.ring = seconds(10)).open();
    world.sign_in("ada");
    world.react(0, Reaction { ring: Ring::Deaf, ..answers_after(1) });
    world.call(CALLER, patient("800"));
    world.wait(1);
    world.call(CALLER + 1, patient("800"));
    world.wait(1);
    assert_eq!(world.state("ada"), AgentState::Reserved, "her phone has not rung");
    world.wait(12);
    world.sign_in("bob");
    world.wait(4);
    let first = world.notes_of(1).find_map(|note| match note {
        Note::Rings { session } => Some(session.clone()),
        _ => None,
    });
    let called = world.notes_of(CALLER).find_map(|note| match note {
        Note::Calls { session, .. } => Some(session.clone()),
        _ => None,
    });
    assert_eq!(first, called, "the first caller is still the first");
    world.close();
}

#[test]
fn a_preferred_caller_comes_before_the_others() {
    let mut world = centre(|sales| sales.preferred = vec!["901".into()]).open();
    world.call(CALLER, patient("800"));
    world.wait(5);
    world.call(CALLER + 1, patient("800"));
    world.wait(1);
    world.sign_in("ada");
    world.wait(4);
    let talking = world.agent("ada").words;
    assert_eq!(&*talking, "talking with 901");
    world.close();
}

#[test]
fn priorities_of_members_come_before_who_waited() {
    let mut world =
        centre(|sales| sales.members[0] = QueueMember { account: "ada".into(), priority: 2 }).open();
    sign_in_all(&mut world);
    world.call(CALLER, patient("800"));
    world.wait(1);
    assert_eq!([rang(&world, 0), rang(&world, 1)], [0, 1]);
    world.close();
}

#[test]
fn who_waits_too_long_or_finds_no_room_goes_to_the_overflow() {
    let overflow = |sales: &mut Queue| {
        sales.longest_wait = Some(seconds(20));
        sales.most_waiting = 1;
        sales.overflow = Some("903".into());
    };
    let mut world = centre(overflow).open();
    world.call(CALLER, patient("800"));
    world.wait(2);
    world.call(CALLER + 1, patient("800"));
    world.wait(3);
    assert_eq!(
        (rang(&world, CALLER + 3), world.queue("sales").counts.overflowed),
        (1, 1),
        "there is no room"
    );
    world.wait(20);
    world.assert_sound();
    assert_eq!(
        (rang(&world, CALLER + 3), world.queue("sales").counts.overflowed),
        (2, 2),
        "the wait is over"
    );
    assert_eq!(world.queue("sales").waiting, 0);
    world.close();
}

#[test]
fn whoever_waits_in_vain_without_an_overflow_is_told_so() {
    let mut world = centre(|sales| sales.longest_wait = Some(seconds(20))).open();
    world.call(CALLER, patient("800"));
    world.wait(21);
    let told = heard(&world);
    assert!(
        told.iter().any(|(sounds, _)| sounds == &[Prompt::NobodyAvailable.sound(Tongue::En)]),
        "{told:?}"
    );
    world.wait(20);
    assert_eq!(world.exchange(0).switch().load().0, 0);
    world.close();
}

#[test]
fn out_of_hours_and_on_holidays_nobody_is_let_in() {
    // The world begins on Friday, 2027-01-15 at 08:00 UTC.
    for (hours, holiday, open) in [
        (vec!["mon-fri 08:00-18:00"], None, true),
        (vec!["mon-fri 09:00-18:00"], None, false),
        (vec!["sat-sun 00:00-24:00"], None, false),
        (vec![], Some("2027-01-15"), false),
        (vec!["fri 08:00-09:00"], Some("2027-01-16"), true),
    ] {
        let mut world = centre(|sales| {
            sales.hours = hours.iter().filter_map(|text| Hours::parse(text)).collect();
            sales.holidays = holiday.iter().filter_map(|day| day.parse().ok()).collect();
        })
        .open();
        world.call(CALLER, patient("800"));
        world.wait(2);
        let row = world.queue("sales");
        assert_eq!((row.open, row.waiting), (open, usize::from(open)), "{hours:?} {holiday:?}");
        world.close();
    }
}

#[test]
fn an_agent_who_leaves_or_pauses_while_it_rings_gives_the_caller_back() {
    let mut world = centre(|_| {}).open();
    sign_in_all(&mut world);
    NAMES.iter().enumerate().for_each(|(phone, _)| {
        world.react(phone, Reaction { then: Then::Never, ..answers_after(1) });
    });
    world.call(CALLER, patient("800"));
    world.wait(1);
    assert_eq!(world.state("ada"), AgentState::Ringing);
    world
        .agents(AgentAsking::Pause { account: "ada".into(), reason: "break".into(), planned: None })
        .unwrap();
    world.wait(1);
    assert_eq!((world.state("ada"), world.state("bob")), (AgentState::NotReady, AgentState::Ringing));
    world.agents(AgentAsking::SignOut("bob".into())).unwrap();
    world.wait(1);
    assert_eq!((world.state("bob"), world.state("cid")), (AgentState::Offline, AgentState::Ringing));
    // An own call keeps busy: the caller waits on.
    world.call(2, Attempt::to("101"));
    world.wait(1);
    assert_eq!((world.state("cid"), world.queue("sales").waiting), (AgentState::Ringing, 1));
    assert_eq!(world.agent("cid").words.as_ref(), "ringing with 101");
    world.close();
}

#[test]
fn a_queue_that_leaves_tells_those_who_wait() {
    let mut world = centre(|_| {}).open();
    world.call(CALLER, patient("800"));
    world.wait(2);
    world.command(0, Command::Change(exchange::PeopleChange::RemoveQueue { name: "sales".into() }));
    world.wait(20);
    assert_eq!(world.exchange(0).switch().load().0, 0);
    world.close();
}

#[test]
fn an_emergency_and_a_power_cut_leave_nothing_behind() {
    let mut world = centre(|_| {}).open();
    sign_in_all(&mut world);
    for caller in 0..4 {
        world.call(CALLER + caller, patient("800"));
    }
    world.wait(5);
    for phone in 0..3 {
        world.after(Duration::ZERO, Act::PowerOff { phone });
    }
    world.wait(900);
    assert_eq!(world.queue("sales").ready, 0);
    world.close();
    assert!(NAMES.iter().all(|name| world.state(name) == AgentState::NotReady));
}

/// Somebody talks with the last caller's phone, which sends them on.
const SENDER: usize = CALLER + 1;

fn sent_on(world: &mut World, phone: usize, number: &'static str) {
    world.after(Duration::ZERO, Act::Do { phone, deed: Deed::Refer(number) });
    world.wait(1);
}

#[test]
fn whoever_is_sent_on_to_a_queue_waits_there_and_the_phone_that_did_it_is_out() {
    // The one who was called sends the caller on, and the one who called sends on whom they called.
    for (sender, stays) in [(SENDER, "900"), (CALLER, "901")] {
        let mut world = centre(|sales| sales.announce = seconds(30)).open();
        world.call(CALLER, patient("901"));
        world.wait(3);
        sent_on(&mut world, sender, "800");
        let row = world.queue("sales");
        assert_eq!((row.waiting, row.counts.offered, hears_music(&world)), (1, 1, 1), "{stays}");
        let told = heard(&world);
        let place = vec![Prompt::QueuePlace.sound(Tongue::En), Prompt::Digit1.sound(Tongue::En)];
        assert!(told.iter().any(|(sounds, _)| *sounds == place), "{told:?}");
        let ended = world.notes_of(sender).any(|note| matches!(note, Note::Ended { .. }));
        assert!(ended, "its leg is over");
        world.sign_in("ada");
        world.wait(4);
        world.assert_sound();
        assert_eq!(&*world.agent("ada").words, format!("talking with {stays}"));
        assert_eq!(world.exchange(0).switch().talking().len(), 1);
        world.wait(30);
        assert_eq!(world.exchange(0).switch().load().0, 0);
        world.close();
    }
}

#[test]
fn whoever_is_sent_on_and_gives_up_is_counted_and_a_queue_that_takes_nobody_changes_nothing() {
    let mut world = centre(|_| {}).open();
    world.call(CALLER, Attempt { talk: seconds(20), ..patient("901") });
    world.wait(3);
    sent_on(&mut world, SENDER, "800");
    assert_eq!(world.queue("sales").waiting, 1);
    world.wait(25);
    let row = world.queue("sales");
    assert_eq!((row.waiting, row.counts.abandoned), (0, 1));
    world.close();
    let closed = |sales: &mut Queue| sales.hours = Hours::parse("sun 01:00-02:00").into_iter().collect();
    let mut world = centre(closed).open();
    world.call(CALLER, patient("901"));
    world.wait(3);
    sent_on(&mut world, SENDER, "800");
    assert_eq!((world.queue("sales").waiting, world.exchange(0).switch().talking().len()), (0, 1));
    world.close();
}

#[test]
fn the_expected_wait_is_said_once_enough_was_measured() {
    let mut world = centre(|sales| {
        sales.announce = seconds(30);
        sales.members.truncate(1);
    })
    .open();
    world.react(0, works(1, 59));
    world.sign_in("ada");
    assert_eq!(world.queue("sales").expected, None);
    // One agent, who takes a caller a minute, and always somebody who waits.
    for caller in 0..14 {
        let phone = CALLER + caller % 4;
        world.call(phone, Attempt { talk: seconds(600), ..patient("800") });
        world.wait(if caller < 2 { 1 } else { 60 });
    }
    let row = world.queue("sales");
    let expected = row.expected.expect("enough was measured").as_secs() / (row.waiting as u64 + 1);
    assert!((59..=66).contains(&expected), "a minute a step: {row:?}");
    let minutes = |prompt: Prompt| vec![Prompt::ExpectedWait.sound(Tongue::En), prompt.sound(Tongue::En)];
    let told = heard(&world);
    let said = |wanted: &[SoundId]| told.iter().any(|(sounds, _)| sounds.ends_with(wanted));
    assert!(said(&minutes(Prompt::Minutes2)) || said(&minutes(Prompt::Minutes3)), "{told:?}");
    world.close();
}
