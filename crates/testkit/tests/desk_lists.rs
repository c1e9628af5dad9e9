//! Stories of call lists at phones that only call (S3): the exchange works through them, the agent's phone first, then the
//! callee. What becomes of each row is what the model says, wherever the exchange dies.

use clock::{Mono, Wall};
use dialing::cause::Outcome;
use dialing::{End, Places, Policy, Row};
use exchange::lists::{
    Deal, DeskAsking, DeskSaid, DeskStep, DeskWhen, DeskWork, FileRequest, ListAnswer, ListAsking,
    ListChange, Made, NewList, Share, Shared,
};
use exchange::{
    AccountEdit, AgentAsking, AgentState, Answer, Change, Command, Means, PeopleChange, Profile,
    ProfileAsking, TaskId, TokenHash,
};
use lists::work::Settings;
use lists::{Judging, Reading, Sheet};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use testkit::phone::{Attempt, Deed, Note, Reaction, Then};
use testkit::stage::{Stage, answers_after, put_device};
use testkit::{Act, Death, World};

const ADA: usize = 0;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn refuses(status: u16) -> Reaction {
    Reaction { then: Then::Refuse(status), ..answers_after(1) }
}

fn rings_on() -> Reaction {
    Reaction { then: Then::Never, ..answers_after(1) }
}

fn talks(time: u64) -> Reaction {
    Reaction { talk: Some(seconds(time)), ..answers_after(2) }
}

/// These agents at phones that answer by themselves, and one callee for each reaction: 900, 901 and so on.
fn stage(agents: &[&str], callees: &[Reaction]) -> Stage {
    let mut stage = Stage::new(23);
    for (place, name) in agents.iter().enumerate() {
        let device = format!("{name}-1");
        stage = stage.person(name, &(100 + place).to_string()).phone(&device, answers_after(0));
        let PeopleChange::PutDevice { name, mut device } = put_device(&device, name) else { unreachable!() };
        device.auto_answer = Some(exchange::AutoAnswer::CallInfo);
        stage = stage.change(PeopleChange::PutDevice { name, device });
    }
    for (place, reaction) in callees.iter().enumerate() {
        let name = format!("callee-{place}");
        stage = stage.person(&name, &(900 + place).to_string()).phone(&format!("{name}-1"), reaction.clone());
    }
    let assignment = &mut stage.config.lists.assignment;
    (assignment.gap_s, assignment.interval_s, assignment.attempts, assignment.ring_s) = (2, 60, 3, 20);
    assignment.keys = [('1', "sold".to_owned()), ('2', "not now".to_owned())].into();
    stage
}

fn ask(world: &mut World, asking: ListAsking) -> Result<ListAnswer, String> {
    world.command(0, Command::Lists(Box::new(asking)));
    world.run_for(Duration::from_millis(200));
    match world.offices[0].answers.last().map(|(_, answer)| answer) {
        Some(Answer::Lists(answer)) => Ok((**answer).clone()),
        Some(Answer::Refused(refusal)) => Err(refusal.to_string()),
        other => Err(format!("{other:?}")),
    }
}

fn new_list(world: &World, name: &str, key: u32, text: &str) -> NewList {
    let places = Places::new("UTC").expect("a zone");
    let settings = Settings::default();
    let policy = Policy::new(Box::new(|_| false));
    let judging = Judging { settings: &settings, policy, places, forbidden: &[], most: 1_000 };
    let judged = Sheet::judge(world.now, text.as_bytes().to_vec(), &Reading::default(), judging, key);
    let (text, _) = judged.expect("a list");
    let sheet = Shared(Arc::new(Sheet::read(&text).expect("its rows")));
    NewList {
        key,
        name: name.into(),
        by: "boss".into(),
        text: text.into(),
        sheet,
        skipped: 0,
        refusals: Arc::default(),
    }
}

/// Makes a list of this text and deals it out.
fn deal(world: &mut World, name: &str, key: u32, text: &str, agents: &[&str]) {
    let new = new_list(world, name, key, text);
    ask(world, ListAsking::Make(Box::new(new))).expect("made");
    let share = |account: &&str| Share { account: (*account).into(), weight: 1 };
    let shares = Deal::Share(agents.iter().map(share).collect());
    ask(world, ListAsking::Deal { list: name.into(), deal: shares }).expect("dealt");
}

