//! The shell: one thread with the sockets, the clock and the files of a phone.

mod headset;
mod line;
mod pipe;
mod ports;
mod run;
mod seat;
mod server;
mod stream;
mod tls;
mod websocket;

pub use headset::HeadsetProgram;
pub use server::Server;
pub use stream::Stream;
pub use tls::{Trust, client_config};

use crate::agent::{Accounts, Agent, Config, Named, Pass, Suggest, Trace};
use crate::limits::{COMMANDS, EVENTS};
use crate::sound::{Source, WavWriter};
use crate::words::{CallId, Command, Event};
use clock::Now;
use media::Codec;
use net::{Clock, Sender};
use run::{Post, Run};
use sip::Transport;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// One account at a server.
#[derive(Clone, Debug)]
pub struct Account {
    /// What people call it.
    pub name: String,
    /// Where the server is.
    pub server: Server,
    /// Other servers of the same office, reached by the same transport: the next when one is gone.
    pub further: Vec<Server>,
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
    /// When to suggest that the server keeps calling; never if there is none.
    pub suggest: Option<Suggest>,
    /// Ask the server for whom we work.
    pub profile: bool,
    /// Numbers whose lamps are shown.
    pub lamps: Vec<String>,
    /// Ask the server whether messages wait for us.
    pub messages: bool,
    /// What lets us in at a server that is not ours.
    pub pass: Option<Pass>,
}

/// All that a phone needs to begin.
#[derive(Clone, Debug)]
pub struct Settings {
    /// One or more; calls go out by the first.
    pub accounts: Vec<Account>,
    /// Take calls after this much ringing.
    pub answer_after: Option<Duration>,
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
    /// Something happened to an account, which is named.
    Event(Now, Arc<str>, Event),
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
    commands: Sender<Post>,
    told: Receiver<Told>,
    thread: Option<JoinHandle<()>>,
}

impl Phone {
    /// Begins to find the servers and to register.
    ///
    /// # Errors
    /// When a file cannot be opened, or the system has nothing left.
    pub fn start(settings: Settings) -> Result<Phone, StartError> {
        let fail = |what: &str| {
            let what = what.to_owned();
            move |error| StartError { what, error }
        };
        let record = settings
            .record
            .as_deref()
            .map(|path| WavWriter::create(path).map_err(fail(&format!("cannot write {}", path.display()))));
        let record = record.transpose()?;
        let agents: io::Result<Vec<Named>> =
            settings.accounts.iter().map(|one| agent(&settings, one)).collect();
        let agents = agents.map_err(fail("no randomness"))?;
        if agents.is_empty() {
            return Err(fail("a phone needs an account")(io::ErrorKind::InvalidInput.into()));
        }
        let (commands, mailbox) = net::mailbox(COMMANDS).map_err(fail("cannot make a mailbox"))?;
        let (teller, told) = sync_channel(EVENTS);
        let post = (commands.clone(), mailbox);
        let run = Run::new(settings, Accounts::new(agents), record, post, teller)
            .map_err(fail("cannot watch sockets"))?;
        let thread = std::thread::Builder::new()
            .name("phone".into())
            .spawn(move || run.run())
            .map_err(fail("cannot start a thread"))?;
        Ok(Phone { commands, told, thread: Some(thread) })
    }

    /// Tells the phone what to do. What it cannot take any more is lost: it has ended, or hundreds of commands wait.
    pub fn tell(&self, command: Command) {
        let _ = self.commands.send(Post::Command(command));
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
pub struct Hand(Sender<Post>);

impl Hand {
    /// Tells the phone what to do.
    pub fn tell(&self, command: Command) {
        let _ = self.0.send(Post::Command(command));
    }
}

/// The pure half of one account.
fn agent(settings: &Settings, account: &Account) -> io::Result<Named> {
    let mut seed = [0; 32];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut seed))?;
    let config = Config {
        user: account.user.as_str().into(),
        password: account.password.as_str().into(),
        display: account.display.as_str().into(),
        domain: account.server.domain(account.transport).into(),
        transport: account.transport,
        several: !account.further.is_empty(),
        register: account.register,
        expires: account.expires,
        codecs: account.codecs.clone(),
        answer_after: settings.answer_after,
        suggest: account.suggest.clone(),
        profile: account.profile,
        lamps: account.lamps.iter().map(|number| number.as_str().into()).collect(),
        messages: account.messages,
        pass: account.pass.clone(),
        first_call: settings.first_call,
    };
    Ok(Named { name: account.name.as_str().into(), agent: Agent::new(config, seed) })
}

/// The phone has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;
