//! The shell: one thread with the sockets, the clock and the files of a phone.

mod headset;
mod line;
mod pipe;
mod ports;
mod run;
mod server;
mod stream;
mod tls;
mod websocket;

pub use headset::HeadsetProgram;
pub use server::Server;
pub use stream::Stream;
pub use tls::{Trust, client_config};

use crate::agent::{Agent, Config, Pass, Suggest, Trace};
use crate::limits::{COMMANDS, EVENTS};
use crate::sound::{Source, WavWriter};
use crate::words::{CallId, Command, Event};
use clock::Now;
use media::Codec;
use net::{Clock, Sender};
use ports::RtpPort;
use run::Run;
use sip::Transport;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// All that a phone needs to begin.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the server is.
    pub server: Server,
    /// How it is reached.
    pub transport: Transport,
    /// Whom it is believed to be, by TLS.
    pub trust: Trust,
    /// The user name.
    pub user: String,
    /// The password.
    pub password: String,
    /// What others see; may be empty.
    pub display: String,
    /// Whether to register.
    pub register: bool,
    /// For how long, in seconds.
    pub expires: u32,
    /// What we speak, best first.
    pub codecs: Vec<Codec>,
    /// Take calls after this much ringing.
    pub answer_after: Option<Duration>,
    /// When to suggest that the server keeps calling; never if there is none.
    pub suggest: Option<Suggest>,
    /// Ask the server for whom we work.
    pub profile: bool,
    /// What lets us in at a server that is not ours.
    pub pass: Option<Pass>,
    /// The name of the first call.
    pub first_call: CallId,
    /// What the far side hears, unless there is a headset.
    pub source: Source,
    /// The microphone and the loudspeaker of whoever sits here.
    pub headset: Option<HeadsetProgram>,
    /// Where to keep what we hear.
    pub record: Option<PathBuf>,
    /// One clock for several phones makes their times comparable.
    pub clock: Clock,
}

/// What a running phone tells.
#[derive(Clone, Debug)]
pub enum Told {
    /// Something happened.
    Event(Now, Event),
    /// A message was sent or received.
    Trace(Trace),
}

/// Why a phone could not begin.
#[derive(Debug)]
pub struct StartError {
    what: String,
    error: io::Error,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.error)
    }
}

impl std::error::Error for StartError {}

/// A phone on a thread of its own.
pub struct Phone {
    commands: Sender<Command>,
    told: Receiver<Told>,
    thread: Option<JoinHandle<()>>,
}

impl Phone {
    /// Opens the sockets and begins to register.
    ///
    /// # Errors
    /// When the server has no address, or a socket or file cannot be opened.
    pub fn start(settings: Settings) -> Result<Phone, StartError> {
        let fail = |what: &str| {
            let what = what.to_owned();
            move |error| StartError { what, error }
        };
        let address = settings.server.resolve().map_err(fail(&format!("server {}", settings.server)))?;
        let own = net::route_address(address.ip()).map_err(fail("no route to the server"))?;
        let ports = RtpPort::open_all(own).map_err(fail("cannot open ports for sound"))?;
        let record = settings
            .record
            .as_deref()
            .map(|path| WavWriter::create(path).map_err(fail(&format!("cannot write {}", path.display()))));
        let record = record.transpose()?;
        let mut seed = [0; 32];
        let random = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut seed));
        random.map_err(fail("no randomness"))?;
        let agent = Agent::new(
            Config {
                user: settings.user.as_str().into(),
                password: settings.password.as_str().into(),
                display: settings.display.as_str().into(),
                domain: settings.server.domain(settings.transport).into(),
                transport: settings.transport,
                register: settings.register,
                expires: settings.expires,
                codecs: settings.codecs.clone(),
                answer_after: settings.answer_after,
                suggest: settings.suggest.clone(),
                profile: settings.profile,
                pass: settings.pass.clone(),
                first_call: settings.first_call,
                media_address: own,
                ports: ports.iter().map(RtpPort::port).collect(),
            },
            seed,
        );
        let (commands, mailbox) = net::mailbox(COMMANDS).map_err(fail("cannot make a mailbox"))?;
        let (teller, told) = sync_channel(EVENTS);
        let run = Run::new(settings, own, agent, ports, record, mailbox, teller)
            .map_err(fail("cannot watch sockets"))?;
        let thread = std::thread::Builder::new()
            .name("phone".into())
            .spawn(move || run.run())
            .map_err(fail("cannot start a thread"))?;
        Ok(Phone { commands, told, thread: Some(thread) })
    }

    /// Tells the phone what to do. What it cannot take any more is lost: it has ended, or hundreds of commands wait.
    pub fn tell(&self, command: Command) {
        let _ = self.commands.send(command);
    }

    /// Another hand that may tell the phone what to do.
    #[must_use]
    pub fn hand(&self) -> Hand {
        Hand(self.commands.clone())
    }

    /// The next thing that the phone tells; `Ok(None)` when nothing came in time.
    ///
    /// # Errors
    /// [`Gone`] when the phone has stopped and everything was told.
    pub fn wait(&self, limit: Duration) -> Result<Option<Told>, Gone> {
        match self.told.recv_timeout(limit) {
            Ok(told) => Ok(Some(told)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Gone),
        }
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.tell(Command::Quit);
        if let Some(thread) = self.thread.take() {
            // A panic of the phone was printed already.
            let _ = thread.join();
        }
    }
}

/// Tells a phone what to do, from another thread.
#[derive(Clone)]
pub struct Hand(Sender<Command>);

impl Hand {
    /// Tells the phone what to do.
    pub fn tell(&self, command: Command) {
        let _ = self.0.send(command);
    }
}

/// The phone has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;
