//! Stories of agents (S0): states follow calls, phones and times by themselves. Each complaint that users of other
//! systems have about agent states is one test here.

use exchange::{
    AccountEdit, AgentAsking, AgentRow, AgentState, Answer, Change, Command, Forgotten, Means, PeopleChange,
    SignIn, Snapshot,
};
use std::time::Duration;
use testkit::centre::{patient, put_queue, queue, works};
use testkit::phone::{Attempt, Deed, Reaction, Then};
use testkit::stage::{Stage, answers_after, put_device};
use testkit::{Act, World};

const ADA: usize = 0;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Ada and Bob work for sales, with a wrap-up of 30 s; phones 2 and 3 are callers.
fn centre() -> Stage {
    let mut sales = queue("Sales", "800", &["ada", "bob"]);
    sales.wrap_up = seconds(30);
    let stage = Stage::new(11).agents(&["ada", "bob"], &works(2, 10)).callers(2);
    stage.change(put_queue("sales", sales))
}

const CALLER: usize = 2;

fn ready(world: &mut World, account: &str) -> Result<Vec<AgentRow>, String> {
    world.agents(AgentAsking::Ready(account.into()))
}

fn pause(world: &mut World, account: &str, reason: &str) -> Result<Vec<AgentRow>, String> {
    world.agents(AgentAsking::Pause { account: account.into(), reason: reason.into(), planned: None })
}

fn facts(world: &World, rule: &str) -> usize {
    world.trace.lines().into_iter().filter(|line| line.contains(&format!("fact {rule} "))).count()
}

#[test]
fn s0_14_busy_becomes_ready_by_itself_at_the_moment_that_was_shown() {
    let mut world = centre().open();
    let row = world.sign_in("ada");
    assert_eq!((row.state, &*row.words, row.rule), (AgentState::Ready, "ready", "agents.sign-in"));
    world.call(CALLER, patient("800"));
    world.run_for(Duration::from_millis(500));
    assert_eq!(world.state("ada"), AgentState::Ringing);
    world.wait(3);
    assert_eq!(world.agent("ada").words.as_ref(), "talking with 900");
    world.wait(10);
    let row = world.agent("ada");
    assert_eq!((row.state, row.rule), (AgentState::WrapUp, "agents.wrap-up"));
    assert!(row.words.starts_with("wrap-up 30 s by queue Sales, ends "), "{}", row.words);
    let ends = row.ends.expect("an end");
    let left = Duration::from_millis((ends.0 - world.now.wall.0) as u64);
    world.run_for(left - Duration::from_millis(5));
    assert_eq!(world.state("ada"), AgentState::WrapUp);
    world.run_for(Duration::from_millis(10));
    let row = world.agent("ada");
    assert_eq!((row.state, row.rule, row.ends), (AgentState::Ready, "agents.time", None));
    assert_eq!(facts(&world, "agents.wrap-up"), 1, "the chain of facts says why");
    world.close();
}

#[test]
fn complaint_wrap_up_that_nobody_sees() {
    let mut world = centre().open();
    world.sign_in("ada");
    world.call(CALLER, patient("800"));
    world.wait(14);
    let told = |line: &&String| line.contains("tells agent.changed ada");
    assert!(world.trace.lines().iter().filter(told).count() >= 4, "each state is told");
    assert_eq!(world.agents(AgentAsking::List).unwrap()[0].state, AgentState::WrapUp);
    world.assert_sound();
}

#[test]
fn complaint_wrap_up_that_ends_early_for_an_agent_of_six_queues() {
    let mut stage = Stage::new(12).agents(&["ada"], &works(1, 5)).callers(2);
    for (place, name) in ["q1", "q2", "q3", "q4", "q5", "q6"].iter().enumerate() {
        let mut one = queue(name, &(800 + place).to_string(), &["ada"]);
        one.wrap_up = seconds(10 * place as u64);
        stage = stage.change(put_queue(name, one));
    }
    let mut world = stage.open();
    assert_eq!(world.sign_in("ada").queues.len(), 6);
    world.call(1, patient("805"));
    world.wait(8);
    // A caller of a queue without any wrap-up comes three seconds after the call.
    world.call(2, patient("800"));
    world.wait(40);
    assert_eq!((world.state("ada"), world.queue("q1").waiting), (AgentState::WrapUp, 1));
    world.wait(12);
    assert_eq!(world.state("ada"), AgentState::Talking, "and is answered when it is over");
    world.close();
}

