//! Stories of background calls (S2): what the two phones see, what is written down, and that nobody is called twice.

use exchange::{
    Answer, Asking, Command, Input, NewTask, PeopleChange, Right, Rights, Settings, TaskId, TaskList,
    TaskRow, TaskState,
};
use media::{MediaEvent, Prompt, SoundId, Source, Tongue};
use std::time::Duration;
use testkit::phone::{Attempt, Note, Reaction, Then};
use testkit::stage::{Stage, answers_after};
use testkit::{Act, Death, World};

const ADA: usize = 0;
const BOB: usize = 1;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn refuses(status: u16) -> Reaction {
    Reaction { then: Then::Refuse(status), ..answers_after(1) }
}

fn rings_on() -> Reaction {
    Reaction { then: Then::Never, ..answers_after(1) }
}

fn with_right(account: &str, background: bool) -> PeopleChange {
    let settings =
        Settings { rights: Rights::default().with(Right::Background), background, ..Settings::default() };
    PeopleChange::PutAccount { name: account.into(), display: account.into(), settings: settings.into() }
}

/// Ada may have background calls; Bob is whom she wants.
fn stage(ada: Reaction, bob: Reaction) -> Stage {
    let stage = Stage::new(7).person("ada", "100").change(with_right("ada", false)).phone("ada-1", ada);
    stage.person("bob", "200").phone("bob-1", bob)
}

fn start(world: &mut World, account: &str, number: &str) {
    let new = NewTask { account: account.into(), number: number.into(), ..NewTask::default() };
    world.command(0, Command::Background(Box::new(Asking::Start(new))));
}

fn answer(world: &World) -> &Answer {
    &world.offices[0].answers.last().expect("an answer").1
}

fn tasks(world: &mut World) -> Vec<TaskRow> {
    let list = TaskList { ended: true, ..TaskList::default() };
    world.command(0, Command::Background(Box::new(Asking::List(list))));
    match answer(world) {
        Answer::Tasks(rows) => rows.clone(),
        other => panic!("{other:?}"),
    }
}

/// What each leg hears, as the sounds of its order and what follows them.
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

fn greeting() -> Vec<SoundId> {
    let digits = [Prompt::Digit1, Prompt::Digit0, Prompt::Digit0];
    sounds(&[&[Prompt::CallFrom][..], &digits, &[Prompt::PleaseHold]].concat())
}

fn react(world: &mut World, phone: usize, reaction: Reaction) {
    world.after(Duration::ZERO, Act::React { phone, reaction });
    world.run_for(Duration::from_millis(1));
}

fn count(world: &World, phone: usize, wanted: impl Fn(&Note) -> bool) -> usize {
    world.notes_of(phone).filter(|note| wanted(note)).count()
}

fn rang(world: &World, phone: usize) -> usize {
    count(world, phone, |note| matches!(note, Note::Rings { .. }))
}

fn answered(world: &World, phone: usize) -> usize {
    count(world, phone, |note| matches!(note, Note::Answers { .. }))
}

fn lines(world: &World, part: &str) -> Vec<String> {
    world.trace.lines().into_iter().filter(|line| line.contains(part)).collect()
}

fn outcomes(row: &TaskRow) -> Vec<String> {
    row.attempts.iter().filter_map(|attempt| Some(attempt.outcome?.to_string())).collect()
}

#[test]
fn s2_7_bob_is_called_until_he_answers_and_then_the_two_talk() {
    let mut world = stage(answers_after(2), refuses(486)).open();
    start(&mut world, "ada", "200");
    world.run_for(seconds(2));
    let Answer::Task(Some(row)) = answer(&world) else { panic!("{:?}", answer(&world)) };
    assert_eq!((&*row.account, &*row.number, row.task), ("ada", "200", TaskId(1)));
    world.run_for(seconds(7));
    react(&mut world, BOB, rings_on());
    world.run_for(seconds(100));
    assert_eq!(outcomes(&tasks(&mut world)[0]), ["busy", "busy", "no answer"]);
    assert_eq!(rang(&world, ADA), 0, "her line is free, and her phone silent, all the while (S2.12)");
    react(&mut world, BOB, answers_after(3));
    world.run_for(seconds(60));
    let row = tasks(&mut world).remove(0);
    assert_eq!((row.state, &*row.why), (TaskState::Ended, "reached"), "{row:?}");
    assert_eq!(outcomes(&row).last().map(String::as_str), Some("answered"));
    assert_eq!((answered(&world, ADA), answered(&world, BOB)), (1, 1));
    let sources: Vec<Source> = heard(&world).into_iter().map(|(_, source)| source).collect();
    assert!(
        sources.len() == 2 && sources.iter().all(|source| matches!(source, Source::Leg(_))),
        "{sources:?}"
    );
    let live = world.exchange(0).live_calls();
    assert_eq!(live[0].caller.account.as_deref(), Some("ada"), "whoever came first, Ada called");
    assert_eq!(live[0].callee.device.as_deref(), Some("bob-1"));
    // One record for each attempt, the last of them that of the talk, all with the task.
    world.after(Duration::ZERO, Act::Do { phone: ADA, deed: testkit::phone::Deed::HangUp });
    world.run_for(seconds(5));
    let records = lines(&world, "kept the record");
    assert_eq!(records.len(), 4, "{records:?}");
    assert_eq!(world.exchange(0).switch().load().0, 0);
    world.close();
}

