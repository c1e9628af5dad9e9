//! Stories of feature codes: what is said, in whose language, and that a yes is said only of what is stored (R20).

use exchange::{Input, PeopleChange, Settings};
use media::{LegKey, MediaEvent, Prompt, SoundId, Source, Tongue};
use std::time::Duration;
use testkit::phone::{Attempt, Deed};
use testkit::stage::{Stage, answers_after};
use testkit::{Act, World};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn office() -> World {
    let stage = Stage::new(4).person("ada", "100").phone("ada-1", answers_after(1));
    stage.person("bob", "200").phone("bob-1", answers_after(1)).open()
}

fn settings(world: &World) -> Settings {
    world.exchange(0).people().account("ada").expect("ada").settings.clone()
}

fn dial(world: &mut World, number: &str) {
    world.call(0, Attempt { talk: seconds(3_000), ..Attempt::to(number) });
}

fn press(world: &mut World, keys: &str) {
    for key in keys.chars() {
        world.after(Duration::ZERO, Act::Do { phone: 0, deed: Deed::Press(key) });
        world.run_for(Duration::from_millis(200));
    }
}

/// What the caller is to hear now, and by which order.
fn told(world: &World) -> Option<(LegKey, u32, Vec<SoundId>)> {
    let (_, order) = world.offices[0].orders.values().next()?;
    let (mut sounds, mut source) = (Vec::new(), Some(&order.source));
    while let Some(Source::Prompt { sound, then, .. }) = source {
        sounds.push(*sound);
        source = then.as_deref();
    }
    Some((order.leg, order.epoch, sounds))
}

fn assert_says(world: &World, prompts: &[Prompt], tongue: Tongue) {
    let sounds: Vec<SoundId> = prompts.iter().map(|prompt| prompt.sound(tongue)).collect();
    assert_eq!(told(world).map(|(.., sounds)| sounds), Some(sounds), "{prompts:?}");
}

/// All that is said now is heard to its end.
fn hear(world: &mut World) {
    let (leg, epoch, sounds) = told(world).expect("an order");
    for _ in sounds {
        world.feed(0, Input::Media(MediaEvent::SoundEnded { leg, epoch }));
    }
    world.run_for(Duration::from_millis(100));
}

fn assert_hung_up(world: &World) {
    assert_eq!(world.exchange(0).switch().load().0, 0, "the exchange hangs up when all was heard");
    let lines = world.trace.lines();
    let record = lines.iter().rev().find(|line| line.contains(" record ") && line.contains(" -> "));
    assert!(record.is_some_and(|record| record.contains("callee hung up")), "{record:?}");
}

