//! Shifts of a call centre at random: agents of several queues, callers who wait or give up, and whatever goes wrong. All
//! of it follows from one seed.

use crate::centre::{put_queue, queue};
use crate::dice::Dice;
use crate::hour::{Failure, Summary, summary};
use crate::net::Link;
use crate::phone::{Attempt, Deed, Mischief, Plan, Reaction, Ring, Then};
use crate::stage::{exchange_address, put_device};
use crate::world::{Act, World, office_config};
use exchange::{
    AgentAsking, CallbackFirst, Change, Command, Forgotten, PeopleChange, Queue, QueueCallback, QueueMember,
    QueueStrategy, SignIn, Snapshot,
};
use media::Codec;
use sip::Transport;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How large a call centre is, and how long it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Agents, each with a phone.
    pub agents: usize,
    /// Queues; an agent works for one to six of them.
    pub queues: usize,
    /// Phones of callers.
    pub callers: usize,
    /// Hours.
    pub hours: u64,
    /// Calls in an hour.
    pub calls: u64,
}

impl Size {
    /// An office of two hundred, for a few hours.
    pub const OFFICE: Size = Size { agents: 200, queues: 5, callers: 120, hours: 2, calls: 1_200 };

    /// The same office on a working day that is not a busy one.
    pub const WORKING_DAY: Size = Size { hours: 8, calls: 240, ..Size::OFFICE };

    /// So many agents, for one busy hour.
    #[must_use]
    pub fn busy_hour(agents: usize) -> Size {
        let queues = (agents / 200).clamp(1, 50);
        Size { agents, queues, callers: agents / 2, hours: 1, calls: agents as u64 * 6 }
    }

    /// Whether lists of all calls are too long to be compared after each event.
    fn is_large(self) -> bool {
        self.agents > 100
    }
}

const HOUR: u64 = 3_600_000;
/// The time in which all calls end by themselves.
const AFTER: Duration = Duration::from_secs(900);
/// The quiet time after which nothing may be left.
const QUIET: Duration = Duration::from_secs(7_200);

/// Plays some hours of a call centre.
///
/// # Errors
/// The first checker that was broken, with the end of the trace.
pub fn shift(seed: u64, size: Size) -> Result<Summary, Box<Failure>> {
    let mut dice = Dice::new(seed, 17);
    let mut world = furnish(seed, size, &mut dice);
    work(&mut world, size, &mut dice);
    close(world, seed)
}

/// Plays a week: five days of so many hours, with nights between them, and a quiet weekend.
///
/// # Errors
/// The first checker that was broken, with the end of the trace.
pub fn week(seed: u64, size: Size) -> Result<Summary, Box<Failure>> {
    let mut dice = Dice::new(seed, 19);
    let mut world = furnish(seed, size, &mut dice);
    for day in 0..7 {
        if day < 5 {
            work(&mut world, size, &mut dice);
            for agent in 0..size.agents {
                let wait = dice.millis(0..600_000);
                tell(&mut world, wait, AgentAsking::SignOut(name(agent)));
            }
            world.run_for(Duration::from_millis((24 - size.hours) * HOUR));
        } else {
            world.run_for(Duration::from_millis(24 * HOUR));
        }
    }
    close(world, seed)
}

/// Everybody signs in and works for the hours of a shift.
fn work(world: &mut World, size: Size, dice: &mut Dice) {
    for agent in 0..size.agents {
        let wait = dice.millis(0..60_000);
        tell(world, wait, AgentAsking::SignIn { account: name(agent), sign_in: SignIn::default() });
    }
    for _ in 0..size.hours {
        plan_calls(world, size, dice);
        plan_work(world, size, dice);
        plan_faults(world, size, dice);
        world.run_for(Duration::from_millis(HOUR));
    }
}

/// Lets all calls end and everything fall silent, and hears the last word of each checker.
fn close(mut world: World, seed: u64) -> Result<Summary, Box<Failure>> {
    world.run_for(AFTER);
    for phone in 0..world.phones.len() {
        world.after(Duration::ZERO, Act::PowerOff { phone });
    }
    world.run_for(QUIET);
    summary(world, seed, false).map(|(summary, _)| summary)
}

fn name(agent: usize) -> Box<str> {
    format!("agent-{agent}").into()
}

fn number(queue: usize) -> String {
    (800 + queue).to_string()
}

