//! `loadgen designations`: the pure directory, with the signing of tickets (S4, Show 6).

use crate::Failure;
use crate::arguments::Arguments;
use clock::{Mono, Now, Wall};
use directory::{
    Account, AccountName, Confirmation, DeviceId, Directory, ExchangeName, Fingerprint, Input, Issuer,
    Message, Named, Number, Origin, Output, Report, Request, RequestId, SessionHalf, TicketKey,
};
use std::time::Instant;

const EXCHANGES: usize = 50;
const ACCOUNTS: usize = 10_000;

/// Asks for calls between 50 exchanges with 10,000 accounts, one after another on one core: how many a second, and how long each.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let calls: usize = arguments.or("calls", 200_000)?;
    let mut directory = furnish()?;
    let mut now = Now { mono: Mono(2_000_000), wall: Wall(1_800_000_000_000) };
    let (mut times, mut designated) = (Vec::with_capacity(calls), 0);
    let began = Instant::now();
    for call in 0..calls {
        now.mono = Mono(now.mono.0 + 10);
        let request = request(call)?;
        let start = Instant::now();
        directory.handle(now, Input::Asked(request));
        while let Some(output) = directory.poll_output() {
            designated += usize::from(matches!(output, Output::ToExchange(_, Message::Designated { .. })));
        }
        times.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    let seconds = began.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize] as f64 / 1_000.0;
    println!(
        "{{\"rate\":{:.0},\"designated\":{designated},\"calls\":{calls},\"p50_us\":{:.1},\"p99_us\":{:.1}}}",
        calls as f64 / seconds,
        at(0.5),
        at(0.99)
    );
    Ok(())
}

fn name<T: Named>(text: &str) -> Result<T, Failure> {
    Ok(T::parse(text)?)
}

fn exchange(place: usize) -> Result<ExchangeName, Failure> {
    name(&format!("exchange-{}", place % EXCHANGES))
}

fn furnish() -> Result<Directory, Failure> {
    let now = Now { mono: Mono(1_000_000), wall: Wall(1_800_000_000_000) };
    let mut directory = Directory::new("directory", Issuer::new(&[7; 32]), [1; 32]);
    for place in 0..EXCHANGES {
        let (name, octet) = (exchange(place)?, u8::try_from(place + 1)?);
        let (fingerprint, key) = (Fingerprint([octet; 32]), TicketKey([octet; 32]));
        directory.handle(now, Input::Joined { exchange: name.clone(), fingerprint, key });
        let report = Report {
            address: format!("{name}.example:5062").into(),
            web: "".into(),
            region: if place % 2 == 0 { "north" } else { "south" }.into(),
            version: "1".into(),
            load: u16::try_from(place * 7)?,
            draining: false,
            calls: std::collections::BTreeMap::new(),
        };
        directory.handle(now, Input::Report(name, report));
    }
    for place in 0..ACCOUNTS {
        let (home, account): (_, AccountName) = (exchange(place)?, name(&format!("a{place}"))?);
        let told = Account {
            home: home.clone(),
            numbers: vec![name(&number(place))?],
            enabled: true,
            phones: false,
        };
        directory.handle(now, Input::Account(home, account, Some(told)));
    }
    while directory.poll_output().is_some() {}
    Ok(directory)
}

fn number(place: usize) -> String {
    format!("2{place:05}")
}

/// From one exchange to somebody at the next.
fn request(call: usize) -> Result<Request, Failure> {
    let callee: Number = name(&number(call * 7_919 % ACCOUNTS))?;
    let from = exchange(call * 7_919 % ACCOUNTS + 1)?;
    let caller: DeviceId = name("desk-1")?;
    let id = RequestId(call as u64);
    let session = SessionHalf((call as u128 + 1).to_be_bytes());
    Ok(Request {
        origin: Origin::Exchange(from),
        id,
        caller,
        callee,
        session,
        cnf: Confirmation::Tls(Fingerprint([3; 32])),
        shown: "".into(),
    })
}
