//! `ringdown-tap`: reads badges by PC/SC beside a phone, and tells an exchange.
#![expect(clippy::disallowed_methods, reason = "a reader is waited for, and nothing else is done meanwhile")]

use clap::Parser;
use pcsc::{Card, Context, Disposition, Protocols, ReaderState, Scope, ShareMode, State};
use rustls::ClientConfig;
use std::ffi::{CStr, CString};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tap::telling::{Exchange, TRIES, Told};
use tap::{Reading, card, line, telling};

/// How long a command of the reader is waited for before others look, too.
const LOOK: Duration = Duration::from_secs(2);

/// How often a card is tried, and how long it may settle in between.
const READS: u8 = 4;
/// See [`READS`].
const SETTLE: Duration = Duration::from_millis(100);

/// Reads badges by PC/SC beside a phone, and tells an exchange.
///
/// `ringdown reader add NAME --device PHONE` on the exchange prints the key.
#[derive(Parser)]
#[command(name = "ringdown-tap", version)]
struct Arguments {
    /// The exchange, as in https://office.example:8443
    #[arg(value_name = "URL")]
    exchange: String,
    /// The file with the reader's key
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// The PC/SC reader, by its name or a part of it [default: the first]
    #[arg(long, value_name = "NAME", default_value = "")]
    reader: String,
    /// The certificate of the exchange, or of whoever vouches for it, PEM
    #[arg(long, value_name = "FILE", default_value = line::AUTHORITIES)]
    ca: PathBuf,
    /// End after one badge
    #[arg(long)]
    once: bool,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("ringdown-tap: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Whom taps are told.
struct Teller {
    exchange: Exchange,
    key: String,
    trust: Option<Arc<ClientConfig>>,
}

fn run(arguments: &Arguments) -> Result<bool, Failure> {
    let exchange = Exchange::parse(&arguments.exchange)?;
    let key = std::fs::read_to_string(&arguments.key_file)
        .map_err(|error| format!("{}: {error}", arguments.key_file.display()))?;
    let trust = if exchange.tls { Some(line::trust(&arguments.ca)?) } else { None };
    let teller = Teller { exchange, key: key.trim().to_owned(), trust };
    let context = Context::establish(Scope::User)
        .map_err(|error| format!("no PC/SC service: {error}; is pcscd running?"))?;
    loop {
        let name = wait_for_reader(&context, &arguments.reader)?;
        say(&format!("{}: hold a badge to it", name.to_string_lossy()));
        let counted = serve(&context, &name, &teller, arguments.once)?;
        if arguments.once
            && let Some(counted) = counted
        {
            return Ok(counted);
        }
    }
}

fn say(words: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{words}").and_then(|()| out.flush());
}

/// The reader with this name; readers may be plugged in later.
fn wait_for_reader(context: &Context, wanted: &str) -> Result<CString, Failure> {
    let mut told = false;
    loop {
        let names = context.list_readers_owned()?;
        if let Some(name) = names.into_iter().find(|name| name.to_string_lossy().contains(wanted)) {
            return Ok(name);
        }
        if !std::mem::replace(&mut told, true) {
            say(&format!("no reader \"{wanted}\" yet; waiting for one"));
        }
        thread::sleep(LOOK);
    }
}

/// Tells badge after badge, until the reader is gone; after the first if there shall be one, whether it counted.
fn serve(context: &Context, name: &CStr, teller: &Teller, once: bool) -> Result<Option<bool>, Failure> {
    let mut states = [ReaderState::new(name, State::UNAWARE)];
    loop {
        match context.get_status_change(LOOK, &mut states) {
            Ok(()) | Err(pcsc::Error::Timeout) => {}
            Err(pcsc::Error::UnknownReader | pcsc::Error::ReaderUnavailable) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let state = states[0].event_state();
        let came = state.contains(State::PRESENT) && !states[0].current_state().contains(State::PRESENT);
        states[0].sync_current_state();
        if state.intersects(State::UNKNOWN | State::UNAVAILABLE) {
            return Ok(None);
        }
        if !came || state.contains(State::MUTE) {
            continue;
        }
        match read_patiently(context, name) {
            Ok(reading) if reading == Reading::default() => say("refused: nothing can be read from it"),
            Ok(reading) => {
                let told = teller.tell(&reading)?;
                say(&told.words());
                if once {
                    return Ok(Some(matches!(told, Told::Accepted(_))));
                }
            }
            Err(error) => say(&format!("not read: {error}; hold it there a little longer")),
        }
    }
}

/// A card that is just being laid down fails once or twice.
fn read_patiently(context: &Context, name: &CStr) -> Result<Reading, pcsc::Error> {
    for _ in 1..READS {
        if let Ok(reading) = read(context, name) {
            return Ok(reading);
        }
        thread::sleep(SETTLE);
    }
    read(context, name)
}

fn read(context: &Context, name: &CStr) -> Result<Reading, pcsc::Error> {
    let card: Card = context.connect(name, ShareMode::Shared, Protocols::ANY)?;
    let mut buffer = [0; pcsc::MAX_BUFFER_SIZE];
    let reading = card::read(|command| card.transmit(command, &mut buffer).map(<[u8]>::to_vec));
    // It leaves by itself.
    let _ = card.disconnect(Disposition::LeaveCard);
    reading
}

impl Teller {
    /// Tells a tap until there is an answer, each time as the same tap.
    fn tell(&self, reading: &Reading) -> Result<Told, Failure> {
        let mut told = self.tell_once(reading, &tap_id()?, None);
        if let Told::NeedsPin(_) = &told
            && io::stdin().is_terminal()
        {
            say(&told.words());
            let mut pin = String::new();
            io::stdin().lock().read_line(&mut pin)?;
            told = self.tell_once(reading, &tap_id()?, Some(pin.trim()));
        }
        Ok(told)
    }

    fn tell_once(&self, reading: &Reading, id: &str, pin: Option<&str>) -> Told {
        let request = telling::request(&self.exchange, &self.key, id, reading, pin);
        let mut waits = TRIES.iter();
        loop {
            let told = match line::ask(&self.exchange, self.trust.as_ref(), &request) {
                Ok(answer) => Told::of(&answer),
                // Whoever that is will not become the exchange.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Told::Refused(error.to_string());
                }
                Err(error) => Told::Later(format!("{}: {error}", self.exchange.authority())),
            };
            match (&told, waits.next()) {
                (Told::Later(_), Some(wait)) => thread::sleep(*wait),
                _ => return told,
            }
        }
    }
}

/// Another for each tap, so that one that is told again is counted once.
fn tap_id() -> Result<String, Failure> {
    let mut octets = [0; 16];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| "the system gives no randomness")?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}