fn furnish(seed: u64, size: Size, dice: &mut Dice) -> World {
    let mut world = if size.is_large() { World::large(seed) } else { World::new(seed, false) };
    let mut changes: Vec<PeopleChange> = Vec::new();
    let mut people = |account: &str, number: usize| {
        changes.push(PeopleChange::PutAccount {
            name: account.into(),
            display: account.into(),
            settings: Box::default(),
        });
        changes.push(PeopleChange::PutNumber { number: number.to_string().into(), account: account.into() });
        changes.push(put_device(&format!("{account}-1"), account));
    };
    (0..size.agents).for_each(|agent| people(&name(agent), 10_000 + agent));
    (0..size.callers).for_each(|caller| people(&format!("caller-{caller}"), 40_000 + caller));
    let mut queues: Vec<Queue> = (0..size.queues).map(|place| plan_queue(place, dice)).collect();
    for agent in 0..size.agents {
        for _ in 0..dice.within(1..7) {
            let members = &mut queues[dice.within(0..size.queues as u64) as usize].members;
            let priority = dice.within(1..3) as u8;
            if members.last().is_none_or(|last| *last.account != *name(agent)) {
                members.push(QueueMember { account: name(agent), priority });
            }
        }
    }
    for (place, queue) in queues.into_iter().enumerate() {
        changes.push(put_queue(&format!("queue-{place}"), queue));
    }
    let mut config = office_config(exchange_address());
    config.agents.wrap_up = [Duration::from_secs(3), Duration::ZERO, Duration::from_secs(5)];
    config.agents.forgotten = Forgotten::Ready;
    let changes = changes.into_iter().map(Change::People).collect();
    world.ports = (4 * size.agents).clamp(400, 26_000) as u16;
    world.add_office(exchange_address(), config, Snapshot { changes, sequence: 0 });
    for agent in 0..size.agents {
        let reaction = plan_reaction(dice);
        add_phone(&mut world, &name(agent), reaction, size, dice);
    }
    for caller in 0..size.callers {
        // Half of them take a call, when they are called back.
        let then = if dice.permille(500) { Then::Answer } else { Then::Refuse(486) };
        let reaction = Reaction { then, ..plan_reaction(dice) };
        add_phone(&mut world, &format!("caller-{caller}"), reaction, size, dice);
    }
    world.run_for(Duration::from_secs(30));
    world
}

fn plan_queue(place: usize, dice: &mut Dice) -> Queue {
    let mut plan = queue(&format!("Queue {place}"), &number(place), &[]);
    plan.strategy = *dice.pick(&[
        QueueStrategy::LongestIdle,
        QueueStrategy::LongestIdle,
        QueueStrategy::RoundRobin,
        QueueStrategy::All,
    ]);
    plan.wrap_up = dice.millis(0..60_000);
    plan.ring = dice.millis(8_000..25_000);
    plan.longest_wait = dice.permille(400).then(|| dice.millis(60_000..600_000));
    plan.most_waiting = dice.within(5..200) as u16;
    plan.answer_after = dice.permille(700).then(|| dice.millis(0..30_000));
    plan.announce = dice.millis(0..60_000);
    plan.callback = dice.permille(600).then(|| QueueCallback {
        first: *dice.pick(&[CallbackFirst::Agent, CallbackFirst::Agent, CallbackFirst::Caller]),
        ..QueueCallback::USUAL
    });
    plan
}

fn plan_reaction(dice: &mut Dice) -> Reaction {
    let then = match dice.within(0..24) {
        0 => Then::Never,
        1 => Then::Refuse(*dice.pick(&[486, 480, 603])),
        _ => Then::Answer,
    };
    let mischief = match dice.within(0..40) {
        0 => Mischief::AnswersTwice,
        1 => Mischief::AnswersAfterCancel,
        2 => Mischief::Vanishes(dice.within(2..60) as u16),
        _ => Mischief::Nothing,
    };
    let ring = if dice.permille(30) { Ring::Quiet } else { Ring::Plain };
    let talk = Some(dice.millis(5_000..180_000));
    Reaction { ring, after: dice.millis(500..9_000), then, talk, mischief }
}