#[test]
fn s2_2_bob_hears_at_once_who_calls_then_music_and_never_silence() {
    let mut world = stage(answers_after(8), answers_after(1)).open();
    start(&mut world, "ada", "200");
    // A commit for the task and one for the claim, then the ringing.
    world.run_for(Duration::from_millis(1_500));
    assert_eq!(answered(&world, BOB), 1);
    assert_eq!(heard(&world)[0], (greeting(), Source::Music(SoundId::MUSIC)));
    world.run_for(seconds(3));
    assert_eq!(rang(&world, ADA), 1);
    assert_eq!(tasks(&mut world)[0].state, TaskState::Connecting);
    assert_eq!(heard(&world)[0].1, Source::Music(SoundId::MUSIC), "until they meet");
    world.run_for(seconds(6));
    assert!(heard(&world).iter().all(|(_, source)| matches!(source, Source::Leg(_))));
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn s2_6_ada_does_not_answer_bob_is_told_and_never_called_again() {
    let mut world = stage(rings_on(), answers_after(1)).open();
    start(&mut world, "ada", "200");
    world.run_for(seconds(24));
    assert_eq!(heard(&world)[0].0, sounds(&[Prompt::CallerGone, Prompt::CallBackOrNot]));
    let messages = lines(&world, "kept the message");
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("task-1-1-missed to ada") && messages[0].contains("200"), "{messages:?}");
    assert_eq!(tasks(&mut world)[0].state, TaskState::Ended);
    world.run_for(seconds(60));
    assert_eq!(world.exchange(0).switch().load().0, 0, "Bob is let go");
    world.run_for(seconds(4 * 3_600));
    assert_eq!((rang(&world, BOB), rang(&world, ADA)), (1, 1));
    world.close();
}

#[test]
fn bob_asks_not_to_be_called_again_and_is_not() {
    let mut world = stage(rings_on(), answers_after(1)).open();
    start(&mut world, "ada", "200");
    world.run_for(seconds(24));
    let deed = testkit::phone::Deed::Press('9');
    world.after(Duration::ZERO, Act::Do { phone: BOB, deed });
    world.run_for(seconds(2));
    assert_eq!(heard(&world)[0].0, sounds(&[Prompt::Done, Prompt::Goodbye]));
    world.run_for(seconds(60));
    start(&mut world, "ada", "200");
    world.run_for(seconds(2));
    let Answer::Refused(refusal) = answer(&world) else { panic!("{:?}", answer(&world)) };
    assert!(refusal.to_string().contains("its owner's list"), "{refusal}");
    world.close();
}

fn stop(world: &mut World) {
    world.command(0, Command::Background(Box::new(Asking::Stop { task: TaskId(1), of: None })));
}

#[test]
fn s2_8_stopped_while_bob_rings_he_is_cancelled_and_while_he_waits_he_is_excused() {
    let mut world = stage(rings_on(), rings_on()).open();
    start(&mut world, "ada", "200");
    world.run_for(seconds(3));
    stop(&mut world);
    world.run_for(seconds(2));
    let cancelled = count(
        &world,
        BOB,
        |note| matches!(note, Note::Cancelled { reason, .. } if reason.starts_with("SIP;cause=487")),
    );
    assert_eq!(cancelled, 1);
    let row = tasks(&mut world).remove(0);
    assert_eq!((row.state, &*row.why), (TaskState::Ended, "stopped"));
    world.run_for(seconds(600));
    assert_eq!(rang(&world, BOB), 1);
    world.close();
    let mut world = stage(rings_on(), answers_after(1)).open();
    start(&mut world, "ada", "200");
    world.run_for(seconds(5));
    assert_eq!(rang(&world, ADA), 1);
    stop(&mut world);
    world.run_for(seconds(1));
    assert_eq!(heard(&world)[0].0, sounds(&[Prompt::CallerGone, Prompt::Goodbye]));
    assert_eq!(count(&world, ADA, |note| matches!(note, Note::Cancelled { .. })), 1);
    assert!(lines(&world, "kept the message").is_empty(), "she stopped it herself");
    world.run_for(seconds(600));
    world.close();
}

