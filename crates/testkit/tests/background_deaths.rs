//! E, show 4: the exchange dies at every event of a background call's life, and another begins with what the store has.
//! Nothing that was promised is lost, nobody is called twice for one attempt, and budgets stay exact; the same when the
//! store is away, when the clock is an hour off, and when the provider is down.

use clock::Now;
use dialing::cause::Outcome;
use dialing::{AttemptId, End, Row};
use exchange::{
    Answer, Asking, Change, Command, Host, NewTask, PeopleChange, Right, Rights, Route, Settings, TaskId,
    TaskList, TaskRow, TaskState, Trunk,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use testkit::phone::{Deed, Note, Reaction, Then};
use testkit::stage::{Stage, answers_after};
use testkit::{Act, Death, World};

const BOB: usize = 1;
/// Attempts that a task of these stories may have.
const BUDGET: u16 = 4;
const HOUR: i64 = 3_600_000;
const FIRST: TaskId = TaskId(1);

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A background call's life: what happens in it, and what it comes to when nothing goes wrong.
struct Story {
    name: &'static str,
    /// Dialled by Ada.
    number: &'static str,
    ada: Reaction,
    bob: Reaction,
    acts: Vec<(u64, Act)>,
    lasts: u64,
    /// What it may end as, whatever goes wrong.
    ends: &'static [End],
}

fn refuses(status: u16) -> Reaction {
    Reaction { then: Then::Refuse(status), ..answers_after(1) }
}

fn rings_on() -> Reaction {
    Reaction { then: Then::Never, ..answers_after(1) }
}

fn stop() -> Act {
    asks(Asking::Stop { task: FIRST, of: None })
}

fn asks(asking: Asking) -> Act {
    Act::Command { office: 0, command: Command::Background(Box::new(asking)) }
}

fn stories() -> Vec<Story> {
    let bob = |reaction| Act::React { phone: BOB, reaction };
    let (ada, plain) = (answers_after(2), answers_after(1));
    let story = Story {
        name: "",
        number: "200",
        ada: Reaction { talk: Some(seconds(8)), ..ada },
        bob: plain.clone(),
        acts: Vec::new(),
        lasts: 500,
        ends: &[End::Reached],
    };
    let press = Act::Do { phone: BOB, deed: Deed::Press('1') };
    vec![
        Story {
            name: "Bob is busy, does not answer, and then they talk",
            bob: refuses(486),
            acts: vec![(4, bob(rings_on())), (40, bob(plain.clone()))],
            ..again(&story)
        },
        Story {
            name: "Ada does not answer, and Bob asks to be called back",
            ada: rings_on(),
            acts: vec![(27, press)],
            ends: &[End::Abandoned],
            ..again(&story)
        },
        Story {
            name: "stopped while Bob rings",
            bob: rings_on(),
            acts: vec![(3, stop())],
            ends: ANY,
            ..again(&story)
        },
        Story {
            name: "stopped while Bob waits",
            ada: rings_on(),
            acts: vec![(4, stop())],
            ends: ANY,
            ..again(&story)
        },
        Story { name: "Bob is always busy", bob: refuses(486), ends: &[End::UsedUp], ..again(&story) },
        Story {
            name: "the provider is down",
            number: "01012345678",
            lasts: 1_300,
            ends: &[End::UsedUp, End::Stopped],
            ..again(&story)
        },
    ]
}

const ANY: &[End] = &[End::Stopped, End::UsedUp, End::Abandoned];

fn again(story: &Story) -> Story {
    Story { ada: story.ada.clone(), bob: story.bob.clone(), acts: story.acts.clone(), ..*story }
}

impl Story {
    /// The world in which it is about to begin.
    fn open(&self) -> World {
        let rights = [Right::Background, Right::National];
        let rights = rights.into_iter().fold(Rights::default(), Rights::with);
        let settings = Settings { rights, ..Settings::default() };
        let put =
            PeopleChange::PutAccount { name: "ada".into(), display: "ada".into(), settings: settings.into() };
        let mut stage = Stage::new(11).person("ada", "100").change(put).phone("ada-1", self.ada.clone());
        stage = stage.person("bob", "200").phone("bob-1", self.bob.clone());
        let nobody = Host::Address(IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9)));
        let trunk = Box::new(Trunk::at(nobody, None));
        stage = stage.change(PeopleChange::PutTrunk { name: "out".into(), trunk });
        let route = Route {
            prefix: "+86".into(),
            strip: 3,
            prepend: "0".into(),
            trunks: vec!["out".into()],
            caller: None,
        };
        stage = stage.change(PeopleChange::PutRoute { name: "home".into(), route: route.into() });
        let numbering = &mut stage.config.numbering;
        (numbering.country, numbering.national) = ("86".into(), "0".into());
        stage.config.background.attempts = Some(BUDGET);
        stage.open()
    }

    /// Plays it to its end.
    fn play(&self, world: &mut World) {
        for (after, act) in &self.acts {
            world.after(seconds(*after), act.clone());
        }
        let new = NewTask { account: "ada".into(), number: self.number.into(), ..NewTask::default() };
        world.command(0, Command::Background(Box::new(Asking::Start(new))));
        world.run_for(seconds(self.lasts));
    }
}