fn numbers(count: usize) -> String {
    let rows = (0..count).map(|place| format!("{},Callee {place},service {place}\n", 900 + place));
    format!("number,name,service\n{}", rows.collect::<String>())
}

fn desk(world: &mut World, asking: DeskAsking) -> Result<DeskWork, String> {
    match ask(world, ListAsking::Desk(asking))? {
        ListAnswer::Desk(work) => Ok(*work),
        other => Err(format!("{other:?}")),
    }
}

fn start(world: &mut World, account: &str) -> DeskWork {
    desk(world, DeskAsking::Start { account: account.into(), device: None }).expect("begun")
}

fn work(world: &mut World, account: &str) -> DeskWork {
    desk(world, DeskAsking::Read(account.into())).expect("work")
}

fn say(world: &mut World, account: &str, said: DeskSaid) -> Result<DeskWork, String> {
    desk(world, DeskAsking::Say { account: account.into(), row: None, said })
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

/// What the store has of a list: the outcomes of each row in order, and its end.
#[derive(Debug, Default)]
struct Kept {
    attempts: BTreeMap<(u32, u32), BTreeMap<(Wall, u16), Made>>,
    ends: BTreeMap<(u32, u32), Option<End>>,
    claims: BTreeSet<dialing::AttemptId>,
    results: BTreeMap<dialing::AttemptId, Outcome>,
    rows: BTreeSet<TaskId>,
}

impl Kept {
    fn of(world: &World) -> Kept {
        let mut kept = Kept::default();
        for change in world.kept(0) {
            match change {
                Change::List(change) => match &**change {
                    ListChange::Attempt { key, row, made } => {
                        kept.attempts.entry((*key, *row)).or_default().insert((made.at, made.ordinal), *made);
                    }
                    ListChange::Row { key, row, told } => {
                        kept.ends.insert((*key, *row), told.end.map(|(_, end)| end));
                    }
                    _ => {}
                },
                Change::Task(change) => match &change.row {
                    Row::Task(task) => drop(kept.rows.insert(task.id)),
                    Row::Claim(attempt) => drop(kept.claims.insert(attempt.id)),
                    Row::Result(attempt) => {
                        let (_, finding) = attempt.finished.expect("a result");
                        kept.results.insert(attempt.id, finding.outcome);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        kept
    }

    fn outcomes(&self, row: u32) -> Vec<Outcome> {
        let attempts = self.attempts.get(&(1, row)).into_iter().flatten();
        attempts.filter_map(|(_, made)| made.ended.map(|(_, outcome)| outcome)).collect()
    }

    fn end(&self, row: u32) -> Option<End> {
        self.ends.get(&(1, row)).copied().flatten()
    }

    /// Both tables tell of the same attempts.
    fn assert_same(&self, told: &str) {
        let counted = self.results.values().filter(|outcome| **outcome != Outcome::NotDialled).count();
        let in_list: usize = self.attempts.values().map(BTreeMap::len).sum();
        assert_eq!(counted, in_list, "{told}: {self:?}");
        assert_eq!(self.claims.len(), self.results.len(), "{told}: {self:?}");
    }
}

/// What a callee does, how often they are called, and how their row ends.
fn model() -> Vec<(Reaction, Vec<Outcome>, End)> {
    use Outcome::{Answered, Busy, Declined, NoAnswer};
    let (busy, nobody) = (vec![Busy; 3], vec![NoAnswer; 3]);
    (0..18)
        .map(|place| match place % 5 {
            0 => (refuses(486), busy.clone(), End::UsedUp),
            1 => (rings_on(), nobody.clone(), End::UsedUp),
            2 => (refuses(603), vec![Declined], End::Declined),
            _ => (talks(8), vec![Answered], End::Reached),
        })
        .collect()
}

#[test]
fn s3_13_a_list_of_twenty_rows_is_worked_to_its_end_as_the_model_says() {
    let model = model();
    let callees: Vec<Reaction> = model.iter().map(|(reaction, ..)| reaction.clone()).collect();
    let mut world = stage(&["ada"], &callees).open();
    // A number that nobody has, and one whose hour has not come.
    let opens = clock_time(world.now.wall.0 + 3 * 3_600_000);
    let closes = clock_time(world.now.wall.0 + 4 * 3_600_000);
    let rows: String =
        (0..18).map(|place| format!("{},Callee {place},service {place},\n", 900 + place)).collect();
    let text =
        format!("number,name,service,slot\n{rows}899,Nobody,none,\n917,Later,other,{opens}-{closes}\n");
    deal(&mut world, "autumn", 1, &text, &["ada"]);
    world.sign_in("ada");
    let begun = start(&mut world, "ada");
    assert!(begun.on && begun.counts.rows == 20, "{begun:?}");
    world.wait(1_500);
    let kept = Kept::of(&world);
    for (row, (_, outcomes, end)) in (0..).zip(&model) {
        assert_eq!((&kept.outcomes(row), kept.end(row)), (outcomes, Some(*end)), "row {row}");
    }
    assert_eq!((kept.outcomes(18), kept.end(18)), (vec![Outcome::Vacant], Some(End::Vacant)));
    assert_eq!((kept.outcomes(19), kept.end(19)), (vec![], None), "its slot has not come");
    let left = work(&mut world, "ada");
    assert_eq!((left.counts.left, left.next.is_none(), left.waits.is_some()), (1, true, true), "{left:?}");
    world.wait(3 * 3_600);
    let kept = Kept::of(&world);
    assert_eq!(
        (kept.outcomes(19), kept.end(19)),
        (vec![Outcome::Declined], Some(End::Declined)),
        "now it has"
    );
    kept.assert_same("worked to its end");
    // Each of those who did not answer was rung for as long as the list says, not for as long as other calls are.
    let rung: Vec<i64> =
        kept.attempts[&(1, 1)].values().filter_map(|made| Some(made.ended?.0.0 - made.at.0)).collect();
    assert!(rung.iter().all(|time| (19_000..=22_000).contains(time)), "{rung:?}");
    // S3.10: the callee's phone never rang before the agent was there, and who answered found them.
    let rings = |note: &Note| matches!(note, Note::Rings { .. });
    let first = world.notes.iter().position(|(_, phone, note)| *phone != ADA && rings(note)).expect("rings");
    let there =
        |(_, phone, note): &(Mono, usize, Note)| *phone == ADA && matches!(note, Note::Answers { .. });
    assert!(world.notes[..first].iter().any(there), "the agent is there first");
    assert!(!kept.results.values().any(|outcome| *outcome == Outcome::Abandoned));
    let talked: Vec<u32> = kept.attempts[&(1, 3)].values().map(|made| made.talked).collect();
    assert_eq!(talked, [8]);
    assert_eq!(world.state("ada"), AgentState::Ready);
    world.close();
}

/// `HH:MM` in UTC.
fn clock_time(millis: i64) -> String {
    let minutes = millis.div_euclid(60_000).rem_euclid(24 * 60);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[test]
fn s3_17_calls_are_made_only_while_the_agent_is_ready_and_on_hook() {
    let mut world = stage(&["ada"], &[talks(5), talks(5), talks(5), talks(5)]).open();
    deal(&mut world, "autumn", 1, &numbers(4), &["ada"]);
    start(&mut world, "ada");
    world.wait(4);
    assert_eq!((rang(&world, 1), rang(&world, 2)), (1, 0));
    // A break after this call.
    let pause = AgentAsking::Pause { account: "ada".into(), reason: "lunch".into(), planned: None };
    world.agents(pause).expect("a break");
    world.wait(60);
    assert_eq!((answered(&world, 1), rang(&world, 2)), (1, 0));
    assert_eq!(world.state("ada"), AgentState::NotReady);
    // Somebody calls her in the break, and in that call she says that she is ready: the list waits for its end.
    world.call(4, Attempt { talk: seconds(30), ..Attempt::to("100") });
    world.wait(5);
    world.agents(AgentAsking::Ready("ada".into())).expect("ready");
    world.wait(20);
    assert_eq!(rang(&world, 2), 0, "an incoming call goes first");
    world.wait(30);
    assert_eq!(answered(&world, 2), 1);
    world.wait(60);
    assert_eq!((answered(&world, 3), answered(&world, 4)), (1, 1));
    assert_eq!(work(&mut world, "ada").counts.left, 0);
    world.close();
}

#[test]
fn s3_16_after_a_call_comes_the_wrap_up_and_then_the_next() {
    let mut world = stage(&["ada"], &[talks(5), talks(5)]).open();
    let edits = vec![AccountEdit::WrapUp(Some(seconds(40)))];
    world.command(0, Command::EditAccount { name: "ada".into(), edits });
    deal(&mut world, "autumn", 1, &numbers(2), &["ada"]);
    start(&mut world, "ada");
    world.wait(10);
    assert_eq!(world.state("ada"), AgentState::WrapUp);
    let shown = work(&mut world, "ada");
    let (hand, next) = (shown.hand.expect("the last"), shown.next.expect("the next"));
    assert_eq!((hand.step, &*hand.name, &*next.name), (DeskStep::Over, "Callee 0", "Callee 1"));
    assert_eq!(hand.attempts.iter().map(|made| made.outcome).collect::<Vec<_>>(), [Some(Outcome::Answered)]);
    world.wait(30);
    assert_eq!(rang(&world, 2), 0);
    world.agents(AgentAsking::Ready("ada".into())).expect("ready");
    world.wait(5);
    assert_eq!(answered(&world, 2), 1, "a wrap-up that ends early brings the next");
    world.close();
}

#[test]
fn an_agent_who_is_not_at_the_phone_is_paused_and_the_phone_does_not_ring_again() {
    let mut world = stage(&["ada"], &[talks(5)]).open();
    deal(&mut world, "autumn", 1, &numbers(1), &["ada"]);
    world.react(ADA, rings_on());
    start(&mut world, "ada");
    world.wait(300);
    let row = world.agent("ada");
    assert_eq!((row.state, row.reason.as_deref()), (AgentState::NotReady, Some("no answer at phone")));
    assert_eq!((rang(&world, ADA), rang(&world, 1)), (1, 0));
    assert_eq!(Kept::of(&world).outcomes(0), [], "an attempt that never left counts for nothing");
    world.react(ADA, answers_after(0));
    world.agents(AgentAsking::Ready("ada".into())).expect("ready");
    world.wait(20);
    assert_eq!(answered(&world, 1), 1);
    world.close();
}

#[test]
fn a_phone_that_is_off_gets_no_row_and_nobody_is_called() {
    let mut world = stage(&["ada"], &[talks(5)]).open();
    deal(&mut world, "autumn", 1, &numbers(1), &["ada"]);
    world.after(Duration::ZERO, Act::PowerOff { phone: ADA });
    world.wait(1_000);
    start(&mut world, "ada");
    world.wait(100);
    assert_eq!((world.state("ada"), rang(&world, 1)), (AgentState::NotReady, 0));
    world.after(Duration::ZERO, Act::Boot { phone: ADA, moved: false });
    world.wait(30);
    assert_eq!(answered(&world, 1), 1);
    world.close();
}

#[test]
fn s3_13_skip_later_and_results_are_kept() {
    let mut world = stage(&["ada"], &[rings_on(), talks(5), talks(60)]).open();
    deal(&mut world, "autumn", 1, &numbers(3), &["ada"]);
    start(&mut world, "ada");
    world.wait(3);
    let shown = work(&mut world, "ada");
    let hand = shown.hand.expect("a row in hand");
    assert_eq!((hand.step, &*hand.name, &*hand.number), (DeskStep::Callee, "Callee 0", "900"));
    assert!(!hand.because.is_empty() && hand.fields.iter().any(|(_, field)| **field == *"service 0"));
    say(&mut world, "ada", DeskSaid::Skip).expect("skipped");
    world.wait(7);
    // It is put off, and the next one talks.
    assert_eq!(answered(&world, 2), 1);
    let mark = DeskSaid::Mark { result: "1".into(), note: Some("two crates".into()) };
    let shown = say(&mut world, "ada", mark).expect("noted");
    let hand = shown.hand.expect("a row");
    assert_eq!((&*hand.name, &*hand.result, &*hand.note), ("Callee 1", "sold", "two crates"));
    world.wait(8);
    assert_eq!(work(&mut world, "ada").hand.expect("a row").step, DeskStep::Talk);
    assert!(say(&mut world, "ada", DeskSaid::Skip).is_err(), "who talks does not skip");
    // Again in an hour, although they were reached.
    let shown = say(&mut world, "ada", DeskSaid::Later(DeskWhen::Minutes(60))).expect("later");
    assert_eq!(shown.hand.expect("a row").end, None);
    world.wait(200);
    assert_eq!(answered(&world, 3), 1, "not before");
    let kept = Kept::of(&world);
    assert_eq!((kept.end(1), kept.end(2)), (Some(End::Reached), None));
    world.wait(3_600);
    assert_eq!(answered(&world, 3), 2);
    assert_eq!(Kept::of(&world).outcomes(2), [Outcome::Answered; 2]);
    assert!(rang(&world, 1) >= 2, "what was skipped came again");
    world.close();
}

#[test]
fn s3_19_who_signs_out_gives_the_rest_back_and_it_waits() {
    let mut world = stage(&["ada"], &[talks(20), talks(5), talks(5)]).open();
    deal(&mut world, "autumn", 1, &numbers(3), &["ada"]);
    start(&mut world, "ada");
    world.wait(6);
    world.agents(AgentAsking::SignOut("ada".into())).expect("signed out");
    world.wait(60);
    assert_eq!((answered(&world, 1), rang(&world, 2)), (1, 0), "the call goes on, the next waits");
    assert!(!work(&mut world, "ada").on);
    assert_eq!(Kept::of(&world).end(0), Some(End::Reached));
    world.sign_in("ada");
    world.wait(30);
    assert_eq!(rang(&world, 2), 0, "signed in is not begun");
    start(&mut world, "ada");
    world.wait(60);
    assert_eq!((answered(&world, 1), answered(&world, 2), answered(&world, 3)), (1, 1, 1));
    world.close();
}

#[test]
fn s3_20_two_agents_work_and_each_callee_is_called_once() {
    let callees: Vec<Reaction> = (0..8).map(|_| talks(6)).collect();
    let mut world = stage(&["ada", "bob"], &callees).open();
    deal(&mut world, "autumn", 1, &numbers(8), &["ada", "bob"]);
    start(&mut world, "ada");
    start(&mut world, "bob");
    world.wait(12);
    // Bob goes; what is left is Ada's.
    world.agents(AgentAsking::SignOut("bob".into())).expect("signed out");
    let to = vec![Share { account: "ada".into(), weight: 1 }];
    let from = Some("bob".into());
    ask(&mut world, ListAsking::Reassign { list: "autumn".into(), lines: None, from, to }).expect("given");
    world.wait(240);
    let kept = Kept::of(&world);
    for row in 0..8 {
        assert_eq!(
            (kept.outcomes(row), kept.end(row)),
            (vec![Outcome::Answered], Some(End::Reached)),
            "{row}"
        );
        assert_eq!(rang(&world, row as usize + 2), 1, "{row}");
    }
    kept.assert_same("two agents");
    world.close();
}

#[test]
fn one_attempt_at_a_number_over_lists_and_background_calls() {
    let mut world = stage(&["ada", "bob"], &[talks(30)]).open();
    deal(&mut world, "autumn", 1, "number\n900\n", &["ada"]);
    deal(&mut world, "winter", 2, "number\n900\n", &["bob"]);
    start(&mut world, "ada");
    start(&mut world, "bob");
    world.wait(400);
    let kept = Kept::of(&world);
    // The checker of tasks sees that no two are in flight; both rows end.
    assert_eq!(kept.ends.values().filter(|end| **end == Some(End::Reached)).count(), 2, "{kept:?}");
    world.close();
}

#[test]
fn codes_at_a_desk_phone_begin_skip_and_note() {
    let mut world = stage(&["ada"], &[talks(5), talks(5), talks(5)]).open();
    deal(&mut world, "autumn", 1, &numbers(3), &["ada"]);
    let dial = |world: &mut World, code: &str| {
        let attempt = Attempt { talk: seconds(8), ..Attempt::to(code) };
        world.call(ADA, attempt);
    };
    dial(&mut world, "*45");
    world.wait(16);
    let shown = work(&mut world, "ada");
    assert!(shown.on && shown.device.as_deref() == Some("ada-1"), "{shown:?}");
    assert_eq!(answered(&world, 1), 1);
    world.wait(2);
    // In the gap, or in the next call: what came of the last one.
    dial(&mut world, "*492");
    world.wait(12);
    let kept: Vec<String> = results(&world);
    assert_eq!(kept.iter().filter(|result| **result == *"not now").count(), 1, "{kept:?}");
    dial(&mut world, "*46");
    world.wait(40);
    assert!(!work(&mut world, "ada").on);
    world.close();
}

fn results(world: &World) -> Vec<String> {
    let mut results = BTreeMap::new();
    for change in world.kept(0) {
        if let Change::List(change) = change
            && let ListChange::Row { key, row, told } = &**change
        {
            results.insert((*key, *row), told.result.to_string());
        }
    }
    results.into_values().collect()
}

#[test]
fn a_callee_who_hangs_up_first_and_an_agent_who_does() {
    let mut world = stage(&["ada"], &[talks(3), answers_after(1), rings_on()]).open();
    deal(&mut world, "autumn", 1, &numbers(3), &["ada"]);
    start(&mut world, "ada");
    world.wait(20);
    assert_eq!((answered(&world, 1), answered(&world, 2)), (1, 1));
    world.after(Duration::ZERO, Act::Do { phone: ADA, deed: Deed::HangUp });
    world.wait(6);
    assert_eq!(rang(&world, 3), 1);
    // Hung up while it rings there: it was withdrawn, and comes again.
    world.after(Duration::ZERO, Act::Do { phone: ADA, deed: Deed::HangUp });
    world.wait(2);
    let kept = Kept::of(&world);
    assert_eq!((kept.end(0), kept.end(1)), (Some(End::Reached), Some(End::Reached)));
    assert_eq!((kept.outcomes(2), kept.end(2)), (vec![Outcome::Withdrawn], None));
    world.close();
}

/// A short story: busy, then nobody, declined, and one who talks.
fn short() -> World {
    stage(&["ada"], &[refuses(486), refuses(603), talks(3), rings_on()]).open()
}

fn play_short(world: &mut World) {
    let new = new_list(world, "autumn", 1, &numbers(4));
    let shares = vec![Share { account: "ada".into(), weight: 1 }];
    let list = |asking| Act::Command { office: 0, command: Command::Lists(Box::new(asking)) };
    world.after(Duration::ZERO, list(ListAsking::Make(Box::new(new))));
    let deal = ListAsking::Deal { list: "autumn".into(), deal: Deal::Share(shares) };
    world.after(seconds(1), list(deal));
    let start = || ListAsking::Desk(DeskAsking::Start { account: "ada".into(), device: None });
    world.after(seconds(2), list(start()));
    world.run_for(seconds(3));
    world.run_for(seconds(420));
}

#[test]
fn r26_the_exchange_dies_at_every_event_and_no_row_is_called_twice_for_one_attempt() {
    let mut plain = short();
    let begins = plain.told();
    play_short(&mut plain);
    let ends = plain.told();
    let kept = Kept::of(&plain);
    kept.assert_same("nothing goes wrong");
    let ended: Vec<Option<End>> = (0..4).map(|row| kept.end(row)).collect();
    assert_eq!(ended, [End::UsedUp, End::Declined, End::Reached, End::UsedUp].map(Some));
    let mut points = BTreeSet::new();
    for event in begins + 1..ends {
        let mut under_way = true;
        for written in [false, true] {
            if !under_way {
                continue;
            }
            let mut world = short();
            world.dies_at(event, Death { written, down: seconds(2), ..Death::of(0) });
            play_short(&mut world);
            let (point, commits) = world.died().expect("it dies").clone();
            under_way = commits > 0;
            judge(&mut world, &format!("died before event {event}, written {written}: {point}"));
            points.insert(point.split_whitespace().take(4).collect::<Vec<_>>().join(" "));
        }
    }
    assert!(points.len() >= 10, "{points:?}");
}

fn judge(world: &mut World, told: &str) {
    world.assert_sound();
    let kept = Kept::of(world);
    kept.assert_same(told);
    // Whoever was reached, or declined, is not called after that was written.
    for row in 0..4 {
        let outcomes = kept.outcomes(row);
        let last = [Outcome::Answered, Outcome::Declined];
        let ended = outcomes.iter().position(|outcome| last.contains(outcome));
        assert!(ended.is_none_or(|place| place + 1 == outcomes.len()), "{told}: row {row} {outcomes:?}");
        assert!(outcomes.len() <= 3, "{told}: row {row} {outcomes:?}");
        let rang = rang(world, row as usize + 1);
        assert!(rang <= outcomes.len() + 1, "{told}: row {row} rang {rang} times: {outcomes:?}");
    }
    // What was begun is worked to its end, if it was written that it was begun.
    let begun = world.kept(0).iter().any(|change| {
        matches!(change, Change::List(change) if matches!(&**change, ListChange::Session(session) if session.desk))
    });
    if begun {
        for row in 0..4 {
            assert!(kept.end(row).is_some(), "{told}: row {row} goes on: {kept:?}");
        }
    }
}

#[test]
fn a_profile_may_say_that_signing_in_to_work_begins_the_list() {
    let mut world = stage(&["ada", "bob"], &[talks(3)]).open();
    deal(&mut world, "autumn", 1, &numbers(1), &["ada"]);
    let profile = Profile { call_list: true, ..Profile::built_in() };
    world.command(0, Command::Profiles(Box::new(ProfileAsking::Put(vec![profile]))));
    world.sign_in("ada");
    world.sign_in("bob");
    world.wait(20);
    assert_eq!(answered(&world, 2), 1);
    assert!(work(&mut world, "ada").on && !work(&mut world, "bob").on, "who has no list has nothing begun");
    world.close();
}

#[test]
fn decision_19_a_row_in_hand_at_a_desk_is_in_no_file() {
    let mut world = stage(&["ada", "bob"], &[talks(40), talks(5)]).open();
    deal(&mut world, "autumn", 1, &numbers(2), &["ada"]);
    start(&mut world, "ada");
    world.wait(6);
    assert_eq!(work(&mut world, "ada").hand.expect("a row").step, DeskStep::Talk);
    // Everything goes to Bob, whose own phone dials.
    let to = vec![Share { account: "bob".into(), weight: 1 }];
    ask(&mut world, ListAsking::Reassign { list: "autumn".into(), lines: None, from: None, to })
        .expect("given");
    let Ok(ListAnswer::Link(link)) = ask(&mut world, ListAsking::Link("bob".into())) else {
        panic!("a link")
    };
    let from = FileRequest { agent: "bob".into(), token: TokenHash::of(&link.token), by_phone: true };
    let rows = |world: &mut World| {
        let asking = ListAsking::File { from: from.clone(), known: None };
        let Ok(ListAnswer::File(file)) = ask(world, asking) else { panic!("a file") };
        file.parts.iter().flat_map(|part| part.rows.iter().map(|row| row.row)).collect::<Vec<u32>>()
    };
    assert_eq!(rows(&mut world), [1], "whom Ada talks to stays hers; she was reached");
    world.wait(60);
    assert_eq!((answered(&world, 2), rang(&world, 3)), (1, 0), "the other is not called here any more");
    assert_eq!(rows(&mut world), [1]);
    world.close();
}

#[test]
fn a_phone_of_their_own_takes_the_rest_and_the_desk_stops() {
    let mut world = stage(&["ada"], &[talks(5), talks(5), talks(5)]).open();
    deal(&mut world, "autumn", 1, &numbers(3), &["ada"]);
    start(&mut world, "ada");
    world.wait(6);
    let Ok(ListAnswer::Link(link)) = ask(&mut world, ListAsking::Link("ada".into())) else {
        panic!("a link")
    };
    world.wait(30);
    assert_eq!((answered(&world, 1), rang(&world, 2)), (1, 0));
    let from = FileRequest { agent: "ada".into(), token: TokenHash::of(&link.token), by_phone: true };
    let Ok(ListAnswer::File(file)) = ask(&mut world, ListAsking::File { from, known: None }) else {
        panic!("a file")
    };
    let rows: Vec<u32> = file.parts.iter().flat_map(|part| part.rows.iter().map(|row| row.row)).collect();
    assert_eq!(rows, [1, 2], "what is left follows her");
    // And back again.
    start(&mut world, "ada");
    world.wait(120);
    assert_eq!((answered(&world, 2), answered(&world, 3)), (1, 1));
    world.close();
}

#[test]
fn nobody_is_called_while_the_store_is_away_and_what_was_said_then_is_refused() {
    let mut world = stage(&["ada"], &[talks(5), talks(5)]).open();
    deal(&mut world, "autumn", 1, &numbers(2), &["ada"]);
    start(&mut world, "ada");
    world.wait(6);
    assert_eq!(answered(&world, 1), 1);
    world.after(Duration::ZERO, Act::StoreAway { office: 0, time: seconds(30) });
    world.wait(1);
    let mark = DeskSaid::Mark { result: "sold".into(), note: None };
    assert!(say(&mut world, "ada", mark).is_err());
    world.wait(20);
    assert_eq!(rang(&world, 2), 0);
    world.wait(60);
    assert_eq!(answered(&world, 2), 1);
    let kept = Kept::of(&world);
    assert_eq!((kept.end(0), kept.end(1)), (Some(End::Reached), Some(End::Reached)));
    kept.assert_same("the store was away");
    world.close();
}

#[test]
fn who_wants_no_more_calls_gets_none_and_what_may_not_be_called_ends_with_a_reason() {
    let mut world = stage(&["ada"], &[talks(20), talks(5)]).open();
    deal(&mut world, "autumn", 1, &numbers(2), &["ada"]);
    deal(&mut world, "winter", 2, "number\n900\n", &["ada"]);
    start(&mut world, "ada");
    world.wait(8);
    say(&mut world, "ada", DeskSaid::Forbid).expect("noted");
    world.wait(200);
    assert_eq!((answered(&world, 1), answered(&world, 2)), (1, 1));
    let kept = Kept::of(&world);
    assert_eq!((kept.end(0), kept.ends[&(2, 0)]), (Some(End::Reached), Some(End::Forbidden)));
    // A row given up says so, and is not called.
    world.react(2, rings_on());
    deal(&mut world, "spring", 3, "number\n901\n", &["ada"]);
    world.wait(8);
    say(&mut world, "ada", DeskSaid::GiveUp).expect("given up");
    world.wait(100);
    assert_eq!(Kept::of(&world).ends[&(3, 0)], Some(End::Stopped));
    world.close();
}

#[test]
fn s3_19_who_sits_down_elsewhere_takes_the_list_along() {
    let mut world = stage(&["ada", "bob"], &[talks(8), talks(5), talks(5)]).open();
    deal(&mut world, "autumn", 1, &numbers(3), &["ada"]);
    desk(&mut world, DeskAsking::Start { account: "ada".into(), device: Some("ada-1".into()) })
        .expect("begun");
    world.wait(6);
    // Between two calls: in one, her talk would come along instead.
    let pause = AgentAsking::Pause { account: "ada".into(), reason: "walk".into(), planned: None };
    world.agents(pause).expect("a break");
    world.wait(10);
    let sit = Command::Take { account: "ada".into(), device: "bob-1".into(), means: Means::Badge };
    world.after(Duration::ZERO, Act::Command { office: 0, command: sit });
    world.wait(5);
    world.agents(AgentAsking::Ready("ada".into())).expect("ready");
    world.wait(60);
    assert_eq!(work(&mut world, "ada").device.as_deref(), Some("bob-1"));
    assert_eq!((answered(&world, 2), answered(&world, 3), answered(&world, 4)), (1, 1, 1));
    assert_eq!(
        (answered(&world, ADA), answered(&world, 1)),
        (1, 2),
        "the rest came to the phone at which she sits"
    );
    Kept::of(&world).assert_same("moved");
    world.close();
}

#[test]
fn s3_20_a_row_that_is_given_away_while_it_rings_is_not_called_here_again() {
    let mut world = stage(&["ada", "bob"], &[rings_on(), talks(5)]).open();
    deal(&mut world, "autumn", 1, &numbers(2), &["ada"]);
    start(&mut world, "ada");
    world.wait(5);
    let (list, from) = ("autumn".into(), Some("ada".into()));
    let to = vec![Share { account: "bob".into(), weight: 1 }];
    ask(&mut world, ListAsking::Reassign { list, lines: None, from, to }).expect("given");
    world.wait(200);
    assert_eq!((rang(&world, 2), rang(&world, 3)), (1, 0), "its call went on, and no other was made");
    assert_eq!(Kept::of(&world).outcomes(0), [Outcome::NoAnswer]);
    start(&mut world, "bob");
    world.wait(150);
    // Two are left of three.
    assert_eq!((rang(&world, 2), answered(&world, 3)), (3, 1));
    let kept = Kept::of(&world);
    assert_eq!((kept.end(0), kept.end(1)), (Some(End::UsedUp), Some(End::Reached)));
    kept.assert_same("given away");
    world.close();
}
