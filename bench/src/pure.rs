//! `loadgen pure`: what a call, a REGISTER and a binding ask of the exchange's own code. One `Exchange` by value, scripted
//! phones, no sockets and a clock that we turn: the counts are the same in each run, and `valgrind --tool=callgrind
//! --toggle-collect='*Office*feed*'` attributes the same work to functions.

use crate::Failure;
use crate::arguments::Arguments;
use crate::counting::{Asked, asked};
use crate::login::{SECRET, number};
use crate::pure_phones::{DESKS, Phones};
use ::calls::PortLease;
use clock::{Mono, Now, Wall};
use exchange::{Change, Commit, Config, Exchange, Input, Output, PeopleChange, Snapshot, StoreAnswer};
use sip::{Flow, Transmit};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// After so long no transaction of ours lives (RFC 3261: 64 times T1).
const ALL_OVER: Duration = Duration::from_secs(40);
/// Work before it counts: tables have their size then.
const WARM: u32 = 100;
const PORTS: u16 = 2_000;

/// Where the office is reached.
pub(crate) fn office() -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1).into(), 5060)
}

/// The exchange with its shell reduced to a loop.
pub(crate) struct Office {
    exchange: Exchange,
    now: Now,
    /// What it sent and nobody took yet.
    sent: VecDeque<Transmit>,
    to_keep: VecDeque<u64>,
    asked: Asked,
}

impl Office {
    fn new(users: u32) -> Office {
        let now = Now { mono: Mono(1_000_000_000), wall: Wall(1_800_000_000_000) };
        let config = Config { echo_number: None, ..Config::new("office", vec![office()]) };
        let changes = (0..users).flat_map(person).map(Change::People).collect();
        let mut exchange = Exchange::new(now, config, [7; 32], Snapshot { changes, sequence: 0 }).warmed_up();
        let address = office().ip();
        let port = |place| PortLease { address, port: 20_000 + 2 * place, worker: 0 };
        exchange.handle(now, Input::Ports((0..PORTS).map(port).collect()));
        let (sent, to_keep) = (VecDeque::with_capacity(64), VecDeque::with_capacity(64));
        Office { exchange, now, sent, to_keep, asked: Asked::default() }
    }

    /// Brings one datagram.
    pub(crate) fn datagram(&mut self, from: SocketAddr, bytes: &[u8]) {
        self.feed(Input::Datagram { flow: Flow::udp(office(), from), bytes });
        while let Some(sequence) = self.to_keep.pop_front() {
            self.feed(Input::Stored { sequence, answer: StoreAnswer::Committed });
        }
    }

    /// What it sent, in order.
    pub(crate) fn take(&mut self) -> Option<Transmit> {
        self.sent.pop_front()
    }

    /// One input, and everything that comes out of it, given up: this is what is counted.
    #[inline(never)]
    fn feed(&mut self, input: Input<'_>) {
        let before = asked();
        self.exchange.handle(self.now, input);
        while let Some(output) = self.exchange.next_output() {
            match output {
                Output::Transmit(transmit) => self.sent.push_back(transmit),
                Output::Commit(Commit { sequence, .. }) => self.to_keep.push_back(sequence),
                _ => {}
            }
        }
        let now = asked() - before;
        self.asked.times += now.times;
        self.asked.octets += now.octets;
    }

    /// Lets time pass, with whatever is due in it.
    fn pass(&mut self, time: Duration) {
        let end = self.now.mono + time;
        while let Some((when, _)) = self.exchange.next_deadline()
            && when <= end
        {
            self.now = self.now.after(when.since(self.now.mono));
            self.feed(Input::Timeout);
        }
        self.now = self.now.after(end.since(self.now.mono));
    }
}

fn person(user: u32) -> [PeopleChange; 3] {
    let number = number(user);
    let account: Box<str> = format!("p{number}").into();
    let secret = exchange::Secret::new(&number, "office", SECRET);
    [
        PeopleChange::PutAccount {
            name: account.clone(),
            display: format!("Person {number}").into(),
            settings: Box::default(),
        },
        PeopleChange::PutNumber { number: number.clone().into(), account: account.clone() },
        PeopleChange::PutDevice { name: number.into(), device: exchange::Device::new(account, secret) },
    ]
}

/// Tells what each kind of work asked for.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let users: u32 = arguments.or("users", 1_000)?;
    let calls: u32 = arguments.or("calls", 1_000)?;
    let gap = Duration::from_millis(arguments.or("gap", 10)?);
    let only = arguments.text("only").unwrap_or("calls,registers,bindings");
    let bare = asked();
    let mut office = Office::new(users);
    let person = (asked() - bare).held / i64::from(users);
    let mut phones = Phones::new(users);
    let before = asked();
    for user in 0..users {
        phones.register(&mut office, user)?;
        office.pass(Duration::from_millis(1));
    }
    let at_once = (asked() - before).held;
    office.pass(ALL_OVER);
    let settled = (asked() - before).held;
    let mut parts = vec![format!(
        "\"binding_at_once\":{},\"binding\":{},\"person\":{person}",
        at_once / i64::from(users),
        settled / i64::from(users)
    )];
    if only.contains("registers") {
        let each = measure(&mut office, calls, gap, |office, turn| phones.register(office, turn % users))?;
        parts.push(told("register", each));
    }
    if only.contains("calls") {
        let each = measure(&mut office, calls, gap, |office, turn| {
            phones.call(office, turn % users, (turn + users / 2) % users)
        })?;
        parts.push(told("call", each));
    }
    println!("{{{}}}", parts.join(","));
    Ok(())
}

/// The mean of what `times` pieces of work ask for.
fn measure(
    office: &mut Office,
    times: u32,
    gap: Duration,
    mut work: impl FnMut(&mut Office, u32) -> Result<(), Failure>,
) -> Result<(f64, f64), Failure> {
    let mut before = Asked::default();
    for turn in 0..WARM + times {
        if turn == WARM {
            before = office.asked;
        }
        work(office, turn)?;
        office.pass(gap);
    }
    let spent = office.asked - before;
    Ok((spent.times as f64 / f64::from(times), spent.octets as f64 / f64::from(times)))
}

fn told(name: &str, (allocations, octets): (f64, f64)) -> String {
    format!("\"{name}_allocations\":{allocations:.1},\"{name}_octets\":{octets:.0}")
}

/// The phones that are called, all behind one address as those of `loadgen calls` are.
pub(crate) fn desks() -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(192, 0, 2, 3).into(), DESKS)
}
