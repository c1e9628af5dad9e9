//! Stories of callbacks (E, queues): a caller presses a key, hangs up and keeps the place; an agent is reserved, and the two
//! are brought together.

use calls::Cause;
use exchange::{
    AgentState, Answer, Asking, CallbackFirst, Command, Hours, Queue, QueueCallback, TaskId, TaskList,
    TaskRow, TaskState,
};
use media::{Prompt, SoundId, Source, Tongue};
use std::time::Duration;
use testkit::centre::{patient, put_queue, queue, works};
use testkit::phone::{Attempt, Deed, Note, Reaction, Then};
use testkit::stage::{Stage, answers_after};
use testkit::{Act, Death, World};

const NAMES: [&str; 2] = ["ada", "bob"];
/// The phones of ada and bob, and of the first two callers: 900 and 901.
const ADA: usize = 0;
const BOB: usize = 1;
const FIRST: usize = 2;
const SECOND: usize = 3;

fn centre(change: impl FnOnce(&mut Queue)) -> World {
    let mut sales = queue("Sales", "800", &NAMES);
    sales.callback = Some(QueueCallback::USUAL);
    sales.wrap_up = Duration::from_secs(5);
    change(&mut sales);
    let mut stage = Stage::new(31).agents(&NAMES, &works(2, 20)).callers(3);
    stage.config.emergency.numbers = vec!["112".into()];
    stage.change(put_queue("sales", sales)).open()
}

/// The first caller waits, asks to be called back, and is let go; the second waits behind.
fn asked(world: &mut World) {
    world.call(FIRST, patient("800"));
    world.wait(2);
    press(world, FIRST, '1');
    world.wait(12);
    world.call(SECOND, patient("800"));
    world.wait(2);
}

fn press(world: &mut World, phone: usize, key: char) {
    world.after(Duration::ZERO, Act::Do { phone, deed: Deed::Press(key) });
}

fn tasks(world: &mut World, of: Option<&str>) -> Vec<TaskRow> {
    let list = TaskList { of: of.map(Box::from), ended: true, ..TaskList::default() };
    world.command(0, Command::Background(Box::new(Asking::List(list))));
    match world.offices[0].answers.last() {
        Some((_, Answer::Tasks(rows))) => rows.clone(),
        other => panic!("{other:?}"),
    }
}

fn task(world: &mut World) -> TaskRow {
    tasks(world, None).remove(0)
}

fn rang(world: &World, phone: usize) -> usize {
    world.notes_of(phone).filter(|note| matches!(note, Note::Rings { .. })).count()
}

fn rings_on() -> Reaction {
    Reaction { then: Then::Never, ..answers_after(1) }
}

fn refuses(status: u16) -> Reaction {
    Reaction { then: Then::Refuse(status), ..answers_after(1) }
}

/// The sounds of whoever hears us, and what follows them.
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

fn sounds(prompts: &[Prompt]) -> Vec<SoundId> {
    prompts.iter().map(|prompt| prompt.sound(Tongue::En)).collect()
}

fn talk(world: &World) -> usize {
    world.exchange(0).switch().talking().len()
}

fn records(world: &World, part: &str) -> usize {
    world.offices[0].details.iter().filter(|detail| detail.contains(part)).count()
}

#[test]
fn a_caller_keeps_the_place_is_called_back_and_the_next_one_waits_behind() {
    let mut world = centre(|_| {});
    world.call(FIRST, patient("800"));
    world.wait(2);
    let offer = sounds(&[Prompt::QueueCallback, Prompt::Digit1]);
    assert!(heard(&world).contains(&(offer, Source::Music(SoundId::MUSIC))), "{:?}", heard(&world));
    press(&mut world, FIRST, '5');
    world.wait(1);
    assert_eq!(world.queue("sales").callbacks, 0, "another key asks for nothing");
    press(&mut world, FIRST, '1');
    world.wait(1);
    let number = [Prompt::Digit9, Prompt::Digit0, Prompt::Digit0];
    let promise = [&[Prompt::CallbackAt][..], &number, &[Prompt::CallbackKept, Prompt::Goodbye]].concat();
    assert!(heard(&world).iter().any(|(told, _)| *told == sounds(&promise)), "{:?}", heard(&world));
    world.wait(12);
    assert_eq!(world.exchange(0).switch().load().0, 0, "let go");
    assert_eq!(records(&world, "asked to be called back: task 1"), 1, "{:?}", world.offices[0].details);
    world.call(SECOND, patient("800"));
    world.wait(2);
    let row = world.queue("sales");
    assert_eq!((row.waiting, row.callbacks, row.counts.callbacks, row.counts.abandoned), (2, 1, 1, 0));
    let row = task(&mut world);
    assert_eq!((row.queue.as_deref(), row.place, &*row.why), (Some("sales"), Some(1), "waits for an agent"));
    assert_eq!(tasks(&mut world, Some("caller-0")).len(), 1, "it is in the caller's own list");
    assert_eq!(tasks(&mut world, Some("ada")).len(), 0);
    world.sign_in("ada");
    world.wait(1);
    assert_eq!((rang(&world, ADA), rang(&world, FIRST)), (1, 0), "the agent first");
    assert_eq!(&*world.agent("ada").words, "ringing for a callback of 900 in queue sales");
    assert_eq!(&*task(&mut world).why, "it rings at ada");
    world.wait(2);
    assert_eq!((rang(&world, FIRST), talk(&world)), (1, 0));
    world.wait(2);
    assert_eq!((talk(&world), world.state("ada")), (1, AgentState::Talking));
    assert_eq!(&*world.agent("ada").words, "talking with 900");
    let row = task(&mut world);
    assert_eq!((row.state, &*row.why), (TaskState::Ended, "reached"));
    let row = world.queue("sales");
    assert_eq!((row.waiting, row.callbacks, row.counts.called_back), (1, 0, 1), "the second still waits");
    world.wait(20);
    assert_eq!(world.state("ada"), AgentState::WrapUp, "it was a call of the queue");
    world.wait(10);
    assert_eq!(world.queue("sales").counts.answered, 1, "then the second");
    world.wait(60);
    world.close();
}