#[test]
fn stopped_before_anybody_is_called_nobody_is() {
    let mut world = stage(answers_after(1), answers_after(1)).open();
    start(&mut world, "ada", "200");
    stop(&mut world);
    world.run_for(seconds(600));
    assert_eq!((rang(&world, ADA), rang(&world, BOB)), (0, 0));
    world.close();
}

#[test]
fn bob_calls_ada_meanwhile_and_the_background_call_ends() {
    let mut world = stage(answers_after(2), refuses(486)).open();
    start(&mut world, "ada", "200");
    world.run_for(seconds(3));
    world.call(BOB, Attempt::to("100"));
    world.run_for(seconds(60));
    let row = tasks(&mut world).remove(0);
    assert_eq!((row.state, &*row.why), (TaskState::Ended, "stopped: they called"));
    world.run_for(seconds(600));
    assert_eq!(rang(&world, BOB), 1, "and never after");
    world.close();
}

#[test]
fn ada_reaches_bob_by_herself_and_the_background_call_ends() {
    let mut world = stage(answers_after(2), refuses(486)).open();
    start(&mut world, "ada", "200");
    world.run_for(seconds(3));
    react(&mut world, BOB, answers_after(1));
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(60));
    assert_eq!(&*tasks(&mut world)[0].why, "stopped: they talk already");
    assert_eq!(rang(&world, ADA), 0);
    world.close();
}

/// Bob talks with Cyd, who called him.
fn bob_is_busy(world: &mut World, cyd: usize, talk: u64) {
    world.call(cyd, Attempt { talk: seconds(talk), ..Attempt::to("200") });
    world.run_for(seconds(3));
    assert_eq!(answered(world, BOB), 1);
}

#[test]
fn bob_is_called_the_moment_he_is_free_and_two_who_wait_get_him_in_their_order() {
    let stage =
        stage(answers_after(1), answers_after(1)).person("cyd", "300").phone("cyd-1", answers_after(1));
    let stage = stage.person("dee", "400").change(with_right("dee", false)).phone("dee-1", answers_after(1));
    let mut world = stage.open();
    bob_is_busy(&mut world, 2, 30);
    start(&mut world, "ada", "200");
    start(&mut world, "dee", "200");
    world.run_for(seconds(10));
    assert_eq!(answered(&world, BOB), 1, "he is not rung while he talks");
    let rows = tasks(&mut world);
    assert_eq!((rows[0].ahead, rows[1].ahead), (0, 1), "both are told, in order");
    world.run_for(seconds(19));
    // Cyd hangs up at about 31 s; within 200 ms his phone rings again.
    let when = |phone: usize, wanted: &dyn Fn(&Note) -> bool| {
        let notes = world.notes.iter().filter(|(_, id, note)| *id == phone && wanted(note));
        notes.map(|(at, ..)| *at).last().expect("a note")
    };
    let free = when(2, &|note| matches!(note, Note::Ended { .. }));
    let rings = when(BOB, &|note| matches!(note, Note::Rings { .. }));
    assert!(rings > free && rings.since(free) < Duration::from_millis(200), "{:?}", rings.since(free));
    world.run_for(seconds(4));
    assert_eq!((answered(&world, ADA), answered(&world, 3)), (1, 0), "Ada asked first");
    world.after(Duration::ZERO, Act::Do { phone: ADA, deed: testkit::phone::Deed::HangUp });
    world.run_for(seconds(6));
    assert_eq!(answered(&world, 3), 1, "then Dee");
    world.run_for(seconds(120));
    world.close();
}

#[test]
fn nobody_is_called_while_ada_talks_or_is_away() {
    let stage =
        stage(answers_after(1), answers_after(1)).person("cyd", "300").phone("cyd-1", answers_after(1));
    let mut world = stage.open();
    world.call(2, Attempt { talk: seconds(40), ..Attempt::to("100") });
    world.run_for(seconds(3));
    start(&mut world, "ada", "200");
    world.run_for(seconds(30));
    assert_eq!(rang(&world, BOB), 0, "nobody is called for somebody who talks");
    world.run_for(seconds(20));
    assert_eq!((answered(&world, BOB), answered(&world, ADA)), (1, 2));
    world.run_for(seconds(120));
    world.close();
}

