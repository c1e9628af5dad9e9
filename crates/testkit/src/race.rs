//! A few seconds at random in which everybody wants the same call: taps, answers, pickup, CANCEL, timeout, and numbers and
//! people that change hands meanwhile (S1.10). All of it follows from one seed.

use crate::dice::Dice;
use crate::hour::{Failure, Summary, summary};
use crate::phone::{Attempt, Deed, Mischief, Reaction, Ring, Then};
use crate::stage::Stage;
use crate::world::{Act, World};
use exchange::{
    AutoAnswer, Command, DeviceEdit, Group, Means, PeopleChange, Right, Rights, SeatPolicy, Settings,
    Strategy,
};
use std::time::Duration;

/// The phones, in the order in which they stand in the office.
const PHONES: [&str; 7] = ["carl-1", "dora-1", "ada-1", "ada-2", "bob-1", "desk-1", "desk-2"];
/// Those at which somebody may tap.
const DESKS: [&str; 5] = ["desk-1", "desk-2", "ada-1", "ada-2", "bob-1"];
/// Everything begins within so long.
const RUSH: u64 = 5_000;
/// The time in which all calls of a race end by themselves.
const AFTER: Duration = Duration::from_secs(240);
/// The quiet time after which nothing may be left.
const QUIET: Duration = Duration::from_secs(7_200);

/// Plays one race; `whole` keeps the whole trace, which comes back as the second value.
///
/// # Errors
/// The first checker that was broken, with the trace.
pub fn race(seed: u64, whole: bool) -> Result<(Summary, Vec<String>), Box<Failure>> {
    let mut dice = Dice::new(seed, 7);
    let mut world = furnish(seed, whole, &mut dice);
    rush(&mut world, &mut dice);
    world.run_for(AFTER);
    for phone in 0..world.phones.len() {
        world.after(Duration::ZERO, Act::PowerOff { phone });
    }
    world.run_for(QUIET);
    summary(world, seed, whole)
}

fn furnish(seed: u64, whole: bool, dice: &mut Dice) -> World {
    let mut stage = Stage::new(seed).keeping(whole);
    stage.config.ring_limit = dice.millis(2_000..9_000);
    stage.config.seats = SeatPolicy {
        several: dice.permille(700),
        again_leaves: dice.permille(700),
        owner_rings: dice.permille(700),
        longest: dice.permille(200).then(|| dice.millis(500..5_000)),
        ..SeatPolicy::default()
    };
    for (account, number) in
        [("carl", "500"), ("dora", "600"), ("ada", "100"), ("bob", "200"), ("room", "400")]
    {
        stage = stage.person(account, number);
        let front = if account == "room" { "desk" } else { account };
        for device in PHONES.iter().filter(|device| device.starts_with(front)) {
            let reaction = reaction(dice);
            let reliable = dice.permille(200);
            stage = stage.phone(device, reaction).with(|plan| {
                plan.reliable = reliable;
                plan.link.latency = dice.millis(1..40);
                plan.link.jitter = dice.millis(0..40);
            });
        }
    }
    let rights = Rights::default().with(Right::Pull);
    let settings = Settings { rights, pin: Some("1234".into()), ..Settings::default() };
    let ada =
        PeopleChange::PutAccount { name: "ada".into(), display: "Ada".into(), settings: settings.into() };
    let members = vec!["ada".into(), "bob".into()];
    let (ring, strategy) = (Duration::from_secs(4), Strategy::All);
    let group =
        Group { display: "Sales".into(), number: "900".into(), strategy, members, ring, overflow: None };
    let sales = PeopleChange::PutGroup { name: "sales".into(), group: group.into() };
    let mut world = stage.change(ada).change(sales).open();
    for device in DESKS {
        if dice.permille(500) {
            let edits = vec![DeviceEdit::AutoAnswer(Some(AutoAnswer::CallInfo))];
            world.command(0, Command::EditDevice { name: device.into(), edits });
        }
    }
    world.run_for(Duration::from_secs(1));
    world
}