#[test]
fn r20_do_not_disturb_is_stored_before_it_is_said() {
    let mut world = office();
    for (code, on, said) in [("*78", true, Prompt::DndOn), ("*79", false, Prompt::DndOff)] {
        dial(&mut world, code);
        world.run_for(seconds(2));
        assert_eq!(world.final_status(0), Some(200));
        assert_says(&world, &[Prompt::Done, said, Prompt::Goodbye], Tongue::En);
        assert_eq!(settings(&world).do_not_disturb, on);
        hear(&mut world);
        assert_hung_up(&world);
    }
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn r20_a_store_that_is_away_is_a_spoken_reason_and_nothing_changes() {
    let mut world = office();
    world.after(Duration::ZERO, Act::StoreAway { office: 0, time: seconds(20) });
    world.run_for(Duration::from_millis(10));
    dial(&mut world, "*78");
    world.run_for(seconds(2));
    assert_says(&world, &[Prompt::NotStored, Prompt::Goodbye], Tongue::En);
    assert!(!settings(&world).do_not_disturb);
    hear(&mut world);
    assert_hung_up(&world);
    world.run_for(seconds(90));
    world.close();
}

#[test]
fn a_number_is_keyed_by_info_and_corrected_and_the_answer_is_in_the_persons_language() {
    let mut world = office();
    let mut chinese = settings(&world);
    chinese.language = exchange::Language::Chinese;
    let change =
        PeopleChange::PutAccount { name: "ada".into(), display: "ada".into(), settings: chinese.into() };
    world.command(0, exchange::Command::Change(change));
    world.run_for(seconds(1));
    dial(&mut world, "*90");
    world.run_for(seconds(1));
    assert_says(&world, &[Prompt::EnterNumber], Tongue::Zh);
    // Barge-in: the prompt stops at the first key, and what is heard of its end later counts for nothing.
    let (leg, epoch, _) = told(&world).expect("an order");
    press(&mut world, "7");
    assert_says(&world, &[], Tongue::Zh);
    world.feed(0, Input::Media(MediaEvent::SoundEnded { leg, epoch }));
    press(&mut world, "*200#");
    world.run_for(seconds(1));
    let spelled = [Prompt::Digit2, Prompt::Digit0, Prompt::Digit0];
    let mut said = vec![Prompt::Done, Prompt::ForwardBusyOn, Prompt::ToNumber];
    said.extend(spelled);
    said.push(Prompt::Goodbye);
    assert_says(&world, &said, Tongue::Zh);
    assert_eq!(settings(&world).forwarding.busy.as_deref(), Some("200"));
    // An end that an order of before knows of is not the end of this.
    for _ in &said {
        world.feed(0, Input::Media(MediaEvent::SoundEnded { leg, epoch }));
    }
    world.run_for(seconds(1));
    assert_eq!(world.exchange(0).switch().load().0, 1);
    hear(&mut world);
    assert_hung_up(&world);
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn a_number_behind_the_code_is_taken_and_the_own_number_is_refused() {
    let mut world = office();
    dial(&mut world, "*72200");
    world.run_for(seconds(2));
    assert_eq!(settings(&world).forwarding.always.as_deref(), Some("200"));
    hear(&mut world);
    assert_hung_up(&world);
    dial(&mut world, "*72100");
    world.run_for(seconds(2));
    assert_says(&world, &[Prompt::NotAllowed, Prompt::Goodbye], Tongue::En);
    assert_eq!(settings(&world).forwarding.always.as_deref(), Some("200"), "as it was");
    hear(&mut world);
    dial(&mut world, "*73");
    world.run_for(seconds(2));
    assert_says(&world, &[Prompt::Done, Prompt::ForwardAlwaysOff, Prompt::Goodbye], Tongue::En);
    assert_eq!(settings(&world).forwarding.always, None);
    hear(&mut world);
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn who_keys_nothing_is_asked_three_times_and_told_why() {
    let mut world = office();
    dial(&mut world, "*94");
    world.run_for(seconds(1));
    assert_says(&world, &[Prompt::EnterNumber], Tongue::En);
    for _ in 0..2 {
        hear(&mut world);
        world.run_for(seconds(8));
        assert_says(&world, &[Prompt::TryAgain, Prompt::EnterNumber], Tongue::En);
    }
    hear(&mut world);
    world.run_for(seconds(8));
    assert_says(&world, &[Prompt::NotUnderstood, Prompt::Goodbye], Tongue::En);
    hear(&mut world);
    assert_hung_up(&world);
    assert_eq!(settings(&world).forwarding.offline, None);
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn the_number_of_the_phone_is_said_and_a_lost_end_of_sound_ends_the_call_all_the_same() {
    let mut world = office();
    dial(&mut world, "*61");
    world.run_for(seconds(1));
    let said = [Prompt::YourNumberIs, Prompt::Digit1, Prompt::Digit0, Prompt::Digit0, Prompt::Goodbye];
    assert_says(&world, &said, Tongue::En);
    world.run_for(seconds(13));
    assert_hung_up(&world);
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn a_caller_who_hangs_up_meanwhile_has_it_stored_all_the_same() {
    let mut world = office();
    world.call(0, Attempt { talk: Duration::from_millis(1), ..Attempt::to("*78") });
    world.run_for(seconds(60));
    assert!(settings(&world).do_not_disturb);
    world.close();
}

#[test]
fn what_cannot_be_called_is_said_and_not_set() {
    let mut world = office();
    let table: [(&str, &[Prompt]); 3] = [
        ("*724711", &[Prompt::UnknownNumber, Prompt::Goodbye]),
        ("*62200", &[Prompt::Digit2, Prompt::Digit0, Prompt::Digit0, Prompt::MayCall, Prompt::Goodbye]),
        ("*624", &[Prompt::Digit4, Prompt::UnknownNumber, Prompt::Goodbye]),
    ];
    for (dialled, said) in table {
        dial(&mut world, dialled);
        world.run_for(seconds(2));
        assert_says(&world, said, Tongue::En);
        hear(&mut world);
        assert_hung_up(&world);
        assert_eq!(settings(&world).forwarding.always, None, "{dialled}");
    }
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn a_call_that_is_forwarded_to_a_code_does_nothing() {
    let mut world = office();
    let mut tricked = settings(&world);
    tricked.forwarding.always = Some("*78".into());
    let change =
        PeopleChange::PutAccount { name: "bob".into(), display: "bob".into(), settings: tricked.into() };
    world.command(0, exchange::Command::Change(change));
    world.run_for(seconds(1));
    dial(&mut world, "200");
    world.run_for(seconds(5));
    assert!(!settings(&world).do_not_disturb, "nobody dialled it");
    assert_ne!(world.final_status(0), Some(200));
}

/// Gives an account other settings.
fn set(world: &mut World, name: &str, change: impl FnOnce(&mut Settings)) {
    let mut settings = world.exchange(0).people().account(name).expect(name).settings.clone();
    change(&mut settings);
    let change =
        PeopleChange::PutAccount { name: name.into(), display: name.into(), settings: settings.into() };
    world.command(0, exchange::Command::Change(change));
    world.run_for(seconds(1));
}

fn disturb(world: &World, name: &str) -> bool {
    !world.exchange(0).people().account(name).expect(name).settings.do_not_disturb
}

/// Bob at Ada's phone: the code, his number.
fn identify(world: &mut World) {
    dial(world, "*67");
    world.run_for(seconds(1));
    assert_says(world, &[Prompt::EnterNumber], Tongue::En);
    press(world, "200#");
    assert_says(world, &[Prompt::EnterPin], Tongue::En);
}

/// In the simulated world the hash of a PIN is the PIN.
fn office_with_a_pin() -> World {
    let mut world = office();
    set(&mut world, "bob", |settings| settings.pin = Some("4711".into()));
    world
}

#[test]
fn a_pin_lets_one_act_on_ones_own_account_from_anothers_phone() {
    let mut world = office_with_a_pin();
    identify(&mut world);
    press(&mut world, "4711#");
    world.run_for(seconds(1));
    assert_says(&world, &[Prompt::EnterCode], Tongue::En);
    press(&mut world, "*78#");
    world.run_for(seconds(1));
    assert_says(&world, &[Prompt::Done, Prompt::DndOn, Prompt::Goodbye], Tongue::En);
    assert!(!disturb(&world, "bob") && disturb(&world, "ada"), "it is Bob's account that changed");
    hear(&mut world);
    assert_hung_up(&world);
    // A number with the code, and one that is asked for; forwarding to oneself is judged as Bob.
    for (keys, further, to) in
        [("*72100#", "", Some("100")), ("*72#", "600#", Some("600")), ("*73#", "", None)]
    {
        identify(&mut world);
        press(&mut world, "4711#");
        world.run_for(seconds(1));
        press(&mut world, keys);
        press(&mut world, further);
        world.run_for(seconds(1));
        let bob = world.exchange(0).people().account("bob").expect("bob").settings.clone();
        assert_eq!(bob.forwarding.always.as_deref(), to, "{keys}");
        hear(&mut world);
        assert_hung_up(&world);
    }
    // What acts on no account is not understood.
    identify(&mut world);
    press(&mut world, "4711#");
    world.run_for(seconds(1));
    press(&mut world, "*60#");
    assert_says(&world, &[Prompt::NotUnderstood, Prompt::Goodbye], Tongue::En);
    hear(&mut world);
    world.run_for(seconds(60));
    world.close();
}

#[test]
fn sec_24_guessing_a_pin_is_limited_and_unknown_numbers_sound_the_same() {
    let mut world = office_with_a_pin();
    // An account without a PIN, and a number that nobody has, are asked and refused like any other.
    for number in ["100#", "4711#"] {
        dial(&mut world, "*67");
        world.run_for(seconds(1));
        press(&mut world, number);
        assert_says(&world, &[Prompt::EnterPin], Tongue::En);
        press(&mut world, "0000#");
        world.run_for(seconds(1));
        assert_says(&world, &[Prompt::WrongPin, Prompt::EnterPin], Tongue::En);
        world.run_for(seconds(120));
        assert_hung_up(&world);
    }
    world.run_for(seconds(3_700));
    identify(&mut world);
    for tries in 0..3 {
        press(&mut world, "0000#");
        world.run_for(seconds(1));
        if tries < 2 {
            assert_says(&world, &[Prompt::WrongPin, Prompt::EnterPin], Tongue::En);
        }
    }
    assert_says(&world, &[Prompt::WrongPin, Prompt::Goodbye], Tongue::En);
    hear(&mut world);
    assert_hung_up(&world);
    identify(&mut world);
    press(&mut world, "0001#");
    world.run_for(seconds(1));
    // From now on even the right one is not looked at, for a while.
    press(&mut world, "4711#");
    assert_says(&world, &[Prompt::PinLocked, Prompt::Goodbye], Tongue::En);
    hear(&mut world);
    assert_hung_up(&world);
    assert!(disturb(&world, "bob"));
    world.run_for(seconds(60));
    identify(&mut world);
    press(&mut world, "4711#");
    world.run_for(seconds(1));
    assert_says(&world, &[Prompt::EnterCode], Tongue::En);
    world.run_for(seconds(120));
    world.close();
}

fn with_form(world: &mut World) {
    let mut device = world.exchange(0).people().device("bob-1").expect("bob-1").clone();
    device.auto_answer = Some(exchange::AutoAnswer::CallInfo);
    world.command(0, exchange::Command::Change(PeopleChange::PutDevice { name: "bob-1".into(), device }));
    world.run_for(seconds(1));
}

fn rang(world: &World) -> usize {
    world.notes_of(1).filter(|note| matches!(note, testkit::phone::Note::Rings { .. })).count()
}

#[test]
fn r5_an_intercom_call_needs_a_right_a_form_and_somebody_who_may_be_disturbed() {
    let mut world = office();
    let refused = |world: &mut World, dialled: &str, reason: Prompt| {
        dial(world, dialled);
        world.run_for(seconds(2));
        assert_says(world, &[reason, Prompt::Goodbye], Tongue::En);
        hear(world);
        assert_hung_up(world);
        assert_eq!(rang(world), 0);
    };
    refused(&mut world, "*80200", Prompt::NotAllowed);
    set(&mut world, "ada", |ada| ada.rights = exchange::Rights::default().with(exchange::Right::Intercom));
    refused(&mut world, "*80200", Prompt::NobodyAvailable);
    with_form(&mut world);
    refused(&mut world, "*80", Prompt::UnknownNumber);
    refused(&mut world, "*80999", Prompt::UnknownNumber);
    set(&mut world, "bob", |bob| bob.do_not_disturb = true);
    refused(&mut world, "*80200", Prompt::NobodyAvailable);
    set(&mut world, "bob", |bob| bob.do_not_disturb = false);
    world.call(0, Attempt { talk: seconds(2), ..Attempt::to("*80200") });
    world.run_for(seconds(10));
    assert_eq!((world.final_status(0), rang(&world)), (Some(200), 1));
    // A group in common is as good as the right.
    set(&mut world, "ada", |ada| ada.rights = exchange::Rights::default());
    let group = exchange::Group {
        display: "desk".into(),
        number: "300".into(),
        strategy: exchange::Strategy::All,
        members: vec!["ada".into(), "bob".into()],
        ring: seconds(20),
        overflow: None,
    };
    let change = PeopleChange::PutGroup { name: "desk".into(), group: Box::new(group) };
    world.command(0, exchange::Command::Change(change));
    world.run_for(seconds(1));
    world.call(0, Attempt { talk: seconds(2), ..Attempt::to("*80200") });
    world.run_for(seconds(10));
    assert_eq!((world.final_status(0), rang(&world)), (Some(200), 2));
    world.run_for(seconds(60));
    world.close();
}
