//! What goes wrong in an hour, at random: networks, power, stores, changes of the directory, hostile phones.

use super::chance::deed;
use super::{ACCOUNTS, HOUR, PHONES, account_of, device_of, number_of, offices_of};
use crate::dice::Dice;
use crate::phone::Vexation;
use crate::stage::put_device;
use crate::world::{Act, World};
use exchange::{Command, PeopleChange};
use std::time::Duration;

/// All of it.
pub(super) fn plan_faults(world: &mut World) {
    let mut dice = Dice::new(world.seed(), 3);
    networks(world, &mut dice);
    power(world, &mut dice);
    directory(world, &mut dice);
    for _ in 0..20 {
        let (phone, vexation) = (any_phone(&mut dice), vexation(&mut dice));
        world.after(moment(&mut dice), Act::Vex { phone, vexation });
    }
    for _ in 0..40 {
        let (phone, deed) = (any_phone(&mut dice), deed(&mut dice));
        world.after(moment(&mut dice), Act::Do { phone, deed });
    }
    for _ in 0..dice.within(0..6) {
        let office = dice.within(0..2) as usize;
        world.after(moment(&mut dice), Act::EndCall { office });
    }
}

fn moment(dice: &mut Dice) -> Duration {
    dice.millis(20_000..HOUR.as_millis() as u64)
}

fn any_phone(dice: &mut Dice) -> usize {
    dice.within(0..PHONES as u64) as usize
}

fn networks(world: &mut World, dice: &mut Dice) {
    for _ in 0..dice.within(0..8) {
        let act = Act::Cut { phone: any_phone(dice), time: dice.millis(500..40_000) };
        world.after(moment(dice), act);
    }
    for _ in 0..dice.within(0..4) {
        world.after(moment(dice), Act::CutTrunk { time: dice.millis(500..40_000) });
    }
    for _ in 0..dice.within(0..6) {
        world.after(moment(dice), Act::BreakStream { phone: any_phone(dice) });
    }
    for _ in 0..dice.within(0..3) {
        let milliseconds = dice.within(0..20_000_000) as i64 - 10_000_000;
        world.after(moment(dice), Act::ClockJump { milliseconds });
    }
    for _ in 0..dice.within(0..4) {
        let act = Act::StoreAway { office: dice.within(0..2) as usize, time: dice.millis(100..120_000) };
        world.after(moment(dice), act);
    }
}

fn power(world: &mut World, dice: &mut Dice) {
    for _ in 0..dice.within(0..6) {
        let (phone, when) = (any_phone(dice), moment(dice));
        world.after(when, Act::PowerOff { phone });
        world.after(when + dice.millis(100..200_000), Act::Boot { phone, moved: dice.permille(500) });
    }
    // Who vanished in a call comes back some time.
    for phone in 0..PHONES {
        world.after(moment(dice), Act::Boot { phone, moved: dice.permille(300) });
    }
}

/// People join, leave, move and change names while calls ring (S1.10, S1.12, S1.13).
fn directory(world: &mut World, dice: &mut Dice) {
    let offices = offices_of(&world.phones);
    for _ in 0..dice.within(0..8) {
        let (when, later) = (moment(dice), dice.millis(10..300_000));
        let phone = any_phone(dice);
        let office = offices[phone];
        let account = account_of(office, dice.within(0..u64::from(ACCOUNTS)) as u16);
        let number = number_of(office, dice.within(0..u64::from(ACCOUNTS)) as u16);
        let pair = match dice.within(0..3) {
            0 => [
                PeopleChange::RemoveDevice { name: device_of(phone) },
                put_device(&device_of(phone), &account),
            ],
            1 => [
                PeopleChange::RemoveNumber { number: number.clone() },
                PeopleChange::PutNumber { number, account },
            ],
            _ => [
                PeopleChange::PutAccount {
                    name: account.clone(),
                    display: "New \"Name\"".into(),
                    settings: Box::default(),
                },
                PeopleChange::PutAccount {
                    name: account,
                    display: "\u{202E}eman".into(),
                    settings: Box::default(),
                },
            ],
        };
        for (change, when) in pair.into_iter().zip([when, when + later]) {
            world.after(when, Act::Command { office, command: Command::Change(change) });
        }
    }
}

fn vexation(dice: &mut Dice) -> Vexation {
    match dice.within(0..10) {
        0 => Vexation::Garbage,
        1 => Vexation::Huge(dice.within(1..60) as u8),
        2 => Vexation::WrongSecret,
        3 => Vexation::Replay,
        4 => Vexation::StrayBye,
        5 => Vexation::StrayAck,
        6 => Vexation::StrayResponse,
        7 => Vexation::Options,
        8 => Vexation::UnknownMethod,
        _ => Vexation::Subscribe,
    }
}