fn reaction(dice: &mut Dice) -> Reaction {
    let ring = match dice.within(0..12) {
        0 => Ring::Deaf,
        1 | 2 => Ring::Early,
        3 => Ring::EarlyReliable,
        _ => Ring::Plain,
    };
    let then = match dice.within(0..8) {
        0 => Then::Never,
        1 => Then::Refuse(*dice.pick(&[486, 480, 603, 488, 404])),
        _ => Then::Answer,
    };
    let mischief = match dice.within(0..14) {
        0 => Mischief::AnswersTwice,
        1 => Mischief::Forks,
        2 | 3 => Mischief::AnswersAfterCancel,
        _ => Mischief::Nothing,
    };
    let talk = dice.permille(200).then(|| dice.millis(100..6_000));
    Reaction { ring, after: dice.millis(0..RUSH), then, talk, mischief }
}

/// What everybody does, all at nearly the same time.
fn rush(world: &mut World, dice: &mut Dice) {
    world.offices[0].mute = dice.permille(100);
    calls(world, dice, 0);
    if dice.permille(400) {
        calls(world, dice, 1);
    }
    for _ in 0..dice.within(1..5) {
        let when = dice.millis(0..RUSH);
        match dice.within(0..18) {
            0..=5 => tap(world, dice, "ada", when),
            6 | 7 => {
                let device = *dice.pick(&DESKS);
                tap_at(world, "ada", device, when);
                tap_at(world, "ada", device, when + dice.millis(0..7_000));
            }
            8 => tap(world, dice, "bob", when),
            9 => command(world, when, Command::EndSeat { device: "desk-1".into(), who: "somebody".into() }),
            10 => command(world, when, Command::MoveNumber { number: "100".into(), account: "bob".into() }),
            11 => command(world, when, Command::LeaveOffice("ada".into())),
            12 => {
                let code = *dice.pick(&["*84", "*85100", "*84"]);
                dial(world, dice, "bob-1", when, code, Vec::new());
            }
            13 => dial(world, dice, "ada-2", when, "*65", Vec::new()),
            14 => {
                let keys = "100#1234#".chars().zip(1..);
                let deeds = keys.map(|(key, n)| (Duration::from_millis(900 + 150 * n), Deed::Press(key)));
                // Perhaps they sit there afterwards.
                world.reference.is_at(0, "ada", "desk-2");
                dial(world, dice, "desk-2", when, "*63", deeds.collect());
            }
            15 | 16 => {
                let account = (*dice.pick(&["ada", "ada", "bob"])).into();
                world.after(when, Act::Dismiss { office: 0, account });
            }
            _ => {
                let device = *dice.pick(&DESKS);
                let phone = phone_of(device);
                world.after(when, Act::PowerOff { phone });
            }
        }
    }
}

fn calls(world: &mut World, dice: &mut Dice, phone: usize) {
    let number = *dice.pick(&["100", "100", "100", "100", "200", "900"]);
    let attempt = Attempt {
        patience: dice.millis(200..8_000),
        talk: dice.millis(500..9_000),
        late_offer: dice.permille(100),
        ..Attempt::to(number)
    };
    world.after(dice.millis(0..1_500), Act::Call { phone, attempt });
}

fn tap(world: &mut World, dice: &mut Dice, account: &str, when: Duration) {
    let device = *dice.pick(&DESKS);
    tap_at(world, account, device, when);
}

fn tap_at(world: &mut World, account: &str, device: &str, when: Duration) {
    let take = Command::Take { account: account.into(), device: device.into(), means: Means::Badge };
    command(world, when, take);
}

fn dial(
    world: &mut World,
    dice: &mut Dice,
    device: &str,
    when: Duration,
    number: &str,
    deeds: Vec<(Duration, Deed)>,
) {
    let attempt = Attempt { talk: dice.millis(3_000..9_000), deeds, ..Attempt::to(number) };
    world.after(when, Act::Call { phone: phone_of(device), attempt });
}

fn command(world: &mut World, when: Duration, command: Command) {
    world.after(when, Act::Command { office: 0, command });
}

fn phone_of(device: &str) -> usize {
    PHONES.iter().position(|known| *known == device).unwrap_or_default()
}
