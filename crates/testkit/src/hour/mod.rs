//! An office-hour at random: two exchanges, twenty phones, sixty calls, and whatever goes wrong. All of it follows
//! from one seed; every fourth hour is calm, and then the reference office is strict.

mod chance;
mod faults;

use crate::dice::Dice;
use crate::net::{Link, Nat, Reach};
use crate::observed::OfficeId;
use crate::phone::{Phone, Plan};
use crate::stage::put_device;
use crate::world::{Act, World, office_config};
use exchange::{Change, Command, PeopleChange, Snapshot, StoredBinding, Trunk};
use sip::{Flow, Transport};
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Phones of both offices together.
pub const PHONES: usize = 20;
/// Calls in an hour.
pub const CALLS: u64 = 60;
const HOUR: Duration = Duration::from_secs(3_600);
/// The time in which calls of the hour end by themselves.
const AFTER: Duration = Duration::from_secs(400);
/// The quiet time after which nothing may be left.
const QUIET: Duration = Duration::from_secs(7_200);
/// The longest that a question to a trunk may still wait for its answer.
const LAST_WORDS: Duration = Duration::from_secs(120);
/// Accounts of one office.
const ACCOUNTS: u16 = 5;
/// A number that each office believes to be at the other.
const LOOP: &str = "300";

/// What an hour came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The hash of the trace.
    pub hash: u64,
    /// Events in it.
    pub events: u64,
    /// Calls by their final status, as the callers saw it.
    pub finals: BTreeMap<u16, u64>,
}

/// An hour in which a checker was broken.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// What broke.
    pub words: String,
    /// One line an event: the last of them, or all.
    pub trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(f, "{line}")?;
        }
        write!(f, "seed {} broke: {}", self.seed, self.words)
    }
}

/// Plays one hour; `whole` keeps the whole trace, which comes back as the second value.
///
/// # Errors
/// The first checker that was broken, with the trace.
pub fn office_hour(seed: u64, whole: bool) -> Result<(Summary, Vec<String>), Box<Failure>> {
    let mut world = furnish(seed, whole);
    chance::plan_calls(&mut world);
    if !world.reference.calm {
        faults::plan_faults(&mut world);
    }
    world.run_for(HOUR + AFTER);
    for phone in 0..world.phones.len() {
        world.after(Duration::ZERO, Act::PowerOff { phone });
    }
    // Trunks are asked for ever whether they live; for nothing to be left, they leave, too.
    for office in 0..2 {
        let change = PeopleChange::RemoveTrunk { name: "other-office".into() };
        world.after(QUIET - LAST_WORDS, Act::Command { office, command: Command::Change(change) });
    }
    world.run_for(QUIET);
    summary(world, seed, whole)
}

/// What came of a world that has nothing left to do; `whole` says whether its whole trace comes back, too.
pub(crate) fn summary(
    mut world: World,
    seed: u64,
    whole: bool,
) -> Result<(Summary, Vec<String>), Box<Failure>> {
    if world.broken.is_none() {
        world.end();
    }
    if let Some(broken) = &world.broken {
        let failure = Failure { seed, words: broken.to_string(), trace: world.trace.lines() };
        return Err(Box::new(failure));
    }
    let finals = world.reference.finals().clone();
    let summary = Summary { hash: world.trace.hash(), events: world.trace.events(), finals };
    Ok((summary, if whole { world.trace.lines() } else { Vec::new() }))
}

/// Where an office's exchange listens.
fn address_of(office: OfficeId) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1 + office as u8).into(), 5060)
}

/// The number of an account.
fn number_of(office: OfficeId, account: u16) -> Box<str> {
    format!("{}", 100 * (office as u16 + 1) + account).into()
}

fn account_of(office: OfficeId, account: u16) -> Box<str> {
    format!("person-{office}-{account}").into()
}

/// Two offices with their people, lines and phones.
fn furnish(seed: u64, whole: bool) -> World {
    let mut world = World::new(seed, whole);
    let mut dice = Dice::new(seed, 1);
    world.reference.calm = seed.is_multiple_of(4);
    let calm = world.reference.calm;
    let owners: Vec<(OfficeId, u16)> = (0..PHONES as u64)
        .map(|phone| {
            // Each account has one phone at least (S1.2); the others go where chance wants.
            let account = if phone < 10 { phone } else { dice.within(0..10) };
            ((account % 2) as OfficeId, (account / 2) as u16)
        })
        .collect();
    for office in 0..2 {
        let changes = people(office, &owners).into_iter().map(Change::People);
        let lines = lines_of(office).into_iter().map(|number| line(&world, office, &number));
        let changes: Vec<Change> = changes.chain(lines).collect();
        for number in lines_of(office) {
            world.reference.add_line(office, &line_device(&number), 1 - office);
        }
        world.add_office(
            address_of(office),
            office_config(address_of(office)),
            Snapshot { changes, sequence: 0 },
        );
    }
    let nats: Vec<usize> = (0..3).map(|number| world.add_nat(nat(number, &mut dice))).collect();
    if !calm {
        world.trunk = bad_link(&mut dice);
    }
    for (number, (office, _)) in owners.iter().enumerate() {
        let plan = phone_plan(number, *office, calm, &nats, &mut dice);
        let phone = world.add_phone(plan);
        let moment = dice.millis(0..20_000);
        world.after(moment, Act::Boot { phone, moved: false });
    }
    world
}