#[test]
fn complaint_the_first_free_agent_waits_for_the_last_one() {
    let names = ["ada", "bob", "cid", "dan", "eve", "fay"];
    let mut sales = queue("Sales", "800", &names);
    sales.wrap_up = seconds(30);
    let mut world =
        Stage::new(13).agents(&names, &works(1, 20)).callers(7).change(put_queue("sales", sales)).open();
    names.iter().for_each(|name| drop(world.sign_in(name)));
    for caller in 0..6 {
        world.call(6 + caller, patient("800"));
        world.run_for(Duration::from_millis(100));
    }
    world.wait(22);
    let ends: Vec<_> = names.iter().map(|name| world.agent(name).ends.expect("an end")).collect();
    world.call(12, patient("800"));
    let first = ends.iter().min().copied().unwrap();
    let left = Duration::from_millis((first.0 - world.now.wall.0).max(0) as u64);
    world.run_for(left + Duration::from_millis(150));
    assert_eq!(world.state("ada"), AgentState::Ringing, "the first who is free takes the caller");
    assert!(ends.iter().max() > Some(&first), "each has a time of their own: {ends:?}");
    world.close();
}

#[test]
fn complaint_stuck_in_a_call_after_a_lost_bye() {
    let mut world = centre().with(|plan| plan.session_timer = Some(90)).open();
    world.sign_in("ada");
    world.react(ADA, Reaction { talk: None, ..answers_after(1) });
    world.call(3, patient("800"));
    world.wait(5);
    assert_eq!(world.state("ada"), AgentState::Talking);
    // The caller is gone without a word, and so is every BYE.
    world.after(Duration::ZERO, Act::PowerOff { phone: 3 });
    world.wait(240);
    assert!(matches!(world.state("ada"), AgentState::WrapUp | AgentState::Ready), "{:?}", world.agent("ada"));
    world.close();
}

#[test]
fn complaint_a_dead_phone_leaves_somebody_ready_or_in_a_call() {
    let mut world = centre().open();
    world.sign_in("ada");
    world.after(Duration::ZERO, Act::PowerOff { phone: ADA });
    world.wait(400);
    let row = world.agent("ada");
    assert_eq!((row.state, row.reason.as_deref()), (AgentState::NotReady, Some("no phone")));
    world.after(Duration::ZERO, Act::Boot { phone: ADA, moved: false });
    world.wait(5);
    assert_eq!(world.state("ada"), AgentState::Ready, "who had said that they are ready is so again");
    world.close();
}

#[test]
fn complaint_the_browser_is_closed_in_the_wrap_up() {
    let mut world = centre().open();
    world.sign_in("ada");
    world.call(CALLER, patient("800"));
    world.wait(14);
    let ends = world.agent("ada").ends;
    // It unregisters: all of its bindings are gone at once.
    world.command(0, Command::Change(PeopleChange::RemoveDevice { name: "ada-1".into() }));
    world.wait(1);
    let row = world.agent("ada");
    assert_eq!((row.state, row.reason.as_deref()), (AgentState::NotReady, Some("no phone")));
    assert!(ends.is_some());
    world.wait(60);
    assert_eq!(world.state("ada"), AgentState::NotReady, "no timer makes ready whom nobody can reach");
    world.assert_sound();
}

#[test]
fn complaint_a_break_ends_with_an_own_call_that_failed() {
    let mut world = centre().open();
    world.sign_in("ada");
    pause(&mut world, "ada", "lunch").unwrap();
    world.react(1, Reaction { then: Then::Refuse(486), ..answers_after(1) });
    world.call(ADA, Attempt::to("101"));
    world.run_for(Duration::from_millis(500));
    assert_eq!(world.state("ada"), AgentState::Ringing, "own calls keep somebody busy");
    world.wait(10);
    let row = world.agent("ada");
    assert_eq!((row.state, row.reason.as_deref()), (AgentState::NotReady, Some("lunch")));
    world.close();
}

