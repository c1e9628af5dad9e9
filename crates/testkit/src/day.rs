//! A working day of one queue, with the automatic return to ready and without it (S0.18). The callers are the same; without
//! it people press a key when they think of it.

use crate::centre::{patient, put_queue, queue, works};
use crate::dice::Dice;
use crate::hour::{Failure, summary};
use crate::phone::Attempt;
use crate::stage::Stage;
use crate::world::{Act, World};
use exchange::{AgentAsking, AgentState, Command, QueueCounts};
use std::collections::BTreeMap;
use std::time::Duration;

const AGENTS: [&str; 8] = ["ada", "bob", "cai", "dan", "eve", "fay", "gus", "han"];
const CALLERS: usize = 60;
const HOURS: u64 = 8;
/// Calls in an hour: with half a minute after each call, three quarters of what eight people can take.
const CALLS: u64 = 100;
/// What has to be written down after a call.
const NOTES: Duration = Duration::from_secs(30);
/// A wrap-up that nobody would wait for.
const ENDLESS: Duration = Duration::from_secs(3_600);

/// Who brings an agent back after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// The exchange, when the interval is over.
    Automatic,
    /// The agent, by hand: seven of ten times within ten seconds of the notes, else when they notice.
    ByHand,
}

/// What became of the day's callers.
///
/// # Errors
/// The first checker that was broken.
pub fn day(seed: u64, by: Return) -> Result<QueueCounts, Box<Failure>> {
    let mut dice = Dice::new(seed, 23);
    let mut world = furnish(seed, by);
    for agent in AGENTS {
        world.sign_in(agent);
    }
    for _ in 0..HOURS * CALLS {
        let phone = AGENTS.len() + dice.within(0..CALLERS as u64) as usize;
        let patience = dice.millis(20_000..240_000);
        let attempt = Attempt { patience, ..patient("800") };
        let wait = dice.millis(0..HOURS * 3_600_000);
        world.after(wait, Act::Call { phone, attempt });
    }
    let mut hands = Dice::new(seed, 29);
    let mut thinks_of_it = BTreeMap::new();
    for _ in 0..HOURS * 3_600 + 900 {
        world.wait(1);
        if by == Return::ByHand {
            look(&mut world, &mut hands, &mut thinks_of_it);
        }
    }
    let counts = world.queue("calls").counts;
    for phone in 0..world.phones.len() {
        world.after(Duration::ZERO, Act::PowerOff { phone });
    }
    world.wait(7_200);
    summary(world, seed, false).map(|_| counts)
}

/// Whoever has just come out of a call will press the key at some time.
fn look(world: &mut World, dice: &mut Dice, thinks_of_it: &mut BTreeMap<Box<str>, bool>) {
    for row in world.agents(AgentAsking::List).unwrap_or_default() {
        let works = row.state == AgentState::WrapUp;
        let planned = thinks_of_it.insert(row.account.clone(), works).unwrap_or(false);
        if works && !planned {
            let late = if dice.permille(700) { dice.millis(0..10_000) } else { dice.millis(30_000..600_000) };
            let command = Command::Agents(Box::new(AgentAsking::Ready(row.account)));
            world.after(NOTES + late, Act::Command { office: 0, command });
        }
    }
}

fn furnish(seed: u64, by: Return) -> World {
    let mut stage = Stage::new(seed).keeping(false);
    for (place, agent) in AGENTS.into_iter().enumerate() {
        let number = (100 + place).to_string();
        stage = stage.person(agent, &number).phone(&format!("{agent}-1"), works(3, 120 + 20 * place as u64));
    }
    let mut calls = queue("Calls", "800", &AGENTS);
    calls.wrap_up = if by == Return::Automatic { NOTES } else { ENDLESS };
    // Whoever hears nothing but ringing gives up at some time.
    calls.answer_after = Some(ENDLESS);
    let mut world = stage.callers(CALLERS).change(put_queue("calls", calls)).open();
    world.wait(30);
    world
}