/// What the store says became of the task, beside what the phones and those who asked know.
#[derive(Debug, Default)]
struct Model {
    taken: bool,
    claims: BTreeSet<AttemptId>,
    results: BTreeMap<AttemptId, Outcome>,
    end: Option<End>,
}

impl Model {
    fn of(world: &World) -> Model {
        let mut model = Model::default();
        for change in world.kept(0) {
            let Change::Task(change) = change else { continue };
            match &change.row {
                Row::Task(task) => model.taken |= task.id == FIRST,
                Row::Claim(attempt) => {
                    model.claims.insert(attempt.id);
                }
                Row::Result(attempt) => {
                    let (_, finding) = attempt.finished.expect("a result says what it came to");
                    model.results.insert(attempt.id, finding.outcome);
                }
                Row::End { end, .. } => model.end = Some(*end),
                _ => {}
            }
        }
        model
    }

    /// Attempts that count.
    fn made(&self) -> usize {
        let dialled = |claim: &&AttemptId| self.results.get(claim) != Some(&Outcome::NotDialled);
        self.claims.iter().filter(dialled).count()
    }
}

/// What must hold whatever went wrong; `lost` is how many attempts may be claimed and not heard of at Bob's phone.
fn judge(world: &mut World, story: &Story, lost: usize, wrong: &str) {
    world.assert_sound();
    let told = format!("{}: {wrong}", story.name);
    let model = Model::of(world);
    let answers: Vec<Answer> = world.offices[0].answers.iter().map(|(_, answer)| answer.clone()).collect();
    let promised = matches!(answers.first(), Some(Answer::Task(Some(_))));
    assert!(!promised || model.taken, "{told}: it was promised, and is not there");
    // The stop is the last that anybody asks.
    let stopped = story.acts.iter().any(|(_, act)| is_stop(act));
    if stopped && answers.len() > 1 && matches!(answers[1], Answer::Task(_)) {
        assert!(model.end.is_some(), "{told}: it was said to be stopped, and goes on: {model:?}");
    }
    assert!(model.made() <= usize::from(BUDGET), "{told}: {model:?}");
    let rang = world.notes_of(BOB).filter(|note| matches!(note, Note::Rings { .. })).count();
    if story.number == "200" {
        // Nobody is rung whose phone is not registered any more.
        let off = model.results.values().filter(|outcome| **outcome == Outcome::Off).count();
        let made = model.made() - off;
        assert!(rang <= made && made <= rang + lost, "{told}: rang {rang} times: {model:?}");
    }
    if model.taken {
        let end = model.end.unwrap_or_else(|| panic!("{told}: it goes on: {model:?} {:?}", rows(world)));
        // What was refused because the store was away is over at once.
        let refused = matches!(answers.first(), Some(Answer::Unavailable(_)));
        let ends = if refused { &[End::Stopped] } else { story.ends };
        // Registrations lapse when the clock goes on by an hour: until the phones come again, Bob is off.
        let off = model.results.values().any(|outcome| *outcome == Outcome::Off);
        assert!(ends.contains(&end) || (off && end == End::UsedUp), "{told}: {end:?}");
        assert_eq!(model.results.len(), model.claims.len(), "{told}: {model:?}");
        if end == End::UsedUp {
            assert_eq!(model.made(), usize::from(BUDGET), "{told}: {model:?}");
        }
        if end == End::Abandoned && !stopped {
            let words = world.trace.lines().into_iter().filter(|line| line.contains("kept the message"));
            assert!(words.count() > 0, "{told}: its owner got no message");
        }
    } else {
        assert!(model.claims.is_empty() && rang == 0, "{told}: nobody was promised anything: {model:?}");
    }
    assert!(rows(world).iter().all(|row| row.state == TaskState::Ended), "{told}: {:?}", rows(world));
}

fn rows(world: &mut World) -> Vec<TaskRow> {
    let list = TaskList { ended: true, ..TaskList::default() };
    world.command(0, Command::Background(Box::new(Asking::List(list))));
    match world.offices[0].answers.pop() {
        Some((_, Answer::Tasks(rows))) => rows,
        other => panic!("{other:?}"),
    }
}

/// What kind of event a line of the trace tells of.
fn kind(line: &str) -> String {
    let plain = |word: &&str| !word.contains(['.', '=', ':', '<']) || word.starts_with("hears=");
    let words = line.split_whitespace().filter(plain).take(5);
    words.map(|word| word.trim_matches(|letter: char| letter.is_ascii_digit())).collect::<Vec<_>>().join(" ")
}