#[test]
fn complaint_a_wrap_up_is_lost_by_an_own_call_that_failed() {
    let mut world = centre().open();
    world.sign_in("ada");
    world.call(CALLER, patient("800"));
    world.wait(14);
    let ends = world.agent("ada").ends;
    world.react(1, Reaction { then: Then::Refuse(486), ..answers_after(1) });
    world.call(ADA, Attempt::to("101"));
    world.wait(10);
    let row = world.agent("ada");
    assert_eq!((row.state, row.ends), (AgentState::WrapUp, ends));
    world.close();
}

#[test]
fn complaint_a_break_cannot_be_asked_for_in_a_call_or_a_wrap_up() {
    let mut world = centre().open();
    world.sign_in("ada");
    world.call(CALLER, patient("800"));
    world.wait(5);
    let row = pause(&mut world, "ada", "lunch").unwrap().remove(0);
    assert_eq!((row.state, row.after.as_deref()), (AgentState::Talking, Some("lunch")));
    assert_eq!(&*row.words, "talking with 900, then lunch");
    world.wait(10);
    let row = world.agent("ada");
    assert_eq!((row.state, row.reason.as_deref()), (AgentState::NotReady, Some("lunch")));
    ready(&mut world, "ada").unwrap();
    world.wait(60);
    world.call(3, patient("800"));
    world.wait(14);
    assert_eq!(world.state("ada"), AgentState::WrapUp);
    pause(&mut world, "ada", "lunch").unwrap();
    world.wait(60);
    assert_eq!(world.state("ada"), AgentState::NotReady, "the timer of the wrap-up is gone");
    world.close();
}

#[test]
fn complaint_do_not_disturb_and_forwarding_do_not_pause() {
    let mut world = centre().open();
    world.sign_in("ada");
    let edit = |edit| Command::EditAccount { name: "ada".into(), edits: vec![edit] };
    world.command(0, edit(AccountEdit::DoNotDisturb(true)));
    world.wait(1);
    assert_eq!(world.agent("ada").reason.as_deref(), Some("do not disturb"));
    assert!(ready(&mut world, "ada").unwrap_err().contains("do not disturb"));
    world.command(0, edit(AccountEdit::DoNotDisturb(false)));
    world.wait(1);
    assert_eq!(world.state("ada"), AgentState::Ready);
    world.close();
}

#[test]
fn complaint_nobody_can_end_a_wrap_up_early_or_make_it_longer() {
    let mut world = centre().open();
    world.sign_in("ada");
    world.call(CALLER, patient("800"));
    world.wait(14);
    let before = world.agent("ada").ends.expect("an end");
    let after = world.agents(AgentAsking::Extend("ada".into())).unwrap()[0].ends.expect("an end");
    assert_eq!(after.0 - before.0, 30_000);
    for _ in 0..2 {
        world.agents(AgentAsking::Extend("ada".into())).unwrap();
    }
    let refused = world.agents(AgentAsking::Extend("ada".into())).unwrap_err();
    assert!(refused.contains("3 times"), "{refused}");
    assert_eq!(ready(&mut world, "ada").unwrap()[0].state, AgentState::Ready);
    assert!(world.agents(AgentAsking::Extend("ada".into())).unwrap_err().contains("is ready"));
    world.close();
}

#[test]
fn complaint_people_forget_to_come_back_and_are_thrown_out_without_a_question() {
    for (forgotten, state) in [
        (Forgotten::Stay, AgentState::NotReady),
        (Forgotten::Ready, AgentState::Ready),
        (Forgotten::SignOut, AgentState::Offline),
    ] {
        let mut stage = centre();
        stage.config.agents.forgotten = forgotten;
        let mut world = stage.open();
        world.sign_in("ada");
        let planned = Some(seconds(600));
        world.agents(AgentAsking::Pause { account: "ada".into(), reason: "break".into(), planned }).unwrap();
        world.wait(599);
        assert!(!world.agent("ada").asked);
        world.wait(2);
        assert!(world.agent("ada").asked, "the person is asked first");
        world.wait(58);
        assert_eq!(world.state("ada"), AgentState::NotReady);
        world.wait(3);
        assert_eq!(world.state("ada"), state, "{forgotten:?}");
        assert_eq!((facts(&world, "agents.ask"), facts(&world, "agents.forgotten") > 0), (1, true));
        world.close();
    }
}