#[test]
fn whoever_is_busy_frees_the_agent_at_once_and_keeps_the_place_until_attempts_are_used_up() {
    let mut world = centre(|_| {});
    asked(&mut world);
    world.react(FIRST, refuses(486));
    world.sign_in("ada");
    world.wait(4);
    let ada = world.agent("ada");
    assert_eq!((ada.missed, ada.state == AgentState::WrapUp), (0, false), "{ada:?}");
    // She takes the second caller, while the first rests after the attempt.
    world.wait(3);
    assert_eq!((talk(&world), world.queue("sales").callbacks), (1, 1));
    let row = task(&mut world);
    assert_eq!((row.place, row.made.0), (Some(1), 1), "{row:?}");
    world.wait(300);
    let row = task(&mut world);
    assert_eq!(
        (row.state, row.end.map(|(end, _)| end.name()), row.made.0),
        (TaskState::Ended, Some("used_up"), 3)
    );
    assert_eq!(rang(&world, FIRST), 3);
    let counts = world.queue("sales").counts;
    assert_eq!((counts.callbacks, counts.called_back, counts.callbacks_lost), (1, 0, 1));
    assert_eq!(world.state("ada"), AgentState::Ready);
    world.close();
}

#[test]
fn an_agent_who_does_not_answer_misses_it_and_the_next_one_is_reserved() {
    let mut world = centre(|sales| sales.ring = Duration::from_secs(6));
    asked(&mut world);
    world.after(Duration::ZERO, Act::Do { phone: SECOND, deed: Deed::HangUp });
    world.react(ADA, rings_on());
    world.sign_in("ada");
    world.wait(5);
    world.sign_in("bob");
    world.wait(5);
    assert_eq!(world.agent("ada").missed, 1);
    world.wait(3);
    assert_eq!((rang(&world, FIRST), task(&mut world).made.0), (1, 1), "one attempt at the caller, by Bob");
    assert_eq!((talk(&world), world.state("bob")), (1, AgentState::Talking));
    world.wait(60);
    world.close();
}

#[test]
fn the_caller_first_hears_who_calls_then_music_and_the_next_agent_when_one_does_not_answer() {
    let first = |sales: &mut Queue| {
        sales.ring = Duration::from_secs(6);
        sales.callback = Some(QueueCallback { first: CallbackFirst::Caller, ..QueueCallback::USUAL });
    };
    let mut world = centre(first);
    asked(&mut world);
    world.after(Duration::ZERO, Act::Do { phone: SECOND, deed: Deed::HangUp });
    world.react(ADA, rings_on());
    world.sign_in("ada");
    world.wait(1);
    assert_eq!((rang(&world, FIRST), rang(&world, ADA)), (1, 0));
    assert_eq!(world.state("ada"), AgentState::Reserved, "before the caller is called");
    world.wait(2);
    let here = sounds(&[Prompt::CallbackHere, Prompt::PleaseHold]);
    assert!(heard(&world).contains(&(here, Source::Music(SoundId::MUSIC))), "{:?}", heard(&world));
    assert_eq!(rang(&world, ADA), 1);
    world.sign_in("bob");
    world.wait(7);
    assert_eq!(world.agent("ada").missed, 1);
    world.wait(3);
    assert_eq!((talk(&world), world.state("bob"), rang(&world, FIRST)), (1, AgentState::Talking, 1));
    assert_eq!(task(&mut world).end.map(|(end, _)| end.name()), Some("reached"));
    world.wait(60);
    world.close();
}

