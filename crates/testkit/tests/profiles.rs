//! Stories of profiles: what a sign-in does not say, its profile does (S0.5 to S0.9), and a seat may be work.

use exchange::{
    AgentAsking, AgentState, Answer, Command, Instruction, Means, PeopleChange, Profile, ProfileAsking,
    Selector, SignIn,
};
use std::time::Duration;
use testkit::centre::{patient, put_queue, queue, works};
use testkit::stage::Stage;
use testkit::{Act, World};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn profile(name: &str, version: &str, selectors: &[Selector]) -> Profile {
    Profile {
        name: name.into(),
        version: version.into(),
        selectors: selectors.to_vec(),
        ..Profile::built_in()
    }
}

fn put(world: &mut World, profiles: Vec<Profile>) {
    assert_eq!(ask(world, ProfileAsking::Put(profiles)), Answer::Done);
}

fn ask(world: &mut World, asking: ProfileAsking) -> Answer {
    world.command(0, Command::Profiles(Box::new(asking)));
    world.offices[0].answers.last().expect("an answer").1.clone()
}

fn start(world: &mut World, account: &str, device: &str) -> Profile {
    let terminals = vec![device.into()];
    let instruction = Instruction { user: account.into(), terminals, office: None };
    match ask(world, ProfileAsking::Start { device: device.into(), instruction }) {
        Answer::Profile(profile) => *profile,
        other => panic!("{other:?}"),
    }
}

fn loaded(world: &mut World, device: &str, version: &str) -> Answer {
    ask(world, ProfileAsking::Loaded { device: device.into(), version: version.into() })
}

/// The version that a phone was given, and the one that it has loaded.
fn versions(world: &mut World, device: &str) -> (String, Option<String>) {
    world.command(0, Command::ListDevices);
    let Some((_, Answer::Devices(rows))) = world.offices[0].answers.last() else { panic!("no devices") };
    let row = rows.iter().find(|row| *row.name == *device).expect("the phone");
    let started = row.started.as_ref().expect("started");
    (started.version.to_string(), started.loaded.as_ref().map(|(version, _)| version.to_string()))
}

/// Ada works for sales and support, eve for sales, bea for nobody; those two have no phone of their own, and two desks
/// stand in a lab.
fn centre() -> World {
    let stage = Stage::new(21).agents(&["ada"], &works(2, 10)).callers(1);
    let stage = stage.person("lab", "300").phone("desk-1", works(1, 10)).phone("desk-2", works(1, 10));
    let stage = stage
        .person("bea", "302")
        .person("eve", "301")
        .change(put_queue("sales", queue("Sales", "800", &["ada", "eve"])));
    stage.change(put_queue("support", queue("Support", "801", &["ada"]))).open()
}

const CALLER: usize = 1;

#[test]
fn s0_6_a_start_is_complete_when_the_phone_says_which_version_it_loaded() {
    let mut world = centre();
    let ada = [Selector::User("ada".into())];
    put(&mut world, vec![profile("default", "1", &[]), profile("sales", "7", &ada)]);
    assert!(matches!(loaded(&mut world, "ada-1", "7"), Answer::Refused(_)), "nothing was started");
    assert_eq!(&*start(&mut world, "ada", "ada-1").name, "sales");
    assert_eq!(versions(&mut world, "ada-1"), ("7".into(), None), "not complete yet");
    assert!(matches!(loaded(&mut world, "ada-1", "6"), Answer::Refused(_)), "another version");
    assert_eq!(loaded(&mut world, "ada-1", "7"), Answer::Done);
    assert_eq!(versions(&mut world, "ada-1"), ("7".into(), Some("7".into())));
    // The file changes, and is gone; each time the phone is told once.
    put(&mut world, vec![profile("default", "1", &[]), profile("sales", "8", &ada)]);
    assert_eq!(versions(&mut world, "ada-1"), ("8".into(), Some("7".into())), "incomplete until it says so");
    put(&mut world, vec![profile("default", "1", &[]), profile("sales", "8", &ada)]);
    put(&mut world, vec![profile("default", "1", &[])]);
    assert_eq!(versions(&mut world, "ada-1").0, "1");
    let told = |line: &String| line.contains("tells profile.changed ada-1");
    assert_eq!(world.trace.lines().iter().filter(|line| told(line)).count(), 2);
    world.assert_sound();
}