#[test]
fn somebody_who_misses_callers_rests_and_is_paused_after_three() {
    let mut world = centre().open();
    world.sign_in("ada");
    world.react(ADA, Reaction { then: Then::Refuse(486), ..answers_after(1) });
    world.call(CALLER, patient("800"));
    world.wait(3);
    let row = world.agent("ada");
    assert_eq!((row.reason.as_deref(), row.rule, row.missed), (Some("missed a call"), "agents.rest", 1));
    assert!(row.ends.is_some(), "and it says until when");
    world.wait(30);
    let row = world.agent("ada");
    assert_eq!((row.reason.as_deref(), row.rule, row.missed), (Some("missed calls"), "agents.missed", 3));
    assert_eq!(world.queue("sales").waiting, 1, "the caller waits on");
    world.react(ADA, works(1, 10));
    ready(&mut world, "ada").unwrap();
    world.wait(4);
    assert_eq!((world.state("ada"), world.agent("ada").missed), (AgentState::Talking, 0));
    world.close();
}

#[test]
fn one_agent_has_one_sign_in_and_policy_says_whose() {
    let mut world = centre().open();
    world.sign_in("ada");
    world.call(CALLER, patient("800"));
    world.wait(14);
    let again = SignIn { device: Some("ada-1".into()), ..SignIn::default() };
    let asking = AgentAsking::SignIn { account: "ada".into(), sign_in: again };
    let row = world.agents(asking.clone()).unwrap().remove(0);
    assert_eq!(
        (row.state, row.device.as_deref()),
        (AgentState::WrapUp, Some("ada-1")),
        "state and time go on"
    );
    let mut stage = centre();
    stage.config.agents.take_over = false;
    let mut world = stage.open();
    world.sign_in("ada");
    assert!(world.agents(asking).unwrap_err().contains("signed in already"));
    for (sign_in, words) in [
        (SignIn { device: Some("ada-1".into()), ..SignIn::default() }, "no phone of bob"),
        (SignIn { queues: vec!["support".into()], ..SignIn::default() }, "no queue"),
    ] {
        let refused = world.agents(AgentAsking::SignIn { account: "bob".into(), sign_in }).unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
    assert!(world.agents(AgentAsking::SignOut("bob".into())).unwrap_err().contains("not signed in"));
    world.close();
}

#[test]
fn a_seat_that_moves_keeps_state_and_time_and_the_last_one_left_is_no_phone() {
    let mut sales = queue("Sales", "800", &["eve"]);
    sales.wrap_up = seconds(60);
    let stage =
        Stage::new(14).person("lab", "300").phone("desk-1", works(1, 10)).phone("desk-2", works(1, 10));
    let mut stage = stage.callers(1).person("eve", "301").change(put_queue("sales", sales));
    stage.config.seats.several = false;
    let mut world = stage.open();
    let sit = |world: &mut World, device: &str| {
        let (account, device, means) = ("eve".into(), device.into(), Means::Pin);
        world.after(
            Duration::ZERO,
            Act::Command { office: 0, command: Command::Take { account, device, means } },
        );
        world.wait(1);
    };
    assert_eq!(world.sign_in("eve").reason.as_deref(), Some("no phone"));
    sit(&mut world, "desk-1");
    assert_eq!(world.state("eve"), AgentState::Ready);
    world.call(2, patient("800"));
    world.wait(13);
    let ends = world.agent("eve").ends;
    assert!(ends.is_some(), "{:?}", world.agent("eve"));
    sit(&mut world, "desk-2");
    assert_eq!((world.state("eve"), world.agent("eve").ends), (AgentState::WrapUp, ends));
    world.command(0, Command::EndSeat { device: "desk-2".into(), who: "a test".into() });
    world.wait(1);
    assert_eq!(world.agent("eve").reason.as_deref(), Some("no phone"));
    world.assert_sound();
}

#[test]
fn r18_a_clock_that_is_set_changes_what_is_shown_and_nothing_that_waits() {
    let mut world = centre().open();
    world.sign_in("ada");
    world.call(CALLER, patient("800"));
    world.wait(14);
    let before = world.agent("ada").ends.expect("an end");
    world.after(Duration::ZERO, Act::ClockJump { milliseconds: 3_600_000 });
    world.wait(1);
    let after = world.agent("ada").ends.expect("an end");
    assert_eq!(after.0 - before.0, 3_600_000);
    world.wait(20);
    assert_eq!(world.state("ada"), AgentState::WrapUp);
    world.wait(11);
    assert_eq!(world.state("ada"), AgentState::Ready);
    world.close();
}

#[test]
fn a_restart_keeps_sign_ins_breaks_and_the_end_of_a_wrap_up() {
    let mut world = centre().open();
    ["ada", "bob"].iter().for_each(|name| drop(world.sign_in(name)));
    pause(&mut world, "bob", "lunch").unwrap();
    world.call(CALLER, patient("800"));
    world.wait(14);
    let (ada, bob) = (world.agent("ada"), world.agent("bob"));
    world.wait(1);
    let kept: Vec<Change> = world.offices[0]
        .agents
        .iter()
        .map(|(account, kept)| Change::Agent { account: account.clone(), kept: kept.clone() })
        .collect();
    // The same moment in another life; its people come first, as the store has them.
    let mut sales = queue("Sales", "800", &["ada", "bob"]);
    sales.wrap_up = seconds(30);
    let mut next = World::new(11, true);
    next.now.wall = world.now.wall;
    let account = |name: &str| {
        Change::People(PeopleChange::PutAccount {
            name: name.into(),
            display: name.into(),
            settings: Box::default(),
        })
    };
    let mut changes = vec![account("ada"), account("bob")];
    changes.push(Change::People(put_device("ada-1", "ada")));
    changes.push(Change::People(put_queue("sales", sales)));
    changes.extend(kept);
    let config = testkit::office_config(testkit::stage::exchange_address());
    next.add_office(testkit::stage::exchange_address(), config, Snapshot { changes, sequence: 7 });
    let again = next.agent("bob");
    assert_eq!((again.state, again.reason.clone()), (bob.state, bob.reason.clone()));
    assert_eq!((again.ends, again.signed_in), (bob.ends, bob.signed_in));
    // Without a phone that came back yet, nobody is in a wrap-up; its end is kept all the same.
    assert_eq!(next.agent("ada").reason.as_deref(), Some("no phone"));
    assert_eq!(ada.state, AgentState::WrapUp);
    next.command(0, Command::Agents(Box::new(AgentAsking::SignOut("ada".into()))));
    assert!(matches!(next.offices[0].answers.last(), Some((_, Answer::Agents(_)))));
}

#[test]
fn desk_phones_do_all_of_it_by_codes() {
    let mut world = centre().open();
    let dial = |world: &mut World, code: &str| {
        world.call(ADA, Attempt { talk: seconds(2), ..Attempt::to(code) });
        world.wait(4);
    };
    dial(&mut world, "*40");
    assert_eq!(
        (world.state("ada"), world.agent("ada").device.as_deref()),
        (AgentState::Ready, Some("ada-1"))
    );
    dial(&mut world, "*432");
    assert_eq!(world.agent("ada").reason.as_deref(), Some("lunch"), "the second reason");
    dial(&mut world, "*42");
    assert_eq!(world.state("ada"), AgentState::Ready);
    world.call(CALLER, patient("800"));
    world.wait(14);
    let before = world.agent("ada").ends.expect("an end");
    dial(&mut world, "*44");
    assert_eq!(world.agent("ada").ends.expect("an end").0 - before.0, 30_000);
    dial(&mut world, "*42");
    assert_eq!(world.state("ada"), AgentState::Ready);
    dial(&mut world, "*41");
    assert_eq!(world.state("ada"), AgentState::Offline);
    world.close();
}

#[test]
fn a_hold_is_shown_and_what_is_parked_is_nobodys() {
    let mut world = centre().open();
    world.sign_in("ada");
    world.react(ADA, Reaction { talk: None, ..answers_after(1) });
    world.call(CALLER, patient("800"));
    world.wait(4);
    world.after(Duration::ZERO, Act::Do { phone: ADA, deed: Deed::Hold });
    world.wait(1);
    assert_eq!(world.state("ada"), AgentState::OnHold);
    world.after(Duration::ZERO, Act::Do { phone: ADA, deed: Deed::Resume });
    world.wait(1);
    assert_eq!(world.state("ada"), AgentState::Talking);
    world.close();
}