#[test]
fn what_may_not_be_is_refused_with_its_rule() {
    let mut stage = stage(answers_after(1), answers_after(1));
    stage.config.emergency.numbers = vec!["110".into()];
    let mut world = stage.open();
    for (account, number, words) in [
        ("bob", "100", "right `background`"),
        ("ada", "110", "emergency"),
        ("ada", "100", "by themselves"),
        ("ada", "999", "999"),
        ("ada", "600", "600"),
        ("ada", "2 0", "no number"),
        ("nobody", "200", "nobody"),
    ] {
        start(&mut world, account, number);
        world.run_for(seconds(1));
        let Answer::Refused(refusal) = answer(&world) else { panic!("{number}: {:?}", answer(&world)) };
        assert!(refusal.to_string().contains(words), "{number}: {refusal}");
    }
    start(&mut world, "ada", "200");
    start(&mut world, "ada", "200");
    let Answer::Refused(refusal) = answer(&world) else { panic!("{:?}", answer(&world)) };
    assert!(refusal.to_string().contains("exists already"), "{refusal}");
    world.run_for(seconds(120));
    world.close();
}

/// The exchange dies, and another begins with what the store has.
fn die(world: &mut World, ada: Reaction, bob: Reaction) {
    world.dies(Death::of(0));
    react(world, ADA, ada);
    react(world, BOB, bob);
    world.run_for(seconds(3));
}

#[test]
fn r26_an_attempt_whose_exchange_died_counts_and_is_never_made_again() {
    let mut world = stage(rings_on(), rings_on()).open();
    start(&mut world, "ada", "200");
    world.run_for(seconds(3));
    assert_eq!(rang(&world, BOB), 1);
    die(&mut world, answers_after(1), answers_after(1));
    let row = tasks(&mut world).remove(0);
    assert_eq!(outcomes(&row), ["lost in a crash"]);
    assert_eq!((row.task, row.made.0), (TaskId(1), 1));
    world.run_for(seconds(60));
    let claims = lines(&world, "ordinal: 2");
    assert!(!claims.is_empty(), "the second attempt has another name");
    assert_eq!((answered(&world, BOB), answered(&world, ADA)), (1, 1));
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn an_answer_that_was_written_down_is_not_asked_for_again_after_a_death() {
    let mut world = stage(rings_on(), answers_after(1)).open();
    start(&mut world, "ada", "200");
    // The excuse has begun, so its result is written (S2.6).
    world.run_for(seconds(24));
    die(&mut world, answers_after(1), answers_after(1));
    world.run_for(seconds(3_600));
    assert_eq!((rang(&world, BOB), rang(&world, ADA)), (1, 1));
    start(&mut world, "ada", "200");
    world.run_for(seconds(1));
    let Answer::Task(Some(row)) = answer(&world) else { panic!("{:?}", answer(&world)) };
    assert_eq!(row.task, TaskId(2), "a number is never given twice");
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn r20_a_store_that_is_away_promises_nothing_and_calls_nobody() {
    let mut world = stage(answers_after(1), answers_after(1)).open();
    world.after(Duration::ZERO, Act::StoreAway { office: 0, time: seconds(20) });
    world.run_for(Duration::from_millis(10));
    start(&mut world, "ada", "200");
    world.run_for(seconds(5));
    assert!(matches!(answer(&world), Answer::Unavailable(_)), "{:?}", answer(&world));
    world.run_for(seconds(120));
    assert_eq!(rang(&world, BOB), 0, "what was refused is not done later");
    start(&mut world, "ada", "200");
    world.run_for(seconds(60));
    assert_eq!(answered(&world, BOB), 1);
    world.run_for(seconds(60));
    world.close();
}

/// A key of the one who hears us before any answer.
fn press(world: &mut World, digit: char) {
    let leg = *world.offices[0].orders.keys().next().expect("a leg");
    world.feed(0, Input::Media(MediaEvent::Dtmf { leg, digit, duration_ms: 100 }));
    world.run_for(seconds(1));
}

#[test]
fn codes_start_and_stop_background_calls_and_say_so() {
    let mut world = stage(answers_after(1), refuses(486)).open();
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(5));
    assert_eq!(world.final_status(ADA), Some(486));
    world.call(ADA, Attempt { talk: seconds(4), ..Attempt::to("*66") });
    world.run_for(seconds(2));
    let digits = [Prompt::Digit2, Prompt::Digit0, Prompt::Digit0];
    let said = [&[Prompt::Done, Prompt::KeepCalling][..], &digits, &[Prompt::Goodbye]].concat();
    assert_eq!(heard(&world)[0].0, sounds(&said), "the number that did not answer last");
    world.run_for(seconds(10));
    assert_eq!(&*tasks(&mut world)[0].number, "200");
    world.call(ADA, Attempt { talk: seconds(4), ..Attempt::to("*68") });
    world.run_for(seconds(2));
    assert_eq!(heard(&world)[0].0, sounds(&[Prompt::Done, Prompt::StoppedCalling, Prompt::Goodbye]));
    world.run_for(seconds(10));
    assert_eq!(tasks(&mut world)[0].state, TaskState::Ended);
    world.close();
}

#[test]
fn s2_4_in_background_mode_a_call_that_is_not_answered_goes_on_by_itself() {
    let mut world = stage(answers_after(1), refuses(486)).open();
    world.call(ADA, Attempt { talk: seconds(3), ..Attempt::to("*82") });
    world.run_for(seconds(6));
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(4));
    assert_eq!(heard(&world)[0].0, sounds(&[Prompt::NotReached]), "a spoken notice first");
    world.run_for(seconds(20));
    assert_eq!(world.final_status(ADA), Some(486));
    assert_eq!(&*tasks(&mut world)[0].account, "ada");
    react(&mut world, BOB, answers_after(1));
    world.run_for(seconds(70));
    assert_eq!(answered(&world, ADA), 1);
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn s2_5_after_three_calls_in_vain_it_is_offered_once_and_only_a_yes_starts_it() {
    let mut world = stage(answers_after(1), refuses(486)).open();
    let offer = sounds(&[Prompt::OfferKeepCalling]);
    for _ in 0..2 {
        world.call(ADA, Attempt::to("200"));
        world.run_for(seconds(5));
        assert_eq!(world.final_status(ADA), Some(486));
    }
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(3));
    assert_eq!(heard(&world)[0].0, offer);
    press(&mut world, '2');
    world.run_for(seconds(20));
    assert!(tasks(&mut world).is_empty(), "a no is a no");
    world.call(ADA, Attempt::to("200"));
    world.run_for(seconds(5));
    assert_eq!(world.final_status(ADA), Some(486), "it is offered once");
    // An answer makes all before it count no more.
    react(&mut world, BOB, answers_after(1));
    world.call(ADA, Attempt { talk: seconds(2), ..Attempt::to("200") });
    world.run_for(seconds(10));
    react(&mut world, BOB, refuses(486));
    for _ in 0..3 {
        world.call(ADA, Attempt::to("200"));
        world.run_for(seconds(3));
    }
    assert_eq!(heard(&world)[0].0, offer);
    press(&mut world, '1');
    world.run_for(seconds(2));
    assert_eq!(&*tasks(&mut world)[0].number, "200");
    world.run_for(seconds(30));
    world.command(0, Command::Background(Box::new(Asking::StopAll("ada".into()))));
    world.run_for(seconds(30));
    world.close();
}

