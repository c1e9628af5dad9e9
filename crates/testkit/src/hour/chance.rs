//! What people and phones do in an hour, at random.

use super::{ACCOUNTS, CALLS, HOUR, LOOP, PHONES, number_of};
use crate::dice::Dice;
use crate::phone::{Attempt, Deed, Mischief, Reaction, Ring, Then};
use crate::reference::ECHO;
use crate::world::{Act, World};
use media::Codec;
use std::time::Duration;

/// Sixty calls, and phones that change their minds.
pub(super) fn plan_calls(world: &mut World) {
    let mut dice = Dice::new(world.seed(), 2);
    let calm = world.reference.calm;
    for _ in 0..CALLS {
        let moment = Duration::from_secs(30) + dice.millis(0..HOUR.as_millis() as u64 - 30_000);
        let phone = dice.within(0..PHONES as u64) as usize;
        let attempt = attempt(calm, &mut dice);
        world.after(moment, Act::Call { phone, attempt });
    }
    for phone in 0..PHONES {
        for _ in 0..6 {
            let moment = dice.millis(0..HOUR.as_millis() as u64);
            let reaction = reaction(calm, &mut dice);
            world.after(moment, Act::React { phone, reaction });
        }
    }
}

pub(super) fn codecs(dice: &mut Dice) -> Vec<Codec> {
    let mut codecs = vec![Codec::PCMA];
    for codec in [Codec::PCMU, Codec::G722, Codec::OPUS] {
        if dice.permille(500) {
            codecs.insert(dice.within(0..codecs.len() as u64 + 1) as usize, codec);
        }
    }
    if codecs.len() > 1 && dice.permille(300) {
        codecs.retain(|codec| *codec != Codec::PCMA);
    }
    codecs
}

pub(super) fn reaction(calm: bool, dice: &mut Dice) -> Reaction {
    let ring = match dice.within(0..20) {
        0 if !calm => Ring::Deaf,
        1..=3 => Ring::Early,
        4..=6 => Ring::EarlyReliable,
        _ => Ring::Plain,
    };
    let then = match dice.within(0..20) {
        0..=1 => Then::Never,
        2..=4 => Then::Refuse(*dice.pick(&[486, 480, 603, 486, 488, 600])),
        5 if !calm => Then::Refuse(*dice.pick(&[302, 400, 404, 408, 415, 481, 487, 500, 503, 699])),
        _ => Then::Answer,
    };
    let mischief = match dice.within(0..30) {
        0..=1 => Mischief::AnswersTwice,
        2..=3 => Mischief::Forks,
        4..=5 => Mischief::AnswersAfterCancel,
        6 => Mischief::Vanishes(dice.within(1..60) as u16),
        _ => Mischief::Nothing,
    };
    Reaction {
        ring,
        after: dice.millis(0..40_000),
        then,
        talk: dice.permille(400).then(|| dice.millis(500..240_000)),
        mischief: if calm { Mischief::Nothing } else { mischief },
    }
}

fn attempt(calm: bool, dice: &mut Dice) -> Attempt {
    let number = match dice.within(0..20) {
        0 => "999".into(),
        1 => LOOP.into(),
        2 => ECHO.into(),
        // Codes that leave the directory as it is.
        3 => (*dice.pick(&["*60", "*61", "*62", "*62999"])).into(),
        _ => number_of(dice.within(0..2) as usize, dice.within(0..u64::from(ACCOUNTS)) as u16),
    };
    let mischief = match dice.within(0..30) {
        0 => Mischief::NeverAcknowledges,
        1..=2 => Mischief::Duplicates,
        3 => Mischief::LeavesWhileRinging,
        4 => Mischief::Vanishes(dice.within(1..60) as u16),
        _ => Mischief::Nothing,
    };
    let deeds = (0..dice.within(0..4)).map(|_| (dice.millis(100..60_000), deed(dice))).collect();
    Attempt {
        number,
        patience: dice.millis(300..70_000),
        talk: dice.millis(100..300_000),
        late_offer: dice.permille(100),
        deeds,
        mischief: if calm { Mischief::Nothing } else { mischief },
        hops: if calm { 70 } else { if dice.permille(960) { 70 } else { dice.within(0..3) as u8 } },
        session: None,
        wrong_secret: !calm && dice.permille(20),
        hidden: dice.permille(30),
    }
}

pub(super) fn deed(dice: &mut Dice) -> Deed {
    match dice.within(0..9) {
        8 => Deed::RepeatAck,
        0..=1 => Deed::Hold,
        2..=3 => Deed::Resume,
        4 => Deed::AskForOffer,
        5 => Deed::Update,
        6 => Deed::OldSequence,
        _ => Deed::Press(*dice.pick(&['0', '5', '#', '*', 'A'])),
    }
}