#[test]
fn a_caller_who_is_called_first_and_hangs_up_is_not_called_again() {
    let mut world = centre(|sales| {
        sales.callback = Some(QueueCallback { first: CallbackFirst::Caller, ..QueueCallback::USUAL });
    });
    asked(&mut world);
    world.react(ADA, rings_on());
    world.react(FIRST, Reaction { talk: Some(Duration::from_secs(3)), ..answers_after(1) });
    world.sign_in("ada");
    world.wait(8);
    assert_eq!(task(&mut world).end.map(|(end, _)| end.name()), Some("abandoned"));
    assert_eq!(world.queue("sales").counts.callbacks_lost, 1);
    world.wait(600);
    assert_eq!(rang(&world, FIRST), 1);
    world.close();
}

#[test]
fn whoever_calls_again_stands_where_they_stood_and_is_not_called_back() {
    let mut world = centre(|_| {});
    asked(&mut world);
    world.call(FIRST, patient("800"));
    world.wait(2);
    let row = task(&mut world);
    assert_eq!((row.state, &*row.why), (TaskState::Ended, "stopped: they called again"));
    assert_eq!((world.queue("sales").waiting, world.queue("sales").callbacks), (2, 0));
    world.sign_in("ada");
    world.wait(4);
    assert_eq!(&*world.agent("ada").words, "talking with 900", "before the second");
    world.wait(60);
    assert_eq!(rang(&world, FIRST), 0);
    world.close();
}

#[test]
fn a_callback_that_is_stopped_lets_everybody_go_wherever_it_stands() {
    // Waiting, ringing at the agent, ringing at the caller.
    for (wait, first) in [
        (0, None),
        (1, Some(CallbackFirst::Agent)),
        (3, Some(CallbackFirst::Agent)),
        (1, Some(CallbackFirst::Caller)),
        (3, Some(CallbackFirst::Caller)),
    ] {
        let first_of = first.unwrap_or(CallbackFirst::Agent);
        let mut world =
            centre(|sales| sales.callback = Some(QueueCallback { first: first_of, ..QueueCallback::USUAL }));
        asked(&mut world);
        press(&mut world, SECOND, '9');
        world.after(Duration::ZERO, Act::Do { phone: SECOND, deed: Deed::HangUp });
        world.wait(1);
        if first_of == CallbackFirst::Agent {
            world.react(FIRST, rings_on());
        } else {
            world.react(ADA, rings_on());
        }
        if first.is_some() {
            world.sign_in("ada");
        }
        world.wait(wait);
        let asking = Asking::Stop { task: TaskId(1), of: Some("caller-0".into()) };
        world.command(0, Command::Background(Box::new(asking)));
        world.wait(40);
        assert_eq!(task(&mut world).state, TaskState::Ended, "{wait} {first:?}");
        assert_eq!(world.exchange(0).switch().load().0, 0, "{wait} {first:?}");
        assert_eq!(world.queue("sales").waiting, 0);
        if first.is_some() {
            assert_eq!(
                (world.state("ada"), world.agent("ada").missed),
                (AgentState::Ready, 0),
                "{wait} {first:?}"
            );
        }
        world.close();
    }
}

#[test]
fn a_queue_that_is_closed_calls_back_when_it_opens() {
    // The world begins on Friday, 2027-01-15 at 08:00 UTC.
    let hours = |sales: &mut Queue| {
        sales.hours =
            ["fri 08:00-08:02", "fri 08:10-18:00"].iter().filter_map(|text| Hours::parse(text)).collect();
    };
    let mut world = centre(hours);
    world.call(FIRST, patient("800"));
    world.wait(2);
    press(&mut world, FIRST, '1');
    world.wait(150);
    world.sign_in("ada");
    world.wait(200);
    let row = task(&mut world);
    assert_eq!((rang(&world, ADA), &*row.why, row.rule), (0, "the queue is closed", Some("queues.closed")));
    world.wait(300);
    assert_eq!((rang(&world, ADA), rang(&world, FIRST)), (1, 1));
    world.close();
}