#[test]
fn r21_many_that_are_due_at_once_cost_two_commits_at_most() {
    let mut stage = Stage::new(9);
    for person in 0..30 {
        let (name, number) = (format!("p{person}"), format!("{}", 300 + person));
        stage = stage.person(&name, &number).change(with_right(&name, false));
        stage = stage.phone(&format!("{name}-1"), rings_on());
    }
    let mut world = stage.open();
    let at = clock::Wall(world.now.wall.0 + 20_000);
    for person in 0..30 {
        let number = format!("{}", 300 + (person + 1) % 30);
        let new = NewTask {
            account: format!("p{person}").into(),
            number: number.into(),
            not_before: Some(at),
            ..NewTask::default()
        };
        world.command(0, Command::Background(Box::new(Asking::Start(new))));
        world.run_for(Duration::from_millis(50));
    }
    world.run_for(seconds(15));
    let before = world.trace.lines().len();
    world.run_for(seconds(10));
    let lines = world.trace.lines();
    let made: Vec<&String> = lines[before..].iter().filter(|line| line.contains("task.call")).collect();
    assert_eq!(made.len(), 30, "all are called");
    let claims: Vec<&str> = lines[before..]
        .iter()
        .filter(|line| line.contains("kept Claim"))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let moments: std::collections::BTreeSet<&str> = claims.iter().copied().collect();
    assert!(claims.len() == 30 && moments.len() <= 2, "{moments:?}");
    for person in 0..30 {
        world.command(0, Command::Background(Box::new(Asking::StopAll(format!("p{person}").into()))));
    }
    world.run_for(seconds(60));
    world.close();
}
