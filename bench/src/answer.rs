//! `loadgen answer`: says yes to every REGISTER, INVITE and BYE, so that the load can be measured against itself.

use crate::Failure;
use crate::arguments::Arguments;
use crate::callee::Callees;
use crate::line::Line;
use crate::tally::Tally;
use net::{Clock, Poll, ReceiveBatch};
use wire::sip::Message;

/// Runs until it is killed.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut line = Line::bind(arguments.must("listen")?)?;
    println!("{{\"listen\":\"{}\"}}", line.address);
    let (clock, mut poll, mut batch) = (Clock::start(), Poll::new()?, ReceiveBatch::new());
    poll.add(line.descriptor(), 0)?;
    let (mut callees, mut tally) = (Callees::default(), Tally::default());
    loop {
        let wait = callees.next_deadline().map(|when| when.since(clock.now().mono));
        let ready = poll.wait(wait)?.count() > 0;
        let now = clock.now().mono;
        if ready {
            let mut datagrams = Vec::new();
            line.receive(&mut batch, |from, bytes| datagrams.push((from, bytes.to_vec())))?;
            for (from, bytes) in &datagrams {
                let Ok(message) = Message::parse(bytes) else { continue };
                callees.request(now, &mut line, *from, &message, &mut tally);
            }
        }
        callees.timeout(now, &mut line, &mut tally);
        line.flush();
    }
}