/// The numbers that an office reaches through its line to the other.
fn lines_of(office: OfficeId) -> Vec<Box<str>> {
    let there = (0..ACCOUNTS).map(|account| number_of(1 - office, account));
    there.chain([LOOP.into()]).collect()
}

fn line_device(number: &str) -> Box<str> {
    format!("line-{number}").into()
}

fn people(office: OfficeId, owners: &[(OfficeId, u16)]) -> Vec<PeopleChange> {
    let mut changes = Vec::new();
    for account in 0..ACCOUNTS {
        let name = account_of(office, account);
        changes.push(PeopleChange::PutAccount {
            name: name.clone(),
            display: name.clone(),
            settings: Box::default(),
        });
        changes.push(PeopleChange::PutNumber { number: number_of(office, account), account: name.clone() });
        for (phone, _) in owners.iter().enumerate().filter(|(_, owner)| **owner == (office, account)) {
            changes.push(put_device(&device_of(phone), &name));
        }
    }
    for number in lines_of(office) {
        let name: Box<str> = format!("to-{number}").into();
        changes.push(PeopleChange::PutAccount {
            name: name.clone(),
            display: name.clone(),
            settings: Box::default(),
        });
        changes.push(PeopleChange::PutNumber { number: number.clone(), account: name.clone() });
        changes.push(put_device(&line_device(&number), &name));
    }
    let trunk = Box::new(Trunk::at(exchange::Host::Address(address_of(1 - office).ip()), None));
    changes.push(PeopleChange::PutTrunk { name: "other-office".into(), trunk });
    changes
}

fn device_of(phone: usize) -> Box<str> {
    format!("phone-{phone}").into()
}

/// The binding that leads to the other exchange, from the start and for days.
fn line(world: &World, office: OfficeId, number: &str) -> Change {
    let there = address_of(1 - office);
    let binding = StoredBinding {
        contact: format!("sip:{number}@{there}").into(),
        instance: None,
        reg_id: 0,
        q: 1_000,
        path: Vec::new(),
        flow: Flow::udp(address_of(office), there),
        behind_nat: false,
        expires: world.now.after(Duration::from_secs(1_000_000)).wall,
        call_id: "line".into(),
        sequence: 1,
    };
    Change::Bindings { device: line_device(number), bindings: vec![binding] }
}

fn nat(number: u8, dice: &mut Dice) -> Nat {
    let reaches = [Reach::Endpoint, Reach::Address, Reach::AddressAndPort];
    let public = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 10 + number));
    let timeout = Duration::from_secs(dice.within(40..180));
    Nat::new(public, *dice.pick(&reaches), *dice.pick(&reaches), timeout)
}

fn bad_link(dice: &mut Dice) -> Link {
    Link {
        latency: dice.millis(1..60),
        jitter: dice.millis(0..60),
        loss: dice.within(0..50) as u32,
        duplicates: dice.within(0..20) as u32,
        reordered: dice.within(0..30) as u32,
        ..Link::cable()
    }
}

fn phone_plan(phone: usize, office: OfficeId, calm: bool, nats: &[usize], dice: &mut Dice) -> Plan {
    let transport = match dice.within(0..10) {
        0 | 1 => Transport::Tcp,
        2 => Transport::Tls,
        3 => Transport::Wss,
        _ => Transport::Udp,
    };
    let behind = dice.permille(300);
    let nat = behind.then(|| *dice.pick(nats));
    let subnet = if behind { 2 + nat.unwrap_or(0) as u8 } else { 1 };
    let host = IpAddr::V4(Ipv4Addr::new(10, subnet, office as u8, 10 + phone as u8));
    Plan {
        device: device_of(phone),
        password: device_of(phone),
        office,
        address: SocketAddr::new(host, 5060),
        nat,
        transport,
        link: if calm || dice.permille(300) { Link::cable() } else { bad_link(dice) },
        codecs: chance::codecs(dice),
        reg_id: 0,
        expires: dice.within(60..600) as u32,
        keep_alive: behind.then(|| Duration::from_secs(25)),
        reliable: dice.permille(300),
        session_timer: dice.permille(400).then(|| *dice.pick(&[0, 90, 120, 600, 1_800])),
        reaction: chance::reaction(calm, dice),
    }
}

/// Which phones there are, for scripts.
fn offices_of(phones: &[Phone]) -> Vec<OfficeId> {
    phones.iter().map(|phone| phone.plan.office).collect()
}