#[test]
fn r26_the_exchange_dies_at_every_event_and_no_attempt_is_made_twice() {
    let points: BTreeSet<String> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            stories().into_iter().map(|story| scope.spawn(move || deaths(&story))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("each story holds")).collect()
    });
    assert!(points.len() >= 30, "{points:?}");
}

/// Plays a story once for each of its events, with the death of the exchange before that; returns the kinds of events.
fn deaths(story: &Story) -> BTreeSet<String> {
    let mut points = BTreeSet::new();
    let (begins, ends) = events_of(story);
    for event in begins + 1..ends {
        let mut under_way = true;
        for written in [false, true] {
            if !under_way {
                continue;
            }
            let mut world = story.open();
            world.dies_at(event, Death { written, down: seconds(2), ..Death::of(0) });
            story.play(&mut world);
            let (point, commits) = world.died().expect("it dies").clone();
            under_way = commits > 0;
            judge(&mut world, story, 1, &format!("died before event {event}, written {written}: {point}"));
            points.insert(kind(&point));
        }
    }
    points
}

#[test]
fn every_story_holds_when_nothing_goes_wrong() {
    for story in stories() {
        let mut world = story.open();
        story.play(&mut world);
        judge(&mut world, &story, 0, "nothing goes wrong");
    }
}

#[test]
fn r18_the_clock_is_an_hour_off_after_a_death_and_budgets_stay_exact() {
    for story in stories() {
        let (begins, ends) = events_of(&story);
        for event in (begins + 1..ends).step_by(7) {
            for clock in [HOUR, -HOUR] {
                let mut world = story.open();
                world.dies_at(event, Death { clock, down: seconds(2), ..Death::of(0) });
                story.play(&mut world);
                judge(&mut world, &story, 1, &format!("died before event {event}, clock {clock}"));
            }
        }
    }
}

fn events_of(story: &Story) -> (u64, u64) {
    let mut world = story.open();
    let begins = world.told();
    story.play(&mut world);
    (begins, world.told())
}

#[test]
fn the_store_is_full_or_the_clock_is_set_at_every_moment_and_the_same_holds() {
    for story in stories() {
        for moment in moments(&story) {
            let troubles = [
                Act::StoreAway { office: 0, time: seconds(12) },
                Act::ClockJump { milliseconds: HOUR },
                Act::ClockJump { milliseconds: -HOUR },
                Act::Cut { phone: BOB, time: seconds(4) },
            ];
            for trouble in troubles {
                let mut world = story.open();
                let wrong = format!("{trouble:?} after {moment} ms");
                // Whom a datagram did not reach may have been called all the same.
                let lost = usize::from(matches!(trouble, Act::Cut { .. }));
                world.after(Duration::from_millis(moment), trouble);
                story.play(&mut world);
                judge(&mut world, &story, lost, &wrong);
            }
        }
    }
}

/// The moments at which a phone did something while a story was played, in milliseconds after its beginning.
fn moments(story: &Story) -> BTreeSet<u64> {
    let mut plain = story.open();
    let begins: Now = plain.now;
    story.play(&mut plain);
    let after = |at: u64| (at / 100_000 * 100).checked_sub(begins.mono.0 / 1_000);
    plain.notes.iter().filter_map(|(at, ..)| after(at.0)).chain([0]).collect()
}

#[test]
fn s2_8_it_is_stopped_at_every_moment_and_nobody_is_called_after() {
    for story in stories().into_iter().filter(|story| story.acts.iter().all(|(_, act)| !is_stop(act))) {
        for moment in moments(&story).into_iter().flat_map(|moment| [moment, moment + 50]) {
            let mut world = story.open();
            let stopped = world.now.mono + Duration::from_millis(moment);
            world.after(Duration::from_millis(moment), stop());
            story.play(&mut world);
            world.assert_sound();
            let told = format!("{}: stopped after {moment} ms", story.name);
            let model = Model::of(&world);
            let answer = world.offices[0].answers.get(1).map(|(_, answer)| answer.clone());
            match answer {
                Some(Answer::Task(_)) => assert!(model.end.is_some(), "{told}: {model:?}"),
                // It had ended by itself.
                Some(Answer::Refused(_)) => assert!(model.end.is_some(), "{told}: {model:?}"),
                other => panic!("{told}: {other:?}"),
            }
            // What left just before it may still be on its way.
            let late = stopped + Duration::from_millis(60);
            let rings = |note: &Note| matches!(note, Note::Rings { .. });
            let after = world.notes.iter().find(|(at, _, note)| *at > late && rings(note));
            assert!(after.is_none(), "{told}: {after:?}");
            assert_eq!(world.exchange(0).switch().load().0, 0, "{told}: everybody is let go");
        }
    }
}

fn is_stop(act: &Act) -> bool {
    matches!(act, Act::Command { .. })
}