fn add_phone(world: &mut World, account: &str, reaction: Reaction, size: Size, dice: &mut Dice) {
    let place = world.phones.len() as u32;
    let host = IpAddr::V4(Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 1)) + place));
    let device: Box<str> = format!("{account}-1").into();
    let loss = if dice.permille(100) { dice.within(0..30) as u32 } else { 0 };
    let phone = world.add_phone(Plan {
        device: device.clone(),
        password: device,
        office: 0,
        address: SocketAddr::new(host, 5060),
        nat: None,
        transport: Transport::Udp,
        link: Link { loss, jitter: dice.millis(0..20), ..Link::cable() },
        codecs: vec![Codec::PCMA, Codec::PCMU],
        reg_id: 0,
        expires: if size.is_large() { 3_600 } else { 600 },
        keep_alive: None,
        reliable: dice.permille(100),
        session_timer: dice.permille(700).then_some(90),
        reaction,
    });
    let wait = dice.millis(0..20_000);
    world.after(wait, Act::Boot { phone, moved: false });
}

fn tell(world: &mut World, wait: Duration, asking: AgentAsking) {
    world.after(wait, Act::Command { office: 0, command: Command::Agents(Box::new(asking)) });
}

fn plan_calls(world: &mut World, size: Size, dice: &mut Dice) {
    for _ in 0..size.calls {
        let phone = size.agents + dice.within(0..size.callers as u64) as usize;
        let queue = number(dice.within(0..size.queues as u64) as usize);
        let asks = dice.permille(150).then(|| (dice.millis(1_000..60_000), Deed::Press('1')));
        let attempt = Attempt {
            patience: dice.millis(2_000..300_000),
            talk: dice.millis(10_000..400_000),
            mischief: if dice.permille(20) { Mischief::LeavesWhileRinging } else { Mischief::Nothing },
            late_offer: dice.permille(30),
            deeds: asks.into_iter().collect(),
            ..Attempt::to(&queue)
        };
        let wait = dice.millis(0..HOUR);
        world.after(wait, Act::Call { phone, attempt });
    }
}

/// What agents do by themselves.
fn plan_work(world: &mut World, size: Size, dice: &mut Dice) {
    for _ in 0..size.agents * 4 {
        let agent = dice.within(0..size.agents as u64) as usize;
        let account = name(agent);
        let wait = dice.millis(0..HOUR);
        let planned = dice.permille(500).then(|| dice.millis(10_000..900_000));
        match dice.within(0..12) {
            0 => tell(world, wait, AgentAsking::SignOut(account)),
            1..=3 => tell(world, wait, AgentAsking::SignIn { account, sign_in: SignIn::default() }),
            4 | 5 => tell(world, wait, AgentAsking::Pause { account, reason: "break".into(), planned }),
            6..=8 => tell(world, wait, AgentAsking::Ready(account)),
            9 => tell(world, wait, AgentAsking::Extend(account)),
            10 => {
                let other = 10_000 + dice.within(0..size.agents as u64);
                let talk = dice.millis(1_000..60_000);
                let attempt = Attempt { talk, ..Attempt::to(&other.to_string()) };
                world.after(wait, Act::Call { phone: agent, attempt });
            }
            _ => {
                world.after(wait, Act::Do { phone: agent, deed: Deed::Hold });
                let back = wait + dice.millis(1_000..30_000);
                world.after(back, Act::Do { phone: agent, deed: Deed::Resume });
            }
        }
    }
}

fn plan_faults(world: &mut World, size: Size, dice: &mut Dice) {
    for _ in 0..size.agents / 10 {
        let phone = dice.within(0..size.agents as u64) as usize;
        let wait = dice.millis(0..HOUR);
        world.after(wait, Act::PowerOff { phone });
        let back = wait + dice.millis(1_000..900_000);
        world.after(back, Act::Boot { phone, moved: dice.permille(300) });
        let reaction = plan_reaction(dice);
        world.after(back, Act::React { phone, reaction });
        let cut = dice.millis(0..HOUR);
        let phone = dice.within(0..world.phones.len() as u64) as usize;
        world.after(cut, Act::Cut { phone, time: dice.millis(500..40_000) });
    }
    let (away, jump) = (dice.millis(0..HOUR), dice.millis(0..HOUR));
    world.after(away, Act::StoreAway { office: 0, time: dice.millis(1_000..60_000) });
    let milliseconds = dice.within(0..14_400_000) as i64 - 7_200_000;
    world.after(jump, Act::ClockJump { milliseconds });
}
