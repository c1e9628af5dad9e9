//! `loadgen`: load for the exchange and for the programs that we compare it with. Each command prints one line of JSON.
//!
//! ```text
//! loadgen calls    --server HOST:PORT --users N --rate R --seconds T   calls from INVITE to BYE
//! loadgen hold     --server HOST:PORT --users N --calls K              calls that stay up: memory
//! loadgen register --server HOST:PORT --users N --rate R --seconds T   refreshes; --fresh for new bindings
//! loadgen survivors --server … --callers K --rate R                    new bindings, a dead server, and a call to each
//! loadgen rtp      --server … | --ng … | --bare …   --calls K          50 packets a second and leg; --secure for SRTP
//! loadgen taps     --http HOST:PORT --readers FILE --rate R            badges at readers, and whether each is judged right
//! loadgen take     --server … --http … --readers FILE --taps N          from a tap to the INVITE, with --calls K up
//! loadgen answer   --listen HOST:PORT                                  answers every call at once
//! loadgen bareloop --legs N --port FIRST                               a relay with nothing in it
//! loadgen lists    --rows N                                            a call list, beside a bare loop of the CSV library
//! loadgen next-row --rows N --calls K                                  from the end of a row's call to the next row's
//! loadgen parse                                                        one INVITE, nanoseconds and allocations
//! loadgen designations --calls N                                       the pure directory, with the signing of tickets
//! loadgen designated --directory HOST:PORT --store URL --rate R        a directory over mutual TLS, and what members keep of it
//! loadgen pure     --calls N --users N                                 the exchange alone, without sockets: allocations
//! ```
//!
//! `--pid N,N` names the processes whose time and memory are told, `--desks HOST:PORT` where the phones answer, and with
//! `--tls HOST:PORT` callers come by TLS. `--first N` is the number of the first phone,
//! `--home HOST:PORT` the exchange of those who answer, if that is another.

mod answer;
mod arguments;
mod bareloop;
mod callee;
mod caller;
mod calls;
mod chip;
mod counting;
mod designated;
mod designations;
mod line;
mod lists;
mod login;
mod next_row;
mod ng;
mod parse;
mod phones;
mod pure;
mod pure_phones;
mod registering;
mod registrations;
mod rtp;
mod rtp_legs;
mod survivors;
mod take;
mod tally;
mod taps;
mod watch;

use arguments::Arguments;
use std::process::ExitCode;

/// What a command ends with when it cannot go on.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let arguments = match Arguments::read(words) {
        Ok(arguments) => arguments,
        Err(error) => return failed(&error),
    };
    match arguments.or("first", 0) {
        Ok(0) => {}
        Ok(first) => login::begin_at(first),
        Err(error) => return failed(&error),
    }
    let done = match command.as_str() {
        "calls" => calls::run(&arguments),
        "hold" => calls::hold(&arguments),
        "register" => registering::run(&arguments),
        "survivors" => survivors::run(&arguments),
        "rtp" => rtp::run(&arguments),
        "taps" => taps::run(&arguments),
        "take" => take::run(&arguments),
        "answer" => answer::run(&arguments),
        "bareloop" => bareloop::run(&arguments),
        "lists" => lists::run(&arguments),
        "next-row" => next_row::run(&arguments),
        "parse" => parse::run(),
        "designations" => designations::run(&arguments),
        "designated" => designated::run(&arguments),
        "pure" => pure::run(&arguments),
        _ => Err(
            "usage: loadgen calls|hold|register|survivors|rtp|taps|take|answer|bareloop|lists|next-row|parse|pure|designations|designated [--name value …]"
                .into(),
        ),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &Failure) -> ExitCode {
    eprintln!("loadgen: {error}");
    ExitCode::FAILURE
}