#[test]
fn who_hides_their_number_is_asked_for_one_and_emergencies_and_nonsense_are_refused() {
    let mut world = centre(|_| {});
    world.call(FIRST, Attempt { hidden: true, ..patient("800") });
    world.wait(2);
    press(&mut world, FIRST, '1');
    world.wait(1);
    assert!(
        heard(&world).iter().any(|(told, _)| *told == sounds(&[Prompt::CallbackNumber])),
        "{:?}",
        heard(&world)
    );
    for (keys, prompt) in
        [("112#", Prompt::NotAllowed), ("7777777#", Prompt::UnknownNumber), ("800#", Prompt::UnknownNumber)]
    {
        for key in keys.chars() {
            press(&mut world, FIRST, key);
            world.run_for(Duration::from_millis(200));
        }
        let then = (sounds(&[prompt]), Source::Music(SoundId::MUSIC));
        assert!(heard(&world).contains(&then), "{keys}: {:?}", heard(&world));
        assert_eq!(world.queue("sales").waiting, 1, "and waits on");
        press(&mut world, FIRST, '1');
        world.wait(1);
    }
    for key in "901#".chars() {
        press(&mut world, FIRST, key);
        world.run_for(Duration::from_millis(200));
    }
    world.wait(10);
    assert_eq!(&*task(&mut world).number, "901");
    world.sign_in("ada");
    world.wait(5);
    assert_eq!((rang(&world, SECOND), talk(&world)), (1, 1));
    world.wait(60);
    world.close();
}

#[test]
fn a_place_survives_the_death_of_the_exchange_and_an_attempt_is_never_made_twice() {
    for (wait, rings) in [(0, 0), (1, 0), (3, 1)] {
        let mut world = centre(|_| {});
        asked(&mut world);
        world.after(Duration::ZERO, Act::Do { phone: SECOND, deed: Deed::HangUp });
        world.wait(1);
        world.react(FIRST, rings_on());
        if wait > 0 {
            world.sign_in("ada");
        }
        world.wait(wait);
        assert_eq!(rang(&world, FIRST), rings, "{wait}");
        world.dies(Death::of(0));
        world.wait(5);
        world.react(FIRST, answers_after(1));
        let row = world.queue("sales");
        assert_eq!((row.waiting, row.callbacks), (1, 1), "{wait}");
        if wait == 0 {
            world.sign_in("ada");
        }
        world.wait(60);
        assert_eq!(rang(&world, FIRST), rings + 1, "{wait}");
        let row = task(&mut world);
        assert_eq!(row.end.map(|(end, _)| end.name()), Some("reached"), "{wait}: {row:?}");
        world.close();
    }
}

#[test]
fn what_cannot_be_stored_is_not_promised_and_the_caller_waits_on() {
    let mut world = centre(|_| {});
    world.call(FIRST, patient("800"));
    world.wait(2);
    world.after(Duration::ZERO, Act::StoreAway { office: 0, time: Duration::from_secs(20) });
    press(&mut world, FIRST, '1');
    world.wait(2);
    let told = (sounds(&[Prompt::NotStored]), Source::Music(SoundId::MUSIC));
    assert!(heard(&world).contains(&told), "{:?}", heard(&world));
    let row = world.queue("sales");
    assert_eq!((row.waiting, row.callbacks, row.counts.callbacks), (1, 0, 0));
    world.wait(30);
    press(&mut world, FIRST, '1');
    world.wait(12);
    assert_eq!(world.queue("sales").callbacks, 1, "later it can");
    world.close();
}

#[test]
fn an_agent_who_answers_first_makes_the_wish_come_true_at_once() {
    let mut world = centre(|_| {});
    world.call(FIRST, patient("800"));
    world.wait(2);
    world.sign_in("ada");
    world.run_for(Duration::from_millis(500));
    // Her phone rings; the place is kept, she is free, and calls back at once.
    press(&mut world, FIRST, '1');
    world.wait(20);
    assert_eq!((rang(&world, FIRST), talk(&world)), (1, 1));
    assert_eq!(world.queue("sales").counts.called_back, 1);
    assert_eq!(records(&world, &Cause::NoAnswer.to_string()), 0);
    world.wait(60);
    world.close();
}

#[test]
fn a_queue_that_leaves_ends_its_callbacks() {
    let mut world = centre(|_| {});
    asked(&mut world);
    world.command(0, Command::Change(exchange::PeopleChange::RemoveQueue { name: "sales".into() }));
    world.wait(20);
    let row = task(&mut world);
    assert_eq!((row.state, &*row.why), (TaskState::Ended, "stopped: the queue is gone"));
    world.sign_in("ada");
    world.wait(60);
    assert_eq!(rang(&world, FIRST), 0);
    world.close();
}

#[test]
fn two_who_are_ready_take_the_callback_and_the_caller_behind() {
    let mut world = centre(|_| {});
    asked(&mut world);
    world.sign_in("ada");
    world.sign_in("bob");
    world.wait(1);
    assert_eq!((rang(&world, ADA), rang(&world, BOB)), (1, 1));
    world.wait(5);
    assert_eq!(talk(&world), 2);
    world.wait(60);
    world.close();
}