#[test]
fn s0_8_a_sign_in_takes_queues_and_wrap_up_from_the_profile_and_what_it_says_itself_wins() {
    let mut world = centre();
    let sales = |wrap_up| Profile {
        queues: vec!["support".into(), "unknown".into()],
        wrap_up: Some(seconds(wrap_up)),
        ..profile("default", &wrap_up.to_string(), &[])
    };
    put(&mut world, vec![sales(20)]);
    start(&mut world, "ada", "ada-1");
    assert_eq!(world.sign_in("ada").queues, ["support".into()]);
    world.call(CALLER, patient("801"));
    world.wait(13);
    assert_eq!(world.agent("ada").words.split(',').next().unwrap(), "wrap-up 20 s by profile");
    world.wait(25);
    assert_eq!(world.state("ada"), AgentState::Ready);
    // A change of the file counts from the next call on.
    put(&mut world, vec![sales(40)]);
    world.call(CALLER, patient("801"));
    world.wait(13);
    assert_eq!(world.agent("ada").words.split(',').next().unwrap(), "wrap-up 40 s by profile");
    let sign_in = SignIn { queues: vec!["sales".into()], interval: Some(seconds(5)), ..SignIn::default() };
    let rows = world.agents(AgentAsking::SignIn { account: "ada".into(), sign_in }).unwrap();
    assert_eq!(rows[0].queues, ["sales".into()]);
    put(&mut world, vec![sales(60)]);
    world.wait(60);
    world.call(CALLER, patient("800"));
    world.wait(13);
    assert_eq!(world.agent("ada").words.split(',').next().unwrap(), "wrap-up 5 s by profile", "as it said");
    world.assert_sound();
}

fn sit(world: &mut World, account: &str, device: &str) {
    // As something that happens in the world, so that the reference office hears of it, too.
    let command = Command::Take { account: account.into(), device: device.into(), means: Means::Pin };
    world.after(Duration::ZERO, Act::Command { office: 0, command });
    world.wait(5);
}

fn leave(world: &mut World, device: &str) {
    let command = Command::EndSeat { device: device.into(), who: "a test".into() };
    world.after(Duration::ZERO, Act::Command { office: 0, command });
    world.wait(5);
}

#[test]
fn s0_8_a_changed_file_reaches_the_wrap_up_of_who_works_at_a_desk_phone() {
    let mut world = centre();
    let desk = |wrap_up: u64| Profile {
        wrap_up: Some(seconds(wrap_up)),
        ..profile("desk", &wrap_up.to_string(), &[Selector::Terminal("desk-1".into())])
    };
    put(&mut world, vec![desk(20)]);
    sit(&mut world, "eve", "desk-1");
    let sign_in = SignIn { device: Some("desk-1".into()), ..SignIn::default() };
    world.agents(AgentAsking::SignIn { account: "eve".into(), sign_in }).unwrap();
    for (wrap_up, words) in [(20, "wrap-up 20 s by profile"), (30, "wrap-up 30 s by profile")] {
        put(&mut world, vec![desk(wrap_up)]);
        world.call(CALLER, patient("800"));
        world.wait(13);
        assert_eq!(world.agent("eve").words.split(',').next().unwrap(), words);
        world.wait(wrap_up);
        assert_eq!(world.state("eve"), AgentState::Ready);
    }
    world.assert_sound();
}

#[test]
fn s0_6_an_agent_is_shown_with_what_their_phone_was_started_with() {
    let mut world = centre();
    put(&mut world, vec![profile("default", "1", &[])]);
    world.sign_in("ada");
    assert_eq!(world.agent("ada").profile, None, "nothing was started");
    start(&mut world, "ada", "ada-1");
    let shown = |world: &mut World| world.agent("ada").profile.expect("started");
    assert!(!shown(&mut world).is_complete());
    assert_eq!(loaded(&mut world, "ada-1", "1"), Answer::Done);
    assert!(shown(&mut world).is_complete());
    put(&mut world, vec![profile("default", "2", &[])]);
    let started = shown(&mut world);
    assert_eq!((&*started.version, started.is_complete()), ("2", false));
    world.command(0, Command::Change(PeopleChange::RemoveDevice { name: "ada-1".into() }));
    world.wait(5);
    assert_eq!(world.agent("ada").profile, None, "with its phone it is gone");
    world.assert_sound();
}

#[test]
fn a_tap_signs_in_to_work_where_the_profile_joins_the_two() {
    let mut world = centre();
    let desk = Profile { join_seat: true, ..profile("desk", "1", &[Selector::Terminal("desk-1".into())]) };
    put(&mut world, vec![desk]);
    sit(&mut world, "eve", "desk-2");
    assert_eq!(world.state("eve"), AgentState::Offline, "a seat alone is no work");
    sit(&mut world, "eve", "desk-1");
    let row = world.agent("eve");
    assert_eq!((row.state, row.device.as_deref()), (AgentState::Ready, Some("desk-1")));
    leave(&mut world, "desk-2");
    leave(&mut world, "desk-1");
    let row = world.agent("eve");
    assert_eq!((row.state, row.reason.as_deref()), (AgentState::NotReady, Some("no phone")));
    sit(&mut world, "eve", "desk-1");
    assert_eq!(world.state("eve"), AgentState::Ready);
    // A break stays a break, wherever they sit down.
    let lunch = AgentAsking::Pause { account: "eve".into(), reason: "lunch".into(), planned: None };
    world.agents(lunch).unwrap();
    leave(&mut world, "desk-1");
    sit(&mut world, "eve", "desk-1");
    assert_eq!(world.agent("eve").reason.as_deref(), Some("lunch"));
    // Whoever works for no queue only sits down.
    sit(&mut world, "bea", "desk-1");
    assert_eq!(world.state("bea"), AgentState::Offline);
    world.assert_sound();
}
